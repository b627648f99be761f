//! A person says what became of a text of which nobody knows whether it left.

use std::fmt;
use std::str::FromStr;

use rusqlite::params;

use super::messages::{self, Failure, Message};
use super::steps::{PartKey, Step};
use crate::clock::Millis;
use crate::sms::ids::{BadId, MessageId};
use crate::sms::state::{PartEvent, PartState};
use crate::store::engine::Scope;
use crate::store::{Error, Store};

/// What a person knows, or wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It went out.
    Sent,
    /// It did not, and shall not.
    Failed,
    /// It shall go once more, whatever became of it.
    Resend,
}

impl Resolution {
    const ALL: [Self; 3] = [Self::Sent, Self::Failed, Self::Resend];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Resend => "resend",
        }
    }

    fn event(self) -> PartEvent {
        match self {
            Self::Sent => PartEvent::Accepted,
            Self::Failed => PartEvent::Refused,
            Self::Resend => PartEvent::Resend,
        }
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Resolution {
    type Err = BadId;

    fn from_str(word: &str) -> Result<Self, BadId> {
        let found = Self::ALL.iter().find(|it| it.as_str() == word);
        found
            .copied()
            .ok_or_else(|| BadId::new(word, "one of sent, failed, resend"))
    }
}

/// What a resolution came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// Every uncertain part has moved; this is how the message stands now.
    Done(Message),
    /// No part of it is uncertain.
    NothingUncertain(Message),
}

impl Store {
    /// Takes a person's word for all parts of a message that may or may not be out; none of that id:
    /// nothing. Evidence that comes later still corrects it.
    pub async fn resolve(
        &self,
        id: MessageId,
        resolution: Resolution,
        now: Millis,
    ) -> Result<Option<Resolved>, Error> {
        self.engine
            .write(move |scope| resolve(scope, id, resolution, now))
            .await
    }
}

fn resolve(
    scope: &Scope,
    id: MessageId,
    resolution: Resolution,
    now: Millis,
) -> Result<Option<Resolved>, Error> {
    let Some(message) = messages::find(scope.db, id)? else {
        return Ok(None);
    };
    let uncertain = || {
        message
            .parts
            .iter()
            .filter(|part| part.state == PartState::Uncertain)
    };
    if uncertain().next().is_none() {
        return Ok(Some(Resolved::NothingUncertain(message)));
    }
    if resolution == Resolution::Resend {
        // A person wants it now, whatever its wish said of dates.
        let end = now.plus(message.class.life()).max(message.expires_at);
        scope
            .db
            .prepare_cached("UPDATE message SET expires_at = ?2, canceled_at = NULL WHERE id = ?1")?
            .execute(params![id.octets(), end.0])?;
        scope
            .db
            .prepare_cached(
                "UPDATE part SET resent = 1 WHERE message = ?1 AND state = 'uncertain'",
            )?
            .execute([id.octets()])?;
    }
    let failure = Failure {
        code: "unanswered".into(),
        message: "no answer came, and a person says that it did not go".into(),
        raw: None,
    };
    let reason = format!("a person says: {resolution}");
    for part in uncertain() {
        let step = Step {
            part: PartKey {
                message: id,
                no: part.no,
            },
            event: resolution.event(),
            holder: None,
            mr: None,
            sim: message.sim,
            due_at: None,
            failure: (resolution == Resolution::Failed).then_some(&failure),
            reason: &reason,
            now,
        };
        step.take(scope)?;
    }
    Ok(messages::find(scope.db, id)?.map(Resolved::Done))
}
