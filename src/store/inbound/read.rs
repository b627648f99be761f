//! The inbox: texts that came in, read back one by one or in pages.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use crate::clock::Millis;
use crate::sms::ids::{InboundId, PartNo, SimId};
use crate::store::{Error, Store};

/// A text that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Its id; the first part's arrival gives its order.
    pub id: InboundId,
    /// The SIM it came to.
    pub sim: SimId,
    /// The sender's number or name; none where the PDU cannot be read.
    pub sender: Option<String>,
    /// What it says, with its gaps marked; none where the PDU cannot be read.
    pub text: Option<String>,
    /// How many parts it was sent in.
    pub parts: u8,
    /// How many of them never came.
    pub missing: u8,
    /// When the first part came.
    pub received_at: Millis,
}

/// One part of a text, as the modem handed it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundPart {
    /// Its number, from 1.
    pub no: PartNo,
    /// When it came.
    pub received_at: Millis,
    /// The whole PDU in hex, the service centre in front.
    pub pdu: String,
}

/// Which texts a page of the inbox shows.
#[derive(Debug, Clone, Default)]
pub struct InboundFilter {
    /// Only those of this sender, as the network spells it.
    pub sender: Option<String>,
    /// Only those that came to this SIM.
    pub sim: Option<SimId>,
    /// Only those that began to come before this one.
    pub before: Option<InboundId>,
    /// How many at most.
    pub limit: u32,
}

/// One page of the inbox, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundPage {
    /// The texts.
    pub texts: Vec<Inbound>,
    /// Whether older ones follow.
    pub more: bool,
}

impl Store {
    /// A page of what came in, newest first. A text whose parts are still coming is not in it.
    pub async fn inbox(&self, filter: InboundFilter) -> Result<InboundPage, Error> {
        self.engine.read(move |db| page(db, &filter)).await
    }

    /// One text with its parts, or none of that id. It may still wait for parts.
    pub async fn inbound(
        &self,
        id: InboundId,
    ) -> Result<Option<(Inbound, Vec<InboundPart>)>, Error> {
        self.engine
            .read(move |db| {
                let sql = format!("SELECT {COLUMNS} FROM inbound WHERE id = ?1");
                let found = db
                    .prepare_cached(&sql)?
                    .query_row([id.octets()], inbound)
                    .optional()?;
                found.map(|text| Ok((text, parts(db, id)?))).transpose()
            })
            .await
    }
}

const COLUMNS: &str = "id, sim, sender, text, parts, missing, received_at";

fn page(db: &Connection, filter: &InboundFilter) -> Result<InboundPage, Error> {
    let mut wheres = vec!["waits_since IS NULL"];
    let mut values: Vec<Value> = Vec::new();
    if let Some(sender) = &filter.sender {
        wheres.push("sender = ?");
        values.push(sender.clone().into());
    }
    if let Some(sim) = filter.sim {
        wheres.push("sim = ?");
        values.push(sim.0.into());
    }
    if let Some(before) = filter.before {
        wheres.push("id < ?");
        values.push(before.octets().to_vec().into());
    }
    // One row more than asked for tells whether another page follows.
    values.push(i64::from(filter.limit).saturating_add(1).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM inbound WHERE {} ORDER BY id DESC LIMIT ?",
        wheres.join(" AND ")
    );
    let mut rows = db.prepare_cached(&sql)?;
    let texts = rows.query_map(params_from_iter(values), inbound)?;
    let mut texts = texts.collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let more = texts.len() > limit;
    texts.truncate(limit);
    Ok(InboundPage { texts, more })
}

fn inbound(row: &Row) -> rusqlite::Result<Inbound> {
    Ok(Inbound {
        id: InboundId::from(row.get::<_, [u8; 16]>(0)?),
        sim: SimId(row.get(1)?),
        sender: row.get(2)?,
        text: row.get(3)?,
        parts: row.get(4)?,
        missing: row.get(5)?,
        received_at: Millis(row.get(6)?),
    })
}

fn parts(db: &Connection, id: InboundId) -> Result<Vec<InboundPart>, Error> {
    let mut rows = db.prepare_cached(
        "SELECT no, received_at, pdu FROM inbound_part WHERE inbound = ?1 ORDER BY no",
    )?;
    let parts = rows.query_map([id.octets()], |row| {
        Ok(InboundPart {
            no: PartNo(row.get(0)?),
            received_at: Millis(row.get(1)?),
            pdu: row.get(2)?,
        })
    })?;
    Ok(parts.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Bench, of, part};
    use super::*;

    #[tokio::test]
    async fn the_inbox_is_read_in_pages_and_by_sender() {
        let bench = Bench::new().await;
        for second in 1..=5 {
            let mut text = part(None, &format!("text {second}"), second);
            if second == 2 {
                text.originator = "+447700900777".parse().unwrap();
            }
            bench.come(text).await;
        }
        // It waits for its second part, and is not told.
        bench.come(of(2, 1, "half", 9)).await;
        let texts = async |filter: InboundFilter| {
            let page = bench.store.inbox(filter).await.unwrap();
            let texts = page.texts.iter().map(|text| text.text.clone().unwrap());
            let last = page.texts.last().map(|text| text.id);
            (texts.collect::<Vec<_>>(), page.more, last)
        };
        let mut filter = InboundFilter {
            limit: 2,
            ..InboundFilter::default()
        };
        let (first, more, last) = texts(filter.clone()).await;
        assert_eq!(
            (first, more),
            (vec!["text 5".into(), "text 4".into()], true)
        );
        filter.before = last;
        let (second, more, last) = texts(filter.clone()).await;
        assert_eq!(
            (second, more),
            (vec!["text 3".into(), "text 2".into()], true)
        );
        filter.before = last;
        assert_eq!(texts(filter.clone()).await.0, ["text 1"]);
        filter.before = None;
        filter.sender = Some("+447700900777".into());
        assert_eq!(texts(filter.clone()).await.0, ["text 2"]);
        filter.sim = Some(SimId(99));
        assert_eq!(texts(filter).await, (vec![], false, None));
    }

    #[tokio::test]
    async fn a_text_shows_the_parts_it_came_in() {
        let bench = Bench::new().await;
        bench.come(of(2, 2, "б", 2)).await;
        bench.come_at(of(2, 1, "а", 1), Millis(2000)).await;
        let filter = InboundFilter {
            limit: 1,
            ..InboundFilter::default()
        };
        let listed = bench.store.inbox(filter).await.unwrap().texts.remove(0);
        let (text, parts) = bench.store.inbound(listed.id).await.unwrap().unwrap();
        assert_eq!((&text, text.text.as_deref()), (&listed, Some("аб")));
        assert_eq!((text.parts, text.missing), (2, 0));
        let came: Vec<_> = parts
            .iter()
            .map(|part| (part.no.0, part.received_at.0))
            .collect();
        assert_eq!(came, [(1, 2000), (2, 1000)]);
        assert!(parts.iter().all(|part| part.pdu.starts_with("00")));
        assert_eq!(bench.store.inbound(InboundId::new()).await.unwrap(), None);
    }
}
