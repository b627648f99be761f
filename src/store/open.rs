//! Opens the data directory: lock, file modes, connection settings, migrations.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use super::Error;

/// The migrations in order; the database's `user_version` counts those that it has seen.
/// One that exists is never edited: a change is a new file.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// The exclusive claim on a data directory, held while the value lives.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

/// Makes the directory (mode 0700) if it is missing and takes its lock.
///
/// Errors: [`Error::Locked`] when another process holds it, [`Error::Directory`] when it cannot be
/// made or written.
pub fn lock(dir: &Path) -> Result<DirLock, Error> {
    let broken = |source| Error::Directory {
        dir: dir.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(broken)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(dir.join("simpost.lock"))
        .map_err(broken)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(DirLock { _file: file }),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Locked {
            dir: dir.to_owned(),
        }),
        Err(errno) => Err(broken(errno.into())),
    }
}

/// Where the database of a data directory lies.
pub fn database(dir: &Path) -> PathBuf {
    dir.join("simpost.db")
}

/// Opens the database for writing and brings its schema up to date.
///
/// Errors: [`Error::Newer`] when a later release made it.
pub fn writer(path: &Path) -> Result<Connection, Error> {
    create_private(path)?;
    let mut connection = Connection::open(path)?;
    settle_in(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub fn reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    keep_plans(&connection, 64)?;
    Ok(connection)
}

/// A database that lives in memory, for tests in virtual time.
pub fn in_memory() -> Result<Connection, Error> {
    let mut connection = Connection::open_in_memory()?;
    settle_in(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// SQLite gives new files the mode of the umask; made beforehand they are ours alone from the start.
/// Its `-wal` and `-shm` files take over the mode of the database. A copy that was put back by hand
/// may be open to all: it is closed again.
fn create_private(path: &Path) -> Result<(), Error> {
    let broken = |source| Error::Directory {
        dir: path.to_owned(),
        source,
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(broken)?;
    file.set_permissions(Permissions::from_mode(0o600))
        .map_err(broken)
}

fn settle_in(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // FULL: what was promised with a 2xx survives power loss, not only a crash.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    // What a savepoint would undo is kept in memory: a group of intents spills over the 64 KiB that SQLite
    // keeps there else, into a new file each time.
    connection.pragma_update(None, "temp_store", "memory")?;
    keep_plans(connection, 128)
}

/// Statements are planned once and kept. Without the guarantee SQLite plans a statement anew at each call
/// in which a value is bound that a partial index might be about: half of the writer's work.
fn keep_plans(connection: &Connection, statements: usize) -> Result<(), Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(statements);
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for (number, sql) in (1_u32..)
        .zip(MIGRATIONS)
        .filter(|(number, _)| *number > found)
    {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_belong_to_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("new/place");
        let lock = lock(&home).unwrap();
        let connection = writer(&database(&home)).unwrap();
        connection
            .execute("INSERT INTO event(at, type) VALUES (0, 'x')", [])
            .unwrap();
        assert_eq!(mode(&home), 0o700);
        for file in ["simpost.db", "simpost.db-wal", "simpost.lock"] {
            assert_eq!(mode(&home.join(file)), 0o600, "{file}");
        }
        drop(lock);
    }

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = lock(dir.path()).unwrap();
        assert!(matches!(lock(dir.path()), Err(Error::Locked { .. })));
        drop(first);
        assert!(lock(dir.path()).is_ok());
    }

    #[test]
    fn a_schema_of_a_later_release_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = database(dir.path());
        writer(&path)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        let error = writer(&path).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
    }

    #[test]
    fn what_was_written_is_there_at_the_next_opening() {
        let dir = tempfile::tempdir().unwrap();
        let path = database(dir.path());
        writer(&path)
            .unwrap()
            .execute("INSERT INTO event(at, type) VALUES (7, 'x')", [])
            .unwrap();
        let at: i64 = reader(&path)
            .unwrap()
            .query_row("SELECT at FROM event", [], |row| row.get(0))
            .unwrap();
        assert_eq!(at, 7);
    }
}
