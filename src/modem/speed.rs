//! At which speed a port is tried: a UART has one that both ends must know, and says nothing at any other.

use std::time::Duration;

use super::port::Line;
use super::setup::Knock;

/// The speed that worked last on this port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Speed(Option<u32>);

/// Somebody at the right speed answers within some milliseconds; the second try is for those that take
/// the first as their measure.
const QUICK: Knock = Knock {
    times: 3,
    patience: Duration::from_millis(300),
};

impl Speed {
    /// The speeds to try, and how patiently.
    ///
    /// What worked last goes first and gets all of `patience`. Where the speed may not matter, so does the
    /// first one, before the others are tried: behind some USB sockets there is a UART after all, and
    /// another modem may sit behind it today.
    pub fn plan(self, line: Line, speeds: &[u32], patience: Knock) -> Vec<(u32, Knock)> {
        let first = self.0.or(speeds.first().copied()).unwrap_or(115_200);
        let hunts = line != Line::Memory;
        let begin = match (line, self.0) {
            (Line::Uart, None) => QUICK,
            _ => patience,
        };
        let others = speeds.iter().filter(|speed| hunts && **speed != first);
        let others = others.map(|speed| (*speed, QUICK));
        std::iter::once((first, begin)).chain(others).collect()
    }

    /// Somebody answered at `speed`.
    pub fn worked(&mut self, speed: u32) {
        self.0 = Some(speed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Knock = Knock {
        times: 5,
        patience: Duration::from_secs(1),
    };

    #[test]
    fn what_worked_goes_first_and_the_others_after_it() {
        let mut speed = Speed::default();
        let speeds = [115_200, 9600, 19_200];
        let plan = |speed: Speed, line| speed.plan(line, &speeds, PATIENT);
        assert_eq!(plan(speed, Line::Memory), [(115_200, PATIENT)]);
        assert_eq!(
            plan(speed, Line::PerhapsUart),
            [(115_200, PATIENT), (9600, QUICK), (19_200, QUICK)]
        );
        assert_eq!(
            plan(speed, Line::Uart),
            [(115_200, QUICK), (9600, QUICK), (19_200, QUICK)]
        );
        speed.worked(9600);
        assert_eq!(
            plan(speed, Line::Uart),
            [(9600, PATIENT), (115_200, QUICK), (19_200, QUICK)]
        );
        assert_eq!(
            plan(speed, Line::PerhapsUart),
            [(9600, PATIENT), (115_200, QUICK), (19_200, QUICK)]
        );
    }
}
