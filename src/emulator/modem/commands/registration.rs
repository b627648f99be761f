//! Whether the network lets the modem in, domain by domain: `+CREG`, `+CGREG`, `+CEREG`, `+CGATT`.
//!
//! Source: TS 27.007, 7.2, 10.1.9, 10.1.20 and 10.1.22.

use std::time::Instant;

use serde::Deserialize;

use super::Answer;
use super::network::Choice;
use crate::emulator::modem::Modem;
use crate::emulator::modem::card::Access;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::manners::Manners;
use crate::emulator::modem::reply::{Fault, Reply, fixed, setting, text};

pub(super) const TABLE: &[(&str, Answer)] = &[
    ("+CREG", |modem, form, _| {
        registration(modem, form, Domain::Circuit)
    }),
    ("+CGREG", |modem, form, _| {
        registration(modem, form, Domain::Packet)
    }),
    ("+CEREG", |modem, form, _| {
        registration(modem, form, Domain::Eps)
    }),
    ("+CGATT", attachment),
];

/// A part of the network that a modem registers with by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::emulator) enum Domain {
    /// Calls and texts, told by `+CREG`.
    #[serde(rename = "cs")]
    Circuit,
    /// GPRS and UMTS, told by `+CGREG`.
    #[serde(rename = "ps")]
    Packet,
    /// LTE, told by `+CEREG`.
    Eps,
}

impl Domain {
    /// All of them, in the order of each list of three.
    pub(in crate::emulator) const ALL: [Self; 3] = [Self::Circuit, Self::Packet, Self::Eps];

    fn command(self) -> &'static str {
        match self {
            Self::Circuit => "+CREG",
            Self::Packet => "+CGREG",
            Self::Eps => "+CEREG",
        }
    }

    /// Is `stat` one that this domain can have? "SMS only" and "CSFB not preferred" are said of
    /// the circuits alone (TS 27.007, 7.2).
    pub(in crate::emulator) fn has(self, stat: u8) -> bool {
        match stat {
            0..=5 | 8 | 11 => true,
            6 | 7 | 9 | 10 => self == Self::Circuit,
            _ => false,
        }
    }
}

/// Everything is on (`+CFUN=1`).
const FULL: u8 = 1;

/// Does a domain with this `<stat>` carry texts?
fn carries_texts(stat: u8) -> bool {
    matches!(stat, 1 | 5 | 6 | 7 | 9 | 10)
}

/// What the network grants to the modem whenever it looks for one.
#[derive(Debug)]
pub(in crate::emulator::modem) struct Coverage {
    /// `<stat>` of each domain; 0 for ever where the modem has not got it.
    granted: [u8; 3],
    /// `<rssi>` of `+CSQ` at the place of the modem.
    pub(super) signal: u8,
    /// What the client asked for by `+COPS`.
    pub(super) choice: Choice,
}

impl Coverage {
    /// At home in every domain that the family knows, well heard.
    pub(in crate::emulator::modem) fn of(manners: &Manners) -> Self {
        let mut coverage = Self {
            granted: [0; 3],
            signal: 21,
            choice: Choice::Automatic,
        };
        coverage.grant(manners, None, 1);
        coverage
    }

    /// Power-on: what the client chose is forgotten.
    pub(in crate::emulator::modem) fn restart(&mut self) {
        self.choice = Choice::Automatic;
    }

    /// Grants `stat` to `domain`, or to all that can have it.
    fn grant(&mut self, manners: &Manners, domain: Option<Domain>, stat: u8) {
        for (place, known) in self.granted.iter_mut().zip(Domain::ALL) {
            let meant = domain.is_none_or(|domain| domain == known) && known.has(stat);
            if meant && !manners.lacks.iter().any(|name| name == known.command()) {
                *place = stat;
            }
        }
    }
}

impl Modem {
    /// `<stat>` of each domain, in the order of [`Domain::ALL`].
    pub(in crate::emulator::modem) fn stats(&self) -> [u8; 3] {
        if !self.searches() {
            return [0; 3];
        }
        let choice = &self.coverage.choice;
        self.coverage.granted.map(|stat| choice.turns(stat))
    }

    /// Is it in the network, so that texts pass?
    pub(in crate::emulator) fn registered(&self) -> bool {
        self.stats().into_iter().any(carries_texts)
    }

    /// Lets the network grant `stat` (TS 27.007, 7.2) to `domain`, or to all domains that can have
    /// it. The client is told as it asked for.
    pub(in crate::emulator) fn set_registration(&mut self, domain: Option<Domain>, stat: u8) {
        let before = self.stats();
        let manners = self.manners.clone();
        self.coverage.grant(&manners, domain, stat);
        registration_changed(self, before);
    }
}

impl Modem {
    /// Is the radio on?
    pub(super) fn radio_is_on(&self) -> bool {
        self.functionality == FULL
    }

    /// Would a network let its SIM in?
    pub(super) fn is_let_in(&self) -> bool {
        self.searches() && self.coverage.granted.into_iter().any(carries_texts)
    }

    /// Does it look for a network?
    fn searches(&self) -> bool {
        self.radio_is_on() && self.card.access() == Access::Open
    }
}

/// Lets the modem into the network or throws it out.
pub(in crate::emulator::modem) fn admit(modem: &mut Modem, admitted: bool) {
    let outside = modem.manners.unregistered;
    modem.set_registration(None, if admitted { 1 } else { outside });
}

/// Tells the client of each domain that has another `<stat>` than `before`, where it asked for it.
pub(in crate::emulator::modem) fn registration_changed(modem: &mut Modem, before: [u8; 3]) {
    let changed = before.into_iter().zip(modem.stats());
    let rows = changed.zip(Domain::ALL).zip(modem.setup.registration_news);
    for (((before, stat), domain), news) in rows {
        if news > 0 && stat != before {
            let place = place(modem, stat, news);
            modem.announce(format!("{}: {stat}{place}", domain.command()), false);
        }
    }
}

/// With `news` 2 area, cell and technology, as the family writes them.
fn place(modem: &Modem, stat: u8, news: u8) -> &str {
    match (carries_texts(stat), news) {
        (true, 2) => &modem.manners.registration,
        _ => "",
    }
}

fn registration(modem: &mut Modem, form: Form, domain: Domain) -> Result<Reply, Fault> {
    let name = domain.command();
    let stats = modem.stats();
    let mut rows = stats.into_iter().zip(&mut modem.setup.registration_news);
    let Some((stat, news)) = rows.nth(domain as usize) else {
        return Err(Fault::Plain);
    };
    if form != Form::Read {
        return setting(form, name, 2, news);
    }
    let news = *news;
    let place = place(modem, stat, news);
    text(format!("{name}: {news},{stat}{place}"))
}

/// Attached is whoever is registered for packets of either kind.
fn attachment(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let [_, packet, eps] = modem.stats();
    let attached = carries_texts(packet) || carries_texts(eps);
    match form {
        Form::Test => text("+CGATT: (1)".into()),
        Form::Set("1") => Ok(Reply::Done),
        _ => fixed(form, &format!("+CGATT: {}", u8::from(attached))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::{Effect, Trouble};

    fn heard(modem: &mut Modem) -> String {
        let mut said = Vec::new();
        modem.digest(tokio::time::Instant::now().into_std());
        while let Some(Effect::Write(bytes)) = modem.poll() {
            said.extend(bytes);
        }
        String::from_utf8(said).unwrap().replace("\r\n", "|")
    }

    /// Domain, its new `<stat>`, what is told, and whether texts pass afterwards.
    type Case = (Option<Domain>, u8, &'static str, bool);

    #[test]
    fn each_domain_goes_its_own_way_and_only_changes_are_told() {
        const PLACE: &str = ",\"1A2B\",\"0C3D0016\",7";
        const CASES: &[Case] = &[
            (Some(Domain::Circuit), 2, "|+CREG: 2|", true),
            (Some(Domain::Circuit), 2, "", true),
            // Not switched on.
            (Some(Domain::Packet), 3, "", true),
            (Some(Domain::Eps), 3, "|+CEREG: 3|", false),
            (Some(Domain::Circuit), 6, "|+CREG: 6PLACE|", true),
            // The circuits alone know it.
            (Some(Domain::Eps), 7, "", true),
            (None, 4, "|+CREG: 4||+CEREG: 4|", false),
            (None, 8, "|+CREG: 8||+CEREG: 8|", false),
            (None, 5, "|+CREG: 5PLACE||+CEREG: 5|", true),
            (Some(Domain::Eps), 1, "|+CEREG: 1|", true),
        ];
        let mut modem = Modem::ready("+CREG=2;+CEREG=1");
        for (domain, stat, told, sends) in CASES {
            modem.set_registration(*domain, *stat);
            assert_eq!(heard(&mut modem), told.replace("PLACE", PLACE), "{stat}");
            assert_eq!(modem.registered(), *sends, "{domain:?} {stat}");
        }
        assert_eq!(modem.ask("+CGREG?"), "+CGREG: 0,5");
        assert_eq!(modem.ask("+CEREG?"), "+CEREG: 1,1");
        assert_eq!(modem.ask("+CREG?"), format!("+CREG: 2,5{PLACE}"));
    }

    #[test]
    fn what_a_family_has_not_got_carries_nothing() {
        let mut stick = Modem::of_family_ready("huawei", "");
        stick.set_registration(Some(Domain::Circuit), 3);
        stick.set_registration(Some(Domain::Packet), 2);
        stick.set_registration(Some(Domain::Eps), 1);
        assert!(!stick.registered());
        assert_eq!(stick.ask("+CREG?;+CGREG?"), "+CREG: 0,3\r\n\r\n+CGREG: 0,2");
    }

    #[test]
    fn packets_are_attached_where_packets_are() {
        let mut modem = Modem::ready("");
        assert_eq!(
            modem.ask("+CGATT?;+CGATT=?"),
            "+CGATT: 1\r\n\r\n+CGATT: (1)"
        );
        modem.set_registration(Some(Domain::Packet), 0);
        modem.set_registration(Some(Domain::Eps), 3);
        assert_eq!(modem.ask("+CGATT?"), "+CGATT: 0");
    }

    #[test]
    fn families_write_their_place_and_their_misery_differently() {
        const CASES: &[(&str, &str, &str)] = &[
            (
                "generic",
                "+CREG: 2,1,\"1A2B\",\"0C3D0016\",7",
                "+CREG: 2,0",
            ),
            ("huawei", "+CREG: 2,1, 1A2B, C3D0016", "+CREG: 2,2"),
            ("simcom", "+CREG: 2,1,\"1A2B\",\"0C3D0016\"", "+CREG: 2,11"),
        ];
        let now = tokio::time::Instant::now().into_std();
        for (family, inside, outside) in CASES {
            let mut modem = Modem::of_family_ready(family, "+CREG=2");
            assert_eq!(modem.ask("+CREG?"), *inside);
            modem.suffer(Trouble::NetworkLost, now);
            modem.poll();
            assert_eq!(modem.ask("+CREG?"), *outside);
        }
    }
}
