//! Faults at every step of one send, on modems in memory: what the client hears and what the ledger
//! says that the network took.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail as its body does"
)]

use std::time::Duration;

use serde_json::Value;
use simpost::clock::{Clock, Millis};
use simpost::emulator::{Emulator, Inbound, Pipes, Settings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

/// To +447700900123, report requested.
const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";
const RADIO: Duration = Duration::from_secs(3);
/// Longer than anything that a modem has to say by itself, but for a report.
const A_WHILE: Duration = Duration::from_secs(10);
const PROMPT: &str = "\r\n> ";
const SENT: &str = "\r\n+CMGS: 23\r\n\r\nOK\r\n";
const OK: &str = "\r\nOK\r\n";

struct Bench {
    emulator: Emulator,
    pipes: Pipes,
    dir: TempDir,
}

fn bench(plan: &str) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(2, "unused");
    settings.ledger = Some(dir.path().join("ledger.jsonl"));
    settings.plan = plan.parse().unwrap();
    settings.radio = RADIO;
    settings.clock = Clock::following_runtime(Millis(1_795_000_000_000));
    let (emulator, pipes) = Emulator::in_memory(&settings).unwrap();
    Bench {
        emulator,
        pipes,
        dir,
    }
}

impl Bench {
    fn ledger(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.path().join("ledger.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The outcomes of all parts that went on the air.
    fn outcomes(&self) -> Vec<String> {
        let submits = self.ledger().into_iter();
        submits
            .filter(|line| line["event"] == "submit")
            .map(|line| line["outcome"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A program that has opened the port; `None` after the port went away.
struct Client(Option<DuplexStream>);

impl Client {
    /// With echo off.
    async fn open(bench: &Bench, name: &str) -> Self {
        let mut client = Self(bench.pipes.open(name).ok());
        assert_eq!(client.say("ATE0\r").await, "ATE0\r\r\nOK\r\n");
        client
    }

    /// When the stick is plugged in; how long that took.
    async fn open_again(bench: &Bench, name: &str) -> (Self, Duration) {
        let begun = Instant::now();
        loop {
            if let Ok(port) = bench.pipes.open(name) {
                let mut client = Self(Some(port));
                let took = begun.elapsed();
                client.say("ATE0\r").await;
                return (client, took);
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{name} stays away"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Writes `bytes` and tells what comes in a while; octets of noise as `~`.
    async fn say(&mut self, bytes: &str) -> String {
        if let Some(port) = &mut self.0 {
            port.write_all(bytes.as_bytes()).await.unwrap();
        }
        self.hear(A_WHILE).await
    }

    async fn hear(&mut self, time: Duration) -> String {
        let end = Instant::now() + time;
        let mut got = Vec::new();
        while let Some(port) = &mut self.0 {
            match tokio::time::timeout_at(end, port.read_buf(&mut got)).await {
                Err(_) => break,
                Ok(Ok(1..)) => {}
                Ok(_) => {
                    self.0 = None;
                    got.extend(b"(gone)");
                }
            }
        }
        let shown = got.iter().map(|byte| match byte {
            0x80.. => '~',
            byte => char::from(*byte),
        });
        shown.collect()
    }

    /// One send, without a look at the answers: what comes of command, payload, and `AT` afterwards.
    async fn send(&mut self) -> [String; 3] {
        [
            self.say("AT+CMGS=31\r").await,
            self.say(&format!("{HEX}\x1A")).await,
            self.say("\x1BAT\r").await,
        ]
    }
}

/// A plan with one rule.
fn rule(keys: &str) -> String {
    format!("[[fault]]\n{}\n", keys.replace("; ", "\n"))
}

const CMS: &str = "\r\n+CMS ERROR: 500\r\n";
const BAD: &str = "\r\n+CMS ERROR: 304\r\n";
const GONE: &str = "(gone)";
/// The rule; what the client hears of command, payload and `AT` afterwards; what the network took.
const CASES: &[(&str, [&str; 3], &[&str])] = &[
    (
        "at = 'result'; nth = 2; do = 'silence'",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    // What comes in.
    (
        "at = 'command'; command = '+cmgs'; do = 'silence'",
        ["", "", OK],
        &[],
    ),
    (
        "at = 'command'; command = '+CMGS'; do = 'late'; ms = 4000",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'command'; command = '+CMGS'; do = 'torn'",
        ["\r\nERROR\r\n", "", OK],
        &[],
    ),
    (
        "at = 'command'; command = 'AT'; do = 'doubled'",
        [PROMPT, SENT, "\r\nOK\r\n\r\nOK\r\n"],
        &["accepted"],
    ),
    (
        "at = 'command'; command = '+CMGS'; do = 'garbage'",
        ["", "", OK],
        &[],
    ),
    (
        "at = 'command'; command = '+CMGS'; do = 'error'; error = '+CMS ERROR: 500'",
        [CMS, "", OK],
        &[],
    ),
    ("at = 'payload'; do = 'silence'", [PROMPT, BAD, OK], &[]),
    (
        "at = 'payload'; do = 'late'; ms = 4000",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    ("at = 'payload'; do = 'torn'", [PROMPT, BAD, OK], &[]),
    ("at = 'payload'; do = 'doubled'", [PROMPT, BAD, OK], &[]),
    ("at = 'payload'; do = 'garbage'", [PROMPT, BAD, OK], &[]),
    (
        "at = 'payload'; do = 'error'; error = '+CMS ERROR: 500'",
        [PROMPT, CMS, OK],
        &[],
    ),
    (
        "at = 'ctrl_z'; do = 'silence'",
        [PROMPT, "", "\r\nOK\r\n\r\nOK\r\n"],
        &[],
    ),
    (
        "at = 'ctrl_z'; do = 'late'; ms = 4000",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'ctrl_z'; do = 'torn'",
        [PROMPT, "", "\r\nOK\r\n\r\nOK\r\n"],
        &[],
    ),
    (
        "at = 'ctrl_z'; do = 'doubled'",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'ctrl_z'; do = 'garbage'",
        [PROMPT, "", "\r\nOK\r\n\r\nOK\r\n"],
        &[],
    ),
    (
        "at = 'ctrl_z'; do = 'error'; error = '+CMS ERROR: 500'",
        [PROMPT, CMS, OK],
        &[],
    ),
    // On the air.
    ("at = 'air'; do = 'silence'", [PROMPT, "", OK], &[]),
    (
        "at = 'air'; do = 'late'; ms = 4000",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'air'; do = 'error'; error = '+CMS ERROR: 500'",
        [PROMPT, CMS, OK],
        &[],
    ),
    (
        "at = 'air'; do = 'network_lost'",
        [PROMPT, "\r\n+CMS ERROR: 331\r\n", OK],
        &[],
    ),
    (
        "at = 'air'; do = 'network_lost'; ms = 1000",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'air'; do = 'sim_out'; ms = 1000",
        [PROMPT, "\r\n+CMS ERROR: 310\r\n", OK],
        &[],
    ),
    (
        "at = 'air'; do = 'sim_locked'",
        [PROMPT, "\r\n+CMS ERROR: 331\r\n", OK],
        &[],
    ),
    // What goes out.
    (
        "at = 'prompt'; do = 'silence'",
        ["", SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'prompt'; do = 'late'; ms = 4000",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'prompt'; do = 'torn'",
        ["\r\n", SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'prompt'; do = 'doubled'",
        ["\r\n> \r\n> ", SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'prompt'; do = 'garbage'",
        ["~~~~", SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'prompt'; do = 'error'; error = '+CMS ERROR: 500'",
        [CMS, "", OK],
        &[],
    ),
    (
        "at = 'result'; do = 'silence'",
        [PROMPT, "", OK],
        &["accepted"],
    ),
    (
        "at = 'result'; do = 'late'; ms = 4000",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'result'; do = 'torn'",
        [PROMPT, "\r\n+CMGS: ", OK],
        &["accepted"],
    ),
    (
        "at = 'result'; do = 'torn'; ms = 500",
        [PROMPT, SENT, OK],
        &["accepted"],
    ),
    (
        "at = 'result'; do = 'doubled'",
        [
            PROMPT,
            "\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n+CMGS: 23\r\n\r\nOK\r\n",
            OK,
        ],
        &["accepted"],
    ),
    (
        "at = 'result'; do = 'garbage'",
        [PROMPT, "~~~~~~~~~~~~~~~~~~~", OK],
        &["accepted"],
    ),
    (
        "at = 'result'; do = 'error'; error = '+CMS ERROR: 500'",
        [PROMPT, CMS, OK],
        &["accepted"],
    ),
    (
        "at = 'answer'; command = 'AT'; do = 'silence'",
        [PROMPT, SENT, ""],
        &["accepted"],
    ),
    // Whatever is in hand is lost; echo is on again.
    (
        "at = 'command'; command = '+CMGS'; do = 'reset'",
        ["", HEX, "AT\r\r\nOK\r\n"],
        &[],
    ),
    (
        "at = 'ctrl_z'; do = 'reset'",
        [PROMPT, "", "AT\r\r\nOK\r\n"],
        &[],
    ),
    (
        "at = 'air'; do = 'reset'",
        [PROMPT, "", "AT\r\r\nOK\r\n"],
        &[],
    ),
    (
        "at = 'result'; do = 'reset'",
        [PROMPT, "", "AT\r\r\nOK\r\n"],
        &["accepted"],
    ),
    (
        "at = 'payload'; do = 'unplug'; ms = 500",
        [PROMPT, GONE, ""],
        &[],
    ),
    ("at = 'air'; do = 'unplug'", [PROMPT, GONE, ""], &[]),
    (
        "at = 'result'; do = 'unplug'",
        [PROMPT, GONE, ""],
        &["accepted"],
    ),
];

#[tokio::test(start_paused = true)]
async fn what_a_fault_does_at_each_step() {
    for (keys, heard, outcomes) in CASES {
        let bench = bench(&rule(keys));
        let mut client = Client::open(&bench, "modem0").await;
        assert_eq!(client.send().await, *heard, "{keys}");
        assert_eq!(bench.outcomes(), *outcomes, "{keys}");
        let faults = bench
            .ledger()
            .iter()
            .filter(|line| line["event"] == "fault")
            .count();
        assert_eq!(faults > 0, !keys.contains("nth"), "{keys}");
        // The other modem is not troubled, unless it does the same.
        let mut other = Client::open(&bench, "modem1").await;
        assert!(other.say("AT+CSQ\r").await.ends_with(OK));
        bench.emulator.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_befalls_the_modem_behind_the_air_takes_no_answer_away() {
    /// What befalls it; what `AT+CPMS?`, `AT+CPIN?` and `AT+CREG?` tell then, as far as it matters.
    const CASES: &[(&str, [&str; 3])] = &[
        ("sim_in", ["\"SM\",0,20", "READY", "0,1"]),
        ("sim_out", ["+CMS ERROR: 310", "ERROR", "0,0"]),
        ("sim_full", ["\"SM\",20,20", "READY", "0,1"]),
        ("sim_room", ["\"SM\",0,20", "READY", "0,1"]),
        ("sim_locked", ["+CMS ERROR: 311", "SIM PIN", "0,0"]),
        ("network_lost", ["\"SM\",0,20", "READY", "0,0"]),
        ("network_back", ["\"SM\",0,20", "READY", "0,1"]),
        ("call", ["\"SM\",0,20", "READY", "0,1"]),
    ];
    for (what, told) in CASES {
        let bench = bench(&rule(&format!("at = 'result'; do = '{what}'")));
        let mut client = Client::open(&bench, "modem0").await;
        client.say("AT+CMGS=31\r").await;
        let said = client.say(&format!("{HEX}\x1A")).await;
        let rings = said.matches("\r\nRING\r\n").count();
        assert!(said.starts_with(SENT), "{what}: {said}");
        assert_eq!(rings > 0, *what == "call", "{what}: {said}");
        for (question, answer) in ["+CPMS?", "+CPIN?", "+CREG?"].iter().zip(told) {
            let said = client.say(&format!("AT{question}\r")).await;
            assert!(said.contains(answer), "{what}: {said}");
        }
        assert_eq!(bench.outcomes(), ["accepted"], "{what}");
        bench.emulator.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn late_is_as_late_as_the_plan_says() {
    const CASES: &[(&str, Duration)] = &[
        (
            "at = 'command'; command = '+CMGS'; do = 'late'; ms = 4000",
            Duration::from_secs(7),
        ),
        (
            "at = 'payload'; do = 'late'; ms = 4000",
            Duration::from_secs(7),
        ),
        (
            "at = 'ctrl_z'; do = 'late'; ms = 4000",
            Duration::from_secs(7),
        ),
        ("at = 'air'; do = 'late'; ms = 4000", Duration::from_secs(7)),
        (
            "at = 'result'; do = 'late'; ms = 4000",
            Duration::from_secs(7),
        ),
        (
            "at = 'result'; do = 'torn'; ms = 500",
            Duration::from_millis(3500),
        ),
        ("at = 'result'; nth = 9; do = 'silence'", RADIO),
    ];
    for (keys, time) in CASES {
        let bench = bench(&rule(keys));
        let mut client = Client::open(&bench, "modem0").await;
        let port = client.0.as_mut().unwrap();
        let begun = Instant::now();
        port.write_all(format!("AT+CMGS=31\r{HEX}\x1A").as_bytes())
            .await
            .unwrap();
        let mut got = Vec::new();
        while !got.ends_with(b"\r\nOK\r\n") {
            assert_ne!(port.read_buf(&mut got).await.unwrap(), 0);
        }
        assert_eq!(begun.elapsed().as_millis(), time.as_millis(), "{keys}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stick_comes_back_under_another_name() {
    let plan = rule("at = 'result'; times = 1; do = 'unplug'; ms = 5000; as = 'modem7'");
    let bench = bench(&plan);
    let mut client = Client::open(&bench, "modem0").await;
    client.say("AT+CNMI=2,1,0,1,0\r").await;
    client.say("AT+CMGS=31\r").await;
    let port = client.0.as_mut().unwrap();
    port.write_all(format!("{HEX}\x1A").as_bytes())
        .await
        .unwrap();
    assert_eq!(client.hear(RADIO + Duration::from_secs(1)).await, "(gone)");
    let text = Inbound::new("Bank", "while it was away");
    bench.emulator.network().bring(0, &text).await.unwrap();
    assert!(bench.pipes.open("modem0").is_err() && bench.pipes.open("modem7").is_err());
    let (mut back, took) = Client::open_again(&bench, "modem7").await;
    assert!((4..=5).contains(&took.as_secs()), "{took:?}");
    assert!(bench.pipes.open("modem0").is_err());
    // Report and text waited for it; +CNMI is forgotten, so that the report has nowhere to go.
    assert_eq!(
        back.say("AT+CNMI?\r").await,
        "\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n"
    );
    assert!(
        back.say("AT+CMGL=4\r")
            .await
            .starts_with("\r\n+CMGL: 1,0,,")
    );
    assert_eq!(
        back.say("AT+CCID\r").await,
        "\r\n+CCID: 8944001010000000009\r\n\r\nOK\r\n"
    );
    let ledger = bench.ledger();
    let came = |event: &str| ledger.iter().find(|line| line["event"] == event).unwrap();
    assert_eq!(came("report")["route"], "dropped");
    // Five seconds after it was plugged in, at 11:07:18.
    assert_eq!(came("inbound")["at"], "2026-11-18T11:07:23.000Z");
    let plugs = ledger.iter().filter(|line| line["event"] == "plug");
    let names: Vec<&Value> = plugs.map(|line| &line["name"]).collect();
    assert_eq!(names, [&Value::Null, &Value::from("modem7")]);
    let fault = ledger.iter().find(|line| line["event"] == "fault").unwrap();
    let told = [&fault["step"], &fault["command"], &fault["fault"]];
    assert_eq!(told, ["result", "+CMGS", "unplug"]);
    assert_eq!(fault["at"], "2026-11-18T11:07:13.000Z");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_said_when_the_stick_went_is_never_said() {
    let plan = rule("at = 'answer'; command = '+CSQ'; do = 'late'; ms = 60000")
        + &rule("at = 'command'; command = '+CREG'; do = 'unplug'; ms = 1000");
    let bench = bench(&plan);
    let mut client = Client::open(&bench, "modem0").await;
    assert_eq!(client.say("AT+CSQ\r").await, "");
    assert_eq!(client.say("AT+CREG?\r").await, "(gone)");
    let (mut back, _) = Client::open_again(&bench, "modem0").await;
    assert_eq!(back.hear(Duration::from_secs(100)).await, "");
}

#[tokio::test(start_paused = true)]
async fn what_is_unasked_can_be_spoilt_too() {
    const CMTI: &str = "\r\n+CMTI: \"SM\",1\r\n";
    const CASES: &[(&str, &str)] = &[
        ("silence'", ""),
        ("doubled'", "\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",1\r\n"),
        ("garbage'", "~~~~~~~~~~~~~~~~~"),
        ("torn'", "\r\n+CMTI:"),
        ("late'; ms = 4000", CMTI),
        ("network_lost'", CMTI),
        ("reset'", ""),
    ];
    for (what, heard) in CASES {
        let keys = format!("at = 'unsolicited'; command = '+CMTI'; do = '{what}");
        let bench = bench(&rule(&keys));
        let mut client = Client::open(&bench, "modem0").await;
        client.say("AT+CNMI=2,1,0,1,0\r").await;
        bench
            .emulator
            .network()
            .deliver(0, "Bank", "x")
            .await
            .unwrap();
        assert_eq!(client.hear(A_WHILE).await, *heard, "{what}");
        let listed = client.say("AT+CMGL=4\r").await;
        assert!(listed.contains("\r\n+CMGL: 1,0,,"), "{what}: {listed}");
    }
}

#[tokio::test(start_paused = true)]
async fn rules_may_lead_to_each_other_without_end() {
    let plan = rule("at = 'unsolicited'; every = 2; do = 'network_lost'")
        + &rule("at = 'unsolicited'; do = 'network_back'")
        + &rule("at = 'command'; do = 'doubled'");
    let bench = bench(&plan);
    let mut client = Client(bench.pipes.open("modem0").ok());
    client.say("ATE0;+CREG=1;+CEREG=2\r").await;
    for _ in 0..5 {
        client.say("AT+CFUN=4\r").await;
        assert!(client.say("AT+CFUN=1\r").await.contains(OK));
    }
}
