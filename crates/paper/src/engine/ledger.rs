//! Who owns what. Invariant: over all accounts and the fee pot, every asset sums to what was deposited; no asset has
//! more than [`Money::MAX`] in all, so no sum of holdings overflows.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use strongroom_model::Asset;

use super::event::Event;
use super::refusal::Refusal;
use super::units::Money;

/// Identifies an account of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub(crate) u32);

/// Identifies an asset of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssetId(pub(crate) u32);

impl AccountId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl AssetId {
    /// Its place among the codes of all assets.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What one account holds of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Can be used.
    pub free: Money,
    /// Held by open orders.
    pub locked: Money,
}

/// What was brought in and what is there of one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The asset's code.
    pub asset: Asset,
    /// Deposits less withdrawals.
    pub deposited: Money,
    /// Held by accounts and the fee pot, in 1e-8.
    pub held: u128,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    held: Holding,
    is_changed: bool,
}

/// All balances of the venue.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    assets: Vec<Asset>,
    ids: HashMap<Asset, AssetId>,
    accounts: Vec<Vec<Entry>>,
    changed: Vec<(AccountId, AssetId)>,
    fees: Vec<Money>,
    deposits: Vec<Money>,
}

impl Ledger {
    pub(crate) fn asset(&mut self, code: &str) -> AssetId {
        if let Some(id) = self.ids.get(code) {
            return *id;
        }
        let id = AssetId(u32::try_from(self.assets.len()).unwrap_or(u32::MAX));
        self.assets.push(code.to_owned());
        self.ids.insert(code.to_owned(), id);
        self.fees.push(Money::ZERO);
        self.deposits.push(Money::ZERO);
        for held in &mut self.accounts {
            held.push(Entry::default());
        }
        id
    }

    pub(crate) fn open_account(&mut self) -> AccountId {
        self.accounts.push(vec![Entry::default(); self.assets.len()]);
        AccountId(u32::try_from(self.accounts.len() - 1).unwrap_or(u32::MAX))
    }

    pub(crate) fn assets(&self) -> &[Asset] {
        &self.assets
    }

    pub(crate) fn find(&self, code: &str) -> Option<AssetId> {
        self.ids.get(code).copied()
    }

    pub(crate) fn holding(&self, account: AccountId, asset: AssetId) -> Holding {
        self.accounts.get(account.index()).and_then(|held| held.get(asset.index())).map(|entry| entry.held).unwrap_or_default()
    }

    fn held(&mut self, account: AccountId, asset: AssetId) -> &mut Holding {
        let entry = &mut self.accounts[account.index()][asset.index()];
        if !entry.is_changed {
            entry.is_changed = true;
            self.changed.push((account, asset));
        }
        &mut entry.held
    }

    /// Brings new money into the venue; refused when the asset would have more than can be counted.
    pub(crate) fn deposit(&mut self, account: AccountId, asset: AssetId, amount: Money) -> Result<(), Refusal> {
        let total = &mut self.deposits[asset.index()];
        *total = Money(total.0.checked_add(amount.0).ok_or(Refusal::TooMuch)?);
        self.credit(account, asset, amount);
        Ok(())
    }

    /// Takes free money out of the venue.
    pub(crate) fn withdraw(&mut self, account: AccountId, asset: AssetId, amount: Money) -> Result<(), Refusal> {
        if self.holding(account, asset).free < amount {
            return Err(Refusal::InsufficientBalance);
        }
        let held = self.held(account, asset);
        held.free = held.free.less(amount);
        let total = &mut self.deposits[asset.index()];
        *total = total.less(amount);
        Ok(())
    }

    /// Puts a holding of a saved state back as if it had been deposited.
    pub(crate) fn restore(&mut self, account: AccountId, asset: AssetId, holding: Holding) -> Result<(), Refusal> {
        let before = self.holding(account, asset);
        let total = self.deposits[asset.index()].less(before.free.plus(before.locked));
        let more = holding.free.0.checked_add(holding.locked.0).ok_or(Refusal::TooMuch)?;
        self.deposits[asset.index()] = Money(total.0.checked_add(more).ok_or(Refusal::TooMuch)?);
        *self.held(account, asset) = holding;
        Ok(())
    }

    /// Puts the fees of a saved state back as if they had been deposited.
    pub(crate) fn restore_fees(&mut self, asset: AssetId, fees: Money) -> Result<(), Refusal> {
        let total = self.deposits[asset.index()].less(self.fees[asset.index()]);
        self.deposits[asset.index()] = Money(total.0.checked_add(fees.0).ok_or(Refusal::TooMuch)?);
        self.fees[asset.index()] = fees;
        Ok(())
    }

    /// Moves from free to locked; `false`, and nothing done, when there is too little.
    #[must_use]
    pub(crate) fn lock(&mut self, account: AccountId, asset: AssetId, amount: Money) -> bool {
        if amount.is_zero() {
            return true;
        }
        let held = self.held(account, asset);
        if held.free < amount {
            return false;
        }
        held.free = held.free.less(amount);
        held.locked = held.locked.plus(amount);
        true
    }

    pub(crate) fn unlock(&mut self, account: AccountId, asset: AssetId, amount: Money) {
        if !amount.is_zero() {
            self.spend_locked(account, asset, amount, amount);
        }
    }

    /// Takes `amount` out of what is locked and gives `back` of it to what is free.
    pub(crate) fn spend_locked(&mut self, account: AccountId, asset: AssetId, amount: Money, back: Money) {
        let held = self.held(account, asset);
        debug_assert!(held.locked >= amount && amount >= back, "more is spent than was locked");
        held.locked = held.locked.less(amount);
        held.free = held.free.plus(back);
    }

    pub(crate) fn credit(&mut self, account: AccountId, asset: AssetId, amount: Money) {
        let held = self.held(account, asset);
        held.free = held.free.plus(amount);
    }

    pub(crate) fn collect_fee(&mut self, asset: AssetId, amount: Money) {
        let pot = &mut self.fees[asset.index()];
        *pot = pot.plus(amount);
    }

    /// What the fee pot holds.
    pub(crate) fn fees(&self, asset: AssetId) -> Money {
        self.fees[asset.index()]
    }

    /// Tells every holding that changed since the last call, in the order of the first change.
    pub(crate) fn tell(&mut self, out: &mut Vec<Event>) {
        for (account, asset) in self.changed.drain(..) {
            let entry = &mut self.accounts[account.index()][asset.index()];
            entry.is_changed = false;
            out.push(Event::Balance(account, asset, entry.held));
        }
    }

    /// For every asset what was deposited, and what accounts and the fee pot hold now.
    pub(crate) fn audit(&self) -> Vec<Audit> {
        let total = |index: usize| {
            let held = self.accounts.iter().filter_map(|held| held.get(index)).map(|entry| entry.held);
            held.fold(u128::from(self.fees[index].0), |sum, held| sum + u128::from(held.free.0) + u128::from(held.locked.0))
        };
        let row = |(index, asset): (usize, &Asset)| Audit { asset: asset.clone(), deposited: self.deposits[index], held: total(index) };
        self.assets.iter().enumerate().map(row).collect()
    }
}
