//! Which SIMs can send, and which of them are free.

use std::collections::HashSet;

use crate::sms::ids::SimId;

/// News about a SIM that matter to the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimNews {
    /// It can send from now on.
    Up(SimId),
    /// It cannot send any more.
    Down(SimId),
}

/// The SIMs that can send, free or busy.
///
/// A SIM is busy from the moment it asks for work until its work has ended and that is written, also when
/// it goes and comes back meanwhile: it never has two works at once.
#[derive(Debug, Default)]
pub struct Seats {
    present: HashSet<SimId>,
    busy: HashSet<SimId>,
}

impl Seats {
    /// Takes in news; twice is no error.
    pub fn hear(&mut self, news: SimNews) {
        match news {
            SimNews::Up(sim) => drop(self.present.insert(sim)),
            SimNews::Down(sim) => drop(self.present.remove(&sim)),
        }
    }

    /// This SIM gets busy. `false` when it is not there, or not free.
    pub fn take(&mut self, sim: SimId) -> bool {
        self.present.contains(&sim) && self.busy.insert(sim)
    }

    /// A busy SIM has nothing under way any more.
    pub fn put_back(&mut self, sim: SimId) {
        self.busy.remove(&sim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SimId = SimId(1);

    #[test]
    fn only_a_sim_that_is_there_and_free_gets_busy() {
        let mut seats = Seats::default();
        assert!(!seats.take(A), "not there");
        seats.hear(SimNews::Up(A));
        assert!(seats.take(A));
        seats.hear(SimNews::Up(A));
        assert!(!seats.take(A), "busy");
        seats.put_back(A);
        assert!(seats.take(A));
    }

    #[test]
    fn who_went_and_came_while_busy_gets_no_second_work() {
        let mut seats = Seats::default();
        seats.hear(SimNews::Up(A));
        assert!(seats.take(A));
        seats.hear(SimNews::Down(A));
        seats.hear(SimNews::Up(A));
        assert!(!seats.take(A));
        seats.hear(SimNews::Down(A));
        seats.put_back(A);
        assert!(!seats.take(A), "gone");
    }
}
