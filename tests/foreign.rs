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
fn texts() -> Vec<String> {
    let mut numbers = Numbers(1);
    let (gsm, ucs2): (Vec<char>, Vec<char>) = (GSM.chars().collect(), UCS2.chars().collect());
    let mut texts = vec![GSM.to_owned(), UCS2.to_owned(), "ends with @".to_owned()];
    for length in (1..=17).chain(60..=72).chain(130..=165).chain(300..=310) {
        texts.push(numbers.text(&gsm, length));
        texts.push(numbers.text(&ucs2, length));
        // Escapes only: two septets each, never cut.
        texts.push("€".repeat(length));
    }
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
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("ledgers");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("codec.jsonl"), ledger.join("\n")).unwrap();
    let expected = serde_json::to_string(&expected).unwrap();
    fs::write(folder.join("codec.expected.json"), expected).unwrap();
    assert!(ledger.len() > 400, "{} parts", ledger.len());
}
