//! What is to go wrong: rules from a plan or from the control socket, and who is struck when.
//!
//! Knows neither modem nor wire: a modem tells the step it has come to, and hears what goes wrong
//! there. Both sources of rules end in the same [`Faults`].

mod noise;
mod plan;
mod rule;

pub(super) use noise::Noise;
pub use plan::{BadPlan, Plan, PlanError};
use rule::When;
pub(super) use rule::{Act, Rule, RuleText, Step, Word};

/// Rules that one modem keeps at most; more are refused.
const RULES: usize = 256;

/// The rules of one modem, and how often each has come up.
#[derive(Debug)]
pub(super) struct Faults {
    modem: u16,
    rules: Vec<Watched>,
    noise: Noise,
}

#[derive(Debug)]
struct Watched {
    rule: Rule,
    seen: u32,
    struck: u32,
}

impl Faults {
    /// No rules yet for modem `modem`.
    pub(super) fn new(modem: u16, noise: Noise) -> Self {
        Self {
            modem,
            rules: Vec::new(),
            noise,
        }
    }

    /// Takes over what `plan` says about this modem.
    pub(super) fn follow(&mut self, plan: &Plan) {
        for rule in plan.rules() {
            self.add(rule.clone());
        }
    }

    /// Adds a rule behind those that are there; one for another modem is left aside. Tells whether
    /// there was room.
    pub(super) fn add(&mut self, rule: Rule) -> bool {
        if self.rules.len() == RULES {
            return false;
        }
        if rule.modem.is_none_or(|modem| modem == self.modem) {
            self.rules.push(Watched {
                rule,
                seen: 0,
                struck: 0,
            });
        }
        true
    }

    /// Drops all rules.
    pub(super) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Is there any rule at all?
    pub(super) fn any(&self) -> bool {
        !self.rules.is_empty()
    }

    /// What goes wrong at `step` for one of `commands`: the first rule that fires; the others that
    /// fit count it all the same.
    pub(super) fn at(&mut self, step: Step, commands: &[String]) -> Option<Act> {
        let mut act = None;
        for watched in &mut self.rules {
            let rule = &watched.rule;
            let named = rule.command.as_ref().is_none_or(|it| commands.contains(it));
            if rule.step != step || !named {
                continue;
            }
            watched.seen = watched.seen.saturating_add(1);
            let now = match rule.when {
                When::Always => true,
                When::Nth(nth) => watched.seen == nth,
                When::Every(every) => watched.seen % every == 0,
                When::Chance(chance) => self.noise.happens(chance),
            };
            let left = rule.times.is_none_or(|times| watched.struck < times);
            if act.is_none() && now && left {
                watched.struck += 1;
                act = Some(rule.act.clone());
            }
        }
        act
    }

    /// Noise for what is garbled.
    pub(super) fn noise(&mut self) -> &mut Noise {
        &mut self.noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(plan: &str) -> Faults {
        let mut faults = Faults::new(2, Noise::of(1, 2));
        faults.follow(&plan.parse().unwrap());
        faults
    }

    /// At which of the first `count` times a rule for the result strikes.
    fn strikes(keys: &str, count: usize) -> Vec<usize> {
        let mut faults = faults(&format!(
            "[[fault]]\nat = \"result\"\ndo = \"silence\"\n{keys}"
        ));
        (1..=count)
            .filter(|_| faults.at(Step::Result, &[]).is_some())
            .collect()
    }

    #[test]
    fn a_rule_strikes_when_it_says() {
        const CASES: &[(&str, &[usize])] = &[
            ("", &[1, 2, 3, 4, 5, 6]),
            ("nth = 3", &[3]),
            ("every = 2", &[2, 4, 6]),
            ("every = 2\ntimes = 2", &[2, 4]),
            ("times = 1", &[1]),
            ("chance = 0.0", &[]),
            ("chance = 1.0\nmodem = 2", &[1, 2, 3, 4, 5, 6]),
            ("modem = 1", &[]),
        ];
        for (keys, times) in CASES {
            assert_eq!(strikes(keys, 6), *times, "{keys:?}");
        }
        let some = strikes("chance = 0.5", 100);
        assert_eq!(some, strikes("chance = 0.5", 100));
        assert!((30..70).contains(&some.len()), "{some:?}");
    }

    #[test]
    fn step_and_command_must_fit() {
        let mut faults = faults("[[fault]]\nat = \"answer\"\ncommand = \"+csq\"\ndo = \"garbage\"");
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(faults.at(Step::Command, &names(&["+CSQ"])), None);
        assert_eq!(faults.at(Step::Answer, &names(&["+CREG"])), None);
        let hit = faults.at(Step::Answer, &names(&["+CREG", "+CSQ"]));
        assert_eq!(hit, Some(Act::Garbage));
        faults.clear();
        assert_eq!(faults.at(Step::Answer, &names(&["+CSQ"])), None);
    }

    #[test]
    fn the_first_that_fires_wins_and_all_count() {
        let mut faults = faults(
            "[[fault]]\nat = \"air\"\nnth = 1\ndo = \"silence\"\n\
             [[fault]]\nat = \"air\"\nnth = 2\ndo = \"reset\"",
        );
        assert_eq!(faults.at(Step::Air, &[]), Some(Act::Silence));
        let second = faults.at(Step::Air, &[]);
        assert_eq!(second, Some(Act::Befall(Word::Reset, None)));
        assert_eq!(faults.at(Step::Air, &[]), None);
    }

    #[test]
    fn rules_are_bounded() {
        let mut faults = faults("");
        assert!(!faults.any());
        let plan: Plan = "[[fault]]\nat = \"air\"\ndo = \"reset\"".parse().unwrap();
        let taken = (0..RULES + 5)
            .filter(|_| plan.rules().all(|rule| faults.add(rule.clone())))
            .count();
        assert_eq!(taken, RULES);
    }
}
