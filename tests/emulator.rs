//! The emulator as a foreign program meets it: an ordinary tty, byte for byte.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's helpers fail as its body does"
)]

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use simpost::emulator::{Emulator, Error, Settings};
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::Timestamp;
use simpost::sms::ids::PartNo;
use simpost::sms::parts::{self, ReportRequest};
use simpost::sms::pdu;
use simpost::sms::report::StatusReport;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPortBuilderExt, SerialStream};

/// Long enough for a busy machine; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(20);
/// To +447700900123, report requested.
const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";

struct Bench {
    emulator: Emulator,
    dir: TempDir,
}

/// Modems without time on air, with reports at once.
fn bench(modems: u16) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    Bench {
        emulator: Emulator::start(&settings(modems, &dir)).unwrap(),
        dir,
    }
}

fn settings(modems: u16, dir: &TempDir) -> Settings {
    let mut settings = Settings::new(modems, dir.path().join("dev"));
    settings.ledger = Some(dir.path().join("ledger.jsonl"));
    settings.radio = Duration::ZERO;
    settings.report_delay = Duration::ZERO;
    settings
}

impl Bench {
    fn open(&self, modem: usize) -> Client {
        Client::open(&self.emulator.ports()[modem])
    }

    fn ledger(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.path().join("ledger.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A program that has opened the tty.
struct Client {
    port: SerialStream,
    got: Vec<u8>,
}

impl Client {
    fn open(path: &Path) -> Self {
        let builder = tokio_serial::new(path.to_string_lossy(), 115_200);
        Self {
            port: builder.open_native_async().unwrap(),
            got: Vec::new(),
        }
    }

    async fn write(&mut self, text: &str) {
        self.port.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next bytes must be these.
    async fn expect(&mut self, expected: &str) {
        let end = expected.len();
        self.fill(|got| got.len() >= end).await;
        let got: Vec<u8> = self.got.drain(..end).collect();
        assert_eq!(String::from_utf8_lossy(&got), expected);
    }

    /// The next bytes up to and with `end`.
    async fn until(&mut self, end: &str) -> String {
        let find = |got: &[u8]| got.windows(end.len()).position(|w| w == end.as_bytes());
        self.fill(|got| find(got).is_some()).await;
        let length = find(&self.got).unwrap() + end.len();
        String::from_utf8(self.got.drain(..length).collect()).unwrap()
    }

    async fn fill(&mut self, enough: impl Fn(&[u8]) -> bool) {
        while !enough(&self.got) {
            let read = tokio::time::timeout(DEADLINE, self.port.read_buf(&mut self.got));
            let count = read.await.unwrap_or_else(|_| {
                panic!("silence after {:?}", String::from_utf8_lossy(&self.got))
            });
            assert_ne!(count.unwrap(), 0, "the port is gone");
        }
    }

    async fn ask(&mut self, command: &str, answer: &str) {
        self.write(&format!("{command}\r")).await;
        self.expect(answer).await;
    }
}

fn part_for(recipient: &str) -> (String, usize) {
    let split = parts::split("Order 1042 is ready").unwrap();
    let number = recipient.parse().unwrap();
    let submit = split.submit(
        "Order 1042 is ready",
        PartNo(1),
        &number,
        0,
        ReportRequest::Wanted,
    );
    pdu::for_cmgs(&submit.unwrap())
}

/// The report of a line `+CDS: <length>` and its PDU.
fn report(hex: &str) -> StatusReport {
    let octets = pdu::decode_hex(hex).unwrap();
    let (centre, tpdu) = pdu::split_smsc(&octets).unwrap();
    assert_eq!(centre.unwrap().to_string(), "+447700900999");
    StatusReport::decode(tpdu).unwrap()
}

#[tokio::test]
async fn a_send_with_its_report_is_byte_exact() {
    let bench = bench(1);
    let mut client = bench.open(0);
    client.ask("AT", "AT\r\r\nOK\r\n").await;
    client.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    client.ask("AT+CMEE=1;+CMGF=0", "\r\nOK\r\n").await;
    client.ask("AT+CNMI=2,1,0,1,0", "\r\nOK\r\n").await;
    client.ask("AT+CMGS=31", "\r\n> ").await;
    client.write(&format!("{HEX}\x1A")).await;
    client.expect("\r\n+CMGS: 23\r\n\r\nOK\r\n").await;
    // The answer is here, so the line is there.
    let submit = bench.ledger().remove(0);
    client
        .expect("\r\n+CDS: 25\r\n079144770009909906170C91447700091032")
        .await;
    let times_and_status = client.until("\r\n").await;
    assert_eq!(times_and_status.len(), 14 + 14 + 2 + 2);
    assert!(times_and_status.ends_with("00\r\n"), "{times_and_status}");
    // The zone of the centre's clock: 8 quarters.
    assert_eq!(
        (&times_and_status[12..14], &times_and_status[26..28]),
        ("80", "80")
    );

    let sent = [
        &submit["event"],
        &submit["recipient"],
        &submit["outcome"],
        &submit["pdu"],
    ];
    assert_eq!(sent, ["submit", "+447700900123", "accepted", HEX]);
    assert_eq!(
        (&submit["modem"], &submit["mr"]),
        (&Value::from(0), &Value::from(23))
    );
    assert_eq!(
        (&submit["code"], &submit["iccid"]),
        (&Value::Null, &"8944001010000000009".into())
    );
    let reported = bench.ledger().remove(1);
    let about = [
        &reported["event"],
        &reported["recipient"],
        &reported["route"],
    ];
    assert_eq!(about, ["report", "+447700900123", "direct"]);
    let report = report(reported["pdu"].as_str().unwrap());
    let accepted: jiff::Timestamp = submit["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(report.scts, Timestamp::from_instant(accepted, 8).unwrap());
}

#[tokio::test]
async fn every_recipient_ends_as_its_table_says() {
    const CASES: &[(&str, &str, Option<u8>)] = &[
        ("+15005550001", "\r\n+CMS ERROR: 1\r\n", None),
        ("+15005550002", "\r\n+CMS ERROR: 195\r\n", None),
        ("+15005550003", "\r\n+CMS ERROR: 196\r\n", None),
        ("+15005550009", "\r\n+CMS ERROR: 30\r\n", None),
        ("+15005550013", "\r\n+CMGS: 27\r\n\r\nOK\r\n", Some(0x41)),
        ("+15005550014", "\r\n+CMS ERROR: 30\r\n", None),
        // Deaf for a while after a silent one, then the next input counts.
        ("+15005550015", "\r\nOK\r\n", None),
        ("+15005550016", "\r\n+CMGS: 30\r\n\r\nOK\r\n", Some(0x46)),
        ("+15005550017", "\r\n+CMS ERROR: 42\r\n", None),
        ("+15005550017", "\r\n+CMS ERROR: 42\r\n", None),
        ("+447700900123", "\r\n+CMGS: 33\r\n\r\nOK\r\n", Some(0)),
    ];
    let bench = bench(1);
    let mut client = bench.open(0);
    client
        .ask("ATE0+CNMI=2,1,0,1,0", "ATE0+CNMI=2,1,0,1,0\r\r\nOK\r\n")
        .await;
    for (recipient, answer, status) in CASES {
        let (hex, length) = part_for(recipient);
        client.ask(&format!("AT+CMGS={length}"), "\r\n> ").await;
        client.write(&format!("{hex}\x1A")).await;
        if *recipient == "+15005550015" {
            client.write("\x1BAT\r").await;
        }
        client.expect(answer).await;
        if let Some(status) = status {
            client.expect("\r\n+CDS: 25\r\n").await;
            let hex = client.until("\r\n").await;
            let report = report(&hex);
            assert_eq!(report.status.0, *status, "{recipient}");
            assert_eq!(report.recipient.to_string(), *recipient);
        }
    }
    let outcomes: Vec<String> = bench
        .ledger()
        .iter()
        .filter(|line| line["event"] == "submit")
        .map(|line| format!("{} {}", line["outcome"].as_str().unwrap(), line["code"]))
        .collect();
    assert_eq!(
        outcomes,
        [
            "refused 1",
            "refused 195",
            "refused 196",
            "refused 30",
            "accepted null",
            "refused 30",
            "silent null",
            "accepted null",
            "refused 42",
            "refused 42",
            "accepted null"
        ]
    );
}

#[tokio::test]
async fn a_client_that_comes_back_finds_the_modem_as_it_was() {
    let bench = bench(1);
    let mut first = bench.open(0);
    first.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    first.ask("AT+CNMI=2,1,0,2,0", "\r\nOK\r\n").await;
    first.ask("AT+CMGS=31", "\r\n> ").await;
    first.write("0031000C91").await;
    drop(first);

    let mut second = bench.open(0);
    second.write("AT\r").await;
    second.write("\x1B").await;
    second.expect("\r\nOK\r\n").await;
    second
        .ask("AT+CNMI?", "\r\n+CNMI: 2,1,0,2,0\r\n\r\nOK\r\n")
        .await;
    drop(second);
    for _ in 0..20 {
        bench.open(0).ask("AT", "\r\nOK\r\n").await;
    }
    assert!(bench.ledger().is_empty());
}

#[tokio::test]
async fn torn_input_is_as_good_as_whole() {
    let bench = bench(1);
    let mut client = bench.open(0);
    for byte in "ATE0\r".chars() {
        client.ask_byte(byte).await;
    }
    client.expect("\r\nOK\r\n").await;
    for byte in "AT+CMGS=31\r".chars() {
        client.write(&byte.to_string()).await;
    }
    client.expect("\r\n> ").await;
    for byte in format!("{HEX}\x1A").chars() {
        client.write(&byte.to_string()).await;
    }
    client.expect("\r\n+CMGS: 23\r\n\r\nOK\r\n").await;
    assert_eq!(bench.ledger()[0]["pdu"], HEX);
}

impl Client {
    /// One byte, and its echo.
    async fn ask_byte(&mut self, byte: char) {
        self.write(&byte.to_string()).await;
        self.expect(&byte.to_string()).await;
    }
}

#[tokio::test]
async fn messages_from_outside_are_stored_and_announced() {
    let bench = bench(2);
    let network = bench.emulator.network();
    let mut client = bench.open(1);
    client
        .ask("ATE0+CNMI=2,1,0,1,0", "ATE0+CNMI=2,1,0,1,0\r\r\nOK\r\n")
        .await;
    let long = "Ξεκίνα! ".repeat(12);
    network.deliver(1, "+447700900456", &long).await.unwrap();
    network
        .deliver(1, "Bank", "Your code is 4711")
        .await
        .unwrap();
    client
        .expect("\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n\r\n+CMTI: \"SM\",3\r\n")
        .await;
    let mut texts = Vec::new();
    for slot in 1..=3 {
        client.write(&format!("AT+CMGR={slot}\r")).await;
        let answer = client.until("\r\n\r\nOK\r\n").await;
        let mut lines = answer.trim().lines();
        let octets = pdu::decode_hex(lines.nth(1).unwrap()).unwrap();
        let (_, tpdu) = pdu::split_smsc(&octets).unwrap();
        assert!(
            answer.starts_with(&format!("\r\n+CMGR: 0,,{}\r\n", tpdu.len())),
            "{answer}"
        );
        let deliver = Deliver::decode(tpdu).unwrap();
        texts.push((deliver.originator.to_string(), deliver.text()));
    }
    assert_eq!(texts[0].1.clone() + &texts[1].1, long);
    assert_eq!(texts[0].0, "+447700900456");
    assert_eq!(texts[2], ("Bank".into(), "Your code is 4711".into()));
    let inbound: Vec<Value> = bench.ledger();
    assert_eq!(inbound.len(), 3);
    assert_eq!(
        (&inbound[2]["sender"], &inbound[2]["route"]),
        (&"Bank".into(), &"stored".into())
    );

    assert!(matches!(
        network.deliver(2, "Bank", "x").await,
        Err(Error::NoModem(2))
    ));
    assert!(matches!(
        network.deliver(0, "Bank", "").await,
        Err(Error::Text(_))
    ));
    let sender = network.deliver(0, "a name far too long", "x").await;
    assert!(matches!(sender, Err(Error::Sender(_))));
}

#[tokio::test]
async fn losing_the_network_is_told() {
    let bench = bench(1);
    let mut client = bench.open(0);
    client.ask("ATE0+CREG=1", "ATE0+CREG=1\r\r\nOK\r\n").await;
    bench.emulator.network().admit(0, false).await.unwrap();
    client.expect("\r\n+CREG: 0\r\n").await;
    client.ask("AT+CMGS=31", "\r\n+CMS ERROR: 331\r\n").await;
    bench.emulator.network().admit(0, true).await.unwrap();
    client.expect("\r\n+CREG: 1\r\n").await;
    client.ask("AT+CMGS=31", "\r\n> ").await;
}

#[tokio::test]
async fn a_restart_shows_the_same_sims_and_stopping_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let emulator = Emulator::start(&settings(3, &dir)).unwrap();
        let ports = emulator.ports();
        assert_eq!(ports[2], dir.path().join("dev/modem2"));
        let mut client = Client::open(&ports[2]);
        client.write("ATE0+CCID;+CGSN;+CIMI;+CNUM\r").await;
        seen.push(client.until("OK\r\n").await);
        emulator.stop().await;
        assert!(
            ports
                .iter()
                .all(|port| std::fs::symlink_metadata(port).is_err())
        );
    }
    assert_eq!(seen[0], seen[1]);
    assert!(
        seen[0].contains("+CNUM: \"\",\"+447700900502\",145"),
        "{}",
        seen[0]
    );

    let emulator = Emulator::start(&settings(1, &dir)).unwrap();
    let port = emulator.ports().remove(0);
    drop(emulator);
    assert!(std::fs::symlink_metadata(port).is_err());
}

#[tokio::test]
async fn families_are_taken_in_turn() {
    let dir = tempfile::tempdir().unwrap();
    let mut wanted = settings(3, &dir);
    wanted.profiles = vec!["telit".into(), "mine".into()];
    wanted.profiles_dir = Some(dir.path().into());
    let unknown = Emulator::start(&wanted).unwrap_err();
    let cause = std::error::Error::source(&unknown).unwrap().to_string();
    assert!(cause.starts_with("there is no profile `mine`; built in are generic, cinterion, "));
    std::fs::write(dir.path().join("mine.toml"), "model = \"Own\"").unwrap();
    let emulator = Emulator::start(&wanted).unwrap();
    for (port, model) in emulator.ports().iter().zip(["HE910", "Own", "HE910"]) {
        let mut client = Client::open(port);
        client.write("ATE0+CGMM\r").await;
        let said = client.until("OK\r\n").await;
        assert!(said.contains(&format!("\r\n{model}\r\n")), "{said}");
    }
    emulator.stop().await;
}

#[test]
fn the_emulator_says_why_it_cannot_start() {
    let dir = tempfile::tempdir().unwrap();
    let outside = Emulator::start(&settings(1, &dir)).unwrap_err();
    assert_eq!(
        outside.to_string(),
        "the emulator needs a running tokio runtime"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    std::fs::create_dir(dir.path().join("dev")).unwrap();
    std::fs::write(dir.path().join("dev/modem0"), "").unwrap();
    let occupied = Emulator::start(&settings(1, &dir)).unwrap_err();
    let text = format!(
        "cannot place the link `{}`",
        dir.path().join("dev/modem0").display()
    );
    assert_eq!(occupied.to_string(), text);
    let mut wrong = settings(1, &dir);
    wrong.ledger = Some(dir.path().join("none/ledger"));
    let ledger = Emulator::start(&wrong).unwrap_err();
    assert!(matches!(ledger, Error::Ledger { .. }), "{ledger}");
}
