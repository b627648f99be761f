//! A short text that lies in place, so that an error can be handed on by copy.

use std::fmt;

/// Octets that are kept: the longest name of an error that the standards have is 51.
const ROOM: usize = 64;

/// The words of an error; what is longer is cut off.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Words {
    octets: [u8; ROOM],
    length: usize,
}

impl Words {
    /// Keeps the beginning of `text`, up to 64 octets of whole characters.
    pub(super) fn new(text: &str) -> Self {
        let length = text.floor_char_boundary(ROOM);
        let mut octets = [0; ROOM];
        for (place, octet) in octets.iter_mut().zip(text.bytes().take(length)) {
            *place = octet;
        }
        Self { octets, length }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        let kept = self.octets.get(..self.length).unwrap_or_default();
        std::str::from_utf8(kept).unwrap_or_default()
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_characters_are_kept() {
        for text in ["", "COMMAND NOT SUPPORT", "\u{42f}\u{44f}", &"a".repeat(64)] {
            assert_eq!(Words::new(text).as_str(), text);
        }
        assert_eq!(Words::new(&"a".repeat(65)).as_str(), "a".repeat(64));
        let cut = format!("{}\u{42f}", "a".repeat(63));
        assert_eq!(Words::new(&cut).as_str(), "a".repeat(63));
        assert_eq!(format!("{:?}", Words::new("SIM tired")), "\"SIM tired\"");
    }
}
