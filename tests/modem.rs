//! The driver against a scripted modem over an in-memory pipe, in virtual time.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
#[path = "support/driver.rs"]
mod driver;
#[expect(dead_code, reason = "each test file uses a part of it")]
#[path = "support/script.rs"]
mod script;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driver::Bench;
use script::{Say, Script, manners, polite, text};
use simpost::modem::at::messaging::ReportRouting;
use simpost::modem::status::{State, Status};
use simpost::modem::{Event, Outcome};
use simpost::sms::causes::{Cause, Family};
use simpost::sms::ids::{Mr, SimId, Token};
use tokio::time::{Instant, sleep, timeout};

const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

#[tokio::test(start_paused = true)]
async fn brings_a_modem_up_and_sends_a_text() {
    let mut bench = Bench::start(vec![polite()]);
    bench.send(7).await;
    assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
    let expected = [
        "\u{1b}",
        "AT",
        "ATE0",
        "AT+CMEE=1",
        "AT+CGMI",
        "AT+CGMM",
        "AT+CGSN",
        "AT+CPIN?",
        "AT+CCID",
        "AT+CIMI",
        "AT+CMGF=0",
        "AT+CSCS=\"GSM\"",
        "AT+CSMS=0",
        "AT+CSMS?",
        "AT+CPMS=\"SM\",\"SM\",\"SM\"",
        "AT+CPMS=?",
        "AT+CNMI=2,1,0,1,0",
        "AT+CNMI?",
        "AT+CSCA?",
        "AT+CNUM",
        "AT+CREG=1",
        "AT+CREG?",
        "AT+COPS?",
        "AT+CPMS=\"SM\"",
        "AT+CMGL=4",
        "AT+CMGS=3",
        "0031000C\u{1a}",
    ];
    assert_eq!(bench.heard.lines()[..expected.len()], expected);
    assert_eq!(*bench.desk.armed.lock().unwrap(), [Token(7)]);
    let status = bench
        .status_when(|status| status.state == State::Ready)
        .await;
    assert_eq!(status.found.model.as_deref(), Some("Model 1"));
    assert_eq!((status.sim, status.accepted), (Some(SimId(1)), 1));
}

#[tokio::test(start_paused = true)]
async fn without_the_journal_nothing_is_sent() {
    let mut bench = Bench::start_with(vec![polite()], false);
    bench.send(7).await;
    let outcome = bench.outcome().await;
    assert!(
        matches!(&outcome, Outcome::GivenBack { reason } if reason.contains("written down")),
        "{outcome:?}"
    );
    assert_eq!(
        bench.heard.after("AT+CMGS=3").first().map(String::as_str),
        Some("\u{1b}")
    );
    assert!(
        !bench
            .heard
            .lines()
            .iter()
            .any(|line| line.ends_with('\u{1a}'))
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_refusal_proves_depends_on_when_it_comes() {
    let before: Script = Box::new(|line| {
        if line.starts_with("AT+CMGS") {
            text("\r\n+CMS ERROR: 332\r\n")
        } else {
            None
        }
    });
    let mut bench = Bench::start(vec![before]);
    bench.send(1).await;
    assert!(matches!(
        bench.outcome().await,
        Outcome::NotSubmitted {
            cause: Some(Cause::Cms(332)),
            ..
        }
    ));

    let after: Script = Box::new(|line| {
        if line.ends_with('\u{1a}') {
            text("\r\n+CMS ERROR: 332\r\n")
        } else {
            None
        }
    });
    let mut bench = Bench::start(vec![after]);
    bench.send(1).await;
    assert_eq!(bench.outcome().await, Outcome::Refused(Cause::Cms(332)));
}

#[tokio::test(start_paused = true)]
async fn a_reference_counts_whatever_stands_behind_it() {
    for end in ["\r\n+CMS ERROR: 500\r\n", "\r\nERROR\r\n", "\r\nOKRING\r\n"] {
        let script: Script = Box::new(move |line| {
            let sent = line.ends_with('\u{1a}');
            sent.then(|| Say::Text(format!("\r\n+CMGS: 23\r\n{end}")))
        });
        let mut bench = Bench::start(vec![script]);
        bench.send(1).await;
        let accepted = Outcome::Accepted(Some(Mr(23)));
        assert_eq!(bench.outcome().await, accepted, "{end:?}");
    }
    let script: Script = Box::new(|line| {
        let sent = line.ends_with('\u{1a}');
        sent.then(|| Say::Text("\r\n+CMGS: 23\r\n".to_owned()))
    });
    let mut bench = Bench::start(vec![script]);
    bench.send(5).await;
    let silent = bench.outcome().await;
    assert!(matches!(silent, Outcome::Unanswered { .. }), "{silent:?}");
    match bench.event().await {
        Event::Late { token, mr, .. } => {
            assert_eq!((token, mr), (Some(Token(5)), Some(Mr(23))));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_is_read_as_the_maker_of_the_modem_means_it() {
    let script: Script = Box::new(|line| {
        if line == "AT+CGMI" {
            text("\r\nSIEMENS\r\n\r\nOK\r\n")
        } else if line.ends_with('\u{1a}') {
            text("\r\n+CMS ERROR: 513\r\n")
        } else {
            None
        }
    });
    let mut bench = Bench::start(vec![script]);
    bench.send(1).await;
    assert_eq!(
        bench.outcome().await,
        Outcome::Refused(Cause::CmsOf(Family::Siemens, 513))
    );
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_never_comes_costs_no_text() {
    let mut refusals = 1;
    let script: Script = Box::new(move |line| {
        if line.starts_with("AT+CMGS") && refusals > 0 {
            refusals -= 1;
            return Some(Say::Silence);
        }
        None
    });
    let mut bench = Bench::start(vec![script]);
    bench.send(1).await;
    assert!(matches!(
        bench.outcome().await,
        Outcome::NotSubmitted { cause: None, .. }
    ));
    bench.send(2).await;
    assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_an_earlier_text_does_not_touch_the_next() {
    let mut left = true;
    let script: Script = Box::new(move |line| {
        let first = line.starts_with("AT+CMGS") && std::mem::take(&mut left);
        // The answer of something long past, and the prompt behind it.
        first.then(|| Say::Text("\r\n+CMGS: 7\r\n\r\nOK\r\n\r\n> ".to_owned()))
    });
    let mut bench = Bench::start(vec![script]);
    bench.send(1).await;
    assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
    match bench.event().await {
        Event::Late { token, mr, .. } => assert_eq!((token, mr), (None, Some(Mr(7)))),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_told_and_a_late_answer_is_used() {
    let mut owed = false;
    let script: Script = Box::new(move |line| {
        if line.ends_with('\u{1a}') && !owed {
            owed = true;
            return Some(Say::Silence);
        }
        // It crosses the answer of a command that came meanwhile.
        let late = "\r\n+CMGS: 99\r\n\r\n+CSQ: 14,99\r\n\r\nOK\r\n";
        (owed && line == "AT+CSQ").then(|| Say::Text(late.to_owned()))
    });
    let mut bench = Bench::start(vec![script]);
    let begun = Instant::now();
    bench.send(5).await;
    let outcome = bench.outcome().await;
    assert!(
        matches!(&outcome, Outcome::Unanswered { reason } if reason.contains("180 s")),
        "{outcome:?}"
    );
    assert_eq!(begun.elapsed().as_secs(), 180);
    match bench.event().await {
        Event::Late { token, mr, sim } => {
            assert_eq!((token, mr, sim), (Some(Token(5)), Some(Mr(99)), SimId(1)));
        }
        other => panic!("{other:?}"),
    }
    bench.send(6).await;
    assert_eq!(
        bench.outcome().await,
        Outcome::Accepted(Some(Mr(23))),
        "the modem is usable again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wire_that_breaks_in_the_air_is_an_uncertain_text_and_the_port_comes_back() {
    let breaks: Script = Box::new(|line| line.ends_with('\u{1a}').then_some(Say::Hang));
    let mut bench = Bench::start(vec![breaks, polite()]);
    bench.send(1).await;
    let outcome = bench.outcome().await;
    assert!(
        matches!(&outcome, Outcome::Unanswered { reason } if reason.contains("gone")),
        "{outcome:?}"
    );
    bench.send(2).await;
    let outcome = bench.outcome().await;
    // It came while the modem was away, or when it was back already.
    if matches!(outcome, Outcome::GivenBack { .. }) {
        bench
            .status_when(|status| status.state == State::Ready)
            .await;
        bench.send(3).await;
        assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
    } else {
        assert_eq!(outcome, Outcome::Accepted(Some(Mr(23))));
    }
}

#[tokio::test(start_paused = true)]
async fn echo_that_stays_and_noise_everywhere_do_no_harm() {
    let script: Script = Box::new(|line| {
        let Say::Text(answer) = manners(line) else {
            return None;
        };
        let echo = if line == "\u{1b}" {
            String::new()
        } else {
            format!("{line}\r")
        };
        let noise = if line.starts_with("AT+CMGS") {
            ""
        } else {
            "\r\n^RSSI:14\r\n"
        };
        Some(Say::Text(format!("{noise}{echo}{answer}")))
    });
    let mut bench = Bench::start(vec![script]);
    bench.send(1).await;
    assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
    let status = bench
        .status_when(|status| status.state == State::Ready)
        .await;
    assert_eq!(status.found.manufacturer.as_deref(), Some("Maker"));
}

#[tokio::test(start_paused = true)]
async fn a_report_in_one_breath_with_the_result_is_told_at_once() {
    let script: Script = Box::new(|line| {
        let report = format!("\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n+CDS: 25\r\n{REPORT}\r\n");
        line.ends_with('\u{1a}').then_some(Say::Text(report))
    });
    let mut bench = Bench::start(vec![script]);
    // The first look at the signal is over: the next one would find the report, but a minute later.
    sleep(Duration::from_secs(5)).await;
    bench.send(1).await;
    bench.outcome().await;
    let accepted = Instant::now();
    match bench.event().await {
        Event::Report {
            sim, report, pdu, ..
        } => {
            assert_eq!(
                (sim, report.mr, report.status.0, pdu.as_str()),
                (SimId(1), Mr(23), 0, REPORT)
            );
            assert_eq!(report.recipient.to_string(), "+447700900123");
            assert_eq!(accepted.elapsed(), Duration::ZERO);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stored_report_is_deleted_only_once_it_is_kept() {
    let script: Script = Box::new(|line| match line {
        line if line.ends_with('\u{1a}') => {
            text("\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n+CDSI: \"SM\",3\r\n")
        }
        "AT+CMGR=3" => Some(Say::Text(format!(
            "\r\n+CMGR: 0,,25\r\n{REPORT}\r\n\r\nOK\r\n"
        ))),
        _ => None,
    });
    let mut bench = Bench::start(vec![script]);
    bench.send(1).await;
    bench.outcome().await;
    let Event::Report { kept, .. } = bench.event().await else {
        panic!("a report")
    };
    sleep(Duration::from_secs(5)).await;
    assert!(!bench.heard.lines().contains(&"AT+CMGD=3".to_owned()));
    kept.send(()).unwrap();
    sleep(Duration::from_secs(5)).await;
    assert!(bench.heard.lines().contains(&"AT+CMGD=3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn troubles_are_told_with_what_to_do_and_tried_again() {
    let locked: Script = Box::new(|line| {
        if line == "AT+CPIN?" {
            text("\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n")
        } else {
            None
        }
    });
    let silent: Script = Box::new(|_| Some(Say::Silence));
    let no_sim: Script = Box::new(|line| {
        if line == "AT+CPIN?" {
            text("\r\n+CME ERROR: 10\r\n")
        } else {
            None
        }
    });
    let denied: Script = Box::new(|line| match line {
        "AT+CREG?" => text("\r\n+CREG: 1,3\r\n\r\nOK\r\n"),
        "AT+CEREG?" => text("\r\nERROR\r\n"),
        _ => None,
    });
    let bench = Bench::start(vec![locked, silent, no_sim, denied, polite()]);
    for (code, message) in [
        ("sim_locked", "the SIM wants `SIM PIN` first"),
        ("no_answer", "nobody answers AT commands on this port"),
        (
            "no_sim",
            "the modem finds no SIM: `AT+CPIN?` was refused with `+CME ERROR: 10`",
        ),
        ("not_registered", "no network: it refuses this SIM"),
    ] {
        let status = bench
            .status_when(|status| {
                status
                    .trouble
                    .as_ref()
                    .is_some_and(|trouble| trouble.code == code)
            })
            .await;
        let trouble = status.trouble.unwrap();
        assert_eq!(trouble.message, message);
        assert!(!trouble.hint.is_empty());
        assert_eq!(status.state, State::Faulty);
    }
    let status = bench
        .status_when(|status| status.state == State::Ready)
        .await;
    assert_eq!(status.trouble, None);
}

/// Answers some questions so, and all others well.
fn answering(answers: &'static [(&str, &str)]) -> Script {
    Box::new(|line| {
        let answer = answers.iter().find(|(question, _)| *question == line);
        answer.and_then(|(_, answer)| text(&format!("\r\n{answer}\r\n")))
    })
}

#[tokio::test(start_paused = true)]
async fn any_registration_lets_a_sim_in() {
    const CASES: &[&[(&str, &str)]] = &[
        // A stick for LTE alone.
        &[
            ("AT+CREG?", "+CREG: 1,0\r\n\r\nOK"),
            ("AT+CGREG?", "+CGREG: 0,4\r\n\r\nOK"),
            ("AT+CEREG?", "+CEREG: 0,5\r\n\r\nOK"),
        ],
        // A module that knows no circuits.
        &[
            ("AT+CREG?", "ERROR"),
            ("AT+CGREG?", "+CGREG: 0,1\r\n\r\nOK"),
        ],
    ];
    for answers in CASES {
        let begun = Instant::now();
        let bench = Bench::start(vec![answering(answers)]);
        bench
            .status_when(|status| status.state == State::Ready)
            .await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_registration_tells_is_told_of_the_first_known_one() {
    const CASES: &[(&[(&str, &str)], &str)] = &[
        (
            &[
                ("AT+CREG?", "+CREG: 1,0\r\n\r\nOK"),
                ("AT+CGREG?", "+CGREG: 0,3\r\n\r\nOK"),
            ],
            "no network: the modem still searches",
        ),
        (
            &[
                ("AT+CREG?", "ERROR"),
                ("AT+CEREG?", "+CEREG: 0,11\r\n\r\nOK"),
            ],
            "no network: there is none for texts",
        ),
        (
            &[
                ("AT+CREG?", "ERROR"),
                ("AT+CGREG?", "ERROR"),
                ("AT+CEREG?", "ERROR"),
            ],
            "the modem refuses to tell its registration: `AT+CEREG?` was refused with `ERROR`",
        ),
    ];
    for (answers, message) in CASES {
        let bench = Bench::start(vec![answering(answers)]);
        let status = bench.status_when(|status| status.trouble.is_some()).await;
        assert_eq!(status.trouble.unwrap().message, *message);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sim_without_a_service_centre_cannot_send() {
    let empty: &[_] = &[("AT+CSCA?", "+CSCA: \"\",129\r\n\r\nOK")];
    // A modem that cannot tell is believed to have one.
    let silent: &[_] = &[("AT+CSCA?", "ERROR"), ("AT+CNUM", "ERROR")];
    let bench = Bench::start(vec![answering(empty), answering(silent), polite()]);
    let status = bench.status_when(|status| status.trouble.is_some()).await;
    let trouble = status.trouble.unwrap();
    assert_eq!(trouble.code, "no_service_centre");
    assert!(trouble.hint.contains("service centre"), "{}", trouble.hint);
    let status = bench
        .status_when(|status| status.state == State::Ready)
        .await;
    assert_eq!(status.found.service_centre, None);
    let bench = Bench::start(vec![polite()]);
    let found = bench
        .status_when(|status| status.state == State::Ready)
        .await
        .found;
    let told = [found.service_centre, found.number].map(|number| number.unwrap().to_string());
    assert_eq!(told, ["+447700900999", "+447700900111"]);
}

#[tokio::test(start_paused = true)]
async fn routings_are_tried_in_order_and_read_back() {
    let mut asked = 0;
    let script: Script = Box::new(move |line| match line {
        "AT+CNMI=2,1,0,1,0" => text("\r\n+CMS ERROR: 303\r\n"),
        // The next is accepted and not applied.
        "AT+CNMI?" => {
            asked += 1;
            text(if asked == 1 {
                "\r\n+CNMI: 1,1,0,0,0\r\n\r\nOK\r\n"
            } else {
                "\r\n+CNMI: 2,1,0,2,0\r\n\r\nOK\r\n"
            })
        }
        _ => None,
    });
    let bench = Bench::start(vec![script]);
    let status = bench
        .status_when(|status| status.state == State::Ready)
        .await;
    assert_eq!(
        status.found.reports.map(ReportRouting::as_str),
        Some("stored")
    );
    let tried: Vec<String> = bench
        .heard
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("AT+CNMI="))
        .collect();
    assert_eq!(
        tried,
        [
            "AT+CNMI=2,1,0,1,0",
            "AT+CNMI=1,1,0,1,0",
            "AT+CNMI=2,1,0,2,0"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn work_for_another_sim_and_work_without_a_modem_is_given_back() {
    let mut bench = Bench::start(vec![polite()]);
    bench
        .status_when(|status| status.state == State::Ready)
        .await;
    bench.send_from(1, 2).await;
    assert!(
        matches!(bench.outcome().await, Outcome::GivenBack { reason } if reason.contains("another SIM"))
    );
    assert!(!bench.heard.lines().contains(&"AT+CMGS=3".to_owned()));

    let mut bench = Bench::start(vec![]);
    bench.send(1).await;
    assert!(
        matches!(bench.outcome().await, Outcome::GivenBack { reason } if reason.contains("away"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_part_in_the_air() {
    let script: Script = Box::new(|line| {
        let answer = "\r\n+CMGS: 23\r\n\r\nOK\r\n".to_owned();
        line.ends_with('\u{1a}')
            .then_some(Say::Later(Duration::from_secs(30), answer))
    });
    let mut bench = Bench::start(vec![script]);
    bench
        .status_when(|status| status.state == State::Ready)
        .await;
    bench.send(1).await;
    bench
        .status_when(|status| status.state == State::Sending)
        .await;
    let asked = Instant::now();
    bench.stop.cancel();
    assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
    bench.actor.await.unwrap();
    assert!(asked.elapsed() >= Duration::from_secs(29));
    assert_eq!(bench.roster.all()[0].state, State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_dies_in_silence_is_found_out() {
    let mut looks = 0;
    let dies: Script = Box::new(move |line| {
        looks += u32::from(line == "AT+CSQ");
        (looks >= 2).then_some(Say::Silence)
    });
    let bench = Bench::start(vec![dies, Box::new(|_| Some(Say::Silence)), polite()]);
    bench
        .status_when(|status| status.state == State::Ready)
        .await;
    bench
        .status_when(|status| {
            status
                .trouble
                .as_ref()
                .is_some_and(|trouble| trouble.code == "no_answer")
        })
        .await;
    bench
        .status_when(|status| status.state == State::Ready && status.trouble.is_none())
        .await;
    bench.stop.cancel();
    timeout(Duration::from_secs(60), bench.actor)
        .await
        .expect("it ends")
        .unwrap();
}

/// Says that it has started anew at one line, and is polite again afterwards.
fn starts_anew(at: &'static str, said: &'static str) -> Script {
    let mut once = true;
    Box::new(move |line| {
        let now = line.ends_with(at) && std::mem::take(&mut once);
        now.then(|| text(said)).flatten()
    })
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_starts_anew_is_brought_up_again_at_once() {
    // In the air: no answer can come any more, so nobody waits three minutes for one.
    let in_the_air = starts_anew("\u{1a}", "\r\nRDY\r\n\r\n+CFUN: 1\r\n");
    let mut bench = Bench::start(vec![in_the_air, polite()]);
    let begun = Instant::now();
    bench.send(1).await;
    let outcome = bench.outcome().await;
    assert!(
        matches!(&outcome, Outcome::Unanswered { reason } if reason.contains("started anew")),
        "{outcome:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );

    // Idle, behind an answer.
    let idle = starts_anew("AT+CSQ", "\r\n+CSQ: 14,99\r\n\r\nOK\r\n\r\n^SYSSTART\r\n");
    let bench = Bench::start(vec![idle, polite()]);
    let lost = |status: &Status| {
        let trouble = status.trouble.as_ref();
        trouble.is_some_and(|trouble| trouble.message == "the modem has started anew")
    };
    bench.status_when(lost).await;
    bench
        .status_when(|status| status.state == State::Ready)
        .await;
    assert_eq!(
        bench.heard.count("AT+CNMI="),
        2,
        "what it forgot is told again"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_modem_said_at_its_start_does_not_start_it_anew() {
    // It was plugged in a moment ago.
    let bench = Bench::start(vec![starts_anew("\u{1b}", "\r\nRDY\r\n"), polite()]);
    let status = bench
        .status_when(|status| status.state == State::Ready)
        .await;
    assert_eq!(status.trouble, None);
    sleep(Duration::from_secs(120)).await;
    assert_eq!(bench.heard.count("AT+CNMI="), 1);
}

/// Waits until the modem with that card is ready, after the trouble that the SIM is not there.
async fn loses_its_card(bench: &Bench) {
    let lost = |status: &Status| {
        let trouble = status.trouble.as_ref();
        trouble.is_some_and(|trouble| {
            trouble.code == "no_sim" && trouble.message == "the SIM is not there any more"
        })
    };
    bench.status_when(lost).await;
    bench
        .status_when(|status| status.state == State::Ready && status.trouble.is_none())
        .await;
}

/// Answers the question for the subscriber so from the second time on.
fn card_changes(answer: &'static str) -> Script {
    let mut asked = 0;
    Box::new(move |line| {
        asked += u32::from(line == "AT+CIMI");
        (line == "AT+CIMI" && asked > 1)
            .then(|| text(answer))
            .flatten()
    })
}

#[tokio::test(start_paused = true)]
async fn a_card_that_is_pulled_or_changed_is_found_out() {
    let told: Script = Box::new(|line| {
        let said = "\r\n+CSQ: 14,99\r\n\r\nOK\r\n\r\n+CPIN: NOT READY\r\n";
        (line == "AT+CSQ").then(|| text(said)).flatten()
    });
    loses_its_card(&Bench::start(vec![told, polite()])).await;
    for answer in [
        "\r\n+CME ERROR: 10\r\n",
        "\r\nERROR\r\n",
        "\r\n255030000000002\r\n\r\nOK\r\n",
    ] {
        loses_its_card(&Bench::start(vec![card_changes(answer), polite()])).await;
    }
    // It is only busy.
    let bench = Bench::start(vec![card_changes("\r\n+CME ERROR: 14\r\n"), polite()]);
    sleep(Duration::from_secs(300)).await;
    assert!(bench.heard.count("AT+CIMI") > 3);
    assert_eq!(bench.heard.count("AT+CGSN"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_smells_of_a_missing_card_is_followed_up_at_once() {
    let mut pulled = false;
    let script: Script = Box::new(move |line| {
        pulled |= line.starts_with("AT+CMGS");
        let lacks = pulled && (line.starts_with("AT+CMGS") || line == "AT+CIMI");
        lacks.then(|| text("\r\n+CMS ERROR: 310\r\n")).flatten()
    });
    let mut bench = Bench::start(vec![script, polite()]);
    bench.send(1).await;
    bench.outcome().await;
    let begun = Instant::now();
    loses_its_card(&bench).await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_is_the_owed_texts_and_not_the_next_ones() {
    let mut sent = 0;
    let script: Script = Box::new(move |line| {
        if line.ends_with('\u{1a}') {
            sent += 1;
            return (sent == 1).then_some(Say::Silence);
        }
        // What the network says of the first text crosses the command of the second.
        let late = "\r\n+CMS ERROR: 38\r\n\r\n> ";
        let second = sent == 1 && line.starts_with("AT+CMGS=");
        second.then(|| Say::Text(late.to_owned()))
    });
    let mut bench = Bench::start(vec![script]);
    bench.send(5).await;
    let outcome = bench.outcome().await;
    assert!(matches!(outcome, Outcome::Unanswered { .. }), "{outcome:?}");
    bench.send(6).await;
    let mut told = vec![bench.event().await, bench.event().await];
    told.sort_by_key(|event| matches!(event, Event::Finished { .. }));
    match told.as_slice() {
        [
            Event::LateRefusal { token, cause },
            Event::Finished {
                outcome,
                token: next,
                ..
            },
        ] => {
            assert_eq!((*token, *cause), (Token(5), Cause::Cms(38)));
            assert_eq!(
                (*next, outcome),
                (Token(6), &Outcome::Accepted(Some(Mr(23))))
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_is_kept_while_an_answer_is_owed_and_no_longer() {
    const ANSWER: &str = "\r\n+CMGS: 99\r\n\r\nOK\r\n";
    // Later than the limit of 180 s, within the two minutes that it is listened to, and never.
    for (seconds, comes) in [(250, true), (100_000, false)] {
        let mut owes = false;
        let silent: Script = Box::new(move |line| {
            if line.ends_with('\u{1a}') && !owes {
                owes = true;
                let answer = ANSWER.to_owned();
                return Some(Say::Later(Duration::from_secs(seconds), answer));
            }
            owes.then_some(Say::Silence)
        });
        let mut bench = Bench::start(vec![silent, polite()]);
        let begun = Instant::now();
        bench.send(5).await;
        let outcome = bench.outcome().await;
        assert!(matches!(outcome, Outcome::Unanswered { .. }), "{outcome:?}");
        bench
            .status_when(|status| status.state == State::Waiting)
            .await;
        // Work that comes meanwhile is for others.
        bench.send(6).await;
        let outcome = bench.outcome().await;
        assert!(matches!(outcome, Outcome::GivenBack { .. }), "{outcome:?}");
        if comes {
            match bench.event().await {
                Event::Late { token, mr, .. } => {
                    assert_eq!((token, mr), (Some(Token(5)), Some(Mr(99))));
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(begun.elapsed().as_secs(), seconds);
        } else {
            bench
                .status_when(|status| status.state == State::Closed)
                .await;
            bench
                .status_when(|status| status.state == State::Ready)
                .await;
            let took = begun.elapsed().as_secs();
            assert!((300..330).contains(&took), "of use again after {took} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_pdu_goes_to_a_modem_that_wants_texts_in_words() {
    // It starts anew without a word, and in text mode; it answers all else as before.
    let restarted = Arc::new(AtomicBool::new(false));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (now_in_words, lines) = (Arc::clone(&restarted), Arc::clone(&heard));
    let script: Script = Box::new(move |line| {
        let in_words = now_in_words.load(Ordering::Relaxed);
        lines.lock().unwrap().push(line.to_owned());
        match line {
            "AT+CMGF?" => text(if in_words {
                "\r\n+CMGF: 1\r\n\r\nOK\r\n"
            } else {
                "\r\n+CMGF: 0\r\n\r\nOK\r\n"
            }),
            _ => None,
        }
    });
    let mut bench = Bench::start(vec![script, polite()]);
    bench.send(5).await;
    assert!(matches!(bench.outcome().await, Outcome::Accepted(_)));
    sleep(Duration::from_secs(30)).await;
    restarted.store(true, Ordering::Relaxed);
    heard.lock().unwrap().clear();
    bench.send(6).await;
    let outcome = bench.outcome().await;
    assert!(
        matches!(outcome, Outcome::NotSubmitted { .. }),
        "{outcome:?}"
    );
    let said = heard.lock().unwrap().clone();
    assert!(
        said.iter().all(|line| !line.starts_with("AT+CMGS")),
        "{said:?}"
    );
    // It is brought up anew, and of use.
    bench
        .status_when(|status| status.state == State::Ready)
        .await;
    bench.send(7).await;
    assert!(matches!(bench.outcome().await, Outcome::Accepted(_)));
}
