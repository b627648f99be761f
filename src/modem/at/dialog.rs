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

use super::codes::{
    Final, Header, News, SIGILS, Unsolicited, final_result, glued, is_chatter, unsolicited,
};
use super::lines::{Buffer, Frame, PromptDue};
use super::network::{Origin, Status};
use super::storage::is_hex;
use super::ussd::{OpenText, Ussd};
use super::{Answer, Command, Ending, Error};

const CTRL_Z: u8 = 0x1A;
const ESC: u8 = 0x1B;
/// So many headers may wait for their PDUs; more is noise.
const DEEPEST: usize = 4;

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    line: String,
    answer: Answer,
    ending: Ending,
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
            answer: C::ANSWER,
            ending: command.ending(),
            patience: C::TIMEOUT,
            payload: None,
        }
    }

    /// A command that is answered with a prompt and takes a payload; then its own name and a value.
    pub fn with_payload(line: &str, prompt_patience: Duration, payload: Payload) -> Self {
        Self {
            line: format!("AT{line}"),
            answer: Answer::Named,
            ending: Ending::Final,
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

    /// What stands before the colon of its answer: `+CPMS` for `AT+CPMS?` and `ATE0+CPMS=?` (V.250,
    /// 5.4.1).
    fn own_name(&self) -> &str {
        let from = self.line.find(SIGILS).unwrap_or(self.line.len());
        let name = self.line.get(from..).unwrap_or_default();
        name.split(['?', '=']).next().unwrap_or_default()
    }

    /// What follows the own name and its colon.
    fn is_named(&self, line: &str) -> bool {
        let name = self.own_name();
        let rest = line.strip_prefix(name).filter(|_| !name.is_empty());
        rest.is_some_and(|rest| rest.starts_with(':'))
    }

    /// Whether a line that begins as vendors' own do answers this question all the same: with the
    /// name before the value, or, for the card's number, with the name of another vendor.
    fn is_asked_for(&self, line: &str) -> bool {
        self.is_named(line) || (self.line.contains("CCID") && line.contains("CCID"))
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
    /// A line that looks unsolicited and bears the answer's name: it counts if no better one comes.
    crossed: Option<String>,
}

impl Running {
    /// Whether this is a send whose payload has not gone out.
    fn awaits_payload(&self) -> bool {
        self.phase != Phase::Answer
    }

    /// Whether any line without a name could be its answer.
    fn takes_bare(&self) -> bool {
        self.exchange.answer == Answer::Bare && self.phase == Phase::Answer
    }

    fn answer(self) -> Vec<String> {
        if self.lines.is_empty() {
            return self.crossed.into_iter().collect();
        }
        self.lines
    }
}

/// The engine.
#[derive(Debug, Default)]
pub struct Dialog {
    buffer: Buffer,
    running: Option<Running>,
    /// What went out last, for the echo that comes after its command has ended.
    last: String,
    /// Unsolicited headers that came, and their PDUs have not; the latest comes first.
    headers: Vec<Header>,
    /// A `+CUSD` whose quotes are open.
    text: Option<OpenText>,
    /// A `+CMGS` of a command given up has come: the next `OK` is its, too.
    late_ok: bool,
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
            crossed: None,
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
        let held = |running: &&mut Running| running.phase == Phase::Held;
        let Some(running) = self.running.as_mut().filter(held) else {
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
        self.headers.clear();
        self.late_ok = false;
        self.close_text();
        self.steps.push_back(Step::Write(vec![ESC, b'\r']));
    }

    /// Takes in what the port gave.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend(bytes);
        while let Some(frame) = buffer.next(self.prompt_due()) {
            match frame {
                Frame::Prompt => self.prompted(),
                Frame::Line(line) => self.line(&line),
            }
        }
        self.buffer = buffer;
    }

    /// Ends the running command if its time is over.
    pub fn tick(&mut self, now: Instant) {
        let Some(running) = self.running.take_if(|running| now >= running.deadline) else {
            return;
        };
        let command = running.exchange.name().to_owned();
        let after = now.duration_since(running.since);
        self.last = running.exchange.line;
        self.close_text();
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

    fn line(&mut self, line: &str) {
        let line = self.behind_prompts(line);
        if line.is_empty()
            || self.continues_text(line)
            || self.is_echo(line)
            || self.takes_pdu(line)
        {
            return;
        }
        if let Some((result, rest)) = glued(line) {
            self.finish(result);
            return self.line(rest);
        }
        if let Some(result) = final_result(line) {
            return self.finish(result);
        }
        if self.belongs_to_answer(line) {
            return;
        }
        match unsolicited(line) {
            Some(Unsolicited::Header(header)) => {
                if self.headers.len() == DEEPEST {
                    self.lose_headers();
                }
                self.headers.push(header);
            }
            Some(Unsolicited::News(news)) => {
                self.late_ok |= matches!(news, News::LateReference(_));
                self.news(news);
            }
            Some(Unsolicited::OpenText) => self.text = Some(OpenText::new(line)),
            None => self.bare(line),
        }
    }

    /// What stands behind a prompt that came twice: only where a payload is on its way.
    fn behind_prompts<'a>(&self, line: &'a str) -> &'a str {
        match &self.running {
            Some(running) if running.exchange.payload.is_some() => {
                line.trim_start_matches(['>', ' '])
            }
            _ => line,
        }
    }

    /// Takes a line that stands between the quotes of a `+CUSD`. News that cross it are told by their
    /// names, as everywhere.
    fn continues_text(&mut self, line: &str) -> bool {
        let Some(text) = &mut self.text else {
            return false;
        };
        if is_code(line) || (!self.headers.is_empty() && is_hex(line)) {
            return false;
        }
        if text.push(line) {
            self.close_text();
        }
        true
    }

    fn close_text(&mut self) {
        if let Some(text) = self.text.take() {
            let line = text.close();
            self.news(Ussd::read(&line).map_or(News::Noise(line), News::Ussd));
        }
    }

    /// Takes the PDU behind an unsolicited header or behind a line of the answer: the header came
    /// later, so it comes first.
    fn takes_pdu(&mut self, line: &str) -> bool {
        if !is_hex(line) {
            return false;
        }
        let bare = self.running.as_ref().is_some_and(Running::takes_bare);
        if let Some(header) = self.headers.pop_if(|header| !bare || header.fits(line)) {
            self.news(header.with(line.to_owned()));
            return true;
        }
        let Some(running) = self.running.as_mut().filter(|running| running.wants_pdu) else {
            return false;
        };
        running.wants_pdu = false;
        running.lines.push(line.to_owned());
        true
    }

    /// Whether a line is what we wrote ourselves, now or for a command given up since.
    fn is_echo(&self, line: &str) -> bool {
        let ours = self.running.as_ref().is_some_and(|running| {
            let payload = running.exchange.payload.as_ref();
            line == running.exchange.line || payload.is_some_and(|payload| line == payload.text)
        });
        let command = line.strip_prefix("AT");
        ours || line == self.last || command.is_some_and(|command| command.starts_with(SIGILS))
    }

    fn finish(&mut self, result: Final) {
        self.lose_headers();
        // Before its payload has gone, a send cannot have succeeded: the OK is another command's, given
        // up long ago.
        let early = self.running.as_ref().is_some_and(Running::awaits_payload);
        let late = match result {
            Final::Ok => std::mem::take(&mut self.late_ok) || early,
            Final::Error(_) => false,
            Final::NoCarrier => true,
        };
        let Some(running) = self.running.take_if(|_| !late) else {
            return self.news(News::LateFinal(result));
        };
        self.last.clone_from(&running.exchange.line);
        let command = running.exchange.name().to_owned();
        self.steps.push_back(Step::Finished(match result {
            Final::Error(cause) => Err(Error::Refused { command, cause }),
            Final::Ok | Final::NoCarrier => Ok(running.answer()),
        }));
    }

    /// Takes a line that begins as the running command's answer does.
    fn belongs_to_answer(&mut self, line: &str) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        let answer = running.exchange.answer;
        let named = matches!(answer, Answer::Named | Answer::WithPdus);
        if !named || running.awaits_payload() || !running.exchange.is_named(line) {
            return false;
        }
        if matches!(Status::read(line), Some((_, Origin::Unsolicited, _))) {
            running.crossed = Some(line.to_owned());
            return false;
        }
        running.wants_pdu = answer == Answer::WithPdus;
        running.lines.push(line.to_owned());
        self.lose_headers();
        self.end_by_line();
        true
    }

    fn end_by_line(&mut self) {
        let ends = |running: &mut Running| running.exchange.ending == Ending::FirstLine;
        if let Some(running) = self.running.take_if(ends) {
            self.last.clone_from(&running.exchange.line);
            self.steps.push_back(Step::Finished(Ok(running.answer())));
        }
    }

    /// A line of no known form: the answer of a command whose answers have none, else noise.
    fn bare(&mut self, line: &str) {
        let running = self.running.as_mut().filter(|running| {
            // Vendors' own news begin with a sign; an answer without a name does not.
            let foreign = line.starts_with(SIGILS) && !running.exchange.is_asked_for(line);
            running.takes_bare() && !foreign && !is_chatter(line) && !line.starts_with('>')
        });
        match running {
            Some(running) => {
                running.lines.push(line.to_owned());
                self.lose_headers();
            }
            None => self.news(News::Noise(line.to_owned())),
        }
    }

    /// An answer or its end came where a PDU was due: there is none.
    fn lose_headers(&mut self) {
        for _ in std::mem::take(&mut self.headers) {
            self.news(News::Noise("a header without its PDU".into()));
        }
    }

    fn news(&mut self, news: News) {
        self.steps.push_back(Step::News(news));
    }
}

/// Whether a line within a text is none of it: a sign, a name in capitals, a colon, and quotes that
/// are closed again. The end of the text has one quote more. An error with its name ends a command.
fn is_code(line: &str) -> bool {
    if line.starts_with("+CMS ERROR:") || line.starts_with("+CME ERROR:") {
        return true;
    }
    let named = line
        .strip_prefix(SIGILS)
        .and_then(|rest| rest.split_once(':'));
    let capitals = named.is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_uppercase())
    });
    capitals && line.matches('"').count().is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::identity::{CardIdentity, MODEL, SubscriberIdentity};
    use crate::modem::at::network::{Domain, ReadRegistration, SignalQuality};
    use crate::modem::at::sim::ReadPin;
    use crate::modem::at::storage::ReadMessage;
    use crate::modem::at::{ECHO_OFF, Plain};
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
        Exchange::with_payload("+CMGS=4", Duration::from_secs(10), payload)
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
                Exchange::of(&ReadRegistration(Domain::Circuit)),
                "\r\n+CME ERROR: 14\r\n".into(),
                vec!["error `AT+CREG?` was refused with `+CME ERROR: 14`"],
            ),
            (
                "indices",
                Exchange::of(&SignalQuality),
                "\r\n+CDSI: \"SR\",3\r\n\r\n+CMTI: \"SM\",-1\r\n\r\nRING\r\n".into(),
                vec![
                    "news StoredReport(Place { storage: \"SR\", index: Some(3) })",
                    "news StoredMessage(Place { storage: \"SM\", index: None })",
                    "news Ring",
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

    fn sent(before: &str, after: &str) -> Vec<String> {
        let mut dialog = Dialog::default();
        dialog.start(sending(), start()).unwrap();
        dialog.poll();
        dialog.receive(before.as_bytes());
        dialog.go(start());
        dialog.receive(after.as_bytes());
        told(&mut dialog)
            .into_iter()
            .filter(|told| !told.starts_with("write") && told != "prompted")
            .collect()
    }

    #[test]
    fn prompts_and_echoes_come_in_every_way() {
        const RESULT: &str = "\r\n+CMGS: 23\r\n\r\nOK\r\n";
        const CASES: &[(&str, &str, &str)] = &[
            ("plain", "\r\n> ", ""),
            ("no blank", "\r\n>", ""),
            ("no line before", "AT+CMGS=4\r> ", ""),
            ("the blank late", "\r\n>", " "),
            ("twice at once", "\r\n> \r\n> ", ""),
            ("twice", "\r\n> ", "\r\n> "),
            (
                "twice, before the payload's echo",
                "\r\n> ",
                "> 0031000C91\x1a",
            ),
            ("payload's echo", "\r\n> ", "0031000C91\x1a"),
            ("payload's echo without Ctrl-Z", "\r\n> ", "0031000C91"),
            ("echo late", "\r\n> ", "AT+CMGS=4\r\r\n"),
        ];
        for (name, before, after) in CASES {
            let told = sent(before, &format!("{after}{RESULT}"));
            assert_eq!(told, ["ok +CMGS: 23"], "{name}");
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn lines_that_are_not_what_they_seem() {
        let pin = || Exchange::of(&ReadPin(Ending::FirstLine));
        let registration = || Exchange::of(&ReadRegistration(Domain::Circuit));
        let cases: Vec<(&str, Exchange, &str, Vec<&str>)> = vec![
            (
                "OK glued to the next line",
                Exchange::of(&ECHO_OFF),
                "\r\nOK+CMTI: \"SM\",3\r\n",
                vec![
                    "ok ",
                    "news StoredMessage(Place { storage: \"SM\", index: Some(3) })",
                ],
            ),
            (
                "a call ends, the command does not",
                Exchange::of(&SignalQuality),
                "\r\nNO CARRIER\r\n\r\n+CSQ: 1,0\r\n\r\nOK\r\n",
                vec!["news LateFinal(NoCarrier)", "ok +CSQ: 1,0"],
            ),
            (
                "the late result of a text before the own one",
                Exchange::of(&ECHO_OFF),
                "\r\n+CMGS: 7\r\n\r\nOK\r\n\r\nOK\r\n",
                vec![
                    "news LateReference(Some(Mr(7)))",
                    "news LateFinal(Ok)",
                    "ok ",
                ],
            ),
            (
                "the registration changes while it is asked",
                registration(),
                "\r\n+CREG: 2\r\n\r\n+CREG: 1,5\r\n\r\nOK\r\n",
                vec![
                    "news Registration(Circuit, Status { n: None, stat: 2, area: None, cell: None, technology: None })",
                    "ok +CREG: 1,5",
                ],
            ),
            (
                "an answer that looks unsolicited is better than none",
                registration(),
                "\r\n+CREG: 5\r\n\r\nOK\r\n",
                vec![
                    "news Registration(Circuit, Status { n: None, stat: 5, area: None, cell: None, technology: None })",
                    "ok +CREG: 5",
                ],
            ),
            (
                "no OK behind",
                pin(),
                "\r\n+CPIN: READY\r\n",
                vec!["ok +CPIN: READY"],
            ),
            (
                "no OK, refused",
                pin(),
                "\r\nERROR\r\n",
                vec!["error `AT+CPIN?` was refused with `ERROR`"],
            ),
            (
                "a starting module answers nothing",
                Exchange::of(&MODEL),
                "\r\nCall Ready\r\n> \r\nAT+CSQ\r\r\nE1752\r\n\r\nOK\r\n",
                vec![
                    "news Noise(\"Call Ready\")",
                    "news Noise(\">\")",
                    "ok E1752",
                ],
            ),
            (
                "a card's number under another name",
                Exchange::of(&CardIdentity("+CCID".into())),
                "\r\n^ICCID: 8938\r\n\r\nOK\r\n",
                vec!["ok ^ICCID: 8938"],
            ),
            (
                "two commands on a line",
                Exchange::of(&Plain("E0+CMGF=0")),
                "ATE0+CMGF=0\r\r\n\r\nTOO MANY PARAMETERS\r\n",
                vec!["error `ATE0+CMGF=0` was refused with `ERROR`"],
            ),
        ];
        for (name, exchange, stream, expected) in cases {
            assert_eq!(talk(exchange, stream), expected, "{name}");
        }
    }

    #[test]
    fn a_pdu_belongs_to_the_latest_header() {
        let report = format!("news Report({REPORT:?})");
        let read = Exchange::of(&ReadMessage(0));
        let stream = format!("+CDS: 25\r\n+CDS: ,2\r\n00A7\r\n^X:1\r\n{REPORT}\r\n");
        assert_eq!(
            talk(read.clone(), &stream),
            ["news Report(\"00A7\")", "news Noise(\"^X:1\")", &report]
        );
        let stream = format!("+CMGR: 0,,2\r\n+CDS: 25\r\n{REPORT}\r\n00A7\r\nOK\r\n");
        assert_eq!(
            talk(read, &stream),
            [report.as_str(), "ok +CMGR: 0,,2|00A7"]
        );
        // A number of fifteen digits answers the question; it is not the PDU that never came.
        assert_eq!(
            talk(
                Exchange::of(&SubscriberIdentity),
                "+CDS: 25\r\n255030000000001\r\nOK\r\n"
            ),
            [
                "news Noise(\"a header without its PDU\")",
                "ok 255030000000001"
            ]
        );
    }

    #[test]
    fn a_text_of_the_network_that_never_ends_is_given_up() {
        let mut dialog = Dialog::default();
        dialog.start(Exchange::of(&ECHO_OFF), start()).unwrap();
        dialog.receive(b"+CUSD: 0,\"one\r\ntwo\r\n");
        dialog.tick(start() + Duration::from_secs(60));
        let told = told(&mut dialog);
        assert!(told[1].contains("text: Some(\"one\\ntwo\")"), "{}", told[1]);
        assert_eq!(told.len(), 3);
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
    fn a_ussd_line_of_another_form_swallows_no_result() {
        for line in ["+CUSD: (0-2)", "+CUSD: ,\"x\",15", "+CUSD: 0,\"Hi\",15,1"] {
            let stream = format!("\r\n{line}\r\n\r\n+CSQ: 14,99\r\n\r\nOK\r\n");
            let told = talk(Exchange::of(&SignalQuality), &stream);
            assert_eq!(
                told.last().map(String::as_str),
                Some("ok +CSQ: 14,99"),
                "{line}: {told:?}"
            );
        }
        let told = talk(
            Exchange::of(&SignalQuality),
            "\r\n+CUSD: 0,\"Menu\r\n\r\n+CMS ERROR: 38\r\n",
        );
        assert_eq!(
            told.last().map(String::as_str),
            Some("error `AT+CSQ` was refused with `+CMS ERROR: 38`"),
            "{told:?}"
        );
    }

    #[test]
    fn a_payload_echo_behind_a_header_is_no_report() {
        let mut dialog = Dialog::default();
        dialog.start(sending(), start()).unwrap();
        dialog.receive(b"\r\n> ");
        dialog.go(start());
        told(&mut dialog);
        dialog.receive(
            format!("\r\n+CDS: 25\r\n{PDU}\x1a\r\n{REPORT}\r\n\r\n+CMGS: 1\r\n\r\nOK\r\n")
                .as_bytes(),
        );
        let told = told(&mut dialog);
        assert_eq!(
            told,
            [format!("news Report({REPORT:?})"), "ok +CMGS: 1".to_owned()]
        );
    }

    #[test]
    fn escape_is_for_prompts_alone() {
        let mut dialog = Dialog::default();
        dialog.start(Exchange::of(&SignalQuality), start()).unwrap();
        told(&mut dialog);
        dialog.escape(start());
        assert_eq!(told(&mut dialog), [""; 0]);
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

    const PIECES: &[&str] = &[
        "\r\n+CDS: 25\r\n",
        "0791447700",
        "\r\nOK\r\n",
        "OK+CMTI: \"SM\",1\n",
        "\r\n> ",
        ">",
        "+CUSD: 1,\"a\r\n",
        "b\",15\r\n",
        "+CREG: 1\r",
        "\0^RSSI:1\r\r\n",
        "+CMGS: 7\r\n",
        "ERROR\r\n",
        "AT+CSQ\r",
        "+CSQ: 1,",
        "2\r\n",
        "\x1a",
    ];

    proptest::proptest! {
        #[test]
        fn where_a_stream_is_torn_does_not_matter(
            pieces in proptest::collection::vec(0..PIECES.len(), 0..40),
            cut in 1_usize..9,
        ) {
            let stream: String = pieces.iter().map(|at| PIECES[*at]).collect();
            for exchange in [Exchange::of(&SignalQuality), Exchange::of(&MODEL), Exchange::of(&ECHO_OFF)] {
                let whole = talk(exchange.clone(), &stream);
                let mut dialog = Dialog::default();
                dialog.start(exchange, start()).unwrap();
                dialog.poll();
                for piece in stream.as_bytes().chunks(cut) {
                    dialog.receive(piece);
                }
                proptest::prop_assert_eq!(told(&mut dialog), whole);
            }
        }

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
