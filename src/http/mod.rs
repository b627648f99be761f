//! The local HTTP API: requests become wishes and questions, answers become JSON.
//!
//! `messages`, `inbound`, `events`, `modems`, `keys` and `health` hold one resource each; `gate` lets requests in and says who asks, `body` and
//! `query` read what they ask with every flaw named, `problem` says what went wrong. It calls
//! `admission` and reads `store` and the modems' roster; it moves nothing itself.

mod body;
mod events;
pub mod gate;
mod health;
mod inbound;
pub mod keys;
mod messages;
mod modems;
mod once;
mod problem;
mod query;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;

use crate::admission::Admission;
use crate::clock::Clock;
use crate::modem::status::Roster;
use crate::store::Store;
pub use events::Following;
use gate::Throttle;
pub use gate::serve::{Limits, serve};
use problem::Problem;

/// A body longer than this is not read, in octets.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// The same for bodies that hold many things.
pub const LARGE_BODY_LIMIT: usize = 4 * 1024 * 1024;
/// The longest that the reading of a body may take. What follows is not cut: an answer that nobody waits
/// for is better than one that says "failed" about a text that is kept.
const BODY_TIME: Duration = Duration::from_secs(30);

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
    throttle: Throttle,
}

impl FromRef<Shared> for Throttle {
    fn from_ref(shared: &Shared) -> Self {
        shared.throttle.clone()
    }
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
    let shared = Shared {
        app,
        door,
        throttle: Throttle::default(),
    };
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/v1/messages", get(messages::list).post(messages::send))
        .route("/v1/messages/batch", post(messages::batch::send))
        .route("/v1/messages/preview", post(messages::preview::show))
        .route(
            "/v1/messages/{id}",
            get(messages::read).delete(messages::decisions::erase),
        )
        .route("/v1/messages/{id}/events", get(messages::events))
        .route(
            "/v1/messages/{id}/cancel",
            post(messages::decisions::cancel),
        )
        .route(
            "/v1/messages/{id}/resend",
            post(messages::decisions::resend),
        )
        .route(
            "/v1/messages/{id}/resolve",
            post(messages::decisions::resolve),
        )
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
        .layer(from_fn_with_state(shared.clone(), gate::check_host))
        .layer(from_fn(gate::name_request))
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
