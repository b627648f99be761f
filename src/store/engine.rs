//! Runs intents: one writer with group commit, readers apart.
//!
//! The writer is the only connection that changes anything. All intents that wait go into one
//! transaction, each in a savepoint of its own, so that one disk flush serves them all and one bad
//! intent undoes only itself. A caller hears of success after the commit, never before; a caller that
//! went away is not an error.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::{Error, open};
use crate::sms::ids::SimId;

/// Intents that may wait for the writer before callers are held back.
const MAILBOX: usize = 4096;
/// Intents in one commit at most.
const GROUP: usize = 512;
/// Time after which a commit takes in no further intents.
const GROUP_TIME: Duration = Duration::from_millis(4);
/// Connections that read at the same time.
const READERS: usize = 4;

/// Work that a commit has made possible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wake {
    /// Any SIM may find something.
    pub any: bool,
    /// These may find something that waits for nobody else.
    pub sims: BTreeSet<SimId>,
}

/// What an intent works in: the open transaction.
pub struct Scope<'a> {
    pub(super) db: &'a Connection,
    wake: RefCell<Wake>,
    dated: Cell<bool>,
    event: Cell<Option<i64>>,
}

impl<'a> Scope<'a> {
    fn of(db: &'a Connection) -> Self {
        Self {
            db,
            wake: RefCell::default(),
            dated: Cell::new(false),
            event: Cell::new(None),
        }
    }

    /// Wakes the scheduler once the transaction is on disk: for this SIM, or for any.
    pub(super) fn wake_scheduler(&self, bound_to: Option<SimId>) {
        let mut wake = self.wake.borrow_mut();
        match bound_to {
            Some(sim) => drop(wake.sims.insert(sim)),
            None => wake.any = true,
        }
    }

    /// Wakes the housekeeper once the transaction is on disk: something has got a date.
    pub(super) fn wake_housekeeper(&self) {
        self.dated.set(true);
    }

    /// Tells whoever follows the events, once the transaction is on disk: the row just written is one.
    pub(super) fn tell_event(&self) {
        self.event.set(Some(self.db.last_insert_rowid()));
    }
}

/// Rung after commits.
#[derive(Clone, Default)]
struct Alarms {
    work: Arc<(Mutex<Wake>, Notify)>,
    dated: watch::Sender<u64>,
    events: watch::Sender<i64>,
}

impl Alarms {
    fn ring(&self, scope: Scope) {
        let wake = scope.wake.into_inner();
        if wake != Wake::default() {
            let mut pending = self.work.0.lock().unwrap_or_else(PoisonError::into_inner);
            pending.any |= wake.any;
            pending.sims.extend(wake.sims);
            drop(pending);
            self.work.1.notify_one();
        }
        if scope.dated.get() {
            self.dated.send_modify(|count| *count += 1);
        }
        if let Some(newest) = scope.event.get() {
            self.events.send_replace(newest);
        }
    }

    async fn work(&self) -> Wake {
        loop {
            let pending =
                std::mem::take(&mut *self.work.0.lock().unwrap_or_else(PoisonError::into_inner));
            if pending != Wake::default() {
                return pending;
            }
            self.work.1.notified().await;
        }
    }
}

/// How a transaction began or ended.
type Transaction<T> = Result<T, Arc<rusqlite::Error>>;
/// Said to the caller once the commit is on disk, or has failed.
type Answer = Box<dyn FnOnce(Transaction<()>) + Send>;
/// An intent; without a transaction it must not touch the database.
type Work = Box<dyn FnOnce(Transaction<&Scope>) -> Answer + Send>;

/// The running store.
pub(super) struct Engine {
    place: Place,
    alarms: Alarms,
    readers: Semaphore,
}

enum Place {
    /// A thread owns the writing connection.
    Thread {
        /// Closed before the thread is waited for.
        mailbox: Option<mpsc::Sender<Work>>,
        thread: Option<JoinHandle<()>>,
        readers: Mutex<Vec<Connection>>,
    },
    /// The caller's task runs the intent: for tests in virtual time, whose clock jumps over threads.
    InTask(Mutex<Connection>),
}

impl Engine {
    /// Starts the writer thread on the database at `path`.
    pub(super) fn start(path: &Path) -> Result<Arc<Self>, Error> {
        let connection = open::writer(path)?;
        let readers = (0..READERS)
            .map(|_| open::reader(path))
            .collect::<Result<Vec<_>, _>>()?;
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        let alarms = Alarms::default();
        let rung = alarms.clone();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || write_all(&connection, inbox, &rung))
            .map_err(|source| Error::Directory {
                dir: path.to_owned(),
                source,
            })?;
        let place = Place::Thread {
            mailbox: Some(mailbox),
            thread: Some(thread),
            readers: Mutex::new(readers),
        };
        Ok(Arc::new(Self {
            place,
            alarms,
            readers: Semaphore::new(READERS),
        }))
    }

    /// Keeps everything in memory and in the calling task.
    pub(super) fn in_task() -> Result<Arc<Self>, Error> {
        let place = Place::InTask(Mutex::new(open::in_memory()?));
        Ok(Arc::new(Self {
            place,
            alarms: Alarms::default(),
            readers: Semaphore::new(1),
        }))
    }

    /// Waits for work that commits have made possible. For one listener: what is told is told once.
    pub(super) async fn work(&self) -> Wake {
        self.alarms.work().await
    }

    /// Counts the commits that gave something a date.
    pub(super) fn dated(&self) -> watch::Receiver<u64> {
        self.alarms.dated.subscribe()
    }

    /// The newest event row that a commit of this process has written; 0 before the first one.
    pub(super) fn newest_event(&self) -> watch::Receiver<i64> {
        self.alarms.events.subscribe()
    }

    /// Queues an intent; what comes back resolves when it is on disk. Intents run in the order of
    /// these calls.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        intent: impl FnOnce(&Scope) -> Result<T, Error> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |scope| {
            let result = scope
                .map_err(Error::Commit)
                .and_then(|scope| in_savepoint(scope, intent));
            Box::new(move |commit: Transaction<()>| {
                let result = commit.map_err(Error::Commit).and(result);
                // The caller may be gone: what it asked for is done all the same.
                let _ = tell.send(result);
            })
        });
        match &self.place {
            Place::Thread { mailbox, .. } => {
                if let Some(mailbox) = mailbox {
                    // A closed mailbox drops `tell`, which the caller sees as `Closed`.
                    let _ = mailbox.send(work).await;
                }
            }
            Place::InTask(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                commit_group(&connection, work, &mut || None, &self.alarms);
            }
        }
        told
    }

    /// Runs an intent and waits until it is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        intent: impl FnOnce(&Scope) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.submit(intent).await.await.map_err(|_| Error::Closed)?
    }

    /// Runs a question on a connection that cannot write.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _permit = self.readers.acquire().await.map_err(|_| Error::Closed)?;
        match &self.place {
            Place::InTask(connection) => {
                question(&connection.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Place::Thread { .. } => {
                let engine = Arc::clone(self);
                tokio::task::spawn_blocking(move || engine.read_here(question))
                    .await
                    .map_err(|_| Error::Closed)?
            }
        }
    }

    fn read_here<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Place::Thread { readers, .. } = &self.place else {
            return Err(Error::Closed);
        };
        let idle = || readers.lock().unwrap_or_else(PoisonError::into_inner);
        // The semaphore grants as many permits as there are connections.
        let connection = idle().pop().ok_or(Error::Closed)?;
        let result = question(&connection);
        idle().push(connection);
        result
    }
}

impl Drop for Engine {
    /// Waits until all that was asked is written: who holds the directory's lock gives it back after this.
    fn drop(&mut self) {
        if let Place::Thread {
            mailbox, thread, ..
        } = &mut self.place
        {
            drop(mailbox.take());
            if let Some(Err(_)) = thread.take().map(JoinHandle::join) {
                tracing::error!("the thread of the store has panicked");
            }
        }
    }
}

/// Runs `intent`; if it fails, all that it has written is undone, and nothing else. May be nested.
pub(super) fn in_savepoint<T>(
    scope: &Scope,
    intent: impl FnOnce(&Scope) -> Result<T, Error>,
) -> Result<T, Error> {
    let run = |sql: &str| scope.db.prepare_cached(sql)?.execute([]);
    run("SAVEPOINT intent")?;
    let result = intent(scope);
    if result.is_err() {
        if scope.db.is_autocommit() {
            return result;
        }
        run("ROLLBACK TO intent")?;
    }
    run("RELEASE intent")?;
    result
}

/// Runs on the writer thread until the last sender is gone.
fn write_all(connection: &Connection, mut inbox: mpsc::Receiver<Work>, alarms: &Alarms) {
    while let Some(first) = inbox.blocking_recv() {
        let start = Instant::now();
        let mut taken = 1;
        let mut next = || {
            if taken == GROUP || start.elapsed() > GROUP_TIME {
                return None;
            }
            taken += 1;
            inbox.try_recv().ok()
        };
        commit_group(connection, first, &mut next, alarms);
    }
    // Leaves one tidy file behind; the next start replays the log if this fails.
    if let Err(error) = connection.pragma_update(None, "wal_checkpoint", "truncate") {
        tracing::debug!(%error, "the write-ahead log stays for the next start");
    }
}

/// One transaction: `first`, and whatever `next` has for it.
fn commit_group(
    connection: &Connection,
    first: Work,
    next: &mut dyn FnMut() -> Option<Work>,
    alarms: &Alarms,
) {
    let scope = Scope::of(connection);
    let run = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(drop);
    let mut open = run("BEGIN IMMEDIATE").map_err(Arc::new);
    let mut answers = Vec::new();
    let mut work = Some(first);
    while let Some(intent) = work {
        answers.push(intent(open.as_ref().map(|()| &scope).map_err(Arc::clone)));
        if open.is_ok() && connection.is_autocommit() {
            // SQLite itself has rolled everything back (disk full, input/output error): a further
            // intent would run, and commit, outside of any transaction.
            open = Err(Arc::new(rolled_back()));
        }
        work = next();
    }
    let committed = open.and_then(|()| run("COMMIT").map_err(Arc::new));
    if let Err(error) = &committed {
        tracing::error!(%error, "the store could not commit; nothing of it is taken as done");
        // A transaction that cannot commit must not stay open for the next group; where SQLite has
        // closed it already, there is nothing left to do.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(committed.clone());
    }
    if committed.is_ok() {
        alarms.ring(scope);
    }
}

fn rolled_back() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK);
    rusqlite::Error::SqliteFailure(code, Some("the transaction was rolled back".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(db: &Connection) -> Result<i64, Error> {
        Ok(db.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?)
    }

    fn insert(scope: &Scope) -> Result<(), Error> {
        scope
            .db
            .execute("INSERT INTO event(at, type) VALUES (0, 'x')", [])?;
        Ok(())
    }

    #[tokio::test]
    async fn many_callers_share_commits_and_each_gets_its_own_answer() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::start(&open::database(dir.path())).unwrap();
        let mut waiting = Vec::new();
        for n in 0..500 {
            waiting.push(engine.submit(move |scope| insert(scope).map(|()| n)).await);
        }
        for (n, answer) in (0..).zip(waiting) {
            assert_eq!(answer.await.unwrap().unwrap(), n);
        }
        assert_eq!(engine.read(count).await.unwrap(), 500);
    }

    #[tokio::test]
    async fn a_bad_intent_undoes_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::start(&open::database(dir.path())).unwrap();
        let before = engine.submit(insert).await;
        let bad = engine
            .submit(|scope| {
                insert(scope)?;
                scope
                    .db
                    .execute("INSERT INTO event(at) VALUES ('not a time')", [])?;
                Ok(())
            })
            .await;
        let after = engine.submit(insert).await;
        assert!(before.await.unwrap().is_ok());
        assert!(matches!(bad.await.unwrap(), Err(Error::Sqlite(_))));
        assert!(after.await.unwrap().is_ok());
        assert_eq!(engine.read(count).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_caller_that_went_away_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::start(&open::database(dir.path())).unwrap();
        drop(engine.submit(insert).await);
        engine.write(insert).await.unwrap();
        assert_eq!(engine.read(count).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn the_scheduler_is_woken_only_after_the_commit_and_for_whom() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::start(&open::database(dir.path())).unwrap();
        engine.write(insert).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(1), engine.work()).await;
        assert!(early.is_err(), "nothing to do: {early:?}");
        for bound_to in [Some(SimId(3)), None, Some(SimId(4))] {
            let told = engine.write(move |scope| {
                scope.wake_scheduler(bound_to);
                insert(scope)
            });
            told.await.unwrap();
        }
        // Told in one piece or in several, as the commits come.
        let mut wake = Wake::default();
        while wake.sims.len() < 2 || !wake.any {
            let told = engine.work().await;
            wake.any |= told.any;
            wake.sims.extend(told.sims);
        }
        assert_eq!(wake.sims, BTreeSet::from([SimId(3), SimId(4)]));
        assert_eq!(engine.read(count).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn after_a_rollback_by_sqlite_itself_nothing_of_the_group_is_done() {
        let engine = Engine::in_task().unwrap();
        let Place::InTask(connection) = &engine.place else {
            panic!("in task")
        };
        let connection = connection.lock().unwrap();
        let (told, answers) = std::sync::mpsc::sync_channel(3);
        let intent = |rolls_back: bool| -> Work {
            let told = told.clone();
            Box::new(move |scope| {
                let done = scope.map_err(Error::Commit).and_then(|scope| {
                    in_savepoint(scope, |scope| {
                        insert(scope)?;
                        if rolls_back {
                            // What SQLite does on an input/output error.
                            scope.db.execute_batch("ROLLBACK")?;
                            return Err(Error::Closed);
                        }
                        Ok(())
                    })
                });
                Box::new(move |commit| told.send(commit.is_ok() && done.is_ok()).unwrap())
            })
        };
        let mut rest = vec![intent(false), intent(true)];
        commit_group(
            &connection,
            intent(false),
            &mut || rest.pop(),
            &engine.alarms,
        );
        assert_eq!(
            answers.try_iter().collect::<Vec<_>>(),
            [false, false, false]
        );
        assert_eq!(count(&connection).unwrap(), 0);
        commit_group(&connection, intent(false), &mut || None, &engine.alarms);
        assert_eq!(
            answers.try_iter().collect::<Vec<_>>(),
            [true],
            "the next group works"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_task_it_works_under_a_paused_clock() {
        let engine = Engine::in_task().unwrap();
        let write = tokio::time::timeout(Duration::from_millis(1), engine.write(insert));
        write.await.expect("no thread to wait for").unwrap();
        assert_eq!(engine.read(count).await.unwrap(), 1);
    }
}
