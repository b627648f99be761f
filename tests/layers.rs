//! The rules of the house, checked on the text of the tree: who may import whom, which crate stays
//! behind which wall, how long files are, and that the map in `ARCHITECTURE.md` is true.
//!
//! Each rule is a function from text to complaints, with cases below it that make it complain.

use std::path::{Path, PathBuf};
use std::{fs, io};

#[path = "support/source.rs"]
mod source;

/// The rooms of `src` and what each may import besides itself. The longest name that fits is the
/// room of a file: `modem/at/lines.rs` is in `modem/at`, `modem/link.rs` in `modem`.
const ROOMS: &[(&str, &[&str])] = &[
    ("sms", &[]),
    ("modem/at", &["sms"]),
    ("routing", &["sms"]),
    ("clock", PURE),
    ("store", &["sms", "routing", "clock"]),
    ("modem", &["sms", "modem/at", "routing", "clock"]),
    // What the driver is tested against must not lean on the driver's own reading.
    ("emulator", &["sms", "clock"]),
    ("admission", GROUND),
    ("scheduler", GROUND),
    ("fleet", GROUND),
    ("outcomes", GROUND),
    ("housekeeper", GROUND),
    ("webhook", GROUND),
    ("planner", GROUND),
    (
        "http",
        &[
            "sms",
            "modem/at",
            "routing",
            "clock",
            "store",
            "modem",
            "admission",
        ],
    ),
    ("cli", ALL),
    ("daemon", ALL),
    ("config", ALL),
    ("main", ALL),
    ("lib", ALL),
];

/// Values and functions without input, output and time.
const PURE: &[&str] = &["sms", "modem/at", "routing"];

/// What movers stand on.
const GROUND: &[&str] = &["sms", "modem/at", "routing", "clock", "store", "modem"];

/// The top of the house sees everything.
const ALL: &[&str] = &["*"];

/// Crates that only some places may name.
const WALLS: &[(&str, &[&str])] = &[
    ("serialport", &["modem/port"]),
    ("tokio_serial", &["modem/port"]),
    ("rusqlite", &["store"]),
    ("axum", &["http"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
    ("tower_http", &["http"]),
    ("clap", &["cli", "main"]),
    ("reqwest", &["webhook", "cli/client"]),
    ("rlibphonenumber", &["admission"]),
    ("nom", &["modem/at"]),
    ("anyhow", &["cli", "daemon", "main"]),
];

/// What the pure rooms may not name: whatever waits, reads, writes or asks the system.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio_util",
    "rustix",
    "std fs",
    "std io",
    "std net",
    "std env",
    "std process",
    "std thread",
];

/// Names that say nothing about what is inside.
const BANNED: &[&str] = &[
    "utils", "helpers", "common", "misc", "types", "manager", "handler",
];

const LONGEST_FILE: usize = 500;
const FULLEST_FOLDER: usize = 12;

/// Whether a place such as `modem/at/lines` is `room` or lies in it.
fn within(place: &str, room: &str) -> bool {
    place
        .strip_prefix(room)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn room_of(place: &str) -> Option<(&'static str, &'static [&'static str])> {
    let fitting = ROOMS.iter().filter(|(room, _)| within(place, room));
    fitting.max_by_key(|(room, _)| room.len()).copied()
}

/// Where a file stands, seen from `src`: `modem/at` for `modem/at/mod.rs`.
fn place_of(file: &str) -> &str {
    let place = file.strip_suffix(".rs").unwrap_or(file);
    place.strip_suffix("/mod").unwrap_or(place)
}

/// Imports against the layers, and crates outside their walls.
fn imports(file: &str, source: &str) -> Vec<String> {
    let place = place_of(file);
    let Some((room, may)) = room_of(place) else {
        return vec![format!("{file}: no room of ROOMS")];
    };
    let module: Vec<&str> = match place {
        "lib" | "main" => Vec::new(),
        inside => inside.split('/').collect(),
    };
    let named = source::paths(&source::own_code(source), &module);
    let complaints = named.iter().filter_map(|named| {
        let told = match named.path.split_first()? {
            (first, inside) if first == "crate" => upward(room, may, &inside.join("/")),
            _ => outside(place, room, &named.path),
        };
        Some(format!("{file}:{}: {}", named.line, told?))
    });
    complaints.collect()
}

/// A path of our own that `room` may not name.
fn upward(room: &str, may: &[&str], path: &str) -> Option<String> {
    let target = match room_of(path) {
        Some((target, _)) => target,
        None if may == ALL => return None,
        None => return Some(format!("`{path}` is in no room of ROOMS")),
    };
    let fine = target == room || may == ALL || may.contains(&target);
    (!fine).then(|| format!("{room} may not import {target}"))
}

/// A path of another crate that this place may not name.
fn outside(place: &str, room: &str, path: &[String]) -> Option<String> {
    let name = path.first()?;
    let mut walls = WALLS.iter().filter(|(wall, _)| name == wall);
    if walls.any(|(_, homes)| !homes.iter().any(|home| within(place, home))) {
        return Some(format!("{name} does not belong in {place}"));
    }
    let impure = |what: &&&str| what.split(' ').zip(path).all(|(a, b)| a == b);
    let impure = IMPURE.iter().find(|what| {
        impure(what) && path.len() >= what.split(' ').count() && PURE.contains(&room)
    })?;
    Some(format!("{room} is pure: no {}", impure.replace(' ', "::")))
}

/// Files that are too long or badly named, folders that are too full; `files` seen from `src`.
fn sizes(files: &[(String, String)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, text) in files {
        let own = source::own_lines(text);
        if own > LONGEST_FILE {
            complaints.push(format!("{file}: {own} lines before its tests"));
        }
        for name in place_of(file).split('/').filter(|n| BANNED.contains(n)) {
            complaints.push(format!("{file}: `{name}` says nothing"));
        }
    }
    for folder in folders(files) {
        let inside = files.iter().filter(|(file, _)| folder_of(file) == folder);
        let count = inside.count();
        if !folder.is_empty() && count > FULLEST_FOLDER {
            complaints.push(format!("{folder}: {count} files"));
        }
    }
    complaints
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|end| end == "rs")
}

fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Every folder above a file, once and in order.
fn folders(files: &[(String, String)]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for (file, _) in files {
        let mut folder = folder_of(file);
        while !folder.is_empty() {
            found.push(folder);
            folder = folder_of(folder);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What the tree block of `ARCHITECTURE.md` names: paths seen from the top, folders end in `/`.
///
/// The block is the one that has a line `src/`; names inside `src` are indented by two blanks. A
/// line's names end where two blanks follow one.
fn mapped(architecture: &str) -> Vec<String> {
    let blocks = architecture.split("```").skip(1).step_by(2);
    let Some(block) = blocks
        .into_iter()
        .find(|block| block.lines().any(|line| line.trim_end() == "src/"))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    // The first line is the rest of the fence.
    for line in block.lines().skip(1) {
        let top = if line.starts_with(' ') { "src/" } else { "" };
        let names = line.trim_start().split("  ").next().unwrap_or("");
        let names = names
            .split(' ')
            .filter(|name| name.ends_with('/') || is_rust(name));
        found.extend(names.map(|name| format!("{top}{name}")));
    }
    found
}

/// Where the map and the tree differ. `files` are seen from the top, as `src/modem/link.rs`.
///
/// The map must name every folder of `src` and every file at its top; all that it names must exist.
fn map_complaints(architecture: &str, files: &[(String, String)]) -> Vec<String> {
    let named = mapped(architecture);
    let folders: Vec<String> = folders(files).iter().map(|f| format!("{f}/")).collect();
    let lost = named
        .iter()
        .filter(|name| !folders.contains(name) && !files.iter().any(|(file, _)| &file == name));
    let mut complaints: Vec<String> = lost.map(|n| format!("mapped, not there: {n}")).collect();
    let tops = files.iter().map(|(file, _)| file);
    let tops = tops.filter(|file| folder_of(file) == "src" && is_rust(file));
    let unnamed = folders.iter().filter(|folder| folder.starts_with("src/"));
    let unnamed = unnamed.chain(tops).filter(|name| !named.contains(name));
    complaints.extend(unnamed.map(|name| format!("there, not mapped: {name}")));
    complaints
}

/// All text files below a folder of the tree, by their path from `root`.
fn read(root: &Path, folder: &str) -> io::Result<Vec<(String, String)>> {
    let (mut open, mut files): (Vec<PathBuf>, Vec<_>) = (vec![root.join(folder)], Vec::new());
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(inside) = path.strip_prefix(root) {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                files.push((inside.display().to_string(), text));
            }
        }
    }
    files.sort();
    Ok(files)
}

#[test]
fn the_tree_keeps_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let src = read(&root.join("src"), "").unwrap();
    let mut complaints = sizes(&src);
    let rust = src.iter().filter(|(file, _)| is_rust(file));
    complaints.extend(rust.flat_map(|(file, text)| imports(file, text)));
    assert!(
        src.len() > 20,
        "{} files are not the whole of src",
        src.len()
    );

    let mut files = Vec::new();
    for folder in ["src", "tests", "hardware", "udev"] {
        files.extend(read(root, folder).unwrap());
    }
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    complaints.extend(map_complaints(&architecture, &files));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// File | code | the complaint without its place; nothing where all is well.
const IMPORTS: &str = "
sms/pdu.rs | use super::octets::Octets; |
sms/pdu.rs | use crate::clock::Clock; | sms may not import clock
sms/pdu.rs | use crate::routing::Lane; | sms may not import routing
sms/pdu.rs | use tokio::time; | sms is pure: no tokio
sms/pdu.rs | use std::time::Duration; |
sms/pdu.rs | std::fs::read(x) | sms is pure: no std::fs
routing/lane.rs | use {std::io, crate::sms::Mr}; | routing is pure: no std::io
routing/lane.rs | use crate::modem::Job; | routing may not import modem
modem/at/mod.rs | use crate::sms::causes::Cause; |
modem/at/mod.rs | use super::link::Link; | modem/at may not import modem
modem/at/lines.rs | use super::super::Event; | modem/at may not import modem
modem/at/lines.rs | use tokio::io; | modem/at is pure: no tokio
modem/link.rs | use super::at::Line; |
modem/link.rs | use crate::store::Store; | modem may not import store
modem/link.rs | use crate::fleet::Fleet; | modem may not import fleet
store/mod.rs | fn f(x: crate::modem::Event) {} | store may not import modem
store/mod.rs | use crate::modem::at::Line; | store may not import modem/at
store/mod.rs | use crate::routing::class::Class; |
clock.rs | use crate::store::Store; | clock may not import store
emulator/mod.rs | use crate::modem::at::Line; | emulator may not import modem/at
scheduler.rs | use crate::fleet::Fleet; | scheduler may not import fleet
outcomes.rs | use crate::admission::Wish; | outcomes may not import admission
fleet.rs | use crate::{clock::Clock, http::App}; | fleet may not import http
fleet.rs | use crate::emulator::Emulator; | fleet may not import emulator
http/mod.rs | use crate::admission::Door; |
http/mod.rs | use crate::scheduler::Lane; | http may not import scheduler
http/gate/auth.rs | use crate::config::Config; | http may not import config
daemon.rs | use crate::{config, emulator, http, scheduler}; |
cli/demo.rs | use crate::daemon; use simpost::emulator; |
main.rs | use simpost::cli; |
store/mod.rs | use crate::Shortcut; | `Shortcut` is in no room of ROOMS
cellar.rs |  | no room of ROOMS
modem/port.rs | use tokio_serial::SerialStream; |
modem/link.rs | use tokio_serial::SerialStream; | tokio_serial does not belong in modem/link
fleet.rs | serialport::available_ports() | serialport does not belong in fleet
store/sims.rs | use rusqlite::params; |
http/keys.rs | use rusqlite::params; | rusqlite does not belong in http/keys
http/keys.rs | use axum::Json; use tower_http::limit; |
daemon.rs | axum::serve(a, b) | axum does not belong in daemon
daemon.rs | use tower_http::trace; | tower_http does not belong in daemon
http/gate/serve.rs | use hyper::server; use hyper_util::rt::TokioIo; |
daemon.rs | use hyper::server; | hyper does not belong in daemon
fleet.rs | use hyper_util::rt; | hyper_util does not belong in fleet
cli/send.rs | #[derive(clap::Args)] struct Send; |
config.rs | #[derive(clap::Args)] struct Config; | clap does not belong in config
cli/client.rs | use reqwest::Client; |
cli/send.rs | use reqwest::Client; | reqwest does not belong in cli/send
admission.rs | use rlibphonenumber::PhoneNumber; |
sms/number.rs | use rlibphonenumber::X; | rlibphonenumber does not belong in sms/number
modem/at/fields.rs | use nom::bytes; |
sms/pdu.rs | use nom; | nom does not belong in sms/pdu
store/open.rs | use anyhow::Context; | anyhow does not belong in store/open
store/mod.rs | #[cfg(test)] mod tests { use crate::modem::Event; } |
";

fn import_cases() -> impl Iterator<Item = [&'static str; 3]> {
    let cells = |line: &'static str| {
        let mut cells = line
            .splitn(3, " | ")
            .map(|cell| cell.trim_end_matches(" |"));
        [(); 3].map(|()| cells.next().unwrap_or(""))
    };
    IMPORTS.lines().filter(|line| !line.is_empty()).map(cells)
}

#[test]
fn imports_can_be_wrong() {
    for [file, code, expected] in import_cases() {
        let expected = match expected {
            "" => Vec::new(),
            told if code.is_empty() => vec![format!("{file}: {told}")],
            told => vec![format!("{file}:1: {told}")],
        };
        assert_eq!(imports(file, code), expected, "{file}: {code}");
    }
}

#[test]
fn every_wall_has_its_case() {
    for (wall, _) in WALLS {
        let told = format!("{wall} does not belong");
        let tried = import_cases().any(|[.., expected]| expected.starts_with(&told));
        assert!(tried, "{wall}");
    }
}

#[test]
fn files_can_be_too_long_and_folders_too_full() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let tests = "#[cfg(test)]\nmod tests {\n    // one\n}\n";
    let full = "fn f() {}\n".repeat(LONGEST_FILE);
    let short = [file("a.rs", &format!("{full}{tests}"))];
    assert_eq!(sizes(&short), [""; 0]);
    let long = [file("a.rs", &format!("{full}fn g() {{}}\n{tests}"))];
    assert_eq!(sizes(&long), ["a.rs: 501 lines before its tests"]);
    let mut crowd: Vec<_> = (0..12).map(|n| file(&format!("sms/a{n}.rs"), "")).collect();
    crowd.push(file("sms/fields/x.rs", ""));
    assert_eq!(sizes(&crowd), [""; 0]);
    crowd.push(file("sms/mod.rs", ""));
    assert_eq!(sizes(&crowd), ["sms: 13 files"]);
    for name in BANNED {
        let told = format!("`{name}` says nothing");
        let files = [
            file(&format!("{name}.rs"), ""),
            file(&format!("{name}/mod.rs"), ""),
        ];
        let expected = files.each_ref().map(|(path, _)| format!("{path}: {told}"));
        assert_eq!(sizes(&files), expected);
    }
}

#[test]
fn the_map_can_lie() {
    let files = [
        "src/main.rs",
        "src/sms/pdu.rs",
        "src/modem/at/mod.rs",
        "udev/a.rules",
    ];
    let files = files.map(|file| (file.to_owned(), String::new()));
    let map = |lines: &str| format!("# A\n\n```sh\nls src/\n```\n\n```text\nsrc/\n{lines}```\n");
    let truth = "  main.rs      starts\n  sms/ modem/  two, and no http/\n  modem/at/    three\nudev/  rules\n";
    assert_eq!(map_complaints(&map(truth), &files), [""; 0]);
    let lie = "  main.rs daemon.rs  starts\n  sms/  pure\n  modem/  driver\n  http/  nothing\nhardware/  no\n";
    assert_eq!(
        map_complaints(&map(lie), &files),
        [
            "mapped, not there: src/daemon.rs",
            "mapped, not there: src/http/",
            "mapped, not there: hardware/",
            "there, not mapped: src/modem/at/",
        ]
    );
    let unnamed = map_complaints("no block", &files);
    assert_eq!(unnamed.len(), 5, "{unnamed:?}");
}
