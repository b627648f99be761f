//! `POST /v1/messages/preview`: what a message would come to, without sending it.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::read_wish;
use crate::admission::{Flaw, Wish};
use crate::http::App;
use crate::http::body::Fields;
use crate::http::gate::auth::Caller;
use crate::http::problem::{FieldFlaw, Problem};
use crate::sms::alphabet::Alphabet;
use crate::sms::parts::{Split, split};
use crate::sms::plain::{self, Stranger};

/// What a message would come to.
#[derive(Serialize)]
pub struct Preview {
    to: String,
    encoding: String,
    segments: u8,
    /// Characters of the last part that are still free: septets of GSM 7-bit, or UTF-16 units.
    left: usize,
    /// The characters that are not in the GSM 7-bit alphabet.
    forced_by: Vec<Forced>,
    cheaper: Option<Cheaper>,
    send_at: String,
    expires_at: String,
}

#[derive(Serialize)]
struct Forced {
    character: char,
    first: usize,
    times: usize,
}

/// A text of fewer parts that may do as well.
#[derive(Serialize)]
struct Cheaper {
    text: String,
    by: String,
    segments: u8,
}

/// `POST /v1/messages/preview`: takes what a send takes; 422 with the flaws that a send would have.
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Json<Preview>, Problem> {
    caller.needs("messages:send")?;
    let wish = read_wish(&app, fields, caller.key)?;
    let invalid =
        |flaws: Vec<Flaw>| Problem::invalid(flaws.into_iter().map(FieldFlaw::from).collect());
    let preview = app.admission.preview(&wish).map_err(invalid)?;
    let Wish { text, .. } = wish;
    Ok(Json(Preview {
        to: preview.recipient.to_string(),
        encoding: preview.split.alphabet.to_string(),
        segments: preview.split.parts(),
        left: left(&preview.split),
        forced_by: plain::strangers(&text)
            .into_iter()
            .map(Forced::from)
            .collect(),
        cheaper: cheaper(&text, &preview.split),
        send_at: preview.send_at.to_string(),
        expires_at: preview.expires_at.to_string(),
    }))
}

impl From<Stranger> for Forced {
    fn from(stranger: Stranger) -> Self {
        Self {
            character: stranger.character,
            first: stranger.first,
            times: stranger.times,
        }
    }
}

fn cheaper(text: &str, dear: &Split) -> Option<Cheaper> {
    let cheaper = plain::cheaper(text)?;
    let segments = split(&cheaper.text).ok()?.parts();
    (segments < dear.parts()).then(|| Cheaper {
        by: cheaper.way.to_string(),
        text: cheaper.text,
        segments,
    })
}

/// What the last part has room for.
fn left(split: &Split) -> usize {
    let (single, several) = match split.alphabet {
        Alphabet::Ucs2 => (70, 67),
        Alphabet::Gsm7 | Alphabet::Data8 => (160, 153),
    };
    let room = if split.parts() == 1 { single } else { several };
    split
        .segments
        .last()
        .map_or(0, |last| room - last.units.min(room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_depends_on_the_alphabet_and_on_the_parts() {
        for (text, expected) in [
            ("a".repeat(150), 10),
            ("a".repeat(160), 0),
            ("a".repeat(161), 145),
            ("ж".repeat(60), 10),
            ("ж".repeat(71), 63),
            ("€".repeat(80), 0),
        ] {
            assert_eq!(left(&split(&text).unwrap()), expected, "{text}");
        }
    }
}
