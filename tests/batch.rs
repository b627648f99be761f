//! Many messages at once, and what one would come to, from outside.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::Gateway;

async fn post(
    gateway: &Gateway,
    path: &str,
    word: Option<&str>,
    body: &Value,
) -> (u16, bool, Value) {
    let mut request = gateway
        .request(Method::POST, path)
        .bearer_auth(&gateway.key)
        .json(body);
    if let Some(word) = word {
        request = request.header("idempotency-key", word);
    }
    let response = request.send().await.unwrap();
    let header = response.headers().get("idempotent-replayed");
    let replayed = header.is_some_and(|value| value == "true");
    (
        response.status().as_u16(),
        replayed,
        response.json().await.unwrap(),
    )
}

fn texts(count: usize) -> Vec<Value> {
    let text = |no: usize| json!({"to": format!("+3806712{no:05}"), "text": format!("text {no}"), "client_ref": no.to_string()});
    (0..count).map(text).collect()
}

fn rows(gateway: &Gateway) -> u32 {
    let db = rusqlite::Connection::open(gateway.data.join("simpost.db")).unwrap();
    db.query_row("SELECT count(*) FROM message", [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn the_good_ones_of_a_batch_are_kept_and_each_is_answered() {
    let gateway = Gateway::start(1, "").await;
    let messages = json!({"messages": [
        {"to": "+380671234567", "text": "one"},
        {"to": "x", "text": ""},
        {"to": "+380671234567", "text": "two", "speed": 5},
        7,
        {"to": "+380671234568", "text": "three", "send_at": "2027-01-01T00:00:00Z"},
    ]});
    let (status, replayed, told) = post(&gateway, "/v1/messages/batch", None, &messages).await;
    assert_eq!((status, replayed), (202, false));
    assert_eq!(
        (&told["accepted"], &told["rejected"]),
        (&json!(2), &json!(3)),
        "{told:#}"
    );
    let data = told["data"].as_array().unwrap();
    let indices: Vec<_> = data
        .iter()
        .map(|item| item["index"].as_u64().unwrap())
        .collect();
    assert_eq!(indices, [0, 1, 2, 3, 4]);
    assert_eq!(
        (&data[0]["state"], &data[4]["state"]),
        (&json!("queued"), &json!("scheduled"))
    );
    let pointers = |item: &Value| -> Vec<String> {
        let errors = item["error"]["errors"].as_array().unwrap().iter();
        errors
            .map(|error| error["pointer"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(pointers(&data[1]), ["/to", "/text"]);
    assert_eq!(pointers(&data[2]), ["/speed"]);
    assert_eq!(pointers(&data[3]), [""]);
    gateway
        .wait_for(data[0]["id"].as_str().unwrap(), "delivered")
        .await;
    assert_eq!(rows(&gateway), 2);
}

#[tokio::test]
async fn a_repeated_batch_makes_nothing_new_and_finishes_what_was_begun() {
    let mut gateway = Gateway::start(0, "").await;
    let mut messages = texts(1000);
    messages[500] = json!({"to": "x", "text": "bad"});
    let body = json!({"messages": messages});
    let first = post(&gateway, "/v1/messages/batch", Some("b"), &body).await;
    assert_eq!(
        (first.0, first.1, &first.2["accepted"]),
        (202, false, &json!(999))
    );
    gateway.restart_daemon().await;
    let again = post(&gateway, "/v1/messages/batch", Some("b"), &body).await;
    assert_eq!((again.0, again.1, &again.2), (202, true, &first.2));
    assert_eq!(rows(&gateway), 999);
    for other in [texts(1000), texts(1)] {
        let (status, _, problem) = post(
            &gateway,
            "/v1/messages/batch",
            Some("b"),
            &json!({"messages": other}),
        )
        .await;
        assert_eq!(
            (status, &problem["code"]),
            (422, &json!("idempotency_key_reused"))
        );
    }
    // As after a power cut in the middle of it: the second hundred is gone, with the words of its items.
    let db = rusqlite::Connection::open(gateway.data.join("simpost.db")).unwrap();
    let ids: Vec<String> = (100..200).map(|no| format!("'{no}'")).collect();
    let gone = format!(
        "(SELECT id FROM message WHERE client_ref IN ({}))",
        ids.join(",")
    );
    for table in [
        "request WHERE message",
        "event WHERE message",
        "part WHERE message",
        "message WHERE id",
    ] {
        db.execute(&format!("DELETE FROM {table} IN {gone}"), [])
            .unwrap();
    }
    assert_eq!(rows(&gateway), 899);
    let (status, replayed, told) = post(&gateway, "/v1/messages/batch", Some("b"), &body).await;
    assert_eq!(
        (status, replayed, &told["accepted"]),
        (202, false, &json!(999))
    );
    assert_eq!(rows(&gateway), 999);
    assert_eq!(told["data"][50]["id"], first.2["data"][50]["id"]);
    assert_ne!(told["data"][150]["id"], first.2["data"][150]["id"]);
}

#[tokio::test]
async fn bodies_that_are_no_batch_are_refused_whole() {
    let gateway = Gateway::start(0, "").await;
    for (body, pointer) in [
        (json!({}), "/messages"),
        (json!({"messages": []}), "/messages"),
        (json!({"messages": {}}), "/messages"),
        (json!({"messages": texts(1001)}), "/messages"),
        (json!({"messages": texts(1), "class": "otp"}), "/class"),
    ] {
        let (status, _, problem) = post(&gateway, "/v1/messages/batch", None, &body).await;
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!(pointer))
        );
    }
    let twice = r#"{"messages": [{"to": "+380671234567", "to": "+380671234568", "text": "x"}]}"#;
    let request = gateway
        .request(Method::POST, "/v1/messages/batch")
        .bearer_auth(&gateway.key);
    let answer = request.body(twice).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    let request = gateway
        .request(Method::POST, "/v1/messages/batch")
        .bearer_auth(&gateway.key);
    let answer = request
        .body(" ".repeat(4 * 1024 * 1024 + 1))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 413);
    assert_eq!(rows(&gateway), 0);
}

#[tokio::test]
async fn a_preview_tells_what_a_send_would_come_to() {
    let gateway = Gateway::start(0, "").await;
    let wish = json!({"to": "067 123 45 67", "text": "Order №5: “ready” at the shop, Main street 17, until eight o'clock. Thank you!"});
    let (status, _, told) = post(&gateway, "/v1/messages/preview", None, &wish).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["to"], "+380671234567");
    assert_eq!(
        (&told["encoding"], &told["segments"]),
        (&json!("ucs2"), &json!(2))
    );
    let forced: Vec<_> = told["forced_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["character"].as_str().unwrap())
        .collect();
    assert_eq!(forced, ["№", "“", "”"]);
    assert_eq!(
        (&told["cheaper"]["segments"], &told["cheaper"]["by"]),
        (&json!(1), &json!("look_alikes"))
    );
    assert!(
        told["cheaper"]["text"]
            .as_str()
            .unwrap()
            .starts_with("Order No5: \"ready\"")
    );
    let (status, _, plain) = post(
        &gateway,
        "/v1/messages/preview",
        None,
        &json!({"to": "+380671234567", "text": "Hi"}),
    )
    .await;
    assert_eq!(
        (status, &plain["left"], &plain["cheaper"]),
        (200, &json!(158), &Value::Null)
    );
    let (status, _, problem) = post(
        &gateway,
        "/v1/messages/preview",
        None,
        &json!({"to": "x", "text": "Hi", "x": 1}),
    )
    .await;
    assert_eq!(
        (status, problem["errors"].as_array().unwrap().len()),
        (422, 2)
    );
    assert_eq!(rows(&gateway), 0);
}
