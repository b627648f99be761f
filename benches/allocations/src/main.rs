//! How often the codec asks for memory, for little work and for much of the same kind: a part of one
//! character and a full one, two parts and two hundred, few lines and many. Inner loops that ask for none
//! make both the same. Fails where they differ.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use simpost::modem::at::dialog::Dialog;
use simpost::modem::at::lines::{Buffer, PromptDue};
use simpost::sms::alphabet::{Language, Shifts};
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::Timestamp;
use simpost::sms::ids::PartNo;
use simpost::sms::number::PhoneNumber;
use simpost::sms::parts::{self, Allowed, Encoding, ReportRequest};
use simpost::sms::pdu::{self, Tpdu};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted; a growing block counts again.
struct Counting;

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn counted(mut work: impl FnMut()) -> usize {
    // What is made once and kept is no cost of a part.
    work();
    let before = COUNT.load(Ordering::Relaxed);
    work();
    COUNT.load(Ordering::Relaxed) - before
}

/// What is counted of a part.
const STEPS: [&str; 7] = [
    "split", "make", "write", "to hex", "from hex", "read", "text",
];

/// Allocations of each step with a text that is one part.
fn of_a_part(text: &str, encoding: Encoding) -> [usize; STEPS.len()] {
    let recipient: PhoneNumber = "+447700900123".parse().unwrap();
    let scts = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
    let allowed = Allowed {
        encoding,
        ..Allowed::default()
    };
    let split = || parts::split_with(black_box(text), &allowed).unwrap();
    let laid = split();
    assert_eq!(laid.parts(), 1, "{text}");
    let make = || {
        let report = ReportRequest::Wanted;
        laid.submit(black_box(text), PartNo(1), &recipient, 7, report)
            .unwrap()
    };
    let submit = make();
    let octets = Deliver::new((&recipient).into(), scts, submit.user_data.clone()).encode();
    let deliver = Deliver::decode(&octets).unwrap();
    assert_eq!(deliver.text(), text);
    let hex = pdu::encode_hex(&octets);
    [
        counted(|| drop(black_box(split()))),
        counted(|| drop(black_box(make()))),
        counted(|| drop(black_box(submit.encode()))),
        counted(|| drop(black_box(pdu::encode_hex(black_box(&octets))))),
        counted(|| drop(black_box(pdu::decode_hex(black_box(&hex))))),
        counted(|| drop(black_box(Tpdu::decode_stored(black_box(&octets)).unwrap()))),
        counted(|| drop(black_box(deliver.text()))),
    ]
}

/// Texts of one character, the most of them in a part, and how they are written.
fn alphabets() -> [(&'static str, &'static str, usize, Encoding); 6] {
    let turkish = Some(Language::Turkish);
    let locking = Shifts {
        locking: turkish,
        single: None,
    };
    let both = Shifts {
        locking: turkish,
        single: turkish,
    };
    [
        ("GSM 7-bit", "a", 160, Encoding::Fewest),
        ("GSM 7-bit, escapes", "€", 80, Encoding::Fewest),
        (
            "GSM 7-bit, locking table",
            "ğ",
            155,
            Encoding::Gsm7(locking),
        ),
        ("GSM 7-bit, both tables", "[", 76, Encoding::Gsm7(both)),
        ("UCS-2", "Є", 70, Encoding::Fewest),
        ("UCS-2, surrogate pairs", "😀", 35, Encoding::Fewest),
    ]
}

/// Allocations of cutting so many lines.
fn of_lines(line: &str, count: usize) -> usize {
    let stream = line.repeat(count);
    counted(|| {
        let mut buffer = Buffer::default();
        let mut lines = 0;
        for piece in stream.as_bytes().chunks(64) {
            buffer.extend(piece);
            while let Some(frame) = buffer.next(PromptDue::No) {
                black_box(frame);
                lines += 1;
            }
        }
        assert_eq!(lines, count);
    })
}

/// Allocations of telling so many lines as news: each is a text of its own.
fn of_news(line: &str, count: usize) -> usize {
    let mut dialog = Dialog::default();
    counted(|| {
        for _ in 0..count {
            dialog.receive(line.as_bytes());
            let mut steps = 0;
            while let Some(step) = dialog.poll() {
                black_box(step);
                steps += 1;
            }
            assert_eq!(steps, 1);
        }
    })
}

/// Prints one comparison; whether both are the same.
fn same(what: &str, little: usize, much: usize) -> bool {
    let verdict = if little == much {
        ""
    } else {
        "  an inner loop allocates"
    };
    println!("{what:<44} {little:>6} {much:>6}{verdict}");
    little == much
}

fn main() -> ExitCode {
    println!("{:<44} {:>6} {:>6}", "allocations of", "little", "much");
    let mut all = true;
    for (name, character, most, encoding) in alphabets() {
        let little = of_a_part(character, encoding);
        let much = of_a_part(&character.repeat(most), encoding);
        for ((step, little), much) in STEPS.iter().zip(little).zip(much) {
            all &= same(&format!("{name}: {step}"), little, much);
        }
    }
    let split = |parts: usize| {
        let text = "a".repeat(153 * parts);
        counted(|| drop(black_box(parts::split(black_box(&text)).unwrap())))
    };
    all &= same("splitting into 2 parts and 200", split(2), split(200));
    let (short, long) = (
        "\r\n^BOOT:1\r\n",
        format!("\r\n^BOOT:{}\r\n", "1,".repeat(20)),
    );
    all &= same(
        "200 lines and 20,000",
        of_lines(short, 200),
        of_lines(short, 20_000),
    );
    all &= same(
        "200 long lines and 20,000",
        of_lines(&long, 200),
        of_lines(&long, 20_000),
    );
    all &= same(
        "news: 200 short lines and 200 long",
        of_news(short, 200),
        of_news(&long, 200),
    );
    if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
