//! How long the codec and the framing of answers take: `cargo bench --bench codec`.
//!
//! Each row is the best of several rounds, so that what else the machine does counts little; the last
//! column compares it with the first row of its group within the same run. Budgets: a part under
//! 1 µs both ways, framing over 100 MB/s. Allocations are counted by `benches/allocations`, a package
//! of its own: an allocator that counts is `unsafe`, which this package forbids.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench measures real time and ends at the first surprise"
)]

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use simpost::modem::at::dialog::Dialog;
use simpost::modem::at::lines::{Buffer, PromptDue};
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::Timestamp;
use simpost::sms::ids::PartNo;
use simpost::sms::number::PhoneNumber;
use simpost::sms::parts::{self, ReportRequest};
use simpost::sms::pdu::{self, Tpdu};

/// Rounds of which the best counts.
const ROUNDS: u32 = 15;
/// How long a round is at least.
const A_ROUND: Duration = Duration::from_millis(40);

/// The shortest time that one call takes, in seconds.
fn best(mut work: impl FnMut()) -> f64 {
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
    let rounds = (0..ROUNDS).map(|_| round(calls).as_secs_f64() / f64::from(calls));
    rounds.fold(f64::INFINITY, f64::min)
}

/// A row of a group.
struct Row {
    name: &'static str,
    /// In seconds.
    time: f64,
    /// Octets that one call goes through, where a rate is asked for.
    octets: Option<usize>,
}

fn print(title: &str, rows: &[Row]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{title}")?;
    let first = rows.first().map_or(1.0, |row| row.time);
    for row in rows {
        let seconds = row.time;
        let measured = match row.octets {
            None => format!("{:>9.1} ns", seconds * 1e9),
            Some(octets) => {
                let octets = f64::from(u32::try_from(octets).unwrap());
                format!("{:>7.1} MB/s", octets / seconds / 1e6)
            }
        };
        writeln!(
            out,
            "  {:<44} {measured}   {:>6.2}",
            row.name,
            seconds / first
        )?;
    }
    Ok(())
}

/// A full part of each alphabet, and a short one.
const TEXTS: [(&str, &str); 3] = [
    ("GSM 7-bit, 19 septets", "Order 1042 is ready"),
    (
        "GSM 7-bit, 160 septets",
        "Dear customer, your repair 2207 is finished. Please collect it before Friday 18:00. Price 49.90 \
         EUR. Opening hours: Mon-Fri 9-18, Sat 9-13. Thank you for it all",
    ),
    (
        "UCS-2, 70 characters",
        "Шановний клієнте, ремонт 2207 завершено. Заберіть його до п'ятниці 18.",
    ),
];

/// One text, as a part that goes out and one that came.
fn codec() -> std::io::Result<()> {
    let recipient: PhoneNumber = "+447700900123".parse().unwrap();
    let scts = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
    let (mut encode, mut submit_hex, mut decode, mut decode_hex) = (vec![], vec![], vec![], vec![]);
    for (name, text) in TEXTS {
        let split = parts::split(text).unwrap();
        assert_eq!(split.parts(), 1, "{name}");
        let submit = || {
            let report = ReportRequest::Wanted;
            let submit = split.submit(black_box(text), PartNo(1), &recipient, 7, report);
            submit.unwrap()
        };
        let row = |time| Row {
            name,
            time,
            octets: None,
        };
        encode.push(row(best(|| {
            black_box(submit().encode());
        })));
        submit_hex.push(row(best(|| {
            let split = parts::split(black_box(text)).unwrap();
            let report = ReportRequest::Wanted;
            let submit = split.submit(text, PartNo(1), &recipient, 7, report);
            black_box(pdu::for_cmgs(&submit.unwrap()));
        })));
        let deliver = Deliver::new((&recipient).into(), scts, submit().user_data).encode();
        let hex = pdu::with_smsc(None, &deliver).0;
        decode.push(row(best(|| {
            black_box(Tpdu::decode_stored(black_box(&deliver)).unwrap());
        })));
        decode_hex.push(row(best(|| {
            let octets = pdu::decode_hex(black_box(&hex)).unwrap();
            let (_, tpdu) = pdu::split_smsc(&octets).unwrap();
            let Ok(Tpdu::Deliver(deliver)) = Tpdu::decode_stored(tpdu) else {
                return;
            };
            black_box(deliver.text());
        })));
    }
    print("a part → octets", &encode)?;
    print("a text → split → part → hex line for AT+CMGS", &submit_hex)?;
    print("octets → a part", &decode)?;
    print("hex line of +CMT → part → text", &decode_hex)
}

/// What a modem says in the middle of its work.
const ANSWERS: &str = "\r\n+CSQ: 14,99\r\n\r\nOK\r\n\r\n+CMGS: 23\r\n\r\nOK\r\n\r\n^RSSI:15\r\n\r\n+CDS: 25\r\n\
06170C91447700091032623041015123006230410151730000\r\n\r\n+CREG: 2,1,\"1A2B\",\"C3D0016\",7\r\n\r\nOK\r\n";

fn framing() -> std::io::Result<()> {
    let stream = ANSWERS.repeat(1 + (1 << 18) / ANSWERS.len());
    let octets = stream.as_bytes();
    let read = octets.len();
    let mut rows = vec![Row {
        name: "str::lines of the standard library",
        time: best(|| {
            for line in black_box(stream.as_str()).lines() {
                black_box(line);
            }
        }),
        octets: Some(read),
    }];
    for (name, piece) in [
        ("lines, 4096 octets at a time", 4096),
        ("lines, 64 octets at a time", 64),
    ] {
        rows.push(Row {
            name,
            time: best(|| {
                let mut buffer = Buffer::default();
                for piece in octets.chunks(piece) {
                    buffer.extend(piece);
                    while let Some(frame) = buffer.next(PromptDue::No) {
                        black_box(frame);
                    }
                }
            }),
            octets: Some(read),
        });
    }
    rows.push(Row {
        name: "the dialogue, 64 octets at a time",
        time: best(|| {
            let mut dialog = Dialog::default();
            for piece in octets.chunks(64) {
                dialog.receive(piece);
                while let Some(step) = dialog.poll() {
                    black_box(step);
                }
            }
        }),
        octets: Some(read),
    });
    print("answers of a modem → lines", &rows)
}

fn main() -> std::io::Result<()> {
    codec()?;
    framing()
}
