//! A free SIM takes the next part: the head of its lanes, bound to it, under an attempt's token.

use rusqlite::{OptionalExtension, params};

use super::dates;
use super::steps::{PartKey, Step};
use crate::clock::Millis;
use crate::sms::ids::{BadId, MessageId, PartNo, SimId, Token};
use crate::sms::number::PhoneNumber;
use crate::sms::state::PartEvent;
use crate::store::Error;
use crate::store::engine::{Scope, in_savepoint};

/// A part that a SIM may send now.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Guards every later write about this attempt.
    pub token: Token,
    /// The message.
    pub message: MessageId,
    /// Which of its parts.
    pub part: PartNo,
    /// The whole text; splitting it again gives the same parts each time.
    pub text: String,
    /// Where it goes.
    pub recipient: PhoneNumber,
    /// The concatenation reference of the whole text.
    pub concat_reference: u8,
    /// Whether a status report is asked for.
    pub report: bool,
    /// From then on it is not worth sending.
    pub expires_at: Millis,
    /// Whether another part waits that this SIM may take next.
    pub more: bool,
}

/// The head of the better of two lanes: texts already bound to this SIM, texts bound to none.
const HEAD: &str = "
    SELECT id, sim, expires_at FROM (SELECT * FROM (SELECT id, rank, sim, expires_at FROM message WHERE sim = ?1 AND ready = 1 ORDER BY rank, id LIMIT 1)
      UNION ALL SELECT * FROM (SELECT id, rank, sim, expires_at FROM message WHERE sim IS NULL AND ready = 1 ORDER BY rank, id LIMIT 1))
    ORDER BY rank, id LIMIT 1";

/// The next part for this SIM. A row that cannot be read is put aside: it must not hold up the others.
pub(in crate::store) fn claim(
    scope: &Scope,
    sim: SimId,
    now: Millis,
) -> Result<Option<Claim>, Error> {
    loop {
        let Some(Head {
            message,
            bound,
            expires_at,
        }) = head(scope, sim)?
        else {
            return Ok(None);
        };
        if expires_at <= now {
            dates::expire(scope, message, now)?;
            continue;
        }
        match in_savepoint(scope, |scope| claim_part(scope, sim, message, bound, now)) {
            Err(Error::Unreadable(error)) => {
                tracing::error!(message.id = %message, %error, "a message cannot be read and is put aside");
                scope
                    .db
                    .prepare_cached("UPDATE message SET ready = 0, due_at = NULL WHERE id = ?1")?
                    .execute([message.octets()])?;
            }
            claim => return claim.map(Some),
        }
    }
}

/// What stands first for a SIM.
struct Head {
    message: MessageId,
    /// Whether it is bound to this SIM already.
    bound: bool,
    expires_at: Millis,
}

fn head(scope: &Scope, sim: SimId) -> Result<Option<Head>, Error> {
    Ok(scope
        .db
        .prepare_cached(HEAD)?
        .query_row([sim.0], |row| {
            Ok(Head {
                message: MessageId::from(row.get::<_, [u8; 16]>(0)?),
                bound: row.get::<_, Option<i64>>(1)?.is_some(),
                expires_at: Millis(row.get(2)?),
            })
        })
        .optional()?)
}

fn claim_part(
    scope: &Scope,
    sim: SimId,
    message: MessageId,
    bound: bool,
    now: Millis,
) -> Result<Claim, Error> {
    let content = content(scope, message)?;
    let reference = if bound {
        content.reference
    } else {
        bind(scope, message, sim, &content)?
    };
    let part = PartNo(
        scope
            .db
            .prepare_cached("SELECT min(no) FROM part WHERE message = ?1 AND state = 'waiting'")?
            .query_row([message.octets()], |row| row.get(0))?,
    );
    let token: i64 = scope
        .db
        .prepare_cached(
            "INSERT INTO attempt(message, part, sim, claimed_at, last_report)
             VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(id), 0) FROM report)) RETURNING token",
        )?
        .query_row(params![message.octets(), part.0, sim.0, now.0], |row| {
            row.get(0)
        })?;
    scope
        .db
        .prepare_cached("UPDATE part SET token = ?3, attempts = attempts + 1 WHERE message = ?1 AND no = ?2 AND state = 'waiting'")?
        .execute(params![message.octets(), part.0, token])?;
    let step = Step {
        part: PartKey { message, no: part },
        event: PartEvent::Claimed,
        holder: Some(Token(token)),
        mr: None,
        sim: Some(sim),
        due_at: None,
        failure: None,
        reason: "taken by a free SIM",
        now,
    };
    step.take(scope)?;
    Ok(Claim {
        token: Token(token),
        message,
        part,
        text: content.text,
        recipient: content.recipient,
        concat_reference: reference.unwrap_or(0),
        report: content.report,
        expires_at: content.expires_at,
        more: head(scope, sim)?.is_some(),
    })
}

/// What a claim must know of its message.
struct Content {
    text: String,
    recipient: PhoneNumber,
    parts: u8,
    reference: Option<u8>,
    report: bool,
    expires_at: Millis,
}

fn content(scope: &Scope, message: MessageId) -> Result<Content, Error> {
    let mut row = scope.db.prepare_cached(
        "SELECT text, recipient, parts, concat_reference, report, expires_at FROM message WHERE id = ?1",
    )?;
    let (text, recipient, parts, reference, report, expires_at): (String, String, _, _, _, _) = row
        .query_row([message.octets()], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
            ))
        })?;
    let recipient = recipient
        .parse()
        .map_err(|_| BadId::new("recipient", "an E.164 number"))?;
    Ok(Content {
        text,
        recipient,
        parts,
        reference,
        report,
        expires_at: Millis(expires_at),
    })
}

/// Ties a text to the SIM that takes its first part, under the next reference for that recipient.
fn bind(
    scope: &Scope,
    message: MessageId,
    sim: SimId,
    content: &Content,
) -> Result<Option<u8>, Error> {
    let mut reference: Option<u8> = None;
    if content.parts > 1 {
        reference = scope
            .db
            .prepare_cached(
                "INSERT INTO concat_counter(sim, recipient, last) VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET last = (last + 1) % 256 RETURNING last",
            )?
            .query_row(params![sim.0, content.recipient.as_str()], |row| row.get(0))?;
    }
    scope
        .db
        .prepare_cached("UPDATE message SET sim = ?2, concat_reference = ?3 WHERE id = ?1")?
        .execute(params![message.octets(), sim.0, reference])?;
    Ok(reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::class::{MessageClass, Priority};
    use crate::store::{NewMessage, SimIdentity, Store};

    #[tokio::test]
    async fn a_row_that_cannot_be_read_holds_nobody_up() {
        let store = Store::in_task().unwrap();
        let now = Millis(1);
        let imsi = "255030000000001".parse().unwrap();
        let sim = store
            .sim_seen(SimIdentity::Subscriber(imsi), now)
            .await
            .unwrap();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let new = NewMessage {
                id: MessageId::new(),
                key: None,
                recipient: "+380671234567".parse().unwrap(),
                text: "text".into(),
                class: MessageClass::default(),
                alphabet: "gsm7".into(),
                parts: 1,
                report: true,
                priority: Priority::default(),
                send_at: None,
                expires_at: now.plus(std::time::Duration::from_secs(60)),
                client_ref: None,
                resend_of: None,
                once: None,
            };
            ids.push(new.id);
            store.enqueue(new, now).await.unwrap();
        }
        let broken = ids[0];
        let spoil = store.engine.write(move |scope| {
            let sql = "UPDATE message SET recipient = 'nobody' WHERE id = ?1";
            Ok(scope.db.execute(sql, [broken.octets()])?)
        });
        assert_eq!(spoil.await.unwrap(), 1);
        let claim = store
            .settle_and_claim(sim, None, now, std::future::ready(()))
            .await
            .unwrap();
        assert_eq!(claim.map(|claim| claim.message), Some(ids[1]));
        let nothing = store
            .settle_and_claim(sim, None, now, std::future::ready(()))
            .await
            .unwrap();
        assert!(nothing.is_none());
        let touched = store.engine.read(move |db| {
            let sql = "SELECT count(*) FROM attempt WHERE message = ?1";
            Ok(db.query_row(sql, [broken.octets()], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(touched.await.unwrap(), 0);
    }
}
