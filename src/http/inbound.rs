//! `/v1/inbound`: the texts that came in.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::gate::auth::Caller;
use super::modems::{sim_name, sim_named};
use super::problem::Problem;
use super::query::{Named, Parameters, read_number};
use super::{App, Page};
use crate::sms::ids::InboundId;
use crate::store::{self, InboundFilter};

/// A text that came in, as the API shows it.
#[derive(Serialize)]
pub struct Inbound {
    id: String,
    direction: &'static str,
    from: Option<String>,
    text: Option<String>,
    sim: String,
    segments: u8,
    /// Whether every part has come; what is missing is marked in the text.
    complete: bool,
    missing: u8,
    received_at: String,
}

/// A text with its parts as they came.
#[derive(Serialize)]
pub struct InParts {
    #[serde(flatten)]
    text: Inbound,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    n: u8,
    received_at: String,
    pdu: String,
}

impl From<store::Inbound> for Inbound {
    fn from(text: store::Inbound) -> Self {
        Self {
            id: text.id.to_string(),
            direction: "in",
            from: text.sender,
            text: text.text,
            sim: sim_name(text.sim),
            segments: text.parts,
            complete: text.missing == 0,
            missing: text.missing,
            received_at: text.received_at.to_string(),
        }
    }
}

/// `GET /v1/inbound`: a page, newest first. What still waits for parts is not told yet.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    mut query: Parameters,
) -> Result<Json<Page<Inbound>>, Problem> {
    caller.needs("inbound:read")?;
    let sender = |sender: &str| {
        // A name such as `Bank` is a sender too.
        let number = read_number(sender, &app.admission).map(|number| number.to_string());
        number.or_else(|| Some(sender.to_owned()).filter(|name| !name.is_empty()))
    };
    let filter = InboundFilter {
        sender: query.take("from", "a number or a name", sender),
        sim: query.take("sim", "a SIM such as sim_1", sim_named),
        before: query.cursor(),
        limit: query.limit(),
    };
    query.end()?;
    let page = app.store.inbox(filter).await?;
    let data = page.texts.into_iter().map(Inbound::from).collect();
    Ok(Json(Page::of(data, page.more, |text| &text.id)))
}

/// `GET /v1/inbound/{id}`: one text, with the PDUs that it came in.
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Named(id): Named,
) -> Result<Json<InParts>, Problem> {
    caller.needs("inbound:read")?;
    let missing = || Problem::not_found("text that came in");
    let id: InboundId = id.parse().map_err(|_| missing())?;
    let (text, parts) = app.store.inbound(id).await?.ok_or_else(missing)?;
    let part = |part: store::InboundPart| Part {
        n: part.no.0,
        received_at: part.received_at.to_string(),
        pdu: part.pdu,
    };
    Ok(Json(InParts {
        text: text.into(),
        parts: parts.into_iter().map(part).collect(),
    }))
}
