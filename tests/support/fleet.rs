//! The shipped actors, scheduler, outcomes and SQL on emulated modems in memory, in virtual time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use simpost::admission::{self, Admission, Wish};
use simpost::clock::{Clock, Millis};
use simpost::emulator::{Emulator, Pipes, Settings};
use simpost::fleet::Fleet;
use simpost::modem::Event;
use simpost::modem::actor;
use simpost::modem::port::{Connect, Connecting, Line, OpenError, Wire};
use simpost::modem::profile::{Choice, Profiles};
use simpost::modem::status::{Roster, Status};
use simpost::scheduler::Wiring;
use simpost::sms::ids::MessageId;
use simpost::sms::state::MessageState;
use simpost::store::{Message, Store};
use simpost::{housekeeper, outcomes, scheduler};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::air::Ledger;

/// Time of one part on the air.
pub const RADIO: Duration = Duration::from_secs(3);
/// The wall time at which every gateway starts.
pub const START: Millis = Millis(1_795_000_000_000);

/// The port of an emulated modem, as the driver opens it.
struct Port {
    name: String,
    pipes: Pipes,
}

impl Connect for Port {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn line(&self) -> Line {
        Line::Memory
    }

    fn connect(&self, _: u32) -> Connecting<'_> {
        let absent = || OpenError::Absent(PathBuf::from(&self.name));
        let opened = self.pipes.open(&self.name).map_err(|_| absent());
        Box::pin(async move { Ok(Box::new(opened?) as Box<dyn Wire>) })
    }
}

/// Emulated modems, and all that lies between them and the store.
pub struct Gateway {
    pub store: Store,
    pub roster: Roster,
    pub clock: Clock,
    pub pipes: Pipes,
    modems: u16,
    admission: Admission,
    fleet: Fleet,
    events: mpsc::Sender<Event>,
    profiles: Arc<Profiles>,
    emulator: Emulator,
    dir: TempDir,
}

impl Gateway {
    /// `modems` emulated modems of these families (taken in turn; none: generic) that are up, and `plan` in force.
    pub async fn start(modems: u16, families: &[&str], plan: &str) -> Self {
        let gateway = Self::plugged(modems, families, plan);
        gateway.until_up(Duration::from_secs(60)).await;
        gateway
    }

    /// The same, not waited for.
    pub fn plugged(modems: u16, families: &[&str], plan: &str) -> Self {
        let clock = Clock::following_runtime(START);
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(modems, "unused");
        settings.ledger = Some(dir.path().join("ledger.jsonl"));
        settings.plan = plan.parse().unwrap();
        settings.profiles = families.iter().map(ToString::to_string).collect();
        settings.radio = RADIO;
        settings.clock = clock;
        let (emulator, pipes) = Emulator::in_memory(&settings).unwrap();
        let store = Store::in_task().unwrap();
        let roster = Roster::default();
        let (fleet, events) = movers(&store, clock, &roster);
        let admission = Admission::new(store.clone(), clock, admission::Settings::default());
        let gateway = Self {
            store,
            roster,
            clock,
            pipes,
            modems,
            admission,
            fleet,
            events,
            profiles: Arc::new(Profiles::load(None).unwrap()),
            emulator,
            dir,
        };
        for number in 0..modems {
            gateway.employ(&format!("modem{number}"));
        }
        gateway
    }

    /// Has the port `name` looked after, whether something is plugged in there or not.
    pub fn employ(&self, name: &str) {
        let (name, pipes) = (name.to_owned(), self.pipes.clone());
        let manners = Choice::Recognised(Arc::clone(&self.profiles));
        let settings = actor::Settings::default();
        let port = Box::new(Port { name, pipes });
        self.fleet
            .employ(port, manners, settings, self.events.clone());
    }

    /// Waits until every modem can send; gives how long that took.
    pub async fn until_up(&self, longest: Duration) -> Duration {
        let begun = Instant::now();
        let up = || {
            let all = self.roster.all();
            all.iter().filter(|it| Status::can_send(it)).count()
        };
        while up() < usize::from(self.modems) {
            assert!(begun.elapsed() < longest, "not up: {:?}", self.roster.all());
            sleep(Duration::from_millis(100)).await;
        }
        begun.elapsed()
    }

    /// Wishes that `text` goes to `to`, with a report.
    pub async fn wish(&self, to: &str, text: &str) -> MessageId {
        let admitted = self.admission.admit(Wish::new(to, text)).await;
        admitted.unwrap().into_message().id
    }

    pub async fn message(&self, id: MessageId) -> Message {
        self.store.message(id).await.unwrap().unwrap()
    }

    /// Waits for the end of `id`; gives it, or where it stands after `longest`.
    pub async fn end(&self, id: MessageId, longest: Duration) -> MessageState {
        let begun = Instant::now();
        loop {
            let state = self.message(id).await.state;
            if state.is_final() || begun.elapsed() > longest {
                return state;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// What went over the air so far.
    pub fn ledger(&self) -> Ledger {
        Ledger::read(&self.ledger_file())
    }

    pub fn ledger_file(&self) -> PathBuf {
        self.dir.path().join("ledger.jsonl")
    }

    /// Leaves the ledger for foreign decoders, with what they must find in it.
    pub fn leave_ledger(&self, name: &str, texts: &[(String, String)]) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let dir = target.join("ledgers");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::copy(self.ledger_file(), dir.join(format!("{name}.jsonl"))).unwrap();
        let pair = |(to, text): &(String, String)| json!({"to": to, "text": text});
        let expected: Vec<Value> = texts.iter().map(pair).collect();
        let path = dir.join(format!("{name}.expected.json"));
        std::fs::write(path, json!(expected).to_string()).unwrap();
    }

    pub async fn stop(self) {
        self.fleet.stop().await;
        self.emulator.stop().await;
    }
}

/// What moves texts from the store to the modems and back, wired as the daemon does it.
fn movers(store: &Store, clock: Clock, roster: &Roster) -> (Fleet, mpsc::Sender<Event>) {
    let (sims_out, sims) = mpsc::channel(64);
    let (ended_out, ended) = mpsc::channel(64);
    let (events, inbox) = mpsc::channel(64);
    let fleet = Fleet::new(store.clone(), clock, roster.clone(), sims_out);
    let stop = CancellationToken::new();
    let wiring = Wiring {
        store: store.clone(),
        clock,
        hand_over: Arc::new(fleet.hand_over()),
        sims,
        ended,
        stop: stop.clone(),
    };
    tokio::spawn(scheduler::run(wiring));
    let refusals = outcomes::Settings::default();
    tokio::spawn(outcomes::run(
        store.clone(),
        clock,
        refusals,
        inbox,
        ended_out,
    ));
    let silence = housekeeper::Settings::default();
    tokio::spawn(housekeeper::run(store.clone(), clock, silence, stop));
    (fleet, events)
}
