//! Market streams: names, addresses, and events. Invariant: an event is read whole or refused; hostile text cannot panic.

use serde_json::Value;
use strongroom_model::{Advice, Candle, DepthUpdate, Level, MarketTrade, MoneyError, Price, Quantity, Symbol, SymbolError, Timestamp};
use thiserror::Error;

use super::{decode, wire};

/// Longest message that is read; a full-size `depthUpdate` is far below.
pub const MESSAGE_LEN_MAX: usize = 4 * 1024 * 1024;

/// One message of a market stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// The book changed.
    Depth {
        /// Whose book.
        symbol: Symbol,
        /// What changed.
        update: DepthUpdate,
        /// When the venue sent it.
        event_time: Timestamp,
    },
    /// A trade happened.
    Trade {
        /// Of what.
        symbol: Symbol,
        /// Which.
        trade: MarketTrade,
    },
    /// The candle that is being formed, or has just ended.
    Candle {
        /// Of what.
        symbol: Symbol,
        /// Its interval, as the venue names it (`1m`).
        interval: String,
        /// As it stands.
        candle: Candle,
    },
    /// The last 24 hours.
    Day {
        /// Of what.
        symbol: Symbol,
        /// Last price.
        last: Price,
        /// Change in percent, with its sign.
        change_percent: String,
        /// Highest price.
        high: Price,
        /// Lowest price.
        low: Price,
        /// Base quantity traded.
        volume: Quantity,
    },
    /// Anything else: answers to subscriptions.
    Other,
}

/// Why a message cannot be used. A depth stream with such a message has a gap: take a new snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StreamError {
    /// Longer than any message that the venue sends.
    #[error("a stream message of {0} bytes is refused")]
    TooLong(usize),
    /// Not the JSON that was expected.
    #[error("a stream message cannot be read: {0}")]
    Unreadable(String),
    /// A symbol that cannot be one.
    #[error("a stream message has a wrong symbol: {0}")]
    Symbol(#[from] SymbolError),
    /// A price or quantity that cannot be one.
    #[error("a stream message has a wrong number: {0}")]
    Number(#[from] MoneyError),
    /// Update ids that run backwards.
    #[error("a depth update ends before it begins ({first}..={last})")]
    Sequence {
        /// First id.
        first: u64,
        /// Last id.
        last: u64,
    },
}

impl StreamError {
    /// The stream has lost a message: reconnect and take a snapshot.
    pub const fn advice(&self) -> Advice {
        Advice::RetryAfter(1_000)
    }
}

/// Reads one text message, raw or combined.
pub fn parse(text: &str) -> Result<StreamEvent, StreamError> {
    if text.len() > MESSAGE_LEN_MAX {
        return Err(StreamError::TooLong(text.len()));
    }
    let unreadable = |error: serde_json::Error| StreamError::Unreadable(error.to_string());
    let mut message: Value = serde_json::from_str(text).map_err(unreadable)?;
    let payload = match message.get_mut("data") {
        Some(data) => data.take(),
        None => message,
    };
    match payload.get("e").and_then(Value::as_str) {
        Some("depthUpdate") => depth(&serde_json::from_value(payload).map_err(unreadable)?),
        Some("trade") => {
            let event: wire::TradeEvent = serde_json::from_value(payload).map_err(unreadable)?;
            let trade = decode::market_trade(&event).map_err(|error| StreamError::Unreadable(error.to_string()))?;
            Ok(StreamEvent::Trade { symbol: Symbol::parse(&event.s)?, trade })
        }
        Some("kline") if payload.get("k").is_some() => {
            let event: wire::KlineEvent = serde_json::from_value(payload).map_err(unreadable)?;
            candle(event)
        }
        Some("24hrTicker") => day(&serde_json::from_value(payload).map_err(unreadable)?),
        _ => Ok(StreamEvent::Other),
    }
}

fn candle(event: wire::KlineEvent) -> Result<StreamEvent, StreamError> {
    let candle = Candle {
        open_time: Timestamp::from_ms(event.k.open_time),
        open: Price::parse(&event.k.o)?,
        high: Price::parse(&event.k.h)?,
        low: Price::parse(&event.k.l)?,
        close: Price::parse(&event.k.c)?,
        volume: Quantity::parse(&event.k.v)?,
    };
    Ok(StreamEvent::Candle { symbol: Symbol::parse(&event.s)?, interval: event.k.i, candle })
}

fn day(event: &wire::TickerEvent) -> Result<StreamEvent, StreamError> {
    let percent = event.change_percent.strip_prefix('-').unwrap_or(&event.change_percent);
    Price::parse(percent)?;
    Ok(StreamEvent::Day {
        symbol: Symbol::parse(&event.s)?,
        last: Price::parse(&event.c)?,
        change_percent: event.change_percent.clone(),
        high: Price::parse(&event.h)?,
        low: Price::parse(&event.l)?,
        volume: Quantity::parse(&event.v)?,
    })
}

fn depth(event: &wire::DepthEvent) -> Result<StreamEvent, StreamError> {
    if event.u < event.first {
        return Err(StreamError::Sequence { first: event.first, last: event.u });
    }
    let update = DepthUpdate { first: event.first, last: event.u, bids: levels(&event.b)?, asks: levels(&event.a)? };
    Ok(StreamEvent::Depth { symbol: Symbol::parse(&event.s)?, update, event_time: Timestamp::from_ms(event.event_time) })
}

fn levels(pairs: &[[String; 2]]) -> Result<Vec<Level>, MoneyError> {
    pairs.iter().map(|[price, quantity]| Ok(Level { price: Price::parse(price)?, quantity: Quantity::parse(quantity)? })).collect()
}

/// What can be listened to, per symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Every trade.
    Trade,
    /// Changes of the book, every 100 ms.
    Depth,
    /// Best bid and ask.
    BookTicker,
    /// The last 24 hours, every second.
    Ticker,
    /// Candles of an interval, as the venue names it.
    Kline(&'static str),
}

/// Name of a stream, such as `btcusdt@depth@100ms`.
pub fn name(symbol: &Symbol, channel: Channel) -> String {
    let symbol = symbol.as_str().to_lowercase();
    match channel {
        Channel::Trade => format!("{symbol}@trade"),
        Channel::Depth => format!("{symbol}@depth@100ms"),
        Channel::BookTicker => format!("{symbol}@bookTicker"),
        Channel::Ticker => format!("{symbol}@ticker"),
        Channel::Kline(interval) => format!("{symbol}@kline_{interval}"),
    }
}

/// Address of the combined stream of `names` below `base` (such as `wss://stream.binance.com:9443`).
pub fn url(base: &str, names: &[String]) -> String {
    let base = base.trim_end_matches('/');
    let names: Vec<String> = names.iter().map(|name| percent_encoding::utf8_percent_encode(name, STREAM_NAME).to_string()).collect();
    format!("{base}/stream?streams={}", names.join("/"))
}

/// Stream names keep their `@` and `_`; letters of other scripts are encoded.
const STREAM_NAME: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'@').remove(b'_').remove(b'-').remove(b'.').remove(b'!');

#[cfg(test)]
mod tests {
    use super::*;

    const TRADE: &str = r#"{"e":"trade","E":2,"s":"BTCUSDT","t":12,"p":"97000.10","q":"0.5","T":1,"m":true,"M":true}"#;

    #[test]
    fn raw_and_combined_messages_say_the_same() {
        let raw = parse(TRADE).unwrap();
        assert_eq!(parse(&format!(r#"{{"stream":"btcusdt@trade","data":{TRADE}}}"#)).unwrap(), raw);
        let StreamEvent::Trade { symbol, trade } = raw else { panic!("not a trade") };
        assert_eq!((symbol.as_str(), trade.price.to_string().as_str(), trade.buyer_is_maker), ("BTCUSDT", "97000.1", true));
    }

    #[test]
    fn depth_updates() {
        let text = r#"{"e":"depthUpdate","E":5,"s":"BTCUSDT","U":3,"u":4,"b":[["1.0","2"]],"a":[["3","0.000"]]}"#;
        let StreamEvent::Depth { update, event_time, .. } = parse(text).unwrap() else { panic!("not depth") };
        assert_eq!((update.first, update.last, event_time.ms()), (3, 4, 5));
        assert!(update.asks[0].quantity.is_zero());
        assert_eq!(parse(&text.replace("\"u\":4", "\"u\":2")).unwrap_err(), StreamError::Sequence { first: 3, last: 2 });
        assert!(parse(&text.replace("2\"]", "-2\"]")).is_err());
        assert!(parse(&text.replace("BTCUSDT", "")).is_err());
    }

    #[test]
    fn candles_and_days() {
        let text = r#"{"e":"kline","E":9,"s":"BTCUSDT","k":{"t":60000,"T":119999,"s":"BTCUSDT","i":"15m","f":1,"L":2,"o":"1.5","c":"2","h":"3","l":"1","v":"7","n":2,"x":false,"q":"9","V":"1","Q":"2","B":"0"}}"#;
        let StreamEvent::Candle { interval, candle, .. } = parse(text).unwrap() else { panic!("not a candle") };
        assert_eq!((interval.as_str(), candle.open_time.ms(), candle.high.to_string().as_str()), ("15m", 60_000, "3"));
        assert!(parse(&text.replace("\"3\"", "\"x\"")).is_err());
        let text = r#"{"e":"24hrTicker","E":1,"s":"BTCUSDT","p":"-1","P":"-0.42","c":"5","o":"6","h":"7","l":"4","v":"8","q":"9","n":3}"#;
        let StreamEvent::Day { change_percent, last, .. } = parse(text).unwrap() else { panic!("not a day") };
        assert_eq!((change_percent.as_str(), last.to_string().as_str()), ("-0.42", "5"));
        assert!(parse(&text.replace("-0.42", "<b>")).is_err());
    }

    #[test]
    fn what_is_not_market_data_is_other() {
        for text in [r#"{"result":null,"id":1}"#, "1", "null", "[]", r#"{"data":null}"#, r#"{"e":"kline"}"#] {
            assert_eq!(parse(text).unwrap(), StreamEvent::Other, "{text}");
        }
        assert!(parse("{").is_err());
    }

    #[test]
    fn names_and_addresses() {
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        let names = [name(&symbol, Channel::Trade), name(&symbol, Channel::Depth)];
        assert_eq!(url("wss://127.0.0.1:1/", &names), "wss://127.0.0.1:1/stream?streams=btcusdt@trade/btcusdt@depth@100ms");
        let foreign = name(&Symbol::parse("币安人生USDT").unwrap(), Channel::Trade);
        assert!(url("wss://h", &[foreign]).is_ascii());
    }
}
