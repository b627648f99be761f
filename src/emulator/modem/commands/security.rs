//! Codes, locks and files of the card: `+CPIN`, `+CLCK`, `+CPWD`, `+CRSM`.
//!
//! Source: TS 27.007, 7.4, 7.5, 8.3 and 8.18; TS 51.011, 10.1.1 and 10.5.9.

use std::time::{Duration, Instant};

use super::Answer;
use crate::emulator::modem::card::{self, Access};
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::reply::{BAD_PARAMETERS, Fault, NOT_ALLOWED, Reply, fixed, text};
use crate::emulator::modem::schedule::Later;
use crate::emulator::modem::{Modem, commands};

pub(super) const TABLE: &[(&str, Answer)] = &[
    ("+CPIN", pin),
    ("+CLCK", lock),
    ("+CPWD", password),
    ("+CRSM", file),
    ("+CIMI", |modem, form, _| fixed(form, &modem.identity.imsi)),
];

/// Facilities that no card here has switched on: operator and corporate locks, barrings.
const OPEN_FACILITIES: &[&str] = &["PN", "PU", "PP", "PC", "PF", "AO", "OI", "OX", "AI", "IR"];

fn pin(modem: &mut Modem, form: Form, now: Instant) -> Result<Reply, Fault> {
    match form {
        Form::Read => {
            let state = match modem.card.access() {
                Access::Absent => return Err(card::NO_CARD),
                Access::Dead => return Err(card::CARD_FAILED),
                Access::Pin => "SIM PIN",
                Access::Puk => "SIM PUK",
                Access::Open => "READY",
            };
            let line = format!("+CPIN: {state}");
            if modem.manners.pin_ok {
                text(line)
            } else {
                Ok(Reply::Last(line))
            }
        }
        Form::Test => Ok(Reply::Done),
        Form::Execute => Err(BAD_PARAMETERS),
        Form::Set(_) => {
            let codes: Vec<&str> = form.values().iter().map(|v| v.trim_matches('"')).collect();
            let before = modem.stats();
            match (modem.card.access(), codes.as_slice()) {
                (Access::Open, _) => return Err(NOT_ALLOWED),
                (Access::Puk, [_]) => return Err(card::PUK_WANTED),
                (_, [puk, new]) => modem.card.unblock(puk, new)?,
                (_, [pin]) => modem.card.verify(pin)?,
                _ => return Err(BAD_PARAMETERS),
            }
            opened(modem, now);
            commands::registration_changed(modem, before);
            Ok(Reply::Done)
        }
    }
}

/// The card lets the modem in, which reads it for a while.
fn opened(modem: &mut Modem, now: Instant) {
    let time = Duration::from_millis(modem.manners.ready_ms);
    modem.card.keep_busy(now, time);
    if modem.manners.pin_news {
        modem.schedule.add(now, Later::Line("+CPIN: READY".into()));
    }
}

fn lock(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    if form == Form::Test {
        return text(format!(
            "+CLCK: (\"SC\",\"{}\")",
            OPEN_FACILITIES.join("\",\"")
        ));
    }
    let values: Vec<&str> = form.values().iter().map(|v| v.trim_matches('"')).collect();
    let facility = *values.first().ok_or(BAD_PARAMETERS)?;
    match (facility, values.get(1).copied(), values.get(2).copied()) {
        ("SC", Some("2"), _) => text(format!("+CLCK: {}", u8::from(modem.card.asks()))),
        (facility, Some("2"), _) if OPEN_FACILITIES.contains(&facility) => text("+CLCK: 0".into()),
        ("SC", Some(mode @ ("0" | "1")), Some(pin)) => {
            modem.card.ask_for_pin(mode == "1", pin)?;
            Ok(Reply::Done)
        }
        ("SC", Some("0" | "1"), None) => Err(BAD_PARAMETERS),
        _ => Err(NOT_ALLOWED),
    }
}

fn password(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    if form == Form::Test {
        return text("+CPWD: (\"SC\",8),(\"P2\",8)".into());
    }
    let values: Vec<&str> = form.values().iter().map(|v| v.trim_matches('"')).collect();
    match values.as_slice() {
        ["SC", old, new] => {
            modem.card.change_pin(old, new)?;
            Ok(Reply::Done)
        }
        [_, _, _] => Err(NOT_ALLOWED),
        _ => Err(BAD_PARAMETERS),
    }
}

/// `READ BINARY` and `GET RESPONSE` of two files: EF-SMSS, whose first octet is the TP-MR used
/// last, and EF-ICCID. Any other file is not found.
fn file(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let values = match form {
        Form::Test => return Ok(Reply::Done),
        Form::Set(_) => form.values(),
        Form::Execute | Form::Read => return Err(BAD_PARAMETERS),
    };
    let content = match values.get(1).copied() {
        Some("28483") => format!("{:02X}FF", modem.card_mr),
        Some("12258") => swapped(&modem.identity.iccid),
        _ => String::new(),
    };
    let size = content.len() / 2;
    let length: Option<usize> = values.get(4).and_then(|length| length.parse().ok());
    match (values.first().copied(), length) {
        (None, _) => Err(BAD_PARAMETERS),
        _ if content.is_empty() => text("+CRSM: 148,4,\"\"".into()),
        // Size and identifier of a transparent file (TS 51.011, 9.2.1); the rest is access rights.
        (Some("192"), _) => {
            let name: u16 = values.get(1).and_then(|n| n.parse().ok()).unwrap_or(0);
            text(format!(
                "+CRSM: 144,0,\"0000{size:04X}{name:04X}040011FF44010200\""
            ))
        }
        (Some("176"), Some(length)) if length <= size => {
            let shown = content.get(..2 * length).unwrap_or_default();
            text(format!("+CRSM: 144,0,\"{shown}\""))
        }
        // Wrong length: the right one is told.
        (Some("176"), _) => text(format!("+CRSM: 103,{size},\"\"")),
        // No such instruction on this file.
        _ => text("+CRSM: 109,0,\"\"".into()),
    }
}

/// Ten octets of digits, the nibbles swapped and the last one filled (TS 51.011, 10.1.1).
fn swapped(digits: &str) -> String {
    let mut digits: Vec<char> = digits.chars().collect();
    digits.resize(20, 'F');
    let pairs = digits.chunks(2);
    pairs.flat_map(|pair| pair.iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::{Effect, Trouble};

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn locked(family: &str) -> Modem {
        let mut modem = Modem::of_family_ready(family, "+CMEE=1");
        modem.suffer(Trouble::SimLocked, now());
        modem
    }

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            ("+CPIN?", "+CPIN: READY"),
            ("+CPIN=\"1234\"", "+CME ERROR: 3"),
            ("+CPIN", "+CME ERROR: 50"),
            ("+CLCK=\"SC\",2", "+CLCK: 0"),
            ("+CLCK=\"AO\",2", "+CLCK: 0"),
            ("+CLCK=\"SC\",1", "+CME ERROR: 50"),
            ("+CLCK=\"SC\",1,\"0000\"", "+CME ERROR: 16"),
            ("+CLCK=\"FD\",2", "+CME ERROR: 3"),
            ("+CPWD=\"SC\",\"1234\",\"4321\"", "+CME ERROR: 3"),
            ("+CLCK=\"SC\",1,\"1234\";+CLCK=\"SC\",2", "+CLCK: 1"),
            ("+CPWD=\"SC\",\"1234\",\"4321\"", ""),
            ("+CPWD=\"SC\"", "+CME ERROR: 50"),
            ("+CPWD=?", "+CPWD: (\"SC\",8),(\"P2\",8)"),
            ("+CIMI", "001010000000000"),
            ("+CRSM=176,28483,0,0,2", "+CRSM: 144,0,\"16FF\""),
            ("+CRSM=176,28483,0,0,3", "+CRSM: 103,2,\"\""),
            (
                "+CRSM=192,28483",
                "+CRSM: 144,0,\"000000026F43040011FF44010200\"",
            ),
            (
                "+CRSM=176,12258,0,0,10",
                "+CRSM: 144,0,\"984400010100000000F9\"",
            ),
            ("+CRSM=176,28589,0,0,4", "+CRSM: 148,4,\"\""),
            ("+CRSM=214,28483,0,0,2,\"00FF\"", "+CRSM: 109,0,\"\""),
        ];
        let mut modem = Modem::ready("+CMEE=1");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
    }

    #[test]
    fn a_locked_card_stops_what_needs_it() {
        const CASES: &[(&str, &str)] = &[
            ("+CPIN?", "+CPIN: SIM PIN"),
            ("+CMGF=0", "+CME ERROR: 11"),
            ("+CMGL=4", "+CMS ERROR: 311"),
            ("+CIMI", "+CME ERROR: 11"),
            ("+CSQ", "+CSQ: 99,99"),
            ("+CPIN=\"0000\"", "+CME ERROR: 16"),
            ("^CPIN?", "^CPIN: SIM PIN,,10,2,10,3"),
            ("+CPIN=\"0000\"", "+CME ERROR: 16"),
            ("+CPIN=\"0000\"", "+CME ERROR: 12"),
            ("+CPIN?", "+CPIN: SIM PUK"),
            ("+CMGL=4", "+CMS ERROR: 316"),
            ("+CPIN=\"1234\"", "+CME ERROR: 12"),
            ("+CPIN=\"12345678\",\"4321\"", ""),
            ("+CPIN?", "+CPIN: READY"),
        ];
        let mut modem = locked("huawei");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
    }

    #[test]
    fn a_locked_modem_still_does_what_needs_no_card() {
        // TS 27.007, 8.3, and all of V.250.
        const DONE: &[&str] = &[
            "", "E0", "E1", "E0V1Q0", "Z", "&F", "I", "X4", "S0=0", "H", "&C1&D2", "&W", "+CMEE=1",
            "+CMEE?", "+CPIN?", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+GMI", "+GSN", "+CFUN?",
            "+CFUN=4", "+CFUN=1", "+CSQ", "+CREG?", "+CREG=1", "+CPAS", "+CSCS=?", "+CLCK=?",
        ];
        const REFUSED: &[(&str, &str)] = &[
            ("+CMGF=0", "+CME ERROR: 11"),
            ("+CNMI=1,1", "+CME ERROR: 11"),
            ("+CNMI?", "+CME ERROR: 11"),
            ("+CSCA?", "+CME ERROR: 11"),
            ("+COPS=?", "+CME ERROR: 11"),
            ("+COPS=0", "+CME ERROR: 11"),
            ("+COPS?", "+CME ERROR: 11"),
            ("+CGATT=1", "+CME ERROR: 11"),
            ("+CUSD=1", "+CME ERROR: 11"),
            ("+CIMI", "+CME ERROR: 11"),
            ("+CRSM=176,28483,0,0,2", "+CME ERROR: 11"),
            ("+CLCK=\"SC\",2", "+CME ERROR: 11"),
            ("+CMGS=20", "+CMS ERROR: 311"),
            ("+CMSS=1", "+CMS ERROR: 311"),
            ("+CMGL=4", "+CMS ERROR: 311"),
            ("+CPMS?", "+CMS ERROR: 311"),
        ];
        const FAMILIES: &[&str] = &[
            "generic",
            "huawei",
            "quectel",
            "quectel_2g",
            "simcom",
            "simcom_2g",
            "telit",
            "ublox",
            "zte",
            "cinterion",
        ];
        for family in FAMILIES {
            let mut modem = locked(family);
            for command in DONE {
                let answer = modem.ask(command);
                assert!(!answer.contains("ERR"), "{family} {command}: {answer}");
            }
            modem.ask("E0+CMEE=1");
            for (command, answer) in REFUSED {
                assert_eq!(modem.ask(command), *answer, "{family} {command}");
            }
        }
    }

    #[test]
    fn after_the_pin_the_card_is_busy_for_a_while() {
        let mut modem = locked("zte");
        assert_eq!(modem.ask("+CPIN=\"1234\""), "");
        assert_eq!(modem.ask("+CSCA?"), "+CME ERROR: 14");
        assert_eq!(modem.ask("+CPMS?"), "+CMS ERROR: 314");
        modem.suffer(Trouble::SimOut, now());
        assert_eq!(modem.ask("+CPIN?"), "+CME ERROR: 10");
        assert_eq!(modem.ask("+CPMS?"), "+CMS ERROR: 310");
    }

    #[test]
    fn tries_left_are_told_as_each_family_does() {
        const CASES: &[(&str, &str, &str)] = &[
            ("generic", "+CPINR=\"SIM PIN\"", "+CPINR: SIM PIN,3,3"),
            ("huawei", "^CPIN?", "^CPIN: SIM PIN,,10,3,10,3"),
            ("zte", "+ZPINPUK=?", "+ZPINPUK: 3,3,10,10"),
            ("simcom", "+SPIC", "+SPIC: 3,10,3,10"),
            ("simcom_2g", "+SPIC", "+SPIC: 3,10,3,10"),
            (
                "quectel",
                "+QPINC?",
                "+QPINC: \"SC\",3,10\r\n+QPINC: \"P2\",3,10",
            ),
            ("quectel_2g", "+QTRPIN", "+QTRPIN: 3,10,3,10"),
            ("telit", "#PCT", "#PCT: 3"),
            ("cinterion", "^SPIC", "^SPIC: 3"),
            ("ublox", "+UPINCNT", "+UPINCNT: 3,3,10,10"),
        ];
        for (family, command, answer) in CASES {
            assert_eq!(locked(family).ask(command), *answer, "{family}");
        }
        // Nothing tells it there.
        assert_eq!(locked("wavecom").ask("+CPINR"), "+CME ERROR: 4");
    }

    #[test]
    fn wavecom_ends_its_answer_with_the_state() {
        let mut modem = Modem::of_family_ready("wavecom", "");
        modem.receive(b"AT+CPIN?;+CSQ\r", now());
        let said = b"\r\n+CPIN: READY\r\n".to_vec();
        assert_eq!(modem.poll(), Some(Effect::Write(said)));
    }
}
