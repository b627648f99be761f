//! `/v1/modems`: the modems as they stand.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::gate::auth::Caller;
use super::problem::Problem;
use super::{App, List};
use crate::modem::status::Status;
use crate::sms::fields::Address;
use crate::sms::ids::{Iccid, Imei, SimId};

/// A modem as the API shows it.
#[derive(Serialize)]
pub struct Modem {
    port: String,
    state: &'static str,
    error: Option<Trouble>,
    imei: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    profile: Option<String>,
    sim: Option<String>,
    iccid: Option<String>,
    number: Option<String>,
    service_centre: Option<String>,
    operator: Option<String>,
    signal_dbm: Option<i16>,
    reports: Option<&'static str>,
    accepted_parts: u64,
}

#[derive(Serialize)]
struct Trouble {
    code: &'static str,
    message: String,
    hint: &'static str,
}

/// `GET /v1/modems`
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<List<Modem>>, Problem> {
    caller.needs("modems:read")?;
    let data = app.roster.all().into_iter().map(Modem::from).collect();
    Ok(Json(List { data }))
}

impl From<Status> for Modem {
    fn from(status: Status) -> Self {
        let trouble = status.trouble;
        Self {
            port: status.port,
            state: status.state.as_str(),
            error: trouble.map(|trouble| Trouble {
                code: trouble.code,
                message: trouble.message,
                hint: trouble.hint,
            }),
            imei: status.found.imei.as_ref().map(Imei::to_string),
            manufacturer: status.found.manufacturer,
            model: status.found.model,
            profile: status.found.profile,
            sim: status.sim.map(sim_name),
            iccid: status.found.iccid.as_ref().map(Iccid::to_string),
            number: status.found.number.as_ref().map(Address::to_string),
            service_centre: status.found.service_centre.as_ref().map(Address::to_string),
            operator: status.found.operator,
            signal_dbm: status.signal.map(|signal| signal.0),
            reports: status
                .found
                .reports
                .map(crate::modem::at::messaging::ReportRouting::as_str),
            accepted_parts: status.accepted,
        }
    }
}

/// The SIM of that name.
pub fn sim_named(name: &str) -> Option<SimId> {
    name.strip_prefix("sim_")?.parse().ok().map(SimId)
}

/// A SIM as the API names it.
pub fn sim_name(sim: SimId) -> String {
    format!("sim_{}", sim.0)
}
