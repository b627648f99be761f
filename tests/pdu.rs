//! PDUs as data, and properties that hold for every text and for every row of octets.
//!
//! `vectors/pdu.json`: hex as it crosses the line with the service centre's address, the length that
//! goes with it, and its fields in the words of `simpost pdu decode --json`. The hex was made by a
//! script that shares no code with this crate, and read by decoders of other authors.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail as its body does"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use simpost::sms::DecodeError;
use simpost::sms::alphabet::{self, Alphabet};
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::{Address, Timestamp, Ton, UserData, UserDataHeader, ValidityPeriod};
use simpost::sms::ids::PartNo;
use simpost::sms::number::{PhoneNumber, same_subscriber};
use simpost::sms::parts::{self, ReportRequest};
use simpost::sms::pdu::{self, Tpdu};
use simpost::sms::report::StatusReport;
use simpost::sms::submit::Submit;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/pdu.json")).unwrap()
}

fn text_of<'a>(vector: &'a Value, key: &str) -> &'a str {
    vector[key].as_str().unwrap()
}

/// The fields that a vector names.
fn fields(smsc: Option<&Address>, tpdu: &Tpdu) -> Value {
    let mut fields = match tpdu {
        Tpdu::Deliver(deliver) => json!({
            "type": "deliver",
            "sender": deliver.originator.to_string(),
            "timestamp": deliver.scts.to_rfc3339(),
            "pid": deliver.pid.0,
            "dcs": deliver.dcs.0,
        }),
        Tpdu::Submit(submit) => json!({
            "type": "submit",
            "recipient": submit.destination.to_string(),
            "mr": submit.mr.0,
            "srr": submit.report == ReportRequest::Wanted,
            "rd": submit.reject_duplicates,
            "rp": submit.reply_path,
            "validity_minutes": submit.validity.and_then(ValidityPeriod::minutes),
            "pid": submit.pid.0,
            "dcs": submit.dcs.0,
        }),
        Tpdu::StatusReport(report) => json!({
            "type": "status_report",
            "recipient": report.recipient.to_string(),
            "mr": report.mr.0,
            "timestamp": report.scts.to_rfc3339(),
            "discharge": report.discharge.to_rfc3339(),
            "status": report.status.0,
            "status_class": format!("{:?}", report.status.class()),
        }),
        other => json!({ "type": other.kind().to_string() }),
    };
    if let Some(user_data) = tpdu.user_data() {
        fields["text"] = user_data.text().into();
        fields["alphabet"] = user_data.alphabet().to_string().into();
        fields["udl"] = user_data.udl().into();
        if let Some(concat) = user_data.header().and_then(UserDataHeader::concat) {
            fields["concat"] = json!({"reference": concat.reference, "total": concat.total, "sequence": concat.sequence});
        }
    }
    if let Some(smsc) = smsc {
        fields["smsc"] = smsc.to_string().into();
    }
    fields
}

#[test]
fn vectors_are_read() {
    for vector in vectors() {
        let name = text_of(&vector, "name");
        let octets = pdu::decode_hex(text_of(&vector, "pdu")).unwrap();
        let (smsc, tpdu) = pdu::split_smsc(&octets).unwrap();
        assert_eq!(tpdu.len(), vector["length"], "{name}");
        assert_eq!(
            fields(smsc.as_ref(), &Tpdu::decode_stored(tpdu).unwrap()),
            vector["fields"],
            "{name}"
        );
    }
}

#[test]
fn vectors_are_written_octet_for_octet() {
    for vector in vectors() {
        let hex = text_of(&vector, "pdu");
        let octets = pdu::decode_hex(hex).unwrap();
        let (smsc, tpdu) = pdu::split_smsc(&octets).unwrap();
        let written = pdu::with_smsc(smsc.as_ref(), &Tpdu::decode_stored(tpdu).unwrap().encode());
        assert_eq!(
            written,
            (hex.to_owned(), tpdu.len()),
            "{}",
            text_of(&vector, "name")
        );
    }
}

#[test]
fn every_shortened_vector_is_refused_at_its_end() {
    for vector in vectors() {
        let octets = pdu::decode_hex(text_of(&vector, "pdu")).unwrap();
        let (_, tpdu) = pdu::split_smsc(&octets).unwrap();
        for length in 0..tpdu.len() {
            let error = Tpdu::decode_stored(&tpdu[..length]).unwrap_err();
            assert_eq!(error.octet, length, "{} {error}", text_of(&vector, "name"));
        }
    }
}

/// The vectors S1 to S4 from their texts, as a gateway makes them.
#[test]
fn texts_become_the_vectors() {
    let text = |name: &str| {
        let all = vectors();
        let vector = all.iter().find(|vector| vector["name"] == name).unwrap();
        (
            text_of(&vector["fields"], "text").to_owned(),
            text_of(vector, "pdu").to_owned(),
            vector["length"].clone(),
        )
    };
    let recipient: PhoneNumber = "+447700900123".parse().unwrap();
    for names in [vec!["S1"], vec!["S2", "S3"], vec!["S4"]] {
        let whole: String = names.iter().map(|name| text(name).0).collect();
        let split = parts::split(&whole).unwrap();
        assert_eq!(split.segments.len(), names.len());
        for (no, name) in (1..).map(PartNo).zip(&names) {
            let submit = split
                .submit(&whole, no, &recipient, 0x5A, ReportRequest::Wanted)
                .unwrap();
            let (hex, length) = pdu::for_cmgs(&submit);
            let (_, expected, expected_length) = text(name);
            assert_eq!((hex, json!(length)), (expected, expected_length), "{name}");
        }
    }
}

/// The way of a text through an emulated network: SUBMIT here, DELIVER there.
fn travelled(text: &str, reference: u8) -> String {
    let recipient: PhoneNumber = "+447700900123".parse().unwrap();
    let scts = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
    let split = parts::split(text).unwrap();
    let mut joined = String::new();
    for no in (1..=split.parts()).map(PartNo) {
        let submit = split
            .submit(text, no, &recipient, reference, ReportRequest::Wanted)
            .unwrap();
        let (hex, length) = pdu::for_cmgs(&submit);
        assert!(length <= 164 && hex.len() == 2 * (length + 1), "{length}");
        let octets = pdu::decode_hex(&hex).unwrap();
        let (smsc, tpdu) = pdu::split_smsc(&octets).unwrap();
        let received = Submit::decode(tpdu).unwrap();
        assert_eq!((smsc, &received), (None, &submit));
        let place = received.user_data.header().and_then(UserDataHeader::concat);
        let expected = (split.parts() > 1).then_some((u16::from(reference), split.parts(), no.0));
        assert_eq!(
            place.map(|place| (place.reference, place.total, place.sequence)),
            expected
        );
        let deliver = Deliver::new(received.destination, scts, received.user_data);
        assert_eq!(Deliver::decode(&deliver.encode()), Ok(deliver.clone()));
        joined += &deliver.text();
    }
    joined
}

/// Segments follow one another, none is over its limit, and none had room for what the next begins with.
fn assert_fewest(text: &str) {
    let split = parts::split(text).unwrap();
    let most = match (split.alphabet, split.segments.len()) {
        (Alphabet::Gsm7, 1) => 160,
        (Alphabet::Gsm7, _) => 153,
        (_, 1) => 70,
        _ => 67,
    };
    let units = |text: &str| alphabet::septets(text).filter(|_| split.alphabet == Alphabet::Gsm7);
    let units = |text: &str| units(text).unwrap_or_else(|| text.encode_utf16().count());
    let mut at = 0;
    for segment in &split.segments {
        assert_eq!(segment.range.start, at);
        assert_eq!(segment.units, units(&text[segment.range.clone()]));
        assert!(segment.units <= most && segment.units > 0);
        at = segment.range.end;
        let next = text[at..]
            .chars()
            .next()
            .map_or(usize::MAX / 2, |next| units(&next.to_string()));
        assert!(segment.units + next > most);
    }
    assert_eq!(at, text.len());
}

/// Texts in the GSM alphabet, rich in escapes.
fn gsm_text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 @£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ\n€^{}\\\\\\[~\\]|]{1,700}"
}

/// Any text, rich in surrogate pairs.
fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![any::<char>(), Just('😀'), Just('Ї'), Just('a')],
        1..300,
    )
    .prop_map(|characters| characters.into_iter().collect())
}

/// Octets that get past the first checks of a decoder more often than noise does.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let bent = (
        0..vectors().len(),
        any::<prop::sample::Index>(),
        any::<u8>(),
        0..200_usize,
    )
        .prop_map(|(which, at, octet, length)| {
            let pdu = pdu::decode_hex(text_of(&vectors()[which], "pdu")).unwrap();
            let mut tpdu = pdu::split_smsc(&pdu).unwrap().1.to_vec();
            let at = at.index(tpdu.len());
            tpdu[at] = octet;
            tpdu.truncate(length);
            tpdu
        });
    prop_oneof![noise, bent]
}

/// What was read and written once is read and written again without a change. (The first time, the mark
/// that says where a report was cut off goes.)
fn assert_stable<T: Clone + PartialEq + std::fmt::Debug>(
    octets: &[u8],
    decode: fn(&[u8]) -> Result<T, DecodeError>,
    encode: fn(&T) -> Vec<u8>,
) {
    match decode(octets) {
        Ok(value) => {
            let once = decode(&encode(&value));
            assert!(once.is_ok(), "{once:?}");
            let again = once.clone().and_then(|once| decode(&encode(&once)));
            assert_eq!(again, once);
        }
        Err(error) => assert!(error.octet <= octets.len(), "{error}"),
    }
}

proptest! {
    #[test]
    fn gsm_texts_arrive_as_they_left(text in gsm_text(), reference: u8) {
        prop_assert_eq!(parts::split(&text).unwrap().alphabet, Alphabet::Gsm7);
        prop_assert_eq!(travelled(&text, reference), text.clone());
        assert_fewest(&text);
    }

    #[test]
    fn all_texts_arrive_as_they_left(text in any_text(), reference: u8) {
        prop_assert_eq!(travelled(&text, reference), text.clone());
        assert_fewest(&text);
    }

    #[test]
    fn no_octets_make_a_decoder_panic(octets in octets()) {
        assert_stable(&octets, Submit::decode, Submit::encode);
        assert_stable(&octets, Deliver::decode, Deliver::encode);
        assert_stable(&octets, StatusReport::decode, StatusReport::encode);
        assert_stable(&octets, Tpdu::decode_stored, Tpdu::encode);
        if let Ok((smsc, rest)) = pdu::split_smsc(&octets) {
            let hex = pdu::with_smsc(smsc.as_ref(), rest).0;
            let again = pdu::decode_hex(&hex).unwrap();
            // A name as service centre, which no network has, may lose characters that its length cannot
            // hold; the TPDU behind it must not be touched.
            prop_assert_eq!(pdu::split_smsc(&again).map(|(_, rest)| rest), Ok(rest));
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in any_text(), other in any_text()) {
        let _ = (pdu::decode_hex(&text), text.parse::<PhoneNumber>(), text.parse::<Address>());
        prop_assert_eq!(same_subscriber(&text, &other), same_subscriber(&other, &text));
        prop_assert!(same_subscriber(&text, &text));
    }

    #[test]
    fn hex_comes_back(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let hex = pdu::encode_hex(&octets);
        prop_assert_eq!(pdu::decode_hex(&hex), Ok(octets.clone()));
        prop_assert_eq!(pdu::decode_hex(&hex.to_lowercase()), Ok(octets));
    }

    #[test]
    fn septets_come_back(septets in prop::collection::vec(0..128_u8, 0..200), fill in 0..7_usize) {
        let packed = alphabet::pack(&septets, fill);
        prop_assert_eq!(packed.len(), (septets.len() * 7 + fill).div_ceil(8));
        prop_assert_eq!(alphabet::unpack(&packed, fill, septets.len()), septets);
    }

    #[test]
    fn times_come_back(seconds in 631_152_000_i64..3_786_900_000, quarters in -79..=79_i8) {
        let instant = jiff::Timestamp::from_second(seconds).unwrap();
        // The zone may carry the first and last hours out of the years that the wire can hold.
        if let Some(time) = Timestamp::from_instant(instant, quarters) {
            prop_assert_eq!(time.to_instant(), Some(instant));
        }
        let _ = Timestamp::from_octets(seconds.to_be_bytes()[1..].try_into().unwrap()).to_string();
    }

    #[test]
    fn numbers_come_back(digits in "[1-9][0-9]{2,14}") {
        let number: PhoneNumber = format!("+{digits}").parse().unwrap();
        let report = StatusReport::new(
            simpost::sms::ids::Mr(1),
            Address::from(&number),
            Timestamp::from_octets([0; 7]),
            Timestamp::from_octets([0; 7]),
            simpost::sms::report::Status(0),
        );
        let read = StatusReport::decode(&report.encode()).unwrap();
        prop_assert_eq!((read.recipient.ton(), read.recipient.to_string().parse()), (Ton::International, Ok(number.clone())));
        prop_assert!(same_subscriber(&read.recipient.to_string(), number.as_str()));
    }

    #[test]
    fn user_data_keeps_its_header(header in prop::collection::vec(any::<u8>(), 0..60), text in "[a-z€]{0,40}") {
        let header = Some(UserDataHeader::from_octets(&header));
        for user_data in [UserData::gsm7(header.clone(), &text), UserData::ucs2(header.clone(), &text)] {
            let user_data = user_data.unwrap();
            let submit = Submit::new("+447700900123".parse().unwrap(), user_data, ReportRequest::Unwanted);
            let read = Submit::decode(&submit.encode()).unwrap();
            prop_assert_eq!((read.user_data.header(), read.text()), (header.as_ref(), text.clone()));
        }
    }
}
