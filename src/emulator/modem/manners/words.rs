//! Words of a family, with what the modem knows of itself in them.

use crate::emulator::modem::card::Access;
use crate::emulator::modem::{Modem, commands};

impl Modem {
    /// Words with what this modem knows of itself in place of names in braces; a line feed becomes a
    /// line end.
    pub(in crate::emulator::modem) fn fill(&self, words: &str) -> String {
        let (pin, puk) = self.card.tries();
        let access = self.card.access();
        let state = match access {
            Access::Pin => "SIM PIN",
            Access::Puk => "SIM PUK",
            _ => "READY",
        };
        let left = if access == Access::Puk { puk } else { pin };
        let numbers = [
            ("{pin}", pin),
            ("{puk}", puk),
            ("{left}", left),
            ("{signal}", commands::signal(self)),
        ];
        let texts = [
            ("{state}", state),
            ("{imei}", &self.identity.imei),
            ("{iccid}", &self.identity.iccid),
            ("{number}", &self.identity.number),
            ("{manufacturer}", &self.manners.manufacturer),
            ("{model}", &self.manners.model),
            ("{revision}", &self.manners.revision),
            ("\n", "\r\n"),
        ];
        let mut filled = words.to_owned();
        for (name, text) in texts {
            filled = filled.replace(name, text);
        }
        for (name, number) in numbers {
            filled = filled.replace(name, &number.to_string());
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::Trouble;

    #[test]
    fn names_in_braces_are_filled_in() {
        const CASES: &[(&str, &str)] = &[
            ("{manufacturer}\n{model}", "Simpost\r\nEmulator"),
            ("{imei} {iccid}", "004401990000008 8944001010000000009"),
            ("{number} {signal}", "+447700900500 21"),
            ("{pin} {puk} {left} {state}", "3 10 3 READY"),
            ("{other}", "{other}"),
        ];
        let mut modem = Modem::ready("");
        for (words, filled) in CASES {
            assert_eq!(modem.fill(words), *filled);
        }
        let now = tokio::time::Instant::now().into_std();
        modem.suffer(Trouble::SimLocked, now);
        for _ in 0..3 {
            modem.ask("+CPIN=\"0000\"");
        }
        assert_eq!(modem.fill("{pin} {left} {state}"), "0 10 SIM PUK");
    }
}
