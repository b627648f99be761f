//! The language of short messages: pure values and functions, no I/O, no clock (TS 23.038, 23.040).
#![deny(clippy::indexing_slicing)]

pub mod alphabet;
pub mod causes;
pub mod fields;
pub mod ids;
pub mod join;
pub mod marks;
pub mod number;
mod octets;
pub mod parts;
pub mod pdu;
pub mod plain;
pub mod state;
pub mod tpdu;

pub use octets::{DecodeError, DecodeErrorKind};
pub use tpdu::{command, deliver, deliver_report, report, submit, submit_report};
