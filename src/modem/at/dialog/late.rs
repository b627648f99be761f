//! What commands that were given up may still say, and what a result that comes then belongs to.

use std::time::{Duration, Instant};

use super::exchange::Exchange;
use super::running::{Phase, Running};
use crate::modem::at::Answer;
use crate::modem::at::codes::{Final, PduLength, unsolicited};
use crate::modem::at::fields::behind;
use crate::sms::causes::Cause;

/// So long after the late `+CMGS` of a text that was given up its `OK` is still awaited, and taken for no
/// other command's. A modem says both in one breath: this is the longest stall of a busy USB bus.
pub const LATE_OK: Duration = Duration::from_secs(5);

/// So long an answer may still come after its command was given up: networks take minutes over a text.
const LATE_ANSWER: Duration = Duration::from_secs(600);

/// What is still owed.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// A line of a late answer has come: up to here the next `OK` is its, too.
    ok: Option<Instant>,
    /// An answer ended before its `OK`: up to here that may come all the same.
    early: Option<Instant>,
    /// The result of a text that may be out is owed up to here.
    text: Option<Instant>,
    /// A command whose own answer is owed, up to here.
    answer: Option<(Exchange, Instant)>,
    /// A late answer's PDU is due.
    pdu: Option<PduLength>,
    /// The prompt of a text is owed by a modem that repeats commands.
    prompt: bool,
}

impl Late {
    /// A command has been given up at `now`.
    pub(super) fn given_up(&mut self, running: &Running, now: Instant) {
        let until = Some(now + LATE_ANSWER);
        let answered = running.count() > 0;
        if running.exchange.payload.is_none() {
            self.answer = until.map(|until| (running.exchange.clone(), until));
            if answered {
                self.ended_early(Some(now));
            }
        } else if answered {
            self.text_answered(Some(now));
        } else if running.phase == Phase::Answer {
            self.text = until;
        } else {
            self.prompt = running.echoed;
        }
    }

    /// An answer has ended at `now` before its `OK`, which may come all the same.
    pub(super) fn ended_early(&mut self, now: Option<Instant>) {
        self.early = now.map(|now| now + LATE_OK);
    }

    /// The running command is answered: modems answer in order, so no earlier answer comes any more. Texts
    /// are another matter: the network answers them.
    pub(super) fn is_over(&mut self) {
        (self.ok, self.early, self.pdu) = (None, None, None);
        self.answer = None;
    }

    /// A line of a late answer has come at `now`: its `OK` comes next.
    pub(super) fn answered(&mut self, now: Option<Instant>) {
        self.ok = now.map(|now| now + LATE_OK);
    }

    /// The modem was woken: whatever was on its way has come.
    pub(super) fn settle(&mut self) {
        (self.ok, self.early, self.pdu) = (None, None, None);
        self.prompt = false;
    }

    /// Whether a prompt before the echo of the command that begins now is an earlier one's.
    pub(super) fn takes_prompt(&mut self) -> bool {
        std::mem::take(&mut self.prompt)
    }

    /// Whether a line is of the answer of a command that was given up. A name that modems also say unasked
    /// proves nothing.
    pub(super) fn takes(&mut self, line: &str, now: Option<Instant>) -> bool {
        let Some((exchange, until)) = &self.answer else {
            return false;
        };
        let with_pdus = exchange.answer == Answer::WithPdus;
        let named = with_pdus || exchange.answer == Answer::Named;
        let in_time = now.is_none_or(|now| now <= *until);
        if !named || !in_time || !exchange.is_named(line) || unsolicited(line).is_some() {
            return false;
        }
        if with_pdus {
            self.pdu = behind("", line).map(|fields| PduLength::of(&fields));
        }
        self.answered(now);
        true
    }

    /// Whether a line of hex is the PDU behind a line of a late answer.
    pub(super) fn takes_pdu(&mut self, pdu: &str) -> bool {
        self.pdu
            .take_if(|length| length.may_be_junk_for(pdu))
            .is_some()
    }

    /// Whether a final result is none of the running command's.
    pub(super) fn owns(
        &mut self,
        result: Final,
        running: Option<&Running>,
        now: Option<Instant>,
    ) -> bool {
        let in_time = |until: Instant| now.is_none_or(|now| now <= until);
        let answered = self.ok.take().is_some_and(in_time);
        let early = self.early.take().is_some_and(in_time);
        self.pdu = None;
        match result {
            Final::Ok if answered => {
                self.answer = None;
                true
            }
            // A send cannot have succeeded before its payload has gone.
            Final::Ok => running.is_some_and(|running| {
                running.awaits_payload() || (early && running.lacks_lines())
            }),
            Final::Error(Cause::Cms(code)) => {
                // Before its payload has gone no network can have refused the running text.
                let of_text = running.is_none_or(|running| {
                    !running.exchange.is_about_messages()
                        || running.awaits_payload() && is_of_network(code)
                });
                of_text && self.text.take().is_some_and(in_time)
            }
            Final::Error(_) | Final::NoCarrier => false,
        }
    }

    /// The reference of a text has come late: its refusal will not.
    pub(super) fn text_answered(&mut self, now: Option<Instant>) {
        self.text = None;
        self.answered(now);
    }
}

/// Whether a code is one that the network gives, and a modem by itself never does: the causes of the
/// networks (TS 24.011, E.2; TS 23.040, 9.2.3.22), and that they say nothing in time.
fn is_of_network(code: u16) -> bool {
    matches!(code, 1..=207 | 332)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{sending, start, told};
    use super::super::{Dialog, Step};
    use super::*;
    use crate::modem::at::Ending;
    use crate::modem::at::identity::MODEL;
    use crate::modem::at::network::SignalQuality;
    use crate::modem::at::sim::ReadPin;
    use crate::modem::at::storage::ReadMessage;

    /// A dialogue in which a command was given up, and the moment.
    fn silent(exchange: Exchange, said: &str) -> (Dialog, Instant) {
        let mut dialog = Dialog::default();
        dialog.start(exchange, start()).unwrap();
        dialog.receive(said.as_bytes());
        dialog.go(start());
        let due = dialog.wake_at().unwrap();
        dialog.tick(due);
        told(&mut dialog);
        (dialog, due)
    }

    fn next(dialog: &mut Dialog, exchange: Exchange, now: Instant, said: &str) -> Vec<String> {
        dialog.start(exchange, now).unwrap();
        assert!(matches!(dialog.poll(), Some(Step::Write(_))));
        dialog.receive_at(said.as_bytes(), now);
        told(dialog)
    }

    #[test]
    fn the_refusal_of_a_text_refuses_nothing_else() {
        let refusal = "news LateFinal(Error(Cms(38)))";
        let said = "\r\n+CMS ERROR: 38\r\n\r\n+CSQ: 1,0\r\n\r\nOK\r\n";
        let signal = || Exchange::of(&SignalQuality);
        for woken in [false, true] {
            let (mut dialog, now) = silent(sending(), "\r\n> ");
            if woken {
                dialog.clear();
                told(&mut dialog);
            }
            let told = next(&mut dialog, signal(), now, said);
            assert_eq!(told, [refusal, "ok +CSQ: 1,0"]);
        }
        // One refusal is owed; a command about messages may be refused itself.
        let refused = "error `AT+CSQ` was refused with `+CMS ERROR: 38`";
        let twice = format!("\r\n+CMS ERROR: 38\r\n{said}");
        let (mut dialog, now) = silent(sending(), "\r\n> ");
        assert_eq!(
            next(&mut dialog, signal(), now, &twice)[..2],
            [refusal, refused]
        );
        let (mut dialog, now) = silent(sending(), "\r\n> ");
        let read = next(
            &mut dialog,
            Exchange::of(&ReadMessage(3)),
            now,
            "+CMS ERROR: 321\r\n",
        );
        assert_eq!(
            read,
            ["error `AT+CMGR=3` was refused with `+CMS ERROR: 321`"]
        );
        // Another text that has no prompt yet: no network has seen it, but its modem may refuse it.
        for (code, of_owed) in [
            (1, true),
            (38, true),
            (332, true),
            (322, false),
            (500, false),
        ] {
            let said = format!("\r\n+CMS ERROR: {code}\r\n");
            let (mut dialog, now) = silent(sending(), "\r\n> ");
            let told = next(&mut dialog, sending(), now, &said);
            let refusal = format!("news LateFinal(Error(Cms({code})))");
            assert_eq!(told == [refusal], of_owed, "{code}: {told:?}");
        }
        // A text that never got its prompt owes none.
        let (mut dialog, now) = silent(sending(), "");
        assert_eq!(next(&mut dialog, signal(), now, said)[0], refused);
    }

    #[test]
    fn the_answer_of_a_command_given_up_takes_its_ok_along() {
        let said = "\r\n+CSQ: 14,99\r\n\r\nOK\r\n\r\nE1752\r\n\r\nOK\r\n";
        let late = [
            "news Noise(\"+CSQ: 14,99\")",
            "news LateFinal(Ok)",
            "ok E1752",
        ];
        let (mut dialog, now) = silent(Exchange::of(&SignalQuality), "");
        let model = || Exchange::of(&MODEL);
        assert_eq!(next(&mut dialog, model(), now, said), late);
        let (mut dialog, now) = silent(Exchange::of(&SignalQuality), "");
        let later = now + LATE_ANSWER + Duration::from_secs(1);
        let told = next(&mut dialog, model(), later, said);
        assert_eq!(told[..2], ["news Noise(\"+CSQ: 14,99\")", "ok "]);
        // Modems answer in order: behind another answer it is none any more.
        let (mut dialog, now) = silent(Exchange::of(&SignalQuality), "");
        next(&mut dialog, model(), now, "\r\nE1752\r\n\r\nOK\r\n");
        let told = next(&mut dialog, model(), now, said);
        assert_eq!(told[..2], ["news Noise(\"+CSQ: 14,99\")", "ok "]);
        // A PDU of it is no model.
        let (mut dialog, now) = silent(Exchange::of(&ReadMessage(0)), "");
        let said = "\r\n+CMGR: 0,,2\r\n00A7\r\n\r\nOK\r\n\r\nE1752\r\n\r\nOK\r\n";
        let told = next(&mut dialog, model(), now, said);
        assert_eq!(
            told[1..],
            ["news Noise(\"00A7\")", "news LateFinal(Ok)", "ok E1752"]
        );
    }

    #[test]
    fn the_ok_behind_a_first_line_ends_no_other_command() {
        let said = "\r\nOK\r\n\r\n+CSQ: 1,0\r\n\r\nOK\r\n";
        for (pause, first) in [(LATE_OK, "news LateFinal(Ok)"), (2 * LATE_OK, "ok ")] {
            let begun = start();
            let mut dialog = Dialog::default();
            let pin = Exchange::of(&ReadPin(Ending::FirstLine));
            let told = next(&mut dialog, pin, begun, "\r\n+CPIN: READY\r\n");
            assert_eq!(told, ["ok +CPIN: READY"]);
            let now = begun + pause;
            let told = next(&mut dialog, Exchange::of(&SignalQuality), now, said);
            assert_eq!(told[0], first, "{pause:?}");
        }
    }

    #[test]
    fn a_late_prompt_is_told_by_the_echo_that_is_missing() {
        let cases = [("AT+CMGS=4\r", false), ("", true)];
        for (echo, prompted) in cases {
            let (mut dialog, now) = silent(sending(), echo);
            let told = next(&mut dialog, sending(), now, "\r\n> ");
            assert_eq!(told == ["prompted"], prompted, "{echo:?}");
            dialog.receive(b"AT+CMGS=4\r\r\n> ");
            assert_eq!(
                super::super::tests::told(&mut dialog) == ["prompted"],
                !prompted
            );
        }
    }
}
