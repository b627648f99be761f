//! What a modem is by nature, and the settings that its client changes.

use std::time::Duration;

use super::manners::Manners;
use super::text::Charset;

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
    /// `+CMGF`: 1 = text mode.
    pub(super) text_mode: u8,
    /// `+CSDH`: 1 = headers of text mode show everything.
    pub(super) full_headers: u8,
    /// `<fo>,<vp>,<pid>,<dcs>` of `+CSMP`.
    pub(super) text_fields: [u8; 4],
    /// `<mode>,<mt>,<bm>,<ds>,<bfr>` of `+CNMI`.
    pub(super) routing: [u8; 5],
    /// `+CSMS`: 1 = routed messages must be acknowledged.
    pub(super) service: u8,
    /// `+CMMS`: 1 or 2 keep the link open between parts.
    pub(super) keep_link: u8,
    /// `<n>` of `+CREG`, `+CGREG` and `+CEREG`.
    pub(super) registration_news: [u8; 3],
    /// 0 long name, 1 short name, 2 number.
    pub(super) operator_format: u8,
    /// `+CLIP`: 1 = who calls is told.
    pub(super) caller_news: u8,
    /// `+CUSD`: 1 = what the network says is told.
    pub(super) ussd_news: u8,
    /// Is a change of the signal told?
    pub(super) signal_news: bool,
    /// `+CSCS`.
    pub(super) charset: Charset,
}

impl Setup {
    /// As after power-on.
    pub(super) fn of(manners: &Manners) -> Self {
        let mut routing = [0; 5];
        for (place, first) in routing.iter_mut().zip(manners.cnmi.first()) {
            *place = first;
        }
        Self {
            echo: manners.echo,
            error_detail: manners.error_detail,
            text_mode: 0,
            full_headers: 0,
            // SMS-SUBMIT with relative validity, 24 hours (TS 27.005, 3.1).
            text_fields: [17, 167, 0, 0],
            routing,
            service: 0,
            keep_link: 0,
            registration_news: [0; 3],
            operator_format: 0,
            caller_news: 0,
            ussd_news: 0,
            signal_news: manners.signal_news.first,
            charset: Charset::Gsm,
        }
    }
}
