//! `simpost modems`: what is plugged in, and what ails it.

use clap::Args;
use serde_json::Value;

use crate::cli::Place;
use crate::cli::answer::{list, text, word};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Cell, Stream, harmless};

/// List the modems of the running daemon
///
/// A modem that cannot be used has a second line with what is wrong and a third with what to do about it.
/// `accepted` counts the parts that the network took since the daemon started.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  simpost modems
  simpost modems --json | jq '.data[] | {port, signal_dbm}'")]
pub struct Modems {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Modems {
    pub(in crate::cli) async fn run(self, place: &Place) -> Result<Exit, Failure> {
        let answer = place.client()?.get("/v1/modems").await?;
        if self.json {
            output::json(&answer);
            return Ok(Exit::Done);
        }
        let modems = list(&answer, "/data");
        if modems.is_empty() {
            output::note(
                "the daemon has no modem: name one with `simpost serve --port TTY`, or as [[modem]] in its configuration",
            );
            return Ok(Exit::Done);
        }
        for line in lines(modems) {
            output::line(&line);
        }
        Ok(Exit::Done)
    }
}

/// The table, with the troubles under their modems.
fn lines(modems: &[Value]) -> Vec<String> {
    let heads = [
        "PORT", "STATE", "SIM", "OPERATOR", "SIGNAL", "MODEL", "ACCEPTED",
    ];
    let rows: Vec<Vec<Cell>> = modems.iter().map(row).collect();
    let mut table = output::table(Stream::Out, &heads, &rows).into_iter();
    let mut lines: Vec<String> = table.next().into_iter().collect();
    for (line, modem) in table.zip(modems) {
        lines.push(line);
        if modem.get("error").is_some_and(|error| !error.is_null()) {
            lines.push(format!("  {}", harmless(text(modem, "/error/message"))));
            lines.push(format!("  hint: {}", text(modem, "/error/hint")));
        }
    }
    lines
}

fn row(modem: &Value) -> Vec<Cell> {
    let signal = modem.get("signal_dbm").and_then(Value::as_i64);
    vec![
        text(modem, "/port").into(),
        Cell::state(text(modem, "/state")),
        word(modem, "/sim").into(),
        word(modem, "/operator").into(),
        signal
            .map_or_else(|| "-".into(), |dbm| format!("{dbm} dBm"))
            .into(),
        word(modem, "/model").into(),
        word(modem, "/accepted_parts").into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_trouble_stands_under_its_modem() {
        let error = json!({"code": "port_absent", "message": "port `ttyUSB0` does not exist", "hint": "plug it in"});
        let modems = [
            json!({"port": "ttyUSB0", "state": "closed", "error": error, "accepted_parts": 0}),
            json!({"port": "ttyUSB1", "state": "ready", "error": null, "sim": "sim_1", "operator": "Kyivstar",
                   "signal_dbm": -71, "model": "E3372", "accepted_parts": 12}),
        ];
        let expected = [
            "PORT     STATE   SIM    OPERATOR  SIGNAL   MODEL  ACCEPTED",
            "ttyUSB0  closed  -      -         -        -      0",
            "  port `ttyUSB0` does not exist",
            "  hint: plug it in",
            "ttyUSB1  ready   sim_1  Kyivstar  -71 dBm  E3372  12",
        ];
        assert_eq!(lines(&modems), expected);
    }
}
