//! What a modem's error code proves about a part, read from `hardware/errors.csv`.
//!
//! The table is data so that a technician's finding is one changed row, not a changed program.

use std::fmt;
use std::sync::OnceLock;

/// A final result that refused a command, as the modem said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// `+CMS ERROR: <code>` (TS 27.005, 3.2.5).
    Cms(u16),
    /// `+CME ERROR: <code>` (TS 27.007, 9.2).
    Cme(u16),
    /// `ERROR`, or a text that carries no number.
    Plain,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cms(code) => write!(f, "+CMS ERROR: {code}"),
            Self::Cme(code) => write!(f, "+CME ERROR: {code}"),
            Self::Plain => f.write_str("ERROR"),
        }
    }
}

/// What is to be done with a text after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Short-lived trouble: the same SIM may try again after a wait.
    RetryLater,
    /// This SIM is refused, another may be taken.
    OtherSim,
    /// The number takes no texts.
    PermanentDestination,
    /// This text is never taken as it is.
    PermanentMessage,
    /// The SIM is missing, locked or broken.
    SimFault,
    /// The modem is ill.
    ModemFault,
    /// There is no service now.
    NetworkDown,
    /// A setting of the modem is wrong.
    Configuration,
    /// Nobody can say.
    Unknown,
}

impl Class {
    /// Whether the SIM or its modem is to blame: another text would fare no better on it.
    pub fn blames_sim(self) -> bool {
        matches!(
            self,
            Self::SimFault | Self::ModemFault | Self::NetworkDown | Self::Configuration
        )
    }

    /// Whether another attempt with the same text to the same number is pointless.
    pub fn permanent(self) -> bool {
        matches!(self, Self::PermanentDestination | Self::PermanentMessage)
    }
}

/// What an answer proves about the part that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The part never left the modem.
    NotSubmitted,
    /// The network saw the part and refused it.
    Refused,
    /// The network holds the part.
    Accepted,
    /// The part may or may not be out.
    Unknown,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The standard's name of the code.
    pub name: &'static str,
    /// What to do next.
    pub class: Class,
    /// What is proven.
    pub proof: Proof,
    /// The word that the API reports as `error.code`.
    pub word: &'static str,
}

/// A plain `ERROR` says nothing, so it proves nothing.
static PLAIN: Meaning = Meaning {
    name: "error without a code",
    class: Class::Unknown,
    proof: Proof::Unknown,
    word: "unknown",
};

impl Cause {
    /// Looks the code up. A code that no row names is unknown in class and proof.
    pub fn meaning(self) -> &'static Meaning {
        let (kind, code) = match self {
            Self::Cms(code) => (Kind::Cms, code),
            Self::Cme(code) => (Kind::Cme, code),
            Self::Plain => return &PLAIN,
        };
        table()
            .iter()
            .filter(|row| row.kind == kind && (row.first..=row.last).contains(&code))
            .min_by_key(|row| row.last - row.first)
            .map_or(&PLAIN, |row| &row.meaning)
    }

    /// The `+CMS ERROR` that a modem spelled out, as with `AT+CMEE=2`; [`Cause::Plain`] when no row has
    /// that name. Case and punctuation do not matter; of two rows with one name the network's counts.
    pub fn cms_named(name: &str) -> Self {
        code_named(Kind::Cms, name).map_or(Self::Plain, Self::Cms)
    }

    /// The same for `+CME ERROR`.
    pub fn cme_named(name: &str) -> Self {
        code_named(Kind::Cme, name).map_or(Self::Plain, Self::Cme)
    }
}

fn code_named(kind: Kind, name: &str) -> Option<u16> {
    let single = |row: &&Row| row.kind == kind && row.first == row.last;
    table()
        .iter()
        .filter(single)
        .find(|row| letters(row.meaning.name).eq(letters(name)))
        .map(|row| row.first)
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cms,
    Cme,
}

struct Row {
    kind: Kind,
    first: u16,
    last: u16,
    meaning: Meaning,
}

fn table() -> &'static [Row] {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    TABLE.get_or_init(|| data_lines().filter_map(row).collect())
}

fn data_lines() -> impl Iterator<Item = &'static str> {
    include_str!("../../hardware/errors.csv")
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
    let first = cells.next()?.parse().ok()?;
    let last = cells.next()?.parse().ok()?;
    let name = cells.next()?;
    let class = class(cells.next()?)?;
    let proof = proof(cells.next()?)?;
    let word = cells.next().filter(|word| !word.is_empty())?;
    Some(Row {
        kind,
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
            assert_eq!(line.split(',').count(), 7, "{line}");
        }
        assert!(table().len() > 140);
    }

    #[test]
    fn every_row_is_found_by_its_name() {
        for row in table().iter().filter(|row| row.first == row.last) {
            let name = row.meaning.name.to_uppercase();
            let found = match row.kind {
                Kind::Cms => Cause::cms_named(&name),
                Kind::Cme => Cause::cme_named(&name),
            };
            assert_eq!(found.meaning().name, row.meaning.name);
        }
        assert_eq!(Cause::cms_named("network timeout"), Cause::Cms(332));
        assert_eq!(Cause::cms_named("Memory capacity exceeded"), Cause::Cms(22));
        assert_eq!(Cause::cme_named("SIM busy"), Cause::Cme(14));
        assert_eq!(Cause::cme_named("SIM tired"), Cause::Plain);
        assert_eq!(Cause::cms_named(""), Cause::Plain);
    }

    #[test]
    fn no_two_rows_claim_the_same_code() {
        for (at, row) in table().iter().enumerate() {
            let twin = table().iter().skip(at + 1).find(|other| {
                other.kind == row.kind && (other.first, other.last) == (row.first, row.last)
            });
            assert!(twin.is_none(), "{} twice", row.first);
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn codes_decide_what_happens_next() {
        const CASES: &[(Cause, Class, Proof, &str)] = &[
            (
                Cause::Cms(1),
                Class::PermanentDestination,
                Proof::Refused,
                "unknown_subscriber",
            ),
            (
                Cause::Cms(21),
                Class::OtherSim,
                Proof::Refused,
                "network_rejected",
            ),
            (
                Cause::Cms(42),
                Class::RetryLater,
                Proof::Refused,
                "network_busy",
            ),
            (
                Cause::Cms(135),
                Class::PermanentMessage,
                Proof::Refused,
                "network_rejected",
            ),
            (
                Cause::Cms(197),
                Class::PermanentMessage,
                Proof::Accepted,
                "network_rejected",
            ),
            (
                Cause::Cms(310),
                Class::SimFault,
                Proof::NotSubmitted,
                "sim_locked",
            ),
            (
                Cause::Cms(332),
                Class::RetryLater,
                Proof::Unknown,
                "network_busy",
            ),
            (Cause::Cms(777), Class::Unknown, Proof::Unknown, "unknown"),
            (
                Cause::Cme(31),
                Class::RetryLater,
                Proof::Unknown,
                "network_busy",
            ),
            (Cause::Cme(999), Class::Unknown, Proof::Unknown, "unknown"),
            (Cause::Plain, Class::Unknown, Proof::Unknown, "unknown"),
        ];
        for (cause, class, proof, word) in CASES {
            let meaning = cause.meaning();
            assert_eq!(
                (meaning.class, meaning.proof, meaning.word),
                (*class, *proof, *word),
                "{cause}"
            );
        }
    }
}
