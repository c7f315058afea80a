//! What the venue says about itself. Invariant: every rule that is announced is enforced, and no other is.

use serde_json::{Value, json};
use strongroom_model::Timestamp;
use strongroom_venues::binance::wire;

use super::params::Params;
use super::refusal::ApiRefusal;
use super::routes::{Answer, json as answer};
use super::{Exchange, filters, words};
use crate::engine::{Market, MarketStatus};

/// What accounts and symbols of this venue are allowed (`enums.md`, “Account and Symbol Permissions”).
const PERMISSION: &str = "SPOT";
/// Legal text of a permission or a list of them.
const PERMISSIONS_RANGE: &str = r#"^[A-Z0-9_]+$|^\["[A-Z0-9_]+"(,"[A-Z0-9_]+"){0,}\]$"#;

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
        let wanted = params.symbols()?.map(|wanted| wanted.names);
        let permissions = params.optional("permissions")?.map(permissions).transpose()?;
        let status = params.symbol_status()?;
        let shows_sets = !params.has("showPermissionSets") || params.flag("showPermissionSets")?;
        params.finish()?;
        if wanted.is_some() && (permissions.is_some() || status.is_some()) {
            return Err(ApiRefusal::combination());
        }
        for symbol in wanted.iter().flatten() {
            self.venue(symbol)?;
        }
        let is_permitted = permissions.is_none_or(|wanted| wanted.iter().any(|name| name == PERMISSION));
        let told = |market: &&Market| {
            let symbol = market.instrument.symbol.as_str();
            is_permitted
                && status.is_none_or(|status| status == market.status())
                && wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|name| name == symbol))
        };
        let markets = self.venues.values().map(|venue| self.floor.market(venue.id));
        answer(&wire::ExchangeInfo {
            timezone: "UTC".to_owned(),
            server_time: now.ms(),
            rate_limits: self.limits.announced(),
            exchange_filters: filters::of_venue(&self.venue_rules),
            symbols: markets.filter(told).map(|market| symbol_info(market, shows_sets)).collect(),
        })
    }

    /// No market bounds the prices of its executions (`faqs/price_range_execution_rules.md`).
    pub(super) fn execution_rules(&self, _: Timestamp, params: &mut Params) -> Answer {
        let wanted = params.symbols()?;
        let status = params.symbol_status()?;
        params.finish()?;
        if wanted.is_some() && status.is_some() {
            return Err(ApiRefusal::combination());
        }
        for symbol in wanted.iter().flat_map(|wanted| &wanted.names) {
            self.venue(symbol)?;
        }
        answer(&json!({"symbolRules": []}))
    }
}

/// One permission, or a list of them in JSON.
fn permissions(text: &str) -> Result<Vec<String>, ApiRefusal> {
    let illegal = || ApiRefusal::illegal("permissions", PERMISSIONS_RANGE);
    let names = if text.starts_with('[') { serde_json::from_str(text).map_err(|_| illegal())? } else { vec![text.to_owned()] };
    let is_legal = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if names.iter().all(is_legal) { Ok(names) } else { Err(illegal()) }
}

pub(super) const fn status(status: MarketStatus) -> &'static str {
    match status {
        MarketStatus::Trading => "TRADING",
        MarketStatus::Halt => "HALT",
        MarketStatus::Break => "BREAK",
    }
}

fn symbol_info(market: &Market, shows_sets: bool) -> wire::SymbolInfo {
    let sets = if shows_sets { json!([[PERMISSION]]) } else { json!([]) };
    let rest = json!({
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8, "quotePrecision": 8,
        "icebergAllowed": true, "ocoAllowed": true, "otoAllowed": true, "opoAllowed": false,
        "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": true, "cancelReplaceAllowed": true,
        "amendAllowed": true, "pegInstructionsAllowed": false,
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
        "permissions": [], "permissionSets": sets,
        "defaultSelfTradePreventionMode": "NONE", "allowedSelfTradePreventionModes": words::SELF_TRADE_MODES.map(words::self_trade),
    });
    let instrument = &market.instrument;
    wire::SymbolInfo {
        symbol: instrument.symbol.as_str().to_owned(),
        status: status(market.status()).to_owned(),
        base_asset: instrument.base.clone(),
        base_asset_precision: 8,
        quote_asset: instrument.quote.clone(),
        quote_asset_precision: 8,
        order_types: words::KINDS.map(|kind| words::kind(kind).to_owned()).to_vec(),
        filters: filters::of_market(market.rules()),
        rest: match rest {
            Value::Object(map) => map,
            _ => serde_json::Map::new(),
        },
    }
}
