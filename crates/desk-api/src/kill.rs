//! How far a use of the kill switch is. Invariant: an order counts as gone when the venue said so, not when a cancel was sent.

use serde::{Deserialize, Serialize};
use strongroom_model::{Symbol, Timestamp};

/// What one use of the kill switch did to what was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KillReport {
    /// Why it was engaged, and how far it reaches.
    pub why: String,
    /// When the desk heard of it.
    pub began: Timestamp,
    /// When the first cancel left.
    pub first_cancel: Option<Timestamp>,
    /// When the last order was confirmed as gone.
    pub last_gone: Option<Timestamp>,
    /// How many orders were taken back or are being taken back.
    pub orders: u64,
    /// Those that are not confirmed as gone; each is asked for again until it is.
    pub left: Vec<LeftOrder>,
    /// Orders that are protected: they stand as they did.
    pub protected: Vec<String>,
}

/// An order that may still stand in the venue's book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LeftOrder {
    /// Our name of it.
    pub client_order_id: String,
    /// Where it stands.
    pub symbol: Symbol,
    /// What is known of it, in words.
    pub state: String,
}

impl KillReport {
    /// Milliseconds from the desk's hearing of it to the last order confirmed as gone.
    pub fn took_ms(&self) -> Option<i64> {
        self.last_gone.map(|gone| (gone.us() - self.began.us()) / 1_000)
    }

    /// In one sentence or two.
    pub fn words(&self) -> String {
        let gone = self.orders.saturating_sub(self.left.len() as u64);
        let took = self.took_ms().map_or_else(String::new, |ms| format!(" ({}.{:03} s)", ms / 1_000, ms % 1_000));
        let mut words = match (self.orders, self.left.len()) {
            (0, _) => "No order of this desk was open.".to_owned(),
            (1, 0) => format!("The one open order is confirmed as gone{took}."),
            (orders, 0) => format!("All {orders} open orders are confirmed as gone{took}."),
            (orders, _) => {
                let names: Vec<String> =
                    self.left.iter().take(5).map(|left| format!("{} {}: {}", left.symbol, left.client_order_id, left.state)).collect();
                let more = if self.left.len() > 5 { format!("; and {} more", self.left.len() - 5) } else { String::new() };
                format!("{gone} of {orders} open orders are confirmed as gone. Not yet: {}{more}. It goes on.", names.join("; "))
            }
        };
        if !self.protected.is_empty() {
            words.push_str(&format!(" Protected, and left as they are: {}.", self.protected.join(", ")));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_gone_and_what_is_not() {
        let at = |ms: i64| Timestamp::from_us(ms * 1_000);
        let left = |name: &str| LeftOrder {
            client_order_id: name.to_owned(),
            symbol: Symbol::parse("BTCUSDT").unwrap(),
            state: "open; its cancel is not confirmed".to_owned(),
        };
        let report = |orders, left, protected| KillReport {
            why: "test".to_owned(),
            began: at(1_000),
            first_cancel: Some(at(1_002)),
            last_gone: Some(at(2_050)),
            orders,
            left,
            protected,
        };
        for (report, words) in [
            (report(0, vec![], vec![]), "No order of this desk was open."),
            (report(1, vec![], vec![]), "The one open order is confirmed as gone (1.050 s)."),
            (
                report(7, vec![], vec!["long".to_owned()]),
                "All 7 open orders are confirmed as gone (1.050 s). Protected, and left as they are: long.",
            ),
            (
                report(7, vec![left("a")], vec![]),
                "6 of 7 open orders are confirmed as gone. Not yet: BTCUSDT a: open; its cancel is not confirmed. It goes on.",
            ),
        ] {
            assert_eq!(report.words(), words);
        }
        assert!(report(9, (0..9).map(|_| left("x")).collect(), vec![]).words().ends_with("; and 4 more. It goes on."));
    }
}
