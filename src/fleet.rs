//! Owns the modem actors: starts one per port, knows which SIM sits where, hands parts to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::modem::actor::{Actor, Settings};
use crate::modem::port::Connect;
use crate::modem::profile::Choice;
use crate::modem::setup::Found;
use crate::modem::status::Roster;
use crate::modem::{Event, Host, Job};
use crate::routing::seats::SimNews;
use crate::sms::ids::{SimId, Token};
use crate::store::{ModemIdentity, SimIdentity, Store};

/// The modems of this machine.
pub struct Fleet {
    desk: Arc<Desk>,
    actors: TaskTracker,
    stop: CancellationToken,
}

/// What actors ask, answered from the store.
struct Desk {
    store: Store,
    clock: Clock,
    roster: Roster,
    sims: mpsc::Sender<SimNews>,
    places: Mutex<Places>,
}

/// Mailboxes by port, and the ports at which each SIM can send: several ttys of one stick show one SIM.
#[derive(Default)]
struct Places {
    mailboxes: HashMap<String, mpsc::Sender<Job>>,
    ports: HashMap<SimId, Vec<String>>,
}

impl Fleet {
    /// A fleet without modems. SIMs that come and go are told to `sims`.
    pub fn new(store: Store, clock: Clock, roster: Roster, sims: mpsc::Sender<SimNews>) -> Self {
        let places = Mutex::default();
        let desk = Arc::new(Desk {
            store,
            clock,
            roster,
            sims,
            places,
        });
        Self {
            desk,
            actors: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Starts the actor of a port.
    pub fn employ(
        &self,
        port: Box<dyn Connect>,
        manners: Choice,
        settings: Settings,
        events: mpsc::Sender<Event>,
    ) {
        // A SIM gets its next part only after the end of the last one.
        let (mailbox, jobs) = mpsc::channel(1);
        self.desk.places().mailboxes.insert(port.name(), mailbox);
        self.desk.roster.update(&port.name(), |_| {});
        let actor = Actor {
            port,
            manners,
            settings,
            host: Arc::clone(&self.desk),
            events,
            roster: self.desk.roster.clone(),
            stop: self.stop.clone(),
        };
        self.actors.spawn(actor.run(jobs));
    }

    /// The way for parts to the modems: comes back with the part when its SIM is away.
    pub fn hand_over(&self) -> impl Fn(Job) -> Result<(), Job> + Send + Sync + use<> {
        let desk = Arc::clone(&self.desk);
        move |job| desk.hand_over(job)
    }

    /// Lets every actor end the part in the air and waits for them.
    pub async fn stop(self) {
        self.stop.cancel();
        self.actors.close();
        self.actors.wait().await;
    }
}

impl Desk {
    fn places(&self) -> std::sync::MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_over(&self, job: Job) -> Result<(), Job> {
        let places = self.places();
        let port = places.ports.get(&job.sim).and_then(|ports| ports.last());
        let mailbox = port.and_then(|port| places.mailboxes.get(port));
        match mailbox {
            Some(mailbox) => mailbox
                .try_send(job)
                .map_err(mpsc::error::TrySendError::into_inner),
            None => Err(job),
        }
    }

    async fn register(&self, found: &Found) -> Result<Option<SimId>, crate::store::Error> {
        let now = self.clock.now();
        if let Some(imei) = found.imei.clone() {
            let (manufacturer, model) = (found.manufacturer.clone(), found.model.clone());
            self.store
                .modem_seen(
                    ModemIdentity {
                        imei,
                        manufacturer,
                        model,
                    },
                    now,
                )
                .await?;
        }
        let identity = match (found.iccid.clone(), found.imsi.clone()) {
            (Some(iccid), imsi) => SimIdentity::Card(iccid, imsi),
            (None, Some(imsi)) => SimIdentity::Subscriber(imsi),
            (None, None) => return Ok(None),
        };
        self.store.sim_seen(identity, now).await.map(Some)
    }

    async fn announce(&self, news: SimNews) {
        // Nobody listens only while the daemon stops.
        let _ = self.sims.send(news).await;
    }
}

impl Host for Desk {
    async fn attach(&self, port: &str, found: &Found) -> Option<SimId> {
        match self.register(found).await {
            Ok(Some(sim)) => {
                let others = {
                    let mut places = self.places();
                    let ports = places.ports.entry(sim).or_default();
                    ports.push(port.to_owned());
                    ports.len() - 1
                };
                if others > 0 {
                    tracing::warn!(
                        sim = sim.0,
                        port,
                        "another port shows the same SIM: name only one port of each modem"
                    );
                }
                self.announce(SimNews::Up(sim)).await;
                Some(sim)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::error!(port, %error, "a modem cannot be taken in: its SIM could not be written down");
                None
            }
        }
    }

    async fn detach(&self, port: &str, sim: SimId) {
        let gone = {
            let mut places = self.places();
            let ports = places.ports.entry(sim).or_default();
            ports.retain(|holder| holder != port);
            ports.is_empty()
        };
        if gone {
            self.announce(SimNews::Down(sim)).await;
        }
    }

    async fn arm(&self, token: Token) -> bool {
        match self.store.arm(token, self.clock.now()).await {
            Ok(armed) => armed,
            Err(error) => {
                tracing::error!(%error, "an attempt could not be armed, so its part is not sent");
                false
            }
        }
    }
}
