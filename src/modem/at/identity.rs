//! Commands about the modem itself and its card's numbers (V.250, 6.1; TS 27.007, 5 and 8).

use std::str::FromStr;
use std::time::Duration;

use super::fields::{behind, dialled, number};
use super::{Answer, Command, ParseError, SHORT};
use crate::sms::ids::{Iccid, Imei, Imsi};

/// A question whose answer is one bare line: `AT+CGMI` → `huawei`.
#[derive(Debug, Clone, Copy)]
pub struct Bare(pub &'static str);

impl Command for Bare {
    type Reply = String;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Bare;

    fn line(&self) -> String {
        self.0.to_owned()
    }

    fn reply(&self, lines: &[String]) -> Result<String, ParseError> {
        let line = lines
            .iter()
            .map(|line| line.trim())
            .find(|line| !line.is_empty());
        // Some firmwares put the command's name before the value.
        let value = line.map(|line| {
            line.strip_prefix(self.0)
                .map_or(line, |rest| rest.trim_start_matches(':').trim())
        });
        value
            .map(|value| value.trim_matches('"').to_owned())
            .ok_or_else(|| ParseError::new(self.0, lines))
    }
}

/// `AT+CGMI`: who made it (TS 27.007, 5.1).
pub const MANUFACTURER: Bare = Bare("+CGMI");
/// `AT+CGMM`: which model it is (TS 27.007, 5.2).
pub const MODEL: Bare = Bare("+CGMM");
/// `AT+CGMR`: which firmware it runs (TS 27.007, 5.3).
pub const REVISION: Bare = Bare("+CGMR");

/// `AT+CGSN` → the IMEI (TS 27.007, 5.4).
#[derive(Debug, Clone, Copy)]
pub struct SerialNumber;

impl Command for SerialNumber {
    type Reply = Imei;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Bare;

    fn line(&self) -> String {
        "+CGSN".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Imei, ParseError> {
        digits(&self.line(), lines)
    }
}

/// `AT+CIMI` → the IMSI (TS 27.007, 5.6).
#[derive(Debug, Clone, Copy)]
pub struct SubscriberIdentity;

impl Command for SubscriberIdentity {
    type Reply = Imsi;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Bare;

    fn line(&self) -> String {
        "+CIMI".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Imsi, ParseError> {
        digits(&self.line(), lines)
    }
}

/// The card's own number; no standard names a command, so the profile lists what to try.
/// `AT+CCID` → `+CCID: "8938003992000000017"`, `+ICCID: ...`, `^ICCID: ...` or the bare digits.
#[derive(Debug, Clone)]
pub struct CardIdentity(pub String);

impl Command for CardIdentity {
    type Reply = Iccid;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Bare;

    fn line(&self) -> String {
        self.0.clone()
    }

    fn reply(&self, lines: &[String]) -> Result<Iccid, ParseError> {
        digits(&self.0, lines)
    }
}

/// The first word of digits in an answer that is such an identity, whatever stands around it; the F that
/// fills a card's number up may end it. Digits within a longer word, a PDU that strayed in, are none.
fn digits<T: FromStr>(command: &str, lines: &[String]) -> Result<T, ParseError> {
    lines
        .iter()
        .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()))
        .find_map(|word| word.trim_end_matches(['F', 'f']).parse().ok())
        .ok_or_else(|| ParseError::new(command, lines))
}

/// `AT+CNUM` → `+CNUM: "Own","+380671234567",145`: the numbers that the card holds as its own; often
/// none (TS 27.007, 7.1). In the form that the card has them, international ones with `+`.
#[derive(Debug, Clone, Copy)]
pub struct OwnNumbers;

impl Command for OwnNumbers {
    type Reply = Vec<String>;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CNUM".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Vec<String>, ParseError> {
        let numbers = lines.iter().filter_map(|line| behind("+CNUM:", line));
        Ok(numbers.filter_map(|fields| dialled(&fields, 1)).collect())
    }
}

/// How a modem is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// `<bcs>`: 0 from a battery, 1 charging, 2 none connected, 3 fault.
    pub status: u8,
    /// `<bcl>`: 0 to 100 percent.
    pub level: Option<u8>,
    /// Millivolts; a third value that modules on a UART add.
    pub millivolts: Option<u16>,
}

/// `AT+CBC` → `+CBC: 0,72,4011` (TS 27.007, 8.4).
#[derive(Debug, Clone, Copy)]
pub struct ReadSupply;

impl Command for ReadSupply {
    type Reply = Supply;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CBC".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Supply, ParseError> {
        let supply = lines.iter().find_map(|line| {
            let fields = behind("+CBC:", line)?;
            Some(Supply {
                status: number(&fields, 0)?,
                level: number(&fields, 1),
                millivolts: number(&fields, 2),
            })
        });
        supply.ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::answer_lines as lines;

    #[test]
    fn identities_are_found_in_every_dress() {
        const CASES: &[(&str, &str)] = &[
            ("8938003992000000017", "8938003992000000017"),
            ("+CCID: \"8938003992000000017\"", "8938003992000000017"),
            ("^ICCID: 89380039920000000176", "89380039920000000176"),
            ("+ICCID: 8938003992000000017F", "8938003992000000017"),
        ];
        for (answer, iccid) in CASES {
            let reply = CardIdentity("+CCID".into()).reply(&lines(answer));
            assert_eq!(
                reply.map(|iccid| iccid.to_string()).as_deref(),
                Ok(*iccid),
                "{answer}"
            );
        }
        for answer in ["490154203237518", "+CGSN: \"490154203237518\""] {
            let imei = SerialNumber.reply(&lines(answer)).unwrap();
            assert_eq!(imei.as_str(), "490154203237518", "{answer}");
        }
        assert!(SubscriberIdentity.reply(&lines("ERROR")).is_err());
        let stray = "0791447700099099040C91447700094065F255030000A0453EA130C";
        assert!(SubscriberIdentity.reply(&lines(stray)).is_err());
        let behind = SubscriberIdentity.reply(&lines(&format!("{stray}\n255030000000001")));
        assert_eq!(behind.unwrap().as_str(), "255030000000001");
        assert_eq!(
            MANUFACTURER.reply(&lines("+CGMI: \"huawei\"")).as_deref(),
            Ok("huawei")
        );
        assert_eq!(MODEL.reply(&lines("E173")).as_deref(), Ok("E173"));
        assert_eq!(
            REVISION.reply(&lines("+CGMR: 11.126")).as_deref(),
            Ok("11.126")
        );
    }

    #[test]
    fn own_numbers_are_those_that_are_there() {
        const CASES: &[(&str, &[&str])] = &[
            ("+CNUM: \"Own\",\"+447700900123\",145", &["+447700900123"]),
            ("+CNUM: ,\"07700900123\",129", &["07700900123"]),
            ("+CNUM: \"\",\"\",129", &[]),
            ("+CNUM: ,\"447700900123\",145", &["+447700900123"]),
            ("+CNUM: \"0041\",\"002B003400340037\",145", &["+447"]),
            ("", &[]),
            (
                "+CNUM: \"a\",\"111\",129\n+CNUM: \"b\",\"222\",129,7,4",
                &["111", "222"],
            ),
        ];
        for (answer, expected) in CASES {
            assert_eq!(OwnNumbers.reply(&lines(answer)).unwrap(), *expected);
        }
    }

    #[test]
    fn supplies_with_and_without_millivolts() {
        let supply = |status, level, millivolts| {
            Ok(Supply {
                status,
                level,
                millivolts,
            })
        };
        let read = |answer| ReadSupply.reply(&lines(answer));
        assert_eq!(read("+CBC: 0,72,4011"), supply(0, Some(72), Some(4011)));
        assert_eq!(read("+CBC: 2,0"), supply(2, Some(0), None));
        assert!(read("+CBC: full").is_err());
    }
}
