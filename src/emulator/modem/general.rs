//! The commands that have nothing to do with messages: identity, settings, network.
//!
//! One table, name → answer. A name that stands in no table is unknown to the modem.
//! Source: V.250, 6.1; TS 27.007, sections 5 to 9.

use super::Modem;
use super::command_line::{Call, Form};
use super::reply::{BAD_PARAMETERS, Fault, Reply, fixed, setting, text};
use super::setup::Setup;
use crate::emulator::identity::{MANUFACTURER, MODEL, OPERATOR, OPERATOR_CODE, REVISION};

type Answer = fn(&mut Modem, Form) -> Result<Reply, Fault>;

/// "Operation not allowed" (TS 27.007, 9.2.1).
const NOT_ALLOWED: Fault = Fault::Equipment(3);

const TABLE: &[(&str, Answer)] = &[
    ("E", echo),
    ("Z", reset),
    ("&F", reset),
    ("I", |modem, _| {
        let imei = &modem.identity.imei;
        text(format!(
            "Manufacturer: {MANUFACTURER}\r\nModel: {MODEL}\r\nRevision: {REVISION}\r\nIMEI: {imei}"
        ))
    }),
    // Words as results, all of them shown: nothing else is built.
    ("V", |_, form| only(form, "1")),
    ("Q", |_, form| only(form, "0")),
    ("X", |_, form| accept(form, &["0", "1", "2", "3", "4"])),
    ("S", |_, form| accept(form, &["0=0", "3=13", "4=10", "5=8"])),
    // A pseudo-terminal has no control lines, so their settings change nothing.
    ("&C", |_, form| accept(form, &["0", "1"])),
    ("&D", |_, form| accept(form, &["0", "1", "2"])),
    ("&K", |_, form| accept(form, &["0", "3"])),
    ("+CGMI", |_, form| fixed(form, MANUFACTURER)),
    ("+GMI", |_, form| fixed(form, MANUFACTURER)),
    ("+CGMM", |_, form| fixed(form, MODEL)),
    ("+GMM", |_, form| fixed(form, MODEL)),
    ("+CGMR", |_, form| fixed(form, REVISION)),
    ("+GMR", |_, form| fixed(form, REVISION)),
    ("+CGSN", |modem, form| fixed(form, &modem.identity.imei)),
    ("+GSN", |modem, form| fixed(form, &modem.identity.imei)),
    ("+GCAP", |_, form| fixed(form, "+GCAP: +CGSM")),
    ("+CIMI", |modem, form| fixed(form, &modem.identity.imsi)),
    ("+CCID", |modem, form| iccid(modem, form, "+CCID")),
    ("+ICCID", |modem, form| iccid(modem, form, "+ICCID")),
    ("+CNUM", |modem, form| {
        fixed(
            form,
            &format!("+CNUM: \"\",\"{}\",145", modem.identity.number),
        )
    }),
    ("+CMEE", error_detail),
    ("+CPIN", pin),
    ("+CFUN", functionality),
    ("+CREG", |modem, form| registration(modem, form, 0)),
    ("+CGREG", |modem, form| registration(modem, form, 1)),
    ("+CEREG", |modem, form| registration(modem, form, 2)),
    ("+CGATT", |modem, form| match form {
        Form::Test => text("+CGATT: (1)".into()),
        _ => fixed(form, &format!("+CGATT: {}", u8::from(modem.registered()))),
    }),
    ("+COPS", operator),
    ("+CSQ", |modem, form| {
        // 21 is -71 dBm, 99 unknown.
        let strength = if modem.registered() { 21 } else { 99 };
        match form {
            Form::Test => text("+CSQ: (0-31,99),(99)".into()),
            _ => fixed(form, &format!("+CSQ: {strength},99")),
        }
    }),
    ("+CSCS", alphabet),
    ("+CRSM", last_reference),
];

/// The answer to `call`, or `None` when it is not in this table.
pub(super) fn answer(modem: &mut Modem, call: &Call) -> Option<Result<Reply, Fault>> {
    let (_, answer) = TABLE.iter().find(|(name, _)| *name == call.name)?;
    Some(answer(modem, call.form))
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

fn echo(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    modem.setup.echo = match form {
        Form::Execute | Form::Set("0") => false,
        Form::Set("1") => true,
        _ => return Err(Fault::Plain),
    };
    Ok(Reply::Done)
}

/// `ATZ`, `AT&F` and the restart of `+CFUN=1,1`: every setting as after power-on, echo too.
fn reset(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    if !matches!(form, Form::Execute | Form::Set("0")) {
        return Err(Fault::Plain);
    }
    modem.setup = Setup::default();
    Ok(Reply::Done)
}

fn iccid(modem: &mut Modem, form: Form, name: &str) -> Result<Reply, Fault> {
    fixed(form, &format!("{name}: {}", modem.identity.iccid))
}

fn error_detail(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    setting(form, "+CMEE", 2, &mut modem.setup.error_detail)
}

fn pin(_: &mut Modem, form: Form) -> Result<Reply, Fault> {
    match form {
        Form::Read => text("+CPIN: READY".into()),
        Form::Test => Ok(Reply::Done),
        // The SIM asks for no PIN.
        Form::Execute | Form::Set(_) => Err(NOT_ALLOWED),
    }
}

fn functionality(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    let on = match form {
        Form::Read => return text(format!("+CFUN: {}", u8::from(modem.radio_on))),
        Form::Test => return text("+CFUN: (0,1,4),(0,1)".into()),
        Form::Set("0" | "0,0" | "4" | "4,0") => false,
        Form::Set("1" | "1,0") => true,
        Form::Set("1,1") => {
            modem.setup = Setup::default();
            true
        }
        _ => return Err(BAD_PARAMETERS),
    };
    let before = modem.registered();
    modem.radio_on = on;
    registration_changed(modem, before);
    Ok(Reply::Done)
}

/// Names in the order of `Setup::registration_news`; the last field is the access technology
/// where the command has one: 7 = E-UTRAN.
const REGISTRATIONS: [&str; 3] = ["+CREG", "+CGREG", "+CEREG"];

/// Lets the modem into the network or throws it out.
pub(super) fn admit(modem: &mut Modem, admitted: bool) {
    let before = modem.registered();
    modem.admitted = admitted;
    registration_changed(modem, before);
}

fn registration_changed(modem: &mut Modem, before: bool) {
    if modem.registered() == before {
        return;
    }
    for (name, news) in REGISTRATIONS.into_iter().zip(modem.setup.registration_news) {
        if news > 0 {
            modem.announce(format!("{name}: {}", where_it_is(modem, news)), false);
        }
    }
}

/// `<stat>` and with `news` 2 also area, cell and technology.
fn where_it_is(modem: &Modem, news: u8) -> String {
    match (modem.registered(), news) {
        (true, 2) => r#"1,"1A2B","0C3D0016",7"#.into(),
        (true, _) => "1".into(),
        (false, _) => "0".into(),
    }
}

fn registration(modem: &mut Modem, form: Form, which: usize) -> Result<Reply, Fault> {
    let name = REGISTRATIONS.get(which).copied().unwrap_or_default();
    if form == Form::Read {
        let news = modem.setup.registration_news.get(which).copied();
        let news = news.unwrap_or_default();
        return text(format!("{name}: {news},{}", where_it_is(modem, news)));
    }
    match modem.setup.registration_news.get_mut(which) {
        Some(place) => setting(form, name, 2, place),
        None => Err(Fault::Plain),
    }
}

fn operator(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    match form {
        Form::Read if !modem.registered() => text("+COPS: 0".into()),
        Form::Read if modem.setup.operator_format == 2 => {
            text(format!("+COPS: 0,2,\"{OPERATOR_CODE}\",7"))
        }
        Form::Read => text(format!("+COPS: 0,0,\"{OPERATOR}\",7")),
        Form::Test => text(format!(
            "+COPS: (2,\"{OPERATOR}\",\"{OPERATOR}\",\"{OPERATOR_CODE}\",7),,(0,3),(0,2)"
        )),
        Form::Set("0") => Ok(Reply::Done),
        Form::Set("3,0") => {
            modem.setup.operator_format = 0;
            Ok(Reply::Done)
        }
        Form::Set("3,2") => {
            modem.setup.operator_format = 2;
            Ok(Reply::Done)
        }
        _ => Err(BAD_PARAMETERS),
    }
}

fn alphabet(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    modem.setup.alphabet = match form {
        Form::Read => return text(format!("+CSCS: \"{}\"", modem.setup.alphabet)),
        Form::Test => return text("+CSCS: (\"GSM\",\"IRA\")".into()),
        Form::Set("\"GSM\"") => "GSM",
        Form::Set("\"IRA\"") => "IRA",
        _ => return Err(BAD_PARAMETERS),
    };
    Ok(Reply::Done)
}

/// `AT+CRSM=176,28483,0,0,2`: EF-SMSS, whose first octet is the TP-MR used last
/// (TS 51.011, 10.5.9). No other file of the SIM is built.
fn last_reference(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    match form {
        Form::Test => Ok(Reply::Done),
        Form::Set("176,28483,0,0,2") => text(format!("+CRSM: 144,0,\"{:02X}FF\"", modem.last_mr())),
        // File not found.
        Form::Set(_) => text("+CRSM: 148,4,\"\"".into()),
        _ => Err(BAD_PARAMETERS),
    }
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
            ("Q0V1X4S0=0&C1&D2&K0", ""),
            ("V0", "ERROR"),
            ("Q1", "ERROR"),
            ("S0=1", "ERROR"),
            ("E2", "ERROR"),
            ("&F1", "ERROR"),
            ("+CMEE=1", ""),
            ("+CMEE?", "+CMEE: 1"),
            ("+CMEE=3", "+CME ERROR: 50"),
            ("+GMI", "Simpost"),
            ("+CGMM=?", ""),
            ("+CGMR", "0.1.0"),
            ("+GCAP", "+GCAP: +CGSM"),
            ("+GSN", "004401990000008"),
            ("+CIMI", "001010000000000"),
            ("+CCID", "+CCID: 8944001010000000009"),
            ("+ICCID", "+ICCID: 8944001010000000009"),
            ("+CNUM", "+CNUM: \"\",\"+447700900500\",145"),
            ("+CPIN=\"1234\"", "+CME ERROR: 3"),
            ("+CREG=?", "+CREG: (0-2)"),
            ("+CGREG=2;+CGREG?", "+CGREG: 2,1,\"1A2B\",\"0C3D0016\",7"),
            ("+CEREG=3", "+CME ERROR: 50"),
            ("+CGATT?", "+CGATT: 1"),
            ("+COPS?", "+COPS: 0,0,\"Simpost Test\",7"),
            ("+COPS=3,2;+COPS?", "+COPS: 0,2,\"00101\",7"),
            ("+COPS=1,2,\"26201\"", "+CME ERROR: 50"),
            ("+CSCS=\"IRA\";+CSCS?", "+CSCS: \"IRA\""),
            ("+CSCS=\"UCS2\"", "+CME ERROR: 50"),
            ("+CRSM=176,12258,0,0,10", "+CRSM: 148,4,\"\""),
            ("+CFUN?", "+CFUN: 1"),
            ("+CFUN=5", "+CME ERROR: 50"),
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
        let mut modem = Modem::ready("+CMEE=1;+CNMI=2,1,0,1,0;+CSMS=1");
        assert_eq!(modem.ask("+CFUN=1,1"), "");
        assert_eq!(modem.setup, Setup::default());
    }

    #[test]
    fn faults_are_worded_as_cmee_asks() {
        const CASES: &[(Fault, [&str; 3])] = &[
            (Fault::Plain, ["ERROR", "ERROR", "ERROR"]),
            (
                Fault::Equipment(50),
                [
                    "ERROR",
                    "+CME ERROR: 50",
                    "+CME ERROR: Incorrect parameters",
                ],
            ),
            (
                Fault::Message(42),
                ["+CMS ERROR: 42", "+CMS ERROR: 42", "+CMS ERROR: Congestion"],
            ),
            (
                Fault::Message(999),
                ["+CMS ERROR: 999", "+CMS ERROR: 999", "+CMS ERROR: 999"],
            ),
        ];
        for (fault, texts) in CASES {
            for (detail, text) in (0..).zip(texts) {
                assert_eq!(super::super::reply::fault_text(*fault, detail), *text);
            }
        }
    }
}
