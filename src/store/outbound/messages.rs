//! Messages as they stand: one by one or in pages.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::clock::Millis;
use crate::routing::class::{MessageClass, Priority};
use crate::sms::ids::{KeyId, MessageId, Mr, PartNo, SimId};
use crate::sms::number::PhoneNumber;
use crate::sms::state::{MessageState, PartState};
use crate::store::{Error, Store};

/// Why a message is not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stable word of the API.
    pub code: String,
    /// The same in words.
    pub message: String,
    /// What the modem or network said, literally.
    pub raw: Option<String>,
}

/// A kept message with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The key that asked for it.
    pub key: Option<KeyId>,
    /// Where it stands.
    pub state: MessageState,
    /// Where it goes.
    pub recipient: String,
    /// What it says.
    pub text: String,
    /// What it is for.
    pub class: MessageClass,
    /// `gsm7` or `ucs2`.
    pub alphabet: String,
    /// Whether a status report is asked for.
    pub report: bool,
    /// Its order among texts of its class.
    pub priority: Priority,
    /// Not before this hour.
    pub send_at: Option<Millis>,
    /// From then on it is not worth sending.
    pub expires_at: Millis,
    /// The shop's own name for it.
    pub client_ref: Option<String>,
    /// The message that this one sends again.
    pub resend_of: Option<MessageId>,
    /// When text and number were erased.
    pub erased_at: Option<Millis>,
    /// The SIM it is bound to.
    pub sim: Option<SimId>,
    /// Why it is not delivered.
    pub error: Option<Failure>,
    /// When it was accepted.
    pub created_at: Millis,
    /// When the network had all of it.
    pub sent_at: Option<Millis>,
    /// When its end was known.
    pub finalized_at: Option<Millis>,
    /// When anything about it changed last.
    pub updated_at: Millis,
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// One part of a kept message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub no: PartNo,
    /// Where it stands.
    pub state: PartState,
    /// How many times it was handed to a modem.
    pub attempts: u32,
    /// The reference under which the network took it.
    pub mr: Option<Mr>,
    /// When the network took it.
    pub sent_at: Option<Millis>,
    /// When its end was known.
    pub final_at: Option<Millis>,
}

/// Which messages a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<MessageState>,
    /// Only those to this number.
    pub recipient: Option<PhoneNumber>,
    /// Only those accepted before this one.
    pub before: Option<MessageId>,
    /// How many at most.
    pub limit: u32,
}

/// One page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether older ones follow.
    pub more: bool,
}

impl Store {
    /// One message, or none of that id.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, Error> {
        self.engine.read(move |db| find(db, id)).await
    }

    /// A page of messages, newest first.
    pub async fn messages(&self, filter: Filter) -> Result<Page, Error> {
        self.engine.read(move |db| page(db, &filter)).await
    }
}

/// One message with its parts, or none of that id.
pub(super) fn find(db: &Connection, id: MessageId) -> Result<Option<Message>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM message WHERE id = ?1");
    let found = db
        .prepare_cached(&sql)?
        .query_row([id.octets()], bare)
        .optional()?;
    found.map(|message| with_parts(db, message?)).transpose()
}

const COLUMNS: &str = "id, key_id, state, recipient, text, class, alphabet, report, sim,
    error_code, error_message, error_raw, created_at, sent_at, finalized_at, updated_at, priority, send_at, expires_at, client_ref, resend_of,
    erased_at";

fn page(db: &Connection, filter: &Filter) -> Result<Page, Error> {
    let mut wheres = vec!["1"];
    let mut values: Vec<Value> = Vec::new();
    if let Some(state) = filter.state {
        wheres.push("state = ?");
        values.push(state.as_str().to_owned().into());
    }
    if let Some(recipient) = &filter.recipient {
        wheres.push("recipient = ?");
        values.push(recipient.as_str().to_owned().into());
    }
    if let Some(before) = filter.before {
        wheres.push("id < ?");
        values.push(before.octets().to_vec().into());
    }
    // One row more than asked for tells whether another page follows.
    values.push(i64::from(filter.limit).saturating_add(1).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM message WHERE {} ORDER BY id DESC LIMIT ?",
        wheres.join(" AND ")
    );
    let mut rows = db.prepare_cached(&sql)?;
    let mut messages = Vec::new();
    for message in rows.query_map(rusqlite::params_from_iter(values), bare)? {
        messages.push(with_parts(db, message??)?);
    }
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let more = messages.len() > limit;
    messages.truncate(limit);
    Ok(Page { messages, more })
}

/// A message without its parts. The outer error is SQLite's, the inner one an unreadable word.
fn bare(row: &Row) -> rusqlite::Result<Result<Message, Error>> {
    let (state, class): (String, String) = (row.get(2)?, row.get(5)?);
    let code: Option<String> = row.get(9)?;
    let (text, raw): (Option<String>, Option<String>) = (row.get(10)?, row.get(11)?);
    let words = state
        .parse()
        .and_then(|state: MessageState| Ok((state, class.parse()?)));
    let (state, class) = match words {
        Ok(words) => words,
        Err(error) => return Ok(Err(error.into())),
    };
    let moment = |at: Option<i64>| at.map(Millis);
    Ok(Ok(Message {
        id: MessageId::from(row.get::<_, [u8; 16]>(0)?),
        key: row.get::<_, Option<[u8; 16]>>(1)?.map(KeyId::from),
        state,
        recipient: row.get(3)?,
        text: row.get(4)?,
        class,
        alphabet: row.get(6)?,
        report: row.get(7)?,
        sim: row.get::<_, Option<i64>>(8)?.map(SimId),
        error: code.map(|code| Failure {
            code,
            message: text.unwrap_or_default(),
            raw,
        }),
        created_at: Millis(row.get(12)?),
        sent_at: moment(row.get(13)?),
        finalized_at: moment(row.get(14)?),
        updated_at: Millis(row.get(15)?),
        priority: Priority::new(row.get(16)?).unwrap_or_default(),
        send_at: moment(row.get(17)?),
        expires_at: Millis(row.get(18)?),
        client_ref: row.get(19)?,
        resend_of: row.get::<_, Option<[u8; 16]>>(20)?.map(MessageId::from),
        erased_at: moment(row.get(21)?),
        parts: Vec::new(),
    }))
}

fn with_parts(db: &Connection, mut message: Message) -> Result<Message, Error> {
    let mut rows = db.prepare_cached(
        "SELECT no, state, attempts, mr, sent_at, final_at FROM part WHERE message = ?1 ORDER BY no",
    )?;
    let mut rows = rows.query([message.id.octets()])?;
    while let Some(row) = rows.next()? {
        message.parts.push(Part {
            no: PartNo(row.get(0)?),
            state: row.get::<_, String>(1)?.parse()?,
            attempts: row.get(2)?,
            mr: row.get::<_, Option<u8>>(3)?.map(Mr),
            sent_at: row.get::<_, Option<i64>>(4)?.map(Millis),
            final_at: row.get::<_, Option<i64>>(5)?.map(Millis),
        });
    }
    Ok(message)
}
