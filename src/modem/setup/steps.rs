//! The table of bring-up: what is asked in which order, and what may fail.

use crate::modem::at::messaging::PDU_MODE;
use crate::modem::at::network::ANNOUNCE_REGISTRATION;
use crate::modem::at::{ECHO_OFF, GSM_CHARACTERS, NUMERIC_ERRORS, Plain};

/// Whether bring-up can go on without a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// No text can be sent without it. Tried so often, a second apart: a fresh SIM answers "busy".
    Required(u32),
    /// Good to have, and tried as often: a fresh SIM answers "busy" here as well.
    Wanted(u32),
    /// Good to have.
    Optional,
}

/// What a step does.
pub(super) enum Task {
    Plain(&'static Plain),
    Maker,
    Model,
    /// From here on the family's manners count.
    Family,
    Imei,
    Pin,
    Card,
    Subscriber,
    Service,
    Storage,
    Routing,
    ServiceCentre,
    OwnNumber,
    Registration,
    Operator,
}

/// One step.
pub(super) struct Step {
    /// Completes "the modem refuses to ...".
    pub(super) name: &'static str,
    pub(super) task: Task,
    pub(super) need: Need,
}

const fn step(name: &'static str, task: Task, need: Need) -> Step {
    Step { name, task, need }
}

/// The way from `AT` to a SIM that can send. Order matters: errors must be numbers before a code is
/// read, the SIM open before it is asked, PDU mode set before storages are touched.
pub(super) const STEPS: &[Step] = &[
    step(
        "stop repeating commands",
        Task::Plain(&ECHO_OFF),
        // A card that wants its PIN makes some refuse even this: the PIN is the trouble to tell.
        Need::Wanted(2),
    ),
    step(
        "tell errors as numbers",
        Task::Plain(&NUMERIC_ERRORS),
        Need::Optional,
    ),
    step("tell its maker", Task::Maker, Need::Optional),
    step("tell its model", Task::Model, Need::Optional),
    step("be quiet", Task::Family, Need::Optional),
    step("tell its IMEI", Task::Imei, Need::Optional),
    step("tell the state of the SIM", Task::Pin, Need::Required(5)),
    step("tell the card's number", Task::Card, Need::Wanted(3)),
    step("tell the subscriber", Task::Subscriber, Need::Wanted(3)),
    step("work with PDUs", Task::Plain(&PDU_MODE), Need::Required(10)),
    // Left in UCS-2 by an earlier program, it would answer names and numbers in hex.
    step(
        "answer in the default alphabet",
        Task::Plain(&GSM_CHARACTERS),
        Need::Optional,
    ),
    step("select the message service", Task::Service, Need::Optional),
    step("select a storage", Task::Storage, Need::Optional),
    step("route status reports", Task::Routing, Need::Optional),
    step(
        "tell the service centre",
        Task::ServiceCentre,
        Need::Wanted(3),
    ),
    step("tell its own number", Task::OwnNumber, Need::Optional),
    step(
        "announce its registration",
        Task::Plain(&ANNOUNCE_REGISTRATION),
        Need::Optional,
    ),
    step(
        "tell its registration",
        Task::Registration,
        Need::Required(1),
    ),
    step("tell the network's name", Task::Operator, Need::Optional),
];
