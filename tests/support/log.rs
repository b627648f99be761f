//! A log in memory, its time, and the steps of a text's way in few words.

use std::time::Duration;

use simpost::clock::Millis;
use simpost::routing::class::{MessageClass, Priority};
use simpost::sms::ids::{Iccid, MessageId, Mr, SimId};
use simpost::sms::report::Status;
use simpost::sms::state::MessageState;
use simpost::store::{
    Claim, Enqueued, Failure, Matched, Message, NewMessage, NewReport, Retry, Settled, Settlement,
    SimIdentity, Store, Verdict,
};

pub const NUMBER: &str = "+380671234567";
pub const RETRY: Retry = Retry {
    attempts: 3,
    wait: Duration::from_secs(10),
};

/// A store, its time, and shorthands for the steps of a text's way.
pub struct Bench {
    pub store: Store,
    pub now: Millis,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            store: Store::in_task().unwrap(),
            now: Millis(1_000_000),
        }
    }

    pub fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    pub async fn sim(&self, number: u8) -> SimId {
        let iccid: Iccid = format!("89380039920000000{number:02}").parse().unwrap();
        let seen = self
            .store
            .sim_seen(SimIdentity::Card(iccid, None), self.now);
        seen.await.unwrap()
    }

    pub async fn queue(&self, parts: u8) -> MessageId {
        self.queue_as(parts, MessageClass::Transactional).await
    }

    pub async fn queue_as(&self, parts: u8, class: MessageClass) -> MessageId {
        self.keep(self.new_message(parts, class)).await
    }

    pub fn new_message(&self, parts: u8, class: MessageClass) -> NewMessage {
        NewMessage {
            id: MessageId::new(),
            key: None,
            recipient: NUMBER.parse().unwrap(),
            text: "text".into(),
            class,
            alphabet: "gsm7".into(),
            parts,
            report: true,
            priority: Priority::default(),
            send_at: None,
            expires_at: self.now.plus(class.life()),
            client_ref: None,
            resend_of: None,
            once: None,
        }
    }

    pub async fn keep(&self, new: NewMessage) -> MessageId {
        match self.store.enqueue(new, self.now).await.unwrap() {
            Enqueued::New(message) => message.id,
            other => panic!("not new: {other:?}"),
        }
    }

    pub async fn claim(&self, sim: SimId) -> Option<Claim> {
        self.store
            .settle_and_claim(sim, None, self.now, std::future::ready(()))
            .await
            .unwrap()
    }

    pub async fn settle(&self, claim: &Claim, verdict: Verdict) -> Settled {
        let settlement = Settlement {
            token: claim.token,
            verdict,
            reason: "said by the test".into(),
        };
        self.store.settle(settlement, self.now).await.unwrap()
    }

    /// Claims, arms and gets the part accepted under `mr`.
    pub async fn send(&self, sim: SimId, mr: u8) -> Claim {
        let claim = self.claim(sim).await.expect("a part waits");
        assert!(self.store.arm(claim.token, self.now).await.unwrap());
        let settled = self.settle(&claim, Verdict::Accepted(Some(Mr(mr)))).await;
        assert_eq!(settled, Settled::Written);
        claim
    }

    pub async fn report(&self, sim: SimId, mr: u8, status: u8) -> Matched {
        self.report_for(sim, mr, status, NUMBER).await
    }

    /// A report about a text that the service centre took at `stamped`.
    pub async fn report_stamped(&self, sim: SimId, mr: u8, status: u8, stamped: Millis) -> Matched {
        self.report_of(sim, mr, status, NUMBER, stamped).await
    }

    pub async fn report_for(&self, sim: SimId, mr: u8, status: u8, recipient: &str) -> Matched {
        self.report_of(sim, mr, status, recipient, self.now).await
    }

    async fn report_of(
        &self,
        sim: SimId,
        mr: u8,
        status: u8,
        recipient: &str,
        stamped: Millis,
    ) -> Matched {
        let report = NewReport {
            sim,
            mr: Mr(mr),
            recipient: recipient.into(),
            status: Status(status),
            scts: stamped.to_string(),
            discharge: self.now.to_string(),
            pdu: "00".into(),
        };
        self.store.match_report(report, self.now).await.unwrap()
    }

    pub async fn message(&self, id: MessageId) -> Message {
        self.store.message(id).await.unwrap().expect("kept")
    }

    pub async fn state(&self, id: MessageId) -> MessageState {
        self.message(id).await.state
    }

    pub async fn kinds(&self, id: MessageId) -> Vec<String> {
        let events = self.store.events_of(id).await.unwrap();
        assert!(events.is_sorted_by(|a, b| a.seq < b.seq));
        events.into_iter().map(|event| event.kind).collect()
    }
}

pub fn failure(code: &str) -> Failure {
    Failure {
        code: code.into(),
        message: "in words".into(),
        raw: Some("+CMS ERROR: 0".into()),
    }
}
