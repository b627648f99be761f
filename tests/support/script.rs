//! Scripted modems on in-memory pipes, for tests in virtual time.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use simpost::modem::port::{Connect, Connecting, Line, OpenError, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

/// What the script does when a line, a payload or an ESC comes.
pub type Script = Box<dyn FnMut(&str) -> Option<Say> + Send>;

#[derive(Clone)]
pub enum Say {
    /// These bytes.
    Text(String),
    /// These bytes after a while.
    Later(Duration, String),
    /// These bytes, and others after a while.
    Twice(String, Duration, String),
    /// Nothing at all.
    Silence,
    /// The wire breaks.
    Hang,
}

#[expect(clippy::unnecessary_wraps, reason = "scripts answer with it as it is")]
pub fn text(text: &str) -> Option<Say> {
    Some(Say::Text(text.to_owned()))
}

/// A modem that is well-behaved in everything.
pub fn polite() -> Script {
    Box::new(|_| None)
}

/// What every well-behaved modem says.
pub fn manners(line: &str) -> Say {
    let answer = match line {
        "AT+CGMI" => "\r\nMaker\r\n\r\nOK\r\n",
        "AT+CGMM" => "\r\nModel 1\r\n\r\nOK\r\n",
        "AT+CGSN" => "\r\n490154203237518\r\n\r\nOK\r\n",
        "AT+CPIN?" => "\r\n+CPIN: READY\r\n\r\nOK\r\n",
        "AT+CCID" => "\r\n+CCID: 8938003992000000017\r\n\r\nOK\r\n",
        "AT+CIMI" => "\r\n255030000000001\r\n\r\nOK\r\n",
        "AT+CPMS=\"SM\",\"SM\",\"SM\"" | "AT+CPMS=\"SM\"" => {
            "\r\n+CPMS: 0,20,0,20,0,20\r\n\r\nOK\r\n"
        }
        "AT+CPMS=?" => "\r\n+CPMS: (\"SM\"),(\"SM\"),(\"SM\")\r\n\r\nOK\r\n",
        "AT+CSMS?" => "\r\n+CSMS: 0,1,1,1\r\n\r\nOK\r\n",
        "AT+CSCA?" => "\r\n+CSCA: \"+447700900999\",145\r\n\r\nOK\r\n",
        "AT+CNUM" => "\r\n+CNUM: \"\",\"+447700900111\",145\r\n\r\nOK\r\n",
        "AT+CNMI?" => "\r\n+CNMI: 2,1,0,1,0\r\n\r\nOK\r\n",
        "AT+CREG?" => "\r\n+CREG: 1,1\r\n\r\nOK\r\n",
        "AT+COPS?" => "\r\n+COPS: 0,0,\"Shop Net\",2\r\n\r\nOK\r\n",
        "AT+CSQ" => "\r\n+CSQ: 14,99\r\n\r\nOK\r\n",
        "\u{1b}" => "",
        line if line.starts_with("AT+CMGS=") => "\r\n> ",
        line if line.ends_with('\u{1a}') => "\r\n+CMGS: 23\r\n\r\nOK\r\n",
        _ => "\r\nOK\r\n",
    };
    Say::Text(answer.to_owned())
}

/// A modem on the other end of a pipe, that notes what it hears and when.
async fn scripted(mut wire: DuplexStream, mut script: Script, heard: Heard) {
    let mut pending_line = String::new();
    let mut byte = [0];
    while wire.read(&mut byte).await.is_ok_and(|count| count == 1) {
        let byte = char::from(byte[0]);
        let ended = matches!(byte, '\r' | '\u{1a}' | '\u{1b}');
        if byte != '\r' {
            pending_line.push(byte);
        }
        if !ended || pending_line.is_empty() {
            continue;
        }
        let line = std::mem::take(&mut pending_line);
        heard.0.lock().unwrap().push(line.clone());
        let say = script(&line).unwrap_or_else(|| manners(&line));
        let bytes = match say {
            Say::Text(bytes) => bytes,
            Say::Later(wait, bytes) => {
                sleep(wait).await;
                bytes
            }
            Say::Twice(first, wait, bytes) => {
                if wire.write_all(first.as_bytes()).await.is_err() {
                    return;
                }
                sleep(wait).await;
                bytes
            }
            Say::Silence => continue,
            Say::Hang => return,
        };
        if wire.write_all(bytes.as_bytes()).await.is_err() {
            return;
        }
    }
}

#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// So many lines that begin so were heard.
    pub fn count(&self, start: &str) -> usize {
        let lines = self.lines();
        lines.iter().filter(|line| line.starts_with(start)).count()
    }

    /// Waits until a line is heard.
    pub async fn until(&self, line: &str) {
        let end = Instant::now() + Duration::from_secs(3600);
        while !self.lines().iter().any(|heard| heard == line) {
            let never = || format!("`{line}` is never heard: {:?}", self.lines());
            assert!(Instant::now() < end, "{}", never());
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn after(&self, line: &str) -> Vec<String> {
        let lines = self.lines();
        let place = lines.iter().position(|heard| heard == line).expect("heard");
        lines[place + 1..].to_vec()
    }
}

/// Opens one scripted modem after the other; when none is left, the port is absent.
pub struct Pipes {
    name: String,
    scripts: Mutex<VecDeque<Script>>,
    pub heard: Heard,
    line: Line,
    /// At any other speed rubbish comes back.
    speed: Option<u32>,
    tried: Arc<Mutex<Vec<u32>>>,
}

impl Pipes {
    /// A port of that name, on which one script after the other is plugged in.
    pub fn new(name: &str, scripts: Vec<Script>, heard: &Heard) -> Self {
        Self {
            name: name.into(),
            scripts: Mutex::new(scripts.into()),
            heard: heard.clone(),
            line: Line::Memory,
            speed: None,
            tried: Arc::default(),
        }
    }

    /// A port over such a line, whose modem understands one speed. The speeds that were tried go to
    /// what comes back.
    pub fn at_speed(mut self, line: Line, speed: u32) -> (Self, Arc<Mutex<Vec<u32>>>) {
        self.line = line;
        self.speed = Some(speed);
        let tried = Arc::clone(&self.tried);
        (self, tried)
    }
}

impl Connect for Pipes {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn line(&self) -> Line {
        self.line
    }

    fn connect(&self, baud: u32) -> Connecting<'_> {
        Box::pin(async move {
            self.tried.lock().unwrap().push(baud);
            let next = if self.speed.is_some_and(|speed| speed != baud) {
                let rubbish: Script = Box::new(|_| Some(Say::Text("\u{0}\u{7f}x\u{0}".into())));
                Some(rubbish)
            } else {
                self.scripts.lock().unwrap().pop_front()
            };
            let script = next.ok_or_else(|| OpenError::Absent(PathBuf::from(&self.name)))?;
            let (ours, theirs) = duplex(4096);
            tokio::spawn(scripted(theirs, script, self.heard.clone()));
            Ok(Box::new(ours) as Box<dyn Wire>)
        })
    }
}
