//! What a key's owner may know about the account. Invariant: nothing of another account is told.

use serde_json::{Value, json};
use strongroom_venues::binance::wire;

use super::params::Params;
use super::routes::{Answer, Caller, json as answer};
use super::{Exchange, eight, filters};

impl Exchange {
    pub(super) fn account(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let only_held = params.flag("omitZeroBalances")?;
        params.finish()?;
        let fees = self.floor.fees(caller.account);
        let balances: Vec<wire::AccountBalance> = self
            .floor
            .assets()
            .iter()
            .map(|asset| (asset, self.floor.holding(caller.account, asset)))
            .filter(|(_, held)| !only_held || !held.free.is_zero() || !held.locked.is_zero())
            .map(|(asset, held)| wire::AccountBalance {
                asset: asset.clone(),
                free: held.free.to_string(),
                locked: held.locked.to_string(),
            })
            .collect();
        let basis_points =
            |rate: rust_decimal::Decimal| rate.checked_mul(10_000.into()).map(|points| points.trunc().normalize().to_string());
        let points = |rate| basis_points(rate).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        answer(&json!({
            "makerCommission": points(fees.maker), "takerCommission": points(fees.taker), "buyerCommission": 0, "sellerCommission": 0,
            "commissionRates": {"maker": eight(fees.maker), "taker": eight(fees.taker), "buyer": eight(0.into()), "seller": eight(0.into())},
            "canTrade": true, "canWithdraw": false, "canDeposit": false, "brokered": false,
            "requireSelfTradePrevention": false, "preventSor": true,
            "updateTime": caller.now.ms(), "accountType": "SPOT", "balances": balances, "permissions": ["SPOT"],
            "uid": caller.account.index(),
        }))
    }

    pub(super) fn commission(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        self.venue(&symbol)?;
        params.finish()?;
        let fees = self.floor.fees(caller.account);
        let none = eight(0.into());
        let rates = |maker: &str, taker: &str| json!({"maker": maker, "taker": taker, "buyer": none, "seller": none});
        answer(&json!({
            "symbol": symbol,
            "standardCommission": rates(&eight(fees.maker), &eight(fees.taker)),
            "specialCommission": rates(&none, &none), "taxCommission": rates(&none, &none),
            "discount": no_discount(),
        }))
    }

    pub(super) fn order_counts(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        params.finish()?;
        let used = self.order_quotas.get_mut(&caller.account).map(|quota| quota.used(caller.now)).unwrap_or_default();
        let orders = self.limits.announced().into_iter().filter(|rule| rule.rate_limit_type == "ORDERS");
        let counts: Vec<Value> = orders
            .zip(used)
            .map(|(rule, count)| {
                json!({
                    "rateLimitType": rule.rate_limit_type, "interval": rule.interval,
                    "intervalNum": rule.interval_num, "limit": rule.limit, "count": count,
                })
            })
            .collect();
        answer(&counts)
    }

    /// All filters that bind an order of this account, the account's own included: there are none of those here.
    pub(super) fn my_filters(&mut self, _: &mut Caller, params: &mut Params) -> Answer {
        let market = self.floor.market(self.venue(params.needed("symbol")?)?.1.id);
        params.finish()?;
        answer(&json!({
            "exchangeFilters": filters::of_venue(&self.venue_rules), "symbolFilters": filters::of_market(market.rules()), "assetFilters": [],
        }))
    }
}

/// Fees are paid in what was received, never in another asset at a discount.
pub(super) fn no_discount() -> Value {
    json!({"enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": eight(0.into())})
}
