//! Commands about stored messages (TS 27.005, 3.2.2, 3.4.2, 3.4.3, 3.5.4 and 4).

use std::time::Duration;

use super::fields::{Item, behind, items, last_number, number};
use super::{Answer, Command, ParseError, SLOW};

/// How full a storage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Its name, where the answer tells it: `SM`, `ME`, `MT`, `SR`, ...
    pub name: Option<String>,
    /// Messages in it.
    pub used: u32,
    /// Places in all; a phone may claim a hundred thousand.
    pub total: u32,
}

/// `AT+CPMS="SM","SM","SM"` → `+CPMS: 2,20,2,20,2,20` (3.2.2): the storages for reading and deleting,
/// for writing, and for what comes in. Some terminals have one or two of them.
#[derive(Debug, Clone)]
pub struct SelectStorage(pub String);

impl Command for SelectStorage {
    type Reply = Vec<Storage>;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        format!("+CPMS={}", self.0)
    }

    fn reply(&self, lines: &[String]) -> Result<Vec<Storage>, ParseError> {
        fillings(lines).ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// `AT+CPMS?` → `+CPMS: "SM",2,20,"SM",2,20,"SM",2,20` (3.2.2).
#[derive(Debug, Clone, Copy)]
pub struct ReadStorage;

impl Command for ReadStorage {
    type Reply = Vec<Storage>;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CPMS?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Vec<Storage>, ParseError> {
        fillings(lines).ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// Pairs of numbers, each with or without a name before it; at least one.
fn fillings(lines: &[String]) -> Option<Vec<Storage>> {
    let fields = lines.iter().find_map(|line| behind("+CPMS:", line))?;
    let mut fields = fields.into_iter().peekable();
    let mut found = Vec::new();
    while fields.peek().is_some() {
        let name = fields.next_if(|field| field.parse::<u32>().is_err());
        let used = fields.next().and_then(|field| field.parse().ok());
        let total = fields.next().and_then(|field| field.parse().ok());
        if let Some((used, total)) = used.zip(total) {
            let name = name.filter(|name| !name.is_empty()).map(ToOwned::to_owned);
            found.push(Storage { name, used, total });
        }
    }
    (!found.is_empty()).then_some(found)
}

/// `AT+CPMS=?` → `+CPMS: ("ME","SM"),("ME","SM"),("SM")`: what each of the storages can be (3.2.2).
///
/// Brackets may be missing, empty, or stand around all of it: `(("SM","BM","SR"),("SM"))`.
#[derive(Debug, Clone, Copy)]
pub struct ListStorages;

impl Command for ListStorages {
    type Reply = Vec<Vec<String>>;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CPMS=?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Vec<Vec<String>>, ParseError> {
        let found = lines.iter().find_map(|line| items("+CPMS:", line));
        let found = found.ok_or_else(|| ParseError::new(&self.line(), lines))?;
        let names = |item: &Item<'_>| item.words().into_iter().map(ToOwned::to_owned).collect();
        if let [Item::Several(inside)] = found.as_slice()
            && inside.iter().any(|item| matches!(item, Item::Several(_)))
        {
            return Ok(inside.iter().map(names).collect());
        }
        // More words than storages, and no bracket: they are one list.
        if found.len() > 3 && found.iter().all(|item| matches!(item, Item::One(_))) {
            return Ok(vec![names(&Item::Several(found))]);
        }
        Ok(found.iter().map(names).collect())
    }
}

/// A message in a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place, where it was listed.
    pub index: Option<u16>,
    /// `<stat>`: 0 unread, 1 read, 2 unsent, 3 sent.
    pub stat: Option<u8>,
    /// Octets of the TPDU as the header tells; some firmwares say nonsense.
    pub length: Option<u16>,
    /// The PDU in hex.
    pub pdu: String,
}

/// `AT+CMGR=<index>` → `+CMGR: 0,,25` and the PDU's line (3.4.3, 4.2). None: the place is empty, which
/// some say with `OK` alone, others with `+CMS ERROR: 321`.
#[derive(Debug, Clone, Copy)]
pub struct ReadMessage(pub u16);

impl Command for ReadMessage {
    type Reply = Option<Stored>;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::WithPdus;

    fn line(&self) -> String {
        format!("+CMGR={}", self.0)
    }

    fn reply(&self, lines: &[String]) -> Result<Option<Stored>, ParseError> {
        let wrong = || ParseError::new(&self.line(), lines);
        let [header, rest @ ..] = lines else {
            return Ok(None);
        };
        let fields = behind("+CMGR:", header).ok_or_else(wrong)?;
        match rest {
            [pdu, ..] if is_hex(pdu) => Ok(Some(Stored {
                index: None,
                stat: stat(&fields, 0),
                length: last_number(&fields),
                pdu: pdu.clone(),
            })),
            [] if last_number(&fields) == Some(0_u16) => Ok(None),
            _ => Err(wrong()),
        }
    }
}

/// `AT+CMGL=4` → `+CMGL: 0,1,,43` and a PDU's line, as often as there are messages (3.4.2, 4.1).
/// Status reports are among them. A header whose PDU is missing is passed over.
#[derive(Debug, Clone, Copy)]
pub struct ListMessages;

impl Command for ListMessages {
    type Reply = Vec<Stored>;
    // A full card is read at some hundred octets a second.
    const TIMEOUT: Duration = Duration::from_secs(60);
    const ANSWER: Answer = Answer::WithPdus;

    fn line(&self) -> String {
        "+CMGL=4".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Vec<Stored>, ParseError> {
        let pairs = lines.iter().zip(lines.iter().skip(1));
        let found = pairs.filter(|(_, pdu)| is_hex(pdu));
        let stored = found.filter_map(|(header, pdu)| {
            let fields = behind("+CMGL:", header)?;
            Some(Stored {
                index: number(&fields, 0),
                stat: stat(&fields, 1),
                length: last_number(&fields),
                pdu: pdu.clone(),
            })
        });
        let stored: Vec<_> = stored.collect();
        if stored.is_empty() && !lines.is_empty() {
            return Err(ParseError::new(&self.line(), lines));
        }
        Ok(stored)
    }
}

/// A header that lost its first fields has only the length left in this place.
fn stat(fields: &[&str], place: usize) -> Option<u8> {
    number(fields, place).filter(|_| fields.len() > place + 1)
}

/// `AT+CMGD=7` → `OK`: empties a place of the storage that is selected (3.5.4); an empty place, too. `+CMS ERROR: 321`
/// where the storage has no such place.
#[derive(Debug, Clone, Copy)]
pub struct DeleteMessage(pub u16);

impl Command for DeleteMessage {
    type Reply = ();
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        format!("+CMGD={}", self.0)
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Whether a line can be a PDU.
pub fn is_hex(line: &str) -> bool {
    !line.is_empty() && line.bytes().all(|octet| octet.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::answer_lines as lines;

    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

    fn shown(storages: &[Storage]) -> String {
        let one = |storage: &Storage| {
            let name = storage.name.as_deref().unwrap_or("-");
            format!("{name} {}/{}", storage.used, storage.total)
        };
        storages.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn fillings_with_and_without_names() {
        const CASES: &[(&str, &str)] = &[
            ("+CPMS: 2,20,3,30,4,40", "- 2/20, - 3/30, - 4/40"),
            ("+CPMS: 14,50,14,50", "- 14/50, - 14/50"),
            ("+CPMS: 1,20", "- 1/20"),
            ("+CPMS: \"ME\",0,100000,\"SM\",1,20", "ME 0/100000, SM 1/20"),
            (
                "+CPMS: \"SM\",2,20,\"ME\",0,100,\"SR\",0,5",
                "SM 2/20, ME 0/100, SR 0/5",
            ),
            ("+CPMS: \"SM\", 2, 20, , , ", "SM 2/20"),
            ("+CPMS:0,10,0,23,0,5", "- 0/10, - 0/23, - 0/5"),
        ];
        for (answer, expected) in CASES {
            let read = ReadStorage.reply(&lines(answer)).unwrap();
            assert_eq!(shown(&read), *expected, "{answer}");
        }
        let select = SelectStorage("\"SM\"".into());
        assert_eq!(select.line(), "+CPMS=\"SM\"");
        assert!(select.reply(&lines("+CPMS: full")).is_err());
        assert!(select.reply(&[]).is_err());
    }

    #[test]
    fn storages_in_every_form_of_brackets() {
        const CASES: &[(&str, &[&[&str]])] = &[
            (
                "+CPMS: (\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"SM\"),(\"SM\")",
                &[&["ME", "MT", "SM", "SR"], &["ME", "SM"], &["SM"]],
            ),
            (
                "+CPMS: ((\"SM\",\"BM\",\"SR\"),(\"SM\"))",
                &[&["SM", "BM", "SR"], &["SM"]],
            ),
            ("+CPMS: (),(),()", &[&[], &[], &[]]),
            ("+CPMS: \"SM\",\"ME\",\"SM\"", &[&["SM"], &["ME"], &["SM"]]),
            (
                "+CPMS: \"MT\",\"SM\",\"BM\",\"ME\"",
                &[&["MT", "SM", "BM", "ME"]],
            ),
            (
                "+CPMS:  (\"ME\") , \"SM\" , ( \"SR\" )",
                &[&["ME"], &["SM"], &["SR"]],
            ),
            ("+CPMS: (\"SM\")", &[&["SM"]]),
        ];
        for (answer, expected) in CASES {
            assert_eq!(
                ListStorages.reply(&lines(answer)).unwrap(),
                *expected,
                "{answer}"
            );
        }
        assert!(ListStorages.reply(&[]).is_err());
    }

    #[test]
    fn a_stored_message_an_empty_place_and_rubbish() {
        type Row = (&'static str, Option<u8>, Option<u16>);
        const HEADERS: &[Row] = &[
            ("+CMGR: 0,,25", Some(0), Some(25)),
            ("+CMGR: 1,\"Shop, Ltd\",25", Some(1), Some(25)),
            ("+CMGR: 0,25", Some(0), Some(25)),
            ("+CMGR: 25", None, Some(25)),
            ("+CMGR:1,,999", Some(1), Some(999)),
            ("+CMGR: 0,,x", Some(0), None),
            ("+CMGR:", None, None),
        ];
        for (header, stat, length) in HEADERS {
            let read = ReadMessage(3).reply(&lines(&format!("{header}\n{REPORT}")));
            let stored = Stored {
                index: None,
                stat: *stat,
                length: *length,
                pdu: REPORT.into(),
            };
            assert_eq!(read, Ok(Some(stored)), "{header}");
        }
        let read = |text: &str| ReadMessage(3).reply(&lines(text));
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("+CMGR: 0,,0"), Ok(None));
        assert!(read("+CMGR: 0,,25").is_err());
        assert!(read("+CMGR: 0,,25\nhello").is_err());
    }

    #[test]
    fn a_list_with_gaps() {
        let answer =
            format!("+CMGL: 0,1,,43\n{REPORT}\n+CMGL: 3,0,,25\n+CMGL: 7,0,\"\",25\n{REPORT}");
        let listed = ListMessages.reply(&lines(&answer)).unwrap();
        let listed: Vec<_> = listed
            .iter()
            .map(|stored| (stored.index, stored.stat, stored.length))
            .collect();
        assert_eq!(
            listed,
            [(Some(0), Some(1), Some(43)), (Some(7), Some(0), Some(25))]
        );
        assert_eq!(ListMessages.reply(&[]), Ok(Vec::new()));
        assert!(ListMessages.reply(&lines("+CMGL: 1,2,,3\nhello")).is_err());
    }

    #[test]
    fn commands_as_they_go_out() {
        assert_eq!(ReadMessage(3).line(), "+CMGR=3");
        assert_eq!(DeleteMessage(0).line(), "+CMGD=0");
        assert_eq!(ListMessages.line(), "+CMGL=4");
    }
}
