//! API keys: made once, shown once, kept as a hash; and who asks a request.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Throttle;
use super::serve::Peer;
use crate::http::problem::Problem;
use crate::http::{App, Door};
use crate::sms::ids::KeyId;
use crate::store::{KeyRow, NewKey};

/// What a key may do, as the API spells it. `*` is all of it.
pub const SCOPES: &[&str] = &[
    "*",
    "messages:send",
    "messages:read",
    "messages:cancel",
    "messages:erase",
    "inbound:read",
    "modems:read",
    "keys:manage",
];

const MARK: &str = "gw_live_";
/// Hex digits of the key by which it is found; they are no secret.
const PREFIX: usize = 12;
/// Noting each use would make every request a write.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// Makes a key: the row to keep, and the key itself, which is shown once.
///
/// Errors: the system gives no random octets.
pub fn make_key(name: String, scopes: Vec<String>) -> std::io::Result<(NewKey, String)> {
    let mut random = [0_u8; 32];
    getrandom(&mut random, GetRandomFlags::empty())?;
    let digits: String = random.iter().map(|octet| format!("{octet:02x}")).collect();
    let key = format!("{MARK}{digits}");
    let prefix = digits.chars().take(PREFIX).collect();
    Ok((
        NewKey {
            id: KeyId::new(),
            name,
            prefix,
            hash: hash(&key),
            scopes,
        },
        key,
    ))
}

/// A scope that exists, or none.
pub fn known_scope(scope: &str) -> bool {
    SCOPES.contains(&scope)
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key; none for the command line on this machine.
    pub key: Option<KeyId>,
    scopes: Vec<String>,
}

impl Caller {
    /// Errors: 403 when the caller may not do this.
    pub fn needs(&self, scope: &str) -> Result<(), Problem> {
        if self.scopes.iter().any(|held| held == "*" || held == scope) {
            return Ok(());
        }
        let detail = format!("this key lacks the scope `{scope}`");
        Err(Problem::new(StatusCode::FORBIDDEN, "scope_missing", detail))
    }
}

impl<S> FromRequestParts<S> for Caller
where
    App: FromRef<S>,
    Door: FromRef<S>,
    Throttle: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if Door::from_ref(state) == Door::Socket {
            return Ok(Self {
                key: None,
                scopes: vec!["*".into()],
            });
        }
        let app = App::from_ref(state);
        let given = parts.headers.get(header::AUTHORIZATION);
        let given = given.ok_or_else(|| {
            unauthorized(
                "key_missing",
                "send a key as `Authorization: Bearer gw_live_…`; `simpost key create` makes one",
            )
        })?;
        let row = match given.to_str().ok().and_then(carried) {
            Some(key) => look_up(&app, &key).await?,
            None => None,
        };
        let Some(row) = row else {
            let Peer(address) = parts.extensions.get().copied().unwrap_or_default();
            return Err(wrong(&Throttle::from_ref(state), address, &app));
        };
        note_use(&app, &row).await;
        Ok(Self {
            key: Some(row.id),
            scopes: row.scopes,
        })
    }
}

/// The row of a key that is right and not revoked.
async fn look_up(app: &App, key: &str) -> Result<Option<KeyRow>, Problem> {
    let prefix = key
        .strip_prefix(MARK)
        .and_then(|digits| digits.get(..PREFIX));
    let Some(prefix) = prefix else {
        return Ok(None);
    };
    let row = app.store.key_by_prefix(prefix.to_owned()).await?;
    Ok(row.filter(|row| bool::from(row.hash.ct_eq(&hash(key))) && row.revoked_at.is_none()))
}

fn wrong(throttle: &Throttle, address: Option<IpAddr>, app: &App) -> Problem {
    let looked_at = address.map_or(Ok(()), |address| throttle.wrong(address, app.clock.now()));
    match looked_at {
        Ok(()) => unauthorized("key_invalid", "this key is not known or was revoked"),
        Err(wait) => {
            let detail =
                "too many wrong keys came from this address; a right one is taken at any time";
            Problem::too_many("too_many_wrong_keys", detail, wait)
        }
    }
}

async fn note_use(app: &App, row: &KeyRow) {
    let now = app.clock.now();
    if row
        .last_used_at
        .is_some_and(|last| now.since(last) < USE_NOTED_EVERY)
    {
        return;
    }
    if let Err(error) = app.store.key_used(row.id, now).await {
        tracing::warn!(%error, "the use of a key could not be noted");
    }
}

/// The key in an `Authorization` header: the token of `Bearer`, or the user name of `Basic`, for programs
/// that know only that.
fn carried(value: &str) -> Option<Cow<'_, str>> {
    let (scheme, credentials) = value.split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.into());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (user, _) = pair.split_once(':')?;
    Some(user.to_owned().into())
}

fn unauthorized(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_random_and_found_by_its_prefix() {
        let (row, key) = make_key("till".into(), vec!["*".into()]).unwrap();
        let (_, other) = make_key("till".into(), vec!["*".into()]).unwrap();
        assert_eq!(key.len(), MARK.len() + 64);
        assert_ne!(key, other);
        assert!(key.strip_prefix(MARK).unwrap().starts_with(&row.prefix));
        assert_eq!(row.hash, hash(&key));
    }

    #[test]
    fn a_key_is_carried_as_bearer_or_as_user() {
        for (value, key) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic YWJjOg==", Some("abc")),
            ("basic YWJjOnBhc3M6d29yZA==", Some("abc")),
            ("Basic YWJj", None),
            ("Basic abc", None),
            ("Basic /w==", None),
            ("Digest abc", None),
            ("abc", None),
        ] {
            assert_eq!(carried(value).as_deref(), key, "{value}");
        }
    }
}
