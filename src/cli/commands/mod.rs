//! What the program can do: one file a command.

mod at;
mod config;
mod demo;
mod emulate;
mod key;
mod modems;
mod pdu;
mod serve;
mod texts;

use clap::Subcommand;

use super::Place;
use super::exit::{Exit, Failure};

// In the order of the help. What a command is for is written at its own arguments.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Send(texts::send::Send),
    Messages(texts::messages::Messages),
    Show(texts::show::Show),
    Cancel(texts::cancel::Cancel),
    Resend(texts::resend::Resend),
    Resolve(texts::resolve::Resolve),
    Inbox(texts::inbox::Inbox),
    Modems(modems::Modems),
    Emulate(emulate::Emulate),
    Pdu(pdu::Pdu),
    At(at::At),
    Key(key::Key),
    Config(config::ConfigCommand),
}

impl Command {
    pub(super) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        match self {
            Self::Demo(demo) => demo.run(place).await,
            Self::Serve(serve) => serve.run(place).await,
            Self::Send(send) => send.run(place).await,
            Self::Messages(messages) => messages.run(place).await,
            Self::Show(show) => show.run(place).await,
            Self::Cancel(cancel) => cancel.run(place).await,
            Self::Resend(resend) => resend.run(place).await,
            Self::Resolve(resolve) => resolve.run(place).await,
            Self::Inbox(inbox) => inbox.run(place).await,
            Self::Modems(modems) => modems.run(place).await,
            Self::Emulate(emulate) => emulate.run().await,
            Self::Pdu(pdu) => pdu.run(),
            Self::At(at) => at.run(),
            Self::Key(key) => key.run(place).await,
            Self::Config(config) => config.run(place),
        }
    }
}
