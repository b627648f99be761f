//! What differs per modem family, as data under `hardware/profiles`.

use serde::Deserialize;

use super::at::Ending;

/// One family's manners.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The family's name.
    pub name: String,
    /// Speed of a real UART, in baud.
    pub baud: u32,
    /// Commands that tell the ICCID, in the order to try.
    pub card_identity: Vec<String>,
    /// Arguments of `AT+CPMS`, in the order to try.
    pub storage: Vec<String>,
    /// Arguments of `AT+CNMI`, in the order to try.
    pub report_routing: Vec<String>,
    /// What ends the answer to `AT+CPIN?`.
    pub pin_ending: Ending,
}

/// The compiled-in profiles by file name.
const FILES: &[(&str, &str)] = &[(
    "generic",
    include_str!("../../hardware/profiles/generic.toml"),
)];

impl Profile {
    /// The profile for a modem of unknown family.
    pub fn generic() -> Self {
        // A test reads every file; a broken one would at worst leave a modem without optional manners.
        FILES
            .first()
            .and_then(|(_, text)| toml::from_str(text).ok())
            .unwrap_or_else(|| Self {
                name: "generic".into(),
                baud: 115_200,
                card_identity: Vec::new(),
                storage: Vec::new(),
                report_routing: Vec::new(),
                pin_ending: Ending::Final,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::messaging::{ReportRouting, RouteIndications};

    #[test]
    fn every_profile_is_complete() {
        for (name, text) in FILES {
            let profile: Profile =
                toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(profile.name, *name);
            assert!(
                !profile.card_identity.is_empty() && !profile.storage.is_empty(),
                "{name}"
            );
            let routings = profile
                .report_routing
                .iter()
                .map(|values| RouteIndications(values.clone()).reports());
            assert!(
                routings
                    .clone()
                    .any(|routing| routing == ReportRouting::Direct),
                "{name}"
            );
            assert!(
                routings
                    .clone()
                    .any(|routing| routing == ReportRouting::Stored),
                "{name}"
            );
        }
    }

    #[test]
    fn the_generic_one_is_read_from_its_file() {
        assert_eq!(
            Profile::generic()
                .report_routing
                .first()
                .map(String::as_str),
            Some("2,1,0,1,0")
        );
    }
}
