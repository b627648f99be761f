//! What the whole gateway is worth on the wire: `cargo bench --bench gateway [-- NAME…]`.
//!
//! The real binary on emulated modems, over real pseudo-terminals, a real socket and a real database file.
//! What happened is read from the emulator's ledger, from a relay in the wire, and from `/proc`.
//!
//! | name | what it shows |
//! |---|---|
//! | `radio` | how long a modem waits between two parts while work is queued, as a share of the time on the air: 1, 16, 64 and 256 modems, each with its memory and CPU; then modems that keep the link open (`AT+CMMS`) |
//! | `ceiling` | accepted parts a second when the air takes no time: 16 modems |
//! | `latency` | from the request to the first octets of `AT+CMGS` on an idle modem |
//!
//! Both sides share one machine: at many modems the emulator takes its part of it, which the table tells.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a bench measures real time, prints, and ends at the first surprise"
)]

mod process;
mod relay;
#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use process::Usage;
use relay::Relay;
use serde_json::{Value, json};
use support::{Air, Gateway};
use tokio::time::sleep;

/// Clients that post at the same time.
const CLIENTS: usize = 64;
/// The time of a part on the air, as on real networks; half of it is the link's set-up.
const RADIO: Duration = Duration::from_secs(3);
/// A family whose link is not kept from one part to the next, and one whose link is.
const FAMILIES: [(&str, &str, f64); 2] = [
    ("cinterion", "each part alone", 1.0),
    ("generic", "link kept", 0.5),
];
/// Parts for each modem in `radio`.
const EACH: usize = 10;
/// Texts of `ceiling`.
const CROWD: usize = 20_000;
/// Texts of `latency`, one after the other.
const SINGLES: usize = 500;

#[tokio::main]
async fn main() {
    let names: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|given| given == name);
    if wanted("radio") {
        for (family, title, share) in FAMILIES {
            let air = RADIO.mul_f64(share);
            println!(
                "\nWaiting between two parts, {title}: a share of {air:?} on the air (budget: under 2 %)"
            );
            for modems in [1, 16, 64, 256] {
                radio(family, modems, air.as_secs_f64()).await;
            }
        }
    }
    if wanted("ceiling") {
        println!("\nNo time on the air, 16 modems (budget: over 2,000 accepted parts a second)");
        ceiling().await;
    }
    if wanted("latency") {
        println!(
            "\nRequest to AT+CMGS, an idle modem (budget: median under 2 ms, 99 % under 10 ms)"
        );
        latency().await;
    }
}

/// Posts `count` texts of one part, as many at once as there are clients.
async fn post(gateway: &Gateway, count: usize) {
    let wish = |number: usize| {
        let to = format!("+38067{:07}", number % 10_000_000);
        gateway.post(json!({"to": to, "text": format!("Order {number} is ready")}))
    };
    let mut posts = stream::iter(0..count).map(wish).buffer_unordered(CLIENTS);
    while let Some((status, body)) = posts.next().await {
        assert_eq!(status, 202, "{body}");
    }
}

/// Waits until the network has taken `count` parts; returns the ledger's lines about them.
async fn taken(gateway: &Gateway, count: usize, look: Duration) -> Vec<Value> {
    let end = Instant::now() + Duration::from_secs(600);
    loop {
        // Reading it as JSON each time would take from what is measured.
        let ledger = std::fs::read_to_string(&gateway.ledger).unwrap_or_default();
        let found = ledger.matches(r#""outcome":"accepted""#).count();
        if found >= count {
            let mut lines = gateway.aired();
            lines.retain(|line| line["event"] == "submit" && line["outcome"] == "accepted");
            return lines;
        }
        assert!(Instant::now() < end, "{found} of {count}");
        sleep(look).await;
    }
}

fn at(line: &Value) -> Timestamp {
    line["at"].as_str().unwrap().parse().unwrap()
}

fn between(first: &Value, second: &Value) -> f64 {
    (at(second) - at(first)).total(jiff::Unit::Second).unwrap()
}

/// The value below which `share` of them lie; sorts them.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() - 1) as f64 * share;
    values[place.round() as usize]
}

/// How long each modem waits between the end of a part and the start of the next on the air.
async fn radio(family: &'static str, modems: u16, seconds: f64) {
    let air = Air {
        radio: RADIO,
        report: Duration::from_secs(2),
    };
    let gateway = Gateway::start_of(Some(family), air, modems, "").await;
    let idle = Usage::of(gateway.daemon_id());
    let count = usize::from(modems) * EACH;
    let start = Instant::now();
    post(&gateway, count).await;
    let posted = start.elapsed();
    let lines = taken(&gateway, count, Duration::from_millis(500)).await;
    let took = start.elapsed();
    let after = Usage::of(gateway.daemon_id());
    let emulator = Usage::of(gateway.emulator_id());
    // Near the end there may be nothing left to do: only waits with work in the queue count.
    let busy = &lines[..count - usize::from(modems)];
    let mut last: BTreeMap<u64, &Value> = BTreeMap::new();
    let mut waits = Vec::new();
    for line in busy {
        if let Some(before) = last.insert(line["modem"].as_u64().unwrap(), line) {
            waits.push((between(before, line) / seconds - 1.0) * 100.0);
        }
    }
    let mean = waits.iter().sum::<f64>() / waits.len() as f64;
    let (median, high) = (quantile(&mut waits, 0.5), quantile(&mut waits, 0.99));
    println!(
        "  {modems:>3} modems, {count:>4} parts: mean {mean:.2} %, median {median:.2} %, 99 % under {high:.2} %; \
         posted in {:.2} s",
        posted.as_secs_f64()
    );
    let cpu = after.cpu.saturating_sub(idle.cpu);
    println!(
        "      daemon {:.1} MiB, {:.2} ms of CPU a text, {:.1} % of a core; emulator {:.1} % of a core since its start",
        after.memory_mib,
        cpu.as_secs_f64() * 1e3 / count as f64,
        cpu.as_secs_f64() / took.as_secs_f64() * 100.0,
        emulator.cpu.as_secs_f64() / took.as_secs_f64() * 100.0,
    );
}

/// Accepted parts a second when only the gateway and the wire take time. The texts wait on disk before
/// the modems come, so that posting them takes nothing from it.
async fn ceiling() {
    let mut gateway = Gateway::start_on(Air::of_ms(0, 0), 16, "").await;
    gateway.unplug().await;
    let start = Instant::now();
    post(&gateway, CROWD).await;
    let posted = start.elapsed().as_secs_f64();
    let before = Usage::of(gateway.daemon_id());
    gateway.plug_in().await;
    let lines = taken(&gateway, CROWD, Duration::from_millis(200)).await;
    let after = Usage::of(gateway.daemon_id());
    // The modems do not come in the same instant: the middle of the run counts.
    let (from, to) = (CROWD / 10, CROWD * 9 / 10);
    let seconds = between(&lines[from], &lines[to]);
    let each = |cpu: Duration| cpu.as_secs_f64() * 1e3 / CROWD as f64;
    println!(
        "  {:.0} parts a second; {:.2} ms of CPU a text, the emulator {:.2} ms; daemon {:.1} MiB; posted before at {:.0} a second",
        (to - from) as f64 / seconds,
        each(after.cpu.saturating_sub(before.cpu)),
        each(Usage::of(gateway.emulator_id()).cpu),
        after.memory_mib,
        CROWD as f64 / posted,
    );
}

/// Texts one by one to a modem that has nothing else to do, seen by a relay in the wire.
async fn latency() {
    let dir = tempfile::tempdir().unwrap();
    let modems = dir.path().join("modems");
    let mut command = support::simpost(&["emulate", "--radio-ms", "0", "--report-ms", "0"]);
    let emulator = support::Running::start(command.arg("--dir").arg(&modems));
    emulator.says("emulated modems are up").await;
    let mut relay = Relay::start(&modems.join("modem0"));
    let section = format!("[[modem]]\nport = \"{}\"\n", relay.port().display());
    let gateway = Gateway::start(0, &section).await;
    gateway
        .wait_until("/v1/modems", |answer| answer["data"][0]["state"] == "ready")
        .await;
    let mut times = Vec::new();
    for number in 0..SINGLES {
        relay.forget();
        let start = Instant::now();
        let id = gateway
            .send("+380671234567", &format!("Code {number}"))
            .await;
        let seen = relay.submit_seen().await;
        times.push((seen - start).as_secs_f64() * 1e3);
        gateway.wait_final(&id).await;
    }
    let (median, high) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    println!(
        "  {SINGLES} texts: median {median:.2} ms, 99 % under {high:.2} ms, longest {:.2} ms",
        times.last().unwrap()
    );
}
