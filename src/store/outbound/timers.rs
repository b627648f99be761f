//! What becomes of attempts without an end: recovery at start, and silences whose grace has passed.

use std::time::Duration;

use rusqlite::params;

use super::attempts::{self, Settlement, Verdict};
use super::messages::Failure;
use super::steps::{PartKey, Step};
use crate::clock::Millis;
use crate::routing::class::MessageClass;
use crate::sms::ids::{MessageId, PartNo, SimId, Token};
use crate::sms::state::PartEvent;
use crate::store::engine::Scope;
use crate::store::{Error, Store};

/// What the journal said about attempts that a stopped program left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Never armed: they wait again.
    pub waiting: usize,
    /// Armed: they may or may not be out.
    pub uncertain: usize,
}

/// How long silence is waited out before a text goes once more; none: it rests for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// For one-time passwords.
    pub otp: Option<Duration>,
    /// For transactional texts, and only on SIMs whose reports are known to come.
    pub transactional: Option<Duration>,
}

impl Store {
    /// Reads the journal after a start: nothing is guessed, nothing is sent twice.
    pub async fn recover(&self, now: Millis) -> Result<Recovered, Error> {
        self.engine.write(move |scope| recover(scope, now)).await
    }

    /// Sends uncertain parts whose grace has passed without evidence once more, if their class allows
    /// it. Returns when the next grace ends.
    pub async fn resend_uncertain(
        &self,
        grace: Grace,
        now: Millis,
    ) -> Result<Option<Millis>, Error> {
        self.engine
            .write(move |scope| resend_uncertain(scope, grace, now))
            .await
    }
}

fn recover(scope: &Scope, now: Millis) -> Result<Recovered, Error> {
    let mut open: Vec<(Token, bool)> = Vec::new();
    {
        let mut rows = scope.db.prepare(
            "SELECT token, armed_at IS NOT NULL FROM attempt WHERE ended_at IS NULL ORDER BY token",
        )?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            open.push((Token(row.get(0)?), row.get(1)?));
        }
    }
    let mut recovered = Recovered::default();
    for (token, armed) in open {
        let settlement = if armed {
            recovered.uncertain += 1;
            let failure = Failure {
                code: "unanswered".into(),
                message: "the program stopped before the modem's answer was written down".into(),
                raw: None,
            };
            Settlement {
                token,
                verdict: Verdict::Unanswered(failure),
                reason: "stopped after Ctrl-Z was allowed: it may or may not be out".into(),
            }
        } else {
            recovered.waiting += 1;
            Settlement {
                token,
                verdict: Verdict::Released,
                reason: "stopped before Ctrl-Z was allowed: certainly not out".into(),
            }
        };
        attempts::settle(scope, &settlement, now)?;
    }
    Ok(recovered)
}

/// An uncertain part that policy may send again.
struct Quiet {
    part: PartKey,
    sim: SimId,
    ended_at: Millis,
    class: MessageClass,
    reports_come: bool,
}

fn resend_uncertain(scope: &Scope, grace: Grace, now: Millis) -> Result<Option<Millis>, Error> {
    let mut next: Option<Millis> = None;
    for quiet in quiet_parts(scope, now)? {
        let patience = match quiet.class {
            MessageClass::Otp => grace.otp,
            MessageClass::Transactional => grace.transactional.filter(|_| quiet.reports_come),
            MessageClass::Marketing => None,
        };
        let Some(patience) = patience else { continue };
        let end = quiet.ended_at.plus(patience);
        if end > now {
            next = Some(next.map_or(end, |next| next.min(end)));
            continue;
        }
        scope
            .db
            .prepare_cached("UPDATE part SET resent = 1 WHERE message = ?1 AND no = ?2")?
            .execute(params![quiet.part.message.octets(), quiet.part.no.0])?;
        let reason = format!(
            "no answer and no report within {} s: sent once more, as the policy for {} says",
            patience.as_secs(),
            quiet.class
        );
        let step = Step {
            part: quiet.part,
            event: PartEvent::Resend,
            holder: None,
            mr: None,
            sim: Some(quiet.sim),
            due_at: None,
            failure: None,
            reason: &reason,
            now,
        };
        step.take(scope)?;
    }
    Ok(next)
}

fn quiet_parts(scope: &Scope, now: Millis) -> Result<Vec<Quiet>, Error> {
    let mut rows = scope.db.prepare_cached(
        "SELECT p.message, p.no, a.sim, a.ended_at, m.class, s.reports_matched > 0
         FROM part p JOIN message m ON m.id = p.message
         JOIN attempt a ON a.token = p.token JOIN sim s ON s.id = a.sim
         WHERE p.state = 'uncertain' AND p.resent = 0 AND a.ended_at IS NOT NULL
         AND m.canceled_at IS NULL AND m.expires_at > ?1",
    )?;
    let mut rows = rows.query([now.0])?;
    let mut quiet = Vec::new();
    while let Some(row) = rows.next()? {
        quiet.push(Quiet {
            part: PartKey {
                message: MessageId::from(row.get::<_, [u8; 16]>(0)?),
                no: PartNo(row.get(1)?),
            },
            sim: SimId(row.get(2)?),
            ended_at: Millis(row.get(3)?),
            class: row.get::<_, String>(4)?.parse()?,
            reports_come: row.get(5)?,
        });
    }
    Ok(quiet)
}
