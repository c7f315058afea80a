//! Whose key it is, as other programs spell venues. Invariant: a name that is not in the lists is never taken for a venue's,
//! and a venue that cannot be signed for is never taken for one that can.

/// Venues whose keys can be used here.
const SUPPORTED: &[&str] = &["binance"];

/// Other spellings: the name in a file, the venue, and what it says of the account.
const ALIASES: &[(&str, &str, &str)] = &[
    ("apca", "alpaca", ""),
    ("binancecoinm", "binance", "coin-m futures"),
    ("binanceperpetual", "binance", "perpetual"),
    ("binanceusdm", "binance", "usd-m futures"),
    ("cdp", "coinbase", ""),
    ("coinbaseadvancedtrade", "coinbase", "advanced trade"),
    ("gateio", "gate", ""),
    ("huobi", "htx", ""),
    ("krakenfutures", "kraken", "futures"),
    ("kucoinfutures", "kucoin", "futures"),
    ("okex", "okx", ""),
];

/// Names of venues: the exchange ids of ccxt 4.5.90, those of earlier versions, Hummingbot's connectors, and GoCryptoTrader's exchanges.
const NAMES: &[&str] = &[
    "alpaca",
    "apex",
    "ascendex",
    "aster",
    "backpack",
    "bequant",
    "bigone",
    "binance",
    "binanceus",
    "bingx",
    "bit2c",
    "bitbank",
    "bitbns",
    "bitfinex",
    "bitflyer",
    "bitget",
    "bithumb",
    "bitmart",
    "bitmex",
    "bitopro",
    "bitrue",
    "bitso",
    "bitstamp",
    "bitteam",
    "bittrade",
    "bitvavo",
    "blockchaincom",
    "blofin",
    "btcbox",
    "btcmarkets",
    "btcturk",
    "btse",
    "bullish",
    "bybit",
    "bybiteu",
    "bybitid",
    "bydfi",
    "cex",
    "coinbase",
    "coinbaseexchange",
    "coinbaseinternational",
    "coinbasepro",
    "coincheck",
    "coinex",
    "coinmate",
    "coinone",
    "coinsph",
    "coinspot",
    "coinut",
    "cryptocom",
    "cryptomus",
    "cube",
    "deepcoin",
    "delta",
    "deribit",
    "derive",
    "dexalot",
    "digifinex",
    "dydx",
    "extended",
    "fmfwio",
    "foxbit",
    "gate",
    "gateeu",
    "gemini",
    "grvt",
    "hashkey",
    "hibachi",
    "hitbtc",
    "hollaex",
    "htx",
    "hyperliquid",
    "independentreserve",
    "indodax",
    "injective",
    "kraken",
    "kucoin",
    "latoken",
    "lbank",
    "lighter",
    "luno",
    "mercado",
    "mexc",
    "modetrade",
    "mudrex",
    "myokx",
    "nado",
    "ndax",
    "okcoin",
    "okx",
    "okxus",
    "onetrading",
    "p2b",
    "pacifica",
    "paradex",
    "paymium",
    "phemex",
    "poloniex",
    "polymarket",
    "probit",
    "revolutx",
    "tokocrypto",
    "toobit",
    "upbit",
    "vertex",
    "weex",
    "whitebit",
    "woo",
    "woofipro",
    "xt",
    "yobit",
    "zaif",
    "zebpay",
];

/// What a name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The venue; empty when none is named.
    pub(super) venue: &'static str,
    /// A label for the key: the venue and what follows it, in words.
    pub(super) label: String,
}

/// Finds the venue in a name such as `BINANCE_TESTNET` or `BTC Markets`. The longest name of a venue counts.
pub(super) fn recognise(name: &str) -> Named {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    for len in (1..=words.len().min(WORDS_MAX)).rev() {
        let joined = words[..len].concat();
        let alias = ALIASES.iter().find(|(alias, ..)| *alias == joined).map(|(_, venue, account)| (*venue, *account));
        let Some((venue, account)) = alias.or_else(|| canonical(&joined).map(|venue| (venue, ""))) else { continue };
        let label: Vec<&str> = [venue, account].iter().chain(&words[len..]).copied().filter(|word| !word.is_empty()).collect();
        return Named { venue, label: label.join(" ") };
    }
    Named { venue: "", label: words.join(" ") }
}

/// Longest name of a venue, words: `coinbase advanced trade`.
const WORDS_MAX: usize = 3;

/// The list's own spelling of a venue that is in it.
pub(super) fn canonical(name: &str) -> Option<&'static str> {
    NAMES.binary_search(&name).ok().and_then(|at| NAMES.get(at)).copied()
}

/// Whether keys of this venue can be used here; of an unnamed one the person says where it belongs.
pub(super) fn is_supported(venue: &str) -> bool {
    venue.is_empty() || SUPPORTED.contains(&venue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(NAMES.is_sorted());
        assert!(SUPPORTED.iter().all(|name| canonical(name).is_some()));
        assert!(ALIASES.iter().all(|(_, venue, _)| canonical(venue).is_some()));
    }

    /// Rows: a name, the venue, the label.
    #[test]
    fn names() {
        for (name, venue, label) in [
            ("BINANCE", "binance", "binance"),
            ("BINANCE_TESTNET", "binance", "binance testnet"),
            ("binanceusdm", "binance", "binance usd-m futures"),
            ("binance_perpetual", "binance", "binance perpetual"),
            ("binance_us", "binanceus", "binanceus"),
            ("BTC Markets", "btcmarkets", "btcmarkets"),
            ("KRAKEN_FUTURES_DEMO", "kraken", "kraken futures demo"),
            ("coinbase_advanced_trade", "coinbase", "coinbase advanced trade"),
            ("APCA", "alpaca", "alpaca"),
            ("mine", "", "mine"),
            ("my binance", "", "my binance"),
            ("", "", ""),
        ] {
            assert_eq!(recognise(name), Named { venue, label: label.to_owned() }, "{name}");
        }
    }
}
