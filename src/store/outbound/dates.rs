//! The dates of messages: the hour at which one begins, and the one from which it is not worth sending.

use rusqlite::params;

use super::messages::{self, Failure};
use super::steps::{PartKey, Step};
use crate::clock::Millis;
use crate::sms::ids::{MessageId, SimId};
use crate::sms::state::{MessageState, PartEvent, PartState};
use crate::store::engine::Scope;
use crate::store::events::NewEvent;
use crate::store::{Error, Store};

/// Messages that one intent ends at most: a commit is to be short.
const MOST: u32 = 100;

impl Store {
    /// Lets messages whose hour has come, and deferred parts whose time has, wait for a SIM. Returns when
    /// the next one is due.
    pub async fn release_due(&self, now: Millis) -> Result<Option<Millis>, Error> {
        self.engine
            .write(move |scope| release_due(scope, now))
            .await
    }

    /// Ends messages of which something waits and whose time has run out. Returns when the next one does.
    pub async fn expire_due(&self, now: Millis) -> Result<Option<Millis>, Error> {
        self.engine.write(move |scope| expire_due(scope, now)).await
    }
}

fn release_due(scope: &Scope, now: Millis) -> Result<Option<Millis>, Error> {
    let (scheduled, queued) = (
        MessageState::Scheduled.as_str(),
        MessageState::Queued.as_str(),
    );
    let mut begun = scope.db.prepare_cached(
        "UPDATE message SET state = ?3, updated_at = ?1 WHERE due_at <= ?1 AND state = ?2 RETURNING id",
    )?;
    for id in begun.query_map(params![now.0, scheduled, queued], |row| {
        row.get::<_, [u8; 16]>(0)
    })? {
        NewEvent {
            at: now,
            kind: "message.queued",
            message: MessageId::from(id?),
            part: None,
            from: Some(scheduled),
            to: Some(queued),
            sim: None,
            reason: Some("its hour has come"),
        }
        .write(scope)?;
    }
    let mut due = scope.db.prepare_cached(
        "UPDATE message SET ready = 1, due_at = NULL WHERE due_at <= ?1 RETURNING sim",
    )?;
    for sim in due.query_map([now.0], |row| row.get::<_, Option<i64>>(0))? {
        scope.work_waits(sim?.map(SimId), now);
    }
    let next: Option<i64> = scope
        .db
        .prepare_cached("SELECT min(due_at) FROM message WHERE due_at IS NOT NULL")?
        .query_row([], |row| row.get(0))?;
    Ok(next.map(Millis))
}

fn expire_due(scope: &Scope, now: Millis) -> Result<Option<Millis>, Error> {
    let mut rows = scope.db.prepare_cached(
        "SELECT id FROM message WHERE (ready = 1 OR due_at IS NOT NULL) AND expires_at <= ?1
         ORDER BY expires_at LIMIT ?2",
    )?;
    let ids = rows.query_map(params![now.0, MOST], |row| row.get::<_, [u8; 16]>(0))?;
    for id in ids.collect::<Result<Vec<_>, _>>()? {
        expire(scope, MessageId::from(id), now)?;
    }
    let next: Option<i64> = scope
        .db
        .prepare_cached(
            "SELECT min(expires_at) FROM message WHERE ready = 1 OR due_at IS NOT NULL",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(next.map(Millis))
}

/// What waits of a message will not go any more.
pub(super) fn expire(scope: &Scope, message: MessageId, now: Millis) -> Result<(), Error> {
    let failure = Failure {
        code: "validity_expired".into(),
        message: "its time ran out before it could be sent".into(),
        raw: None,
    };
    let parts = messages::find(scope.db, message)?.map(|message| message.parts);
    for part in parts.unwrap_or_default() {
        if part.state != PartState::Waiting {
            continue;
        }
        let step = Step {
            part: PartKey {
                message,
                no: part.no,
            },
            event: PartEvent::Expire,
            holder: None,
            mr: None,
            sim: None,
            due_at: None,
            failure: Some(&failure),
            reason: &failure.message,
            now,
        };
        step.take(scope)?;
    }
    Ok(())
}
