//! What the venue says about itself. Invariant: every rule that is announced is enforced, and no other is.

use serde_json::{Value, json};
use strongroom_model::{Instrument, Timestamp};
use strongroom_venues::binance::wire;

use super::params::Params;
use super::refusal::ApiRefusal;
use super::routes::{Answer, json as answer};
use super::{Exchange, eight};
use crate::engine::OPEN_ORDERS_MAX;

impl Exchange {
    pub(super) fn ping(&self, _: Timestamp, params: &mut Params) -> Answer {
        params.finish()?;
        answer(&json!({}))
    }

    pub(super) fn time(&self, now: Timestamp, params: &mut Params) -> Answer {
        params.finish()?;
        answer(&wire::ServerTime { server_time: now.ms() })
    }

    pub(super) fn exchange_info(&self, now: Timestamp, params: &mut Params) -> Answer {
        let wanted = params.symbols()?;
        let spot = params.optional("permissions")?.is_none_or(|permissions| permissions.contains("SPOT"));
        let trading = params.optional("symbolStatus")?.is_none_or(|status| status == "TRADING");
        params.flag("showPermissionSets")?;
        params.finish()?;
        for symbol in wanted.iter().flatten() {
            self.venue(symbol)?;
        }
        if wanted.is_some() && !trading {
            return Err(ApiRefusal::new(400, -1220, "The symbol's status does not match the requested symbolStatus."));
        }
        let told = |symbol: &str| spot && trading && wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|name| name == symbol));
        let instruments = self.venues.values().map(|venue| &self.floor.market(venue.id).instrument);
        answer(&wire::ExchangeInfo {
            timezone: "UTC".to_owned(),
            server_time: now.ms(),
            rate_limits: self.limits.announced(),
            exchange_filters: Vec::new(),
            symbols: instruments.filter(|instrument| told(instrument.symbol.as_str())).map(symbol_info).collect(),
        })
    }
}

fn symbol_info(instrument: &Instrument) -> wire::SymbolInfo {
    let rest = json!({
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8, "quotePrecision": 8,
        "icebergAllowed": false, "ocoAllowed": false, "otoAllowed": false, "opoAllowed": false,
        "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": false, "cancelReplaceAllowed": false,
        "amendAllowed": false, "pegInstructionsAllowed": false,
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
        "permissions": [], "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE", "allowedSelfTradePreventionModes": ["NONE"],
    });
    wire::SymbolInfo {
        symbol: instrument.symbol.as_str().to_owned(),
        status: "TRADING".to_owned(),
        base_asset: instrument.base.clone(),
        base_asset_precision: 8,
        quote_asset: instrument.quote.clone(),
        quote_asset_precision: 8,
        order_types: ["LIMIT", "LIMIT_MAKER", "MARKET"].map(str::to_owned).to_vec(),
        filters: filters(instrument),
        rest: match rest {
            Value::Object(map) => map,
            _ => serde_json::Map::new(),
        },
    }
}

fn filters(instrument: &Instrument) -> Vec<Value> {
    let mut filters = vec![
        json!({
            "filterType": "PRICE_FILTER", "minPrice": eight(instrument.price.min.value()),
            "maxPrice": eight(instrument.price.max.value()), "tickSize": eight(instrument.price.tick.value()),
        }),
        json!({
            "filterType": "LOT_SIZE", "minQty": eight(instrument.lot.min.value()),
            "maxQty": eight(instrument.lot.max.value()), "stepSize": eight(instrument.lot.step.value()),
        }),
    ];
    if !(instrument.notional.min.is_zero() && instrument.notional.max.is_zero()) {
        filters.push(json!({
            "filterType": "NOTIONAL", "minNotional": eight(instrument.notional.min.value()), "applyMinToMarket": true,
            "maxNotional": eight(instrument.notional.max.value()), "applyMaxToMarket": true, "avgPriceMins": 0,
        }));
    }
    filters.push(json!({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": OPEN_ORDERS_MAX}));
    filters
}
