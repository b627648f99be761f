//! Final result codes: the lines that end an answer (V.250, 5.7.1; TS 27.005, 3.2.5; TS 27.007, 9.2).

use crate::sms::causes::Cause;

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Final {
    /// `OK`.
    Ok,
    /// Any error, with its code where one was given.
    Error(Cause),
}

/// Reads a line as a final result; none when it is not one.
///
/// `NO CARRIER` ends calls, not commands: on a port that only sends texts it is noise.
pub fn final_result(line: &str) -> Option<Final> {
    if let Some(rest) = after(line, "+CMS ERROR:") {
        return Some(Final::Error(rest.parse().map_or(Cause::Plain, Cause::Cms)));
    }
    if let Some(rest) = after(line, "+CME ERROR:") {
        return Some(Final::Error(rest.parse().map_or(Cause::Plain, Cause::Cme)));
    }
    match line {
        "OK" => Some(Final::Ok),
        // The last three are what Huawei, Motorola and some modules say instead of ERROR.
        "ERROR" | "COMMAND NOT SUPPORT" | "TOO MANY PARAMETERS" => Some(Final::Error(Cause::Plain)),
        _ if line.starts_with("MODEM ERROR") => Some(Final::Error(Cause::Plain)),
        _ => None,
    }
}

fn after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    line.strip_prefix(prefix).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_results_are_told_from_other_lines() {
        const CASES: &[(&str, Option<Final>)] = &[
            ("OK", Some(Final::Ok)),
            ("ERROR", Some(Final::Error(Cause::Plain))),
            ("+CMS ERROR: 38", Some(Final::Error(Cause::Cms(38)))),
            ("+CMS ERROR:38", Some(Final::Error(Cause::Cms(38)))),
            ("+CME ERROR: 14", Some(Final::Error(Cause::Cme(14)))),
            ("+CME ERROR: SIM busy", Some(Final::Error(Cause::Plain))),
            ("COMMAND NOT SUPPORT", Some(Final::Error(Cause::Plain))),
            ("MODEM ERROR: 5", Some(Final::Error(Cause::Plain))),
            ("NO CARRIER", None),
            ("+CMGS: 23", None),
            ("OKAY", None),
            ("", None),
        ];
        for (line, expected) in CASES {
            assert_eq!(final_result(line), *expected, "{line}");
        }
    }
}
