//! Reads query parameters, so that one answer names all that is wrong with them.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;

use super::problem::{FieldFlaw, Problem};
use crate::admission::Admission;
use crate::sms::number::PhoneNumber;

const DEFAULT_PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 200;

/// The parameters, taken one by one.
#[derive(Debug)]
pub struct Parameters {
    left: Vec<(String, String)>,
    flaws: Vec<FieldFlaw>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unreadable = || {
            Problem::new(
                axum::http::StatusCode::BAD_REQUEST,
                "unreadable_query",
                "the query cannot be read",
            )
        };
        let Query(left) =
            Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_| unreadable())?;
        Ok(Self {
            left,
            flaws: Vec::new(),
        })
    }
}

/// The name in a path; one that cannot be read names nothing.
#[derive(Debug)]
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.map(|Path(name)| Self(name))
            .map_err(|_| Problem::not_found("name"))
    }
}

impl Parameters {
    /// A parameter that may be missing, read by `read`; `form` says what it must look like.
    pub fn take<T>(
        &mut self,
        name: &str,
        form: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let mut found = None;
        let mut values = Vec::new();
        self.left.retain(|(key, value)| {
            let ours = key == name;
            if ours {
                values.push(value.clone());
            }
            !ours
        });
        for value in &values {
            found = read(value);
        }
        if values.len() > 1 {
            self.flaw(
                name,
                "repeated",
                format!("`{name}` is given {} times", values.len()),
            );
        } else if found.is_none() && !values.is_empty() {
            self.flaw(name, "invalid_value", format!("`{name}` must be {form}"));
        }
        found
    }

    /// How many things a page holds.
    pub fn limit(&mut self) -> u32 {
        let size = |text: &str| {
            text.parse()
                .ok()
                .filter(|limit| (1..=LONGEST_PAGE).contains(limit))
        };
        self.take("limit", "a number from 1 to 200", size)
            .unwrap_or(DEFAULT_PAGE)
    }

    /// Where the page before ended.
    pub fn cursor<Id: FromStr>(&mut self) -> Option<Id> {
        self.take("cursor", "the next_cursor of the page before", |cursor| {
            cursor.parse().ok()
        })
    }

    /// A number of the shop's country or of the world.
    pub fn number(&mut self, name: &str, door: &Admission) -> Option<PhoneNumber> {
        self.take(name, "a number such as +380671234567", |number| {
            read_number(number, door)
        })
    }

    /// Ends the reading. Errors: 422 with every flaw, parameters that nobody asked for among them.
    pub fn end(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.left) {
            let shown: String = name.chars().take(60).collect();
            self.flaw(
                &shown,
                "unknown_parameter",
                format!("`{shown}` is not known here"),
            );
        }
        if self.flaws.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.flaws))
        }
    }

    fn flaw(&mut self, name: &str, code: &'static str, detail: String) {
        self.flaws.push(FieldFlaw {
            pointer: format!("?{name}"),
            code,
            detail,
        });
    }
}

/// A number as a query writes it: an unescaped `+` arrives as a blank.
pub fn read_number(number: &str, door: &Admission) -> Option<PhoneNumber> {
    door.number(number)
        .or_else(|| door.number(&format!("+{}", number.trim())))
}
