//! The command line. Results go to stdout, all else to stderr.

mod answer;
mod client;
mod commands;
mod exit;
mod filter;
mod output;
mod progress;
mod scratch;
mod signals;

use std::path::PathBuf;

use clap::Parser;

use commands::Command;
pub use exit::Exit;
use exit::Failure;

use crate::config::{Config, Flags};

/// An SMS gateway on USB modems with ordinary SIM cards.
///
/// Programs post texts to a local HTTP API; Simpost keeps them in SQLite, speaks AT to the modems and
/// follows each text until the phone has it.
#[derive(Debug, Parser)]
#[command(
    name = "simpost",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  simpost demo                                     try everything on emulated modems
  simpost serve --port /dev/ttyUSB0                work with a real one
  simpost key create --name till --scope messages:send --scope messages:read
  simpost send +380671234567 'Order 1042 is ready' --wait"
)]
struct Arguments {
    /// The configuration file (default: `$SIMPOST_CONFIG`, or /etc/simpost.toml if it is there)
    #[arg(long, global = true, value_name = "FILE", display_order = 100)]
    config: Option<PathBuf>,

    /// The directory of database and socket
    #[arg(long, global = true, value_name = "DIR", display_order = 101)]
    data: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

/// Where the command line says that things are.
#[derive(Debug, Clone)]
struct Place {
    config: Option<PathBuf>,
    data: Option<PathBuf>,
}

impl Place {
    /// The configuration, with what a command adds to it.
    fn load(&self, flags: Flags) -> Result<Config, Failure> {
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let flags = Flags {
            data: self.data.clone(),
            ..flags
        };
        Ok(Config::load(
            self.file(&environment).as_deref(),
            &environment,
            flags,
        )?)
    }

    fn file(&self, environment: &[(String, String)]) -> Option<PathBuf> {
        let variable = || {
            environment
                .iter()
                .find(|(name, _)| name == "SIMPOST_CONFIG")
                .map(|(_, value)| value.into())
        };
        let usual = || Some(PathBuf::from("/etc/simpost.toml")).filter(|path| path.exists());
        self.config.clone().or_else(variable).or_else(usual)
    }

    /// The way to the running daemon.
    fn client(&self) -> Result<client::Client, Failure> {
        client::Client::new(&self.load(Flags::default())?.data_dir)
    }
}

/// Runs what the arguments say.
pub fn main() -> Exit {
    let Arguments {
        config,
        data,
        command,
    } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::usage(&error),
    };
    let place = Place { config, data };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::tell(&Failure::failed(error)),
    };
    let done = runtime.block_on(command.run(&place));
    // A thread that hangs in a dying device must not keep the program from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    done.unwrap_or_else(|failure| exit::tell(&failure))
}
