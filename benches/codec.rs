//! How long the codec and the framing of answers take: `cargo bench --bench codec`.
//!
//! Each row is the median of many rounds, with the spread of the half of them around it, so that what else
//! the machine does counts little and shows where it counts. The last column compares the row with the
//! first of its group within the same run. A part has a budget of 1 µs each way, framing one of 100 MB/s:
//! a row over its budget is marked, and the bench fails. Allocations are counted by `benches/allocations`,
//! a package of its own: an allocator that counts is `unsafe`, which this package forbids.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a bench measures real time and ends at the first surprise"
)]

use std::hint::black_box;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use simpost::modem::at::dialog::Dialog;
use simpost::modem::at::lines::{Buffer, PromptDue};
use simpost::sms::alphabet::{Language, Shifts};
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::{Address, Timestamp};
use simpost::sms::ids::PartNo;
use simpost::sms::number::PhoneNumber;
use simpost::sms::parts::{self, Allowed, Encoding, ReportRequest};
use simpost::sms::pdu::{self, Tpdu};

/// Rounds of a row; the quarters of them must be whole.
const ROUNDS: usize = 21;
/// How long a round is at least.
const A_ROUND: Duration = Duration::from_millis(40);

/// The longest that a part may take, in seconds.
const A_PART: f64 = 1e-6;
/// The least octets of a second that framing goes through.
const FRAMED: f64 = 100e6;

/// How long something takes, in seconds.
#[derive(Clone, Copy)]
struct Time {
    median: f64,
    /// From the first quarter of the rounds to the third.
    spread: f64,
}

/// How long one of `each` things takes that a call does.
fn timed(each: u32, mut work: impl FnMut()) -> Time {
    let mut calls = 1_u32;
    let mut round = |calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            work();
        }
        start.elapsed()
    };
    while round(calls) < A_ROUND {
        calls *= 2;
    }
    let rounds = (0..ROUNDS).map(|_| round(calls).as_secs_f64() / f64::from(calls * each));
    let mut rounds: Vec<f64> = rounds.collect();
    rounds.sort_by(f64::total_cmp);
    let quarter = |number: usize| rounds[number * (ROUNDS - 1) / 4];
    Time {
        median: quarter(2),
        spread: quarter(3) - quarter(1),
    }
}

/// A row of a group.
struct Row {
    name: &'static str,
    time: Time,
    /// The longest that it may take, in seconds.
    budget: Option<f64>,
    /// Octets that one call goes through, where a rate is asked for.
    octets: Option<f64>,
}

impl Row {
    fn part(name: &'static str, time: Time) -> Self {
        Self {
            name,
            time,
            budget: Some(A_PART),
            octets: None,
        }
    }
}

/// Prints a group; whether all its rows are within their budgets. Without optimisation nothing is.
fn print(title: &str, rows: &[Row]) -> std::io::Result<bool> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{title}")?;
    let first = rows.first().map_or(1.0, |row| row.time.median);
    let mut within = true;
    for row in rows {
        let Time { median, spread } = row.time;
        let measured = match row.octets {
            None => format!("{:>9.1} ns", median * 1e9),
            Some(octets) => format!("{:>7.1} MB/s", octets / median / 1e6),
        };
        let is_over = row.budget.is_some_and(|budget| median > budget);
        writeln!(
            out,
            "  {:<44} {measured}  ± {:>4.1} %   {:>6.2}{}",
            row.name,
            50.0 * spread / median,
            median / first,
            if is_over { "  over the budget" } else { "" }
        )?;
        within &= !is_over;
    }
    Ok(within || cfg!(debug_assertions))
}

/// A text that is one part, and how it is written.
struct Sample {
    name: &'static str,
    text: String,
    encoding: Encoding,
}

/// Full parts of each alphabet, with all that makes one dear, and a short one first.
fn texts() -> Vec<Sample> {
    let tables = |locking, single| Encoding::Gsm7(Shifts { locking, single });
    let (turkish, hindi) = (Some(Language::Turkish), Some(Language::Hindi));
    let text = |name, text: &str, encoding| Sample {
        name,
        text: text.to_owned(),
        encoding,
    };
    vec![
        text(
            "GSM 7-bit, 19 septets",
            "Order 1042 is ready",
            Encoding::Fewest,
        ),
        text("GSM 7-bit, 160 septets", FULL, Encoding::Fewest),
        text("GSM 7-bit, 80 escapes", &"€".repeat(80), Encoding::Fewest),
        text(
            "GSM 7-bit, Greek and accents",
            &"ΔΦΓΛΩΠΨΣΘΞéùìòØøÅåÆæ".repeat(8),
            Encoding::Fewest,
        ),
        text(
            "Turkish locking table",
            &"ğışİ a".repeat(25),
            tables(turkish, None),
        ),
        text(
            "Turkish single table, 77 escapes",
            &"ğ".repeat(77),
            tables(None, turkish),
        ),
        text(
            "Hindi locking table",
            &"नमस्ते ".repeat(22),
            tables(hindi, None),
        ),
        text(
            "Hindi tables, 76 escapes",
            &"१".repeat(76),
            tables(hindi, hindi),
        ),
        text(
            "UCS-2, 70 characters",
            "Шановний клієнте, ремонт 2207 завершено. Заберіть його до п'ятниці 18.",
            Encoding::Fewest,
        ),
        text("UCS-2, Hindi", &"नमस्ते ".repeat(10), Encoding::Ucs2),
        text(
            "UCS-2, 35 surrogate pairs",
            &"😀".repeat(35),
            Encoding::Fewest,
        ),
    ]
}

const FULL: &str = "Dear customer, your repair 2207 is finished. Please collect it before Friday 18:00. Price \
                    49.90 EUR. Opening hours: Mon-Fri 9-18, Sat 9-13. Thank you for it all";

/// One text, as a part that goes out and one that came.
fn codec() -> std::io::Result<bool> {
    let recipient: PhoneNumber = "+447700900123".parse().unwrap();
    let scts = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
    let deliver = |user_data| Deliver::new((&recipient).into(), scts, user_data).encode();
    let (mut encode, mut submit_hex, mut decode, mut came) = (vec![], vec![], vec![], vec![]);
    for Sample {
        name,
        text,
        encoding,
    } in texts()
    {
        let allowed = Allowed {
            encoding,
            ..Allowed::default()
        };
        let split = parts::split_with(&text, &allowed).unwrap();
        assert_eq!(split.parts(), 1, "{name}");
        let submit = || {
            let report = ReportRequest::Wanted;
            let submit = split.submit(black_box(&text), PartNo(1), &recipient, 7, report);
            submit.unwrap()
        };
        let work = || drop(black_box(submit().encode()));
        encode.push(Row::part(name, timed(1, work)));
        let work = || assert_eq!(lines(black_box(&text), &allowed, &recipient), 1);
        submit_hex.push(Row::part(name, timed(1, work)));
        let octets = deliver(submit().user_data);
        let work = || drop(black_box(Tpdu::decode_stored(black_box(&octets)).unwrap()));
        decode.push(Row::part(name, timed(1, work)));
        came.push((name, octets));
    }
    let long = FULL.repeat(9);
    let work = || assert_eq!(lines(black_box(&long), &Allowed::default(), &recipient), 10);
    submit_hex.push(Row::part("GSM 7-bit, one of ten parts", timed(10, work)));
    let split = parts::split(&long).unwrap();
    let part = split.user_data(&long, PartNo(1), 7).unwrap();
    came.push(("GSM 7-bit, 153 septets behind a header", deliver(part)));
    Ok(print("a part → octets", &encode)?
        & print("a text → split → part → hex line for AT+CMGS", &submit_hex)?
        & print("octets → a part", &decode)?
        & lines_that_came(&came)?)
}

/// Parts as their hex lines, behind a service centre's address.
fn lines_that_came(parts: &[(&'static str, Vec<u8>)]) -> std::io::Result<bool> {
    let smsc: Address = "+447700900999".parse().unwrap();
    let (mut told, mut untold) = (vec![], vec![]);
    for (name, octets) in parts {
        let (hex, length) = pdu::with_smsc(Some(&smsc), octets);
        let row = |rows: &mut Vec<Row>, stated| {
            let work = || assert!(!black_box(text_of(black_box(&hex), stated)).is_empty());
            rows.push(Row::part(name, timed(1, work)));
        };
        row(&mut told, Some(length));
        row(&mut untold, None);
    }
    Ok(
        print("hex line of +CMT and its length → part → text", &told)?
            & print("hex line without a length → part → text", &untold)?,
    )
}

/// Makes the hex lines of a text; how many.
fn lines(text: &str, allowed: &Allowed<'_>, recipient: &PhoneNumber) -> u8 {
    let split = parts::split_with(text, allowed).unwrap();
    for no in 1..=split.parts() {
        let report = ReportRequest::Wanted;
        let submit = split.submit(text, PartNo(no), recipient, 7, report);
        black_box(pdu::for_cmgs(&submit.unwrap()));
    }
    split.parts()
}

fn text_of(hex: &str, stated: Option<usize>) -> String {
    let octets = pdu::decode_hex(hex).unwrap();
    let located = pdu::locate(&octets, stated).unwrap();
    match Tpdu::decode_stored(located.tpdu) {
        Ok(Tpdu::Deliver(deliver)) => deliver.text(),
        _ => String::new(),
    }
}

/// What a modem says in the middle of its work.
const ANSWERS: &str = "\r\n+CSQ: 14,99\r\n\r\nOK\r\n\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n^RSSI:15\r\n\r\n+CDS: 25\r\n\
06170C91447700091032623041015123006230410151730000\r\n\r\n+CREG: 2,1,\"1A2B\",\"C3D0016\",7\r\n\r\nOK\r\n";

fn framing() -> std::io::Result<bool> {
    let stream = ANSWERS.repeat(1 + (1 << 18) / ANSWERS.len());
    let octets = stream.as_bytes();
    let read = f64::from(u32::try_from(octets.len()).unwrap());
    let row = |name, time| Row {
        name,
        time,
        budget: Some(read / FRAMED),
        octets: Some(read),
    };
    let standard = timed(1, || {
        for line in black_box(stream.as_str()).lines() {
            black_box(line);
        }
    });
    let mut rows = vec![Row {
        budget: None,
        ..row("str::lines of the standard library", standard)
    }];
    for (name, piece) in [
        ("lines, 4096 octets at a time", 4096),
        ("lines, 64 octets at a time", 64),
    ] {
        let time = timed(1, || {
            let mut buffer = Buffer::default();
            for piece in octets.chunks(piece) {
                buffer.extend(piece);
                while let Some(frame) = buffer.next(PromptDue::No) {
                    black_box(frame);
                }
            }
        });
        rows.push(row(name, time));
    }
    let dialog = timed(1, || {
        let mut dialog = Dialog::default();
        for piece in octets.chunks(64) {
            dialog.receive(piece);
            while let Some(step) = dialog.poll() {
                black_box(step);
            }
        }
    });
    rows.push(row("the dialogue, 64 octets at a time", dialog));
    print("answers of a modem → lines", &rows)
}

fn main() -> std::io::Result<ExitCode> {
    Ok(if codec()? & framing()? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
