//! The command line as its users meet it: the real binary, its output and its exit codes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's helpers fail as its body does"
)]

#[expect(dead_code, reason = "each test needs its part of it")]
mod support;

use std::process::Stdio;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::{Air, Gateway, Ran, Running, ran, simpost};
use tempfile::TempDir;

const PHONE: &str = "+380671234567";
/// The emulated network does not know it.
const NOBODY: &str = "+15005550014";
/// Takes longer than any test looks on.
const SLOW: Air = Air::of_ms(60_000, 60_000);

/// The text with `#` for the digits of ids, keys and moments: what is left is the same each time, and
/// columns stay where they are.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let varying = varying(&masked, rest);
        masked.push_str(&"#".repeat(varying));
        if varying == 0 {
            masked.push(next);
        }
        rest = &rest[varying.max(next.len_utf8())..];
    }
    masked
}

/// How long the text at the beginning of `rest` is that differs each time.
fn varying(before: &str, rest: &str) -> usize {
    let hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    if hex >= 32
        && ["msg_", "key_", "gw_live_"]
            .iter()
            .any(|mark| before.ends_with(mark))
    {
        return hex;
    }
    let is_moment = |text: &str| text.parse::<jiff::Timestamp>().is_ok();
    let is_second = |text: &str| text.parse::<jiff::civil::DateTime>().is_ok();
    match (rest.get(..24), rest.get(..19)) {
        (Some(text), _) if is_moment(text) => 24,
        (_, Some(text)) if is_second(text) => 19,
        _ => 0,
    }
}

/// JSON with every text masked.
fn masked_json(value: &Value) -> Value {
    match value {
        Value::String(text) => masked(text).into(),
        Value::Array(values) => values.iter().map(masked_json).collect(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), masked_json(value)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// Blanks that only line columns up, as one.
fn closed_up(text: &str) -> Vec<String> {
    let close_up = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(close_up).collect()
}

const ID: &str = "msg_################################";
const MOMENT: &str = "########################";

/// The commands that `simpost … --help` lists.
async fn commands(of: &[&str]) -> Vec<String> {
    let help = ran(simpost(of).arg("--help"), b"").await.stdout;
    let (_, list) = help.split_once("Commands:\n").expect("it has commands");
    let lines = list.lines().take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .map(Into::into)
        .collect()
}

fn check_help(arguments: &[&str], help: &Ran) {
    assert_eq!(help.code, Some(0), "{arguments:?}");
    for line in help.stdout.lines() {
        assert!(line.chars().count() <= 100, "{arguments:?}: {line}");
    }
    let first = help.stdout.lines().next().unwrap();
    assert!(first.chars().count() <= 80, "{arguments:?}: {first}");
}

#[tokio::test]
async fn every_help_fits_and_has_examples() {
    let all = commands(&[]).await;
    let expected = [
        "demo", "serve", "send", "messages", "show", "cancel", "resend", "resolve", "inbox",
        "modems", "emulate", "pdu", "at", "key", "config",
    ];
    assert_eq!(all, expected);
    for command in &all {
        let help = ran(simpost(&[command]).arg("--help"), b"").await;
        check_help(&[command], &help);
        let (_, examples) = help.stdout.split_once("Examples:\n").expect(command);
        let examples = examples.lines().take_while(|line| line.starts_with("  "));
        let own = examples.filter(|line| line.contains("simpost ")).count();
        assert!(own >= 2, "{command}");
    }
    for group in ["key", "config"] {
        for command in commands(&[group]).await {
            let help = ran(simpost(&[group, &command]).arg("--help"), b"").await;
            check_help(&[group, &command], &help);
        }
    }
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked_with_and_without_a_daemon() {
    let mut gateway = Gateway::start(0, "").await;
    check_keys(&gateway, 0).await;
    assert_eq!(gateway.stop_daemon().await, Some(0));
    check_keys(&gateway, 1).await;
}

async fn check_keys(gateway: &Gateway, revoked_before: usize) {
    let arguments = [
        "key",
        "create",
        "--name",
        "till",
        "--scope",
        "messages:read",
        "--json",
    ];
    let made = gateway.run(&arguments).await.json();
    let expected = json!({
        "id": "key_################################",
        "name": "till",
        "scopes": ["messages:read"],
        "key": format!("gw_live_{}", "#".repeat(64)),
    });
    assert_eq!(masked_json(&made), expected);
    let id = made["id"].as_str().unwrap();

    let revoked = gateway.run(&["key", "revoke", id]).await;
    assert_eq!(
        (revoked.code, revoked.stderr),
        (Some(0), format!("{id} is revoked\n"))
    );
    let listed = gateway.run(&["key", "list", "--json"]).await.json();
    let listed = listed["data"].as_array().unwrap();
    let ours: Vec<&Value> = listed.iter().filter(|key| key["name"] == "till").collect();
    assert_eq!(ours.len(), revoked_before + 1);
    for key in ours {
        let expected = json!({
            "id": "key_################################",
            "name": "till",
            "scopes": ["messages:read"],
            "created_at": MOMENT,
            "last_used_at": null,
            "revoked_at": MOMENT,
        });
        assert_eq!(masked_json(key), expected);
    }

    let unknown = gateway
        .run(&["key", "revoke", "key_0193b2f09c5e775390c8b7cde96b7ff7"])
        .await;
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    let no_id = gateway.run(&["key", "revoke", "till"]).await;
    assert_eq!(no_id.code, Some(2), "{no_id:?}");
}

#[tokio::test]
async fn a_key_that_may_do_anything_unknown_is_refused() {
    let dir = TempDir::new().unwrap();
    let arguments = [
        "key",
        "create",
        "--name",
        "till",
        "--scope",
        "messages:sent",
    ];
    let refused = ran(simpost(&arguments).arg("--data").arg(dir.path()), b"").await;
    assert_eq!(refused.code, Some(2));
    let words = "known scopes are *, messages:send, messages:read, messages:cancel, messages:erase, inbound:read, modems:read, keys:manage";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
}

#[tokio::test]
async fn every_mistake_of_a_configuration_is_told() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("simpost.toml");
    std::fs::write(
        &file,
        "listen = \"here\"\ncountri = \"UA\"\n[sending]\nattempts = 0\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let checked = ran(
        simpost(&["config", "check", "--config", file]).env("SIMPOST_COUNTRY", "XX"),
        b"",
    )
    .await;
    let expected = format!(
        "error: the configuration is not valid: \
         {file}: countri: unknown key; the nearest is `country`\n\
         {file}: listen: `here` is not valid; expected an address and a port, such as 127.0.0.1:7750\n\
         {file}: sending.attempts: `0` is not valid; expected a number from 1 to 1000\n\
         environment SIMPOST_COUNTRY: `XX` is not valid; expected a country's two letters, such as UA\n"
    );
    assert_eq!((checked.code, checked.stderr), (Some(2), expected));
}

#[tokio::test]
async fn a_configuration_is_shown_with_its_origins() {
    let arguments = ["config", "show", "--json", "--data", "/tmp/shop"];
    let shown = ran(simpost(&arguments).env("SIMPOST_COUNTRY", "pl"), b"")
        .await
        .json();
    assert_eq!(
        shown["country"],
        json!({"value": "PL", "origin": "environment SIMPOST_COUNTRY"})
    );
    assert_eq!(
        shown["data_dir"],
        json!({"value": "/tmp/shop", "origin": "flag"})
    );
    assert_eq!(
        shown["listen"],
        json!({"value": "127.0.0.1:7750", "origin": "default"})
    );
    let checked = ran(&mut simpost(&["config", "check"]), b"").await;
    let words = "the configuration is valid\n".to_owned();
    assert_eq!((checked.code, checked.stderr), (Some(0), words));
}

#[tokio::test]
async fn a_text_is_sent_and_followed_to_its_end() {
    let gateway = Gateway::start(1, "").await;
    let sent = gateway
        .run(&["send", PHONE, "Замовлення готове", "--wait"])
        .await;
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert_eq!(masked(&sent.stdout), format!("{ID} delivered\n"));
    // How many of the states are seen depends on the machine; their order does not.
    let seen: Vec<&str> = sent.stderr.lines().collect();
    let mut order = ["queued", "sending", "sent", "delivered"].iter();
    assert!(
        seen.iter().all(|state| order.any(|next| next == state)),
        "{seen:?}"
    );
    assert_eq!(seen.last(), Some(&"delivered"));

    let failed = gateway.run(&["send", NOBODY, "Hi", "--wait"]).await;
    assert_eq!(failed.code, Some(4), "{failed:?}");
    let result = format!("{ID} failed: unknown subscriber (+CMS ERROR: 30)\n");
    assert_eq!(masked(&failed.stdout), result);

    let national = gateway
        .run(&["send", "067 123-45-67", "Hi", "--class", "otp", "--json"])
        .await;
    let message = national.json();
    assert_eq!(
        (&message["to"], &message["class"]),
        (&json!(PHONE), &json!("otp"))
    );
    assert_eq!(
        (&message["state"], national.stderr.as_str()),
        (&json!("queued"), "")
    );
}

#[tokio::test]
async fn a_text_comes_from_stdin() {
    const CASES: &[(&[u8], &str)] = &[
        ("Готово\n".as_bytes(), "Готово"),
        (b"two\nlines\r\n", "two\nlines"),
        (b"no end", "no end"),
        (b"two ends\n\n", "two ends\n"),
    ];
    let gateway = Gateway::start(0, "").await;
    for (input, text) in CASES {
        let sent = gateway
            .run_with_input(&["send", PHONE, "-", "--json"], input)
            .await;
        assert_eq!(sent.json()["text"], *text);
    }
    let sent = gateway
        .run_with_input(&["send", PHONE, "-"], b"caf\xe9")
        .await;
    let expected = "error: the text on stdin is no UTF-8 from octet 3 on\n\
                    hint: convert it, for example with `iconv -t UTF-8`\n";
    assert_eq!((sent.code, sent.stderr.as_str()), (Some(2), expected));
}

#[tokio::test]
async fn what_cannot_be_sent_is_a_wrong_use() {
    let gateway = Gateway::start(0, "").await;
    let too_long = "я".repeat(671);
    let cases: &[(&[&str], &str)] = &[
        (&["send", "12", ""], "2 fields are not valid\n  /to: "),
        (
            &["send", PHONE, &too_long],
            "the text takes 11 segments, 10 are allowed",
        ),
        (
            &["send", PHONE, "Hi", "--class", "urgent"],
            "`urgent` is not ",
        ),
        (&["send", PHONE, "Hi", "--timeout", "5"], "--wait"),
        (
            &["send", PHONE, "Hi", "--wait", "--timeout", "0"],
            "0 is not in 1..=86400",
        ),
        (
            &["show", "1"],
            "`1` is not a message id (msg_ and 32 hex digits)",
        ),
        (
            &["messages", "--state", "lost"],
            "`lost` is not one of scheduled queued",
        ),
        (&["messages", "--limit", "201"], "201 is not in 1..=200"),
    ];
    for (arguments, words) in cases {
        let refused = gateway.run(arguments).await;
        assert_eq!(refused.code, Some(2), "{arguments:?}");
        assert!(
            refused.stderr.contains(words),
            "{arguments:?}: {}",
            refused.stderr
        );
        assert_eq!(refused.stdout, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn who_waits_too_long_or_interrupts_is_told_that_the_text_goes_on() {
    let gateway = Gateway::start_on(SLOW, 1, "").await;
    let waited = gateway
        .run(&["send", PHONE, "Hi", "--wait", "--timeout", "1"])
        .await;
    assert_eq!(waited.code, Some(5), "{waited:?}");
    assert_eq!(masked(&waited.stdout), format!("{ID} sending\n"));
    let told =
        format!("it is still under way after 1 s and goes on; look with `simpost show {ID}`");
    assert_eq!(masked(waited.stderr.lines().last().unwrap()), told);

    let mut command = simpost(&["send", PHONE, "Hi", "--wait"]);
    let mut waiting = Running::start(command.arg("--data").arg(&gateway.data));
    waiting.says("queued").await;
    waiting.signal(Signal::INT);
    assert_eq!(waiting.ended().await, Some(130));
    waiting
        .says("the text goes on; look with `simpost show msg_")
        .await;
}

#[tokio::test]
async fn a_daemon_that_goes_away_meanwhile_is_no_loss() {
    let mut gateway = Gateway::start_on(SLOW, 1, "").await;
    let mut command = simpost(&["send", PHONE, "Hi", "--wait"]);
    let mut waiting = Running::start(command.arg("--data").arg(&gateway.data));
    waiting.says("sending").await;
    gateway.kill_daemon().await;
    assert_eq!(waiting.ended().await, Some(6));
    waiting
        .says("hint: the text is kept all the same; look with `simpost show msg_")
        .await;
}

#[tokio::test]
async fn a_message_is_shown_with_all_that_happened() {
    let gateway = Gateway::start(1, "").await;
    let text = "Вітаємо!\n\u{202e}yadot";
    let id = gateway.send("+15005550013", text).await;
    gateway.wait_final(&id).await;

    let shown = gateway.run(&["show", &id]).await;
    let expected = format!(
        "\
{ID}  undelivered

To        +15005550013
Class     transactional
Encoding  ucs2, 1 part(s), report asked for
SIM       sim_1
Created   {MOMENT}
Sent      {MOMENT}
Final     {MOMENT}
Error     not_deliverable: incompatible destination (TP-ST 41)

Text
  Вітаємо!
  \u{fffd}yadot

PART  STATE        REF  ATTEMPTS  SUBMITTED                 FINAL
1     undelivered  23   1         {MOMENT}  {MOMENT}

TIME                      WHAT                 PART  SIM    WHY
{MOMENT}  message.queued       -     -      accepted
{MOMENT}  message.sending      1     sim_1  taken by a free SIM
{MOMENT}  message.sent         1     sim_1  the network took it under reference 23
{MOMENT}  message.undelivered  1     sim_1  \
         report of the network: incompatible destination (TP-ST 41)
"
    );
    assert_eq!(masked(&shown.stdout), expected);
    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_message_is_shown_as_json() {
    let gateway = Gateway::start(1, "").await;
    let id = gateway.send(NOBODY, "Hi").await;
    gateway.wait_final(&id).await;
    let event = |seq, kind: &str, from: Value, to: &str, reason: &str| {
        let (part, sim) = match seq {
            1 => (Value::Null, Value::Null),
            _ => (json!(1), json!("sim_1")),
        };
        json!({"seq": seq, "at": MOMENT, "type": kind, "message": ID, "inbound": null, "part": part,
               "from": from, "to": to, "sim": sim, "reason": reason})
    };
    let refused = "the modem answered +CMS ERROR: 30 (Unknown subscriber)";
    let expected = json!({
        "message": {
            "id": ID, "state": "failed", "final": true, "direction": "out", "to": NOBODY,
            "class": "transactional", "text": "Hi", "encoding": "gsm7", "segments": 1,
            "parts": [{"n": 1, "state": "failed", "ref": null, "attempts": 1, "submitted_at": null,
                       "final_at": MOMENT}],
            "delivery_report": true, "client_ref": null, "resend_of": null, "erased_at": null, "priority": 5, "send_at": null, "expires_at": MOMENT, "sim": "sim_1", "attempts": 1,
            "error": {"code": "unknown_subscriber", "message": "unknown subscriber",
                      "raw": "+CMS ERROR: 30"},
            "created_at": MOMENT, "sent_at": null, "finalized_at": MOMENT, "updated_at": MOMENT,
        },
        "events": [
            event(1, "message.queued", Value::Null, "queued", "accepted"),
            event(2, "message.sending", json!("queued"), "sending", "taken by a free SIM"),
            event(3, "message.failed", json!("sending"), "failed", refused),
        ],
    });
    let shown = gateway.run(&["show", &id, "--json"]).await.json();
    assert_eq!(masked_json(&shown), expected);

    let unknown = gateway
        .run(&["show", "msg_0193b2f09c5e775390c8b7cde96b7ff7"])
        .await;
    let words = "error: there is no such message\n";
    assert_eq!((unknown.code, unknown.stderr.as_str()), (Some(1), words));
}

#[tokio::test]
async fn messages_are_listed_newest_first() {
    let gateway = Gateway::start(1, "").await;
    let none = gateway.run(&["messages"]).await;
    assert_eq!(
        (none.stdout.as_str(), none.stderr.as_str()),
        ("", "there are no such messages\n")
    );
    let delivered = gateway.send(PHONE, &"Замовлення готове. ".repeat(5)).await;
    gateway.wait_final(&delivered).await;
    let failed = gateway.send(NOBODY, "Hi\nthere").await;
    gateway.wait_final(&failed).await;

    let listed = gateway.run(&["messages"]).await;
    let expected = format!(
        "\
ID                                    STATE      TO             CLASS          PARTS  CREATED (UTC)        TEXT
{ID}  failed     +15005550014   transactional  1      ###################  Hi there
{ID}  delivered  +380671234567  transactional  2      ###################  \
         Замовлення готове. Замовлення готове. З…
"
    );
    assert_eq!(masked(&listed.stdout), expected);

    let ids = async |arguments: &[&str]| {
        let all = [&["messages", "--json"], arguments].concat();
        let page = gateway.run(&all).await.json();
        let ids = page["data"].as_array().unwrap().iter();
        ids.map(|message| message["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]).await, [failed.clone(), delivered.clone()]);
    assert_eq!(ids(&["--state", "failed"]).await, [failed.as_str()]);
    assert_eq!(ids(&["--to", PHONE]).await, [delivered]);
    assert_eq!(ids(&["--limit", "1"]).await, [failed.as_str()]);
    let first = gateway.run(&["messages", "--limit", "1"]).await;
    let more = "there are more; --limit shows up to 200, --state and --to choose among them\n";
    assert_eq!(first.stderr, more);

    let page = gateway
        .run(&["messages", "--json", "--limit", "1"])
        .await
        .json();
    let (_, message) = gateway.get(&format!("/v1/messages/{failed}")).await;
    assert_eq!(
        page,
        json!({"data": [message], "has_more": true, "next_cursor": failed})
    );
}

#[tokio::test]
async fn modems_are_listed_with_their_troubles() {
    let gateway = Gateway::start(1, "").await;
    let modem = gateway.ports[0].to_str().unwrap();
    let expected = json!({"data": [{
        "port": modem, "state": "ready", "error": null, "imei": "004401990000008",
        "manufacturer": "Simpost", "model": "Emulator", "sim": "sim_1", "iccid": "8944001010000000009",
        "profile": "generic", "number": "+447700900500", "service_centre": "+447700900999",
        "operator": "Simpost Test", "signal_dbm": -71, "reports": "direct", "accepted_parts": 0,
    }]});
    assert_eq!(gateway.run(&["modems", "--json"]).await.json(), expected);
    let listed = gateway.run(&["modems"]).await;
    let expected = [
        "PORT STATE SIM OPERATOR SIGNAL MODEL ACCEPTED".to_owned(),
        format!("{modem} ready sim_1 Simpost Test -71 dBm Emulator 0"),
    ];
    assert_eq!(closed_up(&listed.stdout), expected);
}

#[tokio::test]
async fn a_modem_that_is_not_there_is_told_with_a_hint() {
    let dir = TempDir::new().unwrap();
    let (data, port) = (dir.path().join("data"), dir.path().join("ttyUSB0"));
    let mut command = simpost(&["serve", "--listen", "127.0.0.1:0", "--port"]);
    let daemon = Running::start(command.arg(&port).arg("--data").arg(&data));
    daemon.says("does not exist").await;
    let listed = ran(simpost(&["modems"]).arg("--data").arg(&data), b"").await;
    let port = port.display();
    let expected = [
        "PORT STATE SIM OPERATOR SIGNAL MODEL ACCEPTED".to_owned(),
        format!("{port} closed - - - - 0"),
        format!("port `{port}` does not exist"),
        "hint: plug the modem in, or look for its name with `ls -l /dev/serial/by-id`".to_owned(),
    ];
    assert_eq!(closed_up(&listed.stdout), expected);
    assert_eq!(listed.code, Some(0));
}

#[tokio::test]
async fn a_daemon_without_modems_says_how_to_name_one() {
    let gateway = Gateway::start(0, "").await;
    assert_eq!(
        gateway.run(&["modems", "--json"]).await.json(),
        json!({"data": []})
    );
    let listed = gateway.run(&["modems"]).await;
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(0), ""));
    assert!(
        listed.stderr.contains("simpost serve --port TTY"),
        "{}",
        listed.stderr
    );
}

#[tokio::test]
async fn no_daemon_is_told_with_a_hint() {
    let mut gateway = Gateway::start(0, "").await;
    gateway.kill_daemon().await;
    let id = "msg_0193b2f09c5e775390c8b7cde96b7ff7";
    let cases: &[&[&str]] = &[
        &["send", PHONE, "Hi"],
        &["send", PHONE, "Hi", "--wait"],
        &["show", id],
        &["messages"],
        &["modems"],
    ];
    let expected = format!(
        "error: the daemon at `{}` is not reachable: Connection refused (os error 111)\n\
         hint: start it with `simpost serve`, or name its directory with --data\n",
        gateway.data.join("simpost.sock").display()
    );
    for arguments in cases {
        let refused = gateway.run(arguments).await;
        assert_eq!(
            (refused.code, &refused.stderr),
            (Some(6), &expected),
            "{arguments:?}"
        );
        assert_eq!(refused.stdout, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn a_directory_has_one_daemon() {
    let gateway = Gateway::start(0, "").await;
    let second = gateway.run(&["serve"]).await;
    let data = gateway.data.display();
    assert_eq!(second.code, Some(1), "{second:?}");
    let told = format!("error: `{data}` is in use by another simpost\n");
    assert!(second.stderr.contains(&told), "{}", second.stderr);
    assert!(second.stderr.contains("hint: "), "{}", second.stderr);
}

#[tokio::test]
async fn who_reads_no_further_is_no_error() {
    let gateway = Gateway::start(0, "").await;
    gateway.send(PHONE, "Hi").await;
    for arguments in [&["messages"][..], &["messages", "--json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = simpost(arguments);
        let child = command
            .arg("--data")
            .arg(&gateway.data)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The command keeps its end of the pipe.
        drop(command);
        let output = child.wait_with_output().await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "",
            "{arguments:?}"
        );
    }
}

#[tokio::test]
async fn emulated_modems_leave_nothing() {
    let dir = TempDir::new().unwrap();
    let mut emulator = Running::start(simpost(&["emulate"]).env("TMPDIR", dir.path()));
    let port = emulator.says("modem0").await;
    emulator.says("emulated modems are up").await;
    assert!(std::path::Path::new(&port).exists(), "{port}");
    emulator.signal(Signal::TERM);
    assert_eq!(emulator.ended().await, Some(0));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_demo_sends_five_texts_and_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    // Ours or somebody else's: the usual port is taken.
    let _taken = std::net::TcpListener::bind("127.0.0.1:7750");
    let demo = ran(simpost(&["demo", "--once"]).env("TMPDIR", dir.path()), b"").await;
    assert_eq!(demo.code, Some(0), "{demo:?}");
    let results = closed_up(&demo.stdout);
    let to_and_state = |line: &String| {
        let words: Vec<&str> = line.split(' ').take(2).collect();
        words.join(" ")
    };
    let ended: Vec<String> = results[1..].iter().map(to_and_state).collect();
    let expected = [
        "+380670000001 delivered",
        "+380500000002 delivered",
        "+380630000003 delivered",
        "+380670000004 delivered",
        "+15005550014 failed",
    ];
    assert_eq!(ended, expected);
    assert_eq!(results[0], "TO CAME TO PARTS SIM TOOK WHY");
    assert!(
        demo.stdout
            .ends_with("unknown subscriber (+CMS ERROR: 30)\n"),
        "{}",
        demo.stdout
    );
    assert!(
        demo.stderr
            .starts_with("port 7750 is taken, so another one is used\n"),
        "{}",
        demo.stderr
    );
    // Off unless asked for.
    assert!(!demo.stderr.contains("INFO"), "{}", demo.stderr);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_demo_stays_up_to_be_tried_by_hand() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut command = simpost(&["demo", "--data", data.to_str().unwrap()]);
    let mut demo = Running::start(command.env("TMPDIR", dir.path()));
    demo.says("The demo stays up until Ctrl-C.").await;
    let said = demo.said();
    let line = |command: &str| {
        let program = format!("{} {command} ", env!("CARGO_BIN_EXE_simpost"));
        said.lines()
            .find_map(|line| line.trim().strip_prefix(&program).map(str::to_owned))
    };

    let shown = line("show").unwrap();
    let shown = ran(simpost(&["show"]).args(shown.split(' ')), b"").await;
    assert!(shown.stdout.contains("Дякуємо за покупку!"), "{shown:?}");
    let listed = line("messages").unwrap();
    let listed = ran(
        simpost(&["messages", "--json"]).args(listed.split(' ')),
        b"",
    )
    .await;
    assert_eq!(listed.json()["data"].as_array().unwrap().len(), 5);

    // The curl line, as it is written.
    let (_, key) = said.split_once("Authorization: Bearer ").unwrap();
    let (key, _) = key.split_once('\'').unwrap();
    let (_, url) = said.split_once("curl -sS ").unwrap();
    let (url, _) = url.split_once(' ').unwrap();
    let (_, body) = said.split_once("-d '").unwrap();
    let (body, _) = body.split_once('\'').unwrap();
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(url);
    let request = request
        .bearer_auth(key)
        .header("content-type", "application/json");
    let answer = request.body(body.to_owned()).send().await.unwrap();
    assert_eq!(answer.status(), 202);

    demo.signal(Signal::TERM);
    assert_eq!(demo.ended().await, Some(0));
    let left: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(left, [data]);
}
