//! One rule: at which step, which time, what goes wrong.
//!
//! Its written form is the same in a plan and on the control socket: the keys of [`RuleText`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::emulator::modem::Trouble;

/// A moment in the life of a command or a part at which something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::emulator) enum Step {
    /// A command line has come in and is not carried out yet.
    Command,
    /// Its answer is to go out.
    Answer,
    /// The prompt is to go out.
    Prompt,
    /// The first character of the payload has come in.
    Payload,
    /// Ctrl-Z has come in.
    CtrlZ,
    /// The part is about to go on the air: the network has not got it.
    Air,
    /// The network has decided, the result is to go out.
    Result,
    /// Something unasked is to go out.
    Unsolicited,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) enum Act {
    /// It is lost.
    Silence,
    /// It comes that much later.
    Late(Duration),
    /// Its second half comes that much later, or never.
    Torn(Option<Duration>),
    /// It comes twice.
    Doubled,
    /// Noise comes in its place.
    Garbage,
    /// This line comes in its place.
    Error(String),
    /// The stick is pulled out of its port and comes back after a while, perhaps under another name.
    Unplug(Option<Duration>, Option<String>),
    /// This befalls the whole modem, and is undone after a while.
    Befall(Word, Option<Duration>),
}

impl Act {
    /// Its word in plans and in the ledger.
    pub(in crate::emulator) fn word(&self) -> Word {
        match self {
            Self::Silence => Word::Silence,
            Self::Late(_) => Word::Late,
            Self::Torn(_) => Word::Torn,
            Self::Doubled => Word::Doubled,
            Self::Garbage => Word::Garbage,
            Self::Error(_) => Word::Error,
            Self::Unplug(..) => Word::Unplug,
            Self::Befall(word, _) => *word,
        }
    }

    /// What the modem suffers by it.
    pub(in crate::emulator) fn trouble(&self) -> Option<Trouble> {
        trouble(self.word())
    }

    /// Does the modem start anew by it, so that what was in hand is lost?
    pub(in crate::emulator) fn restarts(&self) -> bool {
        self.trouble() == Some(Trouble::Reset)
    }

    /// What takes it back, and after how long.
    pub(in crate::emulator) fn end(&self) -> Option<(Duration, Self)> {
        match self {
            Self::Befall(word, Some(after)) => Some((*after, Self::Befall(undone(*word)?, None))),
            _ => None,
        }
    }
}

/// What goes wrong, by the word that plans and the ledger use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::emulator) enum Word {
    Silence,
    Late,
    Torn,
    Doubled,
    Garbage,
    Error,
    Reset,
    Unplug,
    SimOut,
    SimIn,
    SimFull,
    SimRoom,
    SimLocked,
    NetworkLost,
    NetworkBack,
    Call,
}

/// A rule as it is written. Keys that mean nothing where they stand are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::emulator) struct RuleText {
    /// The modem, counted from 0; left out: any.
    modem: Option<u16>,
    /// The step; left out, on the control socket only: at once.
    at: Option<Step>,
    /// `+CMGS`, `E`, `AT` for the bare line; for `unsolicited` its first word. Left out: any.
    command: Option<String>,
    /// Only that time, counted from 1 for each modem by itself.
    nth: Option<u32>,
    /// Each time that this number divides.
    every: Option<u32>,
    /// With this probability, 0 to 1.
    chance: Option<f64>,
    /// At most so often.
    times: Option<u32>,
    /// What goes wrong.
    #[serde(rename = "do")]
    what: Word,
    /// How much later, or how long until it is undone.
    ms: Option<u64>,
    /// The line of `error`.
    error: Option<String>,
    /// The name under which an unplugged stick comes back.
    #[serde(rename = "as")]
    name: Option<String>,
}

/// Why a rule means nothing: the key and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {problem}")]
pub(in crate::emulator) struct BadRule {
    key: &'static str,
    problem: String,
}

fn bad<T>(key: &'static str, problem: impl Into<String>) -> Result<T, BadRule> {
    let problem = problem.into();
    Err(BadRule { key, problem })
}

/// Which times a rule means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum When {
    Always,
    Nth(u32),
    Every(u32),
    Chance(f64),
}

/// A rule that means something.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Rule {
    pub(super) modem: Option<u16>,
    pub(super) step: Step,
    pub(super) command: Option<String>,
    pub(super) when: When,
    pub(super) times: Option<u32>,
    pub(super) act: Act,
}

impl RuleText {
    /// The modem that is meant; `None`: all of them.
    pub(in crate::emulator) fn modem(&self) -> Option<u16> {
        self.modem
    }

    /// The rule, for a later time. Errors: the key that is missing, too much or wrong.
    pub(in crate::emulator) fn rule(self) -> Result<Rule, BadRule> {
        let Some(step) = self.at else {
            return bad("at", "is missing: at which step?");
        };
        let named = [Step::Command, Step::Answer, Step::Unsolicited].contains(&step);
        if self.command.is_some() && !named {
            return bad("command", "goes with command, answer and unsolicited only");
        }
        let on_air = [Word::Torn, Word::Doubled, Word::Garbage].contains(&self.what);
        if step == Step::Air && on_air {
            return bad(
                "do",
                "what is on the air is no bytes: silence, late or error",
            );
        }
        Ok(Rule {
            modem: self.modem,
            step,
            command: self.command.as_deref().map(str::to_ascii_uppercase),
            when: self.when()?,
            times: self.times,
            act: self.act()?,
        })
    }

    /// What is to happen at once. Errors as of [`RuleText::rule`].
    pub(in crate::emulator) fn at_once(self) -> Result<Act, BadRule> {
        if trouble(self.what).is_none() {
            return bad("at", "is missing: at which step?");
        }
        let counts = [self.nth, self.every, self.times];
        if counts.iter().any(Option::is_some) || self.chance.is_some() || self.command.is_some() {
            return bad("at", "is missing: without it nothing is counted");
        }
        self.act()
    }

    /// Does it name a step?
    pub(in crate::emulator) fn waits(&self) -> bool {
        self.at.is_some()
    }

    fn when(&self) -> Result<When, BadRule> {
        match (self.nth, self.every, self.chance) {
            (None, None, None) => Ok(When::Always),
            (Some(0), None, None) => bad("nth", "counts from 1"),
            (Some(nth), None, None) => Ok(When::Nth(nth)),
            (None, Some(0), None) => bad("every", "counts from 1"),
            (None, Some(every), None) => Ok(When::Every(every)),
            (None, None, Some(chance)) if (0.0..=1.0).contains(&chance) => Ok(When::Chance(chance)),
            (None, None, Some(_)) => bad("chance", "lies between 0 and 1"),
            _ => bad(
                "nth",
                "goes without every and chance, and they without each other",
            ),
        }
    }

    fn act(self) -> Result<Act, BadRule> {
        let wait = self.ms.map(Duration::from_millis);
        if self.error.is_some() && self.what != Word::Error {
            return bad("error", "goes with do = \"error\" only");
        }
        if self.name.is_some() && self.what != Word::Unplug {
            return bad("as", "goes with do = \"unplug\" only");
        }
        let takes_ms = match self.what {
            Word::Late | Word::Torn | Word::Unplug => true,
            what => undone(what).is_some(),
        };
        if wait.is_some() && !takes_ms {
            return bad("ms", "means nothing here: it has no end");
        }
        Ok(match (self.what, wait) {
            (Word::Silence, _) => Act::Silence,
            (Word::Late, Some(wait)) => Act::Late(wait),
            (Word::Late, None) => return bad("ms", "is missing: how late?"),
            (Word::Torn, rest) => Act::Torn(rest),
            (Word::Doubled, _) => Act::Doubled,
            (Word::Garbage, _) => Act::Garbage,
            (Word::Error, _) => Act::Error(error_line(self.error)?),
            (Word::Unplug, gone) => Act::Unplug(gone, self.name.map(port_name).transpose()?),
            (what, end) => Act::Befall(what, end),
        })
    }
}

fn error_line(error: Option<String>) -> Result<String, BadRule> {
    match error {
        Some(line) if !line.is_empty() && line.bytes().all(|b| (b' '..0x7F).contains(&b)) => {
            Ok(line)
        }
        Some(_) => bad("error", "is one line of ASCII"),
        None => bad("error", "is missing: such as \"+CMS ERROR: 500\""),
    }
}

fn port_name(name: String) -> Result<String, BadRule> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        Ok(name)
    } else {
        bad("as", "is a name of letters, digits, `-` and `_`")
    }
}

/// What the modem suffers by it; a stick that is pulled out has no power.
fn trouble(word: Word) -> Option<Trouble> {
    Some(match word {
        Word::Reset | Word::Unplug => Trouble::Reset,
        Word::SimOut => Trouble::SimOut,
        Word::SimIn => Trouble::SimIn,
        Word::SimFull => Trouble::SimFull(true),
        Word::SimRoom => Trouble::SimFull(false),
        Word::SimLocked => Trouble::SimLocked,
        Word::NetworkLost => Trouble::NetworkLost,
        Word::NetworkBack => Trouble::NetworkBack,
        Word::Call => Trouble::Call,
        _ => return None,
    })
}

/// What undoes it.
fn undone(word: Word) -> Option<Word> {
    match word {
        Word::SimOut => Some(Word::SimIn),
        Word::SimFull => Some(Word::SimRoom),
        Word::NetworkLost => Some(Word::NetworkBack),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RuleText {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_rule_says_when_and_what() {
        let ms = Duration::from_millis;
        let cases = [
            (
                r#"{"at":"result","do":"silence"}"#,
                When::Always,
                Act::Silence,
            ),
            (
                r#"{"at":"answer","command":"+csq","nth":2,"do":"late","ms":70}"#,
                When::Nth(2),
                Act::Late(ms(70)),
            ),
            (
                r#"{"at":"prompt","every":3,"do":"torn"}"#,
                When::Every(3),
                Act::Torn(None),
            ),
            (
                r#"{"at":"air","chance":0.5,"do":"error","error":"+CMS ERROR: 500"}"#,
                When::Chance(0.5),
                Act::Error("+CMS ERROR: 500".into()),
            ),
            (
                r#"{"at":"ctrl_z","do":"unplug","ms":9,"as":"modem7"}"#,
                When::Always,
                Act::Unplug(Some(ms(9)), Some("modem7".into())),
            ),
            (
                r#"{"at":"payload","do":"sim_out","ms":5}"#,
                When::Always,
                Act::Befall(Word::SimOut, Some(ms(5))),
            ),
        ];
        for (text, when, act) in cases {
            let rule = read(text).rule().unwrap();
            assert_eq!((rule.when, &rule.act), (when, &act), "{text}");
        }
        let rule = read(cases_command()).rule().unwrap();
        assert_eq!(rule.command.as_deref(), Some("+CSQ"));
    }

    fn cases_command() -> &'static str {
        r#"{"at":"command","command":"+csq","do":"garbage"}"#
    }

    const SENSELESS: &[(&str, &str)] = &[
        (r#"{"do":"silence"}"#, "`at`: is missing: at which step?"),
        (
            r#"{"at":"air","do":"doubled"}"#,
            "`do`: what is on the air is no bytes: silence, late or error",
        ),
        (
            r#"{"at":"air","command":"+CMGS","do":"silence"}"#,
            "`command`: goes with command, answer and unsolicited only",
        ),
        (
            r#"{"at":"answer","do":"late"}"#,
            "`ms`: is missing: how late?",
        ),
        (
            r#"{"at":"answer","do":"garbage","ms":1}"#,
            "`ms`: means nothing here: it has no end",
        ),
        (
            r#"{"at":"answer","do":"error"}"#,
            "`error`: is missing: such as \"+CMS ERROR: 500\"",
        ),
        (
            r#"{"at":"answer","do":"error","error":"a\r\nb"}"#,
            "`error`: is one line of ASCII",
        ),
        (
            r#"{"at":"answer","do":"silence","error":"x"}"#,
            "`error`: goes with do = \"error\" only",
        ),
        (
            r#"{"at":"answer","do":"unplug","as":"../x"}"#,
            "`as`: is a name of letters, digits, `-` and `_`",
        ),
        (
            r#"{"at":"answer","do":"reset","as":"x"}"#,
            "`as`: goes with do = \"unplug\" only",
        ),
        (
            r#"{"at":"answer","do":"reset","nth":0}"#,
            "`nth`: counts from 1",
        ),
        (
            r#"{"at":"answer","do":"reset","every":0}"#,
            "`every`: counts from 1",
        ),
        (
            r#"{"at":"answer","do":"reset","chance":1.5}"#,
            "`chance`: lies between 0 and 1",
        ),
        (
            r#"{"at":"answer","do":"reset","nth":1,"every":1}"#,
            "`nth`: goes without every and chance, and they without each other",
        ),
    ];

    #[test]
    fn a_rule_without_sense_names_its_key() {
        for (text, complaint) in SENSELESS {
            assert_eq!(
                read(text).rule().unwrap_err().to_string(),
                *complaint,
                "{text}"
            );
        }
    }

    #[test]
    fn at_once_is_only_what_needs_no_step() {
        const CASES: &[(&str, Result<Word, &str>)] = &[
            (r#"{"do":"unplug"}"#, Ok(Word::Unplug)),
            (r#"{"do":"network_lost","ms":100}"#, Ok(Word::NetworkLost)),
            (
                r#"{"do":"silence"}"#,
                Err("`at`: is missing: at which step?"),
            ),
            (
                r#"{"do":"reset","nth":2}"#,
                Err("`at`: is missing: without it nothing is counted"),
            ),
        ];
        for (text, wanted) in CASES {
            let got = read(text).at_once();
            let got = got.map(|act| act.word()).map_err(|bad| bad.to_string());
            assert_eq!(got, wanted.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn what_has_an_end_is_taken_back() {
        const CASES: &[(Word, Option<Word>)] = &[
            (Word::SimOut, Some(Word::SimIn)),
            (Word::SimFull, Some(Word::SimRoom)),
            (Word::NetworkLost, Some(Word::NetworkBack)),
            (Word::Reset, None),
        ];
        let wait = Duration::from_secs(1);
        for (word, back) in CASES {
            let end = Act::Befall(*word, Some(wait)).end();
            let wanted = back.map(|back| (wait, Act::Befall(back, None)));
            assert_eq!(end, wanted, "{word:?}");
            assert_eq!(Act::Befall(*word, None).end(), None);
        }
    }
}
