//! Why a line has no answer, as JSON: its shape, and the codes that programs rely on.

use serde::Serialize;

use crate::sms::marks::MarkKind;
use crate::sms::{DecodeError, DecodeErrorKind};

/// Why there is nothing to show, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Error<'a> {
    /// Stable.
    pub(super) code: &'static str,
    /// Where in the input, if one octet is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) octet: Option<usize>,
    /// In words.
    pub(super) message: &'a str,
    /// What to try instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<&'a str>,
}

impl Error<'_> {
    /// The line that a program gets.
    pub(super) fn line(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            error: &'a Error<'a>,
        }
        serde_json::to_string(&Line { error: self }).unwrap_or_default()
    }
}

/// The stable code of what is wrong with a PDU.
pub(super) fn code(error: DecodeError) -> &'static str {
    match error.kind {
        DecodeErrorKind::NotHex => "not_hex",
        DecodeErrorKind::HalfOctet => "half_octet",
        DecodeErrorKind::TooShort { .. } => "too_short",
        DecodeErrorKind::WrongType { .. } => "wrong_type",
        DecodeErrorKind::AddressTooLong { .. } => "address_too_long",
        DecodeErrorKind::UserDataTooLong { .. } => "user_data_too_long",
        DecodeErrorKind::HeaderTooLong { .. } => "header_too_long",
    }
}

/// The stable code of what is odd about a PDU.
pub(super) fn mark_code(mark: MarkKind) -> &'static str {
    match mark {
        MarkKind::AddressTooLong { .. } => "address_too_long",
        MarkKind::Filler { .. } => "filler",
        MarkKind::Name { .. } => "name",
        MarkKind::SpareBits { .. } => "spare_bits",
        MarkKind::ReservedType { .. } => "reserved_type",
        MarkKind::HeaderOfNothing => "header_of_nothing",
        MarkKind::HeaderCut => "header_cut",
        MarkKind::NoSuchPart { .. } => "no_such_part",
        MarkKind::LengthTooShort { .. } => "length_too_short",
        MarkKind::HalfCharacter => "half_character",
        MarkKind::HalfPair => "half_pair",
        MarkKind::Escape => "escape",
        MarkKind::Time { .. } => "time",
        MarkKind::NothingAnnounced => "nothing_announced",
        MarkKind::Cut(error) => code(error),
    }
}
