//! Commands about texts: send them, follow them, read what came in.

pub mod cancel;
pub mod inbox;
mod listing;
pub mod messages;
pub mod resend;
pub mod resolve;
pub mod send;
pub mod show;
