//! The commands about the network: registration, operators, signal.
//!
//! Source: TS 27.007, 7.2 (`+CREG`), 7.3 (`+COPS`), 8.5 (`+CSQ`), 10.1.

use std::time::Instant;

use super::Answer;
use crate::emulator::identity::{OPERATOR, OPERATOR_CODE, SHORT_OPERATOR};
use crate::emulator::modem::Modem;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::reply::{BAD_PARAMETERS, Fault, Reply, fixed, setting, text};

pub(super) const TABLE: &[(&str, Answer)] = &[
    ("+CREG", |modem, form, _| registration(modem, form, 0)),
    ("+CGREG", |modem, form, _| registration(modem, form, 1)),
    ("+CEREG", |modem, form, _| registration(modem, form, 2)),
    ("+CGATT", |modem, form, _| match form {
        Form::Test => text("+CGATT: (1)".into()),
        Form::Set("1") => Ok(Reply::Done),
        _ => fixed(form, &format!("+CGATT: {}", u8::from(modem.registered()))),
    }),
    ("+COPS", operator),
    ("+CSQ", |modem, form, _| match form {
        Form::Test => text("+CSQ: (0-31,99),(99)".into()),
        _ => fixed(form, &format!("+CSQ: {},99", signal(modem))),
    }),
];

/// "Network not allowed, emergency calls only" (TS 27.007, 9.2.1).
const NOT_LET_IN: Fault = Fault::Equipment(32);

/// Names in the order of `Setup::registration_news`.
const REGISTRATIONS: [&str; 3] = ["+CREG", "+CGREG", "+CEREG"];

/// `<rssi>` of `+CSQ`: 21 is -71 dBm, 99 unknown.
pub(in crate::emulator::modem) fn signal(modem: &Modem) -> u8 {
    if modem.registered() { 21 } else { 99 }
}

/// Lets the modem into the network or throws it out.
pub(in crate::emulator::modem) fn admit(modem: &mut Modem, admitted: bool) {
    let before = modem.registered();
    modem.admitted = admitted;
    registration_changed(modem, before);
}

/// Tells the client, where it asked for it, that the modem is in the network or out of it.
pub(in crate::emulator::modem) fn registration_changed(modem: &mut Modem, before: bool) {
    if modem.registered() == before {
        return;
    }
    for (name, news) in REGISTRATIONS.into_iter().zip(modem.setup.registration_news) {
        if news > 0 {
            modem.announce(format!("{name}: {}", where_it_is(modem, news)), false);
        }
    }
}

/// `<stat>` and with `news` 2 also area, cell and technology, as the family writes them.
fn where_it_is(modem: &Modem, news: u8) -> String {
    match (modem.registered(), news) {
        (true, 2) => format!("1{}", modem.manners.registration),
        (true, _) => "1".into(),
        (false, _) if modem.searches() => modem.manners.unregistered.to_string(),
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

fn operator(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let set = modem.setup.charset;
    let (long, short) = (set.encode(OPERATOR), set.encode(SHORT_OPERATOR));
    match form {
        Form::Read if !modem.registered() => text("+COPS: 0".into()),
        Form::Read => {
            let format = modem.setup.operator_format;
            let name = match format {
                0 => &long,
                1 => &short,
                _ => OPERATOR_CODE,
            };
            let technology = &modem.manners.operator;
            text(format!("+COPS: 0,{format},\"{name}\"{technology}"))
        }
        Form::Test => {
            let technology = &modem.manners.operator;
            text(format!(
                "+COPS: (2,\"{long}\",\"{short}\",\"{OPERATOR_CODE}\"{technology}),\
                 (3,\"{}\",\"{}\",\"00102\"{technology}),,(0-3),(0-2)",
                set.encode("Other Test"),
                set.encode("Other")
            ))
        }
        Form::Set("0") => Ok(Reply::Done),
        Form::Set("3,0" | "3,1" | "3,2") => {
            let format = form.numbers().and_then(|values| values.last().copied());
            modem.setup.operator_format = format.unwrap_or_default();
            Ok(Reply::Done)
        }
        Form::Set(_) => match form.values().as_slice() {
            ["1", "2", code, ..] if code.trim_matches('"') == OPERATOR_CODE => Ok(Reply::Done),
            ["1", "2", _, ..] => Err(NOT_LET_IN),
            _ => Err(BAD_PARAMETERS),
        },
        Form::Execute => Err(BAD_PARAMETERS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::Trouble;

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            ("+CREG=?", "+CREG: (0-2)"),
            ("+CGREG=2;+CGREG?", "+CGREG: 2,1,\"1A2B\",\"0C3D0016\",7"),
            ("+CEREG=3", "+CME ERROR: 50"),
            ("+CGATT?", "+CGATT: 1"),
            ("+COPS?", "+COPS: 0,0,\"Simpost Test\",7"),
            ("+COPS=3,1;+COPS?", "+COPS: 0,1,\"Simpost\",7"),
            ("+COPS=3,2;+COPS?", "+COPS: 0,2,\"00101\",7"),
            ("+COPS=1,2,\"26201\"", "+CME ERROR: 32"),
            ("+COPS=1,2,\"00101\"", ""),
            (
                "+COPS=?",
                "+COPS: (2,\"Simpost Test\",\"Simpost\",\"00101\",7),(3,\"Other Test\",\"Other\",\"00102\",7),,(0-3),(0-2)",
            ),
            (
                "+CSCS=\"UCS2\";+COPS=3,1;+COPS?",
                "+COPS: 0,1,\"00530069006D0070006F00730074\",7",
            ),
            ("+COPS", "+CME ERROR: 50"),
            ("+CSQ", "+CSQ: 21,99"),
        ];
        let mut modem = Modem::ready("+CMEE=1");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
    }

    #[test]
    fn families_write_their_place_and_their_misery_differently() {
        const CASES: &[(&str, &str, &str)] = &[
            (
                "generic",
                "+CREG: 2,1,\"1A2B\",\"0C3D0016\",7",
                "+CREG: 2,0",
            ),
            ("huawei", "+CREG: 2,1, 1A2B, C3D0016", "+CREG: 2,2"),
            ("simcom", "+CREG: 2,1,\"1A2B\",\"0C3D0016\"", "+CREG: 2,11"),
        ];
        let now = tokio::time::Instant::now().into_std();
        for (family, inside, outside) in CASES {
            let mut modem = Modem::of_family_ready(family, "+CREG=2");
            assert_eq!(modem.ask("+CREG?"), *inside);
            modem.suffer(Trouble::NetworkLost, now);
            modem.poll();
            assert_eq!(modem.ask("+CREG?"), *outside);
        }
        let mut old = Modem::of_family_ready("wavecom", "");
        assert_eq!(old.ask("+COPS?"), "+COPS: 0,0,\"Simpost Test\"");
    }
}
