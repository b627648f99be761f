//! What can be asked on the control socket: one JSON object a line.
//!
//! | `do` | other keys |
//! |---|---|
//! | a word of a plan, with `at` | a rule, as in a plan: it is added behind those that are there |
//! | `reset unplug sim_out sim_in sim_full sim_room sim_locked network_lost network_back call` | `modem ms as`: at once |
//! | `plug` | `modem as`: the stick is plugged in again |
//! | `clear` | `modem`: all its rules go |
//! | `deliver` | `modem from text order zone`: a text from outside, its parts in this order |
//! | `reports` | `modem delay_ms order zone`: how reports come from now on |
//! | `quota` | `modem parts per_ms`: so many parts pass, all of them without `parts` |
//! | `spam` | the same: the rest is accepted and swallowed |
//! | `registration` | `modem domain stat`: `stat` of +CREG and its like from now on, for the domain `cs`, `ps` or `eps`, or all |
//! | `signal` | `modem rssi`: of +CSQ from now on, 0 to 31, or 99 |
//! | `list` | `modem`: how things stand |
//!
//! Without `modem` all of them are meant, but for `deliver`. `order` is `kept`, `reversed` or
//! `shuffled` for reports and a list of part numbers for a text; `zone` counts quarters of an hour.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::emulator::faults::{Act, Rule, RuleText, Word};
use crate::emulator::modem::Domain;
use crate::emulator::network::{Inbound, Quota, ReportOrder};

/// What one stick is to do.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) enum Order {
    /// Nothing but tell how things stand.
    Show,
    /// This goes wrong at once.
    Act(Act),
    /// This is to go wrong.
    Rule(Rule),
    /// It is plugged in again, under this name.
    Plug(Option<String>),
    /// Nothing more is to go wrong.
    Clear,
    /// How its reports come.
    Reports {
        delay: Option<Duration>,
        order: Option<ReportOrder>,
        zone: Option<i8>,
    },
    /// How many parts it may send.
    Quota(Option<Quota>),
    /// After how many parts the rest is swallowed.
    Spam(Option<Quota>),
    /// What the network grants to one domain, or to all that can have it.
    Registration(Option<Domain>, u8),
    /// How well it hears the network.
    Signal(u8),
}

/// A line of the socket, understood.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    /// An order to this modem, or to all; with the state as an answer?
    Order(Option<u16>, Order),
    /// A text to this modem.
    Deliver(u16, Inbound),
}

/// How things stand with a stick.
#[derive(Debug, Serialize)]
pub(in crate::emulator) struct Shown {
    /// Counted from 0.
    pub(in crate::emulator) modem: u16,
    /// The name of its port; none while it is pulled out.
    pub(in crate::emulator) name: Option<String>,
    /// Is it in the network?
    pub(in crate::emulator) registered: bool,
    /// `ready`, `absent`, `pin`, `puk` or `dead`.
    pub(in crate::emulator) sim: &'static str,
    /// Parts that the network took from it.
    pub(in crate::emulator) accepted: u32,
    /// Messages and reports that are to come.
    pub(in crate::emulator) waiting: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whom {
    modem: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlugText {
    modem: Option<u16>,
    #[serde(rename = "as")]
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliverText {
    modem: u16,
    from: String,
    text: String,
    order: Option<Vec<u8>>,
    zone: Option<i8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportsText {
    modem: Option<u16>,
    delay_ms: Option<u64>,
    order: Option<ReportOrder>,
    zone: Option<i8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotaText {
    modem: Option<u16>,
    parts: Option<u32>,
    per_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistrationText {
    modem: Option<u16>,
    domain: Option<Domain>,
    stat: u8,
}

impl RegistrationText {
    /// Errors: no such `<stat>` in that domain, or in any.
    fn order(&self) -> Result<Order, String> {
        let known = match self.domain {
            Some(domain) => domain.has(self.stat),
            None => Domain::ALL.iter().any(|domain| domain.has(self.stat)),
        };
        if !known {
            return Err("`stat`: is 0 to 5, 8 or 11; 6, 7, 9 and 10 with cs only".into());
        }
        Ok(Order::Registration(self.domain, self.stat))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalText {
    modem: Option<u16>,
    rssi: u8,
}

impl QuotaText {
    fn quota(&self) -> Option<Quota> {
        let per = self.per_ms.map(Duration::from_millis);
        self.parts.map(|parts| Quota { parts, per })
    }
}

/// What can be asked besides the words of a plan.
const KNOWN: [&str; 9] = [
    "list",
    "clear",
    "plug",
    "deliver",
    "reports",
    "quota",
    "spam",
    "registration",
    "signal",
];

/// Understands one line. Errors: what is wrong with it, in words.
pub(super) fn read(line: &str) -> Result<Request, String> {
    let mut object: Map<String, Value> =
        serde_json::from_str(line).map_err(|error| format!("this is no JSON object: {error}"))?;
    let what = object.get("do").and_then(Value::as_str).map(str::to_owned);
    let what = what.ok_or("`do`: is missing: what is to be done?")?;
    if !KNOWN.contains(&what.as_str()) {
        return fault(&what, object);
    }
    object.remove("do");
    match what.as_str() {
        "deliver" => {
            let it: DeliverText = keys(object)?;
            let mut inbound = Inbound::new(it.from, it.text);
            (inbound.order, inbound.zone) = (it.order, it.zone);
            Ok(Request::Deliver(it.modem, inbound))
        }
        what => order(what, object),
    }
}

/// A word of a plan: at once, or as a rule.
fn fault(what: &str, object: Map<String, Value>) -> Result<Request, String> {
    if serde_json::from_value::<Word>(json!(what)).is_err() {
        let known = KNOWN.join(", ");
        return Err(format!(
            "`do`: no plan knows `{what}`, and it is none of {known}"
        ));
    }
    let text: RuleText = keys(object)?;
    let modem = text.modem();
    let order = if text.waits() {
        text.rule().map(Order::Rule)
    } else {
        text.at_once().map(Order::Act)
    };
    order
        .map(|order| Request::Order(modem, order))
        .map_err(|bad| bad.to_string())
}

/// One of [`KNOWN`] but a text, by its other keys.
fn order(what: &str, object: Map<String, Value>) -> Result<Request, String> {
    let (modem, order) = match what {
        "clear" => (keys::<Whom>(object)?.modem, Order::Clear),
        "plug" => {
            let PlugText { modem, name } = keys(object)?;
            (modem, Order::Plug(name))
        }
        "reports" => {
            let it: ReportsText = keys(object)?;
            if it.zone.is_some_and(|zone| !(-63..=63).contains(&zone)) {
                return Err("`zone`: counts quarters of an hour, -63 to 63".into());
            }
            let reports = Order::Reports {
                delay: it.delay_ms.map(Duration::from_millis),
                order: it.order,
                zone: it.zone,
            };
            (it.modem, reports)
        }
        "quota" => {
            let it: QuotaText = keys(object)?;
            (it.modem, Order::Quota(it.quota()))
        }
        "spam" => {
            let it: QuotaText = keys(object)?;
            (it.modem, Order::Spam(it.quota()))
        }
        "registration" => {
            let it: RegistrationText = keys(object)?;
            (it.modem, it.order()?)
        }
        "signal" => {
            let it: SignalText = keys(object)?;
            if !matches!(it.rssi, 0..=31 | 99) {
                return Err("`rssi`: is 0 to 31, or 99".into());
            }
            (it.modem, Order::Signal(it.rssi))
        }
        _ => (keys::<Whom>(object)?.modem, Order::Show),
    };
    Ok(Request::Order(modem, order))
}

fn keys<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_request() {
        let ms = Duration::from_millis;
        let inbound = |order, zone| Inbound {
            order,
            zone,
            ..Inbound::new("Bank", "x")
        };
        let quota = |per| Some(Quota { parts: 3, per });
        let reports = Order::Reports {
            delay: Some(ms(70)),
            order: Some(ReportOrder::Reversed),
            zone: Some(-4),
        };
        let cases = [
            (r#"{"do":"list"}"#, Request::Order(None, Order::Show)),
            (
                r#"{"do":"clear","modem":2}"#,
                Request::Order(Some(2), Order::Clear),
            ),
            (
                r#"{"do":"plug","modem":2,"as":"modem7"}"#,
                Request::Order(Some(2), Order::Plug(Some("modem7".into()))),
            ),
            (
                r#"{"do":"deliver","modem":1,"from":"Bank","text":"x"}"#,
                Request::Deliver(1, inbound(None, None)),
            ),
            (
                r#"{"do":"deliver","modem":1,"from":"Bank","text":"x","order":[2,1],"zone":4}"#,
                Request::Deliver(1, inbound(Some(vec![2, 1]), Some(4))),
            ),
            (
                r#"{"do":"reports","delay_ms":70,"order":"reversed","zone":-4}"#,
                Request::Order(None, reports),
            ),
            (
                r#"{"do":"quota","parts":3}"#,
                Request::Order(None, Order::Quota(quota(None))),
            ),
            (
                r#"{"do":"spam","parts":3,"per_ms":70}"#,
                Request::Order(None, Order::Spam(quota(Some(ms(70))))),
            ),
            (
                r#"{"do":"network_lost","modem":0,"ms":70}"#,
                Request::Order(
                    Some(0),
                    Order::Act(Act::Befall(Word::NetworkLost, Some(ms(70)))),
                ),
            ),
        ];
        for (line, wanted) in cases {
            assert_eq!(read(line), Ok(wanted), "{line}");
        }
        let rule = read(r#"{"do":"silence","at":"result","nth":2}"#);
        assert!(
            matches!(rule, Ok(Request::Order(None, Order::Rule(_)))),
            "{rule:?}"
        );
    }

    #[test]
    fn the_network_is_set_by_orders_of_its_own() {
        let cases = [
            (
                r#"{"do":"registration","modem":1,"domain":"cs","stat":6}"#,
                Request::Order(Some(1), Order::Registration(Some(Domain::Circuit), 6)),
            ),
            (
                r#"{"do":"registration","stat":3}"#,
                Request::Order(None, Order::Registration(None, 3)),
            ),
            (
                r#"{"do":"signal","rssi":31}"#,
                Request::Order(None, Order::Signal(31)),
            ),
        ];
        for (line, wanted) in cases {
            assert_eq!(read(line), Ok(wanted), "{line}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_done_says_why() {
        const CASES: &[(&str, &str)] = &[
            ("nonsense", "this is no JSON object: "),
            ("[]", "this is no JSON object: "),
            ("{}", "`do`: is missing"),
            (r#"{"do":7}"#, "`do`: is missing"),
            (
                r#"{"do":"explode"}"#,
                "`do`: no plan knows `explode`, and it is none of list, clear",
            ),
            (r#"{"do":"silence"}"#, "`at`: is missing"),
            (r#"{"do":"list","moden":0}"#, "unknown field `moden`"),
            (
                r#"{"do":"deliver","from":"x","text":"y"}"#,
                "missing field `modem`",
            ),
            (
                r#"{"do":"registration","domain":"eps","stat":6}"#,
                "`stat`: is 0 to 5",
            ),
            (r#"{"do":"registration","stat":12}"#, "`stat`: is 0 to 5"),
            (
                r#"{"do":"registration","domain":"lte","stat":1}"#,
                "unknown variant `lte`",
            ),
            (r#"{"do":"signal","rssi":32}"#, "`rssi`: is 0 to 31"),
            (
                r#"{"do":"quota","parts":-1}"#,
                "invalid value: integer `-1`",
            ),
        ];
        for (line, words) in CASES {
            let told = read(line).unwrap_err();
            assert!(told.starts_with(words), "{line}: {told}");
        }
    }
}
