//! Commands about the network (TS 27.007, 7.2, 7.3, 8.5, 10.1.20, 10.1.22).

use std::time::Duration;

use super::fields::{Item, behind, items, number, text, ucs2_hex, units};
use super::{Answer, Command, ParseError, Plain, SHORT};

/// `AT+CREG=1` → `OK`: tell when the registration changes, `+CREG: 5` (TS 27.007, 7.2).
pub const ANNOUNCE_REGISTRATION: Plain = Plain("+CREG=1");

/// Whether the network lets this SIM in (TS 27.007, 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// In its own network (1, 6, 9) or abroad (5, 7, 10); all of them can send.
    Registered,
    /// Looking for one (2), or not yet (0).
    Searching,
    /// The network refuses it (3).
    Denied,
    /// No service for texts: unknown, emergency only, or a firmware's own number.
    NoService,
}

/// Which registration is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// `+CREG`: calls and texts.
    Circuit,
    /// `+CGREG`: GPRS.
    Packet,
    /// `+CEREG`: LTE.
    Eps,
}

/// Whether a line was asked for: an answer has `<n>` before `<stat>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `+CREG: <n>,<stat>[,<lac>,<ci>[,<AcT>]]`.
    Answer,
    /// `+CREG: <stat>[,<lac>,<ci>[,<AcT>]]`.
    Unsolicited,
}

/// What such a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// `<n>`: which changes are announced; only in an answer.
    pub n: Option<u8>,
    /// `<stat>` as it stands.
    pub stat: u8,
    /// `<lac>` or `<tac>`: the area.
    pub area: Option<u32>,
    /// `<ci>`: the cell.
    pub cell: Option<u32>,
    /// `<AcT>`: 0 GSM, 2 UTRAN, 7 E-UTRAN, ...
    pub technology: Option<u8>,
}

impl Domain {
    const ALL: [Self; 3] = [Self::Circuit, Self::Packet, Self::Eps];

    /// The domain of a line, and its fields.
    fn of(line: &str) -> Option<(Self, Vec<&str>)> {
        Self::ALL
            .into_iter()
            .find_map(|domain| Some((domain, behind(domain.prefix(), line)?)))
    }

    /// The highest `<n>` of the standard; vendors keep to it.
    fn highest_n(self) -> u8 {
        match self {
            Self::Circuit | Self::Packet => 3,
            Self::Eps => 5,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Circuit => "+CREG:",
            Self::Packet => "+CGREG:",
            Self::Eps => "+CEREG:",
        }
    }
}

impl Status {
    /// Reads a line of any of the three domains, in every width: hex with or without quotes and
    /// blanks, places left empty, `<AcT>` and reject causes behind.
    pub fn read(line: &str) -> Option<(Domain, Origin, Self)> {
        let (domain, fields) = Domain::of(line)?;
        let origin = match grammar(domain, line, &fields) {
            Grammar::Answer | Grammar::Either => Origin::Answer,
            Grammar::Unsolicited => Origin::Unsolicited,
        };
        Some((domain, origin, Self::of(&fields, origin)?))
    }

    /// Reads such a line when no question is open: what can be either is then no answer. None for one
    /// that can only be an answer, which comes late.
    pub fn unasked(line: &str) -> Option<(Domain, Self)> {
        let (domain, fields) = Domain::of(line)?;
        let status = Self::of(&fields, Origin::Unsolicited)?;
        (grammar(domain, line, &fields) != Grammar::Answer).then_some((domain, status))
    }

    fn of(fields: &[&str], origin: Origin) -> Option<Self> {
        let from = usize::from(origin == Origin::Answer);
        let hex = |place: usize| u32::from_str_radix(fields.get(place)?, 16).ok();
        Some(Self {
            n: number(fields, 0).filter(|_| origin == Origin::Answer),
            stat: number(fields, from)?,
            area: hex(from + 1),
            cell: hex(from + 2),
            technology: number(fields, from + 3),
        })
    }

    /// What `<stat>` means for texts.
    pub fn registration(self) -> Registration {
        match self.stat {
            1 | 5 | 6 | 7 | 9 | 10 => Registration::Registered,
            0 | 2 => Registration::Searching,
            3 => Registration::Denied,
            _ => Registration::NoService,
        }
    }
}

/// What the form of such a line tells about whether it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grammar {
    Answer,
    Unsolicited,
    /// Only whether a question is open can tell.
    Either,
}

/// The second field tells most: a `<stat>` has one or two decimal digits and is never empty; an area is
/// longer, or quoted where the first field is not. Two fields are always an answer: an area never comes
/// without its cell. Three are `<stat>`, area and cell, unless only the third has quotes: area and cell
/// are put alike. With four and more, an area without leading zeros looks like a `<stat>`: then a first field
/// too high for `<n>` makes it unsolicited, a cell in the fourth place an answer, and a number as short as
/// `<AcT>` may be either. Empty places at the end are no fields.
fn grammar(domain: Domain, line: &str, fields: &[&str]) -> Grammar {
    let short = |place: usize| {
        let field = fields.get(place).copied().unwrap_or_default();
        matches!(field.len(), 1 | 2) && field.bytes().all(|octet| octet.is_ascii_digit())
    };
    let raw = line.strip_prefix(domain.prefix()).unwrap_or_default();
    let quoted = |place: usize| {
        let field = raw.split(',').nth(place);
        field.is_some_and(|field| field.trim_start().starts_with('"'))
    };
    let empty = fields.iter().rev().take_while(|field| field.is_empty());
    match fields.len() - empty.count() {
        _ if !short(1) => Grammar::Unsolicited,
        2 => Grammar::Answer,
        _ if quoted(1) && !quoted(0) => Grammar::Unsolicited,
        3 if quoted(2) && !quoted(1) => Grammar::Answer,
        3 => Grammar::Unsolicited,
        4.. if number(fields, 0).is_none_or(|n: u8| n > domain.highest_n()) => Grammar::Unsolicited,
        4.. if short(3) => Grammar::Either,
        _ => Grammar::Answer,
    }
}

/// `AT+CREG?` → `+CREG: 2,5,"1A2B","C3D0",6`, and `AT+CGREG?`, `AT+CEREG?` likewise.
#[derive(Debug, Clone, Copy)]
pub struct ReadRegistration(pub Domain);

impl Command for ReadRegistration {
    type Reply = Status;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        format!("{}?", self.0.prefix().trim_end_matches(':'))
    }

    fn reply(&self, lines: &[String]) -> Result<Status, ParseError> {
        let read = |line: &String| Status::read(line).filter(|(domain, ..)| *domain == self.0);
        let found = || lines.iter().rev().filter_map(read);
        // A firmware that leaves out `<n>` has nothing but the other form.
        found()
            .find(|(_, origin, _)| *origin == Origin::Answer)
            .or_else(|| found().next())
            .map(|(.., status)| status)
            .ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// The network in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// `<mode>`: 0 automatic, 1 by hand, 2 deregistered, 4 by hand or else automatic.
    pub mode: u8,
    /// `<format>`: 0 long name, 1 short name, 2 number.
    pub format: Option<u8>,
    /// Its name or number; none while there is none.
    pub name: Option<String>,
    /// `<AcT>`.
    pub technology: Option<u8>,
}

/// `AT+COPS?` → `+COPS: 0,0,"Shop Net",2` (TS 27.007, 7.3).
#[derive(Debug, Clone, Copy)]
pub struct ReadOperator;

impl Command for ReadOperator {
    type Reply = Operator;
    const TIMEOUT: Duration = Duration::from_secs(10);
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+COPS?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Operator, ParseError> {
        let operator = lines.iter().find_map(|line| {
            let fields = behind("+COPS:", line)?;
            Some(Operator {
                mode: number(&fields, 0)?,
                format: number(&fields, 1),
                name: text(&fields, 2).map(|name| ucs2_hex(&name).unwrap_or(name)),
                technology: number(&fields, 3),
            })
        });
        operator.ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// A network within reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    /// `<stat>`: 0 unknown, 1 available, 2 in use, 3 forbidden.
    pub stat: Option<u8>,
    /// Its name, the longer one where there are two.
    pub name: Option<String>,
    /// Country and network code, five or six digits.
    pub plmn: String,
    /// `<AcT>`.
    pub technology: Option<u8>,
}

/// `AT+COPS=?` → `+COPS: (2,"Shop Net","Shop","00101",0),(3,"Other","","00102",2),,(0-4),(0-2)`.
///
/// A search through all bands. Some firmwares say one network a line, leave the second name or the
/// technology out, or put the names as hex.
#[derive(Debug, Clone, Copy)]
pub struct ListOperators;

impl Command for ListOperators {
    type Reply = Vec<Reachable>;
    const TIMEOUT: Duration = Duration::from_secs(180);
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+COPS=?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Vec<Reachable>, ParseError> {
        let found: Vec<_> = lines
            .iter()
            .filter_map(|line| items("+COPS:", line))
            .collect();
        if found.is_empty() {
            return Err(ParseError::new(&self.line(), lines));
        }
        Ok(found
            .into_iter()
            .flatten()
            .filter_map(|item| reachable(&item))
            .collect())
    }
}

/// A bracket with a network's number in it; the ranges of modes and formats behind have none. Its place
/// is the fourth (TS 27.007, 7.3); where a name is left out it moves forward. A name may be a number too.
fn reachable(item: &Item<'_>) -> Option<Reachable> {
    let Item::Several(fields) = item else {
        return None;
    };
    let fields: Vec<&str> = fields.iter().map(Item::word).collect();
    let numbers: Vec<Option<String>> = fields.iter().map(|field| plmn(field)).collect();
    let is_number = |place: &usize| numbers.get(*place).is_some_and(Option::is_some);
    let at = [3].into_iter().chain(1..fields.len()).find(is_number)?;
    let number_of = numbers.get(at)?.clone()?;
    // Where the number is hex, so are the names, whatever their letters.
    let hex = fields.get(at) != Some(&number_of.as_str());
    let names = fields.get(1..at)?;
    let name = names.iter().find(|name| !name.is_empty());
    Some(Reachable {
        stat: number(&fields, 0),
        name: name.map(|name| {
            let text = if hex { units(name) } else { ucs2_hex(name) };
            text.unwrap_or_else(|| (*name).to_owned())
        }),
        plmn: number_of,
        technology: number(&fields, at + 1),
    })
}

/// Five or six digits, as they are or as the hex of their UCS-2 units.
fn plmn(field: &str) -> Option<String> {
    let digits = |text: &str| {
        matches!(text.len(), 5 | 6) && text.bytes().all(|octet| octet.is_ascii_digit())
    };
    let text = ucs2_hex(field).unwrap_or_else(|| field.to_owned());
    digits(&text).then_some(text)
}

/// Received signal strength, in dBm from -113 to -51.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dbm(pub i16);

/// How well the network is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// `<rssi>`: an index, 0 to 31; 99 is unknown.
    pub rssi: u8,
    /// `<ber>`: 0 to 7; 99 is unknown.
    pub ber: Option<u8>,
}

impl Signal {
    /// The strength; none where it is unknown.
    pub fn dbm(self) -> Option<Dbm> {
        (self.rssi <= 31).then(|| Dbm(2 * i16::from(self.rssi) - 113))
    }
}

/// `AT+CSQ` → `+CSQ: 14,99` (TS 27.007, 8.5).
#[derive(Debug, Clone, Copy)]
pub struct SignalQuality;

impl Command for SignalQuality {
    type Reply = Signal;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CSQ".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Signal, ParseError> {
        let signal = lines.iter().find_map(|line| {
            let fields = behind("+CSQ:", line)?;
            Some(Signal {
                rssi: number(&fields, 0)?,
                ber: number(&fields, 1),
            })
        });
        signal.ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::answer_lines as lines;

    type Row = (
        &'static str,
        Origin,
        u8,
        Option<u32>,
        Option<u32>,
        Option<u8>,
    );

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn registration_in_every_width_and_quoting() {
        use Origin::{Answer, Unsolicited};
        const CASES: &[Row] = &[
            ("+CREG: 0,1", Answer, 1, None, None, None),
            (
                "+CREG: 2,5,\"1A2B\",\"C3D0\",6",
                Answer,
                5,
                Some(0x1A2B),
                Some(0xC3D0),
                Some(6),
            ),
            (
                "+CREG: 2,1,\"1A2B\",\"01C3D001\"",
                Answer,
                1,
                Some(0x1A2B),
                Some(0x01C3_D001),
                None,
            ),
            (
                "+CREG: 2,1, 1A2B, C3D0016",
                Answer,
                1,
                Some(0x1A2B),
                Some(0x0C3D_0016),
                None,
            ),
            ("+CREG: 2,2,,", Answer, 2, None, None, None),
            ("+CGREG: 0,3", Answer, 3, None, None, None),
            ("+CEREG: 0,11", Answer, 11, None, None, None),
            (
                "+CEREG: 5,1,\"1A2B\",\"01C3D001\",7,,,\"00000000\"",
                Answer,
                1,
                Some(0x1A2B),
                Some(0x01C3_D001),
                Some(7),
            ),
            ("+CREG: 1", Unsolicited, 1, None, None, None),
            ("+CREG:5", Unsolicited, 5, None, None, None),
            (
                "+CREG: 1, 1A2B, C3D0016",
                Unsolicited,
                1,
                Some(0x1A2B),
                Some(0x0C3D_0016),
                None,
            ),
            (
                "+CREG: 1,\"0001\",\"0002\",2",
                Unsolicited,
                1,
                Some(1),
                Some(2),
                Some(2),
            ),
            (
                "+CREG: 1,15,16",
                Unsolicited,
                1,
                Some(0x15),
                Some(0x16),
                None,
            ),
            (
                "+CREG: 5,\"5\",\"C3D0\",2",
                Unsolicited,
                5,
                Some(5),
                Some(0xC3D0),
                Some(2),
            ),
            (
                "+CREG: 5,5,C3D0,2",
                Unsolicited,
                5,
                Some(5),
                Some(0xC3D0),
                Some(2),
            ),
            ("+CREG: 1,5,C3D0,2", Answer, 5, Some(0xC3D0), Some(2), None),
            ("+CEREG: 2,\"\",\"\"", Unsolicited, 2, None, None, None),
            (
                "+CGREG: 1,\"1A2B\",\"C3D0\",0,\"01\"",
                Unsolicited,
                1,
                Some(0x1A2B),
                Some(0xC3D0),
                Some(0),
            ),
        ];
        for (line, origin, stat, area, cell, technology) in CASES {
            let second = line.split([' ', ',']).nth(1).and_then(|n| n.parse().ok());
            let status = Status {
                n: second.filter(|_| *origin == Answer),
                stat: *stat,
                area: *area,
                cell: *cell,
                technology: *technology,
            };
            let read = Status::read(line).map(|(_, origin, status)| (origin, status));
            assert_eq!(read, Some((*origin, status)), "{line}");
        }
        for line in ["+CREG: ?", "+CREG:", "+CSQ: 1,2", "+CREG: 300"] {
            assert_eq!(Status::read(line), None, "{line}");
        }
    }

    #[test]
    fn without_a_question_only_a_clear_answer_is_none_of_the_news() {
        type Expected = Option<(u8, Option<u32>)>;
        const CASES: &[(&str, Expected)] = &[
            ("+CREG: 1,5,C3D0,2", Some((1, Some(5)))),
            ("+CREG: 5,\"5\",\"C3D0\",2", Some((5, Some(5)))),
            ("+CREG: 1,\"5\",\"C3D0\",2", Some((1, Some(5)))),
            (
                "+CGREG: 1,\"1A2B\",\"C3D0\",0,\"01\"",
                Some((1, Some(0x1A2B))),
            ),
            ("+CREG: 2", Some((2, None))),
            ("+CREG: 0,1", None),
            ("+CREG: 2,1,1A2B,C3D0016", None),
            ("+CREG: 2,1,\"1A2B\",\"C3D0016\",6", None),
            ("+CSQ: 1", None),
        ];
        for (line, expected) in CASES {
            let read = Status::unasked(line).map(|(_, status)| (status.stat, status.area));
            assert_eq!(read, *expected, "{line}");
        }
    }

    #[test]
    fn an_answer_wins_over_a_line_that_crosses_it() {
        const CASES: &[(Domain, &str, u8)] = &[
            (Domain::Circuit, "+CREG: 0,1\n+CREG: 2", 1),
            (Domain::Circuit, "+CREG: 2\n+CREG: 0,1", 1),
            (Domain::Circuit, "+CREG: 5", 5),
            (Domain::Circuit, "+CREG: 0,1,", 1),
            (Domain::Circuit, "+CREG: 0,5,,", 5),
            (Domain::Circuit, "+CREG: \"0\",\"1\"", 1),
            (Domain::Circuit, "+CREG: 0,\"5\"", 5),
            (Domain::Circuit, "+CREG: 2,1,\"1A2B\"", 1),
            (
                Domain::Circuit,
                "+CREG: \"2\",\"1\",\"1A2B\",\"C3D0016\"",
                1,
            ),
            (Domain::Eps, "+CREG: 0,1\n+CEREG: 0,3", 3),
        ];
        for (domain, answer, stat) in CASES {
            let status = ReadRegistration(*domain).reply(&lines(answer)).unwrap();
            assert_eq!(status.stat, *stat, "{answer}");
        }
        assert!(ReadRegistration(Domain::Circuit).reply(&[]).is_err());
        assert_eq!(ReadRegistration(Domain::Packet).line(), "+CGREG?");
    }

    #[test]
    fn what_a_status_means_for_texts() {
        const CASES: &[(u8, Registration)] = &[
            (0, Registration::Searching),
            (1, Registration::Registered),
            (3, Registration::Denied),
            (4, Registration::NoService),
            (7, Registration::Registered),
            (8, Registration::NoService),
            (11, Registration::NoService),
        ];
        for (stat, expected) in CASES {
            let (.., status) = Status::read(&format!("+CREG: 0,{stat}")).unwrap();
            assert_eq!(status.registration(), *expected, "{stat}");
        }
    }

    #[test]
    fn signal_is_told_in_dbm() {
        const CASES: &[(&str, Option<Dbm>)] = &[
            ("+CSQ: 0,99", Some(Dbm(-113))),
            ("+CSQ: 14,99", Some(Dbm(-85))),
            ("+CSQ:31", Some(Dbm(-51))),
            ("+CSQ: 99,99", None),
            ("+CSQ: 199,0", None),
        ];
        for (answer, expected) in CASES {
            let signal = SignalQuality.reply(&lines(answer)).unwrap();
            assert_eq!(signal.dbm(), *expected, "{answer}");
        }
        assert!(SignalQuality.reply(&lines("+CSQ: ,")).is_err());
    }

    #[test]
    fn operators_with_commas_and_without_names() {
        const CASES: &[(&str, u8, Option<&str>, Option<u8>)] = &[
            ("+COPS: 0,0,\"Shop, Net\",2", 0, Some("Shop, Net"), Some(2)),
            ("+COPS: 0", 0, None, None),
            ("+COPS: 1,2,00101", 1, Some("00101"), None),
            ("+COPS: 0,0,\"\",", 0, None, None),
            (
                "+COPS: 0,0,\"00530068006F0070\",7",
                0,
                Some("Shop"),
                Some(7),
            ),
        ];
        for (answer, mode, name, technology) in CASES {
            let operator = ReadOperator.reply(&lines(answer)).unwrap();
            assert_eq!(operator.mode, *mode, "{answer}");
            assert_eq!(operator.name.as_deref(), *name, "{answer}");
            assert_eq!(operator.technology, *technology, "{answer}");
        }
        assert!(ReadOperator.reply(&[]).is_err());
    }

    #[test]
    fn networks_within_reach_in_vendors_forms() {
        type Expected = &'static [(Option<u8>, Option<&'static str>, &'static str, Option<u8>)];
        const CASES: &[(&str, Expected)] = &[
            (
                "+COPS: (2,\"Shop Net\",\"Shop\",\"00101\",0),(3,\"Other\",\"\",\"00102\",2),,(0-4),(0-2)",
                &[
                    (Some(2), Some("Shop Net"), "00101", Some(0)),
                    (Some(3), Some("Other"), "00102", Some(2)),
                ],
            ),
            (
                "+COPS: (1,\"\",\"OTH\",\"001022\"), (2,\"A, B\",\"AB\",\"00101\"),,(0,1,2,3,4),(0,1,2)",
                &[
                    (Some(1), Some("OTH"), "001022", None),
                    (Some(2), Some("A, B"), "00101", None),
                ],
            ),
            (
                "+COPS: (2,\"One\",\"1\",\"00101\",7)\n+COPS: (1,\"Two\",\"2\",\"00102\",7)",
                &[
                    (Some(2), Some("One"), "00101", Some(7)),
                    (Some(1), Some("Two"), "00102", Some(7)),
                ],
            ),
            (
                "+COPS: (2,,,\"00101\",0",
                &[(Some(2), None, "00101", Some(0))],
            ),
            ("+COPS: ,,(0-4),(0-2)", &[]),
            (
                "+COPS: (2,\"00530068006F0070\",\"0053\",\"00300030003100300031\",7)",
                &[(Some(2), Some("Shop"), "00101", Some(7))],
            ),
            (
                "+COPS: (1,\"03A903A9\",,\"00300030003100300031\")",
                &[(Some(1), Some("\u{3a9}\u{3a9}"), "00101", None)],
            ),
            (
                "+COPS: (2,\"26201\",\"26201\",\"26202\",7)",
                &[(Some(2), Some("26201"), "26202", Some(7))],
            ),
            (
                "+COPS: (2,\"Shop\",\"26201\",7)",
                &[(Some(2), Some("Shop"), "26201", Some(7))],
            ),
        ];
        for (answer, expected) in CASES {
            let found = ListOperators.reply(&lines(answer)).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|one| {
                    (
                        one.stat,
                        one.name.as_deref(),
                        one.plmn.as_str(),
                        one.technology,
                    )
                })
                .collect();
            assert_eq!(found, *expected, "{answer}");
        }
    }

    #[test]
    fn what_is_no_list_of_networks_is_an_error() {
        for answer in ["", "garbage", "+CSQ: 1"] {
            assert!(ListOperators.reply(&lines(answer)).is_err(), "{answer}");
        }
    }
}
