//! Values with names: what an answer says, for whoever prints it.

/// One value of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A word or a text, quotes taken off.
    Text(String),
    /// A number, as it stands or in the unit that its name tells.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Several of a kind.
    List(Vec<Value>),
    /// A group with names of its own.
    Fields(Fields),
}

/// Values with their names, in the order of the answer; what is absent is left out.
pub type Fields = Vec<(&'static str, Value)>;

/// The values that are there, under their names.
pub(super) fn fields<const N: usize>(all: [(&'static str, Option<Value>); N]) -> Fields {
    all.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Several values of a kind.
pub(super) fn list(values: impl Iterator<Item = Value>) -> Value {
    Value::List(values.collect())
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}
