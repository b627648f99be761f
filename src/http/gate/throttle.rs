//! Wrong keys, counted by address: whoever tries many is made to wait.
//!
//! A right key is never made to wait: on one machine all programs share an address, and one that holds
//! an old key must not shut the others out. Keys are too long to be guessed; what this keeps small is
//! the work and the noise that guessing makes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Millis;

/// So many wrong keys are answered as such; one more each [`EVERY`].
const MOST: u32 = 20;
const EVERY: Duration = Duration::from_secs(6);
/// So many addresses are remembered; the one that erred longest ago makes room.
const ADDRESSES: usize = 1024;

/// The addresses from which wrong keys came.
#[derive(Debug, Clone, Default)]
pub struct Throttle(Arc<Mutex<HashMap<IpAddr, Errors>>>);

#[derive(Debug, Clone, Copy)]
struct Errors {
    /// How many stand against it, as of `last`.
    count: u32,
    last: Millis,
}

impl Errors {
    /// What is left of them at `now`: time forgives one by one.
    fn at(self, now: Millis) -> Self {
        let passed = now.since(self.last);
        let forgiven = passed.as_millis() / EVERY.as_millis();
        let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
        Self {
            count: self.count.saturating_sub(forgiven),
            last: self
                .last
                .plus(EVERY.saturating_mul(forgiven.min(self.count))),
        }
    }
}

impl Throttle {
    /// Notes a wrong key from `address`. Errors: it has sent too many; the time until the next one is
    /// looked at.
    pub fn wrong(&self, address: IpAddr, now: Millis) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            make_room(&mut all, now);
        }
        let errors = all.entry(address).or_insert(Errors {
            count: 0,
            last: now,
        });
        *errors = errors.at(now);
        if errors.count == 0 {
            errors.last = now;
        }
        if errors.count >= MOST {
            return Err(EVERY.saturating_sub(now.since(errors.last)));
        }
        errors.count += 1;
        Ok(())
    }
}

/// Forgets all that time has forgiven, or else the one that erred longest ago.
fn make_room(all: &mut HashMap<IpAddr, Errors>, now: Millis) {
    all.retain(|_, errors| errors.at(now).count > 0);
    if all.len() < ADDRESSES {
        return;
    }
    let oldest = all.iter().min_by_key(|(_, errors)| errors.last);
    if let Some(address) = oldest.map(|(address, _)| *address) {
        all.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(no: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0x0a00_0000 + no).into()
    }

    fn at(seconds: u64) -> Millis {
        Millis(1_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn twenty_wrong_keys_then_one_each_six_seconds() {
        let throttle = Throttle::default();
        for no in 0..MOST {
            assert_eq!(throttle.wrong(address(1), at(0)), Ok(()), "{no}");
        }
        let wait = |seconds| Err(Duration::from_secs(seconds));
        assert_eq!(throttle.wrong(address(1), at(0)), wait(6));
        assert_eq!(throttle.wrong(address(1), at(4)), wait(2));
        assert_eq!(throttle.wrong(address(2), at(4)), Ok(()), "another address");
        // Those that were not looked at do not count: no one is shut out for ever.
        assert_eq!(throttle.wrong(address(1), at(6)), Ok(()));
        assert_eq!(throttle.wrong(address(1), at(7)), wait(5));
        for no in 0..MOST {
            assert_eq!(throttle.wrong(address(1), at(1000)), Ok(()), "{no}");
        }
        assert_eq!(throttle.wrong(address(1), at(1000)), wait(6));
    }

    #[test]
    fn a_clock_that_goes_back_shuts_nobody_out() {
        let throttle = Throttle::default();
        for _ in 0..MOST {
            throttle.wrong(address(1), at(5000)).unwrap();
        }
        let wait = throttle.wrong(address(1), at(0)).unwrap_err();
        assert!(wait <= EVERY, "{wait:?}");
    }

    #[test]
    fn only_so_many_addresses_are_remembered() {
        let throttle = Throttle::default();
        let known = |throttle: &Throttle| throttle.0.lock().unwrap().len();
        for no in 0..2000 {
            throttle.wrong(address(no), at(1)).unwrap();
        }
        assert_eq!(known(&throttle), ADDRESSES);
        throttle.wrong(address(5000), at(100)).unwrap();
        assert_eq!(known(&throttle), 1, "time has forgiven the others");
    }
}
