//! Shares queued parts over free SIMs: a free SIM asks, the store gives it the head of its best lane.
//!
//! It pulls, so a slow or sick modem never holds work. The queue lives on disk; nothing of it is kept
//! here. The end of a SIM's last part and the claim of its next one go into one commit; where nothing
//! waits, the claim stands in the store until a commit brings a part, or until the SIM leaves.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Millis};
use crate::modem::Job;
use crate::modem::at::messaging::HexPdu;
use crate::routing::seats::{Seats, SimNews};
use crate::sms::fields::ValidityPeriod;
use crate::sms::ids::SimId;
use crate::sms::parts::{self, ReportRequest};
use crate::store::{Claim, Error, Failure, Settlement, Store, Verdict, WorkEnd};

/// Gives a part to the modem that holds its SIM; comes back with it when there is none.
pub type HandOver = Arc<dyn Fn(Job) -> Result<(), Job> + Send + Sync>;

/// Before a step that the store or a modem refused is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// What the scheduler is wired to.
pub struct Wiring {
    /// The log.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The way to the modems.
    pub hand_over: HandOver,
    /// SIMs that come and go.
    pub sims: mpsc::Receiver<SimNews>,
    /// How parts ended, with the SIM that is free again.
    pub ended: mpsc::Receiver<WorkEnd>,
    /// No new claims from now on; ends are written until `ended` closes.
    pub stop: CancellationToken,
}

/// What a SIM's question to the store came to.
enum Asked {
    /// It has work, or it left before there was any.
    Answered(Option<Claim>),
    /// Nothing is under way for it any more: it may ask again, if it is there.
    Rested,
    /// Something could not be written; the end, if that was it.
    Failed(Error, Option<WorkEnd>),
}

type Asking = Pin<Box<dyn Future<Output = (SimId, Asked)> + Send>>;

/// Runs until all ends are written after a stop.
pub async fn run(wiring: Wiring) {
    let Wiring {
        store,
        clock,
        hand_over,
        mut sims,
        mut ended,
        stop,
    } = wiring;
    let mut desk = Desk {
        store,
        clock,
        hand_over,
        stop,
        seats: Seats::default(),
        leaving: HashMap::new(),
        asking: FuturesUnordered::new(),
    };
    let (mut sims_open, mut ended_open) = (true, true);
    while ended_open || !desk.asking.is_empty() {
        tokio::select! {
            asked = desk.asking.next(), if !desk.asking.is_empty() => if let Some((sim, asked)) = asked {
                desk.answered(sim, asked);
            },
            end = ended.recv(), if ended_open => match end {
                Some(end) => desk.end(end, Duration::ZERO),
                None => ended_open = false,
            },
            news = sims.recv(), if sims_open => match news {
                Some(news) => desk.hear(news),
                None => sims_open = false,
            },
        }
    }
}

struct Desk {
    store: Store,
    clock: Clock,
    hand_over: HandOver,
    stop: CancellationToken,
    seats: Seats,
    /// What takes back the claim of a SIM that is there: its own leaving, or the stop.
    leaving: HashMap<SimId, CancellationToken>,
    asking: FuturesUnordered<Asking>,
}

impl Desk {
    fn hear(&mut self, news: SimNews) {
        self.seats.hear(news);
        match news {
            SimNews::Up(sim) => {
                let leaving = self.leaving.entry(sim);
                leaving.or_insert_with(|| self.stop.child_token());
                self.seat(sim);
            }
            SimNews::Down(sim) => {
                if let Some(leaving) = self.leaving.remove(&sim) {
                    leaving.cancel();
                }
            }
        }
    }

    /// This SIM asks for work, if it is free.
    fn seat(&mut self, sim: SimId) {
        if !self.stop.is_cancelled() && self.seats.take(sim) {
            self.ask(sim, Duration::ZERO);
        }
    }

    fn ask(&mut self, sim: SimId, pause: Duration) {
        let (store, clock) = (self.store.clone(), self.clock);
        let leaving = self.leaving.get(&sim).cloned();
        self.asking.push(Box::pin(async move {
            let Some(leaving) = leaving else {
                return (sim, Asked::Rested);
            };
            let paused = leaving.run_until_cancelled(tokio::time::sleep(pause));
            if paused.await.is_none() {
                return (sim, Asked::Rested);
            }
            let left = leaving.cancelled();
            match store.settle_and_claim(sim, None, clock.now(), left).await {
                Ok(claim) => (sim, Asked::Answered(claim)),
                Err(error) => (sim, Asked::Failed(error, None)),
            }
        }));
    }

    /// Writes how a SIM's work ended, and what it takes next: in one commit, unless the SIM must rest.
    fn end(&mut self, end: WorkEnd, pause: Duration) {
        let (store, clock, stop) = (self.store.clone(), self.clock, self.stop.clone());
        let claims = end.rest.is_zero() && !stop.is_cancelled();
        let leaving = self.leaving.get(&end.sim).filter(|_| claims).cloned();
        self.asking.push(Box::pin(async move {
            tokio::time::sleep(pause).await;
            let (sim, now, settlement) = (end.sim, clock.now(), end.settlement.clone());
            if let Some(leaving) = leaving {
                let (done, left) = (Some(settlement), leaving.cancelled());
                return match store.settle_and_claim(sim, done, now, left).await {
                    Ok(claim) => (sim, Asked::Answered(claim)),
                    Err(error) => (sim, Asked::Failed(error, Some(end))),
                };
            }
            match store.settle(settlement, now).await {
                Ok(_) => {
                    // A stop cuts the rest short.
                    let _ = stop.run_until_cancelled(tokio::time::sleep(end.rest)).await;
                    (sim, Asked::Rested)
                }
                Err(error) => (sim, Asked::Failed(error, Some(end))),
            }
        }));
    }

    fn answered(&mut self, sim: SimId, asked: Asked) {
        match asked {
            Asked::Answered(Some(claim)) => self.start(sim, &claim),
            // It may have come back meanwhile.
            Asked::Answered(None) | Asked::Rested => {
                self.seats.put_back(sim);
                self.seat(sim);
            }
            Asked::Failed(Error::Closed, _) => {
                tracing::error!("the store is closed; the journal has what was under way");
            }
            Asked::Failed(error, end) => {
                tracing::error!(%error, sim = sim.0, "a SIM's step could not be written; it is tried again");
                match end {
                    Some(mut end) => {
                        if !error.is_passing() {
                            // Perhaps the claim is what fails: the end must not go down with it.
                            end.rest = end.rest.max(PAUSE);
                        }
                        self.end(end, PAUSE);
                    }
                    None => self.ask(sim, PAUSE),
                }
            }
        }
    }

    fn start(&mut self, sim: SimId, claim: &Claim) {
        tracing::info!(message.id = %claim.message, part.no = %claim.part, sim = sim.0, "part handed to a modem");
        let (verdict, reason, rest) = match job(sim, claim, self.clock.now()) {
            Ok(job) => {
                if (self.hand_over)(job).is_ok() {
                    return;
                }
                (
                    Verdict::Released,
                    "the modem with this SIM takes no work now".to_owned(),
                    PAUSE,
                )
            }
            Err(failure) => {
                let reason = failure.message.clone();
                (Verdict::Refused(failure), reason, Duration::ZERO)
            }
        };
        let settlement = Settlement {
            token: claim.token,
            verdict,
            reason,
        };
        self.end(
            WorkEnd {
                sim,
                settlement,
                rest,
            },
            Duration::ZERO,
        );
    }
}

/// The part as the modem wants it.
fn job(sim: SimId, claim: &Claim, now: Millis) -> Result<Job, Failure> {
    let report = if claim.report {
        ReportRequest::Wanted
    } else {
        ReportRequest::Unwanted
    };
    let broken = |message: String| Failure {
        code: "text_too_long".into(),
        message,
        raw: None,
    };
    let split = parts::split(&claim.text).map_err(|error| broken(error.to_string()))?;
    let mut submit = split
        .submit(
            &claim.text,
            claim.part,
            &claim.recipient,
            claim.concat_reference,
            report,
        )
        .ok_or_else(|| broken(format!("the text has no part {}", claim.part)))?;
    submit.validity = Some(validity(claim.expires_at.since(now)));
    let tpdu = submit.encode();
    let mut octets = vec![0];
    octets.extend_from_slice(&tpdu);
    Ok(Job {
        token: claim.token,
        sim,
        tpdu_length: tpdu.len(),
        pdu: HexPdu::of(&octets),
        more: claim.more,
    })
}

/// How long the network may try: as long as the text is worth it, by the nearest code, and 5 minutes at the
/// least, for which there is the shortest one.
fn validity(left: Duration) -> ValidityPeriod {
    let minutes = left.as_secs().div_ceil(60).max(5);
    let minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
    ValidityPeriod::within(minutes).unwrap_or(ValidityPeriod::ONE_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::class::{MessageClass, Priority};
    use crate::sms::ids::{MessageId, PartNo, Token};
    use crate::sms::pdu;
    use crate::sms::state::MessageState;
    use crate::store::{NewMessage, SimIdentity};

    const NOW: Millis = Millis(1_795_000_000_000);

    fn claim(text: &str, part: u8) -> Claim {
        Claim {
            token: Token(5),
            message: MessageId::new(),
            part: PartNo(part),
            text: text.into(),
            recipient: "+447700900123".parse().unwrap(),
            concat_reference: 0x5A,
            report: true,
            expires_at: NOW.plus(Duration::from_secs(24 * 3600)),
            more: true,
        }
    }

    #[test]
    fn a_claim_becomes_the_pdu_that_the_modem_gets() {
        let job = job(SimId(1), &claim("Order 1042 is ready", 1), NOW).unwrap();
        assert_eq!(
            job.pdu.as_str(),
            "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E"
        );
        assert_eq!(
            (job.tpdu_length, job.token, job.sim, job.more),
            (31, Token(5), SimId(1), true)
        );
    }

    #[test]
    fn each_part_of_a_long_text_carries_its_number() {
        let text = "x".repeat(200);
        let second = job(SimId(1), &claim(&text, 2), NOW).unwrap();
        assert!(
            second.pdu.as_str().contains("0500035A0202"),
            "{:?}",
            second.pdu
        );
        let missing = job(SimId(1), &claim(&text, 3), NOW).unwrap_err();
        assert_eq!(missing.message, "the text has no part 3");
    }

    async fn queue(store: &Store, now: Millis) -> MessageId {
        let new = NewMessage {
            id: MessageId::new(),
            key: None,
            recipient: "+447700900123".parse().unwrap(),
            text: "text".into(),
            class: MessageClass::default(),
            alphabet: "gsm7".into(),
            parts: 1,
            report: true,
            priority: Priority::default(),
            send_at: None,
            expires_at: now.plus(Duration::from_secs(600)),
            client_ref: None,
            resend_of: None,
            once: None,
        };
        let id = new.id;
        store.enqueue(new, now).await.unwrap();
        id
    }

    #[tokio::test(start_paused = true)]
    async fn a_sim_that_left_holds_no_claim_and_a_stop_ends_those_that_stand() {
        let store = Store::in_task().unwrap();
        let now = Millis(1);
        let imsi = "255030000000001".parse().unwrap();
        let seen = store.sim_seen(SimIdentity::Subscriber(imsi), now);
        let sim = seen.await.unwrap();
        let (tell, sims) = mpsc::channel(4);
        let (ended_out, ended) = mpsc::channel(4);
        let (handed, mut jobs) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(Wiring {
            store: store.clone(),
            clock: Clock::following_runtime(now),
            hand_over: Arc::new(move |job: Job| {
                handed
                    .try_send(job)
                    .map_err(mpsc::error::TrySendError::into_inner)
            }),
            sims,
            ended,
            stop: stop.clone(),
        }));
        let pass = || tokio::time::sleep(Duration::from_secs(5));
        tell.send(SimNews::Up(sim)).await.unwrap();
        pass().await;
        tell.send(SimNews::Down(sim)).await.unwrap();
        pass().await;
        let id = queue(&store, now).await;
        pass().await;
        let state = async || store.message(id).await.unwrap().unwrap().state;
        assert_eq!(
            (state().await, jobs.try_recv().is_err()),
            (MessageState::Queued, true)
        );
        tell.send(SimNews::Up(sim)).await.unwrap();
        let job = jobs.recv().await.unwrap();
        assert_eq!(state().await, MessageState::Sending);
        let settlement = Settlement {
            token: job.token,
            verdict: Verdict::Accepted(None),
            reason: "taken".into(),
        };
        let end = WorkEnd {
            sim,
            settlement,
            rest: Duration::ZERO,
        };
        ended_out.send(end).await.unwrap();
        pass().await;
        assert_eq!(state().await, MessageState::Sent);
        stop.cancel();
        drop(ended_out);
        let ends = tokio::time::timeout(Duration::from_secs(1), running).await;
        ends.expect("no claim stands any more").unwrap();
    }

    #[test]
    fn pdu_and_length_agree_with_the_codec() {
        let claim = claim("Hi", 1);
        let split = parts::split("Hi").unwrap();
        let submit = split
            .submit(
                "Hi",
                PartNo(1),
                &claim.recipient,
                0x5A,
                ReportRequest::Wanted,
            )
            .unwrap();
        let job = job(SimId(1), &claim, NOW).unwrap();
        assert_eq!(
            (job.pdu.as_str().to_owned(), job.tpdu_length),
            pdu::for_cmgs(&submit)
        );
    }

    #[test]
    fn the_network_tries_as_long_as_the_text_is_worth_it() {
        for (seconds, minutes) in [
            (0, 5),
            (299, 5),
            (600, 10),
            (24 * 3600, 1440),
            (24 * 3600 - 59, 1440),
            (10 * 24 * 3600, 10 * 1440),
            (u64::MAX, 635_040),
        ] {
            let validity = validity(Duration::from_secs(seconds));
            assert_eq!(validity.minutes(), Some(minutes), "{seconds}");
        }
    }
}
