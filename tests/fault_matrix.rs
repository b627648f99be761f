//! Every fault of the plan's grammar at every step of a send, on every family, with and without a queue
//! behind it. Judged by the ledger of the air: nothing twice, nothing lost, the port of use again.
//!
//! By default each pair of a step and a fault meets some of the families, and all families meet all faults
//! and all steps; with `SIMPOST_LONG` set each pair meets all of them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's helpers fail as its body does"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
#[path = "support/air.rs"]
mod air;
#[expect(dead_code, reason = "each test file uses a part of it")]
#[path = "support/fleet.rs"]
mod fleet;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use air::{Ledger, Part, flaw};
use fleet::{Gateway, START};
use simpost::emulator::{Pipes, Plan};
use simpost::modem::status::{Roster, Status};
use simpost::sms::ids::MessageId;
use simpost::sms::state::MessageState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

/// From the end of a fault until the port is of use again: texts that wait for it go on.
const USABLE: Duration = Duration::from_secs(90);
/// The longest that an answer is waited for behind Ctrl-Z.
const ANSWER: Duration = Duration::from_secs(180);
/// More than any fault, answer and grace need together.
const END: Duration = Duration::from_secs(1500);
/// A person needs some time to come and type the PIN.
const PERSON: Duration = Duration::from_secs(60);
/// Past the look at the signal that an idle modem gets each minute.
const IDLE: Duration = Duration::from_secs(65);
/// Of so many cases one is tried where there is no time for all.
const SHARE: usize = 5;

/// The words that the grammar knows for `key`, as it tells them to who writes a wrong one.
fn words(key: &str) -> Vec<String> {
    let wrong = format!("[[fault]]\n{key} = 'nonsense'\n").parse::<Plan>();
    let complaint = wrong.unwrap_err().problem;
    let (_, known) = complaint.split_once("expected one of ").unwrap();
    let word = |word: &str| word.trim_matches('`').to_owned();
    known.split(", ").map(word).collect()
}

/// The keys with which a fault is tried at a step.
fn variants(step: &str, fault: &str) -> Vec<String> {
    let busy = "error = '+CMS ERROR: 42'";
    // Nobody can tell whether the part is out.
    let dark = [
        "error = '+CMS ERROR: 500'",
        "error = '+CME ERROR: 100'",
        "error = 'ERROR'",
    ];
    let keys: &[&str] = match (step, fault) {
        // The second one: later than a network may answer.
        (_, "late") => &["ms = 4000", "ms = 250000"],
        (_, "torn") => &["", "ms = 2000"],
        (_, "error") => &[busy, dark[0], dark[1], dark[2]],
        (_, "unplug") => &["ms = 5000", "ms = 5000; as = 'modem7'"],
        (_, "sim_out" | "sim_full" | "network_lost") => &["ms = 5000"],
        _ => &[""],
    };
    let variant = |keys: &&str| format!("do = '{fault}'; {keys}");
    keys.iter().map(variant).collect()
}

fn plan(keys: &str) -> String {
    format!("[[fault]]\n{}\n", keys.replace("; ", "\n"))
}

/// What a modem of a family is asked and says when nothing goes wrong: how often before its first report,
/// and whether afterwards too.
#[derive(Default)]
struct Met {
    before: BTreeMap<(String, String), usize>,
    after: BTreeSet<(String, String)>,
}

impl Met {
    fn of(family: &str, queue: bool) -> Self {
        // What befalls nobody leaves a line in the ledger all the same.
        let rule = |step| plan(&format!("at = '{step}'; do = 'network_back'"));
        let plan = rule("answer") + &rule("unsolicited");
        let case = Case::new(family, "", &plan, queue);
        let ledger = runtime().block_on(case.serve()).ledger;
        let first = ledger.reports[0].line;
        let mut met = Self::default();
        for strike in ledger.strikes {
            let what = (strike.step, strike.command);
            // A report's own line may come right behind the report.
            if strike.line < first || what.1.starts_with("+CDS") && met.after.is_empty() {
                *met.before.entry(what).or_default() += 1;
            } else {
                met.after.insert(what);
            }
        }
        met
    }

    fn asks(&self, command: &str) -> bool {
        self.after.iter().any(|(_, asked)| asked == command)
    }

    /// The keys by which `step` is met once: for the nth part where that counts, and in the `number`th
    /// step of bring-up.
    fn places(&self, step: &str, nth: usize, number: usize) -> Vec<String> {
        let asked =
            |((of, _), times): (&(String, String), &usize)| (of == "answer").then_some(*times);
        let all: usize = self.before.iter().filter_map(asked).sum();
        let in_bring_up = format!("nth = {}", 1 + number % all);
        let next = |what: &(String, String)| {
            let before = self.before.get(what).copied().unwrap_or_default();
            format!("command = '{}'; nth = {}", what.1, before + 1)
        };
        let later = self.after.iter().filter(|(of, _)| of == step).map(next);
        let keys: Vec<String> = match step {
            "command" => vec![format!("command = '+CMGS'; nth = {nth}"), in_bring_up],
            "answer" => later.chain([in_bring_up]).collect(),
            "unsolicited" => later.collect(),
            _ => vec![format!("nth = {nth}")],
        };
        let place = |keys: String| format!("at = '{step}'; {keys}");
        keys.into_iter().map(place).collect()
    }
}

/// One fault at one step, on one modem.
struct Case {
    family: String,
    step: String,
    keys: String,
    plan: String,
    /// Whether five texts wait behind the first one, of which two are long.
    queue: bool,
    /// Whether the modem wants to hear that its client has what it handed over.
    acknowledges: bool,
    /// Where it lies in the table of families, steps and faults.
    diagonal: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = if self.queue { "queue" } else { "idle" };
        write!(f, "{}, {queue}: {}", self.family, self.keys)
    }
}

/// What came of a case.
struct Served {
    ledger: Ledger,
    /// Recipient, words, milliseconds since 1970 at which it was wished, and the end of each text.
    texts: Vec<(String, String, i64, MessageState)>,
}

impl Case {
    fn new(family: &str, step: &str, keys: &str, queue: bool) -> Self {
        let plan = if keys.starts_with('[') {
            keys.to_owned()
        } else {
            plan(keys)
        };
        let (family, step, keys) = (family.to_owned(), step.to_owned(), keys.to_owned());
        Self {
            family,
            step,
            keys,
            plan,
            queue,
            acknowledges: false,
            diagonal: 0,
        }
    }

    fn has(&self, fault: &str) -> bool {
        self.keys.contains(&format!("do = '{fault}'"))
    }

    /// The texts that meet the fault.
    fn texts(&self) -> Vec<String> {
        let texts = [
            "Your order is ready".to_owned(),
            "Ваше замовлення {7} готове, ".repeat(8),
            "Thanks".to_owned(),
            "Come again [soon] ".repeat(14),
            "🙂".to_owned(),
        ];
        texts
            .into_iter()
            .take(if self.queue { 5 } else { 1 })
            .collect()
    }

    async fn serve(&self) -> Served {
        let gateway = Gateway::plugged(1, &[&self.family], &self.plan);
        gateway.employ("modem7");
        if self.has("sim_locked") {
            tokio::spawn(unlock(gateway.roster.clone(), gateway.pipes.clone()));
        }
        gateway.until_up(END).await;
        let mut desk = Desk {
            gateway,
            wished: Vec::new(),
        };
        desk.wish("As usual").await;
        desk.until_all_ended().await;
        if !self.queue {
            sleep(IDLE).await;
        }
        for text in self.texts() {
            desk.wish(&text).await;
        }
        if self.queue || self.step == "unsolicited" {
            desk.until_all_ended().await;
        }
        // Otherwise at once: it shows when the port is of use again.
        desk.wish("And one more").await;
        desk.until_all_ended().await;
        desk.close().await
    }

    /// All that is wrong.
    async fn complaints(&self) -> Vec<String> {
        let served = self.serve().await;
        let mut complaints = Vec::new();
        if served.ledger.strikes.len() != 1 {
            complaints.push(format!("struck {} times", served.ledger.strikes.len()));
            return complaints;
        }
        let mut unheard = 0;
        for text in &served.texts {
            let (complaint, delivered) = self.judge(&served.ledger, text);
            complaints.extend(complaint);
            unheard += usize::from(!delivered);
        }
        if unheard > self.may_be_unheard() {
            complaints.push(format!(
                "{unheard} texts with good reports are not delivered"
            ));
        }
        let taken = served.ledger.taken();
        let is_plain = |(to, words, ..): &&(String, String, i64, MessageState)| {
            let parts = taken.get(to.as_str());
            parts.is_some_and(|parts| flaw(parts, words).is_none())
        };
        let plain = served.texts.iter().filter(is_plain).count();
        if plain + 1 < served.texts.len() {
            complaints.push(format!(
                "only {plain} texts went out in order, each part once"
            ));
        }
        complaints.extend(self.judge_time(&served));
        complaints
    }

    /// What is wrong with a text, and whether it is delivered where its reports say so.
    fn judge(
        &self,
        ledger: &Ledger,
        text: &(String, String, i64, MessageState),
    ) -> (Option<String>, bool) {
        let (to, words, _, state) = text;
        let taken = ledger.taken().remove(to.as_str()).unwrap_or_default();
        let spoilt = ["silence", "torn", "doubled", "garbage"];
        let mut goings: BTreeMap<u8, Vec<&Part>> = BTreeMap::new();
        for part in taken {
            goings.entry(part.number()).or_default().push(part);
        }
        let once: String = goings.values().map(|them| them[0].text.as_str()).collect();
        let lost = [MessageState::Failed, MessageState::Undelivered].contains(state);
        if lost && self.step == "payload" && spoilt.iter().any(|it| self.has(it)) {
            // What came in is no PDU: the modem itself refuses it, for good.
            return (
                (once == *words).then(|| format!("{to}: {state}, yet it went out")),
                true,
            );
        }
        if once != *words {
            return (Some(format!("{to}: {state}, went out as {once:?}")), true);
        }
        for (number, them) in &goings {
            if them.len() > 1 && !(them.len() == 2 && self.evidence_is_gone(ledger, them[0])) {
                let times: Vec<i64> = them.iter().map(|it| it.at - START.0).collect();
                return (
                    Some(format!("{to}: part {number} went out at {times:?}")),
                    true,
                );
            }
        }
        let reported = goings
            .values()
            .all(|them| them.iter().any(|part| ledger.is_reported(part)));
        match state {
            MessageState::Delivered => (None, true),
            MessageState::Sent => (None, !reported),
            _ => (Some(format!("{to}: {state}")), true),
        }
    }

    /// How many texts may miss a report that came to the modem.
    fn may_be_unheard(&self) -> usize {
        if self.acknowledges && (self.step == "unsolicited" || self.has("late")) {
            // Until the report that was spoilt, or kept from its client by a silence, is acknowledged the
            // modem hands over nothing.
            usize::MAX
        } else {
            // The report that was spoilt, or under way when its port went. Where the port is closed because
            // the modem answers nothing for minutes, or has no card, it is told to nobody what comes then.
            let closed = self.has("sim_locked") || self.keys.contains("ms = 250000");
            let spoilt = self.step == "unsolicited" || self.has("reset") || self.has("unplug");
            usize::from(spoilt) + 2 * usize::from(closed)
        }
    }

    /// Can nobody know that the network took `part`? Its answer was on the way when the modem lost its memory,
    /// and the report found a modem that nobody had told yet where reports go. Or an error stood in the place of
    /// a report, and was taken for the answer: until somebody acknowledges that report, those behind it wait.
    fn evidence_is_gone(&self, ledger: &Ledger, part: &Part) -> bool {
        let forgets = self.has("reset") || self.has("unplug");
        let gone = forgets && !ledger.is_reported(part);
        let kept_back = self.acknowledges && self.has("error");
        self.step == "result" && gone || self.step == "unsolicited" && kept_back
    }

    /// Whether texts go on within the stated time.
    fn judge_time(&self, served: &Served) -> Option<String> {
        let strike = &served.ledger.strikes[0];
        let ms = self
            .keys
            .split_once("ms = ")
            .map(|(_, ms)| ms.split(';').next().unwrap());
        let mut end = strike.at + ms.map_or(0, |ms| ms.parse().unwrap());
        let behind = ["payload", "ctrl_z", "air", "result", "unsolicited"];
        // An answer is waited for; a modem that has started anew does not tell, unless it says so.
        let owes = ["silence", "late", "torn", "garbage", "reset"];
        if behind.contains(&self.step.as_str()) && owes.iter().any(|it| self.has(it)) {
            end += millis(ANSWER);
        }
        if self.has("sim_locked") {
            end += millis(PERSON);
        }
        let mut later = served
            .ledger
            .parts
            .iter()
            .filter(|part| part.line > strike.line);
        let one_more = &served.texts.last()?.0;
        let next = if self.queue {
            later.next()
        } else {
            later.find(|part| part.to == *one_more)
        };
        let next = next?;
        let wished = served.texts.iter().find(|(to, ..)| *to == next.to)?.2;
        let took = next.at - end.max(wished);
        (took > millis(USABLE)).then(|| format!("of use again only after {took} ms"))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap()
}

/// Who wishes texts, and waits for what becomes of them.
struct Desk {
    gateway: Gateway,
    wished: Vec<(String, String, i64, MessageId)>,
}

impl Desk {
    async fn wish(&mut self, text: &str) {
        let (to, text) = (
            format!("+38067000000{}", self.wished.len()),
            text.trim_end(),
        );
        let id = self.gateway.wish(&to, text).await;
        let now = self.gateway.clock.now().0;
        self.wished.push((to, text.to_owned(), now, id));
    }

    async fn until_all_ended(&self) {
        for (.., id) in &self.wished {
            self.gateway.end(*id, END).await;
        }
    }

    async fn close(self) -> Served {
        let mut texts = Vec::new();
        for (to, text, at, id) in self.wished {
            let state = self.gateway.message(id).await.state;
            texts.push((to, text, at, state));
        }
        let ledger = self.gateway.ledger();
        self.gateway.stop().await;
        Served { ledger, texts }
    }
}

/// A person looks which modem wants its PIN, comes, and types it.
async fn unlock(roster: Roster, pipes: Pipes) {
    let locked = |it: &Status| {
        it.trouble
            .as_ref()
            .is_some_and(|it| it.code == "sim_locked")
    };
    while !roster.all().iter().any(locked) {
        sleep(Duration::from_secs(1)).await;
    }
    sleep(PERSON).await;
    let mut said = String::new();
    while !said.contains("OK") {
        let Ok(mut port) = pipes.open("modem0") else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let typed = port.write_all(b"\x1BAT+CPIN=\"1234\"\r").await;
        let mut octets = [0; 1024];
        let heard = timeout(Duration::from_secs(2), port.read(&mut octets)).await;
        if let (Ok(()), Ok(Ok(count))) = (typed, heard) {
            said = String::from_utf8_lossy(&octets[..count]).into_owned();
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
}

/// What `cases` came to, on all cores: each in a runtime of its own, whose time costs nothing.
fn run_all(cases: &[Case]) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let run = AssertUnwindSafe(|| runtime().block_on(case.complaints()));
            let complaints = catch_unwind(run).unwrap_or_else(|cause| vec![words_of(&*cause)]);
            let told = complaints.iter().map(|it| format!("{case}: {it}"));
            found.lock().unwrap().extend(told);
        }
    };
    let cores = std::thread::available_parallelism().unwrap();
    std::thread::scope(|scope| (0..cores.get()).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

fn words_of(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>();
    text.map_or_else(
        || "it panicked".to_owned(),
        |text| format!("it panicked: {text}"),
    )
}

fn families() -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("hardware/manners");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry
            .unwrap()
            .path()
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let mut families: Vec<String> = std::fs::read_dir(dir).unwrap().map(name).collect();
    families.sort();
    families
}

/// All that the grammar allows, and what of a step and a fault it refuses.
fn all_cases() -> (Vec<Case>, BTreeSet<(String, String)>) {
    let (mut cases, mut refused) = (Vec::new(), BTreeSet::new());
    for (family_no, family) in families().iter().enumerate() {
        for queue in [false, true] {
            let met = Met::of(family, queue);
            for (step, variant, diagonal) in steps_and_variants() {
                let diagonal = diagonal + family_no + usize::from(queue);
                let nth = if queue { 2 + diagonal % 8 } else { 2 };
                for (place_no, place) in met.places(&step, nth, diagonal).iter().enumerate() {
                    let keys = format!("{place}; {variant}");
                    if plan(&keys).parse::<Plan>().is_err() {
                        refused.insert((step.clone(), variant.clone()));
                    } else {
                        let mut case = Case::new(family, &step, &keys, queue);
                        case.diagonal = diagonal + place_no;
                        case.acknowledges = met.asks("+CNMA");
                        cases.push(case);
                    }
                }
            }
        }
    }
    (cases, refused)
}

/// Each step with each fault in each of its variants, and on which diagonal of their table it lies.
fn steps_and_variants() -> Vec<(String, String, usize)> {
    let mut found = Vec::new();
    for (row, step) in words("at").iter().enumerate() {
        let all = words("do")
            .into_iter()
            .flat_map(|fault| variants(step, &fault));
        found.extend(
            all.enumerate()
                .map(|(column, it)| (step.clone(), it, row + column)),
        );
    }
    found
}

#[test]
fn no_fault_at_any_step_loses_or_doubles_a_text() {
    let (all, refused) = all_cases();
    // On the air there are no bytes to spoil.
    let bytes = [
        "do = 'torn'; ",
        "do = 'torn'; ms = 2000",
        "do = 'doubled'; ",
        "do = 'garbage'; ",
    ];
    let wanted = bytes.map(|fault| ("air".to_owned(), fault.to_owned()));
    assert_eq!(refused, BTreeSet::from(wanted));

    let long = std::env::var_os("SIMPOST_LONG").is_some();
    let every = if long { 1 } else { SHARE };
    // Along the diagonals, so that no column of the table falls through.
    let cases: Vec<Case> = all
        .into_iter()
        .filter(|it| it.diagonal.is_multiple_of(every))
        .collect();
    for (family, step) in pairs(&families(), &words("at")) {
        let met = cases
            .iter()
            .any(|it| it.family == family && it.step == step);
        assert!(met, "{family} meets nothing at {step}");
    }
    let tried = words("do")
        .into_iter()
        .filter(|it| !variants("air", it).is_empty())
        .collect::<Vec<_>>();
    for (family, fault) in pairs(&families(), &tried) {
        let met = cases.iter().any(|it| it.family == family && it.has(&fault));
        assert!(met, "{family} does not meet {fault}");
    }
    for (step, fault) in pairs(&words("at"), &words("do")) {
        if variants(&step, &fault).is_empty() {
            continue;
        }
        let met = cases.iter().any(|it| it.step == step && it.has(&fault));
        let word = format!("'{fault}'");
        let cannot = |it: &(String, String)| it.0 == step && it.1.contains(&word);
        assert!(
            met || refused.iter().any(cannot),
            "{step} does not meet {fault}"
        );
    }
    let found = run_all(&cases);
    assert!(
        found.is_empty(),
        "of {} cases:\n{}",
        cases.len(),
        found.join("\n")
    );
}

fn pairs(some: &[String], others: &[String]) -> Vec<(String, String)> {
    let with = |one: &String| {
        others
            .iter()
            .map(|other| (one.clone(), other.clone()))
            .collect::<Vec<_>>()
    };
    some.iter().flat_map(with).collect()
}
