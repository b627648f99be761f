//! Parts that came, in any order, back into messages.
//!
//! Parts of one sender, reference and total are of one message, unless the sender took the reference again: phones count to
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
//! Knows no clock and no disk: whoever keeps the messages says when one has waited long enough.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fields::{Timestamp, UserData, joined_text};

/// A sender without an answer repeats a part after some 40 seconds, once or twice (TS 24.011, 10: TR1M).
pub const REPEATED_WITHIN: Duration = Duration::from_secs(2 * 60);

/// The longest text takes half an hour, at six seconds a part. What a sender holds back for longer cannot be
/// told from another text, and half a text is better than two mixed ones.
pub const ONE_TEXT_WITHIN: Duration = Duration::from_secs(60 * 60);

/// A message, or what is there of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    total: u8,
    parts: BTreeMap<u8, Part>,
    closed: bool,
}

/// A part as the rule sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its content, with the header that numbers it.
    pub user_data: UserData,
    /// When the service centre took it.
    pub scts: Timestamp,
}

/// What stands for parts that are missing in the [text](Message::text) of a message.
pub const GAP: &str = "[…]";

impl Message {
    /// A message of so many parts, of which none is there.
    pub fn new(total: u8) -> Self {
        Self {
            total,
            parts: BTreeMap::new(),
            closed: false,
        }
    }

    /// Part `no`, counted from 1, is there.
    pub fn add(&mut self, no: u8, part: Part) {
        self.parts.insert(no, part);
    }

    /// Nothing more is added: it only knows its repeats.
    pub fn close(&mut self) {
        self.closed = true;
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
        if self.closed || self.parts.contains_key(&no) {
            return None;
        }
        let there = self.parts.values();
        match there.filter_map(|there| there.scts.apart(part.scts)).min() {
            Some(apart) => (apart <= ONE_TEXT_WITHIN).then_some(apart),
            None => Some(Duration::MAX),
        }
    }

    /// Is no part there?
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Is every part there?
    pub fn is_whole(&self) -> bool {
        self.parts.len() == usize::from(self.total)
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

/// What a part is among the messages that it may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// It was there before.
    Repeat,
    /// To the message in this place.
    To(usize),
    /// It begins another message.
    Anew,
}

/// Where part `no` belongs, by the rule above, among `messages` with what it shares: SIM, sender, reference
/// with its width, and total (TS 23.040, 9.2.3.24.1). They stand in the order in which they got their last part.
pub fn belongs(messages: &[Message], no: u8, part: &Part) -> Belongs {
    if messages.iter().any(|message| message.has(no, part)) {
        return Belongs::Repeat;
    }
    let places = messages.iter().enumerate().rev();
    let near = places.filter_map(|(at, message)| Some((message.distance(no, part)?, at)));
    near.min_by_key(|(distance, _)| *distance)
        .map_or(Belongs::Anew, |(_, at)| Belongs::To(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::fields::UserDataHeader;

    fn part(reference: u8, total: u8, no: u8, text: &str) -> UserData {
        UserData::ucs2(Some(UserDataHeader::concat_8(reference, total, no)), text).unwrap()
    }

    /// So many seconds after a moment.
    fn at(seconds: i64) -> Timestamp {
        let instant = jiff::Timestamp::from_second(1_773_000_000 + seconds);
        Timestamp::from_instant(instant.unwrap(), 4).unwrap()
    }

    /// Messages of one key, in the order in which they got their last part.
    #[derive(Default)]
    struct Shelf(Vec<Message>);

    /// What one more part brought.
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Brought {
        Whole(String),
        Waiting,
        Repeat,
    }

    impl Shelf {
        fn add(&mut self, scts: Timestamp, user_data: UserData) -> Brought {
            let place = user_data.header().unwrap().concat().unwrap();
            let part = Part { user_data, scts };
            let mut message = match belongs(&self.0, place.sequence, &part) {
                Belongs::Repeat => return Brought::Repeat,
                Belongs::To(at) => self.0.remove(at),
                Belongs::Anew => Message::new(place.total),
            };
            message.add(place.sequence, part);
            self.0.push(message.clone());
            if message.is_whole() {
                Brought::Whole(message.text())
            } else {
                Brought::Waiting
            }
        }
    }

    fn add_at(shelf: &mut Shelf, seconds: i64, part: UserData) -> Brought {
        shelf.add(at(seconds), part)
    }

    fn add(shelf: &mut Shelf, part: UserData) -> Brought {
        add_at(shelf, 0, part)
    }

    /// The texts that are there with their gaps, in their alphabetical order.
    fn unfinished(shelf: &Shelf) -> Vec<String> {
        let unfinished = shelf.0.iter().filter(|message| !message.is_whole());
        let mut texts: Vec<String> = unfinished.map(Message::text).collect();
        texts.sort();
        texts
    }

    /// The text that came out whole.
    fn whole(brought: Brought) -> Option<String> {
        match brought {
            Brought::Whole(text) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn parts_in_any_order_and_twice() {
        let mut shelf = Shelf::default();
        assert_eq!(add(&mut shelf, part(7, 3, 3, "c")), Brought::Waiting);
        assert_eq!(add(&mut shelf, part(7, 3, 1, "a")), Brought::Waiting);
        let copy = add(&mut shelf, part(7, 3, 3, "c"));
        assert_eq!(copy, Brought::Repeat);
        let last = add(&mut shelf, part(7, 3, 2, "b"));
        assert_eq!(whole(last).as_deref(), Some("abc"));
        let late = add(&mut shelf, part(7, 3, 2, "b"));
        assert_eq!(late, Brought::Repeat);
    }

    #[test]
    fn another_content_begins_another_message() {
        let mut shelf = Shelf::default();
        add(&mut shelf, part(7, 3, 1, "old"));
        let begun = add(&mut shelf, part(7, 3, 1, "new"));
        assert_eq!(begun, Brought::Waiting);
        // Both were taken in the same second: the one that came last goes on.
        add(&mut shelf, part(7, 3, 2, "-"));
        let last = add(&mut shelf, part(7, 3, 3, "er"));
        assert_eq!(whole(last).as_deref(), Some("new-er"));
        assert_eq!(unfinished(&shelf), ["old[…]"]);
        let again = add(&mut shelf, part(7, 3, 3, "third"));
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
            let mut shelf = Shelf::default();
            let parts = || [(0, part(7, 2, 1, "Your ")), (3, part(7, 2, 2, "code"))];
            for (seconds, part) in parts() {
                add_at(&mut shelf, seconds, part);
            }
            let again = parts().map(|(seconds, part)| add_at(&mut shelf, later + seconds, part));
            if repeat {
                assert_eq!(again, [Brought::Repeat, Brought::Repeat], "{later}");
            } else {
                let [first, last] = again;
                assert_eq!(first, Brought::Waiting, "{later}");
                assert_eq!(whole(last).as_deref(), Some("Your code"), "{later}");
            }
            assert_eq!(unfinished(&shelf), [""; 0], "{later}");
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
            let mut shelf = Shelf::default();
            let added = order.iter().map(|index| {
                let (seconds, part) = parts[*index].clone();
                add_at(&mut shelf, seconds, part)
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
        let mut shelf = Shelf::default();
        add_at(&mut shelf, 0, part(7, 2, 1, "old"));
        assert_eq!(
            add_at(&mut shelf, HOUR + 1, part(7, 2, 2, "er")),
            Brought::Waiting
        );
        let new = add_at(&mut shelf, HOUR, part(7, 2, 1, "new"));
        assert_eq!(whole(new).as_deref(), Some("newer"));
        // What was held back for less than that fills it.
        let late = add_at(&mut shelf, HOUR, part(7, 2, 2, "est"));
        assert_eq!(whole(late).as_deref(), Some("oldest"));
    }

    #[test]
    fn broken_times_lose_nothing() {
        let zeros = Timestamp::from_octets([0; 7]);
        let filler = Timestamp::from_octets([0xFF; 7]);
        let mut shelf = Shelf::default();
        let mut add = |scts, part| shelf.add(scts, part);
        add(zeros, part(7, 2, 1, "a"));
        assert_eq!(add(zeros, part(7, 2, 1, "a")), Brought::Repeat);
        assert_eq!(
            whole(add(filler, part(7, 2, 2, "b"))).as_deref(),
            Some("ab")
        );
        // Nobody can say whether it is another text.
        assert_eq!(add(at(0), part(7, 2, 2, "b")), Brought::Waiting);
    }

    #[test]
    fn gaps_are_shown_and_numbered() {
        let mut shelf = Shelf::default();
        for (no, text) in [(2, "b"), (3, "c"), (6, "f")] {
            add(&mut shelf, part(7, 7, no, text));
        }
        assert_eq!(unfinished(&shelf), ["[…]bc[…]f[…]"]);
    }

    #[test]
    fn what_is_closed_knows_its_repeats_and_takes_nothing() {
        let mut shelf = Shelf::default();
        add(&mut shelf, part(7, 2, 1, "a"));
        shelf.0[0].close();
        assert_eq!(add(&mut shelf, part(7, 2, 1, "a")), Brought::Repeat);
        assert_eq!(add(&mut shelf, part(7, 2, 2, "b")), Brought::Waiting);
        assert_eq!(unfinished(&shelf), ["[…]b", "a[…]"]);
    }

    #[test]
    fn what_senders_cut_in_two_is_whole_again() {
        let mut shelf = Shelf::default();
        let half = |no, octets: &[u8]| {
            let mut tpdu = vec![0x40, 0x03, 0x81, 0x21, 0xF3, 0, 8, 0, 0, 0, 0, 0, 0, 0];
            tpdu.extend([u8::try_from(6 + octets.len()).unwrap(), 5, 0, 3, 7, 2, no]);
            tpdu.extend(octets);
            crate::sms::deliver::Deliver::decode(&tpdu)
                .unwrap()
                .user_data
        };
        add(&mut shelf, half(2, &[0xDE, 0x00, 0x00, 0x42]));
        let last = add(&mut shelf, half(1, &[0x00, 0x41, 0xD8, 0x3D]));
        assert_eq!(whole(last).as_deref(), Some("A😀B"));
    }

    #[test]
    fn the_most_parts_there_can_be() {
        let mut shelf = Shelf::default();
        for no in (2..=255).rev() {
            assert_eq!(add(&mut shelf, part(0, 255, no, "x")), Brought::Waiting);
        }
        let last = add(&mut shelf, part(0, 255, 1, "x"));
        assert_eq!(whole(last), Some("x".repeat(255)));
    }
}
