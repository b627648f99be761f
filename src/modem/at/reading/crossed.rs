//! What came unasked between the lines of an answer, taken out of it.

use crate::modem::at::codes::{Header, SIGILS, Unsolicited, is_chatter, unsolicited};
use crate::modem::at::storage::is_hex;
use crate::modem::at::ussd::OpenText;

/// The lines of `answer` that answer the command with this name (`+CMGL`).
///
/// Out go lines of other names with what belongs to them: the PDU behind a header, the rest of a text of the
/// network. Which of two PDUs is the answer's, their lengths tell; where both fit, the header that
/// came later has the first.
pub(super) fn without_crossing(name: &str, answer: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut headers: Vec<Header> = Vec::new();
    let mut text: Option<OpenText> = None;
    let mut wants_pdu = false;
    for line in answer {
        match text.take() {
            // The answer goes on: the text was never closed.
            Some(_) if is_named(name, &line) => {}
            Some(open) if open.is_crossed_by(&line) => text = Some(open),
            Some(mut open) => {
                text = (!open.push(&line)).then_some(open);
                continue;
            }
            None => {}
        }
        if is_hex(&line) && takes_pdu(&mut headers, &line, wants_pdu) {
            continue;
        }
        if is_named(name, &line) || !is_foreign(name, &line) {
            wants_pdu = is_named(name, &line);
            kept.push(line);
            continue;
        }
        match unsolicited(&line) {
            Some(Unsolicited::Header(header)) => headers.push(header),
            Some(Unsolicited::OpenText) => text = Some(OpenText::new(&line)),
            Some(Unsolicited::News(_)) | None => {}
        }
    }
    kept
}

/// Whether a PDU belongs to a header that came unasked. One whose length fits none belongs to the first
/// of them all the same where no answer waits for it: some headers tell nonsense.
fn takes_pdu(headers: &mut Vec<Header>, pdu: &str, wanted: bool) -> bool {
    let fitting = headers.iter().position(|header| header.length().is_of(pdu));
    let first = headers.first();
    let misfit = !wanted && first.is_some_and(|header| header.length().may_be_junk_for(pdu));
    let at = fitting.or(misfit.then_some(0));
    at.map(|at| headers.remove(at)).is_some()
}

fn is_named(name: &str, line: &str) -> bool {
    let rest = line.strip_prefix(name).filter(|_| name.starts_with(SIGILS));
    rest.is_some_and(|rest| rest.starts_with(':'))
}

/// A line of another name; for the card's number vendors' names count as its own.
fn is_foreign(name: &str, line: &str) -> bool {
    let card = name.contains("CCID") && line.contains("CCID");
    let said = line.starts_with(SIGILS) || line == "RING" || is_chatter(line);
    said && !card
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::answer_lines as lines;

    const LONG: &str = "0791447700099099040C9144770009406500006230414003000A0453EA130C";
    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

    #[test]
    fn what_crosses_goes_with_what_belongs_to_it() {
        let swapped = format!("+CMGR: 0,,23\n+CDS: 25\n{LONG}\n{REPORT}");
        let before = format!("+CMGR: 0,,23\n{LONG}\n+CDS: 25\n{REPORT}");
        let first = format!("+CMGR: 0,,23\n+CDS: 25\n{REPORT}\n{LONG}");
        let other = LONG.replace("0C", "0D");
        let alike = format!("+CMGR: 0,,23\n+CMT: ,23\n{other}\n{LONG}");
        let answer = format!("+CMGR: 0,,23\n{LONG}");
        let serial = format!("+CDS: 999\n490154203237518\n{REPORT}");
        let cases: &[(&str, &str, &str)] = &[
            ("+CGMM", "^RSSI:9\nE1752", "E1752"),
            ("+CGMM", "RING\nCall Ready\nE1752", "E1752"),
            (
                "+CMGL",
                "+CMGL: 1,1,,2\n^RSSI:9\n00A7",
                "+CMGL: 1,1,,2\n00A7",
            ),
            ("+CMGR", &swapped, &answer),
            ("+CMGR", &first, &answer),
            ("+CMGR", &before, &answer),
            ("+CMGR", &alike, &answer),
            ("+CGSN", &serial, "490154203237518"),
            ("+CSQ", "+CUSD: 1,\"a\n+1\nb\",15\n+CSQ: 1,2", "+CSQ: 1,2"),
            ("+CSQ", "+CUSD: 1,\"a\n+CSQ: 1,2", "+CSQ: 1,2"),
            (
                "+CCID",
                "^ICCID: 8938003992000000017",
                "^ICCID: 8938003992000000017",
            ),
            ("I", "+CMTI: \"SM\",3\nMaker", "Maker"),
        ];
        for (name, answer, expected) in cases {
            let kept = without_crossing(name, lines(answer));
            assert_eq!(kept.join("\n"), *expected, "{name} {answer}");
        }
    }
}
