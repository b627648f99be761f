//! How a family of modems speaks, as data: `hardware/manners/*.toml`.
//!
//! `generic.toml` holds every key with its meaning; the other files only what differs from it. A
//! directory of the user's may add families and override built-in ones.

#[cfg(test)]
mod dialogues;
mod ranges;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::reply::Fault;
use ranges::Ranges;

/// One family's manners. What each key means stands in `generic.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of the data, and none excludes another"
)]
pub(in crate::emulator) struct Manners {
    /// Keys whose value no source tells.
    unverified: Vec<String>,
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) revision: String,
    pub(super) about: Vec<String>,
    pub(super) speed: u32,
    pub(super) echo: bool,
    pub(super) echoes_ctrl_z: bool,
    pub(super) before_line: String,
    pub(super) after_line: String,
    pub(super) prompt: String,
    pub(super) error_detail: u8,
    pub(super) unknown: String,
    pub(super) lacks: Vec<String>,
    pub(super) answers: BTreeMap<String, String>,
    pub(super) refusals: BTreeMap<String, Fault>,
    pub(super) pin_ok: bool,
    pub(super) pin_news: bool,
    pub(super) card_out: Vec<String>,
    pub(super) card_in: Vec<String>,
    pub(super) registration: String,
    pub(super) unregistered: u8,
    pub(super) operator: String,
    pub(super) search_ms: u64,
    pub(super) register_ms: u64,
    pub(super) signal_news: SignalNews,
    pub(super) alphabets: Vec<String>,
    pub(super) cnmi: Ranges,
    pub(super) cnmi_refusal: Fault,
    pub(super) services: Vec<u8>,
    pub(super) acknowledged_services: Vec<u8>,
    pub(super) storages: Vec<Store>,
    pub(super) storage_lists: usize,
    pub(super) first_slot: usize,
    #[serde(deserialize_with = "fault_or_ok")]
    pub(super) empty_slot: Option<Fault>,
    pub(super) reports_in: String,
    pub(super) message_header: String,
    pub(super) report_header: String,
    pub(super) full: Vec<String>,
    pub(super) csmp_clears_centre: bool,
    pub(super) reference_on_card: Reference,
    pub(super) ussd: Coding,
    pub(super) ussd_ms: u64,
    pub(super) ussd_before_ok: bool,
    pub(super) restarts: Vec<String>,
    pub(super) restart_ms: u64,
    pub(super) boot: Vec<Boot>,
    pub(super) ready_ms: u64,
    pub(super) not_ready: Fault,
    pub(super) noise: Vec<Noise>,
}

/// A final result: `OK` is no fault.
fn fault_or_ok<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Fault>, D::Error> {
    let word = String::deserialize(from)?;
    match word.as_str() {
        "OK" => Ok(None),
        _ => Fault::try_from(word).map(Some).map_err(D::Error::custom),
    }
}

/// A storage of messages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    /// `SM`, `ME`, `SR`, …
    pub(super) name: String,
    /// 0: as many as the emulator gives its SIMs.
    pub(super) slots: u16,
}

/// When EF-SMSS gets the reference of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reference {
    /// Once it is tried, whatever the network says.
    Tried,
    /// Once the network has taken it.
    Accepted,
    /// Never.
    Never,
}

/// How USSD strings of the GSM alphabet look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Coding {
    /// Characters.
    Plain,
    /// Packed septets as hex.
    Packed,
    /// UTF-16 as hex.
    Ucs2,
}

/// A line said after a start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Boot {
    /// Milliseconds after the start.
    pub(super) ms: u64,
    /// What is said.
    pub(super) line: String,
}

/// A line said again and again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Noise {
    /// Milliseconds between two of them.
    pub(super) every_ms: u64,
    /// What is said.
    pub(super) line: String,
    /// Calls that end it until the next start.
    pub(super) until: Vec<String>,
}

/// What is said when the signal changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalNews {
    /// What is said; nothing if empty.
    pub(super) line: String,
    /// Is it said before anybody asks for it?
    pub(super) first: bool,
    /// Calls that switch it on.
    pub(super) on: Vec<String>,
    /// Calls that switch it off.
    pub(super) off: Vec<String>,
}

/// Why a family's manners cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MannersError {
    /// There is no such family.
    #[error("there is no profile `{name}`; built in are {known}")]
    Unknown {
        /// As it was asked for.
        name: String,
        /// All that are built in.
        known: String,
    },
    /// The file cannot be read.
    #[error("cannot read the profile `{}`", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no TOML, lacks a key or has one that nobody knows.
    #[error("the profile `{name}` is wrong")]
    Wrong {
        /// The family.
        name: String,
        /// Where, and why.
        source: Box<toml::de::Error>,
    },
    /// A pause of 0 would fill the line.
    #[error("the profile `{name}` has a noise without a pause: `every_ms` is 0")]
    Ceaseless {
        /// The family.
        name: String,
    },
}

const GENERIC: &str = include_str!("../../../../hardware/manners/generic.toml");

/// The built-in families by name.
const FILES: &[(&str, &str)] = &[
    ("generic", ""),
    (
        "cinterion",
        include_str!("../../../../hardware/manners/cinterion.toml"),
    ),
    (
        "huawei",
        include_str!("../../../../hardware/manners/huawei.toml"),
    ),
    (
        "quectel",
        include_str!("../../../../hardware/manners/quectel.toml"),
    ),
    (
        "quectel_2g",
        include_str!("../../../../hardware/manners/quectel_2g.toml"),
    ),
    (
        "simcom",
        include_str!("../../../../hardware/manners/simcom.toml"),
    ),
    (
        "simcom_2g",
        include_str!("../../../../hardware/manners/simcom_2g.toml"),
    ),
    (
        "telit",
        include_str!("../../../../hardware/manners/telit.toml"),
    ),
    (
        "ublox",
        include_str!("../../../../hardware/manners/ublox.toml"),
    ),
    (
        "wavecom",
        include_str!("../../../../hardware/manners/wavecom.toml"),
    ),
    ("zte", include_str!("../../../../hardware/manners/zte.toml")),
];

impl Manners {
    /// The manners of family `name`: from `dir`/`name`.toml if there is such a file, else built in.
    ///
    /// Errors: no such family; a file that cannot be read or is wrong.
    pub(in crate::emulator) fn of(
        name: &str,
        dir: Option<&Path>,
    ) -> Result<Arc<Self>, MannersError> {
        let own = match dir.filter(|_| is_name(name)) {
            Some(dir) => read(&dir.join(format!("{name}.toml")))?,
            None => None,
        };
        let built_in = FILES.iter().find(|(known, _)| *known == name);
        let text = match (&own, built_in) {
            (Some(own), _) => own,
            (None, Some((_, text))) => *text,
            (None, None) => {
                let known: Vec<&str> = FILES.iter().map(|(known, _)| *known).collect();
                return Err(MannersError::Unknown {
                    name: name.into(),
                    known: known.join(", "),
                });
            }
        };
        let wrong = |source| MannersError::Wrong {
            name: name.into(),
            source: Box::new(source),
        };
        let manners = over_generic(text).map_err(wrong)?;
        if manners.noise.iter().any(|noise| noise.every_ms == 0) {
            return Err(MannersError::Ceaseless { name: name.into() });
        }
        Ok(Arc::new(manners))
    }

    /// Whether a call that is nothing but words has this name.
    pub(super) fn words_for(&self, name: &str) -> bool {
        self.answers.contains_key(name)
    }

    /// The answer to a call that is nothing but words, if there is one.
    pub(super) fn answer(&self, call: &str) -> Option<&str> {
        let exact = self.answers.get(call);
        let found = exact.or_else(|| first_fitting(&self.answers, call));
        found.map(String::as_str)
    }

    /// Why a call is refused, if it is one that this family refuses.
    pub(super) fn refusal(&self, call: &str) -> Option<Fault> {
        first_fitting(&self.refusals, call).copied()
    }
}

fn first_fitting<'a, T>(table: &'a BTreeMap<String, T>, call: &str) -> Option<&'a T> {
    let mut rows = table.iter();
    rows.find(|(pattern, _)| fits(pattern, call))
        .map(|(_, value)| value)
}

/// Whether `call` is what `pattern` says: value by value; a `*` at the end of one stands for
/// anything, at the end of the last one for all that follows too. `+CNMI=*,*,*,1,*` is reports at once.
pub(super) fn fits(pattern: &str, call: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split(','), call.split(','));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(value), Some(given)) => match value.strip_suffix('*') {
                Some(start) if !given.starts_with(start) => return false,
                Some(_) if wanted.clone().next().is_none() => return true,
                None if value != given => return false,
                Some(_) | None => {}
            },
            _ => return false,
        }
    }
}

/// A name that can be a file of the directory, and no path out of it.
fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn read(path: &Path) -> Result<Option<String>, MannersError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(MannersError::Unreadable {
            path: path.into(),
            source,
        }),
    }
}

/// A family's keys over the generic ones; of `answers` and `refusals` each line by itself.
fn over_generic(text: &str) -> Result<Manners, toml::de::Error> {
    let mut whole: Table = toml::from_str(GENERIC)?;
    let own: Table = toml::from_str(text)?;
    for (key, value) in own {
        match (whole.get_mut(&key), value) {
            (Some(Value::Table(lines)), Value::Table(own)) => lines.extend(own),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
    whole.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::{Arrival, Effect, Kind, Modem, Trouble};
    use crate::emulator::stick;

    /// What the modem says at once, byte for byte.
    fn said(modem: &mut Modem) -> String {
        let mut said = Vec::new();
        while let Some(Effect::Write(bytes)) = modem.poll() {
            said.extend(bytes);
        }
        String::from_utf8(said).unwrap()
    }

    #[test]
    fn a_family_says_only_what_differs_and_what_no_source_tells() {
        let generic: Table = toml::from_str(GENERIC).unwrap();
        for (name, text) in FILES {
            let own: Table = toml::from_str(text).unwrap();
            for (key, value) in &own {
                let Value::Table(lines) = value else {
                    assert_ne!(Some(value), generic.get(key), "{name}: {key}");
                    continue;
                };
                let known = generic.get(key).and_then(Value::as_table).unwrap();
                for (call, line) in lines {
                    assert_ne!(Some(line), known.get(call), "{name}: {call}");
                }
            }
            let manners = Manners::of(name, None).unwrap_or_else(|e| panic!("{name}: {e:?}"));
            for key in &manners.unverified {
                assert!(own.contains_key(key), "{name}: {key}");
            }
        }
    }

    /// Family | +CGMI | +CGMM | first line of ATI | how it tells its card's number.
    const ANSWERS: &[(&str, &str, &str, &str, &str)] = &[
        (
            "generic",
            "Simpost",
            "Emulator",
            "Manufacturer: Simpost",
            "+CCID +CCID: N",
        ),
        (
            "huawei",
            "huawei",
            "E303",
            "Manufacturer: huawei",
            "^ICCID? ^ICCID: N",
        ),
        (
            "zte",
            "ZTE INCORPORATED",
            "K3565-Z",
            "Manufacturer: ZTE INCORPORATED",
            "+CCID COMMAND",
        ),
        (
            "simcom_2g",
            "SIMCOM_Ltd",
            "SIMCOM_SIM800L",
            "SIM800 R14.18",
            "+CCID N",
        ),
        (
            "simcom",
            "SIMCOM INCORPORATED",
            "A7670E-FASE",
            "Manufacturer: SIMCOM INCORPORATED",
            "+CICCID +ICCID: N",
        ),
        ("quectel", "Quectel", "EC25", "Quectel", "+QCCID +QCCID: N"),
        (
            "quectel_2g",
            "Quectel_Ltd",
            "Quectel_M95",
            "Quectel_Ltd",
            "+CCID +CCID: \"N\"",
        ),
        ("telit", "Telit", "HE910", "332", "#CCID #CCID: N"),
        (
            "cinterion",
            "Cinterion",
            "BGS2-W",
            "Cinterion",
            "^SCID ^SCID: N",
        ),
        (
            "wavecom",
            "WAVECOM MODEM",
            "MULTIBAND  900E  1800",
            "WAVECOM MODEM",
            "+CCID +CCID: \"N\"",
        ),
        (
            "ublox",
            "u-blox",
            "SARA-U201",
            "SARA-U201-03B-00",
            "+CCID +CCID: N",
        ),
    ];

    #[test]
    fn families_are_known_by_their_answers() {
        assert_eq!(ANSWERS.len(), FILES.len());
        for (family, maker, model, about, card) in ANSWERS {
            let mut modem = Modem::of_family_ready(family, "");
            assert_eq!(modem.ask("+CGMI"), *maker);
            assert_eq!(modem.ask("+CGMM"), *model);
            assert_eq!(modem.ask("I").lines().next(), Some(*about));
            let (command, answer) = card.split_once(' ').unwrap();
            let answer = answer.replace('N', "8944001010000000009");
            let answer = answer.replace("COMMA8944001010000000009D", "ERROR");
            assert_eq!(modem.ask(command), answer, "{family}");
        }
    }

    #[test]
    fn families_refuse_what_they_lack_in_their_own_words() {
        const CASES: &[(&str, &str, &str)] = &[
            ("generic", "+XYZ", "+CME ERROR: 4"),
            ("huawei", "+XYZ", "COMMAND NOT SUPPORT"),
            ("huawei", "+CCID", "COMMAND NOT SUPPORT"),
            ("zte", "+CEREG?", "+CME ERROR: 4"),
            ("simcom_2g", "+CEREG?", "+CME ERROR: 4"),
            ("simcom", "+CCID", "+CME ERROR: 4"),
            ("quectel", "+CPINR", "+CME ERROR: 4"),
            ("quectel_2g", "+CEREG?", "+CME ERROR: 4"),
            ("telit", "+CCID", "+CME ERROR: 4"),
            ("cinterion", "+CMMS=1", "+CME ERROR: 4"),
            ("wavecom", "+CGREG?", "+CME ERROR: 4"),
            ("ublox", "+CEREG?", "+CME ERROR: 4"),
        ];
        for (family, command, answer) in CASES {
            let mut modem = Modem::of_family_ready(family, "+CMEE=1");
            assert_eq!(modem.ask(command), *answer, "{family}");
        }
    }

    #[test]
    fn families_start_anew_by_their_own_commands() {
        const CASES: &[(&str, &str, &str)] = &[
            ("generic", "+CFUN=1,1", ""),
            ("huawei", "^RESET", "^SRVST:2"),
            ("zte", "+CFUN=1,1", "+ZUSIMR:2"),
            ("simcom_2g", "+CFUN=1,1", "RDY"),
            ("simcom", "+CRESET", "*ATREADY: 1"),
            ("quectel", "+CFUN=1,1", "RDY"),
            ("quectel_2g", "+CFUN=1,1", "RDY"),
            ("telit", "#REBOOT", "#STN: 37"),
            ("cinterion", "+CFUN=1,1", "^SYSSTART"),
            ("wavecom", "+CFUN=1", "+WIND: 1"),
            ("ublox", "+CFUN=16", "+PBREADY"),
        ];
        for (family, command, first) in CASES {
            let mut modem = Modem::of_family_ready(family, "");
            assert_eq!(modem.ask(command), "", "{family}");
            modem.tick(modem.wake_at().unwrap());
            let deaf = modem.manners.restart_ms > 0;
            modem.receive(b"AT\r", stick::now());
            assert_eq!(said(&mut modem).is_empty(), deaf, "{family}");
            if let Some(wake) = modem.wake_at() {
                modem.tick(wake);
            }
            assert_eq!(said(&mut modem).trim(), *first, "{family}");
        }
    }

    #[test]
    fn before_it_is_ready_a_family_fails_in_its_own_way() {
        const CASES: &[(&str, &str)] = &[
            ("generic", "+CPMS: \"SM\",0,2,\"SM\",0,2,\"SM\",0,2"),
            ("huawei", "+CME ERROR: 14"),
            ("zte", "+CME ERROR: 14"),
            ("simcom_2g", "ERROR"),
            ("simcom", "ERROR"),
            ("quectel", "+CMS ERROR: 314"),
            ("quectel_2g", "+CME ERROR: 14"),
            ("telit", "+CMS ERROR: 314"),
            ("cinterion", "+CME ERROR: 14"),
            ("wavecom", "+CME ERROR: 515"),
            ("ublox", "+CME ERROR: 14"),
        ];
        for (family, answer) in CASES {
            let (mut modem, _) = Modem::of_family(family);
            modem.ask("E0+CMEE=1");
            assert_eq!(modem.ask("+CPMS?"), *answer, "{family}");
        }
    }

    #[test]
    fn headers_and_line_ends_differ() {
        const MESSAGE: &str = "0791447700099099040C9144770009406500006230414003000A0453EA130A";
        const CASES: &[(&str, Kind, &str)] = &[
            ("generic", Kind::Message, "\r\n+CMT: ,23\r\nHEX\r\n"),
            ("cinterion", Kind::Message, "\r\n+CMT: 23\r\nHEX\r\n"),
            ("generic", Kind::Report, "\r\n+CDS: 23\r\nHEX\r\n"),
            ("zte", Kind::Report, "\r\n+CDS: ,23\r\nHEX\r\n"),
            ("simcom", Kind::Report, "\r\n+CDS: 23\r\nHEX\r\r\n"),
        ];
        for (family, kind, lines) in CASES {
            let mut modem = Modem::of_family_ready(family, "");
            modem.setup.routing = [1, 2, 0, 1, 0];
            let arrival = Arrival {
                kind: *kind,
                hex: MESSAGE.into(),
                length: 23,
            };
            modem.arrive(arrival, stick::now());
            assert_eq!(said(&mut modem).replace(MESSAGE, "HEX"), *lines, "{family}");
        }
    }

    #[test]
    fn cards_and_full_storages_are_announced() {
        const CASES: &[(&str, Trouble, &str)] = &[
            ("generic", Trouble::SimOut, ""),
            ("huawei", Trouble::SimOut, "^SIMST:255"),
            ("huawei", Trouble::SimIn, "^SIMST:1"),
            ("simcom_2g", Trouble::SimOut, "+CPIN: NOT READY"),
            ("simcom", Trouble::SimIn, "+CPIN: READY"),
            ("quectel", Trouble::SimIn, "+CPIN: READY|+QUSIM: 1"),
            ("cinterion", Trouble::SimOut, "^SCKS: 0"),
            ("huawei", Trouble::SimFull(true), "^SMMEMFULL: \"SM\""),
            ("generic", Trouble::SimFull(true), ""),
        ];
        for (family, trouble, news) in CASES {
            let mut modem = Modem::of_family_ready(family, "");
            modem.setup.routing = [1, 1, 0, 0, 0];
            modem.suffer(*trouble, stick::now());
            let arrival = Arrival {
                kind: Kind::Message,
                hex: "00".into(),
                length: 1,
            };
            modem.arrive(arrival, stick::now());
            let lines: Vec<String> = said(&mut modem).lines().map(str::to_owned).collect();
            let lines: Vec<&str> = lines
                .iter()
                .map(|l| l.trim())
                .filter(|l| !l.is_empty())
                .collect();
            let lines: Vec<&str> = lines
                .into_iter()
                .filter(|l| !l.starts_with("+CMTI"))
                .collect();
            assert_eq!(lines.join("|"), *news, "{family}");
        }
    }

    #[test]
    fn the_card_keeps_the_reference_as_the_family_does() {
        // What EF-SMSS holds after a part that was refused, and after one that was taken.
        const CASES: &[(&str, [&str; 2])] = &[
            ("generic", ["17", "18"]),
            ("simcom_2g", ["16", "18"]),
            ("wavecom", ["16", "18"]),
            ("zte", ["16", "16"]),
        ];
        use crate::emulator::modem::Verdict;
        const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";
        for (family, kept) in CASES {
            let mut modem = Modem::of_family_ready(family, "");
            for (verdict, kept) in [Verdict::Refused(42), Verdict::Accepted]
                .into_iter()
                .zip(kept)
            {
                let typed = format!("AT+CMGS=31\r{HEX}\x1A");
                modem.receive(typed.as_bytes(), stick::now());
                modem.tick(stick::now());
                said(&mut modem);
                modem.settle(verdict, stick::now());
                said(&mut modem);
                let answer = modem.ask("+CRSM=176,28483,0,0,1");
                assert_eq!(answer, format!("+CRSM: 144,0,\"{kept}\""), "{family}");
            }
        }
    }

    #[test]
    fn a_serial_line_has_its_speed() {
        let mut modem = Modem::of_family_ready("wavecom", "");
        assert_eq!(modem.speed(), Some(9600));
        assert_eq!(modem.ask("+IPR=115200"), "");
        assert_eq!(modem.speed(), Some(115_200));
        assert_eq!(Modem::of_family_ready("huawei", "").speed(), None);
    }

    #[test]
    fn keys_that_no_family_changes_are_obeyed() {
        let dir = tempfile::tempdir().unwrap();
        let odd = "echo = false\nerror_detail = 2\nprompt = \">\"\nbefore_line = \"\\n\"";
        std::fs::write(dir.path().join("odd.toml"), odd).unwrap();
        let shy = "echoes_ctrl_z = false";
        std::fs::write(dir.path().join("shy.toml"), shy).unwrap();
        let modem = |name| {
            let (mut modem, _) = Modem::of_family("generic");
            modem.manners = Manners::of(name, Some(dir.path())).unwrap();
            modem.ask("Z");
            modem
        };
        let typed = |modem: &mut Modem, text: &str| {
            modem.receive(text.as_bytes(), stick::now());
            said(modem)
        };
        let mut odd = modem("odd");
        assert_eq!(
            typed(&mut odd, "AT+XYZ\r"),
            "\n+CME ERROR: operation not supported\r\n"
        );
        assert_eq!(typed(&mut odd, "AT+CMGS=31\r"), ">");
        let mut shy = modem("shy");
        assert_eq!(typed(&mut shy, "AT+CMGS=7\r"), "AT+CMGS=7\r\r\n> ");
        assert_eq!(typed(&mut shy, "00\x1A"), "00\r\n+CMS ERROR: 304\r\n");
    }

    #[test]
    fn own_families_go_before_the_built_in_ones() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let model = |name: &str| {
            let manners = Manners::of(name, Some(dir.path()));
            manners.map(|m| m.model.clone()).map_err(|e| e.to_string())
        };
        put("huawei.toml", "model = \"E3372\"");
        put("own.toml", "model = \"Own\"\n[answers]\n\"+X\" = \"x\"");
        put("wrong.toml", "modle = \"E3372\"");
        put("mad.toml", "cnmi = \"any\"");
        put(
            "loud.toml",
            "noise = [{ every_ms = 0, line = \"x\", until = [] }]",
        );
        assert_eq!(model("huawei").as_deref(), Ok("E3372"));
        assert_eq!(model("own").as_deref(), Ok("Own"));
        assert_eq!(model("zte").as_deref(), Ok("K3565-Z"));
        let wrong = |name: &str| Manners::of(name, Some(dir.path())).unwrap_err();
        assert_eq!(wrong("wrong").to_string(), "the profile `wrong` is wrong");
        for (name, cause) in [("wrong", "modle"), ("mad", "`any` is no list of sets")] {
            let MannersError::Wrong { source, .. } = wrong(name) else {
                panic!("{name}");
            };
            assert!(source.to_string().contains(cause), "{source}");
        }
        assert!(matches!(wrong("loud"), MannersError::Ceaseless { .. }));
        let none = wrong("../own").to_string();
        assert!(none.starts_with("there is no profile `../own`; built in are generic, "));
    }

    #[test]
    fn patterns_compare_value_by_value() {
        const CASES: &[(&str, &str, bool)] = &[
            ("+CNMI=*,*,*,1,*", "+CNMI=2,1,0,1,0", true),
            ("+CNMI=*,*,*,1,*", "+CNMI=2,1,0,1", false),
            ("+CNMI=*,*,*,1", "+CNMI=2,1,0,1", true),
            ("+CNMI=2,*", "+CNMI=2,1,0,1,0", true),
            ("+CNMI=2,*", "+CNMI=1,1", false),
            ("^CURC=*", "^CURC=0", true),
            ("^CURC=*", "^CURC=0,1", true),
            ("^CURC=*", "^CURC?", false),
            ("+CPMS?", "+CPMS?", true),
        ];
        for (pattern, call, fitting) in CASES {
            assert_eq!(fits(pattern, call), *fitting, "{pattern} {call}");
        }
    }
}
