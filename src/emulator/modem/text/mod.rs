//! Text mode: PDUs as fields in words, and words into PDUs.
//!
//! Source: TS 27.005, 3.1 (parameters) and 3.4 (what `+CMGR`, `+CMGL`, `+CMT` and `+CDS` show).

mod charset;

use super::reply::Fault;
use super::setup::Setup;
use crate::sms::alphabet::Alphabet;
use crate::sms::fields::{
    Address, Dcs, Pid, Reading, Timestamp, Ton, UserData, UserDataHeader, ValidityPeriod,
};
use crate::sms::pdu;
use crate::sms::submit::{ReportRequest, Submit};
use crate::sms::tpdu::Tpdu;
pub(super) use charset::{Charset, utf16};

/// "Invalid text mode parameter" (TS 27.005, 3.2.5).
const BAD_TEXT: Fault = Fault::Message(305);

/// Bits of `<fo>`, the first octet of SMS-SUBMIT (TS 23.040, 9.2.2.2).
const VALIDITY_RELATIVE: u8 = 0b10 << 3;
const REPORT: u8 = 1 << 5;
const HEADER: u8 = 1 << 6;

/// How much of a message is shown besides sender and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Nothing.
    Brief,
    /// Type of number and length, as `+CMGL` does.
    Listed,
    /// All fields, as `+CMGR` and `+CMT` do.
    Full,
}

/// The fields of a PDU behind `<stat>`, and the text below them; a report has none.
///
/// `None` when it cannot be read.
pub(super) fn fields(hex: &str, set: Charset, detail: Detail) -> Option<(String, Option<String>)> {
    let octets = pdu::decode_hex(hex).ok()?;
    let (centre, tpdu) = pdu::split_smsc(&octets).ok()?;
    let first = *tpdu.first()?;
    let shown = |fields: String, address: &Address, rest: String, data: &UserData| {
        let tail = match detail {
            Detail::Brief => String::new(),
            Detail::Listed => format!(",{},{}", kind_of(address), data.udl()),
            Detail::Full => {
                let (number, kind) = match &centre {
                    Some(centre) => (set.encode(&centre.to_string()), kind_of(centre)),
                    None => (String::new(), 129),
                };
                let kind_of = kind_of(address);
                format!(
                    ",{kind_of},{first},{rest},\"{number}\",{kind},{}",
                    data.udl()
                )
            }
        };
        (fields + &tail, Some(body(data, set)))
    };
    match Tpdu::decode_stored(tpdu).ok()? {
        Tpdu::Deliver(it) => Some(shown(
            format!("{},,\"{}\"", name(set, &it.originator), time(it.scts)),
            &it.originator,
            format!("{},{}", it.pid.0, it.dcs.0),
            &it.user_data,
        )),
        Tpdu::Submit(it) => {
            let validity = match it.validity {
                Some(ValidityPeriod::Relative(code)) => code.to_string(),
                _ => String::new(),
            };
            let alpha = if detail == Detail::Listed { "," } else { "" };
            Some(shown(
                format!("{},{alpha}", name(set, &it.destination)),
                &it.destination,
                format!("{},{},{validity}", it.pid.0, it.dcs.0),
                &it.user_data,
            ))
        }
        Tpdu::StatusReport(it) => {
            let recipient = format!("{},{}", name(set, &it.recipient), kind_of(&it.recipient));
            let times = format!("\"{}\",\"{}\"", time(it.scts), time(it.discharge));
            let fields = format!("{first},{},{recipient},{times},{}", it.mr.0, it.status.0);
            Some((fields, None))
        }
        _ => None,
    }
}

fn name(set: Charset, address: &Address) -> String {
    format!("\"{}\"", set.encode(&address.to_string()))
}

/// `<tooa>` and its like: the octet of type and plan (TS 24.011, 8.2.5.2).
fn kind_of(address: &Address) -> u8 {
    let ton = match address.ton() {
        Ton::Unknown => 0,
        Ton::International => 1,
        Ton::National => 2,
        Ton::NetworkSpecific => 3,
        Ton::Subscriber => 4,
        Ton::Alphanumeric => 5,
        Ton::Abbreviated => 6,
        Ton::Reserved => 7,
    };
    0x80 | ton << 4 | address.npi().0
}

/// `yy/MM/dd,hh:mm:ss±zz`, the zone in quarters of an hour.
fn time(time: Timestamp) -> String {
    let (local, quarters) = match time.reading() {
        Reading::Zoned(local, quarters) => (local, quarters),
        Reading::WallClock(local) => (local, 0),
        Reading::Broken => return "00/00/00,00:00:00+00".into(),
    };
    let sign = if quarters < 0 { '-' } else { '+' };
    let zone = quarters.unsigned_abs();
    format!("{}{sign}{zone:02}", local.strftime("%y/%m/%d,%H:%M:%S"))
}

/// `<data>`: characters, or hex where the octets are none or have a header in front.
fn body(data: &UserData, set: Charset) -> String {
    if data.alphabet() == Alphabet::Gsm7 && data.header().is_none() {
        return set.encode(&data.text());
    }
    let mut octets = Vec::new();
    data.encode(&mut octets);
    // The first one is TP-UDL.
    pdu::encode_hex(octets.get(1..).unwrap_or_default())
}

/// The number of a quoted string with its type: `None` is read from a `+` in front.
///
/// Errors: [`BAD_TEXT`].
pub(super) fn address(quoted: &str, kind: Option<&str>, set: Charset) -> Result<Address, Fault> {
    let number = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
    let number = number.and_then(|number| match set {
        // Digits are the same in the others, and clients often forget to change them.
        Charset::Ucs2 => set.decode(number.as_bytes()),
        _ => Some(number.to_owned()),
    });
    let number = number.filter(|number| !number.is_empty()).ok_or(BAD_TEXT)?;
    let plus = kind == Some("145") && !number.starts_with('+');
    let number = if plus { format!("+{number}") } else { number };
    number.to_lowercase().parse().map_err(|_| BAD_TEXT)
}

/// The SMS-SUBMIT of a text as `+CSMP` and `+CSCS` say.
///
/// Errors: [`BAD_TEXT`] when the text is none in its set, or does not fit into one message.
pub(super) fn compose(setup: &Setup, to: Option<&Address>, text: &[u8]) -> Result<Submit, Fault> {
    let [first, validity, pid, dcs] = setup.text_fields;
    let to = match to {
        Some(to) => to.clone(),
        None => "".parse().map_err(|_| BAD_TEXT)?,
    };
    let data = data(
        setup.charset,
        Dcs(dcs).alphabet(),
        first & HEADER != 0,
        text,
    )?;
    let report = if first & REPORT == 0 {
        ReportRequest::Unwanted
    } else {
        ReportRequest::Wanted
    };
    let mut submit = Submit::new(to, data, report);
    (submit.pid, submit.dcs) = (Pid(pid), Dcs(dcs));
    let relative = first & 0b11 << 3 == VALIDITY_RELATIVE;
    submit.validity = relative.then_some(ValidityPeriod::Relative(validity));
    Ok(submit)
}

fn data(set: Charset, alphabet: Alphabet, header: bool, text: &[u8]) -> Result<UserData, Fault> {
    if alphabet == Alphabet::Gsm7 && !header {
        let text = set.decode(text).ok_or(BAD_TEXT)?;
        return UserData::gsm7(None, &text).map_err(|_| BAD_TEXT);
    }
    let hex = String::from_utf8_lossy(text);
    let octets = pdu::decode_hex(hex.trim_end()).map_err(|_| BAD_TEXT)?;
    let (header, rest) = if header {
        let (length, rest) = octets.split_first().ok_or(BAD_TEXT)?;
        let (elements, rest) = rest
            .split_at_checked(usize::from(*length))
            .ok_or(BAD_TEXT)?;
        (Some(UserDataHeader::from_octets(elements)), rest)
    } else {
        (None, octets.as_slice())
    };
    match alphabet {
        Alphabet::Ucs2 => UserData::ucs2(header, &utf16(rest).ok_or(BAD_TEXT)?),
        Alphabet::Data8 => UserData::data8(header, rest),
        // Septets behind a header come packed, with fill bits that only its octets tell.
        Alphabet::Gsm7 => return Err(BAD_TEXT),
    }
    .map_err(|_| BAD_TEXT)
}

#[cfg(test)]
mod tests {
    use super::super::manners::Manners;
    use super::*;

    const DELIVER: &str = "0791447700099099040C9144770009406500006230414003000A0453EA130A";
    const NAMED: &str =
        "0791447700099099040BD0CDBC30EC5E0300006230419085104011D9775D0E1ABFC965507A0EA2DD6231";
    const UCS2: &str = "0791447700099099040C9144770009406500086230412103008018039E03B503BA03AF03BD03B1002000310032003A00330030";
    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";
    const SUBMIT: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";

    #[test]
    fn pdus_become_fields() {
        const CASES: &[(&str, Detail, &str, Option<&str>)] = &[
            (
                DELIVER,
                Detail::Brief,
                "\"+447700900456\",,\"26/03/14,04:30:00-20\"",
                Some("STOP"),
            ),
            (
                DELIVER,
                Detail::Listed,
                "\"+447700900456\",,\"26/03/14,04:30:00-20\",145,4",
                Some("STOP"),
            ),
            (
                DELIVER,
                Detail::Full,
                "\"+447700900456\",,\"26/03/14,04:30:00-20\",145,4,0,0,\"+447700900999\",145,4",
                Some("STOP"),
            ),
            (
                NAMED,
                Detail::Brief,
                "\"MyBank\",,\"26/03/14,09:58:01+04\"",
                Some("Your code is 4711"),
            ),
            (
                UCS2,
                Detail::Brief,
                "\"+447700900456\",,\"26/03/14,12:30:00+08\"",
                Some("039E03B503BA03AF03BD03B1002000310032003A00330030"),
            ),
            (
                REPORT,
                Detail::Full,
                "6,23,\"+447700900123\",145,\"26/03/14,10:15:32+00\",\"26/03/14,10:15:37+00\",0",
                None,
            ),
            (
                SUBMIT,
                Detail::Full,
                "\"+447700900123\",,145,49,0,0,167,\"\",129,19",
                Some("Order 1042 is ready"),
            ),
        ];
        for (hex, detail, expected, text) in CASES {
            let (shown, body) = fields(hex, Charset::Ira, *detail).unwrap();
            assert_eq!((shown.as_str(), body.as_deref()), (*expected, *text));
        }
        assert_eq!(fields("00FF", Charset::Ira, Detail::Brief), None);
        let (shown, _) = fields(DELIVER, Charset::Ucs2, Detail::Brief).unwrap();
        assert!(shown.starts_with("\"002B003400340037"), "{shown}");
    }

    #[test]
    fn words_become_a_submit() {
        let mut setup = Setup::of(&Manners::of("generic", None).unwrap());
        let to = address("\"+447700900123\"", None, Charset::Gsm).unwrap();
        let hex = |submit: &Submit| pdu::for_cmgs(submit).0;
        setup.text_fields = [49, 167, 0, 0];
        let plain = compose(&setup, Some(&to), b"Order 1042 is ready").unwrap();
        assert_eq!(hex(&plain), SUBMIT);
        setup.text_fields = [17, 0, 0, 8];
        let ucs2 = compose(&setup, Some(&to), b"0416").unwrap();
        assert_eq!(
            (ucs2.text().as_str(), ucs2.report),
            ("Ж", ReportRequest::Unwanted)
        );
        setup.text_fields = [81, 0, 0, 8];
        let part = compose(&setup, Some(&to), b"0500030102010416").unwrap();
        assert_eq!(hex(&part), "0051000C91447700091032000800080500030102010416");
        for (fields, text) in [
            ([17, 0, 0, 8], "Ж".as_bytes()),
            ([81, 0, 0, 0], b"050003010201"),
            ([81, 0, 0, 8], b"0900030102010416"),
            ([17, 0, 0, 0], [b'x'; 161].as_slice()),
        ] {
            setup.text_fields = fields;
            assert_eq!(
                compose(&setup, Some(&to), text),
                Err(BAD_TEXT),
                "{fields:?}"
            );
        }
    }

    #[test]
    fn numbers_come_in_the_charset_and_with_their_type() {
        const CASES: &[(&str, Option<&str>, Charset, Option<&str>)] = &[
            (
                "\"447700900123\"",
                Some("145"),
                Charset::Gsm,
                Some("+447700900123"),
            ),
            (
                "\"07700900123\"",
                Some("129"),
                Charset::Ira,
                Some("07700900123"),
            ),
            ("\"002B00340034\"", None, Charset::Ucs2, Some("+44")),
            ("\"\"", None, Charset::Gsm, None),
            ("07700900123", None, Charset::Gsm, None),
            ("\"shop\"", None, Charset::Gsm, None),
        ];
        for (quoted, kind, set, number) in CASES {
            let read = address(quoted, *kind, *set).ok().map(|it| it.to_string());
            assert_eq!(read.as_deref(), *number, "{quoted}");
        }
    }
}
