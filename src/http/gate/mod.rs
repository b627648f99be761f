//! What every request passes before its resource: connection, name, host, key.

pub mod auth;
pub mod serve;
mod throttle;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use uuid::Uuid;

use super::problem::Problem;
use super::{Door, Shared};
pub(super) use throttle::Throttle;

const REQUEST_ID: &str = "x-request-id";

/// A page in a browser on this machine must not reach us under a name of its own (DNS rebinding).
/// Programs that send no `Host` at all are no browsers.
pub(super) async fn check_host(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
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
pub(super) async fn name_request(request: Request, next: Next) -> Response {
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
