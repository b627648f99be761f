//! How often the codec asks for memory, for a part of one character and for a full one. Inner loops that
//! ask for none make both the same. Fails where they differ.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use simpost::modem::at::lines::{Buffer, PromptDue};
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::Timestamp;
use simpost::sms::ids::PartNo;
use simpost::sms::number::PhoneNumber;
use simpost::sms::parts::{self, ReportRequest};
use simpost::sms::pdu::Tpdu;

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

/// Allocations of: making a part, writing its octets, reading them, the text of it.
fn of_a_part(text: &str) -> [usize; 4] {
    let recipient: PhoneNumber = "+447700900123".parse().unwrap();
    let scts = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
    let split = parts::split(text).unwrap();
    let make = || {
        let report = ReportRequest::Wanted;
        split.submit(black_box(text), PartNo(1), &recipient, 7, report).unwrap()
    };
    let submit = make();
    let octets = Deliver::new((&recipient).into(), scts, submit.user_data.clone()).encode();
    let deliver = Deliver::decode(&octets).unwrap();
    [
        counted(|| drop(black_box(make()))),
        counted(|| drop(black_box(submit.encode()))),
        counted(|| drop(black_box(Tpdu::decode_stored(black_box(&octets)).unwrap()))),
        counted(|| drop(black_box(deliver.text()))),
    ]
}

/// Allocations for each line of `count` lines.
fn of_lines(count: usize) -> f64 {
    let stream = "\r\n+CSQ: 14,99\r\n\r\nOK\r\n".repeat(count / 2);
    let mut lines = 0_u32;
    let allocations = counted(|| {
        lines = 0;
        let mut buffer = Buffer::default();
        for piece in stream.as_bytes().chunks(64) {
            buffer.extend(piece);
            while let Some(frame) = buffer.next(PromptDue::No) {
                black_box(frame);
                lines += 1;
            }
        }
    });
    f64::from(u32::try_from(allocations).unwrap()) / f64::from(lines)
}

fn main() -> ExitCode {
    let mut same = true;
    println!("allocations                      make  write  read  text");
    for (name, short, long) in [
        ("GSM 7-bit", "a", "a".repeat(160)),
        ("GSM 7-bit, escapes", "€", "€".repeat(80)),
        ("UCS-2", "Є", "Є".repeat(70)),
        ("UCS-2, surrogate pairs", "😀", "😀".repeat(35)),
    ] {
        let (one, full) = (of_a_part(short), of_a_part(&long));
        for (which, count) in [("one character", one), ("a full part", full)] {
            let [make, write, read, text] = count;
            println!("{:<32} {make:>4}  {write:>5}  {read:>4}  {text:>4}", format!("{name}, {which}"));
        }
        same &= one == full;
    }
    println!("a line of an answer: {:.2}", of_lines(2000));
    if same {
        ExitCode::SUCCESS
    } else {
        println!("a full part asks for memory more often than one character: an inner loop allocates");
        ExitCode::FAILURE
    }
}
