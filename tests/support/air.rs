//! The emulator's ledger, its PDUs read from the raw hex by a few lines of their own: what is to be
//! judged must not be read by the codec that wrote it (TS 23.040, 9.2.2.2; TS 23.038, 6).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// A part that the network decided about.
#[derive(Debug, Clone)]
pub struct Part {
    /// The line of the ledger, counted from 0: before and after.
    pub line: usize,
    /// Milliseconds since 1970.
    pub at: i64,
    pub modem: u64,
    /// TP-DA with its plus.
    pub to: String,
    /// Did the network take it, whether or not the modem heard of that?
    pub taken: bool,
    /// TP-MR as the modem gave it.
    pub mr: u64,
    /// The concatenation's reference, how many parts, and which (TS 23.040, 9.2.3.24.1).
    pub place: Option<(u8, u8, u8)>,
    pub text: String,
}

impl Part {
    /// Which part of its text, counted from 1.
    pub fn number(&self) -> u8 {
        self.place.map_or(1, |(_, _, number)| number)
    }
}

/// A status report that came to a modem.
#[derive(Debug, Clone)]
pub struct Report {
    pub line: usize,
    pub at: i64,
    pub to: String,
    pub mr: u64,
    pub status: u64,
    /// Where the modem put it.
    pub route: String,
}

/// Something that was made to go wrong.
#[derive(Debug, Clone)]
pub struct Strike {
    pub line: usize,
    pub at: i64,
    pub step: String,
    /// The command, or the first word of what was said unasked.
    pub command: String,
}

/// What went over the air, in its order.
#[derive(Debug, Default)]
pub struct Ledger {
    pub parts: Vec<Part>,
    pub reports: Vec<Report>,
    pub strikes: Vec<Strike>,
}

impl Ledger {
    pub fn read(path: &Path) -> Self {
        let mut ledger = Self::default();
        let text = std::fs::read_to_string(path).unwrap();
        for (number, line) in text.lines().enumerate() {
            ledger.take(number, &serde_json::from_str(line).unwrap());
        }
        ledger
    }

    fn take(&mut self, line: usize, entry: &Value) {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let at: jiff::Timestamp = word("at").parse().unwrap();
        let at = at.as_millisecond();
        match entry["event"].as_str().unwrap() {
            "submit" => {
                let (to, place, text) = submit(&octets(&word("pdu")));
                assert_eq!(to, word("recipient"), "{entry}");
                self.parts.push(Part {
                    line,
                    at,
                    modem: entry["modem"].as_u64().unwrap(),
                    to,
                    taken: entry["outcome"] != "refused",
                    mr: entry["mr"].as_u64().unwrap(),
                    place,
                    text,
                });
            }
            "report" => self.reports.push(Report {
                line,
                at,
                to: word("recipient"),
                mr: entry["mr"].as_u64().unwrap(),
                status: entry["status"].as_u64().unwrap(),
                route: word("route"),
            }),
            // One without a step only takes an earlier one back.
            "fault" if entry["step"].is_string() => self.strikes.push(Strike {
                line,
                at,
                step: word("step"),
                command: word("command"),
            }),
            _ => {}
        }
    }

    /// The parts that the network took, by recipient, in their order.
    pub fn taken(&self) -> BTreeMap<&str, Vec<&Part>> {
        let mut taken: BTreeMap<&str, Vec<&Part>> = BTreeMap::new();
        for part in self.parts.iter().filter(|part| part.taken) {
            taken.entry(&part.to).or_default().push(part);
        }
        taken
    }

    /// Did a good report about `part` reach the modem, and from there its client or a storage?
    pub fn is_reported(&self, part: &Part) -> bool {
        let about = |it: &&Report| it.line > part.line && it.mr == part.mr && it.to == part.to;
        let report = self.reports.iter().find(about);
        report.is_some_and(|it| it.status == 0 && ["direct", "stored"].contains(&it.route.as_str()))
    }
}

/// What is wrong with `parts`, all that the network took for one recipient, as one going of `text`:
/// each part once, in order, under one reference, through one SIM, its words unchanged.
pub fn flaw(parts: &[&Part], text: &str) -> Option<String> {
    let joined: String = parts.iter().map(|part| part.text.as_str()).collect();
    if joined != text {
        return Some(format!("went out as {joined:?}, wished {text:?}"));
    }
    let places: Vec<_> = parts.iter().map(|part| part.place).collect();
    let whole = match places.as_slice() {
        [None] => true,
        [Some((reference, all, _)), ..] if usize::from(*all) == places.len() => (1..=*all)
            .zip(&places)
            .all(|(number, place)| *place == Some((*reference, *all, number))),
        _ => false,
    };
    let one_modem = parts.iter().all(|part| part.modem == parts[0].modem);
    (!whole || !one_modem).then(|| format!("its parts are {places:?}"))
}

fn octets(hex: &str) -> Vec<u8> {
    let octet = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(octet).collect()
}

/// Recipient, place among its text's parts, and words of an SMS-SUBMIT behind its service centre.
fn submit(pdu: &[u8]) -> (String, Option<(u8, u8, u8)>, String) {
    let tpdu = &pdu[1 + usize::from(pdu[0])..];
    assert_eq!(tpdu[0] & 3, 1, "an SMS-SUBMIT");
    let (has_header, validity) = (
        tpdu[0] & 0x40 != 0,
        [0, 7, 1, 7][usize::from(tpdu[0] >> 3 & 3)],
    );
    let digits = usize::from(tpdu[2]);
    let (kind, address) = (tpdu[3], &tpdu[4..4 + digits.div_ceil(2)]);
    let swapped: String = address
        .iter()
        .map(|it| format!("{:X}{:X}", it & 15, it >> 4))
        .collect();
    let plus = if kind == 0x91 { "+" } else { "" };
    let rest = &tpdu[4 + address.len()..];
    let (coding, length) = (rest[1], usize::from(rest[2 + validity]));
    let data = &rest[3 + validity..];
    let header = if has_header {
        1 + usize::from(data[0])
    } else {
        0
    };
    let place = match &data[..header] {
        [] => None,
        [5, 0, 3, reference, all, number] => Some((*reference, *all, *number)),
        other => panic!("a header that nobody asked for: {other:02X?}"),
    };
    let text = match coding {
        0 => septets(data, length, (header * 8).div_ceil(7)),
        8 => {
            assert_eq!(data.len(), length);
            let units = data[header..].chunks(2);
            let units: Vec<u16> = units.map(|it| u16::from_be_bytes([it[0], it[1]])).collect();
            String::from_utf16(&units).unwrap()
        }
        other => panic!("a coding that nobody asked for: {other:02X}"),
    };
    (format!("{plus}{}", &swapped[..digits]), place, text)
}

/// The default alphabet (TS 23.038, 6.2.1).
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                        ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension (6.2.1.1).
const EXTENSION: &[(u8, char)] = &[
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// The characters from the septet `first` to the septet `end` of packed `data`.
fn septets(data: &[u8], end: usize, first: usize) -> String {
    assert_eq!(data.len(), (end * 7).div_ceil(8));
    let bit = |place: usize| data[place / 8] >> (place % 8) & 1;
    let septet = |number: usize| (0..7).map(|it| bit(number * 7 + it) << it).sum::<u8>();
    let mut codes = (first..end).map(septet);
    let mut text = String::new();
    while let Some(code) = codes.next() {
        text.push(match code {
            0x1B => {
                let extended = codes.next().unwrap();
                EXTENSION.iter().find(|(it, _)| *it == extended).unwrap().1
            }
            code => ALPHABET.chars().nth(usize::from(code)).unwrap(),
        });
    }
    text
}
