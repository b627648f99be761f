//! What befalls a modem from outside: the card is pulled, the network goes, a command fails.

use std::time::{Duration, Instant};

use super::card::{NO_CARD, as_message_fault};
use super::commands::{admit, registration_changed};
use super::schedule::{self, Later};
use super::setup::Setup;
use super::{Modem, State, routes, steps};
use crate::emulator::faults::Step;

/// One thing that befalls a modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Trouble {
    /// It restarts: settings lost, the command in hand forgotten, the card asked again.
    Reset,
    /// The card is pulled out.
    SimOut,
    /// The card is put in.
    SimIn,
    /// The card takes no more messages, whatever is deleted; or takes them again.
    SimFull(bool),
    /// The card wants its PIN, now and after each start.
    SimLocked,
    /// The network throws it out.
    NetworkLost,
    /// The network lets it in.
    NetworkBack,
    /// Somebody calls.
    Call,
}

/// How often a call rings before the caller gives up.
const RINGS: u8 = 6;

/// Lets `trouble` befall the modem.
pub(super) fn suffer(modem: &mut Modem, trouble: Trouble, now: Instant) {
    match trouble {
        Trouble::Reset => restart(modem, now),
        Trouble::SimOut => place_card(modem, false, now),
        Trouble::SimIn => place_card(modem, true, now),
        Trouble::SimFull(full) => modem.storage.pretend_full(full),
        Trouble::SimLocked => {
            let before = modem.stats();
            modem.card.lock();
            registration_changed(modem, before);
        }
        Trouble::Call => modem.schedule.add(now, Later::Ring(RINGS)),
        Trouble::NetworkLost => admit(modem, false),
        Trouble::NetworkBack => admit(modem, true),
    }
    routes::route_waiting(modem, now);
    modem.digest(now);
}

fn place_card(modem: &mut Modem, present: bool, now: Instant) {
    let before = modem.stats();
    modem.card.place(present);
    let manners = modem.manners.clone();
    let lines = if present {
        let time = Duration::from_millis(manners.ready_ms);
        modem.card.keep_busy(now, time);
        &manners.card_in
    } else {
        lose_part(modem, now);
        modem.menu = None;
        &manners.card_out
    };
    for line in lines {
        modem.announce(line.clone(), false);
    }
    registration_changed(modem, before);
}

/// What is on the air without its card fails at once: nobody signs for it any more.
fn lose_part(modem: &mut Modem, now: Instant) {
    if matches!(modem.state, State::Sending { .. }) {
        modem.state = State::Command;
        modem.link_until = None;
        steps::pass_on(modem);
        modem.fail(as_message_fault(NO_CARD));
        steps::close(modem, Step::Result, now);
    }
}

/// Starts anew, as after power-on: what the client set and what was in hand is gone. What the
/// network delivered and nobody acknowledged is offered again.
pub(super) fn restart(modem: &mut Modem, now: Instant) {
    let manners = modem.manners.clone();
    modem.setup = Setup::of(&manners);
    modem.card.restart();
    modem.storage.restart();
    modem.functionality = 1;
    modem.coverage.restart();
    let unrouted = modem.unacknowledged.take().map(|(arrival, _)| arrival);
    modem.untaken.extend(unrouted);
    modem.untaken.append(&mut modem.unrouted);
    modem.link_until = None;
    modem.menu = None;
    modem.state = State::Command;
    (modem.late, modem.part) = (None, None);
    modem.input.clear();
    modem.line.clear();
    modem.news.clear();
    modem.steps.forget();
    modem.schedule.clear();
    let off = Duration::from_millis(manners.restart_ms);
    modem.deaf_until = (!off.is_zero()).then(|| now + off);
    schedule::begin(modem, now);
}

#[cfg(test)]
mod tests {
    use super::super::{Arrival, Effect, Kind, Route};
    use super::*;

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    #[test]
    fn a_reset_forgets_what_the_client_set_and_nothing_else() {
        let mut modem = Modem::ready("+CNMI=2,2;+CFUN=4");
        modem.receive(b"AT+CS", now());
        modem.suffer(Trouble::Reset, now());
        modem.receive(b"ATE0\r", now());
        assert_eq!(
            modem.poll(),
            Some(Effect::Write(b"ATE0\r\r\nOK\r\n".to_vec()))
        );
        assert_eq!(
            modem.ask("+CNMI?;+CFUN?"),
            "+CNMI: 0,0,0,0,0\r\n\r\n+CFUN: 1"
        );
    }

    #[test]
    fn a_card_that_goes_takes_the_network_with_it() {
        let mut modem = Modem::ready("+CREG=1");
        modem.suffer(Trouble::SimOut, now());
        assert_eq!(
            modem.poll(),
            Some(Effect::Write(b"\r\n+CREG: 0\r\n".to_vec()))
        );
        modem.suffer(Trouble::SimIn, now());
        assert_eq!(
            modem.poll(),
            Some(Effect::Write(b"\r\n+CREG: 1\r\n".to_vec()))
        );
        modem.suffer(Trouble::SimLocked, now());
        assert_eq!(
            modem.poll(),
            Some(Effect::Write(b"\r\n+CREG: 0\r\n".to_vec()))
        );
        modem.suffer(Trouble::NetworkLost, now());
        modem.suffer(Trouble::NetworkBack, now());
        assert_eq!(modem.ask("+CREG?"), "+CREG: 1,0");
    }

    #[test]
    fn a_card_pulled_out_fails_the_part_on_the_air_though_it_comes_back_at_once() {
        const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";
        let mut modem = Modem::ready("+CMEE=1");
        modem.nature.radio = Duration::from_secs(3);
        assert_eq!(modem.ask("+CMGS=31"), ">");
        modem.receive(format!("{HEX}\x1A").as_bytes(), now());
        modem.suffer(Trouble::SimOut, now());
        let failed = b"\r\n+CMS ERROR: 310\r\n".to_vec();
        assert_eq!(modem.poll(), Some(Effect::Write(failed.clone())));
        for (command, answer) in [
            ("+CPIN?", "+CME ERROR: 10"),
            ("+CMGS=31", "+CMS ERROR: 310"),
            ("+CIMI", "+CME ERROR: 10"),
        ] {
            assert_eq!(modem.ask(command), answer, "{command}");
        }
        modem.suffer(Trouble::SimIn, now());
        modem.tick(now() + Duration::from_secs(9));
        assert_eq!(modem.poll(), None, "nothing of the part is left");
        // Behind the prompt it is no better.
        assert_eq!(modem.ask("+CMGS=31"), ">");
        modem.suffer(Trouble::SimOut, now());
        modem.receive(format!("{HEX}\x1A").as_bytes(), now());
        assert_eq!(modem.poll(), Some(Effect::Write(failed)));
    }

    #[test]
    fn a_card_that_comes_back_is_read_anew() {
        let mut modem = Modem::of_family_ready("zte", "+CMEE=1");
        modem.suffer(Trouble::SimOut, now());
        modem.suffer(Trouble::SimIn, now());
        assert_eq!(
            modem.ask("+CPIN?;+CSCA?"),
            "+CPIN: READY\r\n\r\n+CME ERROR: 14"
        );
        assert_eq!(modem.ask("+CMGS=31"), "+CMS ERROR: 314");
    }

    #[test]
    fn a_full_card_takes_nothing_until_it_is_told_to() {
        let mut modem = Modem::ready("");
        modem.suffer(Trouble::SimFull(true), now());
        let arrival = Arrival {
            kind: Kind::Message,
            hex: "00".into(),
            length: 1,
        };
        assert_eq!(modem.arrive(arrival, now()), Route::Waiting);
        assert!(modem.ask("+CPMS?").starts_with("+CPMS: \"SM\",2,2,"));
        modem.suffer(Trouble::SimFull(false), now());
        assert!(modem.ask("+CPMS?").starts_with("+CPMS: \"SM\",1,2,"));
    }
}
