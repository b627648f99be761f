//! Runs intents: one writer with group commit, readers apart.
//!
//! The writer is the only connection that changes anything. All intents that wait go into one
//! transaction, each in a savepoint of its own, so that one disk flush serves them all and one bad
//! intent undoes only itself. A caller hears of success after the commit, never before; a caller that
//! went away is not an error.
//!
//! A claim that finds no part stands: the first transaction that has work for it answers it before its
//! own commit, so that one flush keeps a text and hands its first part to a SIM.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::outbound::{self, Claim, Settlement};
use super::{Error, open};
use crate::clock::Millis;
use crate::sms::ids::SimId;

/// Intents that may wait for the writer before callers are held back.
const MAILBOX: usize = 4096;
/// Intents in one commit at most.
const GROUP: usize = 512;
/// Time after which a commit takes in no further intents.
const GROUP_TIME: Duration = Duration::from_millis(4);
/// Connections that read at the same time.
const READERS: usize = 4;

/// Work that a transaction has made possible.
#[derive(Default)]
struct Work {
    /// Any SIM may find something.
    any: bool,
    /// These may find something that waits for nobody else.
    sims: BTreeSet<SimId>,
    /// When it came.
    at: Option<Millis>,
}

/// What an intent works in: the open transaction.
pub struct Scope<'a> {
    pub(super) db: &'a Connection,
    work: RefCell<Work>,
    dated: Cell<bool>,
    event: Cell<Option<i64>>,
}

impl<'a> Scope<'a> {
    fn of(db: &'a Connection) -> Self {
        Self {
            db,
            work: RefCell::default(),
            dated: Cell::new(false),
            event: Cell::new(None),
        }
    }

    /// A part may go now: through this SIM, or through any. Claims that stand get it before the commit.
    pub(super) fn work_waits(&self, bound_to: Option<SimId>, now: Millis) {
        let mut work = self.work.borrow_mut();
        work.at = Some(now);
        match bound_to {
            Some(sim) => drop(work.sims.insert(sim)),
            None => work.any = true,
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

/// What outlives a transaction.
#[derive(Clone, Default)]
struct Outside {
    standing: Arc<Mutex<VecDeque<Standing>>>,
    dated: watch::Sender<u64>,
    events: watch::Sender<i64>,
}

/// A claim that has found no part yet. The one that stands the longest is served first.
struct Standing {
    sim: SimId,
    tell: oneshot::Sender<Result<Option<Claim>, Error>>,
    /// What came with it is not on disk before the transaction under way is.
    fresh: bool,
    /// It is to be answered without a part.
    withdrawn: bool,
}

impl Outside {
    fn standing(&self) -> MutexGuard<'_, VecDeque<Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the work of this transaction to the claims that stand.
    fn serve(&self, scope: &Scope, answers: &mut Vec<Answer>) {
        let work = scope.work.take();
        let Some(now) = work.at else { return };
        let mut any = work.any;
        let mut standing = self.standing();
        let mut place = 0;
        while let Some(claim) = standing.get(place) {
            let sim = claim.sim;
            let asks = (any || work.sims.contains(&sim)) && !claim.withdrawn;
            let claimed = if asks {
                in_savepoint(scope, |scope| outbound::claim(scope, sim, now))
            } else {
                Ok(None)
            };
            if let Ok(None) = claimed {
                // Nothing for it means nothing for any other either, but for what is bound to that one.
                any &= !asks;
                place += 1;
            } else if let Some(claim) = standing.remove(place) {
                answers.push(answer(claim.tell, claimed));
            }
        }
    }

    /// Tells of what is on disk now.
    fn tell(&self, scope: &Scope) {
        if scope.dated.get() {
            self.dated.send_modify(|count| *count += 1);
        }
        if let Some(newest) = scope.event.get() {
            self.events.send_replace(newest);
        }
    }

    /// A claim whose transaction failed is told so, one that was withdrawn has its answer; the rest stands on.
    fn close(&self, committed: &Transaction<()>) {
        let mut standing = self.standing();
        for _ in 0..standing.len() {
            let Some(mut claim) = standing.pop_front() else {
                return;
            };
            let fresh = std::mem::take(&mut claim.fresh);
            match committed {
                Err(error) if fresh => drop(claim.tell.send(Err(Error::Commit(error.clone())))),
                _ if claim.withdrawn => drop(claim.tell.send(Ok(None))),
                _ => standing.push_back(claim),
            }
        }
    }
}

/// Says `result` once it is on disk, or why it is not.
fn answer<T: Send + 'static>(
    tell: oneshot::Sender<Result<T, Error>>,
    result: Result<T, Error>,
) -> Answer {
    Box::new(move |commit| {
        // The caller may be gone: what it asked for is done all the same.
        let _ = tell.send(commit.map_err(Error::Commit).and(result));
    })
}

/// How a transaction began or ended.
type Transaction<T> = Result<T, Arc<rusqlite::Error>>;
/// Said to the caller once the commit is on disk, or has failed.
type Answer = Box<dyn FnOnce(Transaction<()>) + Send>;
/// An intent; without a transaction it must not touch the database.
type Intent = Box<dyn FnOnce(Transaction<&Scope>) -> Answer + Send>;

/// The running store.
pub(super) struct Engine {
    place: Place,
    outside: Outside,
    readers: Semaphore,
}

enum Place {
    /// A thread owns the writing connection.
    Thread {
        /// Closed before the thread is waited for.
        mailbox: Option<mpsc::Sender<Intent>>,
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
        let outside = Outside::default();
        let shared = outside.clone();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || write_all(&connection, inbox, &shared))
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
            outside,
            readers: Semaphore::new(READERS),
        }))
    }

    /// Keeps everything in memory and in the calling task.
    pub(super) fn in_task() -> Result<Arc<Self>, Error> {
        let place = Place::InTask(Mutex::new(open::in_memory()?));
        Ok(Arc::new(Self {
            place,
            outside: Outside::default(),
            readers: Semaphore::new(1),
        }))
    }

    /// Counts the commits that gave something a date.
    pub(super) fn dated(&self) -> watch::Receiver<u64> {
        self.outside.dated.subscribe()
    }

    /// The newest event row that a commit of this process has written; 0 before the first one.
    pub(super) fn newest_event(&self) -> watch::Receiver<i64> {
        self.outside.events.subscribe()
    }

    /// Queues an intent; what comes back resolves when it is on disk. Intents run in the order of
    /// these calls.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        intent: impl FnOnce(&Scope) -> Result<T, Error> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (tell, told) = oneshot::channel();
        self.post(Box::new(move |scope| {
            let result = scope
                .map_err(Error::Commit)
                .and_then(|scope| in_savepoint(scope, intent));
            answer(tell, result)
        }))
        .await;
        told
    }

    /// Settles `done` and claims a part for `sim`. Where there is none the claim stands until a
    /// transaction has one for it, or until `leave`: then it is answered without.
    pub(super) async fn claim(
        &self,
        sim: SimId,
        done: Option<Settlement>,
        now: Millis,
        leave: impl Future<Output = ()>,
    ) -> Result<Option<Claim>, Error> {
        let (tell, mut told) = oneshot::channel();
        let outside = self.outside.clone();
        self.post(Box::new(move |scope| {
            let result = scope.map_err(Error::Commit).and_then(|scope| {
                in_savepoint(scope, |scope| {
                    if let Some(done) = done {
                        outbound::settle(scope, &done, now)?;
                    }
                    outbound::claim(scope, sim, now)
                })
            });
            if let Ok(None) = result {
                outside.standing().push_back(Standing {
                    sim,
                    tell,
                    fresh: true,
                    withdrawn: false,
                });
                return Box::new(|_| ());
            }
            answer(tell, result)
        }))
        .await;
        tokio::select! {
            biased;
            told = &mut told => return told.map_err(|_| Error::Closed)?,
            () = leave => {}
        }
        let outside = self.outside.clone();
        self.post(Box::new(move |_| {
            for claim in outside.standing().iter_mut() {
                claim.withdrawn |= claim.sim == sim;
            }
            Box::new(|_| ())
        }))
        .await;
        told.await.map_err(|_| Error::Closed)?
    }

    async fn post(&self, intent: Intent) {
        match &self.place {
            Place::Thread { mailbox, .. } => {
                if let Some(mailbox) = mailbox {
                    // A closed mailbox drops the way back, which the caller sees as `Closed`.
                    let _ = mailbox.send(intent).await;
                }
            }
            Place::InTask(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                commit_group(&connection, intent, &mut || None, &self.outside);
            }
        }
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
fn write_all(connection: &Connection, mut inbox: mpsc::Receiver<Intent>, outside: &Outside) {
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
        commit_group(connection, first, &mut next, outside);
    }
    // Leaves one tidy file behind; the next start replays the log if this fails.
    if let Err(error) = connection.pragma_update(None, "wal_checkpoint", "truncate") {
        tracing::debug!(%error, "the write-ahead log stays for the next start");
    }
}

/// One transaction: `first`, and whatever `next` has for it.
fn commit_group(
    connection: &Connection,
    first: Intent,
    next: &mut dyn FnMut() -> Option<Intent>,
    outside: &Outside,
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
    if open.is_ok() {
        outside.serve(&scope, &mut answers);
        if connection.is_autocommit() {
            open = Err(Arc::new(rolled_back()));
        }
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
    outside.close(&committed);
    if committed.is_ok() {
        outside.tell(&scope);
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

    #[test]
    fn only_a_claim_that_came_with_a_failed_commit_hears_of_it() {
        let outside = Outside::default();
        let stand = |sim, fresh| {
            let (tell, told) = oneshot::channel();
            outside.standing().push_back(Standing {
                sim: SimId(sim),
                tell,
                fresh,
                withdrawn: sim == 2,
            });
            told
        };
        let mut told = [stand(1, false), stand(2, false), stand(3, true)];
        outside.close(&Err(Arc::new(rolled_back())));
        let answers = told.each_mut().map(|told| match told.try_recv() {
            Ok(Ok(None)) => "withdrawn",
            Ok(Err(Error::Commit(_))) => "failed",
            Ok(_) => "else",
            Err(_) => "stands",
        });
        assert_eq!(answers, ["stands", "withdrawn", "failed"]);
        let mut later = stand(4, true);
        outside.close(&Ok(()));
        assert!(later.try_recv().is_err(), "stands");
        let standing: Vec<_> = outside.standing().iter().map(|claim| claim.sim.0).collect();
        assert_eq!(standing, [1, 4]);
    }

    #[tokio::test]
    async fn after_a_rollback_by_sqlite_itself_nothing_of_the_group_is_done() {
        let engine = Engine::in_task().unwrap();
        let Place::InTask(connection) = &engine.place else {
            panic!("in task")
        };
        let connection = connection.lock().unwrap();
        let (told, answers) = std::sync::mpsc::sync_channel(3);
        let intent = |rolls_back: bool| -> Intent {
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
            &engine.outside,
        );
        assert_eq!(
            answers.try_iter().collect::<Vec<_>>(),
            [false, false, false]
        );
        assert_eq!(count(&connection).unwrap(), 0);
        commit_group(&connection, intent(false), &mut || None, &engine.outside);
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
