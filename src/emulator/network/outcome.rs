//! How a part ends, by its recipient.

use crate::sms::report::Status;

/// How a part ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Accepted, then reported with this TP-ST.
    Reported(Status),
    /// Accepted; the phone is off at first, and this becomes of it in the end. Reported twice.
    Retried(Status),
    /// Refused with this `+CMS ERROR`.
    Refused(u16),
    /// Accepted, but the modem never hears of it.
    Unanswered,
    /// Accepted, and never heard of again: a spam filter took it.
    Swallowed,
}

const DELIVERED: Status = Status(0);
/// Forwarded by the service centre, which does not know more (TS 23.040, 9.2.3.15).
const FORWARDED: Status = Status(0x01);
/// No response from the phone, still trying.
pub(super) const STILL_TRYING: Status = Status(0x22);
const INCOMPATIBLE: Status = Status(0x41);
/// The validity period has expired.
pub(super) const EXPIRED: Status = Status(0x46);

const OUTCOMES: &[(&str, Outcome)] = &[
    ("+15005550001", Outcome::Refused(1)),
    ("+15005550002", Outcome::Refused(195)),
    ("+15005550003", Outcome::Refused(196)),
    ("+15005550009", Outcome::Refused(30)),
    ("+15005550013", Outcome::Reported(INCOMPATIBLE)),
    ("+15005550014", Outcome::Refused(30)),
    ("+15005550015", Outcome::Unanswered),
    ("+15005550016", Outcome::Reported(EXPIRED)),
    ("+15005550017", Outcome::Refused(42)),
    ("+15005550018", Outcome::Retried(DELIVERED)),
    ("+15005550019", Outcome::Retried(EXPIRED)),
    ("+15005550020", Outcome::Reported(FORWARDED)),
    ("+15005550021", Outcome::Swallowed),
];

/// Behind it: three digits of a `+CMS ERROR`.
const REFUSED: &str = "+15005551";
/// Behind it: three digits of a TP-ST, 000 to 255.
const REPORTED: &str = "+15005552";

/// What the network does with a part to `recipient`.
pub(super) fn outcome(recipient: &str) -> Outcome {
    let fixed = OUTCOMES.iter().find(|(number, _)| *number == recipient);
    let digits = |prefix| {
        let digits: &str = recipient.strip_prefix(prefix)?;
        Some(digits).filter(|digits| digits.len() == 3)
    };
    fixed
        .map(|(_, outcome)| *outcome)
        .or_else(|| Some(Outcome::Refused(digits(REFUSED)?.parse().ok()?)))
        .or_else(|| Some(Outcome::Reported(Status(digits(REPORTED)?.parse().ok()?))))
        .unwrap_or(Outcome::Reported(DELIVERED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipient_decides() {
        const CASES: &[(&str, Outcome)] = &[
            ("+15005550001", Outcome::Refused(1)),
            ("+15005550004", Outcome::Reported(Status(0))),
            ("+15005550013", Outcome::Reported(Status(0x41))),
            ("+15005550015", Outcome::Unanswered),
            ("+15005550018", Outcome::Retried(Status(0))),
            ("+15005550019", Outcome::Retried(Status(0x46))),
            ("+15005550020", Outcome::Reported(Status(1))),
            ("+15005550021", Outcome::Swallowed),
            ("+15005551008", Outcome::Refused(8)),
            ("+15005551500", Outcome::Refused(500)),
            ("+1500555150", Outcome::Reported(Status(0))),
            ("+15005552070", Outcome::Reported(Status(70))),
            ("+15005552300", Outcome::Reported(Status(0))),
            ("+447700900123", Outcome::Reported(Status(0))),
            // No international number: no magic.
            ("15005550014", Outcome::Reported(Status(0))),
        ];
        for (recipient, wanted) in CASES {
            assert_eq!(outcome(recipient), *wanted, "{recipient}");
        }
    }
}
