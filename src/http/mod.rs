//! The local HTTP API: requests become wishes and questions, answers become JSON.
//!
//! `messages`, `inbound`, `events`, `modems`, `keys` and `health` hold one resource each; `auth` says who asks, `body` and
//! `query` read what they ask with every flaw named, `problem` says what went wrong. It calls
//! `admission` and reads `store` and the modems' roster; it moves nothing itself.

pub mod auth;
mod body;
mod events;
mod health;
mod inbound;
pub mod keys;
mod messages;
mod modems;
mod problem;
mod query;
mod serve;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use uuid::Uuid;

use crate::admission::Admission;
use crate::clock::Clock;
use crate::modem::status::Roster;
use crate::store::Store;
pub use events::Following;
use problem::Problem;
pub use serve::{Limits, serve};

/// A body longer than this is not read, in octets.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// The longest that the reading of a body may take. What follows is not cut: an answer that nobody waits
/// for is better than one that says "failed" about a text that is kept.
const BODY_TIME: Duration = Duration::from_secs(30);
const REQUEST_ID: &str = "x-request-id";

/// What the routes stand on.
#[derive(Clone)]
pub struct App {
    /// The log.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The door for wishes.
    pub admission: Admission,
    /// The modems as they stand.
    pub roster: Roster,
    /// Those who follow the events.
    pub following: Following,
}

/// Which way a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Over the network: a key is wanted.
    Network,
    /// Over the socket in the data directory: the file's mode says who may.
    Socket,
}

#[derive(Clone)]
struct Shared {
    app: App,
    door: Door,
}

impl FromRef<Shared> for App {
    fn from_ref(shared: &Shared) -> Self {
        shared.app.clone()
    }
}

impl FromRef<Shared> for Door {
    fn from_ref(shared: &Shared) -> Self {
        shared.door
    }
}

/// The whole API behind one door; the same for the daemon and for tests.
pub fn make_app(app: App, door: Door) -> Router {
    let shared = Shared { app, door };
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/v1/messages", get(messages::list).post(messages::send))
        .route("/v1/messages/{id}", get(messages::read))
        .route("/v1/messages/{id}/events", get(messages::events))
        .route("/v1/events", get(events::list))
        .route("/v1/events/stream", get(events::stream))
        .route("/v1/inbound", get(inbound::list))
        .route("/v1/inbound/{id}", get(inbound::read))
        .route("/v1/modems", get(modems::list))
        .route("/v1/keys", get(keys::list).post(keys::create))
        .route("/v1/keys/{id}", delete(keys::revoke))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::internal().into_response()
        }))
        .layer(from_fn_with_state(shared.clone(), check_host))
        .layer(from_fn(name_request))
        .with_state(shared)
}

/// An answer that lists things.
#[derive(Serialize)]
pub struct List<T> {
    /// The things.
    pub data: Vec<T>,
}

/// A page of a longer list, newest first.
#[derive(Serialize)]
pub struct Page<T> {
    data: Vec<T>,
    has_more: bool,
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page; where `more` follows, the next one begins behind the last of `data`.
    fn of(data: Vec<T>, more: bool, id: impl Fn(&T) -> &String) -> Self {
        let last = data.last().filter(|_| more);
        Self {
            next_cursor: last.map(|last| id(last).clone()),
            has_more: more,
            data,
        }
    }
}

async fn no_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no_such_route",
        "there is nothing at this path",
    )
}

async fn no_method(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("this path takes no {method}"),
    )
}

/// A page in a browser on this machine must not reach us under a name of its own (DNS rebinding).
/// Programs that send no `Host` at all are no browsers.
async fn check_host(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let named = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let foreign = named.is_some_and(|name| {
        let name = name.trim_matches(['[', ']']);
        !name.eq_ignore_ascii_case("localhost") && name.parse::<std::net::IpAddr>().is_err()
    });
    if foreign && shared.door == Door::Network {
        let detail = "address this server by its IP address or as localhost";
        return Problem::new(StatusCode::MISDIRECTED_REQUEST, "host_not_allowed", detail)
            .into_response();
    }
    next.run(request).await
}

/// Gives each request a name, and writes problems out under it.
async fn name_request(request: Request, next: Next) -> Response {
    let id = format!("req_{}", Uuid::now_v7().simple());
    let path = request.uri().path().to_owned();
    let span = tracing::debug_span!("request", id, method = %request.method(), path);
    let mut response = next.run(request).instrument(span).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.render(&response, &path, &id);
    }
    tracing::debug!(id, status = response.status().as_u16(), "answered");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
