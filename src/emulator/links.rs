//! The names of ports: symbolic links in a directory that one emulator has for itself.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::FlockOperation;

/// A directory whose links are ours alone, for as long as this lives.
#[derive(Debug)]
pub(super) struct Links {
    directory: PathBuf,
    claim: File,
    /// The names that are taken, and what they name.
    names: Mutex<HashMap<String, PathBuf>>,
}

impl Links {
    /// Claims `directory`; gives nothing when another emulator has it.
    pub(super) fn claim(directory: &Path) -> io::Result<Option<Arc<Self>>> {
        let claim = File::open(directory)?;
        match rustix::fs::flock(&claim, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Arc::new(Self {
                directory: directory.to_owned(),
                claim,
                names: Mutex::default(),
            }))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Where the link `name` lies.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Places `name` → `target`, replacing a link that an earlier run left behind.
    ///
    /// Errors: `AlreadyExists` when one of ours has that name, or when something else than a link
    /// to a pseudo-terminal lies there.
    pub(super) fn place(self: &Arc<Self>, name: &str, target: &Path) -> io::Result<Link> {
        let path = self.path(name);
        let mut names = self.names();
        if names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        match fs::read_link(&path) {
            Ok(old) if old.starts_with("/dev/pts") => fs::remove_file(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) | Err(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        }
        std::os::unix::fs::symlink(target, &path)?;
        names.insert(name.to_owned(), target.to_owned());
        Ok(Link {
            links: Arc::clone(self),
            name: name.to_owned(),
        })
    }

    /// Takes all links away.
    pub(super) fn clear(&self) {
        for (name, target) in self.names().drain() {
            self.remove(&name, &target);
        }
    }

    fn remove(&self, name: &str, target: &Path) {
        let path = self.path(name);
        // Somebody may have put a link of his own here since: that one is not ours to take.
        if fs::read_link(&path).is_ok_and(|now| now == target)
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove the link");
        }
    }

    fn names(&self) -> MutexGuard<'_, HashMap<String, PathBuf>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        // A process that is just being started has all our descriptors for a moment: closing alone
        // would not let go.
        if let Err(error) = rustix::fs::flock(&self.claim, FlockOperation::Unlock) {
            tracing::warn!(path = %self.directory.display(), %error, "cannot let go of the directory");
        }
    }
}

/// A symbolic link to a port, taken away when dropped.
#[derive(Debug)]
pub(super) struct Link {
    links: Arc<Links>,
    name: String,
}

impl Drop for Link {
    fn drop(&mut self) {
        let target = self.links.names().remove(&self.name);
        if let Some(target) = target {
            self.links.remove(&self.name, &target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_claimed_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = Links::claim(dir.path()).unwrap();
        assert!(first.is_some());
        assert!(Links::claim(dir.path()).unwrap().is_none());
        drop(first);
        assert!(Links::claim(dir.path()).unwrap().is_some());
        assert!(Links::claim(&dir.path().join("none")).is_err());
    }

    #[test]
    fn a_link_replaces_a_stale_one_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("modem0");
        std::os::unix::fs::symlink("/dev/pts/99999", &path).unwrap();
        let links = Links::claim(dir.path()).unwrap().unwrap();
        let place = |target: &str| links.place("modem0", Path::new(target));
        let first = place("/dev/pts/1").unwrap();
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/pts/1"));
        let taken = place("/dev/pts/2").unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        drop(first);
        assert!(fs::symlink_metadata(&path).is_err());

        let second = place("/dev/pts/2").unwrap();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/pts/3", &path).unwrap();
        drop(second);
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/pts/3"));

        let third = place("/dev/pts/4").unwrap();
        links.clear();
        assert!(fs::symlink_metadata(&path).is_err());
        drop(third);

        fs::write(&path, "a file of somebody").unwrap();
        let refused = place("/dev/pts/1").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file of somebody");
    }
}
