//! SMS-STATUS-REPORT: what the service centre says became of a part.

use std::fmt;

use super::Kind;
use super::first::{FirstOctet, HEADER, LOOP_PREVENTION, NO_MORE, REPORT};
use crate::sms::fields::indicator::{self, Indicator};
use crate::sms::fields::{Address, Dcs, Pid, Timestamp, UserData};
use crate::sms::ids::Mr;
use crate::sms::octets::{DecodeError, Reader};

/// SMS-STATUS-REPORT (TS 23.040, 9.2.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// TP-MMS (which is 0 for yes): the service centre has more for this SIM.
    pub more_to_send: bool,
    /// TP-LP: made by a machine, and must not be answered by one.
    pub loop_prevention: bool,
    /// TP-SRQ: about an SMS-COMMAND rather than an SMS-SUBMIT.
    pub about_command: bool,
    /// TP-MR of the part this is about.
    pub mr: Mr,
    /// TP-RA; not always in the form the part was sent to: see [`crate::sms::number::same_subscriber`].
    pub recipient: Address,
    /// TP-SCTS: when the service centre took the part.
    pub scts: Timestamp,
    /// TP-DT: when it reached the phone, or when the service centre last tried.
    pub discharge: Timestamp,
    /// TP-ST.
    pub status: Status,
    /// TP-PID, if told.
    pub pid: Option<Pid>,
    /// TP-DCS, if told.
    pub dcs: Option<Dcs>,
    /// TP-UD, if told.
    pub user_data: Option<UserData>,
    /// Where the optional fields ended too soon. A mark of what was read, not written.
    pub cut: Option<DecodeError>,
}

/// TP-ST (TS 23.040, 9.2.3.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub u8);

/// What a [`Status`] means for the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusClass {
    /// The service centre is done with it: the phone has it.
    Delivered,
    /// Handed on; nobody can say whether the phone has it.
    Forwarded,
    /// Not yet; the service centre goes on trying.
    Trying,
    /// For ever.
    Failed,
    /// Its validity period passed.
    Expired,
    /// The reason was a passing one, but the service centre tries no more.
    TemporaryGaveUp,
    /// Without a meaning: a receiver treats it as "service rejected", final (9.2.3.15).
    Reserved,
}

impl Status {
    /// What it means for the part.
    pub fn class(self) -> StatusClass {
        match self.0 {
            0x01 => StatusClass::Forwarded,
            0x00 | 0x02 | 0x10..=0x1F => StatusClass::Delivered,
            0x20..=0x25 | 0x30..=0x3F => StatusClass::Trying,
            0x46 => StatusClass::Expired,
            0x40..=0x49 | 0x50..=0x5F => StatusClass::Failed,
            0x60..=0x65 | 0x70..=0x7F => StatusClass::TemporaryGaveUp,
            _ => StatusClass::Reserved,
        }
    }

    /// In a few words.
    pub fn meaning(self) -> &'static str {
        match self.0 {
            0x00 => "received by the phone",
            0x01 => "forwarded, delivery cannot be confirmed",
            0x02 => "replaced by a later message",
            0x10..=0x1F => "completed, meaning known to this service centre only",
            0x20 => "congestion, still trying",
            0x21 => "phone busy, still trying",
            0x22 => "no response from the phone, still trying",
            0x23 => "service rejected, still trying",
            0x24 => "quality of service not available, still trying",
            0x25 => "error in the phone, still trying",
            0x30..=0x3F => "still trying, reason known to this service centre only",
            0x40 => "remote procedure error",
            0x41 => "incompatible destination",
            0x42 => "connection rejected by the phone",
            0x43 => "not obtainable",
            0x44 => "quality of service not available",
            0x45 => "no interworking available",
            0x46 => "validity period expired",
            0x47 => "deleted by its sender",
            0x48 => "deleted by the service centre's administration",
            0x49 => "the service centre does not know the message",
            0x50..=0x5F => "failed, reason known to this service centre only",
            0x60 => "congestion, gave up",
            0x61 => "phone busy, gave up",
            0x62 => "no response from the phone, gave up",
            0x63 => "service rejected, gave up",
            0x64 => "quality of service not available, gave up",
            0x65 => "error in the phone, gave up",
            0x70..=0x7F => "gave up, reason known to this service centre only",
            _ => "reserved value, counts as service rejected",
        }
    }
}

/// The octet in hex, as tables of the standard print it, and its meaning.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X} {}", self.0, self.meaning())
    }
}

impl StatusReport {
    /// A report of an SMS-SUBMIT without optional fields.
    pub fn new(
        mr: Mr,
        recipient: Address,
        scts: Timestamp,
        discharge: Timestamp,
        status: Status,
    ) -> Self {
        Self {
            more_to_send: false,
            loop_prevention: false,
            about_command: false,
            mr,
            recipient,
            scts,
            discharge,
            status,
            pid: None,
            dcs: None,
            user_data: None,
            cut: None,
        }
    }

    /// The octets of the TPDU, without a service centre's address.
    pub fn encode(&self) -> Vec<u8> {
        let first = FirstOctet::of(
            Kind::StatusReport,
            &[
                (NO_MORE, !self.more_to_send),
                (LOOP_PREVENTION, self.loop_prevention),
                (REPORT, self.about_command),
                (HEADER, indicator::headed(self.user_data.as_ref())),
            ],
        );
        let mut out = Vec::with_capacity(164);
        out.push(first.octet());
        out.push(self.mr.0);
        self.recipient.encode(&mut out);
        out.extend(self.scts.octets());
        out.extend(self.discharge.octets());
        out.push(self.status.0);
        let indicator = Indicator::of(self.pid, self.dcs, self.user_data.as_ref());
        if indicator.announces() {
            out.push(indicator.octet());
            indicator::write(&mut out, self.pid, self.dcs, self.user_data.as_ref());
        }
        out
    }

    /// Reads the octets of a TPDU. What follows TP-ST cannot make it fail: a report without its
    /// optional fields still tells what became of the part.
    pub fn decode(tpdu: &[u8]) -> Result<Self, DecodeError> {
        Self::read(&mut Reader::new(tpdu))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = FirstOctet::read(reader, Kind::StatusReport)?;
        let mr = Mr(reader.octet("TP-MR")?);
        let recipient = Address::decode(reader, "TP-RA")?;
        let scts = Timestamp::read(reader, "TP-SCTS")?;
        let discharge = Timestamp::read(reader, "TP-DT")?;
        let status = Status(reader.octet("TP-ST")?);
        let told = Indicator::at_end(reader, first.has(HEADER));
        Ok(Self {
            more_to_send: !first.has(NO_MORE),
            loop_prevention: first.has(LOOP_PREVENTION),
            about_command: first.has(REPORT),
            pid: told.pid,
            dcs: told.dcs,
            user_data: told.user_data,
            cut: told.cut,
            ..Self::new(mr, recipient, scts, discharge, status)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::octets::DecodeErrorKind;
    use crate::sms::pdu::{decode_hex, encode_hex};

    const PLAIN: &str = "06170C91447700091032623041015123006230410151730000";

    fn read(hex: &str) -> Result<StatusReport, DecodeError> {
        StatusReport::decode(&decode_hex(hex).unwrap())
    }

    #[test]
    fn every_status_has_its_class() {
        use StatusClass::{
            Delivered, Expired, Failed, Forwarded, Reserved, TemporaryGaveUp, Trying,
        };
        const GROUPS: &[(std::ops::RangeInclusive<u8>, StatusClass)] = &[
            (0x00..=0x00, Delivered),
            (0x01..=0x01, Forwarded),
            (0x02..=0x02, Delivered),
            (0x03..=0x0F, Reserved),
            (0x10..=0x1F, Delivered),
            (0x20..=0x25, Trying),
            (0x26..=0x2F, Reserved),
            (0x30..=0x3F, Trying),
            (0x40..=0x45, Failed),
            (0x46..=0x46, Expired),
            (0x47..=0x49, Failed),
            (0x4A..=0x4F, Reserved),
            (0x50..=0x5F, Failed),
            (0x60..=0x65, TemporaryGaveUp),
            (0x66..=0x6F, Reserved),
            (0x70..=0x7F, TemporaryGaveUp),
            (0x80..=0xFF, Reserved),
        ];
        let mut next = 0_u16;
        for (group, class) in GROUPS {
            for octet in group.clone() {
                assert_eq!(u16::from(octet), next);
                assert_eq!(Status(octet).class(), *class, "{octet:02X}");
                let reserved = Status(octet).meaning().starts_with("reserved");
                assert_eq!(reserved, *class == Reserved, "{octet:02X}");
                next += 1;
            }
        }
        assert_eq!(next, 256);
        assert_eq!(Status(0x46).to_string(), "46 validity period expired");
    }

    #[test]
    fn flags_and_optional_fields_survive() {
        let cases = [
            ("plain", PLAIN, 0),
            ("more to send", "02", 2),
            ("forwarded by a machine", "0E", 2),
            ("about a command", "26", 2),
        ];
        for (name, first, keep) in cases {
            let hex = if keep == 0 {
                first.to_owned()
            } else {
                format!("{first}{}", &PLAIN[keep..])
            };
            assert_eq!(encode_hex(&read(&hex).unwrap().encode()), hex, "{name}");
        }
        let report = read(&format!("{PLAIN}07000802041F")).unwrap();
        assert_eq!((report.pid, report.dcs), (Some(Pid(0)), Some(Dcs(8))));
        assert_eq!(
            report.user_data.as_ref().map(UserData::text).as_deref(),
            Some("П")
        );
        assert_eq!(encode_hex(&report.encode()), format!("{PLAIN}07000802041F"));
        let headed = format!("46{}0600 09 050003 5A0201 9069", &PLAIN[2..]).replace(' ', "");
        let report = read(&headed).unwrap();
        assert_eq!(
            report.user_data.as_ref().map(UserData::text).as_deref(),
            Some("Hi")
        );
        assert_eq!(encode_hex(&report.encode()), headed);
    }

    #[test]
    fn what_follows_the_status_cannot_spoil_the_report() {
        let plain = read(PLAIN).unwrap();
        let short =
            |field, missing, octet| Some(DecodeErrorKind::TooShort { field, missing }.at(octet));
        let too_long = DecodeErrorKind::UserDataTooLong {
            octets: 200,
            most: 159,
        };
        let cases = [
            ("nothing told", "00", None, None, None),
            ("reserved bits", "38", None, None, None),
            ("an extension", "8000", None, None, None),
            ("padding", "FF", None, None, short("TP-PI", 1, 26)),
            (
                "nothing but TP-PI",
                "03",
                None,
                None,
                short("TP-PID", 1, 26),
            ),
            (
                "cut off",
                "0700",
                Some(Pid(0)),
                None,
                short("TP-DCS", 1, 27),
            ),
            (
                "text cut off",
                "05110441",
                Some(Pid(0x11)),
                None,
                short("TP-UD", 3, 29),
            ),
            (
                "text too long",
                "0604C8",
                None,
                Some(Dcs(4)),
                Some(too_long.at(27)),
            ),
        ];
        for (name, tail, pid, dcs, cut) in cases {
            let report = read(&format!("{PLAIN}{tail}")).unwrap();
            assert_eq!(
                report,
                StatusReport {
                    pid,
                    dcs,
                    cut,
                    ..plain.clone()
                },
                "{name}"
            );
        }
    }

    #[test]
    fn a_report_without_its_status_is_none() {
        let error = read(&PLAIN[..48]).unwrap_err();
        assert_eq!(
            error,
            DecodeErrorKind::TooShort {
                field: "TP-ST",
                missing: 1
            }
            .at(24)
        );
        let wrong = DecodeErrorKind::WrongType {
            mti: 0,
            wanted: "SMS-STATUS-REPORT",
        };
        assert_eq!(read("0417"), Err(wrong.at(0)));
    }
}
