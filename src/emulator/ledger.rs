//! The judge: what really went over the air, one JSON object a line.
//!
//! | event | fields |
//! |---|---|
//! | `submit` | `at modem iccid mr recipient outcome code pdu`: a part that a modem put on the air |
//! | `report` | `at modem iccid mr recipient status route pdu`: a status report that came to a modem |
//! | `inbound` | `at modem iccid sender route reason pdu`: a message that came to a modem |
//! | `untaken` | `at modem iccid kind given_up pdu`: a client acknowledged a report or message too late, or refused it; the service centre keeps it, or gives it up |
//! | `again` | `at modem iccid kind route pdu`: the service centre has offered it again |
//! | `fault` | `at modem iccid step command fault`: something that a plan or an order made go wrong |
//! | `plug` | `at modem iccid name`: the stick is in its port again under this name; null: pulled out |
//!
//! `at` is RFC 3339 with milliseconds in UTC; `modem` counts from 0; `outcome` is `accepted`,
//! `refused` (then `code` is the `+CMS ERROR` number, else null), `silent` (taken, but the modem
//! never heard of it) or `swallowed` (accepted, and a spam filter took it); `pdu` of a submit is
//! the hex exactly as the client sent it; `route` is `direct`, `stored`, `waiting` or `dropped`, of
//! a message also `refused`: the service centre did not take it, and `reason` (else left out) says why;
//! `step` (null: at once) and `fault` are the words of a plan.
//! A line is in the file before the modem answers its client.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use super::faults::{Step, Word};
use super::modem::Route;

/// The file, or nothing.
#[derive(Debug)]
pub(super) struct Ledger {
    file: Option<Mutex<File>>,
}

/// One line.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    /// The modem, counted from 0.
    pub(super) modem: u16,
    /// The SIM in it.
    pub(super) iccid: &'a str,
    /// What happened.
    #[serde(flatten)]
    pub(super) event: Event<'a>,
}

/// What happened.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Event<'a> {
    /// A part went over the air.
    Submit {
        mr: u8,
        recipient: &'a str,
        outcome: &'static str,
        code: Option<u16>,
        pdu: &'a str,
    },
    /// A report came.
    Report {
        mr: u8,
        recipient: &'a str,
        status: u8,
        route: &'static str,
        pdu: &'a str,
    },
    /// A message came.
    Inbound {
        sender: &'a str,
        route: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
        pdu: &'a str,
    },
    /// A client did not take something that came.
    Untaken {
        kind: &'static str,
        given_up: bool,
        pdu: &'a str,
    },
    /// The service centre offered it again.
    Again {
        kind: &'static str,
        route: &'static str,
        pdu: &'a str,
    },
    /// Something was made to go wrong.
    Fault {
        step: Option<Step>,
        command: &'a str,
        fault: Word,
    },
    /// The stick went or came back.
    Plug { name: Option<&'a str> },
}

#[derive(Serialize)]
struct Dated<'a> {
    at: String,
    #[serde(flatten)]
    line: &'a Line<'a>,
}

/// The word of the ledger for a route.
pub(super) fn word(route: Route) -> &'static str {
    match route {
        Route::Direct => "direct",
        Route::Stored => "stored",
        Route::Waiting => "waiting",
        Route::Dropped => "dropped",
    }
}

impl Ledger {
    /// Opens `path` to append to it; without a path nothing is kept.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let file = path
            .map(|path| File::options().create(true).append(true).open(path))
            .transpose()?;
        Ok(Self {
            file: file.map(Mutex::new),
        })
    }

    /// Appends one line with a single write, so that a reader never sees half of it.
    ///
    /// A ledger that cannot be written is told in the log; the modems go on.
    pub(super) fn record(&self, at: Timestamp, line: &Line) {
        let Some(file) = &self.file else { return };
        let dated = Dated {
            at: format!("{at:.3}"),
            line,
        };
        let written = serde_json::to_string(&dated)
            .map_err(io::Error::from)
            .and_then(|text| {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(format!("{text}\n").as_bytes())
            });
        if let Err(error) = written {
            tracing::error!(%error, "cannot write the emulator's ledger");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submit(code: Option<u16>) -> Line<'static> {
        Line {
            modem: 3,
            iccid: "8944001010000000035",
            event: Event::Submit {
                mr: 255,
                recipient: "+447700900123",
                outcome: if code.is_some() {
                    "refused"
                } else {
                    "accepted"
                },
                code,
                pdu: "0031",
            },
        }
    }

    #[test]
    fn lines_have_their_documented_form() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let at: Timestamp = "2026-11-24T21:40:12.0417Z".parse().unwrap();
        let ledger = Ledger::open(Some(&path)).unwrap();
        ledger.record(at, &submit(None));
        ledger.record(at, &submit(Some(42)));
        drop(ledger);
        // A second run appends.
        let fault = Event::Fault {
            step: Some(Step::CtrlZ),
            command: "+CMGS",
            fault: Word::NetworkLost,
        };
        let report = Event::Report {
            mr: 7,
            recipient: "+447700900123",
            status: 70,
            route: word(Route::Direct),
            pdu: "07",
        };
        let again = Ledger::open(Some(&path)).unwrap();
        for event in [report, fault, Event::Plug { name: None }] {
            let line = Line {
                modem: 0,
                iccid: "8944",
                event,
            };
            again.record(at, &line);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                r#"{"at":"2026-11-24T21:40:12.041Z","modem":3,"iccid":"8944001010000000035","event":"submit","mr":255,"recipient":"+447700900123","outcome":"accepted","code":null,"pdu":"0031"}"#,
                r#"{"at":"2026-11-24T21:40:12.041Z","modem":3,"iccid":"8944001010000000035","event":"submit","mr":255,"recipient":"+447700900123","outcome":"refused","code":42,"pdu":"0031"}"#,
                r#"{"at":"2026-11-24T21:40:12.041Z","modem":0,"iccid":"8944","event":"report","mr":7,"recipient":"+447700900123","status":70,"route":"direct","pdu":"07"}"#,
                r#"{"at":"2026-11-24T21:40:12.041Z","modem":0,"iccid":"8944","event":"fault","step":"ctrl_z","command":"+CMGS","fault":"network_lost"}"#,
                r#"{"at":"2026-11-24T21:40:12.041Z","modem":0,"iccid":"8944","event":"plug","name":null}"#,
            ]
        );
    }

    #[test]
    fn no_path_no_ledger() {
        Ledger::open(None)
            .unwrap()
            .record(Timestamp::UNIX_EPOCH, &submit(None));
    }
}
