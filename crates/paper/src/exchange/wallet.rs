//! What clients ask of the wallet and of other products while they load (`/sapi`, futures, options). Invariant: nothing
//! can be lent, deposited or withdrawn here, and nothing says so.

use serde_json::{Value, json};
use strongroom_model::{Symbol, Timestamp};

use super::params::Params;
use super::routes::{Answer, Caller, json as answer};
use super::{Exchange, eight};

impl Exchange {
    /// What the caller's key may do. A key of this venue trades spot at most.
    pub(super) fn key_restrictions(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        params.finish()?;
        let trades = caller.rights == super::Rights::Trade;
        answer(&json!({
            "ipRestrict": caller.is_bound_to_addresses, "createTime": caller.key_created.ms(), "enableReading": true,
            "enableWithdrawals": false, "enableInternalTransfer": false, "permitsUniversalTransfer": false,
            "enableMargin": false, "enableFutures": false, "enableVanillaOptions": false, "enablePortfolioMarginTrading": false,
            "enableFixApiTrade": false, "enableFixReadOnly": false, "enableSpotAndMarginTrading": trades,
        }))
    }

    /// Coins can be neither deposited nor withdrawn here, so they have no networks.
    pub(super) fn coins(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        params.finish()?;
        let none = eight(0.into());
        let coin = |asset: &String| {
            let held = self.floor.holding(caller.account, asset);
            json!({
                "coin": asset, "name": asset, "free": held.free.to_string(), "locked": held.locked.to_string(),
                "freeze": none, "withdrawing": none, "ipoing": none, "ipoable": none, "storage": none,
                "isLegalMoney": false, "trading": true, "depositAllEnable": false, "withdrawAllEnable": false, "networkList": [],
            })
        };
        answer(&self.floor.assets().iter().map(coin).collect::<Vec<Value>>())
    }

    /// What the account pays, by symbol.
    pub(super) fn trade_fees(&mut self, caller: &mut Caller, params: &mut Params) -> Answer {
        let wanted = params.optional("symbol")?.map(str::to_owned);
        params.finish()?;
        if let Some(symbol) = &wanted {
            self.venue(symbol)?;
        }
        let fees = self.floor.fees(caller.account);
        let [maker, taker] = [fees.maker, fees.taker].map(|rate| rate.normalize().to_string());
        let row = |symbol: &Symbol| json!({"symbol": symbol, "makerCommission": maker, "takerCommission": taker});
        let told = self.venues.keys().filter(|symbol| wanted.as_ref().is_none_or(|wanted| wanted == symbol.as_str()));
        answer(&told.map(row).collect::<Vec<Value>>())
    }

    /// Nothing is lent here.
    pub(super) fn no_margin_pairs(&mut self, _: &mut Caller, params: &mut Params) -> Answer {
        params.finish()?;
        answer(&json!([]))
    }

    /// Open, or closed for maintenance: the one thing that is answered then.
    pub(super) fn system_status(&self, _: Timestamp, params: &mut Params) -> Answer {
        params.finish()?;
        let (status, msg) = if self.is_maintained { (1, "system_maintenance") } else { (0, "normal") };
        answer(&json!({"status": status, "msg": msg}))
    }

    /// No futures are traded here: clients that load all their markets find an empty list.
    pub(super) fn no_futures(&self, now: Timestamp, params: &mut Params) -> Answer {
        params.finish()?;
        answer(&json!({"timezone": "UTC", "serverTime": now.ms(), "rateLimits": [], "exchangeFilters": [], "symbols": []}))
    }

    /// No options either.
    pub(super) fn no_options(&self, now: Timestamp, params: &mut Params) -> Answer {
        params.finish()?;
        answer(&json!({
            "timezone": "UTC", "serverTime": now.ms(), "rateLimits": [],
            "optionContracts": [], "optionAssets": [], "optionSymbols": [],
        }))
    }
}
