//! Messages are taken in, each once: a request that is repeated finds what it has made.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::messages::{self, Message, Part};
use crate::clock::Millis;
use crate::routing::class::{MessageClass, Priority};
use crate::sms::ids::{KeyId, MessageId, PartNo};
use crate::sms::number::PhoneNumber;
use crate::sms::state::{MessageState, PartState};
use crate::store::engine::Scope;
use crate::store::events::NewEvent;
use crate::store::{Error, Store};

/// So long a repeated request is known again.
const MEMORY: Duration = Duration::from_secs(72 * 3600);
/// Messages of a batch that go into one commit.
const CHUNK: usize = 100;
/// Requests that one intent forgets at most: a commit is to be short.
const MOST: u32 = 500;

/// A message about to be kept.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its id, made at the door.
    pub id: MessageId,
    /// The key that asked; none for the command line on this machine.
    pub key: Option<KeyId>,
    /// Where it goes.
    pub recipient: PhoneNumber,
    /// What it says.
    pub text: String,
    /// What it is for.
    pub class: MessageClass,
    /// `gsm7` or `ucs2`.
    pub alphabet: String,
    /// How many parts it takes, from 1 to 255.
    pub parts: u8,
    /// Whether a status report is asked for.
    pub report: bool,
    /// Its order among texts of its class.
    pub priority: Priority,
    /// Not before this hour; at once where it has passed.
    pub send_at: Option<Millis>,
    /// From then on it is not worth sending.
    pub expires_at: Millis,
    /// The shop's own name for it: one message has it, for ever.
    pub client_ref: Option<String>,
    /// The message that this one sends again.
    pub resend_of: Option<MessageId>,
    /// What tells a repeated request.
    pub once: Option<Once>,
}

impl NewMessage {
    fn kept(self, now: Millis) -> Message {
        Message {
            id: self.id,
            key: self.key,
            state: beginning(self.send_at, now),
            recipient: self.recipient.to_string(),
            text: self.text,
            class: self.class,
            alphabet: self.alphabet,
            report: self.report,
            priority: self.priority,
            send_at: self.send_at,
            expires_at: self.expires_at,
            client_ref: self.client_ref,
            resend_of: self.resend_of,
            erased_at: None,
            sim: None,
            error: None,
            created_at: now,
            sent_at: None,
            finalized_at: None,
            updated_at: now,
            parts: (1..=self.parts).map(|no| waiting(PartNo(no))).collect(),
        }
    }
}

/// What tells a repeated request from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The word that its sender gave it (`Idempotency-Key`).
    pub word: String,
    /// SHA-256 of what was asked.
    pub asked: [u8; 32],
}

impl Once {
    /// The same for one item of a batch.
    #[must_use]
    pub fn of_item(&self, place: usize) -> Self {
        Self {
            // No word of a sender holds a control character.
            word: format!("{}\u{1f}{place}", self.word),
            asked: self.asked,
        }
    }
}

/// What a request to keep a message came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// It is kept.
    New(Message),
    /// The same request has made it before; this is what it was answered with.
    Repeated(Message),
    /// Its key has a message of that `client_ref`; this is how it stands.
    Known(Message),
    /// Its word was given to another request.
    Reused,
}

impl Store {
    /// Keeps a message with its parts and wakes the scheduler. Once this returns, nothing loses it;
    /// what comes back is what was kept, or what was kept before.
    pub async fn enqueue(&self, new: NewMessage, now: Millis) -> Result<Enqueued, Error> {
        self.engine
            .write(move |scope| enqueue(scope, new, now))
            .await
    }

    /// Keeps many messages, so many in a commit that none takes long; the answers are in their order.
    pub async fn enqueue_all(
        &self,
        new: Vec<NewMessage>,
        now: Millis,
    ) -> Vec<Result<Enqueued, Error>> {
        let mut new = new.into_iter();
        let mut told = Vec::new();
        loop {
            let chunk: Vec<NewMessage> = new.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            let size = chunk.len();
            let intent = move |scope: &Scope| -> Result<Vec<Enqueued>, Error> {
                let kept = chunk.into_iter().map(|new| enqueue(scope, new, now));
                kept.collect()
            };
            told.push((size, self.engine.submit(intent).await));
        }
        let mut answers = Vec::new();
        for (size, told) in told {
            match told.await.unwrap_or(Err(Error::Closed)) {
                Ok(kept) => answers.extend(kept.into_iter().map(Ok)),
                Err(error) => {
                    let error = match error {
                        Error::Commit(error) => Some(error),
                        Error::Sqlite(error) => Some(Arc::new(error)),
                        _ => None,
                    };
                    let of_one = || error.clone().map_or(Error::Closed, Error::Commit);
                    answers.extend((0..size).map(|_| Err(of_one())));
                }
            }
        }
        answers
    }

    /// Notes the word of a batch. No: it was given to another request.
    pub async fn begin_batch(
        &self,
        key: Option<KeyId>,
        once: Once,
        now: Millis,
    ) -> Result<bool, Error> {
        self.engine
            .write(move |scope| {
                let asker = asker(key);
                if let Some((asked, _)) = asked_before(scope, &asker, &once.word)? {
                    return Ok(asked == once.asked);
                }
                note(scope, &asker, &once, None, now)?;
                Ok(true)
            })
            .await
    }

    /// Forgets requests that are not expected to be repeated any more. Returns when the next one is not.
    pub async fn forget_requests(&self, now: Millis) -> Result<Option<Millis>, Error> {
        self.engine
            .write(move |scope| {
                scope
                    .db
                    .prepare_cached(
                        "DELETE FROM request WHERE (asker, word) IN
                           (SELECT asker, word FROM request WHERE at <= ?1 ORDER BY at LIMIT ?2)",
                    )?
                    .execute(params![now.minus(MEMORY).0, MOST])?;
                let oldest: Option<i64> = scope
                    .db
                    .prepare_cached("SELECT min(at) FROM request")?
                    .query_row([], |row| row.get(0))?;
                Ok(oldest.map(|at| Millis(at).plus(MEMORY)))
            })
            .await
    }
}

fn enqueue(scope: &Scope, new: NewMessage, now: Millis) -> Result<Enqueued, Error> {
    let asker = asker(new.key);
    if let Some(once) = &new.once
        && let Some((asked, made)) = asked_before(scope, &asker, &once.word)?
    {
        if asked != once.asked {
            return Ok(Enqueued::Reused);
        }
        if let Some(made) = made
            && let Some(message) = messages::find(scope.db, made)?
        {
            return Ok(Enqueued::Repeated(as_accepted(message)));
        }
    }
    if let Some(client_ref) = &new.client_ref
        && let Some(known) = named(scope, &asker, client_ref)?
        && let Some(message) = messages::find(scope.db, known)?
    {
        return Ok(Enqueued::Known(message));
    }
    insert(scope, &new, now)?;
    if let Some(once) = &new.once {
        note(scope, &asker, once, Some(new.id), now)?;
    }
    Ok(Enqueued::New(new.kept(now)))
}

/// The key's octets; none for the command line on this machine.
fn asker(key: Option<KeyId>) -> Vec<u8> {
    key.map(|key| key.octets().to_vec()).unwrap_or_default()
}

fn note(
    scope: &Scope,
    asker: &[u8],
    once: &Once,
    made: Option<MessageId>,
    now: Millis,
) -> Result<(), Error> {
    scope
        .db
        .prepare_cached("INSERT OR REPLACE INTO request(asker, word, asked, message, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![asker, once.word, once.asked, made.as_ref().map(MessageId::octets), now.0])?;
    Ok(())
}

/// A request that came before: its digest, and the message it made; none for a batch.
type Before = ([u8; 32], Option<MessageId>);

/// What a word was given to.
fn asked_before(scope: &Scope, asker: &[u8], word: &str) -> Result<Option<Before>, Error> {
    Ok(scope
        .db
        .prepare_cached("SELECT asked, message FROM request WHERE asker = ?1 AND word = ?2")?
        .query_row(params![asker, word], |row| {
            let made: Option<[u8; 16]> = row.get(1)?;
            Ok((row.get(0)?, made.map(MessageId::from)))
        })
        .optional()?)
}

fn named(scope: &Scope, asker: &[u8], client_ref: &str) -> Result<Option<MessageId>, Error> {
    Ok(scope
        .db
        .prepare_cached(
            "SELECT id FROM message WHERE coalesce(key_id, x'') = ?1 AND client_ref = ?2",
        )?
        .query_row(params![asker, client_ref], |row| {
            Ok(MessageId::from(row.get::<_, [u8; 16]>(0)?))
        })
        .optional()?)
}

/// A message as it was when it was accepted, whatever has become of it.
fn as_accepted(message: Message) -> Message {
    Message {
        state: beginning(message.send_at, message.created_at),
        sim: None,
        error: None,
        sent_at: None,
        finalized_at: None,
        updated_at: message.created_at,
        parts: message.parts.iter().map(|part| waiting(part.no)).collect(),
        ..message
    }
}

/// The state in which a message begins.
fn beginning(send_at: Option<Millis>, now: Millis) -> MessageState {
    if send_at.is_some_and(|hour| hour > now) {
        MessageState::Scheduled
    } else {
        MessageState::Queued
    }
}

fn waiting(no: PartNo) -> Part {
    Part {
        no,
        state: PartState::Waiting,
        attempts: 0,
        mr: None,
        sent_at: None,
        final_at: None,
    }
}

fn insert(scope: &Scope, new: &NewMessage, now: Millis) -> Result<(), Error> {
    let state = beginning(new.send_at, now);
    let scheduled = state == MessageState::Scheduled;
    scope
        .db
        .prepare_cached(
            "INSERT INTO message(id, key_id, state, recipient, text, class, alphabet, parts, report, priority,
               rank, ready, due_at, send_at, expires_at, client_ref, resend_of, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?18)",
        )?
        .execute(params![
            new.id.octets(),
            new.key.as_ref().map(KeyId::octets),
            state.as_str(),
            new.recipient.as_str(),
            new.text,
            new.class.as_str(),
            new.alphabet,
            new.parts,
            new.report,
            new.priority.number(),
            new.class.rank(new.priority),
            !scheduled,
            new.send_at.filter(|_| scheduled).map(|hour| hour.0),
            new.send_at.map(|hour| hour.0),
            new.expires_at.0,
            new.client_ref,
            new.resend_of.as_ref().map(MessageId::octets),
            now.0,
        ])?;
    let mut part = scope
        .db
        .prepare_cached("INSERT INTO part(message, no, state) VALUES (?1, ?2, ?3)")?;
    for no in 1..=new.parts {
        part.execute(params![new.id.octets(), no, PartState::Waiting.as_str()])?;
    }
    if scheduled {
        scope.wake_housekeeper();
    } else {
        scope.work_waits(None, now);
    }
    NewEvent {
        at: now,
        kind: &format!("message.{state}"),
        message: new.id,
        part: None,
        from: None,
        to: Some(state.as_str()),
        sim: None,
        reason: Some("accepted"),
    }
    .write(scope)
}
