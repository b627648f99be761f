//! Commands about the SIM: its codes and its files (TS 27.007, 8.3, 8.18, 8.65).

use std::time::Duration;

use super::fields::{behind, number, text};
use super::{Answer, Command, Ending, ParseError, SHORT};
use crate::sms::ids::Mr;
use crate::sms::pdu::decode_hex;

/// What the SIM wants before it works (TS 27.007, 8.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// Nothing: it is open.
    Ready,
    /// A code, in the standard's word: `SIM PIN`, `SIM PUK`, ... Vendors add `NOT READY` and others.
    Wanted(String),
}

impl Pin {
    /// Reads `+CPIN: READY`; none when the line is something else or tells nothing.
    pub fn read(line: &str) -> Option<Self> {
        let word = line.strip_prefix("+CPIN:")?.trim().trim_matches('"');
        match word {
            "" => None,
            "READY" => Some(Self::Ready),
            word => Some(Self::Wanted(word.to_owned())),
        }
    }
}

/// `AT+CPIN?` → `+CPIN: READY` (TS 27.007, 8.3). What ends the answer is a matter of the family:
/// Wavecom's terminals leave the `OK` out.
#[derive(Debug, Clone, Copy)]
pub struct ReadPin(pub Ending);

impl Command for ReadPin {
    type Reply = Pin;
    // A SIM that is being started keeps the modem waiting.
    const TIMEOUT: Duration = Duration::from_secs(20);
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CPIN?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Pin, ParseError> {
        lines
            .iter()
            .find_map(|line| Pin::read(line))
            .ok_or_else(|| ParseError::new(&self.line(), lines))
    }

    fn ending(&self) -> Ending {
        self.0
    }
}

/// How often each code may still be typed wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// Of the PIN.
    pub pin: Option<u8>,
    /// Of the code that unblocks it.
    pub puk: Option<u8>,
    /// Of the second PIN.
    pub pin2: Option<u8>,
    /// Of the code that unblocks that one.
    pub puk2: Option<u8>,
}

/// Where vendors put the counters: of PIN, PUK, PIN2 and PUK2.
const COUNTERS: &[(&str, [Option<usize>; 4])] = &[
    // Huawei: state, times, puk, pin, puk2, pin2.
    ("^CPIN:", [Some(3), Some(2), Some(5), Some(4)]),
    // SIMCom, Quectel, u-blox, Novatel: pin, pin2, puk, puk2.
    ("+SPIC:", [Some(0), Some(2), Some(1), Some(3)]),
    ("+QTRPIN:", [Some(0), Some(2), Some(1), Some(3)]),
    ("+UPINCNT:", [Some(0), Some(2), Some(1), Some(3)]),
    ("+CPINC:", [Some(0), Some(2), Some(1), Some(3)]),
    // Alcatel, Icera, ZTE and Option: pin, puk, ...
    ("+PNNM:", [Some(0), Some(1), None, None]),
    ("%PINNUM:", [Some(0), Some(1), Some(2), Some(3)]),
    ("+ZPINPUK:", [Some(0), Some(1), None, None]),
    ("_OERCN:", [Some(0), Some(1), None, None]),
];

/// Telit and Cinterion tell one number: of the code that is wanted now.
const WANTED: &[&str] = &["#PCT:", "^SPIC:"];

/// A PIN has at most so many tries; a code that unblocks one starts with ten (TS 51.011, 9.3).
const MOST_OF_A_PIN: u8 = 3;

/// Asks for the counters: `AT+CPINR` → `+CPINR: SIM PIN,3,3` a line for each code (TS 27.007, 8.65),
/// or a vendor's own: `AT^CPIN?` → `^CPIN: SIM PIN,,10,3,10,3`.
#[derive(Debug, Clone)]
pub struct ReadTries(pub String);

impl Command for ReadTries {
    type Reply = Tries;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        self.0.clone()
    }

    fn reply(&self, lines: &[String]) -> Result<Tries, ParseError> {
        let mut tries = Tries::default();
        for line in lines {
            tries.note(line);
        }
        if tries == Tries::default() {
            return Err(ParseError::new(&self.0, lines));
        }
        Ok(tries)
    }
}

impl Tries {
    fn note(&mut self, line: &str) {
        if let Some(fields) = behind("+CPINR:", line) {
            let code = fields.first().copied().unwrap_or_default();
            self.set(code, number(&fields, 1), None);
        } else if let Some(fields) = behind("+QPINC:", line) {
            // Quectel on USB: "SC" is the first pair of codes, "P2" the second.
            let code = match fields.first() {
                Some(&"SC") => "SIM PIN",
                Some(&"P2") => "SIM PIN2",
                _ => "",
            };
            self.set(code, number(&fields, 1), number(&fields, 2));
        } else if let Some(fields) = WANTED.iter().find_map(|prefix| behind(prefix, line)) {
            // One that is nearly used up may be either's: it is taken for the dearer reading, the PIN's.
            let count: Option<u8> = number(&fields, 0);
            let is_pin = |count: &u8| *count <= MOST_OF_A_PIN;
            (self.pin, self.puk) = (count.filter(is_pin), count.filter(|count| !is_pin(count)));
        } else {
            self.note_places(line);
        }
    }

    fn note_places(&mut self, line: &str) {
        for (prefix, places) in COUNTERS {
            let Some(fields) = behind(prefix, line) else {
                continue;
            };
            let [pin, puk, pin2, puk2] = places.map(|place| number(&fields, place?));
            *self = Self {
                pin,
                puk,
                pin2,
                puk2,
            };
        }
    }

    fn set(&mut self, code: &str, tries: Option<u8>, unblocking: Option<u8>) {
        let (one, other) = match code {
            "SIM PIN" => (&mut self.pin, &mut self.puk),
            "SIM PUK" => (&mut self.puk, &mut self.pin),
            "SIM PIN2" => (&mut self.pin2, &mut self.puk2),
            "SIM PUK2" => (&mut self.puk2, &mut self.pin2),
            _ => return,
        };
        *one = tries.or(*one);
        *other = unblocking.or(*other);
    }
}

/// What a card answers (TS 51.011, 9.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimAnswer {
    /// First status word; 144, 145, 158 and 159 are good.
    pub sw1: u8,
    /// Second status word.
    pub sw2: u8,
    /// What was read.
    pub data: Vec<u8>,
}

impl SimAnswer {
    /// The TP-MR that was used last, out of [`SMS_STATUS`]; none where the card gave no file.
    pub fn last_reference(&self) -> Option<Mr> {
        let good = matches!(self.sw1, 0x90 | 0x91 | 0x9E | 0x9F);
        self.data.first().copied().filter(|_| good).map(Mr)
    }
}

/// `AT+CRSM=176,28483,0,0,2` → `+CRSM: 144,0,"17FF"`: reads a transparent file (TS 27.007, 8.18).
#[derive(Debug, Clone, Copy)]
pub struct ReadFile {
    /// The file's identifier.
    pub file: u16,
    /// How many octets from its beginning.
    pub length: u8,
}

/// EF-SMSS: its first octet is the TP-MR last used (TS 51.011, 10.5.7).
pub const SMS_STATUS: ReadFile = ReadFile {
    file: 0x6F43,
    length: 2,
};

impl Command for ReadFile {
    type Reply = SimAnswer;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        format!("+CRSM=176,{},0,0,{}", self.file, self.length)
    }

    fn reply(&self, lines: &[String]) -> Result<SimAnswer, ParseError> {
        let answer = lines.iter().find_map(|line| {
            let fields = behind("+CRSM:", line)?;
            let data = text(&fields, 2).unwrap_or_default();
            Some(SimAnswer {
                sw1: number(&fields, 0)?,
                sw2: number(&fields, 1)?,
                data: decode_hex(&data).ok()?,
            })
        });
        answer.ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::answer_lines as lines;

    #[test]
    fn pin_states() {
        let read = |text: &str| ReadPin(Ending::Final).reply(&lines(text));
        let wanted = |word: &str| Ok(Pin::Wanted(word.into()));
        assert_eq!(read("+CPIN: READY"), Ok(Pin::Ready));
        assert_eq!(read("+CPIN: SIM PIN"), wanted("SIM PIN"));
        assert_eq!(read("+CPIN:SIM PUK"), wanted("SIM PUK"));
        assert_eq!(read("+CPIN: \"SIM PIN2\""), wanted("SIM PIN2"));
        assert!(read("").is_err());
        assert!(read("+CPIN:").is_err());
    }

    #[test]
    fn counters_of_every_vendor() {
        type Row = (&'static str, &'static str, [Option<u8>; 4]);
        const CASES: &[Row] = &[
            ("+CPINR", "+CPINR: SIM PIN,3,3", [Some(3), None, None, None]),
            (
                "+CPINR",
                "+CPINR: SIM PIN, 2, 3\n+CPINR: SIM PUK, 10, 10\n+CPINR: SIM PIN2,1,3\n+CPINR: SIM PUK2,9,10",
                [Some(2), Some(10), Some(1), Some(9)],
            ),
            (
                "^CPIN?",
                "^CPIN: SIM PIN,,10,2,9,3",
                [Some(2), Some(10), Some(3), Some(9)],
            ),
            ("^CPIN?", "^CPIN: READY,,,,,", [None; 4]),
            (
                "+SPIC",
                "+SPIC: 3,2,10,9",
                [Some(3), Some(10), Some(2), Some(9)],
            ),
            (
                "+QPINC?",
                "+QPINC: \"SC\",3,10\n+QPINC: \"P2\",2,9",
                [Some(3), Some(10), Some(2), Some(9)],
            ),
            (
                "+UPINCNT",
                "+UPINCNT: 3,3,10,10",
                [Some(3), Some(10), Some(3), Some(10)],
            ),
            (
                "%PINNUM?",
                "%PINNUM: 3, 10, 3, 10",
                [Some(3), Some(10), Some(3), Some(10)],
            ),
            ("_OERCN?", "_OERCN: 3, 10", [Some(3), Some(10), None, None]),
            (
                "+ZPINPUK=?",
                "+ZPINPUK: 3,10",
                [Some(3), Some(10), None, None],
            ),
            ("+PNNM?", "+PNNM: 3,10", [Some(3), Some(10), None, None]),
            ("#PCT", "#PCT: 2", [Some(2), None, None, None]),
            ("#PCT", "#PCT: 10", [None, Some(10), None, None]),
            ("^SPIC", "^SPIC: 3", [Some(3), None, None, None]),
            ("^SPIC", "^SPIC: 9", [None, Some(9), None, None]),
            ("#PCT", "#PCT: x", [None; 4]),
            ("+CPINR", "", [None; 4]),
        ];
        for (command, answer, [pin, puk, pin2, puk2]) in CASES {
            let tries = Tries {
                pin: *pin,
                puk: *puk,
                pin2: *pin2,
                puk2: *puk2,
            };
            let read = ReadTries((*command).into()).reply(&lines(answer));
            assert_eq!(read.unwrap_or_default(), tries, "{answer}");
        }
        assert!(ReadTries("+CPINR".into()).reply(&[]).is_err());
    }

    #[test]
    fn a_card_tells_its_file_or_why_not() {
        let answer = |sw1, sw2, data: &[u8]| {
            Ok(SimAnswer {
                sw1,
                sw2,
                data: data.to_vec(),
            })
        };
        let read = |text: &str| SMS_STATUS.reply(&lines(text));
        assert_eq!(SMS_STATUS.line(), "+CRSM=176,28483,0,0,2");
        assert_eq!(read("+CRSM: 144,0,\"17FF\""), answer(144, 0, &[0x17, 0xFF]));
        assert_eq!(read("+CRSM: 144, 0, 17FF"), answer(144, 0, &[0x17, 0xFF]));
        assert_eq!(read("+CRSM: 106,130"), answer(106, 130, &[]));
        assert!(read("+CRSM: 144,0,\"1\"").is_err());
        let last = |text| read(text).unwrap().last_reference();
        assert_eq!(last("+CRSM: 144,0,\"17FF\""), Some(Mr(0x17)));
        assert_eq!(last("+CRSM: 158,2,\"00FF\""), Some(Mr(0)));
        assert_eq!(last("+CRSM: 105,130,\"17FF\""), None);
        assert_eq!(last("+CRSM: 144,0"), None);
        assert!(read("").is_err());
    }
}
