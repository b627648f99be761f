//! `POST /v1/messages/batch`: many different messages at once; the good ones are kept.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use serde::Serialize;

use super::read_wish;
use crate::admission::{Admitted, Refusal};
use crate::http::App;
use crate::http::body::Large;
use crate::http::gate::auth::Caller;
use crate::http::once::IdempotencyKey;
use crate::http::problem::Problem;
use crate::store::Once;

/// Messages of one batch.
const MOST: usize = 1000;

/// What became of a batch.
#[derive(Serialize)]
pub struct Outcome {
    accepted: usize,
    rejected: usize,
    data: Vec<Item>,
}

/// What became of one message of it.
#[derive(Serialize)]
pub struct Item {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

type Answer = (StatusCode, [(HeaderName, &'static str); 1], Json<Outcome>);

/// `POST /v1/messages/batch`: 202 once every good message is on disk; each item says what became of it.
pub async fn send(
    State(app): State<App>,
    caller: Caller,
    IdempotencyKey(word): IdempotencyKey,
    Large(mut fields): Large,
) -> Result<Answer, Problem> {
    caller.needs("messages:send")?;
    let asked = fields.digest();
    let items = fields.objects("messages", MOST);
    let flaws = fields.end();
    if !flaws.is_empty() {
        return Err(Problem::invalid(flaws));
    }
    // Those whose fields can be read go to the door; the places of the others are kept.
    let mut wishes = Vec::new();
    let mut unreadable = Vec::new();
    for item in items {
        match item.and_then(|fields| read_wish(&app, fields, caller.key)) {
            Ok(wish) => {
                wishes.push(wish);
                unreadable.push(None);
            }
            Err(problem) => unreadable.push(Some(problem)),
        }
    }
    let once = word.map(|word| Once { word, asked });
    let mut kept = app
        .admission
        .admit_all(wishes, caller.key, once)
        .await?
        .into_iter();
    let answers = unreadable.into_iter().map(|problem| match problem {
        Some(problem) => Err(problem),
        None => kept
            .next()
            .unwrap_or(Err(Refusal::Reused))
            .map_err(Problem::from),
    });
    let answers: Vec<Result<Admitted, Problem>> = answers.collect();
    let accepted = answers.iter().flatten().count();
    let repeated = |answer: &Admitted| matches!(answer, Admitted::Repeated(_));
    let replayed = accepted > 0 && answers.iter().flatten().all(repeated);
    let data: Vec<Item> = answers.into_iter().enumerate().map(item).collect();
    let outcome = Outcome {
        accepted,
        rejected: data.len() - accepted,
        data,
    };
    let replayed = if replayed { "true" } else { "false" };
    let header = [(HeaderName::from_static("idempotent-replayed"), replayed)];
    Ok((StatusCode::ACCEPTED, header, Json(outcome)))
}

fn item((index, answer): (usize, Result<Admitted, Problem>)) -> Item {
    let empty = Item {
        index,
        id: None,
        state: None,
        error: None,
    };
    match answer.map(Admitted::into_message) {
        Ok(message) => Item {
            id: Some(message.id.to_string()),
            state: Some(message.state.as_str()),
            ..empty
        },
        Err(problem) => Item {
            error: Some(problem),
            ..empty
        },
    }
}
