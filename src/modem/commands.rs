//! Commands whose words stand in the profile, and the one question about what they came to.

use std::time::Duration;

use super::at::{Answer, Command, ParseError, fields};

/// A line that a profile gives, such as `+CSMS=1` or `^CURC=0`; whatever is told before its `OK` does not
/// matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given(pub String);

impl Command for Given {
    type Reply = ();
    // A radio or a card may be asked.
    const TIMEOUT: Duration = Duration::from_secs(20);
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        self.0.clone()
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// `AT+CSMS?` → `+CSMS: 1,1,1,1`: the message service in use. From 1 on whatever is handed over must be
/// acknowledged, or it counts as not received (TS 27.005, 3.2.1 and 3.4.4).
#[derive(Debug, Clone, Copy)]
pub struct ReadService;

impl Command for ReadService {
    type Reply = u8;
    const TIMEOUT: Duration = Duration::from_secs(20);
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CSMS?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<u8, ParseError> {
        let told = lines
            .iter()
            .find_map(|line| fields::behind("+CSMS:", line))
            // With three values it is what the service carries, as in the answer to the other form.
            .filter(|values| values.len() != 3);
        told.and_then(|values| fields::number(&values, 0))
            .ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_in_use_is_the_first_of_four() {
        const CASES: &[(&str, Option<u8>)] = &[
            ("+CSMS: 0,1,1,1", Some(0)),
            ("+CSMS: 1,1,1,0", Some(1)),
            ("+CSMS: 128,1,1,1", Some(128)),
            ("+CSMS: 1", Some(1)),
            ("+CSMS: 1,1,1", None),
            ("+CSMS: (0,1)", None),
        ];
        for (answer, service) in CASES {
            let read = ReadService.reply(&[(*answer).to_owned()]);
            assert_eq!(read.ok(), *service, "{answer}");
        }
        assert!(ReadService.reply(&[]).is_err());
    }

    #[test]
    fn a_given_line_goes_out_as_it_stands() {
        assert_eq!(Given("^CURC=0".into()).line(), "^CURC=0");
    }
}
