//! Unsolicited headers that have come, and whose PDUs have not.

use std::time::{Duration, Instant};

use crate::modem::at::codes::{Header, News};

/// So many may wait; more is noise.
const DEEPEST: usize = 4;

/// A header and its PDU come in one breath; what comes later than this, the longest stall of a busy bus
/// and more, belongs to something else.
pub(super) const LIFE: Duration = Duration::from_secs(10);

/// The latest comes first: it crossed what was said before it.
#[derive(Debug, Default)]
pub(super) struct Headers(Vec<Announced>);

#[derive(Debug, Clone, Copy)]
struct Announced {
    header: Header,
    /// When it came, as far as that was told.
    since: Option<Instant>,
    /// A final result came between: only what can be a PDU is its.
    crossed: bool,
}

/// Whether the command that runs takes lines without a name, hex among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hex {
    /// What looks like a PDU is one.
    IsPdu,
    /// It may be an answer: only what is as long as a PDU is one.
    MayAnswer,
}

impl Headers {
    /// Keeps one more. Returns how many were lost for it.
    pub(super) fn push(&mut self, header: Header, since: Option<Instant>) -> usize {
        let lost = if self.0.len() == DEEPEST {
            self.lose()
        } else {
            0
        };
        self.0.push(Announced {
            header,
            since,
            crossed: false,
        });
        lost
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The news that `pdu`, a line of hex, makes with the latest header that tells just its length.
    pub(super) fn complete_exactly(&mut self, pdu: &str) -> Option<News> {
        let fits = |one: &Announced| one.header.length().is_of(pdu);
        let at = self.0.iter().rposition(fits)?;
        Some(self.0.remove(at).header.with(pdu.to_owned()))
    }

    /// The news that `pdu`, a line of hex, makes with the latest header, if its length may be junk.
    pub(super) fn complete(&mut self, pdu: &str, hex: Hex) -> Option<News> {
        let sure = |one: &Announced| hex == Hex::IsPdu && !one.crossed;
        let fits = |one: &mut Announced| sure(one) || one.header.length().may_be_junk_for(pdu);
        let announced = self.0.pop_if(fits)?;
        Some(announced.header.with(pdu.to_owned()))
    }

    /// A final result came where a PDU was due: that may be the next line, and is no later one's. Returns
    /// how many were lost: those that waited through a result before.
    pub(super) fn cross(&mut self) -> usize {
        let before = self.0.len();
        self.0.retain(|one| !one.crossed);
        for one in &mut self.0 {
            one.crossed = true;
        }
        before - self.0.len()
    }

    /// It is `now`. Returns how many were lost: their PDUs should have come long ago.
    pub(super) fn expire(&mut self, now: Instant) -> usize {
        let before = self.0.len();
        let lives = |since: Instant| now.saturating_duration_since(since) <= LIFE;
        self.0.retain(|one| one.since.is_none_or(lives));
        before - self.0.len()
    }

    /// An answer came where a PDU was due: there is none. Returns how many were lost.
    pub(super) fn lose(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::codes::{Unsolicited, unsolicited};

    fn header(line: &str) -> Header {
        match unsolicited(line) {
            Some(Unsolicited::Header(header)) => header,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_length_tells_which_header_a_pdu_belongs_to() {
        let mut headers = Headers::default();
        headers.push(header("+CMT: 2"), None);
        headers.push(header("+CDS: 3"), None);
        let (message, report) = ("00A7".to_owned(), "F1A7B8".to_owned());
        assert_eq!(headers.complete("00A7F1A7B8", Hex::MayAnswer), None);
        assert_eq!(headers.complete_exactly("00A7F1A7B8"), None);
        let told = headers.complete_exactly(&message);
        assert_eq!(told, Some(News::Message(message, Some(2))));
        let told = headers.complete_exactly(&report);
        assert_eq!(told, Some(News::Report(report, Some(3))));
        headers.push(header("+CMT: 2"), None);
        let odd = News::Message("00A".into(), Some(2));
        assert_eq!(headers.complete("00A", Hex::IsPdu), Some(odd));
        assert!(headers.is_empty());
    }

    #[test]
    fn a_length_of_junk_costs_no_pdu_and_takes_no_number() {
        const CASES: &[(&str, bool)] = &[
            ("0791447700099099040C91447700094065", true),
            ("255030000000001", false),
            ("8938003992000000017", false),
            ("89380039920000000176", false),
            ("00A7", false),
        ];
        for (hex, taken) in CASES {
            for junk in ["+CMT: ,99", "+CMT: ,x", "+CMT:"] {
                let mut headers = Headers::default();
                headers.push(header(junk), None);
                let found = headers.complete(hex, Hex::MayAnswer);
                assert_eq!(found.is_some(), *taken, "{junk} {hex}");
            }
        }
    }

    #[test]
    fn a_header_does_not_wait_for_hours() {
        let begun = tokio::time::Instant::now().into_std();
        let mut headers = Headers::default();
        headers.push(header("+CDS: 25"), Some(begun));
        assert_eq!(headers.expire(begun + LIFE), 0);
        assert_eq!(headers.expire(begun + LIFE + Duration::from_millis(1)), 1);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_header_waits_through_one_result() {
        let mut headers = Headers::default();
        headers.push(header("+CMT: 2"), None);
        assert_eq!(headers.cross(), 0);
        assert_eq!(headers.complete("F1A7B8", Hex::IsPdu), None);
        headers.push(header("+CDS: 3"), None);
        assert_eq!(headers.cross(), 1);
        let report = News::Report("F1A7B8".into(), Some(3));
        assert_eq!(headers.complete("F1A7B8", Hex::IsPdu), Some(report));
        assert_eq!(headers.cross(), 0);
    }

    #[test]
    fn headers_do_not_pile_up() {
        let mut headers = Headers::default();
        let lost: usize = (0..9).map(|_| headers.push(header("+CMT: 2"), None)).sum();
        assert_eq!((lost, headers.lose()), (8, 1));
        assert!(headers.is_empty());
    }
}
