//! One table of 128 septets, read both ways: septet to character, and character to septet.

/// A table of TS 23.038. All its characters are in the basic multilingual plane.
pub(super) struct Table {
    characters: [Option<char>; 128],
    /// The septets of the characters up to U+00FF, which most texts have most of.
    low: [u8; LOW],
    /// Characters by a hash, each with its septet; a character that finds its place taken stands in
    /// the next free one. At least half of the places are free, so a search ends after a step or two.
    places: [Option<(char, u8)>; PLACES],
}

const PLACES: usize = 256;
const LOW: usize = 256;
/// No septet.
const NONE: u8 = 0xFF;

impl Table {
    /// Reads a table at compile time: a word a septet, `----` for none.
    ///
    /// Of a character with two septets the first is written.
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "runs at compile time, where an index out of bounds does not build and a septet is below 128"
    )]
    pub(super) const fn new(words: &str) -> Self {
        let words = words.as_bytes();
        let mut table = Self {
            characters: [None; 128],
            low: [NONE; LOW],
            places: [None; PLACES],
        };
        let mut septet = 0;
        while septet * 5 < words.len() {
            if let Some(character) = word(words, septet * 5) {
                table.characters[septet] = Some(character);
                if (character as usize) < LOW && table.low[character as usize] == NONE {
                    table.low[character as usize] = septet as u8;
                }
                let mut place = hash(character);
                while let Some((there, _)) = table.places[place]
                    && there != character
                {
                    place = (place + 1) % PLACES;
                }
                if table.places[place].is_none() {
                    table.places[place] = Some((character, septet as u8));
                }
            }
            septet += 1;
        }
        table
    }

    /// The character of a septet.
    pub(super) fn character(&self, septet: u8) -> Option<char> {
        self.characters.get(usize::from(septet)).copied().flatten()
    }

    /// The septet of a character.
    pub(super) fn septet(&self, character: char) -> Option<u8> {
        if let Ok(low) = u8::try_from(character) {
            let septet = self.low.get(usize::from(low)).copied();
            return septet.filter(|septet| *septet != NONE);
        }
        let mut place = hash(character);
        // Ends at a free place: there are more places than septets.
        while let Some(&Some((there, septet))) = self.places.get(place) {
            if there == character {
                return Some(septet);
            }
            place = (place + 1) % PLACES;
        }
        None
    }
}

/// Spreads the blocks of the scripts over the places: the upper bits of a product with 2^16 divided by
/// the golden ratio.
const fn hash(character: char) -> usize {
    ((character as u32).wrapping_mul(0x9E37) >> 8 & 0xFF) as usize
}

#[expect(
    clippy::indexing_slicing,
    reason = "runs at compile time, where an index out of bounds does not build"
)]
const fn word(words: &[u8], at: usize) -> Option<char> {
    let mut code_point = 0;
    let mut digit = at;
    while digit < at + 4 {
        let value = match words[digit] {
            decimal @ b'0'..=b'9' => decimal - b'0',
            upper @ b'A'..=b'F' => upper - b'A' + 10,
            _ => return None,
        };
        code_point = code_point << 4 | value as u32;
        digit += 1;
    }
    char::from_u32(code_point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_septets_and_come_back() {
        static TABLE: Table = Table::new("0040 ---- 20AC 0040 0F3A 00FF 00FF");
        let characters = (0..8).map(|septet| TABLE.character(septet));
        assert_eq!(
            characters.collect::<Vec<_>>(),
            [
                Some('@'),
                None,
                Some('€'),
                Some('@'),
                Some('\u{F3A}'),
                Some('ÿ'),
                Some('ÿ'),
                None
            ]
        );
        let septets =
            ['@', '€', '\u{F3A}', 'ÿ', '-', '\0', 'a', 'Ā', '😀'].map(|c| TABLE.septet(c));
        assert_eq!(
            septets,
            [
                Some(0),
                Some(2),
                Some(4),
                Some(5),
                None,
                None,
                None,
                None,
                None
            ]
        );
    }

    #[test]
    fn characters_that_want_the_same_place_are_all_found() {
        let rivals: Vec<char> = ('\u{100}'..='\u{2FFF}')
            .filter(|character| hash(*character) == hash('Є'))
            .take(5)
            .collect();
        let words: Vec<String> = rivals
            .iter()
            .map(|character| format!("{:04X}", u32::from(*character)))
            .collect();
        let table = Table::new(&words.join(" "));
        for (septet, character) in (0_u8..).zip(rivals) {
            assert_eq!(table.septet(character), Some(septet), "{character:?}");
        }
    }

    #[test]
    fn searches_are_short() {
        let longest = |table: &Table| {
            let taken: Vec<bool> = table.places.iter().map(Option::is_some).collect();
            let runs = taken.split(|taken| !taken).map(<[bool]>::len);
            runs.max().unwrap_or(0)
        };
        let tables = super::super::language::Language::ALL
            .iter()
            .flat_map(|language| language.locking().into_iter().chain([language.single()]));
        for table in tables.chain([&super::super::tables::DEFAULT]) {
            assert!(longest(table) < 32, "{}", longest(table));
        }
    }
}
