//! Parts of what a refusal says, in words and in its parts. Invariant: each is true of the case that it is given.

use strongroom_model::{Notional, Price, Side};

/// What else it takes where everything was stopped.
pub(crate) const fn rearmed(stops: bool) -> &'static str {
    if stops { ", once re-armed" } else { "" }
}

/// At which price an order is or would fill.
pub(crate) fn priced(price: &Option<Price>) -> String {
    price.map_or_else(|| "beyond the book that is known".to_owned(), |price| format!("price {price}"))
}

/// When orders of a side pass again.
pub(crate) fn again(eases_in_ms: Option<u64>) -> String {
    match eases_in_ms {
        Some(ms) => format!("the same passes in {ms} ms"),
        None => "orders pass once a person with the risk role re-arms".to_owned(),
    }
}

/// On which side of a price an order does not meet it.
pub(crate) const fn short_of(side: Side) -> &'static str {
    match side {
        Side::Buy => "below",
        Side::Sell => "above",
    }
}

/// When one more order passes where so many a minute do.
pub(crate) fn next(limit: u32, retry_after_ms: u64) -> String {
    if limit == 0 { "none passes until that is raised".to_owned() } else { format!("the next passes in {retry_after_ms} ms") }
}

/// What of a sum of a day still passes.
pub(crate) fn rest(max: Notional, retry_after_ms: u64) -> String {
    if max.is_zero() {
        return "none passes until that is raised".to_owned();
    }
    format!("up to the difference passes, more from {} on", in_words(retry_after_ms))
}

/// What to do where too many orders are open.
pub(crate) const fn fewer(max: u32) -> &'static str {
    if max == 0 { "none passes until that is raised" } else { "cancel one first" }
}

/// A time to wait, for people.
pub(crate) fn in_words(ms: u64) -> String {
    let minutes = ms.div_ceil(60_000);
    if minutes < 90 { format!("{minutes} min") } else { format!("{} h", minutes.div_ceil(60)) }
}
