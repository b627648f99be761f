//! Simpost: an SMS gateway on USB modems with ordinary SIM cards.
//!
//! Folders are stations on a message's way, files beside them are movers: what lies in a folder
//! is asked, a mover acts. `ARCHITECTURE.md` has the map and the rules; `tests/layers.rs` keeps them.

pub mod admission;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod emulator;
pub mod fleet;
pub mod housekeeper;
pub mod http;
pub mod modem;
pub mod outcomes;
pub mod routing;
pub mod scheduler;
pub mod sms;
pub mod store;
