//! Texts with every trap of the alphabets, encoded as they go to a modem and written out as a ledger,
//! for the decoders of other authors that `tests/run` asks (`foreign/judge.py`).
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

use std::fs;
use std::path::Path;

use serde_json::json;
use simpost::sms::ids::PartNo;
use simpost::sms::number::PhoneNumber;
use simpost::sms::parts::{self, ReportRequest};
use simpost::sms::pdu;

/// Every character with a code, the extension table last (TS 23.038, 6.2.1). CR is left out: at the
/// end of an octet it means padding, and readers differ about it.
const GSM: &str = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€";

/// Characters of one septet.
const GSM_PLAIN: &str = "abcdefghijklmnopqrstuvwxyz 0123456789";

const UCS2: &str = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя АБВГҐДЕЄЖЗИІЇЙ ₴№«»—’0123abc@€ 你好😀🎉";

const RECIPIENTS: &[&str] = &["+380671234567", "+447700900123", "+12025550143"];

/// A row of numbers that is the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's constants; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn text(&mut self, alphabet: &[char], length: usize) -> String {
        let letters = (0..length).map(|_| alphabet.get(self.below(alphabet.len())).unwrap());
        letters.collect()
    }
}

/// Lengths around every edge of septets, octets and parts.
fn edges(numbers: &mut Numbers) -> Vec<String> {
    let (gsm, ucs2): (Vec<char>, Vec<char>) = (GSM.chars().collect(), UCS2.chars().collect());
    let gsm_plain: Vec<char> = GSM_PLAIN.chars().collect();
    let mut texts = vec![GSM.to_owned(), UCS2.to_owned(), "ends with @".to_owned()];
    for length in (1..=17).chain(60..=72).chain(130..=165).chain(300..=310) {
        texts.push(numbers.text(&gsm, length));
        texts.push(numbers.text(&ucs2, length));
        // Escapes only: two septets each, never cut.
        texts.push("€".repeat(length));
    }
    // `@`, which is septet 0, last in a full part, with and without spare bits behind it.
    let mut end = |units: usize| format!("€{}@", numbers.text(&gsm_plain, units - 3));
    texts.extend([152, 153, 159, 160].map(&mut end));
    texts.push(end(152) + &"€".repeat(60));
    texts.push(end(153) + &"€".repeat(60));
    texts
}

/// How many texts besides those at the edges.
const RANDOM: usize = 1000;
const MOST_PARTS: usize = 10;

/// Letters to draw from, and how many of them surely fit into one of several parts.
fn mixtures() -> [(Vec<char>, usize); 5] {
    let of = |letters: &str, a_part| (letters.chars().collect(), a_part);
    [
        of(GSM, 130),
        of("^{}\\[~]|€abc ", 80),
        of("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя АБВ, 0123", 67),
        of("😀🎉👍🏽❤ aЇ", 33),
        of(UCS2, 60),
    ]
}

/// Texts of every mixture, of one part to ten.
fn random(numbers: &mut Numbers) -> Vec<String> {
    let mixtures = mixtures();
    let text = |number: usize| {
        let (letters, a_part) = mixtures.get(number % mixtures.len()).unwrap();
        let parts = 1 + numbers.below(MOST_PARTS);
        // Long enough that chance makes no text twice.
        let length = (parts - 1) * a_part + 12 + numbers.below(a_part - 12);
        numbers.text(letters, length)
    };
    (0..RANDOM).map(text).collect()
}

/// All of them, each once.
fn texts() -> Vec<String> {
    let mut numbers = Numbers(1);
    let mut texts = edges(&mut numbers);
    let random = random(&mut numbers);
    let split = |text: &String| usize::from(parts::split(text).unwrap().parts());
    for parts in 1..=MOST_PARTS {
        let count = random.iter().filter(|text| split(text) == parts).count();
        assert!(count > RANDOM / 50, "{count} texts of {parts} parts");
    }
    texts.extend(random);
    texts.sort();
    texts.dedup();
    texts
}

#[test]
fn a_ledger_is_left_for_foreign_decoders() {
    let (mut ledger, mut expected) = (Vec::new(), Vec::new());
    for (number, text) in texts().into_iter().enumerate() {
        let to = RECIPIENTS.get(number % RECIPIENTS.len()).unwrap();
        let recipient: PhoneNumber = to.parse().unwrap();
        let split = parts::split(&text).unwrap();
        for part in 1..=split.parts() {
            let reference = u8::try_from(number % 256).unwrap();
            let report = ReportRequest::Wanted;
            let submit = split.submit(&text, PartNo(part), &recipient, reference, report);
            let (pdu, _) = pdu::for_cmgs(&submit.unwrap());
            let line = json!({"event": "submit", "iccid": "1", "outcome": "accepted", "pdu": pdu});
            ledger.push(line.to_string());
        }
        expected.push(json!({"to": to, "text": text}));
    }
    assert!(expected.len() > RANDOM, "{} texts", expected.len());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("ledgers");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("codec.jsonl"), ledger.join("\n")).unwrap();
    let expected = serde_json::to_string(&expected).unwrap();
    fs::write(folder.join("codec.expected.json"), expected).unwrap();
}
