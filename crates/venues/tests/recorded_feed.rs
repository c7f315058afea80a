//! Binance as it was recorded: books built from snapshots and updates are the expected ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::collections::BTreeMap;

use serde_json::Value;
use strongroom_model::{Book, Level};
use strongroom_venues::binance::decode;
use strongroom_venues::binance::stream::{self, StreamEvent};

const FEED: &str = include_str!("../../../tests/fixtures/binance_feed.jsonl");
const EXPECTED: &str = include_str!("../../../tests/fixtures/binance_book_expected.json");

#[derive(Default)]
struct Kept {
    book: Option<Book>,
    waiting: Vec<strongroom_model::DepthUpdate>,
    applied: u64,
    dropped: u64,
}

impl Kept {
    fn apply(&mut self, update: strongroom_model::DepthUpdate) {
        let Some(book) = &mut self.book else { return self.waiting.push(update) };
        if book.apply(&update).expect("no gap") {
            self.applied += 1;
        } else {
            self.dropped += 1;
        }
    }
}

#[test]
fn books_from_snapshot_and_updates_are_the_expected_ones() {
    let mut kept: BTreeMap<String, Kept> = BTreeMap::new();
    for line in FEED.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = line["msg"].to_string();
        match line["url"].as_str() {
            Some(url) if url.contains("/api/v3/depth?") => {
                let symbol = url.split(['?', '&']).find_map(|pair| pair.strip_prefix("symbol=")).unwrap();
                let kept = kept.entry(symbol.to_owned()).or_default();
                kept.book = Some(decode::depth(message.as_bytes()).unwrap());
                for update in std::mem::take(&mut kept.waiting) {
                    kept.apply(update);
                }
            }
            Some(_) => {}
            None => {
                if let StreamEvent::Depth { symbol, update, .. } = stream::parse(&message).unwrap() {
                    kept.entry(symbol.as_str().to_owned()).or_default().apply(update);
                }
            }
        }
    }
    let expected: BTreeMap<String, Value> = serde_json::from_str(EXPECTED).unwrap();
    for (symbol, expected) in expected {
        let kept = &kept[&symbol];
        let book = kept.book.as_ref().expect("a snapshot");
        assert_eq!(book.last_update_id(), expected["final_u"].as_u64().unwrap(), "{symbol}");
        assert_eq!(
            (kept.applied, kept.dropped),
            (expected["applied"].as_u64().unwrap(), expected["dropped"].as_u64().unwrap()),
            "{symbol}"
        );
        assert_eq!(best(book.bids().next()), expected["best_bid"], "{symbol}");
        assert_eq!(best(book.asks().next()), expected["best_ask"], "{symbol}");
        assert_eq!(book.bids().count() as u64, expected["n_bids"].as_u64().unwrap(), "{symbol}");
        assert_eq!(book.asks().count() as u64, expected["n_asks"].as_u64().unwrap(), "{symbol}");
    }
}

fn best(level: Option<Level>) -> Value {
    let level = level.unwrap();
    let eight = |value: rust_decimal::Decimal| format!("{value:.8}");
    serde_json::json!([eight(level.price.value()), eight(level.quantity.value())])
}
