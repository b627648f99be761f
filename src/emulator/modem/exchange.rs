//! What a modem and the stick around it hand to each other.

use std::time::Duration;

use super::Arrival;
use crate::emulator::faults::{Act, Step};

/// What the modem wants done.
#[derive(Debug, PartialEq)]
pub(in crate::emulator) enum Effect {
    /// These bytes to the client.
    Write(Vec<u8>),
    /// What is written from now on comes that much later.
    Pause(Duration),
    /// Something went wrong; what concerns more than the modem is still to be done.
    Struck(Struck),
    /// The client did not take this in time, or refused it: the network keeps it (RP-ERROR).
    Untaken(Arrival),
    /// This part to the network; answer with [`super::Modem::settle`].
    Submit(Part),
}

/// Something that went wrong.
#[derive(Debug, PartialEq)]
pub(in crate::emulator) struct Struck {
    /// Where; `None`: at once, by an order.
    pub(in crate::emulator) step: Option<Step>,
    /// The command in hand, the first word of an unsolicited line, or nothing.
    pub(in crate::emulator) command: String,
    /// What.
    pub(in crate::emulator) act: Act,
}

/// One SMS-SUBMIT on its way to the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) struct Part {
    /// The hex exactly as the client sent it, Ctrl-Z not included.
    pub(in crate::emulator) hex: String,
    /// The TPDU's octets, without the service centre's address.
    pub(in crate::emulator) tpdu: Vec<u8>,
    /// The TP-MR that the modem puts in.
    pub(in crate::emulator) mr: u8,
}

/// What the network made of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Verdict {
    /// Taken.
    Accepted,
    /// Not taken, with this cause: a `+CMS ERROR` number.
    Refused(u16),
    /// Taken, but no acknowledgement ever reaches the modem.
    Silent,
}
