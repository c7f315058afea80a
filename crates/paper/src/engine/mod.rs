//! A matching engine: limit, market, immediate-or-cancel, fill-or-kill and post-only orders, price before time.
//!
//! Invariant: no clock, no chance, no I/O. Money is neither made nor lost, the book is never crossed, and what is
//! locked is exactly what open orders may still spend.

mod book;
mod filters;
mod ledger;
mod market;
mod order;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod testing;

pub use filters::FilterFailure;
pub use ledger::{AccountId, Holding};
pub use market::{Market, Tape};
pub use order::{Execution, NewOrder, Order, Refusal};

use rust_decimal::Decimal;
use strongroom_model::{
    Amount, Asset, Instrument, MarketSize, Notional, OrderSpec, OrderStatus, Price, Quantity, Side, Timestamp, VenueOrderId,
};

use ledger::Ledger;

/// Open orders that one account may have on one instrument (Binance `MAX_NUM_ORDERS`).
pub const OPEN_ORDERS_MAX: usize = 200;
/// Decimals of a fee; the rest is not charged.
const FEE_DECIMALS: u32 = 8;

/// Shares of what a trade yields that the venue keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Of the resting side.
    pub maker: Decimal,
    /// Of the arriving side.
    pub taker: Decimal,
}

impl Fees {
    /// Nothing is charged.
    pub const NONE: Self = Self { maker: Decimal::ZERO, taker: Decimal::ZERO };
}

/// What an accepted order did.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The order after matching.
    pub order: Order,
    /// Accounts, once per order of theirs that filled for the first time.
    pub first_filled: Vec<AccountId>,
}

#[derive(Clone, Copy, Debug)]
struct Terms {
    fees: Fees,
    is_house: bool,
}

/// Identifies a market of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarketId(usize);

/// All markets and all balances.
#[derive(Debug, Default)]
pub struct Engine {
    ledger: Ledger,
    terms: Vec<Terms>,
    markets: Vec<Market>,
}

impl Engine {
    /// Without markets and accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens trading in `instrument`.
    pub fn add_market(&mut self, instrument: Instrument) -> MarketId {
        let (base, quote) = (self.ledger.asset(&instrument.base), self.ledger.asset(&instrument.quote));
        self.markets.push(Market::new(instrument, base, quote));
        MarketId(self.markets.len() - 1)
    }

    /// Opens an empty account that pays `fees`.
    pub fn open_account(&mut self, fees: Fees) -> AccountId {
        self.terms.push(Terms { fees, is_house: false });
        self.ledger.open_account()
    }

    /// Opens an account of the venue itself: it pays no fees, has no limit of open orders and its finished orders are forgotten.
    pub fn open_house_account(&mut self) -> AccountId {
        self.terms.push(Terms { fees: Fees::NONE, is_house: true });
        self.ledger.open_account()
    }

    /// Brings new money into the venue.
    pub fn deposit(&mut self, account: AccountId, asset: &str, amount: Amount) {
        let asset = self.ledger.asset(asset);
        self.ledger.deposit(account, asset, amount);
    }

    /// What `account` holds of `asset`.
    pub fn holding(&self, account: AccountId, asset: &str) -> Holding {
        self.ledger.find(asset).map(|asset| self.ledger.holding(account, asset)).unwrap_or_default()
    }

    /// Codes of all assets.
    pub fn assets(&self) -> &[Asset] {
        self.ledger.assets()
    }

    /// For every asset: what was ever deposited, and what accounts and the fee pot hold now. They are equal.
    pub fn audit(&self) -> Vec<(Asset, Amount, Amount)> {
        self.ledger.audit()
    }

    /// Fees that `account` pays.
    pub fn fees(&self, account: AccountId) -> Fees {
        self.terms[account.0].fees
    }

    /// The markets in the order in which they were added.
    pub fn markets(&self) -> impl Iterator<Item = (MarketId, &Market)> {
        self.markets.iter().enumerate().map(|(index, market)| (MarketId(index), market))
    }

    /// One market.
    pub fn market(&self, market: MarketId) -> &Market {
        &self.markets[market.0]
    }

    pub(crate) fn market_mut(&mut self, market: MarketId) -> &mut Market {
        &mut self.markets[market.0]
    }

    /// Whether a new order would be accepted as far as filters and balances tell; nothing changes.
    pub fn check(&self, account: AccountId, market: MarketId, new: &NewOrder) -> Result<(), Refusal> {
        self.admit(account, &self.markets[market.0], new).map(|_| ())
    }

    /// Matches a new order and rests what may rest.
    pub fn place(&mut self, now: Timestamp, account: AccountId, market: MarketId, new: NewOrder) -> Result<Placed, Refusal> {
        let locked = self.admit(account, &self.markets[market.0], &new)?;
        let terms = self.terms[account.0];
        let market = &mut self.markets[market.0];
        let paid = market.paid_asset(new.side);
        if !self.ledger.lock(account, paid, locked) {
            return Err(Refusal::InsufficientBalance);
        }
        let mut order = Order {
            id: market.next_order_id(),
            account,
            client_order_id: new.client_order_id,
            side: new.side,
            spec: new.spec,
            quantity: new.spec.quantity().unwrap_or_default(),
            filled: Quantity::ZERO,
            filled_notional: Notional::ZERO,
            status: OrderStatus::New,
            locked,
            placed: now,
            updated: now,
            executions: Vec::new(),
        };
        let mut first_filled = Vec::new();
        let killed = matches!(new.spec, OrderSpec::Limit { tif: strongroom_model::TimeInForce::Fok, .. })
            && market.fillable(order.side, &order) < order.quantity;
        if !killed {
            match_order(&mut self.ledger, &self.terms, market, &mut order, now, &mut first_filled);
        }
        finish_arrival(&mut self.ledger, market, &mut order);
        market.record(order.clone(), terms.is_house);
        Ok(Placed { order, first_filled })
    }

    /// Takes an open order back.
    pub fn cancel(&mut self, now: Timestamp, account: AccountId, market: MarketId, id: VenueOrderId) -> Result<Order, Refusal> {
        let is_house = self.terms[account.0].is_house;
        let market = &mut self.markets[market.0];
        let mut order = match market.order(id) {
            Some(order) if order.account == account && !order.status.is_final() => order.clone(),
            _ => return Err(Refusal::UnknownOrder),
        };
        let price = order.spec.price().unwrap_or_default();
        market.ladders.reduce(order.side, price, id, order.remaining(), true);
        order.status = OrderStatus::Canceled;
        order.updated = now;
        release(&mut self.ledger, market, &mut order);
        market.record(order.clone(), is_house);
        Ok(order)
    }

    /// Everything that can refuse an order; the amount to lock otherwise.
    fn admit(&self, account: AccountId, market: &Market, new: &NewOrder) -> Result<Amount, Refusal> {
        let is_house = self.terms[account.0].is_house;
        let best = market.ladders.best(new.side.opposite()).map(|(price, _)| price);
        filters::check(&market.instrument, &new.spec, best.or(market.last_price())).map_err(Refusal::Filter)?;
        if !is_house {
            if market.open_orders(account).count() >= OPEN_ORDERS_MAX {
                return Err(Refusal::Filter(FilterFailure::OpenOrders));
            }
            if market.by_client_order_id(account, &new.client_order_id).is_some_and(|order| !order.status.is_final()) {
                return Err(Refusal::DuplicateClientOrderId);
            }
        }
        let locked = market.cost(new.side, &new.spec).ok_or(Refusal::Filter(FilterFailure::Notional))?;
        if self.ledger.holding(account, market.paid_asset(new.side)).free < locked {
            return Err(Refusal::InsufficientBalance);
        }
        if let (OrderSpec::PostOnly { price, .. }, Some(best)) = (&new.spec, best) {
            let takes = match new.side {
                Side::Buy => best <= *price,
                Side::Sell => best >= *price,
            };
            if takes {
                return Err(Refusal::WouldTake);
            }
        }
        Ok(locked)
    }
}

/// Trades `taker` against the book until nothing crosses or nothing is wanted.
fn match_order(
    ledger: &mut Ledger,
    terms: &[Terms],
    market: &mut Market,
    taker: &mut Order,
    now: Timestamp,
    first_filled: &mut Vec<AccountId>,
) {
    let step = market.instrument.lot.step;
    while let Some((price, maker_id)) = market.ladders.best(taker.side.opposite()) {
        let wanted = taker.wants(price, step);
        let Some(mut maker) = market.take_order(maker_id) else { break };
        let quantity = wanted.min(maker.remaining());
        if quantity.is_zero() || !taker.crosses(price) {
            market.put_back(maker);
            break;
        }
        let trade = market.print(price, quantity, taker.side, now);
        for (order, is_maker) in [(&mut maker, true), (&mut *taker, false)] {
            let terms = terms[order.account.0];
            if order.filled.is_zero() && !terms.is_house {
                first_filled.push(order.account);
            }
            let rate = if is_maker { terms.fees.maker } else { terms.fees.taker };
            let (commission, asset) = settle(ledger, market, order, price, quantity, rate);
            order.updated = now;
            order.status = if order.spec.quantity().is_some_and(|_| order.remaining().is_zero()) {
                OrderStatus::Filled
            } else {
                OrderStatus::PartiallyFilled
            };
            if !terms.is_house {
                let execution = Execution { trade_id: trade, price, quantity, commission, commission_asset: asset, is_maker, at: now };
                order.executions.push(execution);
            }
        }
        market.ladders.reduce(maker.side, price, maker_id, quantity, maker.status.is_final());
        let is_house = terms[maker.account.0].is_house;
        market.record(maker, is_house);
    }
}

/// Moves the money of one side of a trade; returns the fee and its asset.
fn settle(ledger: &mut Ledger, market: &Market, order: &mut Order, price: Price, quantity: Quantity, rate: Decimal) -> (Amount, Asset) {
    let notional = price * quantity;
    let (paid, spent, received) = match order.side {
        Side::Buy => (market.quote, notional.value(), quantity.value()),
        Side::Sell => (market.base, quantity.value(), notional.value()),
    };
    let received_asset = market.paid_asset(order.side.opposite());
    // A limit buy locked its own price: what the better price saves goes back at once.
    let held = match (order.side, order.spec.price()) {
        (Side::Buy, Some(limit)) => (limit * quantity).value(),
        _ => spent,
    };
    let fee = (received * rate).trunc_with_scale(FEE_DECIMALS);
    let [held, saved, fee, kept] = [held, held - spent, fee, received - fee].map(|value| Amount::new(value).unwrap_or_default());
    ledger.spend_locked(order.account, paid, held);
    ledger.credit(order.account, paid, saved);
    ledger.credit(order.account, received_asset, kept);
    ledger.collect_fee(received_asset, fee);
    order.locked = order.locked.checked_sub(held).unwrap_or_default();
    order.filled = order.filled + quantity;
    order.filled_notional = order.filled_notional + notional;
    (fee, ledger.code(received_asset).clone())
}

/// Rests what may rest and ends the rest.
fn finish_arrival(ledger: &mut Ledger, market: &mut Market, order: &mut Order) {
    if let OrderSpec::Market { size: MarketSize::Quote(_) } = order.spec {
        order.quantity = order.filled;
        order.status = if order.filled.is_zero() { OrderStatus::Expired } else { OrderStatus::Filled };
    } else if !order.remaining().is_zero() {
        match order.spec.price() {
            Some(price) if order.may_rest() => market.ladders.insert(order.side, price, order.id, order.remaining()),
            _ => order.status = OrderStatus::Expired,
        }
    }
    if order.status.is_final() {
        release(ledger, market, order);
    }
}

fn release(ledger: &mut Ledger, market: &Market, order: &mut Order) {
    ledger.unlock(order.account, market.paid_asset(order.side), order.locked);
    order.locked = Amount::ZERO;
}
