//! `simpost resolve`: a person says what became of an uncertain message.

use clap::Args;
use serde_json::json;

use crate::cli::Place;
use crate::cli::answer::text;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::sms::ids::MessageId;
use crate::store::Resolution;

/// Say what became of a message that is uncertain
///
/// `sent`: it went out. `failed`: it did not, and shall not. `resend`: it shall go once more, even if it may
/// arrive twice. Evidence that comes later corrects it. Exit code 1 where nothing is uncertain.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost messages --state uncertain
  simpost resolve msg_0193b2f09c5e775390c8b7cde96b7ff7 --as resend")]
pub struct Resolve {
    /// The message's id, as `send` and `messages` show it
    #[arg(value_parser = str::parse::<MessageId>)]
    id: MessageId,

    /// What became of it, or shall: sent, failed or resend
    #[arg(long = "as", value_name = "WHAT", value_parser = str::parse::<Resolution>)]
    what: Resolution,

    /// Print JSON: the message
    #[arg(long)]
    json: bool,
}

impl Resolve {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let path = format!("/v1/messages/{}/resolve", self.id);
        let message = place
            .client()?
            .post(&path, &json!({"as": self.what.as_str()}))
            .await?;
        if self.json {
            output::json(&message);
        } else {
            output::line(&format!("{} is {}", self.id, text(&message, "/state")));
        }
        Ok(Exit::Done)
    }
}
