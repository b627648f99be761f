//! The message storages of a modem: numbered slots on the SIM and in the modem's own memory.
//!
//! `MT` is no storage of its own: it shows the modem's memory and the SIM as one. Messages and
//! reports share the slots; what a client asks for "by status" goes over all of them.
//! Source: TS 27.005, 3.1 and 3.2.3.

use super::manners::Manners;

/// A short message or a report that came in, as a modem shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) struct Arrival {
    /// Which of the two routes of `+CNMI` it takes.
    pub(in crate::emulator) kind: Kind,
    /// The PDU with the service centre's address in front, upper-case hex.
    pub(in crate::emulator) hex: String,
    /// Octets of the TPDU, the service centre's address not counted.
    pub(in crate::emulator) length: usize,
}

/// What an [`Arrival`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Kind {
    /// SMS-DELIVER.
    Message,
    /// SMS-STATUS-REPORT.
    Report,
}

impl Kind {
    /// The word of the ledger.
    pub(in crate::emulator) fn word(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Report => "report",
        }
    }
}

/// `<stat>` of TS 27.005, 3.1; the order is that of the numbers of PDU mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Received, unread.
    Unread,
    /// Received, read.
    Read,
    /// Stored, to be sent.
    Unsent,
    /// Stored and sent.
    Sent,
}

impl Status {
    pub(super) const ALL: [Self; 4] = [Self::Unread, Self::Read, Self::Unsent, Self::Sent];

    /// The number of PDU mode.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Unread => 0,
            Self::Read => 1,
            Self::Unsent => 2,
            Self::Sent => 3,
        }
    }

    /// The words of text mode.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Unread => "REC UNREAD",
            Self::Read => "REC READ",
            Self::Unsent => "STO UNSENT",
            Self::Sent => "STO SENT",
        }
    }
}

/// A filled slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// The PDU with the service centre's address in front, hex.
    pub(super) hex: String,
    /// Octets of the TPDU.
    pub(super) length: usize,
    /// Where it is on its way.
    pub(super) status: Status,
}

/// `<mem1>` to `<mem3>` of `+CPMS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// Read and deleted here.
    Reading,
    /// Written and sent from here.
    Writing,
    /// Received into here.
    Receiving,
}

#[derive(Debug)]
struct Store {
    name: String,
    slots: Vec<Option<Stored>>,
}

/// All storages.
#[derive(Debug)]
pub(super) struct Storages {
    stores: Vec<Store>,
    /// Names that can be chosen, each with the stores that it shows.
    views: Vec<(String, Vec<usize>)>,
    chosen: [usize; 3],
    first_slot: usize,
    /// The SIM takes nothing more, whatever is deleted.
    jammed: bool,
}

impl Storages {
    /// Empty, the first one chosen for everything; a SIM has room for `capacity` messages.
    pub(super) fn new(manners: &Manners, capacity: u16) -> Self {
        let real = |name: &str| name != "MT";
        let stores: Vec<Store> = manners
            .storages
            .iter()
            .filter(|store| real(&store.name))
            .map(|store| Store {
                name: store.name.clone(),
                slots: vec![
                    None;
                    usize::from(if store.slots == 0 {
                        capacity
                    } else {
                        store.slots
                    })
                ],
            })
            .collect();
        let shown = |name: &str| {
            let both = |store: &Store| store.name == name || !real(name) && store.name != "SR";
            let fitting = stores.iter().enumerate().filter(|(_, store)| both(store));
            fitting.map(|(at, _)| at).collect()
        };
        let names = manners.storages.iter().map(|store| &store.name);
        Self {
            views: names.map(|name| (name.clone(), shown(name))).collect(),
            stores,
            chosen: [0; 3],
            first_slot: manners.first_slot,
            jammed: false,
        }
    }

    /// The names that can be chosen.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.views.iter().map(|(name, _)| name.as_str())
    }

    /// The name chosen for `memory`.
    pub(super) fn name(&self, memory: Memory) -> &str {
        self.views
            .get(self.at(memory))
            .map_or("", |(name, _)| name.as_str())
    }

    /// Is there a storage of this name?
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// Chooses a storage for `memory`; one that does not exist changes nothing.
    pub(super) fn choose(&mut self, memory: Memory, name: &str) {
        let at = self.names().position(|known| known == name);
        if let Some(at) = at {
            let [reading, writing, receiving] = &mut self.chosen;
            *match memory {
                Memory::Reading => reading,
                Memory::Writing => writing,
                Memory::Receiving => receiving,
            } = at;
        }
    }

    /// Forgets what was chosen.
    pub(super) fn restart(&mut self) {
        self.chosen = [0; 3];
    }

    /// Makes the SIM take nothing more, or take messages again.
    pub(super) fn pretend_full(&mut self, full: bool) {
        self.jammed = full;
    }

    /// How many slots of `memory` are filled, and how many there are.
    pub(super) fn count(&self, memory: Memory) -> (usize, usize) {
        self.shown(self.at(memory))
            .fold((0, 0), |(used, all), store| {
                let size = store.slots.len();
                let filled = store.slots.iter().flatten().count();
                let filled = if self.is_jammed(store) { size } else { filled };
                (used + filled, all + size)
            })
    }

    /// Puts something into the first empty slot of the storage `name`, or of `memory` when the name
    /// is empty; gives the storage's name and the slot's number, or the thing back when it is full.
    pub(super) fn put(
        &mut self,
        memory: Memory,
        name: &str,
        stored: Stored,
    ) -> Result<(String, usize), Stored> {
        let at = self.names().position(|known| known == name);
        let at = at.unwrap_or(self.at(memory));
        let Some((name, view)) = self.views.get(at).cloned() else {
            return Err(stored);
        };
        let mut before = self.first_slot;
        for store in view {
            let jammed = self.stores.get(store).is_some_and(|s| self.is_jammed(s));
            let Some(store) = self.stores.get_mut(store) else {
                continue;
            };
            let mut slots = store.slots.iter_mut().enumerate();
            let empty = slots.find(|(_, slot)| slot.is_none() && !jammed);
            if let Some((number, slot)) = empty {
                *slot = Some(stored);
                return Ok((name, before + number));
            }
            before += store.slots.len();
        }
        Err(stored)
    }

    /// The slot `number` of `memory`; `None` when there is no such slot.
    pub(super) fn slot(&mut self, memory: Memory, number: usize) -> Option<&mut Option<Stored>> {
        let mut at = number.checked_sub(self.first_slot)?;
        let (_, view) = self.views.get(self.at(memory))?;
        for store in view {
            let size = self.stores.get(*store)?.slots.len();
            if at < size {
                return self.stores.get_mut(*store)?.slots.get_mut(at);
            }
            at -= size;
        }
        None
    }

    /// Whether `memory`, or the storage `name`, can take one more.
    pub(super) fn has_room(&self, memory: Memory, name: &str) -> bool {
        let at = self.names().position(|known| known == name);
        self.shown(at.unwrap_or(self.at(memory)))
            .any(|store| !self.is_jammed(store) && store.slots.iter().any(Option::is_none))
    }

    /// The numbers of the filled slots of `memory`, in order.
    pub(super) fn filled(&self, memory: Memory) -> Vec<usize> {
        let slots = self
            .shown(self.at(memory))
            .flat_map(|store| store.slots.iter());
        let filled = (self.first_slot..).zip(slots);
        filled
            .filter_map(|(number, slot)| slot.as_ref().map(|_| number))
            .collect()
    }

    fn at(&self, memory: Memory) -> usize {
        let [reading, writing, receiving] = self.chosen;
        match memory {
            Memory::Reading => reading,
            Memory::Writing => writing,
            Memory::Receiving => receiving,
        }
    }

    fn shown(&self, view: usize) -> impl Iterator<Item = &Store> {
        let view = self.views.get(view).map(|(_, stores)| stores.as_slice());
        let stores = view.unwrap_or_default().iter();
        stores.filter_map(|store| self.stores.get(*store))
    }

    fn is_jammed(&self, store: &Store) -> bool {
        self.jammed && store.name == "SM"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storages(family: &str) -> Storages {
        Storages::new(&Manners::of(family, None).unwrap(), 2)
    }

    fn stored(hex: &str) -> Stored {
        Stored {
            hex: hex.into(),
            length: 1,
            status: Status::Unread,
        }
    }

    fn put(storages: &mut Storages, name: &str) -> Result<(String, usize), Stored> {
        storages.put(Memory::Receiving, name, stored("A"))
    }

    #[test]
    fn the_first_empty_slot_is_taken() {
        let mut storages = storages("generic");
        assert_eq!(put(&mut storages, ""), Ok(("SM".into(), 1)));
        assert_eq!(put(&mut storages, ""), Ok(("SM".into(), 2)));
        assert!(!storages.has_room(Memory::Receiving, ""));
        assert_eq!(put(&mut storages, ""), Err(stored("A")));
        *storages.slot(Memory::Reading, 1).unwrap() = None;
        assert_eq!(storages.count(Memory::Receiving), (1, 2));
        assert_eq!(storages.filled(Memory::Reading), [2]);
        assert_eq!(put(&mut storages, ""), Ok(("SM".into(), 1)));
        assert!(storages.slot(Memory::Reading, 0).is_none());
        assert!(storages.slot(Memory::Reading, 3).is_none());
    }

    #[test]
    fn each_memory_has_its_storage() {
        let mut storages = storages("generic");
        storages.choose(Memory::Receiving, "ME");
        storages.choose(Memory::Reading, "XX");
        assert_eq!(storages.name(Memory::Receiving), "ME");
        assert_eq!(storages.name(Memory::Reading), "SM");
        assert_eq!(put(&mut storages, ""), Ok(("ME".into(), 1)));
        assert_eq!(put(&mut storages, "SR"), Ok(("SR".into(), 1)));
        assert_eq!(storages.count(Memory::Reading), (0, 2));
        storages.restart();
        assert_eq!(storages.name(Memory::Receiving), "SM");
    }

    #[test]
    fn mt_shows_modem_and_sim_as_one() {
        let mut storages = storages("huawei");
        for memory in [Memory::Reading, Memory::Receiving] {
            storages.choose(memory, "MT");
        }
        let (_, all) = storages.count(Memory::Receiving);
        for number in 0..all {
            assert_eq!(put(&mut storages, ""), Ok(("MT".into(), number)));
        }
        assert!(put(&mut storages, "").is_err());
        assert_eq!(storages.filled(Memory::Reading).len(), all);
        storages.choose(Memory::Reading, "SM");
        assert_eq!(storages.filled(Memory::Reading), [0, 1]);
    }

    #[test]
    fn a_jammed_sim_leaves_the_modems_memory_usable() {
        let mut storages = storages("generic");
        storages.pretend_full(true);
        assert_eq!(storages.count(Memory::Receiving), (2, 2));
        assert!(put(&mut storages, "").is_err());
        assert_eq!(put(&mut storages, "ME"), Ok(("ME".into(), 1)));
    }
}
