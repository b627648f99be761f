//! Parts that came, in any order, back into messages.
//!
//! Parts with the same [`Key`] are of one message, unless the sender took the reference again: phones count to
//! 255, many machines not even so far. Then the time tells, TP-SCTS, at which the service centre took each part:
//!
//! - A part whose number is there already, with the same content, is a repeat if it has the same time (what
//!   the network or a modem hands out twice has) or was taken within [`REPEATED_WITHIN`] of it (what a
//!   sender hands in twice, as it heard no answer). It is of another message if it was taken later or earlier,
//!   or if its content differs.
//! - A part whose number is missing is of the message that has the part nearest in time, if that is not over
//!   [`ONE_TEXT_WITHIN`] away. The order in which parts come says nothing: storage is read in any.
//! - A time that is broken keeps no parts of one message apart, and makes no repeat unless its octets are the
//!   same: a text shown twice is better than a text lost.
//!
//! Knows no clock and no disk: whoever holds a [`Joiner`] says when a message has waited long enough.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::fields::{Address, ReferenceWidth, Timestamp, UserData, UserDataHeader, joined_text};

/// A sender without an answer repeats a part after some 40 seconds, once or twice (TS 24.011, 10: TR1M).
pub const REPEATED_WITHIN: Duration = Duration::from_secs(2 * 60);

/// The longest text takes half an hour, at six seconds a part. What a sender holds back for longer cannot be
/// told from another text, and half a text is better than two mixed ones.
pub const ONE_TEXT_WITHIN: Duration = Duration::from_secs(60 * 60);

/// What the parts of one message have in common (TS 23.040, 9.2.3.24.1). Not only they: see above.
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
    parts: BTreeMap<u8, Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    user_data: UserData,
    scts: Timestamp,
}

/// What stands for parts that are missing in the [text](Message::text) of a message.
pub const GAP: &str = "[…]";

impl Message {
    fn of(total: u8, no: u8, part: Part) -> Self {
        Self {
            total,
            parts: BTreeMap::from([(no, part)]),
        }
    }

    /// Is the part there already, and this a repeat of it?
    fn has(&self, no: u8, part: &Part) -> bool {
        self.parts.get(&no).is_some_and(|there| {
            let apart = there.scts.apart(part.scts);
            there.user_data == part.user_data && apart.is_some_and(|apart| apart <= REPEATED_WITHIN)
        })
    }

    /// How far the part is from those that are there, the longest if nobody can say; nothing if it cannot be
    /// one of them.
    fn distance(&self, no: u8, part: &Part) -> Option<Duration> {
        if self.parts.contains_key(&no) {
            return None;
        }
        let there = self.parts.values();
        match there.filter_map(|there| there.scts.apart(part.scts)).min() {
            Some(apart) => (apart <= ONE_TEXT_WITHIN).then_some(apart),
            None => Some(Duration::MAX),
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
        let parts = self.parts.iter();
        parts.map(|(no, part)| (*no, &part.user_data))
    }

    /// The text, what senders cut between parts whole again, with a [`GAP`] for neighbours that are missing.
    pub fn text(&self) -> String {
        let part = |no| self.parts.get(&no).map(|part| &part.user_data);
        let places: Vec<Option<&UserData>> = (1..=self.total).map(part).collect();
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
    /// There were too many messages: the one with gaps that had waited longest for a part was given up. No
    /// part will be added to it any more.
    pub given_up: Option<(Key, Message)>,
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

/// Messages of which parts are missing, and some that are whole, to know late copies of their parts.
#[derive(Debug)]
pub struct Joiner {
    sets: HashMap<Key, Vec<Set>>,
    most: usize,
    /// Counts parts, in the place of a clock.
    turn: u64,
}

/// Names a message of a [`Joiner`], among others with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// A message with gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished<'a> {
    /// To [take](Joiner::take) it.
    pub ticket: Ticket,
    /// What its parts have in common.
    pub key: &'a Key,
    /// What is there of it.
    pub message: &'a Message,
}

#[derive(Debug)]
struct Set {
    /// The turn of its first part, of which there is one a turn.
    ticket: Ticket,
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

    /// One more part of `sender`, which the service centre took at `scts`. User data without a place in a
    /// message are a whole message.
    pub fn add(&mut self, sender: &Address, scts: Timestamp, user_data: UserData) -> Added {
        self.turn += 1;
        let place = user_data.header().and_then(UserDataHeader::concat);
        let width = user_data.header().and_then(UserDataHeader::reference_width);
        let part = Part { user_data, scts };
        let (Some(place), Some(width)) = (place, width) else {
            return Outcome::Whole(Message::of(1, 1, part)).alone();
        };
        let no = place.sequence;
        let key = Key {
            sender: sender.clone(),
            reference: place.reference,
            width,
            total: place.total,
        };
        let sets = self
            .sets
            .get_mut(&key)
            .map_or(&mut [][..], Vec::as_mut_slice);
        if sets.iter().any(|set| set.message.has(no, &part)) {
            return Outcome::Duplicate.alone();
        }
        let distances = sets.iter_mut().filter_map(|set| {
            let distance = set.message.distance(no, &part)?;
            Some((distance, Reverse(set.turn), set))
        });
        if let Some((.., set)) = distances.min_by_key(|(distance, turn, _)| (*distance, *turn)) {
            set.turn = self.turn;
            set.message.parts.insert(no, part);
            return Outcome::of(&set.message).alone();
        }
        let given_up = self.make_room();
        let outcome = self.begin(key, no, part);
        Added { outcome, given_up }
    }

    fn begin(&mut self, key: Key, no: u8, part: Part) -> Outcome {
        let message = Message::of(key.total, no, part);
        let outcome = Outcome::of(&message);
        let turn = self.turn;
        let ticket = Ticket(turn);
        self.sets.entry(key).or_default().push(Set {
            ticket,
            message,
            turn,
        });
        outcome
    }

    fn make_room(&mut self) -> Option<(Key, Message)> {
        if self.sets.values().map(Vec::len).sum::<usize>() < self.most {
            return None;
        }
        let sets = self.sets.values().flatten();
        let oldest = sets.min_by_key(|set| (!set.message.is_whole(), set.turn))?;
        self.take(oldest.ticket)
    }

    /// The messages with gaps, in no order.
    pub fn unfinished(&self) -> impl Iterator<Item = Unfinished<'_>> {
        let sets = self
            .sets
            .iter()
            .flat_map(|(key, sets)| sets.iter().map(move |set| (key, set)));
        sets.filter(|(_, set)| !set.message.is_whole())
            .map(|(key, set)| Unfinished {
                ticket: set.ticket,
                key,
                message: &set.message,
            })
    }

    /// Ends the waiting for a message and forgets that it was there; what it has if there are gaps in it.
    pub fn take(&mut self, ticket: Ticket) -> Option<(Key, Message)> {
        let place = |(key, sets): (&Key, &Vec<Set>)| {
            let at = sets.iter().position(|set| set.ticket == ticket)?;
            Some((key.clone(), at))
        };
        let (key, at) = self.sets.iter().find_map(place)?;
        let sets = self.sets.get_mut(&key)?;
        let Set { message, .. } = sets.swap_remove(at);
        if sets.is_empty() {
            self.sets.remove(&key);
        }
        (!message.is_whole()).then_some((key, message))
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

    /// So many seconds after a moment.
    fn at(seconds: i64) -> Timestamp {
        let instant = jiff::Timestamp::from_second(1_773_000_000 + seconds);
        Timestamp::from_instant(instant.unwrap(), 4).unwrap()
    }

    fn add_at(joiner: &mut Joiner, seconds: i64, part: UserData) -> Added {
        joiner.add(&sender(), at(seconds), part)
    }

    fn add(joiner: &mut Joiner, part: UserData) -> Added {
        add_at(joiner, 0, part)
    }

    /// The texts that are there with their gaps, in their alphabetical order.
    fn unfinished(joiner: &Joiner) -> Vec<String> {
        let unfinished = joiner.unfinished();
        let mut texts: Vec<String> = unfinished.map(|set| set.message.text()).collect();
        texts.sort();
        texts
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
        for (total, no) in [(2, 3), (2, 0), (0, 0), (0, 1)] {
            let impossible = add(&mut joiner, part(7, total, no, "Є"));
            assert_eq!(whole(impossible).as_deref(), Some("Є"), "{no} of {total}");
        }
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
        assert_eq!(joiner.add(&other, at(0), part(7, 2, 2, "o")), waiting(1));
        assert_eq!(joiner.unfinished().count(), 5);
        let wide = UserData::ucs2(Some(UserDataHeader::concat_16(7, 2, 2)), "W").unwrap();
        assert_eq!(whole(add(&mut joiner, wide)).as_deref(), Some("wW"));
        let narrow = add(&mut joiner, part(7, 2, 2, "A"));
        assert_eq!(whole(narrow).as_deref(), Some("aA"));
    }

    #[test]
    fn another_content_begins_another_message() {
        let mut joiner = Joiner::new(4);
        add(&mut joiner, part(7, 3, 1, "old"));
        let begun = add(&mut joiner, part(7, 3, 1, "new"));
        assert_eq!(begun, waiting(2));
        // Both were taken in the same second: the one that came last goes on.
        add(&mut joiner, part(7, 3, 2, "-"));
        let last = add(&mut joiner, part(7, 3, 3, "er"));
        assert_eq!(whole(last).as_deref(), Some("new-er"));
        assert_eq!(unfinished(&joiner), ["old[…]"]);
        let again = add(&mut joiner, part(7, 3, 3, "third"));
        assert_eq!(whole(again), None);
    }

    #[test]
    fn the_same_part_is_a_repeat_or_another_text_by_its_time() {
        const MINUTE: i64 = 60;
        // Seconds until it comes again, in the same order; whether it is a repeat.
        for (later, repeat) in [
            (0, true),
            (40, true),
            (2 * MINUTE, true),
            (2 * MINUTE + 1, false),
            (60 * MINUTE, false),
            (-60 * MINUTE, false),
            (7 * 24 * 60 * MINUTE, false),
        ] {
            let mut joiner = Joiner::new(4);
            let parts = || [(0, part(7, 2, 1, "Your ")), (3, part(7, 2, 2, "code"))];
            for (seconds, part) in parts() {
                add_at(&mut joiner, seconds, part);
            }
            let again = parts().map(|(seconds, part)| add_at(&mut joiner, later + seconds, part));
            let copy = Outcome::Duplicate.alone();
            if repeat {
                assert_eq!(again, [copy, Outcome::Duplicate.alone()], "{later}");
            } else {
                let [first, last] = again;
                assert_eq!(first, waiting(1), "{later}");
                assert_eq!(whole(last).as_deref(), Some("Your code"), "{later}");
            }
            assert_eq!(unfinished(&joiner), [""; 0], "{later}");
        }
    }

    #[test]
    fn two_texts_under_one_reference_are_kept_apart_in_any_order() {
        const LATER: i64 = 2 * 60 * 60;
        let parts: Vec<(i64, UserData)> = [(0, ["a", "b", "c"]), (LATER, ["A", "B", "C"])]
            .into_iter()
            .flat_map(|(begun, texts)| {
                let numbered = (1..).zip(texts);
                numbered.map(move |(no, text)| (begun + 4 * i64::from(no), part(7, 3, no, text)))
            })
            .collect();
        for order in orders(parts.len()) {
            let mut joiner = Joiner::new(4);
            let added = order.iter().map(|index| {
                let (seconds, part) = parts[*index].clone();
                add_at(&mut joiner, seconds, part)
            });
            let mut texts: Vec<String> = added.filter_map(whole).collect();
            texts.sort();
            assert_eq!(texts, ["ABC", "abc"], "{order:?}");
        }
    }

    /// Every order of so many things.
    fn orders(count: usize) -> Vec<Vec<usize>> {
        let Some(last) = count.checked_sub(1) else {
            return vec![vec![]];
        };
        let shorter = orders(last);
        let longer = shorter
            .iter()
            .flat_map(|order| (0..count).map(|at| [&order[..at], &[last], &order[at..]].concat()));
        longer.collect()
    }

    #[test]
    fn a_gap_is_not_filled_by_a_later_text() {
        const HOUR: i64 = 60 * 60;
        let mut joiner = Joiner::new(4);
        add_at(&mut joiner, 0, part(7, 2, 1, "old"));
        assert_eq!(
            add_at(&mut joiner, HOUR + 1, part(7, 2, 2, "er")),
            waiting(1)
        );
        let new = add_at(&mut joiner, HOUR, part(7, 2, 1, "new"));
        assert_eq!(whole(new).as_deref(), Some("newer"));
        // What was held back for less than that fills it.
        let late = add_at(&mut joiner, HOUR, part(7, 2, 2, "est"));
        assert_eq!(whole(late).as_deref(), Some("oldest"));
    }

    #[test]
    fn broken_times_lose_nothing() {
        let zeros = Timestamp::from_octets([0; 7]);
        let filler = Timestamp::from_octets([0xFF; 7]);
        let mut joiner = Joiner::new(4);
        let mut add = |scts, part| joiner.add(&sender(), scts, part);
        add(zeros, part(7, 2, 1, "a"));
        assert_eq!(add(zeros, part(7, 2, 1, "a")), Outcome::Duplicate.alone());
        assert_eq!(
            whole(add(filler, part(7, 2, 2, "b"))).as_deref(),
            Some("ab")
        );
        // Nobody can say whether it is another text.
        assert_eq!(add(at(0), part(7, 2, 2, "b")), waiting(1));
    }

    #[test]
    fn gaps_are_shown_and_numbered() {
        let mut joiner = Joiner::new(4);
        for (no, text) in [(2, "b"), (3, "c"), (6, "f")] {
            add(&mut joiner, part(7, 7, no, text));
        }
        let set = joiner.unfinished().next().unwrap();
        assert_eq!(set.message.text(), "[…]bc[…]f[…]");
        assert_eq!(set.message.missing().collect::<Vec<_>>(), [1, 4, 5, 7]);
        let numbers: Vec<u8> = set.message.parts().map(|(no, _)| no).collect();
        assert_eq!(numbers, [2, 3, 6]);
        let ticket = set.ticket;
        let (key, message) = joiner.take(ticket).unwrap();
        assert_eq!((key.total, message.is_whole()), (7, false));
        assert_eq!(joiner.take(ticket), None);
    }

    #[test]
    fn what_senders_cut_in_two_is_whole_again() {
        let mut joiner = Joiner::new(4);
        let half = |no, octets: &[u8]| {
            let mut tpdu = vec![0x40, 0x03, 0x81, 0x21, 0xF3, 0, 8, 0, 0, 0, 0, 0, 0, 0];
            tpdu.extend([u8::try_from(6 + octets.len()).unwrap(), 5, 0, 3, 7, 2, no]);
            tpdu.extend(octets);
            crate::sms::deliver::Deliver::decode(&tpdu)
                .unwrap()
                .user_data
        };
        add(&mut joiner, half(2, &[0xDE, 0x00, 0x00, 0x42]));
        let last = add(&mut joiner, half(1, &[0x00, 0x41, 0xD8, 0x3D]));
        assert_eq!(whole(last).as_deref(), Some("A😀B"));
    }

    #[test]
    fn what_is_whole_gives_way_first_then_what_waited_longest() {
        let mut joiner = Joiner::new(2);
        add(&mut joiner, part(1, 2, 1, "waits"));
        add(&mut joiner, part(2, 1, 1, "whole"));
        assert_eq!(add(&mut joiner, part(3, 3, 1, "a")), waiting(2));
        add(&mut joiner, part(1, 2, 1, "waits"));
        let (key, message) = add(&mut joiner, part(4, 2, 1, "b")).given_up.unwrap();
        assert_eq!((key.reference, message.text().as_str()), (1, "waits[…]"));
        add(&mut joiner, part(3, 3, 2, "a"));
        let (key, _) = add(&mut joiner, part(5, 2, 1, "c")).given_up.unwrap();
        assert_eq!(key.reference, 4);
        // Several under one key count each.
        add(&mut joiner, part(5, 2, 1, "d"));
        assert_eq!(unfinished(&joiner), ["c[…]", "d[…]"]);
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
