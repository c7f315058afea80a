//! Whatever a venue or somebody in its place sends, reading it ends in a value or an error.

use proptest::prelude::*;
use strongroom_venues::binance::{limits, stream, symbol};

/// Bytes that look like the venue's JSON with something wrong in it.
fn almost_json() -> impl Strategy<Value = String> {
    let samples = prop::sample::select(vec![
        r#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[["1","2"]],"a":[["3","4"]]}"#,
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1,"m":true,"M":true}}"#,
        r#"{"rateLimits":[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100}],"symbols":[]}"#,
        r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[{"filterType":"LOT_SIZE","minQty":"0.1","maxQty":"9","stepSize":"1"}]}]}"#,
    ]);
    let patch = prop_oneof![
        Just("-"),
        Just("999999999999999999999999999999999999999"),
        Just("null"),
        Just("\""),
        Just("é"),
        Just("[]"),
        Just("0.00000000000000000000000000000000001")
    ];
    (samples, any::<prop::sample::Index>(), 0usize..4, patch).prop_map(|(sample, at, cut, patch)| {
        let at = at.index(sample.len());
        let end = (at + cut).min(sample.len());
        format!("{}{patch}{}", &sample[..at], &sample[end..])
    })
}

fn read(bytes: &[u8]) {
    let _ = limits::rules(bytes);
    let _ = symbol::instruments(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = stream::parse(text);
        let _ = limits::usage([(text, text)]);
        let _ = limits::usage([(format!("x-mbx-used-weight-{text}").as_str(), text)]);
        let _ = limits::retry_after_s([("retry-after", text)]);
        let _ = limits::request_weight("GET", "/api/v3/depth", text);
        let _ = limits::request_weight("GET", "/api/v3/ticker/24hr", text);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }

    #[test]
    fn arbitrary_text(text in ".{0,200}") {
        read(text.as_bytes());
    }

    #[test]
    fn broken_messages(text in almost_json()) {
        read(text.as_bytes());
    }
}
