//! Bring-up: a table of steps from an open port to a SIM that can send.

mod registration;
pub(super) mod routing;
mod steps;

use std::time::Duration;

use super::at::identity::{
    CardIdentity, MANUFACTURER, MODEL, OwnNumbers, SerialNumber, SubscriberIdentity,
};
use super::at::messaging::{ReadServiceCentre, ReportRouting};
use super::at::network::ReadOperator;
use super::at::sim::{Pin, ReadPin};
use super::at::storage::{ListStorages, SelectStorage};
use super::at::{self, Command, Ending};
use super::commands::Given;
use super::link::{Link, LinkError, Lost};
use super::profile::{Choice, Profile};
use super::storage::Storages;
use crate::sms::causes::Family;
use crate::sms::fields::Address;
use crate::sms::ids::{Iccid, Imei, Imsi};
use steps::{Need, STEPS, Step, Task};

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
    /// Which family's manners it has.
    pub profile: Option<String>,
    /// The number of the service centre that the card names.
    pub service_centre: Option<Address>,
    /// The number that the card holds as its own; most hold none.
    pub number: Option<Address>,
    /// The network's name.
    pub operator: Option<String>,
    /// Where status reports go.
    pub reports: Option<ReportRouting>,
}

impl Found {
    /// Whose numbers the modem's errors are; none where the maker is unknown or keeps to the standard.
    pub(super) fn family(&self) -> Option<Family> {
        Family::of(
            self.manufacturer.as_deref().unwrap_or_default(),
            self.model.as_deref().unwrap_or_default(),
        )
    }
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
    /// The card names no service centre to send through.
    #[error("the SIM names no service centre for texts")]
    NoServiceCentre,
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
            Self::Lost(Lost::Card) | Self::NoSim(_) => "no_sim",
            Self::Lost(_) => "modem_lost",
            Self::Silent => "no_answer",
            Self::Locked(_) => "sim_locked",
            Self::NoNetwork(_) => "not_registered",
            Self::NoServiceCentre => "no_service_centre",
            Self::Step { .. } => "modem_error",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Silent => {
                "try the stick's other ttys: one of them speaks AT; or unplug it and plug it in again"
            }
            Self::Locked(_) => "put the card into a phone and switch its PIN off",
            Self::Lost(Lost::Card) | Self::NoSim(_) => {
                "look whether the card sits right; most sticks read it only at power-up"
            }
            Self::Lost(_) => {
                "if it does not come back by itself, look at cable, hub and power supply"
            }
            Self::NoNetwork(_) => {
                "look at the antenna, the coverage and whether the card is active (try it in a phone)"
            }
            Self::NoServiceCentre => {
                "put the card into a phone and set the number of its service centre there, or ask the operator for it"
            }
            Self::Step { .. } => {
                "unplug the modem and plug it in again; if that does not help, its firmware may lack SMS"
            }
        }
    }
}

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

/// A modem that is up.
#[derive(Debug)]
pub struct Ready {
    /// What there is to know about it.
    pub found: Found,
    /// Its family's manners.
    pub profile: Profile,
    /// Whether what it hands over must be acknowledged.
    pub acknowledges: bool,
    /// Where it keeps what comes in.
    pub storages: Storages,
}

/// How often and how long somebody is knocked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knock {
    /// So often `AT` is tried.
    pub times: u32,
    /// So long its answer is waited for.
    pub patience: Duration,
}

/// Brings the modem on `link` up. News that come meanwhile stay with the link.
pub async fn bring_up(
    link: &mut Link,
    choice: &Choice,
    patience: Patience,
    knock: Knock,
) -> Result<Ready, Fault> {
    match link.wake(knock.times, knock.patience).await {
        Ok(()) => {}
        Err(LinkError::Lost(lost)) => return Err(lost.into()),
        Err(LinkError::At(_)) => return Err(Fault::Silent),
    }
    let mut setup = Setup {
        link,
        choice,
        patience,
        ready: Ready {
            found: Found::default(),
            profile: choice.at_first().clone(),
            acknowledges: false,
            storages: Storages::default(),
        },
    };
    for step in STEPS {
        setup.step(step).await?;
    }
    let ready = setup.ready;
    if ready.found.iccid.is_none() && ready.found.imsi.is_none() {
        return Err(Fault::NoSim(None));
    }
    Ok(ready)
}

struct Setup<'a> {
    link: &'a mut Link,
    choice: &'a Choice,
    patience: Patience,
    ready: Ready,
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
        let link = &mut *self.link;
        let Ready { found, profile, .. } = &mut self.ready;
        match task {
            Task::Plain(command) => link.run(*command).await?,
            Task::Maker => found.manufacturer = Some(link.run(&MANUFACTURER).await?),
            Task::Model => found.model = Some(link.run(&MODEL).await?),
            Task::Family => self.recognise().await?,
            Task::Imei => found.imei = Some(link.run(&SerialNumber).await?),
            Task::Pin => {
                let pin = link.run(&ReadPin(profile.pin_ending)).await?;
                if profile.pin_ending == Ending::FirstLine {
                    // Some of the family say OK all the same: it must not end the next question.
                    link.settle().await.map_err(LinkError::from)?;
                }
                if let Pin::Wanted(word) = pin {
                    return Err(Failed::Now(Fault::Locked(word)));
                }
            }
            Task::Card => {
                let commands = profile.card_identity.iter().cloned().map(CardIdentity);
                found.iccid = Some(first_answer(link, commands).await?);
            }
            Task::Subscriber => found.imsi = Some(link.run(&SubscriberIdentity).await?),
            Task::Service => {
                self.ready.acknowledges = routing::select_service(link, profile).await?;
            }
            Task::Storage => self.storages().await?,
            Task::Routing => {
                let reports = routing::route(link, profile).await;
                found.reports = Some(reports.map_err(LinkError::from)?);
            }
            Task::ServiceCentre => match link.run(&ReadServiceCentre).await? {
                Some(number) => found.service_centre = number.parse().ok(),
                None => return Err(Failed::Now(Fault::NoServiceCentre)),
            },
            Task::OwnNumber => {
                let numbers = link.run(&OwnNumbers).await?;
                found.number = numbers.iter().find_map(|number| number.parse().ok());
            }
            Task::Registration => registration::wait(link, self.patience.registration).await?,
            Task::Operator => found.operator = link.run(&ReadOperator).await?.name,
        }
        Ok(())
    }

    /// Takes the manners of the modem's family, and silences it.
    async fn recognise(&mut self) -> Result<(), LinkError> {
        let found = &mut self.ready.found;
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        let profile = (self.choice).of(&word(&found.manufacturer), &word(&found.model));
        self.ready.profile = profile.clone();
        found.profile = Some(profile.name.clone());
        for command in &profile.quiet {
            match self.link.run(&Given(command.clone())).await {
                Ok(()) => {}
                Err(LinkError::At(error)) => tracing::debug!(%error, "it goes on talking"),
                Err(lost @ LinkError::Lost(_)) => return Err(lost),
            }
        }
        Ok(())
    }

    /// Selects where what comes in goes, and asks where else something may lie.
    async fn storages(&mut self) -> Result<(), LinkError> {
        let mut taken = Err(LinkError::At(at::Error::Busy));
        for arguments in &self.ready.profile.storage {
            taken = self.link.run(&SelectStorage(arguments.clone())).await;
            match &taken {
                Ok(_) => {
                    self.ready.storages.select(arguments);
                    break;
                }
                Err(LinkError::Lost(_)) => break,
                Err(LinkError::At(_)) => {}
            }
        }
        taken?;
        // A modem that cannot tell has the one that was selected.
        match self.link.run(&ListStorages).await {
            Ok(lists) => self.ready.storages.list(&lists),
            Err(LinkError::At(_)) => {}
            Err(lost @ LinkError::Lost(_)) => return Err(lost),
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
