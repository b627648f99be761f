//! The network that the client chooses: `+COPS`.
//!
//! Source: TS 27.007, 7.3; what searching takes, by `hardware/manners`.

use std::time::{Duration, Instant};

use super::Answer;
use super::registration::registration_changed;
use crate::emulator::identity::{OPERATOR, OPERATOR_CODE, SHORT_OPERATOR};
use crate::emulator::modem::Modem;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::reply::{BAD_PARAMETERS, Fault, Reply, text};

pub(super) const TABLE: &[(&str, Answer)] = &[("+COPS", operator)];

/// "No network service" and "network not allowed, emergency calls only" (TS 27.007, 9.2.1).
const NO_NETWORK: Fault = Fault::Equipment(30);
const NOT_LET_IN: Fault = Fault::Equipment(32);

/// A network within reach: its long name, its short one, its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator(&'static str, &'static str, &'static str);

const HOME: Operator = Operator(OPERATOR, SHORT_OPERATOR, OPERATOR_CODE);
/// One that lets the home network's SIMs in.
const PARTNER: Operator = Operator("Guest Test", "Guest", "00103");
/// One that does not.
const FORBIDDEN: Operator = Operator("Other Test", "Other", "00102");

/// What the client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Whatever the SIM likes best.
    Automatic,
    /// This one and no other.
    Manual(Operator),
    /// None: signed off.
    Nothing,
}

impl Choice {
    /// What becomes of the `<stat>` that the home network grants.
    pub(super) fn turns(self, stat: u8) -> u8 {
        match (self, stat) {
            (Self::Nothing, _) => 0,
            // At home: a guest's.
            (Self::Manual(PARTNER), 1) => 5,
            (Self::Manual(PARTNER), 6) => 7,
            (Self::Manual(PARTNER), 9) => 10,
            _ => stat,
        }
    }
}

impl Operator {
    /// Its name in the format that `+COPS` counts: long, short, code.
    fn name(self, format: u8) -> &'static str {
        match format {
            0 => self.0,
            1 => self.1,
            _ => self.2,
        }
    }
}

/// The network that the modem is in.
fn current(modem: &Modem) -> Option<Operator> {
    let roams = |stat: u8| matches!(stat, 5 | 7 | 10);
    let operator = if modem.stats().into_iter().any(roams) {
        PARTNER
    } else {
        HOME
    };
    modem.registered().then_some(operator)
}

/// The name as the character set has it; a code is digits in all of them.
fn shown(modem: &Modem, operator: Operator, format: u8) -> String {
    let name = operator.name(format);
    if format == 2 {
        return name.into();
    }
    modem.setup.charset.encode(name)
}

fn operator(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    match form {
        Form::Read => text(where_it_is(modem)),
        Form::Test => search(modem),
        Form::Set(_) => {
            let values: Vec<&str> = form.values();
            choose(modem, &values)
        }
        Form::Execute => Err(BAD_PARAMETERS),
    }
}

fn where_it_is(modem: &Modem) -> String {
    let mode = match modem.coverage.choice {
        Choice::Automatic => 0,
        Choice::Manual(_) => 1,
        Choice::Nothing => 2,
    };
    let format = modem.setup.operator_format;
    let technology = &modem.manners.operator;
    match current(modem) {
        Some(operator) => {
            let name = shown(modem, operator, format);
            format!("+COPS: {mode},{format},\"{name}\"{technology}")
        }
        None => format!("+COPS: {mode}"),
    }
}

/// All networks within reach with `<stat>`: 1 available, 2 current, 3 forbidden.
fn search(modem: &Modem) -> Result<Reply, Fault> {
    if !modem.radio_is_on() {
        return Err(NO_NETWORK);
    }
    let current = current(modem);
    let technology = &modem.manners.operator;
    let rows = [HOME, PARTNER, FORBIDDEN].map(|operator| {
        let stat = match operator {
            it if current == Some(it) => 2,
            FORBIDDEN => 3,
            _ => 1,
        };
        let [long, short, code] = [0, 1, 2].map(|format| shown(modem, operator, format));
        format!("({stat},\"{long}\",\"{short}\",\"{code}\"{technology})")
    });
    Ok(Reply::After(
        Duration::from_millis(modem.manners.search_ms),
        format!("+COPS: {},,(0-4),(0-2)", rows.join(",")),
    ))
}

fn choose(modem: &mut Modem, values: &[&str]) -> Result<Reply, Fault> {
    let choice = match values {
        ["3", format @ ("0" | "1" | "2")] => {
            modem.setup.operator_format = format.parse().unwrap_or_default();
            return Ok(Reply::Done);
        }
        ["0", ..] => Choice::Automatic,
        ["2"] => Choice::Nothing,
        [mode @ ("1" | "4"), format @ ("0" | "1" | "2"), name, ..] => {
            let format = format.parse().unwrap_or_default();
            match (found(modem, format, name), *mode) {
                (Ok(operator), _) => Choice::Manual(operator),
                // Manual, and automatic if that fails.
                (Err(_), "4") => Choice::Automatic,
                (Err(fault), _) => return Err(fault),
            }
        }
        _ => return Err(BAD_PARAMETERS),
    };
    if modem.coverage.choice == choice {
        return Ok(Reply::Done);
    }
    let before = modem.stats();
    modem.coverage.choice = choice;
    registration_changed(modem, before);
    let time = Duration::from_millis(modem.manners.register_ms);
    Ok(Reply::After(time, String::new()))
}

/// The operator of this name. Errors: it is not there, or lets nobody in.
fn found(modem: &Modem, format: u8, quoted: &str) -> Result<Operator, Fault> {
    if !modem.radio_is_on() || !modem.is_let_in() {
        return Err(NO_NETWORK);
    }
    let name = quoted.trim_matches('"');
    let mut known = [HOME, PARTNER].into_iter();
    known
        .find(|operator| shown(modem, *operator, format) == name)
        .ok_or(NOT_LET_IN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::Effect;

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            ("+CREG=?", "+CREG: (0-2)"),
            (
                "+CGREG=2;+CGREG?;+CGREG=0",
                "+CGREG: 2,1,\"1A2B\",\"0C3D0016\",7",
            ),
            ("+CEREG=3", "+CME ERROR: 50"),
            ("+COPS?", "+COPS: 0,0,\"Simpost Test\",7"),
            ("+COPS=3,1;+COPS?", "+COPS: 0,1,\"Simpost\",7"),
            ("+COPS=3,2;+COPS?", "+COPS: 0,2,\"00101\",7"),
            ("+COPS=3,3", "+CME ERROR: 50"),
            ("+COPS=1,2,\"26201\"", "+CME ERROR: 32"),
            ("+COPS=1,2,\"00102\"", "+CME ERROR: 32"),
            ("+COPS=1,2,\"00101\"", ""),
            ("+COPS?", "+COPS: 1,2,\"00101\",7"),
            (
                "+COPS=?",
                "+COPS: (2,\"Simpost Test\",\"Simpost\",\"00101\",7),(1,\"Guest Test\",\"Guest\",\"00103\",7),\
                 (3,\"Other Test\",\"Other\",\"00102\",7),,(0-4),(0-2)",
            ),
            ("+COPS=1,0,\"Guest Test\";+CREG?", "+CREG: 0,5"),
            ("+COPS?", "+COPS: 1,2,\"00103\",7"),
            ("+COPS=2;+COPS?;+CREG?", "+COPS: 2\r\n\r\n+CREG: 0,0"),
            ("+CMGS=20", "+CMS ERROR: 331"),
            ("+COPS=4,2,\"00102\";+COPS?", "+COPS: 0,2,\"00101\",7"),
            (
                "+CSCS=\"UCS2\";+COPS=3,1;+COPS?",
                "+COPS: 0,1,\"00530069006D0070006F00730074\",7",
            ),
            ("+COPS=1,1,\"00470075006500730074\";+CREG?", "+CREG: 0,5"),
            ("+COPS=0", ""),
            ("+COPS", "+CME ERROR: 50"),
            ("+CFUN=4;+COPS=?", "+CME ERROR: 30"),
            ("+COPS=1,2,\"00101\"", "+CME ERROR: 30"),
        ];
        let mut modem = Modem::ready("+CMEE=1");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
        let mut old = Modem::of_family_ready("wavecom", "");
        assert_eq!(old.ask("+COPS?"), "+COPS: 0,0,\"Simpost Test\"");
    }

    #[test]
    fn networks_are_searched_for_so_long_and_the_rest_of_the_line_waits() {
        let mut modem = Modem::ready("+CREG=1");
        let mut now = tokio::time::Instant::now().into_std();
        let said = |modem: &mut Modem| {
            let mut said = Vec::new();
            while let Some(Effect::Write(bytes)) = modem.poll() {
                said.extend(bytes);
            }
            String::from_utf8(said).unwrap().replace("\r\n", "|")
        };
        modem.receive(b"AT+COPS=?;+CSQ\rAT+COPS=2\r", now);
        assert_eq!(said(&mut modem), "");
        let end = modem.wake_at().unwrap();
        assert_eq!(end - now, Duration::from_secs(20));
        now += Duration::from_millis(19_999);
        modem.tick(now);
        assert_eq!(said(&mut modem), "");
        now = end;
        modem.tick(now);
        let told = said(&mut modem);
        assert!(told.starts_with("|+COPS: (2,"), "{told}");
        // The next line begins, and what it changes is told before it is done.
        assert!(told.ends_with("|+CSQ: 21,99||OK||+CREG: 0|"), "{told}");
        let end = modem.wake_at().unwrap();
        assert_eq!(end - now, Duration::from_secs(2));
        modem.tick(end);
        assert_eq!(said(&mut modem), "|OK|");
    }
}
