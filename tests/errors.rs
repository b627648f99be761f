//! Every row of `hardware/errors.csv`, by the way that an error takes: said by a modem as a number and in
//! words, through the dialogue, to what is made of it.
//!
//! What a row must say is written here a second time, sorted by meaning. Who changes a row changes it in
//! both places, and reads what else has that meaning.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers fail as its body does"
)]

use std::collections::BTreeMap;

use simpost::modem::at::dialog::{Dialog, Exchange, Step};
use simpost::modem::at::{ATTENTION, Error};
use simpost::sms::causes::{Cause, Class, Family, Meaning, Proof};

/// Kind, class, proof, word | codes and ranges.
const MEANINGS: &str = "
cms permanent_destination refused unknown_subscriber | 1 30
cms permanent_destination refused invalid_number | 195
cms permanent_destination refused number_not_allowed | 196
cms permanent_message refused network_rejected | 95-97 99 128-130 143-145 159-161 175 176 198 199
cms permanent_message refused network_rejected | 131-142 146-158 162-174
cms permanent_message accepted network_rejected | 197
cms permanent_message not_submitted network_rejected | 304
cms other_sim refused sim_barred | 8 10
cms other_sim refused sim_not_provisioned | 28 50
cms other_sim refused network_rejected | 21 29 69 193
cms retry_later refused network_busy | 22 41 42 47 81 111 127 192 194
cms retry_later refused absent_subscriber | 27
cms retry_later unknown network_busy | 17 98 332
cms retry_later not_submitted network_busy | 212 301 302 314
cms network_down refused network_down | 38
cms network_down not_submitted not_registered | 331
cms sim_fault not_submitted sim_fault | 208 209 213 312 313 315 317 318
cms sim_fault not_submitted sim_locked | 310 311 316
cms modem_fault not_submitted modem_fault | 211 320 322
cms modem_fault unknown modem_fault | 210 300
cms configuration not_submitted configuration | 303 305 321 330 340
cms unknown refused unknown | 11
cms unknown unknown unknown | 255 177-191 200-207 214-223 224-254 500 301-499 512-65535
cme permanent_destination not_submitted invalid_number | 26 27
cme permanent_message not_submitted network_rejected | 24
cme other_sim refused network_rejected | 62 107 132 133
cme retry_later refused network_busy | 122 126 134 139
cme retry_later unknown network_busy | 31 60
cme retry_later not_submitted network_busy | 2 3 14 52 57 116
cme network_down not_submitted not_registered | 30
cme network_down not_submitted network_down | 32 53 54 55 104 111 112 113 115 118
cme network_down unknown network_down | 117
cme sim_fault not_submitted sim_fault | 5 6 7 10 13 15-18 40-48 102 103 108
cme sim_fault not_submitted sim_locked | 11 12
cme modem_fault not_submitted modem_fault | 20 23 105 106
cme modem_fault unknown modem_fault | 0 1
cme configuration not_submitted configuration | 4 21 22 25 49 50 51 56 58 61 149 150 183
cme unknown not_submitted unknown | 59 63
cme unknown unknown unknown | 100 148
";

/// The same for what families say in their own way: kind, family, class, proof, word | codes.
const FAMILIES: &str = "
cms wavecom retry_later not_submitted network_busy | 512 515 520 527
cms wavecom retry_later unknown network_busy | 513 514
cms wavecom network_down not_submitted network_down | 528 529
cms wavecom sim_fault not_submitted sim_fault | 517 518
cms wavecom modem_fault not_submitted modem_fault | 519
cms wavecom configuration not_submitted configuration | 526 531
cms siemens permanent_message not_submitted network_rejected | 515-517 519 520 549-551 553 554
cms siemens retry_later not_submitted network_busy | 522 532 535 639 640 771
cms siemens retry_later unknown network_busy | 512 521 615
cms siemens network_down not_submitted network_down | 616
cms siemens sim_fault not_submitted sim_fault | 770 772
cms siemens modem_fault not_submitted modem_fault | 513 769
cms siemens modem_fault unknown modem_fault | 767
cms siemens configuration not_submitted configuration | 514 518 538 764 765
cms siemens unknown unknown unknown | 534
cms motorola configuration not_submitted configuration | 516
cms mediatek permanent_message not_submitted network_rejected | 513 514 519 524
cms mediatek other_sim not_submitted network_rejected | 529
cms mediatek retry_later not_submitted network_busy | 520 521 525 528 530 532
cms mediatek network_down not_submitted network_down | 522
cms mediatek modem_fault not_submitted modem_fault | 515 531
cms mediatek configuration not_submitted configuration | 516-518 523 526 527
cms mediatek unknown unknown unknown | 512
cms quectel permanent_message not_submitted network_rejected | 513 514
cms quectel other_sim not_submitted network_rejected | 529
cms quectel retry_later not_submitted network_busy | 512 528 530
cms quectel modem_fault not_submitted modem_fault | 515 531
cms quectel configuration not_submitted configuration | 517
cms nordic modem_fault not_submitted modem_fault | 515
cms nordic configuration not_submitted configuration | 513 514
cme siemens permanent_destination not_submitted invalid_number | 260
cme siemens other_sim refused network_rejected | 257
cme siemens retry_later not_submitted network_busy | 256 258
cme siemens retry_later unknown network_busy | 259
cme siemens sim_fault not_submitted sim_locked | 262
cme siemens sim_fault not_submitted sim_fault | 772
cme siemens unknown unknown unknown | 261 263
cme wavecom retry_later not_submitted network_busy | 515
";

/// And what such a number means while nobody knows the family: what all of them agree in.
const IN_COMMON: &str = "
cms retry_later not_submitted network_busy | 530 532
cms configuration not_submitted configuration | 526
cms unknown not_submitted unknown | 515-520 522 527-529 531
cms unknown unknown unknown | 512-514
cms retry_later unknown network_busy | 521
";

/// The table has so many rows of the standards, and of families.
const ROWS: (usize, usize) = (160, 88);

/// A row of the table: `cms`, family, first and last code, name.
struct Row {
    kind: &'static str,
    family: &'static str,
    first: u16,
    last: u16,
    name: &'static str,
}

impl Row {
    fn is_single(&self) -> bool {
        self.first == self.last
    }
}

/// The rows of the standards.
fn rows() -> Vec<Row> {
    let mut rows = all_rows();
    rows.retain(|row| row.family.is_empty());
    rows
}

/// The rows of families.
fn family_rows() -> Vec<Row> {
    let mut rows = all_rows();
    rows.retain(|row| !row.family.is_empty());
    rows
}

fn all_rows() -> Vec<Row> {
    let lines = include_str!("../hardware/errors.csv").lines();
    let data = lines.filter(|line| !line.starts_with('#') && !line.starts_with("kind,"));
    data.map(|line| {
        let mut cells = line.split(',');
        let mut next = || cells.next().unwrap();
        Row {
            kind: next(),
            family: next(),
            first: next().parse().unwrap(),
            last: next().parse().unwrap(),
            name: next(),
        }
    })
    .collect()
}

/// What is to be made of each code: of a single one, or of a range by its first and last.
fn meanings() -> BTreeMap<(&'static str, u16, u16), (Class, Proof, &'static str)> {
    let mut found = BTreeMap::new();
    for line in MEANINGS.lines().filter(|line| !line.is_empty()) {
        let (meaning, codes) = line.split_once(" | ").unwrap();
        let words: Vec<&str> = meaning.split(' ').collect();
        let [kind, class_word, proof_word, word] = *words.as_slice() else {
            panic!("{line}");
        };
        let expected = (class(class_word), proof(proof_word), word);
        for codes in codes.split(' ') {
            let (first, last) = codes.split_once('-').unwrap_or((codes, codes));
            let ends = (first.parse().unwrap(), last.parse().unwrap());
            let twin = found.insert((kind, ends.0, ends.1), expected);
            assert!(twin.is_none(), "{kind} {codes} stands here twice");
        }
    }
    found
}

/// The lines of such a table: the words before the bar, and every code behind it.
fn by_code(table: &'static str) -> Vec<(Vec<&'static str>, u16)> {
    let mut found = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty()) {
        let (meaning, codes) = line.split_once(" | ").unwrap();
        for codes in codes.split(' ') {
            let (first, last) = codes.split_once('-').unwrap_or((codes, codes));
            for code in first.parse().unwrap()..=last.parse().unwrap() {
                found.push((meaning.split(' ').collect(), code));
            }
        }
    }
    found
}

fn family(word: &str) -> Family {
    let (maker, model) = match word {
        "quectel" => ("Quectel", "EC25"),
        "mediatek" => ("Quectel_Ltd", "Quectel_M95"),
        "motorola" => ("Motorola CE, Copyright 2000", ""),
        "nordic" => ("Nordic Semiconductor ASA", ""),
        "siemens" => ("SIEMENS", "MC35"),
        "wavecom" => ("WAVECOM MODEM", ""),
        _ => panic!("`{word}` is no family"),
    };
    Family::of(maker, model).unwrap()
}

fn class(word: &str) -> Class {
    match word {
        "retry_later" => Class::RetryLater,
        "other_sim" => Class::OtherSim,
        "permanent_destination" => Class::PermanentDestination,
        "permanent_message" => Class::PermanentMessage,
        "sim_fault" => Class::SimFault,
        "modem_fault" => Class::ModemFault,
        "network_down" => Class::NetworkDown,
        "configuration" => Class::Configuration,
        "unknown" => Class::Unknown,
        _ => panic!("`{word}` is no class"),
    }
}

fn proof(word: &str) -> Proof {
    match word {
        "not_submitted" => Proof::NotSubmitted,
        "refused" => Proof::Refused,
        "accepted" => Proof::Accepted,
        "unknown" => Proof::Unknown,
        _ => panic!("`{word}` is no proof"),
    }
}

/// What becomes of a command that a modem answers with `said`.
fn refused(said: &str) -> Cause {
    let mut dialog = Dialog::default();
    let now = tokio::time::Instant::now().into_std();
    dialog.start(Exchange::of(&ATTENTION), now).unwrap();
    assert!(matches!(dialog.poll(), Some(Step::Write(_))));
    dialog.receive(format!("\r\n{said}\r\n").as_bytes());
    match dialog.poll() {
        Some(Step::Finished(Err(Error::Refused { cause, .. }))) => cause,
        step => panic!("{said}: {step:?}"),
    }
}

fn prefix(kind: &str) -> String {
    format!("+{} ERROR:", kind.to_ascii_uppercase())
}

fn told(meaning: &Meaning) -> (Class, Proof, &'static str) {
    (meaning.class, meaning.proof, meaning.word)
}

#[test]
fn every_row_means_what_is_written_down_twice() {
    let (rows, mut meanings) = (rows(), meanings());
    assert_eq!(rows.len(), ROWS.0);
    // A range here may stand for a row each there.
    let mut expected = |row: &Row| {
        let exact = meanings.remove(&(row.kind, row.first, row.last));
        let around = |((kind, first, last), _): &(&(&str, u16, u16), _)| {
            *kind == row.kind && row.is_single() && (*first..=*last).contains(&row.first)
        };
        exact.or_else(|| meanings.iter().find(around).map(|(_, meaning)| *meaning))
    };
    for row in &rows {
        let name = format!("{} {}-{} `{}`", row.kind, row.first, row.last, row.name);
        let expected = expected(row).unwrap_or_else(|| panic!("{name} is new here"));
        let familys = family_rows();
        let others = |code: u16| {
            let mut others = rows.iter().chain(&familys);
            others.any(|other| other.kind == row.kind && other.is_single() && other.first == code)
        };
        let middle = row.first + (row.last - row.first) / 2;
        let codes = [row.first, middle, row.last];
        let mut tried = 0;
        for code in codes
            .into_iter()
            .filter(|code| row.is_single() || !others(*code))
        {
            for blank in ["", " "] {
                let cause = refused(&format!("{}{blank}{code}", prefix(row.kind)));
                assert_eq!(told(cause.meaning()), expected, "{name}: {code}");
                tried += 1;
            }
            let written = match row.kind {
                "cms" => Cause::Cms(code),
                _ => Cause::Cme(code),
            };
            assert_eq!(refused(&written.to_string()), written, "{name}: {code}");
            assert_eq!(written.meaning().name, row.name, "{code}");
        }
        assert!(tried > 0, "{name} is hidden by single codes");
    }
}

#[test]
fn every_row_of_a_family_means_what_is_written_down_twice() {
    let mut rows = family_rows();
    assert_eq!(rows.len(), ROWS.1);
    for (words, code) in by_code(FAMILIES) {
        let [kind, of, class_word, proof_word, word] = *words.as_slice() else {
            panic!("{words:?}");
        };
        let at = rows.iter().position(|row| {
            row.is_single() && (row.kind, row.family, row.first) == (kind, of, code)
        });
        let row = rows.swap_remove(at.unwrap_or_else(|| panic!("{words:?} {code} has no row")));
        let said = format!("{} {code}", prefix(kind));
        let cause = refused(&said).said_by(family(of));
        assert_eq!(cause.to_string(), said);
        let expected = (class(class_word), proof(proof_word), word);
        assert_eq!(told(cause.meaning()), expected, "{of} {said}");
        assert_eq!(cause.meaning().name, row.name, "{of} {said}");
    }
    let left: Vec<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn without_a_family_a_number_means_what_all_of_them_agree_in() {
    for (words, code) in by_code(IN_COMMON) {
        let [kind, class_word, proof_word, word] = *words.as_slice() else {
            panic!("{words:?}");
        };
        let cause = refused(&format!("{} {code}", prefix(kind)));
        let expected = (class(class_word), proof(proof_word), word);
        assert_eq!(told(cause.meaning()), expected, "{kind} {code}");
    }
    // One family's number is nobody else's.
    for said in ["+CMS ERROR: 549", "+CMS ERROR: 770", "+CME ERROR: 262"] {
        let expected = (Class::Unknown, Proof::Unknown, "unknown");
        assert_eq!(told(refused(said).meaning()), expected, "{said}");
    }
}

#[test]
fn no_meaning_is_written_down_for_a_code_without_a_row() {
    let rows = rows();
    for (kind, first, last) in meanings().into_keys() {
        for code in first..=last {
            let there = |row: &Row| row.kind == kind && (row.first..=row.last).contains(&code);
            assert!(rows.iter().any(there), "{kind} {code}");
        }
    }
}

#[test]
fn every_single_code_is_known_by_its_words() {
    let rows = rows();
    let mut tried = 0;
    for row in rows.iter().filter(|row| row.is_single()) {
        // Of two rows with one name the first counts, which is the network's.
        let same =
            |other: &&Row| other.is_single() && other.kind == row.kind && other.name == row.name;
        let code = rows.iter().find(same).unwrap().first;
        let expected = match row.kind {
            "cms" => Cause::Cms(code),
            _ => Cause::Cme(code),
        };
        for name in [
            row.name.to_owned(),
            row.name.to_lowercase(),
            row.name.to_uppercase().replace(" - ", ", "),
        ] {
            let cause = refused(&format!("{} {name}", prefix(row.kind)));
            assert_eq!(cause, expected, "{name}");
            tried += 1;
        }
    }
    assert!(tried > 400, "{tried}");
}

#[test]
fn what_no_row_names_proves_nothing() {
    for said in [
        "ERROR",
        "COMMAND NOT SUPPORT",
        "TOO MANY PARAMETERS",
        "NOT FOND ^,NOT CUSTOM AT",
        "MODEM ERROR: 5",
        "+CMS ERROR: 400000",
        "+CMS ERROR: 501",
        "+CME ERROR: 29",
        "+CME ERROR: the SIM is tired",
    ] {
        let expected = (Class::Unknown, Proof::Unknown, "unknown");
        assert_eq!(told(refused(said).meaning()), expected, "{said}");
        assert_eq!(refused(said).to_string(), said);
    }
}
