//! What every engine of the store must do: the intents, seen from outside.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a test fails as it should"
)]

#[path = "support/log.rs"]
mod log;

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use log::{Bench, RETRY, failure};
use simpost::routing::class::MessageClass;
use simpost::sms::ids::{Mr, PartNo, SimId};
use simpost::sms::state::{MessageState, PartState};
use simpost::store::{
    Claim, Filter, Grace, Matched, NewMessage, Recovered, Settled, Settlement, Verdict,
};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_text_goes_all_the_way() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    assert_eq!(bench.state(id).await, MessageState::Queued);
    let claim = bench.send(sim, 7).await;
    assert_eq!((claim.message, claim.part), (id, PartNo(1)));
    assert_eq!(bench.state(id).await, MessageState::Sent);
    assert_eq!(bench.report(sim, 7, 0).await, Matched::Part(id, PartNo(1)));
    let message = bench.message(id).await;
    assert_eq!(message.state, MessageState::Delivered);
    assert_eq!(message.finalized_at, Some(bench.now));
    assert_eq!(
        (message.parts[0].mr, message.parts[0].attempts),
        (Some(Mr(7)), 1)
    );
    let kinds = bench.kinds(id).await;
    assert_eq!(
        kinds,
        [
            "message.queued",
            "message.sending",
            "message.sent",
            "message.delivered"
        ]
    );
}

#[tokio::test]
async fn nothing_is_claimed_twice_and_nothing_is_left() {
    let bench = Bench::new();
    let (one, two) = (bench.sim(1).await, bench.sim(2).await);
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(bench.queue(1).await);
    }
    let mut claimed = Vec::new();
    while let (Some(first), second) = (bench.claim(one).await, bench.claim(two).await) {
        claimed.push(first.message);
        claimed.extend(second.map(|claim| claim.message));
    }
    assert_eq!(claimed, ids, "first in, first out, each once");
}

#[tokio::test]
async fn urgent_texts_go_first_also_between_the_parts_of_a_long_one() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let long = bench.queue_as(3, MessageClass::Marketing).await;
    assert_eq!(bench.send(sim, 1).await.message, long);
    let otp = bench.queue_as(1, MessageClass::Otp).await;
    assert_eq!(bench.send(sim, 2).await.message, otp);
    assert_eq!(bench.send(sim, 3).await.part, PartNo(2));
}

#[tokio::test]
async fn a_long_text_stays_on_its_sim_under_one_reference() {
    let bench = Bench::new();
    let (one, two) = (bench.sim(1).await, bench.sim(2).await);
    bench.queue(3).await;
    let first = bench.send(one, 1).await;
    assert!(
        bench.claim(two).await.is_none(),
        "its other parts are not for another SIM"
    );
    let second = bench.send(one, 2).await;
    assert_eq!(first.concat_reference, second.concat_reference);
    bench.send(one, 3).await;
    bench.queue(2).await;
    let next = bench.send(one, 4).await;
    assert_ne!(next.concat_reference, first.concat_reference);
}

#[tokio::test]
async fn delivered_means_all_parts() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(2).await;
    bench.send(sim, 1).await;
    bench.report(sim, 1, 0).await;
    assert_eq!(bench.state(id).await, MessageState::Sending);
    bench.send(sim, 2).await;
    assert_eq!(bench.state(id).await, MessageState::Sent);
    bench.report(sim, 2, 0x46).await;
    let message = bench.message(id).await;
    assert_eq!(message.state, MessageState::Undelivered);
    assert_eq!(message.error.unwrap().code, "partial");
    assert_eq!(message.parts[1].state, PartState::Expired);
}

#[tokio::test]
async fn only_the_holder_arms_and_settles() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    assert!(bench.store.arm(claim.token, bench.now).await.unwrap());
    assert!(
        !bench.store.arm(claim.token, bench.now).await.unwrap(),
        "armed once"
    );
    bench.settle(&claim, Verdict::Accepted(Some(Mr(1)))).await;
    let late = bench.settle(&claim, Verdict::Refused(failure("x"))).await;
    assert_eq!(late, Settled::Stale);
    assert!(
        !bench.store.arm(claim.token, bench.now).await.unwrap(),
        "ended"
    );
    assert_eq!(bench.state(id).await, MessageState::Sent);
}

#[tokio::test]
async fn a_refused_part_waits_longer_each_time_and_then_fails() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    for wait in [10, 20] {
        let claim = bench.claim(sim).await.unwrap();
        bench
            .settle(&claim, Verdict::TryAgain(failure("busy"), RETRY))
            .await;
        assert_eq!(bench.state(id).await, MessageState::Queued);
        let due = bench.store.release_due(bench.now).await.unwrap();
        assert_eq!(due, Some(bench.now.plus(Duration::from_secs(wait))));
        assert!(bench.claim(sim).await.is_none(), "not before its time");
        bench.pass(wait);
        assert_eq!(bench.store.release_due(bench.now).await.unwrap(), None);
    }
    let claim = bench.claim(sim).await.unwrap();
    bench
        .settle(&claim, Verdict::TryAgain(failure("busy"), RETRY))
        .await;
    let message = bench.message(id).await;
    assert_eq!(message.state, MessageState::Failed);
    let error = message.error.unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("busy", "in words (3 attempts)")
    );
}

#[tokio::test]
async fn a_report_does_not_wake_a_part_that_waits_for_its_time() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    bench.queue(2).await;
    bench.send(sim, 1).await;
    let claim = bench.claim(sim).await.unwrap();
    bench
        .settle(&claim, Verdict::TryAgain(failure("busy"), RETRY))
        .await;
    bench.report(sim, 1, 0).await;
    assert!(bench.claim(sim).await.is_none());
}

#[tokio::test]
async fn a_given_back_claim_costs_no_attempt_and_any_sim_may_take_it() {
    let bench = Bench::new();
    let (one, two) = (bench.sim(1).await, bench.sim(2).await);
    let id = bench.queue(1).await;
    for _ in 0..10 {
        let claim = bench.claim(one).await.unwrap();
        bench.settle(&claim, Verdict::Released).await;
    }
    assert_eq!(bench.message(id).await.parts[0].attempts, 0);
    assert_eq!(bench.send(two, 1).await.message, id);
}

#[tokio::test]
async fn a_part_that_can_never_go_stops_the_rest_of_its_text() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(3).await;
    bench.send(sim, 1).await;
    let claim = bench.claim(sim).await.unwrap();
    bench
        .settle(&claim, Verdict::Refused(failure("invalid_number")))
        .await;
    assert!(bench.claim(sim).await.is_none());
    let message = bench.message(id).await;
    let states: Vec<PartState> = message.parts.iter().map(|part| part.state).collect();
    assert_eq!(
        states,
        [PartState::Sent, PartState::Failed, PartState::Canceled]
    );
    assert_eq!(message.state, MessageState::Undelivered);
}

#[tokio::test]
async fn the_end_of_one_part_and_the_claim_of_the_next_are_one_step() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let (first, second) = (bench.queue(1).await, bench.queue(1).await);
    let claim = bench.claim(sim).await.unwrap();
    let end = Settlement {
        token: claim.token,
        verdict: Verdict::Accepted(Some(Mr(9))),
        reason: "taken".into(),
    };
    let next = bench
        .store
        .settle_and_claim(sim, Some(end), bench.now, std::future::ready(()))
        .await
        .unwrap();
    assert_eq!(next.unwrap().message, second);
    assert_eq!(bench.state(first).await, MessageState::Sent);
}

#[tokio::test]
async fn the_journal_decides_after_a_stop() {
    let bench = Bench::new();
    let (one, two) = (bench.sim(1).await, bench.sim(2).await);
    let (armed, unarmed) = (bench.queue(1).await, bench.queue(1).await);
    let claim = bench.claim(one).await.unwrap();
    bench.store.arm(claim.token, bench.now).await.unwrap();
    bench.claim(two).await.unwrap();
    let recovered = bench.store.recover(bench.now).await.unwrap();
    assert_eq!(
        recovered,
        Recovered {
            waiting: 1,
            uncertain: 1
        }
    );
    assert_eq!(bench.state(armed).await, MessageState::Uncertain);
    assert_eq!(bench.state(unarmed).await, MessageState::Queued);
    let again = bench.store.recover(bench.now).await.unwrap();
    assert_eq!(again, Recovered::default(), "the journal is read once");
    let last = bench.store.events_of(armed).await.unwrap().pop().unwrap();
    assert_eq!(
        last.reason.unwrap(),
        "stopped after Ctrl-Z was allowed: it may or may not be out"
    );
}

#[tokio::test]
async fn silence_is_settled_by_a_late_answer() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    for told in [true, false] {
        let id = bench.queue(1).await;
        let claim = bench.claim(sim).await.unwrap();
        bench
            .settle(&claim, Verdict::Unanswered(failure("unanswered")))
            .await;
        assert_eq!(bench.state(id).await, MessageState::Uncertain);
        let token = told.then_some(claim.token);
        let late = bench
            .store
            .late_answer(sim, token, Some(Mr(4)), bench.now)
            .await;
        assert_eq!(late.unwrap(), Settled::Written);
        assert_eq!(bench.state(id).await, MessageState::Sent);
    }
    let nobody = bench
        .store
        .late_answer(sim, None, Some(Mr(5)), bench.now)
        .await;
    assert_eq!(
        nobody.unwrap(),
        Settled::Stale,
        "the newest attempt has its answer"
    );
}

#[tokio::test]
async fn silence_is_settled_by_a_report_if_it_can_mean_only_one_text() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    bench
        .settle(&claim, Verdict::Unanswered(failure("unanswered")))
        .await;
    assert_eq!(
        bench.report_for(sim, 9, 0, "+380501112233").await,
        Matched::Unmatched
    );
    assert_eq!(bench.report(sim, 8, 0).await, Matched::Part(id, PartNo(1)));
    assert_eq!(bench.state(id).await, MessageState::Delivered);

    for _ in 0..2 {
        bench.queue(1).await;
        let claim = bench.claim(sim).await.unwrap();
        bench
            .settle(&claim, Verdict::Unanswered(failure("unanswered")))
            .await;
    }
    assert_eq!(
        bench.report(sim, 10, 0).await,
        Matched::Unmatched,
        "two could be meant"
    );
}

#[tokio::test]
async fn a_report_that_came_before_the_silence_is_evidence_as_well() {
    for killed in [false, true] {
        let bench = Bench::new();
        let sim = bench.sim(1).await;
        let id = bench.queue(1).await;
        let claim = bench.claim(sim).await.unwrap();
        assert!(bench.store.arm(claim.token, bench.now).await.unwrap());
        assert_eq!(bench.report(sim, 6, 0).await, Matched::Unmatched);
        if killed {
            bench.store.recover(bench.now).await.unwrap();
        } else {
            bench
                .settle(&claim, Verdict::Unanswered(failure("unanswered")))
                .await;
        }
        assert_eq!(
            bench.state(id).await,
            MessageState::Delivered,
            "killed: {killed}"
        );
        assert_eq!(bench.message(id).await.error, None);
    }
}

#[tokio::test]
async fn an_early_report_is_not_given_to_an_old_text_of_the_same_reference() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let old = bench.queue(1).await;
    bench.send(sim, 3).await;
    bench.report(sim, 3, 0).await;
    bench.pass(3600);
    let new = bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    assert!(bench.store.arm(claim.token, bench.now).await.unwrap());
    assert_eq!(
        bench.report(sim, 3, 0x41).await,
        Matched::Unmatched,
        "its answer decides"
    );
    bench.settle(&claim, Verdict::Accepted(Some(Mr(3)))).await;
    assert_eq!(bench.state(old).await, MessageState::Delivered);
    assert_eq!(bench.state(new).await, MessageState::Undelivered);
}

#[tokio::test]
async fn the_error_of_a_message_is_that_of_its_worst_part_whatever_comes_later() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(2).await;
    let first = bench.claim(sim).await.unwrap();
    bench
        .settle(&first, Verdict::Unanswered(failure("unanswered")))
        .await;
    bench.send(sim, 2).await;
    assert_eq!(bench.message(id).await.error.unwrap().code, "unanswered");
    bench.report(sim, 2, 0).await;
    let message = bench.message(id).await;
    assert_eq!(message.state, MessageState::Uncertain);
    assert_eq!(message.error.unwrap().code, "unanswered");
    let late = bench
        .store
        .late_answer(sim, Some(first.token), Some(Mr(1)), bench.now);
    late.await.unwrap();
    assert_eq!(bench.message(id).await.error, None);
}

#[tokio::test]
async fn a_part_that_may_be_out_keeps_its_text_on_its_sim() {
    let bench = Bench::new();
    let grace = Grace {
        otp: Some(Duration::ZERO),
        transactional: None,
    };
    let (one, two) = (bench.sim(1).await, bench.sim(2).await);
    let id = bench.queue_as(2, MessageClass::Otp).await;
    let first = bench.claim(one).await.unwrap();
    bench
        .settle(&first, Verdict::Unanswered(failure("unanswered")))
        .await;
    bench
        .store
        .resend_uncertain(grace, bench.now)
        .await
        .unwrap();
    assert!(
        bench.claim(two).await.is_none(),
        "its first part may be out"
    );
    let again = bench.claim(one).await.unwrap();
    assert_eq!((again.message, again.part), (id, PartNo(1)));
    assert_eq!(again.concat_reference, first.concat_reference);
}

#[tokio::test]
async fn a_stopped_part_is_told_and_evidence_overrules_the_stop() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(2).await;
    let claim = bench.claim(sim).await.unwrap();
    bench
        .settle(&claim, Verdict::Refused(failure("invalid_number")))
        .await;
    let kinds = bench.kinds(id).await;
    assert_eq!(
        kinds[1..],
        [
            "part.sending",
            "message.sending",
            "part.canceled",
            "part.failed",
            "message.failed"
        ]
        .map(String::from)[..],
        "{kinds:?}"
    );
}

/// A claim that has found nothing and stands until `leave`.
async fn stand<'a>(
    bench: &'a Bench,
    sim: SimId,
    leave: &'a CancellationToken,
) -> Pin<Box<dyn Future<Output = Option<Claim>> + 'a>> {
    let left = leave.cancelled();
    let claim = bench.store.settle_and_claim(sim, None, bench.now, left);
    let mut claim: Pin<Box<dyn Future<Output = Option<Claim>> + 'a>> =
        Box::pin(async move { claim.await.unwrap() });
    let first = std::future::poll_fn(|context| Poll::Ready(claim.as_mut().poll(context)));
    assert!(first.await.is_pending(), "nothing to do");
    claim
}

#[tokio::test]
async fn a_text_is_accepted_and_claimed_in_one_commit() {
    let bench = Bench::new();
    let (one, two) = (bench.sim(1).await, bench.sim(2).await);
    let stays = CancellationToken::new();
    let first = stand(&bench, two, &stays).await;
    let second = stand(&bench, one, &stays).await;
    let texts = [
        bench.queue(3).await,
        bench.queue(1).await,
        bench.queue(1).await,
    ];
    // Nobody has heard of it yet, and it is done: who stands the longest has the first.
    let mut states = Vec::new();
    for text in texts {
        states.push((bench.state(text).await, bench.message(text).await.sim));
    }
    let expected = [
        (MessageState::Sending, Some(two)),
        (MessageState::Sending, Some(one)),
        (MessageState::Queued, None),
    ];
    assert_eq!(states, expected);
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!([first.message, second.message], texts[..2]);
    assert!(bench.store.arm(first.token, bench.now).await.unwrap());
    assert!(first.more && !second.more);
}

#[tokio::test]
async fn a_claim_that_was_taken_back_gets_nothing() {
    let bench = Bench::new();
    let (one, two) = (bench.sim(1).await, bench.sim(2).await);
    let (leaves, stays) = (CancellationToken::new(), CancellationToken::new());
    let gone = stand(&bench, one, &leaves).await;
    let other = stand(&bench, two, &stays).await;
    leaves.cancel();
    assert!(gone.await.is_none());
    let text = bench.queue(1).await;
    assert_eq!(other.await.unwrap().message, text);
    let waits = bench.queue(1).await;
    assert_eq!(bench.state(waits).await, MessageState::Queued);
    let again = bench.claim(one).await.map(|claim| claim.message);
    assert_eq!(again, Some(waits), "it may ask again");
}

#[tokio::test]
async fn work_that_waits_for_one_sim_goes_to_that_one() {
    let mut bench = Bench::new();
    let (one, two) = (bench.sim(1).await, bench.sim(2).await);
    let text = bench.queue(2).await;
    bench.send(one, 1).await;
    let claim = bench.claim(one).await.unwrap();
    bench
        .settle(&claim, Verdict::TryAgain(failure("busy"), RETRY))
        .await;
    bench.pass(10);
    let leaves = CancellationToken::new();
    let other = stand(&bench, two, &leaves).await;
    let own = stand(&bench, one, &leaves).await;
    bench.store.release_due(bench.now).await.unwrap();
    leaves.cancel();
    let own = own.await.map(|claim| (claim.message, claim.part));
    assert_eq!(own, Some((text, PartNo(2))));
    assert!(other.await.is_none());
}

#[tokio::test]
async fn silence_buys_one_second_chance_and_only_by_policy() {
    let grace = Grace {
        otp: Some(Duration::from_secs(60)),
        transactional: Some(Duration::from_secs(300)),
    };
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let otp = bench.queue_as(1, MessageClass::Otp).await;
    let bill = bench.queue_as(1, MessageClass::Transactional).await;
    let offer = bench.queue_as(1, MessageClass::Marketing).await;
    for _ in 0..3 {
        let claim = bench.claim(sim).await.unwrap();
        bench
            .settle(&claim, Verdict::Unanswered(failure("unanswered")))
            .await;
    }
    let end = bench.now.plus(Duration::from_secs(60));
    assert_eq!(
        bench
            .store
            .resend_uncertain(grace, bench.now)
            .await
            .unwrap(),
        Some(end)
    );
    bench.pass(60);
    bench
        .store
        .resend_uncertain(grace, bench.now)
        .await
        .unwrap();
    assert_eq!(bench.state(otp).await, MessageState::Queued);
    bench.pass(500);
    bench
        .store
        .resend_uncertain(grace, bench.now)
        .await
        .unwrap();
    let state = bench.state(bill).await;
    assert_eq!(
        state,
        MessageState::Uncertain,
        "this SIM's reports are not known to come"
    );

    let claim = bench.claim(sim).await.unwrap();
    assert_eq!(claim.message, otp);
    bench.settle(&claim, Verdict::Accepted(Some(Mr(77)))).await;
    bench.report(sim, 77, 0).await;
    bench
        .store
        .resend_uncertain(grace, bench.now)
        .await
        .unwrap();
    assert_eq!(
        bench.state(bill).await,
        MessageState::Queued,
        "now they are"
    );
    assert_eq!(
        bench.state(offer).await,
        MessageState::Uncertain,
        "marketing rests"
    );

    let claim = bench.claim(sim).await.unwrap();
    bench
        .settle(&claim, Verdict::Unanswered(failure("unanswered")))
        .await;
    bench.pass(100_000);
    assert_eq!(
        bench
            .store
            .resend_uncertain(grace, bench.now)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        bench.state(bill).await,
        MessageState::Uncertain,
        "not a third time"
    );
}

#[tokio::test]
async fn a_late_answer_does_not_disturb_the_second_chance_in_flight() {
    let bench = Bench::new();
    let grace = Grace {
        otp: Some(Duration::ZERO),
        transactional: None,
    };
    let sim = bench.sim(1).await;
    let id = bench.queue_as(1, MessageClass::Otp).await;
    let first = bench.claim(sim).await.unwrap();
    bench
        .settle(&first, Verdict::Unanswered(failure("unanswered")))
        .await;
    bench
        .store
        .resend_uncertain(grace, bench.now)
        .await
        .unwrap();
    let second = bench.claim(sim).await.unwrap();
    let late = bench
        .store
        .late_answer(sim, Some(first.token), Some(Mr(1)), bench.now)
        .await;
    assert_eq!(late.unwrap(), Settled::Overtaken);
    assert_eq!(
        bench.settle(&second, Verdict::Accepted(Some(Mr(2)))).await,
        Settled::Written
    );
    assert_eq!(
        bench.report(sim, 1, 0).await,
        Matched::Part(id, PartNo(1)),
        "its report still counts"
    );
    assert_eq!(bench.state(id).await, MessageState::Delivered);
}

#[tokio::test]
async fn reports_come_early_twice_in_other_spellings_and_as_corrections() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    let early = bench.report_for(sim, 3, 0x46, "0671234567").await;
    assert_eq!(early, Matched::Unmatched);
    bench.settle(&claim, Verdict::Accepted(Some(Mr(3)))).await;
    assert_eq!(
        bench.state(id).await,
        MessageState::Expired,
        "the early one has waited"
    );
    let again = bench.report_for(sim, 3, 0x46, "0671234567").await;
    assert_eq!(again, Matched::Repeated);
    assert_eq!(bench.report(sim, 3, 0).await, Matched::Part(id, PartNo(1)));
    assert_eq!(bench.state(id).await, MessageState::Delivered);
    assert_eq!(bench.kinds(id).await.last().unwrap(), "message.corrected");
    assert_eq!(bench.message(id).await.error, None);
}

#[tokio::test]
async fn a_reference_wraps_and_means_the_text_that_still_waits() {
    let mut bench = Bench::new();
    let (sim, other) = (bench.sim(1).await, bench.sim(2).await);
    let old = bench.queue(1).await;
    bench.send(sim, 5).await;
    bench.report(sim, 5, 0).await;
    bench.pass(3600);
    let new = bench.queue(1).await;
    bench.send(sim, 5).await;
    assert_eq!(
        bench.report(other, 5, 0).await,
        Matched::Unmatched,
        "another SIM's report"
    );
    assert_eq!(
        bench.report(sim, 5, 0x41).await,
        Matched::Part(new, PartNo(1))
    );
    assert_eq!(bench.state(old).await, MessageState::Delivered);
    assert_eq!(bench.state(new).await, MessageState::Undelivered);
    bench.pass(81 * 3600);
    assert_eq!(
        bench.report(sim, 5, 0).await,
        Matched::Unmatched,
        "too old to be meant"
    );
}

#[tokio::test]
async fn a_temporary_report_is_noted_and_changes_nothing() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let id = bench.queue(1).await;
    bench.send(sim, 5).await;
    bench.report(sim, 5, 0x22).await;
    assert_eq!(bench.state(id).await, MessageState::Sent);
    assert_eq!(bench.kinds(id).await.last().unwrap(), "message.note");
    bench.report(sim, 5, 0x01).await;
    assert_eq!(
        bench.state(id).await,
        MessageState::Sent,
        "forwarded is not confirmed"
    );
}

#[tokio::test]
async fn lists_are_pages_newest_first() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(bench.queue(1).await);
    }
    bench.send(sim, 1).await;
    ids.reverse();
    let page = |filter| bench.store.messages(filter);
    let first = page(Filter {
        limit: 2,
        ..Filter::default()
    })
    .await
    .unwrap();
    assert!(first.more);
    assert_eq!(
        first.messages.iter().map(|m| m.id).collect::<Vec<_>>(),
        ids[..2]
    );
    let before = first.messages.last().map(|m| m.id);
    let rest = page(Filter {
        limit: 10,
        before,
        ..Filter::default()
    })
    .await
    .unwrap();
    assert!(!rest.more);
    assert_eq!(
        rest.messages.iter().map(|m| m.id).collect::<Vec<_>>(),
        ids[2..]
    );
    let sent = Filter {
        state: Some(MessageState::Sent),
        limit: 10,
        ..Filter::default()
    };
    assert_eq!(page(sent).await.unwrap().messages.len(), 1);
    let stranger = "+380501112233".parse().ok();
    let none = Filter {
        recipient: stranger,
        limit: 10,
        ..Filter::default()
    };
    assert!(page(none).await.unwrap().messages.is_empty());
}

#[tokio::test]
async fn a_report_proves_that_a_refused_text_went() {
    for (verdict, early) in [
        (Verdict::TryAgain(failure("busy"), RETRY), false),
        (Verdict::TryAgain(failure("busy"), RETRY), true),
        (Verdict::Refused(failure("barred")), false),
        (Verdict::Refused(failure("barred")), true),
    ] {
        let mut bench = Bench::new();
        let sim = bench.sim(1).await;
        let id = bench.queue(1).await;
        let claim = bench.claim(sim).await.unwrap();
        bench.store.arm(claim.token, bench.now).await.unwrap();
        if early {
            assert_eq!(bench.report(sim, 40, 0).await, Matched::Unmatched);
            bench.settle(&claim, verdict.clone()).await;
        } else {
            bench.settle(&claim, verdict.clone()).await;
            assert_eq!(bench.report(sim, 40, 0).await, Matched::Part(id, PartNo(1)));
        }
        assert_eq!(
            bench.state(id).await,
            MessageState::Delivered,
            "{verdict:?}"
        );
        bench.pass(3600);
        bench.store.release_due(bench.now).await.unwrap();
        assert!(bench.claim(sim).await.is_none(), "it went: {verdict:?}");
    }
}

#[tokio::test]
async fn a_refusal_before_ctrl_z_is_no_text_that_went() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    bench
        .settle(&claim, Verdict::TryAgain(failure("busy"), RETRY))
        .await;
    assert_eq!(bench.report(sim, 40, 0).await, Matched::Unmatched);
}

#[tokio::test]
async fn of_two_refused_texts_no_report_is_taken_for_the_wrong_one() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    for _ in 0..2 {
        bench.queue(1).await;
        let claim = bench.claim(sim).await.unwrap();
        bench.store.arm(claim.token, bench.now).await.unwrap();
        bench
            .settle(&claim, Verdict::TryAgain(failure("busy"), RETRY))
            .await;
    }
    assert_eq!(bench.report(sim, 40, 0).await, Matched::Unmatched);
}

#[tokio::test]
async fn a_text_without_a_reference_is_found_by_its_recipient() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(bench.queue(1).await);
        let claim = bench.claim(sim).await.unwrap();
        bench.store.arm(claim.token, bench.now).await.unwrap();
        bench.settle(&claim, Verdict::Accepted(None)).await;
    }
    assert_eq!(
        bench.report_for(sim, 7, 0, "+380670000000").await,
        Matched::Unmatched
    );
    // The oldest first; each gets its own.
    for (mr, id) in (8..).zip(&ids) {
        assert_eq!(
            bench.report(sim, mr, 0).await,
            Matched::Part(*id, PartNo(1))
        );
        assert_eq!(bench.state(*id).await, MessageState::Delivered);
    }
    assert_eq!(bench.report(sim, 99, 0).await, Matched::Unmatched);
}

#[tokio::test]
async fn a_report_that_waited_for_another_answer_is_placed_after_it() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let refused = bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    bench.store.arm(claim.token, bench.now).await.unwrap();
    bench
        .settle(&claim, Verdict::TryAgain(failure("busy"), RETRY))
        .await;
    // The next one to the same number is in the air when the report of the first comes.
    let next = bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    assert_eq!(claim.message, next);
    bench.store.arm(claim.token, bench.now).await.unwrap();
    assert_eq!(bench.report(sim, 40, 0).await, Matched::Unmatched);
    bench.settle(&claim, Verdict::Accepted(Some(Mr(41)))).await;
    assert_eq!(bench.state(refused).await, MessageState::Delivered);
    assert_eq!(bench.state(next).await, MessageState::Sent);
}

/// Arms what the SIM claims next and settles it.
async fn go(bench: &Bench, sim: SimId, verdict: Verdict) {
    let claim = bench.claim(sim).await.expect("a part waits");
    assert!(bench.store.arm(claim.token, bench.now).await.unwrap());
    bench.settle(&claim, verdict).await;
}

#[tokio::test]
async fn a_correction_of_an_older_text_proves_nothing_for_a_younger_one() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let old = bench.queue(1).await;
    bench.send(sim, 5).await;
    let stamped = bench.now;
    bench.report(sim, 5, 0x46).await;
    assert_eq!(bench.state(old).await, MessageState::Expired);
    // Another text to the same number is in the air when the centre corrects itself about the first.
    let young = bench.queue(1).await;
    let claim = bench.claim(sim).await.unwrap();
    assert!(bench.store.arm(claim.token, bench.now).await.unwrap());
    bench.pass(1);
    assert_eq!(
        bench.report_stamped(sim, 5, 0, stamped).await,
        Matched::Part(old, PartNo(1))
    );
    bench
        .settle(&claim, Verdict::Unanswered(failure("silence")))
        .await;
    assert_eq!(bench.state(old).await, MessageState::Delivered);
    assert_eq!(bench.state(young).await, MessageState::Uncertain);
}

#[tokio::test]
async fn a_reference_that_came_round_is_the_waiting_texts() {
    let mut bench = Bench::new();
    let sim = bench.sim(1).await;
    let old = bench.queue(1).await;
    bench.send(sim, 5).await;
    bench.report(sim, 5, 0x46).await;
    bench.pass(60);
    // 256 texts later the modem counts 5 again, and says nothing of it.
    let young = bench.queue(1).await;
    go(&bench, sim, Verdict::Accepted(None)).await;
    assert_eq!(
        bench.report(sim, 5, 0).await,
        Matched::Part(young, PartNo(1))
    );
    assert_eq!(bench.state(old).await, MessageState::Expired);
}

#[tokio::test]
async fn of_a_silent_and_a_refused_text_no_report_is_taken_for_the_wrong_one() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let silent = bench.queue(1).await;
    go(&bench, sim, Verdict::Unanswered(failure("silence"))).await;
    bench.queue(1).await;
    go(&bench, sim, Verdict::TryAgain(failure("busy"), RETRY)).await;
    assert_eq!(bench.report(sim, 40, 0).await, Matched::Unmatched);
    assert_eq!(bench.state(silent).await, MessageState::Uncertain);
}

#[tokio::test]
async fn a_text_that_asked_for_no_report_takes_none_and_hides_none() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    let without = NewMessage {
        report: false,
        ..bench.new_message(1, MessageClass::Transactional)
    };
    let without = bench.keep(without).await;
    go(&bench, sim, Verdict::Unanswered(failure("silence"))).await;
    let with = bench.queue(1).await;
    go(&bench, sim, Verdict::Unanswered(failure("silence"))).await;
    assert_eq!(
        bench.report(sim, 40, 0).await,
        Matched::Part(with, PartNo(1))
    );
    assert_eq!(bench.state(without).await, MessageState::Uncertain);
}

#[tokio::test]
async fn a_report_of_some_other_programs_text_is_no_evidence() {
    let bench = Bench::new();
    let sim = bench.sim(1).await;
    bench.queue(1).await;
    bench.send(sim, 100).await;
    let refused = bench.queue(1).await;
    go(&bench, sim, Verdict::TryAgain(failure("busy"), RETRY)).await;
    // Modems count: what follows 100 is not 40.
    assert_eq!(bench.report(sim, 40, 0).await, Matched::Unmatched);
    assert_eq!(bench.state(refused).await, MessageState::Queued);
    assert_eq!(
        bench.report(sim, 101, 0).await,
        Matched::Part(refused, PartNo(1))
    );
}
