//! What people and programs decide about a message that is kept: withdraw it, send it again, say what became of
//! it, erase it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::{Message, accepted, find, id_of, missing};
use crate::admission::Wish;
use crate::http::App;
use crate::http::body::Fields;
use crate::http::gate::auth::Caller;
use crate::http::once::IdempotencyKey;
use crate::http::problem::Problem;
use crate::http::query::Named;
use crate::store::{Canceled, Erased, Once, Resolution, Resolved};

/// `POST /v1/messages/{id}/cancel`: what has not left never leaves. 200 with the message, also where parts of
/// it are out; 409 where all of it is.
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named,
) -> Result<Json<Message>, Problem> {
    caller.needs("messages:cancel")?;
    let id = id_of(&id)?;
    match app
        .store
        .cancel(id, app.clock.now())
        .await?
        .ok_or_else(missing)?
    {
        Canceled::Whole(message) | Canceled::Rest(message) => Ok(Json(message.into())),
        Canceled::TooLate(message) => {
            let detail = format!("the message is {} already", message.state);
            Err(conflict("not_cancelable", detail))
        }
    }
}

/// `POST /v1/messages/{id}/resend`: a new message with the same text to the same number. 202; 409 while the first
/// one is under way.
pub async fn resend(
    State(app): State<App>,
    caller: Caller,
    IdempotencyKey(word): IdempotencyKey,
    Named(id): Named,
) -> Result<Response, Problem> {
    caller.needs("messages:send")?;
    let old = find(&app, &id).await?;
    if old.erased_at.is_some() {
        return Err(conflict("erased", "its text and number are erased"));
    }
    if !old.state.is_final() && !old.state.rests() {
        let detail = format!("the message is {}: cancel it first, or wait", old.state);
        return Err(conflict("not_final", detail));
    }
    let asked = Sha256::digest(format!("resend {}", old.id)).into();
    let wish = Wish {
        class: old.class,
        report: old.report,
        priority: old.priority,
        // It was allowed its parts once.
        max_segments: Some(u8::MAX),
        resend_of: Some(old.id),
        once: word.map(|word| Once { word, asked }),
        key: caller.key,
        ..Wish::new(old.recipient, old.text)
    };
    Ok(accepted(app.admission.admit(wish).await?))
}

/// `POST /v1/messages/{id}/resolve`: a person says what became of parts that are uncertain. 200; 409 where none is.
pub async fn resolve(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named,
    mut fields: Fields,
) -> Result<Json<Message>, Problem> {
    caller.needs("messages:send")?;
    let id = id_of(&id)?;
    let word = fields.text("as");
    let resolution = word.parse::<Resolution>();
    if resolution.is_err() && !word.is_empty() {
        let detail = "`as` must be one of sent, failed, resend";
        fields.flaw::<()>("as", "invalid_value", detail.into());
    }
    let flaws = fields.end();
    let resolution = match resolution {
        Ok(resolution) if flaws.is_empty() => resolution,
        _ => return Err(Problem::invalid(flaws)),
    };
    let resolved = app.store.resolve(id, resolution, app.clock.now()).await?;
    match resolved.ok_or_else(missing)? {
        Resolved::Done(message) => Ok(Json(message.into())),
        Resolved::NothingUncertain(message) => {
            let detail = format!(
                "the message is {}, no part of it is uncertain",
                message.state
            );
            Err(conflict("not_uncertain", detail))
        }
    }
}

/// `DELETE /v1/messages/{id}`: text and number are erased. 204; 409 while something is to happen to it.
pub async fn erase(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    caller.needs("messages:erase")?;
    match app.store.erase(id_of(&id)?, app.clock.now()).await? {
        Erased::Done => Ok(StatusCode::NO_CONTENT),
        Erased::Missing => Err(missing()),
        Erased::UnderWay => {
            let detail = "the message is under way: cancel it first, or wait for its end, three days at most";
            Err(conflict("not_final", detail))
        }
    }
}

fn conflict(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, detail)
}
