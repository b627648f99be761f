//! One emulated stick: a modem, its port and its SIM's line to the network, driven by one task.
//!
//! The task sleeps until bytes, news or a timer come; an idle stick costs nothing.

use std::io;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::modem::{Effect, Modem};
use super::network::{Delivery, Subscription};
use super::pty::Pty;

/// Bytes from the client that may wait while a command runs; more stay in the kernel's buffer.
const BACKLOG: usize = 4096;
/// Bytes for a client that does not read; what the modem says beyond is lost, as on real sticks.
const UNREAD: usize = 4096;

/// What the network tells a stick.
#[derive(Debug)]
pub(super) enum News {
    /// A message for its SIM.
    Delivery(Delivery),
    /// It is let into the network, or thrown out.
    Admission(bool),
}

/// One stick.
pub(super) struct Stick {
    pub(super) modem: Modem,
    pub(super) subscription: Subscription,
    pub(super) pty: Pty,
    pub(super) mailbox: mpsc::Receiver<News>,
}

impl Stick {
    /// Serves the port until `stop`. Errors: the pseudo-terminal broke.
    pub(super) async fn run(mut self, stop: CancellationToken) -> io::Result<()> {
        let mut out = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            self.advance(&mut out);
            let wake = self.wake_at();
            let hears = self.modem.backlog() < BACKLOG && out.len() < UNREAD;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                written = self.pty.write(&out), if !out.is_empty() => {
                    out.drain(..written?);
                }
                read = self.pty.read(&mut buffer), if hears => {
                    let bytes = buffer.get(..read?).unwrap_or_default();
                    self.modem.receive(bytes, now());
                }
                Some(news) = self.mailbox.recv() => self.hear(news),
                () = sleep_until(wake), if wake.is_some() => {}
            }
        }
    }

    /// Does all that is due and collects what the client is to get.
    fn advance(&mut self, out: &mut Vec<u8>) {
        let (now, date) = (now(), Timestamp::now());
        while let Some(report) = self.subscription.due(now, date) {
            let route = self.modem.arrive(report.arrival.clone(), now);
            self.subscription.reported(&report, route, date);
        }
        loop {
            while let Some(effect) = self.modem.poll() {
                match effect {
                    Effect::Write(bytes) if out.len() < UNREAD => out.extend(bytes),
                    Effect::Write(bytes) => {
                        tracing::debug!(lost = bytes.len(), "nobody reads the port");
                    }
                    Effect::Submit(part) => {
                        let verdict = self.subscription.submit(&part, now, date);
                        self.modem.settle(verdict, now);
                    }
                }
            }
            if self.modem.wake_at().is_none_or(|wake| wake > now) {
                return;
            }
            self.modem.tick(now);
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let due = [self.modem.wake_at(), self.subscription.wake_at()];
        due.into_iter().flatten().min()
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Delivery(delivery) => {
                let route = self.modem.arrive(delivery.arrival.clone(), now());
                self.subscription
                    .delivered(&delivery, route, Timestamp::now());
            }
            News::Admission(admitted) => self.modem.admit(admitted),
        }
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn sleep_until(wake: Option<Instant>) {
    if let Some(wake) = wake {
        tokio::time::sleep_until(wake.into()).await;
    }
}
