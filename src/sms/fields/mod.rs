//! The fields of which transport PDUs are made, one file a field (TS 23.040, 9.1.2 and 9.2.3).

mod address;
mod dcs;
mod failure;
mod header;
pub(crate) mod indicator;
mod pid;
mod timestamp;
mod user_data;
mod validity;
mod waiting;

pub(crate) use address::MOST_SEMI_OCTETS;
pub use address::{Address, BadAddress, Npi, Ton};
pub use dcs::{CodingGroup, Dcs};
pub use failure::Fcs;
pub use header::{Concat, Element, Elements, Ports, ReferenceWidth, UserDataHeader};
pub use pid::Pid;
pub use timestamp::{Reading, Timestamp};
pub(crate) use user_data::MOST_OCTETS;
pub use user_data::{BadUserData, UserData, joined_text};
pub use validity::ValidityPeriod;
pub use waiting::{Mailbox, MessageWaiting, Waiting};
