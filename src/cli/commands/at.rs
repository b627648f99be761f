//! `simpost at`: what Simpost reads out of a modem's lines, without a modem.

use std::io;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize, Serializer};

use crate::cli::exit::{Exit, Failure};
use crate::cli::filter::{self, Line};
use crate::cli::output::harmless;
use crate::modem::at::ParseError;
use crate::modem::at::codes::Final;
use crate::modem::at::reading::{self, Fields, Kind, Reading, Value};
use crate::sms::causes::Cause;

/// Read what modems answer, without a modem
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  echo '{\"cmd\":\"+CSQ\",\"kind\":\"response\",\"lines\":[\"+CSQ: 14,99\"]}' | simpost at parse --json -
  echo '{\"kind\":\"final\",\"lines\":[\"+CMS ERROR: 38\"]}' | simpost at parse")]
pub struct At {
    #[command(subcommand)]
    command: AtCommand,
}

#[derive(Debug, Subcommand)]
enum AtCommand {
    Parse(Parse),
}

/// Show the fields of answers: one JSON object a line in, one result each
///
/// An object has `cmd` (as `+CSQ`), `kind` (`response` for the lines between command and result, `urc` for
/// what came unasked, `final` for the result) and `lines`.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
struct Parse {
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,

    /// Stdin
    #[arg(value_name = "-", value_parser = ["-"], hide_possible_values = true)]
    stdin: Option<String>,
}

const HELP: &str = "\
JSON, one of these:
  fields         what the lines say, by the standard's names of the values
  final          the result, as `+CMS ERROR: 38`; with `code` if it has a number, and `message`
  error          `code` and `message`; codes are not_understood, bad_json, line_too_long

Examples:
  echo '{\"cmd\":\"+CSQ\",\"kind\":\"response\",\"lines\":[\"+CSQ: 14,99\"]}' | simpost at parse --json -
  echo '{\"kind\":\"final\",\"lines\":[\"+CMS ERROR: 38\"]}' | simpost at parse";

/// A line of the input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(default)]
    cmd: String,
    kind: Word,
    lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Response,
    Urc,
    Final,
}

/// Why a line of the input has no fields.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the line is too long")]
    LineTooLong,
    #[error("not the JSON of an answer: {0}")]
    BadJson(#[from] serde_json::Error),
    #[error(transparent)]
    NotUnderstood(#[from] ParseError),
}

impl Refused {
    /// The stable code.
    fn code(&self) -> &'static str {
        match self {
            Self::LineTooLong => "line_too_long",
            Self::BadJson(_) => "bad_json",
            Self::NotUnderstood(_) => "not_understood",
        }
    }
}

impl At {
    pub(in crate::cli) fn run(self) -> Result<Exit, Failure> {
        let AtCommand::Parse(parse) = self.command;
        filter::each_line(io::stdin().lock(), io::stdout().lock(), |line| {
            let read = read(&line);
            if parse.json {
                json(&read)
            } else {
                words(&read)
            }
        })?;
        Ok(Exit::Done)
    }
}

fn read(line: &Line<'_>) -> Result<Reading, Refused> {
    let line = match line {
        Line::Text(line) => line,
        Line::TooLong => return Err(Refused::LineTooLong),
    };
    let said: Said = serde_json::from_str(line)?;
    let kind = match said.kind {
        Word::Response => Kind::Response,
        Word::Urc => Kind::Urc,
        Word::Final => Kind::Final,
    };
    Ok(reading::read(&said.cmd, kind, &said.lines)?)
}

/// The line that a program gets.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown<'a> {
    Fields {
        fields: Named<'a>,
    },
    Final {
        r#final: String,
        #[serde(flatten)]
        cause: Option<Told>,
    },
    Error {
        error: Told,
    },
}

/// A code and what it means.
#[derive(Serialize)]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<serde_json::Value>,
    message: String,
}

fn json(read: &Result<Reading, Refused>) -> String {
    let shown = match read {
        Ok(Reading::Fields(fields)) => Shown::Fields {
            fields: Named(fields),
        },
        Ok(Reading::Final(result)) => Shown::Final {
            r#final: final_words(*result),
            cause: cause(*result).map(|cause| Told {
                code: cause.code().map(Into::into),
                message: cause.meaning().name.into(),
            }),
        },
        Err(refused) => Shown::Error {
            error: Told {
                code: Some(refused.code().into()),
                message: refused.to_string(),
            },
        },
    };
    serde_json::to_string(&shown).unwrap_or_default()
}

/// The line that a person gets: `stat: 1, lac: 1A2B`.
fn words(read: &Result<Reading, Refused>) -> String {
    match read {
        Ok(Reading::Fields(fields)) => harmless(&named_words(fields)),
        Ok(Reading::Final(result)) => match cause(*result) {
            Some(cause) => harmless(&format!(
                "{}: {}",
                final_words(*result),
                cause.meaning().name
            )),
            None => final_words(*result),
        },
        Err(refused) => harmless(&format!("error: {refused}")),
    }
}

fn final_words(result: Final) -> String {
    match result {
        Final::Ok => "OK".into(),
        Final::NoCarrier => "NO CARRIER".into(),
        Final::Error(cause) => cause.to_string(),
    }
}

fn cause(result: Final) -> Option<Cause> {
    match result {
        Final::Ok | Final::NoCarrier => None,
        Final::Error(cause) => Some(cause),
    }
}

/// Named values as an object, in their order.
struct Named<'a>(&'a Fields);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, One(value))))
    }
}

/// A value.
struct One<'a>(&'a Value);

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Number(number) => serializer.serialize_i64(*number),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::List(values) => serializer.collect_seq(values.iter().map(One)),
            Value::Fields(fields) => Named(fields).serialize(serializer),
        }
    }
}

fn named_words(fields: &Fields) -> String {
    let named = fields
        .iter()
        .map(|(name, value)| format!("{name}: {}", value_words(value)));
    named.collect::<Vec<_>>().join(", ")
}

fn value_words(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Flag(true) => "yes".into(),
        Value::Flag(false) => "no".into(),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(value_words).collect();
            format!("[{}]", values.join("; "))
        }
        Value::Fields(fields) => format!("({})", named_words(fields)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind() {
        let fields: Fields = vec![
            ("stat", Value::Number(1)),
            ("name", Value::Text("Shop \"Net\"\n".into())),
            ("open", Value::Flag(true)),
            (
                "list",
                Value::List(vec![
                    Value::Fields(vec![("n", Value::Number(-7))]),
                    Value::Flag(false),
                ]),
            ),
        ];
        let read = Ok(Reading::Fields(fields));
        assert_eq!(
            json(&read),
            r#"{"fields":{"stat":1,"name":"Shop \"Net\"\n","open":true,"list":[{"n":-7},false]}}"#
        );
        assert_eq!(
            words(&read),
            "stat: 1, name: Shop \"Net\"\\n, open: yes, list: [(n: -7); no]"
        );
    }

    #[test]
    fn results_and_errors() {
        let said = |line: &str| {
            let read = read(&Line::Text(line));
            (json(&read), words(&read))
        };
        let cases = [
            (
                r#"{"kind":"final","lines":["OK"]}"#,
                r#"{"final":"OK"}"#,
                "OK",
            ),
            (
                r#"{"cmd":"+CMGS","kind":"final","lines":["+CMS ERROR: 38"]}"#,
                r#"{"final":"+CMS ERROR: 38","code":38,"message":"Network out of order"}"#,
                "+CMS ERROR: 38: Network out of order",
            ),
            (
                r#"{"kind":"final","lines":["MODEM ERROR: 5"]}"#,
                r#"{"final":"MODEM ERROR: 5","code":5,"message":"error that no table names"}"#,
                "MODEM ERROR: 5: error that no table names",
            ),
            (
                r#"{"kind":"final","lines":["+CME ERROR: SIM\ttired"]}"#,
                r#"{"final":"+CME ERROR: SIM\ttired","message":"error that no table names"}"#,
                "+CME ERROR: SIM\\ttired: error that no table names",
            ),
        ];
        for (line, expected, told) in cases {
            assert_eq!(said(line), (expected.to_owned(), told.to_owned()), "{line}");
        }
        for (line, code) in [
            ("", "bad_json"),
            (r#"{"kind":"final"}"#, "bad_json"),
            (
                r#"{"kind":"final","lines":["+CSQ: 14,99"]}"#,
                "not_understood",
            ),
        ] {
            let (json, told) = said(line);
            assert!(
                json.starts_with(&format!(r#"{{"error":{{"code":"{code}","#)),
                "{json}"
            );
            assert!(told.starts_with("error: "), "{told}");
        }
        assert!(json(&read(&Line::TooLong)).contains("line_too_long"));
    }
}
