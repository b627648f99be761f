//! A pseudo-terminal in front of another one: copies both ways and tells when a submit begins.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tokio::sync::mpsc;

/// What the relay waits for.
const SUBMIT: &[u8] = b"AT+CMGS";

/// The relay; it works until the bench ends.
pub struct Relay {
    port: PathBuf,
    seen: mpsc::UnboundedReceiver<Instant>,
    // Open for as long as the relay lives: without any client the master reads an error.
    _slave: OwnedFd,
}

impl Relay {
    /// Opens the modem's tty `behind` and a new pseudo-terminal in front of it.
    pub fn start(behind: &Path) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).unwrap();
        let modem = rustix::fs::open(behind, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        for tty in [&slave, &modem] {
            let mut modes = rustix::termios::tcgetattr(tty).unwrap();
            modes.make_raw();
            rustix::termios::tcsetattr(tty, OptionalActions::Now, &modes).unwrap();
        }
        let (told, seen) = mpsc::unbounded_channel();
        let (front, behind) = (File::from(master), File::from(modem));
        let (back, answers) = (behind.try_clone().unwrap(), front.try_clone().unwrap());
        thread::spawn(move || {
            copy(front, behind, |line| {
                if line.starts_with(SUBMIT) {
                    // Nobody listens any more when the bench is over.
                    let _ = told.send(Instant::now());
                }
            });
        });
        thread::spawn(move || copy(back, answers, |_| {}));
        Self {
            port: PathBuf::from(name.to_str().unwrap()),
            seen,
            _slave: slave,
        }
    }

    /// The tty to open in place of the modem's.
    pub fn port(&self) -> &Path {
        &self.port
    }

    /// Forgets what was seen so far.
    pub fn forget(&mut self) {
        while self.seen.try_recv().is_ok() {}
    }

    /// When the first octets of the next submit came by.
    pub async fn submit_seen(&mut self) -> Instant {
        self.seen.recv().await.unwrap()
    }
}

/// Copies until one side is gone; `look` sees what came, before it goes on.
fn copy(mut from: File, mut to: File, look: impl Fn(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        look(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}
