//! Every row of the tables of TS 23.038, written out in `vectors/alphabets.csv` with the names of the
//! characters, and round trips through every choice of tables.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail as its body does"
)]

use proptest::prelude::*;
use simpost::sms::alphabet::{self, Language, Shifts, Tables};

/// A line of the list: in which table, of which language (0 is the default), which septet.
struct Row {
    single: bool,
    language: Option<Language>,
    septet: u8,
    character: char,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("vectors/alphabets.csv").lines().skip(1);
    let row = |line: &str| {
        let fields: Vec<&str> = line.splitn(5, ',').collect();
        let hex = |at: usize| u32::from_str_radix(fields[at], 16).unwrap();
        Row {
            single: fields[0] == "single",
            language: Language::try_from(fields[1].parse::<u8>().unwrap()).ok(),
            septet: hex(2).try_into().unwrap(),
            character: char::from_u32(hex(3)).unwrap(),
        }
    };
    lines.map(row).collect()
}

impl Row {
    fn tables(&self) -> Tables {
        Tables::of(if self.single {
            Shifts {
                locking: None,
                single: self.language,
            }
        } else {
            Shifts {
                locking: self.language,
                single: None,
            }
        })
    }

    fn septets(&self) -> Vec<u8> {
        if self.single {
            vec![0x1B, self.septet]
        } else {
            vec![self.septet]
        }
    }
}

#[test]
fn every_row_is_read() {
    let rows = rows();
    assert_eq!(rows.len(), 2431);
    for row in &rows {
        let text = row.character.to_string();
        let read = row.tables().decode(&row.septets());
        assert_eq!(read, text, "{:?} {:02X}", row.language, row.septet);
    }
}

/// A character is written with its row, unless another row of the same tables has it too and is
/// shorter or comes before.
#[test]
fn every_row_is_written() {
    let rows = rows();
    for row in &rows {
        let septets = row.tables().encode(&row.character.to_string()).unwrap();
        let other = rows.iter().find(|other| {
            let same_tables = other.single == row.single && other.language == row.language;
            // Single tables are tried here beside the default alphabet.
            let plain = row.single && !other.single && other.language.is_none();
            other.character == row.character && (same_tables || plain)
        });
        let expected = other.map_or_else(|| row.septets(), Row::septets);
        assert_eq!(septets, expected, "{:?} {:02X}", row.language, row.septet);
    }
}

/// No table has a character that the list lacks.
#[test]
fn nothing_else_is_written() {
    let rows = rows();
    for language in Language::ALL {
        let (locking, single) = (Some(language), Some(language));
        let tables = Tables::of(Shifts { locking, single });
        let locking = locking.filter(|language| language.has_locking());
        let listed = |character| {
            rows.iter().any(|row| {
                let of_table = if row.single { single } else { locking };
                row.character == character && row.language == of_table
            })
        };
        for character in '\0'..='\u{2FFF}' {
            let written = tables.width(character).is_some();
            assert_eq!(written, listed(character), "{language} {character:?}");
        }
    }
}

fn shifts() -> impl Strategy<Value = Shifts> {
    let language = || prop::option::of(prop::sample::select(Language::ALL.to_vec()));
    (language(), language()).prop_map(|(locking, single)| Shifts { locking, single })
}

proptest! {
    #[test]
    fn texts_come_back_through_every_choice_of_tables(
        shifts in shifts(),
        picks in prop::collection::vec((any::<bool>(), 0..128_u8), 0..200),
    ) {
        let tables = Tables::of(shifts);
        let septets: Vec<u8> = picks
            .iter()
            .flat_map(|&(escaped, septet)| escaped.then_some(0x1B).into_iter().chain([septet]))
            .collect();
        // What is shown may be a stand-in; what can be written is read as it was.
        let text: String = tables
            .decode(&septets)
            .chars()
            .filter(|character| tables.width(*character).is_some())
            .collect();
        let written = tables.encode(&text).unwrap();
        prop_assert_eq!(Some(written.len()), tables.septets(&text));
        prop_assert_eq!(tables.decode(&written), text);
    }

    #[test]
    fn ussd_strings_come_back(septets in prop::collection::vec(0..128_u8, 0..200)) {
        let read = alphabet::unpack_ussd(&alphabet::pack_ussd(&septets));
        let mut doubled = septets.clone();
        doubled.push(b'\r');
        let wanted = septets.len() % 8 == 0 && septets.last() == Some(&b'\r');
        prop_assert_eq!(read, if wanted { doubled } else { septets });
    }
}
