//! Who owns what. Invariant: over all accounts and the fee pot, every asset sums to what was deposited.

use std::collections::HashMap;

use strongroom_model::{Amount, Asset};

/// Identifies an account of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub(crate) usize);

/// Identifies an asset inside one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AssetId(usize);

/// What one account holds of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Can be used.
    pub free: Amount,
    /// Held by open orders.
    pub locked: Amount,
}

/// All balances of the venue.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    assets: Vec<Asset>,
    ids: HashMap<Asset, AssetId>,
    accounts: Vec<Vec<Holding>>,
    fees: Vec<Amount>,
    deposits: Vec<Amount>,
}

impl Ledger {
    pub(crate) fn asset(&mut self, code: &str) -> AssetId {
        if let Some(id) = self.ids.get(code) {
            return *id;
        }
        let id = AssetId(self.assets.len());
        self.assets.push(code.to_owned());
        self.ids.insert(code.to_owned(), id);
        self.fees.push(Amount::ZERO);
        self.deposits.push(Amount::ZERO);
        id
    }

    pub(crate) fn open_account(&mut self) -> AccountId {
        self.accounts.push(Vec::new());
        AccountId(self.accounts.len() - 1)
    }

    pub(crate) fn assets(&self) -> &[Asset] {
        &self.assets
    }

    pub(crate) fn code(&self, asset: AssetId) -> &Asset {
        &self.assets[asset.0]
    }

    pub(crate) fn find(&self, code: &str) -> Option<AssetId> {
        self.ids.get(code).copied()
    }

    pub(crate) fn holding(&self, account: AccountId, asset: AssetId) -> Holding {
        self.accounts.get(account.0).and_then(|held| held.get(asset.0)).copied().unwrap_or_default()
    }

    fn held(&mut self, account: AccountId, asset: AssetId) -> &mut Holding {
        let held = &mut self.accounts[account.0];
        if held.len() <= asset.0 {
            held.resize(asset.0 + 1, Holding::default());
        }
        &mut held[asset.0]
    }

    /// Brings new money into the venue.
    pub(crate) fn deposit(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        self.credit(account, asset, amount);
        self.deposits[asset.0] = self.deposits[asset.0] + amount;
    }

    /// Moves from free to locked; `false`, and nothing done, when there is too little.
    #[must_use]
    pub(crate) fn lock(&mut self, account: AccountId, asset: AssetId, amount: Amount) -> bool {
        let held = self.held(account, asset);
        let Some(rest) = held.free.checked_sub(amount) else { return false };
        held.free = rest;
        held.locked = held.locked + amount;
        true
    }

    pub(crate) fn unlock(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        self.spend_locked(account, asset, amount);
        self.credit(account, asset, amount);
    }

    pub(crate) fn spend_locked(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        let held = self.held(account, asset);
        debug_assert!(held.locked >= amount, "more is spent than was locked");
        held.locked = held.locked.checked_sub(amount).unwrap_or_default();
    }

    pub(crate) fn credit(&mut self, account: AccountId, asset: AssetId, amount: Amount) {
        let held = self.held(account, asset);
        held.free = held.free + amount;
    }

    pub(crate) fn collect_fee(&mut self, asset: AssetId, amount: Amount) {
        self.fees[asset.0] = self.fees[asset.0] + amount;
    }

    /// For every asset: what was deposited, and what accounts and the fee pot hold now.
    pub(crate) fn audit(&self) -> Vec<(Asset, Amount, Amount)> {
        let total = |index: usize| {
            let held = self.accounts.iter().filter_map(|held| held.get(index));
            held.fold(self.fees[index], |sum, held| sum + held.free + held.locked)
        };
        self.assets.iter().enumerate().map(|(index, code)| (code.clone(), self.deposits[index], total(index))).collect()
    }
}
