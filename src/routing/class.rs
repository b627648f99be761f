//! The classes of messages and the order they give.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

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

    /// The place of a text among all that wait: lower goes first. The class decides, then the priority.
    pub fn rank(self, priority: Priority) -> i64 {
        let lane = match self {
            Self::Otp => 0,
            Self::Transactional => 10,
            Self::Marketing => 20,
        };
        lane + i64::from(Priority::HIGHEST - priority.0)
    }

    /// How long a text is worth sending, where its wish does not say: somebody who waits for a password
    /// asks for another one after ten minutes.
    pub fn life(self) -> Duration {
        match self {
            Self::Otp => Duration::from_secs(600),
            Self::Transactional | Self::Marketing => Duration::from_secs(24 * 3600),
        }
    }
}

/// The order of texts of one class: 0 to 9, higher goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(u8);

impl Priority {
    const HIGHEST: u8 = 9;

    /// The priority of that number, if there is one.
    pub fn new(number: u8) -> Option<Self> {
        (number <= Self::HIGHEST).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    /// 5: there is room on both sides.
    fn default() -> Self {
        Self(5)
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
        let ranks: Vec<i64> = MessageClass::ALL
            .iter()
            .flat_map(|class| {
                (0..=9)
                    .rev()
                    .filter_map(Priority::new)
                    .map(|it| class.rank(it))
            })
            .collect();
        assert!(ranks.is_sorted_by(|before, after| before < after));
        assert_eq!((ranks.len(), Priority::new(10)), (30, None));
        assert!(
            "urgent"
                .parse::<MessageClass>()
                .unwrap_err()
                .to_string()
                .contains("one of otp")
        );
    }
}
