//! What a modem does by itself at its time: boot lines, noise, restarts, answers of the network.

use std::time::{Duration, Instant};

use super::Modem;
use super::manners::{Manners, fits};
use super::routes;
use super::storage::Arrival;
use super::trouble;

/// From one `RING` to the next (TS 27.007, 6.11 tells no time; networks ring so).
const RING_PAUSE: Duration = Duration::from_secs(5);
/// Who calls, in the range reserved for fiction.
const CALLER: &str = "+447700900456";
/// Most lines, rings and restarts to come; further ones are forgotten. Messages are none of them.
const LIMIT: usize = 256;

/// One thing to come.
#[derive(Debug)]
pub(super) enum Later {
    /// A line is said.
    Line(String),
    /// Words are said, with what the modem then knows of itself.
    Words(String),
    /// The noise of this number in the family's list is made, and again.
    Noise(usize),
    /// The modem starts anew.
    Restart,
    /// The network offers a message again.
    Offer(Arrival),
    /// The phone rings, so often still.
    Ring(u8),
}

/// All that is to come.
#[derive(Debug, Default)]
pub(super) struct Schedule(Vec<(Instant, Later)>);

impl Schedule {
    /// Adds something; what is due at the same time keeps its order.
    pub(super) fn add(&mut self, due: Instant, later: Later) {
        let is_message = matches!(later, Later::Offer(_));
        if is_message || self.0.len() < LIMIT + self.offers() {
            let at = self.0.partition_point(|(other, _)| *other <= due);
            self.0.insert(at, (due, later));
        }
    }

    /// How many messages the network is to offer again.
    pub(super) fn offers(&self) -> usize {
        let offers = self.0.iter();
        let offers = offers.filter(|(_, later)| matches!(later, Later::Offer(_)));
        offers.count()
    }

    /// When the next thing is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(due, _)| *due)
    }

    /// Takes the next thing that is due.
    fn due(&mut self, now: Instant) -> Option<Later> {
        (self.next()? <= now).then(|| self.0.remove(0).1)
    }

    /// Forgets everything but messages, which the network keeps.
    pub(super) fn clear(&mut self) {
        self.0.retain(|(_, later)| matches!(later, Later::Offer(_)));
    }

    /// Ends what rings.
    pub(super) fn hang_up(&mut self) {
        self.0
            .retain(|(_, later)| !matches!(later, Later::Ring(..)));
    }

    /// Ends each noise that `call` puts an end to.
    pub(super) fn hush(&mut self, manners: &Manners, call: &str) {
        let ends = |number: &usize| {
            let noise = manners.noise.get(*number);
            noise.is_some_and(|noise| noise.until.iter().any(|end| fits(end, call)))
        };
        self.0.retain(|(_, later)| match later {
            Later::Noise(number) => !ends(number),
            _ => true,
        });
    }
}

/// Plans what follows a start at `now`: lines, noise, and the time until messages work.
pub(super) fn begin(modem: &mut Modem, now: Instant) {
    let manners = modem.manners.clone();
    let after = |ms| now + Duration::from_millis(ms);
    for boot in &manners.boot {
        modem
            .schedule
            .add(after(boot.ms), Later::Words(boot.line.clone()));
    }
    for (number, noise) in manners.noise.iter().enumerate() {
        modem
            .schedule
            .add(after(noise.every_ms), Later::Noise(number));
    }
    modem.ready_at = after(manners.ready_ms);
}

/// Does what is due.
pub(super) fn run(modem: &mut Modem, now: Instant) {
    while let Some(later) = modem.schedule.due(now) {
        match later {
            Later::Line(line) => modem.announce(line, false),
            Later::Words(words) => modem.announce(modem.fill(&words), false),
            Later::Noise(number) => make_noise(modem, number, now),
            Later::Restart => trouble::restart(modem, now),
            Later::Offer(arrival) => {
                modem.waiting.push_back(arrival);
                routes::route_waiting(modem, now);
            }
            Later::Ring(left) => ring(modem, left, now),
        }
    }
}

fn make_noise(modem: &mut Modem, number: usize, now: Instant) {
    let manners = modem.manners.clone();
    if let Some(noise) = manners.noise.get(number) {
        modem.announce(modem.fill(&noise.line), false);
        let due = now + Duration::from_millis(noise.every_ms);
        modem.schedule.add(due, Later::Noise(number));
    }
}

/// Says `RING`, and who calls where the client wants to know it (TS 27.007, 7.6).
fn ring(modem: &mut Modem, left: u8, now: Instant) {
    modem.announce("RING".into(), false);
    if modem.setup.caller_news > 0 {
        modem.announce(format!("+CLIP: \"{CALLER}\",145,,,,0"), false);
    }
    if left > 1 {
        let due = now + RING_PAUSE;
        modem.schedule.add(due, Later::Ring(left - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, Trouble};
    use super::*;

    /// What a modem says at each moment until `end`, in milliseconds after the start.
    fn said(modem: &mut Modem, start: Instant, end: u64) -> Vec<(u128, String)> {
        let end = start + Duration::from_millis(end);
        let mut said = Vec::new();
        while let Some(now) = modem.wake_at().filter(|wake| *wake <= end) {
            modem.tick(now);
            while let Some(Effect::Write(bytes)) = modem.poll() {
                let text = String::from_utf8(bytes).unwrap();
                said.push(((now - start).as_millis(), text.trim().replace("\r\n", "|")));
            }
        }
        said
    }

    fn lines(said: &[(u128, &str)]) -> Vec<(u128, String)> {
        said.iter()
            .map(|(ms, line)| (*ms, (*line).into()))
            .collect()
    }

    #[test]
    fn a_start_says_its_lines_and_messages_wait() {
        let (mut modem, start) = Modem::of_family("simcom_2g");
        assert_eq!(
            said(&mut modem, start, 5000),
            lines(&[
                (500, "RDY"),
                (1000, "+CFUN: 1"),
                (1500, "+CPIN: READY"),
                (5000, "Call Ready||SMS Ready"),
            ])
        );
        let ready = modem.manners.ready_ms;
        assert!(modem.ready_at == start + Duration::from_millis(ready) && ready > 1500);
    }

    #[test]
    fn noise_goes_on_until_a_command_ends_it() {
        let (mut modem, start) = Modem::of_family("zte");
        let flood = [(2000, "+ZUSIMR:2"), (4000, "+ZUSIMR:2")];
        assert_eq!(said(&mut modem, start, 5000), lines(&flood));
        modem.receive(b"ATE0+CPMS?\r", start + Duration::from_secs(5));
        modem.poll();
        assert_eq!(said(&mut modem, start, 59_000), []);
        let again = start + Duration::from_secs(70);
        modem.suffer(Trouble::Reset, again);
        assert_eq!(said(&mut modem, again, 5000), lines(&flood));
    }

    #[test]
    fn the_phone_rings_until_it_is_hung_up() {
        let mut modem = Modem::ready("+CLIP=1");
        let start = tokio::time::Instant::now().into_std();
        modem.suffer(Trouble::Call, start);
        let ring = "RING||+CLIP: \"+447700900456\",145,,,,0";
        assert_eq!(
            said(&mut modem, start, 9000),
            lines(&[(0, ring), (5000, ring)])
        );
        modem.receive(b"ATH\r", start + Duration::from_secs(9));
        modem.poll();
        assert_eq!(said(&mut modem, start, 60_000), []);
    }
}
