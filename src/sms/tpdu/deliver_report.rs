//! SMS-DELIVER-REPORT: a phone's answer to a message or status report that came.

use super::Kind;
use super::answer::{Answer, Fixed};
use crate::sms::fields::{Dcs, Fcs, Pid, UserData};
use crate::sms::octets::{DecodeError, Reader};

/// SMS-DELIVER-REPORT (TS 23.040, 9.2.2.1a).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverReport {
    /// TP-FCS: why the message was not taken; nothing if it was.
    pub failure: Option<Fcs>,
    /// TP-PID, if told.
    pub pid: Option<Pid>,
    /// TP-DCS, if told.
    pub dcs: Option<Dcs>,
    /// TP-UD, if told.
    pub user_data: Option<UserData>,
    /// Where the optional fields ended too soon. A mark of what was read, not written.
    pub cut: Option<DecodeError>,
}

impl DeliverReport {
    /// The message was taken, or not for this reason; without optional fields.
    pub fn new(failure: Option<Fcs>) -> Self {
        Self {
            failure,
            pid: None,
            dcs: None,
            user_data: None,
            cut: None,
        }
    }

    /// The octets of the TPDU, without a service centre's address.
    pub fn encode(&self) -> Vec<u8> {
        let fixed = Fixed {
            kind: Kind::DeliverReport,
            failure: self.failure,
            scts: None,
        };
        fixed.encode(self.pid, self.dcs, self.user_data.as_ref())
    }

    /// Reads the octets of a TPDU. What TP-PI announces cannot make it fail: the answer stands
    /// without it.
    pub fn decode(tpdu: &[u8]) -> Result<Self, DecodeError> {
        Self::read(&mut Reader::new(tpdu))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let Answer {
            failure,
            scts: _,
            told,
        } = Answer::read(reader, Kind::DeliverReport)?;
        Ok(Self {
            failure,
            pid: told.pid,
            dcs: told.dcs,
            user_data: told.user_data,
            cut: told.cut,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::octets::DecodeErrorKind;
    use crate::sms::pdu::{decode_hex, encode_hex};

    fn read(hex: &str) -> Result<DeliverReport, DecodeError> {
        DeliverReport::decode(&decode_hex(hex).unwrap())
    }

    fn full(failure: Option<Fcs>) -> DeliverReport {
        DeliverReport {
            pid: Some(Pid(0x7F)),
            dcs: Some(Dcs(0xF6)),
            user_data: Some(UserData::data8(None, &[0xD0, 0x01]).unwrap()),
            ..DeliverReport::new(failure)
        }
    }

    #[test]
    fn both_forms_with_and_without_their_fields() {
        let text = UserData::gsm7(None, "Hi").unwrap();
        let cases = [
            ("taken", DeliverReport::new(None), "0000"),
            ("refused", DeliverReport::new(Some(Fcs(0xD3))), "00D300"),
            (
                "the lowest cause",
                DeliverReport::new(Some(Fcs(0x80))),
                "008000",
            ),
            ("taken, all told", full(None), "00077FF602D001"),
            (
                "refused, all told",
                full(Some(Fcs(0xD5))),
                "00D5077FF602D001",
            ),
            (
                "text only",
                DeliverReport {
                    user_data: Some(text),
                    ..DeliverReport::new(None)
                },
                "000402C834",
            ),
        ];
        for (name, report, hex) in cases {
            assert_eq!(encode_hex(&report.encode()), hex, "{name}");
            assert_eq!(read(hex), Ok(report), "{name}");
        }
    }

    #[test]
    fn fields_that_are_cut_off_leave_a_mark() {
        let mark =
            |field, missing, octet| Some(DecodeErrorKind::TooShort { field, missing }.at(octet));
        let cases = [
            ("0001", None, mark("TP-PID", 1, 2)),
            ("000700", Some(Pid(0)), mark("TP-DCS", 1, 3)),
            ("00D3070000", Some(Pid(0)), mark("TP-UDL", 1, 5)),
            ("0005000441", Some(Pid(0)), mark("TP-UD", 3, 5)),
        ];
        for (hex, pid, cut) in cases {
            let report = read(hex).unwrap();
            assert_eq!(
                (report.pid, report.user_data, report.cut),
                (pid, None, cut),
                "{hex}"
            );
        }
    }

    /// A SIM's answer has more room than a message.
    #[test]
    fn as_much_data_as_a_report_can_carry() {
        let hex = |octets: u8| format!("0006F6{octets:02X}{}", "AB".repeat(usize::from(octets)));
        let report = read(&hex(159)).unwrap();
        assert_eq!(report.user_data.as_ref().map(UserData::udl), Some(159));
        assert_eq!(encode_hex(&report.encode()), hex(159));
        let cut = DecodeErrorKind::UserDataTooLong {
            octets: 160,
            most: 159,
        };
        assert_eq!(read(&hex(160)).unwrap().cut, Some(cut.at(3)));
        // 181 septets fill 159 octets.
        let text = read(&format!("0004B5{}", "00".repeat(159))).unwrap();
        assert_eq!(
            text.user_data.map(|data| data.text().chars().count()),
            Some(181)
        );
    }

    #[test]
    fn a_header_over_its_end_leaves_a_mark() {
        let report = read("40060004050003010201").unwrap();
        let cut = DecodeErrorKind::HeaderTooLong {
            header: 6,
            octets: 4,
        };
        assert_eq!(
            (report.dcs, report.user_data, report.cut),
            (Some(Dcs(0)), None, Some(cut.at(4)))
        );
    }

    #[test]
    fn what_must_be_there_is_missed_at_its_octet() {
        let missing = |field, octet| Err(DecodeErrorKind::TooShort { field, missing: 1 }.at(octet));
        assert_eq!(read(""), missing("the first octet", 0));
        assert_eq!(read("00"), missing("TP-PI", 1));
        assert_eq!(read("00FF"), missing("TP-PI", 2));
        let wrong = DecodeErrorKind::WrongType {
            mti: 1,
            wanted: "SMS-DELIVER-REPORT",
        };
        assert_eq!(read("0100"), Err(wrong.at(0)));
    }
}
