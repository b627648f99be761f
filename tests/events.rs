//! The events from outside: asked for, waited for and streamed from the real binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use support::{DEADLINE, Gateway};
use tokio::time::{Instant, sleep, timeout};

const TO: &str = "+380671234567";

fn seqs(told: &Value) -> Vec<i64> {
    let events = told["data"].as_array().unwrap().iter();
    events.map(|event| event["seq"].as_i64().unwrap()).collect()
}

fn kinds(told: &Value) -> Vec<&str> {
    let events = told["data"].as_array().unwrap().iter();
    events
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

/// An open stream of events, and what has been read of it.
struct Stream {
    response: Response,
    read: String,
}

impl Stream {
    async fn open(gateway: &Gateway, path: &str, last: Option<i64>) -> Self {
        let mut request = gateway.request(Method::GET, path).bearer_auth(&gateway.key);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            read: String::new(),
        }
    }

    /// Id, event and data of the next event.
    async fn next(&mut self) -> (i64, String, Value) {
        let whole = async {
            loop {
                if let Some((event, rest)) = self.read.split_once("\n\n") {
                    let event = event.to_owned();
                    self.read = rest.into();
                    return event;
                }
                let chunk = self.response.chunk().await.unwrap().expect("it goes on");
                self.read.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        let event = timeout(DEADLINE, whole).await.expect("an event");
        let field = |name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|value| value.strip_prefix(": "))
                .unwrap()
                .to_owned()
        };
        let data = serde_json::from_str(&field("data")).unwrap();
        (field("id").parse().unwrap(), field("event"), data)
    }
}

#[tokio::test]
async fn events_are_read_in_order_and_waited_for() {
    let gateway = Gateway::start(1, "").await;
    let id = gateway.send(TO, "hello").await;
    gateway.wait_final(&id).await;
    let (status, told) = gateway.get("/v1/events").await;
    assert_eq!(status, 200);
    let all = seqs(&told);
    assert!(all.is_sorted() && all.len() == 4, "{told:#}");
    assert_eq!(
        (&told["has_more"], told["next_after"].as_i64()),
        (&json!(false), all.last().copied())
    );
    assert_eq!(
        (kinds(&told)[0], &told["data"][0]["message"]),
        ("message.queued", &json!(id))
    );

    // In stretches of two: the same, and nothing twice.
    let (mut after, mut stretches) = (0, Vec::new());
    loop {
        let (_, told) = gateway
            .get(&format!("/v1/events?after={after}&limit=2"))
            .await;
        stretches.extend(seqs(&told));
        after = told["next_after"].as_i64().unwrap();
        if told["has_more"] == false {
            break;
        }
    }
    assert_eq!(stretches, all);
    let path = "/v1/events?types=message.delivered,message.queued";
    assert_eq!(
        kinds(&gateway.get(path).await.1),
        ["message.queued", "message.delivered"]
    );

    // Nothing happens: it waits its time and is empty.
    let begun = Instant::now();
    let (_, none) = gateway.get("/v1/events?after=now&wait=1").await;
    assert_eq!(
        (seqs(&none), none["next_after"].as_i64()),
        (vec![], Some(after))
    );
    assert!(begun.elapsed() >= Duration::from_secs(1));
    // Something happens: it answers at once.
    let begun = Instant::now();
    let delivered = gateway.get("/v1/events?after=now&wait=60&types=message.delivered");
    let (sent, (_, told)) = tokio::join!(
        async {
            sleep(Duration::from_millis(200)).await;
            gateway.send(TO, "again").await
        },
        delivered
    );
    assert_eq!(
        (kinds(&told), &told["data"][0]["message"]),
        (vec!["message.delivered"], &json!(sent))
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_stream_goes_on_where_it_was_and_ends_with_the_daemon() {
    const TEXTS: usize = 20;
    let mut gateway = Gateway::start(2, "").await;
    let mut stream =
        Stream::open(&gateway, "/v1/events/stream?types=message.delivered", None).await;
    let mut ids = Vec::new();
    for number in 0..TEXTS {
        ids.push(gateway.send(TO, &format!("text {number}")).await);
    }
    let (mut told, mut last) = (Vec::new(), 0);
    for number in 0..TEXTS {
        if number == TEXTS / 2 {
            // Cut off, it comes back and tells where it was.
            let path = "/v1/events/stream?types=message.delivered&after=0";
            stream = Stream::open(&gateway, path, Some(last)).await;
        }
        let (seq, kind, event) = stream.next().await;
        assert_eq!(
            (kind.as_str(), event["seq"].as_i64()),
            ("message.delivered", Some(seq))
        );
        assert!(seq > last);
        last = seq;
        told.push(event["message"].as_str().unwrap().to_owned());
    }
    ids.sort();
    told.sort();
    assert_eq!(told, ids);
    let begun = Instant::now();
    assert_eq!(gateway.stop_daemon().await, Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "a stream held it up"
    );
    let end = timeout(DEADLINE, stream.response.bytes_stream().next()).await;
    assert!(matches!(end, Ok(None | Some(Err(_)))), "{end:?}");
}

#[tokio::test]
async fn who_may_not_read_texts_that_came_in_is_not_told_of_them() {
    let gateway = Gateway::start(0, "").await;
    let db = rusqlite::Connection::open(gateway.data.join("simpost.db")).unwrap();
    db.execute_batch(
        "INSERT INTO sim(id, imsi, first_seen_at, last_seen_at) VALUES (1, '255010000000001', 0, 0);
         INSERT INTO inbound(id, sim, parts, missing, received_at) VALUES (zeroblob(16), 1, 1, 0, 0);
         INSERT INTO event(at, type, inbound, sim) VALUES (0, 'inbound.received', zeroblob(16), 1);",
    )
    .unwrap();
    gateway.send(TO, "hello").await;
    let (_, told) = gateway.get("/v1/events").await;
    assert_eq!(kinds(&told), ["inbound.received", "message.queued"]);
    for (scope, status, told) in [
        ("messages:read", 200, vec!["message.queued"]),
        ("inbound:read", 403, vec![]),
    ] {
        let key = gateway
            .run(&["key", "create", "--name", "x", "--scope", scope, "--json"])
            .await;
        let key = key.json()["key"].as_str().unwrap().to_owned();
        let request = gateway.request(Method::GET, "/v1/events").bearer_auth(key);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{scope}");
        let answer: Value = response.json().await.unwrap();
        if status == 200 {
            assert_eq!(kinds(&answer), told, "{scope}");
        }
    }
}

#[tokio::test]
async fn wrong_questions_and_too_many_streams_are_refused() {
    let gateway = Gateway::start(0, "").await;
    for query in [
        "after=-1",
        "after=x",
        "types=message.gone",
        "types=",
        "wait=61",
        "limit=0",
        "x=1",
    ] {
        let (status, problem) = gateway.get(&format!("/v1/events?{query}")).await;
        assert_eq!(
            (status, &problem["code"]),
            (422, &json!("invalid_request")),
            "{query}"
        );
    }
    let (status, _) = gateway.get("/v1/events/stream?limit=1").await;
    assert_eq!(status, 422, "a stream has no end to limit");
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(Stream::open(&gateway, "/v1/events/stream?after=now", None).await);
    }
    let (status, problem) = gateway.get("/v1/events/stream").await;
    assert_eq!(
        (status, &problem["code"]),
        (503, &json!("too_many_streams"))
    );
    drop(streams);
    let again = async {
        while gateway
            .request(Method::GET, "/v1/events/stream")
            .bearer_auth(&gateway.key)
            .send()
            .await
            .unwrap()
            .status()
            != 200
        {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(DEADLINE, again).await.expect("seats come free");
}
