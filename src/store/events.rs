//! The event rows: what happened, in commit order.

use rusqlite::{Row, params};

use super::engine::Scope;
use super::{Error, Store};
use crate::clock::Millis;
use crate::sms::ids::{InboundId, MessageId, PartNo, SimId};

/// One thing that happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Place in the one order of all events.
    pub seq: i64,
    /// When.
    pub at: Millis,
    /// `message.<state>`, `part.<state>` or `message.note`.
    pub kind: String,
    /// Which part, for steps of one part.
    pub part: Option<PartNo>,
    /// The state before.
    pub from: Option<String>,
    /// The state after.
    pub to: Option<String>,
    /// The SIM that took part in it.
    pub sim: Option<SimId>,
    /// Why, in words.
    pub reason: Option<String>,
}

/// An event about to be written.
pub(super) struct NewEvent<'a> {
    pub(super) at: Millis,
    pub(super) kind: &'a str,
    pub(super) message: MessageId,
    pub(super) part: Option<PartNo>,
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
    pub(super) sim: Option<SimId>,
    pub(super) reason: Option<&'a str>,
}

impl NewEvent<'_> {
    pub(super) fn write(&self, scope: &Scope) -> Result<(), Error> {
        scope
            .db
            .prepare_cached(
                "INSERT INTO event(at, type, message, part, from_state, to_state, sim, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                self.at.0,
                self.kind,
                self.message.octets(),
                self.part.map(|part| part.0),
                self.from,
                self.to,
                self.sim.map(|sim| sim.0),
                self.reason,
            ])?;
        Ok(())
    }
}

/// Something that came in is there for whoever asks.
pub(super) fn received(
    scope: &Scope,
    inbound: InboundId,
    sim: SimId,
    reason: Option<&str>,
    at: Millis,
) -> Result<(), Error> {
    scope
        .db
        .prepare_cached(
            "INSERT INTO event(at, type, inbound, sim, reason) VALUES (?1, 'inbound.received', ?2, ?3, ?4)",
        )?
        .execute(params![at.0, inbound.octets(), sim.0, reason])?;
    Ok(())
}

impl Store {
    /// Everything that happened to a message, oldest first.
    pub async fn events_of(&self, message: MessageId) -> Result<Vec<Event>, Error> {
        self.engine
            .read(move |db| {
                let mut rows = db.prepare_cached(
                    "SELECT seq, at, type, part, from_state, to_state, sim, reason
                     FROM event WHERE message = ?1 ORDER BY seq",
                )?;
                let events = rows
                    .query_map([message.octets()], event)?
                    .collect::<Result<_, _>>()?;
                Ok(events)
            })
            .await
    }
}

fn event(row: &Row) -> rusqlite::Result<Event> {
    Ok(Event {
        seq: row.get(0)?,
        at: Millis(row.get(1)?),
        kind: row.get(2)?,
        part: row.get::<_, Option<u8>>(3)?.map(PartNo),
        from: row.get(4)?,
        to: row.get(5)?,
        sim: row.get::<_, Option<i64>>(6)?.map(SimId),
        reason: row.get(7)?,
    })
}
