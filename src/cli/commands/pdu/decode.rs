//! `simpost pdu decode`: hex PDUs in, their fields out.

use std::io;

use clap::Args;

use super::fields::{Error, Fields, code};
use super::picture;
use crate::cli::exit::{Exit, Failure};
use crate::cli::filter::{self, Line};
use crate::cli::output;
use crate::sms::DecodeError;
use crate::sms::pdu::{self, Kind, Tpdu};

/// Read PDUs: one in hex a line, one result each
///
/// With the service centre's address in front, as modems give them. A PDU that cannot be read has its
/// error, with the octet where reading stopped, in its place; the next line is read all the same.
#[derive(Debug, Args)]
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
}

fn kind(word: &str) -> Result<Kind, String> {
    word.parse().map_err(|_| {
        let words = Kind::ALL.map(|kind| kind.to_string()).join(", ");
        format!("known kinds are {words}")
    })
}

/// A PDU, as far as it can be read.
pub(super) struct Read {
    /// Its octets, up to the first character that is no hex.
    pub(super) octets: Vec<u8>,
    /// Its fields, or why it has none; octets counted from the start of the hex.
    pub(super) fields: Result<Fields, DecodeError>,
}

impl Decode {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        if self.hex == "-" {
            filter::each_line(io::stdin().lock(), io::stdout().lock(), |line| match line {
                Line::Text(hex) => self.answer(hex).0,
                Line::TooLong if self.json => TOO_LONG.line(),
                Line::TooLong => format!("error: {}", TOO_LONG.message),
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
                }
                .line(),
            }
        } else {
            picture::of(&read, self.kind, self.no_smsc)
        };
        (answer, exit)
    }

    fn read(&self, hex: &str) -> Read {
        match pdu::decode_hex(hex) {
            Ok(octets) => {
                let fields = self.fields(&octets);
                Read { octets, fields }
            }
            Err(error) => {
                let whole = hex.trim_ascii().get(..2 * error.octet).unwrap_or_default();
                Read {
                    octets: pdu::decode_hex(whole).unwrap_or_default(),
                    fields: Err(error),
                }
            }
        }
    }

    fn fields(&self, octets: &[u8]) -> Result<Fields, DecodeError> {
        let (smsc, tpdu) = if self.no_smsc {
            (None, octets)
        } else {
            pdu::split_smsc(octets)?
        };
        let before = octets.len() - tpdu.len();
        let first = tpdu.first().copied().unwrap_or_default();
        let kind = self.kind.unwrap_or_else(|| Kind::stored(first));
        // Decoders count from the start of the TPDU, a person from the start of the line.
        let (tpdu, behind) = Tpdu::decode_as(tpdu, kind).map_err(|error| DecodeError {
            octet: before + error.octet,
            ..error
        })?;
        let mut fields = Fields::of(smsc.as_ref(), &tpdu, before);
        fields.behind(behind);
        Ok(fields)
    }
}

/// The answer to a line that is no PDU for sure.
pub(super) const TOO_LONG: Error<'static> = Error {
    code: "line_too_long",
    octet: None,
    message: "the line is too long",
};
