//! The dialogue over a wire: runs the engine of [`at::dialog`](super::at::dialog) with real bytes and time.

use std::collections::VecDeque;
use std::future::Future;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep_until, timeout};

use super::at::codes::News;
use super::at::dialog::{Dialog, Exchange, Step};
use super::at::messaging::{SendMessage, reference};
use super::at::{self, ATTENTION, Command};
use super::port::Wire;
use crate::sms::causes::Cause;
use crate::sms::ids::Mr;

/// A wire that takes no bytes for this long is taken as gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// A line without bytes for this long is silent: answers to `AT` and ESC come within some milliseconds.
const SILENCE: Duration = Duration::from_millis(120);
/// The longest that silence is waited for.
const NOISY: Duration = Duration::from_secs(2);

/// So much may be said that nobody has heard yet, as in the minutes of a send that gets no answer. A modem
/// that says more has lost its mind.
const MOST_NEWS: usize = 4096;

/// What modules say first when they have started, also after a drop of their supply: all that they were
/// told before is forgotten.
const STARTED: &[&str] = &[
    "RDY",
    "^SYSSTART",
    "MODEM:STARTUP",
    "*ATREADY:",
    "+AT: READY",
];

/// The time with this modem is over.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The wire is gone: unplugged, or closed by the other side.
    #[error("the modem is gone from its port")]
    Gone(#[source] Option<std::io::Error>),
    /// The modem answers nothing any more, which is as good as gone.
    #[error("the modem answers nothing any more")]
    Silent,
    /// It forgot what it was told, and what it was doing.
    #[error("the modem has started anew")]
    Restarted,
    /// The card was pulled, locked, or another one is in its place: nothing may go out in its name.
    #[error("the SIM is not there any more")]
    Card,
}

/// Why a command gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The wire is gone.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The modem is there, the command failed.
    #[error(transparent)]
    At(#[from] at::Error),
}

/// What became of a text that was handed to the modem.
#[derive(Debug)]
pub enum Submission {
    /// The network took it; the reference is missing where the modem told none.
    Accepted(Option<Mr>),
    /// It was refused after Ctrl-Z, with this code.
    Refused(Cause),
    /// Ctrl-Z was never sent: it certainly is not out.
    NotSubmitted(Reason),
    /// Nothing came after Ctrl-Z: it may or may not be out.
    Unanswered(Reason),
}

/// Why a text did not go, or what kept its answer away.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The journal did not allow it.
    #[error("the attempt could not be written down, so nothing was sent")]
    NotArmed,
    /// The modem wanted no PDU.
    #[error(transparent)]
    At(#[from] at::Error),
    /// The modem said `OK` and nothing else.
    #[error("the modem told no result")]
    NoResult,
    /// The wire broke.
    #[error(transparent)]
    Lost(#[from] Lost),
}

impl Reason {
    /// The modem's code, where it gave one.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::At(at::Error::Refused { cause, .. }) => Some(*cause),
            _ => None,
        }
    }

    /// Whether we and the modem may be out of step: it owed an answer and gave none, or another one.
    pub fn is_out_of_step(&self) -> bool {
        matches!(
            self,
            Self::At(at::Error::TimedOut { .. } | at::Error::Flooded { .. }) | Self::NoResult
        )
    }

    /// The loss of the wire, if that is the reason.
    pub fn into_lost(self) -> Option<Lost> {
        match self {
            Self::Lost(lost) => Some(lost),
            _ => None,
        }
    }
}

/// A port with somebody on the other end.
pub struct Link {
    wire: Box<dyn Wire>,
    dialog: Dialog,
    news: VecDeque<News>,
    /// When the modem said something last.
    spoke: tokio::time::Instant,
}

/// What the engine came to.
enum Driven {
    Prompted,
    Finished(Result<Vec<String>, at::Error>),
}

impl Link {
    /// A link over an open wire.
    pub fn new(wire: Box<dyn Wire>) -> Self {
        Self {
            wire,
            dialog: Dialog::default(),
            news: VecDeque::new(),
            spoke: tokio::time::Instant::now(),
        }
    }

    /// Runs a command to its end.
    pub async fn run<C: Command>(&mut self, command: &C) -> Result<C::Reply, LinkError> {
        let lines = self.exchange(Exchange::of(command)).await?;
        tracing::debug!(at.command = %command.shown(), lines = lines.len(), "answered");
        Ok(command.reply(&lines).map_err(at::Error::from)?)
    }

    async fn exchange(&mut self, exchange: Exchange) -> Result<Vec<String>, LinkError> {
        self.dialog.start(exchange, now())?;
        loop {
            match self.drive().await? {
                Driven::Finished(result) => return Ok(result?),
                // Only a text waits for its attempt to be armed; any other payload goes at once.
                Driven::Prompted => self.dialog.go(now()),
            }
        }
    }

    /// Leaves a prompt of a previous user and waits until somebody answers `AT`, trying `times` times.
    ///
    /// Whether a modem answers the ESC at all differs, so its answer and ours cannot be told apart by
    /// counting: the line has to fall silent on both sides of the `AT`.
    pub async fn wake(&mut self, times: u32, patience: Duration) -> Result<(), LinkError> {
        self.dialog.clear();
        let mut outcome = Ok(());
        for _ in 0..times {
            self.settle().await?;
            outcome = self
                .exchange(Exchange::of(&ATTENTION).within(patience))
                .await
                .map(drop);
            match &outcome {
                Ok(()) => {
                    self.settle().await?;
                    return outcome;
                }
                Err(LinkError::At(_)) => {}
                Err(LinkError::Lost(_)) => return outcome,
            }
        }
        outcome
    }

    /// How long the modem has said nothing.
    pub fn quiet(&self) -> Duration {
        self.spoke.elapsed()
    }

    /// Writes what is due and reads until the line has been silent for a moment; a modem that never
    /// stops talking is not waited for.
    pub async fn settle(&mut self) -> Result<(), Lost> {
        let end = tokio::time::Instant::now() + NOISY;
        while tokio::time::Instant::now() < end {
            while let Some(step) = self.dialog.poll() {
                match step {
                    Step::Write(bytes) => self.write(&bytes).await?,
                    Step::News(news) => self.keep(news),
                    Step::Prompted | Step::Finished(_) => {}
                }
            }
            match timeout(SILENCE, self.read()).await {
                Ok(read) => read?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Hands a text over. `arming` runs while the modem prepares its prompt; Ctrl-Z goes only if it
    /// comes to `true`.
    pub async fn submit(
        &mut self,
        send: &SendMessage,
        arming: impl Future<Output = bool>,
    ) -> Submission {
        if let Err(busy) = self.dialog.start(Exchange::of(send), now()) {
            return Submission::NotSubmitted(busy.into());
        }
        let (driven, armed) = tokio::join!(self.drive(), arming);
        match driven {
            Err(lost) => Submission::NotSubmitted(lost.into()),
            Ok(Driven::Finished(Ok(_))) => Submission::NotSubmitted(Reason::NoResult),
            Ok(Driven::Finished(Err(error))) => Submission::NotSubmitted(error.into()),
            Ok(Driven::Prompted) if armed => {
                self.dialog.go(now());
                self.result().await
            }
            Ok(Driven::Prompted) => {
                self.dialog.escape(now());
                // Whatever ends the prompt, nothing was sent.
                let _ = self.drive().await;
                Submission::NotSubmitted(Reason::NotArmed)
            }
        }
    }

    async fn result(&mut self) -> Submission {
        match self.drive().await {
            Err(lost) => Submission::Unanswered(lost.into()),
            Ok(Driven::Finished(Ok(lines))) if lines.is_empty() => {
                Submission::Unanswered(Reason::NoResult)
            }
            Ok(Driven::Finished(Ok(lines))) => Submission::Accepted(reference(&lines)),
            Ok(Driven::Finished(Err(at::Error::Refused { cause, .. }))) => {
                // A reference before the refusal: the network has the text.
                self.late_reference().unwrap_or(Submission::Refused(cause))
            }
            Ok(Driven::Finished(Err(error))) => Submission::Unanswered(error.into()),
            Ok(Driven::Prompted) => Submission::Unanswered(Reason::NoResult),
        }
    }

    /// What the reference says that stands right behind a result: it is taken out of the news.
    fn late_reference(&mut self) -> Option<Submission> {
        let Some(Step::News(next)) = self.dialog.poll() else {
            return None;
        };
        if let News::LateReference(mr) = next {
            return Some(Submission::Accepted(mr));
        }
        self.news.push_back(next);
        None
    }

    /// The next thing the modem says on its own. May be dropped at any await without losing anything.
    ///
    /// Errors: the wire broke, or the modem says that it has started anew.
    pub async fn news(&mut self) -> Result<News, Lost> {
        loop {
            if let Some(news) = self.heard()? {
                return Ok(news);
            }
            self.read_or_tick().await?;
        }
    }

    /// What the modem said on its own while commands ran, and behind the end of the last one.
    pub fn heard(&mut self) -> Result<Option<News>, Lost> {
        while let Some(step) = self.dialog.poll() {
            match step {
                Step::News(news) if is_start(&news) => return Err(Lost::Restarted),
                Step::News(news) => self.keep(news),
                Step::Write(_) | Step::Prompted | Step::Finished(_) => {}
            }
        }
        Ok(self.news.pop_front())
    }

    /// Keeps something that somebody will want to hear. Nobody wants noise.
    pub fn keep(&mut self, news: News) {
        match news {
            News::Noise(line) => tracing::trace!(octets = line.len(), "noise"),
            news if self.news.len() < MOST_NEWS => self.news.push_back(news),
            _ => tracing::warn!("a modem says more than can be heard; it is passed over"),
        }
    }

    async fn drive(&mut self) -> Result<Driven, Lost> {
        loop {
            while let Some(step) = self.dialog.poll() {
                match step {
                    Step::Write(bytes) => self.write(&bytes).await?,
                    Step::News(news) if is_start(&news) => return Err(Lost::Restarted),
                    Step::News(news) => self.keep(news),
                    Step::Prompted => return Ok(Driven::Prompted),
                    Step::Finished(result) => return Ok(Driven::Finished(result)),
                }
            }
            self.read_or_tick().await?;
        }
    }

    /// Reads, or lets the engine end what has had its time.
    async fn read_or_tick(&mut self) -> Result<(), Lost> {
        let wake = self.dialog.wake_at().map(tokio::time::Instant::from_std);
        let sleep = async {
            match wake {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = self.read() => read?,
            () = sleep => self.dialog.tick(now()),
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Lost> {
        let mut octets = [0; 1024];
        match self.wire.read(&mut octets).await {
            // A tty whose other end is gone reads as at its end.
            Ok(0) => Err(Lost::Gone(None)),
            Ok(count) => {
                let octets = octets.get(..count).unwrap_or_default();
                tracing::trace!(octets = count, "read");
                self.spoke = tokio::time::Instant::now();
                self.dialog.receive_at(octets, now());
                Ok(())
            }
            Err(error) => Err(Lost::Gone(Some(error))),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        tracing::trace!(octets = bytes.len(), "write");
        match timeout(WRITE_PATIENCE, self.wire.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Lost::Gone(Some(error))),
            Err(_) => Err(Lost::Gone(None)),
        }
    }
}

fn is_start(news: &News) -> bool {
    matches!(news, News::Noise(line) if STARTED.iter().any(|start| line.starts_with(start)))
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
