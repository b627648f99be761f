//! The actor of one port: opens it, brings the modem up, hands over one part after the other, hears
//! what the modem says, and starts anew whenever the wire breaks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::at::codes::{News, Place};
use super::at::messaging::SendMessage;
use super::at::network::SignalQuality;
use super::at::storage::{DeleteMessage, ReadMessage};
use super::link::{Link, LinkError, Lost, Reason, Submission};
use super::port::Connect;
use super::profile::Profile;
use super::setup::{Fault, Found, Patience, bring_up};
use super::status::{Roster, State, Trouble};
use super::{Event, Host, Job, Outcome};
use crate::sms::ids::{SimId, Token};
use crate::sms::pdu::{Tpdu, decode_hex, locate};

/// How an actor behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// From Ctrl-Z to the network's answer, at most.
    pub answer: Duration,
    /// Bring-up.
    pub setup: Patience,
    /// Before the port is opened again: the first wait and the longest, doubling between.
    pub reopen: (Duration, Duration),
    /// Between two looks at the signal of an idle modem.
    pub look: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // The longest that a vendor's manual names is 180 s.
            answer: Duration::from_secs(180),
            setup: Patience::default(),
            reopen: (Duration::from_secs(1), Duration::from_secs(30)),
            look: Duration::from_secs(60),
        }
    }
}

/// What an actor is made of.
pub struct Actor<H> {
    /// Opens its port.
    pub port: Box<dyn Connect>,
    /// Its modem's manners.
    pub profile: Profile,
    /// How it behaves.
    pub settings: Settings,
    /// What it asks before it goes on.
    pub host: Arc<H>,
    /// Where its news go.
    pub events: mpsc::Sender<Event>,
    /// Where its page is.
    pub roster: Roster,
    /// Told to end.
    pub stop: CancellationToken,
}

/// Why the modem's time of service ended.
enum End {
    Stopped,
    Lost,
}

impl<H: Host> Actor<H> {
    /// Runs until told to stop; the part in the air is waited for. Work comes in by `jobs`.
    pub async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        let name = self.port.name();
        let (first, longest) = self.settings.reopen;
        let mut pause = first;
        loop {
            match self.session(&name, &mut jobs).await {
                Some(End::Stopped) => break,
                Some(End::Lost) => pause = first,
                None => {}
            }
            if !self.rest(pause, &mut jobs).await {
                break;
            }
            pause = pause.saturating_mul(2).min(longest);
        }
        while let Ok(job) = jobs.try_recv() {
            self.give_back(job, "the daemon stops").await;
        }
        self.roster.update(&name, |status| {
            (status.state, status.sim) = (State::Stopped, None);
        });
    }

    /// From opening the port to its loss. None: it did not come to serving.
    async fn session(&self, name: &str, jobs: &mut mpsc::Receiver<Job>) -> Option<End> {
        // Before it serves, nothing is in the air: a stop may cut in at any await.
        let (link, found) = tokio::select! {
            () = self.stop.cancelled() => return Some(End::Stopped),
            opened = self.open(name) => match opened {
                Ok(opened) => opened,
                Err((state, trouble)) => {
                    self.in_trouble(name, state, trouble);
                    return None;
                }
            },
        };
        let Some(sim) = self.host.attach(name, &found).await else {
            let message = "the SIM could not be written down".to_owned();
            let hint = "look at the disk's free space and at the log";
            self.in_trouble(
                name,
                State::Faulty,
                Trouble {
                    code: "store_unavailable",
                    message,
                    hint,
                },
            );
            return None;
        };
        tracing::info!(
            port = name,
            model = found.model.as_deref().unwrap_or("?"),
            sim = sim.0,
            "modem ready"
        );
        self.roster.update(name, |status| {
            (status.state, status.trouble, status.sim, status.found) =
                (State::Ready, None, Some(sim), found);
        });
        let mut service = Service {
            actor: self,
            name,
            link,
            sim,
            unanswered: None,
        };
        let end = service.serve(jobs).await;
        self.host.detach(name, sim).await;
        self.roster.update(name, |status| {
            (status.state, status.sim) = (State::Closed, None);
        });
        if matches!(end, End::Lost) {
            let fault = Fault::from(Lost::silent());
            let trouble = Trouble {
                code: fault.code(),
                message: fault.to_string(),
                hint: fault.hint(),
            };
            self.in_trouble(name, State::Closed, trouble);
        }
        Some(end)
    }

    async fn open(&self, name: &str) -> Result<(Link, Found), (State, Trouble)> {
        let wire = self.port.connect().await.map_err(|error| {
            (
                State::Closed,
                Trouble {
                    code: error.code(),
                    message: chain(&error),
                    hint: error.hint(),
                },
            )
        })?;
        self.roster
            .update(name, |status| status.state = State::SettingUp);
        let mut link = Link::new(wire);
        match bring_up(&mut link, &self.profile, self.settings.setup).await {
            Ok(found) => Ok((link, found)),
            Err(fault) => {
                let message = chain(&fault);
                Err((
                    State::Faulty,
                    Trouble {
                        code: fault.code(),
                        message,
                        hint: fault.hint(),
                    },
                ))
            }
        }
    }

    /// Writes the trouble down, and logs it when it is a new one.
    fn in_trouble(&self, name: &str, state: State, trouble: Trouble) {
        self.roster.update(name, |status| {
            if status.trouble.as_ref() != Some(&trouble) {
                tracing::warn!(
                    port = name,
                    code = trouble.code,
                    hint = trouble.hint,
                    "{}",
                    trouble.message
                );
            }
            status.state = state;
            status.trouble = Some(trouble);
        });
    }

    /// Waits before the next try; work that still comes is given back. `false`: told to stop.
    async fn rest(&self, pause: Duration, jobs: &mut mpsc::Receiver<Job>) -> bool {
        let end = Instant::now() + pause;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return false,
                () = tokio::time::sleep_until(end) => return true,
                job = jobs.recv() => match job {
                    Some(job) => self.give_back(job, "the modem is away").await,
                    None => return false,
                },
            }
        }
    }

    async fn give_back(&self, job: Job, reason: &str) {
        let outcome = Outcome::GivenBack {
            reason: reason.to_owned(),
        };
        self.tell(Event::Finished {
            sim: job.sim,
            token: job.token,
            outcome,
        })
        .await;
    }

    async fn tell(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            tracing::error!(
                "an event of a modem finds nobody to write it down; the journal has its attempt"
            );
        }
    }
}

/// The time in which a modem serves.
struct Service<'a, H> {
    actor: &'a Actor<H>,
    name: &'a str,
    link: Link,
    sim: SimId,
    /// The attempt whose answer may still come.
    unanswered: Option<Token>,
}

impl<H: Host> Service<'_, H> {
    async fn serve(&mut self, jobs: &mut mpsc::Receiver<Job>) -> End {
        let mut look = Instant::now();
        loop {
            while let Some(news) = self.link.heard() {
                if self.hear(news).await.is_err() {
                    return End::Lost;
                }
            }
            let served = tokio::select! {
                biased;
                () = self.actor.stop.cancelled() => return End::Stopped,
                job = jobs.recv() => match job {
                    Some(job) => self.work(job).await,
                    None => return End::Stopped,
                },
                news = self.link.news() => match news {
                    Ok(news) => self.hear(news).await,
                    Err(lost) => Err(lost),
                },
                () = tokio::time::sleep_until(look) => {
                    look = Instant::now() + self.actor.settings.look;
                    self.look().await
                }
            };
            if let Err(lost) = served {
                tracing::debug!(port = self.name, %lost, "service ends");
                return End::Lost;
            }
        }
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
        let send = SendMessage {
            tpdu_length: job.tpdu_length,
            pdu: job.pdu,
            patience: self.actor.settings.answer,
        };
        let arming = self.actor.host.arm(job.token);
        let submission = self.link.submit(&send, arming).await;
        let (outcome, lost, silent) = outcome_of(submission);
        if matches!(outcome, Outcome::Unanswered { .. }) {
            // An older one that is still owed is given up: one late answer can mean only one text.
            self.unanswered = Some(job.token);
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
                outcome,
            })
            .await;
        if let Some(lost) = lost {
            return Err(lost);
        }
        if silent { self.recover().await } else { Ok(()) }
    }

    /// After a silence nobody knows what the modem is doing: it may sit in its prompt, or be dead.
    async fn recover(&mut self) -> Result<(), Lost> {
        match self.link.wake(5, self.actor.settings.setup.attention).await {
            Ok(()) => Ok(()),
            Err(LinkError::Lost(lost)) => Err(lost),
            // Closing and opening the port is the next thing to try.
            Err(LinkError::At(error)) => {
                tracing::warn!(port = self.name, %error, "the modem does not come back after a silence");
                Err(Lost::silent())
            }
        }
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
            Err(LinkError::At(super::at::Error::TimedOut { .. })) => self.recover().await,
            Err(LinkError::At(_)) => Ok(()),
        }
    }

    async fn hear(&mut self, news: News) -> Result<(), Lost> {
        match news {
            News::Report(pdu) => {
                self.report(pdu, None).await;
                Ok(())
            }
            News::StoredReport(Place {
                index: Some(index), ..
            }) => self.fetch_report(index).await,
            News::LateReference(mr) => {
                let token = self.unanswered.take();
                self.actor
                    .tell(Event::Late {
                        sim: self.sim,
                        token,
                        mr,
                    })
                    .await;
                Ok(())
            }
            News::Message(_) => {
                tracing::warn!(
                    port = self.name,
                    "an inbound text was handed over instead of stored; it is lost, inbound texts are not read yet"
                );
                Ok(())
            }
            News::StoredReport(_) | News::StoredMessage(_) => {
                tracing::info!(
                    port = self.name,
                    "an inbound text was announced; it stays where the modem keeps it"
                );
                Ok(())
            }
            News::Registration(domain, status) => {
                tracing::info!(port = self.name, ?domain, state = ?status.registration(), "registration changed");
                Ok(())
            }
            News::Broadcast(_)
            | News::Ring
            | News::Ussd(_)
            | News::Pin(_)
            | News::LateFinal(_)
            | News::Noise(_) => Ok(()),
        }
    }

    /// Reads a stored report and empties its place only once it is on disk.
    async fn fetch_report(&mut self, index: u16) -> Result<(), Lost> {
        let pdu = match self.link.run(&ReadMessage(index)).await {
            Ok(Some(stored)) => stored.pdu,
            Ok(None) => return Ok(()),
            Err(LinkError::Lost(lost)) => return Err(lost),
            Err(LinkError::At(error)) => {
                tracing::warn!(port = self.name, %error, "a stored report cannot be read");
                return Ok(());
            }
        };
        let (kept, told) = oneshot::channel();
        self.report(pdu, Some(kept)).await;
        if told.await.is_err() {
            return Ok(());
        }
        match self.link.run(&DeleteMessage(index)).await {
            Ok(()) => Ok(()),
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(error)) => {
                tracing::warn!(port = self.name, %error, "a stored report stays in its place");
                Ok(())
            }
        }
    }

    async fn report(&mut self, pdu: String, kept: Option<oneshot::Sender<()>>) {
        let Some(report) = report_of(&pdu) else {
            tracing::warn!(
                port = self.name,
                octets = pdu.len() / 2,
                "a status report cannot be read"
            );
            return;
        };
        let (sim, report) = (self.sim, Box::new(report));
        self.actor
            .tell(Event::Report {
                sim,
                report,
                pdu,
                kept,
            })
            .await;
    }
}

/// An error with its cause, in one line. A cause that is said already is not said again.
fn chain(error: &dyn std::error::Error) -> String {
    let words = error.to_string();
    match error.source().map(ToString::to_string) {
        Some(cause) if !words.contains(&cause) => format!("{words}: {cause}"),
        _ => words,
    }
}

fn report_of(pdu: &str) -> Option<crate::sms::report::StatusReport> {
    let octets = decode_hex(pdu).ok()?;
    match Tpdu::decode_stored(locate(&octets, None).ok()?.tpdu) {
        Ok(Tpdu::StatusReport(report)) => Some(report),
        _ => None,
    }
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
