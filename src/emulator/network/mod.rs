//! The network behind the modems: what becomes of a part, its status report, messages from outside.
//!
//! The recipient decides, by one table in `outcome.rs`:
//!
//! | recipient | the modem gets | afterwards |
//! |---|---|---|
//! | +15005550001 invalid | `+CMS ERROR: 1`, unassigned number | |
//! | +15005550002 no route | `+CMS ERROR: 195`, invalid address | |
//! | +15005550003 country barred | `+CMS ERROR: 196`, destination barred | |
//! | +15005550009 no mobile | `+CMS ERROR: 30`, unknown subscriber | |
//! | +15005550013 | acceptance | report 41, incompatible destination: for ever |
//! | +15005550014 | `+CMS ERROR: 30`, unknown subscriber | |
//! | +15005550015 | nothing: the acknowledgement is lost | the part *was* taken; no report |
//! | +15005550016 | acceptance | report 46, validity period expired |
//! | +15005550017 | `+CMS ERROR: 42`, congestion, every time | |
//! | +15005550018 off at first | acceptance | report 22, still trying; at the next try 00 |
//! | +15005550019 stays off | acceptance | report 22; at the end of its validity 46 |
//! | +15005550020 | acceptance | report 01, forwarded, not confirmed |
//! | +15005550021 spam | acceptance | nothing, ever |
//! | +15005551*nnn* | `+CMS ERROR: nnn` | |
//! | +15005552*nnn* | acceptance | the report whose TP-ST is *nnn*, decimal |
//! | anything else | acceptance | report 00, received |
//!
//! Reports come only where the part asked for one (TP-SRR). What the recipient wants (+15005550004,
//! opted out) is no affair of a network. A part that is no readable SMS-SUBMIT is refused with
//! `+CMS ERROR: 96`, one over the SIM's quota with 21. Reports and messages wait in the service
//! centre while their SIM is not in the network.

mod inbound;
mod outcome;
mod quota;
mod reports;
mod subscription;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::Error;
use super::control::{Order, Shown};
use super::faults::{Act, Word};
use super::identity::SERVICE_CENTRE;
use super::modem::{Arrival, Kind};
use super::stick::News;
use crate::clock::Clock;
use crate::sms::fields::{self, Address};
use crate::sms::pdu;
use crate::sms::report::Status;
pub use inbound::Inbound;
pub use quota::Quota;
pub use reports::ReportOrder;
pub(super) use subscription::Subscription;

/// A status report on its way.
#[derive(Debug)]
pub(super) struct Report {
    mr: u8,
    recipient: String,
    status: Status,
    pub(super) arrival: Arrival,
}

/// A message from outside on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    sender: String,
    pub(super) arrival: Arrival,
}

/// The service centre's clock: local time with its zone.
fn clock(date: Timestamp, zone: i8) -> fields::Timestamp {
    fields::Timestamp::from_instant(date, zone)
        // Only a year that the wire cannot carry gets here: a broken time, as centres send them.
        .unwrap_or_else(|| fields::Timestamp::from_octets([0; 7]))
}

/// A TPDU as it comes to a modem, with the service centre's address in front.
fn arrival(kind: Kind, tpdu: &[u8]) -> Arrival {
    let centre: Option<Address> = SERVICE_CENTRE.parse().ok();
    let (hex, length) = pdu::with_smsc(centre.as_ref(), tpdu);
    Arrival { kind, hex, length }
}

/// The network, for those who play its part from outside. Clones speak of the same one.
#[derive(Debug, Clone)]
pub struct Network {
    modems: Arc<[mpsc::Sender<News>]>,
    zone: i8,
    clock: Clock,
    reference: Arc<AtomicU8>,
}

impl Network {
    pub(super) fn new(modems: Vec<mpsc::Sender<News>>, zone: i8, clock: Clock) -> Self {
        Self {
            modems: modems.into(),
            zone,
            clock,
            reference: Arc::new(AtomicU8::new(0)),
        }
    }

    /// How many modems there are.
    pub(super) fn modems(&self) -> u16 {
        u16::try_from(self.modems.len()).unwrap_or(u16::MAX)
    }

    /// Delivers `text` to the SIM in `modem` (counted from 0), in as many parts as it needs.
    ///
    /// `from` is a number, international with `+`, or a name of at most 11 characters.
    /// Where it goes is the modem's affair (`AT+CNMI`); a full SIM gets it when there is room.
    /// Errors: no such modem, a sender or a text that no SMS-DELIVER can carry, no room in the
    /// service centre for a SIM that takes nothing.
    pub async fn deliver(&self, modem: u16, from: &str, text: &str) -> Result<(), Error> {
        self.bring(modem, &Inbound::new(from, text)).await
    }

    /// Delivers `inbound` to the SIM in `modem`, as it says. Errors as of [`Network::deliver`], and
    /// an order or a zone that cannot be.
    pub async fn bring(&self, modem: u16, inbound: &Inbound) -> Result<(), Error> {
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let date = super::stick::date(&self.clock);
        let (sender, arrivals) = inbound.arrivals(reference, self.zone, date)?;
        let all = arrivals.len();
        let mut refused = 0;
        for arrival in arrivals {
            let delivery = Delivery {
                sender: sender.clone(),
                arrival,
            };
            let (answer, answered) = oneshot::channel();
            self.tell(modem, News::Delivery(delivery, answer)).await?;
            let kept = answered.await.map_err(|_| Error::NoModem(modem))?;
            refused += usize::from(!kept);
        }
        if refused > 0 {
            return Err(Error::NoRoom {
                modem,
                refused,
                all,
            });
        }
        Ok(())
    }

    /// Lets `modem` (counted from 0) into the network or throws it out; it tells its client as
    /// `AT+CREG` says, and takes no parts while it is out.
    pub async fn admit(&self, modem: u16, admitted: bool) -> Result<(), Error> {
        let word = if admitted {
            Word::NetworkBack
        } else {
            Word::NetworkLost
        };
        let order = Order::Act(Act::Befall(word, None));
        self.order(modem, order).await.map(drop)
    }

    /// Has `order` carried out by `modem`; gives how things stand with it then.
    pub(super) async fn order(&self, modem: u16, order: Order) -> Result<Shown, Error> {
        let (answer, answered) = oneshot::channel();
        self.tell(modem, News::Order(order, answer)).await?;
        let answered = answered.await.map_err(|_| Error::NoModem(modem))?;
        answered.ok_or(Error::TooManyRules(modem))
    }

    async fn tell(&self, modem: u16, news: News) -> Result<(), Error> {
        let mailbox = self.modems.get(usize::from(modem));
        let mailbox = mailbox.ok_or(Error::NoModem(modem))?;
        let sent = mailbox.send(news).await;
        sent.map_err(|_| Error::NoModem(modem))
    }
}
