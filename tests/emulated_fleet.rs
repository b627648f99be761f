//! Many modems for a long time and texts of every kind, on emulated modems in memory and in virtual time:
//! what takes ten minutes of the modems' time takes seconds of ours. Judged by the ledger of the air.
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

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use air::flaw;
use fleet::{Gateway, RADIO};
use simpost::sms::ids::MessageId;
use simpost::sms::state::MessageState;
use tokio::time::{Instant, sleep};

/// More than the longest of these queues needs.
const END: Duration = Duration::from_secs(3600);

/// Recipient and words of each text.
type Texts = Vec<(String, String)>;

async fn wish_all(gateway: &Gateway, texts: &Texts) -> Vec<MessageId> {
    let mut ids = Vec::new();
    for (to, text) in texts {
        ids.push(gateway.wish(to, text).await);
    }
    ids
}

/// Each text went out once, whole, in order and unchanged, and its state is what the reports say. Gives
/// the modems of parts whose report did not come.
async fn assert_arrived(gateway: &Gateway, texts: &Texts, ids: &[MessageId]) -> BTreeSet<u64> {
    for id in ids {
        gateway.end(*id, END).await;
    }
    let ledger = gateway.ledger();
    let taken = ledger.taken();
    assert_eq!(taken.len(), texts.len());
    for ((to, text), id) in texts.iter().zip(ids) {
        let parts = &taken[to.as_str()];
        assert_eq!(flaw(parts, text), None, "{to}");
        let message = gateway.message(*id).await;
        assert_eq!(&message.text, text);
        let delivered = parts.iter().all(|part| ledger.is_reported(part));
        let wanted = if delivered {
            MessageState::Delivered
        } else {
            MessageState::Sent
        };
        assert_eq!(message.state, wanted, "{to}: {message:?}");
    }
    let parts = ledger.parts.iter();
    let unreported = parts.filter(|part| !ledger.is_reported(part));
    unreported.map(|part| part.modem).collect()
}

/// `EACH` short texts for each of `modems` modems, a number each.
fn short_texts(modems: u16, each: usize) -> Texts {
    let text = |number: usize| {
        let to = format!("+38067{number:07}");
        (to, format!("Замовлення {number}"))
    };
    (0..usize::from(modems) * each).map(text).collect()
}

/// No SIM took a text before an older one.
fn assert_first_in_first_out(gateway: &Gateway) {
    let mut last: BTreeMap<u64, String> = BTreeMap::new();
    for part in gateway.ledger().parts {
        let before = last.insert(part.modem, part.to.clone());
        assert!(before.is_none_or(|before| before < part.to), "{part:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn sixty_four_modems_send_for_ten_minutes() {
    const MODEMS: u16 = 64;
    /// As many parts as fit into the time: ten minutes at one part in three seconds.
    const EACH: usize = 200;
    let gateway = Gateway::start(MODEMS, &[], "").await;
    let texts = short_texts(MODEMS, EACH);
    let begun = Instant::now();
    let ids = wish_all(&gateway, &texts).await;
    let radio = RADIO * u32::try_from(EACH).unwrap();
    let sent = || {
        let all = gateway.roster.all();
        all.iter().map(|modem| modem.accepted).sum::<u64>()
    };
    while sent() < texts.len() as u64 {
        assert!(begun.elapsed() < radio * 2, "{} sent", sent());
        sleep(Duration::from_secs(1)).await;
    }
    let took = begun.elapsed();
    assert!(
        took < radio + radio / 50,
        "{took:?} for {radio:?} of radio time"
    );
    assert!(assert_arrived(&gateway, &texts, &ids).await.is_empty());
    assert_first_in_first_out(&gateway);
    gateway.leave_ledger("ten-minutes", &texts);
    gateway.stop().await;
}

/// Some of many modems fall ill in the midst of it, each in its own way: pulled and put in again, silent
/// behind a part that went out, started anew, and now and then without a prompt.
const ILL: &str = "
[[fault]]
modem = 3
at = 'air'
nth = 20
do = 'unplug'
ms = 20000

[[fault]]
modem = 11
at = 'result'
nth = 30
do = 'silence'

[[fault]]
modem = 19
at = 'ctrl_z'
nth = 25
do = 'reset'

[[fault]]
modem = 42
at = 'prompt'
every = 15
do = 'silence'
";

#[tokio::test(start_paused = true)]
async fn what_befalls_some_modems_neither_loses_nor_doubles_a_text() {
    const MODEMS: u16 = 64;
    const EACH: usize = 50;
    let gateway = Gateway::start(MODEMS, &[], ILL).await;
    let texts = short_texts(MODEMS, EACH);
    let ids = wish_all(&gateway, &texts).await;
    let unreported = assert_arrived(&gateway, &texts, &ids).await;
    // What comes to a modem that has started anew is dropped until it is told where reports go.
    assert!(
        unreported.is_subset(&BTreeSet::from([3, 19])),
        "{unreported:?}"
    );
    let strikes = gateway.ledger().strikes;
    let of: BTreeSet<&str> = strikes.iter().map(|it| it.step.as_str()).collect();
    assert_eq!(of.len(), 4, "{strikes:?}");
    gateway.leave_ledger("ill-modems", &texts);
    gateway.stop().await;
}

/// A text of about `parts` parts: GSM 7-bit, with its extension table, Cyrillic or emoji, by its number.
fn mixed(number: usize, parts: usize) -> String {
    // The second number: how often the words fit into a part.
    let (words, often) = match number % 4 {
        0 => ("plain words, ", 12),
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
    const COUNT: usize = 1000;
    let gateway = Gateway::start(8, FAMILIES, "").await;
    let text = |number| {
        (
            format!("+38067{number:07}"),
            mixed(number, number / 4 % 10 + 1),
        )
    };
    let texts: Texts = (0..COUNT).map(text).collect();
    let ids = wish_all(&gateway, &texts).await;
    assert!(assert_arrived(&gateway, &texts, &ids).await.is_empty());
    // All four kinds in all ten lengths.
    let mut kinds = BTreeSet::new();
    for (number, id) in ids.iter().enumerate() {
        kinds.insert((number % 4, gateway.message(*id).await.parts.len()));
    }
    assert_eq!(kinds.len(), 4 * 10, "{kinds:?}");
    let modems: BTreeSet<u64> = gateway
        .ledger()
        .parts
        .iter()
        .map(|part| part.modem)
        .collect();
    assert_eq!(modems.len(), 8);
    gateway.leave_ledger("eight-families", &texts);
    gateway.stop().await;
}
