//! The one door: a wish becomes a message in the log, or is refused with every flaw named.

mod checks;

use std::time::Duration;

use crate::clock::{Clock, Millis};
use crate::routing::class::{MessageClass, Priority};
use crate::sms::ids::{KeyId, MessageId};
use crate::sms::number::PhoneNumber;
use crate::sms::parts::Split;
use crate::store::{Enqueued, Error, Message, NewMessage, Once, Store};
pub use checks::Country;
use checks::{client_ref, dates, number, text};

/// What the door asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// For numbers that are written without `+`.
    pub country: Country,
    /// Parts that a text may take unless its wish says less or more.
    pub max_segments: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            country: Country::UA,
            max_segments: 10,
        }
    }
}

/// Somebody's request that a text be sent.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The number as it was written.
    pub to: String,
    /// The text as it was written.
    pub text: String,
    /// What it is for.
    pub class: MessageClass,
    /// Whether a status report is asked for.
    pub report: bool,
    /// Parts that this text may take.
    pub max_segments: Option<u8>,
    /// Its order among texts of its class.
    pub priority: Priority,
    /// Not before this hour.
    pub send_at: Option<Millis>,
    /// How long it is worth sending.
    pub life: Life,
    /// The shop's own name for it: the key's one message of that name is found again, for ever.
    pub client_ref: Option<String>,
    /// The message that this one sends again.
    pub resend_of: Option<MessageId>,
    /// What tells a repeated request.
    pub once: Option<Once>,
    /// The key that asks; none for the command line on this machine.
    pub key: Option<KeyId>,
}

impl Wish {
    /// An ordinary text, as the command line of this machine would send it.
    pub fn new(to: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            to: to.into(),
            text: text.into(),
            class: MessageClass::default(),
            report: true,
            max_segments: None,
            priority: Priority::default(),
            send_at: None,
            life: Life::default(),
            client_ref: None,
            resend_of: None,
            once: None,
            key: None,
        }
    }
}

/// How long a text is worth sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Life {
    /// As long as one of its class usually is.
    #[default]
    OfClass,
    /// So long, from its hour on.
    For(Duration),
    /// Until a moment.
    Until(Millis),
}

/// One thing that is wrong with a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The field of the wish.
    pub field: &'static str,
    /// A stable word.
    pub code: &'static str,
    /// What is wrong, in words.
    pub detail: String,
}

/// Why a wish leaves no row.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is not valid.
    #[error("the message is not valid")]
    Invalid(Vec<Flaw>),
    /// Its word (`Idempotency-Key`) was given to another request.
    #[error("this idempotency key was used for another request")]
    Reused,
    /// It could not be kept.
    #[error("the message could not be kept")]
    Store(#[from] Error),
}

/// What a good wish came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// It is kept.
    New(Message),
    /// The same request was made before; this is what it was answered with.
    Repeated(Message),
    /// There is a message of that `client_ref`; this is how it stands.
    Known(Message),
}

impl Admitted {
    /// The message, whether it is new or not.
    pub fn into_message(self) -> Message {
        match self {
            Self::New(message) | Self::Repeated(message) | Self::Known(message) => message,
        }
    }
}

/// The door.
#[derive(Clone)]
pub struct Admission {
    store: Store,
    clock: Clock,
    settings: Settings,
}

impl Admission {
    /// A door to `store`.
    pub fn new(store: Store, clock: Clock, settings: Settings) -> Self {
        Self {
            store,
            clock,
            settings,
        }
    }

    /// The number that somebody means, if it is one.
    pub fn number(&self, written: &str) -> Option<PhoneNumber> {
        number(written, self.settings.country).ok()
    }

    /// Everything that is wrong with a wish; nothing is kept.
    pub fn flaws(&self, wish: &Wish) -> Vec<Flaw> {
        let checked = self.check(wish, self.clock.now());
        checked.err().unwrap_or_default()
    }

    /// Checks a wish and keeps it, once. When this returns, the message is on disk.
    pub async fn admit(&self, wish: Wish) -> Result<Admitted, Refusal> {
        let now = self.clock.now();
        let checked = self.check(&wish, now).map_err(Refusal::Invalid)?;
        let new = new_message(wish, checked);
        admitted(self.store.enqueue(new, now).await?)
    }

    /// Checks many wishes and keeps the good ones, each once; the answers are in the order of the wishes.
    /// `once` tells a repeated batch; the wishes' own do not count.
    ///
    /// Errors: the word was given to another request, or nothing could be kept.
    pub async fn admit_all(
        &self,
        wishes: Vec<Wish>,
        key: Option<KeyId>,
        once: Option<Once>,
    ) -> Result<Vec<Result<Admitted, Refusal>>, Refusal> {
        let now = self.clock.now();
        if let Some(once) = once.clone()
            && !self.store.begin_batch(key, once, now).await?
        {
            return Err(Refusal::Reused);
        }
        let mut answers = Vec::with_capacity(wishes.len());
        let mut good = Vec::new();
        for (place, wish) in wishes.into_iter().enumerate() {
            match self.check(&wish, now) {
                Ok(checked) => {
                    let once = once.as_ref().map(|once| once.of_item(place));
                    good.push(new_message(Wish { once, ..wish }, checked));
                    answers.push(None);
                }
                Err(flaws) => answers.push(Some(Err(Refusal::Invalid(flaws)))),
            }
        }
        let mut kept = self.store.enqueue_all(good, now).await.into_iter();
        let mut next = || match kept.next() {
            Some(Ok(enqueued)) => admitted(enqueued),
            Some(Err(error)) => Err(error.into()),
            None => Err(Error::Closed.into()),
        };
        Ok(answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(&mut next))
            .collect())
    }

    /// What a wish would come to; nothing is kept.
    pub fn preview(&self, wish: &Wish) -> Result<Preview, Vec<Flaw>> {
        let now = self.clock.now();
        let Checked {
            recipient,
            split,
            expires_at,
        } = self.check(wish, now)?;
        Ok(Preview {
            recipient,
            split,
            send_at: wish.send_at.map_or(now, |hour| hour.max(now)),
            expires_at,
        })
    }

    fn check(&self, wish: &Wish, now: Millis) -> Result<Checked, Vec<Flaw>> {
        let limit = wish.max_segments.unwrap_or(self.settings.max_segments);
        match (
            number(&wish.to, self.settings.country),
            text(&wish.text, limit),
            dates(wish, now),
            client_ref(wish.client_ref.as_deref()),
        ) {
            (Ok(recipient), Ok(split), Ok(expires_at), Ok(())) => Ok(Checked {
                recipient,
                split,
                expires_at,
            }),
            (number, text, dates, client_ref) => {
                let flaws = [number.err(), text.err(), dates.err(), client_ref.err()];
                Err(flaws.into_iter().flatten().collect())
            }
        }
    }
}

/// What a good wish comes to.
struct Checked {
    recipient: PhoneNumber,
    split: Split,
    expires_at: Millis,
}

/// What a good wish would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The number in its international form.
    pub recipient: PhoneNumber,
    /// How the text would travel.
    pub split: Split,
    /// The earliest moment at which it would be sent.
    pub send_at: Millis,
    /// From then on it would not be worth sending.
    pub expires_at: Millis,
}

fn new_message(wish: Wish, checked: Checked) -> NewMessage {
    NewMessage {
        id: MessageId::new(),
        key: wish.key,
        recipient: checked.recipient,
        text: wish.text,
        class: wish.class,
        alphabet: checked.split.alphabet.to_string(),
        parts: checked.split.parts(),
        report: wish.report,
        priority: wish.priority,
        send_at: wish.send_at,
        expires_at: checked.expires_at,
        client_ref: wish.client_ref,
        resend_of: wish.resend_of,
        once: wish.once,
    }
}

fn admitted(enqueued: Enqueued) -> Result<Admitted, Refusal> {
    match enqueued {
        Enqueued::New(message) => {
            tracing::info!(message.id = %message.id, parts = message.parts.len(), "message accepted");
            Ok(Admitted::New(message))
        }
        Enqueued::Repeated(message) => Ok(Admitted::Repeated(message)),
        Enqueued::Known(message) => Ok(Admitted::Known(message)),
        Enqueued::Reused => Err(Refusal::Reused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Filter;

    #[tokio::test]
    async fn all_flaws_are_named_and_nothing_is_kept() {
        let store = Store::in_task().unwrap();
        let admission = Admission::new(
            store.clone(),
            Clock::following_runtime(Millis(0)),
            Settings::default(),
        );
        let wish = Wish {
            life: Life::For(Duration::ZERO),
            ..Wish::new("x", "")
        };
        let Err(Refusal::Invalid(flaws)) = admission.admit(wish.clone()).await else {
            panic!("flaws expected")
        };
        assert_eq!(
            flaws.iter().map(|flaw| flaw.field).collect::<Vec<_>>(),
            ["to", "text", "ttl"]
        );
        let all = Filter {
            limit: 10,
            ..Filter::default()
        };
        assert!(
            store
                .messages(all.clone())
                .await
                .unwrap()
                .messages
                .is_empty()
        );
        let good = Wish {
            to: "0671234567".into(),
            text: "Hi".into(),
            life: Life::OfClass,
            ..wish
        };
        let accepted = admission.admit(good).await.unwrap().into_message();
        let kept = store.messages(all).await.unwrap().messages.remove(0);
        assert_eq!(kept, accepted);
        assert_eq!(
            (kept.recipient.as_str(), kept.text.as_str()),
            ("+380671234567", "Hi")
        );
    }
}
