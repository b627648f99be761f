//! Chance that can be repeated: the same seed, the same noise.

/// A source of random numbers (SplitMix64): quick, small, no secret.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Noise(u64);

impl Noise {
    /// The source of modem `index` in an emulator with this seed.
    pub(in crate::emulator) fn of(seed: u64, index: u16) -> Self {
        let mut mixed = Self(seed ^ (u64::from(index) << 40));
        mixed.next();
        mixed
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number under `end`; 0 when `end` is 0.
    pub(in crate::emulator) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// Yes, with this probability (0 to 1).
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        let [low, high, ..] = self.next().to_le_bytes();
        f64::from(u16::from_le_bytes([low, high])) < chance * 65_536.0
    }

    /// This many bytes as a line at the wrong speed gives them: the upper half of the octets, so
    /// that no command, Ctrl-Z or line end is among them by accident.
    pub(in crate::emulator) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let octet = |noise: &mut Self| noise.next().to_le_bytes().first().copied();
        (0..count)
            .map(|_| octet(self).unwrap_or_default() | 0x80)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_noise() {
        let draw = |seed, index| Noise::of(seed, index).bytes(32);
        assert_eq!(draw(7, 3), draw(7, 3));
        assert_ne!(draw(7, 3), draw(7, 4));
        assert_ne!(draw(7, 3), draw(8, 3));
        assert!(draw(7, 3).iter().all(|octet| *octet >= 0x80));
    }

    #[test]
    fn chance_keeps_its_share() {
        const CASES: &[(f64, std::ops::RangeInclusive<usize>)] =
            &[(0.0, 0..=0), (0.25, 2300..=2700), (1.0, 10_000..=10_000)];
        for (chance, share) in CASES {
            let mut noise = Noise::of(1, 0);
            let hits = (0..10_000).filter(|_| noise.happens(*chance)).count();
            assert!(share.contains(&hits), "{chance}: {hits}");
        }
    }

    #[test]
    fn numbers_stay_under_their_end() {
        let mut noise = Noise::of(1, 0);
        let drawn: Vec<usize> = (0..100).map(|_| noise.below(3)).collect();
        assert!((0..3).all(|number| drawn.contains(&number)));
        assert!(drawn.iter().all(|number| *number < 3));
        assert_eq!(noise.below(0), 0);
    }
}
