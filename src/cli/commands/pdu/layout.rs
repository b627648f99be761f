//! Which octets of a PDU are which field: a map for people, of broken PDUs as far as they go.
//!
//! Knows only where fields begin and end; what they say is for the decoders of `sms`. So it
//! can show the place at which one of them stopped.

use std::ops::Range;

use crate::sms::alphabet::Alphabet;
use crate::sms::fields::{Dcs, MOST_SEMI_OCTETS};
use crate::sms::pdu::{Decoded, Kind};

/// A field and its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// The standard's name of the field.
    pub(super) field: &'static str,
    /// Its octets, counted from the start of the PDU; the last one may be cut off.
    pub(super) range: Range<usize>,
}

/// The service centre's address before the TPDU.
pub(super) const SMSC: &str = "SMSC";
/// The octet with the message type and flags.
pub(super) const FIRST: &str = "first octet";
/// What follows the last field.
pub(super) const BEHIND: &str = "behind the TPDU";

/// TP-UDHI (TS 23.040, 9.2.3.23).
const HEADER: u8 = 1 << 6;
/// From here on an octet before TP-PI is a failure cause (TS 23.040, 9.2.3.22).
const FIRST_CAUSE: u8 = 0x80;

/// How far an address goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lengths {
    /// As far as its length octet says.
    Stated,
    /// No further than the longest that may be: so the decoder read it ([`Decoded::is_shortened`]).
    Shortened,
}

impl Lengths {
    /// As a TPDU was read.
    pub(super) fn of(decoded: &Decoded<'_>) -> Self {
        if decoded.is_shortened {
            Self::Shortened
        } else {
            Self::Stated
        }
    }
}

/// The spans of a service centre's address and the TPDU behind it, in order and without gaps.
pub(super) fn of_pdu(pdu: &[u8], kind: Option<Kind>, lengths: Lengths) -> Vec<Span> {
    let mut walk = Walk::new(pdu, lengths);
    let whole = walk.counted(SMSC, 1, usize::from);
    if whole.is_some() {
        walk.tpdu(kind);
    }
    walk.spans
}

/// The spans of a TPDU, in order and without gaps.
pub(super) fn of_tpdu(tpdu: &[u8], kind: Option<Kind>, lengths: Lengths) -> Vec<Span> {
    let mut walk = Walk::new(tpdu, lengths);
    walk.tpdu(kind);
    walk.spans
}

/// The way through the octets. Each step gives nothing once they have ended.
struct Walk<'a> {
    octets: &'a [u8],
    lengths: Lengths,
    at: usize,
    spans: Vec<Span>,
}

impl<'a> Walk<'a> {
    fn new(octets: &'a [u8], lengths: Lengths) -> Self {
        Self {
            octets,
            lengths,
            at: 0,
            spans: Vec::new(),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, field: &'static str, count: usize) -> Option<&'a [u8]> {
        let rest = self.rest();
        let taken = rest.get(..count).unwrap_or(rest);
        if !taken.is_empty() {
            self.spans.push(Span {
                field,
                range: self.at..self.at + taken.len(),
            });
        }
        self.at += taken.len();
        (taken.len() == count).then_some(taken)
    }

    fn octet(&mut self, field: &'static str) -> Option<u8> {
        self.take(field, 1)?.first().copied()
    }

    /// A length octet, `fixed` octets with it, and as many as the length comes to.
    fn counted(
        &mut self,
        field: &'static str,
        fixed: usize,
        octets: fn(u8) -> usize,
    ) -> Option<&'a [u8]> {
        let length = self.rest().first().copied().map_or(0, octets);
        self.take(field, fixed + length)
    }

    fn address(&mut self, field: &'static str) -> Option<&'a [u8]> {
        self.counted(
            field,
            2,
            match self.lengths {
                Lengths::Stated => |semi_octets| usize::from(semi_octets).div_ceil(2),
                Lengths::Shortened => {
                    |semi_octets| usize::from(semi_octets).min(MOST_SEMI_OCTETS).div_ceil(2)
                }
            },
        )
    }

    fn tpdu(&mut self, kind: Option<Kind>) {
        let Some(first) = self.octet(FIRST) else {
            return;
        };
        let whole = match kind.unwrap_or_else(|| Kind::stored(first)) {
            Kind::Deliver => self.deliver(first),
            Kind::Submit => self.submit(first),
            Kind::StatusReport => self.status_report(first),
            Kind::Command => self.command(),
            Kind::DeliverReport => self.answer(first, None),
            Kind::SubmitReport => self.answer(first, Some("TP-SCTS")),
        };
        if whole.is_some() {
            self.take(BEHIND, self.rest().len());
        }
    }

    fn deliver(&mut self, first: u8) -> Option<()> {
        self.address("TP-OA")?;
        self.octet("TP-PID")?;
        let dcs = self.octet("TP-DCS")?;
        self.take("TP-SCTS", 7)?;
        self.user_data(first, Dcs(dcs))
    }

    fn submit(&mut self, first: u8) -> Option<()> {
        self.octet("TP-MR")?;
        self.address("TP-DA")?;
        self.octet("TP-PID")?;
        let dcs = self.octet("TP-DCS")?;
        let validity = match first >> 3 & 0b11 {
            0b00 => 0,
            0b10 => 1,
            _ => 7,
        };
        self.take("TP-VP", validity)?;
        self.user_data(first, Dcs(dcs))
    }

    fn status_report(&mut self, first: u8) -> Option<()> {
        self.octet("TP-MR")?;
        self.address("TP-RA")?;
        self.take("TP-SCTS", 7)?;
        self.take("TP-DT", 7)?;
        self.octet("TP-ST")?;
        if self.rest().is_empty() {
            return Some(());
        }
        self.indicated(first, None)
    }

    fn command(&mut self) -> Option<()> {
        self.octet("TP-MR")?;
        self.octet("TP-PID")?;
        self.octet("TP-CT")?;
        self.octet("TP-MN")?;
        self.address("TP-DA")?;
        let length = self.octet("TP-CDL")?;
        self.take("TP-CD", length.into()).map(|_| ())
    }

    fn answer(&mut self, first: u8, time: Option<&'static str>) -> Option<()> {
        if self
            .rest()
            .first()
            .is_some_and(|octet| *octet >= FIRST_CAUSE)
        {
            self.octet("TP-FCS")?;
        }
        self.indicated(first, time)
    }

    /// TP-PI and the fields that it announces (TS 23.040, 9.2.3.27); `time` stands between them.
    fn indicated(&mut self, first: u8, time: Option<&'static str>) -> Option<()> {
        let indicator = self.octet("TP-PI")?;
        let mut more = indicator;
        while more & 0x80 != 0 {
            more = self.octet("TP-PI")?;
        }
        if let Some(field) = time {
            self.take(field, 7)?;
        }
        if indicator & 1 != 0 {
            self.octet("TP-PID")?;
        }
        let mut dcs = 0;
        if indicator & 1 << 1 != 0 {
            dcs = self.octet("TP-DCS")?;
        }
        if indicator & 1 << 2 != 0 {
            self.user_data(first, Dcs(dcs))?;
        }
        Some(())
    }

    fn user_data(&mut self, first: u8, dcs: Dcs) -> Option<()> {
        let length = usize::from(self.octet("TP-UDL")?);
        let octets = match dcs.alphabet() {
            Alphabet::Gsm7 => (length * 7).div_ceil(8),
            Alphabet::Data8 | Alphabet::Ucs2 => length,
        };
        let end = self.at + octets;
        if first & HEADER != 0 {
            let length = usize::from(self.octet("TP-UDHL")?);
            let header_end = self.at + length;
            while self.at < header_end {
                let element = self.rest().get(1).map_or(0, |length| usize::from(*length));
                self.take("TP-UDH", (2 + element).min(header_end - self.at))?;
            }
        }
        self.take("TP-UD", end.saturating_sub(self.at)).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::fields::{Pid, Timestamp, UserData};
    use crate::sms::pdu::{Tpdu, decode_hex, encode_hex};

    fn shown(hex: &str, kind: Option<Kind>) -> String {
        let pdu = decode_hex(hex).unwrap();
        let spans = of_pdu(&pdu, kind, Lengths::Stated);
        let mut at = 0;
        for span in &spans {
            assert_eq!(span.range.start, at, "no gaps");
            at = span.range.end;
        }
        let spans = spans
            .iter()
            .map(|span| format!("{} {}", span.field, span.range.len()));
        spans.collect::<Vec<_>>().join(", ")
    }

    /// Hex, kind, the fields with their lengths.
    const CASES: &[(&str, Option<Kind>, &str)] = &[
        (
            "0791447700099099040C9144770009406500006230414003000A0453EA130A",
            None,
            "SMSC 8, first octet 1, TP-OA 8, TP-PID 1, TP-DCS 1, TP-SCTS 7, TP-UDL 1, TP-UD 4",
        ),
        (
            "0071000C914477000910320000A7090500035A02019069",
            None,
            "SMSC 1, first octet 1, TP-MR 1, TP-DA 8, TP-PID 1, TP-DCS 1, TP-VP 1, TP-UDL 1, \
             TP-UDHL 1, TP-UDH 5, TP-UD 2",
        ),
        (
            "0006170C91447700091032623041015123006230410151730000",
            None,
            "SMSC 1, first octet 1, TP-MR 1, TP-RA 8, TP-SCTS 7, TP-DT 7, TP-ST 1",
        ),
        (
            "0006170C9144770009103262304101512300623041015173000007000402C8FF",
            None,
            "SMSC 1, first octet 1, TP-MR 1, TP-RA 8, TP-SCTS 7, TP-DT 7, TP-ST 1, TP-PI 1, TP-PID 1, \
             TP-DCS 1, TP-UDL 1, TP-UD 2",
        ),
        (
            "0002050002170C9144770009103203AABBCC",
            Some(Kind::Command),
            "SMSC 1, first octet 1, TP-MR 1, TP-PID 1, TP-CT 1, TP-MN 1, TP-DA 8, TP-CDL 1, TP-CD 3",
        ),
        (
            "0001D5010062304101512300",
            Some(Kind::SubmitReport),
            "SMSC 1, first octet 1, TP-FCS 1, TP-PI 1, TP-SCTS 7, TP-PID 1",
        ),
        (
            "00000000",
            Some(Kind::DeliverReport),
            "SMSC 1, first octet 1, TP-PI 1, behind the TPDU 1",
        ),
        // Cut off, and lengths over the end.
        ("0791447700", None, "SMSC 5"),
        ("", None, ""),
        ("00040C9144", None, "SMSC 1, first octet 1, TP-OA 3"),
        (
            "0071000C914477000910320004A7030500035A",
            None,
            "SMSC 1, first octet 1, TP-MR 1, TP-DA 8, TP-PID 1, TP-DCS 1, TP-VP 1, TP-UDL 1, \
             TP-UDHL 1, TP-UDH 3",
        ),
    ];

    #[test]
    fn every_octet_has_its_field() {
        for (hex, kind, expected) in CASES {
            assert_eq!(shown(hex, *kind), *expected, "{hex}");
        }
    }

    /// The octets that every field of a TPDU was read from, as far as the reading keeps them.
    fn told(decoded: &Decoded<'_>) -> Vec<(&'static str, Vec<u8>)> {
        let some = |field, octet: Option<u8>| octet.map(|octet| (field, vec![octet]));
        let time = |field, time: Timestamp| Some((field, time.octets().to_vec()));
        let udl = |data: Option<&UserData>| some("TP-UDL", data.map(UserData::udl));
        let pid = |pid: Option<Pid>| some("TP-PID", pid.map(|pid| pid.0));
        let dcs = |dcs: Option<Dcs>| some("TP-DCS", dcs.map(|dcs| dcs.0));
        let data = udl(decoded.tpdu.user_data());
        let fields = match &decoded.tpdu {
            Tpdu::Deliver(it) => {
                vec![
                    pid(Some(it.pid)),
                    dcs(Some(it.dcs)),
                    time("TP-SCTS", it.scts),
                    data,
                ]
            }
            Tpdu::Submit(it) => vec![
                some("TP-MR", Some(it.mr.0)),
                pid(Some(it.pid)),
                dcs(Some(it.dcs)),
                data,
            ],
            Tpdu::StatusReport(it) => vec![
                some("TP-MR", Some(it.mr.0)),
                time("TP-SCTS", it.scts),
                time("TP-DT", it.discharge),
                some("TP-ST", Some(it.status.0)),
                pid(it.pid),
                dcs(it.dcs),
                data,
            ],
            Tpdu::DeliverReport(it) => vec![pid(it.pid), dcs(it.dcs), data],
            Tpdu::SubmitReport(it) => {
                vec![time("TP-SCTS", it.scts), pid(it.pid), dcs(it.dcs), data]
            }
            Tpdu::Command(it) => vec![
                some("TP-MR", Some(it.mr.0)),
                pid(Some(it.pid)),
                some("TP-CT", Some(it.command.0)),
                some("TP-MN", Some(it.number.0)),
                Some(("TP-CD", it.data.clone())).filter(|(_, data)| !data.is_empty()),
            ],
        };
        let rest = Some((BEHIND, decoded.rest.to_vec())).filter(|(_, rest)| !rest.is_empty());
        fields.into_iter().chain([rest]).flatten().collect()
    }

    /// The decoder and the map must find each field in the same octets.
    fn agree(tpdu: &[u8], kind: Kind) -> bool {
        let Ok(decoded) = Tpdu::decode_marked(tpdu, kind) else {
            return false;
        };
        if decoded.tpdu.cut().is_some() {
            return false;
        }
        let told = told(&decoded);
        let spans = of_tpdu(tpdu, Some(kind), Lengths::of(&decoded));
        let shown = spans
            .iter()
            .map(|span| (span.field, tpdu[span.range.clone()].to_vec()));
        let shown: Vec<_> = shown.filter(|(field, _)| KEPT.contains(field)).collect();
        assert_eq!(shown, told, "{kind} {}", encode_hex(tpdu));
        decoded.is_shortened
    }

    const KEPT: &[&str] = &[
        "TP-MR", "TP-PID", "TP-DCS", "TP-SCTS", "TP-DT", "TP-ST", "TP-UDL", "TP-CT", "TP-MN",
        "TP-CD", BEHIND,
    ];

    #[test]
    fn the_map_and_the_decoder_agree() {
        let shortened = [
            "041C91447700900400657483920000623041015123000 5C8329BFD06",
            "0418914477009004006574839200006230410151230005C8329BFD06",
        ];
        for hex in shortened {
            assert!(
                agree(&decode_hex(&hex.replace(' ', "")).unwrap(), Kind::Deliver),
                "{hex}"
            );
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/pdu");
        let files = std::fs::read_dir(folder).unwrap();
        let mut corpus: Vec<Vec<u8>> = files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect();
        corpus.extend(CASES.iter().map(|(hex, _, _)| decode_hex(hex).unwrap()));
        corpus.extend(shortened.map(|hex| decode_hex(&hex.replace(' ', "")).unwrap()));
        corpus.sort();
        let mut number = 1_u64;
        let mut below = |limit: usize| {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(number >> 33).unwrap() % limit.max(1)
        };
        let mut count = 0;
        for pdu in &corpus {
            let behind_smsc = 1 + pdu.first().map_or(0, |length| usize::from(*length));
            for start in [0, behind_smsc.min(pdu.len())] {
                for round in 0..200 {
                    let mut tpdu = pdu[start..].to_vec();
                    if round > 0 && !tpdu.is_empty() {
                        let at = below(tpdu.len().min(16));
                        tpdu[at] = u8::try_from(below(256)).unwrap();
                    }
                    count += Kind::ALL
                        .into_iter()
                        .filter(|kind| agree(&tpdu, *kind))
                        .count();
                }
            }
        }
        assert!(
            count > 10,
            "{count} addresses were read shorter than they say"
        );
    }

    #[test]
    fn an_indicator_of_several_octets() {
        let report = "06170C91447700091032623041015123006230410151730000";
        let spans = of_tpdu(
            &decode_hex(&(report.to_owned() + "81800041")).unwrap(),
            None,
            Lengths::Stated,
        );
        let behind = spans
            .iter()
            .skip(6)
            .map(|span| (span.field, span.range.len()));
        let expected = [("TP-PI", 1), ("TP-PI", 1), ("TP-PI", 1), ("TP-PID", 1)];
        assert_eq!(behind.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn without_a_service_centre() {
        let spans = of_tpdu(&[0x04, 0x00, 0x81], None, Lengths::Stated);
        let fields: Vec<_> = spans.iter().map(|span| span.field).collect();
        assert_eq!(fields, [FIRST, "TP-OA"]);
    }
}
