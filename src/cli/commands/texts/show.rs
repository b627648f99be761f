//! `simpost show`: all that there is to know about one message.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::answer::{list, text, word};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Cell, Stream, harmless};
use crate::cli::{Place, answer, output};
use crate::sms::ids::MessageId;

/// Show a message: where it stands, its parts, and everything that happened to it
///
/// Times are UTC. `submitted` is when the network took a part, `final` when its fate was known; `ref` is
/// the reference that the modem gave it and that the network's report names.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost show msg_0193b2f09c5e775390c8b7cde96b7ff7
  simpost show msg_0193b2f09c5e775390c8b7cde96b7ff7 --json | jq '.events[].reason'")]
pub struct Show {
    /// The message's id, as `send` and `messages` show it
    #[arg(value_parser = str::parse::<MessageId>)]
    id: MessageId,

    /// Print JSON: the message and its events
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let client = place.client()?;
        let path = format!("/v1/messages/{}", self.id);
        let message = client.get(&path).await?;
        let events = client.get(&format!("{path}/events")).await?;
        let events = list(&events, "/data");
        if self.json {
            output::json(&json!({"message": message, "events": events}));
        } else {
            show(&message, events);
        }
        Ok(Exit::Done)
    }
}

fn show(message: &Value, events: &[Value]) {
    let state = Cell::state(text(message, "/state")).written(Stream::Out, 0);
    output::line(&format!("{}  {state}\n", text(message, "/id")));
    for (name, value) in facts(message) {
        output::line(&format!("{name:<10}{}", harmless(&value)));
    }
    output::line("\nText");
    for line in text(message, "/text").lines() {
        output::line(&format!("  {}", harmless(line)));
    }
    output::line("");
    let heads = ["PART", "STATE", "REF", "ATTEMPTS", "SUBMITTED", "FINAL"];
    output::print_table(&heads, &parts(message));
    output::line("");
    let heads = ["TIME", "WHAT", "PART", "SIM", "WHY"];
    output::print_table(&heads, &timeline(events));
}

/// Name and value of each fact, as far as it is there.
fn facts(message: &Value) -> Vec<(&'static str, String)> {
    let reports = match message.get("delivery_report").and_then(Value::as_bool) {
        Some(false) => "no report asked for",
        _ => "report asked for",
    };
    let encoding = format!(
        "{}, {} part(s), {reports}",
        word(message, "/encoding"),
        word(message, "/segments")
    );
    let error =
        answer::error(message).map(|words| format!("{}: {words}", text(message, "/error/code")));
    let facts = [
        ("To", word(message, "/to")),
        ("Class", word(message, "/class")),
        ("Encoding", encoding),
        ("SIM", word(message, "/sim")),
        ("Created", word(message, "/created_at")),
        ("Sent", word(message, "/sent_at")),
        ("Final", word(message, "/finalized_at")),
        ("Error", error.unwrap_or_else(|| "-".into())),
    ];
    facts
        .into_iter()
        .filter(|(_, value)| value != "-")
        .collect()
}

fn parts(message: &Value) -> Vec<Vec<Cell>> {
    let row = |part: &Value| {
        vec![
            word(part, "/n").into(),
            Cell::state(text(part, "/state")),
            word(part, "/ref").into(),
            word(part, "/attempts").into(),
            word(part, "/submitted_at").into(),
            word(part, "/final_at").into(),
        ]
    };
    list(message, "/parts").iter().map(row).collect()
}

fn timeline(events: &[Value]) -> Vec<Vec<Cell>> {
    let row = |event: &Value| {
        ["/at", "/type", "/part", "/sim", "/reason"]
            .map(|field| word(event, field).into())
            .into()
    };
    events.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_facts_that_are_there_are_told() {
        let message = json!({
            "to": "+380671234567", "class": "otp", "encoding": "ucs2", "segments": 2, "delivery_report": true,
            "sim": null, "created_at": "2026-11-24T10:00:00.250Z", "sent_at": null, "finalized_at": null,
            "error": {"code": "unknown_subscriber", "message": "unknown subscriber", "raw": null},
        });
        let expected = [
            ("To", "+380671234567"),
            ("Class", "otp"),
            ("Encoding", "ucs2, 2 part(s), report asked for"),
            ("Created", "2026-11-24T10:00:00.250Z"),
            ("Error", "unknown_subscriber: unknown subscriber"),
        ];
        assert_eq!(
            facts(&message),
            expected.map(|(name, value)| (name, value.to_owned()))
        );
    }
}
