//! Texts all the way, with the real binary: HTTP, SQLite, a real pseudo-terminal and back.
//!
//! What arrived is judged by the emulator's ledger. The ledgers of the big runs are left in
//! `target/ledgers`, where `tests/run` lets decoders of other authors read them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use support::{Air, Gateway};

/// Clients that post at the same time.
const CLIENTS: usize = 8;
const UNDELIVERED: &str = "+15005550013";
const REFUSED: &str = "+15005550014";
const SILENT: &str = "+15005550015";
const EXPIRED: &str = "+15005550016";
const CONGESTED: &str = "+15005550017";

/// A text, where it goes, and how that must end.
#[derive(Clone)]
struct Wish {
    to: String,
    text: String,
    end: &'static str,
}

/// 200 texts, or with `tests/run --long` ten times as many.
fn how_many() -> usize {
    if std::env::var_os("SIMPOST_LONG").is_some() {
        2000
    } else {
        200
    }
}

/// Texts as shops send them: every alphabet, one to ten parts, and numbers that fail.
fn mixed() -> Vec<Wish> {
    let kinds: [(&str, usize); 8] = [
        ("Your code is 4711.", 1),
        ("Ваше замовлення готове, чекаємо на вас!", 1),
        ("Price {49.90} € [incl. ~20%] | pick up at gate ^3\\", 3),
        ("Ремонт завершён. Приходите до пятницы. ", 4),
        ("Дякуємо 🎉 за покупку 😀 у нашій крамниці! ", 6),
        (
            "Dear customer, your repair is finished and waits for you. ",
            9,
        ),
        ("Ціна 1 250,00 ₴ — знижка «−10 %» до неділі. ", 14),
        (
            "Lunch menu: soup, salad, ñandu, crème brulée à la carte. ",
            26,
        ),
    ];
    let ends = [
        (UNDELIVERED, "undelivered"),
        (REFUSED, "failed"),
        (EXPIRED, "expired"),
    ];
    let wish = |number: usize| {
        let (text, times) = kinds[number % kinds.len()];
        let (to, end) = match number % 20 {
            place @ 17..=19 => (ends[place - 17].0.to_owned(), ends[place - 17].1),
            _ => (format!("+3806712{number:05}"), "delivered"),
        };
        Wish {
            to,
            text: format!("{number}: {}", text.repeat(times)),
            end,
        }
    };
    (0..how_many()).map(wish).collect()
}

/// Posts all of them from several clients at once. Ids in the order of the wishes.
async fn post_all(gateway: &Gateway, wishes: &[Wish]) -> Vec<String> {
    let posts = wishes.iter().map(|wish| gateway.send(&wish.to, &wish.text));
    stream::iter(posts).buffered(CLIENTS).collect().await
}

/// How often each text was taken by the network, whole: the fewest times that any of its parts was.
fn times_aired(gateway: &Gateway, wishes: &[Wish], segments: &[u64]) -> Vec<u64> {
    let mut parts: BTreeMap<String, u64> = BTreeMap::new();
    for line in gateway.aired() {
        if line["event"] == "submit" && line["outcome"] != "refused" {
            *parts
                .entry(line["recipient"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
    }
    let by_number = |wish: &Wish| parts.get(&wish.to).copied().unwrap_or(0);
    wishes
        .iter()
        .zip(segments)
        .map(|(wish, segments)| by_number(wish) / segments)
        .collect()
}

/// Leaves the ledger for foreign decoders, with what they must find in it.
fn leave_ledger(gateway: &Gateway, name: &str, wishes: &[Wish], twice: Option<&[&Wish]>) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let dir = target.join("ledgers");
    fs::create_dir_all(&dir).unwrap();
    let place = |ending: &str| -> PathBuf { dir.join(format!("{name}.{ending}")) };
    fs::copy(&gateway.ledger, place("jsonl")).unwrap();
    let arrives = wishes.iter().filter(|wish| wish.end != "failed");
    let expected: Vec<Value> = arrives
        .map(|wish| json!({"to": wish.to, "text": wish.text}))
        .collect();
    fs::write(place("expected.json"), json!(expected).to_string()).unwrap();
    if let Some(twice) = twice {
        let texts: Vec<&str> = twice.iter().map(|wish| wish.text.as_str()).collect();
        fs::write(place("twice.json"), json!(texts).to_string()).unwrap();
    }
}

#[tokio::test]
async fn two_hundred_mixed_texts_arrive_once_each_with_their_right_end() {
    let gateway = Gateway::start_on(Air::of_ms(5, 20), 4, "").await;
    let wishes = mixed();
    let ids = post_all(&gateway, &wishes).await;
    let mut segments = Vec::new();
    for (id, wish) in ids.iter().zip(&wishes) {
        let message = gateway.wait_final(id).await;
        assert_eq!(message["state"], wish.end, "{message:#}");
        assert_eq!(message["text"], wish.text);
        let parts = message["parts"].as_array().unwrap();
        assert_eq!(message["segments"], parts.len());
        if wish.end == "delivered" {
            assert!(
                parts
                    .iter()
                    .all(|part| part["attempts"] == 1 && part["state"] == "delivered")
            );
        }
        segments.push(message["segments"].as_u64().unwrap());
    }
    assert_eq!(
        segments.iter().max(),
        Some(&10),
        "the longest takes as many parts as are allowed"
    );
    let delivered = |wish: &&Wish| wish.end == "delivered";
    let times = times_aired(&gateway, &wishes, &segments);
    let once = wishes
        .iter()
        .zip(&times)
        .filter(|(wish, times)| delivered(wish) && **times == 1)
        .count();
    assert_eq!(once, wishes.iter().filter(delivered).count());
    let modems = gateway.get("/v1/modems").await.1;
    for modem in modems["data"].as_array().unwrap() {
        assert!(
            modem["accepted_parts"].as_u64().unwrap() > 20,
            "the work is shared: {modems:#}"
        );
    }
    leave_ledger(&gateway, "flow-200", &wishes, None);
}

#[tokio::test]
async fn a_daemon_killed_in_the_middle_loses_none() {
    // Longer than all the killing takes: a part that is sent again and hit again would rest as uncertain.
    let grace = "[uncertain]\notp_grace_s = 12\ntransactional_grace_s = 12\n";
    let mut gateway = Gateway::start_on(Air::of_ms(20, 30), 4, grace).await;
    let mut wishes = mixed();
    wishes.retain(|wish| wish.end == "delivered");
    let ids = post_all(&gateway, &wishes).await;
    for done in [20, 60, 100, 140] {
        // Not by the clock: when so many are through, whatever the machine's speed.
        gateway
            .wait_until("/v1/messages?state=delivered&limit=200", |list| {
                list["data"].as_array().unwrap().len() >= done
            })
            .await;
        gateway.kill_daemon().await;
        gateway.restart_daemon().await;
    }
    let (mut segments, mut uncertain) = (Vec::new(), Vec::new());
    for (id, wish) in ids.iter().zip(&wishes) {
        let path = format!("/v1/messages/{id}");
        // The report of a text may have come while nobody listened: then `sent` is all that is known.
        let message = gateway
            .wait_until(&path, |message| {
                message["state"] == "delivered" || message["state"] == "sent"
            })
            .await;
        segments.push(message["segments"].as_u64().unwrap());
        let events = gateway.get(&format!("{path}/events")).await.1;
        if events["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["to"] == "uncertain")
        {
            uncertain.push(wish);
        }
    }
    assert!(
        !uncertain.is_empty() && uncertain.len() <= 16,
        "four modems, four kills: {}",
        uncertain.len()
    );
    let times = times_aired(&gateway, &wishes, &segments);
    for (wish, times) in wishes.iter().zip(times) {
        let doubt = uncertain.iter().any(|doubtful| doubtful.text == wish.text);
        let allowed = if doubt { 1..=2 } else { 1..=1 };
        assert!(allowed.contains(&times), "{times} times: {}", wish.text);
    }
    leave_ledger(&gateway, "flow-killed", &wishes, Some(&uncertain));
}

#[tokio::test]
async fn a_stop_in_order_leaves_nothing_in_doubt() {
    let mut gateway = Gateway::start_on(Air::of_ms(300, 30), 2, "").await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(
            gateway
                .send("+380671234567", &format!("text {number}"))
                .await,
        );
    }
    gateway
        .wait_until("/v1/messages?state=sending", |list| {
            list["data"].as_array().unwrap().len() == 2
        })
        .await;
    assert_eq!(gateway.stop_daemon().await, Some(0));
    assert_eq!(
        gateway
            .aired()
            .iter()
            .filter(|line| line["event"] == "submit")
            .count(),
        2,
        "the two in the air"
    );
    gateway.restart_daemon().await;
    assert!(
        !gateway.log().contains("stopped in the middle"),
        "{}",
        gateway.log()
    );
    for id in &ids {
        gateway.wait_for(id, "delivered").await;
        let events = gateway.get(&format!("/v1/messages/{id}/events")).await.1;
        assert!(!events.to_string().contains("uncertain"), "{events:#}");
    }
    assert_eq!(
        gateway
            .aired()
            .iter()
            .filter(|line| line["event"] == "submit")
            .count(),
        6
    );
}

#[tokio::test]
async fn silence_is_an_outcome_of_its_own_and_buys_one_second_chance() {
    let limits = "[sending]\nanswer_limit_s = 1\n[uncertain]\notp_grace_s = 1\n";
    let gateway = Gateway::start(1, limits).await;
    let wish = |class: &str| json!({"to": SILENT, "text": class, "class": class});
    let id = |answer: (u16, Value)| answer.1["id"].as_str().unwrap().to_owned();
    let offer = id(gateway.post(wish("marketing")).await);
    let message = gateway.wait_for(&offer, "uncertain").await;
    assert_eq!(
        (&message["final"], &message["error"]["code"]),
        (&json!(false), &json!("unanswered"))
    );
    let code = id(gateway.post(wish("otp")).await);
    let path = format!("/v1/messages/{code}");
    let twice = |message: &Value| message["state"] == "uncertain" && message["attempts"] == 2;
    gateway.wait_until(&path, twice).await;
    let aired: Vec<Value> = gateway
        .aired()
        .into_iter()
        .filter(|line| line["recipient"] == SILENT)
        .collect();
    assert_eq!(aired.len(), 3, "the offer once, the code twice");
    let after = gateway
        .send("+380671234567", "and the modem works again")
        .await;
    gateway.wait_for(&after, "delivered").await;
    assert_eq!(gateway.get(&path).await.1["attempts"], 2);
}

#[tokio::test]
async fn a_busy_network_is_tried_again_and_holds_nobody_up() {
    let gateway = Gateway::start(1, "[sending]\nattempts = 3\nretry_wait_s = 1\n").await;
    let busy = gateway.send(CONGESTED, "later").await;
    let other = gateway.send("+380671234567", "now").await;
    gateway.wait_for(&other, "delivered").await;
    let message = gateway.get(&format!("/v1/messages/{busy}")).await.1;
    assert_eq!(
        (&message["state"], &message["attempts"]),
        (&json!("queued"), &json!(1))
    );
    let message = gateway.wait_for(&busy, "failed").await;
    assert_eq!(message["attempts"], 3);
    assert_eq!(message["error"]["code"], "network_busy");
    assert_eq!(message["error"]["raw"], "+CMS ERROR: 42");
}

#[tokio::test]
async fn modems_that_are_pulled_out_come_back_by_themselves() {
    let mut gateway = Gateway::start(2, "[modems]\nreopen_wait_s = 1\n").await;
    let before = gateway.send("+380671234567", "before").await;
    gateway.wait_for(&before, "delivered").await;
    gateway.unplug().await;
    let gone = |list: &Value| {
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|modem| modem["error"]["code"] == "port_absent")
    };
    let modems = gateway.wait_until("/v1/modems", gone).await;
    assert!(
        modems["data"][0]["error"]["hint"]
            .as_str()
            .unwrap()
            .starts_with("plug the modem in")
    );
    let meanwhile = gateway.send("+380671234567", "meanwhile").await;
    assert_eq!(
        gateway.get(&format!("/v1/messages/{meanwhile}")).await.1["state"],
        "queued"
    );
    gateway.plug_in().await;
    gateway.wait_for(&meanwhile, "delivered").await;
}
