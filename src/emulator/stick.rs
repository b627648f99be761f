//! One emulated stick: a modem, its port and its SIM's line to the network, driven by one task.
//!
//! The task sleeps until bytes, news or a timer come; an idle stick costs nothing.

use std::io;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Error;
use super::control::{Order, Shown};
use super::faults::{Act, Noise};
use super::modem::{Effect, Modem, Struck};
use super::network::{Delivery, Subscription};
use super::outbox::Outbox;
use super::wire::{Socket, Turn, Wire};
use crate::clock::Clock;

/// Bytes from the client that may wait while a command runs; more stay in the kernel's buffer.
const BACKLOG: usize = 4096;
/// From the start of a modem that was gone until the service centre hears that its SIM is there.
const ALERT: Duration = Duration::from_secs(5);
/// Between two tries to come back under a name that is taken.
const NAME_TAKEN: Duration = Duration::from_secs(1);

/// What the network and the control socket tell a stick.
#[derive(Debug)]
pub(super) enum News {
    /// A message for its SIM; the answer is whether the service centre took it.
    Delivery(Delivery, oneshot::Sender<bool>),
    /// An order; the answer is how things stand afterwards, or nothing when it found no room.
    Order(Order, oneshot::Sender<Option<Shown>>),
}

/// What a stick is made of.
pub(super) struct Parts {
    /// Counted from 0.
    pub(super) index: u16,
    pub(super) modem: Modem,
    pub(super) subscription: Subscription,
    pub(super) socket: Socket,
    pub(super) mailbox: mpsc::Receiver<News>,
    pub(super) clock: Clock,
    /// The only speed at which it understands and is understood; `None`: the modem's own.
    pub(super) baud: Option<u32>,
    pub(super) noise: Noise,
}

/// One stick.
pub(super) struct Stick {
    parts: Parts,
    name: String,
    wire: Wire,
    outbox: Outbox,
    /// What ends by itself, and when.
    ends: Vec<(Instant, Act)>,
    /// When it is plugged in again, and under which name.
    back: Option<(Instant, String)>,
    /// Until then the service centre does not know that the SIM is there again.
    unknown_until: Option<Instant>,
}

impl Stick {
    /// Plugs it in as `modem<index>`. Errors: no terminal, or the name is taken.
    pub(super) fn plug_in(parts: Parts) -> Result<Self, Error> {
        let name = format!("modem{}", parts.index);
        Ok(Self {
            wire: parts.socket.plug(parts.index, &name)?,
            parts,
            name,
            outbox: Outbox::default(),
            ends: Vec::new(),
            back: None,
            unknown_until: None,
        })
    }

    /// Serves the port until `stop`. Errors: the pseudo-terminal broke.
    pub(super) async fn run(mut self, stop: CancellationToken) -> io::Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let now = now();
            self.advance(now);
            let wake = self.wake_at(now);
            let hears = self.parts.modem.backlog() < BACKLOG && !self.outbox.is_full();
            let room = if hears { buffer.len() } else { 0 };
            let room = buffer.get_mut(..room).unwrap_or_default();
            let apart = self.wire.runs_apart(self.baud());
            let garbled = match self.outbox.ready(now) {
                ready if apart => self.parts.noise.bytes(ready.len()),
                _ => Vec::new(),
            };
            let out = if apart {
                &garbled
            } else {
                self.outbox.ready(now)
            };
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                turn = self.wire.turn(out, room) => match turn? {
                    Turn::Said(count) => self.outbox.went(count),
                    Turn::Heard(count) => self.hear(buffer.get(..count).unwrap_or_default()),
                },
                Some(news) = self.parts.mailbox.recv() => self.learn(news),
                () = sleep_until(wake), if wake.is_some() => {}
            }
        }
    }

    /// Takes bytes from the client. At the wrong speed it understands none, and what it echoes is
    /// as strange to the client.
    fn hear(&mut self, bytes: &[u8]) {
        let now = now();
        if self.wire.runs_apart(self.baud()) {
            self.outbox.say(self.parts.noise.bytes(bytes.len()), now);
        } else {
            self.parts.modem.receive(bytes, now);
        }
    }

    /// Does all that is due and collects what the client is to get.
    fn advance(&mut self, now: Instant) {
        self.come_back(now);
        while let Some(place) = self.ends.iter().position(|(due, _)| *due <= now) {
            let (_, act) = self.ends.swap_remove(place);
            self.befall(act, now);
        }
        self.unknown_until.take_if(|until| *until <= now);
        self.fetch(now);
        loop {
            while let Some(effect) = self.parts.modem.poll() {
                self.carry_out(effect, now);
            }
            if self.parts.modem.wake_at().is_none_or(|wake| wake > now) {
                return;
            }
            self.parts.modem.tick(now);
        }
    }

    fn carry_out(&mut self, effect: Effect, now: Instant) {
        match effect {
            Effect::Write(_) | Effect::Pause(_) if self.wire.is_out() => {}
            Effect::Write(bytes) => {
                let lost = self.outbox.say(bytes, now);
                if lost > 0 {
                    tracing::debug!(lost, "nobody reads the port");
                }
            }
            Effect::Pause(wait) => self.outbox.pause(wait, now),
            Effect::Struck(struck) => self.follow_up(&struck, now),
            Effect::Untaken(arrival) => {
                let date = self.date();
                self.parts.subscription.untaken(arrival, now, date);
            }
            Effect::Submit(part) => {
                let verdict = self.parts.subscription.submit(&part, now, self.date());
                self.parts.modem.settle(verdict, now);
            }
        }
    }

    /// Hands over what waits in the service centre, if the SIM can be reached.
    fn fetch(&mut self, now: Instant) {
        if !self.is_reachable(now) {
            return;
        }
        let date = self.date();
        let Parts {
            modem,
            subscription,
            ..
        } = &mut self.parts;
        while modem.takes(now)
            && let Some(delivery) = subscription.kept()
        {
            let route = modem.arrive(delivery.arrival.clone(), now);
            subscription.delivered(&delivery, route, date);
        }
        while modem.takes(now)
            && let Some(arrival) = subscription.again(now, |kind| modem.drops(kind))
        {
            let route = modem.arrive(arrival.clone(), now);
            subscription.offered(&arrival, route, date);
        }
        while modem.takes(now)
            && let Some(report) = subscription.due(now, date)
        {
            let route = modem.arrive(report.arrival.clone(), now);
            subscription.reported(&report, route, date);
        }
    }

    fn is_reachable(&self, now: Instant) -> bool {
        let modem = &self.parts.modem;
        let known = self.unknown_until.is_none();
        known && !self.wire.is_out() && modem.registered() && modem.takes(now)
    }

    fn wake_at(&self, now: Instant) -> Option<Instant> {
        let reports = self.parts.subscription.wake_at();
        let times = [
            self.parts.modem.wake_at(),
            self.outbox.wake_at(now),
            reports.filter(|_| self.is_reachable(now)),
            Some(self.parts.modem.ready_at()).filter(|ready| *ready > now),
            self.ends.iter().map(|(due, _)| *due).min(),
            self.back.as_ref().map(|(due, _)| *due),
            self.unknown_until,
        ];
        times.into_iter().flatten().min()
    }

    fn learn(&mut self, news: News) {
        match news {
            News::Delivery(delivery, answer) => {
                let date = self.date();
                let kept = self.parts.subscription.keep(delivery, date);
                // Who sent it may have gone.
                let _ = answer.send(kept);
            }
            News::Order(order, answer) => {
                let done = self.obey(order, now());
                // Who gave the order may have gone.
                let _ = answer.send(done.then(|| self.shown()));
            }
        }
    }

    /// Tells whether there was room for it.
    fn obey(&mut self, order: Order, now: Instant) -> bool {
        let Parts {
            modem,
            subscription,
            ..
        } = &mut self.parts;
        match order {
            Order::Act(act) => self.befall(act, now),
            Order::Rule(rule) => return modem.faults().add(rule),
            Order::Plug(name) if self.wire.is_out() => {
                let name = name.unwrap_or_else(|| self.name.clone());
                self.back = Some((now, name));
            }
            Order::Show | Order::Plug(_) => {}
            Order::Clear => modem.faults().clear(),
            Order::Reports { delay, order, zone } => subscription.report(delay, order, zone),
            Order::Quota(quota) => subscription.limit(quota),
            Order::Spam(quota) => subscription.filter(quota),
            Order::Registration(domain, stat) => {
                modem.set_registration(domain, stat);
                modem.receive(&[], now);
            }
            Order::Signal(rssi) => {
                modem.set_signal(rssi);
                modem.receive(&[], now);
            }
        }
        true
    }

    fn shown(&self) -> Shown {
        let (accepted, waiting) = self.parts.subscription.counts();
        Shown {
            modem: self.parts.index,
            name: (!self.wire.is_out()).then(|| self.name.clone()),
            registered: self.parts.modem.registered(),
            sim: self.parts.modem.sim(),
            accepted,
            waiting,
        }
    }

    /// Lets something befall the stick that no step of the dialogue brought about.
    fn befall(&mut self, act: Act, now: Instant) {
        if let Some(trouble) = act.trouble() {
            self.parts.modem.suffer(trouble, now);
        }
        let struck = Struck {
            step: None,
            command: String::new(),
            act,
        };
        self.follow_up(&struck, now);
    }

    /// Does what a fault asks beyond the modem.
    fn follow_up(&mut self, struck: &Struck, now: Instant) {
        let date = self.date();
        self.parts.subscription.struck(struck, date);
        if let Some((after, act)) = struck.act.end() {
            self.ends.push((now + after, act));
        }
        if let Act::Unplug(gone, name) = &struck.act {
            self.wire = Wire::Out;
            self.outbox.clear();
            self.parts.subscription.plugged(None, date);
            let name = name.clone().unwrap_or_else(|| self.name.clone());
            self.back = gone.map(|gone| (now + gone, name));
        }
    }

    /// Plugs it in again when it is time. It starts anew.
    fn come_back(&mut self, now: Instant) {
        let Some((_, name)) = self.back.take_if(|(due, _)| *due <= now) else {
            return;
        };
        match self.parts.socket.plug(self.parts.index, &name) {
            Ok(wire) => {
                self.wire = wire;
                self.unknown_until = Some(now + ALERT);
                self.parts.modem.suffer(super::modem::Trouble::Reset, now);
                self.parts.subscription.plugged(Some(&name), self.date());
                self.name = name;
            }
            Err(error) => {
                tracing::warn!(%error, "a stick cannot come back yet");
                self.back = Some((now + NAME_TAKEN, name));
            }
        }
    }

    /// The only speed at which it understands and is understood; `None`: any.
    fn baud(&self) -> Option<u32> {
        self.parts.baud.or(self.parts.modem.speed())
    }

    fn date(&self) -> Timestamp {
        date(&self.parts.clock)
    }
}

/// The wall time as time stamps and the ledger have it.
pub(super) fn date(clock: &Clock) -> Timestamp {
    // Only a clock outside of the years 0 to 9999 gets the epoch.
    Timestamp::from_millisecond(clock.now().0).unwrap_or_default()
}

pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn sleep_until(wake: Option<Instant>) {
    if let Some(wake) = wake {
        tokio::time::sleep_until(wake.into()).await;
    }
}
