//! What SMS-DELIVER-REPORT and SMS-SUBMIT-REPORT have in common: the two ends' answers to a message.

use super::Kind;
use super::first::{FirstOctet, HEADER};
use crate::sms::fields::indicator::{self, Indicator, Told};
use crate::sms::fields::{Dcs, Fcs, Pid, Timestamp, UserData};
use crate::sms::octets::{DecodeError, Reader};

/// The lowest TP-FCS. An octet below it is TP-PI: what was taken carries no TP-FCS.
const LOWEST_FCS: u8 = 0x80;

/// The fields of an answer that was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) failure: Option<Fcs>,
    /// Between TP-PI and what it announces; zeros in a phone's answer, which has no time.
    pub(super) scts: Timestamp,
    pub(super) told: Told,
}

/// The fields of an answer to write, but for those that TP-PI announces.
pub(super) struct Fixed {
    pub(super) kind: Kind,
    pub(super) failure: Option<Fcs>,
    pub(super) scts: Option<Timestamp>,
}

impl Fixed {
    /// The octets, with the optional fields behind them.
    pub(super) fn encode(
        &self,
        pid: Option<Pid>,
        dcs: Option<Dcs>,
        user_data: Option<&UserData>,
    ) -> Vec<u8> {
        let first = FirstOctet::of(self.kind, &[(HEADER, indicator::headed(user_data))]);
        let mut out = vec![first.octet()];
        out.extend(self.failure.map(|cause| cause.0));
        out.push(Indicator::of(pid, dcs, user_data).octet());
        out.extend(self.scts.iter().flat_map(|scts| scts.octets()));
        indicator::write(&mut out, pid, dcs, user_data);
        out
    }
}

impl Answer {
    /// Reads an answer of this kind. What TP-PI announces cannot make it fail: the answer stands without
    /// it.
    pub(super) fn read(reader: &mut Reader<'_>, kind: Kind) -> Result<Self, DecodeError> {
        let first = FirstOctet::read(reader, kind)?;
        let failure = failure(reader)?;
        let indicator = Indicator::read(reader)?;
        let scts = match kind {
            Kind::SubmitReport => Timestamp::read(reader, "TP-SCTS")?,
            _ => Timestamp::from_octets([0; 7]),
        };
        let told = indicator.fields(reader, first.has(HEADER));
        Ok(Self {
            failure,
            scts,
            told,
        })
    }
}

/// TP-FCS if there is one. The two forms of an answer (in RP-ACK without it, in RP-ERROR with it) are
/// not told apart by a bit of their own: TP-FCS has the top bit set, TP-PI in practice never has.
fn failure(reader: &mut Reader<'_>) -> Result<Option<Fcs>, DecodeError> {
    let next = reader.rest().first().copied();
    if next.is_some_and(|octet| octet >= LOWEST_FCS) {
        return reader.octet("TP-FCS").map(|cause| Some(Fcs(cause)));
    }
    Ok(None)
}
