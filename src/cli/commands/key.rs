//! `simpost key`: API keys, with the daemon running or not.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::client::Client;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::Cell;
use crate::cli::{Place, answer, output};
use crate::clock::Clock;
use crate::config::Flags;
use crate::daemon;
use crate::http::gate::auth::{SCOPES, known_scope, make_key};
use crate::http::keys::{Made, listed};
use crate::sms::ids::KeyId;
use crate::store::{self, Store};

/// Make, list and revoke API keys
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost key create --name till --scope messages:send --scope messages:read
  simpost key list
  simpost key revoke key_0193…")]
pub struct Key {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key; it is shown this once
    Create {
        /// What you call it
        #[arg(long)]
        name: String,
        /// What it may do: messages:send, messages:read, messages:cancel, messages:erase, inbound:read, modems:read, keys:manage, or * for all; repeat it
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = scope)]
        scopes: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List all keys, without the keys themselves
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a key back for good
    Revoke {
        /// Its id, as `key list` shows it
        id: String,
    },
}

fn scope(word: &str) -> Result<String, String> {
    if known_scope(word) {
        Ok(word.to_owned())
    } else {
        Err(format!("known scopes are {}", SCOPES.join(", ")))
    }
}

impl Key {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let config = place.load(Flags::default())?;
        let creates = matches!(self.command, KeyCommand::Create { .. });
        if !creates && !config.data_dir.exists() {
            let error = anyhow::anyhow!("there is no directory `{}`", config.data_dir.display());
            return Err(Failure::failed(error).hint("name the gateway's directory with --data"));
        }
        // A daemon holds the directory; without one the database is ours.
        let keys: Keys = match store::lock(&config.data_dir) {
            Ok(lock) => Keys::Store(Store::open(&config.data_dir)?, lock),
            Err(store::Error::Locked { .. }) if daemon::socket(&config.data_dir).exists() => {
                Keys::Daemon(Client::new(&config.data_dir)?)
            }
            Err(error) => return Err(error.into()),
        };
        match self.command {
            KeyCommand::Create { name, scopes, json } => {
                let made = keys.create(name, scopes).await?;
                show_made(&made, json);
            }
            KeyCommand::List { json } => show_list(&keys.list().await?, json),
            KeyCommand::Revoke { id } => {
                let id: KeyId = id
                    .parse()
                    .map_err(|error| Failure::new(Exit::Usage, anyhow::Error::new(error)))?;
                keys.revoke(id).await?;
                output::note(&format!("{id} is revoked"));
            }
        }
        Ok(Exit::Done)
    }
}

fn show_made(made: &Value, json: bool) {
    if json {
        return output::json(made);
    }
    output::line(answer::text(made, "/key"));
    output::note("keep it safe: it is not shown again");
}

fn show_list(list: &Value, json: bool) {
    if json {
        return output::json(list);
    }
    let scopes = |key: &Value| {
        let scopes = answer::list(key, "/scopes").iter();
        scopes
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let row = |key: &Value| -> Vec<Cell> {
        vec![
            answer::word(key, "/id").into(),
            answer::word(key, "/name").into(),
            scopes(key).into(),
            answer::word(key, "/created_at").into(),
            answer::word(key, "/last_used_at").into(),
            answer::word(key, "/revoked_at").into(),
        ]
    };
    let rows: Vec<Vec<Cell>> = answer::list(list, "/data").iter().map(row).collect();
    output::print_table(
        &["ID", "NAME", "SCOPES", "CREATED", "LAST USED", "REVOKED"],
        &rows,
    );
}

/// The keys, through whoever may write them now.
enum Keys {
    Store(
        Store,
        #[expect(dead_code, reason = "held while the database is ours")] store::DirLock,
    ),
    Daemon(Client),
}

impl Keys {
    async fn create(&self, name: String, scopes: Vec<String>) -> Result<Value, Failure> {
        match self {
            Self::Daemon(client) => {
                client
                    .post("/v1/keys", &json!({"name": name, "scopes": scopes}))
                    .await
            }
            Self::Store(store, _) => {
                let (row, key) = make_key(name, scopes).map_err(Failure::failed)?;
                let made = serde_json::to_value(Made::of(&row, key)).map_err(Failure::failed)?;
                store.add_key(row, Clock::system().now()).await?;
                Ok(made)
            }
        }
    }

    async fn list(&self) -> Result<Value, Failure> {
        match self {
            Self::Daemon(client) => client.get("/v1/keys").await,
            Self::Store(store, _) => {
                serde_json::to_value(listed(store.keys().await?)).map_err(Failure::failed)
            }
        }
    }

    async fn revoke(&self, id: KeyId) -> Result<(), Failure> {
        match self {
            Self::Daemon(client) => client.delete(&format!("/v1/keys/{id}")).await.map(drop),
            Self::Store(store, _) => {
                if store.revoke_key(id, Clock::system().now()).await? {
                    Ok(())
                } else {
                    Err(Failure::failed(anyhow::anyhow!("there is no key {id}")))
                }
            }
        }
    }
}
