//! The service centre's side of a part that it took: when which report comes.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;

use crate::emulator::faults::Noise;
use crate::sms::fields::Address;
use crate::sms::report::Status;

/// Reports that wait for their turn at most; then one comes before its turn.
const HELD: usize = 64;

/// In which order the reports of one SIM come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportOrder {
    /// Each after its delay.
    #[default]
    Kept,
    /// When no part was taken for the time of the delay: the last first.
    Reversed,
    /// The same, in any order.
    Shuffled,
}

/// A part that the network took and will report on.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) due: Instant,
    pub(super) mr: u8,
    pub(super) recipient: Address,
    pub(super) accepted: Timestamp,
    pub(super) status: Status,
    /// What is reported next, and how much later.
    pub(super) next: Option<(Duration, Status)>,
}

/// The reports of one SIM that are to come.
#[derive(Debug)]
pub(super) struct Reports {
    pub(super) order: ReportOrder,
    taken: Vec<Taken>,
    noise: Noise,
}

impl Reports {
    /// None yet.
    pub(super) fn new(order: ReportOrder, noise: Noise) -> Self {
        Self {
            order,
            taken: Vec::new(),
            noise,
        }
    }

    /// One more.
    pub(super) fn add(&mut self, taken: Taken) {
        self.taken.push(taken);
    }

    /// How many are to come.
    pub(super) fn len(&self) -> usize {
        self.taken.len()
    }

    /// When [`Reports::next`] has one.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let times = self.taken.iter().map(|taken| taken.due);
        match self.order {
            ReportOrder::Kept => times.min(),
            _ if self.taken.len() > HELD => times.min(),
            ReportOrder::Reversed | ReportOrder::Shuffled => times.max(),
        }
    }

    /// The next report that is due at `now`.
    pub(super) fn next(&mut self, now: Instant) -> Option<Taken> {
        self.wake_at().filter(|due| *due <= now)?;
        let due = |(_, taken): &(usize, &Taken)| taken.due;
        let places = self.taken.iter().enumerate();
        let place = match self.order {
            ReportOrder::Kept => places.min_by_key(due)?.0,
            ReportOrder::Reversed => places.filter(|it| due(it) <= now).max_by_key(due)?.0,
            ReportOrder::Shuffled => {
                let ripe: Vec<usize> = places
                    .filter(|it| due(it) <= now)
                    .map(|(at, _)| at)
                    .collect();
                *ripe.get(self.noise.below(ripe.len()))?
            }
        };
        let taken = self.taken.remove(place);
        if let Some((wait, status)) = taken.next {
            self.taken.push(Taken {
                due: now + wait,
                status,
                next: None,
                recipient: taken.recipient.clone(),
                ..taken
            });
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(mr: u8, due: Instant) -> Taken {
        Taken {
            due,
            mr,
            recipient: "+447700900123".parse().unwrap(),
            accepted: Timestamp::UNIX_EPOCH,
            status: Status(0),
            next: None,
        }
    }

    /// Three parts, taken a second apart, each due two seconds later; what comes when.
    fn played(order: ReportOrder, seed: u64) -> Vec<(u64, u8)> {
        let start = tokio::time::Instant::now().into_std();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut reports = Reports::new(order, Noise::of(seed, 0));
        let mut came = Vec::new();
        for second in 0..10 {
            if let Some(mr) = u8::try_from(second).ok().filter(|mr| *mr < 3) {
                reports.add(taken(mr, at(second + 2)));
            }
            while let Some(report) = reports.next(at(second)) {
                came.push((second, report.mr));
            }
        }
        assert_eq!(reports.wake_at(), None);
        came
    }

    #[test]
    fn the_order_is_to_choose() {
        assert_eq!(played(ReportOrder::Kept, 1), [(2, 0), (3, 1), (4, 2)]);
        assert_eq!(played(ReportOrder::Reversed, 1), [(4, 2), (4, 1), (4, 0)]);
        let orders: Vec<Vec<(u64, u8)>> = (0..20)
            .map(|seed| played(ReportOrder::Shuffled, seed))
            .collect();
        assert!(
            orders
                .iter()
                .all(|it| it.len() == 3 && it.iter().all(|(at, _)| *at == 4))
        );
        assert!(orders.iter().any(|it| it[0].1 == 1));
    }

    #[test]
    fn a_second_report_follows_the_first() {
        let start = tokio::time::Instant::now().into_std();
        let mut reports = Reports::new(ReportOrder::Kept, Noise::of(1, 0));
        let wait = Duration::from_secs(30);
        let mut first = taken(7, start);
        first.next = Some((wait, Status(70)));
        reports.add(first);
        assert_eq!(reports.next(start).map(|it| it.status), Some(Status(0)));
        assert_eq!(reports.wake_at(), Some(start + wait));
        let second = reports.next(start + wait).unwrap();
        assert_eq!((second.mr, second.status), (7, Status(70)));
        assert!(reports.next(start + wait * 9).is_none());
    }

    #[test]
    fn reports_that_are_held_back_are_bounded() {
        let start = tokio::time::Instant::now().into_std();
        let mut reports = Reports::new(ReportOrder::Reversed, Noise::of(1, 0));
        for mr in 0..=64 {
            reports.add(taken(mr, start + Duration::from_secs(mr.into())));
        }
        assert_eq!(reports.next(start).map(|it| it.mr), Some(0));
        assert!(reports.next(start).is_none());
    }
}
