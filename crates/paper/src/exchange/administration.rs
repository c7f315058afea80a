//! What an administrator changes. Invariant: money comes and goes through the ledger, so that the audit still adds up.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strongroom_model::{Amount, Asset, Symbol, Timestamp};

use super::auth::Credential;
use super::{Account, ApiKey, Exchange};
use crate::engine::{AccountId, Fees, MarketStatus, Money};

/// Accounts of a venue.
const ACCOUNTS_MAX: usize = 1_000;
/// Longest name of an account.
const NAME_LEN_MAX: usize = 64;
/// What accounts pay that an administrator opens.
const FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

/// An account as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// What it is called.
    pub name: String,
    /// Free and locked, of every asset that it has any of.
    pub balances: BTreeMap<Asset, (Amount, Amount)>,
}

impl Exchange {
    /// Every account with what it holds.
    pub(crate) fn accounts(&self) -> Vec<AccountView> {
        let assets = self.floor.assets();
        let view = |(id, name): (u32, &String)| {
            let held = assets.iter().map(|asset| (asset, self.floor.holding(AccountId(id), asset)));
            let held = held.filter(|(_, held)| !held.free.is_zero() || !held.locked.is_zero());
            AccountView {
                name: name.clone(),
                balances: held.map(|(asset, held)| (asset.clone(), (held.free.model(), held.locked.model()))).collect(),
            }
        };
        (1..).zip(&self.accounts).map(view).collect()
    }

    /// The account of this name.
    pub(crate) fn account_named(&self, name: &str) -> Result<AccountId, String> {
        let found = (1..).zip(&self.accounts).find(|(_, known)| *known == name).map(|(id, _)| AccountId(id));
        found.ok_or_else(|| format!("there is no account called {name}"))
    }

    pub(crate) fn make_account(&mut self, name: &str, balances: BTreeMap<Asset, Amount>) -> Result<(), String> {
        if name.is_empty() || name.len() > NAME_LEN_MAX || name.chars().any(char::is_control) {
            return Err(format!("an account's name has 1 to {NAME_LEN_MAX} bytes"));
        }
        if self.account_named(name).is_ok() {
            return Err(format!("there is an account called {name} already"));
        }
        if self.accounts.len() >= ACCOUNTS_MAX {
            return Err(format!("there are {ACCOUNTS_MAX} accounts already"));
        }
        let fees = Fees { maker: FEE, taker: FEE };
        self.open_account(Account { name: name.to_owned(), balances: balances.into_iter().collect(), keys: Vec::new() }, fees);
        Ok(())
    }

    pub(crate) fn set_balance(&mut self, now: Timestamp, account: &str, asset: &str, free: Amount) -> Result<(), String> {
        let account = self.account_named(account)?;
        if !self.floor.assets().iter().any(|known| known == asset) {
            return Err(format!("nothing here is traded in {asset}"));
        }
        let free = Money::of(free).ok_or("an amount has at most eight decimals and is not larger than the venue can count")?;
        self.floor.set_balance(now, account, asset, free).map_err(|refusal| refusal.to_string())?;
        Ok(())
    }

    /// Cancels every open order and gives the balances of a first start.
    pub(crate) fn reset_account(&mut self, now: Timestamp, account: &str) -> Result<(), String> {
        let id = self.account_named(account)?;
        let markets: Vec<_> = self.venues.values().map(|venue| venue.id).collect();
        for market in markets {
            self.floor.cancel_all(now, id, market, None);
        }
        let first = Account::funded(Vec::new()).balances;
        for asset in self.floor.assets().to_vec() {
            let free =
                first.iter().find(|(known, _)| *known == asset).map_or(Money::ZERO, |(_, amount)| Money::of(*amount).unwrap_or_default());
            self.floor.set_balance(now, id, &asset, free).map_err(|refusal| refusal.to_string())?;
        }
        Ok(())
    }

    /// Lets a key speak for an account; one that was known is changed.
    pub(crate) fn put_key(&mut self, account: &str, key: ApiKey) -> Result<(), String> {
        let account = self.account_named(account)?;
        let ApiKey { api_key, verifying, rights, addresses, created } = key;
        self.keys.insert(api_key, Credential { account, verifying, rights, addresses, created });
        Ok(())
    }

    /// A key that is no key any more; who listens by it is told so, and nothing further.
    pub(crate) fn forget_key(&mut self, now: Timestamp, api_key: &str) {
        if let Some(key) = self.keys.remove(api_key) {
            self.floor.end_streams(key.account, api_key, now);
        }
    }

    pub(crate) fn set_status(&mut self, symbol: &Symbol, status: MarketStatus) -> Result<(), String> {
        let market = self.venues.get(symbol).ok_or_else(|| format!("the venue does not list {symbol}"))?.id;
        self.floor.set_status(market, status);
        Ok(())
    }

    /// Says in `sapi/v1/system/status` whether the venue is closed.
    pub(crate) fn set_maintenance(&mut self, is_closed: bool) {
        self.is_maintained = is_closed;
    }
}
