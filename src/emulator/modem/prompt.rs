//! What a client types behind a prompt, and what it is for.

use std::time::Instant;

use super::manners::Reference;
use super::storage::{Memory, Status};
use super::{BACKSPACE, CTRL_Z, ESC, Fault, Modem, Part, State, commands, routes, steps};
use crate::emulator::faults::Step;
use crate::sms::fields::Address;

/// Longest payload of a prompt: three times what any PDU needs in digits.
const PAYLOAD_LIMIT: usize = 1024;

/// What is to become of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To the network (`+CMGS`).
    Send,
    /// Into a slot (`+CMGW`).
    Store(Status),
    /// To the network as an answer to what was routed (`+CNMA`); was it taken?
    Acknowledge(bool),
}

/// How a payload is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// Hex of a PDU whose TPDU has this many octets.
    Pdu(usize),
    /// A text to somebody; a stored one may be to nobody.
    Text(Option<Address>),
}

/// A payload that is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) purpose: Purpose,
    pub(super) shape: Shape,
}

/// The command that sends a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct InHand {
    /// Its name, which the result repeats.
    pub(super) name: &'static str,
    /// The slot of a stored part.
    pub(super) slot: Option<usize>,
}

impl InHand {
    /// A part that lies in no slot.
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, slot: None }
    }
}

/// What a byte behind the prompt means.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    /// A character.
    Character,
    /// A new line of a text: prompted for again.
    Line,
    /// The last character goes.
    Erased,
    /// Nothing.
    Layout,
    /// The payload is done.
    Done,
    /// The payload is given up.
    Escaped,
}

/// Reads one byte of a payload (TS 27.005, 3.5.1 and 4.3).
fn typed(shape: &Shape, byte: u8) -> Typed {
    match (shape, byte) {
        (_, ESC) => Typed::Escaped,
        (_, CTRL_Z) => Typed::Done,
        (_, BACKSPACE) => Typed::Erased,
        (Shape::Text(_), b'\r') => Typed::Line,
        // Line ends and blanks are layout in a PDU.
        (Shape::Text(_), b'\n') | (Shape::Pdu(_), 0..=32) => Typed::Layout,
        _ => Typed::Character,
    }
}

fn keep(payload: &mut Vec<u8>, byte: u8) {
    if payload.len() <= PAYLOAD_LIMIT {
        payload.push(byte);
    }
}

impl Modem {
    /// Asks for a payload.
    pub(super) fn prompt(&mut self, draft: Draft) {
        self.out.extend_from_slice(self.manners.prompt.as_bytes());
        // Now it would look like the result of the new part.
        self.late = None;
        self.state = State::Prompt {
            draft,
            payload: Vec::new(),
        };
    }

    /// Takes one byte of a payload.
    pub(super) fn payload_byte(&mut self, byte: u8, now: Instant) {
        if byte != CTRL_Z || self.manners.echoes_ctrl_z {
            self.echo(byte);
        }
        let State::Prompt { draft, payload } = &mut self.state else {
            return;
        };
        match typed(&draft.shape, byte) {
            Typed::Layout => {}
            Typed::Erased => {
                payload.pop();
            }
            Typed::Line => {
                keep(payload, b'\n');
                self.out.extend_from_slice(b"\r\n> ");
            }
            Typed::Character => {
                if steps::payload_comes(self, now)
                    && let State::Prompt { payload, .. } = &mut self.state
                {
                    keep(payload, byte);
                }
            }
            Typed::Done => steps::ctrl_z(self, now),
            Typed::Escaped => {
                self.state = State::Command;
                steps::pass_on(self);
                self.say("OK");
                steps::close(self, Step::Answer, now);
            }
        }
    }

    /// Does what a payload was announced for.
    pub(super) fn finish(&mut self, draft: &Draft, payload: &[u8], now: Instant) {
        let done = commands::compose(self, &draft.shape, payload)
            .and_then(|read| self.use_payload(draft.purpose, read, now));
        if let Err(fault) = done {
            self.fail(fault);
        }
    }

    fn use_payload(
        &mut self,
        purpose: Purpose,
        (hex, tpdu): (String, Vec<u8>),
        now: Instant,
    ) -> Result<(), Fault> {
        match purpose {
            Purpose::Send => {
                // The card may have gone since the prompt.
                if let Some(fault) = commands::card_refusal(self, "+CMGS", now) {
                    return Err(fault);
                }
                let part = self.part(hex, tpdu)?;
                self.transmit(part, now);
                return Ok(());
            }
            Purpose::Store(status) => {
                let slot = commands::store(self, status, (hex, tpdu))?;
                self.say(&format!("+CMGW: {slot}"));
            }
            Purpose::Acknowledge(taken) => {
                routes::acknowledge(self, taken);
                routes::route_waiting(self, now);
            }
        }
        self.say("OK");
        Ok(())
    }

    /// Puts a part on the air.
    pub(super) fn transmit(&mut self, part: Part, now: Instant) {
        if self.manners.reference_on_card == Reference::Tried {
            self.card_mr = part.mr;
        }
        let until = now + commands::time_on_air(self, now);
        self.state = State::Sending { part, until };
        steps::air(self, now);
    }

    /// Says the reference of a part that the network took, and marks a stored one as sent.
    pub(super) fn sent(&mut self, mr: u8) {
        let InHand { name, slot } = self.in_hand;
        self.say(&format!("{name}: {mr}"));
        if self.manners.reference_on_card == Reference::Accepted {
            self.card_mr = mr;
        }
        let slot = slot.and_then(|slot| self.storage.slot(Memory::Writing, slot));
        if let Some(Some(stored)) = slot {
            stored.status = Status::Sent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Arrival, Effect, Kind, Verdict};
    use super::*;
    use crate::emulator::stick;

    #[test]
    fn layout_counts_in_texts_only() {
        const CASES: &[(u8, Typed, Typed)] = &[
            (b'0', Typed::Character, Typed::Character),
            (b' ', Typed::Layout, Typed::Character),
            (2, Typed::Layout, Typed::Character),
            (b'\r', Typed::Layout, Typed::Line),
            (b'\n', Typed::Layout, Typed::Layout),
            (BACKSPACE, Typed::Erased, Typed::Erased),
            (CTRL_Z, Typed::Done, Typed::Done),
            (ESC, Typed::Escaped, Typed::Escaped),
        ];
        for (byte, in_pdu, in_text) in CASES {
            assert_eq!(typed(&Shape::Pdu(7), *byte), *in_pdu, "{byte}");
            assert_eq!(typed(&Shape::Text(None), *byte), *in_text, "{byte}");
        }
    }

    #[test]
    fn a_payload_has_an_end() {
        let mut payload = Vec::new();
        for _ in 0..5000 {
            keep(&mut payload, b'x');
        }
        assert_eq!(payload.len(), PAYLOAD_LIMIT + 1);
    }

    fn said(modem: &mut Modem, typed: &str) -> String {
        modem.receive(typed.as_bytes(), stick::now());
        let mut said = Vec::new();
        loop {
            match modem.poll() {
                Some(Effect::Write(bytes)) => said.extend(bytes),
                Some(Effect::Submit(_)) => modem.settle(Verdict::Accepted, stick::now()),
                Some(Effect::Untaken(arrival)) => said.extend(arrival.kind.word().bytes()),
                Some(Effect::Pause(_) | Effect::Struck(_)) => {}
                None => match modem.wake_at().filter(|wake| *wake <= stick::now()) {
                    Some(wake) => modem.tick(wake),
                    None => break,
                },
            }
        }
        String::from_utf8(said).unwrap()
    }

    /// A bare text of text mode, typed and kept, then sent from its slot.
    #[test]
    fn a_text_is_kept_and_sent_from_its_slot() {
        const DIALOGUE: &[(&str, &str)] = &[
            ("AT+CMGF=1;+CSMP=17,167,0,0\r", "\r\nOK\r\n"),
            ("AT+CMGW=\"+447700900123\"\r", "\r\n> "),
            ("Order 1042\r", "\r\n> "),
            ("is readx\x08y\x1A", "\r\n+CMGW: 1\r\n\r\nOK\r\n"),
            (
                "AT+CMGR=1\r",
                "\r\n+CMGR: \"STO UNSENT\",\"+447700900123\",\r\nOrder 1042\nis ready\r\n\r\nOK\r\n",
            ),
            ("AT+CMSS=2\r", "\r\n+CMS ERROR: 321\r\n"),
            ("AT+CMSS=1\r", "\r\n+CMSS: 23\r\n\r\nOK\r\n"),
            (
                "AT+CMSS=1,\"+447700900456\"\r",
                "\r\n+CMSS: 24\r\n\r\nOK\r\n",
            ),
            (
                "AT+CMGF=0;+CMGL=3\r",
                "\r\n+CMGL: 1,3,,31\r\n0011000C914477000910320000A7134F39B92C07C5603499223D07C9CB61721E\r\n\r\nOK\r\n",
            ),
            ("AT+CMGD=1,1;+CMGL=3\r", ""),
            ("AT+CMGD=1,2;+CMGL=3\r", "\r\nOK\r\n"),
        ];
        let mut modem = Modem::ready("");
        for (line, answer) in DIALOGUE {
            let answered = said(&mut modem, line);
            if !answer.is_empty() {
                assert_eq!(answered, *answer, "{line:?}");
            }
        }
    }

    #[test]
    fn what_is_typed_for_a_storage_must_be_of_its_kind() {
        const SUBMIT: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";
        const DELIVER: &str = "0791447700099099040C9144770009406500006230414003000A0453EA130A";
        const CASES: &[(&str, &str, &str)] = &[
            ("AT+CMGW=31\r", SUBMIT, "\r\n+CMGW: 1\r\n\r\nOK\r\n"),
            ("AT+CMGW=23,1\r", DELIVER, "\r\n+CMGW: 2\r\n\r\nOK\r\n"),
            ("AT+CMGW=31\r", SUBMIT, "\r\n+CMS ERROR: 322\r\n"),
            ("AT+CMGW=31,1\r", SUBMIT, "\r\n+CMS ERROR: 304\r\n"),
            ("AT+CMGW=23,2\r", DELIVER, "\r\n+CMS ERROR: 304\r\n"),
        ];
        let mut modem = Modem::ready("");
        for (line, payload, answer) in CASES {
            assert_eq!(said(&mut modem, line), "\r\n> ");
            assert_eq!(said(&mut modem, &format!("{payload}\x1A")), *answer);
        }
        assert_eq!(
            said(&mut modem, "AT+CMGW=31,7\r"),
            "\r\n+CMS ERROR: 304\r\n"
        );
        assert_eq!(modem.ask("+CMGL=2").matches("+CMGL").count(), 1);
        assert_eq!(modem.ask("+CMGL=1").matches("+CMGL").count(), 1);
    }

    #[test]
    fn an_acknowledgement_may_carry_a_report_for_the_network() {
        let mut modem = Modem::ready("+CSMS=1;+CNMI=2,2,0,0,0");
        let arrival = || Arrival {
            kind: Kind::Message,
            hex: "0791447700099099040C9144770009406500006230414003000A0453EA130A".into(),
            length: 23,
        };
        modem.arrive(arrival(), stick::now());
        assert!(said(&mut modem, "").starts_with("\r\n+CMT: ,23\r\n"));
        assert_eq!(said(&mut modem, "AT+CNMA=1,3\r"), "\r\n> ");
        assert_eq!(said(&mut modem, "00000000\x1A"), "\r\nOK\r\n");
        assert_eq!(said(&mut modem, "AT+CNMA\r"), "\r\n+CMS ERROR: 340\r\n");
        // Refused, it is the network's again.
        modem.arrive(arrival(), stick::now());
        said(&mut modem, "");
        assert_eq!(said(&mut modem, "AT+CNMA=2\r"), "\r\nOK\r\nmessage");
    }
}
