//! Newtypes for the identities of the field, so that no signature takes a bare string or integer.
//!
//! Identities of people and cards hide all but their last three digits in `Debug`: what reaches a
//! log by accident names nobody.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Shows only the last three characters of something personal.
pub fn masked(secret: &str) -> String {
    let count = secret.chars().count();
    let tail: String = secret.chars().skip(count.saturating_sub(3)).collect();
    format!("{}{tail}", "•".repeat(count.saturating_sub(3).min(9)))
}

/// An identity that could not be read from its text form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {wanted}")]
pub struct BadId {
    given: String,
    wanted: &'static str,
}

impl BadId {
    /// `given` (cut to a length that a log can carry) is not `wanted`.
    pub fn new(given: &str, wanted: &'static str) -> Self {
        Self {
            given: given.chars().take(60).collect(),
            wanted,
        }
    }
}

macro_rules! sortable {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later than every id this process made before.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The 16 octets that the store keeps.
            pub fn octets(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(octets: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(octets))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix($prefix)
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| BadId::new(text, $wanted))
            }
        }
    };
}

sortable!(
    /// A message: one text to one number. Text form `msg_` and 32 hex digits, sortable by time (`UUIDv7`).
    MessageId, "msg_", "a message id (msg_ and 32 hex digits)"
);
sortable!(
    /// A text that came in, of one part or several. Text form `in_` and 32 hex digits, sortable by time
    /// (`UUIDv7`).
    InboundId, "in_", "the id of a text that came in (in_ and 32 hex digits)"
);
sortable!(
    /// The name of an API key: `key_` and 32 hex digits. It is no secret.
    KeyId, "key_", "a key id (key_ and 32 hex digits)"
);

/// The number of a part inside its message, from 1 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNo(pub u8);

impl fmt::Display for PartNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The fencing token of one attempt: it grows with every claim and guards every later write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub i64);

/// TP-Message-Reference: an octet the modem assigns and that wraps at 255.
///
/// It never identifies a part alone, only with SIM, recipient and time (TS 23.040, 9.2.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mr(pub u8);

/// A SIM as the store numbers it; its identity is the [`Iccid`] (or [`Imsi`]) behind the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimId(pub i64);

/// A modem as the store numbers it; its identity is the [`Imei`] behind the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModemId(pub i64);

macro_rules! digits {
    ($(#[$doc:meta])* $name:ident, $min:literal ..= $max:literal, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The digits in full.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let good = ($min..=$max).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_digit());
                if good { Ok(Self(text.into())) } else { Err(BadId::new(&masked(text), $wanted)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&masked(&self.0))
            }
        }
    };
}

digits!(
    /// The SIM card's own number, 18 to 20 digits, without the filler F that some modems print.
    Iccid, 18..=20, "an ICCID (18 to 20 digits)"
);
digits!(
    /// The subscriber's identity on the SIM, 6 to 15 digits (TS 23.003, 2.2).
    Imsi, 6..=15, "an IMSI (6 to 15 digits)"
);
digits!(
    /// The modem's identity, 14 digits with an optional check digit or software version (TS 23.003, 6.2).
    Imei, 14..=16, "an IMEI (14 to 16 digits)"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_survives_its_text_form() {
        let id = MessageId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(MessageId::from(*id.octets()), id);
    }

    #[test]
    fn later_message_ids_sort_later() {
        let made: Vec<MessageId> = (0..1000).map(|_| MessageId::new()).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.is_sorted_by_key(ToString::to_string));
    }

    #[test]
    fn wrong_ids_are_refused_with_the_form_expected() {
        for wrong in [
            "",
            "msg_",
            "msg_12",
            "key_0192d0c5c6b07a3c8f0a1b2c3d4e5f60",
            "msg_0192d0c5-c6b0-7a3c-8f0a-1b2c3d4e",
        ] {
            let error = wrong.parse::<MessageId>().unwrap_err().to_string();
            assert!(error.contains("msg_ and 32 hex digits"), "{wrong}: {error}");
        }
        assert!("89380".parse::<Iccid>().is_err());
        assert!("8938003992000123456F".parse::<Iccid>().is_err());
        assert_eq!(
            "255011234567890".parse::<Imsi>().map(|i| i.to_string()),
            Ok("255011234567890".into())
        );
    }

    #[test]
    fn debug_hides_what_is_personal() {
        let imsi: Imsi = "255011234567890".parse().unwrap();
        assert_eq!(format!("{imsi:?}"), "•••••••••890");
        assert!(
            !"x255011234567890"
                .parse::<Imsi>()
                .unwrap_err()
                .to_string()
                .contains("255011234")
        );
    }
}
