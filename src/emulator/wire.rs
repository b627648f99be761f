//! What a stick is plugged into: a pseudo-terminal with a name, or a pipe in memory.
//!
//! Both are opened by name from the other side and are gone while the stick is pulled out. The pipe
//! has neither descriptor nor kernel in it, so it follows a paused clock.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;

use super::Error;
use super::links::{Link, Links};
use super::pty::Pty;
use super::watch::Watch;

/// Bytes that fit in each direction of a pipe, as in a terminal's buffer.
const PIPE: usize = 4096;

/// Where sticks are plugged in.
#[derive(Debug, Clone)]
pub(super) enum Socket {
    /// Pseudo-terminals with links; without a watch a killed client may leave one locked.
    Tty(Arc<Links>, Option<Arc<Watch>>),
    /// Pipes in memory.
    Pipe(Pipes),
}

impl Socket {
    /// Plugs modem `modem` in under `name`. Errors: no terminal is left, or the name is taken.
    pub(super) fn plug(&self, modem: u16, name: &str) -> Result<Wire, Error> {
        match self {
            Self::Tty(links, watch) => {
                let pty = Pty::open().map_err(|source| Error::Terminal { modem, source })?;
                let placed = links.place(name, pty.slave().path());
                let link = placed.map_err(|source| Error::Link {
                    path: links.path(name),
                    source,
                })?;
                if let Some(Err(error)) = watch.as_ref().map(|watch| watch.add(pty.slave())) {
                    tracing::warn!(%error, "a client that is killed may leave its port locked");
                }
                Ok(Wire::Tty { pty, _link: link })
            }
            Self::Pipe(pipes) => pipes.plug(name).map(Wire::Pipe),
        }
    }
}

/// The plugged-in modems of an emulator in memory, by name. Clones speak of the same ones.
#[derive(Debug, Clone, Default)]
pub struct Pipes(Arc<Mutex<HashMap<String, mpsc::Sender<DuplexStream>>>>);

impl Pipes {
    /// Opens the port `name` as its client.
    ///
    /// Errors: `NotFound` when no modem is plugged in under that name, `ResourceBusy` when another
    /// client is about to open it. A client that is there already keeps the port until it goes.
    pub fn open(&self, name: &str) -> io::Result<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let ports = self.ports();
        let port = ports.get(name).ok_or(io::ErrorKind::NotFound)?;
        let opened = port.try_send(theirs);
        opened.map_err(|_| io::ErrorKind::ResourceBusy)?;
        Ok(ours)
    }

    fn plug(&self, name: &str) -> Result<Pipe, Error> {
        let (port, clients) = mpsc::channel(1);
        let mut ports = self.ports();
        if ports.contains_key(name) {
            return Err(Error::Link {
                path: name.into(),
                source: io::ErrorKind::AlreadyExists.into(),
            });
        }
        ports.insert(name.to_owned(), port);
        Ok(Pipe {
            pipes: self.clone(),
            name: name.to_owned(),
            clients,
            client: None,
        })
    }

    fn ports(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<DuplexStream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A port in memory, and the client that has it open.
#[derive(Debug)]
pub(super) struct Pipe {
    pipes: Pipes,
    name: String,
    clients: mpsc::Receiver<DuplexStream>,
    client: Option<DuplexStream>,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.pipes.ports().remove(&self.name);
    }
}

impl Pipe {
    /// Waits for bytes of a client; one after the other is served.
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<usize> {
        loop {
            let Some(client) = &mut self.client else {
                match ready!(self.clients.poll_recv(context)) {
                    Some(client) => self.client = Some(client),
                    // The name is ours until we go, so somebody can always come.
                    None => return Poll::Pending,
                }
                continue;
            };
            let mut read = ReadBuf::new(buffer);
            match ready!(Pin::new(client).poll_read(context, &mut read)) {
                Ok(()) if !read.filled().is_empty() => return Poll::Ready(read.filled().len()),
                Ok(()) | Err(_) => self.client = None,
            }
        }
    }

    /// What nobody hears is lost.
    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<usize> {
        let Some(client) = &mut self.client else {
            return Poll::Ready(bytes.len());
        };
        match ready!(Pin::new(client).poll_write(context, bytes)) {
            Ok(count) => Poll::Ready(count),
            Err(_) => Poll::Ready(bytes.len()),
        }
    }
}

/// A stick's end of its port.
#[derive(Debug)]
pub(super) enum Wire {
    /// A terminal.
    Tty {
        pty: Pty,
        /// Its name goes with it.
        _link: Link,
    },
    /// A pipe.
    Pipe(Pipe),
    /// It is pulled out.
    Out,
}

/// What happened on a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// So many bytes came in.
    Heard(usize),
    /// So many bytes went out.
    Said(usize),
}

impl Wire {
    /// Waits until bytes have come into `buffer` or some of `out` have gone; an empty one waits for
    /// nothing. Errors: the terminal broke.
    pub(super) async fn turn(&mut self, out: &[u8], buffer: &mut [u8]) -> io::Result<Turn> {
        poll_fn(|context| {
            if !out.is_empty()
                && let Poll::Ready(count) = self.poll_write(context, out)
            {
                return Poll::Ready(count.map(Turn::Said));
            }
            if buffer.is_empty() {
                return Poll::Pending;
            }
            self.poll_read(context, buffer).map_ok(Turn::Heard)
        })
        .await
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tty { pty, .. } => pty.poll_read(context, buffer),
            Self::Pipe(pipe) => pipe.poll_read(context, buffer).map(Ok),
            Self::Out => Poll::Pending,
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tty { pty, .. } => pty.poll_write(context, bytes),
            Self::Pipe(pipe) => pipe.poll_write(context, bytes).map(Ok),
            Self::Out => Poll::Ready(Ok(bytes.len())),
        }
    }

    /// Is the stick pulled out?
    pub(super) fn is_out(&self) -> bool {
        matches!(self, Self::Out)
    }

    /// Has its client set another speed than `speed`? A pipe has none.
    pub(super) fn runs_apart(&self, speed: Option<u32>) -> bool {
        match (self, speed) {
            // 0 is no speed: some clients leave it at that on a terminal without control lines.
            (Self::Tty { pty, .. }, Some(speed)) => {
                let set = pty.slave().speed();
                set.is_ok_and(|set| set != 0 && set != speed)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pipe_serves_one_client_after_the_other() {
        let pipes = Pipes::default();
        let mut wire = Socket::Pipe(pipes.clone()).plug(0, "modem0").unwrap();
        // Said to nobody.
        assert_eq!(wire.turn(b"RDY", &mut []).await.unwrap(), Turn::Said(3));
        for round in 0..3_u8 {
            let mut client = pipes.open("modem0").unwrap();
            client.write_all(&[round]).await.unwrap();
            let mut buffer = [0; 8];
            assert_eq!(wire.turn(b"", &mut buffer).await.unwrap(), Turn::Heard(1));
            assert_eq!(buffer[0], round);
            assert_eq!(wire.turn(b"OK", &mut buffer).await.unwrap(), Turn::Said(2));
            let mut got = [0; 2];
            client.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"OK");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stick_that_is_pulled_out_ends_the_port_of_its_client() {
        let pipes = Pipes::default();
        let socket = Socket::Pipe(pipes.clone());
        let mut wire = socket.plug(0, "modem0").unwrap();
        assert!(matches!(socket.plug(1, "modem0"), Err(Error::Link { .. })));
        let mut client = pipes.open("modem0").unwrap();
        let mut buffer = [0; 8];
        let waiting = tokio::time::timeout(Duration::from_secs(1), wire.turn(b"", &mut buffer));
        assert!(waiting.await.is_err());
        wire = Wire::Out;
        assert!(wire.is_out());
        assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
        let gone = pipes.open("modem0").unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        let back = socket.plug(0, "modem7").unwrap();
        assert!(!back.is_out());
        assert!(pipes.open("modem7").is_ok());
        let second = pipes.open("modem7").unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::ResourceBusy);
    }
}
