//! `simpost serve`: the daemon.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::cli::exit::{Exit, Failure};
use crate::cli::signals::EndSignals;
use crate::cli::{Place, output};
use crate::clock::Clock;
use crate::config::Flags;
use crate::daemon::Daemon;

/// Run the gateway: the HTTP API and the modems
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost serve --port /dev/ttyUSB0
  simpost serve --config /etc/simpost.toml --listen 127.0.0.1:8080

Ctrl-C or SIGTERM stops it after the part in the air; a second one at once.")]
pub struct Serve {
    /// A modem's tty; repeat it for several. Replaces those of the configuration file
    #[arg(long = "port", value_name = "TTY")]
    ports: Vec<PathBuf>,

    /// Where the HTTP API listens
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,

    /// Write log lines as JSON
    #[arg(long)]
    log_json: bool,
}

impl Serve {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        start_log(self.log_json);
        let config = place.load(Flags {
            listen: self.listen,
            ports: self.ports,
            ..Flags::default()
        })?;
        let mut signals = EndSignals::catch()?;
        let mut daemon = Daemon::start(&config, Clock::system()).await?;
        output::note(&format!("simpost listens on http://{}", daemon.address));
        output::note(&format!("data in {}", config.data_dir.display()));
        if config.ports.is_empty() {
            output::note(
                "no modem is named: texts are kept and wait; add one with --port or [[modem]]",
            );
        }
        let broken = tokio::select! {
            () = signals.next() => false,
            () = daemon.broken() => true,
        };
        output::note("stopping: the part in the air is waited for; once more stops at once");
        tokio::select! {
            () = daemon.stop() => Ok(if broken { Exit::Failed } else { Exit::Done }),
            () = signals.next() => Ok(Exit::Interrupted),
        }
    }
}

/// The log goes to stderr; `RUST_LOG` chooses what is in it.
pub(super) fn start_log(json: bool) {
    let filter = EnvFilter::try_from_env("RUST_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    // A log that was started before stays the log.
    let _ = if json {
        log.json().try_init()
    } else {
        log.with_target(false).try_init()
    };
}
