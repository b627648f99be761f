//! `simpost cancel`: a message is withdrawn.

use clap::Args;
use serde_json::json;

use crate::cli::Place;
use crate::cli::answer::{parts_sent, text};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::sms::ids::MessageId;

/// Withdraw a message: what has not left never leaves
///
/// A part that a modem is working on goes on, and is not tried again if the network does not take it. A
/// message that is out already cannot be withdrawn: exit code 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost cancel msg_0193b2f09c5e775390c8b7cde96b7ff7
  simpost messages --state queued --json | jq -r '.data[].id' | xargs -n1 simpost cancel")]
pub struct Cancel {
    /// The message's id, as `send` and `messages` show it
    #[arg(value_parser = str::parse::<MessageId>)]
    id: MessageId,

    /// Print JSON: the message
    #[arg(long)]
    json: bool,
}

impl Cancel {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let path = format!("/v1/messages/{}/cancel", self.id);
        let message = place.client()?.post(&path, &json!({})).await?;
        if self.json {
            output::json(&message);
            return Ok(Exit::Done);
        }
        let (state, out) = (text(&message, "/state"), parts_sent(&message));
        output::line(&match state {
            "canceled" => format!("{} is canceled", self.id),
            _ => format!(
                "{} is {state}: {out} of its parts are out, the others stay here",
                self.id
            ),
        });
        Ok(Exit::Done)
    }
}
