//! `simpost demo`: everything at once on emulated modems.
//!
//! The same emulator, daemon and API as ever: the demo is only a shop that posts a few texts.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::serve;
use crate::cli::answer::{list, state, text, word};
use crate::cli::client::Client;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Cell, Stream, beginning, harmless};
use crate::cli::progress::Progress;
use crate::cli::scratch::Scratch;
use crate::cli::signals::EndSignals;
use crate::cli::{Place, answer, output};
use crate::clock::Clock;
use crate::config::Flags;
use crate::daemon::Daemon;
use crate::emulator::{Emulator, Settings};
use crate::sms::state::MessageState;

/// The address that the documentation speaks of.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7750);
const MODEMS: u16 = 2;
/// Quicker than a real network, slow enough to look on.
const RADIO: Duration = Duration::from_millis(900);
const REPORT_DELAY: Duration = Duration::from_millis(700);
/// Between two looks at the texts.
const LOOK: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_mins(1);
/// What a line shows of a text.
const LONGEST_TEXT: usize = 40;

/// Try everything on emulated modems
///
/// Starts two emulated modems and the gateway on them, makes a key, posts five texts as a shop's program
/// would, and shows how each one ends. Then it stays up, to be tried by hand. Nothing leaves this machine,
/// and nothing stays behind unless --data names a directory.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost demo
  simpost demo --once --data /tmp/simpost-demo")]
pub struct Demo {
    /// End after the results; exit 0 when each text ended as it should
    #[arg(long)]
    once: bool,
}

/// A text of the shop, and how the emulated network is to end it.
struct Order {
    to: &'static str,
    text: &'static str,
    class: &'static str,
    ends: MessageState,
}

const ORDERS: &[Order] = &[
    Order {
        to: "+380670000001",
        text: "Замовлення № 1042 готове. Чекаємо на вас до 19:00.",
        class: "transactional",
        ends: MessageState::Delivered,
    },
    Order {
        to: "+380500000002",
        text: "Напоминаем: вы записаны к мастеру завтра, 12 мая, в 14:30.",
        class: "transactional",
        ends: MessageState::Delivered,
    },
    Order {
        to: "+380630000003",
        text: "Your code is 482913. Do not tell it to anybody.",
        class: "otp",
        ends: MessageState::Delivered,
    },
    Order {
        to: "+380670000004",
        text: "Дякуємо за покупку! Гарантія на телевізор діє 24 місяці. Зберігайте чек і коробку. \
               Якщо щось не так, зателефонуйте нам щодня з 9:00 до 20:00 або завітайте до магазину: \
               техніку перевіримо безкоштовно.",
        class: "transactional",
        ends: MessageState::Delivered,
    },
    Order {
        to: "+15005550014",
        text: "Your parcel has arrived. (The emulated network does not know this number.)",
        class: "transactional",
        ends: MessageState::Failed,
    },
];

impl Demo {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        // Log lines would run through the table; who wants them asks for them.
        if std::env::var_os("RUST_LOG").is_some() {
            serve::start_log(false);
        }
        let mut signals = EndSignals::catch()?;
        let scratch = Scratch::new("simpost-demo")?;
        let emulator = Emulator::start(&Settings {
            radio: RADIO,
            report_delay: REPORT_DELAY,
            ..Settings::new(MODEMS, scratch.path().join("modems"))
        })
        .map_err(Failure::failed)?;
        let data = place.data.clone();
        let place = Place {
            data: Some(data.unwrap_or_else(|| scratch.path().join("data"))),
            ..place.clone()
        };
        let config = place.load(Flags {
            listen: Some(free_address().to_string()),
            ports: emulator.ports(),
            ..Flags::default()
        })?;
        let daemon = Daemon::start(&config, Clock::system()).await?;
        let (address, data) = (daemon.address, config.data_dir.as_path());
        let shown = tokio::select! {
            shown = self.show(address, data) => shown,
            () = signals.next() => Ok(Exit::Interrupted),
        };
        if !self.once && matches!(shown, Ok(Exit::Done)) {
            signals.next().await;
        }
        tokio::select! {
            () = daemon.stop() => {}
            () = signals.next() => {}
        }
        emulator.stop().await;
        shown
    }

    async fn show(&self, address: SocketAddr, data: &Path) -> Result<Exit, Failure> {
        output::note(&format!(
            "the gateway listens on http://{address}, with {MODEMS} emulated modems"
        ));
        let wish = json!({"name": "demo", "scopes": ["*"]});
        let made = Client::new(data)?.post("/v1/keys", &wish).await?;
        let key = text(&made, "/key");
        let shop = Client::over_network(address, key.to_owned())?;
        let mut messages = Vec::new();
        for Order {
            to, text, class, ..
        } in ORDERS
        {
            let wish = json!({"to": to, "text": text, "class": class});
            messages.push(shop.post("/v1/messages", &wish).await?);
        }
        output::note(&format!("the shop has posted {} texts:\n", messages.len()));
        follow(&shop, &mut messages).await?;
        output::note("");
        output::print_table(
            &["TO", "CAME TO", "PARTS", "SIM", "TOOK", "WHY"],
            &results(&messages),
        );
        let wrong = messages
            .iter()
            .zip(ORDERS)
            .find(|(message, order)| state(message) != Some(order.ends));
        if let Some((message, order)) = wrong {
            let (id, to, ends) = (text(message, "/id"), order.to, order.ends);
            return Err(Failure::failed(anyhow::anyhow!(
                "the text to {to} was to be {ends}: {id}"
            )));
        }
        if !self.once {
            output::note(&next_steps(address, key, data, &messages));
        }
        Ok(Exit::Done)
    }
}

/// The usual address, or another port when somebody listens there.
fn free_address() -> SocketAddr {
    if TcpListener::bind(USUAL).is_ok() {
        return USUAL;
    }
    output::note(&format!(
        "port {} is taken, so another one is used",
        USUAL.port()
    ));
    SocketAddr::new(USUAL.ip(), 0)
}

/// Shows the messages until nothing more is expected of any. Errors: that takes too long.
async fn follow(shop: &Client, messages: &mut [Value]) -> Result<(), Failure> {
    let end = Instant::now() + LONGEST;
    let mut progress = Progress::new();
    loop {
        progress.show(messages.iter().map(standing).collect());
        let open = messages.iter_mut().filter(|message| !is_final(message));
        let mut left = 0_usize;
        for message in open {
            *message = shop
                .get(&format!("/v1/messages/{}", text(message, "/id")))
                .await?;
            left += 1;
        }
        if left == 0 {
            return Ok(());
        }
        if Instant::now() >= end {
            let limit = LONGEST.as_secs();
            return Err(Failure::new(
                Exit::Failed,
                anyhow::anyhow!("{left} texts are still under way after {limit} s"),
            )
            .hint("RUST_LOG=debug shows what goes on"));
        }
        sleep(LOOK).await;
    }
}

fn is_final(message: &Value) -> bool {
    state(message).is_some_and(MessageState::is_final)
}

/// A row whose columns stay where they are while the message changes.
fn standing(message: &Value) -> String {
    let state = Cell::state(text(message, "/state")).written(Stream::Err, 11);
    let (sent, all) = (answer::parts_sent(message), list(message, "/parts").len());
    let (to, sim) = (text(message, "/to"), word(message, "/sim"));
    let text = beginning(&harmless(text(message, "/text")), LONGEST_TEXT);
    format!("  {state}  {to:<13}  {sent}/{all} sent  {sim:<6}  {text}")
}

fn results(messages: &[Value]) -> Vec<Vec<Cell>> {
    let row = |message: &Value| {
        vec![
            text(message, "/to").into(),
            Cell::state(text(message, "/state")),
            word(message, "/segments").into(),
            word(message, "/sim").into(),
            took(message)
                .map_or_else(|| "-".into(), |took| format!("{took:.1} s"))
                .into(),
            answer::error(message).unwrap_or_default().into(),
        ]
    };
    messages.iter().map(row).collect()
}

/// Seconds from acceptance to the final state.
fn took(message: &Value) -> Option<f64> {
    let at = |pointer| text(message, pointer).parse::<Timestamp>().ok();
    let took = at("/finalized_at")?.duration_since(at("/created_at")?);
    Some(took.as_secs_f64())
}

fn next_steps(address: SocketAddr, key: &str, data: &Path, messages: &[Value]) -> String {
    let longest = messages
        .iter()
        .max_by_key(|message| list(message, "/parts").len());
    let id = longest
        .map(|message| text(message, "/id"))
        .unwrap_or_default();
    let data = data.display();
    // Whoever tries the demo has most likely not installed the program.
    let program = std::env::current_exe()
        .map_or_else(|_| "simpost".into(), |path| path.display().to_string());
    format!(
        "
Send one yourself, as the shop's program would:

  curl -sS http://{address}/v1/messages -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' -d '{{\"to\":\"+380670000006\",\"text\":\"Привіт!\"}}'

Look at what happened:

  {program} show {id} --data {data}
  {program} messages --data {data}

With a real modem:

  {program} serve --port /dev/ttyUSB0

The demo stays up until Ctrl-C."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::parts::split;

    #[test]
    fn the_texts_show_one_part_and_several() {
        let parts: Vec<u8> = ORDERS
            .iter()
            .map(|order| split(order.text).unwrap().parts())
            .collect();
        assert_eq!(parts, [1, 1, 1, 3, 1]);
    }

    #[test]
    fn a_row_keeps_its_columns() {
        let part = |at: Option<&str>| json!({"submitted_at": at});
        let mut message = json!({"to": "+380670000004", "state": "queued", "sim": null, "text": "Дякуємо!",
                                 "parts": [part(None), part(None)]});
        assert_eq!(
            standing(&message),
            "  queued       +380670000004  0/2 sent  -       Дякуємо!"
        );
        message["state"] = "sending".into();
        message["sim"] = "sim_1".into();
        message["parts"][0] = part(Some("2026-11-24T10:00:00.250Z"));
        assert_eq!(
            standing(&message),
            "  sending      +380670000004  1/2 sent  sim_1   Дякуємо!"
        );
    }

    #[test]
    fn a_result_tells_how_long_it_took() {
        let message = json!({
            "to": "+15005550014", "state": "failed", "segments": 1, "sim": "sim_1",
            "created_at": "2026-11-24T10:00:00.250Z", "finalized_at": "2026-11-24T10:00:02.700Z",
            "error": {"message": "unknown subscriber", "raw": "+CMS ERROR: 30"},
        });
        let row = results(&[message]).remove(0);
        let written: Vec<String> = row
            .iter()
            .map(|cell| cell.written(Stream::Out, 0))
            .collect();
        let why = "unknown subscriber (+CMS ERROR: 30)";
        assert_eq!(
            written,
            ["+15005550014", "failed", "1", "sim_1", "2.5 s", why]
        );
    }
}
