//! What a command's values may be, as its test form says it: `(0-2),(0,1,3)`.

use serde::Deserialize;

/// One set of values for each place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::emulator::modem) struct Ranges {
    text: String,
    sets: Vec<Vec<u8>>,
}

/// The text is no list of sets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no list of sets such as (0-2),(0,1)")]
pub(in crate::emulator::modem) struct BadRanges(String);

impl Ranges {
    /// As the test form says it.
    pub(in crate::emulator::modem) fn text(&self) -> &str {
        &self.text
    }

    /// The first value of each set.
    pub(in crate::emulator::modem) fn first(&self) -> impl Iterator<Item = u8> {
        self.sets.iter().filter_map(|set| set.first().copied())
    }

    /// `given` with the first value of each set for what is left out at the end; `None` when a
    /// value stands in no set or there are too many.
    pub(in crate::emulator::modem) fn complete(&self, given: &[u8]) -> Option<Vec<u8>> {
        if given.len() > self.sets.len() {
            return None;
        }
        let mut given = given.iter().copied();
        let values = self.sets.iter().map(|set| match given.next() {
            Some(value) => set.contains(&value).then_some(value),
            None => set.first().copied(),
        });
        values.collect()
    }
}

impl TryFrom<String> for Ranges {
    type Error = BadRanges;

    fn try_from(text: String) -> Result<Self, BadRanges> {
        let inner = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
        let sets: Option<Vec<_>> = inner.and_then(|inner| inner.split("),(").map(set).collect());
        match sets {
            Some(sets) => Ok(Self { text, sets }),
            None => Err(BadRanges(text)),
        }
    }
}

fn set(text: &str) -> Option<Vec<u8>> {
    let mut values = Vec::new();
    for item in text.split(',') {
        match item.split_once('-') {
            Some((low, high)) => {
                let (low, high): (u8, u8) = (low.parse().ok()?, high.parse().ok()?);
                values.extend(low..=high);
            }
            None => values.push(item.parse().ok()?),
        }
    }
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Result<Ranges, BadRanges> {
        Ranges::try_from(text.to_owned())
    }

    #[test]
    fn values_are_held_against_their_sets() {
        const CASES: &[(&[u8], Option<&[u8]>)] = &[
            (&[2, 1, 0, 2, 1], Some(&[2, 1, 0, 2, 1])),
            (&[2, 3], Some(&[2, 3, 0, 0, 1])),
            (&[], Some(&[0, 0, 0, 0, 1])),
            (&[2, 2], None),
            (&[2, 1, 0, 1, 1], None),
            (&[2, 1, 0, 2, 1, 0], None),
        ];
        let cnmi = ranges("(0-2),(0,1,3),(0),(0,2),(1)").unwrap();
        for (given, whole) in CASES {
            assert_eq!(cnmi.complete(given).as_deref(), *whole, "{given:?}");
        }
        assert_eq!(cnmi.first().collect::<Vec<_>>(), [0, 0, 0, 0, 1]);
    }

    #[test]
    fn what_is_no_list_is_named() {
        for text in ["", "0-2", "()", "(0-x)", "(2-0)", "(0),1", "(256)"] {
            assert_eq!(ranges(text), Err(BadRanges(text.into())), "{text}");
        }
    }
}
