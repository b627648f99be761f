//! Parts that came, in any order, back into messages.
//!
//! Knows no time and no disk: whoever holds a [`Joiner`] says when a message has waited long enough.

use std::collections::{BTreeMap, HashMap};

use super::fields::{Address, ReferenceWidth, UserData, UserDataHeader, joined_text};

/// What the parts of one message have in common (TS 23.040, 9.2.3.24.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Who sent them.
    pub sender: Address,
    /// The reference.
    pub reference: u16,
    /// Its width: the 8-bit reference 7 and the 16-bit reference 7 are two.
    pub width: ReferenceWidth,
    /// How many parts.
    pub total: u8,
}

/// A message, or what is there of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    total: u8,
    parts: BTreeMap<u8, UserData>,
}

/// What stands for parts that are missing in the [text](Message::text) of a message.
pub const GAP: &str = "[…]";

impl Message {
    fn of(total: u8, no: u8, part: UserData) -> Self {
        Self {
            total,
            parts: BTreeMap::from([(no, part)]),
        }
    }

    /// The numbers of the parts that are missing, in order.
    pub fn missing(&self) -> impl Iterator<Item = u8> {
        (1..=self.total).filter(|no| !self.parts.contains_key(no))
    }

    /// Is every part there?
    pub fn is_whole(&self) -> bool {
        self.parts.len() == usize::from(self.total)
    }

    /// The parts that are there, with their numbers, in order.
    pub fn parts(&self) -> impl Iterator<Item = (u8, &UserData)> {
        self.parts.iter().map(|(no, part)| (*no, part))
    }

    /// The text, what senders cut between parts whole again, with a [`GAP`] for neighbours that are missing.
    pub fn text(&self) -> String {
        let places: Vec<Option<&UserData>> =
            (1..=self.total).map(|no| self.parts.get(&no)).collect();
        let runs = places.chunk_by(|one, next| one.is_some() == next.is_some());
        runs.map(|run| match run {
            [None, ..] | [] => GAP.to_owned(),
            there => joined_text(there.iter().copied().flatten()),
        })
        .collect()
    }
}

/// What one more part brought.
#[derive(Debug, PartialEq, Eq)]
pub struct Added {
    /// What became of the part.
    pub outcome: Outcome,
    /// A message that was given up because of the part.
    pub given_up: Option<GivenUp>,
}

/// What became of a part.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The message is whole. It comes out so once.
    Whole(Message),
    /// Others are missing.
    Waiting {
        /// How many.
        missing: u8,
    },
    /// The same part was there already, also if its message was whole.
    Duplicate,
}

/// A message with gaps that no part will be added to any more.
#[derive(Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Which.
    pub key: Key,
    /// What was there of it.
    pub message: Message,
    /// Why.
    pub reason: Reason,
}

/// Why a message is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A part came with the number of another one: the sender took the reference again.
    Conflict,
    /// There were too many messages; this one had waited longest for a part.
    Crowded,
}

/// Messages of which parts are missing, and some that are whole, to know late copies of their parts.
#[derive(Debug)]
pub struct Joiner {
    sets: HashMap<Key, Set>,
    most: usize,
    /// Counts parts, in the place of a clock.
    turn: u64,
}

#[derive(Debug)]
struct Set {
    message: Message,
    /// The turn of its last part.
    turn: u64,
}

impl Joiner {
    /// Holds at most `most` messages, at least one: whole ones give way first, then the one that waited
    /// longest for a part.
    pub fn new(most: usize) -> Self {
        Self {
            sets: HashMap::new(),
            most: most.max(1),
            turn: 0,
        }
    }

    /// One more part of `sender`. User data without a place in a message is a whole message.
    ///
    /// The same number with other content begins a new message, as references come again: what was
    /// there of the older one is given up, unless it was whole.
    pub fn add(&mut self, sender: &Address, part: UserData) -> Added {
        self.turn += 1;
        let place = part.header().and_then(UserDataHeader::concat);
        let width = part.header().and_then(UserDataHeader::reference_width);
        let (Some(place), Some(width)) = (place, width) else {
            return Outcome::Whole(Message::of(1, 1, part)).alone();
        };
        let key = Key {
            sender: sender.clone(),
            reference: place.reference,
            width,
            total: place.total,
        };
        let Some(set) = self.sets.get_mut(&key) else {
            let given_up = self.make_room();
            let outcome = self.begin(key, place.sequence, part);
            return Added { outcome, given_up };
        };
        match set.message.parts.get(&place.sequence) {
            Some(there) if *there == part => Outcome::Duplicate.alone(),
            Some(_) => {
                let given_up = self.take(&key).map(|message| GivenUp {
                    key: key.clone(),
                    message,
                    reason: Reason::Conflict,
                });
                let outcome = self.begin(key, place.sequence, part);
                Added { outcome, given_up }
            }
            None => {
                set.turn = self.turn;
                set.message.parts.insert(place.sequence, part);
                Outcome::of(&set.message).alone()
            }
        }
    }

    fn begin(&mut self, key: Key, no: u8, part: UserData) -> Outcome {
        let message = Message::of(key.total, no, part);
        let outcome = Outcome::of(&message);
        let turn = self.turn;
        self.sets.insert(key, Set { message, turn });
        outcome
    }

    fn make_room(&mut self) -> Option<GivenUp> {
        if self.sets.len() < self.most {
            return None;
        }
        let oldest = self
            .sets
            .iter()
            .min_by_key(|(_, set)| (!set.message.is_whole(), set.turn));
        let key = oldest.map(|(key, _)| key.clone())?;
        self.take(&key).map(|message| GivenUp {
            key,
            message,
            reason: Reason::Crowded,
        })
    }

    /// The messages with gaps, in no order.
    pub fn unfinished(&self) -> impl Iterator<Item = (&Key, &Message)> {
        self.sets
            .iter()
            .filter(|(_, set)| !set.message.is_whole())
            .map(|(key, set)| (key, &set.message))
    }

    /// Ends the waiting for a message and forgets that it was there; what it has if there are gaps in it.
    pub fn take(&mut self, key: &Key) -> Option<Message> {
        let set = self.sets.remove(key)?;
        (!set.message.is_whole()).then_some(set.message)
    }
}

impl Outcome {
    fn of(message: &Message) -> Self {
        if message.is_whole() {
            return Self::Whole(message.clone());
        }
        let there = u8::try_from(message.parts.len()).unwrap_or(u8::MAX);
        Self::Waiting {
            missing: message.total.saturating_sub(there),
        }
    }

    fn alone(self) -> Added {
        Added {
            outcome: self,
            given_up: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender() -> Address {
        "+447700900123".parse().unwrap()
    }

    fn part(reference: u8, total: u8, no: u8, text: &str) -> UserData {
        UserData::ucs2(Some(UserDataHeader::concat_8(reference, total, no)), text).unwrap()
    }

    fn add(joiner: &mut Joiner, part: UserData) -> Added {
        joiner.add(&sender(), part)
    }

    fn waiting(missing: u8) -> Added {
        Outcome::Waiting { missing }.alone()
    }

    /// The text that came out whole.
    fn whole(added: Added) -> Option<String> {
        match added.outcome {
            Outcome::Whole(message) => Some(message.text()),
            _ => None,
        }
    }

    #[test]
    fn a_message_of_its_own_is_whole() {
        let mut joiner = Joiner::new(4);
        let alone = || UserData::gsm7(None, "Hi").unwrap();
        assert_eq!(whole(add(&mut joiner, alone())).as_deref(), Some("Hi"));
        // Twice the same text is no copy: there is no number to tell.
        assert_eq!(whole(add(&mut joiner, alone())).as_deref(), Some("Hi"));
        let impossible = part(7, 2, 3, "Є");
        assert_eq!(whole(add(&mut joiner, impossible)).as_deref(), Some("Є"));
        assert_eq!(joiner.unfinished().count(), 0);
    }

    #[test]
    fn parts_in_any_order_and_twice() {
        let mut joiner = Joiner::new(4);
        assert_eq!(add(&mut joiner, part(7, 3, 3, "c")), waiting(2));
        assert_eq!(add(&mut joiner, part(7, 3, 1, "a")), waiting(1));
        let copy = add(&mut joiner, part(7, 3, 3, "c"));
        assert_eq!(copy, Outcome::Duplicate.alone());
        let last = add(&mut joiner, part(7, 3, 2, "b"));
        assert_eq!(whole(last).as_deref(), Some("abc"));
        let late = add(&mut joiner, part(7, 3, 2, "b"));
        assert_eq!(late, Outcome::Duplicate.alone());
    }

    #[test]
    fn sender_reference_width_and_total_keep_messages_apart() {
        let mut joiner = Joiner::new(9);
        let wide = UserData::ucs2(Some(UserDataHeader::concat_16(7, 2, 1)), "w").unwrap();
        for part in [
            part(7, 2, 1, "a"),
            part(8, 2, 1, "r"),
            part(7, 3, 1, "t"),
            wide,
        ] {
            let missing = part
                .header()
                .and_then(UserDataHeader::concat)
                .unwrap()
                .total
                - 1;
            assert_eq!(add(&mut joiner, part), waiting(missing));
        }
        let other: Address = "Bank".parse().or_else(|_| Address::name("Bank")).unwrap();
        assert_eq!(joiner.add(&other, part(7, 2, 2, "o")), waiting(1));
        assert_eq!(joiner.unfinished().count(), 5);
        let wide = UserData::ucs2(Some(UserDataHeader::concat_16(7, 2, 2)), "W").unwrap();
        assert_eq!(whole(add(&mut joiner, wide)).as_deref(), Some("wW"));
        let narrow = add(&mut joiner, part(7, 2, 2, "A"));
        assert_eq!(whole(narrow).as_deref(), Some("aA"));
    }

    #[test]
    fn a_reference_that_comes_again_begins_a_new_message() {
        let mut joiner = Joiner::new(4);
        add(&mut joiner, part(7, 3, 1, "old"));
        let Added { outcome, given_up } = add(&mut joiner, part(7, 3, 1, "new"));
        assert_eq!(outcome, Outcome::Waiting { missing: 2 });
        let given_up = given_up.unwrap();
        assert_eq!(given_up.reason, Reason::Conflict);
        assert_eq!(given_up.key.reference, 7);
        assert_eq!(given_up.message.text(), "old[…]");
        add(&mut joiner, part(7, 3, 2, "-"));
        let last = add(&mut joiner, part(7, 3, 3, "er"));
        assert_eq!(whole(last).as_deref(), Some("new-er"));
        // Nothing is given up with a message that was whole.
        let again = add(&mut joiner, part(7, 3, 3, "third"));
        assert_eq!(again, waiting(2));
    }

    #[test]
    fn gaps_are_shown_and_numbered() {
        let mut joiner = Joiner::new(4);
        for (no, text) in [(2, "b"), (3, "c"), (6, "f")] {
            add(&mut joiner, part(7, 7, no, text));
        }
        let (key, message) = joiner.unfinished().next().unwrap();
        assert_eq!(message.text(), "[…]bc[…]f[…]");
        assert_eq!(message.missing().collect::<Vec<_>>(), [1, 4, 5, 7]);
        let numbers: Vec<u8> = message.parts().map(|(no, _)| no).collect();
        assert_eq!(numbers, [2, 3, 6]);
        let key = key.clone();
        assert_eq!(
            joiner.take(&key).map(|message| message.is_whole()),
            Some(false)
        );
        assert_eq!(joiner.take(&key), None);
    }

    #[test]
    fn what_is_whole_gives_way_first_then_what_waited_longest() {
        let mut joiner = Joiner::new(2);
        add(&mut joiner, part(1, 2, 1, "waits"));
        add(&mut joiner, part(2, 1, 1, "whole"));
        assert_eq!(add(&mut joiner, part(3, 3, 1, "a")), waiting(2));
        add(&mut joiner, part(1, 2, 1, "waits"));
        let given_up = add(&mut joiner, part(4, 2, 1, "b")).given_up.unwrap();
        let told = (given_up.key.reference, given_up.reason);
        assert_eq!(told, (1, Reason::Crowded));
        add(&mut joiner, part(3, 3, 2, "a"));
        let given_up = add(&mut joiner, part(5, 2, 1, "c")).given_up.unwrap();
        assert_eq!(given_up.key.reference, 4);
    }

    #[test]
    fn the_most_parts_there_can_be() {
        let mut joiner = Joiner::new(1);
        for no in (2..=255).rev() {
            assert_eq!(add(&mut joiner, part(0, 255, no, "x")), waiting(no - 1));
        }
        let last = add(&mut joiner, part(0, 255, 1, "x"));
        assert_eq!(whole(last), Some("x".repeat(255)));
    }
}
