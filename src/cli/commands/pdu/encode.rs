//! `simpost pdu encode`: a text in, the PDUs that carry it out.

use std::io;

use clap::Args;
use serde::Serialize;

use super::error::Error;
use super::wish::{Dear, Refused, Wish};
use crate::cli::exit::{Exit, Failure};
use crate::cli::filter::{self, Line};
use crate::cli::output;
use crate::sms::pdu;

/// Write the SMS-SUBMIT PDUs of a text, as `AT+CMGS` takes them
///
/// Without other wishes they are those that the gateway sends, under the reference 0. With `--json -`
/// each line of stdin is an object of the same wishes by the names of the options, `_` for `-`.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct Encode {
    #[command(flatten)]
    wish: Wish,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// One JSON object a line from stdin
    #[arg(
        value_name = "-",
        value_parser = ["-"],
        hide_possible_values = true,
        requires = "json",
        conflicts_with_all = ["to", "text"]
    )]
    stdin: Option<String>,
}

const HELP: &str = "\
JSON:
  pdus          the PDUs, one a part, with the service centre's address in front
  tpdu_lengths  the octets of each without that address: what `AT+CMGS=` is told
  alphabet      gsm7, 8bit or ucs2
  segments      how many parts
  forced_by     where the alphabet was chosen and is not the default one, the characters that are
                not in it: `character`, `first` (where, in characters from 0), `times`
  cheaper       a `text` of fewer `segments` that may do as well, `by` look_alikes, ukrainian or
                russian (transliterated)
  error         instead of all these: `code` and `message`; the codes are bad_json, missing,
                bad_address, bad_value, empty_text, too_long, not_in_alphabet, line_too_long

Of ways to write a text with equally many parts the first counts: the default alphabet, UCS-2, one
national table, two.

Examples:
  simpost pdu encode --to +380671234567 --text 'Замовлення 1042 готове' --srr
  echo '{\"to\":\"3400\",\"text\":\"Hi\",\"vp\":3}' | simpost pdu encode --json -";

/// The PDUs of a text.
#[derive(Debug, Serialize)]
struct Encoded {
    pdus: Vec<String>,
    tpdu_lengths: Vec<usize>,
    alphabet: String,
    segments: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forced_by: Vec<Forced>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cheaper: Option<CheaperText>,
}

/// A character that the default alphabet does not have.
#[derive(Debug, Serialize)]
struct Forced {
    character: char,
    first: usize,
    times: usize,
}

/// A text of fewer parts.
#[derive(Debug, Serialize)]
struct CheaperText {
    text: String,
    by: String,
    segments: u8,
}

impl Encode {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        if self.stdin.is_some() {
            filter::each_line(io::stdin().lock(), io::stdout().lock(), |line| {
                json(&from_json(&line))
            })?;
            return Ok(Exit::Done);
        }
        let encoded = encode(&self.wish);
        if self.json {
            output::line(&json(&encoded));
            return Ok(match encoded {
                Ok(_) => Exit::Done,
                Err(_) => Exit::Usage,
            });
        }
        let encoded = encoded.map_err(|refused| Failure::new(Exit::Usage, refused))?;
        for (pdu, length) in encoded.pdus.iter().zip(&encoded.tpdu_lengths) {
            output::line(&format!("AT+CMGS={length}\n{pdu}"));
        }
        output::note(&encoded.in_words());
        Ok(Exit::Done)
    }
}

impl Encoded {
    /// Alphabet, parts and what makes them dear, a line each.
    fn in_words(&self) -> String {
        let mut lines = vec![format!("{}, {} part(s)", self.alphabet, self.segments)];
        let forced = self.forced_by.iter().map(|forced| {
            let Forced {
                character, times, ..
            } = forced;
            let code = format!("{character} U+{:04X}", u32::from(*character));
            if *times == 1 {
                code
            } else {
                format!("{code} {times} times")
            }
        });
        let forced: Vec<String> = forced.collect();
        if !forced.is_empty() {
            lines.push(format!(
                "not in the GSM 7-bit alphabet: {}",
                forced.join(", ")
            ));
        }
        if let Some(CheaperText { text, by, segments }) = &self.cheaper {
            let by = by.replace('_', "-");
            lines.push(format!("cheaper ({by}), {segments} part(s): {text}"));
        }
        let lines: Vec<String> = lines.iter().map(|line| output::harmless(line)).collect();
        lines.join("\n")
    }
}

fn json(encoded: &Result<Encoded, Refused>) -> String {
    match encoded {
        Ok(encoded) => serde_json::to_string(encoded).unwrap_or_default(),
        Err(refused) => Error {
            code: refused.code(),
            octet: None,
            message: &refused.to_string(),
            hint: None,
        }
        .line(),
    }
}

fn from_json(line: &Line<'_>) -> Result<Encoded, Refused> {
    match line {
        Line::TooLong => Err(Refused::LineTooLong),
        Line::Text(line) => encode(&serde_json::from_str(line)?),
    }
}

fn encode(wish: &Wish) -> Result<Encoded, Refused> {
    let smsc = wish.smsc()?;
    let parts = wish.parts()?;
    let Dear { forced_by, cheaper } = wish.dear()?;
    let alphabet = parts
        .first()
        .map(|part| part.user_data.alphabet().to_string());
    let (pdus, tpdu_lengths): (Vec<_>, Vec<_>) = parts
        .iter()
        .map(|part| pdu::with_smsc(smsc.as_ref(), &part.encode()))
        .unzip();
    Ok(Encoded {
        segments: pdus.len(),
        pdus,
        tpdu_lengths,
        alphabet: alphabet.unwrap_or_default(),
        forced_by: forced_by
            .into_iter()
            .map(|stranger| Forced {
                character: stranger.character,
                first: stranger.first,
                times: stranger.times,
            })
            .collect(),
        cheaper: cheaper.map(|(cheaper, segments)| CheaperText {
            text: cheaper.text,
            by: cheaper.way.to_string(),
            segments,
        }),
    })
}
