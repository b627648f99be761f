//! A message is withdrawn: what has not left never leaves.

use rusqlite::params;

use super::messages::{self, Message};
use super::steps::{PartKey, Step};
use crate::clock::Millis;
use crate::sms::ids::{MessageId, PartNo};
use crate::sms::state::{PartEvent, PartState};
use crate::store::engine::Scope;
use crate::store::{Error, Store};

/// What a withdrawal came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canceled {
    /// Nothing of it went out.
    Whole(Message),
    /// Something of it is out, may be, or is with a modem right now; the rest stays here.
    Rest(Message),
    /// All of it is out, or has its end: there is nothing to withdraw.
    TooLate(Message),
}

impl Store {
    /// Withdraws a message; none of that id: nothing. Twice is no error. A part that a modem is working on
    /// goes on; if the network does not take it, it is not tried again.
    pub async fn cancel(&self, id: MessageId, now: Millis) -> Result<Option<Canceled>, Error> {
        self.engine
            .write(move |scope| {
                let Some(message) = messages::find(scope.db, id)? else {
                    return Ok(None);
                };
                cancel(scope, message, now).map(Some)
            })
            .await
    }
}

fn cancel(scope: &Scope, message: Message, now: Millis) -> Result<Canceled, Error> {
    let id = message.id;
    let states: Vec<PartState> = message.parts.iter().map(|part| part.state).collect();
    let is = |state: PartState| move |part: &&PartState| **part == state;
    let open = [PartState::Waiting, PartState::Sending, PartState::Uncertain];
    if is_canceled(scope, id)? {
        let whole = states.iter().all(|state| *state == PartState::Canceled);
        return Ok(if whole {
            Canceled::Whole(message)
        } else {
            Canceled::Rest(message)
        });
    }
    if !states.iter().any(|state| open.contains(state)) {
        return Ok(Canceled::TooLate(message));
    }
    scope
        .db
        .prepare_cached("UPDATE message SET canceled_at = ?2, updated_at = ?2 WHERE id = ?1")?
        .execute(params![id.octets(), now.0])?;
    let whole = states.iter().filter(is(PartState::Waiting)).count() == states.len();
    for (no, state) in (1..).zip(&states) {
        if *state == PartState::Waiting {
            withdraw(
                scope,
                PartKey {
                    message: id,
                    no: PartNo(no),
                },
                "withdrawn",
                now,
            )?;
        }
    }
    let message = messages::find(scope.db, id)?.ok_or(Error::Closed)?;
    Ok(if whole {
        Canceled::Whole(message)
    } else {
        Canceled::Rest(message)
    })
}

/// Whether somebody has withdrawn the message.
pub(super) fn is_canceled(scope: &Scope, message: MessageId) -> Result<bool, Error> {
    Ok(scope
        .db
        .prepare_cached("SELECT canceled_at IS NOT NULL FROM message WHERE id = ?1")?
        .query_row([message.octets()], |row| row.get(0))?)
}

/// A waiting part will not go.
pub(super) fn withdraw(
    scope: &Scope,
    part: PartKey,
    reason: &str,
    now: Millis,
) -> Result<(), Error> {
    let step = Step {
        part,
        event: PartEvent::Cancel,
        holder: None,
        mr: None,
        sim: None,
        due_at: None,
        failure: None,
        reason,
        now,
    };
    step.take(scope).map(drop)
}
