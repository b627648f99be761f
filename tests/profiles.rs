//! The manners of each family, as a modem of that family meets them: every line of `hardware/profiles`
//! that differs makes a difference here.
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

use std::time::Duration;

use driver::{Bench, changed, families};
use script::{Heard, Pipes, Say, Script, polite, text};
use simpost::modem::port::Line;
use simpost::modem::profile::Choice;
use simpost::modem::status::State;
use simpost::modem::{Event, Outcome};
use simpost::sms::ids::Mr;
use tokio::time::Instant;

const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

/// Who a modem says it is.
const MODEMS: &[(&str, &str, &str)] = &[
    ("cinterion", "Cinterion", "EHS6"),
    ("generic", "Maker", "Model 1"),
    ("huawei", "huawei", "E173"),
    ("quectel", "Quectel", "EC25"),
    ("simcom-2g", "SIMCOM_Ltd", "SIMCOM_SIM800L"),
    ("simcom-lte", "SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H"),
    ("telit", "Telit", "HE910"),
    ("u-blox", "u-blox", "SARA-U201"),
    ("wavecom", "WAVECOM MODEM", "MULTIBAND  900E  1800"),
    ("zte", "ZTE INCORPORATED", "MF180"),
];

/// A modem of that family, with other answers to some lines.
fn modem(family: &str, mut but: impl FnMut(&str) -> Option<Say> + Send + 'static) -> Script {
    let (_, maker, model) = *MODEMS.iter().find(|(name, ..)| *name == family).unwrap();
    // Wavecom says nothing behind this line.
    let no_ok = family == "wavecom";
    Box::new(move |line| match line {
        "AT+CGMI" => Some(Say::Text(format!("\r\n{maker}\r\n\r\nOK\r\n"))),
        "AT+CGMM" => Some(Say::Text(format!("\r\n{model}\r\n\r\nOK\r\n"))),
        "AT+CPIN?" if no_ok => text("\r\n+CPIN: READY\r\n"),
        _ => but(line),
    })
}

async fn ready(script: Script) -> Bench {
    let bench = Bench::start(vec![script]);
    bench
        .status_when(|status| status.state == State::Ready)
        .await;
    bench
}

#[tokio::test(start_paused = true)]
async fn each_family_is_recognised_and_brought_up_at_once() {
    for (family, maker, _) in MODEMS {
        let begun = Instant::now();
        let bench = ready(modem(family, |_| None)).await;
        let status = &bench.roster.all()[0];
        assert_eq!(status.found.profile.as_deref(), Some(*family));
        assert_eq!(status.found.manufacturer.as_deref(), Some(*maker));
        // No question that the family answers otherwise is waited for.
        assert!(begun.elapsed() < Duration::from_secs(2), "{family}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_says_ok_where_none_is_due_confuses_nobody() {
    let mut usual = modem("wavecom", |_| None);
    let bench = ready(Box::new(move |line| match line {
        "AT+CPIN?" => Some(Say::Twice(
            "\r\n+CPIN: READY\r\n".into(),
            Duration::from_millis(50),
            "\r\nOK\r\n".into(),
        )),
        _ => usual(line),
    }))
    .await;
    let found = &bench.roster.all()[0].found;
    assert_eq!(found.imsi.as_ref().unwrap().as_str(), "255030000000001");
    assert_eq!(
        bench.heard.after("AT+CCID")[0],
        "AT+CIMI",
        "at the first try"
    );
}

#[tokio::test(start_paused = true)]
async fn each_family_is_asked_in_its_own_words() {
    const CASES: &[(&str, &[&str])] = &[
        ("cinterion", &["AT^SCID", "AT+CSMS=0"]),
        (
            "generic",
            &["AT+CCID", "AT+CSMS=0", "AT+CPMS=\"SM\",\"SM\",\"SM\""],
        ),
        ("huawei", &["AT^CURC=0", "AT^ICCID?"]),
        ("quectel", &["AT+QCCID", "AT+CSMS=1"]),
        ("simcom-2g", &["AT+CLTS=0", "AT+CCID"]),
        (
            "simcom-lte",
            &[
                "AT+CNSMOD=0",
                "AT+AUTOCSQ=0",
                "AT+CGEREP=0",
                "AT+CTZR=0",
                "AT+CICCID",
            ],
        ),
        ("telit", &["AT#CCID"]),
        ("u-blox", &["AT+UPSV=0"]),
        ("wavecom", &["AT+CPMS=\"SM\"", "AT+CPMS=?"]),
        ("zte", &["AT+CPMS?", "AT+CCID"]),
    ];
    for (family, expected) in CASES {
        // No command but the generic one tells the card's number: those before it are heard as well.
        let script = modem(family, |line| match line {
            "AT+CCID" => None,
            line if line.contains("CCID") || line.contains("SCID") => text("\r\nERROR\r\n"),
            _ => None,
        });
        let heard = ready(script).await.heard.lines();
        let mut asked = heard.iter();
        for line in *expected {
            assert!(
                asked.any(|heard| heard == line),
                "{family}: {line} in {heard:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_family_has_its_order_of_routings() {
    const GENERIC: &[&str] = &[
        "2,1,0,1,0",
        "1,1,0,1,0",
        "2,1,0,2,0",
        "1,1,0,2,0",
        "2,1,0,2,1",
        "2,1,0,0,0",
    ];
    const MODE_1: &[&str] = &[
        "1,1,0,1,0",
        "1,1,0,2,0",
        "2,1,0,1,0",
        "2,1,0,2,0",
        "1,1,0,0,0",
    ];
    for (family, ..) in MODEMS {
        let expected = match *family {
            "huawei" => &[
                "2,1,0,1,0",
                "2,1,0,2,0",
                "1,1,0,1,0",
                "1,1,0,2,0",
                "2,1,0,0,0",
            ],
            "cinterion" => &[
                "2,1,0,1,1",
                "2,1,0,2,1",
                "1,1,0,1,1",
                "1,1,0,2,1",
                "2,1,0,0,1",
            ],
            "zte" | "simcom-lte" => MODE_1,
            _ => GENERIC,
        };
        let refuses = modem(family, |line| {
            let routing = line.starts_with("AT+CNMI=");
            routing.then(|| text("\r\n+CMS ERROR: 303\r\n")).flatten()
        });
        let heard = ready(refuses).await.heard.lines();
        let tried: Vec<_> = heard
            .iter()
            .filter_map(|line| line.strip_prefix("AT+CNMI="))
            .collect();
        assert_eq!(tried, expected, "{family}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_link_is_held_where_the_family_can() {
    for (family, ..) in MODEMS {
        let mut bench = ready(modem(family, |_| None)).await;
        bench.send_of_many(1).await;
        assert_eq!(bench.outcome().await, Outcome::Accepted(Some(Mr(23))));
        let cannot = ["cinterion", "simcom-2g", "wavecom"].contains(family);
        assert_eq!(
            bench.heard.count("AT+CMMS=1"),
            usize::from(!cannot),
            "{family}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_family_has_its_form_of_acknowledgement() {
    for (family, ..) in MODEMS {
        let mut told = false;
        let script = modem(family, move |line| match line {
            "AT+CSMS?" => text("\r\n+CSMS: 1,1,1,1\r\n\r\nOK\r\n"),
            "AT+CSQ" if !std::mem::replace(&mut told, true) => Some(Say::Text(format!(
                "\r\n+CSQ: 14,99\r\n\r\nOK\r\n\r\n+CDS: 25\r\n{REPORT}\r\n"
            ))),
            _ => None,
        });
        let mut bench = ready(script).await;
        let Event::Report { kept, .. } = bench.event().await else {
            panic!("{family}: no report");
        };
        kept.send(()).unwrap();
        let form = if *family == "cinterion" {
            "AT+CNMA=1"
        } else {
            "AT+CNMA"
        };
        bench.heard.until(form).await;
    }
}

/// The speeds that are tried until the modem answers.
async fn tried(line: Line, speed: u32, manners: Choice) -> (Vec<u32>, Duration) {
    let heard = Heard::default();
    let (port, tried) = Pipes::new("uart", vec![polite()], &heard).at_speed(line, speed);
    let begun = Instant::now();
    let bench = Bench::start_on(port, manners, true);
    bench
        .status_when(|status| status.state == State::Ready)
        .await;
    let tried = tried.lock().unwrap().clone();
    (tried, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn the_speed_of_a_uart_is_hunted_for() {
    let all = || Choice::Recognised(families());
    let (speeds, took) = tried(Line::Uart, 19_200, all()).await;
    assert_eq!(speeds, [115_200, 9600, 19_200]);
    assert!(took < Duration::from_secs(10), "{took:?}");
    // Those of Siemens stand at this one as often as not.
    let cinterion = changed("cinterion", |_| ());
    let (speeds, _) = tried(Line::Uart, 19_200, cinterion).await;
    assert_eq!(speeds, [115_200, 19_200]);
    // Behind USB there may be a UART: only when nobody answers at all.
    let (speeds, _) = tried(Line::PerhapsUart, 9600, all()).await;
    assert_eq!(speeds, [115_200, 9600]);
    let (speeds, _) = tried(Line::PerhapsUart, 115_200, all()).await;
    assert_eq!(speeds, [115_200]);
}

#[tokio::test(start_paused = true)]
async fn the_speed_that_worked_is_tried_first_after_a_loss() {
    let heard = Heard::default();
    let mut looks = 0;
    let hangs: Script = Box::new(move |line| {
        looks += u32::from(line == "AT+CSQ");
        (looks == 2).then_some(Say::Hang)
    });
    let port = Pipes::new("uart", vec![hangs, polite()], &heard);
    let (port, tried) = port.at_speed(Line::Uart, 9600);
    let bench = Bench::start_on(port, Choice::Recognised(families()), true);
    let ready = |wanted: usize| {
        let heard = heard.clone();
        move |status: &simpost::modem::status::Status| {
            status.state == State::Ready && heard.count("AT+CREG?") == wanted
        }
    };
    bench.status_when(ready(1)).await;
    bench.status_when(ready(2)).await;
    assert_eq!(*tried.lock().unwrap(), [115_200, 9600, 9600]);
}
