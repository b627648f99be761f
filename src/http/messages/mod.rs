//! `/v1/messages`: send a text, follow it, look back.

pub mod batch;
pub mod decisions;
pub mod preview;

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::admission::{Admitted, Life, Wish};
use crate::http::body::Fields;
use crate::http::events::Happening;
use crate::http::gate::auth::Caller;
use crate::http::modems::sim_name;
use crate::http::once::IdempotencyKey;
use crate::http::problem::{FieldFlaw, Problem};
use crate::http::query::{Named, Parameters};
use crate::http::{App, List, Page};
use crate::routing::class::Priority;
use crate::sms::ids::{KeyId, MessageId};
use crate::store::{self, Filter, Once};

/// A message as the API shows it.
#[derive(Serialize)]
pub struct Message {
    id: String,
    state: &'static str,
    r#final: bool,
    direction: &'static str,
    to: String,
    class: &'static str,
    text: String,
    encoding: String,
    segments: usize,
    parts: Vec<Part>,
    delivery_report: bool,
    client_ref: Option<String>,
    resend_of: Option<String>,
    erased_at: Option<String>,
    priority: u8,
    send_at: Option<String>,
    expires_at: String,
    sim: Option<String>,
    attempts: u32,
    error: Option<Failure>,
    created_at: String,
    sent_at: Option<String>,
    finalized_at: Option<String>,
    updated_at: String,
}

#[derive(Serialize)]
struct Part {
    n: u8,
    state: &'static str,
    r#ref: Option<u8>,
    attempts: u32,
    submitted_at: Option<String>,
    final_at: Option<String>,
}

#[derive(Serialize)]
struct Failure {
    code: String,
    message: String,
    raw: Option<String>,
}

impl From<store::Message> for Message {
    fn from(message: store::Message) -> Self {
        let moment = |at: Option<crate::clock::Millis>| at.map(|at| at.to_string());
        let parts = message.parts.iter().map(|part| Part {
            n: part.no.0,
            state: part.state.as_str(),
            r#ref: part.mr.map(|mr| mr.0),
            attempts: part.attempts,
            submitted_at: moment(part.sent_at),
            final_at: moment(part.final_at),
        });
        let error = message.error.map(|failure| Failure {
            code: failure.code,
            message: failure.message,
            raw: failure.raw,
        });
        Self {
            id: message.id.to_string(),
            state: message.state.as_str(),
            r#final: message.state.is_final(),
            direction: "out",
            to: message.recipient,
            class: message.class.as_str(),
            text: message.text,
            encoding: message.alphabet,
            segments: message.parts.len(),
            parts: parts.collect(),
            delivery_report: message.report,
            client_ref: message.client_ref,
            resend_of: message.resend_of.map(|of| of.to_string()),
            erased_at: moment(message.erased_at),
            priority: message.priority.number(),
            send_at: moment(message.send_at),
            expires_at: message.expires_at.to_string(),
            sim: message.sim.map(sim_name),
            attempts: message.parts.iter().map(|part| part.attempts).sum(),
            error,
            created_at: message.created_at.to_string(),
            sent_at: moment(message.sent_at),
            finalized_at: moment(message.finalized_at),
            updated_at: message.updated_at.to_string(),
        }
    }
}

/// `POST /v1/messages`: 202 once the message is on disk. A repeated request gets what the first one got; a
/// `client_ref` that is known, 200 with the message as it stands.
pub async fn send(
    State(app): State<App>,
    caller: Caller,
    IdempotencyKey(word): IdempotencyKey,
    fields: Fields,
) -> Result<Response, Problem> {
    caller.needs("messages:send")?;
    let asked = fields.digest();
    let wish = read_wish(&app, fields, caller.key)?;
    let once = word.map(|word| Once { word, asked });
    let wish = Wish { once, ..wish };
    Ok(accepted(app.admission.admit(wish).await?))
}

fn accepted(admitted: Admitted) -> Response {
    let (status, repeated) = match &admitted {
        Admitted::New(_) => (StatusCode::ACCEPTED, false),
        Admitted::Repeated(_) => (StatusCode::ACCEPTED, true),
        Admitted::Known(_) => (StatusCode::OK, false),
    };
    let message = admitted.into_message();
    let location = [(header::LOCATION, format!("/v1/messages/{}", message.id))];
    let mut response = (status, location, Json(Message::from(message))).into_response();
    if repeated {
        let headers = response.headers_mut();
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

/// A wish, or everything that is wrong with it.
fn read_wish(app: &App, mut fields: Fields, key: Option<KeyId>) -> Result<Wish, Problem> {
    let wish = wish(&mut fields, key);
    let mut flaws = fields.end();
    if flaws.is_empty() {
        return Ok(wish);
    }
    // What can be read is checked all the same, so that one answer names everything.
    let of_values = app.admission.flaws(&wish).into_iter().map(FieldFlaw::from);
    let unnamed: Vec<FieldFlaw> = of_values.filter(|flaw| !named(&flaws, flaw)).collect();
    flaws.extend(unnamed);
    Err(Problem::invalid(flaws))
}

/// What the fields of a body wish for.
fn wish(fields: &mut Fields, key: Option<KeyId>) -> Wish {
    let said = Wish::new(fields.text("to"), fields.text("text"));
    let life = (
        fields.number("ttl", 1..=u32::MAX),
        fields.moment("expires_at"),
    );
    let life = match life {
        (None, None) => Life::OfClass,
        (Some(seconds), None) => Life::For(Duration::from_secs(seconds.into())),
        (None, Some(end)) => Life::Until(end),
        (Some(_), Some(_)) => {
            fields.flaw::<()>(
                "ttl",
                "conflict",
                "give `ttl` or `expires_at`, not both".into(),
            );
            Life::OfClass
        }
    };
    Wish {
        class: fields
            .word("class", "one of otp, transactional, marketing", |word| {
                word.parse().ok()
            })
            .unwrap_or_default(),
        report: fields.flag("delivery_report").unwrap_or(true),
        max_segments: fields.number("max_segments", 1..=u8::MAX),
        priority: fields
            .number("priority", 0..=9)
            .and_then(Priority::new)
            .unwrap_or_default(),
        send_at: fields.moment("send_at"),
        life,
        client_ref: fields.given_text("client_ref"),
        key,
        ..said
    }
}

/// `GET /v1/messages/{id}`
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named,
) -> Result<Json<Message>, Problem> {
    caller.needs("messages:read")?;
    let message = find(&app, &id).await?;
    Ok(Json(message.into()))
}

/// `GET /v1/messages`: a page, newest first.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    mut query: Parameters,
) -> Result<Json<Page<Message>>, Problem> {
    caller.needs("messages:read")?;
    let filter = Filter {
        state: query.take("state", "one of the message states", |word| {
            word.parse().ok()
        }),
        recipient: query.number("to", &app.admission),
        before: query.cursor(),
        limit: query.limit(),
    };
    query.end()?;
    let page = app.store.messages(filter).await?;
    let data = page.messages.into_iter().map(Message::from).collect();
    Ok(Json(Page::of(data, page.more, |message| &message.id)))
}

/// `GET /v1/messages/{id}/events`: everything that happened to it, oldest first.
pub async fn events(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named,
) -> Result<Json<List<Happening>>, Problem> {
    caller.needs("messages:read")?;
    let message = find(&app, &id).await?;
    let data = app
        .store
        .events_of(message.id)
        .await?
        .into_iter()
        .map(Happening::from)
        .collect();
    Ok(Json(List { data }))
}

async fn find(app: &App, id: &str) -> Result<store::Message, Problem> {
    let found = app.store.message(id_of(id)?).await?;
    found.ok_or_else(missing)
}

fn id_of(id: &str) -> Result<MessageId, Problem> {
    id.parse().map_err(|_| missing())
}

fn missing() -> Problem {
    Problem::not_found("message")
}

/// Whether a field's flaw is named already.
fn named(flaws: &[FieldFlaw], flaw: &FieldFlaw) -> bool {
    flaws.iter().any(|other| other.pointer == flaw.pointer)
}
