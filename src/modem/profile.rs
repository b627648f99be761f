//! What differs per modem family, as data under `hardware/profiles`.
//!
//! A family's file holds what differs from `generic`; a directory of the machine's owner may hold
//! more families, and lines that differ from ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::at::Ending;

/// One family's manners.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The family's name.
    #[serde(default)]
    pub name: String,
    /// Which modems are of this family; any of these.
    #[serde(default)]
    pub recognise: Vec<Pattern>,
    /// Speeds of a real UART, in baud, in the order to try.
    pub baud: Vec<u32>,
    /// Commands that silence vendors' own indications; who refuses them goes on talking.
    pub quiet: Vec<String>,
    /// Commands that tell the ICCID, in the order to try.
    pub card_identity: Vec<String>,
    /// What ends the answer to `AT+CPIN?`.
    pub pin_ending: Ending,
    /// Services of `AT+CSMS`, in the order to try; from 1 on what comes in is acknowledged by us.
    pub message_service: Vec<u8>,
    /// The form of the acknowledgement that the family takes.
    pub acknowledge: String,
    /// Arguments of `AT+CPMS`, in the order to try.
    pub storage: Vec<String>,
    /// Arguments of `AT+CNMI`, in the order to try.
    pub report_routing: Vec<String>,
    /// Mode of `AT+CMMS` for runs of parts: 1, 2, or 0 where the family cannot.
    pub keep_link: u8,
}

/// What a modem says about itself, as far as it tells its family.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Stands in the answer to `AT+CGMI`, in any case.
    pub maker: String,
    /// Beginnings of words in the answer to `AT+CGMM`, in any case; any model where there are none.
    #[serde(default)]
    pub models: Vec<String>,
}

impl Pattern {
    fn fits(&self, maker: &str, model: &str) -> bool {
        let begins = |start: &String| {
            let mut words = model.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| word.starts_with(&start.to_lowercase()))
        };
        maker.contains(&self.maker.to_lowercase())
            && (self.models.is_empty() || self.models.iter().any(begins))
    }
}

/// Why a file of profiles cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The directory or a file in it cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no TOML, or has a key that nobody knows, or a value of another kind.
    #[error("`{file}` is no profile")]
    Broken {
        /// Which.
        file: String,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
    /// A line with a control character could say something else to a modem than it seems to.
    #[error("`{file}` has a value with a character that no command may hold")]
    ControlCharacter {
        /// Which.
        file: String,
    },
    /// There is no family of that name.
    #[error("there is no profile `{0}`")]
    Unknown(String),
}

/// The name of the family of all others.
const GENERIC: &str = "generic";

macro_rules! files {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!("../../hardware/profiles/", $name, ".toml")))),*]
    };
}

/// The compiled-in profiles by file name.
const FILES: &[(&str, &str)] = files!(
    "cinterion",
    "generic",
    "huawei",
    "quectel",
    "simcom-2g",
    "simcom-lte",
    "telit",
    "u-blox",
    "wavecom",
    "zte"
);

/// All families that are known.
#[derive(Debug, Clone)]
pub struct Profiles {
    generic: Profile,
    families: Vec<Profile>,
}

impl Profiles {
    /// Those that are compiled in, and what the files of `dir` say otherwise: `huawei.toml` there
    /// changes lines of that family, `generic.toml` lines of all, a new name makes a new family.
    pub fn load(dir: Option<&Path>) -> Result<Self, ProfileError> {
        let mut tables = BTreeMap::new();
        for (name, text) in FILES {
            tables.insert((*name).to_owned(), read(name, text)?);
        }
        for (name, text) in dir.map(files_of).transpose()?.unwrap_or_default() {
            let table = read(&name, &text)?;
            tables
                .entry(name)
                .or_insert_with(toml::Table::new)
                .extend(table);
        }
        let base = tables.remove(GENERIC).unwrap_or_default();
        let family = |(name, lines)| {
            let mut table = base.clone();
            table.extend::<toml::Table>(lines);
            profile(name, table)
        };
        Ok(Self {
            families: tables.into_iter().map(family).collect::<Result<_, _>>()?,
            generic: profile(GENERIC.to_owned(), base.clone())?,
        })
    }

    /// The family of that name.
    pub fn named(&self, name: &str) -> Result<&Profile, ProfileError> {
        let mut all = std::iter::once(&self.generic).chain(&self.families);
        all.find(|profile| profile.name == name)
            .ok_or_else(|| ProfileError::Unknown(name.to_owned()))
    }

    /// The family of a modem by what it says about itself.
    fn of(&self, maker: &str, model: &str) -> &Profile {
        let (maker, model) = (maker.to_lowercase(), model.to_lowercase());
        let fits = |pattern: &Pattern| pattern.fits(&maker, &model);
        let mut families = self.families.iter();
        let family = families.find(|profile| profile.recognise.iter().any(fits));
        family.unwrap_or(&self.generic)
    }
}

/// Whose manners a modem is taken to have.
#[derive(Debug, Clone)]
pub enum Choice {
    /// These: the owner of the machine says so.
    Fixed(Box<Profile>),
    /// Those of its family, once it has said who it is.
    Recognised(Arc<Profiles>),
}

impl Choice {
    /// The manners to begin with.
    pub fn at_first(&self) -> &Profile {
        match self {
            Self::Fixed(profile) => profile,
            Self::Recognised(profiles) => &profiles.generic,
        }
    }

    /// The manners of a modem that says this about itself.
    pub fn of(&self, maker: &str, model: &str) -> &Profile {
        match self {
            Self::Fixed(profile) => profile,
            Self::Recognised(profiles) => profiles.of(maker, model),
        }
    }
}

/// The files of a directory by name, in order.
fn files_of(dir: &Path) -> Result<Vec<(String, String)>, ProfileError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| ProfileError::Unreadable { path, source }
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable(dir))? {
        let path = entry.map_err(unreadable(dir))?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let (Some(name), true) = (name, path.extension().is_some_and(|end| end == "toml")) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
        found.push((name.to_owned(), text));
    }
    found.sort_unstable();
    Ok(found)
}

fn read(name: &str, text: &str) -> Result<toml::Table, ProfileError> {
    let table: toml::Table = text.parse().map_err(broken(name))?;
    if table.values().all(is_plain) {
        return Ok(table);
    }
    Err(ProfileError::ControlCharacter {
        file: name.to_owned(),
    })
}

/// Whether all texts in it can stand in a command.
fn is_plain(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => text.bytes().all(|octet| (b' '..=b'~').contains(&octet)),
        toml::Value::Array(values) => values.iter().all(is_plain),
        toml::Value::Table(table) => table.values().all(is_plain),
        _ => true,
    }
}

fn profile(name: String, table: toml::Table) -> Result<Profile, ProfileError> {
    let profile: Profile = table.try_into().map_err(broken(&name))?;
    Ok(Profile { name, ..profile })
}

fn broken(name: &str) -> impl FnOnce(toml::de::Error) -> ProfileError + use<> {
    let file = name.to_owned();
    move |source| ProfileError::Broken {
        file,
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::messaging::{ReportRouting, RouteIndications};

    fn builtin() -> Profiles {
        Profiles::load(None).unwrap()
    }

    #[test]
    fn every_profile_is_complete() {
        for (name, _) in FILES {
            let profiles = builtin();
            let profile = profiles.named(name).unwrap();
            assert!(
                !profile.card_identity.is_empty()
                    && !profile.storage.is_empty()
                    && profile.message_service.contains(&0)
                    && profile.baud.first() == Some(&115_200)
                    && profile.acknowledge.starts_with("+CNMA")
                    && profile.keep_link <= 2,
                "{name}"
            );
            let routings: Vec<_> = profile
                .report_routing
                .iter()
                .map(|values| RouteIndications(values.clone()).reports())
                .collect();
            for wanted in [
                ReportRouting::Direct,
                ReportRouting::Stored,
                ReportRouting::None,
            ] {
                assert!(routings.contains(&wanted), "{name}: {wanted:?}");
            }
        }
    }

    #[test]
    fn no_family_repeats_a_line_of_all() {
        let generic: toml::Table = read(GENERIC, file(GENERIC)).unwrap();
        for (name, text) in FILES.iter().filter(|(name, _)| *name != GENERIC) {
            for (key, value) in read(name, text).unwrap() {
                assert_ne!(generic.get(&key), Some(&value), "{name}: {key}");
            }
        }
    }

    fn file(name: &str) -> &'static str {
        let mut files = FILES.iter();
        files.find(|(known, _)| *known == name).unwrap().1
    }

    #[test]
    fn families_are_told_by_maker_and_model() {
        const CASES: &[(&str, &str, &str)] = &[
            ("huawei", "E173", "huawei"),
            ("Huawei Technologies Co., Ltd.", "E3372", "huawei"),
            ("ZTE INCORPORATED", "MF180", "zte"),
            ("SIMCOM_Ltd", "SIMCOM_SIM800L", "simcom-2g"),
            ("SIMCOM_Ltd", "SIM900 R11.0", "simcom-2g"),
            ("SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "simcom-lte"),
            ("INCORPORATED", "A7670E-FASE", "generic"),
            ("SIMCOM INCORPORATED", "A7670E-FASE", "simcom-lte"),
            ("SIMCOM INCORPORATED", "SIM9999", "generic"),
            ("Quectel", "EC25", "quectel"),
            // Its service for acknowledgements has a number of its own.
            ("Quectel_Ltd", "Quectel_M66", "generic"),
            ("Telit", "LE910C1-EU", "telit"),
            ("SIEMENS", "TC35i", "cinterion"),
            ("Cinterion", "EHS6", "cinterion"),
            ("WAVECOM MODEM", "MULTIBAND  900E  1800", "wavecom"),
            ("Sierra Wireless", "SL8084TR Product", "wavecom"),
            ("Sierra Wireless, Incorporated", "MC7304", "generic"),
            ("u-blox", "SARA-U201", "u-blox"),
            ("", "", "generic"),
        ];
        let profiles = builtin();
        for (maker, model, family) in CASES {
            assert_eq!(profiles.of(maker, model).name, *family, "{maker} {model}");
        }
    }

    #[test]
    fn the_owners_files_change_lines_and_add_families() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(dir.path().join(name), text).unwrap();
        };
        write("huawei.toml", "quiet = []");
        write("generic.toml", "keep_link = 2");
        write(
            "odd.toml",
            "recognise = [{ maker = \"Odd\" }]\nbaud = [4800]",
        );
        write("notes.txt", "no profile");
        let profiles = Profiles::load(Some(dir.path())).unwrap();
        let huawei = profiles.of("huawei", "E173");
        assert_eq!((huawei.quiet.len(), huawei.keep_link), (0, 2));
        assert_eq!(
            huawei.card_identity,
            builtin().of("huawei", "").card_identity
        );
        let odd = profiles.of("odd inc.", "1");
        assert_eq!(
            (odd.name.as_str(), odd.baud.as_slice()),
            ("odd", &[4800][..])
        );
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |text: &str| {
            std::fs::write(dir.path().join("odd.toml"), text).unwrap();
            Profiles::load(Some(dir.path())).unwrap_err().to_string()
        };
        assert_eq!(refused("baud = 4800"), "`odd` is no profile");
        assert_eq!(refused("baud ="), "`odd` is no profile");
        assert_eq!(refused("keep_lnk = 1"), "`odd` is no profile");
        assert_eq!(
            refused("quiet = [\"+CMGD=1\\r\"]"),
            "`odd` has a value with a character that no command may hold"
        );
        let nowhere = Profiles::load(Some(Path::new("/nowhere"))).unwrap_err();
        assert_eq!(nowhere.to_string(), "cannot read `/nowhere`");
        let unknown = builtin().named("evn").unwrap_err();
        assert_eq!(unknown.to_string(), "there is no profile `evn`");
    }
}
