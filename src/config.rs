//! Defaults < file < environment < flags: one checked configuration, made of each module's settings.
//!
//! Every setting is a row of one table: its key, what it must look like, how it is taken and shown.
//! All mistakes are told at once, each with its place.

mod modems;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::modem::profile::Profiles;
use crate::{admission, housekeeper, modem, outcomes};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File,
    /// This variable.
    Environment(String),
    /// A flag of the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File => f.write_str("file"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// Everything the machine's owner decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the HTTP API listens.
    pub listen: SocketAddr,
    /// Where database, lock and socket lie.
    pub data_dir: PathBuf,
    /// The door.
    pub admission: admission::Settings,
    /// Refusals.
    pub outcomes: outcomes::Settings,
    /// Silence.
    pub housekeeper: housekeeper::Settings,
    /// Modems.
    pub modem: modem::actor::Settings,
    /// The ports of the modems.
    pub ports: Vec<PathBuf>,
    /// A directory with lines of profiles that differ from ours.
    profiles_dir: Option<PathBuf>,
    /// The families of modems that the owner names, by port.
    families: BTreeMap<PathBuf, String>,
    /// All families.
    profiles: Arc<Profiles>,
    /// Who set each key.
    origins: BTreeMap<&'static str, Origin>,
}

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Mistake {
    /// The file, variable or flag, and the key.
    pub place: String,
    /// What is wrong and what is expected.
    pub what: String,
}

/// All mistakes that were found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes(pub Vec<Mistake>);

/// What the command line overrides.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--port`, once for each modem.
    pub ports: Vec<PathBuf>,
}

/// A row of the table.
struct Setting {
    key: &'static str,
    /// Completes "expected ...".
    form: &'static str,
    take: fn(&mut Config, &str) -> Option<()>,
    show: fn(&Config) -> String,
}

impl Setting {
    fn is_number(&self) -> bool {
        self.form.starts_with("a number") || self.form.starts_with("seconds")
    }
}

const SETTINGS: &[Setting] = &[
    Setting {
        key: "listen",
        form: "an address and a port, such as 127.0.0.1:7750",
        take: |config, text| text.parse().ok().map(|address| config.listen = address),
        show: |config| config.listen.to_string(),
    },
    Setting {
        key: "data_dir",
        form: "a directory",
        take: |config, text| (!text.is_empty()).then(|| config.data_dir = text.into()),
        show: |config| config.data_dir.display().to_string(),
    },
    Setting {
        key: "country",
        form: "a country's two letters, such as UA",
        take: |config, text| {
            text.parse()
                .ok()
                .map(|country| config.admission.country = country)
        },
        show: |config| config.admission.country.to_string(),
    },
    Setting {
        key: "limits.max_segments",
        form: "a number from 1 to 255",
        take: |config, text| {
            let count = text.parse().ok().filter(|count| *count > 0)?;
            config.admission.max_segments = count;
            Some(())
        },
        show: |config| config.admission.max_segments.to_string(),
    },
    Setting {
        key: "sending.answer_limit_s",
        form: "seconds, from 1 to 86400",
        take: |config, text| seconds(text).map(|limit| config.modem.answer = limit),
        show: |config| config.modem.answer.as_secs().to_string(),
    },
    Setting {
        key: "sending.attempts",
        form: "a number from 1 to 1000",
        take: |config, text| {
            let attempts = text
                .parse()
                .ok()
                .filter(|count| (1..=1000).contains(count))?;
            config.outcomes.retry.attempts = attempts;
            Some(())
        },
        show: |config| config.outcomes.retry.attempts.to_string(),
    },
    Setting {
        key: "sending.retry_wait_s",
        form: "seconds, from 1 to 86400",
        take: |config, text| seconds(text).map(|wait| config.outcomes.retry.wait = wait),
        show: |config| config.outcomes.retry.wait.as_secs().to_string(),
    },
    Setting {
        key: "uncertain.otp_grace_s",
        form: "seconds, from 1 to 86400, or hold",
        take: |config, text| grace(text, &mut config.housekeeper.grace.otp),
        show: |config| show_grace(config.housekeeper.grace.otp),
    },
    Setting {
        key: "uncertain.transactional_grace_s",
        form: "seconds, from 1 to 86400, or hold",
        take: |config, text| grace(text, &mut config.housekeeper.grace.transactional),
        show: |config| show_grace(config.housekeeper.grace.transactional),
    },
    Setting {
        key: "modems.reopen_wait_s",
        form: "seconds, from 1 to 86400",
        take: |config, text| seconds(text).map(|wait| config.modem.reopen.1 = wait),
        show: |config| config.modem.reopen.1.as_secs().to_string(),
    },
    Setting {
        key: "modems.profiles",
        form: "a directory with profiles",
        take: |config, text| (!text.is_empty()).then(|| config.profiles_dir = Some(text.into())),
        show: |config| {
            let dir = config.profiles_dir.as_ref();
            dir.map_or_else(String::new, |dir| dir.display().to_string())
        },
    },
];

fn seconds(text: &str) -> Option<Duration> {
    text.parse()
        .ok()
        .filter(|seconds| (1..=86_400).contains(seconds))
        .map(Duration::from_secs)
}

fn grace(text: &str, grace: &mut Option<Duration>) -> Option<()> {
    *grace = if text == "hold" {
        None
    } else {
        Some(seconds(text)?)
    };
    Some(())
}

fn show_grace(grace: Option<Duration>) -> String {
    grace.map_or_else(|| "hold".into(), |grace| grace.as_secs().to_string())
}

impl Config {
    /// Reads the file at `path` (none: defaults alone), the `SIMPOST_…` variables and the flags.
    ///
    /// Errors: every mistake in any of them.
    pub fn load(
        path: Option<&Path>,
        environment: &[(String, String)],
        flags: Flags,
    ) -> Result<Self, Mistakes> {
        let built_in =
            Profiles::load(None).map_err(|error| Mistakes(vec![modems::broken(&error)]))?;
        let mut loading = Loading {
            config: Self::defaults(environment, Arc::new(built_in)),
            mistakes: Vec::new(),
        };
        if let Some(path) = path {
            loading.file(path);
        }
        loading.environment(environment);
        loading.flags(flags);
        loading.profiles();
        if loading.mistakes.is_empty() {
            Ok(loading.config)
        } else {
            Err(Mistakes(loading.mistakes))
        }
    }

    fn defaults(environment: &[(String, String)], profiles: Arc<Profiles>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7750)),
            data_dir: state_dir(environment),
            admission: admission::Settings::default(),
            outcomes: outcomes::Settings::default(),
            housekeeper: housekeeper::Settings::default(),
            modem: modem::actor::Settings::default(),
            ports: Vec::new(),
            profiles_dir: None,
            families: BTreeMap::new(),
            profiles,
            origins: BTreeMap::new(),
        }
    }

    /// Every key with its value and where that came from. Ports come last.
    pub fn shown(&self) -> Vec<(String, String, Origin)> {
        let origin = |key| self.origins.get(key).cloned().unwrap_or(Origin::Default);
        let settings = SETTINGS.iter().map(|setting| {
            (
                setting.key.to_owned(),
                (setting.show)(self),
                origin(setting.key),
            )
        });
        let ports = self.ports.iter().enumerate();
        let ports = ports.map(|(place, port)| {
            (
                format!("modem[{place}].port"),
                port.display().to_string(),
                origin("modem"),
            )
        });
        settings.chain(ports).collect()
    }
}

/// The user's directory for what programs keep.
fn state_dir(environment: &[(String, String)]) -> PathBuf {
    // An empty or relative directory is none (XDG Base Directory Specification).
    let variable = |name: &str| {
        let (_, value) = environment.iter().find(|(key, _)| key == name)?;
        Some(PathBuf::from(value)).filter(|dir| dir.is_absolute())
    };
    let home = variable("XDG_STATE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/state")));
    home.map_or_else(|| "/var/lib/simpost".into(), |home| home.join("simpost"))
}

struct Loading {
    config: Config,
    mistakes: Vec<Mistake>,
}

impl Loading {
    fn mistake(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.mistakes.push(Mistake {
            place: place.into(),
            what: what.into(),
        });
    }

    fn take(&mut self, setting: &'static Setting, value: &str, place: String, origin: Origin) {
        if (setting.take)(&mut self.config, value).is_some() {
            self.config.origins.insert(setting.key, origin);
        } else {
            let value: String = value.chars().take(60).collect();
            self.mistake(
                place,
                format!("`{value}` is not valid; expected {}", setting.form),
            );
        }
    }

    fn file(&mut self, path: &Path) {
        let place = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.mistake(place, format!("cannot be read: {error}")),
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.table(&place, "", &table),
            Err(error) => self.mistake(place, error.to_string().trim_end()),
        }
    }

    fn table(&mut self, place: &str, prefix: &str, table: &toml::Table) {
        for (name, value) in table {
            let key = format!("{prefix}{name}");
            let here = format!("{place}: {key}");
            let is_section = SETTINGS
                .iter()
                .any(|setting| setting.key.starts_with(&format!("{key}.")));
            match (value, SETTINGS.iter().find(|setting| setting.key == key)) {
                (toml::Value::Table(inner), None) if is_section => {
                    self.table(place, &format!("{key}."), inner);
                }
                (toml::Value::Array(modems), None) if key == "modem" => self.modems(place, modems),
                (value, Some(setting)) => match scalar(value, setting.is_number()) {
                    Some(text) => self.take(setting, &text, here, Origin::File),
                    None => self.mistake(here, format!("expected {}", setting.form)),
                },
                (_, None) if is_section => {
                    self.mistake(here, format!("expected a section [{key}]"));
                }
                (_, None) => self.mistake(here, unknown(&key)),
            }
        }
    }

    fn environment(&mut self, environment: &[(String, String)]) {
        for (name, value) in environment
            .iter()
            .filter(|(name, _)| name.starts_with("SIMPOST_") && name != "SIMPOST_CONFIG")
        {
            let place = format!("environment {name}");
            if let Some(setting) = SETTINGS
                .iter()
                .find(|setting| variable(setting.key) == *name)
            {
                self.take(setting, value, place, Origin::Environment(name.clone()));
                continue;
            }
            let known: Vec<String> = SETTINGS
                .iter()
                .map(|setting| variable(setting.key))
                .collect();
            let near = nearest(name, known.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("; the nearest is `{near}`"));
            self.mistake(place, format!("unknown variable{near}"));
        }
    }

    fn flags(&mut self, flags: Flags) {
        let given = [
            ("listen", flags.listen),
            ("data_dir", flags.data.map(|dir| dir.display().to_string())),
        ];
        for (key, value) in given {
            let setting = SETTINGS.iter().find(|setting| setting.key == key);
            if let (Some(setting), Some(value)) = (setting, value) {
                self.take(setting, &value, format!("flag for {key}"), Origin::Flag);
            }
        }
        if !flags.ports.is_empty() {
            self.config.ports.clear();
        }
        for port in flags.ports {
            self.port(port, Origin::Flag);
        }
    }
}

fn variable(key: &str) -> String {
    format!("SIMPOST_{}", key.replace('.', "_").to_uppercase())
}

/// The value as text; a number only where one is expected.
fn scalar(value: &toml::Value, number: bool) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(count) if number => Some(count.to_string()),
        _ => None,
    }
}

fn unknown(key: &str) -> String {
    let known = || SETTINGS.iter().map(|setting| setting.key).chain(["modem"]);
    nearest(key, known()).map_or_else(
        || {
            format!(
                "unknown key; known are {}",
                known().collect::<Vec<_>>().join(", ")
            )
        },
        |near| format!("unknown key; the nearest is `{near}`"),
    )
}

/// The known word that `word` was probably meant to be.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &&str| strsim::levenshtein(word, candidate);
    known
        .min_by_key(distance)
        .filter(|near| distance(near) <= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)], flags: Flags) -> Result<Config, Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("simpost.toml");
        std::fs::write(&path, file).unwrap();
        let environment: Vec<_> = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let place = path.display().to_string();
        Config::load(Some(&path), &environment, flags).map_err(|mistakes| {
            mistakes
                .0
                .iter()
                .map(|mistake| mistake.to_string().replace(&place, "FILE"))
                .collect()
        })
    }

    fn value(config: &Config, key: &str) -> (String, String) {
        let (_, value, origin) = config
            .shown()
            .into_iter()
            .find(|(shown, ..)| shown == key)
            .unwrap();
        (value, origin.to_string())
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let file = "listen = \"127.0.0.1:1\"\ncountry = \"PL\"\n[limits]\nmax_segments = 3\n[[modem]]\nport = \"/dev/ttyUSB0\"";
        let environment = [
            ("SIMPOST_LISTEN", "127.0.0.1:2"),
            ("SIMPOST_LIMITS_MAX_SEGMENTS", "4"),
            ("HOME", "/home/shop"),
        ];
        let flags = Flags {
            listen: Some("127.0.0.1:3".into()),
            ..Flags::default()
        };
        let config = load(file, &environment, flags).unwrap();
        assert_eq!(
            value(&config, "listen"),
            ("127.0.0.1:3".into(), "flag".into())
        );
        assert_eq!(
            value(&config, "limits.max_segments"),
            ("4".into(), "environment SIMPOST_LIMITS_MAX_SEGMENTS".into())
        );
        assert_eq!(value(&config, "country"), ("PL".into(), "file".into()));
        assert_eq!(
            value(&config, "sending.attempts"),
            ("8".into(), "default".into())
        );
        assert_eq!(
            value(&config, "data_dir"),
            ("/home/shop/.local/state/simpost".into(), "default".into())
        );
        assert_eq!(
            value(&config, "modem[0].port"),
            ("/dev/ttyUSB0".into(), "file".into())
        );
    }

    #[test]
    fn every_mistake_is_told_with_its_place_and_the_form_expected() {
        let file = "lisen = 1\ncountry = \"XX\"\nsending = 5\n[limits]\nmax_segments = 0\n[uncertain]\notp_grace_s = \"never\"\n[[modem]]\nprot = \"x\"\n[nonsense]\na = 1";
        let mistakes = load(
            file,
            &[("SIMPOST_LISTN", "x"), ("SIMPOST_LISTEN", "here")],
            Flags::default(),
        )
        .unwrap_err();
        let expected = [
            "FILE: country: `XX` is not valid; expected a country's two letters, such as UA",
            "FILE: limits.max_segments: `0` is not valid; expected a number from 1 to 255",
            "FILE: lisen: unknown key; the nearest is `listen`",
            "FILE: modem[0].prot: unknown key; known are `port` and `profile`",
            "FILE: modem[0]: expected port = \"/dev/…\"",
            "FILE: sending: expected a section [sending]",
            "FILE: uncertain.otp_grace_s: `never` is not valid; expected seconds, from 1 to 86400, or hold",
            "environment SIMPOST_LISTEN: `here` is not valid; expected an address and a port, such as 127.0.0.1:7750",
            "environment SIMPOST_LISTN: unknown variable; the nearest is `SIMPOST_LISTEN`",
        ];
        let mut mistakes = mistakes;
        mistakes.sort();
        let unheard = mistakes.iter().position(|mistake| {
            mistake.starts_with("FILE: nonsense: unknown key; known are listen")
        });
        mistakes.remove(unheard.expect("a key like no other lists those that are known"));
        assert_eq!(mistakes, expected);
    }

    #[test]
    fn a_file_that_is_no_toml_or_not_there_is_never_replaced_by_defaults() {
        let broken = load("listen = ", &[], Flags::default()).unwrap_err();
        assert!(
            broken[0].starts_with("FILE: TOML parse error"),
            "{broken:?}"
        );
        let missing = Config::load(
            Some(Path::new("/nowhere/simpost.toml")),
            &[],
            Flags::default(),
        )
        .unwrap_err();
        assert!(
            missing
                .to_string()
                .contains("/nowhere/simpost.toml: cannot be read"),
            "{missing}"
        );
    }

    #[test]
    fn families_are_named_by_the_owner_and_must_exist() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("odd.toml"), "keep_link = 2").unwrap();
        let file = |name: &str| {
            let dir = dir.path().display();
            format!(
                "[modems]\nprofiles = \"{dir}\"\n[[modem]]\nport = \"/dev/a\"\nprofile = {name}"
            )
        };
        let config = load(&file("\"odd\""), &[], Flags::default()).unwrap();
        let manners = |port: &str| config.manners(Path::new(port)).at_first().clone();
        let (odd, other) = (manners("/dev/a"), manners("/dev/b"));
        assert_eq!((odd.name.as_str(), odd.keep_link), ("odd", 2));
        assert_eq!((other.name.as_str(), other.keep_link), ("generic", 1));
        for (name, expected) in [
            ("\"evn\"", "modem at /dev/a: there is no profile `evn`"),
            (
                "1",
                "FILE: modem[0].profile: expected the name of a family, such as \"huawei\"",
            ),
        ] {
            let mistakes = load(&file(name), &[], Flags::default()).unwrap_err();
            assert_eq!(mistakes, [expected]);
        }
        std::fs::write(dir.path().join("odd.toml"), "keep_lnk = 2").unwrap();
        let mistakes = load(&file("\"odd\""), &[], Flags::default()).unwrap_err();
        assert!(
            mistakes[0]
                .starts_with("modems.profiles: `odd` is no profile: unknown field `keep_lnk`"),
            "{mistakes:?}"
        );
    }

    #[test]
    fn ports_of_the_command_line_replace_those_of_the_file() {
        let flags = Flags {
            ports: vec!["/dev/a".into(), "/dev/b".into(), "/dev/a".into()],
            ..Flags::default()
        };
        let config = load("[[modem]]\nport = \"/dev/ttyUSB0\"", &[], flags).unwrap();
        assert_eq!(
            config.ports,
            [PathBuf::from("/dev/a"), PathBuf::from("/dev/b")]
        );
    }
}
