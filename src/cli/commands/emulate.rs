//! `simpost emulate`: modems for any program to open.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::serve;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::cli::scratch::Scratch;
use crate::cli::signals::EndSignals;
use crate::emulator::{Emulator, Settings};

/// Run emulated modems on pseudo-terminals
///
/// Each one answers AT commands like a USB stick with a SIM in a network that takes parts, sends status
/// reports, and keeps a ledger of what went over the air. Some recipients end otherwise than delivered:
/// +15005550013 undelivered, …14 refused, …15 silence, …16 expired, …17 congestion.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost emulate --modems 4 --dir /tmp/modems --ledger /tmp/ledger.jsonl
  simpost serve --port /tmp/modems/modem0 --port /tmp/modems/modem1")]
pub struct Emulate {
    /// How many modems
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    modems: u16,

    /// Where the links modem0, modem1, … are made (default: a new directory)
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Append one JSON line for each thing that goes over the air
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,

    /// Time of one part on the air, in milliseconds
    #[arg(long, default_value_t = 3000, value_name = "MS")]
    radio_ms: u64,

    /// From the acceptance of a part to its status report, in milliseconds
    #[arg(long, default_value_t = 2000, value_name = "MS")]
    report_ms: u64,

    /// Print the ports as JSON
    #[arg(long)]
    json: bool,
}

impl Emulate {
    pub(in crate::cli) async fn run(self) -> Result<Exit, Failure> {
        serve::start_log(false);
        let mut signals = EndSignals::catch()?;
        // Kept until the end, if it is needed at all.
        let scratch;
        let dir = if let Some(dir) = self.dir {
            dir
        } else {
            scratch = Scratch::new("simpost-modems")?;
            scratch.path().to_owned()
        };
        let settings = Settings {
            ledger: self.ledger,
            radio: Duration::from_millis(self.radio_ms),
            report_delay: Duration::from_millis(self.report_ms),
            ..Settings::new(self.modems, dir)
        };
        let emulator = Emulator::start(&settings).map_err(Failure::failed)?;
        let ports: Vec<String> = emulator
            .ports()
            .iter()
            .map(|port| port.display().to_string())
            .collect();
        if self.json {
            output::json(&json!({ "ports": ports }));
        } else {
            for port in &ports {
                output::line(port);
            }
        }
        output::note("emulated modems are up; Ctrl-C takes them away");
        signals.next().await;
        emulator.stop().await;
        Ok(Exit::Done)
    }
}
