//! What goes out: messages and their parts, the attempts to send them, and what the network says of them.

mod accept;
mod attempts;
mod cancel;
mod claims;
mod dates;
mod erase;
mod messages;
mod reports;
mod resolve;
mod steps;
mod timers;

pub(super) use attempts::settle;
pub(super) use claims::claim;

pub use accept::{Enqueued, NewMessage, Once};
pub use attempts::{Retry, Settled, Settlement, Verdict, WorkEnd};
pub use cancel::Canceled;
pub use claims::Claim;
pub use erase::Erased;
pub use messages::{Failure, Filter, Message, Page, Part};
pub use reports::{Matched, NewReport};
pub use resolve::{Resolution, Resolved};
pub use timers::{Grace, Recovered};
