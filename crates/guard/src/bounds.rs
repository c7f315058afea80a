//! What no file of limits may say. Invariant: each refusal names the part, what it says, and what would pass.

use std::fmt::Display;
use std::ops::RangeInclusive;

use thiserror::Error;

use crate::reason::Reason;

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

impl From<PolicyError> for Reason {
    fn from(PolicyError { part, value, passes }: PolicyError) -> Self {
        Self::PolicyRange { part, value, passes }
    }
}

/// Of a value in a refusal, as much as anybody reads.
const SHOWN_MAX: usize = 64;

/// Unless `fits`, an error.
pub(crate) fn check(fits: bool, part: &str, value: impl Display, passes: impl Display) -> Result<(), PolicyError> {
    if fits {
        return Ok(());
    }
    let (part, mut value, passes) = (part.to_owned(), value.to_string(), passes.to_string());
    if value.chars().count() > SHOWN_MAX {
        value = value.chars().take(SHOWN_MAX).chain(['…']).collect();
    }
    Err(PolicyError { part, value, passes })
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
