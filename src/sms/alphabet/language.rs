//! The national languages whose tables a message may name in its header.

use std::fmt;

use super::table::Table;
use super::tables;

/// A national language identifier (TS 23.038, 6.2.1.2.4). Known ones only: 1 to 13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Language {
    /// Turkish.
    Turkish = 1,
    /// Spanish; has no locking table.
    Spanish = 2,
    /// Portuguese.
    Portuguese = 3,
    /// Bengali and Assamese.
    Bengali = 4,
    /// Gujarati.
    Gujarati = 5,
    /// Hindi.
    Hindi = 6,
    /// Kannada.
    Kannada = 7,
    /// Malayalam.
    Malayalam = 8,
    /// Oriya.
    Oriya = 9,
    /// Punjabi.
    Punjabi = 10,
    /// Tamil.
    Tamil = 11,
    /// Telugu.
    Telugu = 12,
    /// Urdu.
    Urdu = 13,
}

/// An identifier without a table: 0 stands for the default alphabet, 14 to 255 are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("national language {0} is not one of 1 to 13")]
pub struct UnknownLanguage(pub u8);

impl Language {
    /// All of them, in the order of their identifiers.
    pub const ALL: [Self; 13] = [
        Self::Turkish,
        Self::Spanish,
        Self::Portuguese,
        Self::Bengali,
        Self::Gujarati,
        Self::Hindi,
        Self::Kannada,
        Self::Malayalam,
        Self::Oriya,
        Self::Punjabi,
        Self::Tamil,
        Self::Telugu,
        Self::Urdu,
    ];

    /// The identifier, 1 to 13.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// Does the language have a locking table? Spanish does not.
    pub fn has_locking(self) -> bool {
        self.locking().is_some()
    }

    pub(super) fn locking(self) -> Option<&'static Table> {
        Some(match self {
            Self::Turkish => &tables::TURKISH_LOCKING,
            Self::Spanish => return None,
            Self::Portuguese => &tables::PORTUGUESE_LOCKING,
            Self::Bengali => &tables::BENGALI_LOCKING,
            Self::Gujarati => &tables::GUJARATI_LOCKING,
            Self::Hindi => &tables::HINDI_LOCKING,
            Self::Kannada => &tables::KANNADA_LOCKING,
            Self::Malayalam => &tables::MALAYALAM_LOCKING,
            Self::Oriya => &tables::ORIYA_LOCKING,
            Self::Punjabi => &tables::PUNJABI_LOCKING,
            Self::Tamil => &tables::TAMIL_LOCKING,
            Self::Telugu => &tables::TELUGU_LOCKING,
            Self::Urdu => &tables::URDU_LOCKING,
        })
    }

    pub(super) fn single(self) -> &'static Table {
        match self {
            Self::Turkish => &tables::TURKISH_SINGLE,
            Self::Spanish => &tables::SPANISH_SINGLE,
            Self::Portuguese => &tables::PORTUGUESE_SINGLE,
            Self::Bengali => &tables::BENGALI_SINGLE,
            Self::Gujarati => &tables::GUJARATI_SINGLE,
            Self::Hindi => &tables::HINDI_SINGLE,
            Self::Kannada => &tables::KANNADA_SINGLE,
            Self::Malayalam => &tables::MALAYALAM_SINGLE,
            Self::Oriya => &tables::ORIYA_SINGLE,
            Self::Punjabi => &tables::PUNJABI_SINGLE,
            Self::Tamil => &tables::TAMIL_SINGLE,
            Self::Telugu => &tables::TELUGU_SINGLE,
            Self::Urdu => &tables::URDU_SINGLE,
        }
    }
}

impl TryFrom<u8> for Language {
    type Error = UnknownLanguage;

    fn try_from(id: u8) -> Result<Self, UnknownLanguage> {
        Self::ALL
            .into_iter()
            .find(|language| language.id() == id)
            .ok_or(UnknownLanguage(id))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Turkish => "Turkish",
            Self::Spanish => "Spanish",
            Self::Portuguese => "Portuguese",
            Self::Bengali => "Bengali and Assamese",
            Self::Gujarati => "Gujarati",
            Self::Hindi => "Hindi",
            Self::Kannada => "Kannada",
            Self::Malayalam => "Malayalam",
            Self::Oriya => "Oriya",
            Self::Punjabi => "Punjabi",
            Self::Tamil => "Tamil",
            Self::Telugu => "Telugu",
            Self::Urdu => "Urdu",
        })
    }
}

/// Which tables a message is written with; nothing means the default one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Shifts {
    /// In the place of the default alphabet (TS 23.040, 9.2.3.24.16).
    pub locking: Option<Language>,
    /// In the place of the default extension (TS 23.040, 9.2.3.24.15).
    pub single: Option<Language>,
}

impl Shifts {
    /// The default alphabet and its extension.
    pub const NONE: Self = Self {
        locking: None,
        single: None,
    };

    /// The octets that naming the tables costs in a header: 3 for each.
    pub fn header_octets(self) -> usize {
        3 * (usize::from(self.locking.is_some()) + usize::from(self.single.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_come_back_and_others_have_no_language() {
        for id in 0..=255 {
            let expected = if (1..=13).contains(&id) {
                Ok(id)
            } else {
                Err(UnknownLanguage(id))
            };
            assert_eq!(Language::try_from(id).map(Language::id), expected);
        }
        assert_eq!(
            Language::try_from(6).map(|l| l.to_string()),
            Ok("Hindi".to_owned())
        );
        assert_eq!(
            UnknownLanguage(14).to_string(),
            "national language 14 is not one of 1 to 13"
        );
    }

    #[test]
    fn spanish_alone_has_no_locking_table() {
        let without: Vec<Language> = Language::ALL
            .into_iter()
            .filter(|language| !language.has_locking())
            .collect();
        assert_eq!(without, [Language::Spanish]);
    }

    #[test]
    fn each_table_named_costs_three_octets() {
        let (locking, single) = (Some(Language::Hindi), Some(Language::Urdu));
        let cost = |locking, single| Shifts { locking, single }.header_octets();
        assert_eq!(
            [
                cost(None, None),
                cost(locking, None),
                cost(None, single),
                cost(locking, single)
            ],
            [0, 3, 3, 6]
        );
    }
}
