//! One SIM's line to the network: what becomes of its parts, and what waits for it there.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::outcome::{EXPIRED, Outcome, STILL_TRYING, outcome};
use super::quota::{Meter, Quota};
use super::reports::{ReportOrder, Reports, Taken};
use super::{Delivery, Report, arrival, clock};
use crate::emulator::Settings;
use crate::emulator::faults::Noise;
use crate::emulator::identity::Identity;
use crate::emulator::ledger::{self, Event, Ledger, Line};
use crate::emulator::modem::{Arrival, Kind, Part, Route, Struck, Verdict};
use crate::sms::fields::ValidityPeriod;
use crate::sms::ids::Mr;
use crate::sms::report::StatusReport;
use crate::sms::submit::{ReportRequest, Submit};

/// Messages that wait for a SIM that cannot take them; further ones are refused.
const WAITING: usize = 1000;
/// Before what a client did not take is offered again.
const PAUSE: Duration = Duration::from_secs(60);
/// So often it is offered; then the service centre gives it up.
const OFFERS: u32 = 60;
/// "Short message transfer rejected" (TS 24.011, E.2): what operators say when the money is out.
const OVER_QUOTA: u16 = 21;
/// "Invalid mandatory information": the part cannot be read.
const UNREADABLE: u16 = 96;

/// Something that a client did not take.
#[derive(Debug)]
struct Again {
    arrival: Arrival,
    due: Instant,
    /// Offered again by now; its fate is not known yet.
    offered: bool,
    offers: u32,
}

/// One SIM's line to the network.
pub(in crate::emulator) struct Subscription {
    modem: u16,
    iccid: String,
    delay: Duration,
    retry: Duration,
    zone: i8,
    ledger: Arc<Ledger>,
    reports: Reports,
    waiting: VecDeque<Delivery>,
    again: Vec<Again>,
    quota: Meter,
    spam: Meter,
    accepted: u32,
}

impl Subscription {
    /// The line of the SIM in `modem`.
    pub(in crate::emulator) fn new(
        modem: u16,
        identity: &Identity,
        settings: &Settings,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self {
            modem,
            iccid: identity.iccid.clone(),
            delay: settings.report_delay,
            retry: settings.retry,
            zone: settings.zone,
            ledger,
            reports: Reports::new(settings.report_order, Noise::of(settings.seed, modem)),
            waiting: VecDeque::new(),
            again: Vec::new(),
            quota: Meter::new(settings.quota),
            spam: Meter::new(settings.spam_after),
            accepted: 0,
        }
    }

    /// Takes or refuses a part. Its line is in the ledger when this returns.
    pub(in crate::emulator) fn submit(
        &mut self,
        part: &Part,
        now: Instant,
        date: Timestamp,
    ) -> Verdict {
        let submit = Submit::decode(&part.tpdu).ok();
        let recipient = submit.as_ref().map(|submit| submit.destination.to_string());
        let outcome = self.decide(recipient.as_deref(), now);
        let (verdict, word, code) = match outcome {
            Outcome::Reported(_) | Outcome::Retried(_) => (Verdict::Accepted, "accepted", None),
            Outcome::Swallowed => (Verdict::Accepted, "swallowed", None),
            Outcome::Refused(code) => (Verdict::Refused(code), "refused", Some(code)),
            Outcome::Unanswered => (Verdict::Silent, "silent", None),
        };
        self.accepted = self.accepted.saturating_add(u32::from(code.is_none()));
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
        if let Some(submit) = submit.filter(|it| it.report == ReportRequest::Wanted) {
            self.promise(part.mr, submit, outcome, now, date);
        }
        verdict
    }

    /// What becomes of a part: the quota first, then its recipient, then the spam filter.
    fn decide(&mut self, recipient: Option<&str>, now: Instant) -> Outcome {
        let Some(recipient) = recipient else {
            return Outcome::Refused(UNREADABLE);
        };
        if !self.quota.passes(now) {
            return Outcome::Refused(OVER_QUOTA);
        }
        match outcome(recipient) {
            Outcome::Refused(code) => Outcome::Refused(code),
            _ if !self.spam.passes(now) => Outcome::Swallowed,
            outcome => outcome,
        }
    }

    /// Notes which reports are to come of a part.
    fn promise(&mut self, mr: u8, submit: Submit, outcome: Outcome, now: Instant, date: Timestamp) {
        let (status, next) = match outcome {
            Outcome::Reported(status) => (status, None),
            Outcome::Retried(EXPIRED) => {
                let minutes = submit.validity.and_then(ValidityPeriod::minutes);
                let end = Duration::from_mins(minutes.unwrap_or(24 * 60).into());
                (
                    STILL_TRYING,
                    Some((end.saturating_sub(self.delay), EXPIRED)),
                )
            }
            Outcome::Retried(status) => (STILL_TRYING, Some((self.retry, status))),
            Outcome::Refused(_) | Outcome::Unanswered | Outcome::Swallowed => return,
        };
        self.reports.add(Taken {
            due: now + self.delay,
            mr,
            recipient: submit.destination,
            accepted: date,
            status,
            next,
        });
    }

    /// When [`Subscription::due`] has a report, or [`Subscription::again`] something.
    pub(in crate::emulator) fn wake_at(&self) -> Option<Instant> {
        let again = self.again.iter().filter(|again| !again.offered);
        let again = again.map(|again| again.due).min();
        self.reports.wake_at().into_iter().chain(again).min()
    }

    /// The next report that is due.
    pub(in crate::emulator) fn due(&mut self, now: Instant, date: Timestamp) -> Option<Report> {
        let taken = self.reports.next(now)?;
        let recipient = taken.recipient.to_string();
        let tpdu = StatusReport::new(
            Mr(taken.mr),
            taken.recipient,
            clock(taken.accepted, self.zone),
            clock(date, self.zone),
            taken.status,
        )
        .encode();
        Some(Report {
            mr: taken.mr,
            recipient,
            status: taken.status,
            arrival: arrival(Kind::Report, &tpdu),
        })
    }

    /// Keeps a message until its SIM can take it. Without room it is refused, which is written
    /// down; tells whether it was kept.
    pub(in crate::emulator) fn keep(&mut self, delivery: Delivery, date: Timestamp) -> bool {
        let has_room = self.waiting.len() < WAITING;
        if has_room {
            self.waiting.push_back(delivery);
        } else {
            self.record(
                date,
                Event::Inbound {
                    sender: &delivery.sender,
                    route: "refused",
                    reason: Some("the service centre is full"),
                    pdu: &delivery.arrival.hex,
                },
            );
        }
        has_room
    }

    /// Keeps what a client did not take, to offer it again.
    pub(in crate::emulator) fn untaken(&mut self, arrival: Arrival, now: Instant, date: Timestamp) {
        let known = self.again.iter().position(|again| again.arrival == arrival);
        let offers = known.map_or(0, |place| self.again.swap_remove(place).offers);
        let given_up = offers >= OFFERS;
        self.record(
            date,
            Event::Untaken {
                kind: arrival.kind.word(),
                given_up,
                pdu: &arrival.hex,
            },
        );
        if !given_up {
            self.again.push(Again {
                arrival,
                due: now + PAUSE,
                offered: false,
                offers: offers + 1,
            });
        }
    }

    /// What is to be offered again now; `drops` says what would go nowhere, and waits on.
    pub(in crate::emulator) fn again(
        &mut self,
        now: Instant,
        drops: impl Fn(Kind) -> bool,
    ) -> Option<Arrival> {
        // What was offered and did not come back in twice the time was taken.
        self.again
            .retain(|again| !again.offered || now < again.due + PAUSE);
        for again in self.again.iter_mut().filter(|again| !again.offered) {
            if again.due > now {
                continue;
            }
            again.due = now + PAUSE;
            if !drops(again.arrival.kind) {
                again.offered = true;
                return Some(again.arrival.clone());
            }
        }
        None
    }

    /// Notes where the modem put what was offered again.
    pub(in crate::emulator) fn offered(&self, arrival: &Arrival, route: Route, date: Timestamp) {
        let event = Event::Again {
            kind: arrival.kind.word(),
            route: ledger::word(route),
            pdu: &arrival.hex,
        };
        self.record(date, event);
    }

    /// The next message that waits for the SIM.
    pub(in crate::emulator) fn kept(&mut self) -> Option<Delivery> {
        self.waiting.pop_front()
    }

    /// How many parts it has taken, and how many messages and reports wait.
    pub(in crate::emulator) fn counts(&self) -> (u32, usize) {
        let again = self.again.iter().filter(|again| !again.offered).count();
        (
            self.accepted,
            self.waiting.len() + self.reports.len() + again,
        )
    }

    /// Sets what is given of how reports come from now on.
    pub(in crate::emulator) fn report(
        &mut self,
        delay: Option<Duration>,
        order: Option<ReportOrder>,
        zone: Option<i8>,
    ) {
        self.delay = delay.unwrap_or(self.delay);
        self.reports.order = order.unwrap_or(self.reports.order);
        self.zone = zone.unwrap_or(self.zone);
    }

    /// Sets the quota anew; nothing of it is used. None: all passes.
    pub(in crate::emulator) fn limit(&mut self, quota: Option<Quota>) {
        self.quota = Meter::new(quota);
    }

    /// Sets anew after how many parts the spam filter swallows the rest.
    pub(in crate::emulator) fn filter(&mut self, spam_after: Option<Quota>) {
        self.spam = Meter::new(spam_after);
    }

    /// Notes where the modem put a report.
    pub(in crate::emulator) fn reported(&self, report: &Report, route: Route, date: Timestamp) {
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
    pub(in crate::emulator) fn delivered(
        &self,
        delivery: &Delivery,
        route: Route,
        date: Timestamp,
    ) {
        self.record(
            date,
            Event::Inbound {
                sender: &delivery.sender,
                route: ledger::word(route),
                reason: None,
                pdu: &delivery.arrival.hex,
            },
        );
    }

    /// Notes what went wrong with the modem.
    pub(in crate::emulator) fn struck(&self, struck: &Struck, date: Timestamp) {
        self.record(
            date,
            Event::Fault {
                step: struck.step,
                command: &struck.command,
                fault: struck.act.word(),
            },
        );
    }

    /// Notes under which name the stick is plugged in; `None`: it is pulled out.
    pub(in crate::emulator) fn plugged(&self, name: Option<&str>, date: Timestamp) {
        self.record(date, Event::Plug { name });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::ids::PartNo;
    use crate::sms::{parts, pdu};

    const START: &str = "2026-03-26T14:01:51Z";
    const DELAY: Duration = Duration::from_secs(7);

    fn settings() -> Settings {
        let mut settings = Settings::new(1, "unused");
        settings.report_delay = DELAY;
        settings
    }

    fn subscription(settings: &Settings, ledger: Ledger) -> Subscription {
        Subscription::new(0, &Identity::of(0), settings, Arc::new(ledger))
    }

    fn line(settings: &Settings) -> Subscription {
        subscription(settings, Ledger::open(None).unwrap())
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

    /// The second in which each comes, and its TP-ST.
    type Reports = &'static [(u64, u8)];

    #[test]
    fn verdicts_and_reports_follow_the_recipient() {
        const DAY: u64 = 24 * 3600;
        const CASES: &[(&str, Verdict, Reports)] = &[
            ("+15005550013", Verdict::Accepted, &[(7, 0x41)]),
            ("+15005550014", Verdict::Refused(30), &[]),
            ("+15005550015", Verdict::Silent, &[]),
            ("+15005550018", Verdict::Accepted, &[(7, 0x22), (37, 0)]),
            ("+15005550019", Verdict::Accepted, &[(7, 0x22), (DAY, 0x46)]),
            ("+15005550020", Verdict::Accepted, &[(7, 1)]),
            ("+15005550021", Verdict::Accepted, &[]),
            ("+15005551500", Verdict::Refused(500), &[]),
            ("+15005552100", Verdict::Accepted, &[(7, 100)]),
            ("+447700900123", Verdict::Accepted, &[(7, 0)]),
        ];
        let date = START.parse().unwrap();
        for (recipient, verdict, reports) in CASES {
            let mut line = line(&settings());
            let start = now();
            let part = part(recipient, ReportRequest::Wanted);
            assert_eq!(line.submit(&part, start, date), *verdict, "{recipient}");
            let mut came = Vec::new();
            while let Some(due) = line.wake_at() {
                let report = line.due(due, date).unwrap();
                came.push(((due - start).as_secs(), report.status.0));
            }
            assert_eq!(came, *reports, "{recipient}");
        }
    }

    #[test]
    fn a_report_comes_after_its_delay_with_the_centres_times() {
        let mut line = line(&settings());
        let start = now();
        let accepted: Timestamp = START.parse().unwrap();
        let part = part("+447700900123", ReportRequest::Wanted);
        line.submit(&part, start, accepted);
        assert_eq!(line.wake_at(), Some(start + DELAY));
        let early = start + DELAY.saturating_sub(Duration::from_millis(1));
        assert!(line.due(early, accepted).is_none());
        let report = line.due(start + DELAY, accepted + DELAY).unwrap();
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
        let mut line = line(&settings());
        let part = part("+447700900123", ReportRequest::Unwanted);
        let verdict = line.submit(&part, now(), START.parse().unwrap());
        assert_eq!((verdict, line.wake_at()), (Verdict::Accepted, None));
    }

    #[test]
    fn a_quota_refuses_and_a_spam_filter_swallows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let quota = |parts| Some(Quota { parts, per: None });
        let mut settings = settings();
        (settings.quota, settings.spam_after) = (quota(4), quota(2));
        let mut line = subscription(&settings, Ledger::open(Some(&path)).unwrap());
        let (start, date) = (now(), START.parse().unwrap());
        let recipients = [
            "+447700900123",
            "+15005550014",
            "+447700900123",
            "+447700900123",
        ];
        let mut verdicts = Vec::new();
        for recipient in recipients {
            let part = part(recipient, ReportRequest::Wanted);
            verdicts.push(line.submit(&part, start, date));
        }
        let one = part("+447700900123", ReportRequest::Wanted);
        verdicts.push(line.submit(&one, start, date));
        line.limit(None);
        line.filter(None);
        verdicts.push(line.submit(&one, start, date));
        let (yes, no) = (Verdict::Accepted, Verdict::Refused);
        assert_eq!(verdicts, [yes, no(30), yes, yes, no(21), yes]);
        let reports = std::iter::from_fn(|| line.due(start + DELAY, date)).count();
        assert_eq!(reports, 3, "none for what was swallowed");
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.matches(r#""outcome":"swallowed""#).count(), 1);
        assert_eq!(line.counts(), (4, 0));
    }

    #[test]
    fn what_finds_no_room_is_refused_and_written_down() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let mut line = subscription(&settings(), Ledger::open(Some(&path)).unwrap());
        let date = START.parse().unwrap();
        let mut keep = |hex: usize| {
            let delivery = Delivery {
                sender: "Bank".into(),
                arrival: arrival(Kind::Message, &hex.to_be_bytes()),
            };
            line.keep(delivery, date)
        };
        assert!((0..WAITING).all(&mut keep));
        assert!(!keep(WAITING));
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), 1);
        let wanted =
            r#""sender":"Bank","route":"refused","reason":"the service centre is full","pdu":"#;
        assert!(text.contains(wanted), "{text}");
        let kept: Vec<String> = std::iter::from_fn(|| line.kept())
            .map(|it| it.arrival.hex)
            .collect();
        assert_eq!(kept.len(), WAITING);
        assert!(kept[0].ends_with("0000"), "the oldest stays: {}", kept[0]);
    }

    #[test]
    fn an_unreadable_part_is_refused_and_written_down() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let mut line = subscription(&settings(), Ledger::open(Some(&path)).unwrap());
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

    #[test]
    fn what_a_client_does_not_take_is_offered_again_until_it_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let mut line = subscription(&settings(), Ledger::open(Some(&path)).unwrap());
        let (begun, date) = (now(), START.parse().unwrap());
        let report = arrival(Kind::Report, &[1, 2, 3]);
        line.untaken(report.clone(), begun, date);
        assert_eq!(line.wake_at(), Some(begun + PAUSE));
        assert_eq!(line.counts(), (0, 1));
        assert_eq!(line.again(begun, |_| false), None);
        // Where it would go nowhere it waits on.
        assert_eq!(line.again(begun + PAUSE, |_| true), None);
        let due = begun + PAUSE * 2;
        assert_eq!(line.again(due, |_| false), Some(report.clone()));
        assert_eq!(line.again(due, |_| false), None, "offered once a time");
        line.untaken(report.clone(), due, date);
        assert_eq!(line.again(due + PAUSE, |_| false), Some(report));
        assert_eq!(line.counts(), (0, 0));
        assert_eq!(line.again(due + PAUSE * 9, |_| false), None, "it was taken");
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            text.matches("\"event\":\"untaken\",\"kind\":\"report\",\"given_up\":false")
                .count(),
            2,
            "{text}"
        );
    }

    #[test]
    fn what_nobody_ever_takes_is_given_up_in_the_end() {
        let mut line = line(&settings());
        let (mut at, date) = (now(), START.parse().unwrap());
        let message = arrival(Kind::Message, &[1]);
        for _ in 0..OFFERS {
            line.untaken(message.clone(), at, date);
            at += PAUSE;
            assert_eq!(line.again(at, |_| false), Some(message.clone()));
        }
        line.untaken(message, at, date);
        assert_eq!(line.again(at + PAUSE, |_| false), None);
    }
}
