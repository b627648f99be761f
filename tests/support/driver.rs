//! The actor of one port with a scripted modem on its other end, its mailbox and its events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use simpost::modem::actor::{Actor, Settings};
use simpost::modem::at::messaging::HexPdu;
use simpost::modem::profile::{Choice, Profile, Profiles};
use simpost::modem::setup::Found;
use simpost::modem::status::{Roster, Status};
use simpost::modem::{Event, Host, Job, Outcome};
use simpost::sms::ids::{SimId, Token};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::script::{Heard, Pipes, Script};

/// All families that are compiled in.
pub fn families() -> Arc<Profiles> {
    Arc::new(Profiles::load(None).unwrap())
}

/// A family with some lines changed.
pub fn changed(name: &str, change: impl FnOnce(&mut Profile)) -> Choice {
    let mut profile = families().named(name).unwrap().clone();
    change(&mut profile);
    Choice::Fixed(Box::new(profile))
}

/// Writes nothing down, and allows what the test allows.
pub struct Desk {
    arm: bool,
    pub armed: Mutex<Vec<Token>>,
}

impl Host for Desk {
    async fn attach(&self, _: &str, found: &Found) -> Option<SimId> {
        assert_eq!(
            found.iccid.as_ref().map(ToString::to_string).as_deref(),
            Some("8938003992000000017")
        );
        Some(SimId(1))
    }

    async fn detach(&self, _: &str, _: SimId) {}

    async fn arm(&self, token: Token) -> bool {
        // As on disk: a while passes, and the modem's prompt may be faster.
        sleep(Duration::from_millis(5)).await;
        self.armed.lock().unwrap().push(token);
        self.arm
    }
}

pub struct Bench {
    pub jobs: mpsc::Sender<Job>,
    pub events: mpsc::Receiver<Event>,
    pub roster: Roster,
    pub heard: Heard,
    pub desk: Arc<Desk>,
    pub stop: CancellationToken,
    pub actor: JoinHandle<()>,
}

impl Bench {
    pub fn start(scripts: Vec<Script>) -> Self {
        Self::start_with(scripts, true)
    }

    pub fn start_with(scripts: Vec<Script>, arm: bool) -> Self {
        let heard = Heard::default();
        let port = Pipes::new("pipe", scripts, &heard);
        Self::start_on(port, Choice::Recognised(families()), arm)
    }

    /// One modem, taken for one of this family.
    pub fn start_as(manners: Choice, script: Script) -> Self {
        let heard = Heard::default();
        let port = Pipes::new("pipe", vec![script], &heard);
        Self::start_on(port, manners, true)
    }

    pub fn start_on(port: Pipes, manners: Choice, arm: bool) -> Self {
        let heard = port.heard.clone();
        let (jobs, inbox) = mpsc::channel(1);
        let (out, events) = mpsc::channel(16);
        let (roster, stop) = (Roster::default(), CancellationToken::new());
        let desk = Arc::new(Desk {
            arm,
            armed: Mutex::default(),
        });
        let actor = Actor {
            port: Box::new(port),
            manners,
            settings: Settings::default(),
            host: Arc::clone(&desk),
            events: out,
            roster: roster.clone(),
            stop: stop.clone(),
        };
        let actor = tokio::spawn(actor.run(inbox));
        Self {
            jobs,
            events,
            roster,
            heard,
            desk,
            stop,
            actor,
        }
    }

    pub async fn send(&self, token: i64) {
        self.send_from(token, 1).await;
    }

    pub async fn send_from(&self, token: i64, sim: i64) {
        self.hand_over(token, sim, false).await;
    }

    /// A part that others wait behind.
    pub async fn send_of_many(&self, token: i64) {
        self.hand_over(token, 1, true).await;
    }

    async fn hand_over(&self, token: i64, sim: i64, more: bool) {
        self.jobs.send(job(token, sim, more)).await.unwrap();
    }

    /// A long queue: the next part is there before the one before is out.
    pub fn queue(&self, parts: i64) {
        let jobs = self.jobs.clone();
        tokio::spawn(async move {
            for part in 1..=parts {
                jobs.send(job(part, 1, part < parts)).await.unwrap();
            }
        });
    }

    pub async fn event(&mut self) -> Event {
        let event = timeout(Duration::from_secs(3600), self.events.recv()).await;
        event
            .expect("told within an hour")
            .expect("the actor lives")
    }

    pub async fn outcome(&mut self) -> Outcome {
        match self.event().await {
            Event::Finished { outcome, .. } => outcome,
            other => panic!("{other:?} instead of an end"),
        }
    }

    pub async fn status_when(&self, wanted: impl Fn(&Status) -> bool) -> Status {
        let end = Instant::now() + Duration::from_secs(600);
        loop {
            if let Some(status) = self.roster.all().into_iter().find(&wanted) {
                return status;
            }
            assert!(Instant::now() < end, "never so: {:?}", self.roster.all());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

fn job(token: i64, sim: i64, more: bool) -> Job {
    Job {
        token: Token(token),
        sim: SimId(sim),
        tpdu_length: 3,
        pdu: HexPdu::of(&[0, 0x31, 0, 0x0C]),
        more,
    }
}
