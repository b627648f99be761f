//! The classes of messages and the order they give.

use std::fmt;
use std::str::FromStr;

use crate::sms::ids::BadId;

/// What a message is for; it decides order, patience and what silence leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MessageClass {
    /// A one-time password: somebody stands there and waits.
    Otp,
    /// An order, an appointment, a repair.
    #[default]
    Transactional,
    /// News and offers.
    Marketing,
}

impl MessageClass {
    /// Every class, most urgent first.
    pub const ALL: &'static [Self] = &[Self::Otp, Self::Transactional, Self::Marketing];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Transactional => "transactional",
            Self::Marketing => "marketing",
        }
    }

    /// The place of its lane: lower goes first.
    pub fn rank(self) -> i64 {
        match self {
            Self::Otp => 0,
            Self::Transactional => 10,
            Self::Marketing => 20,
        }
    }
}

impl fmt::Display for MessageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MessageClass {
    type Err = BadId;

    fn from_str(word: &str) -> Result<Self, BadId> {
        Self::ALL
            .iter()
            .copied()
            .find(|class| class.as_str() == word)
            .ok_or_else(|| BadId::new(word, "one of otp, transactional, marketing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_and_urgency_sorts() {
        for class in MessageClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(*class));
        }
        assert!(MessageClass::ALL.is_sorted_by_key(|class| class.rank()));
        assert!(
            "urgent"
                .parse::<MessageClass>()
                .unwrap_err()
                .to_string()
                .contains("one of otp")
        );
    }
}
