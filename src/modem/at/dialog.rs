//! The engine of the dialogue: bytes and time in; bytes to write, results and news out.
//!
//! ```text
//!          start              prompt            go                final result
//!   idle ─────────▶ waiting ─────────▶ held ─────────▶ waiting ─────────────────▶ idle
//!                      │                 │ escape         │
//!                      └── final result ─┴────────────────┴── time over ──▶ idle
//! ```
//!
//! One command runs at a time. Lines that nobody asked for are told apart by their grammar and handed
//! up as [`News`], wherever they fall; what comes after its command was given up is news as well,
//! never dropped. No clock, no I/O, no panic, whatever the bytes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::codes::{Final, final_result};
use super::fields::{behind, number};
use super::general::Registration;
use super::lines::{Buffer, Frame, PromptDue};
use super::messaging::{is_hex, reference};
use super::{Command, Error};
use crate::sms::ids::Mr;

const CTRL_Z: u8 = 0x1A;
const ESC: u8 = 0x1B;

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    line: String,
    prefix: Option<&'static str>,
    patience: Duration,
    payload: Option<Payload>,
}

/// What goes after a prompt, and how long the network may then take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The text after the prompt, without Ctrl-Z.
    pub text: String,
    /// Time from Ctrl-Z to the final result.
    pub patience: Duration,
}

impl Exchange {
    /// The exchange that carries out `command`.
    pub fn of<C: Command>(command: &C) -> Self {
        Self {
            line: format!("AT{}", command.line()),
            prefix: C::PREFIX,
            patience: C::TIMEOUT,
            payload: None,
        }
    }

    /// A command that is answered with a prompt and takes a payload.
    pub fn with_payload(
        line: &str,
        prefix: &'static str,
        prompt_patience: Duration,
        payload: Payload,
    ) -> Self {
        Self {
            line: format!("AT{line}"),
            prefix: Some(prefix),
            patience: prompt_patience,
            payload: Some(payload),
        }
    }

    /// The same, allowed less time.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The command without `AT`, for messages.
    pub fn name(&self) -> &str {
        self.line.get(2..).unwrap_or_default()
    }
}

/// What the engine wants or tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These bytes are to go to the port.
    Write(Vec<u8>),
    /// The modem waits for the payload: call [`Dialog::go`] or [`Dialog::escape`].
    Prompted,
    /// The command has ended: the answer's lines, or how it failed.
    Finished(Result<Vec<String>, Error>),
    /// Something that nobody asked for.
    News(News),
}

/// What a modem says on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// `+CDS`: a status report, its PDU in hex.
    Report(String),
    /// `+CDSI`: a status report lies in a storage; no index means "look yourself".
    StoredReport(Option<u16>),
    /// `+CMT`: an inbound text, its PDU in hex.
    Message(String),
    /// `+CMTI`: an inbound text lies in a storage.
    StoredMessage(Option<u16>),
    /// `+CREG` or `+CEREG`: the registration changed.
    Registration(Registration),
    /// `+CMGS` after its command was given up.
    LateReference(Option<Mr>),
    /// A final result after its command was given up.
    LateFinal(Final),
    /// Anything else.
    Noise(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Lines and a final result are due.
    Answer,
    /// A prompt is due.
    Prompt,
    /// The prompt has come; the caller decides.
    Held,
}

#[derive(Debug)]
struct Running {
    exchange: Exchange,
    phase: Phase,
    lines: Vec<String>,
    since: Instant,
    deadline: Instant,
    /// A line of the answer that has a PDU behind it has come, the PDU has not.
    wants_pdu: bool,
}

impl Running {
    /// Whether this is a send whose payload has not gone out.
    fn awaits_payload(&self) -> bool {
        self.phase != Phase::Answer
    }
}

/// The header of an unsolicited line whose PDU comes in the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    Report,
    Message,
}

/// The engine.
#[derive(Debug, Default)]
pub struct Dialog {
    buffer: Buffer,
    running: Option<Running>,
    header: Option<Header>,
    steps: VecDeque<Step>,
}

impl Dialog {
    /// Begins a command. Errors: [`Error::Busy`] while another one runs.
    pub fn start(&mut self, exchange: Exchange, now: Instant) -> Result<(), Error> {
        if self.running.is_some() {
            return Err(Error::Busy);
        }
        self.buffer.forget_prompt();
        let phase = if exchange.payload.is_some() {
            Phase::Prompt
        } else {
            Phase::Answer
        };
        let mut bytes = exchange.line.clone().into_bytes();
        bytes.push(b'\r');
        self.steps.push_back(Step::Write(bytes));
        let deadline = now + exchange.patience;
        self.running = Some(Running {
            exchange,
            phase,
            lines: Vec::new(),
            since: now,
            deadline,
            wants_pdu: false,
        });
        Ok(())
    }

    /// Sends the payload and Ctrl-Z: from here on the text may be out.
    pub fn go(&mut self, now: Instant) {
        let Some(running) = self
            .running
            .as_mut()
            .filter(|running| running.phase == Phase::Held)
        else {
            return;
        };
        let Some(payload) = &running.exchange.payload else {
            return;
        };
        let mut bytes = payload.text.clone().into_bytes();
        bytes.push(CTRL_Z);
        running.deadline = now + payload.patience;
        running.since = now;
        running.phase = Phase::Answer;
        self.steps.push_back(Step::Write(bytes));
    }

    /// Leaves the prompt without sending anything; the modem's `OK` or `ERROR` ends the command.
    pub fn escape(&mut self, now: Instant) {
        let Some(running) = self.running.as_mut() else {
            return;
        };
        running.phase = Phase::Answer;
        running.since = now;
        running.deadline = now + Duration::from_secs(2);
        self.steps.push_back(Step::Write(vec![ESC]));
    }

    /// Leaves whatever a previous user left behind: a prompt that swallows every command as text.
    /// Whatever has come up to now belongs to that user's time and is told as news.
    pub fn clear(&mut self) {
        self.running = None;
        self.header = None;
        self.steps.push_back(Step::Write(vec![ESC, b'\r']));
    }

    /// Takes in what the port gave.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer.extend(bytes);
        while let Some(frame) = self.buffer.next(self.prompt_due()) {
            match frame {
                Frame::Prompt => self.prompted(),
                Frame::Line(line) => self.line(line),
            }
        }
    }

    /// Ends the running command if its time is over.
    pub fn tick(&mut self, now: Instant) {
        let Some(running) = self.running.take_if(|running| now >= running.deadline) else {
            return;
        };
        let command = running.exchange.name().to_owned();
        let after = now.duration_since(running.since);
        self.steps
            .push_back(Step::Finished(Err(Error::TimedOut { command, after })));
    }

    /// The next thing to do or to know.
    pub fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// When [`Dialog::tick`] is due.
    pub fn wake_at(&self) -> Option<Instant> {
        self.running.as_ref().map(|running| running.deadline)
    }

    fn prompt_due(&self) -> PromptDue {
        let due = self
            .running
            .as_ref()
            .is_some_and(|running| running.phase == Phase::Prompt);
        if due { PromptDue::Yes } else { PromptDue::No }
    }

    fn prompted(&mut self) {
        if let Some(running) = &mut self.running {
            running.phase = Phase::Held;
            self.steps.push_back(Step::Prompted);
        }
    }

    fn line(&mut self, line: String) {
        if let Some(header) = self.header.take() {
            if is_hex(&line) {
                return self.news(match header {
                    Header::Report => News::Report(line),
                    Header::Message => News::Message(line),
                });
            }
            self.news(News::Noise("a header without its PDU".into()));
        }
        if self.is_echo(&line) {
            return;
        }
        if let Some(result) = final_result(&line) {
            return self.finish(result);
        }
        if self.belongs_to_answer(&line) {
            return;
        }
        match unsolicited(&line) {
            Some(Unsolicited::Header(header)) => self.header = Some(header),
            Some(Unsolicited::News(news)) => self.news(news),
            None => self.bare(line),
        }
    }

    fn is_echo(&self, line: &str) -> bool {
        self.running.as_ref().is_some_and(|running| {
            let payload = running.exchange.payload.as_ref();
            line == running.exchange.line
                || payload.is_some_and(|payload| {
                    line.trim_end_matches(char::from(CTRL_Z)) == payload.text
                })
        })
    }

    fn finish(&mut self, result: Final) {
        // Before its payload has gone, a send cannot have succeeded: the OK is another command's, given
        // up long ago.
        let early =
            self.running.as_ref().is_some_and(Running::awaits_payload) && result == Final::Ok;
        let Some(running) = self.running.take_if(|_| !early) else {
            return self.news(News::LateFinal(result));
        };
        let command = running.exchange.name().to_owned();
        self.steps.push_back(Step::Finished(match result {
            Final::Ok => Ok(running.lines),
            Final::Error(cause) => Err(Error::Refused { command, cause }),
        }));
    }

    /// Takes a line that begins as the running command's answer does, or the PDU behind one.
    fn belongs_to_answer(&mut self, line: &str) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        let Some(prefix) = running.exchange.prefix else {
            return false;
        };
        if std::mem::take(&mut running.wants_pdu) && is_hex(line) {
            running.lines.push(line.to_owned());
            return true;
        }
        if !line.starts_with(prefix) || running.awaits_payload() {
            return false;
        }
        running.wants_pdu = prefix == "+CMGR:";
        running.lines.push(line.to_owned());
        true
    }

    /// A line of no known form: the answer of a command whose answers have none, else noise.
    fn bare(&mut self, line: String) {
        match &mut self.running {
            // Vendors' own news begin with these; an answer without a prefix does not, except where the
            // command's name stands before the value.
            Some(running)
                if running.exchange.prefix.is_none() && running.phase == Phase::Answer =>
            {
                let vendor = line.starts_with(['+', '^', '*', '%', '#', '$']);
                let name = running.exchange.name().trim_end_matches('?');
                if !vendor || line.starts_with(name) || same_question(name, &line) {
                    running.lines.push(line);
                } else {
                    self.news(News::Noise(line));
                }
            }
            _ => self.news(News::Noise(line)),
        }
    }

    fn news(&mut self, news: News) {
        self.steps.push_back(Step::News(news));
    }
}

/// Cards are asked for with `AT+CCID` and answer `+ICCID:` or `^ICCID:` on some firmwares.
fn same_question(name: &str, line: &str) -> bool {
    name.contains("CCID") && line.contains("CCID")
}

enum Unsolicited {
    News(News),
    Header(Header),
}

fn unsolicited(line: &str) -> Option<Unsolicited> {
    let index = |prefix: &str| {
        let fields = behind(prefix, line)?;
        Some(number(&fields, 1))
    };
    if line.starts_with("+CDS:") {
        return Some(Unsolicited::Header(Header::Report));
    }
    if line.starts_with("+CMT:") {
        return Some(Unsolicited::Header(Header::Message));
    }
    if let Some(index) = index("+CDSI:") {
        return Some(Unsolicited::News(News::StoredReport(index)));
    }
    if let Some(index) = index("+CMTI:") {
        return Some(Unsolicited::News(News::StoredMessage(index)));
    }
    if line.starts_with("+CMGS:") {
        return Some(Unsolicited::News(News::LateReference(reference(&[
            line.to_owned()
        ]))));
    }
    let stat = ["+CREG:", "+CEREG:"]
        .iter()
        .find_map(|prefix| number(&behind(prefix, line)?, 0));
    stat.map(|stat| Unsolicited::News(News::Registration(Registration::from_stat(stat))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::general::{ECHO_OFF, MODEL, ReadRegistration, SignalQuality};
    use crate::modem::at::messaging::ReadMessage;
    use crate::sms::causes::Cause;

    const PDU: &str = "0031000C91";
    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

    fn start() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sending() -> Exchange {
        let payload = Payload {
            text: PDU.into(),
            patience: Duration::from_secs(60),
        };
        Exchange::with_payload("+CMGS=4", "+CMGS:", Duration::from_secs(10), payload)
    }

    /// Everything the engine has to say, with the bytes that went out as text.
    fn told(dialog: &mut Dialog) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(step) = dialog.poll() {
            told.push(match step {
                Step::Write(bytes) => format!("write {:?}", String::from_utf8(bytes).unwrap()),
                Step::Prompted => "prompted".into(),
                Step::Finished(Ok(lines)) => format!("ok {}", lines.join("|")),
                Step::Finished(Err(error)) => format!("error {error}"),
                Step::News(news) => format!("news {news:?}"),
            });
        }
        told
    }

    fn talk(exchange: Exchange, stream: &str) -> Vec<String> {
        let mut dialog = Dialog::default();
        dialog.start(exchange, start()).unwrap();
        dialog.poll();
        dialog.receive(stream.as_bytes());
        told(&mut dialog)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn answers_are_told_from_echo_and_news() {
        let report = format!("news Report({REPORT:?})");
        let cases: Vec<(&str, Exchange, String, Vec<&str>)> = vec![
            (
                "plain",
                Exchange::of(&SignalQuality),
                "\r\n+CSQ: 14,99\r\n\r\nOK\r\n".into(),
                vec!["ok +CSQ: 14,99"],
            ),
            (
                "echo",
                Exchange::of(&ECHO_OFF),
                "ATE0\r\r\nOK\r\n".into(),
                vec!["ok "],
            ),
            (
                "a vendor's line crosses",
                Exchange::of(&SignalQuality),
                "\r\n^RSSI:15\r\n\r\n+CSQ: 14,99\r\n\r\nOK\r\n".into(),
                vec!["news Noise(\"^RSSI:15\")", "ok +CSQ: 14,99"],
            ),
            (
                "a vendor's line crosses a bare answer",
                Exchange::of(&MODEL),
                "\r\n^RSSI:15\r\nE1752\r\n\r\nOK\r\n".into(),
                vec!["news Noise(\"^RSSI:15\")", "ok E1752"],
            ),
            (
                "a report crosses",
                Exchange::of(&SignalQuality),
                format!("\r\n+CDS: 25\r\n{REPORT}\r\n\r\n+CSQ: 1,0\r\n\r\nOK\r\n"),
                vec![&report, "ok +CSQ: 1,0"],
            ),
            (
                "a stored message with its PDU",
                Exchange::of(&ReadMessage(0)),
                format!("\r\n+CMGR: 0,,25\r\n{REPORT}\r\n\r\nOK\r\n"),
                vec![
                    "ok +CMGR: 0,,25|079144770009909906170C91447700091032623041015123006230410151730000",
                ],
            ),
            (
                "a refusal",
                Exchange::of(&ReadRegistration),
                "\r\n+CME ERROR: 14\r\n".into(),
                vec!["error `AT+CREG?` was refused with `+CME ERROR: 14`"],
            ),
            (
                "indices",
                Exchange::of(&SignalQuality),
                "\r\n+CDSI: \"SR\",3\r\n\r\n+CMTI: \"SM\",-1\r\n\r\nRING\r\n".into(),
                vec![
                    "news StoredReport(Some(3))",
                    "news StoredMessage(None)",
                    "news Noise(\"RING\")",
                ],
            ),
        ];
        for (name, exchange, stream, expected) in cases {
            assert_eq!(talk(exchange.clone(), &stream), expected, "{name}");
            let mut dialog = Dialog::default();
            dialog.start(exchange, start()).unwrap();
            dialog.poll();
            stream.bytes().for_each(|octet| dialog.receive(&[octet]));
            assert_eq!(told(&mut dialog), expected, "{name}, octet by octet");
        }
    }

    #[test]
    fn a_text_goes_only_after_prompt_and_leave() {
        let mut dialog = Dialog::default();
        dialog.start(sending(), start()).unwrap();
        assert_eq!(told(&mut dialog), ["write \"AT+CMGS=4\\r\""]);
        dialog.go(start());
        assert_eq!(told(&mut dialog), [""; 0], "no prompt, no payload");
        dialog.receive(b"\r\n> ");
        assert_eq!(told(&mut dialog), ["prompted"]);
        dialog.go(start());
        assert_eq!(told(&mut dialog), ["write \"0031000C91\\u{1a}\""]);
        // The payload's echo, noise, then the result.
        dialog.receive(b"0031000C91\x1a\r\n^RSSI:3\r\n\r\n+CMGS: 23\r\n\r\nOK\r\n");
        assert_eq!(
            told(&mut dialog),
            ["news Noise(\"^RSSI:3\")", "ok +CMGS: 23"]
        );
    }

    #[test]
    fn escape_leaves_the_prompt_without_sending() {
        let mut dialog = Dialog::default();
        dialog.start(sending(), start()).unwrap();
        dialog.receive(b"\r\n> ");
        told(&mut dialog);
        dialog.escape(start());
        dialog.receive(b"\r\nOK\r\n");
        assert_eq!(told(&mut dialog), ["write \"\\u{1b}\"", "ok "]);
        dialog.go(start());
        assert_eq!(told(&mut dialog), [""; 0]);
    }

    #[test]
    fn silence_ends_a_command_and_what_comes_later_is_news() {
        let now = start();
        let mut dialog = Dialog::default();
        dialog.start(sending(), now).unwrap();
        dialog.receive(b"\r\n> ");
        dialog.go(now);
        told(&mut dialog);
        assert_eq!(dialog.wake_at(), Some(now + Duration::from_secs(60)));
        dialog.tick(now + Duration::from_secs(59));
        assert_eq!(told(&mut dialog), [""; 0]);
        dialog.tick(now + Duration::from_secs(60));
        assert_eq!(
            told(&mut dialog),
            ["error `AT+CMGS=4` was not answered within 60 s"]
        );
        dialog.receive(b"\r\n+CMGS: 23\r\n\r\nOK\r\n");
        assert_eq!(
            told(&mut dialog),
            ["news LateReference(Some(Mr(23)))", "news LateFinal(Ok)"]
        );
    }

    #[test]
    fn the_late_answer_of_an_earlier_text_does_not_end_the_next_one() {
        for prompt_first in [false, true] {
            let mut dialog = Dialog::default();
            dialog.start(sending(), start()).unwrap();
            let (late, prompt) = ("\r\n+CMGS: 7\r\n\r\nOK\r\n", "\r\n> ");
            let stream = if prompt_first {
                [prompt, late]
            } else {
                [late, prompt]
            }
            .concat();
            dialog.receive(stream.as_bytes());
            let mut told = told(&mut dialog);
            told.sort();
            let news = [
                "news LateFinal(Ok)",
                "news LateReference(Some(Mr(7)))",
                "prompted",
            ];
            assert_eq!(told, [&news[..], &["write \"AT+CMGS=4\\r\""]].concat());
            dialog.go(start());
            dialog.receive(b"\r\n+CMGS: 8\r\n\r\nOK\r\n");
            assert_eq!(
                super::tests::told(&mut dialog).last().unwrap(),
                "ok +CMGS: 8"
            );
        }
    }

    #[test]
    fn one_command_at_a_time() {
        let mut dialog = Dialog::default();
        dialog.start(Exchange::of(&SignalQuality), start()).unwrap();
        assert_eq!(
            dialog.start(Exchange::of(&MODEL), start()),
            Err(Error::Busy)
        );
        dialog.receive(b"\r\nERROR\r\n");
        let refused = Error::Refused {
            command: "+CSQ".into(),
            cause: Cause::Plain,
        };
        told(&mut dialog);
        assert_eq!(dialog.start(Exchange::of(&MODEL), start()), Ok(()));
        assert_eq!(refused.to_string(), "`AT+CSQ` was refused with `ERROR`");
    }

    #[test]
    fn a_header_without_its_pdu_costs_only_itself() {
        let told = talk(
            Exchange::of(&SignalQuality),
            "\r\n+CDS: 25\r\n+CSQ: 1,0\r\n\r\nOK\r\n",
        );
        assert_eq!(
            told,
            ["news Noise(\"a header without its PDU\")", "ok +CSQ: 1,0"]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_stream_of_octets_breaks_it(octets: Vec<u8>, cut in 0_usize..64) {
            for exchange in [sending(), Exchange::of(&SignalQuality), Exchange::of(&MODEL)] {
                let mut dialog = Dialog::default();
                dialog.start(exchange, start()).unwrap();
                for piece in octets.chunks(cut.max(1)) {
                    dialog.receive(piece);
                }
                dialog.go(start());
                dialog.tick(start() + Duration::from_secs(3600));
                while dialog.poll().is_some() {}
                proptest::prop_assert_eq!(dialog.wake_at(), None);
            }
        }
    }
}
