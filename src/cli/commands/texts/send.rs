//! `simpost send`: one text through the running daemon, and how it ends.

use std::io::{IsTerminal, Read};
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::cli::client::Client;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Cell, Stream, harmless};
use crate::cli::progress::Progress;
use crate::cli::signals::EndSignals;
use crate::cli::{Place, answer, output};
use crate::clock::Millis;
use crate::routing::class::MessageClass;
use crate::sms::state::MessageState;

/// Between two looks at the message.
const LOOK: Duration = Duration::from_millis(150);
/// The daemon takes no larger request; no text of 255 parts is as long.
const LONGEST_INPUT: u64 = 1024 * 1024;

/// Send a text through the running daemon
///
/// Prints the message's id and state as soon as the daemon has it on disk. With --wait it follows the
/// message and ends with 0 when it is delivered, 4 when it is not, 5 when it is still under way after
/// --timeout. A text that the network took but nobody reported on by then counts as sent: 0. Ctrl-C ends
/// the waiting, not the text.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost send +380671234567 'Order 1042 is ready' --wait
  simpost send +380671234567 'Your table is free at 19:00' --at 2026-12-24T16:00:00+02:00 --ttl 3600
  date | simpost send +380671234567 - --class marketing --json")]
pub struct Send {
    /// The number, as +380671234567 or as it is written in the country of the configuration
    to: String,

    /// The text; - reads it from stdin, without the line's end after it
    text: String,

    /// What it is for: otp, transactional or marketing; the first goes before all others
    #[arg(long, default_value_t, value_parser = str::parse::<MessageClass>)]
    class: MessageClass,

    /// Not before this moment, as 2026-11-24T10:00:00+02:00
    #[arg(long, value_name = "TIME", value_parser = str::parse::<Millis>)]
    at: Option<Millis>,

    /// Worth sending for so many seconds from then on (default: otp 600, others a day)
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(30..=2_592_000))]
    ttl: Option<u32>,

    /// The order among texts of its class: 0 to 9, higher goes first
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: u8,

    /// Your own name for it: sent again under the same name, it is found, not sent twice
    #[arg(long = "ref", value_name = "NAME")]
    client_ref: Option<String>,

    /// Wait until nothing more is expected, and show each change
    #[arg(long)]
    wait: bool,

    /// The longest wait, in seconds
    #[arg(long, value_name = "S", default_value_t = 120, requires = "wait")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,

    /// Print the message as JSON
    #[arg(long)]
    json: bool,
}

impl Send {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let text = match self.text.as_str() {
            "-" => from_stdin()?,
            text => text.to_owned(),
        };
        let client = place.client()?;
        // Before the text is handed over: from then on Ctrl-C must be able to say that it goes on.
        let mut signals = EndSignals::catch()?;
        let wish = self.wish(&text);
        let mut message = client.post("/v1/messages", &wish).await?;
        let id = answer::text(&message, "/id").to_owned();
        let exit = if self.wait {
            let limit = Duration::from_secs(self.timeout);
            tokio::select! {
                exit = follow(&client, &mut message, limit) => exit.map_err(|failure| failure.hint(
                    format!("the text is kept all the same; look with `simpost show {id}`"),
                ))?,
                () = signals.next() => {
                    output::note(&format!("the text goes on; look with `simpost show {id}`"));
                    return Ok(Exit::Interrupted);
                }
            }
        } else {
            Exit::Done
        };
        if self.json {
            output::json(&message);
        } else {
            output::line(&result(&message));
        }
        if exit == Exit::TimedOut {
            let seconds = self.timeout;
            output::note(&format!(
                "it is still under way after {seconds} s and goes on; look with `simpost show {id}`"
            ));
        }
        Ok(exit)
    }
}

impl Send {
    fn wish(&self, text: &str) -> Value {
        let fields = [
            ("to", Some(self.to.clone().into())),
            ("text", Some(text.into())),
            ("class", Some(self.class.as_str().into())),
            ("priority", Some(self.priority.into())),
            ("send_at", self.at.map(|at| at.to_string().into())),
            ("ttl", self.ttl.map(Value::from)),
            ("client_ref", self.client_ref.clone().map(Value::from)),
        ];
        let given = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect())
    }
}

fn from_stdin() -> Result<String, Failure> {
    let stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        output::note("reading the text from here; Ctrl-D ends it");
    }
    let mut octets = Vec::new();
    stdin
        .take(LONGEST_INPUT)
        .read_to_end(&mut octets)
        .map_err(|error| Failure::failed(anyhow::Error::new(error).context("cannot read stdin")))?;
    let mut text = String::from_utf8(octets).map_err(|error| {
        let octet = error.utf8_error().valid_up_to();
        let words = anyhow::anyhow!("the text on stdin is no UTF-8 from octet {octet} on");
        Failure::new(Exit::Usage, words).hint("convert it, for example with `iconv -t UTF-8`")
    })?;
    let end = text
        .strip_suffix('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).len());
    text.truncate(end.unwrap_or(text.len()));
    Ok(text)
}

/// Looks at `message` until it has its outcome, and leaves it as it was last seen.
async fn follow(client: &Client, message: &mut Value, limit: Duration) -> Result<Exit, Failure> {
    let end = Instant::now() + limit;
    let path = format!("/v1/messages/{}", answer::text(message, "/id"));
    let mut progress = Progress::new();
    loop {
        progress.show(vec![standing(message)]);
        if let Some(exit) = outcome(message, Instant::now() >= end) {
            return Ok(exit);
        }
        sleep(LOOK).await;
        *message = client.get(&path).await?;
    }
}

/// What the message's state comes to for the shell; nothing while it may still change.
fn outcome(message: &Value, is_time_over: bool) -> Option<Exit> {
    let report_comes = message.get("delivery_report") != Some(&Value::Bool(false));
    match answer::state(message) {
        Some(MessageState::Delivered) => Some(Exit::Done),
        Some(MessageState::Sent) if is_time_over || !report_comes => Some(Exit::Done),
        Some(MessageState::Uncertain) if is_time_over => Some(Exit::Refused),
        Some(state) if state.is_final() => Some(Exit::Refused),
        _ => is_time_over.then_some(Exit::TimedOut),
    }
}

/// `sending, 1 of 3 parts sent`
fn standing(message: &Value) -> String {
    let state = Cell::state(answer::text(message, "/state")).written(Stream::Err, 0);
    match answer::list(message, "/parts").len() {
        0 | 1 => state,
        all => format!(
            "{state}, {} of {all} parts sent",
            answer::parts_sent(message)
        ),
    }
}

/// `msg_0193… failed: unknown subscriber (+CMS ERROR: 30)`
fn result(message: &Value) -> String {
    let state = Cell::state(answer::text(message, "/state")).written(Stream::Out, 0);
    let error = answer::error(message).map(|error| format!(": {}", harmless(&error)));
    let id = answer::text(message, "/id");
    format!("{id} {state}{}", error.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_state_has_its_exit_code() {
        // State, report asked for, before the time is over, after it.
        const CASES: &[(&str, bool, Option<Exit>, Exit)] = &[
            ("scheduled", true, None, Exit::TimedOut),
            ("queued", true, None, Exit::TimedOut),
            ("sending", false, None, Exit::TimedOut),
            ("sent", true, None, Exit::Done),
            ("sent", false, Some(Exit::Done), Exit::Done),
            ("delivered", true, Some(Exit::Done), Exit::Done),
            ("undelivered", true, Some(Exit::Refused), Exit::Refused),
            ("failed", true, Some(Exit::Refused), Exit::Refused),
            ("expired", true, Some(Exit::Refused), Exit::Refused),
            ("canceled", true, Some(Exit::Refused), Exit::Refused),
            ("rejected", true, Some(Exit::Refused), Exit::Refused),
            ("uncertain", true, None, Exit::Refused),
            ("a word of a later release", true, None, Exit::TimedOut),
        ];
        for (state, report, before, after) in CASES {
            let message = json!({"state": state, "delivery_report": report});
            assert_eq!(outcome(&message, false), *before, "{state}");
            assert_eq!(outcome(&message, true), Some(*after), "{state}");
        }
    }

    #[test]
    fn parts_are_counted_where_there_are_several() {
        let part = |at: Option<&str>| json!({"submitted_at": at});
        let one = json!({"state": "queued", "parts": [part(None)]});
        assert_eq!(standing(&one), "queued");
        let parts = [
            part(Some("2026-11-24T10:00:00.250Z")),
            part(None),
            part(None),
        ];
        let three = json!({"state": "sending", "parts": parts});
        assert_eq!(standing(&three), "sending, 1 of 3 parts sent");
    }

    #[test]
    fn the_result_tells_why() {
        let error = json!({"message": "unknown subscriber", "raw": "+CMS ERROR: 30"});
        let failed = json!({"id": "msg_1", "state": "failed", "error": error});
        assert_eq!(
            result(&failed),
            "msg_1 failed: unknown subscriber (+CMS ERROR: 30)"
        );
        let queued = json!({"id": "msg_1", "state": "queued", "error": null});
        assert_eq!(result(&queued), "msg_1 queued");
    }
}
