//! What comes in, from the modem onto the disk: read, told, and only once it is kept acknowledged or
//! deleted.
//!
//! It is done in small chores, one after the other, so that a part of a text can go between two of
//! them. What an end of the session leaves undone still lies in the modem, and is found at the next
//! bring-up.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Service;
use crate::modem::at::identity::SubscriberIdentity;
use crate::modem::at::messaging::ReportRouting;
use crate::modem::at::storage::{DeleteMessage, ListMessages, ReadMessage, SelectStorage, Stored};
use crate::modem::at::{self, codes};
use crate::modem::commands::Given;
use crate::modem::link::{LinkError, Lost};
use crate::modem::setup::routing;
use crate::modem::storage::Memory;
use crate::modem::{Event, Host};
use crate::sms::causes::Cause;
use crate::sms::pdu;
use crate::sms::tpdu::Tpdu;

/// The disk has this long to keep something. What takes longer stays where it is.
const KEEPING: Duration = Duration::from_secs(30);

/// A list of more than this takes a slow card too long: a part that waits would notice. Such a storage is
/// read place by place.
const LONGEST_LIST: u16 = 10;

/// So much may be announced and not yet done; beyond that, whoever announces is looked through.
const MOST: usize = 1024;

/// A place in a storage; the selected one where the modem names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    memory: Option<Memory>,
    index: u16,
}

/// A PDU as the modem showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// In hex.
    pub(super) hex: String,
    /// Octets of the TPDU, as its header says: it tells whether the service centre was left out.
    pub(super) length: Option<usize>,
}

impl Shown {
    fn stored(stored: Stored) -> Self {
        Self {
            length: stored.length.map(usize::from),
            hex: stored.pdu,
        }
    }
}

/// Something small to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chore {
    /// Look whether reports still go where they should.
    CheckRouting,
    /// Look whether the same card is still there.
    CheckCard,
    /// Look through a storage.
    Sweep(Option<Memory>),
    /// Read the places from one to another, until so many messages were found.
    Walk {
        memory: Option<Memory>,
        from: u16,
        to: u16,
        left: u16,
    },
    /// Read a place.
    Fetch(Place),
    /// Keep what was read in a place.
    Keep(Place, Shown),
    /// What was in this place is kept.
    Delete(Place),
}

/// What is to be done, in order.
#[derive(Debug, Default)]
pub(super) struct Chores(VecDeque<Chore>);

impl Chores {
    /// Look through all of `memories`; the selected one where the modem names none.
    pub(super) fn sweep(memories: Vec<Memory>) -> Self {
        let mut named: VecDeque<_> = memories.into_iter().map(Some).map(Chore::Sweep).collect();
        if named.is_empty() {
            named.push_back(Chore::Sweep(None));
        }
        Self(named)
    }

    /// Nothing is to be done.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Something may lie somewhere that was not announced, and the routing may be lost.
    pub(super) fn look_through(&mut self, memories: Vec<Memory>) {
        self.check_routing();
        for chore in Self::sweep(memories).0 {
            self.add(chore);
        }
    }

    /// A modem whose acknowledgements came too late, or that has started anew, tells nothing any more.
    pub(super) fn check_routing(&mut self) {
        self.add(Chore::CheckRouting);
    }

    /// Something was announced: `place` without an index means "look yourself".
    pub(super) fn fetch(&mut self, place: &codes::Place, inbox: Option<&Memory>) {
        let memory = Memory::new(&place.storage).or_else(|| inbox.cloned());
        self.add(match place.index {
            Some(index) if self.0.len() < MOST => Chore::Fetch(Place { memory, index }),
            Some(_) => Chore::Sweep(inbox.cloned()),
            None => Chore::Sweep(memory),
        });
    }

    /// Most modems do not tell when their card is pulled or changed.
    pub(super) fn check_card(&mut self) {
        self.add(Chore::CheckCard);
    }

    /// Adds what is not to be done already. A place that were emptied twice could lose what came into
    /// it between.
    fn add(&mut self, chore: Chore) {
        if !self.0.contains(&chore) {
            self.0.push_back(chore);
        }
    }

    fn next(&mut self) -> Option<Chore> {
        self.0.pop_front()
    }
}

impl<H: Host> Service<'_, H> {
    /// Does the next chore, if there is one.
    pub(super) async fn chore(&mut self) -> Result<(), Lost> {
        let Some(chore) = self.chores.next() else {
            return Ok(());
        };
        let done = match chore {
            Chore::CheckRouting => self.check_routing().await.map_err(LinkError::from),
            Chore::CheckCard => self.check_card().await,
            Chore::Sweep(memory) => self.sweep(memory).await,
            Chore::Walk {
                memory,
                from,
                to,
                left,
            } => self.walk(memory, from, to, left).await,
            Chore::Fetch(place) => self.fetch(place).await.map(drop),
            Chore::Keep(place, shown) => {
                if self.keep(shown).await {
                    self.chores.add(Chore::Delete(place));
                }
                Ok(())
            }
            Chore::Delete(place) => self.delete(place).await,
        };
        match done {
            Ok(()) => Ok(()),
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(error)) => {
                tracing::warn!(port = self.name, %error, "something that came in stays in the modem for now");
                match error {
                    at::Error::TimedOut { .. } => self.recover().await,
                    _ => Ok(()),
                }
            }
        }
    }

    /// Takes what the modem handed over instead of storing it.
    pub(super) async fn take(&mut self, shown: Shown) -> Result<(), Lost> {
        if !self.ready.acknowledges {
            // The modem has told the network already: nobody waits.
            drop(self.tell(shown).await);
            return Ok(());
        }
        if !self.keep(shown).await {
            // The network will try again.
            return Ok(());
        }
        let acknowledge = Given(self.ready.profile.acknowledge.clone());
        match self.link.run(&acknowledge).await {
            Ok(()) => Ok(()),
            Err(LinkError::Lost(lost)) => Err(lost),
            Err(LinkError::At(error)) => {
                tracing::debug!(port = self.name, %error, "an acknowledgement came too late");
                if matches!(error, at::Error::TimedOut { .. }) {
                    self.recover().await?;
                    if self.waits {
                        return Ok(());
                    }
                }
                // The modem hands over nothing any more until it is told to again (TS 27.005, 3.4.1).
                self.route().await
            }
        }
    }

    async fn check_routing(&mut self) -> Result<(), Lost> {
        match routing::read(&mut self.link).await? {
            Some(reports) if Some(reports) != self.ready.found.reports => {
                tracing::warn!(port = self.name, "the modem has forgotten where reports go");
                self.route().await
            }
            // It refused all ways once; perhaps because its card was busy.
            Some(ReportRouting::None) => self.route().await,
            _ => Ok(()),
        }
    }

    /// Asks for the subscriber: the same one as before, or the card is not what it was.
    pub(super) async fn check_card(&mut self) -> Result<(), LinkError> {
        match (self.link.run(&SubscriberIdentity).await, &self.subscriber) {
            (Ok(same), Some(imsi)) if same == *imsi => Ok(()),
            (Ok(first), None) => {
                // Bring-up has asked for the card's own number, and that was enough.
                self.subscriber = Some(first);
                Ok(())
            }
            (Ok(_), Some(_)) => Err(Lost::Card.into()),
            (Err(LinkError::At(at::Error::Refused { cause, .. })), known)
                if names_card(cause) || known.is_some() && !is_busy(cause) =>
            {
                Err(Lost::Card.into())
            }
            (Err(LinkError::At(at::Error::Refused { .. } | at::Error::NotUnderstood(_))), _) => {
                Ok(())
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn route(&mut self) -> Result<(), Lost> {
        let reports = routing::route(&mut self.link, &self.ready.profile).await?;
        if reports == ReportRouting::None {
            tracing::warn!(port = self.name, "no status reports come from this modem");
        }
        self.ready.found.reports = Some(reports);
        self.actor
            .roster
            .update(self.name, |status| status.found.reports = Some(reports));
        Ok(())
    }

    /// Selects a storage; how many messages are in it, of how many, where the modem tells.
    async fn select(&mut self, memory: Option<&Memory>) -> Result<Option<(u16, u16)>, LinkError> {
        let Some(memory) = memory else {
            return Ok(None);
        };
        let fillings = match self.link.run(&SelectStorage(memory.argument())).await {
            Ok(fillings) => fillings,
            // It was taken, whatever stands before the OK.
            Err(LinkError::At(at::Error::NotUnderstood(_))) => Vec::new(),
            Err(error) => return Err(error),
        };
        self.ready.storages.selected = Some(memory.clone());
        // A place is an index of 16 bits at most; what a larger storage holds beyond comes by lists.
        let places = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
        let filling = fillings.first();
        Ok(filling.map(|storage| (places(storage.used), places(storage.total))))
    }

    async fn sweep(&mut self, memory: Option<Memory>) -> Result<(), LinkError> {
        let filling = match self.select(memory.as_ref()).await {
            Ok(filling) => filling,
            Err(LinkError::At(error @ at::Error::Refused { .. })) => {
                tracing::debug!(port = self.name, %error, "a storage is not looked through");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if let Some((used, total)) = filling.filter(|(used, _)| *used > LONGEST_LIST) {
            self.chores.add(Chore::Walk {
                memory,
                from: 0,
                to: total,
                left: used,
            });
            return Ok(());
        }
        match self.link.run(&ListMessages).await {
            Ok(listed) => {
                for stored in listed {
                    if let (Some(index), true) = (stored.index, is_for_us(&stored)) {
                        let memory = memory.clone();
                        self.chores
                            .add(Chore::Keep(Place { memory, index }, Shown::stored(stored)));
                    }
                }
                Ok(())
            }
            // Some firmwares cannot list what they can read.
            Err(LinkError::At(error)) if !matches!(error, at::Error::TimedOut { .. }) => {
                if let Some((used, total)) = filling.filter(|(used, _)| *used > 0) {
                    self.chores.add(Chore::Walk {
                        memory,
                        from: 0,
                        to: total,
                        left: used,
                    });
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Reads one place and leaves the rest of them for later. Places count from 0 or from 1.
    async fn walk(
        &mut self,
        memory: Option<Memory>,
        from: u16,
        to: u16,
        left: u16,
    ) -> Result<(), LinkError> {
        let place = Place {
            memory: memory.clone(),
            index: from,
        };
        let found = self.fetch(place).await;
        let left = left.saturating_sub(u16::from(matches!(found, Ok(true))));
        let silent = matches!(found, Err(LinkError::At(at::Error::TimedOut { .. })));
        if from < to && left > 0 && !silent {
            self.chores.add(Chore::Walk {
                memory,
                from: from + 1,
                to,
                left,
            });
        }
        found.map(drop)
    }

    /// Reads a place and has it kept. `false`: it is empty.
    async fn fetch(&mut self, place: Place) -> Result<bool, LinkError> {
        if place.memory != self.ready.storages.selected {
            match self.select(place.memory.as_ref()).await {
                Ok(_) => {}
                Err(LinkError::Lost(lost)) => return Err(lost.into()),
                // Some name another storage than the one they mean; whatever lies there instead is
                // kept as well.
                Err(LinkError::At(error)) => {
                    tracing::debug!(port = self.name, %error, "an announced storage cannot be selected");
                }
            }
        }
        let stored = match self.link.run(&ReadMessage(place.index)).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Ok(false),
            Err(LinkError::At(at::Error::Refused { cause, .. })) if is_empty(cause) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        if is_for_us(&stored) && self.keep(Shown::stored(stored)).await {
            let memory = self.ready.storages.selected.clone();
            self.chores.add(Chore::Delete(Place {
                memory,
                index: place.index,
            }));
        }
        Ok(true)
    }

    async fn delete(&mut self, place: Place) -> Result<(), LinkError> {
        if place.memory != self.ready.storages.selected {
            self.select(place.memory.as_ref()).await?;
        }
        self.link.run(&DeleteMessage(place.index)).await
    }

    /// Tells what came and waits until it is on disk. `false`: it is not.
    async fn keep(&mut self, shown: Shown) -> bool {
        let kept = self.tell(shown).await;
        let on_disk = matches!(timeout(KEEPING, kept).await, Ok(Ok(())));
        if !on_disk {
            tracing::warn!(
                port = self.name,
                "something that came in is not on disk yet; the modem keeps it"
            );
        }
        on_disk
    }

    /// Tells what came. What comes back is told when it is on disk.
    async fn tell(&mut self, shown: Shown) -> oneshot::Receiver<()> {
        let (kept, told) = oneshot::channel();
        let sim = self.sim;
        let (pdu, read) = pdu::read_shown(shown.hex, shown.length);
        let event = match read {
            Ok(Tpdu::StatusReport(report)) => Event::Report {
                sim,
                report: Box::new(report),
                pdu,
                kept,
            },
            Ok(Tpdu::Deliver(deliver)) => Event::Inbound {
                sim,
                deliver: Some(Box::new(deliver)),
                pdu,
                kept,
            },
            _ => Event::Inbound {
                sim,
                deliver: None,
                pdu,
                kept,
            },
        };
        self.actor.tell(event).await;
        told
    }
}

/// Whether something came in. Texts that somebody wrote on the card, sent or not, are not ours to take:
/// `<stat>` 2 and 3. A report is one whatever its `<stat>`.
fn is_for_us(stored: &Stored) -> bool {
    let written = matches!(stored.stat, Some(2 | 3));
    let length = stored.length.map(usize::from);
    !written
        || matches!(
            pdu::read_shown(stored.pdu.clone(), length).1,
            Ok(Tpdu::StatusReport(_))
        )
}

/// Whether a card that is there may have given this answer: it is busy (TS 27.007, 9.2.1; TS 27.005,
/// 3.2.5).
fn is_busy(cause: Cause) -> bool {
    matches!(cause, Cause::Cme(14) | Cause::Cms(314))
}

/// Whether an answer says that it is the card: missing, failing or locked (TS 27.007, 9.2.1; TS 27.005, 3.2.5).
fn names_card(cause: Cause) -> bool {
    matches!(cause, Cause::Cme(10..=18) | Cause::Cms(310..=318)) && !is_busy(cause)
}

/// Whether an error to `AT+CMGR` says that nothing is there: 321 by the standard, anything unnamed by
/// some firmwares.
fn is_empty(cause: Cause) -> bool {
    matches!(cause, Cause::Cms(321 | 500) | Cause::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(name: &str) -> Memory {
        Memory::new(name).unwrap()
    }

    fn announced(storage: &str, index: Option<u16>) -> codes::Place {
        codes::Place {
            storage: storage.into(),
            index,
        }
    }

    #[test]
    fn what_is_announced_becomes_a_chore_once() {
        let inbox = memory("SM");
        let mut chores = Chores::default();
        for (storage, index) in [
            ("ME", Some(3)),
            ("", Some(3)),
            ("me", Some(3)),
            ("SM", None),
            ("what \"is\" that", Some(4)),
            ("SM", None),
        ] {
            chores.fetch(&announced(storage, index), Some(&inbox));
        }
        let fetch = |name: &str, index| {
            let memory = Some(memory(name));
            Chore::Fetch(Place { memory, index })
        };
        let expected = [
            fetch("ME", 3),
            fetch("SM", 3),
            Chore::Sweep(Some(inbox)),
            fetch("SM", 4),
        ];
        assert_eq!(chores.0, expected);
    }

    #[test]
    fn a_flood_of_announcements_ends_in_one_look() {
        let inbox = memory("SM");
        let mut chores = Chores::default();
        for index in 0..=u16::MAX {
            chores.fetch(&announced("ME", Some(index)), Some(&inbox));
        }
        assert_eq!(chores.0.len(), MOST + 1);
        assert_eq!(chores.0.back(), Some(&Chore::Sweep(Some(inbox))));
    }

    #[test]
    fn a_place_is_emptied_once_however_often_it_was_read() {
        let mut chores = Chores::default();
        let place = Place {
            memory: None,
            index: 1,
        };
        chores.add(Chore::Delete(place.clone()));
        chores.add(Chore::Delete(place));
        assert_eq!(chores.0.len(), 1);
    }

    #[test]
    fn what_somebody_wrote_on_the_card_is_not_ours() {
        const DRAFT: &str = "0011000C914477000910320000A705C8329BFD06";
        const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";
        let stored = |stat, pdu: &str| Stored {
            index: Some(1),
            stat,
            length: None,
            pdu: pdu.into(),
        };
        assert!(!is_for_us(&stored(Some(2), DRAFT)));
        assert!(!is_for_us(&stored(Some(3), "not even a PDU")));
        // It cannot have come in as it is, but nothing else says so.
        assert!(is_for_us(&stored(Some(0), DRAFT)));
        assert!(is_for_us(&stored(None, "00")));
        assert!(is_for_us(&stored(Some(3), REPORT)));
    }

    #[test]
    fn errors_that_mean_nothing_is_there() {
        assert!(is_empty(Cause::Cms(321)) && is_empty(Cause::Plain));
        assert!(!is_empty(Cause::Cms(314)) && !is_empty(Cause::Cme(14)));
    }
}
