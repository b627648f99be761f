//! `simpost inbox`: the texts that came in.

use clap::Args;
use serde_json::Value;

use super::listing::Listing;
use crate::cli::Place;
use crate::cli::answer::{second, text, word};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::Cell;

/// List the texts that came in, newest first
///
/// Shows the latest 50 of the running daemon, or of those that --from leaves. Long texts are joined; a part
/// that did not come within a day is a […] in its text. Times are UTC.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost inbox
  simpost inbox --from +380671234567 --limit 5
  simpost inbox --json | jq -r '.data[] | [.from, .text] | @tsv'")]
pub struct Inbox {
    /// Only those of this sender: a number, or a name such as Bank
    #[arg(long, value_name = "SENDER", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    from: Option<String>,

    /// How many at most, from 1 to 200
    #[arg(long, value_name = "N", default_value_t = 50)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Inbox {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let listing = Listing {
            path: "/v1/inbound",
            query: self.query(),
            heads: &["RECEIVED (UTC)", "FROM", "SIM", "PARTS", "TEXT"],
            row,
            nothing: "no such text has come in",
            more: "there are more; --limit shows up to 200, --from chooses among them",
        };
        listing.show(place, self.json).await
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let from = self.from.clone().map(|from| ("from", from));
        let limit = ("limit", self.limit.to_string());
        [Some(limit), from].into_iter().flatten().collect()
    }
}

fn row(inbound: &Value) -> Vec<Cell> {
    let said = match inbound.get("text").and_then(Value::as_str) {
        Some(said) => said.replace(['\r', '\n'], " "),
        None => format!(
            "(not readable; GET /v1/inbound/{} shows it raw)",
            text(inbound, "/id")
        ),
    };
    vec![
        second(inbound, "/received_at").into(),
        word(inbound, "/from").into(),
        word(inbound, "/sim").into(),
        word(inbound, "/segments").into(),
        said.into(),
    ]
}
