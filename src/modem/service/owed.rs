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

/// The texts whose answers may still come.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// The newest of them.
    newest: Option<Token>,
    /// Whether there is an older one as well.
    others: bool,
    /// The port is kept for their answers up to here.
    until: Option<Instant>,
}

impl Owed {
    /// A text was given up; its answer is waited for until then.
    pub(super) fn add(&mut self, token: Token, until: Instant) {
        self.others = self.newest.is_some();
        self.newest = Some(token);
        self.until = Some(until);
    }

    /// A reference has come: it is the newest one's, as far as anybody can tell.
    fn reference(&mut self) -> Option<Token> {
        self.until = None;
        self.newest.take()
    }

    /// A refusal has come. Of two texts nobody can say which one it refuses, and to take the wrong one for
    /// refused would send it twice.
    fn refusal(&mut self) -> Option<Token> {
        self.until = None;
        let token = self.newest.take();
        token.filter(|_| !std::mem::take(&mut self.others))
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
        let attention = self.actor.settings.setup.attention;
        match self.link.wake(5, attention).await {
            Ok(()) => {
                // It may have started anew: some say nothing then.
                self.chores.check_routing();
                Ok(())
            }
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(_)) if self.owed.until().is_some() => self.wait_for_answer().await,
            Err(LinkError::At(error)) => Err(self.is_silent(&error)),
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
        self.until_it_answers().await?;
        let found = &self.ready.found;
        if self.actor.host.attach(self.name, found).await != Some(self.sim) {
            return Err(Lost::Card);
        }
        self.actor
            .roster
            .update(self.name, |status| status.state = State::Ready);
        self.chores.check_routing();
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
        let token = self.owed.reference();
        let sim = self.sim;
        self.actor.tell(Event::Late { sim, token, mr }).await;
    }

    /// A text whose answer was given up was refused.
    pub(super) async fn late_refusal(&mut self, cause: Cause) {
        let family = self.ready.found.family();
        let cause = family.map_or(cause, |family| cause.said_by(family));
        if let Some(token) = self.owed.refusal() {
            self.actor.tell(Event::LateRefusal { token, cause }).await;
        }
    }
}
