//! The actor of one port: opens it, brings the modem up, lets it serve, and starts anew whenever the
//! wire breaks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::link::{Link, Lost};
use super::port::{Connect, OpenError};
use super::profile::Choice;
use super::service::Service;
use super::setup::{Fault, Knock, Patience, Ready, bring_up};
use super::speed::Speed;
use super::status::{Roster, State, Trouble};
use super::{Event, Host, Job, Outcome};

/// How an actor behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// From Ctrl-Z to the network's answer, at most.
    pub answer: Duration,
    /// How long a port is kept open after that for an answer that may still come, while the modem says
    /// nothing else.
    pub owed: Duration,
    /// Bring-up.
    pub setup: Patience,
    /// Before the port is opened again: the first wait and the longest, doubling between.
    pub reopen: (Duration, Duration),
    /// Between two looks at the signal of an idle modem.
    pub look: Duration,
    /// Between two looks for what came in and was not announced.
    pub sweep: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // The longest that a vendor's manual names is 180 s.
            answer: Duration::from_secs(180),
            owed: Duration::from_secs(120),
            setup: Patience::default(),
            reopen: (Duration::from_secs(1), Duration::from_secs(30)),
            look: Duration::from_secs(60),
            sweep: Duration::from_secs(600),
        }
    }
}

/// What an actor is made of.
pub struct Actor<H> {
    /// Opens its port.
    pub port: Box<dyn Connect>,
    /// Its modem's manners.
    pub manners: Choice,
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
#[derive(Debug)]
pub(super) enum End {
    /// The program stops.
    Stopped,
    /// The modem is not what it was.
    Lost(Lost),
}

/// What follows when a time with a modem is over.
enum Next {
    /// The program stops.
    Stop,
    /// It has served, and may be back at once.
    Soon,
    /// It did not come to that: each time it is waited longer.
    Later,
}

impl<H: Host> Actor<H> {
    /// Runs until told to stop; the part in the air is waited for. Work comes in by `jobs`.
    pub async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        let name = self.port.name();
        let (first, longest) = self.settings.reopen;
        let (mut pause, mut speed) = (first, Speed::default());
        loop {
            match self.session(&name, &mut speed, &mut jobs).await {
                Next::Stop => break,
                Next::Soon => pause = first,
                Next::Later => {}
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

    /// From opening the port to its loss.
    async fn session(&self, name: &str, speed: &mut Speed, jobs: &mut mpsc::Receiver<Job>) -> Next {
        // Before it serves, nothing is in the air: a stop may cut in at any await.
        let (link, ready) = tokio::select! {
            () = self.stop.cancelled() => return Next::Stop,
            opened = self.open(name, speed) => match opened {
                Ok(opened) => opened,
                Err((state, trouble)) => {
                    self.in_trouble(name, state, trouble);
                    return Next::Later;
                }
            },
        };
        let Some(sim) = self.host.attach(name, &ready.found).await else {
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
            return Next::Later;
        };
        tracing::info!(
            port = name,
            model = ready.found.model.as_deref().unwrap_or("?"),
            profile = ready.profile.name,
            sim = sim.0,
            "modem ready"
        );
        self.roster.update(name, |status| {
            (status.state, status.trouble, status.sim, status.found) =
                (State::Ready, None, Some(sim), ready.found.clone());
        });
        let end = Service::new(self, name, link, sim, ready, jobs)
            .serve()
            .await;
        self.host.detach(name, sim).await;
        self.roster.update(name, |status| {
            (status.state, status.sim) = (State::Closed, None);
        });
        match end {
            End::Stopped => Next::Stop,
            End::Lost(lost) => {
                self.in_trouble(name, State::Closed, told(&lost.into()));
                Next::Soon
            }
        }
    }

    /// Opens the port and brings up whoever answers there, at the first speed at which somebody does.
    async fn open(&self, name: &str, speed: &mut Speed) -> Result<(Link, Ready), (State, Trouble)> {
        let patient = Knock {
            times: 5,
            patience: self.settings.setup.attention,
        };
        let speeds = &self.manners.at_first().baud;
        let mut fault = Fault::Silent;
        for (baud, knock) in speed.plan(self.port.line(), speeds, patient) {
            let wire = self
                .port
                .connect(baud)
                .await
                .map_err(|error| unopened(&error))?;
            self.roster
                .update(name, |status| status.state = State::SettingUp);
            let mut link = Link::new(wire);
            match bring_up(&mut link, &self.manners, self.settings.setup, knock).await {
                Ok(ready) => {
                    speed.worked(baud);
                    return Ok((link, ready));
                }
                Err(Fault::Silent) => {}
                Err(other) => {
                    fault = other;
                    break;
                }
            }
        }
        Err((State::Faulty, told(&fault)))
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

    pub(super) async fn give_back(&self, job: Job, reason: &str) {
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

    pub(super) async fn tell(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            tracing::error!(
                "an event of a modem finds nobody to write it down; the journal has its attempt"
            );
        }
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

fn told(fault: &Fault) -> Trouble {
    Trouble {
        code: fault.code(),
        message: chain(fault),
        hint: fault.hint(),
    }
}

fn unopened(error: &OpenError) -> (State, Trouble) {
    let trouble = Trouble {
        code: error.code(),
        message: chain(error),
        hint: error.hint(),
    };
    (State::Closed, trouble)
}
