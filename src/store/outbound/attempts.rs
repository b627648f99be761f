//! Attempts: a part is claimed, armed, and settled, each step guarded by the attempt's token.

use rusqlite::{OptionalExtension, params};

use super::claims::Claim;
use super::messages::Failure;
use super::reports;
use super::steps::{PartKey, Step, Taken};
use crate::clock::Millis;
use crate::sms::ids::{MessageId, Mr, PartNo, SimId, Token};
use crate::sms::state::PartEvent;
use crate::store::engine::Scope;
use crate::store::events::NewEvent;
use crate::store::{Error, Store};

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
    /// Writes how `done` ended and gives `sim` its next part, in one transaction. Where nothing waits for
    /// this SIM the claim stands, and the transaction that brings a part claims it too: accepted and claimed
    /// are one commit. The claim that stands the longest goes first.
    ///
    /// None: nothing came before `leave`, and the claim stands no longer. A SIM has one claim at a time. The
    /// answer must be waited for: a part that it brings to nobody stays claimed until the next start.
    pub async fn settle_and_claim(
        &self,
        sim: SimId,
        done: Option<Settlement>,
        now: Millis,
        leave: impl Future<Output = ()>,
    ) -> Result<Option<Claim>, Error> {
        self.engine.claim(sim, done, now, leave).await
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

pub(in crate::store) fn settle(
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
    let taken = step.take(scope)?;
    match verdict {
        Verdict::Accepted(mr) => reports::match_early(scope, token, mr, now)?,
        // Some modems say that a text is refused which the network has taken.
        Verdict::Unanswered(_) | Verdict::TryAgain(..) | Verdict::Refused(_) => {
            reports::match_early(scope, token, None, now)?;
        }
        Verdict::Released => {}
    }
    Ok(match taken {
        Taken::Moved => Settled::Written,
        Taken::Refused => Settled::Overtaken,
    })
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

    #[test]
    fn waits_double_up_to_an_hour() {
        let wait = |attempts| growing(std::time::Duration::from_secs(30), attempts).as_secs();
        assert_eq!(
            [wait(0), wait(1), wait(2), wait(3), wait(8), wait(200)],
            [30, 30, 60, 120, 3600, 3600]
        );
    }
}
