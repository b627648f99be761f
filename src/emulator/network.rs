//! The network behind the modems: what becomes of a part, its status report, messages from outside.
//!
//! The recipient decides, by one table ([`outcome`]):
//!
//! | recipient | the modem gets | afterwards |
//! |---|---|---|
//! | +15005550001 invalid | `+CMS ERROR: 1`, unassigned number | |
//! | +15005550002 no route | `+CMS ERROR: 195`, invalid address | |
//! | +15005550003 country barred | `+CMS ERROR: 196`, destination barred | |
//! | +15005550009 no mobile | `+CMS ERROR: 30`, unknown subscriber | |
//! | +15005550013 | acceptance | report 41, incompatible destination: for ever |
//! | +15005550014 | `+CMS ERROR: 30`, unknown subscriber | |
//! | +15005550015 | nothing: the acknowledgement is lost | the part *was* taken; no report |
//! | +15005550016 | acceptance | report 46, validity period expired |
//! | +15005550017 | `+CMS ERROR: 42`, congestion, every time | |
//! | anything else | acceptance | report 00, received |
//!
//! Reports come only where the part asked for one (TP-SRR). What the recipient wants (+15005550004,
//! opted out) is no affair of a network. A part that is no readable SMS-SUBMIT is refused with
//! `+CMS ERROR: 96`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::identity::{Identity, SERVICE_CENTRE};
use super::ledger::{self, Event, Ledger, Line};
use super::modem::{Arrival, Kind, Part, Route, Verdict};
use super::stick::News;
use super::{Error, Settings};
use crate::sms::deliver::Deliver;
use crate::sms::fields::{self, Address};
use crate::sms::ids::{Mr, PartNo};
use crate::sms::parts;
use crate::sms::pdu;
use crate::sms::report::{Status, StatusReport};
use crate::sms::submit::{ReportRequest, Submit};

/// How a part ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Accepted, then reported with this TP-ST.
    Reported(Status),
    /// Refused with this `+CMS ERROR`.
    Refused(u16),
    /// Accepted, but the modem never hears of it.
    Unanswered,
}

const OUTCOMES: &[(&str, Outcome)] = &[
    ("+15005550001", Outcome::Refused(1)),
    ("+15005550002", Outcome::Refused(195)),
    ("+15005550003", Outcome::Refused(196)),
    ("+15005550009", Outcome::Refused(30)),
    ("+15005550013", Outcome::Reported(Status(0x41))),
    ("+15005550014", Outcome::Refused(30)),
    ("+15005550015", Outcome::Unanswered),
    ("+15005550016", Outcome::Reported(Status(0x46))),
    ("+15005550017", Outcome::Refused(42)),
];

/// What the network does with a part to `recipient`.
fn outcome(recipient: &str) -> Outcome {
    OUTCOMES
        .iter()
        .find(|(number, _)| *number == recipient)
        .map_or(Outcome::Reported(Status(0)), |(_, outcome)| *outcome)
}

/// A status report on its way.
#[derive(Debug)]
pub(super) struct Report {
    mr: u8,
    recipient: String,
    status: Status,
    pub(super) arrival: Arrival,
}

/// A message from outside on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    sender: String,
    pub(super) arrival: Arrival,
}

/// A part that the network took and will report on.
#[derive(Debug)]
struct Taken {
    due: Instant,
    mr: u8,
    recipient: Address,
    accepted: Timestamp,
    status: Status,
}

/// One SIM's line to the network.
pub(super) struct Subscription {
    modem: u16,
    iccid: String,
    report_delay: Duration,
    zone: i8,
    ledger: Arc<Ledger>,
    taken: VecDeque<Taken>,
}

impl Subscription {
    /// The line of the SIM in `modem`.
    pub(super) fn new(
        modem: u16,
        identity: &Identity,
        settings: &Settings,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self {
            modem,
            iccid: identity.iccid.clone(),
            report_delay: settings.report_delay,
            zone: settings.zone,
            ledger,
            taken: VecDeque::new(),
        }
    }

    /// Takes or refuses a part. Its line is in the ledger when this returns.
    pub(super) fn submit(&mut self, part: &Part, now: Instant, date: Timestamp) -> Verdict {
        let submit = Submit::decode(&part.tpdu).ok();
        let recipient = submit.as_ref().map(|submit| submit.destination.to_string());
        let outcome = recipient.as_deref().map_or(Outcome::Refused(96), outcome);
        let (verdict, word, code) = match outcome {
            Outcome::Reported(_) => (Verdict::Accepted, "accepted", None),
            Outcome::Refused(code) => (Verdict::Refused(code), "refused", Some(code)),
            Outcome::Unanswered => (Verdict::Silent, "silent", None),
        };
        self.record(
            date,
            Event::Submit {
                mr: part.mr,
                recipient: recipient.as_deref().unwrap_or_default(),
                outcome: word,
                code,
                pdu: &part.hex,
            },
        );
        if let (Some(submit), Outcome::Reported(status)) = (submit, outcome)
            && submit.report == ReportRequest::Wanted
        {
            self.taken.push_back(Taken {
                due: now + self.report_delay,
                mr: part.mr,
                recipient: submit.destination,
                accepted: date,
                status,
            });
        }
        verdict
    }

    /// When [`Subscription::due`] has a report.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.taken.front().map(|taken| taken.due)
    }

    /// The next report that is due.
    pub(super) fn due(&mut self, now: Instant, date: Timestamp) -> Option<Report> {
        let taken = self.taken.pop_front_if(|taken| taken.due <= now)?;
        let mr = taken.mr;
        let recipient = taken.recipient.to_string();
        let tpdu = StatusReport::new(
            Mr(mr),
            taken.recipient,
            clock(taken.accepted, self.zone),
            clock(date, self.zone),
            taken.status,
        )
        .encode();
        Some(Report {
            mr,
            recipient,
            status: taken.status,
            arrival: arrival(Kind::Report, &tpdu),
        })
    }

    /// Notes where the modem put a report.
    pub(super) fn reported(&self, report: &Report, route: Route, date: Timestamp) {
        self.record(
            date,
            Event::Report {
                mr: report.mr,
                recipient: &report.recipient,
                status: report.status.0,
                route: ledger::word(route),
                pdu: &report.arrival.hex,
            },
        );
    }

    /// Notes where the modem put a message.
    pub(super) fn delivered(&self, delivery: &Delivery, route: Route, date: Timestamp) {
        self.record(
            date,
            Event::Inbound {
                sender: &delivery.sender,
                route: ledger::word(route),
                pdu: &delivery.arrival.hex,
            },
        );
    }

    fn record(&self, date: Timestamp, event: Event) {
        let line = Line {
            modem: self.modem,
            iccid: &self.iccid,
            event,
        };
        self.ledger.record(date, &line);
    }
}

/// The service centre's clock: local time with its zone.
fn clock(date: Timestamp, zone: i8) -> fields::Timestamp {
    fields::Timestamp::from_instant(date, zone)
        // Only a year that the wire cannot carry gets here: a broken time, as centres send them.
        .unwrap_or_else(|| fields::Timestamp::from_octets([0; 7]))
}

/// A TPDU as it comes to a modem, with the service centre's address in front.
fn arrival(kind: Kind, tpdu: &[u8]) -> Arrival {
    let centre: Option<Address> = SERVICE_CENTRE.parse().ok();
    let (hex, length) = pdu::with_smsc(centre.as_ref(), tpdu);
    Arrival { kind, hex, length }
}

/// The network, for those who play its part from outside. Clones speak of the same one.
#[derive(Debug, Clone)]
pub struct Network {
    modems: Arc<[mpsc::Sender<News>]>,
    zone: i8,
    reference: Arc<AtomicU8>,
}

impl Network {
    pub(super) fn new(modems: Vec<mpsc::Sender<News>>, zone: i8) -> Self {
        Self {
            modems: modems.into(),
            zone,
            reference: Arc::new(AtomicU8::new(0)),
        }
    }

    /// Delivers `text` to the SIM in `modem` (counted from 0), in as many parts as it needs.
    ///
    /// `from` is a number, international with `+`, or a name of at most 11 characters.
    /// Where it goes is the modem's affair (`AT+CNMI`); a full SIM gets it when there is room.
    /// Errors: no such modem, a sender or a text that no SMS-DELIVER can carry.
    pub async fn deliver(&self, modem: u16, from: &str, text: &str) -> Result<(), Error> {
        let sender = from.parse().or_else(|_| Address::name(from))?;
        let split = parts::split(text)?;
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let scts = clock(Timestamp::now(), self.zone);
        for no in (1..=split.parts()).map(PartNo) {
            let Some(user_data) = split.user_data(text, no, reference) else {
                continue;
            };
            let tpdu = Deliver::new(sender.clone(), scts, user_data).encode();
            let delivery = Delivery {
                sender: sender.to_string(),
                arrival: arrival(Kind::Message, &tpdu),
            };
            self.tell(modem, News::Delivery(delivery)).await?;
        }
        Ok(())
    }

    /// Lets `modem` (counted from 0) into the network or throws it out; it tells its client as
    /// `AT+CREG` says, and takes no parts while it is out.
    pub async fn admit(&self, modem: u16, admitted: bool) -> Result<(), Error> {
        self.tell(modem, News::Admission(admitted)).await
    }

    async fn tell(&self, modem: u16, news: News) -> Result<(), Error> {
        let mailbox = self.modems.get(usize::from(modem));
        let mailbox = mailbox.ok_or(Error::NoModem(modem))?;
        let sent = mailbox.send(news).await;
        sent.map_err(|_| Error::NoModem(modem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "2026-03-26T14:01:51Z";

    fn subscription(ledger: Ledger) -> Subscription {
        let mut settings = Settings::new(1, "unused");
        settings.report_delay = Duration::from_secs(7);
        Subscription::new(0, &Identity::of(0), &settings, Arc::new(ledger))
    }

    fn part(recipient: &str, report: ReportRequest) -> Part {
        let split = parts::split("Hi").unwrap();
        let user_data = split.user_data("Hi", PartNo(1), 0).unwrap();
        let submit = Submit::new(recipient.parse().unwrap(), user_data, report);
        let (hex, _) = pdu::for_cmgs(&submit);
        Part {
            hex,
            tpdu: submit.encode(),
            mr: 23,
        }
    }

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    #[test]
    fn the_recipient_decides() {
        const CASES: &[(&str, Verdict, Option<u8>)] = &[
            ("+15005550001", Verdict::Refused(1), None),
            ("+15005550002", Verdict::Refused(195), None),
            ("+15005550003", Verdict::Refused(196), None),
            ("+15005550004", Verdict::Accepted, Some(0)),
            ("+15005550009", Verdict::Refused(30), None),
            ("+15005550013", Verdict::Accepted, Some(0x41)),
            ("+15005550014", Verdict::Refused(30), None),
            ("+15005550015", Verdict::Silent, None),
            ("+15005550016", Verdict::Accepted, Some(0x46)),
            ("+15005550017", Verdict::Refused(42), None),
            ("+447700900123", Verdict::Accepted, Some(0)),
            // No international number: no magic.
            ("15005550014", Verdict::Accepted, Some(0)),
        ];
        let date = START.parse().unwrap();
        for (recipient, verdict, status) in CASES {
            let mut line = subscription(Ledger::open(None).unwrap());
            let start = now();
            let part = part(recipient, ReportRequest::Wanted);
            assert_eq!(line.submit(&part, start, date), *verdict, "{recipient}");
            let due = line.due(start + Duration::from_secs(7), date);
            assert_eq!(due.map(|report| report.status.0), *status, "{recipient}");
        }
    }

    #[test]
    fn a_report_comes_after_its_delay_with_the_centres_times() {
        let mut line = subscription(Ledger::open(None).unwrap());
        let start = now();
        let accepted: Timestamp = START.parse().unwrap();
        let delay = Duration::from_secs(7);
        let part = part("+447700900123", ReportRequest::Wanted);
        line.submit(&part, start, accepted);
        assert_eq!(line.wake_at(), Some(start + delay));
        let early = start + delay.saturating_sub(Duration::from_millis(1));
        assert!(line.due(early, accepted).is_none());
        let report = line.due(start + delay, accepted + delay).unwrap();
        // 16:01:51 and 16:01:58 two hours east of Greenwich: quarters 8.
        assert_eq!(
            report.arrival.hex,
            "079144770009909906170C91447700091032623062611015806230626110858000"
        );
        assert_eq!(report.arrival.length, 25);
        assert_eq!(line.wake_at(), None);
    }

    #[test]
    fn no_report_without_request() {
        let mut line = subscription(Ledger::open(None).unwrap());
        let part = part("+447700900123", ReportRequest::Unwanted);
        let verdict = line.submit(&part, now(), START.parse().unwrap());
        assert_eq!((verdict, line.wake_at()), (Verdict::Accepted, None));
    }

    #[test]
    fn an_unreadable_part_is_refused_and_written_down() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let mut line = subscription(Ledger::open(Some(&path)).unwrap());
        let part = Part {
            hex: "0031000C91".into(),
            tpdu: vec![0x31, 0, 0x0C, 0x91],
            mr: 1,
        };
        let verdict = line.submit(&part, now(), START.parse().unwrap());
        assert_eq!(verdict, Verdict::Refused(96));
        let text = std::fs::read_to_string(path).unwrap();
        let wanted = r#""mr":1,"recipient":"","outcome":"refused","code":96,"pdu":"0031000C91"}"#;
        assert!(text.trim_end().ends_with(wanted), "{text}");
    }
}
