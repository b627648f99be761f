//! Reads a JSON body field by field, so that one answer names all that is wrong with it.

use std::fmt;
use std::ops::RangeInclusive;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::problem::{FieldFlaw, Problem};
use super::{BODY_LIMIT, BODY_TIME, LARGE_BODY_LIMIT};
use crate::clock::Millis;

/// The fields of a body, taken one by one.
#[derive(Debug)]
pub struct Fields {
    left: Map<String, Value>,
    known: Vec<&'static str>,
    flaws: Vec<FieldFlaw>,
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read_body(request, BODY_LIMIT).await
    }
}

/// The same from a body that may hold many things.
#[derive(Debug)]
pub struct Large(pub Fields);

impl<S: Send + Sync> FromRequest<S> for Large {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read_body(request, LARGE_BODY_LIMIT).await.map(Self)
    }
}

async fn read_body(request: Request, limit: usize) -> Result<Fields, Problem> {
    check_content_type(request.headers())?;
    let too_large = || {
        let detail = format!("the body is over {limit} octets");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    };
    let late = |_| {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "timed_out",
            "the body took too long to come",
        )
    };
    let reading = timeout(BODY_TIME, to_bytes(request.into_body(), limit));
    let body = reading.await.map_err(late)?.map_err(|_| too_large())?;
    Fields::read(&body)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = given
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "send the body as application/json";
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        detail,
    ))
}

impl Fields {
    /// Reads a body. Errors: 400 when it is no JSON, 422 when it is no object.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let unreadable =
            |detail: String| Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", detail);
        if body.is_empty() {
            return Err(unreadable(
                "the body is empty; expected a JSON object".into(),
            ));
        }
        let text = std::str::from_utf8(body).map_err(|error| {
            unreadable(format!(
                "the body is no UTF-8 from octet {} on",
                error.valid_up_to()
            ))
        })?;
        match serde_json::from_str(text) {
            Ok(Once(value)) => Self::of(value),
            Err(error) => Err(unreadable(format!("the body is no JSON: {error}"))),
        }
    }

    /// SHA-256 of what the body says, however it is laid out. For a body of which nothing was taken yet.
    pub fn digest(&self) -> [u8; 32] {
        // Sorted by name, without blanks; strings and numbers can always be written.
        let said = serde_json::to_vec(&self.left).unwrap_or_default();
        Sha256::digest(said).into()
    }

    /// A text that must be there. A missing or wrong one is noted; the empty text stands for it.
    pub fn text(&mut self, name: &'static str) -> String {
        match self.take(name) {
            Some(Value::String(text)) => text,
            Some(other) => self.wrong(name, "a string", &other),
            None => self.flaw(name, "missing_field", format!("`{name}` is missing")),
        }
    }

    /// A text that may be missing, as it is.
    pub fn given_text(&mut self, name: &'static str) -> Option<String> {
        self.word(name, "a string", |text| Some(text.to_owned()))
    }

    /// A text that may be missing, read by `read`; `form` says what it must look like.
    pub fn word<T>(
        &mut self,
        name: &'static str,
        form: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        match self.take(name)? {
            Value::String(text) => {
                let value = read(&text);
                if value.is_none() {
                    self.flaw::<()>(name, "invalid_value", format!("`{name}` must be {form}"));
                }
                value
            }
            other => self.wrong(name, form, &other),
        }
    }

    /// A yes or no that may be missing.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            other => self.wrong(name, "true or false", &other),
        }
    }

    /// A whole number of a range that may be missing.
    pub fn number<T>(&mut self, name: &'static str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<u64> + PartialOrd + fmt::Display,
    {
        let value = self.take(name)?;
        let number = value
            .as_u64()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number));
        let form = format!("a number from {} to {}", range.start(), range.end());
        match (&number, &value) {
            (None, Value::Number(given)) => self.flaw::<()>(
                name,
                "invalid_value",
                format!("`{name}` must be {form}, not {given}"),
            ),
            (None, _) => self.wrong::<()>(name, &form, &value),
            (Some(_), _) => {}
        }
        number
    }

    /// A moment that may be missing.
    pub fn moment(&mut self, name: &'static str) -> Option<Millis> {
        self.word(name, "a moment such as 2026-11-24T10:00:00Z", |text| {
            text.parse().ok()
        })
    }

    /// A list of texts that must be there and not be empty.
    pub fn words(&mut self, name: &'static str) -> Vec<String> {
        match self.take(name) {
            Some(Value::Array(values)) if !values.is_empty() => {
                let words: Option<Vec<String>> = values
                    .iter()
                    .map(|value| value.as_str().map(Into::into))
                    .collect();
                words.unwrap_or_else(|| {
                    self.flaw(
                        name,
                        "wrong_type",
                        format!("`{name}` must be a list of strings"),
                    )
                })
            }
            Some(Value::Array(_)) => {
                self.flaw(name, "invalid_value", format!("`{name}` must not be empty"))
            }
            Some(other) => self.wrong(name, "a list of strings", &other),
            None => self.flaw(name, "missing_field", format!("`{name}` is missing")),
        }
    }

    /// A list of 1 to `most` objects that must be there. What is no object is a problem in its place.
    pub fn objects(&mut self, name: &'static str, most: usize) -> Vec<Result<Self, Problem>> {
        let values = match self.take(name) {
            Some(Value::Array(values)) => values,
            Some(other) => return self.wrong(name, "a list of objects", &other),
            None => return self.flaw(name, "missing_field", format!("`{name}` is missing")),
        };
        if !(1..=most).contains(&values.len()) {
            let detail = format!("`{name}` must have 1 to {most} items, not {}", values.len());
            return self.flaw(name, "invalid_value", detail);
        }
        values.into_iter().map(Self::of).collect()
    }

    fn of(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Object(left) => Ok(Self {
                left,
                known: Vec::new(),
                flaws: Vec::new(),
            }),
            other => {
                let detail = format!("expected a JSON object, not {}", kind(&other));
                Err(Problem::invalid(vec![FieldFlaw {
                    pointer: String::new(),
                    code: "wrong_type",
                    detail,
                }]))
            }
        }
    }

    /// Notes what a caller found wrong with a field.
    pub fn flaw<T: Default>(&mut self, name: &str, code: &'static str, detail: String) -> T {
        self.flaws.push(FieldFlaw {
            pointer: format!("/{}", escape(name)),
            code,
            detail,
        });
        T::default()
    }

    /// Ends the reading: what nobody asked for is a flaw as well. Returns all flaws.
    pub fn end(mut self) -> Vec<FieldFlaw> {
        for name in std::mem::take(&mut self.left).keys() {
            let distance = |known: &&&str| strsim::levenshtein(name, known);
            let near = self
                .known
                .iter()
                .min_by_key(distance)
                .filter(|near| distance(near) <= 3);
            let hint = near
                .map(|near| format!("; the nearest is `{near}`"))
                .unwrap_or_default();
            let shown: String = name.chars().take(60).collect();
            self.flaw::<()>(
                name,
                "unknown_field",
                format!("`{shown}` is not known here{hint}"),
            );
        }
        self.flaws
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name)
    }

    fn wrong<T: Default>(&mut self, name: &str, wanted: &str, got: &Value) -> T {
        self.flaw(
            name,
            "wrong_type",
            format!("`{name}` must be {wanted}, not {}", kind(got)),
        )
    }
}

/// A JSON value in which no field stands twice: of two, nobody can say which is meant.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Fieldwise).map(Self)
    }
}

struct Fieldwise;

impl<'de> Visitor<'de> for Fieldwise {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Once(value))) = fields.next_entry::<String, Once>()? {
            if map.contains_key(&name) {
                let shown: String = name.chars().take(60).collect();
                return Err(A::Error::custom(format_args!(
                    "the field `{shown}` stands there twice"
                )));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A name as a token of a JSON pointer (RFC 6901, 3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(body: &str) -> Vec<(String, &'static str)> {
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        fields.text("to");
        fields.flag("report");
        fields.number("count", 1..=u8::MAX);
        fields
            .end()
            .into_iter()
            .map(|flaw| (flaw.pointer, flaw.code))
            .collect()
    }

    #[test]
    fn every_flaw_has_its_pointer() {
        let missing = vec![("/to".to_owned(), "missing_field")];
        assert_eq!(flaws("{}"), missing);
        assert_eq!(flaws(r#"{"to":"x","report":true,"count":3}"#), []);
        let wrong = flaws(r#"{"to":5,"report":"yes","count":0,"a/b~c":1}"#);
        let expected = [
            ("/to", "wrong_type"),
            ("/report", "wrong_type"),
            ("/count", "invalid_value"),
            ("/a~1b~0c", "unknown_field"),
        ];
        assert_eq!(
            wrong,
            expected.map(|(pointer, code)| (pointer.to_owned(), code))
        );
    }

    #[test]
    fn an_unknown_field_names_its_nearest() {
        let mut fields = Fields::read(br#"{"tox":"+1"}"#).unwrap();
        fields.word("to", "x", |_| Some(()));
        fields.word("text", "x", |_| Some(()));
        assert_eq!(
            fields.end()[0].detail,
            "`tox` is not known here; the nearest is `to`"
        );
    }
}
