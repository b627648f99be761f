//! Which SIMs are free, and whose turn it is.

use std::collections::{HashSet, VecDeque};

use crate::sms::ids::SimId;

/// News about a SIM that matter to the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimNews {
    /// It can send from now on.
    Up(SimId),
    /// It cannot send any more.
    Down(SimId),
}

/// The SIMs that can send: busy, or free and in the order in which they became free.
///
/// A SIM is busy from the moment it is taken until its work has ended and that is written, also when it
/// goes and comes back meanwhile: it never has two works at once.
#[derive(Debug, Default)]
pub struct Seats {
    present: HashSet<SimId>,
    busy: HashSet<SimId>,
    free: VecDeque<SimId>,
}

impl Seats {
    /// Takes in news. A SIM that comes up is free unless old work of it is still open; twice is no error.
    pub fn hear(&mut self, news: SimNews) {
        match news {
            SimNews::Up(sim) => {
                if self.present.insert(sim) && !self.busy.contains(&sim) {
                    self.free.push_back(sim);
                }
            }
            SimNews::Down(sim) => {
                self.present.remove(&sim);
                self.free.retain(|free| *free != sim);
            }
        }
    }

    /// The SIM that has been free the longest gets busy.
    pub fn take(&mut self) -> Option<SimId> {
        let sim = self.free.pop_front()?;
        self.busy.insert(sim);
        Some(sim)
    }

    /// This SIM gets busy. `false` when it is not free.
    pub fn take_this(&mut self, sim: SimId) -> bool {
        let Some(place) = self.free.iter().position(|free| *free == sim) else {
            return false;
        };
        self.free.remove(place);
        self.busy.insert(sim)
    }

    /// A busy SIM found no work: it is free again and keeps its turn. Gone meanwhile, it is nothing.
    pub fn put_back(&mut self, sim: SimId) {
        if self.busy.remove(&sim) && self.present.contains(&sim) {
            self.free.push_front(sim);
        }
    }

    /// Whether the SIM can send, busy or not.
    pub fn is_present(&self, sim: SimId) -> bool {
        self.present.contains(&sim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SimId = SimId(1);
    const B: SimId = SimId(2);

    fn seats() -> Seats {
        let mut seats = Seats::default();
        seats.hear(SimNews::Up(A));
        seats.hear(SimNews::Up(B));
        seats
    }

    #[test]
    fn the_longest_free_goes_first_and_keeps_its_turn_without_work() {
        let mut seats = seats();
        assert_eq!(seats.take(), Some(A));
        seats.put_back(A);
        assert_eq!(
            (seats.take(), seats.take(), seats.take()),
            (Some(A), Some(B), None)
        );
    }

    #[test]
    fn a_certain_one_can_be_taken_if_it_is_free() {
        let mut seats = seats();
        assert!(seats.take_this(B));
        assert!(!seats.take_this(B));
        assert_eq!((seats.take(), seats.take()), (Some(A), None));
    }

    #[test]
    fn who_left_while_busy_does_not_come_back_by_itself() {
        let mut seats = seats();
        assert_eq!(seats.take(), Some(A));
        seats.hear(SimNews::Down(A));
        seats.put_back(A);
        assert!(!seats.is_present(A));
        assert_eq!((seats.take(), seats.take()), (Some(B), None));
    }

    #[test]
    fn who_went_and_came_while_busy_gets_no_second_work() {
        let mut seats = seats();
        assert_eq!(seats.take(), Some(A));
        seats.hear(SimNews::Down(A));
        seats.hear(SimNews::Up(A));
        assert_eq!((seats.take(), seats.take()), (Some(B), None));
        seats.put_back(A);
        assert_eq!(seats.take(), Some(A));
    }

    #[test]
    fn twice_up_is_once_there() {
        let mut seats = seats();
        seats.hear(SimNews::Up(A));
        assert_eq!(
            (seats.take(), seats.take(), seats.take()),
            (Some(A), Some(B), None)
        );
    }
}
