//! Real dialogues, replayed through the engine: as they came, octet by octet, and with a line that
//! nobody asked for at every border.
//!
//! A file of `tests/transcripts` holds both sides and what the engine made of them: `>` we write, `<`
//! the modem says, `~` so many milliseconds pass, `=` how a command ended and what its typed reader
//! found, `*` news; `!` a manner of the family. `\e` is ESC, `\z` Ctrl-Z, `\s` a blank at the end.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail loudly"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use simpost::modem::at::codes::final_result;
use simpost::modem::at::dialog::{Dialog, Exchange, Step};
use simpost::modem::at::identity::{MANUFACTURER, MODEL, ReadSupply};
use simpost::modem::at::messaging::{
    ACKNOWLEDGE, HexPdu, ListRoutings, MoreMessages, PDU_MODE, ReadServiceCentre, RouteIndications,
    SelectService, SendMessage,
};
use simpost::modem::at::network::{Domain, ReadRegistration, SignalQuality};
use simpost::modem::at::pin::EnterPin;
use simpost::modem::at::reading::{Fields, Kind, Reading, Value, read};
use simpost::modem::at::sim::{ReadPin, ReadTries};
use simpost::modem::at::storage::{
    DeleteMessage, ListMessages, ListStorages, ReadMessage, ReadStorage, SelectStorage,
};
use simpost::modem::at::ussd::HANG_UP;
use simpost::modem::at::{
    ATTENTION, Answer, Command, ECHO_OFF, Ending, Error, GSM_CHARACTERS, NUMERIC_ERRORS,
    ParseError, Plain,
};
use simpost::sms::pdu::decode_hex;

/// The network may take so long in these dialogues: longer than one that was waited for, shorter than
/// one that was given up.
const PATIENCE: Duration = Duration::from_secs(75);

/// Lines that cross a dialogue, and how they are told.
const CROSSING: &[(&str, &str)] = &[
    (
        "\r\n+CMTI: \"SM\",77\r\n",
        "* StoredMessage(Place { storage: \"SM\", index: Some(77) })",
    ),
    ("\r\n^RSSI:31\r\n", "* Noise(\"^RSSI:31\")"),
    ("\r\nRING\r\n", "* Ring"),
    (
        "\r\n+CREG: 5,\"0ABC\",\"00DE\"\r\n",
        "* Registration(Circuit, Status { n: None, stat: 5, area: Some(2748), cell: Some(222), technology: None })",
    ),
    (
        "\r\n+CUSD: 0,\"Hi\",15\r\n",
        "* Ussd(Ussd { m: 0, text: Some(\"Hi\"), language: None, dcs: Some(15), coding: Plain })",
    ),
    (
        "\r\n+CMT: \"\",23\r\n0791447700099099040C9144770009406500006230414003000A0453EA130C\r\n",
        "* Message(\"0791447700099099040C9144770009406500006230414003000A0453EA130C\", Some(23))",
    ),
    (
        "\r\n+CDS: 25\r\n0791447700099099065A0B817007900021F3623041015123006230410151730099\r\n",
        "* Report(\"0791447700099099065A0B817007900021F3623041015123006230410151730099\", Some(25))",
    ),
    // Lengths of junk.
    (
        "\r\n+CMT: ,99\r\n0791447700099099040C9144770009406500006230414003000A0453EA130C\r\n",
        "* Message(\"0791447700099099040C9144770009406500006230414003000A0453EA130C\", Some(99))",
    ),
    (
        "\r\n+CDS: 999\r\n0791447700099099065A0B817007900021F3623041015123006230410151730099\r\n",
        "* Report(\"0791447700099099065A0B817007900021F3623041015123006230410151730099\", Some(999))",
    ),
];

/// Lines that stand right behind a final result, its end lost, and how they are told.
const GLUED: &[(&str, &str)] = &[
    (
        "+CMTI: \"SM\",77",
        "* StoredMessage(Place { storage: \"SM\", index: Some(77) })",
    ),
    ("^RSSI:31", "* Noise(\"^RSSI:31\")"),
    ("RING", "* Ring"),
    ("POWERED DOWN", "* Noise(\"POWERED DOWN\")"),
    ("NO CARRIER", "* LateFinal(NoCarrier)"),
];

#[derive(Debug, Clone)]
enum Event {
    Host(String),
    Modem(String),
    Pause(Duration),
}

/// One file, read.
struct Transcript {
    name: String,
    text: String,
    ending: Ending,
    events: Vec<Event>,
}

fn transcripts() -> Vec<Transcript> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    files.sort();
    files.iter().map(transcript).collect()
}

fn transcript(path: &PathBuf) -> Transcript {
    let text = std::fs::read_to_string(path).unwrap();
    let events = text.lines().filter_map(event).collect();
    Transcript {
        name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        ending: if text.contains("\n! first_line\n") {
            Ending::FirstLine
        } else {
            Ending::Final
        },
        events,
        text,
    }
}

fn event(line: &str) -> Option<Event> {
    let (sign, rest) = line.split_at_checked(2)?;
    match sign {
        "> " => Some(Event::Host(unescaped(rest))),
        "< " => Some(Event::Modem(unescaped(rest))),
        "~ " => Some(Event::Pause(Duration::from_millis(rest.parse().unwrap()))),
        _ => None,
    }
}

const ESCAPES: &[(&str, &str)] = &[
    ("\\r", "\r"),
    ("\\n", "\n"),
    ("\\e", "\x1b"),
    ("\\z", "\x1a"),
    ("\\s", " "),
];

fn unescaped(text: &str) -> String {
    ESCAPES
        .iter()
        .fold(text.to_owned(), |text, (escape, octet)| {
            text.replace(escape, octet)
        })
}

fn escaped(text: &str) -> String {
    let shown = match text.strip_suffix(' ') {
        Some(cut) => format!("{cut}\\s"),
        None => text.to_owned(),
    };
    ESCAPES
        .iter()
        .take(4)
        .fold(shown, |text, (escape, octet)| text.replace(octet, escape))
}

/// A command of a family that has no reader here, answered under its own name.
struct Named(String);

impl Command for Named {
    type Reply = ();
    const TIMEOUT: Duration = Duration::from_secs(20);
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        self.0.clone()
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// The typed command that writes `line`.
fn exchange(line: &str, ending: Ending) -> Exchange {
    let index = |line: &str| {
        line.split_once('=')
            .and_then(|(_, index)| index.parse().ok())
    };
    let argument = line.split_once('=').map(|(_, rest)| rest.to_owned());
    let argument = argument.unwrap_or_default();
    match line.split(['=', '?']).next().unwrap_or_default() {
        "" => Exchange::of(&ATTENTION),
        "E0" => Exchange::of(&ECHO_OFF),
        "+CMEE" => Exchange::of(&NUMERIC_ERRORS),
        "+CSCS" => Exchange::of(&GSM_CHARACTERS),
        "+CMGF" => Exchange::of(&PDU_MODE),
        "+CNMA" => Exchange::of(&ACKNOWLEDGE),
        "+CMMS" if argument == "2" => Exchange::of(&MoreMessages::Open.command()),
        "+CMMS" => Exchange::of(&MoreMessages::Closed.command()),
        "+CUSD" if argument == "2" => Exchange::of(&HANG_UP),
        "+CGMI" => Exchange::of(&MANUFACTURER),
        "+CGMM" => Exchange::of(&MODEL),
        "+CSQ" => Exchange::of(&SignalQuality),
        "+CBC" => Exchange::of(&ReadSupply),
        "+CSMS" => Exchange::of(&SelectService(argument.parse().unwrap())),
        "+CPIN" if !argument.is_empty() => {
            let code = argument.trim_matches('"').parse().unwrap();
            Exchange::of(&EnterPin(code))
        }
        "+CPIN" if line.ends_with('?') => Exchange::of(&ReadPin(ending)),
        "^CPIN" => Exchange::of(&ReadTries("^CPIN?".into())),
        "+CREG" if line.ends_with('?') => Exchange::of(&ReadRegistration(Domain::Circuit)),
        "+CEREG" => Exchange::of(&ReadRegistration(Domain::Eps)),
        "+CSCA" => Exchange::of(&ReadServiceCentre),
        "+CNMI" if line.ends_with("=?") => Exchange::of(&ListRoutings),
        "+CNMI" => Exchange::of(&RouteIndications(argument)),
        "+CPMS" if line.ends_with("=?") => Exchange::of(&ListStorages),
        "+CPMS" if line.ends_with('?') => Exchange::of(&ReadStorage),
        "+CPMS" => Exchange::of(&SelectStorage(argument)),
        "+CMGR" => Exchange::of(&ReadMessage(index(line).unwrap())),
        "+CMGD" => Exchange::of(&DeleteMessage(index(line).unwrap())),
        "+CMGL" => Exchange::of(&ListMessages),
        "E0+CPMS" => Exchange::of(&Named(line.to_owned())),
        _ => Exchange::of(&Plain(line.to_owned().leak())),
    }
}

/// How the modem's octets reach the engine.
#[derive(Clone, Copy)]
enum Feed<'a> {
    Whole,
    Octets,
    /// With these octets before the one at this place of the modem's whole stream.
    Crossed(usize, &'a str),
}

struct Replay<'a> {
    dialog: Dialog,
    now: Instant,
    feed: Feed<'a>,
    ending: Ending,
    command: String,
    /// Octets of the modem so far.
    offset: usize,
    log: Vec<String>,
}

impl Replay<'_> {
    fn run(transcript: &Transcript, feed: Feed<'_>) -> Vec<String> {
        let mut replay = Replay {
            dialog: Dialog::default(),
            now: tokio::time::Instant::now().into_std(),
            feed,
            ending: transcript.ending,
            command: String::new(),
            offset: 0,
            log: Vec::new(),
        };
        for (at, event) in transcript.events.iter().enumerate() {
            match event {
                Event::Host(text) => {
                    replay.log.push(format!("> {}", escaped(text)));
                    replay.host(text, payload(transcript.events.get(at + 1..).unwrap()));
                }
                Event::Modem(text) => {
                    replay.log.push(format!("< {}", escaped(text)));
                    replay.modem(text);
                }
                Event::Pause(pause) => {
                    replay.log.push(format!("~ {}", pause.as_millis()));
                    replay.now += *pause;
                    replay.dialog.tick(replay.now);
                }
            }
            replay.told(event);
        }
        replay.log
    }

    fn host(&mut self, text: &str, payload: Option<&str>) {
        if text == "\x1b\r" {
            self.dialog.clear();
        } else if text.ends_with('\x1a') {
            self.dialog.go(self.now);
        } else {
            // Whoever writes a command while one runs has given that one up.
            if let Some(end) = self.dialog.wake_at() {
                self.dialog.tick(end);
                self.log.insert(self.log.len() - 1, "= given up".into());
                assert!(matches!(self.dialog.poll(), Some(Step::Finished(Err(_)))));
            }
            let line = text.trim_end_matches('\r').strip_prefix("AT").unwrap();
            line.clone_into(&mut self.command);
            let exchange = if line.starts_with("+CMGS=") {
                let length = line.rsplit('=').next().unwrap();
                Exchange::of(&SendMessage {
                    tpdu_length: length.parse().unwrap(),
                    pdu: HexPdu::of(&decode_hex(payload.unwrap_or_default()).unwrap_or_default()),
                    patience: PATIENCE,
                })
            } else {
                exchange(line, self.ending)
            };
            self.dialog.start(exchange, self.now).unwrap();
        }
    }

    fn modem(&mut self, text: &str) {
        let octets = text.as_bytes();
        match self.feed {
            Feed::Whole => self.dialog.receive(octets),
            Feed::Octets => octets
                .iter()
                .for_each(|octet| self.dialog.receive(&[*octet])),
            Feed::Crossed(place, line) => match place.checked_sub(self.offset) {
                Some(at) if at < octets.len() => {
                    let (before, after) = octets.split_at(at);
                    self.dialog.receive(before);
                    self.dialog.receive(line.as_bytes());
                    self.dialog.receive(after);
                }
                _ => self.dialog.receive(octets),
            },
        }
        self.offset += octets.len();
    }

    /// Writes down what the engine has to say; what it writes must be what was written then.
    fn told(&mut self, event: &Event) {
        let mut written = String::new();
        while let Some(step) = self.dialog.poll() {
            match step {
                Step::Write(bytes) => written.push_str(std::str::from_utf8(&bytes).unwrap()),
                Step::Prompted => self.log.push("= prompted".into()),
                Step::Finished(Ok(lines)) => {
                    let reading = read(&self.command, Kind::Response, &lines);
                    self.log
                        .push(format!("= {}", shown_reading(reading, &lines)));
                }
                Step::Finished(Err(Error::Refused { cause, .. })) => {
                    self.log.push(format!("= refused {cause}"));
                }
                Step::Finished(Err(Error::TimedOut { .. })) => self.log.push("= timed out".into()),
                Step::Finished(Err(error)) => panic!("{error}"),
                Step::News(news) => self.log.push(format!("* {news:?}")),
            }
        }
        match event {
            Event::Host(text) => assert_eq!(written, *text),
            Event::Modem(_) | Event::Pause(_) => assert_eq!(written, ""),
        }
    }
}

/// What goes out after the next prompt.
fn payload(events: &[Event]) -> Option<&str> {
    events.iter().find_map(|event| match event {
        Event::Host(text) => Some(text.trim_end_matches('\x1a')),
        Event::Modem(_) | Event::Pause(_) => None,
    })
}

fn shown_reading(reading: Result<Reading, ParseError>, lines: &[String]) -> String {
    match reading {
        Ok(Reading::Fields(fields)) => shown_fields(&fields),
        Ok(Reading::Final(result)) => format!("{result:?}"),
        Err(_) => format!("not read: {}", lines.join(" | ")),
    }
}

fn shown_fields(fields: &Fields) -> String {
    let one = |(name, value): &(&str, Value)| format!("{name} {}", shown(value));
    format!(
        "{{{}}}",
        fields.iter().map(one).collect::<Vec<_>>().join(", ")
    )
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(values) => {
            format!(
                "[{}]",
                values.iter().map(shown).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Fields(fields) => shown_fields(fields),
    }
}

fn is_told(line: &&str) -> bool {
    ["> ", "< ", "~ ", "= ", "* "]
        .iter()
        .any(|sign| line.starts_with(sign))
}

#[test]
fn every_dialogue_ends_as_it_is_written_down() {
    let transcripts = transcripts();
    assert_eq!(transcripts.len(), 16);
    for transcript in &transcripts {
        let expected: Vec<&str> = transcript.text.lines().filter(is_told).collect();
        for feed in [Feed::Whole, Feed::Octets] {
            let log = Replay::run(transcript, feed);
            let differs = log.iter().zip(&expected).position(|(a, b)| a != b);
            assert!(
                log == expected,
                "{} differs at line {differs:?}; it would read\n{}",
                transcript.name,
                log.join("\n")
            );
        }
    }
}

/// The borders of the modem's stream, and whether quotes are open there.
fn borders(transcript: &Transcript) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    let mut offset = 0;
    for event in &transcript.events {
        let Event::Modem(text) = event else {
            continue;
        };
        for (at, _) in text.char_indices() {
            let before = text.get(..at).unwrap();
            if at == 0 || before.ends_with('\n') {
                found.push((offset + at, before.matches('"').count() % 2 == 1));
            }
        }
        offset += text.len();
    }
    found
}

/// Where the final results of the modem's stream end.
fn results(transcript: &Transcript) -> Vec<usize> {
    let mut found = Vec::new();
    let mut offset = 0;
    for event in &transcript.events {
        let Event::Modem(text) = event else {
            continue;
        };
        for (at, _) in text.match_indices('\r') {
            let before = text.get(..at).unwrap();
            let line = before.rsplit(['\r', '\n']).next();
            // Between quotes it is a word of the network's text.
            let quoted = before.matches('"').count() % 2 == 1;
            if !quoted && line.is_some_and(|line| final_result(line).is_some()) {
                found.push(offset + at);
            }
        }
        offset += text.len();
    }
    found
}

#[test]
fn a_line_glued_to_a_result_changes_nothing_else() {
    let mut tried = 0;
    for transcript in transcripts() {
        let plain = Replay::run(&transcript, Feed::Whole);
        for place in results(&transcript) {
            for (line, told) in GLUED {
                let mut log = Replay::run(&transcript, Feed::Crossed(place, line));
                let name = format!("{}, {line:?} at {place}", transcript.name);
                let at = log.iter().position(|entry| entry == told);
                log.remove(at.unwrap_or_else(|| panic!("{name}: not told\n{}", log.join("\n"))));
                assert!(log == plain, "{name}\n{}", log.join("\n"));
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

/// News of a PDU without the length that its header stated.
fn without_length(entry: &str) -> String {
    let carries = entry.starts_with("* Message(") || entry.starts_with("* Report(");
    match entry.rsplit_once(", ").filter(|_| carries) {
        Some((pdu, _)) => pdu.to_owned(),
        None => entry.to_owned(),
    }
}

/// Where two headers stand before two PDUs and one of them states junk, only the PDUs can be told apart.
fn without_lengths(log: &[String]) -> Vec<String> {
    log.iter().map(|entry| without_length(entry)).collect()
}

#[test]
fn a_line_that_crosses_at_any_border_changes_nothing_else() {
    let mut tried = 0;
    for transcript in transcripts() {
        let plain = without_lengths(&Replay::run(&transcript, Feed::Whole));
        for (place, in_text) in borders(&transcript) {
            for (line, told) in CROSSING {
                let told = without_length(told);
                // Within a text of the network nothing tells the word from the text.
                if in_text && line.contains("RING") {
                    continue;
                }
                let log = Replay::run(&transcript, Feed::Crossed(place, line));
                let mut log = without_lengths(&log);
                let name = format!("{}, {line:?} at {place}", transcript.name);
                let at = log.iter().position(|entry| *entry == told);
                log.remove(at.unwrap_or_else(|| panic!("{name}: not told\n{}", log.join("\n"))));
                assert!(log == plain, "{name}\n{}", log.join("\n"));
                tried += 1;
            }
        }
    }
    assert!(tried > 2000, "{tried}");
}
