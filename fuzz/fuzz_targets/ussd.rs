#![no_main]

#[expect(dead_code, reason = "each target runs one body")]
#[path = "../../tests/support/fuzz_bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::ussd(octets));
