//! Settings that are told as they stand: `+CMGF: 0`, and what they can be: `+CMGF: (0,1)`.

use super::values::{Fields, Value, list};
use super::{Form, ROUTING};
use crate::modem::at::ParseError;
use crate::modem::at::fields::{Item, behind, items};

/// The standards' names of the values, by their places in the answer to `?` and to `=?`.
const SETTINGS: &[(&str, &[&str], &[&str])] = &[
    // TS 27.005, 3.2.3, 3.4.1, 3.5.4 and 3.5.6.
    ("+CMGF", &["mode"], &["mode"]),
    ("+CNMI", &ROUTING, &ROUTING),
    ("+CMGD", &[], &["index", "delflag"]),
    ("+CMMS", &["n"], &["n"]),
    // TS 27.007, 5.5, 7.2, 7.15, 8.2, 9.1, 10.1.20 and 10.1.22.
    ("+CSCS", &["chset"], &["chset"]),
    ("+CREG", &[], &["n"]),
    ("+CGREG", &[], &["n"]),
    ("+CEREG", &[], &["n"]),
    ("+CUSD", &["n"], &["n"]),
    ("+CFUN", &["fun"], &["fun", "rst"]),
    ("+CMEE", &["n"], &["n"]),
];

/// Reads the answer about the setting `name`; none where it is no such setting.
pub(super) fn setting(
    name: &str,
    form: Form,
    lines: &[String],
) -> Option<Result<Fields, ParseError>> {
    let (_, read, test) = SETTINGS.iter().find(|(known, ..)| *known == name)?;
    let places = if form == Form::Test { test } else { read };
    let prefix = format!("{name}:");
    if places.is_empty() || lines.is_empty() {
        return None;
    }
    let found = lines.iter().find_map(|line| match form {
        Form::Test => items(&prefix, line).map(|items| named(places, items.iter().map(possible))),
        Form::Read => {
            behind(&prefix, line).map(|fields| named(places, fields.into_iter().map(one)))
        }
    });
    let found = found.filter(|fields| !fields.is_empty());
    Some(found.ok_or_else(|| ParseError::new(name, lines)))
}

fn named(places: &[&'static str], values: impl Iterator<Item = Option<Value>>) -> Fields {
    let named = places.iter().copied().zip(values);
    named
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn one(field: &str) -> Option<Value> {
    let number = field.parse().ok().map(Value::Number);
    let text = || (!field.is_empty()).then(|| Value::Text(field.to_owned()));
    number.or_else(text)
}

/// The numbers that are possible, spelled out, or the words.
fn possible(item: &Item<'_>) -> Option<Value> {
    let numbers = item.places();
    let words = item.words();
    if words.is_empty() {
        return None;
    }
    Some(if numbers.is_empty() {
        list(words.into_iter().map(|word| Value::Text(word.to_owned())))
    } else {
        list(numbers.into_iter().map(Value::from))
    })
}
