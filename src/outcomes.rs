//! What comes back from modems becomes steps in the log: the one consumer of their events.
//!
//! A part's end goes to the scheduler together with the SIM that it frees, so that it is written in
//! the commit that claims the SIM's next part. Reports, late answers and texts that came in
//! are written here.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::modem::{Event, Outcome};
use crate::sms::causes::{Cause, Proof};
use crate::sms::ids::{SimId, Token};
use crate::sms::report::StatusReport;
use crate::store::{
    Error, Failure, Matched, NewInbound, NewReport, Received, Retry, Settlement, Store, Verdict,
    WorkEnd,
};

/// Before a step that the store refused is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// How refusals are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often and when a refused part goes again.
    pub retry: Retry,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retry: Retry {
                attempts: 8,
                wait: Duration::from_secs(30),
            },
        }
    }
}

/// The longest that a SIM rests after refusals that are its own fault.
const LONGEST_REST: Duration = Duration::from_mins(15);

/// Runs until every actor has ended. `ended` gets the parts' ends for the scheduler.
pub async fn run(
    store: Store,
    clock: Clock,
    settings: Settings,
    mut events: mpsc::Receiver<Event>,
    ended: mpsc::Sender<WorkEnd>,
) {
    let mut sick = Sick::default();
    while let Some(event) = events.recv().await {
        match event {
            Event::Finished {
                sim,
                token,
                outcome,
            } => {
                let (settlement, blame) = settlement(token, &outcome, settings.retry);
                let rest = sick.rest(sim, blame, settings.retry.wait);
                let end = WorkEnd {
                    sim,
                    settlement,
                    rest,
                };
                tell(&ended, end).await;
            }
            Event::Late { sim, token, mr } => {
                until_written(|| store.late_answer(sim, token, mr, clock.now())).await;
            }
            Event::LateRefusal { token, cause } => {
                if let Some(settlement) = late_refusal(token, cause, settings.retry) {
                    until_written(|| store.settle(settlement.clone(), clock.now())).await;
                }
            }
            Event::Report {
                sim,
                report,
                pdu,
                kept,
            } => {
                let report = new_report(sim, &report, pdu);
                let matched =
                    until_written(|| store.match_report(report.clone(), clock.now())).await;
                if matched.is_some() {
                    // The modem may be gone meanwhile; then its storage is emptied another time.
                    let _ = kept.send(());
                }
                log_match(matched);
            }
            Event::Inbound {
                sim,
                deliver,
                pdu,
                kept,
            } => {
                let deliver = deliver.map(|deliver| *deliver);
                let new = NewInbound { sim, deliver, pdu };
                let received = until_written(|| store.receive(new.clone(), clock.now())).await;
                if received.is_some() {
                    // As above.
                    let _ = kept.send(());
                }
                log_received(received);
            }
        }
    }
}

async fn tell(ended: &mpsc::Sender<WorkEnd>, end: WorkEnd) {
    if ended.send(end).await.is_err() {
        tracing::error!("a part's end finds nobody to write it down; the journal has its attempt");
    }
}

/// Who is to blame for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    /// The text, its number, or the network for this text.
    Text,
    /// Nobody: the modem never saw it, or nobody knows what became of it.
    Nobody,
    /// The SIM or its modem: it must not touch text after text of the queue.
    Sim,
}

/// SIMs whose last works failed by their own fault, and how many in a row.
#[derive(Default)]
struct Sick(HashMap<SimId, u32>);

impl Sick {
    /// How long the SIM rests now: twice as long with each failure in a row.
    fn rest(&mut self, sim: SimId, blame: Blame, wait: Duration) -> Duration {
        match blame {
            Blame::Text => {
                self.0.remove(&sim);
                return Duration::ZERO;
            }
            Blame::Nobody => return Duration::ZERO,
            Blame::Sim => {}
        }
        let failures = self.0.entry(sim).or_default();
        *failures += 1;
        let doubled = 1_u32.checked_shl(*failures - 1).unwrap_or(u32::MAX);
        let rest = wait.saturating_mul(doubled).min(LONGEST_REST);
        tracing::warn!(
            sim = sim.0,
            rest_s = rest.as_secs(),
            "the SIM or its modem fails; it rests"
        );
        rest
    }
}

/// Tries until the disk has it: what a modem told is told once. None: it cannot be written at all.
async fn until_written<T, F: Future<Output = Result<T, Error>>>(
    mut step: impl FnMut() -> F,
) -> Option<T> {
    loop {
        match step().await {
            Ok(done) => return Some(done),
            Err(error) if error.is_passing() && !matches!(error, Error::Closed) => {
                tracing::error!(%error, "a modem's news could not be written; it is tried again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                tracing::error!(%error, "a modem's news cannot be written");
                return None;
            }
        }
    }
}

fn log_match(matched: Option<Matched>) {
    match matched {
        Some(Matched::Part(message, part)) => {
            tracing::info!(message.id = %message, part.no = %part, "report matched");
        }
        Some(Matched::Unmatched) => tracing::debug!("a report matches no text of ours; it is kept"),
        Some(Matched::Repeated) | None => {}
    }
}

fn log_received(received: Option<Received>) {
    match received {
        Some(Received::Whole(id)) => tracing::info!(inbound.id = %id, "a text came in"),
        Some(Received::Waiting(id, missing)) => {
            tracing::info!(inbound.id = %id, missing, "a part of a text came in");
        }
        Some(Received::Repeated) | None => {}
    }
}

fn new_report(sim: SimId, report: &StatusReport, pdu: String) -> NewReport {
    NewReport {
        sim,
        mr: report.mr,
        recipient: report.recipient.to_string(),
        status: report.status,
        scts: report.scts.to_string(),
        discharge: report.discharge.to_string(),
        pdu,
    }
}

/// What a refusal settles that came after its attempt was given up. What proves nothing leaves it as uncertain as
/// it is.
fn late_refusal(token: Token, cause: Cause, retry: Retry) -> Option<Settlement> {
    let (mut settlement, _) = settlement(token, &Outcome::Refused(cause), retry);
    settlement.reason = format!("late: {}", settlement.reason);
    let proves = !matches!(settlement.verdict, Verdict::Unanswered(_));
    proves.then_some(settlement)
}

/// How an attempt is settled, by what its outcome proves, and who is to blame.
fn settlement(token: Token, outcome: &Outcome, retry: Retry) -> (Settlement, Blame) {
    let (verdict, blame, reason) = match outcome {
        Outcome::Accepted(mr) => {
            let reference = mr.map_or_else(
                || "a reference it did not tell".to_owned(),
                |mr| format!("reference {}", mr.0),
            );
            (
                Verdict::Accepted(*mr),
                Blame::Text,
                format!("the network took it under {reference}"),
            )
        }
        Outcome::Refused(cause) => {
            let (verdict, blame) = refused(*cause, cause.meaning().proof, retry);
            (
                verdict,
                blame,
                format!("the modem answered {cause} ({})", cause.meaning().name),
            )
        }
        Outcome::NotSubmitted { cause, reason } => {
            // Ctrl-Z never went: whatever the code would prove after it, here it proves that nothing is out.
            let unsent = |cause: &Cause| refused(*cause, Proof::NotSubmitted, retry);
            let (verdict, blame) = cause
                .as_ref()
                .map_or((Verdict::Released, Blame::Sim), unsent);
            (verdict, blame, format!("not handed over: {reason}"))
        }
        Outcome::GivenBack { reason } => (Verdict::Released, Blame::Nobody, reason.clone()),
        Outcome::Unanswered { reason } => {
            let failure = Failure {
                code: "unanswered".into(),
                message: reason.clone(),
                raw: None,
            };
            let reason = format!("no answer after Ctrl-Z ({reason}): it may or may not be out");
            (Verdict::Unanswered(failure), Blame::Nobody, reason)
        }
    };
    (
        Settlement {
            token,
            verdict,
            reason,
        },
        blame,
    )
}

fn refused(cause: Cause, proof: Proof, retry: Retry) -> (Verdict, Blame) {
    let class = cause.meaning().class;
    match proof {
        Proof::Accepted => (Verdict::Accepted(None), Blame::Text),
        Proof::Unknown => (Verdict::Unanswered(failure(cause)), Blame::Text),
        Proof::NotSubmitted | Proof::Refused if class.permanent() => {
            (Verdict::Refused(failure(cause)), Blame::Text)
        }
        // Not the text's fault: it costs none of its attempts, and another SIM may take it at once.
        Proof::NotSubmitted | Proof::Refused if class.blames_sim() => {
            (Verdict::Released, Blame::Sim)
        }
        Proof::NotSubmitted | Proof::Refused => {
            (Verdict::TryAgain(failure(cause), retry), Blame::Text)
        }
    }
}

fn failure(cause: Cause) -> Failure {
    let meaning = cause.meaning();
    Failure {
        code: meaning.word.into(),
        message: meaning.name.to_lowercase(),
        raw: Some(cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::ids::Mr;

    const RETRY: Retry = Retry {
        attempts: 3,
        wait: Duration::from_secs(1),
    };

    fn kind(outcome: &Outcome) -> &'static str {
        match settlement(Token(1), outcome, RETRY).0.verdict {
            Verdict::Accepted(_) => "accepted",
            Verdict::TryAgain(..) => "again",
            Verdict::Refused(_) => "refused",
            Verdict::Unanswered(_) => "unanswered",
            Verdict::Released => "released",
        }
    }

    #[test]
    fn what_an_outcome_proves_decides_its_end() {
        let before = |cause| Outcome::NotSubmitted {
            cause,
            reason: "x".into(),
        };
        let cases = [
            (Outcome::Accepted(Some(Mr(7))), "accepted"),
            (Outcome::Accepted(None), "accepted"),
            (Outcome::Refused(Cause::Cms(197)), "accepted"),
            (Outcome::Refused(Cause::Cms(42)), "again"),
            (Outcome::Refused(Cause::Cms(331)), "released"),
            (Outcome::Refused(Cause::Cms(21)), "again"),
            (Outcome::Refused(Cause::Cms(1)), "refused"),
            (Outcome::Refused(Cause::Cms(332)), "unanswered"),
            (Outcome::Refused(Cause::Plain), "unanswered"),
            (before(Some(Cause::Cms(332))), "again"),
            (before(Some(Cause::Cms(304))), "refused"),
            (before(None), "released"),
            (before(Some(Cause::Cms(310))), "released"),
            (
                Outcome::GivenBack {
                    reason: "away".into(),
                },
                "released",
            ),
            (
                Outcome::Unanswered {
                    reason: "silence".into(),
                },
                "unanswered",
            ),
        ];
        for (outcome, expected) in cases {
            assert_eq!(kind(&outcome), expected, "{outcome:?}");
        }
    }

    #[test]
    fn a_late_refusal_counts_where_it_proves_something() {
        let settled = |cause| late_refusal(Token(5), cause, RETRY);
        let again = settled(Cause::Cms(42)).unwrap();
        assert_eq!(again.token, Token(5));
        assert!(matches!(again.verdict, Verdict::TryAgain(..)));
        assert!(
            again
                .reason
                .starts_with("late: the modem answered +CMS ERROR: 42")
        );
        let never = settled(Cause::Cms(1)).unwrap();
        assert!(matches!(never.verdict, Verdict::Refused(_)));
        for silent in [Cause::Cms(332), Cause::Plain] {
            assert_eq!(settled(silent), None, "{silent}");
        }
    }

    #[test]
    fn the_failure_names_word_meaning_and_raw_code() {
        let Verdict::Refused(failure) =
            settlement(Token(1), &Outcome::Refused(Cause::Cms(1)), RETRY)
                .0
                .verdict
        else {
            panic!("a number that does not exist is refused for good");
        };
        assert_eq!(failure.code, "unknown_subscriber");
        assert_eq!(failure.message, "unassigned (unallocated) number");
        assert_eq!(failure.raw.as_deref(), Some("+CMS ERROR: 1"));
    }

    #[test]
    fn a_sick_sim_rests_longer_each_time_until_something_works() {
        let mut sick = Sick::default();
        let wait = Duration::from_secs(30);
        let mut rest = |blame| sick.rest(SimId(1), blame, wait).as_secs();
        assert_eq!(
            [rest(Blame::Sim), rest(Blame::Sim), rest(Blame::Sim)],
            [30, 60, 120]
        );
        assert_eq!([rest(Blame::Text), rest(Blame::Sim)], [0, 30]);
        assert_eq!((0..40).map(|_| rest(Blame::Sim)).max(), Some(900));
        // Of what nobody is to blame for, nothing follows.
        let blames = [Blame::Text, Blame::Sim, Blame::Nobody, Blame::Sim];
        assert_eq!(blames.map(&mut rest), [0, 30, 0, 60]);
    }
}
