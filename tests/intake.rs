//! What comes in: on disk before the modem is told or emptied, in its turn between parts, each way that
//! modems have of handing it over.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
#[path = "support/driver.rs"]
mod driver;
#[expect(dead_code, reason = "each test file uses a part of it")]
#[path = "support/script.rs"]
mod script;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver::{Bench, changed};
use script::{Say, Script, text};
use simpost::modem::profile::{Choice, Profile};
use simpost::modem::{Event, Outcome};
use simpost::sms::ids::Mr;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";
/// A report without service centre that reads as a text behind one as well.
const BARE_REPORT: &str = "06CF038178F0623002227132884240515122425800";
/// From `Shop`, in the GSM alphabet: `Hello`.
const TEXT: &str = "0791447700099099040C9144770009103200006230410151230005C8329BFD06";

/// The storages of a modem by name, with what lies in each place.
#[derive(Clone, Default)]
struct Cards(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    places: BTreeMap<(String, u16), (u8, String)>,
    selected: String,
}

impl Cards {
    fn new(messages: &[(&str, u16, u8, &str)]) -> Self {
        let cards = Self::default();
        for (memory, index, stat, pdu) in messages {
            cards.put(memory, *index, *stat, pdu);
        }
        cards
    }

    fn put(&self, memory: &str, index: u16, stat: u8, pdu: &str) {
        let mut state = self.0.lock().unwrap();
        let place = (memory.to_owned(), index);
        state.places.insert(place, (stat, pdu.to_owned()));
    }

    fn left(&self) -> Vec<(String, u16)> {
        self.0.lock().unwrap().places.keys().cloned().collect()
    }

    /// What a modem with these storages says.
    fn answer(&self, line: &str) -> Option<Say> {
        let mut state = self.0.lock().unwrap();
        if let Some(arguments) = line.strip_prefix("AT+CPMS=\"") {
            arguments.split('"').next()?.clone_into(&mut state.selected);
            let used = state.of_selected().count();
            return Some(Say::Text(format!("\r\n+CPMS: {used},30\r\n\r\nOK\r\n")));
        }
        let place = |digits: &str, state: &State| (state.selected.clone(), digits.parse().unwrap());
        if let Some(digits) = line.strip_prefix("AT+CMGR=") {
            let Some((stat, pdu)) = state.places.get(&place(digits, &state)) else {
                return text("\r\n+CMS ERROR: 321\r\n");
            };
            let length = tpdu_length(pdu);
            let said = format!("\r\n+CMGR: {stat},,{length}\r\n{pdu}\r\n\r\nOK\r\n");
            return Some(Say::Text(said));
        }
        if let Some(digits) = line.strip_prefix("AT+CMGD=") {
            let place = place(digits, &state);
            state.places.remove(&place);
            return text("\r\nOK\r\n");
        }
        (line == "AT+CMGL=4").then(|| {
            let listed: String = state
                .of_selected()
                .map(|(index, (stat, pdu))| {
                    let length = tpdu_length(pdu);
                    format!("\r\n+CMGL: {index},{stat},,{length}\r\n{pdu}")
                })
                .collect();
            Say::Text(format!("{listed}\r\n\r\nOK\r\n"))
        })
    }

    fn modem(&self) -> Script {
        let cards = self.clone();
        Box::new(move |line| cards.answer(line))
    }

    /// The same, with other answers to some lines.
    fn modem_but(&self, mut but: impl FnMut(&str) -> Option<Say> + Send + 'static) -> Script {
        let cards = self.clone();
        Box::new(move |line| but(line).or_else(|| cards.answer(line)))
    }
}

impl State {
    fn of_selected(&self) -> impl Iterator<Item = (u16, &(u8, String))> {
        let here = |((memory, index), stored): (&(String, u16), _)| {
            (*memory == self.selected).then_some((*index, stored))
        };
        self.places.iter().filter_map(here)
    }
}

/// Octets without those of the service centre, which only one of the PDUs here has not.
fn tpdu_length(pdu: &str) -> usize {
    let prefix = if pdu == BARE_REPORT { 0 } else { 8 };
    (pdu.len() / 2).saturating_sub(prefix)
}

/// What came, and the way to say that it is on disk.
async fn came(bench: &mut Bench) -> (String, oneshot::Sender<()>) {
    match bench.event().await {
        Event::Inbound {
            deliver, pdu, kept, ..
        } => {
            let told = deliver.map_or_else(|| format!("raw {pdu}"), |deliver| deliver.text());
            (told, kept)
        }
        Event::Report { report, kept, .. } => (format!("report {}", report.mr.0), kept),
        other => panic!("{other:?} came in"),
    }
}

/// Waits for the next thing that comes in and keeps it.
async fn kept(bench: &mut Bench) -> String {
    let (told, kept) = came(bench).await;
    kept.send(()).expect("somebody waits");
    told
}

fn generic(change: impl FnOnce(&mut Profile)) -> Choice {
    changed("generic", change)
}

/// `text` behind the answer to a send.
fn behind_a_send(line: &str, text: &str) -> Option<Say> {
    let said = format!("\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n{text}\r\n");
    line.ends_with('\u{1a}').then_some(Say::Text(said))
}

#[tokio::test(start_paused = true)]
async fn a_stored_text_is_deleted_only_once_it_is_kept() {
    let cards = Cards::default();
    let script = cards.modem_but(|line| behind_a_send(line, "+CMTI: \"ME\",3"));
    let mut bench = Bench::start(vec![script]);
    bench.heard.until("AT+CMGL=4").await;
    cards.put("ME", 3, 0, TEXT);
    cards.put("SM", 3, 1, REPORT);
    bench.send(1).await;
    bench.outcome().await;
    let (told, kept) = came(&mut bench).await;
    assert_eq!(told, "Hello", "of the storage that was announced");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.heard.count("AT+CMGD"), 0);
    kept.send(()).unwrap();
    bench.heard.until("AT+CMGD=3").await;
    let heard = bench.heard.after("AT+CPMS=\"ME\"");
    assert_eq!(heard, ["AT+CMGR=3", "AT+CMGD=3"]);
    assert_eq!(cards.left(), [("SM".to_owned(), 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_stored_report_without_service_centre_is_kept_and_deleted() {
    // As a sent one by its `<stat>`: a report is one whatever that says. Listed, then read by place.
    for lists in [true, false] {
        let cards = Cards::new(&[("SM", 3, 3, BARE_REPORT)]);
        let script = cards.modem_but(move |line| {
            let refused = !lists && line == "AT+CMGL=4";
            refused.then(|| Say::Text("\r\nERROR\r\n".into()))
        });
        let mut bench = Bench::start(vec![script]);
        let (told, kept) = came(&mut bench).await;
        assert_eq!(told, "report 207", "{lists}");
        assert_eq!(cards.left(), [("SM".to_owned(), 3)], "{lists}");
        kept.send(()).unwrap();
        bench.heard.until("AT+CMGD=3").await;
        assert_eq!(cards.left(), [], "{lists}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_announced_text_that_is_not_kept_is_found_later() {
    let cards = Cards::default();
    let script = cards.modem_but(|line| behind_a_send(line, "+CMTI: \"SM\",3"));
    let mut bench = Bench::start(vec![script]);
    bench.heard.until("AT+CSQ").await;
    cards.put("SM", 3, 0, TEXT);
    bench.send(1).await;
    bench.outcome().await;
    drop(came(&mut bench).await.1);
    assert_eq!(kept(&mut bench).await, "Hello");
    bench.heard.until("AT+CMGD=3").await;
    assert_eq!(bench.heard.count("AT+CMGL=4"), 2, "by the next look");
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_one_piece_with_an_answer_is_heard_at_once() {
    let script: Script = Box::new(|line| behind_a_send(line, &format!("+CDS: 25\r\n{REPORT}")));
    let mut bench = Bench::start(vec![script]);
    bench.heard.until("AT+CSQ").await;
    bench.send(1).await;
    bench.outcome().await;
    let begun = Instant::now();
    assert_eq!(came(&mut bench).await.0, "report 23");
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_stays_in_the_modem() {
    let cards = Cards::new(&[("SM", 1, 0, TEXT)]);
    let mut bench = Bench::start(vec![cards.modem()]);
    let (_, kept) = came(&mut bench).await;
    drop(kept);
    // At the next look it is tried again.
    let (told, held) = came(&mut bench).await;
    assert_eq!(told, "Hello");
    assert_eq!(bench.heard.count("AT+CMGD"), 0);
    // A disk that takes too long counts as none: texts go on meanwhile.
    bench.send(1).await;
    assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
    drop(held);
    assert_eq!(cards.left().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn all_that_lies_in_any_storage_is_found_at_the_start() {
    const BROKEN: &str = "0791447700099099040C";
    // A text that somebody wrote on the card: it did not come in.
    const DRAFT: &str = "0011000C914477000910320000A705C8329BFD06";
    let cards = Cards::new(&[
        ("SM", 1, 1, TEXT),
        ("SM", 4, 0, REPORT),
        ("SM", 7, 2, DRAFT),
        ("ME", 0, 0, BROKEN),
        ("SR", 2, 3, REPORT),
        ("MT", 9, 0, TEXT),
    ]);
    let list = "\r\n+CPMS: (\"SM\",\"ME\",\"MT\",\"SR\"),(\"SM\"),(\"SM\")\r\n\r\nOK\r\n";
    let script = cards.modem_but(move |line| (line == "AT+CPMS=?").then(|| text(list)).flatten());
    let mut bench = Bench::start(vec![script]);
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(kept(&mut bench).await);
    }
    let raw = format!("raw {BROKEN}");
    assert_eq!(told, ["Hello", "report 23", raw.as_str(), "report 23"]);
    bench.heard.until("AT+CSQ").await;
    let left: Vec<_> = cards.left().into_iter().map(|(memory, _)| memory).collect();
    assert_eq!(left, ["MT", "SM"], "another name for the same, and a draft");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_list_is_read_place_by_place() {
    let cards = Cards::new(&[("SM", 2, 0, TEXT), ("SM", 5, 0, REPORT)]);
    let script = cards.modem_but(|line| {
        (line == "AT+CMGL=4")
            .then(|| text("\r\nERROR\r\n"))
            .flatten()
    });
    let mut bench = Bench::start(vec![script]);
    assert_eq!(kept(&mut bench).await, "Hello");
    assert_eq!(kept(&mut bench).await, "report 23");
    bench.heard.until("AT+CMGD=5").await;
    assert_eq!(cards.left(), []);
    // Two were there, so nothing is looked for behind the second.
    assert_eq!(bench.heard.count("AT+CMGR"), 6);
}

#[tokio::test(start_paused = true)]
async fn a_full_card_holds_no_text_up() {
    let messages: Vec<_> = (1..=30).map(|index| ("SM", index, 0, TEXT)).collect();
    let cards = Cards::new(&messages);
    let slow = Duration::from_secs(1);
    let read = cards.clone();
    let script = cards.modem_but(move |line| match read.answer(line) {
        Some(Say::Text(said)) if line.starts_with("AT+CMGR") => Some(Say::Later(slow, said)),
        _ => None,
    });
    let mut bench = Bench::start(vec![script]);
    let mut came_in = 0;
    bench.heard.until("AT+CMGR=1").await;
    bench.send(1).await;
    loop {
        match bench.event().await {
            Event::Inbound { kept, .. } => {
                came_in += 1;
                kept.send(()).unwrap();
            }
            Event::Finished { outcome, .. } => {
                assert_eq!(outcome, Outcome::Accepted(Some(Mr(23))));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((1..6).contains(&came_in), "{came_in} before the text");
    for _ in came_in..30 {
        kept(&mut bench).await;
    }
    bench.heard.until("AT+CMGD=30").await;
    assert_eq!(cards.left(), []);
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_has_its_turn_between_two_parts() {
    let cards = Cards::default();
    let mut announced = 0;
    let put = cards.clone();
    let script = cards.modem_but(move |line| {
        if !line.ends_with('\u{1a}') {
            return None;
        }
        announced += 1;
        put.put("SM", announced, 0, TEXT);
        let said = format!("\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n+CMTI: \"SM\",{announced}\r\n");
        Some(Say::Later(Duration::from_secs(3), said))
    });
    let mut bench = Bench::start(vec![script]);
    bench.heard.until("AT+CMGL=4").await;
    bench.queue(3);
    let mut order = String::new();
    for _ in 0..6 {
        match bench.event().await {
            Event::Finished { .. } => order.push('p'),
            Event::Inbound { kept, .. } => {
                kept.send(()).unwrap();
                order.push('i');
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(order, "pipipi");
    bench.heard.until("AT+CMGD=3").await;
}

#[tokio::test(start_paused = true)]
async fn who_names_no_place_is_looked_through() {
    let cards = Cards::default();
    let put = cards.clone();
    let script = cards.modem_but(move |line| {
        put.put("SM", 8, 0, TEXT);
        behind_a_send(line, "+CMTI: \"SM\",-1")
    });
    let mut bench = Bench::start(vec![script]);
    // Found by the look at the start, as long as it is not deleted.
    let (_, held) = came(&mut bench).await;
    drop(held);
    bench.send(1).await;
    bench.outcome().await;
    assert_eq!(kept(&mut bench).await, "Hello");
    assert_eq!(bench.heard.count("AT+CMGL"), 2);
}

/// A modem that wants acknowledgements: what it hands over comes behind a send.
fn phase_2_plus(handed_over: String, acknowledged: &'static str) -> Script {
    let mut once = true;
    Box::new(move |line| match line {
        "AT+CSMS?" => text("\r\n+CSMS: 1,1,1,1\r\n\r\nOK\r\n"),
        "AT+CNMA" => text(acknowledged),
        line if line.ends_with('\u{1a}') && std::mem::take(&mut once) => {
            behind_a_send(line, &handed_over)
        }
        _ => None,
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_is_acknowledged_only_once_it_is_kept() {
    for (header, pdu, told) in [
        ("+CMT: ,23", TEXT, "Hello"),
        ("+CDS: 25", REPORT, "report 23"),
        // The header and the type bits disagree: the bits are right.
        ("+CMT: ,25", REPORT, "report 23"),
        // Without a service centre: only the length tells it from a text behind one.
        ("+CDS: 21", BARE_REPORT, "report 207"),
        ("+CDS: 4", "00040C91", "raw 00040C91"),
    ] {
        let script = phase_2_plus(format!("{header}\r\n{pdu}"), "\r\nOK\r\n");
        let manners = generic(|profile| profile.message_service = vec![1, 0]);
        let mut bench = Bench::start_as(manners, script);
        bench.send(1).await;
        bench.outcome().await;
        let (came_in, kept) = came(&mut bench).await;
        assert_eq!(came_in, told, "{header}");
        sleep(Duration::from_secs(5)).await;
        assert_eq!(bench.heard.count("AT+CNMA"), 0, "{header}");
        kept.send(()).unwrap();
        bench.heard.until("AT+CNMA").await;
        assert_eq!(bench.heard.count("AT+CSMS=1"), 1);
        assert_eq!(bench.heard.count("AT+CNMI="), 1, "{header}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_refused_is_done_without() {
    let script: Script = Box::new(|line| match line {
        "AT+CSMS=1" => text("\r\n+CMS ERROR: 303\r\n"),
        line => behind_a_send(line, &format!("+CDS: 25\r\n{REPORT}")),
    });
    let manners = generic(|profile| profile.message_service = vec![1, 0]);
    let mut bench = Bench::start_as(manners, script);
    bench.send(1).await;
    bench.outcome().await;
    assert_eq!(came(&mut bench).await.0, "report 23");
    bench.send(2).await;
    bench.outcome().await;
    assert_eq!(
        bench.heard.after("AT+CSMS=1")[..2],
        ["AT+CSMS=0", "AT+CSMS?"]
    );
    assert_eq!(bench.heard.count("AT+CNMA"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_modem_without_the_cards_storage_uses_its_own() {
    let cards = Cards::new(&[("ME", 1, 0, TEXT)]);
    let script = cards.modem_but(|line| {
        let refused = line.starts_with("AT+CPMS=\"SM\"") || line == "AT+CPMS=?";
        refused.then(|| text("\r\n+CMS ERROR: 302\r\n")).flatten()
    });
    let mut bench = Bench::start(vec![script]);
    assert_eq!(kept(&mut bench).await, "Hello");
    bench.heard.until("AT+CMGD=1").await;
    assert_eq!(cards.left(), []);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_that_is_not_on_disk() {
    let script = phase_2_plus(format!("+CMT: ,23\r\n{TEXT}"), "\r\nOK\r\n");
    let mut bench = Bench::start_as(generic(|_| ()), script);
    bench.send(1).await;
    bench.outcome().await;
    drop(came(&mut bench).await.1);
    bench.send(2).await;
    assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
    // The modem may have given up meanwhile: it is looked after soon.
    sleep(Duration::from_secs(61)).await;
    assert_eq!(bench.heard.count("AT+CNMI?"), 2);
    assert_eq!(bench.heard.count("AT+CNMA"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_came_too_late_makes_the_modem_hand_over_again() {
    let late = "\r\n+CMS ERROR: 340\r\n";
    let script = phase_2_plus(format!("+CDS: 25\r\n{REPORT}"), late);
    let mut bench = Bench::start_as(generic(|_| ()), script);
    bench.send(1).await;
    bench.outcome().await;
    assert_eq!(kept(&mut bench).await, "report 23");
    bench.heard.until("AT+CNMA").await;
    bench.send(2).await;
    bench.outcome().await;
    let heard = bench.heard.after("AT+CNMA");
    assert_eq!(heard[..2], ["AT+CNMI=2,1,0,1,0", "AT+CNMI?"]);
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_acknowledges_by_itself_is_not_told() {
    let script: Script = Box::new(|line| behind_a_send(line, &format!("+CMT: ,23\r\n{TEXT}")));
    let mut bench = Bench::start(vec![script]);
    bench.send(1).await;
    bench.outcome().await;
    assert_eq!(came(&mut bench).await.0, "Hello");
    bench.send(2).await;
    bench.outcome().await;
    assert_eq!(bench.heard.count("AT+CNMA"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_routing_that_is_lost_is_set_again_within_a_minute() {
    let mut asked = 0;
    let script: Script = Box::new(move |line| {
        asked += u32::from(line == "AT+CNMI?");
        let forgotten = line == "AT+CNMI?" && asked == 2;
        forgotten
            .then(|| text("\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n"))
            .flatten()
    });
    let bench = Bench::start(vec![script]);
    bench.heard.until("AT+CSQ").await;
    assert_eq!(bench.heard.count("AT+CNMI="), 1);
    sleep(Duration::from_secs(70)).await;
    assert_eq!(bench.heard.count("AT+CNMI="), 2);
    sleep(Duration::from_secs(1200)).await;
    assert_eq!(bench.heard.count("AT+CNMI="), 2, "once is enough");
}

#[tokio::test(start_paused = true)]
async fn the_link_is_held_once_a_run_and_a_refusal_is_remembered() {
    let mut bench = Bench::start_as(generic(|_| ()), script::polite());
    for part in 1..=3 {
        bench.send_of_many(part).await;
        bench.outcome().await;
    }
    bench.send(4).await;
    bench.outcome().await;
    assert_eq!(bench.heard.count("AT+CMMS"), 1);
    assert_eq!(bench.heard.after("AT+CMMS=1")[0], "AT+CMGS=3");
    // It has fallen back by itself meanwhile; a text of its own needs no open link.
    sleep(Duration::from_secs(10)).await;
    bench.send(5).await;
    bench.outcome().await;
    assert_eq!(bench.heard.count("AT+CMMS"), 1);
    sleep(Duration::from_secs(10)).await;
    bench.send_of_many(6).await;
    bench.outcome().await;
    assert_eq!(bench.heard.count("AT+CMMS=1"), 2);

    let refuses: Script = Box::new(|line| {
        let asked = line.starts_with("AT+CMMS");
        asked.then(|| text("\r\n+CMS ERROR: 303\r\n")).flatten()
    });
    let mut bench = Bench::start(vec![refuses]);
    for part in 1..=3 {
        bench.send_of_many(part).await;
        assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
        sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(bench.heard.count("AT+CMMS"), 1);
}
