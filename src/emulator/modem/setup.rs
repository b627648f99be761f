//! What a modem is by nature, and the settings that its client changes.

use std::time::Duration;

/// What fits no matter which modem: the modem's own share of the emulator's settings.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulator) struct Nature {
    /// Time on the air of one part; half of it sets up the link.
    pub(in crate::emulator) radio: Duration,
    /// When the result of a part that the network swallowed comes after all.
    pub(in crate::emulator) silence: Option<Duration>,
    /// Slots of the SIM.
    pub(in crate::emulator) capacity: u16,
}

/// The settings that a reset or `ATZ` takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setup {
    pub(super) echo: bool,
    /// 0 `ERROR`, 1 numbers, 2 words.
    pub(super) error_detail: u8,
    /// `<mode>,<mt>,<bm>,<ds>,<bfr>` of `+CNMI`.
    pub(super) routing: [u8; 5],
    /// `+CSMS`: 1 = routed messages must be acknowledged.
    pub(super) service: u8,
    /// `+CMMS`: 1 or 2 keep the link open between parts.
    pub(super) keep_link: u8,
    /// `<n>` of `+CREG`, `+CGREG` and `+CEREG`.
    pub(super) registration_news: [u8; 3],
    /// 0 long name, 2 number.
    pub(super) operator_format: u8,
    pub(super) alphabet: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            echo: true,
            error_detail: 0,
            routing: [0; 5],
            service: 0,
            keep_link: 0,
            registration_news: [0; 3],
            operator_format: 0,
            alphabet: "GSM",
        }
    }
}
