//! SMS-SUBMIT: a part on its way from here to the service centre.

use super::Kind;
use super::first::{FirstOctet, HEADER, REJECT_DUPLICATES, REPLY_PATH, REPORT, VALIDITY};
use crate::sms::fields::{Address, Dcs, Pid, Timestamp, UserData, ValidityPeriod};
use crate::sms::ids::Mr;
use crate::sms::octets::{DecodeError, Reader};

/// TP-SRR: shall the service centre report what becomes of the part?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportRequest {
    /// Yes.
    Wanted,
    /// No.
    Unwanted,
}

/// SMS-SUBMIT (TS 23.040, 9.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submit {
    /// TP-RD: the service centre shall refuse a part it already holds under this reference.
    pub reject_duplicates: bool,
    /// TP-SRR.
    pub report: ReportRequest,
    /// TP-RP: the recipient's answer may take the sender's service centre.
    pub reply_path: bool,
    /// TP-MR; modems put their own number here.
    pub mr: Mr,
    /// TP-DA, the recipient.
    pub destination: Address,
    /// TP-PID.
    pub pid: Pid,
    /// TP-DCS; its alphabet must be that of `user_data`.
    pub dcs: Dcs,
    /// TP-VP with TP-VPF: how long the service centre tries; without it as long as it likes.
    pub validity: Option<ValidityPeriod>,
    /// TP-UD with TP-UDL and TP-UDHI.
    pub user_data: UserData,
}

impl ReportRequest {
    /// TP-SRR of a first octet.
    pub(super) fn of(first: FirstOctet) -> Self {
        if first.has(REPORT) {
            Self::Wanted
        } else {
            Self::Unwanted
        }
    }
}

/// The forms of TP-VP (TS 23.040, 9.2.3.3).
const VPF_ENHANCED: u8 = 0b01 << 3;
const VPF_RELATIVE: u8 = 0b10 << 3;
const VPF_ABSOLUTE: u8 = 0b11 << 3;

impl Submit {
    /// An ordinary message that the service centre keeps for 24 hours.
    pub fn new(destination: Address, user_data: UserData, report: ReportRequest) -> Self {
        Self {
            reject_duplicates: false,
            report,
            reply_path: false,
            mr: Mr(0),
            destination,
            pid: Pid::ORDINARY,
            dcs: Dcs::of(user_data.alphabet()),
            validity: Some(ValidityPeriod::ONE_DAY),
            user_data,
        }
    }

    /// The text of this part; 8-bit data as hex.
    pub fn text(&self) -> String {
        self.user_data.text()
    }

    /// The octets of the TPDU, at most 164, without a service centre's address.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(164);
        out.push(self.first_octet().octet());
        out.push(self.mr.0);
        self.destination.encode(&mut out);
        out.push(self.pid.0);
        out.push(self.dcs.0);
        match self.validity {
            None => {}
            Some(ValidityPeriod::Relative(code)) => out.push(code),
            Some(ValidityPeriod::Enhanced(octets)) => out.extend(octets),
            Some(ValidityPeriod::Absolute(time)) => out.extend(time.octets()),
        }
        self.user_data.encode(&mut out);
        out
    }

    fn first_octet(&self) -> FirstOctet {
        let validity = match self.validity {
            None => 0,
            Some(ValidityPeriod::Enhanced(_)) => VPF_ENHANCED,
            Some(ValidityPeriod::Relative(_)) => VPF_RELATIVE,
            Some(ValidityPeriod::Absolute(_)) => VPF_ABSOLUTE,
        };
        FirstOctet::of(
            Kind::Submit,
            &[
                (REJECT_DUPLICATES, self.reject_duplicates),
                (validity, true),
                (REPORT, self.report == ReportRequest::Wanted),
                (HEADER, self.user_data.header().is_some()),
                (REPLY_PATH, self.reply_path),
            ],
        )
    }

    /// Reads the octets of a TPDU; octets after its end are ignored.
    pub fn decode(tpdu: &[u8]) -> Result<Self, DecodeError> {
        Self::read(&mut Reader::new(tpdu))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = FirstOctet::read(reader, Kind::Submit)?;
        let mr = Mr(reader.octet("TP-MR")?);
        let destination = Address::decode(reader, "TP-DA")?;
        let pid = Pid(reader.octet("TP-PID")?);
        let dcs = Dcs(reader.octet("TP-DCS")?);
        let validity = match first.bits(VALIDITY) {
            VPF_RELATIVE => Some(ValidityPeriod::Relative(reader.octet("TP-VP")?)),
            VPF_ENHANCED => Some(ValidityPeriod::Enhanced(reader.array("TP-VP")?)),
            VPF_ABSOLUTE => Some(ValidityPeriod::Absolute(Timestamp::read(reader, "TP-VP")?)),
            _ => None,
        };
        Ok(Self {
            reject_duplicates: first.has(REJECT_DUPLICATES),
            report: ReportRequest::of(first),
            reply_path: first.has(REPLY_PATH),
            mr,
            destination,
            pid,
            dcs,
            validity,
            user_data: UserData::decode(reader, dcs, first.has(HEADER))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::fields::UserDataHeader;
    use crate::sms::octets::DecodeErrorKind;
    use crate::sms::pdu::{decode_hex, encode_hex};

    fn read(hex: &str) -> Result<Submit, DecodeError> {
        Submit::decode(&decode_hex(hex).unwrap())
    }

    fn plain() -> Submit {
        let user_data = UserData::gsm7(None, "Hi").unwrap();
        Submit::new(
            "+447700900123".parse().unwrap(),
            user_data,
            ReportRequest::Unwanted,
        )
    }

    fn headed() -> UserData {
        UserData::gsm7(Some(UserDataHeader::concat_8(0x5A, 2, 1)), "Hi").unwrap()
    }

    fn assert_form(name: &str, submit: Submit, start: &str, rest: &str) {
        let hex = format!("{start}0C91447700091032{rest}");
        assert_eq!(encode_hex(&submit.encode()), hex, "{name}");
        assert_eq!(read(&hex), Ok(submit), "{name}");
    }

    /// A change to the plain message; first octet and TP-MR; what follows TP-DA.
    type Case = (&'static str, fn(&mut Submit), &'static str, &'static str);

    #[test]
    fn each_field_has_its_place() {
        const CASES: &[Case] = &[
            ("plain", |_| {}, "1100", "0000A702C834"),
            (
                "report",
                |submit| submit.report = ReportRequest::Wanted,
                "3100",
                "0000A702C834",
            ),
            (
                "duplicates",
                |submit| submit.reject_duplicates = true,
                "1500",
                "0000A702C834",
            ),
            (
                "reply path",
                |submit| submit.reply_path = true,
                "9100",
                "0000A702C834",
            ),
            (
                "reference",
                |submit| submit.mr = Mr(0xFE),
                "11FE",
                "0000A702C834",
            ),
            (
                "protocol",
                |submit| submit.pid = Pid(0x41),
                "1100",
                "4100A702C834",
            ),
            (
                "flash",
                |submit| submit.dcs = Dcs(0x10),
                "1100",
                "0010A702C834",
            ),
            (
                "header",
                |submit| submit.user_data = headed(),
                "5100",
                "0000A7090500035A02019069",
            ),
        ];
        for &(name, change, start, rest) in CASES {
            let mut submit = plain();
            change(&mut submit);
            assert_form(name, submit, start, rest);
        }
    }

    #[test]
    fn each_form_of_validity() {
        let time = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
        let enhanced = [0x41, 0x0F, 0, 0, 0, 0, 0];
        let cases = [
            (None, "0100", "000002C834"),
            (Some(ValidityPeriod::Relative(0)), "1100", "00000002C834"),
            (
                Some(ValidityPeriod::Absolute(time)),
                "1900",
                "00006230410151230002C834",
            ),
            (
                Some(ValidityPeriod::Enhanced(enhanced)),
                "0900",
                "0000410F000000000002C834",
            ),
        ];
        for (validity, start, rest) in cases {
            assert_form(
                start,
                Submit {
                    validity,
                    ..plain()
                },
                start,
                rest,
            );
        }
    }

    #[test]
    fn a_new_message_takes_its_coding_from_its_text() {
        let destination = plain().destination;
        let user_data = UserData::ucs2(None, "Є").unwrap();
        let submit = Submit::new(destination, user_data, ReportRequest::Wanted);
        assert_eq!(
            (submit.dcs, submit.mr, submit.validity),
            (Dcs(8), Mr(0), Some(ValidityPeriod::ONE_DAY))
        );
        assert_eq!(submit.text(), "Є");
    }

    #[test]
    fn broken_octets_are_named() {
        let wrong = DecodeErrorKind::WrongType {
            mti: 0,
            wanted: "SMS-SUBMIT",
        };
        assert_eq!(read("0400"), Err(wrong.at(0)));
        let cases = [
            ("", "the first octet", 1, 0),
            ("11", "TP-MR", 1, 1),
            ("11000C9144", "TP-DA", 5, 5),
            ("11000C91447700091032", "TP-PID", 1, 10),
            ("11000C914477000910320000", "TP-VP", 1, 12),
            ("19000C9144770009103200006230", "TP-VP", 5, 14),
            ("11000C914477000910320000A702C8", "TP-UD", 1, 15),
        ];
        for (hex, field, missing, octet) in cases {
            assert_eq!(
                read(hex),
                Err(DecodeErrorKind::TooShort { field, missing }.at(octet)),
                "{hex}"
            );
        }
    }
}
