//! The fields of which transport PDUs are made, one file a field (TS 23.040, 9.1.2 and 9.2.3).

mod address;
mod dcs;
mod header;
mod timestamp;
mod user_data;
mod validity;

pub use address::{Address, BadAddress, Npi, Ton};
pub use dcs::Dcs;
pub use header::{Concat, Element, UserDataHeader};
pub use timestamp::Timestamp;
pub use user_data::{BadUserData, UserData};
pub use validity::ValidityPeriod;
