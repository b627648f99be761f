//! Status reports: kept first, then matched to the attempt they speak of.
//!
//! A reference is an octet that wraps: it names an attempt only together with SIM, recipient and a
//! window of time. Reports may come before the answer they belong to, twice, or never.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::messages::Failure;
use super::steps::{PartKey, Step};
use crate::clock::Millis;
use crate::sms::ids::{MessageId, Mr, PartNo, SimId, Token};
use crate::sms::number::same_subscriber;
use crate::sms::report::{Status, StatusClass};
use crate::sms::state::{PartEvent, PartState};
use crate::store::engine::Scope;
use crate::store::{Error, Store};

/// How old an attempt may be that a report still belongs to. Service centres keep a text for three
/// days as a rule, and some hours pass until the report is told.
const WINDOW: Duration = Duration::from_secs(80 * 3600);

/// A report as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// The SIM it came to.
    pub sim: SimId,
    /// TP-MR.
    pub mr: Mr,
    /// TP-RA, as the network spells it.
    pub recipient: String,
    /// TP-ST.
    pub status: Status,
    /// TP-SCTS as text.
    pub scts: String,
    /// TP-DT as text.
    pub discharge: String,
    /// The whole PDU in hex.
    pub pdu: String,
}

/// What a report was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// This message's part moved, or stands where the report says it does.
    Part(MessageId, PartNo),
    /// Nothing known yet: kept, in case the answer it belongs to comes after it.
    Unmatched,
    /// It was here before.
    Repeated,
}

impl Store {
    /// Keeps a report and moves the part it is about.
    pub async fn match_report(&self, report: NewReport, now: Millis) -> Result<Matched, Error> {
        self.engine
            .write(move |scope| match_report(scope, &report, now))
            .await
    }
}

/// An attempt that a report may be about.
struct Candidate {
    token: Token,
    part: PartKey,
    sim: SimId,
    state: PartState,
    recipient: String,
    last_report: i64,
}

fn match_report(scope: &Scope, report: &NewReport, now: Millis) -> Result<Matched, Error> {
    let Some(id) = keep(scope, report, now)? else {
        return Ok(Matched::Repeated);
    };
    let kept = Kept {
        id,
        mr: report.mr,
        recipient: report.recipient.clone(),
        status: report.status,
        scts: report.scts.clone(),
    };
    match place(scope, report.sim, &kept, now)? {
        Matched::Unmatched => by_evidence(scope, report.sim, &kept, now),
        placed => Ok(placed),
    }
}

/// The attempt that a report names.
fn place(scope: &Scope, sim: SimId, report: &Kept, now: Millis) -> Result<Matched, Error> {
    // The service centre stamps a text once: with reference and recipient that says which one it was.
    if let Some(token) = stamped_alike(scope, sim, report)? {
        return apply(scope, &candidate_of(scope, token)?, report, false, now);
    }
    let since = now.minus(WINDOW);
    let known = of_recipient(by_reference(scope, sim, report.mr, since)?, report);
    // The oldest that still waits for its report.
    let mut waiting = known.iter().filter(|candidate| !candidate.state.is_final());
    if let Some(candidate) = waiting.next() {
        return apply(scope, candidate, report, waiting.next().is_some(), now);
    }
    // All of that reference have their end. A text to the same number that is in the air now may be
    // meant as well, its answer still to come: that answer decides.
    if !of_recipient(in_the_air(scope, sim)?, report).is_empty() {
        return Ok(Matched::Unmatched);
    }
    // The newest of those that have their end without a report, which this one corrects.
    for candidate in known.iter().rev() {
        if !is_reported(scope, candidate.token)? {
            return apply(scope, candidate, report, false, now);
        }
    }
    Ok(Matched::Unmatched)
}

/// The attempt of which a report without a name of its own is the evidence.
fn by_evidence(scope: &Scope, sim: SimId, report: &Kept, now: Millis) -> Result<Matched, Error> {
    let since = now.minus(WINDOW);
    if !of_recipient(in_the_air(scope, sim)?, report).is_empty() {
        return Ok(Matched::Unmatched);
    }
    // The network took these, and the modem did not say under which reference: each waits for its report.
    let unnamed = of_recipient(without_reference(scope, sim, since)?, report);
    if let Some(candidate) = unnamed.first() {
        return take_as_evidence(scope, candidate, report, unnamed.len() > 1, now);
    }
    // A text whose answer never came, or was a refusal: its report is the evidence that it went, if there
    // is just one. With two, the wrong one would be taken for sent and lost.
    let mut found = unanswered(scope, sim, since)?;
    for candidate in refused(scope, sim, since)? {
        if is_next(scope, &candidate, report.mr)? {
            found.push(candidate);
        }
    }
    let found = of_recipient(found, report);
    match found.iter().max_by_key(|candidate| candidate.token) {
        Some(newest) if found.iter().all(|candidate| candidate.part == newest.part) => {
            take_as_evidence(scope, newest, report, false, now)
        }
        _ => Ok(Matched::Unmatched),
    }
}

fn of_recipient(mut found: Vec<Candidate>, report: &Kept) -> Vec<Candidate> {
    found.retain(|candidate| same_subscriber(&candidate.recipient, &report.recipient));
    found
}

/// Places the reports that came while an attempt was open and waited for its end: `mr` is the reference
/// under which the network took it, if it told one. What then names no text is evidence only where it is
/// all about one reference.
pub(super) fn match_early(
    scope: &Scope,
    token: Token,
    mr: Option<Mr>,
    now: Millis,
) -> Result<(), Error> {
    let attempt = candidate_of(scope, token)?;
    let mut nameless = Vec::new();
    for report in early(scope, &attempt)? {
        if mr == Some(report.mr) {
            // Each may move the part: the next one meets it where it stands then.
            apply(scope, &candidate_of(scope, token)?, &report, false, now)?;
        } else if place(scope, attempt.sim, &report, now)? == Matched::Unmatched {
            nameless.push(report);
        }
    }
    let Some(first) = nameless.first() else {
        return Ok(());
    };
    if nameless.iter().all(|report| report.mr == first.mr) {
        for report in &nameless {
            if place(scope, attempt.sim, report, now)? == Matched::Unmatched {
                by_evidence(scope, attempt.sim, report, now)?;
            }
        }
    }
    Ok(())
}

fn take_as_evidence(
    scope: &Scope,
    candidate: &Candidate,
    report: &Kept,
    ambiguous: bool,
    now: Millis,
) -> Result<Matched, Error> {
    scope
        .db
        .prepare_cached("UPDATE attempt SET outcome = 'accepted', mr = ?2 WHERE token = ?1")?
        .execute(params![candidate.token.0, report.mr.0])?;
    apply(scope, candidate, report, ambiguous, now)
}

/// A kept report, as far as matching needs it.
struct Kept {
    id: i64,
    mr: Mr,
    recipient: String,
    status: Status,
    scts: String,
}

/// Reports to an attempt's SIM about its recipient that came since its claim and belong to nobody yet.
/// Rows are compared, not moments: clocks may jump.
fn early(scope: &Scope, attempt: &Candidate) -> Result<Vec<Kept>, Error> {
    let mut rows = scope.db.prepare_cached(
        "SELECT id, mr, recipient, status, scts FROM report WHERE sim = ?1 AND id > ?2 AND attempt IS NULL ORDER BY id",
    )?;
    let found = rows.query_map(params![attempt.sim.0, attempt.last_report], |row| {
        Ok(Kept {
            id: row.get(0)?,
            mr: Mr(row.get(1)?),
            recipient: row.get(2)?,
            status: Status(row.get(3)?),
            scts: row.get(4)?,
        })
    })?;
    let mut found = found.collect::<Result<Vec<Kept>, _>>()?;
    found.retain(|report| same_subscriber(&attempt.recipient, &report.recipient));
    Ok(found)
}

/// The row's number, or none when the same report is kept already.
fn keep(scope: &Scope, report: &NewReport, now: Millis) -> Result<Option<i64>, Error> {
    Ok(scope
        .db
        .prepare_cached(
            "INSERT INTO report(sim, mr, recipient, status, scts, discharge, received_at, pdu)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING RETURNING id",
        )?
        .query_row(
            params![
                report.sim.0,
                report.mr.0,
                report.recipient,
                report.status.0,
                report.scts,
                report.discharge,
                now.0,
                report.pdu
            ],
            |row| row.get(0),
        )
        .optional()?)
}

const CANDIDATE: &str =
    "SELECT a.token, a.message, a.part, a.sim, p.state, m.recipient, a.last_report FROM attempt a
    JOIN message m ON m.id = a.message JOIN part p ON p.message = a.message AND p.no = a.part";

fn by_reference(scope: &Scope, sim: SimId, mr: Mr, since: Millis) -> Result<Vec<Candidate>, Error> {
    let sql = format!(
        "{CANDIDATE} WHERE a.sim = ?1 AND a.mr = ?2 AND a.outcome = 'accepted' AND a.ended_at >= ?3 AND m.report = 1 ORDER BY a.ended_at, a.token"
    );
    candidates(scope, &sql, params![sim.0, mr.0, since.0])
}

fn without_reference(scope: &Scope, sim: SimId, since: Millis) -> Result<Vec<Candidate>, Error> {
    let sql = format!(
        "{CANDIDATE} WHERE a.sim = ?1 AND a.mr IS NULL AND a.outcome = 'accepted' AND a.ended_at >= ?2
         AND m.report = 1 AND p.state = 'sent' ORDER BY a.ended_at, a.token"
    );
    candidates(scope, &sql, params![sim.0, since.0])
}

fn unanswered(scope: &Scope, sim: SimId, since: Millis) -> Result<Vec<Candidate>, Error> {
    let sql = format!(
        "{CANDIDATE} WHERE a.sim = ?1 AND a.outcome = 'unanswered' AND a.ended_at >= ?2 AND m.report = 1
         AND p.mr IS NULL ORDER BY a.token"
    );
    candidates(scope, &sql, params![sim.0, since.0])
}

/// Attempts that were refused after their Ctrl-Z, and are the last that is known of their parts.
fn refused(scope: &Scope, sim: SimId, since: Millis) -> Result<Vec<Candidate>, Error> {
    let sql = format!(
        "{CANDIDATE} WHERE a.sim = ?1 AND a.outcome = 'refused' AND a.ended_at >= ?2 AND a.armed_at IS NOT NULL
         AND m.report = 1 AND p.token = a.token AND p.state IN ('waiting', 'failed') ORDER BY a.token"
    );
    candidates(scope, &sql, params![sim.0, since.0])
}

/// The attempt that an earlier report about the same text was matched to.
fn stamped_alike(scope: &Scope, sim: SimId, report: &Kept) -> Result<Option<Token>, Error> {
    let mut rows = scope.db.prepare_cached(
        "SELECT recipient, attempt FROM report WHERE sim = ?1 AND mr = ?2 AND scts = ?3 AND attempt IS NOT NULL
         ORDER BY id DESC",
    )?;
    let mut rows = rows.query(params![sim.0, report.mr.0, report.scts])?;
    while let Some(row) = rows.next()? {
        if same_subscriber(&row.get::<_, String>(0)?, &report.recipient) {
            return Ok(Some(Token(row.get(1)?)));
        }
    }
    Ok(None)
}

fn is_reported(scope: &Scope, token: Token) -> Result<bool, Error> {
    Ok(scope
        .db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM report WHERE attempt = ?1)")?
        .query_row([token.0], |row| row.get(0))?)
}

/// References that a modem may have used up between two that it told: for texts of which it told none.
const SKIPPED: u8 = 16;

/// Whether `mr` may be the reference of an attempt that was refused: modems count, so it comes soon after that of
/// the text before. A report of some other program's text is not taken for it.
fn is_next(scope: &Scope, candidate: &Candidate, mr: Mr) -> Result<bool, Error> {
    let before: Option<u8> = scope
        .db
        .prepare_cached(
            "SELECT mr FROM attempt WHERE sim = ?1 AND token < ?2 AND outcome = 'accepted' AND mr IS NOT NULL
             ORDER BY token DESC LIMIT 1",
        )?
        .query_row(params![candidate.sim.0, candidate.token.0], |row| row.get(0))
        .optional()?;
    Ok(before.is_none_or(|before| (1..=SKIPPED).contains(&mr.0.wrapping_sub(before))))
}

/// What the modem with this SIM has in hand: one part at most.
fn in_the_air(scope: &Scope, sim: SimId) -> Result<Vec<Candidate>, Error> {
    let sql =
        format!("{CANDIDATE} WHERE a.sim = ?1 AND a.ended_at IS NULL AND a.armed_at IS NOT NULL");
    candidates(scope, &sql, params![sim.0])
}

fn candidate_of(scope: &Scope, token: Token) -> Result<Candidate, Error> {
    let found = candidates(
        scope,
        &format!("{CANDIDATE} WHERE a.token = ?1"),
        params![token.0],
    )?;
    found
        .into_iter()
        .next()
        .ok_or(Error::Sqlite(rusqlite::Error::QueryReturnedNoRows))
}

fn candidates(
    scope: &Scope,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<Candidate>, Error> {
    let mut rows = scope.db.prepare_cached(sql)?;
    let mut rows = rows.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Candidate {
            token: Token(row.get(0)?),
            part: PartKey {
                message: MessageId::from(row.get::<_, [u8; 16]>(1)?),
                no: PartNo(row.get(2)?),
            },
            sim: SimId(row.get(3)?),
            state: row.get::<_, String>(4)?.parse()?,
            recipient: row.get(5)?,
            last_report: row.get(6)?,
        });
    }
    Ok(found)
}

fn apply(
    scope: &Scope,
    candidate: &Candidate,
    report: &Kept,
    ambiguous: bool,
    now: Millis,
) -> Result<Matched, Error> {
    scope
        .db
        .prepare_cached("UPDATE report SET attempt = ?2, ambiguous = ?3 WHERE id = ?1")?
        .execute(params![report.id, candidate.token.0, ambiguous])?;
    scope
        .db
        .prepare_cached("UPDATE sim SET reports_matched = reports_matched + 1 WHERE id = ?1")?
        .execute([candidate.sim.0])?;
    let class = report.status.class();
    let meaning = report.status.meaning();
    let raw = format!("TP-ST {:02X}", report.status.0);
    let reason = format!("report of the network: {meaning} ({raw})");
    let failure = word(class).map(|code| Failure {
        code: code.into(),
        message: meaning.to_owned(),
        raw: Some(raw),
    });
    let step = Step {
        part: candidate.part,
        event: PartEvent::Reported(class),
        holder: None,
        mr: Some(report.mr),
        sim: Some(candidate.sim),
        due_at: None,
        failure: failure.as_ref(),
        reason: &reason,
        now,
    };
    step.take(scope)?;
    Ok(Matched::Part(candidate.part.message, candidate.part.no))
}

/// The API's word for what the report tells, if it is bad news.
fn word(class: StatusClass) -> Option<&'static str> {
    match class {
        StatusClass::Expired => Some("validity_expired"),
        StatusClass::Failed => Some("not_deliverable"),
        StatusClass::TemporaryGaveUp | StatusClass::Reserved => Some("absent_subscriber"),
        StatusClass::Delivered | StatusClass::Forwarded | StatusClass::Trying => None,
    }
}
