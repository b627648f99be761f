//! `simpost config`: is it valid, and what does it come to?

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::Cell;
use crate::cli::{Place, output};
use crate::config::Flags;

/// Check the configuration, or show what it comes to
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost config check --config /etc/simpost.toml
  simpost config show --json")]
pub struct ConfigCommand {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Tell every mistake, with its place; exit 2 if there is one
    Check,
    /// Show every setting, its value, and where that comes from
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl ConfigCommand {
    pub(in crate::cli) fn run(self, place: &Place) -> Result<Exit, Failure> {
        let shown = place.load(Flags::default())?.shown();
        match self.command {
            What::Check => output::note("the configuration is valid"),
            What::Show { json: true } => {
                let entry = |(key, value, origin): &(String, String, crate::config::Origin)| {
                    (
                        key.clone(),
                        json!({"value": value, "origin": origin.to_string()}),
                    )
                };
                output::json(&Value::Object(shown.iter().map(entry).collect()));
            }
            What::Show { json: false } => {
                let rows: Vec<Vec<Cell>> = shown
                    .into_iter()
                    .map(|(key, value, origin)| {
                        vec![key.into(), value.into(), origin.to_string().into()]
                    })
                    .collect();
                output::print_table(&["KEY", "VALUE", "FROM"], &rows);
            }
        }
        Ok(Exit::Done)
    }
}
