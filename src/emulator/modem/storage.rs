//! The message storage of a SIM: numbered slots, few of them.
//!
//! Slots count from 1. Messages and reports share them, as on a SIM; what a client asks for
//! "by status" goes over all of them (TS 27.005, 3.1).

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

/// A filled slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// What lies in it.
    pub(super) arrival: Arrival,
    /// Has a client read it?
    pub(super) read: bool,
}

impl Stored {
    /// `<stat>` of PDU mode: 0 received unread, 1 received read.
    pub(super) fn status(&self) -> u8 {
        u8::from(self.read)
    }
}

/// The slots.
#[derive(Debug)]
pub(super) struct Storage {
    slots: Vec<Option<Stored>>,
}

impl Storage {
    /// Empty, with room for `capacity` messages.
    pub(super) fn new(capacity: u16) -> Self {
        Self {
            slots: vec![None; usize::from(capacity)],
        }
    }

    /// How many slots there are.
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many of them are filled.
    pub(super) fn used(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Puts `arrival` into the first empty slot; gives its number, or the arrival back when full.
    pub(super) fn put(&mut self, arrival: Arrival) -> Result<usize, Arrival> {
        let empty = self.slots.iter().position(Option::is_none);
        match empty.and_then(|at| Some((at, self.slots.get_mut(at)?))) {
            Some((at, slot)) => {
                *slot = Some(Stored {
                    arrival,
                    read: false,
                });
                Ok(at + 1)
            }
            None => Err(arrival),
        }
    }

    /// The slot `number`; `None` when there is no such slot.
    pub(super) fn slot(&mut self, number: usize) -> Option<&mut Option<Stored>> {
        self.slots.get_mut(number.checked_sub(1)?)
    }

    /// All filled slots with their numbers, in order.
    pub(super) fn filled(&mut self) -> impl Iterator<Item = (usize, &mut Stored)> {
        (1..)
            .zip(&mut self.slots)
            .filter_map(|(number, slot)| Some((number, slot.as_mut()?)))
    }

    /// Empties every slot whose content `goes`.
    pub(super) fn delete_where(&mut self, goes: impl Fn(&Stored) -> bool) {
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(&goes) {
                *slot = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(hex: &str) -> Arrival {
        Arrival {
            kind: Kind::Message,
            hex: hex.into(),
            length: 1,
        }
    }

    #[test]
    fn the_first_empty_slot_is_taken() {
        let mut storage = Storage::new(3);
        for (number, hex) in [(1, "A"), (2, "B"), (3, "C")] {
            assert_eq!(storage.put(arrival(hex)), Ok(number));
        }
        assert_eq!(storage.put(arrival("D")), Err(arrival("D")));
        *storage.slot(2).unwrap() = None;
        assert_eq!((storage.used(), storage.capacity()), (2, 3));
        assert_eq!(storage.put(arrival("D")), Ok(2));
    }

    #[test]
    fn slots_count_from_one() {
        let mut storage = Storage::new(2);
        assert!(storage.slot(0).is_none());
        assert!(storage.slot(1).is_some());
        assert!(storage.slot(2).is_some());
        assert!(storage.slot(3).is_none());
    }

    #[test]
    fn read_ones_can_be_swept() {
        let mut storage = Storage::new(3);
        for hex in ["A", "B", "C"] {
            storage.put(arrival(hex)).unwrap();
        }
        for (number, stored) in storage.filled() {
            stored.read = number != 2;
        }
        storage.delete_where(|stored| stored.status() == 1);
        let left: Vec<usize> = storage.filled().map(|(number, _)| number).collect();
        assert_eq!(left, [2]);
    }
}
