//! A matching engine with every order type of Binance spot: price before time, triggers, icebergs, self-trade
//! prevention, lists of orders, filters and halts.
//!
//! Invariant: no clock, no chance, no I/O, no floats, no text. Money is neither made nor lost, the book is never
//! crossed, and what is locked is exactly what open orders may still spend. The same calls give the same events.
//!
//! The engine keeps open orders only. Names, history and answers are made by the layer above from the events.

mod account;
mod admit;
mod amend;
mod book;
mod event;
mod filters;
mod index;
mod ledger;
mod lists;
mod market;
mod matching;
mod open;
mod order;
mod pages;
mod queue;
mod refusal;
mod restore;
mod store;
#[cfg(test)]
mod tests;
mod triggers;
mod turn;
mod units;

pub use account::{Fees, VenueRules};
pub use event::{Change, Contingency, Event, Execution, Expiry, OrderList, PreventedMatch};
pub use filters::{
    ALGO_ORDERS_MAX, AMENDS_MAX, Band, Bounds, FilterFailure, ICEBERG_PARTS_MAX, LISTS_MAX, OPEN_ORDERS_MAX, Rules, TRAILING_BPS, Worth,
};
pub use ledger::{AccountId, AssetId, Audit, Holding};
pub use lists::NewList;
pub use market::{Market, MarketStatus, Numbers};
pub use order::{Kind, Leg, ListId, MarketId, NewOrder, Order, SelfTrade, Size, Status};
pub use refusal::Refusal;
pub use units::{Money, ONE, Px, Qty, Share};

use strongroom_model::{Asset, DepthUpdate, Instrument, Timestamp, TradeId, VenueOrderId};

use account::Terms;
use admit::Gate;
use ledger::Ledger;
use turn::Turn;

/// All markets and all balances. Events are appended to the buffer that a call is given; a refused call adds none.
#[derive(Debug, Default)]
pub struct Engine {
    ledger: Ledger,
    terms: Vec<Terms>,
    markets: Vec<Market>,
    venue: VenueRules,
    last_list: u64,
}

impl Engine {
    /// Without markets and accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens trading in `instrument`; `rules` are all its filters.
    pub fn add_market(&mut self, instrument: Instrument, rules: Rules) -> MarketId {
        let (base, quote) = (self.ledger.asset(&instrument.base), self.ledger.asset(&instrument.quote));
        let id = MarketId(u32::try_from(self.markets.len()).unwrap_or(u32::MAX));
        self.markets.push(Market::new(instrument, rules, id, base, quote));
        id
    }

    /// Opens an empty account that pays `fees`.
    pub fn open_account(&mut self, fees: Fees) -> AccountId {
        self.terms.push(Terms::new(fees, false));
        self.ledger.open_account()
    }

    /// Opens an account of the venue itself: it pays no fees and has no limit of open orders.
    pub fn open_house_account(&mut self) -> AccountId {
        self.terms.push(Terms::new(Fees::NONE, true));
        self.ledger.open_account()
    }

    /// Puts an account into a trade group, whose members do not trade with each other under self-trade prevention.
    pub fn set_trade_group(&mut self, account: AccountId, group: Option<u32>) {
        self.terms[account.index()].group = group;
    }

    /// Sets the counts that bind an account over all markets.
    pub const fn set_venue_rules(&mut self, rules: VenueRules) {
        self.venue = rules;
    }

    /// Changes the filters of a market; open orders stay as they are.
    pub fn set_rules(&mut self, market: MarketId, rules: Rules) {
        self.market_mut(market).rules = rules;
    }

    /// Halts a market or lets it trade again. Nothing is matched by that.
    pub fn set_status(&mut self, market: MarketId, status: MarketStatus) {
        self.market_mut(market).status = status;
    }

    /// Gives the average price that percent and notional filters use; without one it is the last price.
    pub fn set_average(&mut self, market: MarketId, average: Option<Px>) {
        self.market_mut(market).average = average;
    }

    /// The number of an asset; a new one when it was not known.
    pub fn asset(&mut self, code: &str) -> AssetId {
        self.ledger.asset(code)
    }

    /// Brings new money into the venue.
    pub fn deposit(&mut self, account: AccountId, asset: AssetId, amount: Money, out: &mut Vec<Event>) -> Result<(), Refusal> {
        let done = self.ledger.deposit(account, asset, amount);
        self.ledger.tell(out);
        done
    }

    /// Takes free money out of the venue.
    pub fn withdraw(&mut self, account: AccountId, asset: AssetId, amount: Money, out: &mut Vec<Event>) -> Result<(), Refusal> {
        let done = self.ledger.withdraw(account, asset, amount);
        self.ledger.tell(out);
        done
    }

    /// Makes `account` have exactly `free` at its disposal, whatever is locked, by a deposit or a withdrawal.
    pub fn set_balance(&mut self, account: AccountId, asset: AssetId, free: Money, out: &mut Vec<Event>) -> Result<(), Refusal> {
        let now = self.ledger.holding(account, asset).free;
        if free >= now { self.deposit(account, asset, free.less(now), out) } else { self.withdraw(account, asset, now.less(free), out) }
    }

    /// What `account` holds of `asset`.
    pub fn holding(&self, account: AccountId, asset: AssetId) -> Holding {
        self.ledger.holding(account, asset)
    }

    /// Codes of all assets, by their number.
    pub fn assets(&self) -> &[Asset] {
        self.ledger.assets()
    }

    /// The number of a known asset.
    pub fn find_asset(&self, code: &str) -> Option<AssetId> {
        self.ledger.find(code)
    }

    /// What the fee pot holds of `asset`.
    pub fn fee_pot(&self, asset: AssetId) -> Money {
        self.ledger.fees(asset)
    }

    /// For every asset: what was deposited, and what accounts and the fee pot hold now. They are equal.
    pub fn audit(&self) -> Vec<Audit> {
        self.ledger.audit()
    }

    /// All accounts, the venue's own included.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        (0..).map(AccountId).take(self.terms.len())
    }

    /// Fees that `account` pays.
    pub fn fees(&self, account: AccountId) -> Fees {
        self.terms[account.index()].fees
    }

    /// Whether it is an account of the venue itself.
    pub fn is_house(&self, account: AccountId) -> bool {
        self.terms[account.index()].is_house
    }

    /// Number of the last list.
    pub const fn last_list(&self) -> ListId {
        ListId(self.last_list)
    }

    /// The markets in the order in which they were added.
    pub fn markets(&self) -> impl Iterator<Item = (MarketId, &Market)> {
        self.markets.iter().map(|market| (market.id, market))
    }

    /// One market.
    pub fn market(&self, market: MarketId) -> &Market {
        &self.markets[market.index()]
    }

    fn market_mut(&mut self, market: MarketId) -> &mut Market {
        &mut self.markets[market.index()]
    }

    /// Changes of a market's book since the last call.
    pub fn take_update(&mut self, market: MarketId) -> Option<DepthUpdate> {
        self.market_mut(market).take_update()
    }

    fn gate(&self, market: MarketId) -> Gate<'_> {
        Gate { market: self.market(market), ledger: &self.ledger, terms: &self.terms, venue: self.venue }
    }

    fn turn<'a>(&'a mut self, now: Timestamp, market: MarketId, out: &'a mut Vec<Event>) -> Turn<'a> {
        let market = &mut self.markets[market.index()];
        Turn { now, market, ledger: &mut self.ledger, terms: &mut self.terms, venue: self.venue, out }
    }

    /// Whether a new order would be accepted now; nothing changes.
    pub fn check(&self, account: AccountId, market: MarketId, new: &NewOrder) -> Result<(), Refusal> {
        self.gate(market).plan(account, new).map(|_| ())
    }

    /// Whether a new list would be accepted now; nothing changes.
    pub fn check_list(&self, account: AccountId, market: MarketId, new: &NewList) -> Result<(), Refusal> {
        self.gate(market).plan_list(account, new).map(|_| ())
    }

    /// Matches a new order, rests what may rest, and follows what that triggers.
    pub fn place(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        new: &NewOrder,
        out: &mut Vec<Event>,
    ) -> Result<VenueOrderId, Refusal> {
        let plan = self.gate(market).plan(account, new)?;
        let mut turn = self.turn(now, market, out);
        let slot = turn.open(account, new, &plan, None, order::Leg::Single);
        let id = turn.order(slot).id;
        turn.start(slot);
        turn.cascade();
        self.ledger.tell(out);
        Ok(id)
    }

    /// A trade that happened elsewhere: numbered like one here, and orders that wait for its price follow.
    pub fn print(&mut self, now: Timestamp, market: MarketId, price: Px, out: &mut Vec<Event>) -> TradeId {
        let mut turn = self.turn(now, market, out);
        let id = turn.market.print(price);
        turn.cascade();
        self.ledger.tell(out);
        id
    }

    /// Places a list of orders.
    pub fn place_list(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        new: &NewList,
        out: &mut Vec<Event>,
    ) -> Result<ListId, Refusal> {
        let plans = self.gate(market).plan_list(account, new)?;
        self.last_list += 1;
        let id = ListId(self.last_list);
        let mut turn = self.turn(now, market, out);
        turn.open_list(account, id, new, &plans);
        turn.cascade();
        self.ledger.tell(out);
        Ok(id)
    }

    /// Takes an open or pending order back, and the orders of its list with it.
    pub fn cancel(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        id: VenueOrderId,
        out: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        self.turn(now, market, out).cancel(account, id)?;
        self.ledger.tell(out);
        Ok(())
    }

    /// Takes a list back.
    pub fn cancel_list(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        id: ListId,
        out: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        if self.market(market).list(id).is_none_or(|list| list.account != account) {
            return Err(Refusal::UnknownOrder);
        }
        self.turn(now, market, out).end_list(id, Status::Canceled, Change::Canceled);
        self.ledger.tell(out);
        Ok(())
    }

    /// Takes every open and pending order of an account in one market back; how many there were.
    pub fn cancel_all(&mut self, now: Timestamp, account: AccountId, market: MarketId, out: &mut Vec<Event>) -> usize {
        let count = self.turn(now, market, out).cancel_all(account);
        self.ledger.tell(out);
        count
    }

    /// Makes an order smaller: `quantity` is its new total. It keeps its number and its place in the queue.
    pub fn amend(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        id: VenueOrderId,
        quantity: Qty,
        out: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        self.turn(now, market, out).amend(account, id, quantity)?;
        self.ledger.tell(out);
        Ok(())
    }
}
