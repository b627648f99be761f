//! The inbox from outside: what came in is read over HTTP and at the command line of the real binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use serde_json::{Value, json};
use simpost::emulator::{Emulator, Settings};
use support::Gateway;
use tempfile::TempDir;

/// 86 characters of Cyrillic: two parts.
const LONG: &str =
    "Добрий день! Чи можна змінити адресу доставки замовлення 1042 на вулицю Шевченка, 17?";

const TEXTS: [(&str, &str); 4] = [
    ("+380671112233", "Дякую"),
    ("Bank", "Your balance is 5 UAH"),
    ("+380671112233", LONG),
    ("+447700900456", "line one\nline two"),
];

/// A daemon on one emulated modem to which `TEXTS` have come, one after the other.
async fn shop() -> (Gateway, Emulator, TempDir) {
    let dir = TempDir::new().unwrap();
    let emulator = Emulator::start(&Settings::new(1, dir.path().join("modems"))).unwrap();
    let port = emulator.ports().remove(0);
    let section = format!("[[modem]]\nport = \"{}\"\n", port.display());
    let gateway = Gateway::start(0, &section).await;
    gateway
        .wait_until("/v1/modems", |list| list["data"][0]["state"] == "ready")
        .await;
    for (come, (from, text)) in TEXTS.iter().enumerate() {
        emulator.network().deliver(0, from, text).await.unwrap();
        gateway
            .wait_until("/v1/inbound", |page| {
                page["data"].as_array().unwrap().len() == come + 1
            })
            .await;
    }
    (gateway, emulator, dir)
}

/// Sender and text of a page, newest first.
fn told(page: &Value) -> Vec<(&str, &str)> {
    let texts = page["data"].as_array().unwrap().iter();
    texts
        .map(|text| {
            (
                text["from"].as_str().unwrap(),
                text["text"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn what_came_in_is_read_over_http() {
    let (gateway, emulator, _dir) = shop().await;
    let newest: Vec<_> = TEXTS.iter().rev().copied().collect();
    let (status, page) = gateway.get("/v1/inbound").await;
    assert_eq!((status, told(&page)), (200, newest.clone()));
    assert_eq!(
        (&page["has_more"], &page["next_cursor"]),
        (&json!(false), &Value::Null)
    );

    let (_, first) = gateway.get("/v1/inbound?limit=3").await;
    assert_eq!(told(&first), newest[..3]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, rest) = gateway.get(&format!("/v1/inbound?cursor={cursor}")).await;
    assert_eq!(told(&rest), newest[3..]);
    // As shops write it, in the national form, and a name.
    for (asked, found) in [
        ("from=0671112233", 2),
        ("from=%2B380671112233", 2),
        ("from=Bank", 1),
        ("sim=sim_2", 0),
    ] {
        let (_, page) = gateway.get(&format!("/v1/inbound?{asked}")).await;
        assert_eq!(told(&page).len(), found, "{asked}");
    }

    let long = &page["data"][1];
    let id = long["id"].as_str().unwrap();
    assert!(id.starts_with("in_"), "{id}");
    let (status, whole) = gateway.get(&format!("/v1/inbound/{id}")).await;
    assert_eq!(
        (status, &whole["text"], &whole["segments"]),
        (200, &json!(LONG), &json!(2))
    );
    assert_eq!(
        (&whole["complete"], &whole["direction"]),
        (&json!(true), &json!("in"))
    );
    let numbers: Vec<_> = whole["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| &part["n"])
        .collect();
    assert_eq!(numbers, [&json!(1), &json!(2)]);
    assert!(whole["parts"][0]["pdu"].as_str().unwrap().len() > 100);
    emulator.stop().await;
}

#[tokio::test]
async fn the_inbox_is_a_table_and_json() {
    let (gateway, emulator, _dir) = shop().await;
    let table = gateway.run(&["inbox"]).await.stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].contains("FROM") && lines.len() == 5, "{table}");
    assert!(lines[1].ends_with("line one line two"), "{table}");
    assert!(lines[2].ends_with(LONG), "{table}");
    let one = gateway.run(&["inbox", "--from", "Bank", "--json"]).await;
    assert_eq!(told(&one.json()), TEXTS[1..2]);
    let none = gateway.run(&["inbox", "--from", "+380670000000"]).await;
    assert_eq!((none.stdout.as_str(), none.code), ("", Some(0)));
    assert!(none.stderr.contains("no such text"), "{}", none.stderr);
    emulator.stop().await;
}

#[tokio::test]
async fn wrong_questions_are_refused() {
    let gateway = Gateway::start(0, "").await;
    for (path, status, code) in [
        ("/v1/inbound/in_0", 404, "not_found"),
        (
            "/v1/inbound/in_0192d0c5c6b07a3c8f0a1b2c3d4e5f60",
            404,
            "not_found",
        ),
        ("/v1/inbound?limit=0", 422, "invalid_request"),
        ("/v1/inbound?from=", 422, "invalid_request"),
        ("/v1/inbound?sim=1", 422, "invalid_request"),
        ("/v1/inbound?state=new", 422, "invalid_request"),
    ] {
        let (answered, problem) = gateway.get(path).await;
        assert_eq!(
            (answered, &problem["code"]),
            (status, &json!(code)),
            "{path}: {problem}"
        );
    }
}
