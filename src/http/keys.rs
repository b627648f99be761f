//! `/v1/keys`: who may ask, and what.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::body::Fields;
use super::gate::auth::{Caller, SCOPES, known_scope, make_key};
use super::problem::Problem;
use super::query::Named;
use super::{App, List};
use crate::sms::ids::KeyId;
use crate::store::{KeyRow, NewKey};

/// A key's name is for people; longer ones help nobody.
const LONGEST_NAME: usize = 100;

/// A key as the API shows it, without the key itself.
#[derive(Serialize)]
pub struct Key {
    id: String,
    name: String,
    scopes: Vec<String>,
    created_at: String,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

impl From<KeyRow> for Key {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            scopes: row.scopes,
            created_at: row.created_at.to_string(),
            last_used_at: row.last_used_at.map(|at| at.to_string()),
            revoked_at: row.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// A key that was just made: the one answer that holds the key itself.
#[derive(Serialize)]
pub struct Made {
    id: String,
    name: String,
    scopes: Vec<String>,
    key: String,
}

impl Made {
    /// The answer for a row and its key.
    pub fn of(row: &NewKey, key: String) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name.clone(),
            scopes: row.scopes.clone(),
            key,
        }
    }
}

/// `GET /v1/keys`
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<List<Key>>, Problem> {
    caller.needs("keys:manage")?;
    Ok(Json(listed(app.store.keys().await?)))
}

/// The answer that lists keys.
pub fn listed(rows: Vec<KeyRow>) -> List<Key> {
    List {
        data: rows.into_iter().map(Key::from).collect(),
    }
}

/// `POST /v1/keys`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    mut fields: Fields,
) -> Result<(StatusCode, Json<Made>), Problem> {
    caller.needs("keys:manage")?;
    let name = fields.text("name");
    let scopes = fields.words("scopes");
    if name.chars().count() > LONGEST_NAME {
        fields.flaw::<()>(
            "name",
            "invalid_value",
            format!("`name` is over {LONGEST_NAME} characters long"),
        );
    }
    for (place, scope) in scopes
        .iter()
        .enumerate()
        .filter(|(_, scope)| !known_scope(scope))
    {
        let shown: String = scope.chars().take(60).collect();
        let detail = format!(
            "`{shown}` (item {place}) is no scope; known are {}",
            SCOPES.join(", ")
        );
        fields.flaw::<()>("scopes", "unknown_scope", detail);
    }
    for scope in scopes
        .iter()
        .filter(|scope| known_scope(scope) && caller.needs(scope).is_err())
    {
        // Who may make keys must not make himself more than he is.
        let detail = format!("this key lacks the scope `{scope}` and cannot give it");
        fields.flaw::<()>("scopes", "scope_missing", detail);
    }
    let flaws = fields.end();
    if !flaws.is_empty() {
        return Err(Problem::invalid(flaws));
    }
    let (row, key) = make_key(name, scopes).map_err(|error| {
        tracing::error!(%error, "the system gives no random octets");
        Problem::internal()
    })?;
    let made = Made::of(&row, key);
    app.store.add_key(row, app.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `DELETE /v1/keys/{id}`
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    caller.needs("keys:manage")?;
    let id: KeyId = id.parse().map_err(|_| Problem::not_found("key"))?;
    if app.store.revoke_key(id, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("key"))
    }
}
