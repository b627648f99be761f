//! One table of 128 septets, read both ways: septet to character, and character to septet.

/// A table of TS 23.038. All its characters are in the basic multilingual plane.
pub(super) struct Table {
    characters: [Option<char>; 128],
    /// For each block of the plane where its septets stand in `septets`; most have none and share the first.
    blocks: [u8; BLOCKS],
    septets: [[u8; BLOCK]; MOST_BLOCKS],
}

/// Characters of a block: a script has one or two.
const BLOCK: usize = 64;
const BLOCKS: usize = 0x1_0000 / BLOCK;
/// The most blocks that the characters of one table are in, and the one without septets.
const MOST_BLOCKS: usize = 14;
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
            blocks: [0; BLOCKS],
            septets: [[NONE; BLOCK]; MOST_BLOCKS],
        };
        let mut used = 1_u8;
        let mut septet = 0;
        while septet * 5 < words.len() {
            if let Some(character) = word(words, septet * 5) {
                table.characters[septet] = Some(character);
                let (block, place) = (character as usize / BLOCK, character as usize % BLOCK);
                if table.blocks[block] == 0 {
                    table.blocks[block] = used;
                    used += 1;
                }
                let septets = &mut table.septets[table.blocks[block] as usize];
                if septets[place] == NONE {
                    septets[place] = septet as u8;
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
        let code = usize::from(u16::try_from(character).ok()?);
        let block = self.blocks.get(code / BLOCK)?;
        let septet = self.septets.get(usize::from(*block))?.get(code % BLOCK)?;
        (*septet != NONE).then_some(*septet)
    }
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
    fn characters_far_apart_are_all_found() {
        // The first and last of as many blocks as a table may have, and their neighbours.
        let firsts = (1..MOST_BLOCKS).map(|block| block * BLOCK * 70);
        let all: Vec<char> = firsts
            .flat_map(|first| [first, first + BLOCK - 1])
            .map(|code| char::from_u32(u32::try_from(code).unwrap()).unwrap())
            .collect();
        let words: Vec<String> = all
            .iter()
            .map(|character| format!("{:04X}", u32::from(*character)))
            .collect();
        let table = Table::new(&words.join(" "));
        for (septet, character) in (0_u8..).zip(all) {
            assert_eq!(table.septet(character), Some(septet), "{character:?}");
            let code = u32::from(character);
            for neighbour in [code - 1, code + 1].map(|code| char::from_u32(code).unwrap()) {
                assert_eq!(table.septet(neighbour), None, "{neighbour:?}");
            }
        }
        assert_eq!(table.septet('\u{10000}'), None);
    }
}
