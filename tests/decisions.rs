//! What people decide about messages that are kept: resolved, sent again, erased.
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

use log::{Bench, failure};
use reqwest::Method;
use serde_json::{Value, json};
use simpost::routing::class::MessageClass;
use simpost::sms::ids::{MessageId, SimId};
use simpost::sms::state::MessageState;
use simpost::store::{Erased, Grace, Resolution, Resolved, Verdict};
use support::Gateway;

const TO: &str = "+380671234567";
/// Its number makes the emulated network fail it at once.
const NOBODY: &str = "+15005550014";

/// A marketing text of which nobody knows whether it left: it rests.
async fn uncertain(bench: &Bench, sim: SimId) -> MessageId {
    let id = bench.queue_as(1, MessageClass::Marketing).await;
    let claim = bench.claim(sim).await.unwrap();
    assert!(bench.store.arm(claim.token, bench.now).await.unwrap());
    bench
        .settle(&claim, Verdict::Unanswered(failure("silence")))
        .await;
    id
}

async fn resolve(bench: &Bench, id: MessageId, resolution: Resolution) -> MessageState {
    match bench
        .store
        .resolve(id, resolution, bench.now)
        .await
        .unwrap()
    {
        Some(Resolved::Done(message)) => message.state,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_persons_word_settles_an_uncertain_text_and_evidence_corrects_it() {
    for (resolution, state) in [
        (Resolution::Sent, MessageState::Sent),
        (Resolution::Failed, MessageState::Failed),
    ] {
        let bench = Bench::new();
        let sim = bench.sim(1).await;
        let id = uncertain(&bench, sim).await;
        assert_eq!(resolve(&bench, id, resolution).await, state);
        let again = bench
            .store
            .resolve(id, resolution, bench.now)
            .await
            .unwrap();
        assert!(
            matches!(again, Some(Resolved::NothingUncertain(_))),
            "{again:?}"
        );
        assert!(bench.claim(sim).await.is_none());
        bench.report(sim, 40, 0).await;
        assert_eq!(bench.state(id).await, MessageState::Delivered);
    }
}

#[tokio::test]
async fn a_text_goes_once_more_when_a_person_says_so() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = uncertain(&bench, sim).await;
    // Withdrawn, and past its time: the person wants it all the same.
    bench.store.cancel(id, bench.now).await.unwrap().unwrap();
    bench.pass(48 * 3600);
    assert_eq!(
        resolve(&bench, id, Resolution::Resend).await,
        MessageState::Queued
    );
    let claim = bench.claim(sim).await.expect("it waits");
    assert_eq!(claim.message, id);
    bench
        .settle(&claim, Verdict::Unanswered(failure("silence")))
        .await;
    // Silence buys it no further chance by itself.
    let grace = Grace {
        otp: None,
        transactional: None,
    };
    bench.pass(3600);
    bench
        .store
        .resend_uncertain(grace, bench.now)
        .await
        .unwrap();
    assert!(bench.claim(sim).await.is_none());
    assert_eq!(
        bench
            .store
            .resolve(MessageId::new(), Resolution::Sent, bench.now)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn text_and_number_are_erased_when_nothing_is_to_come() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    let erase = async |bench: &Bench| bench.store.erase(id, bench.now).await.unwrap();
    assert_eq!(erase(&bench).await, Erased::UnderWay);
    bench.send(sim, 7).await;
    assert_eq!(
        erase(&bench).await,
        Erased::UnderWay,
        "its report is found by the number"
    );
    bench.report(sim, 7, 0).await;
    for _ in 0..2 {
        assert_eq!(erase(&bench).await, Erased::Done);
    }
    let message = bench.message(id).await;
    assert_eq!(
        (message.recipient.as_str(), message.text.as_str()),
        ("", "")
    );
    assert_eq!(
        (message.state, message.erased_at),
        (MessageState::Delivered, Some(bench.now))
    );
    let resting = uncertain(&bench, sim).await;
    assert_eq!(
        bench.store.erase(resting, bench.now).await.unwrap(),
        Erased::UnderWay
    );
    bench.pass(72 * 3600);
    assert_eq!(
        bench.store.erase(resting, bench.now).await.unwrap(),
        Erased::Done
    );
    assert_eq!(
        bench
            .store
            .erase(MessageId::new(), bench.now)
            .await
            .unwrap(),
        Erased::Missing
    );
}

async fn ask(gateway: &Gateway, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = gateway.request(method, path).bearer_auth(&gateway.key);
    let response = request.json(&body).send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_message_is_sent_again_and_erased_over_http() {
    let gateway = Gateway::start(1, "").await;
    let first = gateway.send(NOBODY, "Hello").await;
    gateway.wait_for(&first, "failed").await;
    let path = format!("/v1/messages/{first}");
    let (status, again) = ask(&gateway, Method::POST, &format!("{path}/resend"), json!({})).await;
    assert_eq!((status, &again["resend_of"]), (202, &json!(first)));
    assert_eq!(
        (&again["to"], &again["text"]),
        (&json!(NOBODY), &json!("Hello"))
    );
    assert_ne!(again["id"], json!(first));
    let told = gateway.run(&["resend", &first]).await;
    assert!(told.stdout.ends_with(" queued\n"), "{}", told.stdout);

    let scheduled = json!({"to": TO, "text": "x", "send_at": "2027-01-01T00:00:00Z"});
    let (_, scheduled) = gateway.post(scheduled).await;
    let waits = format!("/v1/messages/{}", scheduled["id"].as_str().unwrap());
    for (method, path, code) in [
        (Method::POST, format!("{waits}/resend"), "not_final"),
        (Method::DELETE, waits.clone(), "not_final"),
    ] {
        let (status, problem) = ask(&gateway, method, &path, json!({})).await;
        assert_eq!((status, &problem["code"]), (409, &json!(code)), "{path}");
    }
    assert_eq!(ask(&gateway, Method::DELETE, &path, json!({})).await.0, 204);
    let (_, erased) = gateway.get(&path).await;
    assert_eq!((&erased["to"], &erased["text"]), (&json!(""), &json!("")));
    assert!(erased["erased_at"].is_string());
    let (status, problem) = ask(&gateway, Method::POST, &format!("{path}/resend"), json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("erased")));
}

#[tokio::test]
async fn only_what_is_uncertain_is_resolved_and_only_in_known_words() {
    let gateway = Gateway::start(1, "").await;
    let id = gateway.send(TO, "Hello").await;
    gateway.wait_for(&id, "delivered").await;
    let path = format!("/v1/messages/{id}/resolve");
    for (body, status, code) in [
        (json!({"as": "sent"}), 409, "not_uncertain"),
        (json!({"as": "gone"}), 422, "invalid_request"),
        (json!({}), 422, "invalid_request"),
        (json!({"as": "sent", "x": 1}), 422, "invalid_request"),
    ] {
        let (answered, problem) = ask(&gateway, Method::POST, &path, body.clone()).await;
        assert_eq!(
            (answered, &problem["code"]),
            (status, &json!(code)),
            "{body}"
        );
    }
    let told = gateway.run(&["resolve", &id, "--as", "sent"]).await;
    let words = "error: the message is delivered, no part of it is uncertain\n";
    assert_eq!((told.code, told.stderr.as_str()), (Some(1), words));
}
