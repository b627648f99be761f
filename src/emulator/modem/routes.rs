//! The routes of what comes in: to the client, into the SIM, or nowhere, as `+CNMI` says.
//!
//! Source: TS 27.005, 3.4.

use std::time::{Duration, Instant};

use super::Modem;
use super::storage::{Arrival, Kind};

/// How long the network waits for `+CNMA`.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// Takes what the network delivers and routes it as `+CNMI` says (TS 27.005, 3.4.1).
pub(super) fn arrive(modem: &mut Modem, arrival: Arrival, now: Instant) -> Route {
    let [_, mt, _, ds, _] = modem.setup.routing;
    match (arrival.kind, mt, ds) {
        (Kind::Message, 2, _) | (Kind::Report, _, 1) => {
            if modem.unacknowledged.is_some() {
                modem.unrouted.push_back(arrival);
            } else {
                route_directly(modem, arrival, now);
            }
            Route::Direct
        }
        (Kind::Report, _, 0) => Route::Dropped,
        (Kind::Message | Kind::Report, ..) => store(modem, arrival),
    }
}

fn route_directly(modem: &mut Modem, arrival: Arrival, now: Instant) {
    let header = match arrival.kind {
        Kind::Message => format!("+CMT: ,{}", arrival.length),
        Kind::Report => format!("+CDS: {}", arrival.length),
    };
    modem.announce(format!("{header}\r\n{}", arrival.hex), true);
    if modem.setup.service == 1 {
        modem.unacknowledged = Some((arrival, now + PATIENCE));
    }
}

fn store(modem: &mut Modem, arrival: Arrival) -> Route {
    let kind = arrival.kind;
    match modem.storage.put(arrival) {
        Ok(slot) => {
            let [_, mt, ..] = modem.setup.routing;
            match kind {
                Kind::Message if mt == 0 => {}
                Kind::Message => modem.announce(format!("+CMTI: \"SM\",{slot}"), true),
                Kind::Report => modem.announce(format!("+CDSI: \"SM\",{slot}"), true),
            }
            Route::Stored
        }
        Err(arrival) => {
            modem.waiting.push_back(arrival);
            Route::Waiting
        }
    }
}

/// Routes what waited for an acknowledgement or for room, as far as both are there now.
pub(super) fn route_waiting(modem: &mut Modem, now: Instant) {
    while modem.unacknowledged.is_none()
        && let Some(arrival) = modem.unrouted.pop_front()
    {
        arrive(modem, arrival, now);
    }
    while modem.storage.used() < modem.storage.capacity()
        && let Some(arrival) = modem.waiting.pop_front()
    {
        arrive(modem, arrival, now);
    }
}

/// Without `+CNMA` in time the modem stops routing, and the network offers the message again
/// (TS 27.005, 3.4.4).
pub(super) fn end_of_patience(modem: &mut Modem, now: Instant) {
    if let Some((arrival, _)) = modem.unacknowledged.take_if(|(_, end)| *end <= now) {
        let [mode, _, bm, _, bfr] = modem.setup.routing;
        modem.setup.routing = [mode, 0, bm, 0, bfr];
        arrive(modem, arrival, now);
        route_waiting(modem, now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, Modem};
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
        assert_eq!(bench.said(), "");
        assert_eq!(
            bench.write("AT+CNMI?"),
            "\r\n+CNMI: 2,0,0,0,0\r\n\r\nOK\r\n"
        );
        // The message is offered again and stored; the report has nowhere to go.
        let listed = format!("\r\n+CMGL: 1,0,,43\r\n{MESSAGE}\r\n\r\nOK\r\n");
        assert_eq!(bench.write("AT+CMGL=4"), listed);
    }
}
