//! What no file of limits may say. Invariant: each refusal names the part, what it says, and what would pass.

use std::fmt::Display;
use std::ops::RangeInclusive;

use thiserror::Error;

/// Why limits are not valid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{part} is {value}; {passes} would pass")]
pub struct PolicyError {
    /// Which part of them, as in a file of limits.
    pub part: String,
    /// What it is.
    pub value: String,
    /// What it could be.
    pub passes: String,
}

/// Unless `fits`, an error.
pub(crate) fn check(fits: bool, part: &str, value: impl Display, passes: impl Display) -> Result<(), PolicyError> {
    if fits { Ok(()) } else { Err(PolicyError { part: part.to_owned(), value: value.to_string(), passes: passes.to_string() }) }
}

/// Not above `most`.
pub(crate) fn at_most<T: PartialOrd + Display>(part: &str, value: T, most: T) -> Result<(), PolicyError> {
    check(value <= most, part, value, format_args!("at most {most}"))
}

/// The same, where it is bounded.
pub(crate) fn at_most_if_any<T: PartialOrd + Display>(part: &str, value: Option<T>, most: T) -> Result<(), PolicyError> {
    value.map_or(Ok(()), |value| at_most(part, value, most))
}

/// Neither below nor above.
pub(crate) fn within<T: PartialOrd + Display>(part: &str, value: T, range: &RangeInclusive<T>) -> Result<(), PolicyError> {
    check(range.contains(&value), part, value, format_args!("{} to {}", range.start(), range.end()))
}

/// No more than `most`, and each once.
pub(crate) fn distinct<T: Ord + Display>(part: &str, items: impl Iterator<Item = T>, most: usize) -> Result<(), PolicyError> {
    let mut items: Vec<T> = items.collect();
    check(items.len() <= most, part, format_args!("a list of {}", items.len()), format_args!("at most {most}"))?;
    items.sort_unstable();
    match items.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => check(false, part, format_args!("a list with {} twice", pair[0]), "each once"),
        None => Ok(()),
    }
}
