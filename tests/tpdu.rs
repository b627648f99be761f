//! Every kind of TPDU with every field, as data, and properties that hold for all of them.
//!
//! `vectors/fields.json` is as `vectors/pdu.json` (see `pdu.rs`); `kind` stands where the type bits
//! alone do not say it. A timestamp of `null` is one that is no valid time.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail as its body does"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use simpost::sms::alphabet::Shifts;
use simpost::sms::command::{Command, CommandType};
use simpost::sms::deliver_report::DeliverReport;
use simpost::sms::fields::{
    Address, Dcs, Fcs, Npi, Pid, Reading, Timestamp, Ton, UserData, UserDataHeader, ValidityPeriod,
};
use simpost::sms::ids::Mr;
use simpost::sms::marks::MarkKind;
use simpost::sms::parts::ReportRequest;
use simpost::sms::pdu::{self, Direction, Kind, Tpdu};
use simpost::sms::report::{Status, StatusReport};
use simpost::sms::submit::Submit;
use simpost::sms::submit_report::SubmitReport;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/fields.json")).unwrap()
}

/// Name, octets of the TPDU, kind, fields.
fn cases() -> Vec<(String, Vec<u8>, Kind, Value)> {
    let case = |vector: Value| {
        let text = |key: &str| vector[key].as_str().map(str::to_owned);
        let octets = pdu::decode_hex(&text("pdu").unwrap()).unwrap();
        let (smsc, tpdu) = pdu::split_smsc(&octets).unwrap();
        assert_eq!((smsc, json!(tpdu.len())), (None, vector["length"].clone()));
        let kind = text("kind").map_or(Kind::stored(tpdu[0]), |kind| kind.parse().unwrap());
        (
            text("name").unwrap(),
            tpdu.to_vec(),
            kind,
            vector["fields"].clone(),
        )
    };
    vectors().into_iter().map(case).collect()
}

/// The fields that the octets have, without those that were not told.
fn fields(tpdu: &Tpdu) -> Value {
    let mut fields = own_fields(tpdu);
    if let Some(user_data) = tpdu.user_data() {
        fields["text"] = user_data.text().into();
        fields["alphabet"] = user_data.alphabet().to_string().into();
        fields["udl"] = user_data.udl().into();
    }
    let header = match tpdu {
        Tpdu::Command(command) => command.header(),
        _ => tpdu
            .user_data()
            .and_then(|user_data| user_data.header().cloned()),
    };
    if let [told, ..] = tpdu.message_waiting().as_slice() {
        fields["message_waiting"] = format!("{:?} {:?}", told.mailbox, told.waiting).into();
    }
    if let Some(header) = header {
        let element = |element: simpost::sms::fields::Element<'_>| json!({"iei": element.iei, "hex": pdu::encode_hex(element.data)});
        fields["udh"] = header.elements().map(element).collect();
        if let Some(place) = header.concat() {
            fields["concat"] = json!({"reference": place.reference, "total": place.total, "sequence": place.sequence});
        }
        if let Some(ports) = header.ports() {
            fields["ports"] = json!({"destination": ports.destination, "source": ports.source});
        }
    }
    fields["type"] = tpdu.kind().to_string().into();
    fields
}

fn own_fields(tpdu: &Tpdu) -> Value {
    let mut told = json!({});
    let mut optional = |pid: Option<Pid>, dcs: Option<Dcs>, fcs: Option<Fcs>| {
        let octets = [
            ("pid", pid.map(|pid| pid.0)),
            ("dcs", dcs.map(|dcs| dcs.0)),
            ("fcs", fcs.map(|fcs| fcs.0)),
        ];
        for (name, octet) in octets {
            if let Some(octet) = octet {
                told[name] = octet.into();
            }
        }
    };
    let more = match tpdu {
        Tpdu::Deliver(tpdu) => {
            optional(Some(tpdu.pid), Some(tpdu.dcs), None);
            json!({"sender": tpdu.originator.to_string(), "timestamp": tpdu.scts.to_rfc3339(),
                "class": tpdu.dcs.class(), "mms": tpdu.more_to_send, "lp": tpdu.loop_prevention,
                "sri": tpdu.report_indication, "rp": tpdu.reply_path})
        }
        Tpdu::Submit(tpdu) => {
            optional(Some(tpdu.pid), Some(tpdu.dcs), None);
            let until = match tpdu.validity {
                Some(ValidityPeriod::Absolute(time)) => time.to_rfc3339(),
                _ => None,
            };
            let single_shot = tpdu.validity.filter(|period| period.single_shot());
            json!({"recipient": tpdu.destination.to_string(), "mr": tpdu.mr.0,
                "rd": tpdu.reject_duplicates, "srr": tpdu.report == ReportRequest::Wanted,
                "rp": tpdu.reply_path, "validity_until": until,
                "single_shot": single_shot.map(|_| true),
                "validity_minutes": tpdu.validity.and_then(ValidityPeriod::minutes)})
        }
        Tpdu::StatusReport(tpdu) => {
            optional(tpdu.pid, tpdu.dcs, None);
            json!({"mr": tpdu.mr.0, "recipient": tpdu.recipient.to_string(),
                "timestamp": tpdu.scts.to_rfc3339(), "discharge": tpdu.discharge.to_rfc3339(),
                "status": tpdu.status.0, "status_class": format!("{:?}", tpdu.status.class())})
        }
        Tpdu::DeliverReport(tpdu) => {
            optional(tpdu.pid, tpdu.dcs, tpdu.failure);
            json!({})
        }
        Tpdu::SubmitReport(tpdu) => {
            optional(tpdu.pid, tpdu.dcs, tpdu.failure);
            json!({"timestamp": tpdu.scts.to_rfc3339()})
        }
        Tpdu::Command(tpdu) => {
            optional(Some(tpdu.pid), None, None);
            json!({"mr": tpdu.mr.0, "srr": tpdu.report == ReportRequest::Wanted,
                "ct": tpdu.command.0, "mn": tpdu.number.0,
                "recipient": tpdu.destination.to_string(), "data_hex": pdu::encode_hex(&tpdu.data)})
        }
    };
    for (name, value) in more.as_object().unwrap() {
        told[name] = value.clone();
    }
    told
}

/// Without the names whose value is `null`.
fn told(mut fields: Value) -> Value {
    let map = fields.as_object_mut().unwrap();
    map.retain(|_, value| !value.is_null());
    fields
}

#[test]
fn vectors_are_read_whole() {
    for (name, octets, kind, expected) in cases() {
        let (tpdu, rest) = Tpdu::decode_as(&octets, kind).unwrap();
        assert_eq!((rest.len(), tpdu.cut()), (0, None), "{name}");
        assert_eq!(told(fields(&tpdu)), told(expected), "{name}");
    }
}

#[test]
fn vectors_are_written_octet_for_octet() {
    for (name, octets, kind, _) in cases() {
        let (tpdu, _) = Tpdu::decode_as(&octets, kind).unwrap();
        assert_eq!(
            pdu::encode_hex(&tpdu.encode()),
            pdu::encode_hex(&octets),
            "{name}"
        );
    }
}

/// A shortened TPDU is refused at its end, or keeps a mark there; only a report may lack all that is
/// optional.
#[test]
fn what_is_cut_off_is_told_at_its_octet() {
    for (name, octets, kind, _) in cases() {
        for length in 0..octets.len() {
            let told = match Tpdu::decode_as(&octets[..length], kind) {
                Err(error) => Some(error),
                Ok((tpdu, _)) => tpdu.cut(),
            };
            let bare = kind == Kind::StatusReport && length == 25;
            assert_eq!(
                told.map(|error| error.octet),
                (!bare).then_some(length),
                "{name} {length}"
            );
        }
    }
}

/// Octets behind the end change nothing, except behind a report that has no TP-PI yet.
#[test]
fn octets_behind_the_end_are_handed_back() {
    for (name, octets, kind, _) in cases() {
        let (whole, _) = Tpdu::decode_as(&octets, kind).unwrap();
        let longer = [octets.as_slice(), &[0xFF, 0x1A]].concat();
        assert_eq!(
            Tpdu::decode_as(&longer, kind),
            Ok((whole, [0xFF, 0x1A].as_slice())),
            "{name}"
        );
    }
}

/// The same octets are found with the service centre before them, with its place empty, and without.
#[test]
fn vectors_are_found_with_and_without_their_service_centre() {
    let smsc: Address = "+447700900999".parse().unwrap();
    for (name, octets, kind, _) in cases() {
        if !matches!(kind, Kind::Deliver | Kind::StatusReport) {
            continue;
        }
        for (prefix, at) in [(Some(Some(&smsc)), 8), (Some(None), 1), (None, 0)] {
            let pdu = prefix.map_or(octets.clone(), |smsc| {
                pdu::decode_hex(&pdu::with_smsc(smsc, &octets).0).unwrap()
            });
            for stated in [Some(octets.len()), None] {
                let found = pdu::locate(&pdu, stated).unwrap();
                assert_eq!((found.at, found.tpdu), (at, octets.as_slice()), "{name}");
                assert_eq!(found.smsc.as_ref(), prefix.flatten(), "{name}");
            }
        }
    }
}

/// No matter how many octets there are: what a decoder reads is short.
#[test]
fn a_million_octets_are_read_as_fast_as_a_few() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    })
    .take(1_000_000)
    .collect();
    // The longest is a command with the longest address and data that length octets can tell.
    let most = 5 + (2 + 128) + (1 + 255);
    for start in 0..2_000 {
        let octets = &noise[start..];
        for kind in Kind::ALL {
            match Tpdu::decode_as(octets, kind) {
                Ok((_, rest)) => assert!(octets.len() - rest.len() <= most, "{start} {kind}"),
                Err(error) => assert!(error.octet <= most, "{start} {kind} {error}"),
            }
        }
        let _ = pdu::locate(octets, None);
    }
    let hex = pdu::encode_hex(&noise);
    assert_eq!(pdu::decode_hex(&hex), Ok(noise));
    let error = pdu::decode_hex(&hex[1..]).unwrap_err();
    assert_eq!(error.octet, 999_999);
}

fn number() -> impl Strategy<Value = Address> {
    let ton = prop::sample::select(vec![
        Ton::Unknown,
        Ton::International,
        Ton::National,
        Ton::NetworkSpecific,
        Ton::Subscriber,
        Ton::Abbreviated,
        Ton::Reserved,
    ]);
    (ton, 0..16_u8, "[0-9*#abc]{0,20}")
        .prop_map(|(ton, npi, digits)| Address::new(ton, Npi(npi), &digits).unwrap())
}

fn address() -> impl Strategy<Value = Address> {
    let name = "[A-Za-z0-9 @&_.Δ-]{0,11}".prop_map(|name| Address::name(&name).unwrap());
    prop_oneof![number(), name]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<[u8; 7]>().prop_map(Timestamp::from_octets)
}

fn header() -> impl Strategy<Value = Option<UserDataHeader>> {
    prop::option::of(
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|h| UserDataHeader::from_octets(&h)),
    )
}

/// A coding and user data that fit together.
fn content() -> impl Strategy<Value = (Dcs, UserData)> {
    let gsm7 = (header(), "[a-z@€]{0,40}").prop_map(|(h, text)| UserData::gsm7(h, &text));
    let ucs2 = (header(), "[a-zЄ😀]{0,20}").prop_map(|(h, text)| UserData::ucs2(h, &text));
    let data = prop::collection::vec(any::<u8>(), 0..90);
    let data8 = (header(), data).prop_map(|(h, data)| UserData::data8(h, &data));
    // National tables are asked elsewhere: a header of noise may name one by chance.
    let named = |data: &UserData| data.header().is_some_and(|h| h.shifts() != Shifts::NONE);
    (any::<u8>(), prop_oneof![gsm7, ucs2, data8])
        .prop_map(|(octet, data)| (octet, data.unwrap()))
        .prop_filter("a national table", move |(_, data)| !named(data))
        .prop_map(|(octet, data)| {
            let dcs = Some(Dcs(octet)).filter(|dcs| dcs.alphabet() == data.alphabet());
            (dcs.unwrap_or(Dcs::of(data.alphabet())), data)
        })
}

fn flags() -> impl Strategy<Value = [bool; 4]> {
    any::<[bool; 4]>()
}

fn submit() -> impl Strategy<Value = Tpdu> {
    let validity = prop_oneof![
        any::<u8>().prop_map(ValidityPeriod::Relative),
        any::<[u8; 7]>().prop_map(ValidityPeriod::Enhanced),
        timestamp().prop_map(ValidityPeriod::Absolute),
    ];
    let validity = prop::option::of(validity);
    let rest = (any::<u8>(), any::<u8>());
    (flags(), address(), content(), validity, rest).prop_map(
        |([rd, srr, rp, _], destination, (dcs, user_data), validity, (mr, pid))| {
            Tpdu::Submit(Submit {
                reject_duplicates: rd,
                reply_path: rp,
                mr: Mr(mr),
                pid: Pid(pid),
                dcs,
                validity,
                ..Submit::new(destination, user_data, wanted(srr))
            })
        },
    )
}

fn wanted(srr: bool) -> ReportRequest {
    if srr {
        ReportRequest::Wanted
    } else {
        ReportRequest::Unwanted
    }
}

fn deliver() -> impl Strategy<Value = Tpdu> {
    (flags(), address(), content(), timestamp(), any::<u8>()).prop_map(
        |([mms, lp, sri, rp], originator, (dcs, user_data), scts, pid)| {
            Tpdu::Deliver(simpost::sms::deliver::Deliver {
                more_to_send: mms,
                loop_prevention: lp,
                report_indication: sri,
                reply_path: rp,
                originator,
                pid: Pid(pid),
                dcs,
                scts,
                user_data,
            })
        },
    )
}

fn command() -> impl Strategy<Value = Tpdu> {
    let data = prop::collection::vec(any::<u8>(), 0..=255);
    (flags(), address(), any::<[u8; 4]>(), data).prop_map(
        |([srr, headed, ..], destination, [mr, pid, command, number], data)| {
            Tpdu::Command(Command {
                report: wanted(srr),
                mr: Mr(mr),
                pid: Pid(pid),
                headed,
                data,
                ..Command::new(CommandType(command), Mr(number), destination)
            })
        },
    )
}

type Optional = (Option<Pid>, Option<Dcs>, Option<UserData>);

/// Optional fields; a text without a coding is one in GSM 7-bit.
fn optional() -> impl Strategy<Value = Optional> {
    let pid = prop::option::of(any::<u8>().prop_map(Pid));
    (pid, any::<[bool; 2]>(), content()).prop_map(|(pid, [coding, text], (dcs, data))| {
        let text = text && (coding || Dcs(0).alphabet() == data.alphabet());
        (pid, coding.then_some(dcs), text.then_some(data))
    })
}

fn failure() -> impl Strategy<Value = Option<Fcs>> {
    prop::option::of((0x80..=0xFF_u8).prop_map(Fcs))
}

fn report() -> impl Strategy<Value = Tpdu> {
    let times = (timestamp(), timestamp());
    (flags(), address(), times, any::<[u8; 2]>(), optional()).prop_map(
        |([mms, lp, srq, _], recipient, (scts, discharge), [mr, status], (pid, dcs, user_data))| {
            Tpdu::StatusReport(StatusReport {
                more_to_send: mms,
                loop_prevention: lp,
                about_command: srq,
                pid,
                dcs,
                user_data,
                ..StatusReport::new(Mr(mr), recipient, scts, discharge, Status(status))
            })
        },
    )
}

fn deliver_report() -> impl Strategy<Value = Tpdu> {
    (failure(), optional()).prop_map(|(failure, (pid, dcs, user_data))| {
        Tpdu::DeliverReport(DeliverReport {
            pid,
            dcs,
            user_data,
            ..DeliverReport::new(failure)
        })
    })
}

fn submit_report() -> impl Strategy<Value = Tpdu> {
    (failure(), timestamp(), optional()).prop_map(|(failure, scts, (pid, dcs, user_data))| {
        Tpdu::SubmitReport(SubmitReport {
            pid,
            dcs,
            user_data,
            ..SubmitReport::new(failure, scts)
        })
    })
}

fn tpdu() -> impl Strategy<Value = Tpdu> {
    prop_oneof![
        submit(),
        deliver(),
        command(),
        report(),
        deliver_report(),
        submit_report()
    ]
}

fn direction(kind: Kind) -> Direction {
    match kind {
        Kind::Deliver | Kind::StatusReport | Kind::SubmitReport => Direction::FromNetwork,
        Kind::Submit | Kind::Command | Kind::DeliverReport => Direction::ToNetwork,
    }
}

proptest! {
    #[test]
    fn every_tpdu_comes_back(tpdu in tpdu()) {
        let octets = tpdu.encode();
        prop_assert_eq!(Kind::of(octets[0], direction(tpdu.kind())), Ok(tpdu.kind()));
        let read = Tpdu::decode_as(&octets, tpdu.kind());
        prop_assert_eq!(read, Ok((tpdu.clone(), [].as_slice())));
        prop_assert_eq!(Tpdu::decode_as(&octets, tpdu.kind()), Ok((tpdu, [].as_slice())));
    }

    /// Octets that were read without a mark are written as they came; the bent ones are mostly such.
    #[test]
    fn what_has_no_mark_is_written_as_it_came(
        tpdu in tpdu(), bends in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 0..3),
        noise in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let whole = tpdu.encode();
        let decoded = Tpdu::decode_marked(&whole, tpdu.kind()).unwrap();
        prop_assert_eq!((decoded.rest, decoded.tpdu), ([].as_slice(), tpdu));
        let mut bent = whole;
        for (at, bit) in bends {
            let at = at.index(bent.len());
            bent[at] ^= 1 << bit;
        }
        for octets in [bent, noise] {
            for kind in Kind::ALL {
                let Ok(decoded) = Tpdu::decode_marked(&octets, kind) else { continue };
                let read = &octets[..octets.len() - decoded.rest.len()];
                prop_assert!(decoded.marks.iter().all(|mark| mark.octet <= octets.len()));
                if decoded.marks.is_empty() {
                    prop_assert_eq!(decoded.tpdu.encode(), read, "{}", kind);
                }
                let cut = decoded.marks.iter().any(|mark| matches!(mark.kind, MarkKind::Cut(_)));
                prop_assert_eq!(cut, decoded.tpdu.cut().is_some());
            }
        }
    }

    /// Whatever the octets: an error inside them, or a reading that is stable once its mark is gone.
    #[test]
    fn no_octets_make_a_kind_panic(tpdu in tpdu(), at: prop::sample::Index, octet: u8, length in 0..200_usize) {
        let mut octets = tpdu.encode();
        let at = at.index(octets.len());
        octets[at] = octet;
        octets.truncate(length);
        for kind in Kind::ALL {
            match Tpdu::decode_as(&octets, kind) {
                Err(error) => prop_assert!(error.octet <= octets.len(), "{error}"),
                Ok((read, rest)) => {
                    prop_assert!(rest.len() <= octets.len());
                    prop_assert!(read.cut().is_none_or(|cut| cut.octet <= octets.len()));
                    let written = read.encode();
                    let (again, rest) = Tpdu::decode_as(&written, kind).unwrap();
                    prop_assert_eq!((again.cut(), rest), (None, [].as_slice()));
                    prop_assert_eq!(again.encode(), written.as_slice());
                }
            }
        }
        if let Ok(found) = pdu::locate(&octets, Some(length)) {
            prop_assert_eq!(found.tpdu, &octets[found.at..]);
        }
    }

    #[test]
    fn service_centres_come_back(smsc in number(), tpdu in tpdu()) {
        let octets = tpdu.encode();
        let (hex, length) = pdu::with_smsc(Some(&smsc), &octets);
        let pdu = pdu::decode_hex(&hex).unwrap();
        prop_assert_eq!(pdu::split_smsc(&pdu), Ok((Some(smsc), octets.as_slice())));
        prop_assert_eq!(length, octets.len());
    }

    #[test]
    fn elements_of_a_header_come_back(
        elements in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 0..6),
    ) {
        let written = |(iei, data): &(u8, Vec<u8>)| [&[*iei, u8::try_from(data.len()).unwrap()], data.as_slice()].concat();
        let header = UserDataHeader::from_octets(&elements.iter().flat_map(written).collect::<Vec<_>>());
        let data = UserData::data8(Some(header), &[0x41]).unwrap();
        let submit = Submit::new("123".parse().unwrap(), data, ReportRequest::Unwanted);
        let read = Submit::decode(&submit.encode()).unwrap().user_data;
        let header = read.header().unwrap();
        let there: Vec<_> = header.elements().map(|element| (element.iei, element.data.to_vec())).collect();
        prop_assert_eq!((there, header.leftover()), (elements, [].as_slice()));
    }

    /// A place that cannot be is none: number 0, or one above the total.
    #[test]
    fn places_come_back(reference: u16, total: u8, sequence: u8) {
        let possible = (1..=total).contains(&sequence);
        let place = |header: UserDataHeader| header.concat().map(|c| (c.reference, c.total, c.sequence));
        let wide = UserDataHeader::concat_16(reference, total, sequence);
        prop_assert_eq!(place(wide), possible.then_some((reference, total, sequence)));
        let [_, low] = reference.to_be_bytes();
        let narrow = UserDataHeader::concat_8(low, total, sequence);
        prop_assert_eq!(place(narrow), possible.then_some((low.into(), total, sequence)));
    }

    #[test]
    fn a_message_is_never_lost_to_its_time(octets: [u8; 7], tpdu in deliver()) {
        let Tpdu::Deliver(mut deliver) = tpdu else { unreachable!() };
        deliver.scts = Timestamp::from_octets(octets);
        let read = Tpdu::decode_stored(&deliver.encode());
        prop_assert_eq!(read, Ok(Tpdu::Deliver(deliver.clone())));
        let shown = deliver.scts.to_string();
        match deliver.scts.reading() {
            Reading::Zoned(..) => prop_assert_eq!(Some(shown), deliver.scts.to_rfc3339()),
            Reading::WallClock(local) => prop_assert!(shown.starts_with(&local.strftime("%Y-%m-%dT%H:%M:%S (no valid zone").to_string())),
            Reading::Broken => prop_assert!(shown.starts_with("no valid time (")),
        }
    }

    #[test]
    fn a_wished_validity_is_never_passed(minutes in 0..700_000_u32) {
        let code = ValidityPeriod::within(minutes);
        let found = code.and_then(ValidityPeriod::minutes);
        prop_assert!(found.unwrap_or(0) <= minutes);
        if let Some(ValidityPeriod::Relative(code)) = code && code < 255 {
            prop_assert!(ValidityPeriod::Relative(code + 1).minutes() > Some(minutes));
        }
    }
}
