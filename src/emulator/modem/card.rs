//! The SIM as the modem's client meets it: is it there, does it want a code, how many tries are left.
//!
//! ```text
//!            wrong PIN, three times         wrong PUK, ten times
//!   Pin ──────────────────────────► Puk ──────────────────────────► Dead
//!    │ PIN                           │ PUK and a new PIN
//!    └────────────► Open ◄───────────┘
//! ```
//!
//! Source: TS 27.007, 8.3 (`+CPIN`), 7.4 (`+CLCK`), 7.5 (`+CPWD`), 9.2 (errors); TS 51.011, 9.3
//! (three and ten tries).

use std::time::{Duration, Instant};

use super::reply::{Fault, NOT_ALLOWED};

/// PIN1 of a new card.
pub(in crate::emulator) const PIN: &str = "1234";
/// PUK1 of every card.
pub(in crate::emulator) const PUK: &str = "12345678";
/// Wrong tries that a PIN bears.
pub(super) const PIN_TRIES: u8 = 3;
/// Wrong tries that a PUK bears.
pub(super) const PUK_TRIES: u8 = 10;

/// `+CME ERROR` numbers (TS 27.007, 9.2.1).
pub(super) const NO_CARD: Fault = Fault::Equipment(10);
const PIN_WANTED: Fault = Fault::Equipment(11);
pub(super) const PUK_WANTED: Fault = Fault::Equipment(12);
pub(super) const CARD_FAILED: Fault = Fault::Equipment(13);
const CARD_BUSY: Fault = Fault::Equipment(14);
const WRONG_CODE: Fault = Fault::Equipment(16);

/// What the card lets the modem do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// There is no card.
    Absent,
    /// It wants its PIN.
    Pin,
    /// It wants its PUK.
    Puk,
    /// No code helps any more.
    Dead,
    /// Everything.
    Open,
}

/// One SIM in its tray.
#[derive(Debug)]
pub(super) struct Card {
    present: bool,
    pin: String,
    /// Facility "SC": is the PIN asked for after power-on?
    asks: bool,
    /// Has the code been given since power-on?
    open: bool,
    pin_left: u8,
    puk_left: u8,
    /// The modem still reads it.
    busy_until: Option<Instant>,
}

impl Card {
    /// A card that asks for no code.
    pub(super) fn new() -> Self {
        Self {
            present: true,
            pin: PIN.into(),
            asks: false,
            open: true,
            pin_left: PIN_TRIES,
            puk_left: PUK_TRIES,
            busy_until: None,
        }
    }

    /// What it lets the modem do.
    pub(super) fn access(&self) -> Access {
        match self {
            Self { present: false, .. } => Access::Absent,
            Self { puk_left: 0, .. } => Access::Dead,
            Self { pin_left: 0, .. } => Access::Puk,
            Self { open: false, .. } => Access::Pin,
            _ => Access::Open,
        }
    }

    /// Is the PIN asked for after power-on?
    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    /// Tries left for PIN1 and PUK1.
    pub(super) fn tries(&self) -> (u8, u8) {
        (self.pin_left, self.puk_left)
    }

    /// Takes it out of the tray, or puts it in; a card that comes in is as after power-on.
    pub(super) fn place(&mut self, present: bool) {
        self.present = present;
        self.restart();
    }

    /// Power-on: the code is wanted again.
    pub(super) fn restart(&mut self) {
        self.open = !self.asks;
    }

    /// Makes it want its PIN, now and after each power-on.
    pub(super) fn lock(&mut self) {
        self.asks = true;
        self.open = false;
    }

    /// Keeps the modem reading it for `time`.
    pub(super) fn keep_busy(&mut self, now: Instant, time: Duration) {
        self.busy_until = (!time.is_zero()).then(|| now + time);
    }

    /// Takes a PIN. Errors: a wrong code costs a try; the wrong question.
    pub(super) fn verify(&mut self, pin: &str) -> Result<(), Fault> {
        match self.access() {
            Access::Absent => return Err(NO_CARD),
            Access::Dead => return Err(CARD_FAILED),
            Access::Puk => return Err(PUK_WANTED),
            Access::Pin | Access::Open => {}
        }
        if pin == self.pin {
            self.pin_left = PIN_TRIES;
            self.open = true;
            return Ok(());
        }
        self.pin_left = self.pin_left.saturating_sub(1);
        Err(if self.pin_left == 0 {
            PUK_WANTED
        } else {
            WRONG_CODE
        })
    }

    /// Takes a PUK with the new PIN. Errors: a wrong code costs a try; no PUK is wanted.
    pub(super) fn unblock(&mut self, puk: &str, pin: &str) -> Result<(), Fault> {
        match self.access() {
            Access::Absent => return Err(NO_CARD),
            Access::Dead => return Err(CARD_FAILED),
            Access::Pin | Access::Open => return Err(NOT_ALLOWED),
            Access::Puk => {}
        }
        if puk != PUK || !is_pin(pin) {
            self.puk_left = self.puk_left.saturating_sub(1);
            return Err(if self.puk_left == 0 {
                CARD_FAILED
            } else {
                WRONG_CODE
            });
        }
        (self.pin_left, self.puk_left) = (PIN_TRIES, PUK_TRIES);
        pin.clone_into(&mut self.pin);
        self.open = true;
        Ok(())
    }

    /// Switches the question after power-on on or off (`+CLCK="SC"`). Errors as with
    /// [`Card::verify`].
    pub(super) fn ask_for_pin(&mut self, asks: bool, pin: &str) -> Result<(), Fault> {
        self.verify(pin)?;
        self.asks = asks;
        Ok(())
    }

    /// Changes the PIN (`+CPWD="SC"`); only while it is asked for. Errors as with
    /// [`Card::verify`].
    pub(super) fn change_pin(&mut self, old: &str, new: &str) -> Result<(), Fault> {
        if !self.asks || !is_pin(new) {
            return Err(NOT_ALLOWED);
        }
        self.verify(old)?;
        new.clone_into(&mut self.pin);
        Ok(())
    }

    /// Why a command that needs the card fails now.
    pub(super) fn refusal(&self, now: Instant) -> Option<Fault> {
        match self.access() {
            Access::Absent => Some(NO_CARD),
            Access::Pin => Some(PIN_WANTED),
            Access::Puk => Some(PUK_WANTED),
            Access::Dead => Some(CARD_FAILED),
            Access::Open => self
                .busy_until
                .is_some_and(|until| now < until)
                .then_some(CARD_BUSY),
        }
    }
}

/// The same as a `+CMS ERROR`, for the commands that send and store (TS 27.005, 3.2.5).
pub(super) fn as_message_fault(fault: Fault) -> Fault {
    match fault {
        Fault::Equipment(code @ 10..=14) => Fault::Message(match code {
            10 => 310,
            11 => 311,
            12 => 316,
            13 => 313,
            _ => 314,
        }),
        other => other,
    }
}

fn is_pin(text: &str) -> bool {
    (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked() -> Card {
        let mut card = Card::new();
        card.lock();
        card
    }

    #[test]
    fn three_wrong_pins_lead_to_the_puk_and_ten_wrong_puks_to_the_end() {
        let mut card = locked();
        assert_eq!(card.access(), Access::Pin);
        let tries = [(); 3].map(|()| (card.verify("0000"), card.tries().0));
        assert_eq!(
            tries,
            [
                (Err(WRONG_CODE), 2),
                (Err(WRONG_CODE), 1),
                (Err(PUK_WANTED), 0)
            ]
        );
        assert_eq!(card.verify(PIN), Err(PUK_WANTED));
        assert_eq!(card.unblock("00000000", "4321"), Err(WRONG_CODE));
        assert_eq!(card.tries(), (0, 9));
        assert_eq!(card.unblock(PUK, "4321"), Ok(()));
        assert_eq!((card.access(), card.tries()), (Access::Open, (3, 10)));
        card.restart();
        assert_eq!(card.verify("4321"), Ok(()));

        let mut card = locked();
        for _ in 0..3 {
            let _ = card.verify("0000");
        }
        let ends: Vec<_> = (0..10).map(|_| card.unblock("1", "4321")).collect();
        assert_eq!(ends[8..], [Err(WRONG_CODE), Err(CARD_FAILED)]);
        assert_eq!(card.access(), Access::Dead);
        assert_eq!(card.unblock(PUK, "4321"), Err(CARD_FAILED));
    }

    #[test]
    fn a_right_pin_gives_the_tries_back() {
        let mut card = locked();
        assert_eq!(card.verify("9999"), Err(WRONG_CODE));
        assert_eq!(card.verify(PIN), Ok(()));
        assert_eq!((card.access(), card.tries()), (Access::Open, (3, 10)));
        assert_eq!(card.unblock(PUK, "4321"), Err(NOT_ALLOWED));
    }

    #[test]
    fn the_question_can_be_switched_and_the_pin_changed() {
        let mut card = Card::new();
        assert_eq!(card.change_pin(PIN, "4321"), Err(NOT_ALLOWED));
        assert_eq!(card.ask_for_pin(true, "1111"), Err(WRONG_CODE));
        assert_eq!(card.ask_for_pin(true, PIN), Ok(()));
        assert_eq!(card.access(), Access::Open);
        assert_eq!(card.change_pin(PIN, "12"), Err(NOT_ALLOWED));
        assert_eq!(card.change_pin(PIN, "4321"), Ok(()));
        card.restart();
        assert_eq!((card.access(), card.asks()), (Access::Pin, true));
        assert_eq!(card.verify("4321"), Ok(()));
        assert_eq!(card.ask_for_pin(false, "4321"), Ok(()));
        card.restart();
        assert_eq!(card.access(), Access::Open);
    }

    #[test]
    fn a_card_comes_back_as_after_power_on_and_is_read_for_a_while() {
        let now = tokio::time::Instant::now().into_std();
        let mut card = locked();
        card.verify(PIN).unwrap();
        card.place(false);
        assert_eq!(card.refusal(now), Some(NO_CARD));
        assert_eq!(card.verify(PIN), Err(NO_CARD));
        card.place(true);
        assert_eq!(card.refusal(now), Some(PIN_WANTED));
        assert_eq!(as_message_fault(PIN_WANTED), Fault::Message(311));
        card.verify(PIN).unwrap();
        let time = Duration::from_secs(3);
        card.keep_busy(now, time);
        assert_eq!(card.refusal(now), Some(CARD_BUSY));
        assert_eq!(card.refusal(now + time), None);
    }
}
