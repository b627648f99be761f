//! `simpost pdu decode`: hex PDUs in, their fields out.

use std::io;

use clap::Args;

use super::error::{Error, code};
use super::fields::Fields;
use super::layout::Lengths;
use super::picture;
use crate::cli::exit::{Exit, Failure};
use crate::cli::filter::{self, Line};
use crate::cli::output;
use crate::sms::DecodeError;
use crate::sms::pdu::{self, Direction, Kind, Tpdu};

/// Read PDUs: one in hex a line, one result each
///
/// With the service centre's address in front, as modems give them. A PDU that cannot be read has its
/// error, with the octet where reading stopped, in its place; the next line is read all the same.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct Decode {
    /// One PDU; without it, or with `-`, one a line from stdin
    #[arg(value_name = "HEX", default_value = "-")]
    hex: String,

    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,

    /// The TPDU alone: no service centre's address before it
    #[arg(long)]
    no_smsc: bool,

    /// What it is; else the type bits say: a message, a report that came, or a message to send
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,

    /// Which way it travelled, network or phone: the type bits of each way mean other kinds
    #[arg(long, value_name = "END", value_parser = sender, conflicts_with = "kind")]
    from: Option<Direction>,
}

fn sender(word: &str) -> Result<Direction, &'static str> {
    match word {
        "network" => Ok(Direction::FromNetwork),
        "phone" => Ok(Direction::ToNetwork),
        _ => Err("known ends are network, phone"),
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    word.parse().map_err(|_| {
        let words = Kind::ALL.map(|kind| kind.to_string()).join(", ");
        format!("known kinds are {words}")
    })
}

const HELP: &str = "\
JSON, without the fields that a PDU does not have; times are RFC 3339, hex is in upper case:
  type              deliver, submit, status_report, deliver_report, submit_report or command
  smsc              the service centre
  sender, recipient TP-OA; TP-DA or TP-RA
  sender_type       alphanumeric (a name, also one of digits), national, network_specific,
                    subscriber, abbreviated or reserved; left out for digits of unknown type
                    and for international numbers, which have a `+`
  recipient_type    the same of the recipient
  smsc_type         the same of the service centre
  text, data_hex    TP-UD decoded; its octets where they are no text, or those of TP-CD
  alphabet, udl     gsm7, 8bit or ucs2; TP-UDL
  udh               the elements of the user data header, each with `iei` and `hex`
  udh_leftover_hex  what follows its last whole element: with it no element counts
  concat            `reference`, `total` and `sequence` of a part
  ports             `destination` and `source`
  message_waiting   `mailbox` (voice, fax, email, other), `waiting`, `count`, `store`;
                    `extended_type` of other messages (1 is video); `profile` from 2 up
  more_waiting      the same of further mailboxes
  timestamp         TP-SCTS, without a zone where its zone is broken, left out where its date is
  timestamp_hex     its octets, if they are broken
  discharge         TP-DT, and discharge_hex in the same way
  mr                TP-MR
  status            TP-ST
  status_class      delivered, forwarded, trying, failed, expired, temporary_gave_up or reserved
  fcs               TP-FCS, why a report refuses
  ct, mn            TP-CT and TP-MN of a command: what to do, with which message
  class, pid, dcs   the message class; TP-PID; TP-DCS
  srr, rd, rp       TP-SRR, TP-RD, TP-RP
  vp                TP-VP: the code if it is relative, else its octets in hex
  validity_minutes  how long that is, rounded down, from one minute up
  validity_seconds  the same, where it is no number of whole minutes
  validity_until    until when, if it is absolute
  single_shot       the service centre shall try only once
  cut               the optional fields ended too soon: `code`, `octet`, `message`
  marks             octets that are odd but could be read, each with `code`, `octet`, `message`;
                    the codes are address_too_long, filler, name, spare_bits, reserved_type,
                    header_of_nothing, nothing_announced, header_cut, no_such_part,
                    length_too_short, half_character, half_pair, escape, time
  behind_hex        octets behind the TPDU
  error             instead of all these: `code`, `octet` (from the start of the line), `message`,
                    and a `hint` where another option reads it;
                    the codes are not_hex, half_octet, too_short, wrong_type, address_too_long,
                    user_data_too_long, header_too_long, line_too_long

Examples:
  simpost pdu decode 079144770009909906170C91447700091032623041015123006230410151730000
  simpost pdu decode --json --no-smsc --kind submit-report - < reports.txt";

/// A PDU, as far as it can be read.
pub(super) struct Read {
    /// Its octets, up to the first character that is no hex.
    pub(super) octets: Vec<u8>,
    /// Its fields, or why it has none; octets counted from the start of the hex.
    pub(super) fields: Result<Fields, DecodeError>,
    /// How far its addresses go.
    pub(super) lengths: Lengths,
    /// What it is, if it has a first octet and that says so.
    pub(super) kind: Option<Kind>,
    /// What a person may try where reading stopped.
    pub(super) hint: Option<&'static str>,
}

impl Decode {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        if self.hex == "-" {
            filter::each_line(io::stdin().lock(), io::stdout().lock(), |line| match line {
                Line::Text(hex) => self.answer(hex).0,
                Line::TooLong if self.json => TOO_LONG.line(),
                Line::TooLong => format!("error: {}\n", TOO_LONG.message),
            })?;
            return Ok(Exit::Done);
        }
        let (answer, exit) = self.answer(&self.hex);
        output::line(&answer);
        Ok(exit)
    }

    fn answer(&self, hex: &str) -> (String, Exit) {
        let read = self.read(hex);
        let exit = if read.fields.is_ok() {
            Exit::Done
        } else {
            Exit::Failed
        };
        let answer = if self.json {
            match &read.fields {
                Ok(fields) => serde_json::to_string(fields).unwrap_or_default(),
                Err(error) => Error {
                    code: code(*error),
                    octet: Some(error.octet),
                    message: &error.kind.to_string(),
                    hint: read.hint,
                }
                .line(),
            }
        } else {
            picture::of(&read, self.no_smsc)
        };
        (answer, exit)
    }

    fn read(&self, hex: &str) -> Read {
        let (octets, read) = match pdu::decode_hex(hex) {
            Ok(octets) => {
                let read = self.fields(&octets);
                (octets, read)
            }
            Err(error) => {
                let whole = hex.trim_ascii().get(..2 * error.octet).unwrap_or_default();
                (pdu::decode_hex(whole).unwrap_or_default(), Err(error))
            }
        };
        let (fields, lengths) = match read {
            Ok((fields, lengths)) => (Ok(fields), lengths),
            Err(error) => (Err(error), Lengths::Stated),
        };
        let hint = fields.as_ref().err().and_then(|_| self.hint(&octets));
        Read {
            kind: self
                .first(&octets)
                .and_then(|first| self.kind_of(first).ok()),
            octets,
            fields,
            lengths,
            hint,
        }
    }

    /// The first octet of the TPDU.
    fn first(&self, octets: &[u8]) -> Option<u8> {
        let before = match octets.first() {
            Some(length) if !self.no_smsc => 1 + usize::from(*length),
            _ => 0,
        };
        octets.get(before).copied()
    }

    /// Modems leave the service centre out now and then.
    fn hint(&self, octets: &[u8]) -> Option<&'static str> {
        let bare = || pdu::locate(octets, None).is_ok_and(|located| located.at == 0);
        (!self.no_smsc && bare())
            .then_some("it can be read without a service centre's address: --no-smsc")
    }

    /// What a TPDU with this first octet is.
    fn kind_of(&self, first: u8) -> Result<Kind, DecodeError> {
        match (self.kind, self.from) {
            (Some(kind), _) => Ok(kind),
            (None, Some(direction)) => Kind::of(first, direction),
            (None, None) => Ok(Kind::stored(first)),
        }
    }

    fn fields(&self, octets: &[u8]) -> Result<(Fields, Lengths), DecodeError> {
        let (smsc, tpdu) = if self.no_smsc {
            (None, octets)
        } else {
            pdu::split_smsc(octets)?
        };
        let before = octets.len() - tpdu.len();
        let first = tpdu.first().copied().unwrap_or_default();
        let read = self
            .kind_of(first)
            .and_then(|kind| Tpdu::decode_marked(tpdu, kind));
        // Decoders count from the start of the TPDU, a person from the start of the line.
        let decoded = read.map_err(|error| DecodeError {
            octet: before + error.octet,
            ..error
        })?;
        let mut fields = Fields::of(smsc.as_ref(), &decoded.tpdu, before);
        fields.marks(&decoded.marks, before);
        fields.behind(decoded.rest);
        Ok((fields, Lengths::of(&decoded)))
    }
}

/// The answer to a line that is no PDU for sure.
pub(super) const TOO_LONG: Error<'static> = Error {
    code: "line_too_long",
    octet: None,
    message: "the line is too long",
    hint: None,
};
