//! The rules of a market as the venue announces them (`filters.md`). Invariant: every rule that is announced is enforced
//! by the engine, and no other is; what is off is left out.

use serde_json::{Value, json};

use super::AVERAGE_MINS;
use crate::engine::{Money, Px, Qty, Rules, Share, VenueRules};

/// Filters of one market, in the order in which Binance lists them.
pub(super) fn of_market(rules: &Rules) -> Vec<Value> {
    let rows = [
        (true, price(rules)),
        (true, lot("LOT_SIZE", rules.lot.min, rules.lot.max, rules.lot.step)),
        (rules.iceberg_parts > 0, json!({"filterType": "ICEBERG_PARTS", "limit": rules.iceberg_parts})),
        (rules.market_lot.max > 0, lot("MARKET_LOT_SIZE", rules.market_lot.min, rules.market_lot.max, rules.market_lot.step)),
        (rules.trailing_above.1 > 0 || rules.trailing_below.1 > 0, trailing(rules)),
        (rules.percent.up.0 > 0, percent(rules)),
        (rules.percent_bid.up.0 > 0 || rules.percent_ask.up.0 > 0, percent_by_side(rules)),
        (!rules.min_notional.0.is_zero(), min_notional(rules)),
        (!rules.notional.min.is_zero() || !rules.notional.max.is_zero(), notional(rules)),
        (rules.orders > 0, json!({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.orders})),
        (rules.lists > 0, json!({"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": rules.lists})),
        (rules.algo_orders > 0, json!({"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": rules.algo_orders})),
        (rules.iceberg_orders > 0, json!({"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": rules.iceberg_orders})),
        (rules.amends > 0, json!({"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": rules.amends})),
        (!rules.position.is_zero(), json!({"filterType": "MAX_POSITION", "maxPosition": rules.position.to_string()})),
    ];
    rows.into_iter().filter_map(|(is_on, filter)| is_on.then_some(filter)).collect()
}

/// Filters over all markets.
pub(super) fn of_venue(rules: &VenueRules) -> Vec<Value> {
    let rows = [
        (rules.orders > 0, json!({"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": rules.orders})),
        (rules.algo_orders > 0, json!({"filterType": "EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": rules.algo_orders})),
    ];
    rows.into_iter().filter_map(|(is_on, filter)| is_on.then_some(filter)).collect()
}

fn price(rules: &Rules) -> Value {
    let text = |units| Px(units).to_string();
    json!({
        "filterType": "PRICE_FILTER", "minPrice": text(rules.price.min), "maxPrice": text(rules.price.max), "tickSize": text(rules.price.step),
    })
}

fn lot(kind: &str, min: u64, max: u64, step: u64) -> Value {
    let text = |units| Qty(units).to_string();
    json!({"filterType": kind, "minQty": text(min), "maxQty": text(max), "stepSize": text(step)})
}

fn trailing(rules: &Rules) -> Value {
    json!({
        "filterType": "TRAILING_DELTA", "minTrailingAboveDelta": rules.trailing_above.0, "maxTrailingAboveDelta": rules.trailing_above.1,
        "minTrailingBelowDelta": rules.trailing_below.0, "maxTrailingBelowDelta": rules.trailing_below.1,
    })
}

/// A factor without the zeros behind it.
fn factor(share: Share) -> String {
    Money(share.0).value().normalize().to_string()
}

fn percent(rules: &Rules) -> Value {
    json!({
        "filterType": "PERCENT_PRICE", "multiplierUp": factor(rules.percent.up), "multiplierDown": factor(rules.percent.down),
        "avgPriceMins": AVERAGE_MINS,
    })
}

fn percent_by_side(rules: &Rules) -> Value {
    json!({
        "filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": factor(rules.percent_bid.up), "bidMultiplierDown": factor(rules.percent_bid.down),
        "askMultiplierUp": factor(rules.percent_ask.up), "askMultiplierDown": factor(rules.percent_ask.down), "avgPriceMins": AVERAGE_MINS,
    })
}

fn min_notional(rules: &Rules) -> Value {
    json!({
        "filterType": "MIN_NOTIONAL", "minNotional": rules.min_notional.0.to_string(), "applyToMarket": rules.min_notional.1,
        "avgPriceMins": AVERAGE_MINS,
    })
}

fn notional(rules: &Rules) -> Value {
    json!({
        "filterType": "NOTIONAL", "minNotional": rules.notional.min.to_string(), "applyMinToMarket": rules.notional.min_binds_market,
        "maxNotional": rules.notional.max.to_string(), "applyMaxToMarket": rules.notional.max_binds_market, "avgPriceMins": AVERAGE_MINS,
    })
}
