//! `simpost pdu`: PDUs into fields and texts into PDUs, without a modem.

mod coding;
mod decode;
mod encode;
mod error;
mod fields;
mod layout;
mod picture;
mod wish;

use clap::{Args, Subcommand};

use crate::cli::exit::{Exit, Failure};

/// Read and write PDUs, without a modem
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost pdu decode 079144770009909906170C91447700091032623041015123006230410151730000
  simpost pdu decode --json - < pdus.txt
  simpost pdu encode --to +380671234567 --text 'Замовлення 1042 готове'")]
pub struct Pdu {
    #[command(subcommand)]
    command: PduCommand,
}

#[derive(Debug, Subcommand)]
enum PduCommand {
    Decode(decode::Decode),
    Encode(encode::Encode),
}

impl Pdu {
    pub(in crate::cli) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            PduCommand::Decode(decode) => decode.run(),
            PduCommand::Encode(encode) => encode.run(),
        }
    }
}
