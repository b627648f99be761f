//! One modem as its client sees it: bytes in, bytes out, time handed in.
//!
//! ```text
//!            +CMGS            Ctrl-Z             time on air              verdict
//!   Command ──────► Prompt ──────────► Sending ──────────────► Submitted ────────► Command
//!      ▲               │ ESC                                       │ silence
//!      ├───────────────┘            input, after a while           ▼
//!      └──────────────────────────────────────────────────────── Silent
//! ```
//!
//! It knows no descriptor, no clock and no network: a part for the air comes out as an [`Effect`],
//! and what became of it goes in by [`Modem::settle`]. While a part is on the air all input waits,
//! as on real sticks; unsolicited codes are written whenever no line is being written or typed.
//! Source: V.250, 5.2 (lines, echo); TS 27.005, 3.4.1 (indications) and 3.5.1 (sending).

mod card;
mod command_line;
mod commands;
mod exchange;
mod manners;
mod prompt;
mod reply;
mod routes;
mod schedule;
mod setup;
mod steps;
mod storage;
mod text;
mod trouble;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::faults::{Faults, Step};
use super::identity::{Identity, SERVICE_CENTRE};
use card::{Access, Card};
use command_line::Call;
pub(super) use commands::Domain;
use commands::{Coverage, Menu};
pub(super) use exchange::{Effect, Part, Struck, Verdict};
pub(super) use manners::Manners;
pub use manners::MannersError;
use prompt::{Draft, InHand};
pub(super) use reply::Fault;
use reply::Reply;
pub(super) use routes::Route;
use schedule::Schedule;
pub(super) use setup::Nature;
use setup::Setup;
use steps::Steps;
use storage::Storages;
pub(super) use storage::{Arrival, Kind};
pub(super) use trouble::Trouble;

const CTRL_Z: u8 = 0x1A;
const ESC: u8 = 0x1B;
const BACKSPACE: u8 = 0x08;

/// After a part that gets no answer the modem hears nothing for this long; then the first input
/// brings it back to commands. Real sticks differ: some need a reset.
const DEAF: Duration = Duration::from_secs(2);
/// Longest command line; a longer one is answered with ERROR.
const LINE_LIMIT: usize = 2048;
/// "No network service" (TS 27.005, 3.2.5): the network went while a part was on the air.
const NO_NETWORK: u16 = 331;
/// "Network out of order" (TS 24.011, E.2): nobody has the service centre's number.
const OUT_OF_ORDER: u16 = 38;
/// Unsolicited codes that wait for the line to be free; the oldest gives way (TS 27.005, 3.4.1).
const NEWS_LIMIT: usize = 64;

#[derive(Debug)]
enum State {
    Command,
    Prompt {
        draft: Draft,
        payload: Vec<u8>,
    },
    Sending {
        part: Part,
        until: Instant,
    },
    /// The part is with the network; its verdict comes at once.
    Submitted {
        mr: u8,
    },
    Silent {
        deaf_until: Instant,
    },
    /// A command takes its time; then come its text and the rest of its line.
    Busy {
        until: Instant,
        text: String,
        rest: String,
    },
}

/// An unsolicited code that waits.
#[derive(Debug)]
struct News {
    line: String,
    /// Is it one that `+CNMI` mode 0 holds back?
    held_by_mode: bool,
}

/// One modem with its SIM.
pub(super) struct Modem {
    identity: Identity,
    nature: Nature,
    manners: Arc<Manners>,
    setup: Setup,
    card: Card,
    storage: Storages,
    service_centre: String,
    /// `<fun>` of `+CFUN`: 0 or 4 off, 1 on.
    functionality: u8,
    coverage: Coverage,
    /// Came while the SIM was full; the network offers it again.
    waiting: VecDeque<Arrival>,
    /// Routed and not acknowledged, with the end of the network's patience.
    unacknowledged: Option<(Arrival, Instant)>,
    /// To be routed after the acknowledgement.
    unrouted: VecDeque<Arrival>,
    /// What the client did not take: the network's again.
    untaken: VecDeque<Arrival>,
    /// The link that `+CMMS` keeps is open until then.
    link_until: Option<Instant>,
    state: State,
    late: Option<(u8, Instant)>,
    last_mr: u8,
    input: VecDeque<u8>,
    line: Vec<u8>,
    news: VecDeque<News>,
    out: Vec<u8>,
    part: Option<Part>,
    steps: Steps,
    schedule: Schedule,
    /// It starts and hears nothing until then.
    deaf_until: Option<Instant>,
    /// Until then cards and messages do not work yet.
    ready_at: Instant,
    /// The reference in EF-SMSS.
    card_mr: u8,
    in_hand: InHand,
    /// Where the client stands in the network's menu.
    menu: Option<Menu>,
    /// Baud of its UART, 0 for any.
    speed: u32,
}

impl Modem {
    /// A modem switched on at `now`, in the network, its storages empty.
    pub(super) fn new(
        identity: Identity,
        nature: Nature,
        manners: Arc<Manners>,
        now: Instant,
    ) -> Self {
        let mut modem = Self {
            last_mr: identity.last_mr,
            card_mr: identity.last_mr,
            storage: Storages::new(&manners, nature.capacity),
            identity,
            nature,
            setup: Setup::of(&manners),
            card: Card::new(),
            service_centre: SERVICE_CENTRE.into(),
            functionality: 1,
            coverage: Coverage::of(&manners),
            waiting: VecDeque::new(),
            unacknowledged: None,
            unrouted: VecDeque::new(),
            untaken: VecDeque::new(),
            link_until: None,
            state: State::Command,
            late: None,
            input: VecDeque::new(),
            line: Vec::new(),
            news: VecDeque::new(),
            out: Vec::new(),
            part: None,
            steps: Steps::new(),
            schedule: Schedule::default(),
            deaf_until: None,
            ready_at: now,
            in_hand: InHand::new("+CMGS"),
            menu: None,
            speed: manners.speed,
            manners,
        };
        schedule::begin(&mut modem, now);
        modem
    }

    /// What is to go wrong with it.
    pub(super) fn faults(&mut self) -> &mut Faults {
        &mut self.steps.faults
    }

    /// Baud of its UART; `None`: it takes any.
    pub(super) fn speed(&self) -> Option<u32> {
        (self.speed > 0).then_some(self.speed)
    }

    /// Takes bytes from the client.
    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant) {
        if self.deaf_until.is_some_and(|until| now < until) {
            return;
        }
        self.input.extend(bytes);
        self.digest(now);
    }

    /// How many bytes from the client wait for the end of the command in hand.
    pub(super) fn backlog(&self) -> usize {
        self.input.len()
    }

    /// What it wants done next, until `None`.
    pub(super) fn poll(&mut self) -> Option<Effect> {
        // What is left here is echo.
        steps::pass_on(self);
        let done = self.steps.poll();
        done.or_else(|| self.untaken.pop_front().map(Effect::Untaken))
            .or_else(|| self.part.take().map(Effect::Submit))
    }

    /// When [`Modem::tick`] has work.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let state = match self.state {
            State::Sending { until, .. } | State::Busy { until, .. } => Some(until),
            State::Silent { deaf_until } if !self.input.is_empty() => Some(deaf_until),
            _ => None,
        };
        let late = self.late.map(|(_, due)| due);
        let patience = self.unacknowledged.as_ref().map(|(_, end)| *end);
        let times = [
            state,
            late,
            patience,
            self.steps.wake_at(),
            self.schedule.next(),
        ];
        times.into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Instant) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Sending { until, .. } if until <= now && !self.registered() => {
                self.fail(Fault::Message(NO_NETWORK));
                steps::close(self, Step::Result, now);
            }
            State::Sending { part, until } if until <= now && !self.reaches_centre(&part) => {
                self.fail(Fault::Message(OUT_OF_ORDER));
                steps::close(self, Step::Result, now);
            }
            State::Sending { part, until } if until <= now => {
                self.state = State::Submitted { mr: part.mr };
                self.part = Some(part);
            }
            State::Busy { until, text, rest } if until <= now => {
                if !text.is_empty() {
                    self.say(&text);
                }
                self.run_calls(&rest, now);
                steps::close(self, Step::Answer, now);
            }
            other => self.state = other,
        }
        if let Some((mr, _)) = self.late.take_if(|(_, due)| *due <= now) {
            self.answer_late(mr, now);
        }
        steps::tick(self, now);
        routes::end_of_patience(self, now);
        schedule::run(self, now);
        self.digest(now);
    }

    /// Takes the network's verdict about the part of [`Effect::Submit`].
    pub(super) fn settle(&mut self, verdict: Verdict, now: Instant) {
        let State::Submitted { mr } = self.state else {
            return;
        };
        self.state = State::Command;
        steps::pass_on(self);
        match verdict {
            Verdict::Accepted => {
                self.sent(mr);
                self.say("OK");
            }
            Verdict::Refused(code) => self.fail(Fault::Message(code)),
            Verdict::Silent => {
                self.state = State::Silent {
                    deaf_until: now + DEAF,
                };
                self.late = self.nature.silence.map(|pause| (mr, now + pause));
            }
        }
        steps::close(self, Step::Result, now);
        commands::hold_link(self, now);
        self.digest(now);
    }

    /// Takes what the network delivers to its SIM.
    pub(super) fn arrive(&mut self, arrival: Arrival, now: Instant) -> Route {
        let route = routes::arrive(self, arrival, now);
        self.tell(now);
        route
    }

    /// Lets something befall it from outside.
    pub(super) fn suffer(&mut self, trouble: Trouble, now: Instant) {
        trouble::suffer(self, trouble, now);
    }

    /// Keeps something unasked for [`Modem::tell`].
    fn announce(&mut self, line: String, held_by_mode: bool) {
        if self.news.len() == NEWS_LIMIT {
            // Noise gives way to what came.
            let noise = self.news.iter().position(|news| !news.held_by_mode);
            self.news.remove(noise.unwrap_or(0));
        }
        self.news.push_back(News { line, held_by_mode });
    }

    /// Drops what `+CNMI` mode 0 held back.
    fn forget_held(&mut self) {
        self.news.retain(|news| !news.held_by_mode);
    }

    /// What its SIM lets it do: `ready`, `absent`, `pin`, `puk` or `dead`.
    pub(super) fn sim(&self) -> &'static str {
        match self.card.access() {
            Access::Open => "ready",
            Access::Absent => "absent",
            Access::Pin => "pin",
            Access::Puk => "puk",
            Access::Dead => "dead",
        }
    }

    fn digest(&mut self, now: Instant) {
        while !self.steps.holds_input() {
            match &self.state {
                State::Sending { .. } | State::Submitted { .. } | State::Busy { .. } => break,
                State::Silent { deaf_until } => {
                    if now < *deaf_until || self.input.is_empty() {
                        break;
                    }
                    self.state = State::Command;
                }
                State::Command => {
                    let Some(byte) = self.input.pop_front() else {
                        break;
                    };
                    self.command_byte(byte, now);
                }
                State::Prompt { .. } => {
                    let Some(byte) = self.input.pop_front() else {
                        break;
                    };
                    self.payload_byte(byte, now);
                }
            }
        }
        self.tell(now);
    }

    fn command_byte(&mut self, byte: u8, now: Instant) {
        match byte {
            b'\r' => {
                self.echo(byte);
                let line = std::mem::take(&mut self.line);
                steps::command(self, line, now);
            }
            BACKSPACE => {
                self.echo(byte);
                self.line.pop();
            }
            // Control characters do not belong to a line; an LF after the CR is a habit of terminals.
            0..=31 => {}
            _ => {
                self.echo(byte);
                if self.line.len() <= LINE_LIMIT {
                    self.line.push(byte);
                }
            }
        }
    }

    fn run(&mut self, line: &[u8], now: Instant) {
        if line.len() > LINE_LIMIT {
            self.fail(Fault::Plain);
            return;
        }
        // Anything before the prefix is noise, and a line without it is no command (V.250, 5.2.1).
        let Some(body) = command_line::body(line) else {
            return;
        };
        self.run_calls(&body, now);
    }

    /// Carries out what stands behind the prefix.
    fn run_calls(&mut self, mut rest: &str, now: Instant) {
        while !rest.is_empty() {
            let outcome = match command_line::next(rest) {
                Some((call, after)) => {
                    rest = after;
                    self.execute(&call, now)
                }
                None => Err(Fault::Plain),
            };
            match outcome {
                Ok(Reply::Done) => {}
                Ok(Reply::Text(text)) => self.say(&text),
                Ok(Reply::After(time, text)) => {
                    let (until, rest) = (now + time, rest.to_owned());
                    self.state = State::Busy { until, text, rest };
                    return;
                }
                Ok(Reply::Last(text)) => return self.say(&text),
                Ok(Reply::Prompt(draft)) if rest.is_empty() => return self.prompt(draft),
                Ok(Reply::Send(part)) if rest.is_empty() => return self.transmit(part, now),
                Ok(Reply::Prompt(_) | Reply::Send(_)) => return self.fail(Fault::Plain),
                Err(fault) => return self.fail(fault),
            }
        }
        self.say("OK");
    }

    fn execute(&mut self, call: &Call, now: Instant) -> Result<Reply, Fault> {
        commands::answer(self, call, now)
    }

    fn answer_late(&mut self, mr: u8, now: Instant) {
        if matches!(self.state, State::Silent { .. }) {
            self.state = State::Command;
            self.sent(mr);
            self.say("OK");
            steps::close(self, Step::Result, now);
        } else {
            // The client has gone on: only the line comes, without a final result.
            self.announce(format!("+CMGS: {mr}"), false);
        }
    }

    /// Tells what is unasked, if the line is free and `+CNMI` lets it pass.
    fn tell(&mut self, now: Instant) {
        let free = match &self.state {
            State::Command => self.line.is_empty() || !self.setup.echo,
            State::Prompt { .. } => false,
            _ => true,
        };
        if !free || self.news.is_empty() {
            return;
        }
        let holds = self.setup.routing.first() == Some(&0);
        let (kept, told) = std::mem::take(&mut self.news)
            .into_iter()
            .partition::<VecDeque<News>, _>(|news| holds && news.held_by_mode);
        self.news = kept;
        steps::pass_on(self);
        for news in told {
            self.say(&news.line);
            steps::close_unsolicited(self, &news.line, now);
        }
    }

    fn echo(&mut self, byte: u8) {
        if self.setup.echo {
            self.out.push(byte);
        }
    }

    fn say(&mut self, text: &str) {
        self.out
            .extend_from_slice(self.manners.before_line.as_bytes());
        self.out.extend_from_slice(text.as_bytes());
        self.out
            .extend_from_slice(self.manners.after_line.as_bytes());
    }

    fn fail(&mut self, fault: Fault) {
        let manners = self.manners.clone();
        let text = reply::fault_text(fault, self.setup.error_detail, &manners.unknown);
        self.say(&text);
    }
}

#[cfg(test)]
impl Modem {
    /// A modem without time on air, with two slots and echo off, that has done `commands`.
    fn ready(commands: &str) -> Self {
        Self::of_family_ready("generic", commands)
    }

    /// One of this family, past its start.
    fn of_family_ready(family: &str, commands: &str) -> Self {
        let (mut modem, now) = Self::of_family(family);
        modem.ready_at = now;
        modem.schedule = Schedule::default();
        modem.ask(&format!("E0{commands}"));
        modem
    }

    /// One of this family, just switched on, and when.
    fn of_family(family: &str) -> (Self, Instant) {
        let nature = Nature {
            radio: Duration::ZERO,
            silence: None,
            capacity: 2,
        };
        let now = tokio::time::Instant::now().into_std();
        let manners = Manners::of(family, None).unwrap();
        (Self::new(Identity::of(0), nature, manners, now), now)
    }

    /// The answer to a command, without the line ends around it; nothing for a bare OK.
    fn ask(&mut self, command: &str) -> String {
        let line = format!("AT{command}\r");
        self.receive(line.as_bytes(), tokio::time::Instant::now().into_std());
        while let State::Busy { until, .. } = self.state {
            self.tick(until);
        }
        let mut said = Vec::new();
        while let Some(Effect::Write(bytes)) = self.poll() {
            said.extend(bytes);
        }
        let said = String::from_utf8(said).unwrap();
        let ok = format!("{}OK{}", self.manners.before_line, self.manners.after_line);
        match said.strip_suffix(&ok) {
            Some("") => String::new(),
            Some(text) => text.trim().to_owned(),
            None => said.trim().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To +447700900123, report requested.
    const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";
    /// Delivered, about reference 23.
    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";
    const RADIO: Duration = Duration::from_secs(3);

    /// A modem with a hand on its clock and on its network.
    struct Bench {
        modem: Modem,
        now: Instant,
        verdict: Verdict,
        parts: Vec<Part>,
    }

    impl Bench {
        fn new() -> Self {
            Self::of(Nature {
                radio: RADIO,
                silence: None,
                capacity: 2,
            })
        }

        fn of(nature: Nature) -> Self {
            let now = tokio::time::Instant::now().into_std();
            let manners = Manners::of("generic", None).unwrap();
            Self {
                modem: Modem::new(Identity::of(0), nature, manners, now),
                now,
                verdict: Verdict::Accepted,
                parts: Vec::new(),
            }
        }

        /// With echo off and these commands done.
        fn ready(commands: &str) -> Self {
            let mut bench = Self::new();
            bench.write(&format!("ATE0{commands}\r"));
            bench
        }

        /// What the modem says at once to these bytes.
        fn write(&mut self, bytes: &str) -> String {
            self.modem.receive(bytes.as_bytes(), self.now);
            self.said()
        }

        /// What the modem says in the course of `time`.
        fn pass(&mut self, time: Duration) -> String {
            let end = self.now + time;
            let mut said = String::new();
            while let Some(wake) = self.modem.wake_at().filter(|wake| *wake <= end) {
                self.now = wake.max(self.now);
                self.modem.tick(self.now);
                said += &self.said();
            }
            self.now = end;
            said
        }

        fn arrive(&mut self, kind: Kind, hex: &str) -> (Route, String) {
            let arrival = Arrival {
                kind,
                hex: hex.into(),
                length: 25,
            };
            let route = self.modem.arrive(arrival, self.now);
            (route, self.said())
        }

        fn said(&mut self) -> String {
            let mut said = Vec::new();
            while let Some(effect) = self.modem.poll() {
                match effect {
                    Effect::Write(bytes) => said.extend(bytes),
                    Effect::Submit(part) => {
                        self.parts.push(part);
                        self.modem.settle(self.verdict, self.now);
                    }
                    Effect::Pause(_) | Effect::Struck(_) | Effect::Untaken(_) => {}
                }
            }
            String::from_utf8(said).unwrap()
        }

        /// Walks to the end of a part; gives the result.
        fn send(&mut self) -> String {
            assert_eq!(self.write("AT+CMGS=31\r"), "\r\n> ");
            assert_eq!(self.write(&format!("{HEX}\x1A")), "");
            self.pass(RADIO)
        }
    }

    #[test]
    fn answers_have_the_bytes_of_real_sticks() {
        const CASES: &[(&str, &str)] = &[
            ("AT\r", "AT\r\r\nOK\r\n"),
            ("ATE0\r", "ATE0\r\r\nOK\r\n"),
            ("AT\r", "\r\nOK\r\n"),
            ("at+cpin?\r", "\r\n+CPIN: READY\r\n\r\nOK\r\n"),
            ("AT+CGMI\r", "\r\nSimpost\r\n\r\nOK\r\n"),
            ("AT+CGSN\r", "\r\n004401990000008\r\n\r\nOK\r\n"),
            ("AT+CSMS=0\r", "\r\n+CSMS: 1,1,1\r\n\r\nOK\r\n"),
            (
                "AT+CPMS=\"SM\",\"SM\",\"SM\"\r",
                "\r\n+CPMS: 0,2,0,2,0,2\r\n\r\nOK\r\n",
            ),
            (
                "AT+CREG?;+CSQ\r",
                "\r\n+CREG: 0,1\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n",
            ),
            ("AT+XYZ\r", "\r\nERROR\r\n"),
            ("AT+CMGR=1\r", "\r\n+CMS ERROR: 321\r\n"),
            ("AT+CMEE=1\r", "\r\nOK\r\n"),
            ("AT+XYZ;+CSQ\r", "\r\n+CME ERROR: 4\r\n"),
            ("AT+CMEE=2\r", "\r\nOK\r\n"),
            ("AT+XYZ\r", "\r\n+CME ERROR: operation not supported\r\n"),
            ("AT+CMGF=2\r", "\r\n+CMS ERROR: operation not supported\r\n"),
            // Edited, with the line ends of a terminal; noise and empty lines say nothing.
            (
                "AT+CSX\x08Q=?\r\n",
                "\r\n+CSQ: (0-31,99),(99)\r\n\r\nOK\r\n",
            ),
            ("\x1B\r\n\r0031000C\r", ""),
            ("ATZ\r", "\r\nOK\r\n"),
            ("AT\r", "AT\r\r\nOK\r\n"),
        ];
        let mut bench = Bench::new();
        for (line, answer) in CASES {
            assert_eq!(bench.write(line), *answer, "{line:?}");
        }
    }

    #[test]
    fn a_dialogue_is_the_same_byte_by_byte() {
        let dialogue = format!("AT\rATE0+CMEE=1\rAT+CMGS=31\r{HEX}\x1AAT+CSQ\r");
        let mut whole = Bench::new();
        let expected = whole.write(&dialogue) + &whole.pass(RADIO);
        let mut torn = Bench::new();
        let mut said = String::new();
        for byte in dialogue.chars() {
            said += &torn.write(&byte.to_string());
        }
        said += &torn.pass(RADIO);
        assert_eq!(said, expected);
        assert!(said.ends_with("\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n"));
        assert_eq!(torn.parts, whole.parts);
    }

    #[test]
    fn a_part_takes_its_time_and_all_else_waits() {
        let mut bench = Bench::ready("");
        assert_eq!(bench.write("AT+CMGS=31\r"), "\r\n> ");
        bench.write(&format!("{HEX}\x1A"));
        assert_eq!(bench.write("AT+CSQ\r"), "");
        assert_eq!(
            bench.pass(RADIO.saturating_sub(Duration::from_millis(1))),
            ""
        );
        assert_eq!(
            bench.pass(Duration::from_millis(1)),
            "\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n"
        );
        assert_eq!(bench.parts.len(), 1);
        assert_eq!((bench.parts[0].hex.as_str(), bench.parts[0].mr), (HEX, 23));
        assert_eq!(bench.parts[0].tpdu.len(), 31);
    }

    #[test]
    fn with_echo_the_payload_comes_back() {
        let mut bench = Bench::new();
        assert_eq!(bench.write("AT+CMGS=31\r"), "AT+CMGS=31\r\r\n> ");
        let payload = format!("{HEX}\x1A");
        assert_eq!(bench.write(&payload), payload);
        assert_eq!(bench.pass(RADIO), "\r\n+CMGS: 23\r\n\r\nOK\r\n");
    }

    #[test]
    fn references_wrap() {
        let mut bench = Bench::ready("");
        bench.modem.last_mr = 254;
        assert_eq!(bench.send(), "\r\n+CMGS: 255\r\n\r\nOK\r\n");
        assert_eq!(bench.send(), "\r\n+CMGS: 0\r\n\r\nOK\r\n");
        assert_eq!(
            bench.write("AT+CRSM=176,28483,0,0,2\r"),
            "\r\n+CRSM: 144,0,\"00FF\"\r\n\r\nOK\r\n"
        );
    }

    #[test]
    fn a_bad_payload_never_reaches_the_air() {
        let too_long = "0".repeat(5000);
        let cases = [
            ("AT+CMGS=32\r", HEX),
            ("AT+CMGS=31\r", "0031000C9144770009103200"),
            ("AT+CMGS=7\r", "0031000C9144xx00"),
            ("AT+CMGS=7\r", "00FF000C91447700"),
            ("AT+CMGS=7\r", ""),
            ("AT+CMGS=7\r", &too_long),
        ];
        for (line, payload) in cases {
            let mut bench = Bench::ready("");
            assert_eq!(bench.write(line), "\r\n> ");
            let answer = bench.write(&format!("{payload}\x1A"));
            assert_eq!(answer, "\r\n+CMS ERROR: 304\r\n", "{payload:.20}");
            assert!(bench.parts.is_empty());
        }
    }

    #[test]
    fn a_prompt_opens_only_where_it_can() {
        const CASES: &[(&str, &str)] = &[
            ("AT+CMGS=6\r", "\r\n+CMS ERROR: 304\r\n"),
            ("AT+CMGS=165\r", "\r\n+CMS ERROR: 304\r\n"),
            ("AT+CMGS=\"+447700900123\"\r", "\r\n+CMS ERROR: 304\r\n"),
            ("AT+CMGS\r", "\r\nERROR\r\n"),
            ("AT+CMGS=31;+CSQ\r", "\r\nERROR\r\n"),
            ("AT+CMGS=?\r", "\r\nOK\r\n"),
            ("AT+CFUN=4;+CMGS=31\r", "\r\n+CMS ERROR: 331\r\n"),
        ];
        let mut bench = Bench::ready("");
        for (line, answer) in CASES {
            assert_eq!(bench.write(line), *answer, "{line:?}");
        }
    }

    #[test]
    fn escape_leaves_the_prompt() {
        let mut bench = Bench::ready("");
        assert_eq!(bench.write("AT+CMGS=31\r"), "\r\n> ");
        assert_eq!(bench.write("0031AT\r"), "");
        assert_eq!(bench.write("\x1B"), "\r\nOK\r\n");
        assert_eq!(bench.write("AT\r"), "\r\nOK\r\n");
        assert!(bench.parts.is_empty());
    }

    #[test]
    fn a_refusal_names_the_cause() {
        let mut bench = Bench::ready("");
        bench.verdict = Verdict::Refused(42);
        assert_eq!(bench.send(), "\r\n+CMS ERROR: 42\r\n");
        bench.write("AT+CMEE=2\r");
        assert_eq!(bench.send(), "\r\n+CMS ERROR: Congestion\r\n");
        // The reference is used up all the same.
        assert_eq!(bench.parts[1].mr, 24);
    }

    #[test]
    fn after_a_silence_the_modem_comes_back_on_input() {
        let mut bench = Bench::ready("");
        bench.verdict = Verdict::Silent;
        assert_eq!(bench.send(), "");
        assert_eq!(bench.write("\x1BAT\r"), "");
        assert_eq!(bench.pass(DEAF), "\r\nOK\r\n");
        bench.verdict = Verdict::Accepted;
        assert_eq!(bench.send(), "\r\n+CMGS: 24\r\n\r\nOK\r\n");

        bench.verdict = Verdict::Silent;
        assert_eq!(bench.send(), "");
        assert_eq!(bench.pass(Duration::from_hours(1)), "");
        assert_eq!(bench.write("AT\r"), "\r\nOK\r\n");
    }

    #[test]
    fn a_late_result_comes_whole_to_one_who_waits() {
        let mut nature = Bench::new().modem.nature;
        nature.silence = Some(Duration::from_secs(95));
        let silent = || {
            let mut bench = Bench::of(nature);
            bench.write("ATE0\r");
            bench.verdict = Verdict::Silent;
            assert_eq!(bench.send(), "");
            bench
        };
        let late = Duration::from_secs(100);
        assert_eq!(silent().pass(late), "\r\n+CMGS: 23\r\n\r\nOK\r\n");

        let mut gone_on = silent();
        gone_on.pass(DEAF);
        assert_eq!(gone_on.write("AT\r"), "\r\nOK\r\n");
        assert_eq!(gone_on.pass(late), "\r\n+CMGS: 23\r\n");

        let mut sends_again = silent();
        sends_again.pass(DEAF);
        sends_again.verdict = Verdict::Accepted;
        assert_eq!(sends_again.send(), "\r\n+CMGS: 24\r\n\r\nOK\r\n");
        assert_eq!(sends_again.pass(late), "");
    }

    #[test]
    fn news_never_stands_inside_a_line() {
        let mut bench = Bench::new();
        bench.write("AT+CNMI=2,1,0,1,0\r");
        let told = "\r\n+CDS: 25\r\n".to_owned() + REPORT + "\r\n";
        bench.write("AT+C");
        assert_eq!(
            bench.arrive(Kind::Report, REPORT),
            (Route::Direct, String::new())
        );
        assert_eq!(
            bench.write("SQ\r"),
            "SQ\r\r\n+CSQ: 21,99\r\n\r\nOK\r\n".to_owned() + &told
        );
        // Without echo half a line is invisible.
        bench.write("ATE0\rAT+C");
        assert_eq!(bench.arrive(Kind::Report, REPORT).1, told);
        assert_eq!(bench.write("MGS=31\r"), "\r\n> ");
        assert_eq!(bench.arrive(Kind::Report, REPORT).1, "");
        assert_eq!(bench.write(&format!("{HEX}\x1A")), told);
        assert_eq!(bench.arrive(Kind::Report, REPORT).1, told);
        assert_eq!(bench.pass(RADIO), "\r\n+CMGS: 23\r\n\r\nOK\r\n");
    }

    #[test]
    fn news_that_nobody_can_hear_is_bounded() {
        let mut bench = Bench::ready("+CNMI=0,2,0,1,0");
        for _ in 0..100 {
            assert_eq!(
                bench.arrive(Kind::Report, REPORT),
                (Route::Direct, String::new())
            );
        }
        let told = bench.write("AT+CNMI=1,2,0,1,0\r");
        assert_eq!(told.matches("+CDS: 25").count(), NEWS_LIMIT);
        assert!(told.starts_with("\r\nOK\r\n"));
    }

    #[test]
    fn a_kept_link_halves_the_time_on_air() {
        let mut bench = Bench::ready("+CMMS=1");
        assert!(bench.send().contains("+CMGS: 23"));
        bench.write(&format!("AT+CMGS=31\r{HEX}\x1A"));
        assert!(bench.pass(RADIO / 2).contains("+CMGS: 24"));
        assert_eq!(bench.write("AT+CMMS?\r"), "\r\n+CMMS: 1\r\n\r\nOK\r\n");
        bench.pass(Duration::from_secs(5));
        assert_eq!(bench.write("AT+CMMS?\r"), "\r\n+CMMS: 0\r\n\r\nOK\r\n");
        bench.write(&format!("AT+CMGS=31\r{HEX}\x1A"));
        assert_eq!(bench.pass(RADIO / 2), "");
    }

    #[test]
    fn whatever_comes_in_the_modem_stays_alive() {
        proptest::proptest!(|(bytes: Vec<u8>, tail in "(AT)?[+&A-Z]{0,6}[=?0-9,\";]{0,8}")| {
            let mut bench = Bench::ready("");
            bench.modem.receive(&bytes, bench.now);
            bench.modem.receive(tail.as_bytes(), bench.now);
            bench.modem.receive(b"\r", bench.now);
            bench.modem.poll();
            bench.write("\x1B\rATE0Z\rATE0\r");
            proptest::prop_assert_eq!(bench.write("AT\r"), "\r\nOK\r\n");
        });
    }
}
