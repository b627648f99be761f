//! The HTTP API from outside, on a real socket: what is wrong is named, and nothing of it is kept.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Gateway, simpost};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a raw body: status, content type, answer.
async fn post_raw(gateway: &Gateway, body: impl Into<reqwest::Body>) -> (u16, String, Value) {
    let request = gateway
        .request(Method::POST, "/v1/messages")
        .header("content-type", "application/json");
    answer(request.bearer_auth(&gateway.key).body(body)).await
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, String, Value) {
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let (status, kind) = (
        response.status().as_u16(),
        header("content-type").unwrap_or_default(),
    );
    assert!(header("x-request-id").unwrap().starts_with("req_"));
    let body = response.bytes().await.unwrap();
    (
        status,
        kind,
        serde_json::from_slice(&body).unwrap_or(Value::Null),
    )
}

/// The places and words of all flaws in a problem.
fn flaws(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    errors
        .iter()
        .map(|flaw| {
            (
                flaw["pointer"].as_str().unwrap(),
                flaw["code"].as_str().unwrap(),
            )
        })
        .collect()
}

async fn assert_nothing_kept(gateway: &Gateway) {
    let (status, list) = gateway.get("/v1/messages").await;
    assert_eq!(
        (status, &list["data"], &list["has_more"]),
        (200, &json!([]), &json!(false))
    );
}

#[tokio::test]
async fn unreadable_bodies_are_400_with_the_place() {
    let gateway = Gateway::start(0, "").await;
    let cases: [(&[u8], &str); 8] = [
        (b"", "the body is empty"),
        (
            b"{",
            "the body is no JSON: EOF while parsing an object at line 1 column 1",
        ),
        (b"{\"to\": \"+38\",}", "line 1 column 14"),
        (b"to=1&text=2", "the body is no JSON"),
        (b"{\"to\":\"\xff\"}", "the body is no UTF-8 from octet 7 on"),
        (b"{\"text\":\"\\ud800\"}", "the body is no JSON"),
        (b"{\"text\":\"a\nb\"}", "control character"),
        (
            b"{\"to\":\"1\",\"to\":\"2\"}",
            "the field `to` stands there twice",
        ),
    ];
    for (body, words) in cases {
        let (status, kind, problem) = post_raw(&gateway, body.to_vec()).await;
        assert_eq!(
            (status, kind.as_str()),
            (400, "application/problem+json"),
            "{body:?}"
        );
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!("unreadable_body"), &json!(400))
        );
        assert!(
            problem["detail"].as_str().unwrap().contains(words),
            "{words}: {problem}"
        );
    }
    assert_nothing_kept(&gateway).await;
}

#[tokio::test]
async fn wrong_bodies_are_422_with_a_pointer_to_every_flaw() {
    let gateway = Gateway::start(0, "").await;
    let cases: [(Value, &[(&str, &str)]); 15] = [
        (json!([]), &[("", "wrong_type")]),
        (json!("x"), &[("", "wrong_type")]),
        (
            json!({}),
            &[("/to", "missing_field"), ("/text", "missing_field")],
        ),
        (
            json!({"to": 380, "text": null}),
            &[("/to", "wrong_type"), ("/text", "wrong_type")],
        ),
        (
            json!({"to": "+380671234567", "text": ""}),
            &[("/text", "text_empty")],
        ),
        (
            json!({"to": "+380671234567", "text": " \n\t"}),
            &[("/text", "text_empty")],
        ),
        (
            json!({"to": "+380671234567", "text": "a\u{0}b"}),
            &[("/text", "text_control_character")],
        ),
        (json!({"to": "", "text": "x"}), &[("/to", "invalid_number")]),
        (
            json!({"to": "call me", "text": "x"}),
            &[("/to", "invalid_number")],
        ),
        (
            json!({"to": "+38067\r\nAT", "text": ""}),
            &[("/to", "invalid_number"), ("/text", "text_empty")],
        ),
        (
            json!({"to": "+380671234567", "text": "x".repeat(1531)}),
            &[("/text", "text_too_long")],
        ),
        (
            json!({"to": "+380671234567", "text": "x".repeat(161), "max_segments": 1}),
            &[("/text", "text_too_long")],
        ),
        (
            json!({"to": "+380671234567", "text": "x", "class": "urgent"}),
            &[("/class", "invalid_value")],
        ),
        (
            json!({"to": "+380671234567", "text": "x", "max_segments": 256}),
            &[("/max_segments", "invalid_value")],
        ),
        (
            json!({"tox": "", "to": "+380671234567", "text": "x", "a/b": 1}),
            &[("/a~1b", "unknown_field"), ("/tox", "unknown_field")],
        ),
    ];
    for (body, expected) in cases {
        let (status, kind, problem) = post_raw(&gateway, body.to_string()).await;
        assert_eq!(
            (status, kind.as_str()),
            (422, "application/problem+json"),
            "{body} {problem}"
        );
        let mut found = flaws(&problem);
        found.sort_by_key(|(pointer, _)| expected.iter().position(|(wanted, _)| wanted == pointer));
        assert_eq!(found, expected, "{problem:#}");
        assert_eq!(problem["code"], "invalid_request");
    }
    assert_nothing_kept(&gateway).await;
}

#[tokio::test]
async fn a_problem_has_all_members_of_its_standard() {
    let gateway = Gateway::start(0, "").await;
    let (_, _, mut problem) = post_raw(&gateway, json!({"tox": "+1"}).to_string()).await;
    assert!(
        problem["request_id"]
            .take()
            .as_str()
            .unwrap()
            .starts_with("req_")
    );
    let expected = json!({
        "type": "urn:simpost:problem:invalid_request",
        "title": "Unprocessable Entity",
        "status": 422,
        "code": "invalid_request",
        "detail": "3 fields are not valid",
        "instance": "/v1/messages",
        "request_id": null,
        "errors": [
            {"pointer": "/to", "code": "missing_field", "detail": "`to` is missing"},
            {"pointer": "/text", "code": "missing_field", "detail": "`text` is missing"},
            {"pointer": "/tox", "code": "unknown_field", "detail": "`tox` is not known here; the nearest is `to`"},
        ],
    });
    assert_eq!(problem, expected);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_of_another_kind_is_not_read() {
    let gateway = Gateway::start(0, "").await;
    let large = json!({"to": "+380671234567", "text": "x".repeat(1024 * 1024)}).to_string();
    let (status, _, problem) = post_raw(&gateway, large.clone()).await;
    assert_eq!((status, &problem["code"]), (413, &json!("body_too_large")));
    // The same without a length that says so beforehand.
    let chunks = futures_util::stream::iter(
        large
            .into_bytes()
            .chunks(64 * 1024)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect::<Vec<_>>(),
    );
    let (status, _, problem) = post_raw(&gateway, reqwest::Body::wrap_stream(chunks)).await;
    assert_eq!((status, &problem["code"]), (413, &json!("body_too_large")));
    let form = gateway
        .request(Method::POST, "/v1/messages")
        .bearer_auth(&gateway.key);
    let form = form
        .header("content-type", "application/x-www-form-urlencoded")
        .body("to=1");
    let (status, _, problem) = answer(form).await;
    assert_eq!(
        (status, &problem["code"]),
        (415, &json!("unsupported_media_type"))
    );
    assert_nothing_kept(&gateway).await;
}

#[tokio::test]
async fn without_the_right_key_nothing_is_told_or_kept() {
    let gateway = Gateway::start(0, "").await;
    let body = json!({"to": "+380671234567", "text": "x"});
    let (mark, digits) = gateway.key.split_at(8);
    let other = format!("{mark}{}{}", &digits[..12], "0".repeat(52));
    let unknown = format!("{mark}{}", "0".repeat(64));
    let cases = [
        (None, "key_missing"),
        (Some("Bearer".to_owned()), "key_invalid"),
        (Some("Bearer gw_live_".to_owned()), "key_invalid"),
        (Some(format!("Basic {}", gateway.key)), "key_invalid"),
        (Some(format!("Bearer {other}")), "key_invalid"),
        (Some(format!("Bearer {unknown}")), "key_invalid"),
        (Some("Bearer gw_live_äöü".to_owned()), "key_invalid"),
    ];
    for (header, code) in cases {
        for path in ["/v1/messages", "/v1/modems", "/v1/keys"] {
            let method = if path == "/v1/messages" {
                Method::POST
            } else {
                Method::GET
            };
            let mut request = gateway.request(method, path).json(&body);
            if let Some(header) = &header {
                request = request.header("authorization", header.as_bytes());
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            assert_eq!(response.status().as_u16(), 401, "{path} {header:?}");
            assert_eq!(response.json::<Value>().await.unwrap()["code"], code);
        }
    }
    assert_nothing_kept(&gateway).await;
}

#[tokio::test]
async fn many_wrong_keys_have_to_wait_and_a_right_one_never() {
    let gateway = Gateway::start(0, "").await;
    let wrong = || {
        gateway
            .request(Method::GET, "/v1/messages")
            .bearer_auth("gw_live_0")
    };
    for _ in 0..20 {
        let (status, _, problem) = answer(wrong()).await;
        assert_eq!((status, &problem["code"]), (401, &json!("key_invalid")));
    }
    let response = wrong().send().await.unwrap();
    assert_eq!(response.status().as_u16(), 429);
    let wait: u64 = response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["code"], "too_many_wrong_keys");
    let right = gateway.request(Method::GET, "/v1/messages");
    let (status, _, _) = answer(right.basic_auth(&gateway.key, None::<&str>)).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_until_it_is_revoked() {
    let gateway = Gateway::start(0, "").await;
    let make = gateway
        .request(Method::POST, "/v1/keys")
        .bearer_auth(&gateway.key);
    let (status, _, made) =
        answer(make.json(&json!({"name": "reader", "scopes": ["messages:read"]}))).await;
    assert_eq!(
        (status, &made["name"], &made["scopes"]),
        (201, &json!("reader"), &json!(["messages:read"]))
    );
    let key = made["key"].as_str().unwrap();
    let with = |method: Method, path: &str| gateway.request(method, path).bearer_auth(key);
    assert_eq!(answer(with(Method::GET, "/v1/messages")).await.0, 200);
    for (method, path) in [
        (Method::POST, "/v1/messages"),
        (Method::GET, "/v1/modems"),
        (Method::GET, "/v1/keys"),
    ] {
        let request = with(method, path).json(&json!({"to": "+380671234567", "text": "x"}));
        let (status, _, problem) = answer(request).await;
        assert_eq!(
            (status, &problem["code"]),
            (403, &json!("scope_missing")),
            "{path}"
        );
    }
    assert_nothing_kept(&gateway).await;
    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    let revoke = gateway
        .request(Method::DELETE, &path)
        .bearer_auth(&gateway.key);
    assert_eq!(answer(revoke).await.0, 204);
    assert_eq!(answer(with(Method::GET, "/v1/messages")).await.0, 401);
    let keys = gateway.get("/v1/keys").await.1;
    assert!(!keys.to_string().contains(key), "a key is shown once");
    let bad = gateway
        .request(Method::POST, "/v1/keys")
        .bearer_auth(&gateway.key)
        .json(&json!({"name": "x", "scopes": ["all"]}));
    assert_eq!(flaws(&answer(bad).await.2), [("/scopes", "unknown_scope")]);
}

#[tokio::test]
async fn other_paths_methods_and_queries_are_told_apart() {
    let gateway = Gateway::start(0, "").await;
    let unknown = "/v1/messages/msg_0192d0c5c6b07a3c8f0a1b2c3d4e5f60";
    let cases = [
        (Method::GET, "/nothing", 404, "no_such_route"),
        (Method::DELETE, "/v1/messages", 405, "method_not_allowed"),
        (Method::PUT, "/healthz", 405, "method_not_allowed"),
        (Method::GET, unknown, 404, "not_found"),
        (Method::GET, "/v1/messages/5", 404, "not_found"),
        (Method::GET, "/v1/messages/msg_%00/events", 404, "not_found"),
        (Method::DELETE, "/v1/keys/5", 404, "not_found"),
        (Method::GET, "/v1/messages?limit=0", 422, "invalid_request"),
        (
            Method::GET,
            "/v1/messages?limit=201",
            422,
            "invalid_request",
        ),
        (
            Method::GET,
            "/v1/messages?state=gone",
            422,
            "invalid_request",
        ),
        (Method::GET, "/v1/messages?cursor=1", 422, "invalid_request"),
        (
            Method::GET,
            "/v1/messages?to=1&to=2",
            422,
            "invalid_request",
        ),
        (Method::GET, "/v1/messages?page=2", 422, "invalid_request"),
    ];
    for (method, path, status, code) in cases {
        let request = gateway.request(method, path).bearer_auth(&gateway.key);
        let (found, kind, problem) = answer(request).await;
        assert_eq!((found, &problem["code"]), (status, &json!(code)), "{path}");
        assert_eq!(kind, "application/problem+json", "{path}");
    }
    assert_eq!(
        answer(gateway.request(Method::GET, "/healthz")).await.2,
        json!({"status": "ok"})
    );
}

#[tokio::test]
async fn pages_follow_each_other_and_filters_narrow_them() {
    let gateway = Gateway::start(0, "").await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let to = if number == 2 {
            "+380501112233"
        } else {
            "067 123 45 67"
        };
        ids.push(gateway.send(to, "x").await);
    }
    ids.reverse();
    let of = |list: &Value| -> Vec<String> {
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = gateway.get("/v1/messages?limit=3").await.1;
    assert_eq!(
        (of(&first), &first["has_more"]),
        (ids[..3].to_vec(), &json!(true))
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = gateway
        .get(&format!("/v1/messages?limit=3&cursor={cursor}"))
        .await
        .1;
    assert_eq!(
        (of(&rest), &rest["next_cursor"]),
        (ids[3..].to_vec(), &Value::Null)
    );
    assert_eq!(
        of(&gateway.get("/v1/messages?to=%2B380501112233").await.1),
        ids[2..3]
    );
    assert_eq!(
        of(&gateway.get("/v1/messages?to=+380501112233").await.1),
        ids[2..3]
    );
    assert_eq!(
        of(&gateway.get("/v1/messages?state=delivered").await.1),
        [""; 0]
    );
    assert_eq!(
        of(&gateway.get("/v1/messages?state=queued").await.1).len(),
        5
    );
}

/// A raw request on a connection of its own, and the first line of the answer.
async fn raw(gateway: &Gateway, request: &str) -> String {
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64];
    let count = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_page_in_a_browser_does_not_reach_us_under_a_name_of_its_own() {
    let gateway = Gateway::start(0, "").await;
    let port = gateway.address.port();
    for (host, status) in [
        (format!("Host: localhost:{port}\r\n"), "200 OK"),
        (format!("Host: 127.0.0.1:{port}\r\n"), "200 OK"),
        (format!("Host: [::1]:{port}\r\n"), "200 OK"),
        ("Host: LOCALHOST\r\n".to_owned(), "200 OK"),
        (
            format!("Host: shop.example:{port}\r\n"),
            "421 Misdirected Request",
        ),
        (
            "Host: 127.0.0.1.shop.example\r\n".to_owned(),
            "421 Misdirected Request",
        ),
    ] {
        let line = raw(
            &gateway,
            &format!("GET /healthz HTTP/1.1\r\n{host}Connection: close\r\n\r\n"),
        )
        .await;
        assert_eq!(line, format!("HTTP/1.1 {status}"), "{host}");
    }
    assert_eq!(
        raw(&gateway, "GET /healthz HTTP/1.0\r\n\r\n").await,
        "HTTP/1.0 200 OK"
    );
    assert!(raw(&gateway, "rubbish\r\n\r\n").await.contains("400"));
}

#[tokio::test]
async fn a_second_daemon_on_the_directory_is_refused_in_words() {
    let gateway = Gateway::start(0, "").await;
    let second = support::ran(
        simpost(&["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&gateway.data),
        b"",
    )
    .await;
    assert_eq!(second.code, Some(1));
    assert!(
        second.stderr.contains("in use by another simpost"),
        "{}",
        second.stderr
    );
    assert!(
        second.stderr.contains("hint: stop the other daemon"),
        "{}",
        second.stderr
    );
    gateway.send("+380671234567", "the first goes on").await;
}
