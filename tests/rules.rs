//! The files under `udev/`: every line is read, and carried out on devices as the kernel shows them.
//!
//! Source: udev(7). Only what our rules use is known here; anything else is a mistake.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{fs, io};

/// `KEY{attribute} operator "value"`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    key: String,
    attribute: String,
    operator: String,
    value: String,
}

/// Keys, whether they carry an attribute, and the operators they take.
const KEYS: &[(&str, bool, &[&str])] = &[
    ("ACTION", false, MATCH),
    ("SUBSYSTEM", false, MATCH),
    ("DRIVERS", false, MATCH),
    ("ATTRS", true, MATCH),
    ("ENV", true, &["==", "!=", "="]),
    ("GOTO", false, &["="]),
    ("LABEL", false, &["="]),
    ("GROUP", false, &["="]),
    ("MODE", false, &["="]),
    // A plain `=` would throw away what other files gave.
    ("TAG", false, &["+="]),
    ("SYMLINK", false, &["+="]),
];

const MATCH: &[&str] = &["==", "!="];

/// Matches that must hold together on one and the same node above the device.
const PARENT: &[&str] = &["DRIVERS", "ATTRS"];

/// Attributes of a USB device; those of its interfaces begin with `bInterface`. No node has both.
const ON_DEVICE: &[&str] = &["idVendor", "idProduct", "serial"];

/// Reads one line that is no comment. Errors: what is wrong with it.
fn parse(line: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let at = rest.find(['=', '!', '+']).ok_or("no operator")?;
        let (name, more) = rest.split_at(at);
        let quote = more.find('"').ok_or("no value")?;
        let (operator, more) = more.split_at(quote);
        let more = more.strip_prefix('"').unwrap_or(more);
        let (value, more) = more.split_once('"').ok_or("a value without its end")?;
        tokens.push(checked(name.trim(), operator.trim(), value)?);
        rest = match more.trim().strip_prefix(',') {
            Some(next) if !next.trim().is_empty() => next.trim(),
            None if more.trim().is_empty() => "",
            _ => return Err(format!("after `{value}` stands `{}`", more.trim())),
        };
    }
    let said = |wanted: &str| tokens.iter().any(|token| token.key == wanted);
    if said("GROUP") && said("TAG") {
        return Err("a group that is not known would take the tag with it".to_owned());
    }
    let names = tokens.iter().filter(|token| token.key == "ATTRS");
    let names: Vec<&str> = names.map(|token| token.attribute.as_str()).collect();
    let interface = names.iter().any(|name| name.starts_with("bInterface"));
    if interface && names.iter().any(|name| ON_DEVICE.contains(name)) {
        return Err("a device and its interface are two nodes: this never matches".to_owned());
    }
    Ok(tokens)
}

fn checked(name: &str, operator: &str, value: &str) -> Result<Token, String> {
    let (key, attribute) = match name.split_once('{') {
        Some((key, inside)) => (key, inside.strip_suffix('}').ok_or("no `}`")?),
        None => (name, ""),
    };
    let (_, braces, operators) = KEYS
        .iter()
        .find(|(known, ..)| *known == key)
        .ok_or(format!("no such key: `{key}`"))?;
    if *braces == attribute.is_empty() {
        return Err(format!("`{key}` and its braces do not fit"));
    }
    if !operators.contains(&operator) {
        return Err(format!("`{key}` takes no `{operator}`"));
    }
    if key == "MODE" && (value.len() != 4 || u32::from_str_radix(value, 8).is_err()) {
        return Err(format!("`{value}` is no mode"));
    }
    let [key, attribute, operator, value] =
        [key, attribute, operator, value].map(ToOwned::to_owned);
    Ok(Token {
        key,
        attribute,
        operator,
        value,
    })
}

/// Reads a file; labels that are missing or unused are mistakes as well.
fn read(text: &str) -> Result<Vec<Vec<Token>>, String> {
    let mut rules = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if !line.starts_with('#') && !line.trim().is_empty() {
            rules.push(parse(line).map_err(|told| format!("line {}: {told}", number + 1))?);
        }
    }
    let all = |key: &str| -> Vec<&str> {
        let tokens = rules.iter().flatten().filter(|token| token.key == key);
        tokens.map(|token| token.value.as_str()).collect()
    };
    let (jumps, labels) = (all("GOTO"), all("LABEL"));
    if let Some(lost) = jumps.iter().find(|jump| !labels.contains(jump)) {
        return Err(format!("no label `{lost}`"));
    }
    match labels.iter().find(|label| !jumps.contains(label)) {
        Some(label) => Err(format!("nobody jumps to `{label}`")),
        None => Ok(rules),
    }
}

/// A node of sysfs: subsystem, driver, attributes.
type Node = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// A tty (first node) and what stands above it.
struct Device {
    action: &'static str,
    nodes: &'static [Node],
    path: &'static str,
}

/// What the rules did, by key.
type Done = BTreeMap<String, String>;

/// Carries the rules out on a device.
fn apply(rules: &[Vec<Token>], device: &Device) -> Done {
    let mut env = Done::from([("ID_PATH".to_owned(), device.path.to_owned())]);
    let (mut done, mut waits_for) = (Done::new(), None);
    for rule in rules {
        let label = rule.iter().find(|token| token.key == "LABEL");
        if waits_for.is_some() && waits_for != label.map(|token| token.value.clone()) {
            continue;
        }
        waits_for = None;
        if !holds(rule, device, &env) {
            continue;
        }
        for token in rule
            .iter()
            .filter(|t| !MATCH.contains(&t.operator.as_str()))
        {
            match token.key.as_str() {
                "GOTO" => waits_for = Some(token.value.clone()),
                "LABEL" => {}
                "ENV" => drop(env.insert(token.attribute.clone(), token.value.clone())),
                key => {
                    let path = env.get("ID_PATH").map_or("", String::as_str);
                    let value = token.value.replace("$env{ID_PATH}", path);
                    done.insert(key.to_owned(), value);
                }
            }
        }
    }
    let told = env
        .into_iter()
        .filter(|(name, _)| name.starts_with("ID_MM"));
    done.extend(told);
    done
}

fn holds(rule: &[Token], device: &Device, env: &Done) -> bool {
    let subsystem = device.nodes.first().map_or("", |(subsystem, ..)| subsystem);
    let own = rule.iter().all(|token| match token.key.as_str() {
        "ACTION" => fits(token, device.action),
        "SUBSYSTEM" => fits(token, subsystem),
        "ENV" if token.operator != "=" => {
            fits(token, env.get(&token.attribute).map_or("", String::as_str))
        }
        _ => true,
    });
    let above: Vec<&Token> = rule
        .iter()
        .filter(|token| PARENT.contains(&token.key.as_str()))
        .collect();
    let node = |(_, driver, attributes): &Node| {
        above.iter().all(|token| match token.key.as_str() {
            "DRIVERS" => fits(token, driver),
            _ => attributes
                .iter()
                .any(|(name, value)| *name == token.attribute && fits(token, value)),
        })
    };
    own && (above.is_empty() || device.nodes.iter().any(node))
}

/// Whether a match token holds for a value: alternatives by `|`, `?*` for anything at all.
fn fits(token: &Token, value: &str) -> bool {
    let equal = token.value.split('|').any(|form| match form {
        "?*" => !value.is_empty(),
        form => form == value,
    });
    equal == (token.operator == "==")
}

const STICK: &[Node] = &[
    ("tty", "", &[]),
    ("usb-serial", "option1", &[("port_number", "0")]),
    (
        "usb",
        "option",
        &[("bInterfaceNumber", "02"), ("bInterfaceClass", "ff")],
    ),
    ("usb", "usb", &[("idVendor", "12d1"), ("idProduct", "1506")]),
];
const ACM: &[Node] = &[
    ("tty", "", &[]),
    ("usb", "cdc_acm", &[("bInterfaceProtocol", "01")]),
];
/// An ACM port without AT commands.
const VENDOR_ACM: &[Node] = &[
    ("tty", "", &[]),
    ("usb", "cdc_acm", &[("bInterfaceProtocol", "ff")]),
];
const ADAPTER: &[Node] = &[
    ("tty", "", &[]),
    ("usb-serial", "ch341-uart", &[("port_number", "0")]),
    // Its interface looks like one that takes AT commands.
    ("usb", "ch341", &[("bInterfaceProtocol", "02")]),
];
const NETWORK: &[Node] = &[("net", "", &[]), ("usb-serial", "option1", &[])];

const PATH: &str = "pci-0000:00:14.0-usb-0:1.2:1.2";

/// Name, action, nodes, path; whether it is taken and whether it gets a name.
type Case = (
    &'static str,
    &'static str,
    &'static [Node],
    &'static str,
    bool,
    bool,
);

const DEVICES: &[Case] = &[
    ("stick", "add", STICK, PATH, true, true),
    ("stick, event again", "change", STICK, PATH, true, true),
    ("stick, bound", "bind", STICK, PATH, true, true),
    ("stick without a path", "add", STICK, "", true, false),
    ("AT over ACM", "add", ACM, PATH, true, true),
    ("stick gone", "remove", STICK, PATH, false, false),
    ("ACM of a vendor", "add", VENDOR_ACM, PATH, false, false),
    ("serial adapter", "add", ADAPTER, PATH, false, false),
    ("network card", "add", NETWORK, PATH, false, false),
];

fn files() -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/udev"))?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}

#[test]
fn every_file_is_read_and_told_about() {
    let mut seen = Vec::new();
    let mut page = String::new();
    for file in files().unwrap() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        if name == "README.md" {
            page = text;
            continue;
        }
        assert!(
            file.extension().is_some_and(|end| end == "rules"),
            "{name}: only rules and their page lie here"
        );
        // After 60-serial.rules, which gives ID_PATH; before 73-seat-late.rules, which acts on `uaccess`.
        let number: u8 = name.split('-').next().unwrap().parse().unwrap();
        assert!((61..73).contains(&number), "{name}");
        read(&text).unwrap_or_else(|told| panic!("{name}: {told}"));
        seen.push(name);
    }
    assert_eq!(seen, ["70-simpost.rules"]);
    for name in seen {
        assert!(
            page.contains(&name),
            "udev/README.md does not tell of {name}"
        );
    }
}

#[test]
fn modems_are_taken_and_nothing_else() {
    let rules = read(include_str!("../udev/70-simpost.rules")).unwrap();
    for (name, action, nodes, path, taken, named) in DEVICES {
        let done = apply(
            &rules,
            &Device {
                action,
                nodes,
                path,
            },
        );
        let mut expected = Done::new();
        if *taken {
            let words = [
                ("GROUP", "dialout"),
                ("MODE", "0660"),
                ("TAG", "uaccess"),
                ("ID_MM_DEVICE_IGNORE", "1"),
                ("ID_MM_PORT_IGNORE", "1"),
            ];
            expected.extend(words.map(|(key, word)| (key.to_owned(), word.to_owned())));
        }
        if *named {
            expected.insert("SYMLINK".to_owned(), format!("simpost/{PATH}"));
        }
        assert_eq!(done, expected, "{name}");
    }
}

#[test]
fn lines_can_be_wrong() {
    const CASES: &[(&str, &str)] = &[
        (r#"ACTION="add""#, "line 1: `ACTION` takes no `=`"),
        (r#"SYMLINK="x""#, "line 1: `SYMLINK` takes no `=`"),
        (r#"SUBSYSTM=="tty""#, "line 1: no such key: `SUBSYSTM`"),
        (
            r#"ATTRS=="12d1""#,
            "line 1: `ATTRS` and its braces do not fit",
        ),
        (r#"MODE="666""#, "line 1: `666` is no mode"),
        (r#"MODE="0998""#, "line 1: `0998` is no mode"),
        (
            r#"GROUP="x" TAG+="y""#,
            "line 1: after `x` stands `TAG+=\"y\"`",
        ),
        (r#"GROUP="x","#, "line 1: after `x` stands `,`"),
        ("# x\nGROUP=\"x", "line 2: a value without its end"),
        ("GROUP", "line 1: no operator"),
        (
            r#"GROUP="dialout", TAG+="uaccess""#,
            "line 1: a group that is not known would take the tag with it",
        ),
        (
            r#"ATTRS{idVendor}=="12d1", ATTRS{bInterfaceNumber}=="00""#,
            "line 1: a device and its interface are two nodes: this never matches",
        ),
        (r#"ACTION=="add", GOTO="x""#, "no label `x`"),
        (r#"LABEL="x""#, "nobody jumps to `x`"),
    ];
    for (text, expected) in CASES {
        assert_eq!(read(text).unwrap_err(), *expected, "{text}");
    }
}
