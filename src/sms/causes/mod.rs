//! What a modem's error code proves about a part, read from `hardware/errors.csv`.
//!
//! The table is data so that a technician's finding is one changed row, not a changed program.

mod family;
mod table;
mod words;

use std::fmt;

pub use family::Family;
use table::{Kind, common, named, standard, with_family};
pub use words::Words;

/// A final result that refused a command, as the modem said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// `+CMS ERROR: <code>` (TS 27.005, 3.2.5).
    Cms(u16),
    /// `+CME ERROR: <code>` (TS 27.007, 9.2).
    Cme(u16),
    /// A `+CMS ERROR` that means what this family's makers say.
    CmsOf(Family, u16),
    /// A `+CME ERROR` that means what this family's makers say.
    CmeOf(Family, u16),
    /// `ERROR`.
    Plain,
    /// An error in words or numbers of its own, its whole line: `COMMAND NOT SUPPORT`, `MODEM ERROR: 5`.
    Worded(Words),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cms(code) | Self::CmsOf(_, code) => write!(f, "+CMS ERROR: {code}"),
            Self::Cme(code) | Self::CmeOf(_, code) => write!(f, "+CME ERROR: {code}"),
            Self::Plain => f.write_str("ERROR"),
            Self::Worded(words) => f.write_str(words.as_str()),
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
    /// The standard's name of the code, or ours for one of a family.
    pub name: &'static str,
    /// What to do next.
    pub class: Class,
    /// What is proven.
    pub proof: Proof,
    /// The word that the API reports as `error.code`.
    pub word: &'static str,
}

/// A plain `ERROR` says nothing, so it proves nothing.
static PLAIN: Meaning = nothing_proven("error without a code");

/// What the modem says is not in the table.
static UNLISTED: Meaning = nothing_proven("error that no table names");

const fn nothing_proven(name: &'static str) -> Meaning {
    Meaning {
        name,
        class: Class::Unknown,
        proof: Proof::Unknown,
        word: "unknown",
    }
}

impl Cause {
    /// Looks the code up. A code that no row names is unknown in class and proof.
    ///
    /// A number that families use each in their own way counts for what they have in common, as long as
    /// nobody knows whose it is: see [`Cause::said_by`].
    pub fn meaning(self) -> &'static Meaning {
        let found = match self {
            Self::Cms(code) => common(Kind::Cms, code).or_else(|| standard(Kind::Cms, code)),
            Self::Cme(code) => common(Kind::Cme, code).or_else(|| standard(Kind::Cme, code)),
            Self::CmsOf(family, code) => with_family(Kind::Cms, family, code),
            Self::CmeOf(family, code) => with_family(Kind::Cme, family, code),
            Self::Plain => return &PLAIN,
            Self::Worded(_) => None,
        };
        found.unwrap_or(&UNLISTED)
    }

    /// The same error, now that the modem's family is known: where that has a meaning of its own for
    /// the code, it counts.
    #[must_use]
    pub fn said_by(self, family: Family) -> Self {
        match self {
            Self::Cms(code) if with_family(Kind::Cms, family, code).is_some() => {
                Self::CmsOf(family, code)
            }
            Self::Cme(code) if with_family(Kind::Cme, family, code).is_some() => {
                Self::CmeOf(family, code)
            }
            other => other,
        }
    }

    /// Its number, where it has one: also one past every table, as in `MODEM ERROR: 70000`.
    pub fn code(self) -> Option<u32> {
        match self {
            Self::Cms(code) | Self::Cme(code) | Self::CmsOf(_, code) | Self::CmeOf(_, code) => {
                Some(code.into())
            }
            Self::Plain => None,
            Self::Worded(words) => {
                let (_, number) = words.as_str().rsplit_once(':')?;
                number.trim().parse().ok()
            }
        }
    }

    /// The `+CMS ERROR` that a modem spelled out, as with `AT+CMEE=2`; none when no row of the standard has
    /// that name. Case and punctuation do not matter; of two rows with one name the network's counts.
    pub fn cms_named(name: &str) -> Option<Self> {
        named(Kind::Cms, name).map(Self::Cms)
    }

    /// The same for `+CME ERROR`.
    pub fn cme_named(name: &str) -> Option<Self> {
        named(Kind::Cme, name).map(Self::Cme)
    }

    /// An error whose line is all that is known of it.
    pub fn worded(line: &str) -> Self {
        Self::Worded(Words::new(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_family_has_its_own_meaning_for_a_number() {
        let told = |cause: Cause| {
            let meaning = cause.meaning();
            (meaning.class, meaning.proof)
        };
        let said = Cause::Cms(513);
        assert_eq!(told(said), (Class::Unknown, Proof::Unknown));
        let siemens = said.said_by(Family::Siemens);
        assert_eq!(siemens, Cause::CmsOf(Family::Siemens, 513));
        assert_eq!(told(siemens), (Class::ModemFault, Proof::NotSubmitted));
        assert_eq!(
            told(said.said_by(Family::Mediatek)),
            (Class::PermanentMessage, Proof::NotSubmitted)
        );
        assert_eq!(said.said_by(Family::Motorola), said);
        assert_eq!(Cause::Cms(38).said_by(Family::Siemens), Cause::Cms(38));
        assert_eq!(
            Cause::Cme(262).said_by(Family::Siemens),
            Cause::CmeOf(Family::Siemens, 262)
        );
        assert_eq!(Cause::Plain.said_by(Family::Siemens), Cause::Plain);
    }

    #[test]
    fn what_was_said_is_kept() {
        const CASES: &[(Cause, &str, Option<u32>)] = &[
            (Cause::Cms(38), "+CMS ERROR: 38", Some(38)),
            (
                Cause::CmsOf(Family::Nordic, 513),
                "+CMS ERROR: 513",
                Some(513),
            ),
            (
                Cause::CmeOf(Family::Wavecom, 515),
                "+CME ERROR: 515",
                Some(515),
            ),
            (Cause::Plain, "ERROR", None),
        ];
        for (cause, said, code) in CASES {
            assert_eq!((cause.to_string().as_str(), cause.code()), (*said, *code));
        }
        for (said, code) in [
            ("MODEM ERROR: 5", Some(5)),
            ("+CMS ERROR: 400000", Some(400_000)),
            ("+CME ERROR: SIM tired", None),
            ("COMMAND NOT SUPPORT", None),
        ] {
            let cause = Cause::worded(said);
            assert_eq!((cause.to_string().as_str(), cause.code()), (said, code));
            assert_eq!(cause.meaning().name, "error that no table names");
        }
    }
}
