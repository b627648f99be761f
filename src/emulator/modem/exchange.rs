//! What a modem and the stick around it hand to each other.

/// What the modem wants done.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::emulator) enum Effect {
    /// These bytes to the client.
    Write(Vec<u8>),
    /// This part to the network; answer with [`super::Modem::settle`].
    Submit(Part),
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
