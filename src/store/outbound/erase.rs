//! The text and the number of a message are erased; that there was one stays.

use std::time::Duration;

use rusqlite::params;

use super::messages;
use crate::clock::Millis;
use crate::sms::ids::MessageId;
use crate::store::engine::Scope;
use crate::store::{Error, Store};

/// A message that only rests may get its report for so long, which is found by the number.
const REST: Duration = Duration::from_secs(72 * 3600);

/// What an erasure came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// Text and number are gone; also where they were before.
    Done,
    /// Something is still to happen to it.
    UnderWay,
    /// There is no such message.
    Missing,
}

impl Store {
    /// Erases text, number and the shop's name of a message that has come to its end, or has rested for
    /// three days, and the number in its reports.
    pub async fn erase(&self, id: MessageId, now: Millis) -> Result<Erased, Error> {
        self.engine.write(move |scope| erase(scope, id, now)).await
    }
}

fn erase(scope: &Scope, id: MessageId, now: Millis) -> Result<Erased, Error> {
    let Some(message) = messages::find(scope.db, id)? else {
        return Ok(Erased::Missing);
    };
    let rested = message.state.rests() && now.since(message.updated_at) >= REST;
    if !message.state.is_final() && !rested {
        return Ok(Erased::UnderWay);
    }
    let run =
        |sql: &str, values: &[&dyn rusqlite::ToSql]| scope.db.prepare_cached(sql)?.execute(values);
    run(
        "UPDATE message SET text = '', recipient = '', client_ref = NULL, erased_at = coalesce(erased_at, ?2)
         WHERE id = ?1",
        params![id.octets(), now.0],
    )?;
    run(
        "UPDATE report SET recipient = 'erased ' || id, pdu = ''
         WHERE attempt IN (SELECT token FROM attempt WHERE message = ?1)",
        params![id.octets()],
    )?;
    run(
        "DELETE FROM request WHERE message = ?1",
        params![id.octets()],
    )?;
    Ok(Erased::Done)
}
