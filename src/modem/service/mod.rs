//! The time in which a modem serves: it is handed one part after the other, and heard in between.

mod intake;
mod owed;
mod run;

use std::future::ready;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::modem::actor::{Actor, End};
use crate::modem::at;
use crate::modem::at::codes::{Final, News};
use crate::modem::at::messaging::{PDU_MODE, ReadFormat, SendMessage};
use crate::modem::at::network::SignalQuality;
use crate::modem::at::sim::Pin;
use crate::modem::commands::Given;
use crate::modem::link::{Link, LinkError, Lost, Reason, Submission};
use crate::modem::setup::Ready;
use crate::modem::status::State;
use crate::modem::{Event, Host, Job, Outcome};
use crate::sms::causes::Cause;
use crate::sms::ids::{Imsi, SimId};
use intake::{Chores, Shown};
use owed::Owed;
use run::Run;

/// So long what lies in the modem's storages comes before the first text: a full storage keeps some
/// modems from sending, and the rest of it can wait for its turn.
const HEAD_START: Duration = Duration::from_secs(3);

/// So long what came in may take between two parts of a long queue.
const TURN: Duration = Duration::from_secs(1);

/// A modem that has said something so lately has not started anew since.
const AWAKE: Duration = Duration::from_secs(1);

/// A modem that serves.
pub(super) struct Service<'a, H> {
    actor: &'a Actor<H>,
    name: &'a str,
    link: Link,
    sim: SimId,
    ready: Ready,
    /// Who has the card, once that is known.
    subscriber: Option<Imsi>,
    /// What is to be read, kept and emptied.
    chores: Chores,
    /// Answers of texts that may still come.
    owed: Owed,
    /// A silent modem is listened to: it takes nothing.
    waits: bool,
    run: Run,
    /// Where work comes in.
    jobs: &'a mut mpsc::Receiver<Job>,
}

impl<'a, H: Host> Service<'a, H> {
    /// The modem on `link`, with what bring-up found.
    pub(super) fn new(
        actor: &'a Actor<H>,
        name: &'a str,
        link: Link,
        sim: SimId,
        ready: Ready,
        jobs: &'a mut mpsc::Receiver<Job>,
    ) -> Self {
        Self {
            actor,
            name,
            link,
            sim,
            run: Run::new(ready.profile.keep_link),
            chores: Chores::sweep(ready.storages.to_drain()),
            subscriber: ready.found.imsi.clone(),
            ready,
            owed: Owed::default(),
            waits: false,
            jobs,
        }
    }

    /// Serves until told to stop, or until the wire is lost.
    pub(super) async fn serve(&mut self) -> End {
        if let Some(end) = self.head_start().await {
            return end;
        }
        let settings = self.actor.settings;
        let mut look = Instant::now();
        let mut sweep = look + settings.sweep;
        // Card and routing were asked a moment ago.
        let mut settled = false;
        loop {
            if Instant::now() >= sweep {
                sweep = Instant::now() + settings.sweep;
                self.chores.look_through(self.ready.storages.to_drain());
            }
            let served = tokio::select! {
                biased;
                () = self.actor.stop.cancelled() => return End::Stopped,
                job = self.jobs.recv() => match job {
                    // What came in has its turn between two parts, and a part between two chores.
                    Some(job) => self.part_and_turn(job).await,
                    None => return End::Stopped,
                },
                () = ready(()), if !self.chores.is_empty() => self.chore().await,
                news = self.link.news() => match news {
                    Ok(news) => self.hear(news).await,
                    Err(lost) => Err(lost),
                },
                () = tokio::time::sleep_until(sweep) => Ok(()),
                () = tokio::time::sleep_until(look) => {
                    look = Instant::now() + settings.look;
                    if std::mem::replace(&mut settled, true) {
                        self.chores.check_routing();
                        self.chores.check_card();
                    }
                    self.look().await
                }
            };
            let heard = match served {
                Ok(()) => self.listen().await,
                lost => lost,
            };
            if let Err(lost) = heard {
                return End::Lost(lost);
            }
        }
    }

    /// Begins with what lies in the storages.
    async fn head_start(&mut self) -> Option<End> {
        let end = Instant::now() + HEAD_START;
        while !self.chores.is_empty() && Instant::now() < end {
            let done = match self.chore().await {
                Ok(()) => self.listen().await,
                lost => lost,
            };
            if let Err(lost) = done {
                return Some(End::Lost(lost));
            }
            if self.actor.stop.is_cancelled() {
                return Some(End::Stopped);
            }
        }
        None
    }

    /// Hears what the modem said while something else was asked.
    async fn listen(&mut self) -> Result<(), Lost> {
        while let Some(news) = self.link.heard()? {
            self.hear(news).await?;
        }
        Ok(())
    }

    async fn part_and_turn(&mut self, job: Job) -> Result<(), Lost> {
        self.work(job).await?;
        self.listen().await?;
        let end = Instant::now() + TURN;
        while !self.chores.is_empty() && Instant::now() < end {
            self.chore().await?;
            self.listen().await?;
        }
        Ok(())
    }

    async fn work(&mut self, job: Job) -> Result<(), Lost> {
        if job.sim != self.sim {
            self.actor
                .give_back(job, "another SIM is in this modem now")
                .await;
            return Ok(());
        }
        self.actor
            .roster
            .update(self.name, |status| status.state = State::Sending);
        let (outcome, lost, silent) = match self.prepare(&job).await {
            Ok(()) => self.send(&job).await,
            Err(reason) => outcome_of(Submission::NotSubmitted(reason)),
        };
        if matches!(outcome, Outcome::Unanswered { .. }) {
            self.owed
                .add(job.token, Instant::now() + self.actor.settings.owed);
        }
        if may_lack_card(&outcome) {
            self.chores.check_card();
        }
        let accepted = matches!(outcome, Outcome::Accepted(_));
        self.actor.roster.update(self.name, |status| {
            status.state = State::Ready;
            status.accepted += u64::from(accepted);
        });
        self.actor
            .tell(Event::Finished {
                sim: job.sim,
                token: job.token,
                outcome: outcome.said_by(self.ready.found.family()),
            })
            .await;
        if let Some(lost) = lost {
            return Err(lost);
        }
        if silent { self.recover().await } else { Ok(()) }
    }

    async fn prepare(&mut self, job: &Job) -> Result<(), Reason> {
        self.check_format().await?;
        if job.more {
            self.hold_link().await?;
        }
        Ok(())
    }

    /// Some modems start anew without a word, and wait for texts in words then: the octets of a PDU would go
    /// out as such a text, to its length as a number.
    async fn check_format(&mut self) -> Result<(), Reason> {
        if self.link.quiet() < AWAKE {
            return Ok(());
        }
        match self.link.run(&ReadFormat).await {
            Ok(0) => Ok(()),
            Ok(_) => Err(Lost::Restarted.into()),
            Err(LinkError::Lost(lost)) => Err(lost.into()),
            Err(LinkError::At(
                error @ (at::Error::TimedOut { .. } | at::Error::Flooded { .. }),
            )) => Err(error.into()),
            // It does not tell: then it is told.
            Err(LinkError::At(_)) => match self.link.run(&PDU_MODE).await {
                Ok(()) => Ok(()),
                Err(LinkError::Lost(lost)) => Err(lost.into()),
                Err(LinkError::At(error)) => Err(error.into()),
            },
        }
    }

    async fn send(&mut self, job: &Job) -> (Outcome, Option<Lost>, bool) {
        let send = SendMessage {
            tpdu_length: job.tpdu_length,
            pdu: job.pdu.clone(),
            patience: self.actor.settings.answer,
        };
        let arming = self.actor.host.arm(job.token);
        let submission = self.link.submit(&send, arming).await;
        self.run.part_ended(Instant::now());
        outcome_of(submission)
    }

    /// Asks for a radio link that stays open for the parts that follow, once a run.
    async fn hold_link(&mut self) -> Result<(), Lost> {
        let Some(command) = self.run.due(Instant::now()) else {
            return Ok(());
        };
        match self.link.run(&Given(command.to_owned())).await {
            Ok(()) => self.run.begin(Instant::now()),
            Err(LinkError::Lost(lost)) => return Err(lost),
            Err(LinkError::At(error)) => {
                tracing::debug!(port = self.name, %error, "the link does not stay open between parts");
                self.run.refused();
                if matches!(error, at::Error::TimedOut { .. }) {
                    return self.recover().await;
                }
            }
        }
        Ok(())
    }

    /// A look at the signal; it is also how a modem that died in silence is found out.
    async fn look(&mut self) -> Result<(), Lost> {
        match self.link.run(&SignalQuality).await {
            Ok(signal) => {
                self.actor
                    .roster
                    .update(self.name, |status| status.signal = signal.dbm());
                Ok(())
            }
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(at::Error::TimedOut { .. })) => self.recover().await,
            Err(LinkError::At(_)) => Ok(()),
        }
    }

    pub(super) async fn hear(&mut self, news: News) -> Result<(), Lost> {
        match news {
            // Its type bits tell which of the two it is; the header and the storage do not.
            News::Report(hex, length) | News::Message(hex, length) => {
                self.take(Shown { hex, length }).await
            }
            News::StoredReport(place) | News::StoredMessage(place) => {
                self.chores.fetch(&place, self.ready.storages.inbox());
                Ok(())
            }
            News::LateReference(mr) => {
                self.late_reference(mr).await;
                Ok(())
            }
            News::LateFinal(Final::Error(cause)) => {
                self.late_refusal(cause).await;
                Ok(())
            }
            News::Registration(domain, status) => {
                tracing::info!(port = self.name, ?domain, state = ?status.registration(), "registration changed");
                Ok(())
            }
            News::Pin(Pin::Wanted(_)) => Err(Lost::Card),
            News::Broadcast(_)
            | News::Ring
            | News::Ussd(_)
            | News::Pin(Pin::Ready)
            | News::LateFinal(_)
            | News::Noise(_) => Ok(()),
        }
    }
}

/// Whether the card itself may be why a part did not go: missing, failing, or locked.
fn may_lack_card(outcome: &Outcome) -> bool {
    let cause = match outcome {
        Outcome::Refused(cause) => Some(*cause),
        Outcome::NotSubmitted { cause, .. } => *cause,
        Outcome::Accepted(_) | Outcome::GivenBack { .. } | Outcome::Unanswered { .. } => None,
    };
    matches!(
        cause,
        Some(Cause::Cms(310..=318) | Cause::Cme(10..=18) | Cause::Plain)
    )
}

/// The outcome; the loss of the wire, if it came with it; whether the modem owes an answer.
fn outcome_of(submission: Submission) -> (Outcome, Option<Lost>, bool) {
    match submission {
        Submission::Accepted(mr) => (Outcome::Accepted(mr), None, false),
        Submission::Refused(cause) => (Outcome::Refused(cause), None, false),
        // Our disk, not the modem: it costs the part nothing.
        Submission::NotSubmitted(reason @ Reason::NotArmed) => (
            Outcome::GivenBack {
                reason: reason.to_string(),
            },
            None,
            false,
        ),
        Submission::NotSubmitted(reason) => {
            let outcome = Outcome::NotSubmitted {
                cause: reason.cause(),
                reason: reason.to_string(),
            };
            let silent = reason.is_out_of_step();
            (outcome, reason.into_lost(), silent)
        }
        Submission::Unanswered(reason) => {
            let outcome = Outcome::Unanswered {
                reason: reason.to_string(),
            };
            (outcome, reason.into_lost(), true)
        }
    }
}
