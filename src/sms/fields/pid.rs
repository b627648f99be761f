//! TP-Protocol-Identifier: what kind of service a message is for.

/// The octet TP-PID (TS 23.040, 9.2.3.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Pid(pub u8);

impl Pid {
    /// An ordinary short message from one subscriber to another.
    pub const ORDINARY: Self = Self(0x00);
    /// Short Message Type 0: acknowledged by the phone and thrown away unseen.
    pub const TYPE_0: Self = Self(0x40);

    /// In a few words of the standard.
    pub fn meaning(self) -> &'static str {
        match self.0 >> 6 {
            0b00 if self.0 & 0x20 == 0 => match self.0 {
                0x00 => "ordinary short message",
                _ => "protocol between the two ends",
            },
            0b00 => telematic(self.0 & 0x1F),
            0b01 => handling(self.0),
            0b10 => "reserved",
            _ => "service centre's own use",
        }
    }
}

/// The device behind telematic interworking, by the five low bits.
fn telematic(device: u8) -> &'static str {
    match device {
        0x00 => "telematic device, implicit",
        0x01 => "telex",
        0x02 => "group 3 telefax",
        0x03 => "group 4 telefax",
        0x04 => "voice telephone",
        0x05 => "ERMES paging",
        0x06 => "national paging system",
        0x07 => "videotex",
        0x08 => "teletex, carrier not specified",
        0x09 => "teletex in PSPDN",
        0x0A => "teletex in CSPDN",
        0x0B => "teletex in analogue PSTN",
        0x0C => "teletex in digital ISDN",
        0x0D => "UCI (Universal Computer Interface)",
        0x10 => "message handling facility",
        0x11 => "X.400 message handling system",
        0x12 => "Internet electronic mail",
        0x18..=0x1E => "service centre's own device",
        0x1F => "mobile station",
        _ => "telematic device, reserved",
    }
}

/// What the receiving phone shall do with the message.
fn handling(octet: u8) -> &'static str {
    match octet {
        0x40 => "short message type 0",
        0x41..=0x47 => "replace short message",
        0x48 => "device triggering short message",
        0x5E => "enhanced message service (obsolete)",
        0x5F => "return call message",
        0x7C => "ANSI-136 R-DATA",
        0x7D => "ME data download",
        0x7E => "ME de-personalization",
        0x7F => "(U)SIM data download",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_the_standard() {
        const CASES: &[(u8, u8, &str)] = &[
            (0x00, 0x00, "ordinary short message"),
            (0x01, 0x1F, "protocol between the two ends"),
            (0x20, 0x20, "telematic device, implicit"),
            (0x22, 0x22, "group 3 telefax"),
            (0x2E, 0x2F, "telematic device, reserved"),
            (0x32, 0x32, "Internet electronic mail"),
            (0x33, 0x37, "telematic device, reserved"),
            (0x38, 0x3E, "service centre's own device"),
            (0x3F, 0x3F, "mobile station"),
            (0x40, 0x40, "short message type 0"),
            (0x41, 0x47, "replace short message"),
            (0x48, 0x48, "device triggering short message"),
            (0x49, 0x5D, "reserved"),
            (0x5F, 0x5F, "return call message"),
            (0x60, 0x7B, "reserved"),
            (0x7D, 0x7D, "ME data download"),
            (0x7F, 0x7F, "(U)SIM data download"),
            (0x80, 0xBF, "reserved"),
            (0xC0, 0xFF, "service centre's own use"),
        ];
        for &(first, last, meaning) in CASES {
            for octet in first..=last {
                assert_eq!(Pid(octet).meaning(), meaning, "{octet:02X}");
            }
        }
    }
}
