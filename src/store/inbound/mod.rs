//! What came in: parts are kept first, each once, and then joined into the texts they make.
//!
//! A part is known again by its fingerprint, whoever repeats it: the network when an acknowledgement
//! was late, the modem when a storage could not be emptied.

mod read;

use std::time::Duration;

use rusqlite::params;
use sha2::{Digest, Sha256};

use super::engine::Scope;
use super::{Error, Store, events};
use crate::clock::Millis;
use crate::sms::deliver::Deliver;
use crate::sms::fields::{Concat, Reading, ReferenceWidth};
use crate::sms::ids::{InboundId, SimId};
use crate::sms::join::{self, Belongs, Message, Part};
use crate::sms::pdu;
use crate::sms::tpdu::Tpdu;
pub use read::{Inbound, InboundFilter, InboundPage, InboundPart};

/// How long a text waits for parts that are missing. Service centres try for some days; a text with
/// gaps is worth more to its reader today.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// A part whose service centre tells no time may be a new one of the same words: it counts as repeated
/// only when it was seen not longer ago.
const UNDATED: Duration = Duration::from_secs(3600);

/// So many texts of one sender and reference are looked at, and may wait at once: the one that waited
/// longest for a part is told with its gaps then.
const MOST: u8 = 8;

/// A part as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInbound {
    /// The SIM it came to.
    pub sim: SimId,
    /// What it says; none where the PDU cannot be read.
    pub deliver: Option<Deliver>,
    /// The whole PDU in hex.
    pub pdu: String,
}

/// What a part brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A text is whole, or nothing more can be made of it.
    Whole(InboundId),
    /// Its text has so many parts still to come.
    Waiting(InboundId, u8),
    /// It was here before.
    Repeated,
}

impl Store {
    /// Keeps a part, once, and joins the text that it makes whole.
    pub async fn receive(&self, new: NewInbound, now: Millis) -> Result<Received, Error> {
        self.engine
            .write(move |scope| receive(scope, &new, now))
            .await
    }

    /// Ends the waiting for parts that have not come in time: what is there of their texts is told
    /// with its gaps. Returns when the next wait ends.
    pub async fn close_inbound(&self, now: Millis) -> Result<Option<Millis>, Error> {
        self.engine
            .write(move |scope| {
                for (id, sim) in late(scope, now)? {
                    close(scope, id, sim, now)?;
                }
                let next: Option<i64> = scope
                    .db
                    .prepare_cached(
                        "SELECT min(waits_since) FROM inbound WHERE waits_since IS NOT NULL",
                    )?
                    .query_row([], |row| row.get(0))?;
                Ok(next.map(|since| Millis(since).plus(PATIENCE)))
            })
            .await
    }
}

fn receive(scope: &Scope, new: &NewInbound, now: Millis) -> Result<Received, Error> {
    let fingerprint = fingerprint(new);
    if is_repeated(scope, new, &fingerprint, now)? {
        return Ok(Received::Repeated);
    }
    let place = new.deliver.as_ref().and_then(place);
    let no = place.map_or(1, |(place, _)| place.sequence);
    let Some(id) = text_of(scope, new, place, now)? else {
        return Ok(Received::Repeated);
    };
    scope
        .db
        .prepare_cached(
            "INSERT INTO inbound_part(inbound, no, sim, fingerprint, received_at, seen_at, pdu)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        )?
        .execute(params![
            id.octets(),
            no,
            new.sim.0,
            fingerprint,
            now.0,
            new.pdu
        ])?;
    let missing: u8 = scope
        .db
        .prepare_cached(
            "UPDATE inbound SET missing = missing - 1, waits_since = ?2 WHERE id = ?1 RETURNING missing",
        )?
        .query_row(params![id.octets(), now.0], |row| row.get(0))?;
    if missing > 0 {
        scope.wake_housekeeper();
        return Ok(Received::Waiting(id, missing));
    }
    close(scope, id, new.sim, now)?;
    Ok(Received::Whole(id))
}

/// The part's place in a long text.
fn place(deliver: &Deliver) -> Option<(Concat, ReferenceWidth)> {
    let header = deliver.user_data.header()?;
    header.concat().zip(header.reference_width())
}

/// SHA-256 of what stays the same when a part comes again: not the service centre it comes through, and
/// not whether more is waiting behind it.
fn fingerprint(new: &NewInbound) -> [u8; 32] {
    let octets = match &new.deliver {
        Some(deliver) => Deliver {
            more_to_send: false,
            ..deliver.clone()
        }
        .encode(),
        None => new.pdu.to_ascii_uppercase().into_bytes(),
    };
    Sha256::digest(octets).into()
}

/// Notes that the part was seen again, if it is kept already.
fn is_repeated(
    scope: &Scope,
    new: &NewInbound,
    fingerprint: &[u8; 32],
    now: Millis,
) -> Result<bool, Error> {
    let undated = |deliver: &Deliver| deliver.scts.reading() == Reading::Broken;
    let since = if new.deliver.as_ref().is_some_and(undated) {
        now.minus(UNDATED)
    } else {
        Millis(i64::MIN)
    };
    let seen = scope
        .db
        .prepare_cached(
            "UPDATE inbound_part SET seen_at = ?4 WHERE sim = ?1 AND fingerprint = ?2 AND seen_at >= ?3",
        )?
        .execute(params![new.sim.0, fingerprint, since.0, now.0])?;
    Ok(seen > 0)
}

/// The text that a part belongs to, begun if need be; none if the part is a repeat.
fn text_of(
    scope: &Scope,
    new: &NewInbound,
    place: Option<(Concat, ReferenceWidth)>,
    now: Millis,
) -> Result<Option<InboundId>, Error> {
    let (Some(deliver), Some((concat, width))) = (&new.deliver, place) else {
        return begin(scope, new, None, now).map(Some);
    };
    let closed_since = match deliver.scts.reading() {
        Reading::Broken => now.minus(UNDATED),
        _ => now.minus(PATIENCE),
    };
    let waiting = of_key(scope, new, concat, width, None)?;
    let closed = of_key(scope, new, concat, width, Some(closed_since))?;
    let (ids, messages): (Vec<_>, Vec<_>) = closed.into_iter().chain(waiting.clone()).unzip();
    match join::belongs(&messages, concat.sequence, &part(deliver)) {
        Belongs::Repeat => Ok(None),
        Belongs::To(at) => Ok(ids.get(at).copied()),
        Belongs::Anew => {
            if waiting.len() >= usize::from(MOST)
                && let Some((oldest, _)) = waiting.first()
            {
                close(scope, *oldest, new.sim, now)?;
            }
            begin(scope, new, place, now).map(Some)
        }
    }
}

/// The texts of a part's key, at most [`MOST`], in the order of their last parts: those that wait, or those
/// that were begun since a moment and wait no more.
fn of_key(
    scope: &Scope,
    new: &NewInbound,
    concat: Concat,
    width: ReferenceWidth,
    closed_since: Option<Millis>,
) -> Result<Vec<(InboundId, Message)>, Error> {
    let mut rows = scope.db.prepare_cached(match closed_since {
        None => {
            "SELECT id FROM inbound WHERE sim = ?1 AND sender = ?2 AND reference = ?3 AND reference_bits = ?4
             AND parts = ?5 AND waits_since IS NOT NULL AND waits_since >= ?6
             ORDER BY waits_since DESC, id DESC LIMIT ?7"
        }
        Some(_) => {
            "SELECT id FROM inbound WHERE sim = ?1 AND sender = ?2 AND reference = ?3 AND reference_bits = ?4
             AND parts = ?5 AND waits_since IS NULL AND received_at >= ?6
             ORDER BY received_at DESC, id DESC LIMIT ?7"
        }
    })?;
    let ids = rows.query_map(
        params![
            new.sim.0,
            sender(new),
            concat.reference,
            bits(width),
            concat.total,
            closed_since.map_or(i64::MIN, |since| since.0),
            MOST
        ],
        |row| Ok(InboundId::from(row.get::<_, [u8; 16]>(0)?)),
    )?;
    let mut found = Vec::new();
    for id in ids {
        let id = id?;
        let mut message = message(scope, id, concat.total)?;
        if closed_since.is_some() {
            message.close();
        }
        found.push((id, message));
    }
    found.reverse();
    Ok(found)
}

/// What is there of a text. Parts that cannot be read close it.
fn message(scope: &Scope, id: InboundId, total: u8) -> Result<Message, Error> {
    let mut rows = scope
        .db
        .prepare_cached("SELECT no, pdu FROM inbound_part WHERE inbound = ?1")?;
    let mut message = Message::new(total);
    for row in rows.query_map([id.octets()], |row| {
        Ok((row.get::<_, u8>(0)?, row.get::<_, String>(1)?))
    })? {
        let (no, pdu) = row?;
        match pdu::read_kept(&pdu) {
            Ok(Tpdu::Deliver(deliver)) => message.add(no, part(&deliver)),
            _ => message.close(),
        }
    }
    Ok(message)
}

fn part(deliver: &Deliver) -> Part {
    Part {
        user_data: deliver.user_data.clone(),
        scts: deliver.scts,
    }
}

fn begin(
    scope: &Scope,
    new: &NewInbound,
    place: Option<(Concat, ReferenceWidth)>,
    now: Millis,
) -> Result<InboundId, Error> {
    let id = InboundId::new();
    scope
        .db
        .prepare_cached(
            "INSERT INTO inbound(id, sim, sender, parts, missing, reference, reference_bits, waits_since, received_at)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?7)",
        )?
        .execute(params![
            id.octets(),
            new.sim.0,
            sender(new),
            place.map_or(1, |(place, _)| place.total),
            place.map(|(place, _)| place.reference),
            place.map(|(_, width)| bits(width)),
            now.0,
        ])?;
    Ok(id)
}

/// No more parts are waited for: the text is what there is.
fn close(scope: &Scope, id: InboundId, sim: SimId, now: Millis) -> Result<(), Error> {
    let total = scope
        .db
        .prepare_cached("SELECT parts FROM inbound WHERE id = ?1")?
        .query_row([id.octets()], |row| row.get(0))?;
    let message = message(scope, id, total)?;
    let text = (!message.is_empty()).then(|| message.text());
    let (parts, missing): (u8, u8) = scope
        .db
        .prepare_cached(
            "UPDATE inbound SET text = ?2, waits_since = NULL WHERE id = ?1 RETURNING parts, missing",
        )?
        .query_row(params![id.octets(), text], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let reason = match (&text, missing) {
        (None, _) => Some("its PDU cannot be read and is kept as it came".to_owned()),
        (Some(_), 0) => None,
        (Some(_), _) => Some(format!("{missing} of {parts} parts have not come")),
    };
    events::received(scope, id, sim, reason.as_deref(), now)
}

/// Texts that have waited long enough.
fn late(scope: &Scope, now: Millis) -> Result<Vec<(InboundId, SimId)>, Error> {
    let mut rows = scope
        .db
        .prepare_cached("SELECT id, sim FROM inbound WHERE waits_since <= ?1 ORDER BY id")?;
    let late = rows.query_map([now.minus(PATIENCE).0], |row| {
        Ok((
            InboundId::from(row.get::<_, [u8; 16]>(0)?),
            SimId(row.get(1)?),
        ))
    })?;
    Ok(late.collect::<Result<_, _>>()?)
}

fn sender(new: &NewInbound) -> Option<String> {
    let deliver = new.deliver.as_ref();
    deliver.map(|deliver| deliver.originator.to_string())
}

fn bits(width: ReferenceWidth) -> u8 {
    match width {
        ReferenceWidth::Eight => 8,
        ReferenceWidth::Sixteen => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::fields::{Address, Timestamp, UserData, UserDataHeader};
    use crate::store::SimIdentity;

    /// A store, its SIM, and what was told.
    pub(super) struct Bench {
        pub(super) store: Store,
        sim: SimId,
    }

    /// A row of `inbound`: sender, text, parts, missing.
    type Row = (Option<String>, Option<String>, u8, u8);

    pub(super) fn part(header: Option<UserDataHeader>, text: &str, second: u8) -> Deliver {
        let sender = "+447700900123".parse().unwrap();
        let scts = Timestamp::from_octets([0x62, 0x11, 0x52, 0x01, 0x00, second, 0x00]);
        Deliver::new(sender, scts, UserData::ucs2(header, text).unwrap())
    }

    pub(super) fn of(total: u8, no: u8, text: &str, second: u8) -> Deliver {
        part(Some(UserDataHeader::concat_8(7, total, no)), text, second)
    }

    impl Bench {
        pub(super) async fn new() -> Self {
            let store = Store::in_task().unwrap();
            let imsi = "255030000000001".parse().unwrap();
            let sim = store.sim_seen(SimIdentity::Subscriber(imsi), Millis(0));
            let sim = sim.await.unwrap();
            Self { store, sim }
        }

        pub(super) async fn come_at(&self, deliver: Deliver, now: Millis) -> Received {
            let (pdu, _) = pdu::with_smsc(None, &deliver.encode());
            let deliver = Some(deliver);
            let new = NewInbound {
                sim: self.sim,
                deliver,
                pdu,
            };
            self.store.receive(new, now).await.unwrap()
        }

        pub(super) async fn come(&self, deliver: Deliver) -> Received {
            self.come_at(deliver, Millis(1000)).await
        }

        async fn rows(&self) -> Vec<Row> {
            let rows = self.store.engine.read(|db| {
                let mut rows =
                    db.prepare("SELECT sender, text, parts, missing FROM inbound ORDER BY id")?;
                let rows = rows.query_map([], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?;
                Ok(rows.collect::<Result<Vec<Row>, _>>()?)
            });
            rows.await.unwrap()
        }

        async fn texts(&self) -> Vec<String> {
            let texts = self.rows().await.into_iter().map(|row| row.1);
            texts.map(Option::unwrap_or_default).collect()
        }

        /// The reasons of all events about texts that came in.
        async fn told(&self) -> Vec<Option<String>> {
            let told = self.store.engine.read(|db| {
                let mut rows = db.prepare(
                    "SELECT reason FROM event WHERE type = 'inbound.received' AND inbound IS NOT NULL ORDER BY seq",
                )?;
                let rows = rows.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            });
            told.await.unwrap()
        }
    }

    #[tokio::test]
    async fn a_text_is_kept_once_however_often_it_is_shown() {
        let bench = Bench::new().await;
        let text = part(None, "Дякую", 1);
        let Received::Whole(_) = bench.come(text.clone()).await else {
            panic!("whole");
        };
        assert_eq!(bench.come(text.clone()).await, Received::Repeated);
        // The network repeats it with something behind it, through another service centre, years later.
        let again = Deliver {
            more_to_send: true,
            ..text.clone()
        };
        let (pdu, _) = pdu::with_smsc(
            Some(&"+447700900999".parse::<Address>().unwrap()),
            &again.encode(),
        );
        let deliver = Some(again);
        let new = NewInbound {
            sim: bench.sim,
            deliver,
            pdu,
        };
        let later = Millis(1000).plus(Duration::from_secs(100_000_000));
        let received = bench.store.receive(new, later).await.unwrap();
        assert_eq!(received, Received::Repeated);
        // The same words a second later are another text.
        assert!(matches!(
            bench.come(part(None, "Дякую", 2)).await,
            Received::Whole(_)
        ));
        assert_eq!(bench.texts().await, ["Дякую", "Дякую"]);
        assert_eq!(bench.rows().await[0].0.as_deref(), Some("+447700900123"));
        assert_eq!(bench.told().await, [None, None]);
    }

    #[tokio::test]
    async fn a_text_without_a_time_is_repeated_only_for_a_while() {
        let bench = Bench::new().await;
        let mut text = part(None, "ok", 1);
        text.scts = Timestamp::from_octets([0; 7]);
        let at = |minutes: u64| Millis(0).plus(Duration::from_secs(minutes * 60));
        for (minutes, repeated) in [
            (0, false),
            (50, true),
            (100, true),
            (161, false),
            (162, true),
        ] {
            let received = bench.come_at(text.clone(), at(minutes)).await;
            assert_eq!(
                received == Received::Repeated,
                repeated,
                "{minutes}: {received:?}"
            );
        }
    }

    #[tokio::test]
    async fn parts_make_a_text_in_any_order() {
        let bench = Bench::new().await;
        let Received::Waiting(id, 2) = bench.come(of(3, 3, "в", 3)).await else {
            panic!("two to come");
        };
        assert_eq!(bench.come(of(3, 1, "а", 1)).await, Received::Waiting(id, 1));
        assert_eq!(bench.come(of(3, 3, "в", 3)).await, Received::Repeated);
        // Neither of another sender, nor of another width or number of parts.
        let mut other = of(3, 2, "x", 1);
        other.originator = Address::name("Bank").unwrap();
        let wide = part(Some(UserDataHeader::concat_16(7, 3, 2)), "y", 1);
        for stranger in [other, wide, of(4, 2, "z", 1)] {
            assert!(matches!(bench.come(stranger).await, Received::Waiting(..)));
        }
        assert_eq!(bench.told().await, []);
        assert_eq!(bench.come(of(3, 2, "б", 2)).await, Received::Whole(id));
        assert_eq!(bench.texts().await[0], "абв");
        assert_eq!(bench.come(of(3, 2, "б", 2)).await, Received::Repeated);
        assert_eq!(bench.told().await, [None]);
    }

    /// Part `no` of the text `abc` or `ABC`, two hours apart.
    fn of_two(later: bool, no: u8) -> Deliver {
        let texts = if later {
            ["A", "B", "C"]
        } else {
            ["a", "b", "c"]
        };
        let mut part = of(3, no, texts[usize::from(no) - 1], no << 4);
        if later {
            let [year, month, day, _, minute, second, zone] = part.scts.octets();
            part.scts = Timestamp::from_octets([year, month, day, 0x21, minute, second, zone]);
        }
        part
    }

    #[tokio::test]
    async fn two_texts_under_one_reference_are_kept_apart() {
        let orders = [
            [
                (false, 1),
                (true, 2),
                (false, 3),
                (true, 1),
                (false, 2),
                (true, 3),
            ],
            [
                (true, 3),
                (true, 2),
                (false, 2),
                (false, 1),
                (true, 1),
                (false, 3),
            ],
            [
                (false, 1),
                (false, 2),
                (false, 3),
                (true, 1),
                (true, 2),
                (true, 3),
            ],
        ];
        for order in orders {
            let bench = Bench::new().await;
            for (later, no) in order {
                bench.come(of_two(later, no)).await;
            }
            let mut texts = bench.texts().await;
            texts.sort();
            assert_eq!(texts, ["ABC", "abc"], "{order:?}");
            // Handed in twice by the sender, a minute later: a repeat also of what is whole.
            let mut again = of_two(false, 2);
            again.scts = Timestamp::from_octets([0x62, 0x11, 0x52, 0x01, 0x10, 0x20, 0x00]);
            assert_eq!(bench.come(again).await, Received::Repeated, "{order:?}");
            assert_eq!(bench.texts().await.len(), 2);
        }
    }

    #[tokio::test]
    async fn only_so_many_texts_of_one_reference_wait() {
        let bench = Bench::new().await;
        for no in 0..=MOST {
            bench.come(of(3, 1, &format!("{no}"), 1)).await;
        }
        let texts = bench.texts().await;
        assert_eq!(
            texts.iter().filter(|text| text.is_empty()).count(),
            usize::from(MOST)
        );
        assert_eq!(texts[0], "0[…]");
        assert_eq!(
            bench.told().await[0].as_deref(),
            Some("2 of 3 parts have not come")
        );
    }

    #[tokio::test]
    async fn what_does_not_come_within_a_day_is_not_waited_for() {
        let bench = Bench::new().await;
        bench.come(of(2, 2, "b", 1)).await;
        let end = Millis(1000).plus(PATIENCE);
        let sweep = async |now| bench.store.close_inbound(now).await.unwrap();
        assert_eq!(sweep(end.minus(Duration::from_secs(1))).await, Some(end));
        assert_eq!(bench.texts().await, [""]);
        assert_eq!(sweep(end).await, None);
        assert_eq!(bench.rows().await[0].1.as_deref(), Some("[…]b"));
        assert_eq!(bench.rows().await[0].3, 1);
        // The missing one begins a text of its own.
        assert!(matches!(
            bench.come_at(of(2, 1, "a", 1), end).await,
            Received::Waiting(_, 1)
        ));
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_kept_as_it_came() {
        let bench = Bench::new().await;
        let raw = |pdu: &str| NewInbound {
            sim: bench.sim,
            deliver: None,
            pdu: pdu.into(),
        };
        let kept = bench.store.receive(raw("00FFab"), Millis(1)).await.unwrap();
        assert!(matches!(kept, Received::Whole(_)));
        let again = bench.store.receive(raw("00FFAB"), Millis(2)).await.unwrap();
        assert_eq!(again, Received::Repeated);
        assert_eq!(bench.rows().await, [(None, None, 1, 0)]);
        let told = bench.told().await;
        assert!(told[0].as_deref().unwrap().contains("cannot be read"));
    }
}
