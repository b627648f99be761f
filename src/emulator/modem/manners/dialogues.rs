//! Each family's dialogue, as `tests/vectors/families.txt` has it, is played and must come out the same.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::emulator::modem::{Arrival, Effect, Kind, Modem, Trouble};

const FAMILIES: &str = include_str!("../../../../tests/vectors/families.txt");
const MESSAGE: &str = "0791447700099099040C9144770009406500006230414003000A0453EA130A";
const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

struct Player {
    modem: Modem,
    now: Instant,
    played: String,
}

impl Player {
    /// What is said, without the empty lines around it.
    fn listen(&mut self) {
        let mut said = Vec::new();
        while let Some(effect) = self.modem.poll() {
            if let Effect::Write(bytes) = effect {
                said.extend(bytes);
            }
        }
        let said = String::from_utf8(said).unwrap();
        for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
            writeln!(self.played, "{line}").unwrap();
        }
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(wake) = self.modem.wake_at().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.modem.tick(self.now);
            self.listen();
        }
        self.now = end;
    }

    fn arrive(&mut self, kind: Kind, hex: &str) {
        let arrival = Arrival {
            kind,
            hex: hex.into(),
            length: hex.len() / 2 - 8,
        };
        self.modem.arrive(arrival, self.now);
    }

    fn happens(&mut self, what: &str) {
        let trouble = match what {
            "message" => return self.arrive(Kind::Message, MESSAGE),
            "report" => return self.arrive(Kind::Report, REPORT),
            "reset" => Trouble::Reset,
            "sim_out" => Trouble::SimOut,
            "sim_in" => Trouble::SimIn,
            "sim_locked" => Trouble::SimLocked,
            "network_lost" => Trouble::NetworkLost,
            "network_back" => Trouble::NetworkBack,
            _ => {
                let ms = what.strip_prefix("wait ").unwrap();
                return self.wait(Duration::from_millis(ms.parse().unwrap()));
            }
        };
        self.modem.suffer(trouble, self.now);
    }

    fn play(&mut self, line: &str) {
        writeln!(self.played, "{line}").unwrap();
        if let Some(what) = line.strip_prefix('@') {
            self.happens(what);
        } else if let Some(typed) = line.strip_prefix("> ") {
            self.modem.receive(typed.as_bytes(), self.now);
            self.modem.receive(b"\r", self.now);
        }
        self.listen();
    }
}

#[test]
fn every_family_speaks_as_its_dialogue_has_it() {
    for section in FAMILIES.split("\n# ").skip(1) {
        let (family, dialogue) = section.split_once('\n').unwrap();
        let (modem, now) = Modem::of_family(family);
        let mut player = Player {
            modem,
            now,
            played: String::new(),
        };
        let ours = |line: &&str| line.starts_with("> ") || line.starts_with('@');
        for line in dialogue.lines().filter(ours) {
            player.play(line);
        }
        assert_eq!(player.played.trim(), dialogue.trim(), "{family}");
    }
}

#[test]
fn whatever_is_typed_no_family_dies_of_it() {
    let families: Vec<&str> = FAMILIES
        .split("\n# ")
        .skip(1)
        .filter_map(|section| section.lines().next())
        .collect();
    let which = 0..families.len();
    let command = "(AT)?([+^#&]?[A-Z]{1,5}([=?]|=[0-9]{1,3}|=\"[A-Z0-9]{0,6}\")?[,;0-9]{0,6}){0,3}";
    proptest::proptest!(|(which in which, command in command, text in "[ -~\r\x08]{0,40}", bytes: Vec<u8>)| {
        let (mut modem, start) = Modem::of_family(families[which]);
        let mut now = start + Duration::from_secs(20);
        modem.receive(b"ATE0+CMGF=1\r", now);
        for typed in [command.as_bytes(), b"\r", text.as_bytes(), b"\x1A", bytes.as_slice()] {
            modem.receive(typed, now);
        }
        for _ in 0..40 {
            now += Duration::from_secs(1);
            modem.tick(now);
            while let Some(effect) = modem.poll() {
                if let Effect::Submit(_) = effect {
                    modem.settle(crate::emulator::modem::Verdict::Accepted, now);
                }
            }
        }
        modem.receive(b"\x1B\r\rATE0\rAT\r", now);
        let mut said = Vec::new();
        while let Some(effect) = modem.poll() {
            if let Effect::Write(bytes) = effect {
                said.extend(bytes);
            }
        }
        proptest::prop_assert!(String::from_utf8_lossy(&said).contains("OK"));
    });
}
