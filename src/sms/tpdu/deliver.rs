//! SMS-DELIVER: a message or part from the service centre to a SIM.

use super::Kind;
use super::first::{FirstOctet, HEADER, LOOP_PREVENTION, NO_MORE, REPLY_PATH, REPORT};
use crate::sms::fields::{Address, Dcs, Pid, Timestamp, UserData};
use crate::sms::octets::{DecodeError, Reader};

/// SMS-DELIVER (TS 23.040, 9.2.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four flags of the first octet, each a field of the standard"
)]
pub struct Deliver {
    /// TP-MMS (which is 0 for yes): the service centre has more for this SIM.
    pub more_to_send: bool,
    /// TP-LP: the message was forwarded, or made by a machine, and must not be answered by one.
    pub loop_prevention: bool,
    /// TP-SRI: the sender gets a report.
    pub report_indication: bool,
    /// TP-RP: an answer may take the sender's service centre.
    pub reply_path: bool,
    /// TP-OA, the sender.
    pub originator: Address,
    /// TP-PID.
    pub pid: Pid,
    /// TP-DCS; its alphabet must be that of `user_data`.
    pub dcs: Dcs,
    /// TP-SCTS: when the service centre took the message.
    pub scts: Timestamp,
    /// TP-UD with TP-UDL and TP-UDHI.
    pub user_data: UserData,
}

impl Deliver {
    /// An ordinary message with no further one behind it.
    pub fn new(originator: Address, scts: Timestamp, user_data: UserData) -> Self {
        Self {
            more_to_send: false,
            loop_prevention: false,
            report_indication: false,
            reply_path: false,
            originator,
            pid: Pid::ORDINARY,
            dcs: Dcs::of(user_data.alphabet()),
            scts,
            user_data,
        }
    }

    /// The text of this part; 8-bit data as hex.
    pub fn text(&self) -> String {
        self.user_data.text()
    }

    /// The octets of the TPDU, at most 164, without a service centre's address.
    pub fn encode(&self) -> Vec<u8> {
        let first = FirstOctet::of(
            Kind::Deliver,
            &[
                (NO_MORE, !self.more_to_send),
                (LOOP_PREVENTION, self.loop_prevention),
                (REPORT, self.report_indication),
                (HEADER, self.user_data.header().is_some()),
                (REPLY_PATH, self.reply_path),
            ],
        );
        let mut out = Vec::with_capacity(164);
        out.push(first.octet());
        self.originator.encode(&mut out);
        out.push(self.pid.0);
        out.push(self.dcs.0);
        out.extend(self.scts.octets());
        self.user_data.encode(&mut out);
        out
    }

    /// Reads the octets of a TPDU; octets after its end are ignored. The reserved message type 11
    /// counts as SMS-DELIVER.
    pub fn decode(tpdu: &[u8]) -> Result<Self, DecodeError> {
        Self::read(&mut Reader::new(tpdu))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = FirstOctet::read(reader, Kind::Deliver)?;
        let originator = Address::decode(reader, "TP-OA")?;
        let pid = Pid(reader.octet("TP-PID")?);
        let dcs = Dcs(reader.octet("TP-DCS")?);
        let scts = Timestamp::read(reader, "TP-SCTS")?;
        Ok(Self {
            more_to_send: !first.has(NO_MORE),
            loop_prevention: first.has(LOOP_PREVENTION),
            report_indication: first.has(REPORT),
            reply_path: first.has(REPLY_PATH),
            originator,
            pid,
            dcs,
            scts,
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

    fn read(hex: &str) -> Result<Deliver, DecodeError> {
        Deliver::decode(&decode_hex(hex).unwrap())
    }

    fn plain() -> Deliver {
        let scts = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
        Deliver::new(
            "+447700900456".parse().unwrap(),
            scts,
            UserData::gsm7(None, "Hi").unwrap(),
        )
    }

    fn headed() -> UserData {
        UserData::gsm7(Some(UserDataHeader::concat_8(0x5A, 2, 1)), "Hi").unwrap()
    }

    /// A change to the plain message; the octets before TP-SCTS; TP-UDL and TP-UD.
    type Case = (&'static str, fn(&mut Deliver), &'static str, &'static str);

    #[test]
    fn each_field_has_its_place() {
        const CASES: &[Case] = &[
            ("plain", |_| {}, "040C914477000940650000", "02C834"),
            (
                "more",
                |deliver| deliver.more_to_send = true,
                "000C914477000940650000",
                "02C834",
            ),
            (
                "machine",
                |deliver| deliver.loop_prevention = true,
                "0C0C914477000940650000",
                "02C834",
            ),
            (
                "report",
                |deliver| deliver.report_indication = true,
                "240C914477000940650000",
                "02C834",
            ),
            (
                "reply path",
                |deliver| deliver.reply_path = true,
                "840C914477000940650000",
                "02C834",
            ),
            (
                "short code",
                |deliver| deliver.originator = "3400".parse().unwrap(),
                "04048143000000",
                "02C834",
            ),
            (
                "protocol",
                |deliver| deliver.pid = Pid(0x3F),
                "040C914477000940653F00",
                "02C834",
            ),
            (
                "class 1",
                |deliver| deliver.dcs = Dcs(0xF1),
                "040C9144770009406500F1",
                "02C834",
            ),
            (
                "header",
                |deliver| deliver.user_data = headed(),
                "440C914477000940650000",
                "090500035A02019069",
            ),
        ];
        for &(name, change, start, user_data) in CASES {
            let mut deliver = plain();
            change(&mut deliver);
            let hex = format!("{start}62304101512300{user_data}");
            assert_eq!(encode_hex(&deliver.encode()), hex, "{name}");
            assert_eq!(read(&hex), Ok(deliver), "{name}");
        }
    }

    #[test]
    fn a_broken_time_does_not_lose_the_message() {
        let deliver = read("040C914477000940650000FFFFFFFFFFFFFF02C834").unwrap();
        assert_eq!(
            (deliver.text().as_str(), deliver.scts.to_instant()),
            ("Hi", None)
        );
    }

    #[test]
    fn the_reserved_type_is_a_message_and_others_are_not() {
        assert_eq!(
            read("070C9144770009406500006230410151230002C834"),
            Ok(plain())
        );
        for mti in [1, 2] {
            let wrong = DecodeErrorKind::WrongType {
                mti,
                wanted: "SMS-DELIVER",
            };
            assert_eq!(Deliver::decode(&[mti | 4, 0]), Err(wrong.at(0)));
        }
    }
}
