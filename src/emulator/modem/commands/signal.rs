//! How well the modem hears the network: `+CSQ`, `+CESQ`, and what is said when that changes.
//!
//! Source: TS 27.007, 8.5 and 8.69; the vendors' lines by `hardware/manners`.

use super::Answer;
use crate::emulator::modem::Modem;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::manners::fits;
use crate::emulator::modem::reply::{fixed, text};

pub(super) const TABLE: &[(&str, Answer)] = &[
    ("+CSQ", |modem, form, _| match form {
        Form::Test => text("+CSQ: (0-31,99),(99)".into()),
        _ => fixed(form, &format!("+CSQ: {},99", signal(modem))),
    }),
    ("+CESQ", |modem, form, _| match form {
        Form::Test => {
            text("+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)".into())
        }
        _ => fixed(
            form,
            &format!("+CESQ: 99,99,255,255,{}", lte(signal(modem))),
        ),
    }),
];

/// `<rssi>` of a modem that hears nothing.
const UNKNOWN: u8 = 99;

/// `<rssi>` of `+CSQ`: 0 is -113 dBm or less, 31 is -51 dBm or more, 99 unknown: nothing is heard.
pub(in crate::emulator::modem) fn signal(modem: &Modem) -> u8 {
    // Not searching, searching, and whatever else means that no cell is there.
    let deaf = |stat: u8| matches!(stat, 0 | 2 | 4 | 11);
    if modem.stats().into_iter().all(deaf) {
        UNKNOWN
    } else {
        modem.coverage.signal
    }
}

/// `<rsrq>,<rsrp>` of a cell of 20 resource blocks: its reference signal lies 24 dB below the whole.
fn lte(rssi: u8) -> String {
    if rssi == UNKNOWN {
        return "255,255".into();
    }
    // <rssi> counts 2 dB from -113 dBm, <rsrp> 1 dB from -140 dBm.
    let rsrp = (2 * rssi + 27).saturating_sub(24);
    format!("20,{}", rsrp.min(97))
}

impl Modem {
    /// Sets how well the network is heard: `<rssi>` of `+CSQ`, 0 to 31 or 99.
    pub(in crate::emulator) fn set_signal(&mut self, rssi: u8) {
        let before = signal(self);
        self.coverage.signal = rssi;
        let line = &self.manners.signal_news.line;
        if self.setup.signal_news && signal(self) != before && !line.is_empty() {
            let line = self.fill(line);
            self.announce(line, false);
        }
    }

    /// Switches the family's lines about the signal, if `call` does that.
    pub(super) fn switch_signal_news(&mut self, call: &str) {
        let news = &self.manners.signal_news;
        let among = |calls: &[String]| calls.iter().any(|known| fits(known, call));
        if among(&news.on) {
            self.setup.signal_news = true;
        } else if among(&news.off) {
            self.setup.signal_news = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::Effect;

    #[test]
    fn the_signal_is_what_is_set_and_unknown_where_nothing_is_heard() {
        // What is granted, the signal, +CSQ and +CESQ.
        const CASES: &[(u8, u8, &str, &str)] = &[
            (1, 21, "21", "20,45"),
            (5, 0, "0", "20,3"),
            (1, 31, "31", "20,65"),
            (3, 7, "7", "20,17"),
            (1, 99, "99", "255,255"),
            (2, 21, "99", "255,255"),
            (0, 21, "99", "255,255"),
        ];
        let mut modem = Modem::ready("");
        for (stat, rssi, csq, cesq) in CASES {
            modem.set_registration(None, *stat);
            modem.set_signal(*rssi);
            let told = modem.ask("+CSQ;+CESQ");
            let wanted = format!("+CSQ: {csq},99\r\n\r\n+CESQ: 99,99,255,255,{cesq}");
            assert_eq!(told, wanted, "{stat} {rssi}");
        }
        modem.set_registration(None, 1);
        modem.ask("+CFUN=4");
        assert_eq!(modem.ask("+CSQ"), "+CSQ: 99,99");
    }

    #[test]
    fn families_tell_a_change_until_they_are_hushed() {
        // Family, what is asked first, and what a change makes it say.
        const CASES: &[(&str, &str, &str)] = &[
            ("generic", "", ""),
            ("huawei", "", "^RSSI:9"),
            ("huawei", "^CURC=0", ""),
            ("simcom", "", ""),
            ("simcom", "+AUTOCSQ=1,1", "+CSQ: 9,99"),
            ("simcom", "+AUTOCSQ=1,1;+AUTOCSQ=0,0", ""),
        ];
        for (family, asked, told) in CASES {
            let mut modem = Modem::of_family_ready(family, asked);
            // The second time nothing changes.
            let mut said = Vec::new();
            for _ in 0..2 {
                modem.set_signal(9);
                modem.digest(tokio::time::Instant::now().into_std());
                while let Some(Effect::Write(bytes)) = modem.poll() {
                    said.extend(bytes);
                }
            }
            let said = String::from_utf8(said).unwrap();
            assert_eq!(said.trim(), *told, "{family} {asked}");
        }
    }
}
