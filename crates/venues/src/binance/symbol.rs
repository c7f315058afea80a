//! Instruments from `exchangeInfo`. Invariant: a rule that the venue announces and we cannot read is an error,
//! not a missing rule.

use serde::Deserialize;
use serde_json::Value;
use strongroom_model::{
    Advice, Instrument, LotRule, MoneyError, Notional, NotionalRule, OrderRule, PercentRule, Price, Quantity, Symbol, SymbolError, TickRule,
};
use thiserror::Error;

/// Why the list of instruments cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InstrumentsError {
    /// Not the JSON that was expected.
    #[error("the list of instruments cannot be read: {0}")]
    Unreadable(String),
    /// A symbol that cannot be one.
    #[error("the list of instruments has a wrong symbol: {0}")]
    Symbol(#[from] SymbolError),
    /// A filter without one of its numbers, or with a wrong one.
    #[error("{symbol}: the filter {filter} has no usable {field}")]
    Filter {
        /// Instrument.
        symbol: Symbol,
        /// Type of the filter.
        filter: &'static str,
        /// Which number.
        field: &'static str,
    },
}

impl InstrumentsError {
    /// Without rules no order can be checked: ask for the document again.
    pub const fn advice(&self) -> Advice {
        Advice::RetryAfter(5_000)
    }
}

#[derive(Deserialize)]
struct Document {
    symbols: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    symbol: String,
    status: String,
    base_asset: String,
    quote_asset: String,
    filters: Vec<Value>,
}

/// Instruments that are traded now (`status` is `TRADING`), from the body of `GET /api/v3/exchangeInfo`.
pub fn instruments(exchange_info: &[u8]) -> Result<Vec<Instrument>, InstrumentsError> {
    let document: Document = serde_json::from_slice(exchange_info).map_err(|error| InstrumentsError::Unreadable(error.to_string()))?;
    document.symbols.into_iter().filter(|listed| listed.status == "TRADING").map(instrument).collect()
}

fn instrument(listed: Listed) -> Result<Instrument, InstrumentsError> {
    let symbol = Symbol::parse(&listed.symbol)?;
    let filters = Filters { symbol: &symbol, filters: &listed.filters };
    let price = match filters.find("PRICE_FILTER") {
        Some(rule) => TickRule {
            min: rule.number("minPrice", Price::parse)?,
            max: rule.number("maxPrice", Price::parse)?,
            tick: rule.number("tickSize", Price::parse)?,
        },
        None => TickRule::default(),
    };
    let lot = lot(filters.find("LOT_SIZE"))?;
    let percent = match (filters.find("PERCENT_PRICE_BY_SIDE"), filters.find("PERCENT_PRICE")) {
        (Some(rule), _) => PercentRule {
            bid_low: rule.number("bidMultiplierDown", Price::parse)?,
            bid_high: rule.number("bidMultiplierUp", Price::parse)?,
            ask_low: rule.number("askMultiplierDown", Price::parse)?,
            ask_high: rule.number("askMultiplierUp", Price::parse)?,
        },
        (None, Some(rule)) => {
            let (low, high) = (rule.number("multiplierDown", Price::parse)?, rule.number("multiplierUp", Price::parse)?);
            PercentRule { bid_low: low, bid_high: high, ask_low: low, ask_high: high }
        }
        (None, None) => PercentRule::default(),
    };
    let open_max = filters.find("MAX_NUM_ORDERS").map(|rule| rule.count("maxNumOrders")).transpose()?.unwrap_or(0);
    let orders = OrderRule { market_lot: self::lot(filters.find("MARKET_LOT_SIZE"))?, percent, open_max };
    let notional = match (filters.find("NOTIONAL"), filters.find("MIN_NOTIONAL")) {
        (Some(rule), _) => {
            NotionalRule { min: rule.number("minNotional", Notional::parse)?, max: rule.number("maxNotional", Notional::parse)? }
        }
        (None, Some(rule)) => NotionalRule { min: rule.number("minNotional", Notional::parse)?, max: Notional::ZERO },
        (None, None) => NotionalRule::default(),
    };
    Ok(Instrument { base: listed.base_asset, quote: listed.quote_asset, price, lot, notional, orders, symbol })
}

fn lot(rule: Option<Filter<'_>>) -> Result<LotRule, InstrumentsError> {
    let Some(rule) = rule else { return Ok(LotRule::default()) };
    Ok(LotRule {
        min: rule.number("minQty", Quantity::parse)?,
        max: rule.number("maxQty", Quantity::parse)?,
        step: rule.number("stepSize", Quantity::parse)?,
    })
}

struct Filters<'a> {
    symbol: &'a Symbol,
    filters: &'a [Value],
}

impl<'a> Filters<'a> {
    fn find(&self, name: &'static str) -> Option<Filter<'a>> {
        let filter = self.filters.iter().find(|filter| filter.get("filterType").and_then(Value::as_str) == Some(name))?;
        Some(Filter { symbol: self.symbol, name, filter })
    }
}

struct Filter<'a> {
    symbol: &'a Symbol,
    name: &'static str,
    filter: &'a Value,
}

impl Filter<'_> {
    fn number<T>(&self, field: &'static str, parse: fn(&str) -> Result<T, MoneyError>) -> Result<T, InstrumentsError> {
        let text = self.filter.get(field).and_then(Value::as_str);
        text.and_then(|text| parse(text).ok()).ok_or_else(|| InstrumentsError::Filter {
            symbol: self.symbol.clone(),
            filter: self.name,
            field,
        })
    }

    fn count(&self, field: &'static str) -> Result<u32, InstrumentsError> {
        let number = self.filter.get(field).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| InstrumentsError::Filter { symbol: self.symbol.clone(), filter: self.name, field })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(filters: &str) -> Vec<u8> {
        format!(
            r#"{{"symbols":[{{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[{filters}]}},
                {{"symbol":"OLDUSDT","status":"BREAK","baseAsset":"OLD","quoteAsset":"USDT","filters":[]}}]}}"#
        )
        .into_bytes()
    }

    #[test]
    fn rules_of_a_traded_symbol() {
        let body = listing(
            r#"{"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},
               {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},
               {"filterType":"NOTIONAL","minNotional":"5.00000000","maxNotional":"9000000.00000000"},
               {"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"120.50000000","stepSize":"0.00000000"},
               {"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2","askMultiplierUp":"4",
                "askMultiplierDown":"0.3","avgPriceMins":5},
               {"filterType":"MAX_NUM_ORDERS","maxNumOrders":200}"#,
        );
        let found = instruments(&body).unwrap();
        assert_eq!(found.len(), 1, "only what is traded");
        assert_eq!(found[0].price.tick.to_string(), "0.01");
        assert_eq!(found[0].lot.step.to_string(), "0.00001");
        assert_eq!(found[0].notional.min.to_string(), "5");
        let OrderRule { market_lot, percent: PercentRule { bid_low, bid_high, ask_low, ask_high }, open_max } = found[0].orders;
        assert_eq!((market_lot.max.to_string().as_str(), open_max), ("120.5", 200));
        assert_eq!([bid_low, bid_high, ask_low, ask_high].map(|price| price.to_string()), ["0.2", "5", "0.3", "4"]);
        let plain = listing(r#"{"filterType":"PERCENT_PRICE","multiplierUp":"1.2","multiplierDown":"0.8","avgPriceMins":5}"#);
        let percent = instruments(&plain).unwrap()[0].orders.percent;
        assert_eq!(
            [percent.bid_low, percent.bid_high, percent.ask_low, percent.ask_high].map(|price| price.to_string()),
            ["0.8", "1.2", "0.8", "1.2"]
        );
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error() {
        for filter in [
            r#"{"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"1"}"#,
            r#"{"filterType":"LOT_SIZE","minQty":"0.1","maxQty":"x","stepSize":"1"}"#,
            r#"{"filterType":"NOTIONAL","minNotional":5,"maxNotional":"1"}"#,
            r#"{"filterType":"MAX_NUM_ORDERS","maxNumOrders":"200"}"#,
            r#"{"filterType":"PERCENT_PRICE","multiplierUp":"1.2"}"#,
            r#"{"filterType":"MARKET_LOT_SIZE","minQty":"0","maxQty":"1"}"#,
        ] {
            assert!(matches!(instruments(&listing(filter)), Err(InstrumentsError::Filter { .. })), "{filter}");
        }
        assert_eq!(instruments(&listing("")).unwrap()[0].price, TickRule::default(), "an absent filter is no rule");
        for body in [&b""[..], b"{}", b"{\"symbols\":[{}]}"] {
            assert!(instruments(body).is_err());
        }
    }
}
