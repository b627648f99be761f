//! TP-DCS and indications of waiting messages in words.

use crate::sms::alphabet::Alphabet;
use crate::sms::fields::{CodingGroup, Dcs, Mailbox, MessageWaiting, UserDataHeader, Waiting};

/// The alphabet, and what the group of the coding adds to it (TS 23.038, 4).
pub(super) fn coding(dcs: Dcs) -> String {
    let alphabet = match dcs.alphabet() {
        _ if dcs.is_compressed() => "compressed",
        Alphabet::Gsm7 => "GSM 7-bit",
        Alphabet::Data8 => "8-bit data",
        Alphabet::Ucs2 => "UCS-2",
    };
    let class = dcs.class().map(|class| format!("class {class}"));
    let group = match dcs.group() {
        CodingGroup::General | CodingGroup::Class => None,
        CodingGroup::AutomaticDeletion => Some("deleted once read".to_owned()),
        CodingGroup::Reserved => Some("by a reserved coding".to_owned()),
        CodingGroup::WaitingDiscard | CodingGroup::WaitingStore | CodingGroup::WaitingStoreUcs2 => {
            dcs.message_waiting().map(indication)
        }
    };
    let said = [Some(alphabet.to_owned()), class, group];
    said.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The element of a header that tells of waiting messages (TS 23.040, 9.2.3.24.2).
pub(super) fn waiting(element: &[u8]) -> String {
    let told = UserDataHeader::from_octets(element).message_waiting();
    let told: Vec<String> = told.into_iter().map(indication).collect();
    told.join(", ")
}

fn indication(told: MessageWaiting) -> String {
    let mailbox = match told.mailbox {
        Mailbox::Voice => "voice mail".to_owned(),
        Mailbox::Fax => "fax".to_owned(),
        Mailbox::Email => "email".to_owned(),
        Mailbox::Other(0) => "other mail".to_owned(),
        Mailbox::Other(1) => "video mail".to_owned(),
        Mailbox::Other(kind) => format!("mail of the reserved type {kind}"),
    };
    let waiting = match told.waiting {
        Waiting::None => format!("no {mailbox} waiting"),
        Waiting::Some => format!("{mailbox} waiting"),
        Waiting::Count(count) => format!("{mailbox} waiting: {count}"),
    };
    let profile = match told.profile {
        ..=1 => String::new(),
        profile => format!(", profile {profile}"),
    };
    let store = if told.store { "store" } else { "discard" };
    format!("{waiting}{profile}, {store}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_of_codings_in_words() {
        const CASES: &[(u8, &str)] = &[
            (0x00, "GSM 7-bit"),
            (0x08, "UCS-2"),
            (0x20, "compressed"),
            (0x40, "GSM 7-bit, deleted once read"),
            (0x59, "UCS-2, class 1, deleted once read"),
            (0x7F, "compressed, class 3, deleted once read"),
            (0x8C, "GSM 7-bit, by a reserved coding"),
            (0xC0, "GSM 7-bit, no voice mail waiting, discard"),
            (0xC9, "GSM 7-bit, fax waiting, discard"),
            (0xD8, "GSM 7-bit, voice mail waiting, store"),
            (0xDF, "GSM 7-bit, other mail waiting, store"),
            (0xEA, "UCS-2, email waiting, store"),
            (0xF6, "8-bit data, class 2"),
        ];
        for (dcs, expected) in CASES {
            assert_eq!(coding(Dcs(*dcs)), *expected, "{dcs:02X}");
        }
    }

    #[test]
    fn elements_in_words() {
        const CASES: &[(&[u8], &str)] = &[
            (&[1, 2, 0x80, 5], "voice mail waiting: 5, store"),
            (&[1, 2, 0x01, 0], "no fax waiting, discard"),
            (&[1, 2, 0xA7, 5], "video mail waiting: 5, profile 2, store"),
            (
                &[1, 2, 0x0B, 1],
                "mail of the reserved type 2 waiting: 1, discard",
            ),
        ];
        for (element, expected) in CASES {
            assert_eq!(waiting(element), *expected, "{element:02X?}");
        }
    }
}
