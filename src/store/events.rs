//! The event rows: what happened, in commit order.

use rusqlite::{Connection, Row, params};

use super::engine::Scope;
use super::{Error, Store};
use crate::clock::Millis;
use crate::sms::ids::{InboundId, MessageId, PartNo, SimId};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Place in the one order of all events.
    pub seq: i64,
    /// When.
    pub at: Millis,
    /// `message.<state>`, `part.<state>`, `message.note` or `inbound.received`.
    pub kind: String,
    /// The message that it happened to.
    pub message: Option<MessageId>,
    /// The text that came in.
    pub inbound: Option<InboundId>,
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

/// Which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those behind this place in the order of all events; 0: from the first one on.
    pub after: i64,
    /// Only those of these kinds; empty: all.
    pub kinds: Vec<String>,
    /// How many at most.
    pub limit: u32,
}

/// A stretch of the events, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// Those that were asked for.
    pub events: Vec<Event>,
    /// Where to go on: up to here nothing was left out.
    pub reached: i64,
    /// Whether more may follow at once.
    pub more: bool,
}

/// So many rows one question looks through, however few of them are of the kind that is asked for.
const STRETCH: i64 = 10_000;

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
        scope.tell_event();
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
    scope.tell_event();
    Ok(())
}

impl Store {
    /// Everything that happened to a message, oldest first.
    pub async fn events_of(&self, message: MessageId) -> Result<Vec<Event>, Error> {
        self.engine
            .read(move |db| {
                let sql = format!("SELECT {COLUMNS} FROM event WHERE message = ?1 ORDER BY seq");
                let mut rows = db.prepare_cached(&sql)?;
                let events = rows.query_map([message.octets()], event)?;
                Ok(events.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// The place of the newest event in the order of all; 0 where there is none.
    pub async fn last_event(&self) -> Result<i64, Error> {
        self.engine.read(newest).await
    }

    /// What happened behind a place in the order of all events, oldest first.
    pub async fn events_after(&self, filter: EventFilter) -> Result<Events, Error> {
        self.engine.read(move |db| after(db, &filter)).await
    }
}

const COLUMNS: &str = "seq, at, type, part, from_state, to_state, sim, reason, message, inbound";

fn after(db: &Connection, filter: &EventFilter) -> Result<Events, Error> {
    let newest = newest(db)?;
    let end = newest.min(filter.after.saturating_add(STRETCH));
    let sql = format!("SELECT {COLUMNS} FROM event WHERE seq > ?1 AND seq <= ?2 ORDER BY seq");
    let mut rows = db.prepare_cached(&sql)?;
    let mut events = Vec::new();
    for row in rows.query_map([filter.after, end], event)? {
        let event = row?;
        if !filter.kinds.is_empty() && !filter.kinds.contains(&event.kind) {
            continue;
        }
        let reached = event.seq;
        events.push(event);
        if events.len() >= usize::try_from(filter.limit).unwrap_or(usize::MAX) {
            let more = reached < newest;
            return Ok(Events {
                events,
                reached,
                more,
            });
        }
    }
    Ok(Events {
        events,
        reached: end.max(filter.after),
        more: end < newest,
    })
}

fn newest(db: &Connection) -> Result<i64, Error> {
    Ok(db
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM event")?
        .query_row([], |row| row.get(0))?)
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
        message: row.get::<_, Option<[u8; 16]>>(8)?.map(MessageId::from),
        inbound: row.get::<_, Option<[u8; 16]>>(9)?.map(InboundId::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store with `count` events, every tenth of the kind `rare`.
    async fn store_of(count: i64) -> Store {
        let store = Store::in_task().unwrap();
        let filled = store.engine.write(move |scope| {
            let mut row = scope
                .db
                .prepare("INSERT INTO event(at, type) VALUES (?1, ?2)")?;
            for no in 1..=count {
                let kind = if no % 10 == 0 { "rare" } else { "often" };
                row.execute(params![no, kind])?;
            }
            Ok(())
        });
        filled.await.unwrap();
        store
    }

    #[tokio::test]
    async fn events_are_read_in_stretches_that_leave_nothing_out() {
        let store = store_of(25).await;
        let mut filter = EventFilter {
            limit: 10,
            ..EventFilter::default()
        };
        let mut seen = Vec::new();
        for (more, reached) in [(true, 10), (true, 20), (false, 25), (false, 25)] {
            let stretch = store.events_after(filter.clone()).await.unwrap();
            assert_eq!((stretch.more, stretch.reached), (more, reached));
            seen.extend(stretch.events.iter().map(|event| event.seq));
            filter.after = stretch.reached;
        }
        assert_eq!(seen, (1..=25).collect::<Vec<_>>());
        filter.after = 0;
        filter.kinds = vec!["rare".into()];
        let rare = store.events_after(filter.clone()).await.unwrap();
        let seen: Vec<i64> = rare.events.iter().map(|event| event.seq).collect();
        assert_eq!((seen, rare.reached, rare.more), (vec![10, 20], 25, false));
        // A place that was never reached: nothing, and no way back.
        filter.after = i64::MAX;
        let beyond = store.events_after(filter).await.unwrap();
        assert_eq!((beyond.events, beyond.reached), (vec![], i64::MAX));
    }

    #[tokio::test]
    async fn one_question_looks_through_so_many_rows_only() {
        let store = store_of(STRETCH + 5).await;
        let filter = EventFilter {
            after: 1,
            kinds: vec!["none".into()],
            limit: 10,
        };
        let stretch = store.events_after(filter).await.unwrap();
        assert_eq!((stretch.reached, stretch.more), (STRETCH + 1, true));
    }
}
