//! The emulator taken by its control socket and its flags, on real pseudo-terminals.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use simpost::emulator::{Emulator, Error, Quota, Settings};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};

/// Long enough for a busy machine; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(20);
/// To +447700900123, report requested.
const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";

fn settings(dir: &TempDir) -> Settings {
    let mut settings = Settings::new(2, dir.path().join("dev"));
    settings.control = Some(dir.path().join("control"));
    settings.radio = Duration::ZERO;
    settings.report_delay = Duration::ZERO;
    settings
}

/// Somebody at the control socket.
struct Hand(BufReader<UnixStream>);

impl Hand {
    async fn reach(dir: &TempDir) -> Self {
        let path = dir.path().join("control");
        Self(BufReader::new(UnixStream::connect(path).await.unwrap()))
    }

    async fn order(&mut self, line: &str) -> Value {
        let line = format!("{line}\n");
        self.0.get_mut().write_all(line.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tokio::time::timeout(DEADLINE, self.0.read_line(&mut answer));
        read.await.unwrap().unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    async fn done(&mut self, line: &str) {
        assert_eq!(self.order(line).await, json!({"ok": true}), "{line}");
    }
}

struct Client(SerialStream);

impl Client {
    fn open(path: &Path, baud: u32) -> Self {
        let builder = tokio_serial::new(path.to_string_lossy(), baud);
        Self(builder.open_native_async().unwrap())
    }

    /// What comes up to and with `end`; up to the end of the port if that comes first.
    async fn until(&mut self, end: &str) -> String {
        let mut got = Vec::new();
        while !got.ends_with(end.as_bytes()) {
            let read = tokio::time::timeout(DEADLINE, self.0.read_buf(&mut got));
            match read.await {
                Ok(Ok(1..)) => {}
                Ok(_) => break,
                Err(_) => assert_eq!(String::from_utf8_lossy(&got), end, "silence"),
            }
        }
        String::from_utf8_lossy(&got).into_owned()
    }

    async fn ask(&mut self, line: &str, end: &str) -> String {
        self.0.write_all(line.as_bytes()).await.unwrap();
        self.until(end).await
    }
}

#[tokio::test]
async fn orders_are_obeyed_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&settings(&dir)).unwrap();
    let mut hand = Hand::reach(&dir).await;
    let mut client = Client::open(&emulator.ports()[0], 115_200);
    client.ask("ATE0+CREG=1;+CNMI=2,1,0,1,0\r", "OK\r\n").await;

    hand.done(r#"{"do":"network_lost","modem":0}"#).await;
    assert_eq!(client.until("+CREG: 0\r\n").await, "\r\n+CREG: 0\r\n");
    // What comes meanwhile waits for the network.
    let order = r#"{"do":"deliver","modem":0,"from":"Bank","text":"4711","zone":-14}"#;
    hand.done(order).await;
    let listed = hand.order(r#"{"do":"list"}"#).await;
    let state = |modem: u16, registered: bool, waiting: u8| {
        let name = format!("modem{modem}");
        json!({"modem": modem, "name": name, "registered": registered, "sim": "ready", "accepted": 0, "waiting": waiting})
    };
    let modems = [state(0, false, 1), state(1, true, 0)];
    assert_eq!(listed, json!({"ok": true, "modems": modems}));
    hand.done(r#"{"do":"network_back"}"#).await;
    let told = client.until("+CMTI: \"SM\",1\r\n").await;
    assert!(told.contains("\r\n+CREG: 1\r\n"), "{told}");
    let read = client.ask("AT+CMGR=1\r", "OK\r\n").await;
    assert!(read.contains("49"), "the zone: {read}");

    let long = "Ξεκίνα! ".repeat(12);
    let order = json!({"do": "deliver", "modem": 0, "from": "+447700900456", "text": long, "order": [2, 1, 2]});
    hand.done(&order.to_string()).await;
    let told = client.until("+CMTI: \"SM\",4\r\n").await;
    assert_eq!(told.matches("+CMTI").count(), 3);
    let mut parts = Vec::new();
    for slot in 2..=4 {
        let read = client.ask(&format!("AT+CMGR={slot}\r"), "OK\r\n").await;
        let header = read.find("050003").unwrap();
        parts.push(read[header + 8..header + 12].to_owned());
    }
    assert_eq!(parts, ["0202", "0201", "0202"]);
    emulator.stop().await;
    assert!(!dir.path().join("control").exists());
}

#[tokio::test]
async fn rules_quotas_and_reports_are_set_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&settings(&dir)).unwrap();
    let mut hand = Hand::reach(&dir).await;
    let mut client = Client::open(&emulator.ports()[1], 115_200);
    client.ask("ATE0+CNMI=2,1,0,1,0\r", "OK\r\n").await;
    hand.done(
        r#"{"do":"error","at":"answer","command":"+CSQ","error":"+CME ERROR: 100","modem":1}"#,
    )
    .await;
    let spoilt = client.ask("AT+CSQ\r", "100\r\n").await;
    assert_eq!(spoilt, "\r\n+CME ERROR: 100\r\n");
    hand.done(r#"{"do":"clear"}"#).await;
    assert!(
        client
            .ask("AT+CSQ\r", "OK\r\n")
            .await
            .contains("+CSQ: 21,99")
    );

    hand.done(r#"{"do":"quota","modem":1,"parts":1}"#).await;
    hand.done(r#"{"do":"reports","delay_ms":50,"order":"reversed","zone":0}"#)
        .await;
    let send = format!("AT+CMGS=31\r{HEX}\x1A");
    let told = client.ask(&send, "00\r\n").await;
    assert!(told.contains("+CMGS: "), "{told}");
    // The zone of its two times.
    assert!(
        told.contains("+CDS: 25\r\n") && told.ends_with("0000\r\n"),
        "{told}"
    );
    let refused = client.ask(&send, "ERROR: 21\r\n").await;
    assert!(refused.ends_with("\r\n+CMS ERROR: 21\r\n"), "{refused}");
    hand.done(r#"{"do":"quota","modem":1}"#).await;
    hand.done(r#"{"do":"spam","modem":1,"parts":0}"#).await;
    client.ask(&send, "OK\r\n").await;
    let listed = hand.order(r#"{"do":"list","modem":1}"#).await;
    assert_eq!(listed["modems"][0]["accepted"], 2);
    assert_eq!(
        listed["modems"][0]["waiting"], 0,
        "no report of a swallowed part"
    );

    let none = hand.order(r#"{"do":"reset","modem":2}"#).await;
    assert_eq!(none, json!({"error": "there is no modem 2"}));
    let wrong = hand.order(r#"{"do":"late","at":"air"}"#).await;
    assert_eq!(wrong, json!({"error": "`ms`: is missing: how late?"}));
    let long = hand.order(&" ".repeat(300_000)).await;
    assert_eq!(long, json!({"error": "this line is too long"}));
    emulator.stop().await;
}

#[tokio::test]
async fn a_stick_is_pulled_out_and_comes_back_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&settings(&dir)).unwrap();
    let mut hand = Hand::reach(&dir).await;
    let port = emulator.ports().remove(0);
    let mut client = Client::open(&port, 115_200);
    client.ask("AT\r", "OK\r\n").await;
    hand.done(r#"{"do":"unplug","modem":0}"#).await;
    assert_eq!(client.until("never").await, "", "the port ends");
    assert!(std::fs::symlink_metadata(&port).is_err());
    let listed = hand.order(r#"{"do":"list","modem":0}"#).await;
    assert_eq!(listed["modems"][0]["name"], Value::Null);
    // The name of the other one is no place to come back to: it waits.
    hand.done(r#"{"do":"plug","modem":0,"as":"modem1"}"#).await;
    let listed = hand.order(r#"{"do":"list","modem":0}"#).await;
    assert_eq!(listed["modems"][0]["name"], Value::Null);
    hand.done(r#"{"do":"plug","modem":0,"as":"modem9"}"#).await;
    let listed = hand.order(r#"{"do":"list"}"#).await;
    let names = [&listed["modems"][0]["name"], &listed["modems"][1]["name"]];
    assert_eq!(names, ["modem9", "modem1"]);
    let mut back = Client::open(&dir.path().join("dev/modem9"), 115_200);
    back.ask("AT+CGSN\r", "004401990000008\r\n\r\nOK\r\n").await;
    emulator.stop().await;
    assert_eq!(
        std::fs::read_dir(dir.path().join("dev")).unwrap().count(),
        0
    );
}

#[tokio::test]
async fn at_the_wrong_speed_there_is_only_rubbish() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.baud = Some(9600);
    let emulator = Emulator::start(&settings).unwrap();
    let mut client = Client::open(&emulator.ports()[0], 115_200);
    client.0.write_all(b"AT\r").await.unwrap();
    let mut rubbish = [0; 3];
    client.0.read_exact(&mut rubbish).await.unwrap();
    assert!(rubbish.iter().all(|octet| *octet >= 0x80), "{rubbish:?}");
    client.0.set_baud_rate(9600).unwrap();
    assert_eq!(client.ask("AT\r", "OK\r\n").await, "AT\r\r\nOK\r\n");
    emulator.stop().await;
}

#[tokio::test]
async fn a_second_emulator_leaves_the_first_alone() {
    let dir = tempfile::tempdir().unwrap();
    let first = Emulator::start(&settings(&dir)).unwrap();
    let mut other = settings(&dir);
    other.control = Some(dir.path().join("other"));
    let links = || {
        first
            .ports()
            .iter()
            .map(std::fs::read_link)
            .collect::<Result<Vec<_>, _>>()
    };
    let before = links().unwrap();
    let second = Emulator::start(&other).unwrap_err();
    assert!(matches!(second, Error::Occupied(_)), "{second}");
    other.dir = dir.path().join("elsewhere");
    other.control.clone_from(&settings(&dir).control);
    let second = Emulator::start(&other).unwrap_err();
    assert!(matches!(second, Error::Control { .. }), "{second}");
    assert_eq!(links().unwrap(), before);
    first.stop().await;
    let again = Emulator::start(&settings(&dir)).unwrap();
    again.stop().await;
}

fn emulate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simpost"));
    command.arg("emulate").args(arguments).output().unwrap()
}

#[test]
fn a_bad_plan_names_its_line_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let plan = dir.path().join("plan.toml");
    std::fs::write(
        &plan,
        "[[fault]]\nat = \"air\"\ndo = \"silence\"\n\n[[fault]]\nat = \"airr\"\n",
    )
    .unwrap();
    let output = emulate(&["--plan", plan.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    let words = format!(
        "error: the plan `{}` is wrong: line 6: `at`: unknown variant `airr`",
        plan.display()
    );
    assert!(told.starts_with(&words), "{told}");
    std::fs::write(
        &plan,
        "[[fault]]\nmodem = 1\nat = \"air\"\ndo = \"silence\"\n",
    )
    .unwrap();
    let output = emulate(&["--plan", plan.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    let words = "error: the plan is wrong: line 1: `modem`: there is no modem 1, they count from 0";
    assert!(told.starts_with(words), "{told}");
    let help = String::from_utf8(emulate(&["--help"]).stdout).unwrap();
    for flag in [
        "--plan",
        "--control",
        "--seed",
        "--radio-ms",
        "--report-order",
        "--quota",
        "--baud",
        "--zone",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
    assert_eq!(
        help.lines()
            .filter(|line| line.len() > 110)
            .collect::<Vec<_>>(),
        Vec::<&str>::new()
    );
}

#[tokio::test]
async fn quotas_of_the_settings_hold_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.quota = Some(Quota {
        parts: 0,
        per: None,
    });
    let emulator = Emulator::start(&settings).unwrap();
    let mut client = Client::open(&emulator.ports()[0], 115_200);
    let send = format!("ATE0\rAT+CMGS=31\r{HEX}\x1A");
    let refused = client.ask(&send, "ERROR: 21\r\n").await;
    assert!(
        refused.ends_with("\r\n> \r\n+CMS ERROR: 21\r\n"),
        "{refused}"
    );
    emulator.stop().await;
}

#[tokio::test]
async fn texts_beyond_what_the_centre_keeps_are_refused_to_who_sends_them() {
    const KEPT: usize = 1000;
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.ledger = Some(dir.path().join("ledger"));
    let emulator = Emulator::start(&settings).unwrap();
    let mut hand = Hand::reach(&dir).await;
    hand.done(r#"{"do":"network_lost","modem":0}"#).await;
    let order = json!({"do": "deliver", "modem": 0, "from": "Bank", "text": "4711"}).to_string();
    for _ in 0..KEPT {
        hand.done(&order).await;
    }
    let refused = "the service centre has no room for 1 of 1 parts for modem 0";
    assert_eq!(hand.order(&order).await, json!({"error": refused}));
    let text = std::fs::read_to_string(dir.path().join("ledger")).unwrap();
    assert_eq!(text.matches(r#""route":"refused""#).count(), 1);
    hand.done(r#"{"do":"network_back","modem":0}"#).await;
    hand.order(r#"{"do":"list"}"#).await;
    let text = std::fs::read_to_string(dir.path().join("ledger")).unwrap();
    assert_eq!(text.matches(r#""event":"inbound""#).count(), KEPT + 1);
    emulator.stop().await;
}
