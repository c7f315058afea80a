//! What is held, and what orders on their way may add to it.
//!
//! Invariant: an order counts from the moment it is sent until it is over, with all that it may still buy; what was told twice
//! counts once. What is too large to be held counts as the most that can be held.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use strongroom_model::{Amount, Asset, ClientOrderId, MarketSize, OrderSpec, PlaceOrder, Price, Quantity, Side, Symbol};

/// Assets of an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is bought and sold.
    pub base: Asset,
    /// What it is paid with.
    pub quote: Asset,
}

/// An order that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// What was wanted.
    pub order: PlaceOrder,
    /// Base quantity filled so far.
    filled: Decimal,
    /// Quote amount of that.
    filled_notional: Decimal,
}

/// What more of an order was filled than was known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Base quantity.
    pub quantity: Decimal,
    /// Quote amount.
    pub notional: Decimal,
}

/// The account of one venue.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    pairs: BTreeMap<Symbol, Pair>,
    held: Option<BTreeMap<Asset, Decimal>>,
    open: BTreeMap<ClientOrderId, OpenOrder>,
}

impl Exposure {
    /// The venue told its instruments.
    pub fn pairs(&mut self, pairs: impl IntoIterator<Item = (Symbol, Pair)>) {
        self.pairs.extend(pairs);
    }

    /// Assets of that instrument, once told.
    pub fn pair(&self, symbol: &Symbol) -> Option<&Pair> {
        self.pairs.get(symbol)
    }

    /// The venue told what is held, free and locked together: it counts from now on.
    pub fn told(&mut self, held: impl IntoIterator<Item = (Asset, Amount)>) {
        self.held = Some(held.into_iter().map(|(asset, amount)| (asset, amount.value())).collect());
    }

    /// Nothing is known any more: a new account, or a new desk.
    pub fn forget_held(&mut self) {
        self.held = None;
    }

    /// Whether the venue told what is held.
    pub const fn is_known(&self) -> bool {
        self.held.is_some()
    }

    /// An order is sent, or was found at the venue. What of it was filled before is held already.
    pub fn sent(&mut self, order: &PlaceOrder, filled: Filled) {
        let open = OpenOrder { order: order.clone(), filled: filled.quantity, filled_notional: filled.notional };
        self.open.entry(order.client_order_id.clone()).or_insert(open);
    }

    /// An order is smaller now.
    pub fn shrunk(&mut self, order: &PlaceOrder) {
        if let (Some(open), Some(quantity)) = (self.open.get_mut(&order.client_order_id), order.spec.quantity()) {
            open.order.spec.shrink(quantity);
        }
    }

    /// So much of an order was filled altogether: what is new of that. What was known already, or comes late, is nothing new.
    pub fn filled(&mut self, id: &ClientOrderId, quantity: Decimal, notional: Decimal) -> Filled {
        let Some(open) = self.open.get_mut(id) else { return Filled::default() };
        let new = Filled {
            quantity: (quantity - open.filled).max(Decimal::ZERO),
            notional: (notional - open.filled_notional).max(Decimal::ZERO),
        };
        open.filled = open.filled.saturating_add(new.quantity);
        open.filled_notional = open.filled_notional.saturating_add(new.notional);
        if let (Some(held), Some(pair)) = (&mut self.held, self.pairs.get(&open.order.symbol)) {
            let (gets, gives) = match open.order.side {
                Side::Buy => ((&pair.base, new.quantity), (&pair.quote, new.notional)),
                Side::Sell => ((&pair.quote, new.notional), (&pair.base, new.quantity)),
            };
            let got = held.entry(gets.0.clone()).or_default();
            *got = got.saturating_add(gets.1);
            let given = held.entry(gives.0.clone()).or_default();
            *given = given.saturating_sub(gives.1);
        }
        new
    }

    /// An order is over: what was not filled does not count any more.
    pub fn over(&mut self, id: &ClientOrderId) {
        self.open.remove(id);
    }

    /// Orders that are not over.
    pub fn open(&self) -> impl Iterator<Item = &OpenOrder> {
        self.open.values()
    }

    /// Whether an order counts.
    pub fn is_open(&self, id: &ClientOrderId) -> bool {
        self.open.contains_key(id)
    }

    /// Base quantity held of an instrument, with all that open orders and `more` would buy. Sales count when they are filled.
    pub fn position(&self, symbol: &Symbol, more: Option<&PlaceOrder>, mark: Price) -> Option<Decimal> {
        let base = &self.pairs.get(symbol)?.base;
        let held = self.held.as_ref()?.get(base).copied().unwrap_or_default();
        let open = self.buys().filter(|open| open.order.symbol == *symbol).map(|open| open.left_base(mark));
        let open = open.fold(Decimal::ZERO, Decimal::saturating_add);
        let more = more.filter(|order| order.side == Side::Buy).map_or(Decimal::ZERO, |order| base_of(order, mark));
        Some(held.saturating_add(open).saturating_add(more))
    }

    /// Base quantity held of an instrument, less what open orders sell. A sale that the venue holds back is held until it fills.
    pub fn left_to_sell(&self, symbol: &Symbol) -> Option<Decimal> {
        let base = &self.pairs.get(symbol)?.base;
        let held = self.held.as_ref()?.get(base).copied().unwrap_or_default();
        let of_base = |open: &&OpenOrder| self.pairs.get(&open.order.symbol).is_none_or(|pair| pair.base == *base);
        let sells = self.open.values().filter(|open| open.order.side == Side::Sell).filter(of_base).map(|open| match open.order.spec {
            // How much it takes is not known: all.
            OrderSpec::Market { size: MarketSize::Quote(_) } => held,
            spec => (spec.quantity().map_or(Decimal::ZERO, Quantity::value) - open.filled).max(Decimal::ZERO),
        });
        Some(held - sells.fold(Decimal::ZERO, Decimal::saturating_add))
    }

    /// Worth of all that is held of these instruments, each asset once and where it is worth most, with all that open orders and `more`
    /// would buy. `price` says at how much of its quote asset a unit of an instrument counts, `unit` what a unit of a quote asset is worth;
    /// what is paid with one of which nothing is known does not count.
    pub fn worth<'a>(
        &self,
        instruments: impl Iterator<Item = &'a Symbol>,
        more: Option<&PlaceOrder>,
        price: impl Fn(&Symbol) -> Decimal,
        unit: impl Fn(&Asset) -> Option<Decimal>,
    ) -> Option<Decimal> {
        let held = self.held.as_ref()?;
        let unit_of = |symbol: &Symbol| unit(&self.pairs.get(symbol)?.quote);
        let mut each = BTreeMap::<&Asset, Decimal>::new();
        for symbol in instruments {
            let (Some(pair), Some(unit)) = (self.pairs.get(symbol), unit_of(symbol)) else { continue };
            let most = each.entry(&pair.base).or_default();
            *most = (*most).max(price(symbol).saturating_mul(unit));
        }
        let of_asset = |(asset, each): (&&Asset, &Decimal)| held.get(*asset).copied().unwrap_or_default().saturating_mul(*each);
        let mut worth = each.iter().map(of_asset).fold(Decimal::ZERO, Decimal::saturating_add);
        let none = Filled::default();
        let open = self.buys().map(|open| (&open.order, Filled { quantity: open.filled, notional: open.filled_notional }));
        let more = more.filter(|order| order.side == Side::Buy).map(|order| (order, none));
        for (order, filled) in open.chain(more) {
            let Some(unit) = unit_of(&order.symbol) else { continue };
            let left = |all: Decimal, filled: Decimal| (all - filled).max(Decimal::ZERO);
            let value = match order.spec {
                OrderSpec::Market { size: MarketSize::Quote(notional) } => left(notional.value(), filled.notional),
                spec => {
                    let each = spec.price().map_or_else(|| price(&order.symbol), Price::value);
                    left(spec.quantity().map_or(Decimal::ZERO, Quantity::value), filled.quantity).saturating_mul(each)
                }
            };
            worth = worth.saturating_add(value.saturating_mul(unit));
        }
        Some(worth)
    }

    fn buys(&self) -> impl Iterator<Item = &OpenOrder> {
        self.open.values().filter(|open| open.order.side == Side::Buy)
    }
}

impl OpenOrder {
    fn left_base(&self, mark: Price) -> Decimal {
        (base_of(&self.order, mark) - self.filled).max(Decimal::ZERO)
    }
}

/// Base quantity of an order; of a quote-sized one, at the mark.
fn base_of(order: &PlaceOrder, mark: Price) -> Decimal {
    match order.spec {
        OrderSpec::Market { size: MarketSize::Quote(notional) } => notional.value().checked_div(mark.value()).unwrap_or(Decimal::MAX),
        spec => spec.quantity().map_or(Decimal::ZERO, |quantity| quantity.value()),
    }
}
