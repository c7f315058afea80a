//! What is held, and what orders on their way may add to it.
//!
//! Invariant: an order counts from the moment it is sent until it is over, with all that it may still buy; what was told twice
//! counts once. What is held lies between two bounds: no answer of the venue says which fills are in it, so one that is heard of later may be
//! in it already, and counts in the bound that it makes stricter. What is too large to be held counts as the most that can be held.

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::Decimal;
use strongroom_model::{Amount, Asset, ClientOrderId, MarketSize, OrderSpec, PlaceOrder, Price, Quantity, Side, Symbol, Timestamp};

/// Longest time in which the venue tells what is held: what moved meanwhile is remembered.
const TELLING_MS: i64 = 60_000;
/// By how much the venue's clock may be told wrong: what it dates so shortly after it told what is held may be in that.
const CLOCK_SLACK_MS: i64 = 1_000;

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
    /// Whatever fills of it from now on, filled after the venue told what is held.
    is_after: bool,
}

/// What more of an order was filled than was known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Base quantity.
    pub quantity: Decimal,
    /// Quote amount.
    pub notional: Decimal,
}

/// What an account holds.
#[derive(Clone, Debug)]
struct Held {
    least: BTreeMap<Asset, Decimal>,
    most: BTreeMap<Asset, Decimal>,
    /// By the venue's clock, not earlier than it looked.
    at: Timestamp,
    /// Something filled since of which it is not known whether it is in what was told.
    is_vague: bool,
}

impl Held {
    /// So much came, or went where it is negative. `is_certain`: it is not in what was told.
    fn moved(&mut self, asset: &Asset, amount: Decimal, is_certain: bool) {
        self.is_vague |= !is_certain && !amount.is_zero();
        let adds = |bound: &mut BTreeMap<Asset, Decimal>| {
            let held = bound.entry(asset.clone()).or_default();
            *held = held.saturating_add(amount);
        };
        if is_certain || amount > Decimal::ZERO {
            adds(&mut self.most);
        }
        if is_certain || amount < Decimal::ZERO {
            adds(&mut self.least);
        }
    }
}

/// The account of one venue.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    pairs: BTreeMap<Symbol, Pair>,
    held: Option<Held>,
    /// What is told counts if it was not asked for earlier than that.
    asked_from: Option<Timestamp>,
    /// What came and went lately, and when that was known: an answer that was on its way then may be older.
    moved: VecDeque<(Timestamp, Asset, Decimal)>,
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

    /// What time it is. On a clock that was set back, later is not told from earlier any more: questions count from now on.
    pub fn clock_is(&mut self, now: Timestamp) {
        if self.asked_from.is_some_and(|from| from > now.plus_ms(1)) {
            self.asked_from = None;
            self.moved.iter_mut().for_each(|(known, ..)| *known = (*known).min(now));
        }
    }

    /// The venue told what is held, free and locked together: it counts from now on. `at`: when the answer came, by the venue's clock;
    /// `asked`: when it was asked, by ours. `false`: it says nothing, because one to a later question was there before it, or because
    /// another account may be in use since.
    pub fn told(&mut self, held: impl IntoIterator<Item = (Asset, Amount)>, at: Timestamp, asked: Timestamp) -> bool {
        if self.asked_from.is_some_and(|from| asked < from) {
            return false;
        }
        self.asked_from = Some(asked);
        let least: BTreeMap<_, _> = held.into_iter().map(|(asset, amount)| (asset, amount.value())).collect();
        let mut held = Held { most: least.clone(), least, at, is_vague: false };
        self.open.values_mut().for_each(|open| open.is_after = false);
        let since = self.moved.iter().filter(|(known, ..)| *known >= asked);
        since.for_each(|(_, asset, amount)| held.moved(asset, *amount, false));
        self.held = Some(held);
        true
    }

    /// So much came, or went where it is negative.
    fn moves(&mut self, asset: &Asset, amount: Decimal, is_certain: bool, now: Timestamp) {
        if amount.is_zero() {
            return;
        }
        while self.moved.front().is_some_and(|(known, ..)| known.plus_ms(TELLING_MS) < now) {
            self.moved.pop_front();
        }
        self.moved.push_back((now, asset.clone(), amount));
        if let Some(held) = &mut self.held {
            held.moved(asset, amount, is_certain);
        }
    }

    /// What is held could not be asked for.
    pub fn forget_held(&mut self) {
        self.held = None;
    }

    /// Nothing is known any more, and what was asked before now says nothing: another account may be in use.
    pub fn ask_anew(&mut self, now: Timestamp) {
        (self.held, self.asked_from) = (None, Some(now.plus_ms(1)));
    }

    /// Whether the venue told what is held.
    pub const fn is_known(&self) -> bool {
        self.held.is_some()
    }

    /// Whether the venue has to tell anew for it to be known what is held.
    pub fn is_vague(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_vague)
    }

    /// An order is sent.
    pub fn sent(&mut self, order: &PlaceOrder) {
        self.counts(order, Filled::default(), true);
    }

    /// An order was found in the store. What of it was filled before is held already.
    pub fn found(&mut self, order: &PlaceOrder, filled: Filled) {
        self.counts(order, filled, false);
    }

    /// An order of another program was found at the venue: what of it was filled may be in what was told as held, or not. One of the same
    /// name that was another one is gone.
    pub fn found_open(&mut self, order: &PlaceOrder, filled: Filled, now: Timestamp) {
        let id = &order.client_order_id;
        let is_same = |open: &OpenOrder| (&open.order.symbol, open.order.side, open.order.spec) == (&order.symbol, order.side, order.spec);
        match self.open.get(id) {
            Some(open) if is_same(open) => return,
            Some(_) => self.lost(id, now),
            None => {}
        }
        self.counts(order, filled, false);
        if let Some(pair) = self.pairs.get(&order.symbol).cloned() {
            self.moves(&pair.base, sign(order) * filled.quantity, false, now);
            self.moves(&pair.quote, -sign(order) * filled.notional, false, now);
        }
    }

    fn counts(&mut self, order: &PlaceOrder, filled: Filled, is_after: bool) {
        let open = OpenOrder { order: order.clone(), filled: filled.quantity, filled_notional: filled.notional, is_after };
        self.open.entry(order.client_order_id.clone()).or_insert(open);
    }

    /// An order is smaller now.
    pub fn shrunk(&mut self, order: &PlaceOrder) {
        if let (Some(open), Some(quantity)) = (self.open.get_mut(&order.client_order_id), order.spec.quantity()) {
            open.order.spec.shrink(quantity);
        }
    }

    /// So much of an order was filled altogether: what is new of that. What was known already, or comes late, is nothing new. `as_of`: of
    /// when that is, by the venue's clock, if it is the venue that said it.
    pub fn filled(
        &mut self,
        id: &ClientOrderId,
        (quantity, notional): (Decimal, Decimal),
        (now, as_of): (Timestamp, Option<Timestamp>),
    ) -> Filled {
        let Some(open) = self.open.get_mut(id) else { return Filled::default() };
        let new = Filled {
            quantity: (quantity - open.filled).max(Decimal::ZERO),
            notional: (notional - open.filled_notional).max(Decimal::ZERO),
        };
        open.filled = open.filled.saturating_add(new.quantity);
        open.filled_notional = open.filled_notional.saturating_add(new.notional);
        let Some(pair) = self.pairs.get(&open.order.symbol).cloned() else {
            // Of what, nobody knows yet: what is held has to be asked for anew.
            if new != Filled::default() {
                self.ask_anew(now);
            }
            return new;
        };
        let (sign, is_certain) = (sign(&open.order), open.is_after);
        let told = self.held.as_ref().map(|held| held.at.plus_ms(CLOCK_SLACK_MS));
        open.is_after |= told.zip(as_of).is_some_and(|(told, as_of)| as_of > told);
        self.moves(&pair.base, sign * new.quantity, is_certain, now);
        self.moves(&pair.quote, -sign * new.notional, is_certain, now);
        new
    }

    /// Fees of what was filled. Whether they are in what the venue told as held is not known, and less may be there than without them.
    pub fn paid(&mut self, asset: &Asset, fee: Decimal, now: Timestamp) {
        let is_vague = self.is_vague();
        self.moves(asset, -fee, false, now);
        // So little is not worth a question.
        if let Some(held) = &mut self.held {
            held.is_vague = is_vague;
        }
    }

    /// An order is over, and nobody said how: all of it may have filled.
    pub fn lost(&mut self, id: &ClientOrderId, now: Timestamp) {
        let Some(open) = self.open.remove(id) else { return };
        let Some(pair) = self.pairs.get(&open.order.symbol).cloned() else { return self.ask_anew(now) };
        let left = (open.order.spec.quantity().map_or(Decimal::ZERO, Quantity::value) - open.filled).max(Decimal::ZERO);
        let paid = open.order.spec.price().map_or(Decimal::ZERO, |price| left.saturating_mul(price.value()));
        self.moves(&pair.base, sign(&open.order) * left, false, now);
        self.moves(&pair.quote, -sign(&open.order) * paid, false, now);
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

    /// Base quantity held of an instrument, with all that open orders and `more` would bring of that asset, in whatever market. `price` says
    /// at how much of its quote asset a unit of an instrument is now. What a sale takes away counts when it is filled.
    pub fn position(&self, symbol: &Symbol, more: Option<&PlaceOrder>, price: impl Fn(&Symbol) -> Option<Decimal>) -> Option<Decimal> {
        let base = &self.pairs.get(symbol)?.base;
        // Less than nothing can only come from what nobody told, such as a deposit: it makes no room.
        let mut position = self.held.as_ref()?.most.get(base).copied().unwrap_or_default().max(Decimal::ZERO);
        let open = self.open.values().map(|open| (&open.order, Filled { quantity: open.filled, notional: open.filled_notional }));
        for (order, filled) in open.chain(more.map(|order| (order, Filled::default()))) {
            // Of a market that is not known there is nothing on the list.
            let Some(pair) = self.pairs.get(&order.symbol) else { continue };
            let brings = match order.side {
                Side::Buy if pair.base == *base => bought(order, filled, price(&order.symbol)),
                Side::Sell if pair.quote == *base => paid_for(order, filled, price(&order.symbol)),
                _ => Some(Decimal::ZERO),
            };
            position = position.saturating_add(brings?);
        }
        Some(position)
    }

    /// Base quantity held of an instrument, less what open orders sell. A sale that the venue holds back is held until it fills.
    pub fn left_to_sell(&self, symbol: &Symbol) -> Option<Decimal> {
        let base = &self.pairs.get(symbol)?.base;
        let held = self.held.as_ref()?.least.get(base).copied().unwrap_or_default();
        let of_base = |open: &&OpenOrder| self.pairs.get(&open.order.symbol).is_none_or(|pair| pair.base == *base);
        let sells = self.open.values().filter(|open| open.order.side == Side::Sell).filter(of_base).map(|open| match open.order.spec {
            // How much it takes is not known: all.
            OrderSpec::Market { size: MarketSize::Quote(_) } => held,
            spec => (spec.quantity().map_or(Decimal::ZERO, Quantity::value) - open.filled).max(Decimal::ZERO),
        });
        // What is paid with it is locked, too; of a purchase without a price nobody knows how much that is.
        let is_paid = |open: &&OpenOrder| self.pairs.get(&open.order.symbol).is_some_and(|pair| pair.quote == *base);
        let buys = self.buys().filter(is_paid).map(|open| match open.order.spec {
            OrderSpec::Market { size: MarketSize::Quote(notional) } => (notional.value() - open.filled_notional).max(Decimal::ZERO),
            spec => {
                let left = (spec.quantity().map_or(Decimal::ZERO, Quantity::value) - open.filled).max(Decimal::ZERO);
                spec.price().map_or(Decimal::ZERO, |price| left.saturating_mul(price.value()))
            }
        });
        Some(held - sells.chain(buys).fold(Decimal::ZERO, Decimal::saturating_add))
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
        let held = &self.held.as_ref()?.most;
        let unit_of = |symbol: &Symbol| unit(&self.pairs.get(symbol)?.quote);
        let mut each = BTreeMap::<&Asset, Decimal>::new();
        for symbol in instruments {
            let (Some(pair), Some(unit)) = (self.pairs.get(symbol), unit_of(symbol)) else { continue };
            let most = each.entry(&pair.base).or_default();
            *most = (*most).max(price(symbol).saturating_mul(unit));
        }
        let of_asset =
            |(asset, each): (&&Asset, &Decimal)| held.get(*asset).copied().unwrap_or_default().max(Decimal::ZERO).saturating_mul(*each);
        let mut worth = each.iter().map(of_asset).fold(Decimal::ZERO, Decimal::saturating_add);
        let none = Filled::default();
        let open = self.buys().map(|open| (&open.order, Filled { quantity: open.filled, notional: open.filled_notional }));
        let more = more.filter(|order| order.side == Side::Buy).map(|order| (order, none));
        for (order, filled) in open.chain(more) {
            let Some(unit) = unit_of(&order.symbol) else {
                // Paid with what has no worth here: what it brings counts where that is listed.
                let base = self.pairs.get(&order.symbol).and_then(|pair| each.get(&pair.base));
                let left = bought(order, filled, None).unwrap_or_default();
                worth = worth.saturating_add(base.map_or(Decimal::ZERO, |each| left.saturating_mul(*each)));
                continue;
            };
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

/// Which way the base asset goes.
fn sign(order: &PlaceOrder) -> Decimal {
    if order.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE }
}

/// What is left of a purchase, in the base asset; of one for an amount, at that price.
fn bought(order: &PlaceOrder, filled: Filled, price: Option<Decimal>) -> Option<Decimal> {
    let all = match order.spec {
        OrderSpec::Market { size: MarketSize::Quote(notional) } => notional.value().checked_div(price?).unwrap_or(Decimal::MAX),
        spec => spec.quantity().map_or(Decimal::ZERO, Quantity::value),
    };
    Some((all - filled.quantity).max(Decimal::ZERO))
}

/// What is left of a sale, in the quote asset: at its own price or that one, whichever brings more.
fn paid_for(order: &PlaceOrder, filled: Filled, price: Option<Decimal>) -> Option<Decimal> {
    let left = match order.spec {
        OrderSpec::Market { size: MarketSize::Quote(notional) } => notional.value() - filled.notional,
        spec => {
            // Of another program's order without a price in a market that nobody follows, nothing is known.
            let each = [spec.price().map(Price::value), price].into_iter().flatten().max().unwrap_or_default();
            (spec.quantity().map_or(Decimal::ZERO, Quantity::value) - filled.quantity).saturating_mul(each)
        }
    };
    Some(left.max(Decimal::ZERO))
}
