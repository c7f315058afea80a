//! What a key's owner may know about the account. Invariant: nothing of another account is told.

use serde_json::{Value, json};
use strongroom_model::{Timestamp, VenueOrderId};
use strongroom_venues::binance::wire;

use super::params::Params;
use super::records::Record;
use super::routes::{Answer, Caller, json as answer};
use super::{Exchange, eight};
use crate::engine::Execution;

/// Trades told at once, and when not said otherwise.
const TRADES_TOLD_MAX: usize = 1_000;
const TRADES_TOLD: usize = 500;

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
        }))
    }

    pub(super) fn my_trades(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let symbol = params.needed("symbol")?.to_owned();
        let market = self.floor.records(self.venue(&symbol)?.1.id);
        let order_id = params.integer("orderId")?.map(VenueOrderId);
        let from = params.integer("fromId")?;
        let (start, end) = (params.moment("startTime")?, params.moment("endTime")?);
        let limit = params.limit(TRADES_TOLD, TRADES_TOLD_MAX)?;
        params.finish()?;
        let assets = self.floor.assets();
        let trade = |(record, at, execution): (&Record, Timestamp, &Execution)| wire::MyTrade {
            symbol: symbol.clone(),
            id: execution.trade.0,
            order_id: record.order.id.0,
            order_list_id: -1,
            price: execution.price.to_string(),
            qty: execution.quantity.to_string(),
            quote_qty: execution.quote.to_string(),
            commission: execution.commission.to_string(),
            commission_asset: assets[execution.commission_asset.index()].clone(),
            time: at.ms(),
            is_buyer: record.order.side == strongroom_model::Side::Buy,
            is_maker: execution.is_maker,
            is_best_match: true,
        };
        let mut trades: Vec<wire::MyTrade> = match order_id {
            Some(id) => {
                let record = market.order(id).filter(|record| record.order.account == caller.account);
                let executions = record.into_iter().flat_map(|record| record.executions.iter().map(move |row| (record, row)));
                executions.map(|(record, (at, execution))| trade((record, *at, execution))).collect()
            }
            None => market.executions(caller.account).map(trade).collect(),
        };
        let after = |moment: Option<Timestamp>, time: i64| moment.is_none_or(|moment| time >= moment.ms());
        let before = |moment: Option<Timestamp>, time: i64| moment.is_none_or(|moment| time <= moment.ms());
        trades.retain(|trade| from.is_none_or(|from| trade.id >= from) && after(start, trade.time) && before(end, trade.time));
        trades.sort_by_key(|trade| trade.id);
        if from.is_some() || start.is_some() {
            trades.truncate(limit);
        } else {
            trades.drain(..trades.len().saturating_sub(limit));
        }
        answer(&trades)
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
            "discount": {"enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": none},
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

    /// A key of this venue trades spot at most; it is not bound to an address.
    pub(super) fn key_restrictions(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        params.finish()?;
        let trades = caller.rights == super::Rights::Trade;
        answer(&json!({
            "ipRestrict": false, "createTime": self.opened.ms(), "enableReading": true,
            "enableWithdrawals": false, "enableInternalTransfer": false, "permitsUniversalTransfer": false,
            "enableMargin": false, "enableFutures": false, "enableVanillaOptions": false, "enablePortfolioMarginTrading": false,
            "enableFixApiTrade": false, "enableFixReadOnly": false, "enableSpotAndMarginTrading": trades,
        }))
    }

    /// Coins can be neither deposited nor withdrawn here, so they have no networks.
    pub(super) fn coins(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        params.finish()?;
        let none = eight(0.into());
        let coins: Vec<Value> = self
            .floor
            .assets()
            .iter()
            .map(|asset| {
                let held = self.floor.holding(caller.account, asset);
                json!({
                    "coin": asset, "name": asset, "free": held.free.to_string(), "locked": held.locked.to_string(),
                    "freeze": none, "withdrawing": none, "ipoing": none, "ipoable": none, "storage": none,
                    "isLegalMoney": false, "trading": true, "depositAllEnable": false, "withdrawAllEnable": false, "networkList": [],
                })
            })
            .collect();
        answer(&coins)
    }

    /// Nothing is lent here.
    pub(super) fn no_margin_pairs(&mut self, _: &mut Caller, params: &mut Params) -> Answer {
        params.finish()?;
        answer(&json!([]))
    }
}
