//! Where a modem keeps what comes in, by name (TS 27.005, 3.1 and 3.2.2).

/// The name of a storage: `SM` is the card's, `ME` the modem's, `MT` both, `SR` holds reports.
///
/// One to eight letters, digits and underscores: it can stand between quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory(Box<str>);

impl Memory {
    /// None: `name` cannot be the name of a storage.
    pub fn new(name: &str) -> Option<Self> {
        let fits = (1..=8).contains(&name.len());
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
        (fits && name.bytes().all(plain)).then(|| Self(name.to_ascii_uppercase().into()))
    }

    /// As the argument of `AT+CPMS` that selects it for reading and deleting, and nothing else.
    pub fn argument(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// Another name for what other storages hold, in part or in an order of preference; or what holds
    /// no messages to us: broadcasts.
    fn is_extra(&self) -> bool {
        matches!(&*self.0, "MT" | "BM" | "TA") || self.0.ends_with("_P")
    }
}

/// The storages of one modem.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storages {
    /// The one that is read and emptied now; none where the modem does not tell.
    pub selected: Option<Memory>,
    /// The one that what comes in goes to.
    inbox: Option<Memory>,
    /// All that can be read.
    listed: Vec<Memory>,
}

impl Storages {
    /// `AT+CPMS=<arguments>` was taken: the storages to read, to write, and for what comes in.
    pub fn select(&mut self, arguments: &str) {
        let names: Vec<_> = arguments
            .split(',')
            .map(|name| Memory::new(name.trim().trim_matches('"')))
            .collect();
        self.selected = names.first().cloned().flatten();
        self.inbox = names.last().cloned().flatten();
    }

    /// What `AT+CPMS=?` tells: the first list is what can be read.
    pub fn list(&mut self, lists: &[Vec<String>]) {
        let readable = lists.first().into_iter().flatten();
        self.listed = readable.filter_map(|name| Memory::new(name)).collect();
    }

    /// Where something may lie, each place once: the inbox first.
    pub fn to_drain(&self) -> Vec<Memory> {
        let mut found: Vec<Memory> = self.inbox.iter().cloned().collect();
        for memory in &self.listed {
            if !memory.is_extra() && !found.contains(memory) {
                found.push(memory.clone());
            }
        }
        found
    }

    /// Where what comes in goes.
    pub fn inbox(&self) -> Option<&Memory> {
        self.inbox.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_can_stand_between_quotes() {
        assert_eq!(
            Memory::new("sm").map(|memory| memory.argument()).as_deref(),
            Some("\"SM\"")
        );
        assert!(Memory::new("SM_P").is_some());
        for wrong in ["", "S\"", "SM\r", "SM,1", "MUCHTOOLONG", "СМ"] {
            assert_eq!(Memory::new(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_place_is_drained_once_the_inbox_first() {
        const CASES: &[(&str, &[&str], &str)] = &[
            ("\"SM\",\"SM\",\"SM\"", &[], "SM"),
            ("\"SM\"", &["SM", "BM", "SR"], "SM SR"),
            (
                "\"ME\",\"ME\",\"SM\"",
                &["ME", "SM", "MT", "SR", "SM_P"],
                "SM ME SR",
            ),
            ("\"MT\",\"MT\",\"MT\"", &["MT", "TA"], "MT"),
            ("", &["sm", "me", "no \"name\""], "SM ME"),
        ];
        for (selected, listed, expected) in CASES {
            let mut storages = Storages::default();
            storages.select(selected);
            storages.list(&[listed.iter().map(|name| (*name).to_owned()).collect()]);
            let names: Vec<_> = storages.to_drain().iter().map(|m| m.0.clone()).collect();
            assert_eq!(names.join(" "), *expected, "{selected}");
        }
    }
}
