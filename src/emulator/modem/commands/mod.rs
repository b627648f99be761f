//! What a modem knows to answer, one file a subject; each is a table of names.

mod general;
mod indications;
mod network;
mod registration;
mod security;
mod sending;
mod signal;
mod storages;
mod ussd;

use std::time::Instant;

use super::command_line::{Call, Form};
use super::reply::{Fault, Reply, text};
use super::schedule::Later;
use super::{Modem, card, routes};
pub(in crate::emulator) use registration::Domain;
pub(super) use registration::{Coverage, admit, registration_changed};
pub(super) use sending::{compose, hold_link, store, time_on_air};
pub(super) use signal::signal;
pub(super) use ussd::Menu;

/// How one command answers.
type Answer = fn(&mut Modem, Form, Instant) -> Result<Reply, Fault>;

const TABLES: &[&[(&str, Answer)]] = &[
    general::TABLE,
    network::TABLE,
    registration::TABLE,
    signal::TABLE,
    security::TABLE,
    indications::TABLE,
    storages::TABLE,
    sending::TABLE,
    ussd::TABLE,
];

/// Commands that need the card, refused with `+CME ERROR`.
const NEED_CARD: &[&str] = &[
    "+CIMI", "+CNUM", "+CRSM", "+CUSD", "+CSCA", "+CMGF", "+CNMI", "+CSMS", "+CSMP", "+CLCK",
    "+CPWD", "+COPS", "+CGATT", "+CMMS", "+CSDH",
];
/// Commands that need the card, refused with `+CMS ERROR`.
const NEED_STORAGE: &[&str] = &[
    "+CMGS", "+CMGW", "+CMSS", "+CMGR", "+CMGL", "+CMGD", "+CPMS", "+CNMA",
];

/// Carries out one call of a command line.
///
/// The order is that of a modem: what it has not got, what it refuses on principle, what ends it,
/// what is mere words, what the card forbids, and then the command itself.
pub(super) fn answer(modem: &mut Modem, call: &Call, now: Instant) -> Result<Reply, Fault> {
    let manners = modem.manners.clone();
    if manners.lacks.iter().any(|name| name == call.name) {
        return Err(Fault::Unknown);
    }
    let typed = call.typed();
    if let Some(fault) = manners.refusal(&typed) {
        return Err(fault);
    }
    if manners.restarts.contains(&typed) {
        modem.schedule.add(now, Later::Restart);
        return Ok(Reply::Done);
    }
    let outcome = match manners.answer(&typed) {
        Some(words) => said(modem, words),
        None if call.form == Form::Test && manners.words_for(call.name) => Ok(Reply::Done),
        None => known(modem, call, now),
    };
    if outcome.is_ok() {
        modem.schedule.hush(&manners, &typed);
        modem.switch_signal_news(&typed);
    }
    outcome
}

fn known(modem: &mut Modem, call: &Call, now: Instant) -> Result<Reply, Fault> {
    let mut rows = TABLES.iter().flat_map(|table| table.iter());
    let (_, answer) = rows
        .find(|(name, _)| *name == call.name)
        .ok_or(Fault::Unknown)?;
    // Asking which networks there are is a search, no mere test.
    if (call.form != Form::Test || call.name == "+COPS")
        && let Some(fault) = card_refusal(modem, call.name, now)
    {
        return Err(fault);
    }
    let reply = answer(modem, call.form, now);
    // A command may have made room, acknowledged or opened a route.
    routes::route_waiting(modem, now);
    reply
}

/// Why a command that needs card or storage fails now.
pub(super) fn card_refusal(modem: &Modem, name: &str, now: Instant) -> Option<Fault> {
    let storage = NEED_STORAGE.contains(&name);
    if !storage && !NEED_CARD.contains(&name) {
        return None;
    }
    let fault = match modem.card.refusal(now) {
        Some(fault) => fault,
        None if now < modem.ready_at => return Some(modem.manners.not_ready),
        None => return None,
    };
    Some(if storage {
        card::as_message_fault(fault)
    } else {
        fault
    })
}

/// Mere words; those about the card need one.
fn said(modem: &Modem, words: &str) -> Result<Reply, Fault> {
    if words.is_empty() {
        return Ok(Reply::Done);
    }
    let about_card = words.contains("{iccid}") || words.contains("{number}");
    if about_card && modem.card.access() == card::Access::Absent {
        return Err(card::NO_CARD);
    }
    text(modem.fill(words))
}
