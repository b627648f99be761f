//! What a modem has said and its client has not got yet, each piece with its time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes for a client that does not read; what the modem says beyond is lost, as on real sticks.
const UNREAD: usize = 4096;

/// Bytes on their way to the client, in order.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    /// What is said now comes then.
    free: Option<Instant>,
    kept: usize,
}

impl Outbox {
    /// Takes what the modem says; gives how much of it is lost.
    pub(super) fn say(&mut self, bytes: Vec<u8>, now: Instant) -> usize {
        if self.is_full() {
            return bytes.len();
        }
        self.kept += bytes.len();
        let due = self.free.map_or(now, |free| free.max(now));
        match self.pieces.back_mut() {
            Some((last, piece)) if *last >= due => piece.extend(bytes),
            _ => self.pieces.push_back((due, bytes)),
        }
        0
    }

    /// What is said from now on comes that much later.
    pub(super) fn pause(&mut self, wait: Duration, now: Instant) {
        self.free = Some(self.free.map_or(now, |free| free.max(now)) + wait);
    }

    /// What is to go out at `now`; empty when nothing is.
    pub(super) fn ready(&self, now: Instant) -> &[u8] {
        match self.pieces.front() {
            Some((due, piece)) if *due <= now => piece,
            _ => &[],
        }
    }

    /// The first `count` bytes of [`Outbox::ready`] are out.
    pub(super) fn went(&mut self, count: usize) {
        self.kept = self.kept.saturating_sub(count);
        if let Some((_, piece)) = self.pieces.front_mut() {
            piece.drain(..count.min(piece.len()));
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
    }

    /// When the next piece is due that is not yet.
    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        let (due, _) = self.pieces.front()?;
        Some(*due).filter(|due| *due > now)
    }

    /// Is there no room for more?
    pub(super) fn is_full(&self) -> bool {
        self.kept >= UNREAD
    }

    /// All of it is lost.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_their_order_and_time() {
        let now = tokio::time::Instant::now().into_std();
        let later = now + Duration::from_secs(2);
        let mut outbox = Outbox::default();
        outbox.say(b"one ".to_vec(), now);
        outbox.say(b"two".to_vec(), now);
        outbox.pause(Duration::from_secs(2), now);
        outbox.say(b"three".to_vec(), now);
        assert_eq!(outbox.ready(now), b"one two");
        assert_eq!(outbox.wake_at(now), None);
        outbox.went(4);
        assert_eq!(outbox.ready(now), b"two");
        outbox.went(3);
        assert_eq!(
            (outbox.ready(now), outbox.wake_at(now)),
            (&b""[..], Some(later))
        );
        // What is said meanwhile does not overtake.
        outbox.say(b" four".to_vec(), now + Duration::from_secs(1));
        assert_eq!(outbox.ready(later), b"three four");
        outbox.clear();
        assert_eq!(outbox.ready(later), b"");
    }

    #[test]
    fn what_nobody_reads_is_bounded() {
        let now = tokio::time::Instant::now().into_std();
        let mut outbox = Outbox::default();
        let lost: usize = (0..100).map(|_| outbox.say(vec![b'x'; 1000], now)).sum();
        assert_eq!(lost, 95_000);
        assert!(outbox.is_full());
        outbox.went(1000);
        assert!(!outbox.is_full());
    }
}
