//! `simpost messages`: the latest ones, or those that are looked for.

use clap::Args;
use serde_json::Value;

use super::listing::Listing;
use crate::cli::Place;
use crate::cli::answer::{second, text, word};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Cell, beginning};
use crate::sms::number::PhoneNumber;
use crate::sms::state::MessageState;

/// What a line shows of a text.
const LONGEST_TEXT: usize = 40;

/// List messages, newest first
///
/// Shows the latest 50 of the running daemon, or of those that --state and --to leave. Times are UTC.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost messages --state failed
  simpost messages --to +380671234567 --limit 5 --json")]
pub struct Messages {
    /// Only those in this state: scheduled, queued, sending, sent, delivered, undelivered, failed, expired,
    /// canceled, rejected or uncertain
    #[arg(long, value_parser = str::parse::<MessageState>)]
    state: Option<MessageState>,

    /// Only those to this number, as +380671234567
    #[arg(long, value_name = "NUMBER", value_parser = str::parse::<PhoneNumber>)]
    to: Option<PhoneNumber>,

    /// How many at most, from 1 to 200
    #[arg(long, value_name = "N", default_value_t = 50)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Messages {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let listing = Listing {
            path: "/v1/messages",
            query: self.query(),
            heads: &[
                "ID",
                "STATE",
                "TO",
                "CLASS",
                "PARTS",
                "CREATED (UTC)",
                "TEXT",
            ],
            row,
            nothing: "there are no such messages",
            more: "there are more; --limit shows up to 200, --state and --to choose among them",
        };
        listing.show(place, self.json).await
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let state = self.state.map(|state| ("state", state.to_string()));
        let to = self.to.as_ref().map(|to| ("to", to.to_string()));
        let limit = ("limit", self.limit.to_string());
        [Some(limit), state, to].into_iter().flatten().collect()
    }
}

fn row(message: &Value) -> Vec<Cell> {
    let on_one_line = text(message, "/text").replace(['\r', '\n'], " ");
    vec![
        text(message, "/id").into(),
        Cell::state(text(message, "/state")),
        text(message, "/to").into(),
        text(message, "/class").into(),
        word(message, "/segments").into(),
        second(message, "/created_at").into(),
        beginning(&on_one_line, LONGEST_TEXT).into(),
    ]
}
