//! A request that is repeated makes one message: in the log, and with the real binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
#[path = "support/log.rs"]
mod log;
#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use log::Bench;
use reqwest::Method;
use serde_json::{Value, json};
use simpost::routing::class::MessageClass;
use simpost::sms::state::MessageState;
use simpost::store::{Enqueued, Filter, NewMessage, Once};
use support::Gateway;

const TO: &str = "+380671234567";

fn once(bench: &Bench, word: &str, asked: u8) -> NewMessage {
    NewMessage {
        once: Some(Once {
            word: word.into(),
            asked: [asked; 32],
        }),
        ..bench.new_message(2, MessageClass::Transactional)
    }
}

async fn count(bench: &Bench) -> usize {
    let all = Filter {
        limit: 1000,
        ..Filter::default()
    };
    bench.store.messages(all).await.unwrap().messages.len()
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_whatever_has_happened_since() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let new = once(&bench, "a", 1);
    let Enqueued::New(first) = bench.store.enqueue(new, bench.now).await.unwrap() else {
        panic!("new");
    };
    bench.send(sim, 1).await;
    bench.pass(60);
    let again = bench.store.enqueue(once(&bench, "a", 1), bench.now).await;
    assert_eq!(again.unwrap(), Enqueued::Repeated(first.clone()));
    let other = bench.store.enqueue(once(&bench, "a", 2), bench.now).await;
    assert_eq!(other.unwrap(), Enqueued::Reused);
    assert_eq!(count(&bench).await, 1);
    assert_eq!(bench.state(first.id).await, MessageState::Sending);

    // For three days, then the word is free.
    let oldest = bench.now.minus(std::time::Duration::from_secs(60));
    let end = oldest.plus(std::time::Duration::from_secs(72 * 3600));
    assert_eq!(
        bench.store.forget_requests(bench.now).await.unwrap(),
        Some(end)
    );
    bench.now = end;
    assert_eq!(bench.store.forget_requests(bench.now).await.unwrap(), None);
    let later = bench.store.enqueue(once(&bench, "a", 2), bench.now).await;
    assert!(matches!(later.unwrap(), Enqueued::New(_)));
    assert_eq!(count(&bench).await, 2);
}

#[tokio::test]
async fn a_name_of_the_shop_finds_its_message_as_it_stands() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let order = |client_ref: &str| NewMessage {
        client_ref: Some(client_ref.into()),
        ..bench.new_message(1, MessageClass::Transactional)
    };
    let first = bench.keep(order("order 1042")).await;
    bench.send(sim, 7).await;
    bench.report(sim, 7, 0).await;
    let Enqueued::Known(known) = bench
        .store
        .enqueue(order("order 1042"), bench.now)
        .await
        .unwrap()
    else {
        panic!("known");
    };
    assert_eq!((known.id, known.state), (first, MessageState::Delivered));
    assert_eq!(known.client_ref.as_deref(), Some("order 1042"));
    assert_ne!(bench.keep(order("order 1043")).await, first);
}

/// `POST /v1/messages` under a word: status, whether it was a repeat, body.
async fn post(gateway: &Gateway, key: &str, word: &str, wish: &Value) -> (u16, bool, Value) {
    let request = gateway
        .request(Method::POST, "/v1/messages")
        .bearer_auth(key);
    let response = request
        .header("idempotency-key", word)
        .json(wish)
        .send()
        .await
        .unwrap();
    let repeated = response.headers().contains_key("idempotent-replayed");
    (
        response.status().as_u16(),
        repeated,
        response.json().await.unwrap(),
    )
}

#[tokio::test]
async fn requests_are_repeated_over_http_and_over_a_power_cut() {
    let mut gateway = Gateway::start(1, "").await;
    let key = gateway.key.clone();
    let wish = json!({"to": TO, "text": "Your order is ready", "client_ref": "1042"});
    let (status, repeated, first) = post(&gateway, &key, "a-1", &wish).await;
    assert_eq!((status, repeated), (202, false));
    gateway.wait_final(first["id"].as_str().unwrap()).await;
    gateway.restart_daemon().await;
    // The same fields in another order are the same request.
    let text = r#"{ "text":"Your order is ready", "client_ref":"1042", "to":"+380671234567" }"#;
    let same: Value = serde_json::from_str(text).unwrap();
    assert_eq!(
        post(&gateway, &key, "a-1", &same).await,
        (202, true, first.clone())
    );
    let (status, _, problem) =
        post(&gateway, &key, "a-1", &json!({"to": TO, "text": "other"})).await;
    assert_eq!(
        (status, &problem["code"]),
        (422, &json!("idempotency_key_reused"))
    );
    // Another word, the same name: as it stands.
    let (status, repeated, known) = post(&gateway, &key, "a-2", &wish).await;
    assert_eq!(
        (status, repeated, &known["state"]),
        (200, false, &json!("delivered"))
    );
    // Words and names belong to a key.
    let made = gateway
        .run(&["key", "create", "--name", "x", "--scope", "*", "--json"])
        .await;
    let other = made.json()["key"].as_str().unwrap().to_owned();
    let (status, repeated, message) = post(&gateway, &other, "a-1", &wish).await;
    assert_eq!((status, repeated), (202, false));
    assert_ne!(message["id"], first["id"]);

    for word in ["", " ", &"x".repeat(256)] {
        let (status, _, problem) = post(&gateway, &key, word, &wish).await;
        assert_eq!(
            (status, &problem["code"]),
            (400, &json!("invalid_idempotency_key")),
            "{word}"
        );
    }
    let long = json!({"to": TO, "text": "x", "client_ref": "x".repeat(129)});
    let (status, problem) = gateway.post(long).await;
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/client_ref"))
    );
    let twice = ["send", TO, "hello", "--ref", "mine", "--json"];
    let (one, two) = (
        gateway.run(&twice).await.json(),
        gateway.run(&twice).await.json(),
    );
    assert_eq!(one["id"], two["id"]);
}

#[tokio::test]
async fn eight_clients_that_repeat_themselves_make_one_row_each() {
    const CLIENTS: usize = 8;
    let long = std::env::var_os("SIMPOST_LONG").is_some();
    let texts = if long { 20_000 } else { 1_000 };
    let gateway = Gateway::start(0, "").await;
    let requests = (0..texts * 2).map(|number| {
        let (gateway, text) = (&gateway, number % texts);
        async move {
            let word = format!("word {text}");
            let wish = json!({"to": TO, "text": format!("text {text}")});
            let (status, repeated, message) = post(gateway, &gateway.key, &word, &wish).await;
            assert_eq!(status, 202, "{message}");
            (text, repeated, message["id"].as_str().unwrap().to_owned())
        }
    });
    // The second round comes while answers of the first are under way, and out of order.
    let answers: Vec<_> = stream::iter(requests)
        .buffer_unordered(CLIENTS)
        .collect()
        .await;
    let mut ids: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (text, _, id) in &answers {
        ids.entry(*text).or_default().insert(id.clone());
    }
    assert!(ids.values().all(|ids| ids.len() == 1));
    assert_eq!(
        answers.iter().filter(|(_, repeated, _)| *repeated).count(),
        texts
    );
    let db = rusqlite::Connection::open(gateway.data.join("simpost.db")).unwrap();
    let rows: u32 = db
        .query_row("SELECT count(*) FROM message", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows as usize, texts);
}
