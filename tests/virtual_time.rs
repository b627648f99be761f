//! The shipped actor, scheduler, outcomes and SQL together, in virtual time: what takes a minute here
//! takes a minute of the modems' time and none of ours, so waiting can be measured exactly.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails as it should"
)]

#[expect(
    dead_code,
    clippy::indexing_slicing,
    reason = "each test file uses a part of it"
)]
#[path = "support/script.rs"]
mod script;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use script::{Heard, Pipes, Say, Script};
use simpost::admission::{self, Admission, Wish};
use simpost::clock::{Clock, Millis};
use simpost::fleet::Fleet;
use simpost::modem::actor::Settings;
use simpost::modem::profile::{Choice, Profiles};
use simpost::modem::status::{Roster, Status};
use simpost::routing::class::MessageClass;
use simpost::scheduler::Wiring;
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::{Timestamp, UserData, UserDataHeader};
use simpost::sms::ids::{MessageId, SimId};
use simpost::sms::pdu;
use simpost::sms::state::MessageState;
use simpost::store::{Filter, Message, NewInbound, Received, Store};
use simpost::{housekeeper, outcomes, scheduler};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const RADIO: Duration = Duration::from_secs(3);

/// A modem with a SIM of its own, whose network takes a part in [`RADIO`].
fn modem(number: u8) -> Script {
    let mr = AtomicU8::new(0);
    Box::new(move |line| match line {
        "AT+CCID" => Some(Say::Text(format!(
            "\r\n+CCID: 89380039920000000{number:02}\r\n\r\nOK\r\n"
        ))),
        "AT+CGSN" => Some(Say::Text(format!(
            "\r\n4901542032375{number:02}\r\n\r\nOK\r\n"
        ))),
        line if line.ends_with('\u{1a}') => {
            let mr = mr.fetch_add(1, Ordering::Relaxed);
            Some(Say::Later(RADIO, format!("\r\n+CMGS: {mr}\r\n\r\nOK\r\n")))
        }
        _ => None,
    })
}

struct Gateway {
    store: Store,
    clock: Clock,
    admission: Admission,
    roster: Roster,
    heard: Heard,
    fleet: Fleet,
}

impl Gateway {
    /// `modems` modems that come up, and everything between them and the store.
    async fn start(modems: u8) -> Self {
        Self::start_on((0..modems).map(|number| vec![modem(number)]).collect()).await
    }

    /// The same with a row of modems for each port: the next is plugged in when the one before is gone.
    async fn start_on(ports: Vec<Vec<Script>>) -> Self {
        let store = Store::in_task().unwrap();
        let clock = Clock::following_runtime(Millis(1_795_000_000_000));
        let (sims_out, sims) = mpsc::channel(64);
        let (ended_out, ended) = mpsc::channel(64);
        let (events, inbox) = mpsc::channel(64);
        let (roster, heard) = (Roster::default(), Heard::default());
        let fleet = Fleet::new(store.clone(), clock, roster.clone(), sims_out);
        let hand_over = Arc::new(fleet.hand_over());
        let stop = CancellationToken::new();
        let wiring = Wiring {
            store: store.clone(),
            clock,
            hand_over,
            sims,
            ended,
            stop: stop.clone(),
        };
        tokio::spawn(scheduler::run(wiring));
        let refusals = outcomes::Settings::default();
        tokio::spawn(outcomes::run(
            store.clone(),
            clock,
            refusals,
            inbox,
            ended_out,
        ));
        let silence = housekeeper::Settings::default();
        tokio::spawn(housekeeper::run(store.clone(), clock, silence, stop));
        for (number, scripts) in ports.into_iter().enumerate() {
            let port = Box::new(Pipes::new(&format!("pipe{number}"), scripts, &heard));
            fleet.employ(
                port,
                Choice::Recognised(Arc::new(Profiles::load(None).unwrap())),
                Settings::default(),
                events.clone(),
            );
        }
        let admission = Admission::new(store.clone(), clock, admission::Settings::default());
        let gateway = Self {
            store,
            clock,
            admission,
            roster,
            heard,
            fleet,
        };
        gateway
            .until(|gateway| gateway.roster.all().iter().all(Status::can_send))
            .await;
        gateway
    }

    async fn until(&self, seen: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(3600);
        while !seen(self) {
            assert!(Instant::now() < end, "never so: {:?}", self.roster.all());
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn sent(&self) -> usize {
        self.heard
            .lines()
            .iter()
            .filter(|line| line.ends_with('\u{1a}'))
            .count()
    }

    async fn wish(&self, text: String, class: MessageClass) -> MessageId {
        let to = "+380671234567".to_owned();
        let wish = Wish {
            class,
            report: false,
            ..Wish::new(to, text)
        };
        self.admission.admit(wish).await.unwrap().into_message().id
    }

    async fn message(&self, id: MessageId) -> Message {
        self.store.message(id).await.unwrap().expect("kept")
    }
}

#[tokio::test(start_paused = true)]
async fn free_modems_do_not_wait_while_work_is_queued() {
    for modems in [1_u8, 16] {
        let gateway = Gateway::start(modems).await;
        let texts = 20 * usize::from(modems);
        let begun = Instant::now();
        for number in 0..texts {
            gateway
                .wish(format!("text {number}"), MessageClass::default())
                .await;
        }
        gateway.until(|gateway| gateway.sent() == texts).await;
        let took = begun.elapsed();
        let radio = RADIO * 19;
        assert!(
            took >= radio && took < radio + radio / 50,
            "{modems} modems: {took:?} for {radio:?} of radio time"
        );
        sleep(RADIO * 2).await;
        let all = Filter {
            state: Some(MessageState::Sent),
            limit: 1000,
            ..Filter::default()
        };
        assert_eq!(
            gateway.store.messages(all).await.unwrap().messages.len(),
            texts
        );
        let share = gateway.roster.all();
        assert!(share.iter().all(|modem| modem.accepted == 20), "{share:?}");
        gateway.fleet.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_free_modem_has_the_text_before_its_sender_hears_of_it() {
    let gateway = Gateway::start(2).await;
    for number in 1..=2 {
        let id = gateway.wish("now".into(), MessageClass::Otp).await;
        assert_eq!(gateway.message(id).await.state, MessageState::Sending);
        gateway.until(|gateway| gateway.sent() == number).await;
    }
    let waits = gateway.wish("then".into(), MessageClass::Otp).await;
    assert_eq!(gateway.message(waits).await.state, MessageState::Queued);
    gateway.until(|gateway| gateway.sent() == 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_password_goes_between_two_parts_of_a_long_text() {
    let gateway = Gateway::start(1).await;
    let long = gateway
        .wish("x".repeat(1000), MessageClass::Marketing)
        .await;
    gateway.until(|gateway| gateway.sent() == 2).await;
    let asked = Instant::now();
    let code = gateway.wish("4711".into(), MessageClass::Otp).await;
    gateway.until(|gateway| gateway.sent() == 3).await;
    assert!(
        asked.elapsed() <= RADIO + Duration::from_millis(50),
        "{:?}",
        asked.elapsed()
    );
    sleep(RADIO + Duration::from_secs(1)).await;
    assert_eq!(gateway.message(code).await.state, MessageState::Sent);
    assert_eq!(gateway.message(long).await.state, MessageState::Sending);
    gateway.until(|gateway| gateway.sent() == 8).await;
    sleep(RADIO * 2).await;
    assert_eq!(gateway.message(long).await.state, MessageState::Sent);
    assert_eq!(gateway.sent(), 8, "seven parts and a password");
}

#[tokio::test(start_paused = true)]
async fn a_sim_is_asked_for_the_texts_that_wait_for_it_alone() {
    let gateway = Gateway::start(2).await;
    let long = gateway.wish("x".repeat(300), MessageClass::default()).await;
    gateway.until(|gateway| gateway.sent() == 1).await;
    // Its first part is out through one SIM; the other one is free and first in the row all the while.
    gateway.until(|gateway| gateway.sent() == 2).await;
    sleep(RADIO * 2).await;
    let message = gateway.message(long).await;
    assert_eq!(message.state, MessageState::Sent);
    let accepted: Vec<u64> = gateway
        .roster
        .all()
        .iter()
        .map(|modem| modem.accepted)
        .collect();
    assert!(accepted == [2, 0] || accepted == [0, 2], "{accepted:?}");
}

/// The same modem, but its wire breaks when the second text is to go.
fn breaks_at_the_second(number: u8) -> Script {
    let mut works = modem(number);
    let mut sends = 0;
    Box::new(move |line| {
        sends += u8::from(line.starts_with("AT+CMGS"));
        if sends == 2 {
            Some(Say::Hang)
        } else {
            works(line)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_sim_that_comes_back_goes_on_with_its_long_text() {
    let replugged = |number| vec![breaks_at_the_second(number), modem(number)];
    let gateway = Gateway::start_on(vec![replugged(0), replugged(1)]).await;
    let long = gateway.wish("x".repeat(400), MessageClass::default()).await;
    // The other SIM stays free and first in the row; the text waits for its own alone.
    let end = Instant::now() + Duration::from_secs(600);
    while gateway.message(long).await.state != MessageState::Sent {
        assert!(
            Instant::now() < end,
            "{:?}",
            gateway.message(long).await.parts
        );
        sleep(Duration::from_millis(100)).await;
    }
    let accepted: Vec<u64> = gateway
        .roster
        .all()
        .iter()
        .map(|modem| modem.accepted)
        .collect();
    assert!(accepted == [3, 0] || accepted == [0, 3], "{accepted:?}");
}

/// A long text's parts, the last one first; each is announced behind a send, lies in its place until it
/// is deleted, and the first deletion is refused once.
fn writes_back(number: u8, parts: Vec<String>) -> Script {
    let mut works = modem(number);
    let mut stored: BTreeMap<u16, String> = BTreeMap::new();
    let mut coming = (1..).zip(parts.into_iter().rev());
    let mut refused = false;
    Box::new(move |line| {
        if let Some(index) = line.strip_prefix("AT+CMGR=") {
            return Some(Say::Text(match stored.get(&index.parse().unwrap()) {
                Some(pdu) => format!("\r\n+CMGR: 0,,1\r\n{pdu}\r\n\r\nOK\r\n"),
                None => "\r\n+CMS ERROR: 321\r\n".into(),
            }));
        }
        if let Some(index) = line.strip_prefix("AT+CMGD=") {
            if !std::mem::replace(&mut refused, true) {
                return Some(Say::Text("\r\n+CMS ERROR: 500\r\n".into()));
            }
            stored.remove(&index.parse().unwrap());
        }
        if line == "AT+CMGL=4" {
            let listed = stored
                .iter()
                .map(|(index, pdu)| format!("\r\n+CMGL: {index},0,,1\r\n{pdu}"));
            return Some(Say::Text(format!(
                "{}\r\nOK\r\n",
                listed.collect::<String>()
            )));
        }
        match works(line) {
            Some(Say::Later(radio, said)) => {
                let announced = coming.next().map_or_else(String::new, |(index, pdu)| {
                    stored.insert(index, pdu);
                    format!("\r\n+CMTI: \"SM\",{index}\r\n")
                });
                Some(Say::Later(radio, format!("{said}{announced}")))
            }
            other => other,
        }
    })
}

/// A part of an answer from a customer, as the store takes it.
fn inbound(total: u8, no: u8) -> NewInbound {
    let header = UserDataHeader::concat_8(9, total, no);
    let text = UserData::ucs2(Some(header), &format!("частина {no}.")).unwrap();
    let sender = "+447700900123".parse().unwrap();
    let scts = Timestamp::from_octets([0x62, 0x11, 0x52, 0x01, 0x00, 0x00, 0x00]);
    let deliver = Deliver::new(sender, scts, text);
    let (pdu, _) = pdu::with_smsc(None, &deliver.encode());
    NewInbound {
        sim: SimId(1),
        deliver: Some(deliver),
        pdu,
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_parts_arrives_once_while_a_long_text_goes_out() {
    let answer: Vec<_> = (1..=3).map(|no| inbound(3, no)).collect();
    let pdus = answer.iter().map(|new| new.pdu.clone()).collect();
    let gateway = Gateway::start_on(vec![vec![writes_back(0, pdus)]]).await;
    let begun = Instant::now();
    gateway.wish("x".repeat(900), MessageClass::Marketing).await;
    let deleted = |gateway: &Gateway| gateway.heard.count("AT+CMGD=");
    gateway.until(|gateway| deleted(gateway) == 3).await;
    // The whole text takes seven times the radio time: what came in did not wait for its end.
    assert!(begun.elapsed() < RADIO * 6, "{:?}", begun.elapsed());
    // The place that could not be emptied is found at a later look, and emptied then.
    gateway.until(|gateway| deleted(gateway) == 4).await;
    for again in answer {
        let received = gateway.store.receive(again, Millis(0)).await.unwrap();
        assert_eq!(received, Received::Repeated);
    }
    // Asked for once, for all parts that others wait behind.
    assert_eq!(gateway.heard.count("AT+CMMS="), 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_never_comes_is_waited_for_a_day() {
    const HOUR: Duration = Duration::from_secs(3600);
    let gateway = Gateway::start(1).await;
    let now = gateway.clock.now();
    let receive = async |no| gateway.store.receive(inbound(3, no), now).await.unwrap();
    let Received::Waiting(first, 2) = receive(1).await else {
        panic!("two to come");
    };
    sleep(HOUR * 23).await;
    assert_eq!(receive(2).await, Received::Waiting(first, 1));
    sleep(HOUR * 2).await;
    let Received::Waiting(other, 2) = receive(3).await else {
        panic!("the text has been closed with a gap, so another one begins");
    };
    assert_ne!(other, first);
}

#[tokio::test(start_paused = true)]
async fn a_text_of_its_own_needs_no_open_link() {
    let gateway = Gateway::start(1).await;
    for number in 0..3 {
        gateway
            .wish(format!("text {number}"), MessageClass::default())
            .await;
        sleep(RADIO * 2).await;
    }
    assert_eq!((gateway.sent(), gateway.heard.count("AT+CMMS=")), (3, 0));
}
