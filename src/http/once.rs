//! `Idempotency-Key`: a request that may be repeated says so.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::problem::Problem;

/// The longest word, in octets.
const LONGEST: usize = 255;

/// The word of a request, if it has one.
#[derive(Debug)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all("idempotency-key").iter();
        let Some(word) = given.next() else {
            return Ok(Self(None));
        };
        let word = word.to_str().ok().map(str::trim);
        let good = |word: &&str| (1..=LONGEST).contains(&word.len());
        let word = word.filter(good).filter(|_| given.next().is_none());
        let word = word.ok_or_else(|| {
            let detail = "send one Idempotency-Key of 1 to 255 ASCII characters";
            Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail)
        })?;
        Ok(Self(Some(word.to_owned())))
    }
}
