//! Answers that a modem owes: of texts that may be out, and whose time has passed.
//!
//! A modem that waits for the network answers nothing else. To close its port would throw the answer away,
//! and the text would go twice: so the port stays open for a while, and somebody listens.

use std::time::Duration;

use tokio::time::Instant;

use super::Service;
use crate::modem::link::{LinkError, Lost};
use crate::modem::status::State;
use crate::modem::{Event, Host, at};
use crate::sms::causes::Cause;
use crate::sms::ids::{Mr, Token};

/// Between two questions whether the modem is back: the first pause and the longest, doubling between.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15));

/// So long after its limit an answer to a text may come: networks take minutes.
const LATEST: Duration = Duration::from_secs(600);

/// The texts whose answers may still come, each with the moment at which it was given up.
#[derive(Debug, Default)]
pub(super) struct Owed {
    texts: Vec<(Token, Instant)>,
    /// The port is kept for their answers up to here.
    until: Option<Instant>,
}

/// Which text an answer that comes late is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// This one.
    One(Token),
    /// None of this time of service; perhaps one of an earlier run.
    Earlier,
    /// One of several: nobody can say which, and to take the wrong one would send a text twice, or never.
    Several,
}

impl Owed {
    /// A text was given up; the port is kept for its answer until then.
    pub(super) fn add(&mut self, token: Token, until: Instant) {
        self.texts.push((token, Instant::now()));
        self.until = Some(until);
    }

    /// An answer has come. What is one of several leaves all of them owed.
    fn answered(&mut self) -> Meant {
        self.until = None;
        self.texts.retain(|(_, since)| since.elapsed() < LATEST);
        match self.texts.as_slice() {
            [] => Meant::Earlier,
            &[(token, _)] => {
                self.texts.clear();
                Meant::One(token)
            }
            _ => Meant::Several,
        }
    }

    /// Until when the port is kept at least.
    fn until(&self) -> Option<Instant> {
        self.until.filter(|until| Instant::now() < *until)
    }
}

impl<H: Host> Service<'_, H> {
    /// After a silence nobody knows what the modem is doing: it may sit in its prompt, wait for the
    /// network, or be dead.
    pub(super) async fn recover(&mut self) -> Result<(), Lost> {
        self.run.forget();
        if self.waits {
            // Somebody is at it.
            return Ok(());
        }
        let attention = self.actor.settings.setup.attention;
        match self.link.wake(5, attention).await {
            Ok(()) => self.is_back().await,
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(_)) if self.owed.until().is_some() => self.wait_for_answer().await,
            Err(LinkError::At(error)) => Err(self.is_silent(&error)),
        }
    }

    /// It may have started anew, and some say nothing then; or somebody has changed its card.
    async fn is_back(&mut self) -> Result<(), Lost> {
        self.chores.check_routing();
        match self.check_card().await {
            Ok(()) => Ok(()),
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(error)) => {
                tracing::debug!(port = self.name, %error, "the card tells nothing for now");
                self.chores.check_card();
                Ok(())
            }
        }
    }

    /// Closing and opening the port is the next thing to try.
    fn is_silent(&self, error: &at::Error) -> Lost {
        tracing::warn!(port = self.name, %error, "the modem does not come back after a silence");
        Lost::Silent
    }

    /// Listens to a modem that answers nothing while it owes the answer of a text. It takes no work
    /// meanwhile; what it had goes back, and other SIMs may take it.
    async fn wait_for_answer(&mut self) -> Result<(), Lost> {
        tracing::warn!(
            port = self.name,
            "the modem owes an answer and says nothing; it is listened to"
        );
        self.actor.host.detach(self.name, self.sim).await;
        self.actor
            .roster
            .update(self.name, |status| status.state = State::Waiting);
        self.waits = true;
        let answers = self.until_it_answers().await;
        self.waits = false;
        answers?;
        self.is_back().await?;
        let found = &self.ready.found;
        if self.actor.host.attach(self.name, found).await != Some(self.sim) {
            return Err(Lost::Card);
        }
        self.actor
            .roster
            .update(self.name, |status| status.state = State::Ready);
        // What came in meanwhile may lie there, told to nobody.
        self.chores.look_through(self.ready.storages.to_drain());
        Ok(())
    }

    async fn until_it_answers(&mut self) -> Result<(), Lost> {
        let (mut pause, longest) = PAUSES;
        while let Some(until) = self.owed.until() {
            let next = (Instant::now() + pause).min(until);
            while Instant::now() < next {
                tokio::select! {
                    () = self.actor.stop.cancelled() => return Ok(()),
                    job = self.jobs.recv() => match job {
                        Some(job) => self.actor.give_back(job, "the modem owes an answer").await,
                        None => return Ok(()),
                    },
                    // Boxed: what comes in may end in a recovery of its own.
                    news = self.link.news() => Box::pin(self.hear(news?)).await?,
                    () = tokio::time::sleep_until(next) => {}
                }
            }
            if self.answers_now().await? {
                return Ok(());
            }
            pause = (pause * 2).min(longest);
        }
        // Its answer has come, or is given up: it must be of use again.
        match self.link.wake(5, self.actor.settings.setup.attention).await {
            Ok(()) => Ok(()),
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(error)) => Err(self.is_silent(&error)),
        }
    }

    async fn answers_now(&mut self) -> Result<bool, Lost> {
        match self.link.wake(1, self.actor.settings.setup.attention).await {
            Ok(()) => Ok(true),
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(_)) => Ok(false),
        }
    }

    /// The network took a text whose answer was given up.
    pub(super) async fn late_reference(&mut self, mr: Option<Mr>) {
        let token = match self.owed.answered() {
            Meant::One(token) => Some(token),
            Meant::Earlier => None,
            Meant::Several => return self.cannot_tell(),
        };
        let sim = self.sim;
        self.actor.tell(Event::Late { sim, token, mr }).await;
    }

    /// A text whose answer was given up was refused.
    pub(super) async fn late_refusal(&mut self, cause: Cause) {
        let token = match self.owed.answered() {
            Meant::One(token) => token,
            Meant::Earlier => return,
            Meant::Several => return self.cannot_tell(),
        };
        let family = self.ready.found.family();
        let cause = family.map_or(cause, |family| cause.said_by(family));
        self.actor.tell(Event::LateRefusal { token, cause }).await;
    }

    fn cannot_tell(&self) {
        tracing::warn!(
            port = self.name,
            "an answer came late, and it may be that of several texts: their reports decide"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_for_the_one_that_is_owed_or_for_nobody() {
        let mut owed = Owed::default();
        let later = || Instant::now() + Duration::from_secs(120);
        assert_eq!(owed.answered(), Meant::Earlier);
        owed.add(Token(1), later());
        assert!(owed.until().is_some());
        assert_eq!(owed.answered(), Meant::One(Token(1)));
        assert_eq!((owed.until(), owed.answered()), (None, Meant::Earlier));
        owed.add(Token(2), later());
        owed.add(Token(3), later());
        for _ in 0..2 {
            assert_eq!(owed.answered(), Meant::Several);
        }
        owed.add(Token(4), later());
        assert_eq!(
            owed.answered(),
            Meant::Several,
            "two older ones are owed still"
        );
        tokio::time::advance(LATEST).await;
        owed.add(Token(5), later());
        assert_eq!(owed.answered(), Meant::One(Token(5)));
    }
}
