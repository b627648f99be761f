//! The steps of a dialogue at which something can go wrong, and what comes of it.
//!
//! ```text
//! command ─► answer                  bytes out: each step's own, so that one can be lost alone
//! command ─► prompt ─► payload ─► ctrl_z ─► air ─► (network) ─► result          unsolicited
//! ```
//!
//! What comes in may be lost, garbled or late before the modem makes anything of it; what goes out
//! is spoilt on its way. Which of it happens, [`Faults`] decides.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::exchange::{Effect, Struck};
use super::{CTRL_Z, DEAF, Modem, State, command_line};
use crate::emulator::faults::{Act, Faults, Noise, Step};

/// What a modem keeps about its steps.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) faults: Faults,
    /// The commands of the line in hand.
    commands: Vec<String>,
    /// What becomes of the payload that is being typed.
    payload: Payload,
    /// What came in late and until when; all input waits for it.
    held: Option<(Instant, Held)>,
    /// While a fault is at work no other one comes up, and no input is taken.
    striking: bool,
    /// What is done and not polled yet.
    done: VecDeque<Effect>,
}

#[derive(Debug)]
enum Payload {
    Untouched,
    Begun(Option<Act>),
}

#[derive(Debug)]
enum Held {
    Line(Vec<u8>),
    CtrlZ,
    Nothing,
}

impl Steps {
    /// Nothing goes wrong yet.
    pub(super) fn new() -> Self {
        Self {
            faults: Faults::new(0, Noise::of(0, 0)),
            commands: Vec::new(),
            payload: Payload::Untouched,
            held: None,
            striking: false,
            done: VecDeque::new(),
        }
    }

    /// What is to be done next, besides what is being said.
    pub(super) fn poll(&mut self) -> Option<Effect> {
        self.done.pop_front()
    }

    /// Does all input wait?
    pub(super) fn holds_input(&self) -> bool {
        self.striking || self.held.is_some()
    }

    /// When what came in late is there.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.held.as_ref().map(|(until, _)| *until)
    }

    /// Forgets what was in hand.
    pub(super) fn forget(&mut self) {
        self.held = None;
        self.payload = Payload::Untouched;
    }

    fn hold(&mut self, held: Held, until: Instant) {
        self.held = Some((until, held));
    }

    fn write(&mut self, bytes: &[u8]) {
        match self.done.back_mut() {
            Some(Effect::Write(before)) => before.extend_from_slice(bytes),
            _ => self.done.push_back(Effect::Write(bytes.to_vec())),
        }
    }

    fn noise(&mut self, like: &[u8]) -> Vec<u8> {
        self.faults.noise().bytes(like.len())
    }
}

/// Asks what goes wrong at `step`; what befalls the whole modem has befallen it afterwards.
fn strike(modem: &mut Modem, step: Step, commands: &[String], now: Instant) -> Option<Act> {
    if modem.steps.striking {
        return None;
    }
    let act = modem.steps.faults.at(step, commands)?;
    modem.steps.done.push_back(Effect::Struck(Struck {
        step: Some(step),
        command: commands.first().cloned().unwrap_or_default(),
        act: act.clone(),
    }));
    if let Some(trouble) = act.trouble() {
        modem.steps.striking = true;
        modem.suffer(trouble, now);
        modem.steps.striking = false;
    }
    Some(act)
}

fn strike_line(modem: &mut Modem, step: Step, now: Instant) -> Option<Act> {
    let commands = std::mem::take(&mut modem.steps.commands);
    let act = strike(modem, step, &commands, now);
    modem.steps.commands = commands;
    act
}

/// Lets the echo go out: nothing goes wrong with it.
pub(super) fn pass_on(modem: &mut Modem) {
    let bytes = std::mem::take(&mut modem.out);
    if !bytes.is_empty() {
        modem.steps.write(&bytes);
    }
}

/// What has been said since the last step goes out as `step` of the line in hand.
pub(super) fn close(modem: &mut Modem, step: Step, now: Instant) {
    let bytes = std::mem::take(&mut modem.out);
    if !bytes.is_empty() {
        let act = strike_line(modem, step, now);
        send_out(modem, step, &bytes, act);
    }
}

/// What has been said goes out as an unsolicited `line`.
pub(super) fn close_unsolicited(modem: &mut Modem, line: &str, now: Instant) {
    let bytes = std::mem::take(&mut modem.out);
    if modem.steps.faults.any() {
        let name = line.split([':', '\r', ' ']).next().unwrap_or_default();
        let act = strike(modem, Step::Unsolicited, &[name.to_owned()], now);
        send_out(modem, Step::Unsolicited, &bytes, act);
    } else {
        modem.steps.write(&bytes);
    }
}

fn send_out(modem: &mut Modem, step: Step, bytes: &[u8], act: Option<Act>) {
    let steps = &mut modem.steps;
    match act {
        Some(Act::Silence) => {}
        Some(Act::Late(wait)) => {
            steps.done.push_back(Effect::Pause(wait));
            steps.write(bytes);
        }
        Some(Act::Torn(rest)) => {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            steps.write(first);
            if let Some(wait) = rest {
                steps.done.push_back(Effect::Pause(wait));
                steps.write(second);
            }
        }
        Some(Act::Doubled) => {
            steps.write(bytes);
            steps.write(bytes);
        }
        Some(Act::Garbage) => {
            let noise = steps.noise(bytes);
            steps.write(&noise);
        }
        Some(Act::Error(line)) => {
            steps.write(format!("\r\n{line}\r\n").as_bytes());
            if step == Step::Prompt {
                modem.state = State::Command;
            }
        }
        Some(act) if act.restarts() => {}
        Some(_) | None => steps.write(bytes),
    }
}

/// A command line has come in: what is heard of it is carried out.
pub(super) fn command(modem: &mut Modem, line: Vec<u8>, now: Instant) {
    pass_on(modem);
    if !modem.steps.faults.any() {
        return carry_out(modem, &line, now);
    }
    let Some(commands) = command_line::names(&line) else {
        return carry_out(modem, &line, now);
    };
    modem.steps.commands = commands;
    match strike_line(modem, Step::Command, now) {
        Some(Act::Silence) => {}
        Some(Act::Late(wait)) => modem.steps.hold(Held::Line(line), now + wait),
        Some(Act::Torn(_)) => {
            let half = line.get(..line.len() / 2).unwrap_or_default();
            carry_out(modem, half, now);
        }
        Some(Act::Doubled) => {
            carry_out(modem, &line, now);
            carry_out(modem, &line, now);
        }
        Some(Act::Garbage) => {
            let noise = modem.steps.noise(&line);
            carry_out(modem, &noise, now);
        }
        Some(Act::Error(text)) => end_with(modem, &text, Step::Answer, now),
        Some(act) if act.restarts() => {}
        Some(_) | None => carry_out(modem, &line, now),
    }
}

fn carry_out(modem: &mut Modem, line: &[u8], now: Instant) {
    modem.run(line, now);
    let prompts = matches!(modem.state, State::Prompt { .. });
    modem.steps.payload = Payload::Untouched;
    close(
        modem,
        if prompts { Step::Prompt } else { Step::Answer },
        now,
    );
}

/// Ends what is in hand with `text`.
fn end_with(modem: &mut Modem, text: &str, step: Step, now: Instant) {
    modem.state = State::Command;
    modem.say(text);
    close(modem, step, now);
}

/// A character of the payload has come in. Is it heard?
pub(super) fn payload_comes(modem: &mut Modem, now: Instant) -> bool {
    if !modem.steps.faults.any() || matches!(modem.steps.payload, Payload::Begun(_)) {
        return true;
    }
    pass_on(modem);
    let act = strike_line(modem, Step::Payload, now);
    match &act {
        Some(Act::Error(text)) => {
            end_with(modem, text, Step::Answer, now);
            return false;
        }
        Some(Act::Late(wait)) => modem.steps.hold(Held::Nothing, now + *wait),
        Some(act) if act.restarts() => return false,
        Some(_) | None => {}
    }
    modem.steps.payload = Payload::Begun(act);
    true
}

/// What is heard of a payload.
fn heard(modem: &mut Modem, payload: Vec<u8>) -> Vec<u8> {
    match std::mem::replace(&mut modem.steps.payload, Payload::Untouched) {
        Payload::Begun(Some(Act::Silence)) => Vec::new(),
        Payload::Begun(Some(Act::Torn(_))) => {
            payload.get(..payload.len() / 2).unwrap_or_default().into()
        }
        Payload::Begun(Some(Act::Doubled)) => payload.repeat(2),
        Payload::Begun(Some(Act::Garbage)) => modem.steps.noise(&payload),
        Payload::Begun(_) | Payload::Untouched => payload,
    }
}

/// Ctrl-Z has come in.
pub(super) fn ctrl_z(modem: &mut Modem, now: Instant) {
    pass_on(modem);
    match strike_line(modem, Step::CtrlZ, now) {
        // Half of one octet is none.
        Some(Act::Silence | Act::Torn(_)) => {}
        Some(Act::Garbage) => {
            let noise = modem.steps.noise(&[CTRL_Z]);
            if let State::Prompt { payload, .. } = &mut modem.state {
                payload.extend(noise);
            }
        }
        Some(Act::Late(wait)) => modem.steps.hold(Held::CtrlZ, now + wait),
        Some(Act::Doubled) => {
            modem.input.push_front(CTRL_Z);
            take_payload(modem, now);
        }
        Some(Act::Error(text)) => end_with(modem, &text, Step::Result, now),
        Some(act) if act.restarts() => {}
        Some(_) | None => take_payload(modem, now),
    }
}

fn take_payload(modem: &mut Modem, now: Instant) {
    let State::Prompt { draft, payload } = &mut modem.state else {
        return;
    };
    let (draft, payload) = (draft.clone(), std::mem::take(payload));
    let payload = heard(modem, payload);
    modem.state = State::Command;
    modem.finish(&draft, &payload, now);
    close(modem, Step::Result, now);
}

/// The part in hand is about to go on the air.
pub(super) fn air(modem: &mut Modem, now: Instant) {
    match strike_line(modem, Step::Air, now) {
        Some(Act::Silence) => {
            modem.state = State::Silent {
                deaf_until: now + DEAF,
            };
        }
        Some(Act::Late(wait)) => lengthen(&mut modem.state, wait),
        Some(Act::Error(text)) => end_with(modem, &text, Step::Result, now),
        Some(_) | None => {}
    }
}

fn lengthen(state: &mut State, wait: Duration) {
    if let State::Sending { until, .. } = state {
        *until += wait;
    }
}

/// Goes on with what came in late.
pub(super) fn tick(modem: &mut Modem, now: Instant) {
    match modem.steps.held.take_if(|(until, _)| *until <= now) {
        Some((_, Held::Line(line))) => carry_out(modem, &line, now),
        Some((_, Held::CtrlZ)) => take_payload(modem, now),
        Some((_, Held::Nothing)) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";

    /// A modem with echo off and this plan.
    fn troubled(plan: &str) -> Modem {
        let mut modem = Modem::ready("");
        modem.faults().follow(&plan.parse().unwrap());
        modem
    }

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn effects(modem: &mut Modem) -> Vec<String> {
        std::iter::from_fn(|| modem.poll())
            .map(|effect| match effect {
                Effect::Write(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Effect::Pause(wait) => format!("pause {}", wait.as_millis()),
                Effect::Struck(struck) => {
                    format!(
                        "{:?} at {:?} {}",
                        struck.act.word(),
                        struck.step,
                        struck.command
                    )
                }
                Effect::Untaken(arrival) => format!("untaken {}", arrival.kind.word()),
                Effect::Submit(part) => format!("submit {}", part.mr),
            })
            .collect()
    }

    #[test]
    fn what_is_done_comes_in_its_order() {
        const SIGNAL: &str = "\r\n+CSQ: 21,99\r\n\r\nOK\r\n";
        const CASES: &[(&str, &[&str])] = &[
            (
                "do = 'late'\nms = 70",
                &["Late at Some(Answer) +CSQ", "pause 70", SIGNAL],
            ),
            (
                "do = 'torn'\nms = 70",
                &[
                    "Torn at Some(Answer) +CSQ",
                    "\r\n+CSQ: 21",
                    "pause 70",
                    ",99\r\n\r\nOK\r\n",
                ],
            ),
            (
                "do = 'torn'",
                &["Torn at Some(Answer) +CSQ", "\r\n+CSQ: 21"],
            ),
            ("do = 'silence'", &["Silence at Some(Answer) +CSQ"]),
            (
                "do = 'error'\nerror = 'NO CARRIER'",
                &["Error at Some(Answer) +CSQ", "\r\nNO CARRIER\r\n"],
            ),
            // The news of the trouble go before the answer.
            (
                "do = 'network_lost'",
                &[
                    "NetworkLost at Some(Answer) +CSQ",
                    "\r\n+CREG: 0\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n",
                ],
            ),
            ("do = 'reset'", &["Reset at Some(Answer) +CSQ"]),
            ("nth = 2\ndo = 'reset'", &[SIGNAL]),
        ];
        for (keys, wanted) in CASES {
            let plan = format!("[[fault]]\nat = 'answer'\ncommand = '+CSQ'\n{keys}\n");
            let mut modem = troubled(&plan);
            modem.ask("+CREG=1");
            modem.receive(b"AT+CSQ\r", now());
            assert_eq!(effects(&mut modem), *wanted, "{keys}");
        }
    }

    #[test]
    fn what_is_held_holds_all_that_follows() {
        let plan = "[[fault]]\nat = 'command'\nnth = 1\ndo = 'late'\nms = 70\n";
        let (mut modem, start) = (troubled(plan), now());
        modem.receive(b"AT+CSQ\rAT+CGATT?\r", start);
        let due = start + Duration::from_millis(70);
        assert_eq!((modem.wake_at(), modem.backlog()), (Some(due), 10));
        assert_eq!(effects(&mut modem).len(), 1, "nothing but the fault");
        modem.tick(due);
        let said = effects(&mut modem).concat();
        assert_eq!(
            said,
            "\r\n+CSQ: 21,99\r\n\r\nOK\r\n\r\n+CGATT: 1\r\n\r\nOK\r\n"
        );
    }

    #[test]
    fn each_step_of_a_send_is_its_own() {
        let rule = |step: &str| format!("[[fault]]\nat = '{step}'\ndo = 'late'\nms = 0\n");
        let steps = ["command", "prompt", "payload", "ctrl_z", "air", "result"];
        let mut modem = troubled(&steps.map(rule).concat());
        modem.receive(format!("AT+CMGS=31\r{HEX}\x1A").as_bytes(), now());
        let mut came = Vec::new();
        for _ in 0..20 {
            came.extend(effects(&mut modem));
            modem.tick(now());
            modem.settle(super::super::Verdict::Accepted, now());
        }
        let struck = came
            .iter()
            .filter_map(|it| it.strip_prefix("Late at Some("));
        let struck: Vec<&str> = struck.filter_map(|it| it.strip_suffix(") +CMGS")).collect();
        assert_eq!(
            struck,
            ["Command", "Prompt", "Payload", "CtrlZ", "Air", "Result"]
        );
        assert!(came.iter().any(|it| it == "\r\n+CMGS: 23\r\n\r\nOK\r\n"));
    }

    #[test]
    fn whatever_goes_wrong_the_modem_stays_alive() {
        const STEPS: [&str; 8] = [
            "command",
            "answer",
            "prompt",
            "payload",
            "ctrl_z",
            "air",
            "result",
            "unsolicited",
        ];
        const FAULTS: [&str; 9] = [
            "'silence'",
            "'late'\nms = 5",
            "'torn'",
            "'doubled'",
            "'garbage'",
            "'reset'",
            "'error'\nerror = 'ERROR'",
            "'network_lost'",
            "'network_back'",
        ];
        proptest::proptest!(|(rules in proptest::collection::vec((0..8_usize, 0..9_usize, 1..4_u32), 0..6),
                              bytes: Vec<u8>)| {
            let rule = |(step, fault, every): &(usize, usize, u32)| {
                format!("[[fault]]\nat = '{}'\nevery = {every}\ndo = {}\n", STEPS[*step], FAULTS[*fault])
            };
            let plan = rules.iter().map(rule).collect::<String>();
            let mut modem = Modem::ready("+CREG=1");
            if let Ok(plan) = plan.parse() {
                modem.faults().follow(&plan);
            }
            modem.receive(format!("AT+CMGS=31\r{HEX}\x1A").as_bytes(), now());
            modem.receive(&bytes, now());
            for wait in 0..20 {
                effects(&mut modem);
                modem.tick(now() + Duration::from_secs(wait));
                modem.settle(super::super::Verdict::Accepted, now());
            }
            modem.faults().clear();
            modem.suffer(crate::emulator::modem::Trouble::NetworkBack, now());
            modem.receive(b"\x1B\rATE0\r", now());
            modem.tick(now() + Duration::from_secs(60));
            effects(&mut modem);
            modem.receive(b"AT\r", now());
            proptest::prop_assert_eq!(effects(&mut modem), ["\r\nOK\r\n"]);
        });
    }
}
