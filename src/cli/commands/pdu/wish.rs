//! What `simpost pdu encode` is asked for, on the command line or as JSON, and the parts it comes to.

use clap::Args;
use jiff::fmt::temporal::Pieces;
use serde::Deserialize;

use crate::sms::alphabet::{Alphabet, Language, Shifts, UnknownLanguage};
use crate::sms::fields::{
    Address, BadAddress, Dcs, Timestamp, UserData, UserDataHeader, ValidityPeriod,
};
use crate::sms::ids::{Mr, PartNo};
use crate::sms::parts::{
    self, Allowed, Encoding, ReferenceWidth, ReportRequest, Split, SplitError,
};
use crate::sms::plain::{self, Cheaper, Stranger};
use crate::sms::submit::Submit;

/// A text and how it shall travel.
#[derive(Debug, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// The recipient: +380671234567, a national number or a short code
    #[arg(long, value_name = "N", required_unless_present = "stdin")]
    to: Option<String>,

    /// The text
    #[arg(long, value_name = "T", required_unless_present = "stdin")]
    text: Option<String>,

    /// The service centre's number; else the one on the SIM
    #[arg(long, value_name = "N")]
    smsc: Option<String>,

    /// How long the service centre shall try: the longest period that is not over it
    #[arg(long, value_name = "MINUTES", group = "validity")]
    validity_minutes: Option<u32>,

    /// Until when it shall try (RFC 3339)
    #[arg(long, value_name = "TIME", group = "validity")]
    validity_until: Option<String>,

    /// TP-VP, relative, as it goes out
    #[arg(long, value_name = "CODE", group = "validity")]
    vp: Option<u8>,

    /// TP-SRR: ask for a status report
    #[arg(long)]
    #[serde(default)]
    srr: bool,

    /// The message class, 0 to 3
    #[arg(long, value_name = "CLASS")]
    class: Option<u8>,

    /// gsm7, ucs2, or 8bit for the octets of the text's UTF-8; else (auto) what takes the fewest parts
    #[arg(long, value_name = "ALPHABET")]
    encoding: Option<String>,

    /// The reference that ties the parts together
    #[arg(long, value_name = "REFERENCE")]
    r#ref: Option<u16>,

    /// Bits of the reference: 8, or 16 for references over 255
    #[arg(long, value_name = "BITS")]
    ref_bits: Option<u8>,

    /// TP-MR; modems put their own here
    #[arg(long, value_name = "MR")]
    mr: Option<u8>,

    /// TP-RD: the service centre shall refuse duplicates
    #[arg(long)]
    #[serde(default)]
    rd: bool,

    /// The national single shift table by its identifier, 1 to 13: may be used where that saves a part,
    /// and is used with `--encoding gsm7`
    #[arg(long, value_name = "LANGUAGE")]
    single: Option<u8>,

    /// The national locking shift table by its identifier, 1 to 13: the same
    #[arg(long, value_name = "LANGUAGE")]
    locking: Option<u8>,
}

/// What makes a text dear.
#[derive(Debug, Default)]
pub(super) struct Dear {
    /// The characters that the default alphabet does not have.
    pub(super) forced_by: Vec<Stranger>,
    /// A text of fewer parts that may do as well, and how many it takes.
    pub(super) cheaper: Option<(Cheaper, u8)>,
}

/// Why a wish has no PDUs.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("the line is too long")]
    LineTooLong,
    #[error("not the JSON of a text: {0}")]
    BadJson(#[from] serde_json::Error),
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}`: {1}")]
    BadAddress(&'static str, BadAddress),
    #[error("`smsc` is no number: digits, with `+` before an international one")]
    NoServiceCentre,
    #[error("`{field}` {wanted}")]
    BadValue {
        field: &'static str,
        wanted: &'static str,
    },
    #[error(transparent)]
    BadLanguage(#[from] UnknownLanguage),
    #[error(transparent)]
    Split(#[from] SplitError),
}

impl Refused {
    /// The stable code.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::LineTooLong => "line_too_long",
            Self::BadJson(_) => "bad_json",
            Self::Missing(_) => "missing",
            Self::BadAddress(..) | Self::NoServiceCentre => "bad_address",
            Self::BadValue { .. } | Self::BadLanguage(_) => "bad_value",
            Self::Split(SplitError::Empty) => "empty_text",
            Self::Split(SplitError::TooLong { .. }) => "too_long",
            Self::Split(SplitError::NotInTables { .. }) => "not_in_alphabet",
        }
    }
}

fn bad<T>(field: &'static str, wanted: &'static str) -> Result<T, Refused> {
    Err(Refused::BadValue { field, wanted })
}

fn address(field: &'static str, text: &str) -> Result<Address, Refused> {
    text.parse().map_err(|bad| Refused::BadAddress(field, bad))
}

impl Wish {
    /// The service centre, if it is not the one on the SIM.
    pub(super) fn smsc(&self) -> Result<Option<Address>, Refused> {
        let Some(smsc) = self.smsc.as_deref() else {
            return Ok(None);
        };
        let smsc = address("smsc", smsc)?;
        // An empty one would go out as a length with a type: no service centre at all.
        if smsc.value().is_empty() || !smsc.value().bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(Refused::NoServiceCentre);
        }
        Ok(Some(smsc))
    }

    /// The parts in order.
    pub(super) fn parts(&self) -> Result<Vec<Submit>, Refused> {
        let to = self.to.as_deref().ok_or(Refused::Missing("to"))?;
        if !to
            .chars()
            .any(|c| c.is_alphanumeric() || matches!(c, '*' | '#'))
        {
            return bad("to", "names nobody");
        }
        let destination = address("to", to)?;
        let text = self.text.as_deref().ok_or(Refused::Missing("text"))?;
        let reference = self.reference()?;
        let validity = self.validity()?;
        if self.class.is_some_and(|class| class > 3) {
            return bad("class", "is not from 0 to 3");
        }
        let bodies = match self.encoding()? {
            Some(encoding) => self.texts(text, &self.split(text, encoding, reference)?),
            None => self.data(text.as_bytes(), reference)?,
        };
        let submit = |user_data| self.submit(destination.clone(), user_data, validity);
        Ok(bodies.into_iter().map(submit).collect())
    }

    fn submit(
        &self,
        destination: Address,
        user_data: UserData,
        validity: Option<ValidityPeriod>,
    ) -> Submit {
        let report = if self.srr {
            ReportRequest::Wanted
        } else {
            ReportRequest::Unwanted
        };
        let alphabet = user_data.alphabet();
        let mut submit = Submit::new(destination, user_data, report);
        let classed = self
            .class
            .and_then(|class| Dcs::with_class(alphabet, class));
        submit.dcs = classed.unwrap_or(submit.dcs);
        // Without a wish it is the gateway's own.
        submit.validity = validity.or(submit.validity);
        submit.mr = Mr(self.mr.unwrap_or_default());
        submit.reject_duplicates = self.rd;
        submit
    }

    fn reference(&self) -> Result<ReferenceWidth, Refused> {
        let wide = self.r#ref.is_some_and(|reference| reference > 255);
        match self.ref_bits {
            None if wide => Ok(ReferenceWidth::Sixteen),
            Some(16) => Ok(ReferenceWidth::Sixteen),
            Some(8) if wide => bad("ref", "is over 255, which takes 16 bits"),
            None | Some(8) => Ok(ReferenceWidth::Eight),
            Some(_) => bad("ref_bits", "is neither 8 nor 16"),
        }
    }

    /// How a text may be written; nothing for octets.
    fn encoding(&self) -> Result<Option<Encoding>, Refused> {
        let tables = self.tables()?;
        Ok(Some(match self.encoding.as_deref() {
            None | Some("auto") => Encoding::Fewest,
            Some("gsm7") => Encoding::Gsm7(tables),
            Some("ucs2" | "8bit") if tables != Shifts::NONE => {
                return bad("encoding", "has no national tables: only gsm7 has");
            }
            Some("ucs2") => Encoding::Ucs2,
            Some("8bit") => return Ok(None),
            Some(_) => return bad("encoding", "is none of auto, gsm7, ucs2 and 8bit"),
        }))
    }

    /// The tables that are named.
    fn tables(&self) -> Result<Shifts, Refused> {
        let language = |id: Option<u8>| id.map(Language::try_from).transpose();
        let (single, locking) = (language(self.single)?, language(self.locking)?);
        if locking.is_some_and(|language| !language.has_locking()) {
            return bad("locking", "is a language without a locking table");
        }
        Ok(Shifts { locking, single })
    }

    /// A text in parts, by the tables that are named where that saves one.
    fn split(
        &self,
        text: &str,
        encoding: Encoding,
        reference: ReferenceWidth,
    ) -> Result<Split, Refused> {
        let Shifts { locking, single } = self.tables()?;
        let allowed = Allowed {
            encoding,
            single: single.as_slice(),
            locking: locking.as_slice(),
            reference,
        };
        Ok(parts::split_with(text, &allowed)?)
    }

    fn texts(&self, text: &str, split: &Split) -> Vec<UserData> {
        let number = self.r#ref.unwrap_or_default();
        let numbers = (1..=split.parts()).map(PartNo);
        numbers
            .filter_map(|no| split.user_data_wide(text, no, number))
            .collect()
    }

    /// What makes the text dear, if the alphabet was left to us, and what else could be sent.
    pub(super) fn dear(&self) -> Result<Dear, Refused> {
        let text = self.text.as_deref().unwrap_or_default();
        let Some(encoding @ Encoding::Fewest) = self.encoding()? else {
            return Ok(Dear::default());
        };
        let reference = self.reference()?;
        let split = self.split(text, encoding, reference)?;
        let is_plain = split.alphabet == Alphabet::Gsm7 && split.shifts == Shifts::NONE;
        let forced_by = if is_plain {
            Vec::new()
        } else {
            plain::strangers(text)
        };
        let cheaper = plain::cheaper(text).and_then(|cheaper| {
            let parts = self.split(&cheaper.text, encoding, reference).ok()?.parts();
            (parts < split.parts()).then_some((cheaper, parts))
        });
        Ok(Dear { forced_by, cheaper })
    }

    /// Octets in parts of 140, or of what a header leaves (TS 23.040, 9.2.3.24.1 and 9.2.3.24.8).
    fn data(&self, octets: &[u8], reference: ReferenceWidth) -> Result<Vec<UserData>, Refused> {
        let room = match reference {
            _ if octets.is_empty() => return Err(SplitError::Empty.into()),
            _ if octets.len() <= 140 => 140,
            ReferenceWidth::Eight => 134,
            ReferenceWidth::Sixteen => 133,
        };
        let parts = octets.len().div_ceil(room);
        let total = u8::try_from(parts).map_err(|_| SplitError::TooLong { parts })?;
        let number = self.r#ref.unwrap_or_default();
        let [_, low] = number.to_be_bytes();
        let part = |(octets, no): (&[u8], u8)| {
            let header = match reference {
                _ if total == 1 => None,
                ReferenceWidth::Eight => Some(UserDataHeader::concat_8(low, total, no)),
                ReferenceWidth::Sixteen => Some(UserDataHeader::concat_16(number, total, no)),
            };
            UserData::data8(header, octets).ok()
        };
        Ok(octets
            .chunks(room)
            .zip(1..=total)
            .filter_map(part)
            .collect())
    }

    /// At most one of the three ways to say it.
    fn validity(&self) -> Result<Option<ValidityPeriod>, Refused> {
        match (self.validity_minutes, &self.validity_until, self.vp) {
            (None, None, None) => Ok(None),
            (Some(minutes), None, None) => match ValidityPeriod::within(minutes) {
                Some(period) => Ok(Some(period)),
                None => bad("validity_minutes", "is under 5, the shortest period"),
            },
            (None, Some(until), None) => match until_time(until) {
                Some(time) => Ok(Some(ValidityPeriod::Absolute(time))),
                None => bad(
                    "validity_until",
                    "is no time such as 2026-03-14T10:15:32+02:00 from 1990 to 2089",
                ),
            },
            (None, None, Some(code)) => Ok(Some(ValidityPeriod::Relative(code))),
            _ => bad(
                "validity_minutes",
                "is one of three ways to say how long, with `validity_until` and `vp`: give one",
            ),
        }
    }
}

/// A point in time, kept in the zone in which it was written.
fn until_time(until: &str) -> Option<Timestamp> {
    let offset = Pieces::parse(until).ok()?.to_numeric_offset()?;
    let quarters = i8::try_from(offset.seconds() / (15 * 60)).ok()?;
    Timestamp::from_instant(until.parse().ok()?, quarters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_zone() {
        const CASES: &[(&str, Option<&str>)] = &[
            (
                "2026-03-14T10:15:32+02:00",
                Some("2026-03-14T10:15:32+02:00"),
            ),
            (
                "2026-03-14T10:15:32-05:45",
                Some("2026-03-14T10:15:32-05:45"),
            ),
            ("2026-03-14T10:15:32Z", Some("2026-03-14T10:15:32+00:00")),
            (
                "2026-03-14T10:15:32+00:00",
                Some("2026-03-14T10:15:32+00:00"),
            ),
            ("2026-03-14T10:15:32", None),
            (
                "2089-12-31T23:59:59+00:00",
                Some("2089-12-31T23:59:59+00:00"),
            ),
            ("2090-01-01T00:00:00+00:00", None),
            ("soon", None),
        ];
        for (text, expected) in CASES {
            let time = until_time(text).and_then(Timestamp::to_rfc3339);
            assert_eq!(time.as_deref(), *expected, "{text}");
        }
    }
}
