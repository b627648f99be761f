//! Texts into parts and back, through every choice of tables, in any order.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail as its body does"
)]

use proptest::prelude::*;
use simpost::sms::alphabet::{self, Alphabet, Language, Shifts, Tables};
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::{Address, Dcs, Timestamp, UserData, UserDataHeader, joined_text};
use simpost::sms::ids::PartNo;
use simpost::sms::join::{Belongs, Message, Part, belongs};
use simpost::sms::parts::{Allowed, Encoding, ReferenceWidth, Split, split_with};
use simpost::sms::plain;

fn languages() -> impl Strategy<Value = Vec<Language>> {
    prop::sample::subsequence(Language::ALL.to_vec(), 0..4)
}

fn width() -> impl Strategy<Value = ReferenceWidth> {
    prop_oneof![Just(ReferenceWidth::Eight), Just(ReferenceWidth::Sixteen)]
}

/// Texts mostly of one language, with characters that cost two septets, and some strangers.
fn text() -> impl Strategy<Value = String> {
    let latin = "[a-zA-Z0-9 €\\[~]{0,400}";
    let turkish = "[a-zışğİç€]{1,400}";
    let hindi = "[क-हा-ौA-C०-९ ]{1,400}";
    let urdu = "[اآبڀةتدر۰-۹ ]{1,400}";
    let mixed = "[aşनé😀Є]{1,200}";
    prop_oneof![latin, turkish, hindi, urdu, mixed].prop_filter("empty", |text| !text.is_empty())
}

/// The parts of a text as they come out of the network.
fn travelled(text: &str, split: &Split, reference: u16) -> Vec<UserData> {
    let sender: Address = "+447700900123".parse().unwrap();
    let scts = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
    (1..=split.parts())
        .map(|no| {
            let user_data = split.user_data_wide(text, PartNo(no), reference).unwrap();
            let octets = Deliver::new(sender.clone(), scts, user_data.clone()).encode();
            let read = Deliver::decode(&octets).unwrap().user_data;
            assert_eq!(read, user_data);
            read
        })
        .collect()
}

/// The room in a part, by the table of TS 23.040 as engineers know it.
fn room(split: &Split) -> usize {
    let tables = split.shifts.header_octets() / 3;
    let row = match (split.segments.len(), split.reference) {
        (1, _) => [160, 155, 152, 70],
        (_, ReferenceWidth::Eight) => [153, 149, 146, 67],
        (_, ReferenceWidth::Sixteen) => [152, 148, 145, 66],
    };
    row[if split.alphabet == Alphabet::Ucs2 {
        3
    } else {
        tables
    }]
}

proptest! {
    #[test]
    fn texts_come_back_with_national_tables(
        text in text(), languages in languages(), reference in width(), number: u16,
    ) {
        let allowed = Allowed { single: &languages, locking: &languages, reference, ..Allowed::default() };
        let chosen = split_with(&text, &allowed).unwrap();
        let parts = travelled(&text, &chosen, number);
        prop_assert_eq!(joined_text(&parts), text.clone());
        prop_assert_eq!(parts.iter().map(UserData::text).collect::<String>(), text.clone());
        prop_assert!(chosen.segments.iter().all(|segment| segment.units <= room(&chosen)));

        let plain = split_with(&text, &Allowed { reference, ..Allowed::default() }).unwrap();
        let national = chosen.shifts != Shifts::NONE;
        prop_assert_eq!(national, chosen.parts() < plain.parts());
        let of_allowed = |language: Option<Language>| language.is_none_or(|l| languages.contains(&l));
        prop_assert!(of_allowed(chosen.shifts.locking) && of_allowed(chosen.shifts.single));
    }

    #[test]
    fn no_choice_of_tables_has_fewer_parts(text in text(), languages in languages()) {
        let allowed = Allowed { single: &languages, locking: &languages, ..Allowed::default() };
        let chosen = split_with(&text, &allowed).unwrap();
        let tables = || languages.iter().copied().map(Some).chain([None]);
        for locking in tables() {
            for single in tables() {
                let encoding = Encoding::Gsm7(Shifts { locking, single });
                let forced = split_with(&text, &Allowed { encoding, ..Allowed::default() });
                if let Ok(forced) = forced {
                    prop_assert!(forced.parts() >= chosen.parts());
                } else {
                    let tables = Tables::of(Shifts { locking, single });
                    prop_assert_eq!(tables.septets(&text), None);
                }
            }
        }
    }

    #[test]
    fn parts_are_joined_in_any_order_with_copies(
        text in text(), reference in width(), number: u16,
        order in prop::collection::vec((any::<prop::sample::Index>(), -120..=120_i64), 0..20),
    ) {
        // More than fits into one part of any alphabet.
        let text = text.repeat(161_usize.div_ceil(text.chars().count()));
        let split = split_with(&text, &Allowed { reference, ..Allowed::default() }).unwrap();
        prop_assert!(split.parts() > 1);
        let parts = travelled(&text, &split, number);
        // A copy may come with a time of its own.
        let shuffled = order.iter().map(|(at, delay)| (at.index(parts.len()), *delay));
        let shuffled = shuffled.chain((0..parts.len()).map(|at| (at, 0)));
        let mut messages = vec![Message::new(split.parts())];
        let mut there = vec![false; parts.len()];
        let mut whole = Vec::new();
        for (at, delay) in shuffled {
            let copy = std::mem::replace(&mut there[at], true);
            // The service centre takes some seconds for each part.
            let delay = if copy { delay } else { 0 };
            let seconds = 1_773_000_000 + 5 * i64::try_from(at).unwrap() + delay;
            let taken = jiff::Timestamp::from_second(seconds).unwrap();
            let scts = Timestamp::from_instant(taken, -8).unwrap();
            let part = Part { user_data: parts[at].clone(), scts };
            let no = u8::try_from(at + 1).unwrap();
            let expected = if copy { Belongs::Repeat } else { Belongs::To(0) };
            prop_assert_eq!(belongs(&messages, no, &part), expected);
            if !copy {
                messages[0].add(no, part);
                if messages[0].is_whole() {
                    whole.push(messages[0].text());
                }
            }
        }
        prop_assert_eq!(whole, [text]);
    }

    /// A sender that counts units only cuts pairs; one that counts octets only cuts characters.
    #[test]
    fn texts_cut_anywhere_come_back(text in "[aЄ😀𝄞]{1,300}", wide: bool) {
        let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let most = if wide { 133 } else { 134 };
        let total = u8::try_from(octets.len().div_ceil(most)).unwrap();
        let parts = (1..).zip(octets.chunks(most)).map(|(no, chunk)| {
            let header = if wide {
                UserDataHeader::concat_16(7, total, no)
            } else {
                UserDataHeader::concat_8(7, total, no)
            };
            let octets = UserData::data8(Some(header), chunk).unwrap();
            let tpdu = Deliver::new("123".parse().unwrap(), Timestamp::from_octets([0; 7]), octets);
            let tpdu = Deliver { dcs: Dcs(8), ..tpdu };
            Deliver::decode(&tpdu.encode()).unwrap().user_data
        });
        prop_assert_eq!(joined_text(&parts.collect::<Vec<_>>()), text);
    }

    #[test]
    fn cheaper_texts_are_in_the_default_alphabet(
        text in text(), cyrillic in "[А-яЁёЇїІіЄєҐґ’ –«»…a-z]{1,200}",
    ) {
        for text in [text, cyrillic.clone()] {
            let cheap = alphabet::septets(&text).is_some();
            prop_assert_eq!(plain::strangers(&text).is_empty(), cheap);
            if let Some(same) = plain::looks_the_same(&text) {
                prop_assert_eq!(plain::strangers(&same), []);
                prop_assert_eq!(plain::looks_the_same(&same), Some(same));
            }
        }
        for latin in [plain::from_ukrainian(&cyrillic), plain::from_russian(&cyrillic)] {
            prop_assert_eq!(plain::strangers(&latin), []);
            prop_assert_eq!(plain::from_ukrainian(&latin), latin.clone());
        }
    }
}
