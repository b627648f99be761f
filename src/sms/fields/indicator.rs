//! TP-Parameter-Indicator and the fields it announces, which three kinds of report share.

use super::{Dcs, Pid, UserData};
use crate::sms::marks::MarkKind;
use crate::sms::octets::{DecodeError, Reader};

/// TP-PI (TS 23.040, 9.2.3.27): which optional fields follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indicator(u8);

const PID: u8 = 1;
const DCS: u8 = 1 << 1;
const USER_DATA: u8 = 1 << 2;
/// All that a bit is known for.
const KNOWN: u8 = PID | DCS | USER_DATA;
/// The most octets of TP-UD in any report: in an SMS-DELIVER-REPORT that took the message
/// (TS 23.040, 9.2.2.1a).
const MOST_OCTETS: usize = 159;

/// Another octet of the indicator follows.
const EXTENSION: u8 = 1 << 7;

/// The optional fields of a report, as far as they were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) pid: Option<Pid>,
    pub(crate) dcs: Option<Dcs>,
    pub(crate) user_data: Option<UserData>,
    /// Where the octets ended or broke although the indicator announced more.
    pub(crate) cut: Option<DecodeError>,
}

impl Indicator {
    /// The indicator for these fields.
    pub(crate) fn of(pid: Option<Pid>, dcs: Option<Dcs>, user_data: Option<&UserData>) -> Self {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        Self(
            bit(pid.is_some(), PID) | bit(dcs.is_some(), DCS) | bit(user_data.is_some(), USER_DATA),
        )
    }

    /// Does it announce anything?
    pub(crate) fn announces(self) -> bool {
        self.0 & KNOWN != 0
    }

    /// The octet to write.
    pub(crate) fn octet(self) -> u8 {
        self.0
    }

    /// Reads the indicator; octets of an extension, all of whose bits are reserved, are passed over.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.at();
        let indicator = reader.octet("TP-PI")?;
        if indicator & !KNOWN != 0 {
            reader.mark(at, MarkKind::SpareBits { field: "TP-PI" });
        }
        let mut octet = indicator;
        while octet & EXTENSION != 0 {
            octet = reader.octet("TP-PI")?;
        }
        Ok(Self(indicator))
    }

    /// Reads the fields it announces; `headed` is TP-UDHI. Ends at the first that is cut off; those before
    /// it stand.
    pub(crate) fn fields(self, reader: &mut Reader<'_>, headed: bool) -> Told {
        let mut told = Told::default();
        if let Err(cut) = self.fill(&mut told, reader, headed) {
            told.end(cut, reader);
        } else if headed && told.user_data.is_none() {
            reader.mark(0, MarkKind::HeaderOfNothing);
        }
        told
    }

    /// Reads what follows a status report: the indicator with the fields it announces, or, from older
    /// service centres, nothing.
    pub(crate) fn at_end(reader: &mut Reader<'_>, headed: bool) -> Told {
        let at = reader.at();
        if reader.rest().is_empty() {
            return Self(0).fields(reader, headed);
        }
        match Self::read(reader) {
            Ok(indicator) => {
                if !indicator.announces() {
                    reader.mark(at, MarkKind::NothingAnnounced);
                }
                indicator.fields(reader, headed)
            }
            Err(cut) => {
                let mut told = Told::default();
                told.end(cut, reader);
                told
            }
        }
    }

    fn fill(
        self,
        told: &mut Told,
        reader: &mut Reader<'_>,
        with_header: bool,
    ) -> Result<(), DecodeError> {
        if self.0 & PID != 0 {
            told.pid = Some(Pid(reader.octet("TP-PID")?));
        }
        if self.0 & DCS != 0 {
            told.dcs = Some(Dcs(reader.octet("TP-DCS")?));
        }
        if self.0 & USER_DATA != 0 {
            // Without TP-DCS the default alphabet is meant (9.2.3.27).
            let dcs = told.dcs.unwrap_or(Dcs(0));
            let user_data = UserData::decode_within(reader, dcs, with_header, MOST_OCTETS)?;
            told.user_data = Some(user_data);
        }
        Ok(())
    }
}

impl Told {
    /// What follows is cut off.
    fn end(&mut self, cut: DecodeError, reader: &mut Reader<'_>) {
        self.cut = Some(cut);
        reader.mark(cut.octet, MarkKind::Cut(cut));
    }
}

/// TP-UDHI: do the user data, if there are any, begin with a header?
pub(crate) fn headed(user_data: Option<&UserData>) -> bool {
    user_data.is_some_and(|user_data| user_data.header().is_some())
}

/// Appends the optional fields in their order.
pub(crate) fn write(
    out: &mut Vec<u8>,
    pid: Option<Pid>,
    dcs: Option<Dcs>,
    user_data: Option<&UserData>,
) {
    out.extend(pid.map(|pid| pid.0));
    out.extend(dcs.map(|dcs| dcs.0));
    if let Some(user_data) = user_data {
        user_data.encode(out);
    }
}
