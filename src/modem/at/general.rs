//! Commands about the modem, its SIM and its network (V.250, TS 27.007).

use std::time::Duration;

use super::fields::{behind, number};
use super::{Command, ParseError};
use crate::sms::ids::{Iccid, Imei, Imsi};

/// Most answers come at once; a busy firmware takes some seconds.
const SHORT: Duration = Duration::from_secs(5);

/// A command that is answered with `OK` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain(pub &'static str);

impl Command for Plain {
    type Reply = ();
    const TIMEOUT: Duration = SHORT;
    const PREFIX: Option<&'static str> = None;

    fn line(&self) -> String {
        self.0.to_owned()
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// `AT`: is anybody there? (V.250, 5.2.1)
pub const ATTENTION: Plain = Plain("");
/// `ATE0`: do not repeat commands (V.250, 6.2.4).
pub const ECHO_OFF: Plain = Plain("E0");
/// `AT+CMEE=1`: errors as numbers (TS 27.007, 9.1).
pub const NUMERIC_ERRORS: Plain = Plain("+CMEE=1");

/// What the SIM wants before it works (TS 27.007, 8.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// Nothing: it is open.
    Ready,
    /// A code, in the standard's word: `SIM PIN`, `SIM PUK`, ...
    Wanted(String),
}

/// `AT+CPIN?` → `+CPIN: READY`.
#[derive(Debug, Clone, Copy)]
pub struct ReadPin;

impl Command for ReadPin {
    type Reply = Pin;
    // A SIM that is being started keeps the modem waiting.
    const TIMEOUT: Duration = Duration::from_secs(20);
    const PREFIX: Option<&'static str> = Some("+CPIN:");

    fn line(&self) -> String {
        "+CPIN?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Pin, ParseError> {
        let word = lines.iter().find_map(|line| line.strip_prefix("+CPIN:"));
        match word.map(str::trim) {
            Some("READY") => Ok(Pin::Ready),
            Some(word) if !word.is_empty() => Ok(Pin::Wanted(word.trim_matches('"').to_owned())),
            _ => Err(ParseError::new(&self.line(), lines)),
        }
    }
}

/// A question whose answer is one bare line: `AT+CGMI` → `huawei`.
#[derive(Debug, Clone, Copy)]
pub struct Bare(pub &'static str);

impl Command for Bare {
    type Reply = String;
    const TIMEOUT: Duration = SHORT;
    const PREFIX: Option<&'static str> = None;

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

/// `AT+CGSN` → the IMEI (TS 27.007, 5.4).
#[derive(Debug, Clone, Copy)]
pub struct SerialNumber;

impl Command for SerialNumber {
    type Reply = Imei;
    const TIMEOUT: Duration = SHORT;
    const PREFIX: Option<&'static str> = None;

    fn line(&self) -> String {
        "+CGSN".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Imei, ParseError> {
        digits(lines)
            .find_map(|digits| digits.parse().ok())
            .ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// `AT+CIMI` → the IMSI (TS 27.007, 5.6).
#[derive(Debug, Clone, Copy)]
pub struct SubscriberIdentity;

impl Command for SubscriberIdentity {
    type Reply = Imsi;
    const TIMEOUT: Duration = SHORT;
    const PREFIX: Option<&'static str> = None;

    fn line(&self) -> String {
        "+CIMI".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Imsi, ParseError> {
        digits(lines)
            .find_map(|digits| digits.parse().ok())
            .ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// The card's own number; no standard names a command, so the profile lists what to try.
#[derive(Debug, Clone)]
pub struct CardIdentity(pub String);

impl Command for CardIdentity {
    type Reply = Iccid;
    const TIMEOUT: Duration = SHORT;
    const PREFIX: Option<&'static str> = None;

    fn line(&self) -> String {
        self.0.clone()
    }

    fn reply(&self, lines: &[String]) -> Result<Iccid, ParseError> {
        digits(lines)
            .find_map(|digits| digits.parse().ok())
            .ok_or_else(|| ParseError::new(&self.0, lines))
    }
}

/// Every run of digits in an answer, whatever stands around it.
fn digits(lines: &[String]) -> impl Iterator<Item = &str> {
    lines
        .iter()
        .flat_map(|line| line.split(|c: char| !c.is_ascii_digit()))
        .filter(|run| !run.is_empty())
}

/// Whether the network lets this SIM in (TS 27.007, 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// In its own network (1, 6) or abroad (5, 7); both can send.
    Registered,
    /// Looking for one (2), or not yet (0).
    Searching,
    /// The network refuses it (3).
    Denied,
    /// No service for texts: unknown, emergency only, or a firmware's own number.
    NoService,
}

impl Registration {
    /// Reads `<stat>`.
    pub fn from_stat(stat: u8) -> Self {
        match stat {
            1 | 5 | 6 | 7 | 9 | 10 => Self::Registered,
            0 | 2 => Self::Searching,
            3 => Self::Denied,
            _ => Self::NoService,
        }
    }
}

/// `AT+CREG?` → `+CREG: <n>,<stat>`.
#[derive(Debug, Clone, Copy)]
pub struct ReadRegistration;

impl Command for ReadRegistration {
    type Reply = Registration;
    const TIMEOUT: Duration = SHORT;
    const PREFIX: Option<&'static str> = Some("+CREG:");

    fn line(&self) -> String {
        "+CREG?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Registration, ParseError> {
        registration("+CREG:", lines).ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// `AT+CEREG?`: the same for networks that have only LTE (TS 27.007, 10.1.22).
#[derive(Debug, Clone, Copy)]
pub struct ReadLteRegistration;

impl Command for ReadLteRegistration {
    type Reply = Registration;
    const TIMEOUT: Duration = SHORT;
    const PREFIX: Option<&'static str> = Some("+CEREG:");

    fn line(&self) -> String {
        "+CEREG?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Registration, ParseError> {
        registration("+CEREG:", lines).ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// An answer has `<n>` before `<stat>`, an unsolicited line that crosses it has not.
fn registration(prefix: &str, lines: &[String]) -> Option<Registration> {
    lines.iter().rev().find_map(|line| {
        let fields = behind(prefix, line)?;
        number(&fields, 1)
            .or_else(|| number(&fields, 0))
            .map(Registration::from_stat)
    })
}

/// `AT+COPS?` → `+COPS: 0,0,"Shop Net",2` (TS 27.007, 7.3).
#[derive(Debug, Clone, Copy)]
pub struct ReadOperator;

impl Command for ReadOperator {
    type Reply = Option<String>;
    const TIMEOUT: Duration = Duration::from_secs(10);
    const PREFIX: Option<&'static str> = Some("+COPS:");

    fn line(&self) -> String {
        "+COPS?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Option<String>, ParseError> {
        let fields = lines.iter().find_map(|line| behind("+COPS:", line));
        let fields = fields.ok_or_else(|| ParseError::new(&self.line(), lines))?;
        Ok(fields
            .get(2)
            .filter(|name| !name.is_empty())
            .map(|name| (*name).to_owned()))
    }
}

/// Received signal strength, in dBm from -113 to -51.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dbm(pub i16);

/// `AT+CSQ` → `+CSQ: <rssi>,<ber>`; `<rssi>` is an index, 99 is unknown (TS 27.007, 8.5).
#[derive(Debug, Clone, Copy)]
pub struct SignalQuality;

impl Command for SignalQuality {
    type Reply = Option<Dbm>;
    const TIMEOUT: Duration = SHORT;
    const PREFIX: Option<&'static str> = Some("+CSQ:");

    fn line(&self) -> String {
        "+CSQ".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Option<Dbm>, ParseError> {
        let fields = lines.iter().find_map(|line| behind("+CSQ:", line));
        let index: i16 = fields
            .and_then(|fields| number(&fields, 0))
            .ok_or_else(|| ParseError::new(&self.line(), lines))?;
        Ok((0..=31).contains(&index).then(|| Dbm(2 * index - 113)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::answer_lines as lines;

    #[test]
    fn pin_states() {
        let read = |text: &str| ReadPin.reply(&lines(text));
        assert_eq!(read("+CPIN: READY"), Ok(Pin::Ready));
        assert_eq!(read("+CPIN: SIM PIN"), Ok(Pin::Wanted("SIM PIN".into())));
        assert_eq!(read("+CPIN:SIM PUK"), Ok(Pin::Wanted("SIM PUK".into())));
        assert!(read("").is_err());
    }

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
        assert_eq!(
            SerialNumber
                .reply(&lines("490154203237518"))
                .unwrap()
                .as_str(),
            "490154203237518"
        );
        assert_eq!(
            SerialNumber
                .reply(&lines("+CGSN: \"490154203237518\""))
                .unwrap()
                .as_str(),
            "490154203237518"
        );
        assert!(SubscriberIdentity.reply(&lines("ERROR")).is_err());
        assert_eq!(
            MANUFACTURER.reply(&lines("+CGMI: \"huawei\"")).as_deref(),
            Ok("huawei")
        );
        assert_eq!(MODEL.reply(&lines("E173")).as_deref(), Ok("E173"));
    }

    #[test]
    fn registration_in_answer_and_crossing_line() {
        const CASES: &[(&str, Registration)] = &[
            ("+CREG: 0,1", Registration::Registered),
            ("+CREG: 2,5,\"1A2B\",\"C3D0\",6", Registration::Registered),
            ("+CREG: 1", Registration::Registered),
            ("+CREG: 0,2", Registration::Searching),
            ("+CREG: 0,3", Registration::Denied),
            ("+CREG: 0,11", Registration::NoService),
        ];
        for (answer, expected) in CASES {
            assert_eq!(
                ReadRegistration.reply(&lines(answer)),
                Ok(*expected),
                "{answer}"
            );
        }
        assert!(ReadRegistration.reply(&[]).is_err());
        assert_eq!(
            ReadLteRegistration.reply(&lines("+CEREG: 0,5")),
            Ok(Registration::Registered)
        );
    }

    #[test]
    fn signal_is_told_in_dbm() {
        const CASES: &[(&str, Option<Dbm>)] = &[
            ("+CSQ: 0,99", Some(Dbm(-113))),
            ("+CSQ: 14,99", Some(Dbm(-85))),
            ("+CSQ: 31,0", Some(Dbm(-51))),
            ("+CSQ: 99,99", None),
            ("+CSQ: 199,0", None),
        ];
        for (answer, expected) in CASES {
            assert_eq!(
                SignalQuality.reply(&lines(answer)),
                Ok(*expected),
                "{answer}"
            );
        }
    }

    #[test]
    fn operators_with_commas_and_without_names() {
        assert_eq!(
            ReadOperator.reply(&lines("+COPS: 0,0,\"Shop, Net\",2")),
            Ok(Some("Shop, Net".into()))
        );
        assert_eq!(ReadOperator.reply(&lines("+COPS: 0")), Ok(None));
    }
}
