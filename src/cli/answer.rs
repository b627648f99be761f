//! Picks out of the daemon's answers what is to be shown.

use serde_json::Value;

use crate::sms::state::MessageState;

/// What stands at `pointer` (RFC 6901), in words; `-` where nothing does.
pub fn word(answer: &Value, pointer: &str) -> String {
    match answer.pointer(pointer) {
        None | Some(Value::Null) => "-".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The text at `pointer`; the empty text where there is none.
pub fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The list at `pointer`; the empty list where there is none.
pub fn list<'a>(answer: &'a Value, pointer: &str) -> &'a [Value] {
    let list = answer.pointer(pointer).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// The moment at `pointer` to the second, as people write it; UTC like the API.
pub fn second(answer: &Value, pointer: &str) -> String {
    let moment = word(answer, pointer);
    match moment.split_once('.') {
        Some((second, _)) => second.replace('T', " "),
        None => moment,
    }
}

/// Where a message stands; nothing for a word that this release does not know.
pub fn state(message: &Value) -> Option<MessageState> {
    text(message, "/state").parse().ok()
}

/// How many parts of a message the network took.
pub fn parts_sent(message: &Value) -> usize {
    let is_sent = |part: &&Value| part.get("submitted_at").is_some_and(|at| !at.is_null());
    list(message, "/parts").iter().filter(is_sent).count()
}

/// Why a message is not delivered: in words, and what modem or network said.
pub fn error(message: &Value) -> Option<String> {
    let error = message.get("error").filter(|error| !error.is_null())?;
    let words = text(error, "/message");
    Some(match text(error, "/raw") {
        "" => words.to_owned(),
        raw => format!("{words} ({raw})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_is_a_dash() {
        const CASES: &[(&str, &str)] = &[
            ("/sim", "-"),
            ("/none", "-"),
            ("/to", "+380671234567"),
            ("/segments", "2"),
            ("/parts/0/n", "1"),
        ];
        let message =
            json!({"sim": null, "to": "+380671234567", "segments": 2, "parts": [{"n": 1}]});
        for (pointer, shown) in CASES {
            assert_eq!(word(&message, pointer), *shown, "{pointer}");
        }
        assert_eq!(list(&message, "/parts").len(), 1);
        assert_eq!(list(&message, "/to"), [] as [Value; 0]);
    }

    #[test]
    fn moments_are_cut_to_the_second() {
        let message = json!({"created_at": "2026-11-24T10:00:00.250Z", "sent_at": null});
        assert_eq!(second(&message, "/created_at"), "2026-11-24 10:00:00");
        assert_eq!(second(&message, "/sent_at"), "-");
    }

    #[test]
    fn an_error_is_told_with_what_the_network_said() {
        let failed = json!({"error": {"code": "unknown_subscriber", "message": "unknown subscriber", "raw": "+CMS ERROR: 30"}});
        assert_eq!(
            error(&failed).as_deref(),
            Some("unknown subscriber (+CMS ERROR: 30)")
        );
        let expired =
            json!({"error": {"code": "expired", "message": "its time ran out", "raw": null}});
        assert_eq!(error(&expired).as_deref(), Some("its time ran out"));
        assert_eq!(error(&json!({"error": null})), None);
    }
}
