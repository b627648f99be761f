//! SMS-SUBMIT-REPORT: the service centre's answer to an SMS-SUBMIT or SMS-COMMAND.

use super::Kind;
use super::answer::{Answer, Fixed};
use crate::sms::fields::{Dcs, Fcs, Pid, Timestamp, UserData};
use crate::sms::octets::{DecodeError, Reader};

/// SMS-SUBMIT-REPORT (TS 23.040, 9.2.2.2a). Modems hand it out as the second field of `+CMGS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitReport {
    /// TP-FCS: why the service centre did not take the message; nothing if it did.
    pub failure: Option<Fcs>,
    /// TP-SCTS: when it took the message; its report will carry the same.
    pub scts: Timestamp,
    /// TP-PID, if told.
    pub pid: Option<Pid>,
    /// TP-DCS, if told.
    pub dcs: Option<Dcs>,
    /// TP-UD, if told.
    pub user_data: Option<UserData>,
    /// Where the optional fields ended too soon. A mark of what was read, not written.
    pub cut: Option<DecodeError>,
}

impl SubmitReport {
    /// The message was taken at this time, or not for this reason; without optional fields.
    pub fn new(failure: Option<Fcs>, scts: Timestamp) -> Self {
        Self {
            failure,
            scts,
            pid: None,
            dcs: None,
            user_data: None,
            cut: None,
        }
    }

    /// The octets of the TPDU, without a service centre's address.
    pub fn encode(&self) -> Vec<u8> {
        let fixed = Fixed {
            kind: Kind::SubmitReport,
            failure: self.failure,
            scts: Some(self.scts),
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
            scts,
            told,
        } = Answer::read(reader, Kind::SubmitReport)?;
        Ok(Self {
            failure,
            scts,
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
    use crate::sms::fields::UserDataHeader;
    use crate::sms::octets::DecodeErrorKind;
    use crate::sms::pdu::{decode_hex, encode_hex};

    const SCTS: [u8; 7] = [0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00];

    fn read(hex: &str) -> Result<SubmitReport, DecodeError> {
        SubmitReport::decode(&decode_hex(hex).unwrap())
    }

    fn plain(failure: Option<Fcs>) -> SubmitReport {
        SubmitReport::new(failure, Timestamp::from_octets(SCTS))
    }

    #[test]
    fn both_forms_with_and_without_their_fields() {
        let header = Some(UserDataHeader::concat_8(0x5A, 2, 1));
        let cases = [
            ("taken", plain(None), "010062304101512300"),
            ("refused", plain(Some(Fcs(0xC5))), "01C50062304101512300"),
            (
                "protocol and coding",
                SubmitReport {
                    pid: Some(Pid(0)),
                    dcs: Some(Dcs(8)),
                    ..plain(None)
                },
                "0103623041015123000008",
            ),
            (
                "a text with a header",
                SubmitReport {
                    user_data: Some(UserData::gsm7(header, "Hi").unwrap()),
                    ..plain(Some(Fcs(0xC4)))
                },
                "41C40462304101512300090500035A02019069",
            ),
        ];
        for (name, report, hex) in cases {
            assert_eq!(encode_hex(&report.encode()), hex, "{name}");
            assert_eq!(read(hex), Ok(report), "{name}");
        }
    }

    #[test]
    fn the_answer_stands_without_what_is_cut_off() {
        let report = read("0107623041015123000008").unwrap();
        let cut = DecodeErrorKind::TooShort {
            field: "TP-UDL",
            missing: 1,
        };
        assert_eq!(
            (report.dcs, report.user_data, report.cut),
            (Some(Dcs(8)), None, Some(cut.at(11)))
        );
        assert_eq!(report.scts.octets(), SCTS);
    }

    #[test]
    fn what_must_be_there_is_missed_at_its_octet() {
        let short =
            |field, missing, octet| Err(DecodeErrorKind::TooShort { field, missing }.at(octet));
        assert_eq!(read("01"), short("TP-PI", 1, 1));
        assert_eq!(read("01C5"), short("TP-PI", 1, 2));
        assert_eq!(read("01006230"), short("TP-SCTS", 5, 4));
        let wrong = DecodeErrorKind::WrongType {
            mti: 2,
            wanted: "SMS-SUBMIT-REPORT",
        };
        assert_eq!(read("0200"), Err(wrong.at(0)));
    }
}
