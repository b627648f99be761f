//! A message is withdrawn: in the log, and all the way with the real binary.
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
use reqwest::Method;
use serde_json::{Value, json};
use simpost::routing::class::MessageClass;
use simpost::sms::ids::MessageId;
use simpost::sms::state::{MessageState, PartState};
use simpost::store::{Canceled, Grace, Verdict};
use support::{Air, Gateway};

async fn cancel(bench: &Bench, id: MessageId) -> Canceled {
    bench
        .store
        .cancel(id, bench.now)
        .await
        .unwrap()
        .expect("it is there")
}

async fn parts(bench: &Bench, id: MessageId) -> Vec<PartState> {
    bench
        .message(id)
        .await
        .parts
        .iter()
        .map(|part| part.state)
        .collect()
}

#[tokio::test]
async fn what_waits_is_withdrawn_once_and_never_claimed() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(3).await;
    for _ in 0..2 {
        let Canceled::Whole(message) = cancel(&bench, id).await else {
            panic!("nothing was out");
        };
        assert_eq!(message.state, MessageState::Canceled);
        assert_eq!(message.finalized_at, Some(bench.now));
    }
    assert_eq!(parts(&bench, id).await, [PartState::Canceled; 3]);
    assert!(bench.claim(sim).await.is_none());
    let kinds = bench.kinds(id).await;
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| *kind == "message.canceled")
            .count(),
        1
    );
    let unknown = bench
        .store
        .cancel(MessageId::new(), bench.now)
        .await
        .unwrap();
    assert_eq!(unknown, None);
}

#[tokio::test]
async fn a_deferred_text_is_withdrawn_too() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    bench
        .settle(&claim, Verdict::TryAgain(failure("busy"), RETRY))
        .await;
    assert!(matches!(cancel(&bench, id).await, Canceled::Whole(_)));
    bench.pass(3600);
    assert_eq!(bench.store.release_due(bench.now).await.unwrap(), None);
    assert!(bench.claim(sim).await.is_none());
}

#[tokio::test]
async fn the_part_with_a_modem_ends_as_it_ends_and_does_not_go_again() {
    for (verdict, expected, part) in [
        (
            Verdict::Accepted(None),
            MessageState::Undelivered,
            PartState::Sent,
        ),
        (
            Verdict::TryAgain(failure("busy"), RETRY),
            MessageState::Canceled,
            PartState::Canceled,
        ),
        (
            Verdict::Released,
            MessageState::Canceled,
            PartState::Canceled,
        ),
        (
            Verdict::Refused(failure("barred")),
            MessageState::Failed,
            PartState::Failed,
        ),
        (
            Verdict::Unanswered(failure("silence")),
            MessageState::Uncertain,
            PartState::Uncertain,
        ),
    ] {
        let mut bench = Bench::new();
        let sim = bench.sim(1).await;
        let id = bench.queue_as(2, MessageClass::Otp).await;
        let claim = bench.claim(sim).await.unwrap();
        let Canceled::Rest(message) = cancel(&bench, id).await else {
            panic!("a part is with a modem");
        };
        assert_eq!(message.state, MessageState::Sending);
        bench.settle(&claim, verdict.clone()).await;
        assert_eq!(
            parts(&bench, id).await,
            [part, PartState::Canceled],
            "{verdict:?}"
        );
        assert_eq!(bench.state(id).await, expected, "{verdict:?}");
        // Neither time nor policy sends any of it.
        bench.pass(100_000);
        let grace = Grace {
            otp: Some(Duration::from_secs(60)),
            transactional: None,
        };
        bench.store.release_due(bench.now).await.unwrap();
        bench
            .store
            .resend_uncertain(grace, bench.now)
            .await
            .unwrap();
        assert!(bench.claim(sim).await.is_none(), "{verdict:?}");
    }
}

#[tokio::test]
async fn what_is_out_cannot_be_withdrawn() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    bench.send(sim, 7).await;
    for state in [MessageState::Sent, MessageState::Delivered] {
        let Canceled::TooLate(message) = cancel(&bench, id).await else {
            panic!("it is out");
        };
        assert_eq!(message.state, state);
        bench.report(sim, 7, 0).await;
    }
}

async fn asked(gateway: &Gateway, id: &str) -> (u16, Value) {
    let path = format!("/v1/messages/{id}/cancel");
    let request = gateway
        .request(Method::POST, &path)
        .bearer_auth(&gateway.key);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_queue_is_withdrawn_while_its_first_text_is_on_the_air() {
    let gateway = Gateway::start_on(Air::of_ms(1000, 30), 1, "").await;
    let first = gateway.send("+380671234567", "first").await;
    gateway.wait_for(&first, "sending").await;
    let second = gateway.send("+380671234567", "second").await;
    let third = gateway.send("+380671234567", "third").await;
    let (status, message) = asked(&gateway, &second).await;
    assert_eq!(
        (status, &message["state"], &message["final"]),
        (200, &json!("canceled"), &json!(true))
    );
    let told = gateway.run(&["cancel", &third]).await;
    assert_eq!(
        (told.code, told.stdout),
        (Some(0), format!("{third} is canceled\n"))
    );

    gateway.wait_for(&first, "delivered").await;
    let (status, problem) = asked(&gateway, &first).await;
    assert_eq!((status, &problem["code"]), (409, &json!("not_cancelable")));
    let late = gateway.run(&["cancel", &first]).await;
    let words = "error: the message is delivered already\n";
    assert_eq!((late.code, late.stderr.as_str()), (Some(1), words));
    assert_eq!(asked(&gateway, "msg_0").await.0, 404);
    // The modem has had time for more, and nothing more went out.
    let last = gateway.send("+380671234568", "last").await;
    gateway.wait_for(&last, "delivered").await;
    let aired = gateway.aired();
    let submits = aired
        .iter()
        .filter(|line| line["event"] == "submit")
        .count();
    assert_eq!(submits, 2);
}
