//! Attempts: a part is claimed, armed, and settled, each step guarded by the attempt's token.

use rusqlite::{OptionalExtension, params};

use super::messages::Failure;
use super::reports;
use super::steps::{PartKey, Step, Taken};
use crate::clock::Millis;
use crate::sms::ids::{BadId, MessageId, Mr, PartNo, SimId, Token};
use crate::sms::number::PhoneNumber;
use crate::sms::state::PartEvent;
use crate::store::engine::{Scope, in_savepoint};
use crate::store::events::NewEvent;
use crate::store::{Error, Store};

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
    /// Whether another part waits that this SIM may take next.
    pub more: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The network took the part; the reference is missing where the modem told none.
    Accepted(Option<Mr>),
    /// It certainly did not go, and may go again.
    TryAgain(Failure, Retry),
    /// It certainly did not go, and never will.
    Refused(Failure),
    /// It may or may not be out.
    Unanswered(Failure),
    /// The claim was given back before the modem saw it.
    Released,
}

impl Verdict {
    /// The word of the journal.
    fn outcome(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::TryAgain(..) | Self::Refused(_) => "refused",
            Self::Unanswered(_) => "unanswered",
            Self::Released => "released",
        }
    }

    fn event(&self) -> PartEvent {
        match self {
            Self::Accepted(_) => PartEvent::Accepted,
            Self::TryAgain(..) | Self::Released => PartEvent::TryAgain,
            Self::Refused(_) => PartEvent::Refused,
            Self::Unanswered(_) => PartEvent::Unanswered,
        }
    }

    fn mr(&self) -> Option<Mr> {
        if let Self::Accepted(mr) = self {
            *mr
        } else {
            None
        }
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::TryAgain(failure, _) | Self::Refused(failure) | Self::Unanswered(failure) => {
                Some(failure)
            }
            Self::Accepted(_) | Self::Released => None,
        }
    }
}

/// When and how often a refused part goes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after which the part has failed.
    pub attempts: u32,
    /// The wait after the first attempt; it doubles with each one, up to an hour.
    pub wait: std::time::Duration,
}

/// The end of an attempt, to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The attempt.
    pub token: Token,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, in words for the timeline.
    pub reason: String,
}

/// How a SIM's work ended: the SIM is free again after its rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkEnd {
    /// The SIM.
    pub sim: SimId,
    /// How the attempt ended.
    pub settlement: Settlement,
    /// How long the SIM takes nothing; zero where it is well.
    pub rest: std::time::Duration,
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is written and the part has moved.
    Written,
    /// The attempt has an end already: nothing changed.
    Stale,
    /// The end is written, but the part has gone on without it: another attempt holds it.
    Overtaken,
}

impl Store {
    /// Writes how `done` ended and gives `sim` its next part, in one transaction.
    ///
    /// None: there is nothing for this SIM.
    pub async fn settle_and_claim(
        &self,
        sim: SimId,
        done: Option<Settlement>,
        now: Millis,
    ) -> Result<Option<Claim>, Error> {
        self.engine
            .write(move |scope| {
                if let Some(done) = done {
                    settle(scope, &done, now)?;
                }
                claim(scope, sim, now)
            })
            .await
    }

    /// Writes that Ctrl-Z is about to go. `false`: the attempt is no longer ours, nothing may go.
    pub async fn arm(&self, token: Token, now: Millis) -> Result<bool, Error> {
        self.engine
            .write(move |scope| {
                let armed = scope
                    .db
                    .prepare_cached("UPDATE attempt SET armed_at = ?2 WHERE token = ?1 AND armed_at IS NULL AND ended_at IS NULL")?
                    .execute(params![token.0, now.0])?;
                Ok(armed == 1)
            })
            .await
    }

    /// Writes how an attempt ended.
    pub async fn settle(&self, settlement: Settlement, now: Millis) -> Result<Settled, Error> {
        self.engine
            .write(move |scope| settle(scope, &settlement, now))
            .await
    }

    /// Writes what an answer tells that came after its attempt was given up. Without a token it belongs
    /// to the newest attempt of the SIM, if that one is unanswered: a SIM sends one part at a time.
    pub async fn late_answer(
        &self,
        sim: SimId,
        token: Option<Token>,
        mr: Option<Mr>,
        now: Millis,
    ) -> Result<Settled, Error> {
        self.engine
            .write(move |scope| {
                let token = match token {
                    Some(token) => Some(token),
                    None => newest_unanswered(scope, sim)?,
                };
                let Some(token) = token else {
                    return Ok(Settled::Stale);
                };
                late_answer(scope, token, mr, now)
            })
            .await
    }
}

/// The head of the better of two lanes: texts already bound to this SIM, texts bound to none.
const HEAD: &str = "
    SELECT id, sim FROM (SELECT * FROM (SELECT id, rank, sim FROM message WHERE sim = ?1 AND ready = 1 ORDER BY rank, id LIMIT 1)
      UNION ALL SELECT * FROM (SELECT id, rank, sim FROM message WHERE sim IS NULL AND ready = 1 ORDER BY rank, id LIMIT 1))
    ORDER BY rank, id LIMIT 1";

/// The next part for this SIM. A row that cannot be read is put aside: it must not hold up the others.
fn claim(scope: &Scope, sim: SimId, now: Millis) -> Result<Option<Claim>, Error> {
    loop {
        let Some((message, bound)) = head(scope, sim)? else {
            return Ok(None);
        };
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

/// The message at the head, and whether it is bound to this SIM already.
fn head(scope: &Scope, sim: SimId) -> Result<Option<(MessageId, bool)>, Error> {
    let head: Option<([u8; 16], Option<i64>)> = scope
        .db
        .prepare_cached(HEAD)?
        .query_row([sim.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(head.map(|(id, bound)| (MessageId::from(id), bound.is_some())))
}

fn claim_part(
    scope: &Scope,
    sim: SimId,
    message: MessageId,
    bound: bool,
    now: Millis,
) -> Result<Claim, Error> {
    if !bound {
        bind(scope, message, sim)?;
    }
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
    let more = head(scope, sim)?.is_some();
    work(scope, message, part, Token(token), more)
}

fn work(
    scope: &Scope,
    message: MessageId,
    part: PartNo,
    token: Token,
    more: bool,
) -> Result<Claim, Error> {
    let (text, recipient, reference, report): (String, String, Option<u8>, bool) = scope
        .db
        .prepare_cached(
            "SELECT text, recipient, concat_reference, report FROM message WHERE id = ?1",
        )?
        .query_row([message.octets()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    let recipient = recipient
        .parse()
        .map_err(|_| BadId::new("recipient", "an E.164 number"))?;
    Ok(Claim {
        token,
        message,
        part,
        text,
        recipient,
        concat_reference: reference.unwrap_or(0),
        report,
        more,
    })
}

/// Ties a text to the SIM that takes its first part, under the next reference for that recipient.
fn bind(scope: &Scope, message: MessageId, sim: SimId) -> Result<(), Error> {
    let (recipient, parts): (String, u8) = scope
        .db
        .prepare_cached("SELECT recipient, parts FROM message WHERE id = ?1")?
        .query_row([message.octets()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut reference: Option<u8> = None;
    if parts > 1 {
        reference = scope
            .db
            .prepare_cached(
                "INSERT INTO concat_counter(sim, recipient, last) VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET last = (last + 1) % 256 RETURNING last",
            )?
            .query_row(params![sim.0, recipient], |row| row.get(0))?;
    }
    scope
        .db
        .prepare_cached("UPDATE message SET sim = ?2, concat_reference = ?3 WHERE id = ?1")?
        .execute(params![message.octets(), sim.0, reference])?;
    Ok(())
}

fn late_answer(scope: &Scope, token: Token, mr: Option<Mr>, now: Millis) -> Result<Settled, Error> {
    let Some(attempt) = open_attempt(scope, token)? else {
        return Ok(Settled::Stale);
    };
    let reason = "the modem's answer came late: the network has it".to_owned();
    let settled = settle(
        scope,
        &Settlement {
            token,
            verdict: Verdict::Accepted(mr),
            reason,
        },
        now,
    )?;
    if settled == Settled::Overtaken {
        NewEvent {
            at: now,
            kind: "message.note",
            message: attempt.part.message,
            part: Some(attempt.part.no),
            from: None,
            to: None,
            sim: Some(attempt.sim),
            reason: Some("a late answer shows that the earlier attempt went out as well: the text may arrive twice"),
        }
        .write(scope)?;
    }
    Ok(settled)
}

fn newest_unanswered(scope: &Scope, sim: SimId) -> Result<Option<Token>, Error> {
    let newest: Option<(i64, Option<String>)> = scope
        .db
        .prepare_cached(
            "SELECT token, outcome FROM attempt WHERE sim = ?1 ORDER BY token DESC LIMIT 1",
        )?
        .query_row([sim.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(newest
        .filter(|(_, outcome)| outcome.as_deref() == Some("unanswered"))
        .map(|(token, _)| Token(token)))
}

/// What the journal knows about an attempt.
struct Journaled {
    part: PartKey,
    sim: SimId,
    attempts: u32,
}

pub(super) fn settle(
    scope: &Scope,
    settlement: &Settlement,
    now: Millis,
) -> Result<Settled, Error> {
    let token = settlement.token;
    let Some(attempt) = open_attempt(scope, token)? else {
        return Ok(Settled::Stale);
    };
    let verdict = bounded(&settlement.verdict, attempt.attempts);
    end_attempt(scope, token, &verdict, now)?;
    if verdict == Verdict::Released {
        // The modem never saw it: it costs none of the part's attempts.
        scope
            .db
            .prepare_cached("UPDATE part SET attempts = attempts - 1 WHERE message = ?1 AND no = ?2 AND token = ?3")?
            .execute(params![attempt.part.message.octets(), attempt.part.no.0, token.0])?;
    }
    let due_at = match &verdict {
        Verdict::TryAgain(_, retry) => Some(now.plus(growing(retry.wait, attempt.attempts))),
        _ => None,
    };
    let step = Step {
        part: attempt.part,
        event: verdict.event(),
        holder: Some(token),
        mr: verdict.mr(),
        sim: Some(attempt.sim),
        due_at,
        failure: verdict.failure(),
        reason: &settlement.reason,
        now,
    };
    if step.take(scope)? == Taken::Refused {
        return Ok(Settled::Overtaken);
    }
    match verdict {
        Verdict::Accepted(Some(mr)) => reports::match_early(scope, token, mr, now)?,
        Verdict::Unanswered(_) => reports::find_evidence(scope, token, now)?,
        _ => {}
    }
    Ok(Settled::Written)
}

fn end_attempt(scope: &Scope, token: Token, verdict: &Verdict, now: Millis) -> Result<(), Error> {
    scope
        .db
        .prepare_cached(
            "UPDATE attempt SET ended_at = ?2, outcome = ?3, mr = ?4, cause = ?5 WHERE token = ?1",
        )?
        .execute(params![
            token.0,
            now.0,
            verdict.outcome(),
            verdict.mr().map(|mr| mr.0),
            verdict.failure().and_then(|failure| failure.raw.as_ref()),
        ])?;
    Ok(())
}

/// The attempt, if it still lacks an end or an answer to Ctrl-Z.
fn open_attempt(scope: &Scope, token: Token) -> Result<Option<Journaled>, Error> {
    Ok(scope
        .db
        .prepare_cached(
            "SELECT a.message, a.part, a.sim, p.attempts FROM attempt a
             JOIN part p ON p.message = a.message AND p.no = a.part
             WHERE a.token = ?1 AND (a.ended_at IS NULL OR a.outcome = 'unanswered')",
        )?
        .query_row([token.0], |row| {
            Ok(Journaled {
                part: PartKey {
                    message: MessageId::from(row.get::<_, [u8; 16]>(0)?),
                    no: PartNo(row.get(1)?),
                },
                sim: SimId(row.get(2)?),
                attempts: row.get(3)?,
            })
        })
        .optional()?)
}

/// A part that used up its attempts has failed.
fn bounded(verdict: &Verdict, attempts: u32) -> Verdict {
    match verdict {
        Verdict::TryAgain(failure, retry) if attempts >= retry.attempts => {
            Verdict::Refused(Failure {
                message: format!("{} ({attempts} attempts)", failure.message),
                ..failure.clone()
            })
        }
        other => other.clone(),
    }
}

const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(3600);

fn growing(wait: std::time::Duration, attempts: u32) -> std::time::Duration {
    let doubled = 1_u32
        .checked_shl(attempts.saturating_sub(1))
        .unwrap_or(u32::MAX);
    wait.saturating_mul(doubled).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::class::MessageClass;
    use crate::store::{NewMessage, SimIdentity};

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
            };
            ids.push(store.enqueue(new, now).await.unwrap().id);
        }
        let broken = ids[0];
        let spoil = store.engine.write(move |scope| {
            let sql = "UPDATE message SET recipient = 'nobody' WHERE id = ?1";
            Ok(scope.db.execute(sql, [broken.octets()])?)
        });
        assert_eq!(spoil.await.unwrap(), 1);
        let claim = store.settle_and_claim(sim, None, now).await.unwrap();
        assert_eq!(claim.map(|claim| claim.message), Some(ids[1]));
        let nothing = store.settle_and_claim(sim, None, now).await.unwrap();
        assert!(nothing.is_none());
        let touched = store.engine.read(move |db| {
            let sql = "SELECT count(*) FROM attempt WHERE message = ?1";
            Ok(db.query_row(sql, [broken.octets()], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(touched.await.unwrap(), 0);
    }

    #[test]
    fn waits_double_up_to_an_hour() {
        let wait = |attempts| growing(std::time::Duration::from_secs(30), attempts).as_secs();
        assert_eq!(
            [wait(0), wait(1), wait(2), wait(3), wait(8), wait(200)],
            [30, 30, 60, 120, 3600, 3600]
        );
    }
}
