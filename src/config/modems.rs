//! The modems of the configuration: their ports, and whose manners they have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Config, Loading, Mistake, Origin};
use crate::modem::profile::{Choice, ProfileError, Profiles};

impl Config {
    /// Whose manners the modem at `port` is taken to have.
    pub fn manners(&self, port: &Path) -> Choice {
        let named = self.families.get(port);
        match named.and_then(|name| self.profiles.named(name).ok()) {
            Some(profile) => Choice::Fixed(Box::new(profile.clone())),
            None => Choice::Recognised(Arc::clone(&self.profiles)),
        }
    }
}

impl Loading {
    /// The sections `[[modem]]` of the file.
    pub(super) fn modems(&mut self, place: &str, modems: &[toml::Value]) {
        for (number, modem) in modems.iter().enumerate() {
            let here = format!("{place}: modem[{number}]");
            let Some(modem) = modem.as_table() else {
                self.mistake(here, "expected a section [[modem]]");
                continue;
            };
            match modem
                .get("port")
                .and_then(toml::Value::as_str)
                .filter(|port| !port.is_empty())
            {
                Some(port)
                    if self
                        .config
                        .ports
                        .iter()
                        .any(|known| known == Path::new(port)) =>
                {
                    self.mistake(&here, format!("`{port}` is named twice"));
                }
                Some(port) => {
                    self.port(port.into(), Origin::File);
                    self.family(&here, port, modem.get("profile"));
                }
                None => self.mistake(&here, "expected port = \"/dev/…\""),
            }
            let known = |name: &&String| matches!(name.as_str(), "port" | "profile");
            for name in modem.keys().filter(|name| !known(name)) {
                let what = "unknown key; known are `port` and `profile`";
                self.mistake(format!("{here}.{name}"), what);
            }
        }
    }

    fn family(&mut self, here: &str, port: &str, family: Option<&toml::Value>) {
        match family.map(|family| (family, family.as_str())) {
            Some((_, Some(name))) => {
                self.config.families.insert(port.into(), name.to_owned());
            }
            Some((_, None)) => self.mistake(
                format!("{here}.profile"),
                "expected the name of a family, such as \"huawei\"",
            ),
            None => {}
        }
    }

    /// Reads the owner's profiles, and looks whether those that are named exist.
    pub(super) fn profiles(&mut self) {
        if let Some(dir) = &self.config.profiles_dir {
            match Profiles::load(Some(dir)) {
                Ok(profiles) => self.config.profiles = Arc::new(profiles),
                Err(error) => return self.mistakes.push(broken(&error)),
            }
        }
        for (port, name) in &self.config.families {
            if let Err(error) = self.config.profiles.named(name) {
                let place = format!("modem at {}", port.display());
                let what = error.to_string();
                self.mistakes.push(Mistake { place, what });
            }
        }
    }

    /// One more port.
    pub(super) fn port(&mut self, port: PathBuf, origin: Origin) {
        if !self.config.ports.contains(&port) {
            self.config.ports.push(port);
        }
        self.config.origins.insert("modem", origin);
    }
}

/// A directory or a file of profiles that cannot be used.
pub(super) fn broken(error: &ProfileError) -> Mistake {
    let cause = std::error::Error::source(error);
    let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
    Mistake {
        place: "modems.profiles".into(),
        what: format!("{error}{}", cause.trim_end()),
    }
}
