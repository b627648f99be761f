//! A text from outside, cut into the parts that come to a SIM.

use jiff::Timestamp;

use super::{arrival, clock};
use crate::emulator::Error;
use crate::emulator::modem::{Arrival, Kind};
use crate::sms::deliver::Deliver;
use crate::sms::fields::Address;
use crate::sms::ids::PartNo;
use crate::sms::parts;

/// A text from outside, and how it is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// A number, international with `+`, or a name of at most 11 characters.
    pub from: String,
    /// What it says.
    pub text: String,
    /// The parts in the order in which they come, counted from 1; one may be left out or come
    /// twice. `None`: all, in their order.
    pub order: Option<Vec<u8>>,
    /// The zone of its time stamp in quarters of an hour; `None`: that of the service centre.
    pub zone: Option<i8>,
}

impl Inbound {
    /// `text` from `from`, its parts in order, in the service centre's zone.
    pub fn new(from: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            text: text.into(),
            order: None,
            zone: None,
        }
    }

    /// What comes to the SIM, and the sender as it is written down.
    ///
    /// Errors: a sender or a text that no SMS-DELIVER can carry, an order that names a part that
    /// is not there, a zone outside of -63 to 63.
    pub(super) fn arrivals(
        &self,
        reference: u8,
        zone: i8,
        date: Timestamp,
    ) -> Result<(String, Vec<Arrival>), Error> {
        let sender: Address = self.from.parse().or_else(|_| Address::name(&self.from))?;
        let split = parts::split(&self.text)?;
        let zone = self.zone.unwrap_or(zone);
        if !(-63..=63).contains(&zone) {
            return Err(Error::Zone(zone));
        }
        let all = split.parts();
        let order = self.order.clone().unwrap_or_else(|| (1..=all).collect());
        let part = |no: u8| {
            let user_data = split.user_data(&self.text, PartNo(no), reference);
            let user_data = user_data.filter(|_| (1..=all).contains(&no));
            let user_data = user_data.ok_or(Error::NoPart { no, all })?;
            let tpdu = Deliver::new(sender.clone(), clock(date, zone), user_data).encode();
            Ok(arrival(Kind::Message, &tpdu))
        };
        let arrivals = order.into_iter().map(part).collect::<Result<_, Error>>()?;
        Ok((sender.to_string(), arrivals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::pdu;

    /// The texts of what comes, and the zones of their time stamps.
    fn read(arrivals: &[Arrival]) -> Vec<(String, String)> {
        let read = |arrival: &Arrival| {
            let octets = pdu::decode_hex(&arrival.hex).unwrap();
            let (_, tpdu) = pdu::split_smsc(&octets).unwrap();
            // The time stamp of seven octets stands behind address, TP-PID and TP-DCS.
            let zone = arrival.hex.get(50..52).unwrap().to_owned();
            (Deliver::decode(tpdu).unwrap().text(), zone)
        };
        arrivals.iter().map(read).collect()
    }

    #[test]
    fn parts_come_in_any_order_and_zone() {
        let text = "a".repeat(153) + &"b".repeat(153) + "c";
        let cases: &[(Option<Vec<u8>>, &str)] = &[
            (None, "abc"),
            (Some(vec![3, 1, 2]), "cab"),
            (Some(vec![2, 2]), "bb"),
            (Some(vec![]), ""),
        ];
        for (order, firsts) in cases {
            let mut inbound = Inbound::new("+447700900456", &text);
            (inbound.order, inbound.zone) = (order.clone(), Some(-14));
            let date = "2026-03-26T14:01:51Z".parse().unwrap();
            let (sender, arrivals) = inbound.arrivals(9, 8, date).unwrap();
            assert_eq!(sender, "+447700900456");
            let came = read(&arrivals);
            let got: String = came
                .iter()
                .filter_map(|(text, _)| text.chars().next())
                .collect();
            assert_eq!(got, *firsts);
            // 14 quarters with the sign in bit 3 of the first digit on the wire.
            assert!(came.iter().all(|(_, zone)| zone == "49"), "{came:?}");
        }
    }

    type Change = fn(&mut Inbound);

    #[test]
    fn what_cannot_come_is_told() {
        let arrivals = |change: Change| {
            let mut inbound = Inbound::new("Bank", "x");
            change(&mut inbound);
            let arrivals = inbound.arrivals(0, 8, Timestamp::UNIX_EPOCH);
            arrivals.unwrap_err().to_string()
        };
        let cases: [(Change, &str); 5] = [
            (
                |it| it.order = Some(vec![2]),
                "there is no part 2: the text has 1",
            ),
            (
                |it| it.order = Some(vec![0]),
                "there is no part 0: the text has 1",
            ),
            (
                |it| it.zone = Some(64),
                "there is no zone 64: quarters of an hour from -63 to 63",
            ),
            (|it| it.text.clear(), "this is no text: "),
            (
                |it| it.from = "a name far too long".into(),
                "this is no sender: ",
            ),
        ];
        for (change, words) in cases {
            let told = arrivals(change);
            assert!(told.starts_with(words), "{told}");
        }
    }
}
