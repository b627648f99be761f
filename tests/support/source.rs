//! A Rust file as the rules of the house see it: its own code without comments, literals and tests,
//! and the paths which that code names.
//!
//! It reads tokens, not grammar: enough for `use` trees and for paths written out in full.

/// A path as it stands in the code, or as seen from the root: `crate` first when it is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Counted from 1.
    pub line: usize,
    /// Its segments.
    pub path: Vec<String>,
}

/// The code of a file: comments, literals and what stands under `cfg(test)` become spaces, so that
/// every line keeps its number.
pub fn own_code(source: &str) -> String {
    without_tests(&blank(source))
}

/// How many lines of a file are no tests.
pub fn own_lines(source: &str) -> usize {
    let code = blank(source);
    let tests: usize = tests_in(&code)
        .iter()
        .map(|(start, end)| code.get(*start..*end).map_or(0, |t| t.lines().count()))
        .sum();
    source.lines().count().saturating_sub(tests)
}

/// Every path with at least two segments, and every single name that a `use` brings in.
pub fn paths(code: &str, module: &[&str]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut tokens = tokens(code).into_iter().peekable();
    // The last two tokens: a path goes on behind `a::` and `<T>::`, a leading `::` begins one.
    let (mut before, mut last) = ("", "");
    while let Some((line, token)) = tokens.next() {
        let (name, next) = (token, tokens.peek().map(|(_, next)| *next));
        let goes_on = last == "::" && (is_name(before) || before == ">");
        if name == "use" && next != Some("<") {
            tree(&mut tokens, &[], &mut found);
        } else if is_name(name) && next == Some("::") && !goes_on {
            let mut path = vec![name.to_owned()];
            while tokens.next_if(|(_, next)| *next == "::").is_some() {
                let Some((_, name)) = tokens.next_if(|(_, next)| is_name(next)) else {
                    break;
                };
                path.push(name.to_owned());
            }
            found.push(Named { line, path });
        }
        (before, last) = (last, token);
    }
    for named in &mut found {
        named.path = from_root(&named.path, module);
    }
    found
}

type Tokens<'a> = std::iter::Peekable<std::vec::IntoIter<(usize, &'a str)>>;

/// Reads one branch of a `use` tree; what ended it comes back.
fn tree<'a>(tokens: &mut Tokens<'a>, prefix: &[String], found: &mut Vec<Named>) -> &'a str {
    let (mut path, mut at, mut branched) = (prefix.to_vec(), 0, false);
    while let Some((line, token)) = tokens.next() {
        match token {
            "as" => drop(tokens.next()),
            "{" => {
                branched = true;
                while tree(tokens, &path, found) == "," {}
            }
            "," | "}" | ";" => {
                if !branched && at != 0 {
                    found.push(Named { line: at, path });
                }
                return token;
            }
            "self" if !path.is_empty() => at = line,
            name if is_name(name) => {
                at = line;
                path.push(name.to_owned());
            }
            _ => {}
        }
    }
    ";"
}

/// Resolves `self`, `super` and the library's own name.
fn from_root(path: &[String], module: &[&str]) -> Vec<String> {
    let mut place: Vec<String> = module.iter().map(ToString::to_string).collect();
    let mut rest = path;
    match path.first().map(String::as_str) {
        Some("crate" | "simpost") => place.clear(),
        Some("self" | "super") => {}
        _ => return path.to_vec(),
    }
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "super" => drop(place.pop()),
            "crate" | "simpost" | "self" => {}
            _ => break,
        }
        rest = others;
    }
    let root = std::iter::once("crate".to_owned());
    root.chain(place).chain(rest.iter().cloned()).collect()
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single signs, each with its line.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let (mut rest, mut line, mut found) = (code, 1, Vec::new());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_alphanumeric() || c == '_' => name_length(rest),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        let (token, others) = rest.split_at(length);
        if first == '\n' {
            line += 1;
        } else if !first.is_whitespace() {
            found.push((line, token));
        }
        rest = others;
    }
    found
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// Comments and literals become spaces.
fn blank(source: &str) -> String {
    let (mut rest, mut code) = (source, String::with_capacity(source.len()));
    while let Some(first) = rest.chars().next() {
        if let Some(length) = comment(rest).or_else(|| literal(rest)) {
            let (gone, others) = rest.split_at(length);
            code.extend(gone.chars().map(|c| if c == '\n' { c } else { ' ' }));
            rest = others;
        } else {
            let name = name_length(rest);
            let (kept, others) = rest.split_at(if name > 0 { name } else { first.len_utf8() });
            code.push_str(kept);
            rest = others;
        }
    }
    code
}

/// The length of the comment that `text` starts with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let mut inside = text.strip_prefix("/*")?;
    let mut depth = 1;
    while depth > 0 {
        let next = inside.find("/*").unwrap_or(inside.len());
        let end = inside.find("*/").unwrap_or(inside.len());
        depth = if next < end { depth + 1 } else { depth - 1 };
        inside = inside.get(next.min(end) + 2..).unwrap_or("");
    }
    Some(text.len() - inside.len())
}

/// The length of the string or character that `text` starts with; a lifetime is none.
fn literal(text: &str) -> Option<usize> {
    let body = text.strip_prefix(['b', 'c']).unwrap_or(text);
    if let Some(raw) = body.strip_prefix('r') {
        let quoted = raw.trim_start_matches('#');
        let mut end = String::from('"');
        end.push_str(raw.get(..raw.len() - quoted.len())?);
        let inside = quoted.strip_prefix('"')?;
        let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
        return Some(text.len() - inside.len() + length);
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = body.get(1..)?;
    if quote == '\'' && !inside.starts_with('\\') && inside.chars().nth(1) != Some('\'') {
        return None;
    }
    let mut escaped = false;
    let end = inside.char_indices().find(|(_, c)| {
        let closes = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    let length = end.map_or(inside.len(), |(at, _)| at + 1);
    Some(text.len() - inside.len() + length)
}

fn without_tests(code: &str) -> String {
    let mut kept = code.to_owned();
    for (start, end) in tests_in(code) {
        let lines = code.get(start..end).unwrap_or("");
        let blank: String = lines
            .bytes()
            .map(|b| if b == b'\n' { '\n' } else { ' ' })
            .collect();
        kept.replace_range(start..end, &blank);
    }
    kept
}

/// The items under `cfg(test)`, each from its attribute to its end.
fn tests_in(code: &str) -> Vec<(usize, usize)> {
    let (mut from, mut found) = (0, Vec::new());
    while let Some(at) = ["#[cfg(test)]", "#[cfg(all(test"]
        .iter()
        .filter_map(|mark| code.get(from..)?.find(mark))
        .min()
    {
        let start = from + at;
        from = start + item(code.get(start..).unwrap_or(""));
        found.push((start, from));
    }
    found
}

/// The length of an item: to its `;`, or to the brace that closes it.
fn item(code: &str) -> usize {
    let mut depth = 0;
    for (at, sign) in code.char_indices() {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth <= 0 && matches!(sign, ';' | '}') {
            return at + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, code, paths as seen from `crate::modem::link`.
    const PATHS: &[(&str, &str, &[&str])] = &[
        ("use", "use crate::sms::Mr;", &["crate sms Mr"]),
        ("alone", "use clap;", &["clap"]),
        ("renamed", "use a::b as c;", &["a b"]),
        ("all", "use crate::store::*;", &["crate store"]),
        (
            "tree",
            "use crate::{sms::{self, pdu}, clock};",
            &["crate sms", "crate sms pdu", "crate clock"],
        ),
        ("roots", "use {nom::bytes, serde};", &["nom bytes", "serde"]),
        (
            "relative",
            "use super::super::store; use super::at::Line; use self::x;",
            &["crate store", "crate modem at Line", "crate modem link x"],
        ),
        ("our name", "simpost::run()", &["crate run"]),
        (
            "in full",
            "let x: crate::store::Error = ::tokio::spawn(y);",
            &["crate store Error", "tokio spawn"],
        ),
        (
            "attribute",
            "#[derive(clap::Parser)] struct X;",
            &["clap Parser"],
        ),
        ("call with types", "Vec::<u8>::new()", &["Vec"]),
        ("captures", "fn f() -> impl X + use<> {}", &[]),
        (
            "comment",
            "// use crate::a;\n/* b::c /* d::e */ f::g */",
            &[],
        ),
        (
            "literals",
            r##"let x = ("a::b", r#"c"::d"#, b"e::f\"::", '"', 'x'); g::h"##,
            &["g h"],
        ),
        ("lifetime", "fn f<'a>(x: &'a a::B) {}", &["a B"]),
        (
            "tests",
            "#[cfg(test)]\nmod tests { use crate::a; fn f() {} }\nuse crate::b;",
            &["crate b"],
        ),
        (
            "test import",
            "#[cfg(test)]\nuse crate::a;\nuse crate::b;",
            &["crate b"],
        ),
    ];

    #[test]
    fn paths_are_found_where_they_are_code() {
        for (name, code, expected) in PATHS {
            let found = paths(&own_code(code), &["modem", "link"]);
            let found: Vec<String> = found.iter().map(|named| named.path.join(" ")).collect();
            assert_eq!(found, *expected, "{name}");
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        let code = "//! a\n/* b\nc */\n#[cfg(test)]\nmod tests {\n    use d::e;\n}\nuse f::g;\n";
        let path = vec!["f".to_owned(), "g".to_owned()];
        assert_eq!(paths(&own_code(code), &[]), [Named { line: 8, path }]);
        assert_eq!(own_lines(code), 4);
    }
}
