//! What is read out of a modem's lines, as named fields: for people, scripts and tests.
//!
//! The names are the standards' (`stat`, `rssi`, `lac`). The typed commands do the reading; this page
//! only says which of them answers whom, and gives the result names.

mod crossed;
mod settings;
mod unasked;
mod values;

use crossed::without_crossing;
use settings::setting;
use unasked::{network_text, urc};
pub use values::{Fields, Value};
use values::{fields, list};

use super::codes::{Final, SIGILS, final_result};
use super::identity::{
    CardIdentity, MANUFACTURER, MODEL, OwnNumbers, REVISION, ReadSupply, SerialNumber,
    SubscriberIdentity,
};
use super::messaging::{ReadServiceCentre, SelectService, reference};
use super::network::{
    Domain, ListOperators, Reachable, ReadOperator, ReadRegistration, SignalQuality, Status,
};
use super::pin::ReadLock;
use super::sim::{Pin, ReadPin, ReadTries, SMS_STATUS};
use super::storage::{ListMessages, ListStorages, ReadMessage, ReadStorage, Storage, Stored};
use super::{Command, Ending, ParseError};
use crate::sms::pdu::encode_hex;

/// Which lines a modem is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The lines between a command and its final result, without it.
    Response,
    /// What came unasked, with the PDU's line behind it where there is one.
    Urc,
    /// The line that ends an answer.
    Final,
}

/// What lines say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// An answer or an unsolicited line.
    Fields(Fields),
    /// A final result.
    Final(Final),
}

/// Reads `lines`, which came as `kind` to the command `cmd` (`+CSQ`, with or without `AT`, `?`, `=?` or
/// arguments behind it; for an unsolicited line only a question to the network matters, whose coding the answer
/// has).
///
/// An answer may hold its echo and its final result; a final result alone is told as one, and so is an
/// error behind an answer: what came before it is not whole.
/// Errors: [`ParseError`] when the lines make no sense as what they are said to be.
pub fn read(cmd: &str, kind: Kind, lines: &[String]) -> Result<Reading, ParseError> {
    let trimmed = cmd.trim();
    let cmd = trimmed
        .strip_prefix("AT")
        .or_else(|| trimmed.strip_prefix("at"));
    let cmd = cmd.unwrap_or(trimmed);
    let wrong = || ParseError::new(cmd, lines);
    let mut endings = lines.iter().filter_map(|line| final_result(line.trim()));
    match kind {
        Kind::Final => endings.next().map(Reading::Final).ok_or_else(wrong),
        Kind::Urc => {
            let said = network_text(cmd, lines).or_else(|| urc(lines));
            said.map(Reading::Fields).ok_or_else(wrong)
        }
        Kind::Response => {
            if let Some(text) = network_text(cmd, lines) {
                return Ok(Reading::Fields(text));
            }
            let found: Vec<String> = lines
                .iter()
                .map(|line| line.trim().to_owned())
                .filter(|line| !is_frame(cmd, line))
                .collect();
            let found = without_crossing(&own_name(cmd), found);
            let answer = || response(cmd, &found).map(Reading::Fields);
            // A call that ends crosses an answer and does not end it.
            match endings.clone().find(|ending| *ending != Final::NoCarrier) {
                Some(error @ Final::Error(_)) => Ok(Reading::Final(error)),
                ending if found.is_empty() => match ending.or_else(|| endings.next()) {
                    Some(ending) => Ok(Reading::Final(ending)),
                    None => answer().map_err(|_| wrong()),
                },
                _ => answer().map_err(|_| wrong()),
            }
        }
    }
}

/// `E0+CPMS?` is two commands; only the last one answers.
fn last_command(cmd: &str) -> &str {
    let from = cmd.find(SIGILS).unwrap_or(0);
    cmd.get(from..).unwrap_or_default()
}

/// The name that an answer bears: `+CPMS`.
fn own_name(cmd: &str) -> String {
    let name = last_command(cmd).split(['=', '?']).next();
    name.unwrap_or_default().to_ascii_uppercase()
}

/// What stands around an answer: its end, empty lines, and its echo, which equals what was sent.
fn is_frame(cmd: &str, line: &str) -> bool {
    let echo = line
        .split_at_checked(2)
        .is_some_and(|(at, rest)| at.eq_ignore_ascii_case("AT") && rest.eq_ignore_ascii_case(cmd));
    line.is_empty() || echo || final_result(line).is_some()
}

fn response(cmd: &str, lines: &[String]) -> Result<Fields, ParseError> {
    let cmd = last_command(cmd);
    let at = cmd.find(['=', '?']).unwrap_or(cmd.len());
    let (_, form) = cmd.split_at(at);
    if lines.is_empty() && form.starts_with('=') && form != "=?" {
        return Ok(Vec::new());
    }
    let name = own_name(cmd);
    let form = Form::of(form, &name, lines);
    if let Some(told) = setting(&name, form, lines) {
        return told;
    }
    match name.as_str() {
        "+CREG" | "+CGREG" | "+CEREG" | "+COPS" | "+CSQ" => network(&name, form, lines),
        "+CPMS" | "+CMGR" | "+CMGL" | "+CMGS" | "+CSMS" | "+CSCA" => messages(&name, form, lines),
        "+CPIN" | "+CRSM" | "+CLCK" => sim(&name, lines),
        _ => identity(&name, cmd, lines),
    }
}

/// Which of its questions a command asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `=?`: what is possible.
    Test,
    /// `?`, or what a setting answers: what is.
    Read,
}

impl Form {
    /// By what stands behind the command's name, or, where that is only a name or a setting, by the
    /// answer: what is possible comes in brackets (V.250, 5.4.4.2).
    fn of(behind_name: &str, name: &str, lines: &[String]) -> Self {
        let values = lines.iter().find_map(|line| line.strip_prefix(name));
        let brackets =
            values.is_some_and(|rest| rest.trim_start_matches([':', ' ']).starts_with('('));
        match behind_name {
            "=?" => Self::Test,
            "?" => Self::Read,
            _ if brackets => Self::Test,
            _ => Self::Read,
        }
    }
}

fn network(name: &str, form: Form, lines: &[String]) -> Result<Fields, ParseError> {
    Ok(match (name, form) {
        ("+CSQ", _) => {
            let signal = SignalQuality.reply(lines)?;
            let dbm = signal.dbm().map(|dbm| i64::from(dbm.0));
            fields([
                ("rssi", Some(signal.rssi.into())),
                ("ber", signal.ber.map(Value::from)),
                ("dbm", dbm.map(Value::Number)),
            ])
        }
        ("+COPS", Form::Test) => vec![(
            "operators",
            list(ListOperators.reply(lines)?.iter().map(reachable)),
        )],
        ("+COPS", _) => {
            let operator = ReadOperator.reply(lines)?;
            fields([
                ("mode", Some(operator.mode.into())),
                ("format", operator.format.map(Value::from)),
                ("oper", operator.name.map(Value::Text)),
                ("act", operator.technology.map(Value::from)),
            ])
        }
        _ => {
            let domain = match name {
                "+CGREG" => Domain::Packet,
                "+CEREG" => Domain::Eps,
                _ => Domain::Circuit,
            };
            registration(domain, ReadRegistration(domain).reply(lines)?)
        }
    })
}

fn messages(name: &str, form: Form, lines: &[String]) -> Result<Fields, ParseError> {
    Ok(match (name, form) {
        ("+CPMS", Form::Test) => {
            const NAMES: [&str; 3] = ["mem1", "mem2", "mem3"];
            let sets = ListStorages.reply(lines)?;
            let words = |set: Vec<String>| list(set.into_iter().map(Value::Text));
            NAMES.into_iter().zip(sets.into_iter().map(words)).collect()
        }
        ("+CPMS", _) => vec![(
            "storages",
            list(ReadStorage.reply(lines)?.into_iter().map(storage)),
        )],
        // The place is the command's matter; its number is not told in the answer.
        ("+CMGR", _) => ReadMessage(0).reply(lines)?.map(stored).unwrap_or_default(),
        ("+CMGL", _) => {
            let found = ListMessages.reply(lines)?.into_iter();
            vec![("messages", list(found.map(stored).map(Value::Fields)))]
        }
        ("+CMGS", _) => fields([("mr", reference(lines).map(|mr| mr.0.into()))]),
        ("+CSMS", _) => match SelectService(0).reply(lines)? {
            Some(service) => vec![
                ("mt", Value::Flag(service.inbound)),
                ("mo", Value::Flag(service.outbound)),
                ("bm", Value::Flag(service.broadcast)),
            ],
            None => Vec::new(),
        },
        ("+CSCA", Form::Read) => {
            fields([("sca", ReadServiceCentre.reply(lines)?.map(Value::Text))])
        }
        _ => nothing(name, lines)?,
    })
}

/// The places of `AT+CNMI` (TS 27.005, 3.4.1).
const ROUTING: [&str; 5] = ["mode", "mt", "bm", "ds", "bfr"];

fn sim(name: &str, lines: &[String]) -> Result<Fields, ParseError> {
    Ok(match name {
        "+CRSM" => {
            let answer = SMS_STATUS.reply(lines)?;
            let data = (!answer.data.is_empty()).then(|| encode_hex(&answer.data));
            fields([
                ("sw1", Some(answer.sw1.into())),
                ("sw2", Some(answer.sw2.into())),
                ("data", data.map(Value::Text)),
            ])
        }
        _ if lines.is_empty() => Vec::new(),
        "+CLCK" => vec![("locked", Value::Flag(ReadLock.reply(lines)?))],
        _ => vec![("code", pin(ReadPin(Ending::Final).reply(lines)?))],
    })
}

fn identity(name: &str, cmd: &str, lines: &[String]) -> Result<Fields, ParseError> {
    let text = |name, text: String| vec![(name, Value::Text(text))];
    Ok(match name {
        "+CGMI" | "+GMI" => text("manufacturer", MANUFACTURER.reply(lines)?),
        "+CGMM" | "+GMM" => text("model", MODEL.reply(lines)?),
        "+CGMR" | "+GMR" => text("revision", REVISION.reply(lines)?),
        "+CGSN" | "+GSN" => text("imei", SerialNumber.reply(lines)?.to_string()),
        "+CIMI" => text("imsi", SubscriberIdentity.reply(lines)?.to_string()),
        name if name.contains("CCID") => text(
            "iccid",
            CardIdentity(cmd.to_owned()).reply(lines)?.to_string(),
        ),
        "+CNUM" => vec![(
            "numbers",
            list(OwnNumbers.reply(lines)?.into_iter().map(Value::Text)),
        )],
        "+CBC" => {
            let supply = ReadSupply.reply(lines)?;
            fields([
                ("bcs", Some(supply.status.into())),
                ("bcl", supply.level.map(Value::from)),
                ("millivolts", supply.millivolts.map(Value::from)),
            ])
        }
        "+CPINR" | "^CPIN" | "+SPIC" | "+QTRPIN" | "+QPINC" | "+UPINCNT" | "+CPINC" | "%PINNUM"
        | "+ZPINPUK" | "_OERCN" | "+PNNM" | "#PCT" | "^SPIC" => {
            let tries = ReadTries(cmd.to_owned()).reply(lines)?;
            fields([
                ("pin", tries.pin.map(Value::from)),
                ("puk", tries.puk.map(Value::from)),
                ("pin2", tries.pin2.map(Value::from)),
                ("puk2", tries.puk2.map(Value::from)),
            ])
        }
        _ => nothing(cmd, lines)?,
    })
}

/// A command that is answered with `OK` alone. Errors: it was answered with more.
fn nothing(cmd: &str, lines: &[String]) -> Result<Fields, ParseError> {
    if lines.is_empty() {
        Ok(Vec::new())
    } else {
        Err(ParseError::new(cmd, lines))
    }
}

fn registration(domain: Domain, status: Status) -> Fields {
    // Hex, as the modem and every map of cells have it.
    let hex = |number: u32| Value::Text(format!("{number:04X}"));
    let area = match domain {
        Domain::Eps => "tac",
        Domain::Circuit | Domain::Packet => "lac",
    };
    fields([
        ("n", status.n.map(Value::from)),
        ("stat", Some(status.stat.into())),
        (area, status.area.map(hex)),
        ("ci", status.cell.map(hex)),
        ("act", status.technology.map(Value::from)),
    ])
}

fn reachable(network: &Reachable) -> Value {
    Value::Fields(fields([
        ("stat", network.stat.map(Value::from)),
        ("name", network.name.clone().map(Value::Text)),
        ("plmn", Some(Value::Text(network.plmn.clone()))),
        ("act", network.technology.map(Value::from)),
    ]))
}

fn storage(storage: Storage) -> Value {
    Value::Fields(fields([
        ("mem", storage.name.map(Value::Text)),
        ("used", Some(storage.used.into())),
        ("total", Some(storage.total.into())),
    ]))
}

fn stored(stored: Stored) -> Fields {
    fields([
        ("index", stored.index.map(Value::from)),
        ("stat", stored.stat.map(Value::from)),
        ("length", stored.length.map(Value::from)),
        ("pdu", Some(Value::Text(stored.pdu))),
    ])
}

fn pin(pin: Pin) -> Value {
    Value::Text(match pin {
        Pin::Ready => "READY".into(),
        Pin::Wanted(word) => word,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::answer_lines as lines;

    /// `{stat: 1, lac: "1A2B"}`.
    fn shown(value: &Value) -> String {
        match value {
            Value::Text(text) => format!("{text:?}"),
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::List(values) => {
                format!(
                    "[{}]",
                    values.iter().map(shown).collect::<Vec<_>>().join(", ")
                )
            }
            Value::Fields(fields) => {
                let one = |(name, value): &(&str, Value)| format!("{name}: {}", shown(value));
                format!(
                    "{{{}}}",
                    fields.iter().map(one).collect::<Vec<_>>().join(", ")
                )
            }
        }
    }

    fn told(cmd: &str, kind: Kind, text: &str) -> String {
        match read(cmd, kind, &lines(text)) {
            Ok(Reading::Fields(fields)) => shown(&Value::Fields(fields)),
            Ok(Reading::Final(result)) => format!("{result:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn answers_by_their_commands() {
        const CASES: &[(&str, &str, &str)] = &[
            ("+CSQ", "+CSQ: 14,99", "{rssi: 14, ber: 99, dbm: -85}"),
            ("AT+CSQ\r", "AT+CSQ\n+CSQ: 99,99\nOK", "{rssi: 99, ber: 99}"),
            (
                "+CREG?",
                "+CREG: 2,1,\"1A2B\",\"C3D0016\",6",
                "{n: 2, stat: 1, lac: \"1A2B\", ci: \"C3D0016\", act: 6}",
            ),
            ("+CEREG?", "+CEREG: 0,11", "{n: 0, stat: 11}"),
            (
                "+COPS?",
                "+COPS: 0,0,\"Shop Net\",2",
                "{mode: 0, format: 0, oper: \"Shop Net\", act: 2}",
            ),
            (
                "+COPS=?",
                "+COPS: (2,\"Shop\",,\"00101\",7),,(0-4)",
                "{operators: [{stat: 2, name: \"Shop\", plmn: \"00101\", act: 7}]}",
            ),
            (
                "+CPMS=?",
                "+CPMS: ((\"SM\",\"BM\"),(\"SM\"))",
                "{mem1: [\"SM\", \"BM\"], mem2: [\"SM\"]}",
            ),
            (
                "+CPMS?",
                "+CPMS: \"SM\",2,20",
                "{storages: [{mem: \"SM\", used: 2, total: 20}]}",
            ),
            (
                "+CMGR=0",
                "^RSSI:9\n+CMGR: 0,,2\n00A7",
                "{stat: 0, length: 2, pdu: \"00A7\"}",
            ),
            ("+CMGR=0", "", "{}"),
            (
                "+CMGR=7",
                "+CMGR: 0,,2\n^RSSI:9\n00A7",
                "{stat: 0, length: 2, pdu: \"00A7\"}",
            ),
            (
                "+CMGR=7",
                "+CMGR: 0,,2",
                "the answer to `AT+CMGR=7` makes no sense (1 lines, 11 octets)",
            ),
            (
                "+CMGL=4",
                "+CMGL: 1,1,,2\n^RSSI:9\n00A7\n+CMGL: 2,1,,2\n00A8",
                "{messages: [{index: 1, stat: 1, length: 2, pdu: \"00A7\"}, {index: 2, stat: 1, length: 2, pdu: \"00A8\"}]}",
            ),
            ("+CGMM", "^RSSI:9\nE1752", "{model: \"E1752\"}"),
            (
                "+CGMI",
                "+CMTI: \"SM\",3\nhuawei",
                "{manufacturer: \"huawei\"}",
            ),
            ("+CMGF=0", "^RSSI:9", "{}"),
            (
                "+CUSD=1,\"*100#\",15",
                "+CUSD: 0,\"04110430\",72",
                "{m: 0, text: \"\u{411}\u{430}\", dcs: 72, coding: \"ucs2\"}",
            ),
            (
                "+CUSD=1,\"*100#\",15",
                "OK\n+CUSD: 1,\"CAFE12\",15",
                "{m: 1, text: \"CAFE12\", dcs: 15, coding: \"plain\"}",
            ),
            (
                "+CUSD=1,\"AA180C3602\",15",
                "+CUSD: 1,\"C834\",15\nOK",
                "{m: 1, text: \"Hi\", dcs: 15, coding: \"packed\"}",
            ),
            (
                "+CUSD=1,\"*100#\",15",
                "+CUSD: 1,\"Menu\n^RSSI:9\nOK\n0 Exit\",15",
                "{m: 1, text: \"Menu\\nOK\\n0 Exit\", dcs: 15, coding: \"plain\"}",
            ),
            ("+CUSD=1,\"*100#\",15", "OK", "Ok"),
            ("+CUSD?", "+CUSD: 1", "{n: 1}"),
            ("+CUSD=?", "+CUSD: (0-2)", "{n: [0, 1, 2]}"),
            ("+CMGF?", "+CMGF: 0", "{mode: 0}"),
            ("+CMGF=?", "+CMGF: (0,1)", "{mode: [0, 1]}"),
            ("+CFUN?", "+CFUN: 1", "{fun: 1}"),
            (
                "+CFUN=?",
                "+CFUN: (0,1,4),(0)",
                "{fun: [0, 1, 4], rst: [0]}",
            ),
            ("+CREG=?", "+CREG: (0-2)", "{n: [0, 1, 2]}"),
            (
                "+CMGD=?",
                "+CMGD: (1,300),(0-2)",
                "{index: [1, 300], delflag: [0, 1, 2]}",
            ),
            ("+CSCS?", "+CSCS: \"GSM\"", "{chset: \"GSM\"}"),
            (
                "+CSCS=?",
                "+CSCS: (\"GSM\",\"UCS2\")",
                "{chset: [\"GSM\", \"UCS2\"]}",
            ),
            ("+CMEE?", "+CMEE: 1", "{n: 1}"),
            (
                "+CMEE?",
                "+CMEE:",
                "the answer to `AT+CMEE?` makes no sense (1 lines, 6 octets)",
            ),
            (
                "+COPS=?",
                "garbage",
                "the answer to `AT+COPS=?` makes no sense (1 lines, 7 octets)",
            ),
            (
                "+CMGL=4",
                "+CMGL: 3,1,,2\n00A7",
                "{messages: [{index: 3, stat: 1, length: 2, pdu: \"00A7\"}]}",
            ),
            ("+CMGS=31", "+CMGS: 23", "{mr: 23}"),
            ("+CMGS=31", "+CMGS:", "{}"),
            (
                "+CNMI=?",
                "+CNMI: (0-2),(0,1)",
                "{mode: [0, 1, 2], mt: [0, 1]}",
            ),
            (
                "+CNMI?",
                "+CNMI: 2,1,0,1,0",
                "{mode: 2, mt: 1, bm: 0, ds: 1, bfr: 0}",
            ),
            ("+CNMI=2,1", "", "{}"),
            ("+CSMS=0", "+CSMS: 1,1,0", "{mt: true, mo: true, bm: false}"),
            (
                "+CSCA?",
                "+CSCA: \"002B003400340037\",145",
                "{sca: \"+447\"}",
            ),
            ("+CSCA?", "+CSCA: \"\",129", "{}"),
            ("+CPIN?", "+CPIN: SIM PIN", "{code: \"SIM PIN\"}"),
            (
                "+CRSM=176,28483,0,0,2",
                "+CRSM: 144,0,\"17ff\"",
                "{sw1: 144, sw2: 0, data: \"17FF\"}",
            ),
            (
                "^CPIN?",
                "^CPIN: SIM PIN,,10,2,10,3",
                "{pin: 2, puk: 10, pin2: 3, puk2: 10}",
            ),
            ("+CGMI", "huawei", "{manufacturer: \"huawei\"}"),
            ("+CGSN", "490154203237518", "{imei: \"490154203237518\"}"),
            (
                "+CCID",
                "^ICCID: 8938003992000000017",
                "{iccid: \"8938003992000000017\"}",
            ),
            (
                "+CBC",
                "+CBC: 0,72,4011",
                "{bcs: 0, bcl: 72, millivolts: 4011}",
            ),
            (
                "+CNUM",
                "+CNUM: ,\"07700900123\",129",
                "{numbers: [\"07700900123\"]}",
            ),
            ("+CMGF=0", "", "{}"),
            ("+CSCA", "+CSCA: \"+447\",145", "{sca: \"+447\"}"),
            ("+CSCA=\"+447\",145", "", "{}"),
            (
                "+CNMI",
                "+CNMI: (0-2),(0,1)",
                "{mode: [0, 1, 2], mt: [0, 1]}",
            ),
            ("+CNMI", "+CNMI: 2,1", "{mode: 2, mt: 1}"),
            ("+CPMS", "+CPMS: (\"SM\")", "{mem1: [\"SM\"]}"),
            ("+COPS", "+COPS: 0", "{mode: 0}"),
            (
                "+COPS",
                "+COPS: (2,,,\"00101\")",
                "{operators: [{stat: 2, plmn: \"00101\"}]}",
            ),
            ("+CMMS?", "+CMMS: 1", "{n: 1}"),
            ("+CMMS=2", "", "{}"),
            ("+CLCK=\"SC\",2", "+CLCK: 1", "{locked: true}"),
            ("+CLCK=\"SC\",0,\"****\"", "", "{}"),
            ("+CREG", "+CREG: 0,1", "{n: 0, stat: 1}"),
            ("+CPIN", "+CPIN: READY", "{code: \"READY\"}"),
            ("+CGMM", "AT+CGMM\nAT10\nOK", "{model: \"AT10\"}"),
            ("at+cgmm", "at+cgmm\nE1752\nOK", "{model: \"E1752\"}"),
            ("+CSQ", "+CSQ: 14,99\n+CME ERROR: 14", "Error(Cme(14))"),
            (
                "+CMGL=4",
                "+CMGL: 3,1,,2\n00A7\n+CMS ERROR: 320",
                "Error(Cms(320))",
            ),
            (
                "+CSQ",
                "NO CARRIER\n+CSQ: 14,99\nOK",
                "{rssi: 14, ber: 99, dbm: -85}",
            ),
            ("+CSQ", "NO CARRIER\nERROR", "Error(Plain)"),
            ("H", "NO CARRIER", "NoCarrier"),
            ("+CSQ", "OK", "Ok"),
            ("+CSQ", "+CME ERROR: 14", "Error(Cme(14))"),
            (
                "+CSQ",
                "rubbish",
                "the answer to `AT+CSQ` makes no sense (1 lines, 7 octets)",
            ),
            (
                "+CMGF=0",
                "rubbish",
                "the answer to `AT+CMGF=0` makes no sense (1 lines, 7 octets)",
            ),
        ];
        for (cmd, answer, expected) in CASES {
            assert_eq!(
                told(cmd, Kind::Response, answer),
                *expected,
                "{cmd} {answer}"
            );
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn unsolicited_lines_and_final_results() {
        const CASES: &[(Kind, &str, &str)] = &[
            (
                Kind::Urc,
                "+CMTI: \"SM\",3",
                "{kind: \"message\", mem: \"SM\", index: 3}",
            ),
            (
                Kind::Urc,
                "+CDSI: \"SM\",-1",
                "{kind: \"report\", mem: \"SM\"}",
            ),
            (
                Kind::Urc,
                "+CDS: ,2\n00A7",
                "{kind: \"report\", length: 2, pdu: \"00A7\"}",
            ),
            (
                Kind::Urc,
                "+CMT: 2\n00A7",
                "{kind: \"message\", length: 2, pdu: \"00A7\"}",
            ),
            (
                Kind::Urc,
                "+CBM: 2\n00A7",
                "{kind: \"broadcast\", length: 2, pdu: \"00A7\"}",
            ),
            (
                Kind::Urc,
                "+CMT: 2",
                "the answer to `AT` makes no sense (1 lines, 7 octets)",
            ),
            (
                Kind::Urc,
                "+CREG: 1, 1A2B, C3D0016",
                "{stat: 1, lac: \"1A2B\", ci: \"C3D0016\"}",
            ),
            (
                Kind::Urc,
                "+CUSD: 1,\"1 A\n2 B\",15",
                "{m: 1, text: \"1 A\\n2 B\", dcs: 15, coding: \"plain\"}",
            ),
            (Kind::Urc, "+CUSD: 4", "{m: 4}"),
            (
                Kind::Urc,
                "+CUSD: 0,\"6577039906\",16",
                "{m: 0, text: \"Hi\", language: \"en\", dcs: 16, coding: \"packed\"}",
            ),
            (
                Kind::Urc,
                "+CREG: 1,5,C3D0,2",
                "{stat: 1, lac: \"0005\", ci: \"C3D0\", act: 2}",
            ),
            (Kind::Urc, "+CPIN: READY", "{code: \"READY\"}"),
            (Kind::Urc, "RING", "{ring: true}"),
            (
                Kind::Urc,
                "OK",
                "the answer to `AT` makes no sense (1 lines, 2 octets)",
            ),
            (Kind::Urc, "NO CARRIER", "{noise: \"NO CARRIER\"}"),
            (
                Kind::Urc,
                "+CUSD: 1,\"Dial \"*101#\"\nor \"*102#\" now\",15",
                "{m: 1, text: \"Dial \\\"*101#\\\"\\nor \\\"*102#\\\" now\", dcs: 15, coding: \"plain\"}",
            ),
            (Kind::Urc, "^RSSI:14", "{noise: \"^RSSI:14\"}"),
            (Kind::Final, "OK", "Ok"),
            (Kind::Final, "NO CARRIER", "NoCarrier"),
            (
                Kind::Final,
                "+CMS ERROR: Network timeout",
                "Error(Cms(332))",
            ),
            (
                Kind::Final,
                "COMMAND NOT SUPPORT",
                "Error(Worded(\"COMMAND NOT SUPPORT\"))",
            ),
            (
                Kind::Final,
                "+CSQ: 1",
                "the answer to `AT` makes no sense (1 lines, 7 octets)",
            ),
        ];
        for (kind, text, expected) in CASES {
            assert_eq!(told("", *kind, text), *expected, "{text}");
        }
        let text = "+CUSD: 0,\"CAFE12\",15";
        let plain = "{m: 0, text: \"CAFE12\", dcs: 15, coding: \"plain\"}";
        assert_eq!(told("AT+CUSD=1,\"*100#\",15", Kind::Urc, text), plain);
        let framed = [String::new(), "RING".into()];
        let ring = vec![("ring", Value::Flag(true))];
        assert_eq!(read("", Kind::Urc, &framed), Ok(Reading::Fields(ring)));
        assert!(read("", Kind::Urc, &[String::new()]).is_err());
    }
}
