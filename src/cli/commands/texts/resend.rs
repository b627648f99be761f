//! `simpost resend`: the same text to the same number, as a new message.

use clap::Args;
use serde_json::json;

use crate::cli::Place;
use crate::cli::answer::text;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::sms::ids::MessageId;

/// Send a message again, as a new one
///
/// For a message that has come to its end or rests as sent or uncertain; one that is under way cannot be sent
/// again: exit code 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost resend msg_0193b2f09c5e775390c8b7cde96b7ff7
  simpost messages --state failed --json | jq -r '.data[].id' | xargs -n1 simpost resend")]
pub struct Resend {
    /// The message's id, as `send` and `messages` show it
    #[arg(value_parser = str::parse::<MessageId>)]
    id: MessageId,

    /// Print JSON: the new message
    #[arg(long)]
    json: bool,
}

impl Resend {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let path = format!("/v1/messages/{}/resend", self.id);
        let message = place.client()?.post(&path, &json!({})).await?;
        if self.json {
            output::json(&message);
        } else {
            output::line(&format!(
                "{} {}",
                text(&message, "/id"),
                text(&message, "/state")
            ));
        }
        Ok(Exit::Done)
    }
}
