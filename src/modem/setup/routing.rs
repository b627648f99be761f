//! Where what comes in goes: the message service and `AT+CNMI`, believed only when it reads back.

use crate::modem::at::Command;
use crate::modem::at::messaging::{ReadIndications, ReportRouting, RouteIndications};
use crate::modem::commands::{Given, ReadService};
use crate::modem::link::{Link, LinkError, Lost};
use crate::modem::profile::Profile;

/// Selects the message service. `true`: whatever the modem hands over must be acknowledged.
///
/// What another program left behind counts where the modem refuses ours.
pub(super) async fn select_service(link: &mut Link, profile: &Profile) -> Result<bool, LinkError> {
    let mut selected = None;
    for service in &profile.message_service {
        match link.run(&Given(format!("+CSMS={service}"))).await {
            Ok(()) => {
                selected = Some(*service);
                break;
            }
            Err(LinkError::At(error)) => tracing::debug!(%error, "service not taken"),
            Err(lost @ LinkError::Lost(_)) => return Err(lost),
        }
    }
    match link.run(&ReadService).await {
        Ok(service) => Ok(service > 0),
        // A modem that cannot tell is believed.
        Err(LinkError::At(_)) => Ok(selected.is_some_and(|service| service > 0)),
        Err(lost @ LinkError::Lost(_)) => Err(lost),
    }
}

/// Tries the routings of the profile in order. None where no one is taken.
pub(in crate::modem) async fn route(
    link: &mut Link,
    profile: &Profile,
) -> Result<ReportRouting, Lost> {
    for values in &profile.report_routing {
        let command = RouteIndications(values.clone());
        match link.run(&command).await {
            Ok(()) => {}
            Err(LinkError::At(error)) => {
                tracing::debug!(%error, "routing not taken");
                continue;
            }
            Err(LinkError::Lost(lost)) => return Err(lost),
        }
        let applied = read(link).await?.unwrap_or_else(|| command.reports());
        if applied == command.reports() {
            return Ok(applied);
        }
        tracing::debug!(at.command = %command.line(), "routing taken and not applied");
    }
    Ok(ReportRouting::None)
}

/// Where reports go now; none where the modem cannot tell.
pub(in crate::modem) async fn read(link: &mut Link) -> Result<Option<ReportRouting>, Lost> {
    match link.run(&ReadIndications).await {
        Ok(applied) => Ok(Some(applied)),
        Err(LinkError::At(_)) => Ok(None),
        Err(LinkError::Lost(lost)) => Err(lost),
    }
}
