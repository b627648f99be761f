//! The commands about the modem itself: V.250, its identity, settings, power.
//!
//! Source: V.250, 6.1 to 6.3; TS 27.007, sections 5, 8.2 and 9.1.

use std::time::Instant;

use super::Answer;
use crate::emulator::modem::Modem;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::commands::registration_changed;
use crate::emulator::modem::manners::Manners;
use crate::emulator::modem::reply::{BAD_PARAMETERS, Fault, Reply, fixed, setting, text};
use crate::emulator::modem::setup::Setup;
use crate::emulator::modem::text::Charset;

pub(super) const TABLE: &[(&str, Answer)] = &[
    ("E", echo),
    ("Z", reset),
    ("&F", reset),
    ("I", |modem, _, _| {
        text(modem.fill(&modem.manners.about.join("\n")))
    }),
    // Words as results, all of them shown: nothing else is built.
    ("V", |_, form, _| only(form, "1")),
    ("Q", |_, form, _| only(form, "0")),
    ("X", |_, form, _| accept(form, &["0", "1", "2", "3", "4"])),
    ("S", |_, form, _| {
        accept(form, &["0=0", "3=13", "4=10", "5=8", "7=45", "7=60"])
    }),
    ("H", |modem, form, _| {
        modem.schedule.hang_up();
        accept(form, &["0", "1"])
    }),
    // A pseudo-terminal has no control lines, so their settings change nothing.
    ("&C", |_, form, _| accept(form, &["0", "1"])),
    ("&D", |_, form, _| accept(form, &["0", "1", "2"])),
    ("&K", |_, form, _| accept(form, &["0", "3"])),
    ("&S", |_, form, _| accept(form, &["0", "1"])),
    ("&W", |_, form, _| accept(form, &["0"])),
    ("\\Q", |_, form, _| accept(form, &["0", "1", "2", "3"])),
    ("+CGMI", |modem, form, _| {
        told(modem, form, |m| &m.manufacturer)
    }),
    ("+GMI", |modem, form, _| {
        told(modem, form, |m| &m.manufacturer)
    }),
    ("+CGMM", |modem, form, _| told(modem, form, |m| &m.model)),
    ("+GMM", |modem, form, _| told(modem, form, |m| &m.model)),
    ("+CGMR", |modem, form, _| told(modem, form, |m| &m.revision)),
    ("+GMR", |modem, form, _| told(modem, form, |m| &m.revision)),
    ("+CGSN", |modem, form, _| fixed(form, &modem.identity.imei)),
    ("+GSN", |modem, form, _| fixed(form, &modem.identity.imei)),
    ("+CMEE", |modem, form, _| {
        setting(form, "+CMEE", 2, &mut modem.setup.error_detail)
    }),
    ("+CLIP", |modem, form, _| {
        setting(form, "+CLIP", 1, &mut modem.setup.caller_news)
    }),
    ("+CSCS", alphabet),
    ("+IPR", speed),
    ("+CFUN", functionality),
];

fn told(modem: &Modem, form: Form, what: fn(&Manners) -> &String) -> Result<Reply, Fault> {
    fixed(form, what(&modem.manners))
}

fn accept(form: Form, known: &[&str]) -> Result<Reply, Fault> {
    match form {
        Form::Execute => Ok(Reply::Done),
        Form::Set(value) if known.contains(&value) => Ok(Reply::Done),
        _ => Err(Fault::Plain),
    }
}

fn only(form: Form, value: &str) -> Result<Reply, Fault> {
    match form {
        Form::Set(given) if given == value => Ok(Reply::Done),
        Form::Execute if value == "0" => Ok(Reply::Done),
        _ => Err(Fault::Plain),
    }
}

fn echo(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    modem.setup.echo = match form {
        Form::Execute | Form::Set("0") => false,
        Form::Set("1") => true,
        _ => return Err(Fault::Plain),
    };
    Ok(Reply::Done)
}

/// `ATZ` and `AT&F`: every setting as after power-on, echo too.
fn reset(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    if !matches!(form, Form::Execute | Form::Set("0")) {
        return Err(Fault::Plain);
    }
    modem.setup = Setup::of(&modem.manners);
    Ok(Reply::Done)
}

fn alphabet(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let known = &modem.manners.alphabets;
    let name = match form {
        Form::Read => return text(format!("+CSCS: \"{}\"", modem.setup.charset.name())),
        Form::Test => return text(format!("+CSCS: (\"{}\")", known.join("\",\""))),
        Form::Set(name) => name.trim_matches('"'),
        Form::Execute => "GSM",
    };
    let known = known.iter().any(|known| known == name);
    let charset = Charset::named(name).filter(|_| known);
    modem.setup.charset = charset.ok_or(BAD_PARAMETERS)?;
    Ok(Reply::Done)
}

/// The speed of a real UART; 0 finds it out by itself, and a USB tty takes any.
fn speed(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    const SPEEDS: [u32; 8] = [0, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800];
    match form {
        Form::Read => text(format!("+IPR: {}", modem.speed)),
        Form::Test => text("+IPR: (0),(9600,19200,38400,57600,115200,230400,460800)".into()),
        Form::Set(speed) => {
            let speed = speed.parse().ok().filter(|speed| SPEEDS.contains(speed));
            modem.speed = speed.ok_or(BAD_PARAMETERS)?;
            Ok(Reply::Done)
        }
        Form::Execute => Err(BAD_PARAMETERS),
    }
}

fn functionality(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let functionality = match form {
        Form::Read => return text(format!("+CFUN: {}", modem.functionality)),
        Form::Test => return text("+CFUN: (0,1,4),(0,1)".into()),
        Form::Set("0" | "0,0") => 0,
        Form::Set("4" | "4,0") => 4,
        Form::Set("1" | "1,0") => 1,
        _ => return Err(BAD_PARAMETERS),
    };
    let before = modem.stats();
    modem.functionality = functionality;
    registration_changed(modem, before);
    Ok(Reply::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            (
                "I",
                "Manufacturer: Simpost\r\nModel: Emulator\r\nRevision: 0.1.0\r\nIMEI: 004401990000008",
            ),
            ("Q0V1X4S0=0&C1&D2&K0&S0&W", ""),
            ("V0", "ERROR"),
            ("Q1", "ERROR"),
            ("S0=1", "ERROR"),
            ("E2", "ERROR"),
            ("&F1", "ERROR"),
            ("H", ""),
            ("+CMEE=1", ""),
            ("+CMEE?", "+CMEE: 1"),
            ("+CMEE=3", "+CME ERROR: 50"),
            ("+GMI", "Simpost"),
            ("+CGMM=?", ""),
            ("+CGMR", "0.1.0"),
            ("+GCAP", "+GCAP: +CGSM"),
            ("+GSN", "004401990000008"),
            ("+CCID", "+CCID: 8944001010000000009"),
            ("+ICCID", "+ICCID: 8944001010000000009"),
            ("+CNUM", "+CNUM: \"\",\"+447700900500\",145"),
            ("+CSCS=?", "+CSCS: (\"GSM\",\"IRA\",\"UCS2\",\"HEX\")"),
            ("+CSCS=\"IRA\";+CSCS?", "+CSCS: \"IRA\""),
            ("+CSCS=\"UTF-8\"", "+CME ERROR: 50"),
            ("+IPR?", "+IPR: 0"),
            ("+IPR=9600;+IPR?", "+IPR: 9600"),
            ("+IPR=1200", "+CME ERROR: 50"),
            ("+CFUN?", "+CFUN: 1"),
            ("+CFUN=5", "+CME ERROR: 50"),
            ("+CBC", "+CBC: 0,90,4100"),
        ];
        let mut modem = Modem::ready("");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
    }

    #[test]
    fn the_radio_switches_the_network_off_and_tells_it() {
        let mut modem = Modem::ready("+CREG=1;+CEREG=2");
        // The result first, then the news.
        assert_eq!(modem.ask("+CFUN=4"), "OK\r\n\r\n+CREG: 0\r\n\r\n+CEREG: 0");
        assert_eq!(modem.ask("+CREG?"), "+CREG: 1,0");
        assert_eq!(modem.ask("+CSQ"), "+CSQ: 99,99");
        assert_eq!(modem.ask("+COPS?"), "+COPS: 0");
        assert_eq!(
            modem.ask("+CFUN=1"),
            "OK\r\n\r\n+CREG: 1\r\n\r\n+CEREG: 1,\"1A2B\",\"0C3D0016\",7"
        );
        assert_eq!(modem.ask("+CFUN=1"), "");
    }

    #[test]
    fn a_restart_forgets_the_settings() {
        let now = tokio::time::Instant::now().into_std();
        let mut modem = Modem::ready("+CMEE=1;+CNMI=2,1,0,1,0;+CSMS=1");
        assert_eq!(modem.ask("+CFUN=1,1"), "");
        modem.tick(modem.wake_at().unwrap().max(now));
        assert_eq!(modem.setup, Setup::of(&modem.manners));
    }
}
