//! What must hold for any octets: one body a decoder, run by the fuzz targets over what they find and
//! by `fuzz_corpus.rs` over a corpus. A body panics where a promise is broken.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use simpost::modem::at::dialog::{Dialog, Exchange, Step};
use simpost::modem::at::lines::{Buffer, Frame, LONGEST, PromptDue};
use simpost::modem::at::messaging::{HexPdu, SendMessage};
use simpost::modem::at::reading;
use simpost::modem::at::ussd::{OpenText, Ussd};
use simpost::sms::alphabet::{self, Alphabet, Language, Shifts, Tables};
use simpost::sms::deliver::Deliver;
use simpost::sms::fields::{Address, Reading, Timestamp, UserData, UserDataHeader, ValidityPeriod};
use simpost::sms::ids::PartNo;
use simpost::sms::join::{Belongs, GAP, Message, Part, belongs};
use simpost::sms::parts::{self, Allowed};
use simpost::sms::pdu::{self, Decoded, Direction, Kind, Tpdu};
use simpost::sms::plain;

/// A body.
pub type Body = fn(&[u8]);

/// Every body under the name of its corpus and fuzz target.
pub const BODIES: &[(&str, Body)] = &[
    ("pdu", pdu),
    ("address", address),
    ("header", header),
    ("timestamp", timestamp),
    ("alphabet", alphabet),
    ("user_data", user_data),
    ("hex", hex),
    ("lines", lines),
    ("dialog", dialog),
    ("ussd", ussd),
    ("reading", reading),
    ("text", text),
    ("join", join),
];

/// A PDU with its service centre's address, in every way that it can be read: an error names an octet
/// that is there or the one behind the last; what was read is written and read again without a change, and
/// without a mark to the octet.
pub fn pdu(octets: &[u8]) {
    let tpdu = match pdu::split_smsc(octets) {
        Ok((smsc, tpdu)) => {
            let written = pdu::with_smsc(smsc.as_ref(), tpdu).0;
            let again = pdu::decode_hex(&written).unwrap();
            // A name as service centre, which no network has, may gain or lose a character that its length
            // cannot tell; the TPDU behind it must not be touched.
            assert_eq!(pdu::split_smsc(&again).map(|(_, rest)| rest), Ok(tpdu));
            tpdu
        }
        Err(error) => {
            assert!(error.octet <= octets.len(), "{error}");
            octets
        }
    };
    for tpdu in [tpdu, octets] {
        for kind in Kind::ALL {
            stable(tpdu, kind);
        }
        let first = tpdu.first().copied().unwrap_or_default();
        // Only the reserved type of a phone is none; each has its direction in its bits.
        for direction in [Direction::FromNetwork, Direction::ToNetwork] {
            let is_none = first & 0b11 == 0b11 && direction == Direction::ToNetwork;
            assert_eq!(
                Kind::of(first, direction).is_err(),
                is_none,
                "{direction:?}"
            );
        }
        let stored = Tpdu::decode_as(tpdu, Kind::stored(first)).map(|(tpdu, _)| tpdu);
        assert_eq!(Tpdu::decode_stored(tpdu), stored);
    }
    let length = octets.len();
    for stated in [None, Some(length), length.checked_sub(1), Some(23)] {
        match pdu::locate(octets, stated) {
            Ok(located) => assert_eq!(located.tpdu, &octets[located.at..]),
            Err(error) => assert!(error.octet <= length, "{error}"),
        }
    }
}

fn stable(octets: &[u8], kind: Kind) {
    match Tpdu::decode_marked(octets, kind) {
        Err(error) => assert!(error.octet <= octets.len(), "{error}"),
        Ok(Decoded {
            tpdu, marks, rest, ..
        }) => {
            assert!(rest.len() <= octets.len());
            // What is not written as it came has a mark.
            let read = octets.strip_suffix(rest).unwrap();
            assert!(!marks.is_empty() || tpdu.encode() == read, "{kind}");
            assert_eq!(tpdu.kind(), kind);
            let _ = format!("{tpdu:?}");
            // What is cut off cannot come back: the announcement is not repeated.
            if tpdu.cut().is_none() {
                let written = tpdu.encode();
                let again = Tpdu::decode_as(&written, kind);
                assert_eq!(again, Ok((tpdu, [].as_slice())));
            }
        }
    }
}

/// A sender as a TPDU has it: length in semi-octets, type, value. And the octets as somebody types one.
pub fn address(octets: &[u8]) {
    let semi_octets = usize::from(octets.first().copied().unwrap_or_default());
    let end = 2 + semi_octets.div_ceil(2);
    let mut tpdu = vec![0];
    tpdu.extend(octets.iter().take(end));
    if octets.len() >= end {
        // TP-PID to TP-UDL, all zeros.
        tpdu.extend([0; 10]);
        let read = Deliver::decode(&tpdu).map(|deliver| deliver.originator);
        // Longer ones than the standard allows are read, or not.
        if semi_octets <= 20 {
            let address = read.unwrap();
            let again = Address::new(address.ton(), address.npi(), address.value());
            assert_eq!(again.as_ref(), Ok(&address));
            travels(address);
        }
    } else {
        let error = Deliver::decode(&tpdu).unwrap_err();
        assert!(error.octet <= tpdu.len(), "{error}");
    }
    let typed = String::from_utf8_lossy(octets);
    if let Ok(number) = typed.parse::<Address>() {
        assert_eq!(number.to_string(), typed);
        travels(number);
    }
    if let Ok(name) = Address::name(&typed) {
        assert_eq!(name.value(), typed);
        travels(name);
    }
}

/// It comes back as it was.
fn travels(address: Address) {
    let nothing = UserData::data8(None, &[]).unwrap();
    let deliver = Deliver::new(address, Timestamp::from_octets([0; 7]), nothing);
    assert_eq!(Deliver::decode(&deliver.encode()), Ok(deliver));
}

/// The elements of a header: every octet is in one or left over, and one left over makes all count for
/// nothing.
pub fn header(octets: &[u8]) {
    let header = UserDataHeader::from_octets(octets);
    let whole = header.elements().flat_map(|element| {
        let length = u8::try_from(element.data.len()).unwrap();
        [&[element.iei, length], element.data].concat()
    });
    let whole: Vec<u8> = whole.collect();
    assert_eq!([&whole, header.leftover()].concat(), octets);
    let concat = header.concat();
    assert_eq!(concat.is_some(), header.reference_width().is_some());
    assert!(concat.is_none_or(|concat| (1..=concat.total).contains(&concat.sequence)));
    if !header.leftover().is_empty() {
        assert_eq!((concat, header.ports()), (None, None));
        assert_eq!(header.message_waiting(), []);
        assert_eq!(header.shifts(), Shifts::NONE);
    }
}

/// Seven octets as a time, and as a period of validity.
pub fn timestamp(octets: &[u8]) {
    let Some(octets) = octets.first_chunk::<7>() else {
        return;
    };
    let time = Timestamp::from_octets(*octets);
    assert_eq!(time.octets(), *octets);
    let zoned = match time.reading() {
        Reading::Zoned(local, quarters) => {
            let again = Timestamp::from_parts(local, quarters).unwrap();
            assert_eq!(again.reading(), time.reading());
            let instant = time.to_instant().unwrap();
            let moved = Timestamp::from_instant(instant, quarters).unwrap();
            assert_eq!(moved.reading(), time.reading());
            true
        }
        Reading::WallClock(_) | Reading::Broken => false,
    };
    assert_eq!(time.to_instant().is_some(), zoned);
    assert_eq!(time.to_rfc3339().is_some(), zoned);
    for period in [
        ValidityPeriod::Relative(octets[0]),
        ValidityPeriod::Enhanced(*octets),
        ValidityPeriod::Absolute(time),
    ] {
        let minutes = period.minutes();
        let nearest = minutes.and_then(ValidityPeriod::within);
        let nearest = nearest.and_then(ValidityPeriod::minutes);
        assert!(nearest <= minutes, "{nearest:?} is past {minutes:?}");
        if let ValidityPeriod::Relative(_) = period {
            assert_eq!(nearest, minutes);
        }
    }
}

/// Two languages, fill bits, then packed septets: read by the tables of these languages, and written again.
pub fn alphabet(octets: &[u8]) {
    let [locking, single, fill, packed @ ..] = octets else {
        return;
    };
    let language = |id: &u8| Language::try_from(id % 16).ok();
    let tables = Tables::of(Shifts {
        locking: language(locking),
        single: language(single),
    });
    let fill = usize::from(fill % 7);
    let septets = alphabet::unpack(packed, fill, usize::MAX);
    let again = alphabet::pack(&septets, fill);
    assert_eq!(alphabet::unpack(&again, fill, septets.len()), septets);
    let text = tables.decode(&septets);
    assert!(text.chars().count() <= septets.len());
    let written = tables.encode(&text).unwrap();
    assert_eq!(tables.septets(&text), Some(written.len()));
    assert!(written.len() <= septets.len());
    assert_eq!(tables.decode(&written), text);
    // A carriage return at the end may be filling, or get one.
    let ussd = alphabet::unpack_ussd(&alphabet::pack_ussd(&septets));
    let rest = ussd.strip_prefix(septets.as_slice()).unwrap();
    assert!(matches!(rest, [] | [b'\r']), "{rest:?}");
}

/// TP-DCS, then whether there is a header, then TP-UDL and TP-UD: every alphabet and every header.
pub fn user_data(octets: &[u8]) {
    let [dcs, headed, rest @ ..] = octets else {
        return;
    };
    // TP-UDHI where the octet is odd; an empty sender, TP-PID and TP-SCTS of zeros.
    let mut tpdu = vec![(headed & 1) << 6, 0, 0x81, 0, *dcs];
    tpdu.extend([0; 7]);
    tpdu.extend(rest);
    let Ok(deliver) = Deliver::decode(&tpdu) else {
        return;
    };
    let user_data = &deliver.user_data;
    let text = user_data.text();
    assert!(
        text.chars().count() <= 320,
        "{} characters",
        text.chars().count()
    );
    assert!(user_data.payload().len() <= 140);
    assert!(user_data.udl() <= 160);
    if let Some(header) = user_data.header() {
        let used: usize = header
            .elements()
            .map(|element| 2 + element.data.len())
            .sum();
        assert!(used <= header.octets().len());
        if let Some(concat) = header.concat() {
            assert!((1..=concat.total).contains(&concat.sequence));
        }
    }
    assert_eq!(Deliver::decode(&deliver.encode()).as_ref(), Ok(&deliver));
}

/// A line of hex from anywhere.
pub fn hex(octets: &[u8]) {
    let line = String::from_utf8_lossy(octets);
    match pdu::decode_hex(&line) {
        Ok(octets) => {
            assert_eq!(
                pdu::encode_hex(&octets),
                line.trim_ascii().to_ascii_uppercase()
            );
        }
        Err(error) => assert!(2 * error.octet <= line.len(), "{error}"),
    }
}

/// What a modem may say as lines and prompts: the same in one piece and octet by octet, none with an end of
/// line or a NUL in it, no prompt where none is due.
pub fn lines(octets: &[u8]) {
    for due in [PromptDue::No, PromptDue::Yes] {
        let (whole, torn) = (frames(octets, usize::MAX, due), frames(octets, 1, due));
        assert_eq!(whole, torn, "torn at every octet it reads otherwise");
        let all = frames(octets, 100, due);
        for frame in &all {
            match frame {
                Frame::Prompt => assert_eq!(due, PromptDue::Yes),
                Frame::Line(line) => {
                    assert!(!line.contains(['\r', '\n', '\0', '\u{1a}', '\u{1b}']));
                    // A replaced octet takes three.
                    assert!(line.len() <= 3 * LONGEST, "{}", line.len());
                }
            }
        }
    }
}

fn frames(octets: &[u8], at_once: usize, due: PromptDue) -> Vec<Frame<'static>> {
    let mut buffer = Buffer::default();
    let mut frames = Vec::new();
    for piece in octets.chunks(at_once) {
        buffer.extend(piece);
        while let Some(frame) = buffer.next(due) {
            frames.push(match frame {
                Frame::Line(line) => Frame::Line(Cow::Owned(line.into_owned())),
                Frame::Prompt => Frame::Prompt,
            });
        }
    }
    frames
}

/// Lines of an answer of the network: each by itself, and all as one text, which ends at some line.
pub fn ussd(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let mut lines = text.split('\n');
    for line in lines.clone() {
        read_ussd(line);
    }
    let mut open = OpenText::new(lines.next().unwrap_or_default());
    let _ = lines.find(|line| open.push(line));
    read_ussd(&open.close());
}

fn read_ussd(line: &str) {
    if let Some(ussd) = Ussd::read(line) {
        assert!(line.starts_with("+CUSD:"));
        // No coding makes a text longer than what it is written in, in characters.
        let text = ussd.text.unwrap_or_default();
        let (_, written) = line.split_once(',').unwrap_or_default();
        assert!(text.chars().count() <= written.chars().count(), "{text:?}");
    }
}

/// What a modem may say, in whatever pieces it comes. The first octet is what the host does: bit 0 sends
/// a text, bit 1 lets it go at the prompt (else it escapes).
pub fn dialog(octets: &[u8]) {
    let Some((habit, said)) = octets.split_first() else {
        return;
    };
    let _ = conversation(*habit, said, 7, true);
    // No piece holds more news than are kept for one that does not listen.
    let whole = conversation(*habit, said, 4096, false);
    let torn = conversation(*habit, said, 1, false);
    assert_eq!(whole, torn, "torn at every octet it reads otherwise");
}

/// A conversation up to its end; whether the host reacts to what it hears.
fn conversation(habit: u8, said: &[u8], at_once: usize, reacts: bool) -> Vec<Step> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only the order of moments counts, not when they are"
    )]
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let start = *START;
    let mut dialog = Dialog::default();
    if habit & 1 == 1 {
        let exchange = Exchange::of(&SendMessage {
            tpdu_length: 4,
            pdu: HexPdu::of(&[0x00, 0x11, 0x00, 0x0B, 0x91]),
            patience: Duration::from_secs(60),
        });
        dialog.start(exchange, start).unwrap();
    }
    let mut steps = Vec::new();
    for octets in said.chunks(at_once) {
        dialog.receive(octets);
        while let Some(step) = dialog.poll() {
            match &step {
                Step::Prompted if reacts && habit & 2 == 2 => dialog.go(start),
                Step::Prompted if reacts => dialog.escape(start),
                _ => {}
            }
            steps.push(step);
        }
    }
    while let Some(due) = dialog.wake_at() {
        dialog.tick(due);
        steps.extend(std::iter::from_fn(|| dialog.poll()));
        assert!(
            dialog.wake_at().is_none_or(|next| next > due),
            "a wake-up that wakes nothing"
        );
    }
    steps
}

/// A command, a line end, and the lines of its answer: read as each kind of lines.
pub fn reading(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let mut lines = text.split('\n').map(str::to_owned);
    let command = lines.next().unwrap_or_default();
    let lines: Vec<String> = lines.collect();
    for kind in [
        reading::Kind::Response,
        reading::Kind::Urc,
        reading::Kind::Final,
    ] {
        let read = reading::read(&command, kind, &lines);
        // The same lines say the same.
        assert_eq!(read, reading::read(&command, kind, &lines));
    }
}

/// Any text on its way: it arrives as it left, in the fewest parts, in every alphabet that is allowed; and
/// what is said about its characters holds.
pub fn text(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let strangers = plain::strangers(&text);
    if let Some(same) = plain::looks_the_same(&text) {
        assert_eq!(plain::strangers(&same), []);
    }
    let _ = (plain::from_ukrainian(&text), plain::from_russian(&text));
    let mut fewest = usize::MAX;
    for languages in [
        &[][..],
        &[Language::Turkish, Language::Portuguese],
        &Language::ALL,
    ] {
        let allowed = Allowed {
            single: languages,
            locking: languages,
            ..Allowed::default()
        };
        let Ok(split) = parts::split_with(&text, &allowed) else {
            return;
        };
        assert!(split.segments.len() <= fewest, "more tables, more parts");
        fewest = split.segments.len();
        if languages.is_empty() {
            assert_eq!(strangers.is_empty(), split.alphabet == Alphabet::Gsm7);
        }
        let part = |no| split.user_data_wide(&text, PartNo(no), 7).unwrap();
        let arrived: String = (1..=split.parts()).map(|no| part(no).text()).collect();
        assert_eq!(arrived, text);
    }
}

/// Parts that come in any order: five octets say sender, reference (and the minute), total, number and
/// length of each.
pub fn join(octets: &[u8]) {
    let mut shelves = std::collections::HashMap::<_, Vec<Message>>::new();
    let mut rest = octets;
    while let [sender, reference, total, number, length, tail @ ..] = rest {
        let (text, tail) = tail.split_at((usize::from(*length) % 8).min(tail.len()));
        rest = tail;
        let header = UserDataHeader::concat_8(reference % 2, total % 6, number % 6);
        let user_data = UserData::data8(Some(header), text).unwrap();
        let Some(place) = user_data.header().and_then(UserDataHeader::concat) else {
            continue;
        };
        let scts = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, reference / 2, 0, 0]);
        let part = Part { user_data, scts };
        let key = (sender % 3, place.reference, place.total);
        let shelf = shelves.entry(key).or_default();
        let mut message = match belongs(shelf, place.sequence, &part) {
            Belongs::Repeat => continue,
            Belongs::To(at) => shelf.remove(at),
            Belongs::Anew => Message::new(place.total),
        };
        assert!(!message.is_whole(), "a whole message takes no part");
        message.add(place.sequence, part.clone());
        assert_eq!(message.is_whole(), !message.text().contains(GAP));
        shelf.push(message);
        assert_eq!(belongs(shelf, place.sequence, &part), Belongs::Repeat);
    }
}
