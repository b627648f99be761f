//! A plan of faults: a TOML file of rules.
//!
//! ```toml
//! [[fault]]
//! modem = 0             # left out: any
//! at = "result"         # command answer prompt payload ctrl_z air result unsolicited
//! nth = 2               # or every = 5, or chance = 0.1; left out: every time
//! times = 1             # at most so often
//! do = "late"           # silence late torn doubled garbage error reset unplug sim_out sim_in
//! ms = 4000             # sim_full sim_room sim_locked network_lost network_back call
//!
//! [[fault]]
//! at = "answer"
//! command = "+CSQ"      # left out: any
//! do = "error"
//! error = "+CME ERROR: 100"
//!
//! [[fault]]
//! at = "ctrl_z"
//! do = "unplug"
//! ms = 3000             # then it comes back,
//! as = "modem7"         # under this name
//! ```

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use toml::Spanned;

use super::rule::{Rule, RuleText};

/// Rules that are to trouble the modems, in the order of their file: the first that fires wins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// With the line of each.
    rules: Vec<(usize, Rule)>,
}

/// Why a plan cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan `{}`", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A rule means nothing.
    #[error("the plan `{}` is wrong", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Where in it and why.
        source: BadPlan,
    },
}

/// The place in a plan that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct BadPlan {
    /// Counted from 1.
    pub line: usize,
    /// The key and what is wrong with it.
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanText {
    #[serde(default)]
    fault: Vec<Spanned<RuleText>>,
}

impl Plan {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, PlanError> {
        let text = std::fs::read_to_string(path).map_err(|source| PlanError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        text.parse().map_err(|source| PlanError::Wrong {
            path: path.to_owned(),
            source,
        })
    }

    /// All rules, in their order.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|(_, rule)| rule)
    }

    /// Errors: a rule names a modem that is not among the first `modems`.
    pub(in crate::emulator) fn check(&self, modems: u16) -> Result<(), BadPlan> {
        for (line, rule) in &self.rules {
            if let Some(modem) = rule.modem.filter(|modem| *modem >= modems) {
                return Err(BadPlan {
                    line: *line,
                    problem: format!("`modem`: there is no modem {modem}, they count from 0"),
                });
            }
        }
        Ok(())
    }
}

impl FromStr for Plan {
    type Err = BadPlan;

    fn from_str(text: &str) -> Result<Self, BadPlan> {
        let read: PlanText = toml::from_str(text).map_err(|error| {
            let place = error.span().unwrap_or_default();
            let (line, key) = (line_of(text, &place), key_at(text, &place));
            let words = error.message();
            let problem = match key {
                Some(key) if !words.contains(&format!("`{key}`")) => format!("`{key}`: {words}"),
                _ => words.to_owned(),
            };
            BadPlan { line, problem }
        })?;
        let rule = |spanned: Spanned<RuleText>| {
            let line = line_of(text, &spanned.span());
            let rule = spanned.into_inner().rule().map_err(|bad| BadPlan {
                line,
                problem: bad.to_string(),
            })?;
            Ok((line, rule))
        };
        let rules = read.fault.into_iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }
}

fn line_of(text: &str, place: &Range<usize>) -> usize {
    let before = text.get(..place.start).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// The key of the line that `place` lies in.
fn key_at<'a>(text: &'a str, place: &Range<usize>) -> Option<&'a str> {
    let line = text.lines().nth(line_of(text, place) - 1)?;
    let (key, _) = line.split_once('=')?;
    Some(key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_line_is_named_with_its_key() {
        const GOOD: &str = "[[fault]]\nat = \"result\"\ndo = \"silence\"\n\n";
        const CASES: &[(&str, usize, &str)] = &[
            (
                "[[fault]]\nat = \"resul\"\ndo = \"reset\"",
                6,
                "`at`: unknown variant `resul`",
            ),
            (
                "[[fault]]\nat = \"air\"\ndo = \"late\"",
                5,
                "`ms`: is missing: how late?",
            ),
            (
                "[[fault]]\nmodem = \"first\"",
                6,
                "`modem`: invalid type: string \"first\"",
            ),
            ("[[fault]]\nwhen = 1", 6, "unknown field `when`"),
            ("[[fault]]\nat = \"air\"", 5, "missing field `do`"),
            ("[[faults]]\nat = \"air\"", 5, "unknown field `faults`"),
            ("[[fault]]\nat = air", 6, "`at`: "),
        ];
        for (text, line, complaint) in CASES {
            let bad = format!("{GOOD}{text}\n").parse::<Plan>().unwrap_err();
            assert_eq!(bad.line, *line, "{text}: {bad}");
            assert!(bad.problem.starts_with(complaint), "{text}: {bad}");
        }
    }

    #[test]
    fn a_plan_keeps_the_order_of_its_rules() {
        let text = "[[fault]]\nat = \"result\"\ndo = \"silence\"\n\
                    [[fault]]\nat = \"air\"\nmodem = 3\ndo = \"reset\"\n";
        let plan: Plan = text.parse().unwrap();
        let modems: Vec<_> = plan.rules().map(|rule| rule.modem).collect();
        assert_eq!(modems, [None, Some(3)]);
        assert_eq!("".parse::<Plan>(), Ok(Plan::default()));
        assert_eq!(plan.check(4), Ok(()));
        let stranger = plan.check(3).unwrap_err().to_string();
        assert_eq!(
            stranger,
            "line 4: `modem`: there is no modem 3, they count from 0"
        );
    }

    #[test]
    fn a_file_that_is_no_plan_is_told_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan.toml");
        let missing = Plan::read(&path).unwrap_err().to_string();
        assert_eq!(
            missing,
            format!("cannot read the plan `{}`", path.display())
        );
        std::fs::write(&path, "\n[[fault]]\nat = \"air\"\ndo = \"late\"\n").unwrap();
        let wrong = Plan::read(&path).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            format!("the plan `{}` is wrong", path.display())
        );
        let place = std::error::Error::source(&wrong).unwrap().to_string();
        assert_eq!(place, "line 2: `ms`: is missing: how late?");
    }
}
