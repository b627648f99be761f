//! How the client hears of what comes in: `+CSMS`, `+CNMI`, `+CNMA`.
//!
//! Source: TS 27.005, 3.2.1, 3.4.1 and 3.4.4.

use std::time::Instant;

use super::Answer;
use crate::emulator::modem::Modem;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::prompt::{Draft, Purpose, Shape};
use crate::emulator::modem::reply::{Fault, NOT_SUPPORTED, Reply, text};
use crate::emulator::modem::routes;

pub(super) const TABLE: &[(&str, Answer)] = &[
    ("+CSMS", service),
    ("+CNMI", routing),
    ("+CNMA", acknowledge),
];

/// "No +CNMA acknowledgement expected" (TS 27.005, 3.2.5).
const NOTHING_TO_ACKNOWLEDGE: Fault = Fault::Message(340);
/// "Invalid PDU mode parameter".
const BAD_PDU: Fault = Fault::Message(304);
/// Octets of the TPDU that goes with an acknowledgement (TS 23.040, 9.2.2.1a).
const REPORT_OCTETS: std::ops::RangeInclusive<usize> = 1..=160;

fn service(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let known = &modem.manners.services;
    match form {
        Form::Read => text(format!("+CSMS: {},1,1,1", modem.setup.service)),
        Form::Test => {
            let known: Vec<String> = known.iter().map(u8::to_string).collect();
            text(format!("+CSMS: ({})", known.join(",")))
        }
        Form::Set(value) => {
            let value = value.parse().ok().filter(|value| known.contains(value));
            modem.setup.service = value.ok_or(NOT_SUPPORTED)?;
            text("+CSMS: 1,1,1".into())
        }
        Form::Execute => Err(NOT_SUPPORTED),
    }
}

fn routing(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let manners = modem.manners.clone();
    match form {
        Form::Read => {
            let [mode, mt, bm, ds, bfr] = modem.setup.routing;
            text(format!("+CNMI: {mode},{mt},{bm},{ds},{bfr}"))
        }
        Form::Test => text(format!("+CNMI: {}", manners.cnmi.text())),
        Form::Set(_) | Form::Execute => {
            // What is left out at the end becomes what it was after power-on.
            let given = form.numbers().ok_or(manners.cnmi_refusal)?;
            let whole = manners.cnmi.complete(&given);
            let whole = whole.ok_or(manners.cnmi_refusal)?;
            for (place, value) in modem.setup.routing.iter_mut().zip(whole) {
                *place = value;
            }
            let [mode, .., bfr] = modem.setup.routing;
            if mode > 0 && bfr == 1 {
                modem.forget_held();
            }
            Ok(Reply::Done)
        }
    }
}

fn acknowledge(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    if form == Form::Test {
        return text("+CNMA: (0-2)".into());
    }
    let (taken, length) = match form.values().as_slice() {
        [] | ["0"] => (true, None),
        [kind @ ("1" | "2")] => (*kind == "1", None),
        [kind @ ("1" | "2"), length] => (*kind == "1", Some(length.parse().ok())),
        _ => return Err(NOT_SUPPORTED),
    };
    if modem.unacknowledged.is_none() {
        return Err(NOTHING_TO_ACKNOWLEDGE);
    }
    let Some(length) = length else {
        routes::acknowledge(modem, taken);
        return Ok(Reply::Done);
    };
    // With a TPDU for the network, which is prompted for.
    let length = length.filter(|length| REPORT_OCTETS.contains(length));
    Ok(Reply::Prompt(Draft {
        purpose: Purpose::Acknowledge(taken),
        shape: Shape::Pdu(length.ok_or(BAD_PDU)?),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            ("+CSMS?", "+CSMS: 0,1,1,1"),
            ("+CSMS=?", "+CSMS: (0,1)"),
            ("+CSMS=1", "+CSMS: 1,1,1"),
            ("+CSMS=128", "+CMS ERROR: 303"),
            ("+CNMI=?", "+CNMI: (0-2),(0-2),(0,2),(0-2),(0,1)"),
            ("+CNMI=2,1;+CNMI?", "+CNMI: 2,1,0,0,0"),
            ("+CNMI=3", "+CMS ERROR: 303"),
            ("+CNMI=2,1,0,1,0,0", "+CMS ERROR: 303"),
            ("+CNMI=2,,0", "+CMS ERROR: 303"),
            ("+CNMA", "+CMS ERROR: 340"),
            ("+CNMA=3", "+CMS ERROR: 303"),
            ("+CNMA=?", "+CNMA: (0-2)"),
        ];
        let mut modem = Modem::ready("");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
    }

    #[test]
    fn each_family_takes_its_own_routings() {
        // Family | routing | answer to it.
        const CASES: &[(&str, &str, &str)] = &[
            ("huawei", "2,1,0,1,0", "+CMS ERROR: 303"),
            ("huawei", "2,1,0,2,0", ""),
            ("huawei", "1,1,0,1,0", "+CMS ERROR: 303"),
            ("zte", "2,1,0,1,0", "ERROR"),
            ("zte", "1,1,0,1,0", ""),
            ("simcom_2g", "2,1,0,1,0", ""),
            ("simcom_2g", "2,1,0,2,0", "+CMS ERROR: 303"),
            ("simcom", "2,1,0,1,0", "+CMS ERROR: 303"),
            ("simcom", "1,1,0,1,0", ""),
            ("quectel", "2,1,0,1,0", ""),
            ("quectel", "2,2,0,2,0", ""),
            ("quectel_2g", "2,1,0,1,0", ""),
            ("telit", "2,1,0,1,0", ""),
            ("telit", "3,1,0,1,0", ""),
            ("cinterion", "2,1,0,1,0", "+CMS ERROR: 302"),
            ("cinterion", "2,1,0,2,0", "+CMS ERROR: 302"),
            ("cinterion", "2,1,0,2,1", ""),
            ("wavecom", "2,1,0,1,0", ""),
            ("ublox", "2,1,0,1,0", ""),
            ("ublox", "1,1,0,2,0", ""),
        ];
        for (family, routing, answer) in CASES {
            let mut modem = Modem::of_family_ready(family, "");
            let said = modem.ask(&format!("+CNMI={routing}"));
            assert_eq!(said, *answer, "{family} {routing}");
            let kept = modem.ask("+CNMI?");
            let kept = kept == format!("+CNMI: {routing}");
            assert_eq!(kept, answer.is_empty(), "{family} {routing}");
        }
    }

    #[test]
    fn services_differ() {
        let mut old = Modem::of_family_ready("quectel_2g", "");
        assert_eq!(old.ask("+CSMS=128"), "+CSMS: 1,1,1");
        assert_eq!(old.ask("+CSMS=?"), "+CSMS: (0,1,128)");
    }
}
