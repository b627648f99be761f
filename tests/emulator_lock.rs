//! The locks on an emulated port, as an ordinary user meets them.
//!
//! A binary of its own: a process that is being started holds the locks of all open ports for a
//! moment, which would disturb tests beside it.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

use std::fs::{File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::fs::FlockOperation;
use simpost::emulator::{Emulator, Settings};

/// Long enough for a busy machine; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

/// Does an ordinary user get the port open? (Root passes the exclusive flag.)
fn opens_for_anybody(port: &Path) -> bool {
    let mut open = Command::new("sh");
    open.args(["-c", r#"exec 3<>"$0""#]).arg(port);
    open.stderr(Stdio::null());
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        open.uid(65_534);
    }
    open.status().unwrap().success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_killed_does_not_lock_the_port() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&Settings::new(1, dir.path())).unwrap();
    let port = std::fs::canonicalize(&emulator.ports()[0]).unwrap();
    std::fs::set_permissions(&port, Permissions::from_mode(0o666)).unwrap();
    let client = File::options().read(true).write(true).open(&port).unwrap();
    rustix::termios::ioctl_tiocexcl(&client).unwrap();
    rustix::fs::flock(&client, FlockOperation::LockExclusive).unwrap();
    assert!(!opens_for_anybody(&port));
    // As the kernel closes it for a process that was killed: the flag stays.
    drop(client);
    let end = tokio::time::Instant::now() + DEADLINE;
    while !opens_for_anybody(&port) {
        assert!(tokio::time::Instant::now() < end, "still locked");
    }
    emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passer_by_takes_no_lock_away() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&Settings::new(1, dir.path())).unwrap();
    let port = std::fs::canonicalize(&emulator.ports()[0]).unwrap();
    std::fs::set_permissions(&port, Permissions::from_mode(0o666)).unwrap();
    let client = File::options().read(true).write(true).open(&port).unwrap();
    rustix::fs::flock(&client, FlockOperation::LockExclusive).unwrap();
    // Opened before the flag is set, gone after it.
    let passer_by = File::open(&port).unwrap();
    rustix::termios::ioctl_tiocexcl(&client).unwrap();
    drop(passer_by);
    for _ in 0..20 {
        assert!(!opens_for_anybody(&port));
    }
    emulator.stop().await;
}
