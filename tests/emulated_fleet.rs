//! The shipped actors, scheduler, outcomes and SQL on emulated modems in memory, in virtual time: what
//! takes ten minutes of the modems' time takes seconds of ours. Judged by the ledger of the air.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail as its body does"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use simpost::admission::{self, Admission, Wish};
use simpost::clock::{Clock, Millis};
use simpost::emulator::{Emulator, Pipes, Plan, Settings};
use simpost::fleet::Fleet;
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

const RADIO: Duration = Duration::from_secs(3);

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

struct Gateway {
    store: Store,
    admission: Admission,
    roster: Roster,
    fleet: Fleet,
    emulator: Emulator,
    dir: TempDir,
}

impl Gateway {
    /// `modems` emulated modems that are up, all between them and the store, and `plan` in force.
    async fn start(modems: u16, plan: &str) -> Self {
        Self::start_on(modems, &[], plan).await
    }

    /// The same with modems of these families, taken in turn.
    async fn start_on(modems: u16, families: &[&str], plan: &str) -> Self {
        let clock = Clock::following_runtime(Millis(1_795_000_000_000));
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(modems, "unused");
        settings.ledger = Some(dir.path().join("ledger.jsonl"));
        settings.plan = plan.parse().unwrap();
        settings.profiles = families.iter().map(ToString::to_string).collect();
        settings.radio = RADIO;
        settings.clock = clock;
        let (emulator, pipes) = Emulator::in_memory(&settings).unwrap();
        let store = Store::in_task().unwrap();
        let (sims_out, sims) = mpsc::channel(64);
        let (ended_out, ended) = mpsc::channel(64);
        let (events, inbox) = mpsc::channel(64);
        let roster = Roster::default();
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
        let profiles = Arc::new(Profiles::load(None).unwrap());
        for number in 0..modems {
            let name = format!("modem{number}");
            let port = Box::new(Port {
                name,
                pipes: pipes.clone(),
            });
            let settings = actor::Settings::default();
            let manners = Choice::Recognised(Arc::clone(&profiles));
            fleet.employ(port, manners, settings, events.clone());
        }
        let admission = Admission::new(store.clone(), clock, admission::Settings::default());
        let gateway = Self {
            store,
            admission,
            roster,
            fleet,
            emulator,
            dir,
        };
        gateway.until_up(Duration::from_secs(60)).await;
        gateway
    }

    /// Waits until every modem can send; gives how long that took.
    async fn until_up(&self, longest: Duration) -> Duration {
        let begun = Instant::now();
        while !self.roster.all().iter().all(Status::can_send) {
            assert!(begun.elapsed() < longest, "not up: {:?}", self.roster.all());
            sleep(Duration::from_millis(100)).await;
        }
        begun.elapsed()
    }

    async fn wish(&self, to: &str, text: &str) -> MessageId {
        let admitted = self.admission.admit(Wish::new(to, text)).await;
        admitted.unwrap().into_message().id
    }

    async fn message(&self, id: MessageId) -> Message {
        self.store.message(id).await.unwrap().unwrap()
    }

    /// Waits for the end of `id`; gives it, or where it stands after `longest`.
    async fn end(&self, id: MessageId, longest: Duration) -> MessageState {
        let begun = Instant::now();
        loop {
            let state = self.message(id).await.state;
            let open = [
                MessageState::Queued,
                MessageState::Sending,
                MessageState::Sent,
                MessageState::Uncertain,
            ];
            if !open.contains(&state) || begun.elapsed() > longest {
                return state;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    fn ledger(&self) -> PathBuf {
        self.dir.path().join("ledger.jsonl")
    }

    /// How often the network took a part, by recipient.
    fn taken(&self) -> BTreeMap<String, usize> {
        let mut taken = BTreeMap::new();
        for line in std::fs::read_to_string(self.ledger()).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["event"] == "submit" && line["outcome"] != "refused" {
                let recipient = line["recipient"].as_str().unwrap().to_owned();
                *taken.entry(recipient).or_default() += 1;
            }
        }
        taken
    }

    /// The numbers of the parts of each long text as they went on the air, by recipient.
    fn sequences(&self) -> BTreeMap<String, Vec<u8>> {
        let mut sequences: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for line in std::fs::read_to_string(self.ledger()).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let hex = line["pdu"].as_str().unwrap_or_default();
            // An element of 3 octets: concatenated short messages (TS 23.040, 9.2.3.24.1).
            if let (true, Some(place)) = (line["event"] == "submit", hex.find("050003")) {
                let number = u8::from_str_radix(&hex[place + 10..place + 12], 16).unwrap();
                let recipient = line["recipient"].as_str().unwrap().to_owned();
                sequences.entry(recipient).or_default().push(number);
            }
        }
        sequences
    }

    async fn stop(self) {
        self.fleet.stop().await;
        self.emulator.stop().await;
    }
}

/// Leaves the ledger for foreign decoders, with what they must find in it.
fn leave_ledger(gateway: &Gateway, name: &str, texts: &[(String, String)]) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let dir = target.join("ledgers");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::copy(gateway.ledger(), dir.join(format!("{name}.jsonl"))).unwrap();
    let pair = |(to, text): &(String, String)| json!({"to": to, "text": text});
    let expected: Vec<Value> = texts.iter().map(pair).collect();
    let path = dir.join(format!("{name}.expected.json"));
    std::fs::write(path, json!(expected).to_string()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn sixty_four_modems_send_for_ten_minutes() {
    const MODEMS: u16 = 64;
    /// As many parts as fit into the time: ten minutes at one part in three seconds.
    const EACH: usize = 200;
    let gateway = Gateway::start(MODEMS, "").await;
    let count = usize::from(MODEMS) * EACH;
    let text = |number: usize| {
        let to = format!("+38067{number:07}");
        (to, format!("Замовлення {number}"))
    };
    let texts: Vec<(String, String)> = (0..count).map(text).collect();
    let begun = Instant::now();
    for (to, text) in &texts {
        gateway.wish(to, text).await;
    }
    let radio = RADIO * u32::try_from(EACH).unwrap();
    let sent = || {
        gateway
            .roster
            .all()
            .iter()
            .map(|modem| modem.accepted)
            .sum::<u64>()
    };
    while sent() < count as u64 {
        assert!(begun.elapsed() < radio * 2, "{} of {count} sent", sent());
        sleep(Duration::from_secs(1)).await;
    }
    let took = begun.elapsed();
    assert!(
        took < radio + radio / 50,
        "{took:?} for {radio:?} of radio time"
    );
    sleep(RADIO * 2).await;
    let taken = gateway.taken();
    assert_eq!(taken.len(), count);
    assert!(taken.values().all(|times| *times == 1));
    leave_ledger(&gateway, "ten-minutes", &texts);
    gateway.stop().await;
}

/// A text of about `parts` parts: GSM 7-bit, with its extension table, Cyrillic or emoji, by its number.
fn mixed(number: usize, parts: usize) -> String {
    // The second number: how often the words fit into a part.
    let (words, often) = match number % 4 {
        0 => ("plain words ", 12),
        1 => ("{ext} ", 18),
        2 => ("слова ", 11),
        _ => ("🙂ok ", 13),
    };
    let long = words.repeat(often * parts - often / 2);
    format!("{number}: {}", long.trim_end())
}

#[tokio::test(start_paused = true)]
async fn mixed_texts_through_eight_families_arrive_once_and_in_order() {
    const FAMILIES: &[&str] = &[
        "generic",
        "huawei",
        "zte",
        "simcom_2g",
        "simcom",
        "quectel",
        "telit",
        "cinterion",
    ];
    let long = std::env::var_os("SIMPOST_LONG").is_some();
    let count = if long { 1000 } else { 200 };
    let gateway = Gateway::start_on(8, FAMILIES, "").await;
    let text = |number| (format!("+38067{number:07}"), mixed(number, number % 10 + 1));
    let texts: Vec<(String, String)> = (0..count).map(text).collect();
    let mut ids = Vec::new();
    for (to, text) in &texts {
        ids.push(gateway.wish(to, text).await);
    }
    let (mut sizes, mut wanted) = (BTreeSet::new(), BTreeMap::new());
    for ((to, text), id) in texts.iter().zip(ids) {
        let state = gateway.end(id, Duration::from_secs(3600 * 4)).await;
        let message = gateway.message(id).await;
        assert_eq!(state, MessageState::Delivered, "{message:?}");
        assert_eq!(&message.text, text);
        sizes.insert(message.parts.len());
        wanted.insert(to.clone(), message.parts.len());
    }
    assert_eq!(gateway.taken(), wanted);
    assert_eq!(sizes, (1..=10).collect());
    let sequences = gateway.sequences();
    assert_eq!(sequences.len(), count * 9 / 10);
    for (to, numbers) in sequences {
        let whole: Vec<u8> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, whole, "{to}");
    }
    leave_ledger(&gateway, "eight-families", &texts);
    gateway.stop().await;
}

const STEPS: &[&str] = &[
    "at = 'command'; command = '+CMGS'",
    "at = 'prompt'",
    "at = 'payload'",
    "at = 'ctrl_z'",
    "at = 'air'",
    "at = 'result'",
    "at = 'unsolicited'",
];
const FAULTS: &[&str] = &[
    "do = 'silence'",
    "do = 'late'; ms = 4000",
    // Longer than a network may take to answer.
    "do = 'late'; ms = 250000",
    "do = 'torn'",
    "do = 'torn'; ms = 2000",
    "do = 'doubled'",
    "do = 'garbage'",
    "do = 'error'; error = '+CMS ERROR: 42'",
    "do = 'error'; error = '+CMS ERROR: 500'",
    "do = 'error'; error = 'ERROR'",
    "do = 'reset'",
    "do = 'unplug'; ms = 5000",
    "do = 'sim_out'; ms = 5000",
    "do = 'sim_full'; ms = 5000",
    "do = 'network_lost'; ms = 5000",
];

/// How often the network may take a text whose send meets `fault` at `step`, at least and at most.
fn may_be_taken(step: &str, fault: &str) -> (usize, usize) {
    let spoilt = ["silence", "torn", "doubled", "garbage"];
    let after_the_payload = ["'payload'", "'ctrl_z'", "'air'", "'result'"];
    let is = |of: &[&str], what: &str| of.iter().any(|it| what.contains(it));
    if step.contains("'payload'") && is(&spoilt, fault) {
        // What came in is no PDU: the modem itself refuses it, for good.
        return (0, 0);
    }
    // Taken, and the answer cannot come in time, if at all: sent once more after the grace.
    let unknown = is(&after_the_payload, step) && fault.contains("250000")
        || step.contains("'result'") && fault.contains("reset");
    // Taken, and the modem says that it was refused.
    let lied = step.contains("'result'") && fault.contains(": 42");
    (1, if unknown || lied { 2 } else { 1 })
}

#[tokio::test(start_paused = true)]
async fn no_fault_at_any_step_of_a_send_loses_or_doubles_it() {
    /// The limit of an answer and the grace after a silence, with room for both sends.
    const LONGEST: Duration = Duration::from_secs(600);
    /// Until the port is of use again.
    const USABLE: Duration = Duration::from_secs(60);
    let mut tried = 0;
    for (step, fault) in STEPS
        .iter()
        .flat_map(|step| FAULTS.iter().map(move |it| (step, it)))
    {
        let keys = format!("{step}; {fault}; nth = 2");
        let plan = format!("[[fault]]\n{}\n", keys.replace("; ", "\n"));
        if plan.parse::<Plan>().is_err() {
            // On the air there are no bytes to spoil.
            continue;
        }
        tried += 1;
        let gateway = Gateway::start(1, &plan).await;
        let first = gateway.wish("+380670000000", "As usual").await;
        gateway.end(first, USABLE).await;
        let troubled = gateway.wish("+380670000001", "Your order is ready").await;
        let state = gateway.end(troubled, LONGEST).await;
        let next = gateway.wish("+380670000002", "And one more").await;
        let after = gateway.end(next, USABLE).await;

        let (least, most) = may_be_taken(step, fault);
        let taken = gateway.taken();
        let times = taken.get("+380670000001").copied().unwrap_or(0);
        assert!(
            (least..=most).contains(&times),
            "{keys}: taken {times} times, {state:?}"
        );
        let ends: &[MessageState] = match least {
            0 => &[MessageState::Failed],
            _ => &[MessageState::Delivered, MessageState::Sent],
        };
        assert!(ends.contains(&state), "{keys}: {state:?}");
        let good = [MessageState::Delivered, MessageState::Sent];
        assert!(good.contains(&after), "{keys}: then {after:?}");
        assert_eq!(taken.get("+380670000002"), Some(&1), "{keys}");
        gateway.stop().await;
    }
    assert_eq!(
        tried,
        STEPS.len() * FAULTS.len() - 4,
        "but the four of the air"
    );
}
