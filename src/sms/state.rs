//! The states of a part and of a message, and the whole list of allowed steps.
//!
//! ```text
//!            claimed          accepted          report
//!   waiting ─────────▶ sending ───────▶ sent ───────────▶ delivered · undelivered · expired
//!      ▲  ▲               │ │                                   ▲
//!      │  └── try again ──┘ ├─ refused ──▶ failed               │
//!      │                    └─ silence ──▶ uncertain ── evidence┘
//!      └────────────── resend, by policy ──────┘
//! ```
//!
//! A message has no steps of its own: its state is [`fold`] over its parts.

use std::fmt;
use std::str::FromStr;

use super::ids::BadId;
use super::report::StatusClass;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every state, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable word that the API and the store use.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(word: &str) -> Result<Self, BadId> {
                Self::ALL.iter().copied().find(|state| state.as_str() == word)
                    .ok_or_else(|| BadId::new(word, concat!("one of", $(" ", $word),+)))
            }
        }
    };
}

words! {
    /// Where one part (one SMS-SUBMIT) stands.
    PartState {
        /// Not yet handed to a modem, or to be handed again.
        Waiting = "waiting",
        /// A modem holds it.
        Sending = "sending",
        /// The network took it; no final report yet.
        Sent = "sent",
        /// The handset has it.
        Delivered = "delivered",
        /// The network took it and lost it for good.
        Undelivered = "undelivered",
        /// Never taken by the network.
        Failed = "failed",
        /// Its time ran out, here or in the network.
        Expired = "expired",
        /// Withdrawn before it left.
        Canceled = "canceled",
        /// It may or may not be out.
        Uncertain = "uncertain",
    }
}

words! {
    /// Where a message stands, as the API says it.
    MessageState {
        /// Waits for its hour.
        Scheduled = "scheduled",
        /// Waits for a modem.
        Queued = "queued",
        /// A modem works on it; some parts may be out.
        Sending = "sending",
        /// The network took every part.
        Sent = "sent",
        /// Every part was confirmed by the handset.
        Delivered = "delivered",
        /// The network took at least one part, and at least one is lost.
        Undelivered = "undelivered",
        /// The network took no part.
        Failed = "failed",
        /// Its time ran out.
        Expired = "expired",
        /// Withdrawn.
        Canceled = "canceled",
        /// Refused by policy.
        Rejected = "rejected",
        /// At least one part may or may not be out.
        Uncertain = "uncertain",
    }
}

impl MessageState {
    /// Whether nothing more is expected (`sent` and `uncertain` only rest).
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Delivered
                | Self::Undelivered
                | Self::Failed
                | Self::Expired
                | Self::Canceled
                | Self::Rejected
        )
    }

    /// Whether it may stay so for ever: nobody says what became of it.
    pub fn rests(self) -> bool {
        matches!(self, Self::Sent | Self::Uncertain)
    }
}

/// What can happen to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartEvent {
    /// A SIM took it into work.
    Claimed,
    /// The modem answered with a reference.
    Accepted,
    /// It certainly did not go, and may go again.
    TryAgain,
    /// It certainly did not go, and never will.
    Refused,
    /// Nothing came after Ctrl-Z, or an answer that proves nothing.
    Unanswered,
    /// A status report came.
    Reported(StatusClass),
    /// Policy lets an uncertain part go once more.
    Resend,
    /// It was withdrawn.
    Cancel,
    /// Its time ran out before it left.
    Expire,
}

/// A step that the table does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part that is {state} takes no {event:?}")]
pub struct Refused {
    /// The state it stands in.
    pub state: PartState,
    /// What was asked of it.
    pub event: PartEvent,
}

impl PartState {
    /// The one list of allowed steps.
    ///
    /// Evidence is always taken: a late answer or report corrects an assumption, but nothing takes
    /// `delivered` back. Errors: [`Refused`] for every step that is not in the list.
    pub fn next(self, event: PartEvent) -> Result<Self, Refused> {
        use PartEvent as E;
        let refused = Refused { state: self, event };
        match (self, event) {
            (Self::Delivered, E::Accepted | E::Reported(_)) => Ok(Self::Delivered),
            (_, E::Reported(class)) => Ok(self.reported(class)),
            (Self::Waiting, E::Claimed) => Ok(Self::Sending),
            (Self::Waiting, E::Cancel) => Ok(Self::Canceled),
            (Self::Waiting, E::Expire) => Ok(Self::Expired),
            (Self::Sending | Self::Uncertain, E::Refused) => Ok(Self::Failed),
            (Self::Sending, E::Unanswered) => Ok(Self::Uncertain),
            (Self::Sending | Self::Uncertain, E::TryAgain) | (Self::Uncertain, E::Resend) => {
                Ok(Self::Waiting)
            }
            (
                Self::Waiting
                | Self::Sending
                | Self::Sent
                | Self::Uncertain
                | Self::Failed
                | Self::Canceled,
                E::Accepted,
            ) => Ok(Self::Sent),
            (Self::Undelivered | Self::Expired, E::Accepted) => Ok(self),
            _ => Err(refused),
        }
    }

    /// A report is proof that the network took the part, whatever we thought before.
    fn reported(self, class: StatusClass) -> Self {
        match class {
            StatusClass::Delivered => Self::Delivered,
            StatusClass::Failed | StatusClass::TemporaryGaveUp | StatusClass::Reserved => {
                Self::Undelivered
            }
            StatusClass::Expired => Self::Expired,
            StatusClass::Forwarded | StatusClass::Trying => match self {
                Self::Undelivered | Self::Expired => self,
                _ => Self::Sent,
            },
        }
    }

    /// Whether nothing more will be done about it.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::Undelivered | Self::Failed | Self::Expired | Self::Canceled
        )
    }

    /// Whether the network is known to have taken it.
    pub fn was_accepted(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Undelivered)
    }

    /// Whether it never reaches the phone.
    pub fn is_lost(self) -> bool {
        matches!(
            self,
            Self::Undelivered | Self::Failed | Self::Expired | Self::Canceled
        )
    }
}

/// The state of a message, from the states of all its parts.
///
/// Once the network took any part it never falls back to `queued`. One lost part of a text of which
/// others went out makes it `undelivered`: at once where that part never goes, but while reports of
/// other parts are due, a bad report alone decides nothing yet. No parts at all is `queued`.
pub fn fold(parts: &[PartState]) -> MessageState {
    use PartState as P;
    let any = |state: P| parts.contains(&state);
    let all = |state: P| !parts.is_empty() && parts.iter().all(|part| *part == state);
    if any(P::Sending) {
        return MessageState::Sending;
    }
    if any(P::Waiting) {
        let untouched = parts
            .iter()
            .all(|part| matches!(part, P::Waiting | P::Canceled | P::Failed));
        return if untouched {
            MessageState::Queued
        } else {
            MessageState::Sending
        };
    }
    if any(P::Uncertain) {
        return MessageState::Uncertain;
    }
    if all(P::Delivered) {
        return MessageState::Delivered;
    }
    if all(P::Expired) {
        return MessageState::Expired;
    }
    let doomed = any(P::Failed) || any(P::Canceled);
    if any(P::Sent) && !doomed || !parts.iter().any(|part| part.is_lost()) {
        return if parts.is_empty() {
            MessageState::Queued
        } else {
            MessageState::Sent
        };
    }
    if parts.iter().any(|part| part.was_accepted()) {
        MessageState::Undelivered
    } else if any(P::Failed) {
        MessageState::Failed
    } else if any(P::Expired) {
        MessageState::Expired
    } else {
        MessageState::Canceled
    }
}

/// Whether some parts arrived and others are lost: the API's `error.code` is then `partial`.
pub fn is_partial(parts: &[PartState]) -> bool {
    parts.contains(&PartState::Delivered) && parts.iter().any(|part| part.is_lost())
}

#[cfg(test)]
mod tests {
    use super::*;
    use PartState::{
        Canceled, Delivered, Expired, Failed, Sending, Sent, Uncertain, Undelivered, Waiting,
    };

    const EVENTS: &[(PartEvent, &str)] = &[
        (PartEvent::Claimed, "claimed"),
        (PartEvent::Accepted, "accepted"),
        (PartEvent::TryAgain, "try again"),
        (PartEvent::Refused, "refused"),
        (PartEvent::Unanswered, "unanswered"),
        (
            PartEvent::Reported(StatusClass::Delivered),
            "report delivered",
        ),
        (
            PartEvent::Reported(StatusClass::Forwarded),
            "report forwarded",
        ),
        (PartEvent::Reported(StatusClass::Trying), "report trying"),
        (PartEvent::Reported(StatusClass::Failed), "report failed"),
        (PartEvent::Reported(StatusClass::Expired), "report expired"),
        (
            PartEvent::Reported(StatusClass::TemporaryGaveUp),
            "report gave up",
        ),
        (
            PartEvent::Reported(StatusClass::Reserved),
            "report reserved",
        ),
        (PartEvent::Resend, "resend"),
        (PartEvent::Cancel, "cancel"),
        (PartEvent::Expire, "expire"),
    ];

    /// Rows: events as above. Columns: states as in [`PartState::ALL`]. `-` is refused.
    const GOLDEN: &str = "
claimed           sending      -            -            -            -            -            -            - -
accepted          sent         sent         sent         delivered    undelivered  sent         expired      sent         sent
try again         -            waiting      -            -            -            -            -            - waiting
refused           -            failed       -            -            -            -            -            - failed
unanswered        -            uncertain    -            -            -            -            -            - -
report delivered  delivered    delivered    delivered    delivered    delivered    delivered    delivered    delivered    delivered
report forwarded  sent         sent         sent         delivered    undelivered  sent         expired      sent         sent
report trying     sent         sent         sent         delivered    undelivered  sent         expired      sent         sent
report failed     undelivered  undelivered  undelivered  delivered    undelivered  undelivered  undelivered  undelivered  undelivered
report expired    expired      expired      expired      delivered    expired      expired      expired      expired      expired
report gave up    undelivered  undelivered  undelivered  delivered    undelivered  undelivered  undelivered  undelivered  undelivered
report reserved   undelivered  undelivered  undelivered  delivered    undelivered  undelivered  undelivered  undelivered  undelivered
resend            -            -            -            -            -            -            -            - waiting
cancel            canceled     -            -            -            -            -            -            - -
expire            expired      -            -            -            -            -            -            - -
";

    #[test]
    fn every_state_meets_every_event_as_the_golden_table_says() {
        let mut seen = 0;
        for (line, (event, name)) in GOLDEN.trim().lines().zip(EVENTS) {
            let cells: Vec<&str> = line
                .strip_prefix(name)
                .unwrap_or_else(|| panic!("{line}"))
                .split_whitespace()
                .collect();
            assert_eq!(cells.len(), PartState::ALL.len(), "{name}");
            for (state, cell) in PartState::ALL.iter().zip(cells) {
                let next = state.next(*event).map_or("-", PartState::as_str);
                assert_eq!(next, cell, "{state} + {name}");
                seen += 1;
            }
        }
        assert_eq!(seen, EVENTS.len() * PartState::ALL.len());
    }

    #[test]
    fn a_message_is_the_fold_of_its_parts() {
        let cases: &[(&[PartState], MessageState)] = &[
            (&[], MessageState::Queued),
            (&[Waiting], MessageState::Queued),
            (&[Waiting, Waiting], MessageState::Queued),
            (&[Sending, Waiting], MessageState::Sending),
            (&[Sent, Waiting], MessageState::Sending),
            (&[Delivered, Waiting], MessageState::Sending),
            (&[Uncertain, Waiting], MessageState::Sending),
            (&[Uncertain, Sending], MessageState::Sending),
            (&[Uncertain, Sent], MessageState::Uncertain),
            (&[Uncertain, Failed], MessageState::Uncertain),
            (&[Sent, Sent], MessageState::Sent),
            (&[Sent, Delivered], MessageState::Sent),
            (&[Sent, Expired], MessageState::Sent),
            (&[Sent, Undelivered], MessageState::Sent),
            (&[Delivered, Delivered], MessageState::Delivered),
            (&[Delivered, Undelivered], MessageState::Undelivered),
            (&[Sent, Failed, Canceled], MessageState::Undelivered),
            (&[Failed, Canceled], MessageState::Failed),
            (&[Expired], MessageState::Expired),
            (&[Expired, Delivered], MessageState::Undelivered),
            (&[Canceled, Canceled], MessageState::Canceled),
            (&[Expired, Canceled], MessageState::Expired),
        ];
        for (parts, state) in cases {
            assert_eq!(fold(parts), *state, "{parts:?}");
        }
    }

    #[test]
    fn partial_means_some_arrived_and_some_are_lost() {
        assert!(is_partial(&[Delivered, Undelivered]));
        assert!(is_partial(&[Delivered, Failed]));
        assert!(!is_partial(&[Undelivered, Undelivered]));
        assert!(!is_partial(&[Delivered, Sent]));
    }

    #[test]
    fn words_survive_their_text_form() {
        for state in PartState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        for state in MessageState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        let error = "sended".parse::<MessageState>().unwrap_err().to_string();
        assert!(error.contains("one of scheduled queued"), "{error}");
    }
}
