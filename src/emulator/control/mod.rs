//! The control socket: orders in, answers out, one JSON object a line.
//!
//! An answer is `{"ok":true}`, for `list` with `modems`, or `{"error":"…"}`. Orders end in the same
//! rules, acts and deliveries that a plan and a test use.

mod order;

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::network::Network;
pub(super) use order::{Order, Shown};
use order::{Request, read};

/// The longest line in octets: a text of 255 parts fits.
const LONGEST: u64 = 256 * 1024;
/// Clients at a time; more wait.
const CLIENTS: usize = 16;

/// The socket in the file system, taken away when dropped.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    listener: UnixListener,
}

impl Control {
    /// Makes the socket at `path`, for this user only. One that an earlier run left is replaced.
    ///
    /// Errors: `AddrInUse` when somebody listens there; a path that is too long or cannot be made.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path) => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            other => other?,
        };
        let control = Self {
            path: path.to_owned(),
            listener,
        };
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(control)
    }

    /// Serves clients until `stop`.
    pub(super) async fn run(self, network: Network, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(CLIENTS));
        loop {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let accepted = stop.run_until_cancelled(self.listener.accept()).await;
            match accepted {
                None => return,
                Some(Ok((client, _))) => {
                    let (network, stop) = (network.clone(), stop.clone());
                    tokio::spawn(async move {
                        let served = stop.run_until_cancelled(serve(client, &network)).await;
                        if let Some(Err(error)) = served {
                            tracing::debug!(%error, "a client of the control socket is gone");
                        }
                        drop(place);
                    });
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "the control socket takes no client");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket");
        }
    }
}

/// Does nobody listen at the socket `path` any more?
fn is_abandoned(path: &Path) -> bool {
    // A plain file refuses as well.
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    let tried = std::os::unix::net::UnixStream::connect(path);
    is_socket && tried.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

async fn serve(client: UnixStream, network: &Network) -> io::Result<()> {
    let (read_half, mut write_half) = client.into_split();
    let mut reader = BufReader::new(read_half);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut reader).take(LONGEST);
        let count = limited.read_until(b'\n', &mut line).await?;
        let whole = line.ends_with(b"\n");
        let text = String::from_utf8_lossy(&line);
        let answer = match text.trim() {
            _ if count == 0 => return Ok(()),
            _ if !whole && limited.limit() == 0 => Err("this line is too long".to_owned()),
            "" => continue,
            text => answer(text, network).await,
        };
        let ends = !whole;
        let answer = answer.unwrap_or_else(|error| json!({ "error": error }));
        write_half
            .write_all(format!("{answer}\n").as_bytes())
            .await?;
        if ends {
            return Ok(());
        }
    }
}

async fn answer(line: &str, network: &Network) -> Result<Value, String> {
    let words = |error: super::Error| error.to_string();
    let (modem, order) = match read(line)? {
        Request::Deliver(modem, inbound) => {
            network.bring(modem, &inbound).await.map_err(words)?;
            return Ok(json!({ "ok": true }));
        }
        Request::Order(modem, order) => (modem, order),
    };
    let modems = modem.map_or(0..network.modems(), |modem| modem..modem.saturating_add(1));
    let lists = order == Order::Show;
    let mut shown = Vec::new();
    for modem in modems {
        shown.push(network.order(modem, order.clone()).await.map_err(words)?);
    }
    if lists {
        return Ok(json!({ "ok": true, "modems": shown }));
    }
    Ok(json!({ "ok": true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_somebody_serves_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control");
        let first = Control::bind(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Control::bind(&path).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn an_abandoned_socket_is_replaced_and_a_file_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(Control::bind(&path).unwrap());
        std::fs::write(&path, "a file of somebody").unwrap();
        assert!(Control::bind(&path).is_err());
        assert!(path.exists());
    }
}
