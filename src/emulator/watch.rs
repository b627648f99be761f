//! Notices when a client has left a port, and makes the port as new for the next one.
//!
//! A client that is killed leaves the exclusive flag (`TIOCEXCL`) of the terminal set, and every
//! later open by an ordinary user fails with EBUSY. The kernel tells of each close by inotify, one
//! descriptor for all ports; nothing is polled.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::pty::{Slave, evented};

/// The kernel tells of a close a moment before it lets go of the locks of the one who closed; the
/// port is looked at again after these pauses while a lock is still listed.
const LOOKS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(20),
    Duration::from_millis(200),
];

/// A watch over the closes of all ports of one emulator.
#[derive(Debug)]
pub(super) struct Watch {
    inotify: AsyncFd<OwnedFd>,
    /// A port that is gone leaves the table when its watch is told of that.
    slaves: Mutex<HashMap<i32, Weak<Slave>>>,
}

impl Watch {
    /// Watches nothing yet. Errors: the user's inotify instances are used up.
    pub(super) fn new() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        Ok(Self {
            inotify: evented(inotify)?,
            slaves: Mutex::default(),
        })
    }

    /// Begins to watch `slave`. Errors: the user's watches are used up.
    pub(super) fn add(&self, slave: &Arc<Slave>) -> io::Result<()> {
        let closes = WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE;
        let mut slaves = self.slaves();
        let key = inotify::add_watch(self.inotify.get_ref(), slave.path(), closes)?;
        slaves.insert(key, Arc::downgrade(slave));
        Ok(())
    }

    fn slaves(&self) -> MutexGuard<'_, HashMap<i32, Weak<Slave>>> {
        self.slaves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The port of `key`, if it is still there.
    fn slave(&self, key: i32) -> Option<Arc<Slave>> {
        let mut slaves = self.slaves();
        let slave = slaves.get(&key).and_then(Weak::upgrade);
        if slave.is_none() {
            slaves.remove(&key);
        }
        slave
    }

    /// Resets each port that a client has left, until dropped. Returns only with an error.
    pub(super) async fn run(&self) -> io::Result<()> {
        loop {
            let mut left = self.closed().await?;
            left.sort_unstable();
            left.dedup();
            for pause in LOOKS {
                tokio::time::sleep(pause).await;
                left.retain(|key| self.slave(*key).is_some_and(|slave| still_locked(&slave)));
                if left.is_empty() {
                    break;
                }
            }
        }
    }

    /// Waits for closes; gives the watches they happened on.
    async fn closed(&self) -> io::Result<Vec<i32>> {
        self.inotify
            .async_io(Interest::READABLE, |fd| {
                let mut buffer = [MaybeUninit::uninit(); 1024];
                let mut reader = inotify::Reader::new(fd, &mut buffer);
                let mut keys = vec![reader.next()?.wd()];
                while !reader.is_buffer_empty() {
                    keys.push(reader.next()?.wd());
                }
                Ok(keys)
            })
            .await
    }
}

/// Resets the port unless a client holds a lock on it; tells whether one does.
///
/// A program that takes the exclusive flag takes `flock` as well (the serial libraries do), and
/// only that one can be seen from outside. Without it nobody is there, or nobody who minds.
fn still_locked(slave: &Arc<Slave>) -> bool {
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let held = slave.inode().is_ok_and(|inode| is_listed(&locks, inode));
    if !held && let Err(error) = slave.reset() {
        tracing::warn!(path = %slave.path().display(), %error, "cannot reset the port");
    }
    held
}

/// Does `locks`, the text of `/proc/locks`, hold a `flock` on `inode`?
///
/// The device of the line is left aside: it is the hidden device of devpts, and an inode number
/// that another file system shares delays a reset, no more.
fn is_listed(locks: &str, inode: u64) -> bool {
    let tail = format!(":{inode}");
    locks.lines().any(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        words.next() == Some("FLOCK") && words.any(|word| word.ends_with(&tail))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flock_is_found_by_its_inode() {
        const LOCKS: &str = "1: POSIX  ADVISORY  WRITE 812 00:1a:7 0 EOF\n\
                             2: FLOCK  ADVISORY  WRITE 4711 00:19:12 0 EOF\n\
                             2: -> FLOCK  ADVISORY  WRITE 4712 00:19:13 0 EOF\n";
        const CASES: &[(u64, bool)] = &[(12, true), (2, false), (7, false), (13, false)];
        for (inode, held) in CASES {
            assert_eq!(is_listed(LOCKS, *inode), *held, "{inode}");
        }
    }
}
