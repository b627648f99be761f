//! TP-Failure-Cause: why a message was not taken.

use std::fmt;

use crate::sms::causes::Cause;

/// The octet TP-FCS (TS 23.040, 9.2.3.22); codes below 80 are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fcs(pub u8);

impl Fcs {
    /// The standard's name of the cause: modems hand these codes on as `+CMS ERROR` with the same
    /// number (TS 27.005, 3.2.5).
    pub fn meaning(self) -> &'static str {
        if self.0 < 0x80 {
            return "Reserved";
        }
        Cause::Cms(u16::from(self.0)).meaning().name
    }
}

/// The octet in hex, as tables of the standard print it, and its meaning.
impl fmt::Display for Fcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X} {}", self.0, self.meaning())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_has_a_meaning() {
        /// The codes that the standard assigns one by one.
        const ASSIGNED: &[(u8, u8)] = &[
            (0x80, 0x82),
            (0x8F, 0x91),
            (0x9F, 0xA1),
            (0xAF, 0xB0),
            (0xC0, 0xC7),
            (0xD0, 0xD5),
            (0xE0, 0xFF),
        ];
        for octet in 0..=u8::MAX {
            let assigned = ASSIGNED
                .iter()
                .any(|&(first, last)| (first..=last).contains(&octet));
            let meaning = Fcs(octet).meaning();
            assert_eq!(
                !meaning.starts_with("Reserved"),
                assigned,
                "{octet:02X} {meaning}"
            );
        }
        assert_eq!(Fcs(0xD3).to_string(), "D3 Memory capacity exceeded");
        assert_eq!(Fcs(0x7F).to_string(), "7F Reserved");
    }
}
