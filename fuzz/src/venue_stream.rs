//! Messages of a venue's stream. Invariant: reading one, and putting it into a book, ends in a value or an error.

use strongroom_model::Book;
use strongroom_venues::binance::limits;
use strongroom_venues::binance::stream::{self, StreamEvent};

/// Recorded messages, a trade, and an answer to a subscription.
pub fn seeds() -> Vec<Vec<u8>> {
    let streamed = crate::recorded().into_iter().filter(|(url, _)| url.is_none()).map(|(_, message)| message.into_bytes());
    let others = [
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1,"m":true,"M":true}}"#,
        r#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[["1","2"]],"a":[["3","4"]]}"#,
        r#"{"result":null,"id":1}"#,
        "x-mbx-used-weight-1m",
        "symbols=[\"BTCUSDT\",\"ETHUSDT\"]&limit=5000",
    ];
    streamed.chain(others.map(Vec::from)).collect()
}

/// Reads a message; also headers and parameters that the rate governor looks at.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(StreamEvent::Depth { update, .. }) = stream::parse(text) {
        let mut book = Book::from_snapshot(update.first.saturating_sub(1), &update.asks, &update.bids);
        let _ = book.apply(&update);
        let _ = book.mid();
    }
    let _ = limits::usage([(text, text)]);
    let _ = limits::usage([(format!("x-mbx-used-weight-{text}").as_str(), "7")]);
    let _ = limits::retry_after_s([("retry-after", text)]);
    for path in ["/api/v3/depth", "/api/v3/ticker/24hr", "/api/v3/klines"] {
        let _ = limits::request_weight("GET", path, text);
    }
}
