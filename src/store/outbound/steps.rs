//! The one place where a part takes a step: the part's row, the fold into its message, the events.

use rusqlite::{OptionalExtension, params};

use super::cancel;
use super::messages::Failure;
use crate::clock::Millis;
use crate::sms::ids::{MessageId, Mr, PartNo, SimId, Token};
use crate::sms::state::{self, MessageState, PartEvent, PartState};
use crate::store::Error;
use crate::store::engine::Scope;
use crate::store::events::NewEvent;

/// A part's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartKey {
    pub(super) message: MessageId,
    pub(super) no: PartNo,
}

/// Something that happens to a part.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) part: PartKey,
    pub(super) event: PartEvent,
    /// The attempt that must still hold the part; none where evidence overrules whoever holds it.
    pub(super) holder: Option<Token>,
    /// The reference under which the network took it, when this step tells.
    pub(super) mr: Option<Mr>,
    pub(super) sim: Option<SimId>,
    /// When a part that goes back may be taken again; at once where none is given.
    pub(super) due_at: Option<Millis>,
    pub(super) failure: Option<&'a Failure>,
    pub(super) reason: &'a str,
    pub(super) now: Millis,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// The part has moved.
    Moved,
    /// The table or the token did not allow it; nothing changed.
    Refused,
}

/// A text before a step of one of its parts: read at once, for it is asked at each step.
struct Standing {
    message: MessageState,
    /// Its parts in order.
    parts: Vec<PartState>,
    /// Which of them takes the step, where it stands, and the attempt that holds it.
    place: usize,
    part: PartState,
    holder: Option<Token>,
}

impl Step<'_> {
    /// Takes the step if the table allows it and the part is still held as expected.
    pub(super) fn take(&self, scope: &Scope) -> Result<Taken, Error> {
        let Some(mut text) = self.standing(scope)? else {
            return Ok(Taken::Refused);
        };
        if self.holder.is_some() && self.holder != text.holder {
            return Ok(Taken::Refused);
        }
        let from = text.part;
        let to = match from.next(self.event) {
            Ok(to) => to,
            Err(refused) => {
                tracing::warn!(message.id = %self.part.message, part.no = %self.part.no, %refused, "a step came that the table does not allow");
                return Ok(Taken::Refused);
            }
        };
        self.move_part(scope, from, to)?;
        if let Some(part) = text.parts.get_mut(text.place) {
            *part = to;
        }
        if to == PartState::Failed && self.stop_the_rest(scope)? {
            text.parts = self.standing(scope)?.map_or(text.parts, |now| now.parts);
        }
        self.fold(scope, from, to, text.message, &text.parts)?;
        if to == PartState::Waiting && cancel::is_canceled(scope, self.part.message)? {
            let reason = "withdrawn before it could go again";
            cancel::withdraw(scope, self.part, reason, self.now)?;
        }
        Ok(Taken::Moved)
    }

    fn standing(&self, scope: &Scope) -> Result<Option<Standing>, Error> {
        let mut rows = scope.db.prepare_cached(
            "SELECT p.no, p.state, p.token, m.state FROM part p JOIN message m ON m.id = p.message
             WHERE p.message = ?1 ORDER BY p.no",
        )?;
        let mut rows = rows.query([self.part.message.octets()])?;
        let mut parts: Vec<PartState> = Vec::new();
        let mut found = None;
        while let Some(row) = rows.next()? {
            let part = row.get::<_, String>(1)?.parse()?;
            if row.get::<_, u8>(0)? == self.part.no.0 {
                let holder = row.get::<_, Option<i64>>(2)?.map(Token);
                let message = row.get::<_, String>(3)?.parse()?;
                found = Some((parts.len(), part, holder, message));
            }
            parts.push(part);
        }
        Ok(found.map(|(place, part, holder, message)| Standing {
            message,
            parts,
            place,
            part,
            holder,
        }))
    }

    fn move_part(&self, scope: &Scope, from: PartState, to: PartState) -> Result<(), Error> {
        let now = self.now.0;
        let trouble = to.is_lost() || to == PartState::Uncertain;
        let failure = self.failure.filter(|_| trouble);
        scope
            .db
            .prepare_cached(
                "UPDATE part SET state = ?4, mr = coalesce(?5, mr), sent_at = coalesce(sent_at, ?6),
                   final_at = CASE WHEN ?7 THEN coalesce(final_at, ?8) END,
                   error_code = CASE WHEN ?9 THEN coalesce(?10, error_code) END,
                   error_message = CASE WHEN ?9 THEN coalesce(?11, error_message) END,
                   error_raw = CASE WHEN ?9 THEN coalesce(?12, error_raw) END
                 WHERE message = ?1 AND no = ?2 AND state = ?3",
            )?
            .execute(params![
                self.part.message.octets(),
                self.part.no.0,
                from.as_str(),
                to.as_str(),
                self.mr.map(|mr| mr.0),
                to.was_accepted().then_some(now),
                to.is_final(),
                now,
                trouble,
                failure.map(|failure| &failure.code),
                failure.map(|failure| &failure.message),
                failure.and_then(|failure| failure.raw.as_ref()),
            ])?;
        Ok(())
    }

    /// A part that can never go makes the others of its text worthless: they are not sent. One that is
    /// sent again after a silence may be out already, and keeps its chance.
    /// Whether there were others.
    fn stop_the_rest(&self, scope: &Scope) -> Result<bool, Error> {
        let mut rest = scope.db.prepare_cached(
            "UPDATE part SET state = 'canceled', final_at = ?2
             WHERE message = ?1 AND state = 'waiting' AND resent = 0 RETURNING no",
        )?;
        let mut any = false;
        for no in rest.query_map(params![self.part.message.octets(), self.now.0], |row| {
            row.get(0)
        })? {
            let change = (PartState::Waiting.as_str(), PartState::Canceled.as_str());
            let event = NewEvent {
                part: Some(PartNo(no?)),
                reason: Some("another part of the text can never go"),
                ..self.event("part.canceled", Some(change))
            };
            event.write(scope)?;
            any = true;
        }
        Ok(any)
    }

    fn fold(
        &self,
        scope: &Scope,
        from: PartState,
        to: PartState,
        before: MessageState,
        parts: &[PartState],
    ) -> Result<(), Error> {
        let after = match state::fold(parts) {
            // Its hour has not come.
            MessageState::Queued if before == MessageState::Scheduled => before,
            after => after,
        };
        self.move_message(scope, parts, after)?;
        if parts.len() > 1 && from != to {
            self.event(&format!("part.{to}"), Some((from.as_str(), to.as_str())))
                .write(scope)?;
        }
        if before != after {
            let kind = if before.is_final() {
                "message.corrected".to_owned()
            } else {
                format!("message.{after}")
            };
            self.event(&kind, Some((before.as_str(), after.as_str())))
                .write(scope)?;
        } else if from == to {
            self.event("message.note", None).write(scope)?;
        }
        Ok(())
    }

    fn move_message(
        &self,
        scope: &Scope,
        parts: &[PartState],
        state: MessageState,
    ) -> Result<(), Error> {
        let waiting = parts.contains(&PartState::Waiting);
        // Nothing of it is out: any SIM may take it, under a reference of its own. (A part that is sent
        // again after a silence may be out.)
        let untouched = parts.iter().all(|part| *part == PartState::Waiting);
        let failure = self.failure_of(scope, parts, state)?;
        // A date that another part of the text has already stays: a report must not wake what waits.
        let (ready, sim): (bool, Option<i64>) = scope
            .db
            .prepare_cached(
                "UPDATE message SET state = ?2,
                   due_at = CASE WHEN ?3 THEN coalesce(?4, due_at) END,
                   ready = ?3 AND coalesce(?4, due_at) IS NULL,
                   sim = CASE WHEN ?5 AND NOT (SELECT max(resent) FROM part WHERE message = ?1) THEN NULL ELSE sim END,
                   concat_reference = CASE WHEN ?5 AND NOT (SELECT max(resent) FROM part WHERE message = ?1) THEN NULL ELSE concat_reference END,
                   error_code = ?6, error_message = ?7, error_raw = ?8,
                   sent_at = coalesce(sent_at, ?9), updated_at = ?11,
                   finalized_at = CASE WHEN ?10 THEN iif(state = ?2, coalesce(finalized_at, ?11), ?11) END
                 WHERE id = ?1 RETURNING ready, sim",
            )?
            .query_row(
                params![
                    self.part.message.octets(),
                    state.as_str(),
                    waiting,
                    self.due_at.map(|due| due.0),
                    untouched,
                    failure.as_ref().map(|failure| &failure.code),
                    failure.as_ref().map(|failure| &failure.message),
                    failure.as_ref().and_then(|failure| failure.raw.as_ref()),
                    matches!(state, MessageState::Sent | MessageState::Delivered)
                        .then_some(self.now.0),
                    state.is_final(),
                    self.now.0,
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
        if ready {
            scope.work_waits(sim.map(SimId), self.now);
        }
        if self.due_at.is_some() || parts.contains(&PartState::Uncertain) {
            scope.wake_housekeeper();
        }
        Ok(())
    }

    /// Why the message is where it is: what the worst of its parts met.
    fn failure_of(
        &self,
        scope: &Scope,
        parts: &[PartState],
        state: MessageState,
    ) -> Result<Option<Failure>, Error> {
        let lost = matches!(
            state,
            MessageState::Undelivered | MessageState::Failed | MessageState::Expired
        );
        if !lost && state != MessageState::Uncertain {
            return Ok(None);
        }
        let worst = worst_failure(scope, self.part.message)?;
        if lost && state::is_partial(parts) {
            let arrived = parts
                .iter()
                .filter(|part| **part == PartState::Delivered)
                .count();
            return Ok(Some(Failure {
                code: "partial".into(),
                message: format!(
                    "{arrived} of {} parts arrived, the others are lost",
                    parts.len()
                ),
                raw: worst.and_then(|failure| failure.raw),
            }));
        }
        Ok(worst)
    }

    fn event<'a>(&'a self, kind: &'a str, change: Option<(&'a str, &'a str)>) -> NewEvent<'a> {
        NewEvent {
            at: self.now,
            kind,
            message: self.part.message,
            part: Some(self.part.no),
            from: change.map(|(from, _)| from),
            to: change.map(|(_, to)| to),
            sim: self.sim,
            reason: Some(self.reason),
        }
    }
}

fn worst_failure(scope: &Scope, message: MessageId) -> Result<Option<Failure>, Error> {
    Ok(scope
        .db
        .prepare_cached(
            "SELECT error_code, error_message, error_raw FROM part WHERE message = ?1 AND error_code IS NOT NULL
             ORDER BY CASE state WHEN 'failed' THEN 0 WHEN 'undelivered' THEN 1 WHEN 'expired' THEN 2 ELSE 3 END, no
             LIMIT 1",
        )?
        .query_row([message.octets()], |row| {
            Ok(Failure { code: row.get(0)?, message: row.get(1)?, raw: row.get(2)? })
        })
        .optional()?)
}
