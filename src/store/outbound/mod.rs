//! What goes out: messages and their parts, the attempts to send them, and what the network says of them.

mod attempts;
mod cancel;
mod messages;
mod reports;
mod steps;
mod timers;

pub use attempts::{Claim, Retry, Settled, Settlement, Verdict, WorkEnd};
pub use cancel::Canceled;
pub use messages::{Failure, Filter, Message, NewMessage, Page, Part};
pub use reports::{Matched, NewReport};
pub use timers::{Grace, Recovered};
