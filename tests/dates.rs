//! The dates of messages: when they begin, and from when they are not worth sending.
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

use std::time::Duration;

use log::{Bench, RETRY, failure};
use serde_json::json;
use simpost::clock::{Clock, Millis};
use simpost::routing::class::{MessageClass, Priority};
use simpost::sms::ids::{MessageId, PartNo};
use simpost::sms::state::{MessageState, PartState};
use simpost::store::{Grace, NewMessage, Verdict};
use support::{Air, Gateway};

const HOUR: Duration = Duration::from_secs(3600);

fn in_an_hour(bench: &Bench) -> NewMessage {
    NewMessage {
        send_at: Some(bench.now.plus(HOUR)),
        expires_at: bench.now.plus(HOUR * 2),
        ..bench.new_message(2, MessageClass::Transactional)
    }
}

#[tokio::test]
async fn a_text_waits_for_its_hour() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.keep(in_an_hour(&bench)).await;
    assert_eq!(bench.state(id).await, MessageState::Scheduled);
    assert!(bench.claim(sim).await.is_none());
    assert_eq!(
        bench.store.release_due(bench.now).await.unwrap(),
        Some(bench.now.plus(HOUR))
    );
    bench.pass(3600);
    assert_eq!(bench.store.release_due(bench.now).await.unwrap(), None);
    assert_eq!(bench.state(id).await, MessageState::Queued);
    assert_eq!(bench.send(sim, 1).await.part, PartNo(1));
    let kinds = bench.kinds(id).await;
    let of_message = kinds.iter().filter(|kind| kind.starts_with("message."));
    let expected = ["message.scheduled", "message.queued", "message.sending"];
    assert_eq!(of_message.collect::<Vec<_>>()[..3], expected);
}

#[tokio::test]
async fn an_hour_that_has_passed_is_now() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let late = NewMessage {
        send_at: Some(bench.now),
        ..bench.new_message(1, MessageClass::Otp)
    };
    let id = bench.keep(late).await;
    assert_eq!(bench.state(id).await, MessageState::Queued);
    assert_eq!(bench.claim(sim).await.unwrap().message, id);
}

#[tokio::test]
async fn a_scheduled_text_is_withdrawn_without_ever_being_queued() {
    let mut bench = Bench::new();
    let id = bench.keep(in_an_hour(&bench)).await;
    bench.store.cancel(id, bench.now).await.unwrap().unwrap();
    bench.pass(7200);
    bench.store.release_due(bench.now).await.unwrap();
    let kinds = bench.kinds(id).await;
    let of_message = kinds.iter().filter(|kind| kind.starts_with("message."));
    assert_eq!(
        of_message.collect::<Vec<_>>(),
        ["message.scheduled", "message.canceled"]
    );
}

#[tokio::test]
async fn what_is_not_worth_sending_is_never_claimed() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let old = bench.queue_as(2, MessageClass::Otp).await;
    bench.pass(600);
    let young = bench.queue_as(1, MessageClass::Otp).await;
    // Without any sweep: the claim itself looks.
    assert_eq!(bench.claim(sim).await.unwrap().message, young);
    let message = bench.message(old).await;
    assert_eq!(message.state, MessageState::Expired);
    assert_eq!(message.error.unwrap().code, "validity_expired");
    assert_eq!(message.finalized_at, Some(bench.now));
}

#[tokio::test]
async fn the_sweep_ends_what_nobody_claims() {
    let mut bench = Bench::new();
    let mut ids: Vec<MessageId> = Vec::new();
    for _ in 0..150 {
        ids.push(bench.queue_as(1, MessageClass::Otp).await);
    }
    let scheduled = bench.keep(in_an_hour(&bench)).await;
    let end = bench.now.plus(Duration::from_secs(600));
    assert_eq!(bench.store.expire_due(bench.now).await.unwrap(), Some(end));
    bench.pass(600);
    // So many at a time, so that no commit takes long; the rest is due at once.
    assert_eq!(bench.store.expire_due(bench.now).await.unwrap(), Some(end));
    let next = bench.store.expire_due(bench.now).await.unwrap();
    assert_eq!(next, Some(bench.message(scheduled).await.expires_at));
    for id in ids {
        assert_eq!(bench.state(id).await, MessageState::Expired);
    }
    assert_eq!(bench.state(scheduled).await, MessageState::Scheduled);
}

#[tokio::test]
async fn time_that_runs_out_stops_retries_and_second_chances() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    // Its first part is out, its second is refused for now.
    let half = bench.queue_as(2, MessageClass::Otp).await;
    bench.send(sim, 1).await;
    let second = bench.claim(sim).await.unwrap();
    bench
        .settle(&second, Verdict::TryAgain(failure("busy"), RETRY))
        .await;
    let silent = bench.queue_as(1, MessageClass::Otp).await;
    let claim = bench.claim(sim).await.unwrap();
    assert_eq!(claim.message, silent);
    bench
        .settle(&claim, Verdict::Unanswered(failure("silence")))
        .await;

    bench.pass(601);
    let grace = Grace {
        otp: Some(Duration::from_secs(60)),
        transactional: None,
    };
    bench.store.expire_due(bench.now).await.unwrap();
    bench.store.release_due(bench.now).await.unwrap();
    bench
        .store
        .resend_uncertain(grace, bench.now)
        .await
        .unwrap();
    assert!(bench.claim(sim).await.is_none());
    assert_eq!(
        bench.state(silent).await,
        MessageState::Uncertain,
        "it may be out"
    );
    let states: Vec<_> = bench
        .message(half)
        .await
        .parts
        .iter()
        .map(|part| part.state)
        .collect();
    assert_eq!(states, [PartState::Sent, PartState::Expired]);
}

#[tokio::test]
async fn priority_orders_texts_of_one_class_only() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let mut ids = Vec::new();
    for (class, priority) in [
        (MessageClass::Marketing, 9),
        (MessageClass::Transactional, 0),
        (MessageClass::Transactional, 9),
        (MessageClass::Transactional, 5),
        (MessageClass::Transactional, 9),
    ] {
        let new = NewMessage {
            priority: Priority::new(priority).unwrap(),
            ..bench.new_message(1, class)
        };
        ids.push(bench.keep(new).await);
    }
    for place in [2, 4, 3, 1, 0] {
        assert_eq!(
            bench.claim(sim).await.unwrap().message,
            ids[place],
            "{place}"
        );
    }
}

#[tokio::test]
async fn dates_hold_in_the_real_binary() {
    let gateway = Gateway::start_on(Air::QUICK, 1, "").await;
    let now = Clock::system().now();
    let hour = now.plus(Duration::from_secs(2));
    let wish =
        json!({"to": "+380671234567", "text": "soon", "send_at": hour.to_string(), "ttl": 3600});
    let (status, message) = gateway.post(wish).await;
    assert_eq!((status, &message["state"]), (202, &json!("scheduled")));
    assert_eq!(message["send_at"], json!(hour.to_string()));
    assert_eq!(message["expires_at"], json!(hour.plus(HOUR).to_string()));
    let id = message["id"].as_str().unwrap();
    let message = gateway.wait_for(id, "delivered").await;
    let sent: Millis = message["sent_at"].as_str().unwrap().parse().unwrap();
    assert!(sent >= hour, "{sent} {hour}");
    assert!(sent.since(hour) < Duration::from_secs(5), "{sent} {hour}");
    // TP-VP: an hour, in steps of five minutes.
    let aired = gateway.aired();
    let pdu = aired.iter().find(|line| line["event"] == "submit").unwrap()["pdu"]
        .as_str()
        .unwrap();
    assert!(pdu.ends_with("00000B04F3F7DB0D"), "{pdu}");

    for (field, value, code) in [
        ("send_at", json!("tomorrow"), "invalid_value"),
        ("send_at", json!("2126-01-01T00:00:00Z"), "invalid_date"),
        ("ttl", json!(0), "invalid_value"),
        ("ttl", json!(29), "invalid_date"),
        ("expires_at", json!("2026-01-01T00:00:00Z"), "invalid_date"),
        ("priority", json!(10), "invalid_value"),
    ] {
        let wish = json!({"to": "+380671234567", "text": "x", field: value});
        let (status, problem) = gateway.post(wish).await;
        assert_eq!(
            (status, &problem["errors"][0]["code"]),
            (422, &json!(code)),
            "{problem}"
        );
        assert_eq!(problem["errors"][0]["pointer"], json!(format!("/{field}")));
    }
    let both = json!({"to": "+380671234567", "text": "x", "ttl": 60, "expires_at": "2027-01-01T00:00:00Z"});
    assert_eq!(gateway.post(both).await.1["errors"][0]["code"], "conflict");
    let told = gateway
        .run(&[
            "send",
            "+380671234567",
            "later",
            "--at",
            "2027-01-01T00:00:00+02:00",
            "--json",
        ])
        .await;
    assert_eq!(told.json()["send_at"], "2026-12-31T22:00:00.000Z");
}
