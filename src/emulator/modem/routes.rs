//! The routes of what comes in: to the client, into the SIM, or nowhere, as `+CNMI` says.
//!
//! Source: TS 27.005, 3.4.

use std::time::{Duration, Instant};

use super::Modem;
use super::schedule::Later;
use super::storage::{Arrival, Kind, Memory, Status, Stored};
use super::text::{self, Detail};

/// How long the network waits for `+CNMA`.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many wait at a modem; the service centre keeps the rest.
const MOST_WAITING: usize = 1024;

/// Where an arrival went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Route {
    /// To the client as `+CMT` or `+CDS`, or in line for it.
    Direct,
    /// Into a slot of the SIM.
    Stored,
    /// The SIM is full; the network keeps it.
    Waiting,
    /// Nobody wanted it.
    Dropped,
}

impl Modem {
    /// Can it take what the network delivers? It has started, and little enough waits in it.
    pub(in crate::emulator) fn takes(&self, now: Instant) -> bool {
        now >= self.ready_at && has_place(self)
    }

    /// Would a report that comes now go nowhere?
    pub(in crate::emulator) fn drops(&self, kind: Kind) -> bool {
        way(self, kind) == Route::Dropped
    }

    /// From when on messages work.
    pub(in crate::emulator) fn ready_at(&self) -> Instant {
        self.ready_at
    }
}

fn has_place(modem: &Modem) -> bool {
    let waiting = modem.waiting.len() + modem.unrouted.len() + modem.schedule.offers();
    waiting < MOST_WAITING
}

/// Takes what the network delivers and routes it as `+CNMI` says (TS 27.005, 3.4.1). While the
/// modem cannot be reached the network keeps it.
pub(super) fn arrive(modem: &mut Modem, arrival: Arrival, now: Instant) -> Route {
    if !has_place(modem) {
        return Route::Dropped;
    }
    if now < modem.ready_at {
        modem.schedule.add(modem.ready_at, Later::Offer(arrival));
        return Route::Waiting;
    }
    if !modem.registered() {
        modem.waiting.push_back(arrival);
        return Route::Waiting;
    }
    let route = route(modem, arrival, now);
    if route == Route::Waiting {
        for line in modem.manners.clone().full.clone() {
            modem.announce(line, false);
        }
    }
    route
}

fn route(modem: &mut Modem, arrival: Arrival, now: Instant) -> Route {
    match way(modem, arrival.kind) {
        Route::Direct => {
            if modem.unacknowledged.is_some() {
                modem.unrouted.push_back(arrival);
            } else {
                route_directly(modem, arrival, now);
            }
            Route::Direct
        }
        Route::Dropped => Route::Dropped,
        Route::Stored | Route::Waiting => store(modem, arrival),
    }
}

/// The way of a kind: to the client, into a storage, or nowhere.
fn way(modem: &Modem, kind: Kind) -> Route {
    let [_, mt, _, ds, _] = modem.setup.routing;
    match (kind, mt, ds) {
        (Kind::Message, 2, _) | (Kind::Report, _, 1) => Route::Direct,
        (Kind::Report, _, 0) => Route::Dropped,
        (Kind::Message | Kind::Report, ..) => Route::Stored,
    }
}

fn route_directly(modem: &mut Modem, arrival: Arrival, now: Instant) {
    let (header, name) = match arrival.kind {
        Kind::Message => (&modem.manners.message_header, "+CMT"),
        Kind::Report => (&modem.manners.report_header, "+CDS"),
    };
    let lines = if modem.setup.text_mode == 1 {
        in_words(modem, name, &arrival.hex)
    } else {
        None
    };
    let lines = lines.unwrap_or_else(|| {
        let header = header.replace("{length}", &arrival.length.to_string());
        format!("{header}\r\n{}", arrival.hex)
    });
    modem.announce(lines, true);
    let services = &modem.manners.acknowledged_services;
    if services.contains(&modem.setup.service) {
        modem.unacknowledged = Some((arrival, now + PATIENCE));
    }
}

/// What was routed as text mode shows it.
fn in_words(modem: &Modem, name: &str, hex: &str) -> Option<String> {
    let detail = match modem.setup.full_headers {
        0 => Detail::Brief,
        _ => Detail::Full,
    };
    let (fields, body) = text::fields(hex, modem.setup.charset, detail)?;
    let body = body.map(|body| format!("\r\n{body}"));
    Some(format!("{name}: {fields}{}", body.unwrap_or_default()))
}

/// The storage for this kind; empty: the one chosen for receiving.
fn storage_of(modem: &Modem, kind: Kind) -> String {
    match kind {
        Kind::Message => String::new(),
        Kind::Report => modem.manners.reports_in.clone(),
    }
}

fn store(modem: &mut Modem, arrival: Arrival) -> Route {
    let kind = arrival.kind;
    let storage = storage_of(modem, kind);
    let stored = Stored {
        hex: arrival.hex,
        length: arrival.length,
        status: Status::Unread,
    };
    match modem.storage.put(Memory::Receiving, &storage, stored) {
        Ok((name, slot)) => {
            let [_, mt, ..] = modem.setup.routing;
            match kind {
                Kind::Message if mt == 0 => {}
                Kind::Message => modem.announce(format!("+CMTI: \"{name}\",{slot}"), true),
                Kind::Report => modem.announce(format!("+CDSI: \"{name}\",{slot}"), true),
            }
            Route::Stored
        }
        Err(Stored { hex, length, .. }) => {
            modem.waiting.push_back(Arrival { kind, hex, length });
            Route::Waiting
        }
    }
}

/// Routes what waited for an acknowledgement, for room or for the modem, as far as it can go now.
pub(super) fn route_waiting(modem: &mut Modem, now: Instant) {
    while modem.unacknowledged.is_none()
        && let Some(arrival) = modem.unrouted.pop_front()
    {
        route(modem, arrival, now);
    }
    if !modem.registered() || now < modem.ready_at {
        return;
    }
    for _ in 0..modem.waiting.len() {
        let Some(arrival) = modem.waiting.pop_front() else {
            break;
        };
        let stored = way(modem, arrival.kind) == Route::Stored;
        let storage = storage_of(modem, arrival.kind);
        if stored && !modem.storage.has_room(Memory::Receiving, &storage) {
            modem.waiting.push_back(arrival);
        } else {
            route(modem, arrival, now);
        }
    }
}

/// Takes the client's word about what was routed; what it did not take the network offers again
/// (TS 27.005, 3.4.4).
pub(super) fn acknowledge(modem: &mut Modem, taken: bool) {
    if let Some((arrival, _)) = modem.unacknowledged.take()
        && !taken
    {
        modem.untaken.push_back(arrival);
    }
}

/// Without `+CNMA` in time the modem stops routing, and the network keeps what it had for the client
/// (TS 27.005, 3.4.4).
pub(super) fn end_of_patience(modem: &mut Modem, now: Instant) {
    if let Some((arrival, _)) = modem.unacknowledged.take_if(|(_, end)| *end <= now) {
        let [mode, _, bm, _, bfr] = modem.setup.routing;
        modem.setup.routing = [mode, 0, bm, 0, bfr];
        modem.untaken.push_back(arrival);
        modem.untaken.append(&mut modem.unrouted);
        route_waiting(modem, now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, Modem, Trouble};
    use super::*;

    /// UCS-2 from +447700900456; delivered, reference 23.
    const MESSAGE: &str = "0791447700099099040C9144770009406500086230412103008018039E03B503BA03AF03BD03B1002000310032003A00330030";
    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

    struct Bench {
        modem: Modem,
        now: Instant,
    }

    impl Bench {
        fn ready(commands: &str) -> Self {
            Self {
                modem: Modem::ready(commands),
                now: tokio::time::Instant::now().into_std(),
            }
        }

        fn write(&mut self, line: &str) -> String {
            self.modem.receive(line.as_bytes(), self.now);
            self.modem.receive(b"\r", self.now);
            self.said()
        }

        fn said(&mut self) -> String {
            match self.modem.poll() {
                Some(Effect::Write(bytes)) => String::from_utf8(bytes).unwrap(),
                _ => String::new(),
            }
        }

        fn message(&mut self) -> (Route, String) {
            let arrival = Arrival {
                kind: Kind::Message,
                hex: MESSAGE.into(),
                length: 43,
            };
            (self.modem.arrive(arrival, self.now), self.said())
        }

        fn report(&mut self) -> (Route, String) {
            let arrival = Arrival {
                kind: Kind::Report,
                hex: REPORT.into(),
                length: 25,
            };
            (self.modem.arrive(arrival, self.now), self.said())
        }
    }

    #[test]
    fn cnmi_decides_the_route() {
        let cmt = format!("\r\n+CMT: ,43\r\n{MESSAGE}\r\n");
        let cds = format!("\r\n+CDS: 25\r\n{REPORT}\r\n");
        let cases = [
            ("+CNMI=2,0,0,0,0", (Route::Stored, ""), (Route::Dropped, "")),
            (
                "+CNMI=2,1,0,1,0",
                (Route::Stored, "\r\n+CMTI: \"SM\",1\r\n"),
                (Route::Direct, cds.as_str()),
            ),
            (
                "+CNMI=1,2,0,2,0",
                (Route::Direct, cmt.as_str()),
                (Route::Stored, "\r\n+CDSI: \"SM\",1\r\n"),
            ),
        ];
        for (command, message, report) in cases {
            let mut bench = Bench::ready(command);
            let (route, said) = bench.message();
            assert_eq!((route, said.as_str()), message, "{command}");
            let (route, said) = bench.report();
            assert_eq!((route, said.as_str()), report, "{command}");
        }
    }

    #[test]
    fn mode_0_holds_back_until_another_mode() {
        let mut bench = Bench::ready("+CNMI=0,1,0,1,0");
        assert_eq!(bench.message(), (Route::Stored, String::new()));
        assert_eq!(
            bench.write("AT+CNMI=2,1,0,1,0"),
            "\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n"
        );
        bench.write("AT+CNMI=0,1,0,1,0");
        bench.message();
        assert_eq!(bench.write("AT+CNMI=2,1,0,1,1"), "\r\nOK\r\n");
    }

    #[test]
    fn a_full_sim_gets_the_rest_when_there_is_room() {
        let mut bench = Bench::ready("+CNMI=2,1,0,2,0");
        bench.message();
        bench.report();
        assert_eq!(bench.message(), (Route::Waiting, String::new()));
        assert_eq!(bench.report(), (Route::Waiting, String::new()));
        assert_eq!(
            bench.write("AT+CMGD=1"),
            "\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n"
        );
        assert_eq!(
            bench.write("AT+CMGD=2"),
            "\r\nOK\r\n\r\n+CDSI: \"SM\",2\r\n"
        );
        assert_eq!(bench.write("AT+CMGD=1"), "\r\nOK\r\n");
    }

    #[test]
    fn with_service_1_each_routed_one_is_acknowledged() {
        let mut bench = Bench::ready("+CSMS=1;+CNMI=2,2,0,1,0");
        assert_eq!(bench.write("AT+CNMA"), "\r\n+CMS ERROR: 340\r\n");
        assert!(bench.message().1.starts_with("\r\n+CMT: ,43\r\n"));
        assert_eq!(bench.report(), (Route::Direct, String::new()));
        let cds = format!("\r\n+CDS: 25\r\n{REPORT}\r\n");
        assert_eq!(bench.write("AT+CNMA"), "\r\nOK\r\n".to_owned() + &cds);
        assert_eq!(bench.write("AT+CNMA=0"), "\r\nOK\r\n");
        assert_eq!(bench.write("AT+CNMA"), "\r\n+CMS ERROR: 340\r\n");
    }

    #[test]
    fn without_acknowledgement_routing_ends() {
        let mut bench = Bench::ready("+CSMS=1;+CNMI=2,2,0,1,0");
        bench.message();
        bench.report();
        assert_eq!(bench.modem.wake_at(), Some(bench.now + PATIENCE));
        bench.now += PATIENCE;
        bench.modem.tick(bench.now);
        // Both are the network's again, also the one that waited behind.
        for kind in [Kind::Message, Kind::Report] {
            let Some(Effect::Untaken(arrival)) = bench.modem.poll() else {
                panic!("the network keeps it");
            };
            assert_eq!(arrival.kind, kind);
        }
        assert!(bench.modem.drops(Kind::Report) && !bench.modem.drops(Kind::Message));
        assert_eq!(
            bench.write("AT+CNMI?"),
            "\r\n+CNMI: 2,0,0,0,0\r\n\r\nOK\r\n"
        );
    }

    #[test]
    fn text_mode_shows_words() {
        let time = "\"26/03/14,12:30:00+08\"";
        let text = "039E03B503BA03AF03BD03B1002000310032003A00330030";
        let mut bench = Bench::ready("+CMGF=1;+CNMI=2,2,0,1,0");
        let cmt = format!("\r\n+CMT: \"+447700900456\",,{time}\r\n{text}\r\n");
        assert_eq!(bench.message(), (Route::Direct, cmt));
        let cds = "\r\n+CDS: 6,23,\"+447700900123\",145,\"26/03/14,10:15:32+00\",\"26/03/14,10:15:37+00\",0\r\n";
        assert_eq!(bench.report(), (Route::Direct, cds.into()));
        bench.write("AT+CSDH=1");
        let full = format!(
            "\r\n+CMT: \"+447700900456\",,{time},145,4,0,8,\"+447700900999\",145,24\r\n{text}\r\n"
        );
        assert_eq!(bench.message(), (Route::Direct, full));
    }

    #[test]
    fn who_cannot_be_reached_gets_it_later() {
        let mut bench = Bench::ready("+CNMI=2,1,0,1,0");
        bench.modem.suffer(Trouble::NetworkLost, bench.now);
        assert_eq!(bench.message(), (Route::Waiting, String::new()));
        bench.modem.suffer(Trouble::NetworkBack, bench.now);
        assert_eq!(bench.said(), "\r\n+CMTI: \"SM\",1\r\n");
        let ready = bench.now + Duration::from_secs(9);
        bench.modem.ready_at = ready;
        assert_eq!(bench.message(), (Route::Waiting, String::new()));
        bench.modem.tick(ready);
        assert_eq!(bench.said(), "\r\n+CMTI: \"SM\",2\r\n");
    }

    #[test]
    fn a_start_loses_no_message() {
        let mut bench = Bench::ready("+CNMI=2,1,0,1,0");
        let ready = bench.now + Duration::from_secs(9);
        bench.modem.ready_at = ready;
        assert!(!bench.modem.takes(bench.now) && bench.modem.takes(ready));
        let came = (0..300).filter(|_| bench.message().0 == Route::Waiting);
        assert_eq!(came.count(), 300);
        bench.modem.tick(ready);
        assert_eq!(bench.modem.waiting.len() + 2, 300, "two slots are filled");
    }

    #[test]
    fn the_network_keeps_only_so_many() {
        let mut bench = Bench::ready("+CNMI=2,1,0,1,0");
        bench.modem.suffer(Trouble::SimFull(true), bench.now);
        let routes: Vec<Route> = (0..=MOST_WAITING).map(|_| bench.message().0).collect();
        assert!(
            routes[..MOST_WAITING]
                .iter()
                .all(|route| *route == Route::Waiting)
        );
        assert_eq!(routes[MOST_WAITING], Route::Dropped);
    }
}
