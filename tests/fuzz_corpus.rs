//! The bodies of the fuzz targets (`fuzz/`) over a corpus of real and broken input, over mutations of
//! it, and over a million random octets. `SIMPOST_LONG=1` mutates twenty times as much.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test's helpers fail as its body does"
)]

use std::fs;
use std::path::Path;

#[path = "support/fuzz_bodies.rs"]
mod bodies;

use bodies::BODIES;

/// A row of numbers that is the same on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit.max(1)
    }

    fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// One to four changes: octets and bits flipped, put in, taken out, said twice, cut off.
    fn mutated(&mut self, octets: &[u8], other: &[u8]) -> Vec<u8> {
        const TELLING: &[u8] = &[
            0, 1, 0x7F, 0x80, 0x8C, 0xA0, 0xFF, b'\r', b'\n', b'"', b',', b'>',
        ];
        let mut octets = octets.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(octets.len());
            let end = (at + 1 + self.below(12)).min(octets.len());
            match self.below(8) {
                0 if !octets.is_empty() => octets[at] = self.octet(),
                1 if !octets.is_empty() => octets[at] ^= 1 << self.below(8),
                2 if !octets.is_empty() => octets[at] = TELLING[self.below(TELLING.len())],
                3 if at < end => drop(octets.drain(at..end)),
                4 if at < end => {
                    let again = octets[at..end].to_vec();
                    octets.splice(at..at, again);
                }
                5 => octets.truncate(at),
                6 => octets.insert(at, self.octet()),
                _ => {
                    let from = self.below(other.len());
                    octets.truncate(at);
                    octets.extend(&other[from..]);
                }
            }
        }
        octets
    }
}

/// The corpus of a body: name and octets of each file.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(name);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    assert!(files.len() >= 8, "{name} has {} files", files.len());
    files
}

/// Runs a body so that a broken promise tells the octets that broke it.
fn run(name: &str, body: bodies::Body, octets: &[u8]) {
    if let Err(panic) = std::panic::catch_unwind(|| body(octets)) {
        eprintln!("{name}: {}", simpost::sms::pdu::encode_hex(octets));
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn the_corpus_holds_and_so_do_its_mutations() {
    let rounds = if std::env::var_os("SIMPOST_LONG").is_some() {
        200_000
    } else {
        10_000
    };
    for (name, body) in BODIES {
        let files = corpus(name);
        for (_, octets) in &files {
            run(name, *body, octets);
        }
        let mut numbers = Numbers(0x5EED);
        for _ in 0..rounds {
            let (octets, other) = (numbers.below(files.len()), numbers.below(files.len()));
            let mutated = numbers.mutated(&files[octets].1, &files[other].1);
            run(name, *body, &mutated);
        }
    }
}

#[test]
fn a_million_random_octets() {
    for (name, body) in BODIES {
        let mut numbers = Numbers(0xACE);
        let noise: Vec<u8> = (0..1_000_000).map(|_| numbers.octet()).collect();
        let mut rest = noise.as_slice();
        while !rest.is_empty() {
            let (octets, tail) = rest.split_at((1 + numbers.below(300)).min(rest.len()));
            run(name, *body, octets);
            rest = tail;
        }
        run(name, *body, &noise);
    }
}

#[test]
fn every_fuzz_target_has_its_body() {
    let manifest = include_str!("../fuzz/Cargo.toml");
    for (name, _) in BODIES {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}");
        let target = format!("fuzz/fuzz_targets/{name}.rs");
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
        let target = fs::read_to_string(target).unwrap();
        assert!(
            target.contains(&format!("bodies::{name}(octets)")),
            "{name}"
        );
    }
    assert_eq!(manifest.matches("[[bin]]").count(), BODIES.len());
}
