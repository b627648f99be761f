//! What the emulator is to be.

use std::path::PathBuf;
use std::time::Duration;

use super::faults::Plan;
use super::network::{Quota, ReportOrder};
use crate::clock::Clock;

/// What the emulator is to be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many modems.
    pub modems: u16,
    /// Where the links `modem0`, `modem1`, … are placed; made when it is missing.
    pub dir: PathBuf,
    /// The file that gets one JSON object a line for all that goes over the air; appended to.
    pub ledger: Option<PathBuf>,
    /// The Unix socket that takes orders, one JSON object a line.
    pub control: Option<PathBuf>,
    /// What is to go wrong.
    pub plan: Plan,
    /// Of all chance: the same seed, the same run.
    pub seed: u64,
    /// Time of one part on the air. While `AT+CMMS` keeps the link open, half of it.
    pub radio: Duration,
    /// From the acceptance of a part to its status report.
    pub report_delay: Duration,
    /// In which order reports come.
    pub report_order: ReportOrder,
    /// From the first try to deliver a part to the next, where the phone is off at first.
    pub retry: Duration,
    /// When the result of a part to the silent number comes after all; `None` = never.
    pub silence: Option<Duration>,
    /// Zone of the service centre's clock in quarters of an hour east of Greenwich, -63 to 63.
    pub zone: i8,
    /// Slots of each SIM.
    pub sim_capacity: u16,
    /// Parts that each SIM may send; the rest is refused. `None` = all.
    pub quota: Option<Quota>,
    /// Parts after which a spam filter accepts and swallows what a SIM sends. `None` = never.
    pub spam_after: Option<Quota>,
    /// The only speed, in bits a second, at which the modems understand their terminals; at others
    /// they hear and say rubbish. `None` = that of the family: any, as with USB sticks, or that of its UART.
    pub baud: Option<u32>,
    /// Families of modems (`hardware/manners`), taken in turn; none: all are generic.
    pub profiles: Vec<String>,
    /// A directory whose `NAME.toml` go before the built-in families.
    pub profiles_dir: Option<PathBuf>,
    /// The wall time of ledger and service centre.
    pub clock: Clock,
}

impl Settings {
    /// `modems` modems with links in `dir`: 3 s on the air, reports after 2 s, clock two hours
    /// east, SIMs of 20 slots, no ledger, no control socket; nothing goes wrong.
    pub fn new(modems: u16, dir: impl Into<PathBuf>) -> Self {
        Self {
            modems,
            dir: dir.into(),
            ledger: None,
            control: None,
            plan: Plan::default(),
            seed: 1,
            radio: Duration::from_secs(3),
            report_delay: Duration::from_secs(2),
            report_order: ReportOrder::Kept,
            retry: Duration::from_secs(30),
            silence: None,
            zone: 8,
            sim_capacity: 20,
            quota: None,
            spam_after: None,
            baud: None,
            profiles: Vec::new(),
            profiles_dir: None,
            clock: Clock::system(),
        }
    }
}
