//! What goes wrong, by RFC 9457: a status, a stable word, an explanation, and the place of each flaw.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};

use crate::admission::{Flaw, Refusal};
use crate::store;

/// An answer that is an error.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    flaws: Vec<FieldFlaw>,
    retry_after_s: Option<u32>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldFlaw {
    /// Where it stands in the body (RFC 6901), or the name of a query parameter.
    pub pointer: String,
    /// A stable word.
    pub code: &'static str,
    /// What is wrong, in words.
    pub detail: String,
}

#[derive(Serialize)]
struct Rendered<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    instance: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldFlaw],
}

impl Problem {
    /// `code` is part of the API; `detail` says to a person what to do.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            flaws: Vec::new(),
            retry_after_s: None,
        }
    }

    /// The body can be read, but says what cannot be done.
    pub fn invalid(flaws: Vec<FieldFlaw>) -> Self {
        let detail = match flaws.as_slice() {
            [flaw] => flaw.detail.clone(),
            flaws => format!("{} fields are not valid", flaws.len()),
        };
        Self {
            flaws,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail)
        }
    }

    /// Something broke on our side; the log has it.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something broke on our side; the log says what",
        )
    }

    /// Too much of something: it may go on after a while.
    pub fn too_many(code: &'static str, detail: &str, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        Self {
            retry_after_s: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail)
        }
    }

    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}"),
        )
    }

    /// Writes it out, keeping headers that `response` has.
    pub(super) fn render(self, response: &Response, path: &str, request: &str) -> Response {
        let rendered = Rendered {
            r#type: format!("urn:simpost:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            instance: path,
            request_id: request,
            errors: &self.flaws,
        };
        let mut rendered = (self.status, Json(rendered)).into_response();
        let headers = rendered.headers_mut();
        for (name, value) in response.headers() {
            if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
                headers.insert(name, value.clone());
            }
        }
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        rendered
    }
}

/// One of several answers: the word, the detail, the place of each flaw.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Within<'a> {
            code: &'a str,
            detail: &'a str,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [FieldFlaw],
        }
        let Self {
            code,
            detail,
            flaws: errors,
            ..
        } = self;
        Within {
            code,
            detail,
            errors,
        }
        .serialize(serializer)
    }
}

impl IntoResponse for Problem {
    /// The outermost layer renders it, when it knows the request's name.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        tracing::error!(error = %chain(&error), "a request failed in the store");
        if !error.is_passing() {
            return Self::internal();
        }
        let detail = "nothing can be written now; nothing was accepted";
        Self {
            retry_after_s: Some(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(flaws) => {
                Self::invalid(flaws.into_iter().map(FieldFlaw::from).collect())
            }
            Refusal::Reused => {
                let detail = "this Idempotency-Key was used for another request; a new request needs a new one";
                Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "idempotency_key_reused",
                    detail,
                )
            }
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<Flaw> for FieldFlaw {
    fn from(flaw: Flaw) -> Self {
        Self {
            pointer: format!("/{}", flaw.field),
            code: flaw.code,
            detail: flaw.detail,
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
