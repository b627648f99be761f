//! The wire: a pseudo-terminal that any program opens like the tty of a USB stick.
//!
//! Knows bytes and file descriptors, nothing of AT. The master is ours and never blocks; a slave
//! descriptor stays open for as long as the port lives, else the master reads EIO whenever no
//! client is there.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::fs::OFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tokio::io::unix::AsyncFd;

/// The modem's end of one pseudo-terminal.
#[derive(Debug)]
pub(super) struct Pty {
    master: AsyncFd<OwnedFd>,
    slave: Arc<Slave>,
}

impl Pty {
    /// Makes a new pseudo-terminal, raw from its first moment: a fresh one is cooked and would
    /// send what the modem says back to it as input.
    ///
    /// Errors: none left, or no reactor running (must be called inside a tokio runtime).
    pub(super) fn open() -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let path = PathBuf::from(name.to_string_lossy().as_ref());
        let slave = Slave {
            // Asks the master for its peer, so nobody can slip another file under the name.
            fd: rustix::pty::ioctl_tiocgptpeer(&master, flags)?,
            path,
        };
        slave.reset()?;
        let status = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, status | OFlags::NONBLOCK)?;
        Ok(Self {
            master: evented(master)?,
            slave: Arc::new(slave),
        })
    }

    /// The client's end, as the watch over abandoned ports needs it.
    pub(super) fn slave(&self) -> &Arc<Slave> {
        &self.slave
    }

    /// Copies bytes from the client to `buffer`; never 0 for a non-empty buffer.
    pub(super) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.master.poll_read_ready(context))?;
            let read = ready.try_io(|fd| Ok(rustix::io::read(fd, &mut *buffer)?));
            if let Ok(count) = read {
                return Poll::Ready(count);
            }
        }
    }

    /// Puts some of `bytes` into the client's buffer; gives how many it took.
    pub(super) fn poll_write(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.master.poll_write_ready(context))?;
            let written = ready.try_io(|fd| Ok(rustix::io::write(fd, bytes)?));
            if let Ok(count) = written {
                return Poll::Ready(count);
            }
        }
    }
}

/// Hands a non-blocking descriptor to the runtime's reactor.
#[expect(
    deprecated,
    reason = "the constructors that replace it are unsafe, for types whose descriptor may change; \
              an `OwnedFd` keeps its own"
)]
pub(super) fn evented(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

/// The client's end of a pseudo-terminal.
#[derive(Debug)]
pub(super) struct Slave {
    fd: OwnedFd,
    path: PathBuf,
}

impl Slave {
    /// Its name under `/dev/pts`.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its inode, as `/proc/locks` names it.
    pub(super) fn inode(&self) -> io::Result<u64> {
        Ok(rustix::fs::fstat(&self.fd)?.st_ino)
    }

    /// The speed that the client has set, in bits a second.
    pub(super) fn speed(&self) -> io::Result<u32> {
        Ok(rustix::termios::tcgetattr(&self.fd)?.output_speed())
    }

    /// Makes the port as new for the next client: raw again, and open to everybody.
    ///
    /// A USB tty forgets both at its last close. A pseudo-terminal keeps them, so a client that
    /// was killed while it held the port exclusively would lock it for ever.
    pub(super) fn reset(&self) -> io::Result<()> {
        let mut modes = rustix::termios::tcgetattr(&self.fd)?;
        modes.make_raw();
        rustix::termios::tcsetattr(&self.fd, OptionalActions::Now, &modes)?;
        rustix::termios::ioctl_tiocnxcl(&self.fd)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    impl Pty {
        async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
            std::future::poll_fn(|context| self.poll_read(context, buffer)).await
        }

        async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            std::future::poll_fn(|context| self.poll_write(context, bytes)).await
        }
    }

    fn client(pty: &Pty) -> File {
        File::options()
            .read(true)
            .write(true)
            .open(pty.slave().path())
            .unwrap()
    }

    #[tokio::test]
    async fn bytes_pass_both_ways_unchanged() {
        let pty = Pty::open().unwrap();
        let mut port = client(&pty);
        let all: Vec<u8> = (0..=255).collect();
        port.write_all(&all).unwrap();
        let mut got = Vec::new();
        let mut buffer = [0; 64];
        while got.len() < all.len() {
            let count = pty.read(&mut buffer).await.unwrap();
            got.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(got, all);
        assert_eq!(pty.write(&all).await.unwrap(), 256);
        let mut back = [0; 256];
        port.read_exact(&mut back).unwrap();
        assert_eq!(back.to_vec(), all);
    }

    #[tokio::test]
    async fn what_the_modem_says_first_does_not_come_back() {
        let pty = Pty::open().unwrap();
        pty.write(b"\r\nRDY\r\n").await.unwrap();
        let mut port = client(&pty);
        port.write_all(b"AT\r").unwrap();
        let mut buffer = [0; 64];
        assert_eq!(pty.read(&mut buffer).await.unwrap(), 3);
        assert_eq!(&buffer[..3], b"AT\r");
    }

    #[tokio::test]
    async fn clients_come_and_go() {
        let pty = Pty::open().unwrap();
        for round in 0..3_u8 {
            let mut port = client(&pty);
            port.write_all(&[round]).unwrap();
            let mut buffer = [0; 8];
            assert_eq!(pty.read(&mut buffer).await.unwrap(), 1);
            assert_eq!(buffer[0], round);
        }
    }

    #[tokio::test]
    async fn the_clients_speed_can_be_seen() {
        let pty = Pty::open().unwrap();
        let port = client(&pty);
        for speed in [9600, 115_200] {
            let mut modes = rustix::termios::tcgetattr(&port).unwrap();
            modes.set_speed(speed).unwrap();
            rustix::termios::tcsetattr(&port, OptionalActions::Now, &modes).unwrap();
            assert_eq!(pty.slave().speed().unwrap(), speed);
        }
    }
}
