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

mod exchange;
mod headers;
mod late;
mod outbox;
mod quoted;
mod running;

use std::time::{Duration, Instant};

pub use exchange::Exchange;
use exchange::is_command;
use headers::{Headers, Hex};
pub use late::LATE_OK;
use late::Late;
use outbox::Outbox;
pub use outbox::Step;
use quoted::Quoted;
pub use quoted::TEXT_PATIENCE;
use running::{Phase, Running};

use super::codes::{
    Final, News, PduLength, SIGILS, Unsolicited, final_result, is_chatter, unsolicited,
};
use super::fields::behind;
use super::glued::glued;
use super::lines::{Buffer, Frame, PromptDue};
use super::network::{Origin, Status};
use super::storage::is_hex;
use super::ussd::{AskNetwork, Coding};
use super::{Answer, Ending, Error};

const CTRL_Z: u8 = 0x1A;
const ESC: u8 = 0x1B;

/// The engine.
#[derive(Debug, Default)]
pub struct Dialog {
    buffer: Buffer,
    running: Option<Running>,
    /// What went out last, for the echo that comes after its command has ended.
    last: Option<Exchange>,
    headers: Headers,
    /// A `+CUSD` whose quotes are open.
    text: Option<Quoted>,
    /// How the network was asked last; a digit out of a menu leaves it as it is.
    asked: Option<Coding>,
    /// What commands given up may still say.
    late: Late,
    /// The latest moment that was told.
    now: Option<Instant>,
    outbox: Outbox,
}

impl Dialog {
    /// Begins a command. Errors: [`Error::Busy`] while another one runs.
    pub fn start(&mut self, exchange: Exchange, now: Instant) -> Result<(), Error> {
        if self.running.is_some() {
            return Err(Error::Busy);
        }
        self.comes_to(now);
        self.buffer.forget_prompt();
        let command = exchange.line.strip_prefix("AT").unwrap_or_default();
        self.asked = AskNetwork::coding_of(command).or(self.asked);
        let mut bytes = exchange.line.clone().into_bytes();
        bytes.push(b'\r');
        self.outbox.push(Step::Write(bytes));
        let mut running = Running::new(exchange, now);
        running.awaits_echo = running.awaits_payload() && self.late.takes_prompt();
        self.running = Some(running);
        Ok(())
    }

    /// Sends the payload and Ctrl-Z: from here on the text may be out.
    pub fn go(&mut self, now: Instant) {
        self.now = Some(now);
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
        self.outbox.push(Step::Write(bytes));
    }

    /// Leaves the prompt without sending anything; the modem's `OK` or `ERROR` ends the command.
    pub fn escape(&mut self, now: Instant) {
        self.now = Some(now);
        let held = |running: &&mut Running| running.phase == Phase::Held;
        let Some(running) = self.running.as_mut().filter(held) else {
            return;
        };
        running.phase = Phase::Answer;
        running.since = now;
        running.deadline = now + Duration::from_secs(2);
        self.outbox.push(Step::Write(vec![ESC]));
    }

    /// Leaves whatever a previous user left behind: a prompt that swallows every command as text.
    /// Whatever has come up to now belongs to that user's time and is told as news.
    pub fn clear(&mut self) {
        self.running = None;
        self.headers.lose();
        self.late.settle();
        self.close_text();
        self.outbox.push(Step::Write(vec![ESC, b'\r']));
    }

    /// Takes in what the port gave at `now`.
    pub fn receive_at(&mut self, bytes: &[u8], now: Instant) {
        self.comes_to(now);
        self.receive(bytes);
    }

    /// The same, at the moment last told.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend(bytes);
        loop {
            buffer.keep_blank_lines(self.text.is_some());
            match buffer.next(self.prompt_due()) {
                Some(Frame::Prompt) => self.prompted(),
                Some(Frame::Line(line)) => self.line(&line),
                None => break,
            }
        }
        self.buffer = buffer;
    }

    /// Ends what has had its time: a text of the network whose quotes stay open, the running command.
    pub fn tick(&mut self, now: Instant) {
        self.comes_to(now);
        if self.wake_at().is_some_and(|due| now >= due) && self.text.is_some() {
            self.reread_text();
            // A prompt may stand behind it.
            self.receive(&[]);
        }
        let Some(running) = self.running.take_if(|running| now >= running.deadline) else {
            return;
        };
        let command = running.exchange.name().to_owned();
        let after = now.duration_since(running.since);
        self.late.given_up(&running, now);
        self.fail(running, Error::TimedOut { command, after });
    }

    fn comes_to(&mut self, now: Instant) {
        self.now = Some(now);
        let lost = self.headers.expire(now);
        self.without_pdu(lost);
    }

    /// The next thing to do or to know.
    pub fn poll(&mut self) -> Option<Step> {
        self.outbox.poll()
    }

    /// When [`Dialog::tick`] is due.
    pub fn wake_at(&self) -> Option<Instant> {
        let command = self.running.as_ref().map(|running| running.deadline);
        let text = self.text.as_ref().and_then(Quoted::deadline);
        command.into_iter().chain(text).min()
    }

    fn prompt_due(&self) -> PromptDue {
        let due = self
            .running
            .as_ref()
            .is_some_and(|running| running.phase == Phase::Prompt && !running.awaits_echo);
        if due && self.text.is_none() {
            PromptDue::Yes
        } else {
            PromptDue::No
        }
    }

    fn prompted(&mut self) {
        if let Some(running) = &mut self.running {
            running.phase = Phase::Held;
            self.outbox.push(Step::Prompted);
        }
    }

    fn line(&mut self, line: &str) {
        let line = self.behind_prompts(line);
        if self.continues_text(line)
            || line.is_empty()
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
        if self.late.takes(line, self.now) {
            return self.news(News::Noise(line.to_owned()));
        }
        match unsolicited(line) {
            Some(Unsolicited::Header(header)) => {
                let lost = self.headers.push(header, self.now);
                self.without_pdu(lost);
            }
            Some(Unsolicited::News(news)) => {
                if matches!(news, News::LateReference(_)) {
                    self.late.text_answered(self.now);
                }
                self.news(news);
            }
            Some(Unsolicited::OpenText) => {
                self.close_text();
                self.text = Some(Quoted::new(line, self.now));
            }
            None => self.bare(line),
        }
    }

    /// What stands behind a prompt that came twice: only where a payload is on its way.
    fn behind_prompts<'a>(&self, line: &'a str) -> &'a str {
        match &self.running {
            Some(running) if running.exchange.payload.is_some() && self.text.is_none() => {
                line.trim_start_matches(['>', ' '])
            }
            _ => line,
        }
    }

    /// Takes the PDU behind an unsolicited header or behind a line of the answer: whose length it has, else
    /// the header, which came later, so it comes first.
    fn takes_pdu(&mut self, line: &str) -> bool {
        if !is_hex(line) {
            return false;
        }
        if let Some(news) = self.headers.complete_exactly(line) {
            self.news(news);
            return true;
        }
        let header_waits = !self.headers.is_empty();
        let wanted = |running: &mut Running| running.takes_exactly(line, header_waits);
        if self.running.as_mut().is_some_and(wanted) {
            self.answered(line);
            return true;
        }
        let bare = self.running.as_ref().is_some_and(Running::takes_bare);
        let hex = if bare { Hex::MayAnswer } else { Hex::IsPdu };
        // Two of a length: the first was the header's, whose own length is junk.
        let second = |running: &mut Running| running.second(line, header_waits);
        if let Some(first) = self.running.as_mut().and_then(second) {
            let news = self.headers.complete(&first, hex);
            if let Some(news) = news {
                self.news(news);
            }
            return true;
        }
        if let Some(news) = self.headers.complete(line, hex) {
            self.news(news);
            return true;
        }
        let wanted = |running: &mut Running| running.wants_pdu.take().is_some();
        if self.running.as_mut().is_some_and(wanted) {
            self.answered(line);
            return true;
        }
        let late = self.late.takes_pdu(line);
        if late {
            self.news(News::Noise(line.to_owned()));
        }
        late
    }

    /// Whether a line is what we wrote ourselves, now or for a command given up since.
    fn is_echo(&mut self, line: &str) -> bool {
        if let Some(running) = &mut self.running
            && running.exchange.echoes(line)
        {
            running.echoed = true;
            running.awaits_echo = false;
            return true;
        }
        let last = self.last.as_ref();
        last.is_some_and(|exchange| exchange.echoes(line)) || is_command(line)
    }

    fn finish(&mut self, result: Final) {
        let outcome = match result {
            // A call has ended, and no command of ours.
            Final::NoCarrier => return self.news(News::LateFinal(result)),
            Final::Ok => Ok(()),
            Final::Error(cause) => Err(cause),
        };
        let lost = self.headers.cross();
        self.without_pdu(lost);
        let late = self.late.owns(result, self.running.as_ref(), self.now);
        let Some(running) = self.running.take_if(|_| !late) else {
            return self.news(News::LateFinal(result));
        };
        let command = running.exchange.name().to_owned();
        match outcome {
            Ok(()) => self.succeed(running),
            Err(cause) => self.fail(running, Error::Refused { command, cause }),
        }
    }

    fn succeed(&mut self, running: Running) {
        self.last = Some(running.exchange.clone());
        self.outbox.push(Step::Finished(Ok(running.answer())));
    }

    /// Ends a command without its answer. What has come of that is told as if it had come late: the
    /// reference of a text that is out, the messages of a list that breaks off.
    fn fail(&mut self, running: Running, error: Error) {
        let (exchange, lines) = running.into_parts();
        self.last = Some(exchange);
        self.outbox.push(Step::Finished(Err(error)));
        for line in lines {
            self.news(match unsolicited(&line) {
                Some(Unsolicited::News(news)) => news,
                _ => News::Noise(line),
            });
        }
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
        let with_pdu = answer == Answer::WithPdus;
        let length = |fields: Vec<&str>| PduLength::of(&fields);
        running.wants_pdu = behind("", line).filter(|_| with_pdu).map(length);
        self.lose_headers();
        self.answered(line);
        true
    }

    /// A line of no known form: the answer of a command whose answers have none, else noise.
    fn bare(&mut self, line: &str) {
        let answers = self.running.as_ref().is_some_and(|running| {
            // Vendors' own news begin with a sign; an answer without a name does not.
            let foreign = line.starts_with(SIGILS) && !running.exchange.is_asked_for(line);
            running.takes_bare() && !foreign && !is_chatter(line) && !line.starts_with('>')
        });
        if answers {
            self.lose_headers();
            self.answered(line);
        } else {
            self.news(News::Noise(line.to_owned()));
        }
    }

    /// Keeps a line of the answer. Some answers end with their first, and some never.
    fn answered(&mut self, line: &str) {
        let Some(running) = &mut self.running else {
            return;
        };
        running.push(line);
        self.late.is_over();
        if running.is_endless() {
            return self.give_up();
        }
        let ends = |running: &mut Running| running.exchange.ending == Ending::FirstLine;
        if let Some(running) = self.running.take_if(ends) {
            self.late.ended_early(self.now);
            self.succeed(running);
        }
    }

    /// Ends the running command because of a flood.
    fn give_up(&mut self) {
        if let Some(running) = self.running.take() {
            let command = running.exchange.name().to_owned();
            let lines = running.count();
            self.last = Some(running.exchange);
            self.outbox
                .push(Step::Finished(Err(Error::Flooded { command, lines })));
        }
    }

    /// An answer came where PDUs were due: there are none.
    fn lose_headers(&mut self) {
        let lost = self.headers.lose();
        self.without_pdu(lost);
    }

    fn without_pdu(&mut self, lost: usize) {
        for _ in 0..lost {
            self.news(News::Noise("a header without its PDU".into()));
        }
    }

    /// Tells something, or, where nobody listens, ends the command that drowns in it.
    fn news(&mut self, news: News) {
        let news = match (news, self.asked) {
            (News::Ussd(said), Some(coding)) => News::Ussd(said.asked_in(coding)),
            (news, _) => news,
        };
        if !self.outbox.news(news) {
            self.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::identity::{CardIdentity, MODEL, SubscriberIdentity};
    use crate::modem::at::messaging::{AcknowledgeWith, HexPdu, SendMessage};
    use crate::modem::at::network::{Domain, ReadRegistration, SignalQuality};
    use crate::modem::at::sim::ReadPin;
    use crate::modem::at::storage::{ListMessages, ReadMessage};
    use crate::modem::at::{ECHO_OFF, Plain};
    use crate::sms::causes::Cause;
    use crate::sms::pdu::decode_hex;

    const PDU: &str = "0031000C91";
    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

    pub(super) fn start() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    pub(super) fn sending() -> Exchange {
        Exchange::of(&SendMessage {
            tpdu_length: 4,
            pdu: HexPdu::of(&decode_hex(PDU).unwrap()),
            patience: Duration::from_secs(60),
        })
    }

    /// Everything the engine has to say, with the bytes that went out as text.
    pub(super) fn told(dialog: &mut Dialog) -> Vec<String> {
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

    pub(super) fn talk(exchange: Exchange, stream: &str) -> Vec<String> {
        let mut dialog = Dialog::default();
        dialog.start(exchange, start()).unwrap();
        dialog.poll();
        dialog.receive(stream.as_bytes());
        told(&mut dialog)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn answers_are_told_from_echo_and_news() {
        let report = format!("news Report({REPORT:?}, Some(25))");
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
                vec!["error `ATE0+CMGF=0` was refused with `TOO MANY PARAMETERS`"],
            ),
        ];
        for (name, exchange, stream, expected) in cases {
            assert_eq!(talk(exchange, stream), expected, "{name}");
        }
    }

    #[test]
    fn a_pdu_belongs_to_the_latest_header() {
        let report = format!("news Report({REPORT:?}, Some(25))");
        let read = Exchange::of(&ReadMessage(0));
        let stream = format!("+CDS: 25\r\n+CDS: ,2\r\n00A7\r\n^X:1\r\n{REPORT}\r\n");
        assert_eq!(
            talk(read.clone(), &stream),
            [
                "news Report(\"00A7\", Some(2))",
                "news Noise(\"^X:1\")",
                &report
            ]
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
    fn a_pdu_behind_a_final_result_goes_with_its_header() {
        let report = format!("news Report({REPORT:?}, Some(25))");
        let ok = "ok +CSQ: 1,0";
        let lost = "news Noise(\"a header without its PDU\")";
        let other = "news Noise(\"00A7\")";
        let cases = [
            (
                format!("+CSQ: 1,0\r\n+CDS: 25\r\nOK\r\n{REPORT}\r\n"),
                vec![ok, &report],
            ),
            (
                format!("+CSQ: 1,0\r\nOK+CDS: 25\r\n{REPORT}\r\n"),
                vec![ok, &report],
            ),
            (
                format!("+CSQ: 1,0\r\n\r\n+CDS: 25\r\nOK\r\n^X\r\n{REPORT}\r\n"),
                vec![ok, "news Noise(\"^X\")", &report],
            ),
            (
                format!("+CSQ: 1,0\r\n+CDS: 25\r\nNO CARRIER\r\nOK\r\n{REPORT}\r\n"),
                vec!["news LateFinal(NoCarrier)", ok, &report],
            ),
            // Hex of another length is none of its own.
            (
                "+CSQ: 1,0\r\n+CDS: 25\r\nOK\r\n00A7\r\n".to_owned(),
                vec![ok, other],
            ),
            (
                format!("+CSQ: 1,0\r\n+CDS: 25\r\nOK\r\nOK\r\n{REPORT}\r\n"),
                vec![ok, lost, "news LateFinal(Ok)", "news Noise(\"REPORT\")"],
            ),
        ];
        for (stream, expected) in cases {
            let told = talk(Exchange::of(&SignalQuality), &stream);
            let told: Vec<_> = told
                .iter()
                .map(|told| told.replace(&format!("Noise({REPORT:?})"), "Noise(\"REPORT\")"))
                .collect();
            assert_eq!(told, expected, "{stream}");
        }
    }

    #[test]
    fn a_late_ok_is_awaited_for_so_long_and_no_longer() {
        let begun = start();
        for (pause, late) in [(LATE_OK, true), (LATE_OK + Duration::from_millis(1), false)] {
            let mut dialog = Dialog::default();
            dialog.receive_at(b"\r\n+CMGS: 7\r\n", begun);
            let now = begun + pause;
            dialog.start(Exchange::of(&ECHO_OFF), now).unwrap();
            dialog.receive_at(b"\r\nOK\r\n", now);
            let told = told(&mut dialog).split_off(2);
            let expected = if late { "news LateFinal(Ok)" } else { "ok " };
            assert_eq!(told, [expected], "{pause:?}");
        }
    }

    #[test]
    fn an_answer_without_end_ends_with_its_error() {
        let mut dialog = Dialog::default();
        dialog.start(Exchange::of(&ListMessages), start()).unwrap();
        told(&mut dialog);
        let mut fed = 0;
        let line = format!("+CMGL: 1,1,,25\r\n{REPORT}\r\n");
        let mut step = None;
        while step.is_none() && fed < 4 * 1024 * 1024 {
            dialog.receive(line.as_bytes());
            fed += line.len();
            step = dialog.poll();
        }
        assert!((256 * 1024..1024 * 1024).contains(&fed), "{fed}");
        let error = step.unwrap();
        let Step::Finished(Err(Error::Flooded { command, lines })) = error else {
            panic!("{error:?}");
        };
        assert_eq!(command, "+CMGL=4");
        assert!(lines > 5000, "{lines}");
        // The rest of it is nobody's answer.
        dialog.start(Exchange::of(&SignalQuality), start()).unwrap();
        dialog.receive(format!("{line}+CSQ: 1,0\r\nOK\r\n").as_bytes());
        assert_eq!(told(&mut dialog).last().unwrap(), "ok +CSQ: 1,0");
    }

    #[test]
    fn a_flood_of_news_that_nobody_hears_ends_the_command() {
        let mut dialog = Dialog::default();
        dialog.start(Exchange::of(&SignalQuality), start()).unwrap();
        for _ in 0..200_000 {
            dialog.receive(b"^RSSI:1\r\n");
        }
        dialog.receive(b"OK\r\n");
        let told = told(&mut dialog);
        assert!(told.len() < 5000, "{}", told.len());
        let error = "error `AT+CSQ` was answered without end (0 lines)";
        assert_eq!(told.iter().filter(|told| *told == error).count(), 1);
        assert!(told.last().unwrap().contains("lines lost in a flood"));
    }

    #[test]
    fn an_area_of_one_digit_is_no_answer() {
        let registration = || Exchange::of(&ReadRegistration(Domain::Circuit));
        let news = |stat, area, cell| {
            format!(
                "news Registration(Circuit, Status {{ n: None, stat: {stat}, area: Some({area}), cell: Some({cell}), technology: Some(2) }})"
            )
        };
        let cases = [
            (
                registration(),
                "+CREG: 5,\"5\",\"C3D0\",2\r\n+CREG: 1,5\r\nOK\r\n",
                vec![news(5, 5, 0xC3D0), "ok +CREG: 1,5".into()],
            ),
            (
                registration(),
                "+CREG: 1,5,C3D0,2\r\nOK\r\n",
                vec!["ok +CREG: 1,5,C3D0,2".into()],
            ),
            (
                Exchange::of(&ECHO_OFF),
                "+CREG: 1,5,C3D0,2\r\nOK\r\n",
                vec![news(1, 5, 0xC3D0), "ok ".into()],
            ),
        ];
        for (exchange, stream, expected) in cases {
            assert_eq!(talk(exchange, stream), expected, "{stream}");
        }
    }

    #[test]
    fn texts_of_the_network_keep_their_quotes_and_empty_lines() {
        const CASES: &[(&str, &str)] = &[
            ("+CUSD: 1,\"A\r\n\r\nB\",15\r\n", "A\n\nB"),
            ("+CUSD: 1,\"A\r\r\n\r\r\n\r\r\nB\",15\r\n", "A\n\n\nB"),
            (
                "+CUSD: 1,\"A\ncode is \"1234\nB\",15\n",
                "A\ncode is \"1234\nB",
            ),
            (
                "+CUSD: 1,\"A \"B\r\nC \"D\" \"E\"\r\n",
                "A \"B\nC \"D\" \"E",
            ),
            (
                "+CUSD: 1,\"code is \"1234\r\nB\",15\r\n",
                "code is \"1234\nB",
            ),
            ("+CUSD: 1,\"A\r\n\r\n^RSSI:1\r\n\r\nB\",15\r\n", "A\n\nB"),
        ];
        for (stream, text) in CASES {
            for piece in [1, 100] {
                let mut dialog = Dialog::default();
                dialog.start(Exchange::of(&ECHO_OFF), start()).unwrap();
                let stream = format!("\r\n{stream}\r\nOK\r\n");
                stream
                    .as_bytes()
                    .chunks(piece)
                    .for_each(|octets| dialog.receive(octets));
                let told = told(&mut dialog);
                let expected = format!("text: Some({text:?})");
                assert!(
                    told.iter().any(|told| told.contains(&expected)),
                    "{stream:?} {told:?}"
                );
                assert_eq!(told.last().unwrap(), "ok ", "{stream:?}");
            }
        }
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
            [
                format!("news Report({REPORT:?}, Some(25))"),
                "ok +CMGS: 1".to_owned()
            ]
        );
    }

    #[test]
    fn an_acknowledgement_goes_behind_its_prompt() {
        let acknowledge = AcknowledgeWith::of(&[0, 0]);
        let mut dialog = Dialog::default();
        dialog.start(Exchange::of(&acknowledge), start()).unwrap();
        dialog.receive(b"AT+CNMA=1,2\r\r\n> ");
        assert_eq!(told(&mut dialog), ["write \"AT+CNMA=1,2\\r\"", "prompted"]);
        dialog.go(start());
        dialog.receive(b"0000\x1a\r\n\r\nOK\r\n");
        assert_eq!(told(&mut dialog), ["write \"0000\\u{1a}\"", "ok "]);
        assert_eq!(
            talk(Exchange::of(&acknowledge), "\r\n+CMS ERROR: 340\r\n"),
            ["error `AT+CNMA=1,2` was refused with `+CMS ERROR: 340`"]
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

    #[test]
    fn no_prompt_stands_within_a_text_of_the_network() {
        let told = talk(
            sending(),
            "\r\n+CUSD: 1,\"Menu\r\n> More\r\n0 Exit\",15\r\n\r\n> ",
        );
        assert!(told[0].contains("Menu\\n> More\\n0 Exit"), "{told:?}");
        assert_eq!(told[1..], ["prompted"]);
    }

    #[test]
    fn a_prompt_stands_behind_lines_that_lost_their_ends() {
        let cases: [(&str, &[&str]); 4] = [
            ("AT+CMGS=4> ", &["prompted"]),
            ("\r\n^RSSI:13> ", &["news Noise(\"^RSSI:13\")", "prompted"]),
            (
                "\r\n^X: \"a> b\"\r\n",
                &["news Noise(\"^X: \\\"a> b\\\"\")"],
            ),
            ("\r\n^X: a > b\r\n", &["news Noise(\"^X: a > b\")"]),
        ];
        for (stream, expected) in cases {
            assert_eq!(talk(sending(), stream), expected, "{stream:?}");
        }
        let signal = Exchange::of(&SignalQuality);
        assert_eq!(talk(signal, "^X: a> b\r\n"), ["news Noise(\"^X: a> b\")"]);
    }

    #[test]
    fn what_has_come_of_an_answer_is_not_lost_with_it() {
        let list = || Exchange::of(&ListMessages);
        let pin = || Exchange::of(&ReadPin(Ending::Final));
        let refused = "error `AT+CMGS=4` was refused with `+CMS ERROR: 500`";
        let reference = "news LateReference(Some(Mr(23)))";
        for (end, error) in [
            ("\r\n+CMS ERROR: 500\r\n", refused),
            (
                "\r\nERROR\r\n",
                "error `AT+CMGS=4` was refused with `ERROR`",
            ),
        ] {
            let told = sent("\r\n> ", &format!("\r\n+CMGS: 23\r\n{end}"));
            assert_eq!(told, [error, reference]);
        }
        let cases = [
            (
                list(),
                "+CMGL: 1,1,,2\r\n00A7\r\n+CMGL: 2,1,,2\r\n00A8\r\n",
                &[
                    "news Noise(\"+CMGL: 1,1,,2\")",
                    "news Noise(\"00A7\")",
                    "news Noise(\"+CMGL: 2,1,,2\")",
                    "news Noise(\"00A8\")",
                ][..],
            ),
            (pin(), "+CPIN: READY\r\n", &["news Pin(Ready)"]),
        ];
        for (exchange, stream, expected) in cases {
            let mut dialog = Dialog::default();
            dialog.start(exchange, start()).unwrap();
            dialog.receive(stream.as_bytes());
            dialog.tick(dialog.wake_at().unwrap());
            let told = told(&mut dialog);
            assert!(told[1].starts_with("error"), "{told:?}");
            assert_eq!(told[2..], *expected);
        }
    }

    #[test]
    fn the_reference_of_a_text_is_told_when_its_ok_stays_out() {
        let mut dialog = Dialog::default();
        dialog.start(sending(), start()).unwrap();
        dialog.receive(b"\r\n> ");
        dialog.go(start());
        dialog.receive(b"\r\n+CMGS: 23\r\n");
        told(&mut dialog);
        let due = dialog.wake_at().unwrap();
        dialog.tick(due);
        let silent = "error `AT+CMGS=4` was not answered within 60 s";
        let reference = "news LateReference(Some(Mr(23)))";
        assert_eq!(told(&mut dialog), [silent, reference]);
        // Its `OK` is none of the next command.
        dialog.start(Exchange::of(&ECHO_OFF), due).unwrap();
        dialog.receive(b"\r\nOK\r\n");
        assert_eq!(told(&mut dialog)[1..], ["news LateFinal(Ok)"]);
    }

    #[test]
    fn results_glued_to_what_follows_end_their_command() {
        let send = sent("\r\n> ", "\r\n+CMGS: 23\r\n\r\nOKRING\r\n");
        assert_eq!(send, ["ok +CMGS: 23", "news Ring"]);
        let ok = "ok +CSQ: 1,0";
        let stored = "news StoredMessage(Place { storage: \"SM\", index: Some(3) })";
        let cases = [
            ("OKRING", ok, "news Ring"),
            ("OKCall Ready", ok, "news Noise(\"Call Ready\")"),
            ("OKNO CARRIER", ok, "news LateFinal(NoCarrier)"),
            ("OK +CMTI: \"SM\",3", ok, stored),
        ];
        for (line, result, news) in cases {
            let stream = format!("\r\n+CSQ: 1,0\r\n\r\n{line}\r\n");
            let told = talk(Exchange::of(&SignalQuality), &stream);
            assert_eq!(told, [result, news], "{line}");
        }
        let echoed = talk(Exchange::of(&ECHO_OFF), "\r\nOKAT+CSQ\r\n");
        assert_eq!(echoed, ["ok "]);
        for line in [
            "COMMAND NOT SUPPORT",
            "MODEM ERROR: 5",
            "+CMS ERROR: Network timeout",
        ] {
            let stream = format!("\r\n{line}+CMTI: \"SM\",3\r\n");
            let told = talk(Exchange::of(&ECHO_OFF), &stream);
            assert!(told[0].starts_with("error `ATE0` was refused"), "{told:?}");
            assert_eq!(told[1..], [stored], "{line}");
        }
    }

    #[test]
    fn a_length_of_junk_costs_no_pdu() {
        const OTHER: &str = "079144770009909906180C91447700091032623041015123006230410151730000";
        let identity = || Exchange::of(&SubscriberIdentity);
        let other = format!("ok +CMGR: 0,,25|{OTHER}");
        let report = |length: usize| format!("news Report({REPORT:?}, Some({length}))");
        let (of_999, of_99, of_25) = (report(999), report(99), report(25));
        let message = format!("news Message({REPORT:?}, Some(99))");
        let cases = [
            (
                identity(),
                format!("+CMT: ,99\r\n{REPORT}\r\n255030000000001\r\nOK\r\n"),
                vec![message.as_str(), "ok 255030000000001"],
            ),
            (
                Exchange::of(&SignalQuality),
                format!("+CSQ: 1,0\r\n+CDS: 999\r\nOK\r\n{REPORT}\r\n"),
                vec!["ok +CSQ: 1,0", &of_999],
            ),
            (
                Exchange::of(&ReadMessage(0)),
                format!("+CMGR: 0,,25\r\n+CDS: 99\r\n{REPORT}\r\n{OTHER}\r\nOK\r\n"),
                vec![&of_99, &other],
            ),
            (
                Exchange::of(&ReadMessage(0)),
                format!("+CMGR: 0,,2\r\n+CDS: 25\r\n00A7\r\n{REPORT}\r\nOK\r\n"),
                vec![&of_25, "ok +CMGR: 0,,2|00A7"],
            ),
        ];
        for (exchange, stream, expected) in cases {
            assert_eq!(talk(exchange, &stream), expected, "{stream}");
        }
    }

    #[test]
    fn a_header_of_long_ago_takes_no_line() {
        let mut dialog = Dialog::default();
        dialog.receive_at(b"\r\n+CDS: 25\r\n", start());
        let later = start() + Duration::from_secs(7200);
        dialog.receive_at(format!("{REPORT}\r\n").as_bytes(), later);
        let lost = "news Noise(\"a header without its PDU\")";
        let noise = format!("news Noise({REPORT:?})");
        assert_eq!(told(&mut dialog), [lost, &noise]);
    }

    #[test]
    fn echoes_and_chatter_answer_no_question() {
        for line in ["AT", "ATE0", "ATZ", "T+CGMM", "AT+CGMI", "GMM", "SMS READY"] {
            let stream = format!("{line}\r\n\r\nE1752\r\n\r\nOK\r\n");
            let told = talk(Exchange::of(&MODEL), &stream);
            let expected = if line == "GMM" {
                "ok GMM|E1752"
            } else {
                "ok E1752"
            };
            assert_eq!(told.last().unwrap(), expected, "{line}");
        }
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
        "\r\n",
        "\"c\"\n\n",
        "+CMS ERROR: 38^X:1\r\n",
        "+CREG: 1\r",
        "\0^RSSI:1\r\r\n",
        "+CMGS: 7\r\n",
        "ERROR\r\n",
        "AT+CSQ\r",
        "+CSQ: 1,",
        "2\r\n",
        "AT+CMGS=4> ",
        "^X: \"a> ",
        "OKRING\r\n",
        "+CMT: ,99\r\n",
        "00A70B9144770009103200000A04\r\n",
        "\x1a",
    ];

    proptest::proptest! {
        #[test]
        fn where_a_stream_is_torn_does_not_matter(
            pieces in proptest::collection::vec(0..PIECES.len(), 0..40),
            cut in 1_usize..9,
        ) {
            let stream: String = pieces.iter().map(|at| PIECES[*at]).collect();
            let plain = [Exchange::of(&SignalQuality), Exchange::of(&MODEL), Exchange::of(&ECHO_OFF)];
            for exchange in plain.into_iter().chain([sending()]) {
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
