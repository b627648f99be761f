//! Bring-up: a table of steps from an open port to a SIM that can send.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::at::codes::News;
use super::at::identity::{CardIdentity, MANUFACTURER, MODEL, SerialNumber, SubscriberIdentity};
use super::at::messaging::{
    MessageService, PDU_MODE, ReadIndications, ReportRouting, RouteIndications,
};
use super::at::network::{Domain, ReadOperator, ReadRegistration, Registration};
use super::at::sim::{Pin, ReadPin};
use super::at::storage::SelectStorage;
use super::at::{self, Command, ECHO_OFF, NUMERIC_ERRORS, Plain};
use super::link::{Link, LinkError, Lost};
use super::profile::Profile;
use crate::sms::ids::{Iccid, Imei, Imsi};

/// What bring-up found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The modem's own number.
    pub imei: Option<Imei>,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Which model it is.
    pub model: Option<String>,
    /// The card's own number.
    pub iccid: Option<Iccid>,
    /// The subscriber's number on the card.
    pub imsi: Option<Imsi>,
    /// The network's name.
    pub operator: Option<String>,
    /// Where status reports go.
    pub reports: Option<ReportRouting>,
}

/// Why a modem cannot be used now. All of these may pass: bring-up is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The wire broke.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// Nobody answers `AT`.
    #[error("nobody answers AT commands on this port")]
    Silent,
    /// The card wants a code.
    #[error("the SIM wants `{0}` first")]
    Locked(String),
    /// There is no card, or it tells nothing.
    #[error("the modem finds no SIM")]
    NoSim(#[source] Option<at::Error>),
    /// The network does not let the card in.
    #[error("no network: {0}")]
    NoNetwork(&'static str),
    /// A step that texts cannot do without failed.
    #[error("the modem refuses to {task}")]
    Step {
        /// What was tried.
        task: &'static str,
        /// How it failed.
        source: at::Error,
    },
}

impl Fault {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lost(_) => "modem_lost",
            Self::Silent => "no_answer",
            Self::Locked(_) => "sim_locked",
            Self::NoSim(_) => "no_sim",
            Self::NoNetwork(_) => "not_registered",
            Self::Step { .. } => "modem_error",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Lost(_) => {
                "if it does not come back by itself, look at cable, hub and power supply"
            }
            Self::Silent => {
                "try the stick's other ttys: one of them speaks AT; or unplug it and plug it in again"
            }
            Self::Locked(_) => "put the card into a phone and switch its PIN off",
            Self::NoSim(_) => {
                "look whether the card sits right; most sticks read it only at power-up"
            }
            Self::NoNetwork(_) => {
                "look at the antenna, the coverage and whether the card is active (try it in a phone)"
            }
            Self::Step { .. } => {
                "unplug the modem and plug it in again; if that does not help, its firmware may lack SMS"
            }
        }
    }
}

/// Whether bring-up can go on without a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// No text can be sent without it. Tried so often, a second apart: a fresh SIM answers "busy".
    Required(u32),
    /// Good to have, and tried as often: a fresh SIM answers "busy" here as well.
    Wanted(u32),
    /// Good to have.
    Optional,
}

enum Task {
    Plain(&'static Plain),
    Manufacturer,
    Model,
    Imei,
    Pin,
    Card,
    Subscriber,
    Service,
    Storage,
    Routing,
    Registration,
    Operator,
}

const ANNOUNCE_REGISTRATION: Plain = Plain("+CREG=1");

struct Step {
    /// Completes "the modem refuses to ...".
    name: &'static str,
    task: Task,
    need: Need,
}

const fn step(name: &'static str, task: Task, need: Need) -> Step {
    Step { name, task, need }
}

/// The way from `AT` to a SIM that can send. Order matters: errors must be numbers before a code is
/// read, the SIM open before it is asked, PDU mode set before storages are touched.
const STEPS: &[Step] = &[
    step(
        "stop repeating commands",
        Task::Plain(&ECHO_OFF),
        Need::Required(2),
    ),
    step(
        "tell errors as numbers",
        Task::Plain(&NUMERIC_ERRORS),
        Need::Optional,
    ),
    step("tell its maker", Task::Manufacturer, Need::Optional),
    step("tell its model", Task::Model, Need::Optional),
    step("tell its IMEI", Task::Imei, Need::Optional),
    step("tell the state of the SIM", Task::Pin, Need::Required(5)),
    step("tell the card's number", Task::Card, Need::Wanted(3)),
    step("tell the subscriber", Task::Subscriber, Need::Wanted(3)),
    step("work with PDUs", Task::Plain(&PDU_MODE), Need::Required(10)),
    step("select the message service", Task::Service, Need::Optional),
    step("select a storage", Task::Storage, Need::Optional),
    step("route status reports", Task::Routing, Need::Optional),
    step(
        "announce its registration",
        Task::Plain(&ANNOUNCE_REGISTRATION),
        Need::Optional,
    ),
    step(
        "tell its registration",
        Task::Registration,
        Need::Required(1),
    ),
    step("tell the network's name", Task::Operator, Need::Optional),
];

/// How patient bring-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one answer to `AT`.
    pub attention: Duration,
    /// Between two tries of a required step.
    pub retry: Duration,
    /// For the network to let the SIM in.
    pub registration: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attention: Duration::from_secs(1),
            retry: Duration::from_secs(1),
            registration: Duration::from_secs(60),
        }
    }
}

/// Brings the modem on `link` up. News that come meanwhile stay with the link.
pub async fn bring_up(
    link: &mut Link,
    profile: &Profile,
    patience: Patience,
) -> Result<Found, Fault> {
    match link.wake(5, patience.attention).await {
        Ok(()) => {}
        Err(LinkError::Lost(lost)) => return Err(lost.into()),
        Err(LinkError::At(_)) => return Err(Fault::Silent),
    }
    let mut setup = Setup {
        link,
        profile,
        patience,
        found: Found::default(),
    };
    for step in STEPS {
        setup.step(step).await?;
    }
    if setup.found.iccid.is_none() && setup.found.imsi.is_none() {
        return Err(Fault::NoSim(None));
    }
    Ok(setup.found)
}

struct Setup<'a> {
    link: &'a mut Link,
    profile: &'a Profile,
    patience: Patience,
    found: Found,
}

/// How one try of a step ended badly.
enum Failed {
    /// Try again, then give up with this.
    Again(at::Error),
    /// Trying again would not help.
    Now(Fault),
}

impl From<LinkError> for Failed {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Lost(lost) => Self::Now(lost.into()),
            LinkError::At(error) => Self::Again(error),
        }
    }
}

impl Setup<'_> {
    async fn step(&mut self, step: &Step) -> Result<(), Fault> {
        let tries = match step.need {
            Need::Required(tries) | Need::Wanted(tries) => tries,
            Need::Optional => 1,
        };
        let mut left = tries;
        loop {
            left -= 1;
            match self.attempt(&step.task).await {
                Ok(()) => return Ok(()),
                Err(Failed::Now(fault)) => return Err(fault),
                Err(Failed::Again(error))
                    if left == 0 && !matches!(step.need, Need::Required(_)) =>
                {
                    tracing::debug!(%error, "the modem does not {}; going on without", step.name);
                    return Ok(());
                }
                Err(Failed::Again(error)) if left == 0 => return Err(give_up(step, error)),
                Err(Failed::Again(_)) => tokio::time::sleep(self.patience.retry).await,
            }
        }
    }

    async fn attempt(&mut self, task: &Task) -> Result<(), Failed> {
        match task {
            Task::Plain(command) => self.link.run(*command).await?,
            Task::Manufacturer => {
                self.found.manufacturer = Some(self.link.run(&MANUFACTURER).await?);
            }
            Task::Model => self.found.model = Some(self.link.run(&MODEL).await?),
            Task::Imei => self.found.imei = Some(self.link.run(&SerialNumber).await?),
            Task::Pin => match self.link.run(&ReadPin(self.profile.pin_ending)).await? {
                Pin::Ready => {}
                Pin::Wanted(word) => return Err(Failed::Now(Fault::Locked(word))),
            },
            Task::Card => {
                let commands = self.profile.card_identity.iter().cloned().map(CardIdentity);
                self.found.iccid = Some(first_answer(self.link, commands).await?);
            }
            Task::Subscriber => self.found.imsi = Some(self.link.run(&SubscriberIdentity).await?),
            Task::Service => {
                self.link.run(&MessageService).await?;
            }
            Task::Storage => {
                let storages = first_answer(
                    self.link,
                    self.profile.storage.iter().cloned().map(SelectStorage),
                )
                .await?;
                if let Some(storage) = storages.first() {
                    tracing::debug!(
                        used = storage.used,
                        total = storage.total,
                        "storage selected"
                    );
                }
            }
            Task::Routing => self.routing().await?,
            Task::Registration => self.registration().await?,
            Task::Operator => {
                self.found.operator = self.link.run(&ReadOperator).await?.name;
            }
        }
        Ok(())
    }

    /// Tries the routings in order and believes only what reads back.
    async fn routing(&mut self) -> Result<(), Failed> {
        for values in &self.profile.report_routing {
            let command = RouteIndications(values.clone());
            match self.link.run(&command).await {
                Ok(()) => {}
                Err(LinkError::At(error)) => {
                    tracing::debug!(%error, "routing not taken");
                    continue;
                }
                Err(LinkError::Lost(lost)) => return Err(Failed::Now(lost.into())),
            }
            let applied = match self.link.run(&ReadIndications).await {
                Ok(applied) => applied,
                // A modem that cannot tell is believed.
                Err(LinkError::At(_)) => command.reports(),
                Err(LinkError::Lost(lost)) => return Err(Failed::Now(lost.into())),
            };
            if applied == command.reports() {
                self.found.reports = Some(applied);
                return Ok(());
            }
        }
        self.found.reports = Some(ReportRouting::None);
        Ok(())
    }

    /// Waits until the network lets the SIM in; the modem announces changes, the question repeated now
    /// and then is the net below.
    async fn registration(&mut self) -> Result<(), Failed> {
        let end = Instant::now() + self.patience.registration;
        loop {
            let status = self.link.run(&ReadRegistration(Domain::Circuit)).await?;
            let state = match status.registration() {
                Registration::Registered => return Ok(()),
                state => match self.link.run(&ReadRegistration(Domain::Eps)).await {
                    Ok(lte) if lte.registration() == Registration::Registered => return Ok(()),
                    Ok(_) | Err(LinkError::At(_)) => state,
                    Err(LinkError::Lost(lost)) => return Err(Failed::Now(lost.into())),
                },
            };
            if Instant::now() >= end {
                return Err(Failed::Now(Fault::NoNetwork(match state {
                    Registration::Denied => "it refuses this SIM",
                    Registration::NoService => "there is none for texts",
                    Registration::Searching | Registration::Registered => {
                        "the modem still searches"
                    }
                })));
            }
            self.hear_registration(end).await?;
        }
    }

    async fn hear_registration(&mut self, end: Instant) -> Result<(), Failed> {
        let mut others = Vec::new();
        let wait = end.min(Instant::now() + Duration::from_secs(5));
        loop {
            match timeout(wait.duration_since(Instant::now()), self.link.news()).await {
                Ok(Ok(News::Registration(..))) | Err(_) => break,
                Ok(Ok(news)) => others.push(news),
                Ok(Err(lost)) => return Err(Failed::Now(lost.into())),
            }
        }
        for news in others {
            self.link.keep(news);
        }
        Ok(())
    }
}

fn give_up(step: &Step, error: at::Error) -> Fault {
    match step.task {
        Task::Pin => Fault::NoSim(Some(error)),
        _ => Fault::Step {
            task: step.name,
            source: error,
        },
    }
}

/// The first command of several that the modem knows.
async fn first_answer<C: Command>(
    link: &mut Link,
    commands: impl Iterator<Item = C>,
) -> Result<C::Reply, LinkError> {
    let mut last = LinkError::At(at::Error::Busy);
    for command in commands {
        match link.run(&command).await {
            Ok(reply) => return Ok(reply),
            Err(LinkError::Lost(lost)) => return Err(lost.into()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
