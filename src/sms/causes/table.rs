//! The rows of `hardware/errors.csv`, and the ways to find one.

use std::sync::OnceLock;

use super::{Class, Family, Meaning, Proof};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cms,
    Cme,
}

/// Whose meaning a row tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The standard's.
    Standard,
    /// One family's.
    Family(Family),
    /// What all families that use the number agree in.
    Common,
}

#[derive(Debug)]
struct Row {
    kind: Kind,
    origin: Origin,
    first: u16,
    last: u16,
    meaning: Meaning,
}

/// The standard's meaning of a code: of a row for it alone, else of the narrowest range.
pub(super) fn standard(kind: Kind, code: u16) -> Option<&'static Meaning> {
    find(kind, Origin::Standard, code)
}

/// What the code means where `family` made the modem.
pub(super) fn with_family(kind: Kind, family: Family, code: u16) -> Option<&'static Meaning> {
    find(kind, Origin::Family(family), code)
}

/// What two families or more mean by a code, as far as they agree.
pub(super) fn common(kind: Kind, code: u16) -> Option<&'static Meaning> {
    find(kind, Origin::Common, code)
}

fn find(kind: Kind, origin: Origin, code: u16) -> Option<&'static Meaning> {
    table()
        .iter()
        .filter(|row| row.kind == kind && row.origin == origin)
        .filter(|row| (row.first..=row.last).contains(&code))
        .min_by_key(|row| row.last - row.first)
        .map(|row| &row.meaning)
}

/// The code with this name in the standard.
pub(super) fn named(kind: Kind, name: &str) -> Option<u16> {
    table()
        .iter()
        .filter(|row| row.kind == kind && row.origin == Origin::Standard && row.first == row.last)
        .find(|row| letters(row.meaning.name).eq(letters(name)))
        .map(|row| row.first)
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
}

fn table() -> &'static [Row] {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut rows: Vec<Row> = data_lines().filter_map(row).collect();
        let agreed: Vec<Row> = rows.iter().filter_map(|row| agreed(row, &rows)).collect();
        rows.extend(agreed);
        rows
    })
}

/// What the families that use the number of `row` have in common, told once: by the first of them. A number
/// that only one family uses is nobody else's: nothing follows from it for an unknown modem.
fn agreed(row: &Row, rows: &[Row]) -> Option<Row> {
    let is_familys = |row: &Row| matches!(row.origin, Origin::Family(_));
    let alike =
        |other: &&Row| is_familys(other) && (other.kind, other.first) == (row.kind, row.first);
    let mut others = rows.iter().filter(alike);
    let first = others.next().filter(|first| std::ptr::eq(*first, row))?;
    let mut meaning = first.meaning.clone();
    let mut families = 1;
    for Row { meaning: other, .. } in others {
        families += 1;
        if *other != meaning {
            meaning.name = "a number that each maker uses in its own way";
        }
        if other.class != meaning.class {
            meaning.class = Class::Unknown;
        }
        if other.proof != meaning.proof {
            meaning.proof = Proof::Unknown;
        }
        if other.word != meaning.word {
            meaning.word = "unknown";
        }
    }
    (families > 1).then_some(Row {
        kind: row.kind,
        origin: Origin::Common,
        first: row.first,
        last: row.last,
        meaning,
    })
}

fn data_lines() -> impl Iterator<Item = &'static str> {
    include_str!("../../../hardware/errors.csv")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("kind,"))
}

fn row(line: &'static str) -> Option<Row> {
    let mut cells = line.split(',');
    let kind = match cells.next()? {
        "cms" => Kind::Cms,
        "cme" => Kind::Cme,
        _ => return None,
    };
    let origin = match cells.next()? {
        "" => Origin::Standard,
        word => Origin::Family(Family::named(word)?),
    };
    let first = cells.next()?.parse().ok()?;
    let last = cells.next()?.parse().ok()?;
    let name = cells.next()?;
    let class = class(cells.next()?)?;
    let proof = proof(cells.next()?)?;
    let word = cells.next().filter(|word| !word.is_empty())?;
    Some(Row {
        kind,
        origin,
        first,
        last,
        meaning: Meaning {
            name,
            class,
            proof,
            word,
        },
    })
}

fn class(word: &str) -> Option<Class> {
    Some(match word {
        "retry_later" => Class::RetryLater,
        "other_sim" => Class::OtherSim,
        "permanent_destination" => Class::PermanentDestination,
        "permanent_message" => Class::PermanentMessage,
        "sim_fault" => Class::SimFault,
        "modem_fault" => Class::ModemFault,
        "network_down" => Class::NetworkDown,
        "configuration" => Class::Configuration,
        "unknown" => Class::Unknown,
        _ => return None,
    })
}

fn proof(word: &str) -> Option<Proof> {
    Some(match word {
        "not_submitted" => Proof::NotSubmitted,
        "refused" => Proof::Refused,
        "accepted" => Proof::Accepted,
        "unknown" => Proof::Unknown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_understood() {
        for line in data_lines() {
            let row = row(line).unwrap_or_else(|| panic!("cannot read `{line}`"));
            assert!(row.first <= row.last, "{line}");
            assert_eq!(line.split(',').count(), 8, "{line}");
        }
        assert!(table().len() > 240);
    }

    #[test]
    fn every_row_of_the_standard_is_found_by_its_name() {
        let single = |row: &&Row| row.origin == Origin::Standard && row.first == row.last;
        for row in table().iter().filter(single) {
            let code = named(row.kind, &row.meaning.name.to_uppercase()).unwrap();
            assert_eq!(standard(row.kind, code).unwrap().name, row.meaning.name);
        }
        for (kind, name, code) in [
            (Kind::Cms, "network timeout", Some(332)),
            (Kind::Cms, "Memory capacity exceeded", Some(22)),
            (Kind::Cme, "SIM busy", Some(14)),
            (Kind::Cme, "SIM tired", None),
            (Kind::Cms, "SIM not ready yet", None),
            (Kind::Cms, "", None),
        ] {
            assert_eq!(named(kind, name), code, "{name}");
        }
    }

    #[test]
    fn no_two_rows_claim_the_same_code() {
        for (at, row) in table().iter().enumerate() {
            let twin = table().iter().skip(at + 1).find(|other| {
                (other.kind, other.origin) == (row.kind, row.origin)
                    && (other.first, other.last) == (row.first, row.last)
            });
            assert!(twin.is_none(), "{} twice", row.first);
        }
    }

    #[test]
    fn families_have_in_common_what_each_of_them_says() {
        let told =
            |code| common(Kind::Cms, code).map(|common| (common.class, common.proof, common.word));
        let busy = (Class::RetryLater, Proof::NotSubmitted, "network_busy");
        assert_eq!(told(532), Some(busy), "two say the same");
        let unsent = (Class::Unknown, Proof::NotSubmitted, "unknown");
        assert_eq!(told(515), Some(unsent), "none has sent it");
        let nothing = (Class::Unknown, Proof::Unknown, "unknown");
        assert_eq!(told(512), Some(nothing), "one may have sent it");
        assert_eq!(told(615), None, "one family's own");
        assert_eq!(told(38), None);
        assert_eq!(common(Kind::Cme, 772), None);
    }
}
