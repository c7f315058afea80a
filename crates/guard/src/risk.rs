//! What the desk knows of orders, fills and prices, and the rules that need it.
//!
//! Invariant: every order counts from the moment it is sent; tightening a rule never lets more pass; a cancel is never denied.

mod sums;

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::{Decimal, RoundingStrategy};
use strongroom_model::{
    Amount, Asset, ClientOrderId, Fill, Notional, OrderSpec, PlaceOrder, Price, Quantity, Side, Symbol, Timestamp, Venue,
};

use crate::day::Day;
use crate::desk_rules::DeskRule;
use crate::drift::Drift;
use crate::exposure::{Exposure, Filled, Pair};
use crate::freezes::KillScope;
use crate::policy::{InstrumentPolicy, Policy};
use crate::reason::Reason;
use crate::repeats::Repeats;

const HOUR_MS: u64 = 3_600_000;
/// As many as venues let quantities have.
const QUANTITY_DECIMALS: u32 = 8;
const BPS_PER_ONE: u32 = 10_000;
/// Most orders of which is remembered when they were sent.
const REMEMBERED_MAX: usize = 10_000;
/// From so many orders within an hour on, the ratio of cancels is judged.
const CANCEL_RATIO_FROM: usize = 50;

/// What is known of the market of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Halfway between best bid and ask, if the book is current.
    pub mark: Option<Price>,
    /// What a market order would pay or get on average by the book as it is; nothing: the book does not hold so much.
    pub average: Option<Price>,
    /// Most orders of one account that the venue lets be open in this market; 0: it does not say.
    pub open_max: u32,
}

/// Why an order does not meet rules: those that refuse, and those that do less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Refused.
    pub refused: Vec<Reason>,
    /// Passes for whoever gives a reason.
    pub asks: Vec<Reason>,
    /// Passes, and is noted.
    pub shadows: Vec<Reason>,
}

/// Everything that the desk's rules need to know.
#[derive(Clone, Debug, Default)]
pub struct RiskState {
    /// What is held and on its way.
    pub exposure: Exposure,
    /// Where that is held.
    held_at: Option<(Venue, Option<String>)>,
    day: Day,
    marks: BTreeMap<Symbol, Price>,
    drift: Drift,
    /// Orders sent within the last hour, newest last.
    sent: VecDeque<(u64, PlaceOrder)>,
    cancels: VecDeque<u64>,
    repeats: Repeats,
    /// What was filled before the venue told the instrument's assets: it counts once it has.
    untold: Vec<(PlaceOrder, Filled, Vec<Fill>, Timestamp)>,
}

impl RiskState {
    /// Prices of now. What has none now keeps its last one: a stream that falls silent is neither gain nor loss.
    pub fn marks(&mut self, marks: BTreeMap<Symbol, Price>, now_ms: u64) {
        for (symbol, mark) in &marks {
            self.drift.mark(symbol, *mark, now_ms);
        }
        self.marks.extend(marks);
    }

    /// The venue told what is held; `at`: when the answer came, by its clock; `asked`: when it was asked, by ours. `false`: the answer is
    /// too old to say anything.
    pub fn held(&mut self, balances: impl IntoIterator<Item = (Asset, Amount)>, at: Timestamp, asked: Timestamp) -> bool {
        self.exposure.told(balances, at, asked)
    }

    /// At which venue and account it is; nothing: at which account is not known, so the limits of all bind.
    pub fn held_at(&mut self, venue: Venue, account: Option<String>) {
        self.held_at = Some((venue, account));
    }

    /// What is held could not be asked for.
    pub fn forget_held(&mut self) {
        self.exposure.forget_held();
        self.held_at = None;
    }

    /// Another account may be in use: what it holds is not known, and answers to earlier questions say nothing of it.
    pub fn other_account(&mut self, now: Timestamp) {
        self.exposure.ask_anew(now);
        self.held_at = None;
    }

    /// Another program's order was found at the venue.
    pub fn found_open(&mut self, order: &PlaceOrder, filled: Filled, now: Timestamp) {
        self.exposure.found_open(order, filled, now);
    }

    /// The venue told its instruments; what was filled in them before counts now, unless its day is over.
    pub fn pairs(&mut self, pairs: impl IntoIterator<Item = (Symbol, Pair)>) {
        self.exposure.pairs(pairs);
        let mut untold = std::mem::take(&mut self.untold);
        untold.retain(|(.., at)| !self.day.is_after(*at));
        for (order, filled, trades, at) in untold {
            self.traded(&order, filled, &trades, at);
        }
    }

    /// An order is on its way.
    pub fn sent(&mut self, order: &PlaceOrder, now_ms: u64) {
        self.exposure.sent(order);
        push(&mut self.sent, (now_ms, order.clone()));
    }

    /// An order that was sent before this desk began: it counts where times count.
    pub fn sent_earlier(&mut self, order: &PlaceOrder, at_ms: u64) {
        push(&mut self.sent, (at_ms, order.clone()));
    }

    /// An order did not leave after all: it counts nowhere.
    pub fn never_sent(&mut self, order: &PlaceOrder) {
        self.exposure.over(&order.client_order_id);
        self.sent.retain(|(_, sent)| sent.client_order_id != order.client_order_id);
    }

    /// An order was found that was sent earlier.
    pub fn found(&mut self, order: &PlaceOrder, filled: Filled) {
        self.exposure.found(order, filled);
    }

    /// A person or a program takes an order back.
    pub fn cancelled(&mut self, now_ms: u64) {
        push(&mut self.cancels, now_ms);
    }

    /// How an order stands: all that was filled of it, and its trades that were told since. Whether it filled for the first time. `at` is
    /// now, and `as_of` the time of the venue's report, if there is one.
    pub fn stands(
        &mut self,
        order: &PlaceOrder,
        filled: (Quantity, Notional),
        trades: &[Fill],
        is_over: bool,
        (at, as_of): (Timestamp, Option<Timestamp>),
    ) -> bool {
        let id = &order.client_order_id;
        self.exposure.shrunk(order);
        let new = self.exposure.filled(id, (filled.0.value(), filled.1.value()), (at, as_of));
        trades.iter().for_each(|trade| self.exposure.paid(&trade.commission_asset, trade.commission.value(), at));
        if !new.quantity.is_zero() || !trades.is_empty() {
            self.traded(order, new, trades, at);
        }
        if is_over {
            self.exposure.over(id);
        }
        !new.quantity.is_zero() && new.quantity == filled.0.value()
    }

    /// An order filled for the first time, by whoever unlocked with that slot.
    pub fn executed(&mut self, order: &PlaceOrder, slot: Option<u16>, now_ms: u64) {
        self.repeats.executed(order, slot, now_ms);
    }

    /// The kill switch was taken back: whoever was stopped begins anew.
    pub fn rearmed(&mut self) {
        self.repeats.rearmed();
    }

    /// Something was filled; also of orders that are over, after a restart.
    pub fn traded(&mut self, order: &PlaceOrder, filled: Filled, trades: &[Fill], at: Timestamp) {
        let Some(pair) = self.exposure.pair(&order.symbol) else {
            self.untold.push((order.clone(), filled, trades.to_vec(), at));
            return;
        };
        let (base, quote) = (pair.base.clone(), pair.quote.clone());
        let fees = trades.iter().map(|trade| fee_in_quote(trade, &base, &quote));
        let fee = fees.fold(Decimal::ZERO, Decimal::saturating_add);
        self.day.traded(&order.symbol, &quote, order.side, filled, fee, at);
    }

    /// The day and its highest results by quote asset, from which the drawdown is measured.
    pub fn highest(&self) -> (i64, &BTreeMap<Asset, Decimal>) {
        self.day.highest()
    }

    /// What an earlier desk kept of it.
    pub fn remember_highest(&mut self, number: i64, highest: &BTreeMap<Asset, Decimal>, at: Timestamp) {
        self.day.remember(number, highest, at);
    }

    /// The rule by which somebody or everything has to stop, if one is broken.
    pub fn must_stop(&mut self, policy: &Policy, now_ms: u64, at: Timestamp) -> Option<(Reason, KillScope)> {
        let rules = &policy.desk;
        self.day.is(at);
        let refuses = |rule| rules.mode(rule) == crate::RuleMode::Refuse;
        if let Some((_, reason)) = self.losses(policy).into_iter().find(|(rule, _)| refuses(*rule)) {
            return Some((reason, KillScope::Everything));
        }
        rules.fills_per_minute.filter(|_| refuses(DeskRule::RepeatedExecution)).and_then(|max| self.repeats.must_stop(max, now_ms))
    }

    /// The desk-enforced rules for a new order.
    pub fn judge(&mut self, policy: &Policy, order: &PlaceOrder, market: Quote, now_ms: u64) -> Judgement {
        let mut judgement = Judgement::default();
        // Without a price nothing can be compared; no setting changes that.
        let Some(mark) = market.mark else {
            judgement.refused.push(Reason::Mark { symbol: order.symbol.clone() });
            return judgement;
        };
        judgement.refused.extend(value_at_mark(policy, mark, order));
        judgement.refused.extend(self.too_many_for_venue(order, market.open_max));
        judgement.refused.extend(self.cannot_reduce(order));
        let mut broken = self.broken(policy, order, mark, market.average, now_ms);
        broken.extend(self.losses(policy));
        // Where it refuses, whoever repeats is stopped as well.
        let stops = policy.desk.mode(DeskRule::RepeatedExecution) == crate::RuleMode::Refuse;
        let repeated = policy.desk.fills_per_minute.and_then(|max| self.repeats.repeated(order, max, stops, now_ms));
        broken.extend(repeated.map(|reason| (DeskRule::RepeatedExecution, reason)));
        for (rule, reason) in broken {
            match policy.desk.mode(rule) {
                crate::RuleMode::Refuse => judgement.refused.push(reason),
                crate::RuleMode::Ask => judgement.asks.push(reason),
                crate::RuleMode::Shadow => judgement.shadows.push(reason),
            }
        }
        judgement
    }

    fn broken(&mut self, policy: &Policy, order: &PlaceOrder, mark: Price, average: Option<Price>, now_ms: u64) -> Vec<(DeskRule, Reason)> {
        let rules = &policy.desk;
        let mut broken = Vec::new();
        let symbol = || order.symbol.clone();
        if order.side == Side::Buy && rules.restricted.contains(&order.symbol) {
            broken.push((DeskRule::Restricted, Reason::Restricted { symbol: symbol() }));
        }
        if let Some(asked) = order.spec.price().filter(|price| is_worse(*price, order.side, mark, policy.price_collar_bps)) {
            broken.push((
                DeskRule::PriceCollar,
                Reason::PriceCollar {
                    asked,
                    worst: worst(order.side, mark, policy.price_collar_bps, asked),
                    mark,
                    collar_bps: policy.price_collar_bps,
                },
            ));
        }
        broken.extend(self.drifted(policy, order, mark, average, now_ms));
        if let (OrderSpec::Market { .. }, Some(bps)) = (order.spec, rules.slippage_bps)
            && average.is_none_or(|average| is_worse(average, order.side, mark, bps))
        {
            broken.push((
                DeskRule::Slippage,
                Reason::Slippage { average, worst: worst(order.side, mark, bps, mark), mark, slippage_bps: bps },
            ));
        }
        let open = u32::try_from(self.exposure.open().count()).unwrap_or(u32::MAX);
        if let Some(max) = rules.open_orders_max.filter(|max| open >= *max) {
            broken.push((DeskRule::OpenOrders, Reason::OpenOrders { open, max }));
        }
        broken.extend(self.over_position(policy, order, mark));
        broken.extend(self.over_exposure(policy, order, mark));
        if let Some(window_ms) = rules.duplicate_ms {
            let same = |(at_ms, sent): &&(u64, PlaceOrder)| {
                now_ms.saturating_sub(*at_ms) < window_ms && (&sent.symbol, sent.side, sent.spec) == (&order.symbol, order.side, order.spec)
            };
            if let Some((at_ms, sent)) = self.sent.iter().rev().find(same) {
                let retry_after_ms = (at_ms + window_ms).saturating_sub(now_ms);
                broken.push((DeskRule::Duplicate, Reason::Duplicate { earlier: sent.client_order_id.clone(), retry_after_ms }));
            }
        }
        broken.extend(self.cancel_ratio(policy, now_ms));
        if !rules.self_trade
            && let Some((own, rests)) = self.meets(order)
        {
            broken.push((DeskRule::SelfTrade, Reason::SelfTrade { side: order.side, rests, own }));
        }
        broken
    }

    /// The collar over time. Who leaves a market that runs away is not held in it: what only reduces is compared with the mark of now alone.
    fn drifted(&self, policy: &Policy, order: &PlaceOrder, mark: Price, average: Option<Price>, now_ms: u64) -> Option<(DeskRule, Reason)> {
        let drift_bps = policy.desk.drift_bps.filter(|_| !order.reduce_only)?;
        let best = self.drift.best(&order.symbol, order.side, mark, now_ms);
        // A market order that is larger than the book could fill at any price.
        let asked = order.spec.price().or(average);
        if asked.is_some_and(|asked| !is_worse(asked, order.side, best, drift_bps)) {
            return None;
        }
        let worst = worst(order.side, best, drift_bps, order.spec.price().unwrap_or(mark));
        Some((DeskRule::PriceDrift, Reason::PriceDrift { asked, worst, best, drift_bps }))
    }

    /// The own order that one would meet first: beyond its price no other is met either.
    fn meets(&self, order: &PlaceOrder) -> Option<(ClientOrderId, Price)> {
        let met = self.exposure.open().filter_map(|open| Some((&open.order, open.order.spec.price()?)));
        let met = met.filter(|(own, _)| crosses(order, own));
        let nearest = match order.side {
            Side::Buy => met.min_by_key(|(_, price)| *price),
            Side::Sell => met.max_by_key(|(_, price)| *price),
        };
        nearest.map(|(own, price)| (own.client_order_id.clone(), price))
    }

    /// The venue's own bound, which nobody can soften.
    fn too_many_for_venue(&self, order: &PlaceOrder, max: u32) -> Option<Reason> {
        let open = self.exposure.open().filter(|open| open.order.symbol == order.symbol).count();
        let open = u32::try_from(open).unwrap_or(u32::MAX);
        (max > 0 && open >= max).then_some(Reason::OpenOrders { open, max })
    }

    /// Why an order that may only reduce would not.
    fn cannot_reduce(&self, order: &PlaceOrder) -> Option<Reason> {
        if !order.reduce_only {
            return None;
        }
        let Some(asked) = order.spec.quantity().filter(|_| order.can_only_reduce()) else { return Some(Reason::ReduceOnly) };
        let Some(left) = self.exposure.left_to_sell(&order.symbol) else {
            return Some(Reason::ExposureUnknown { symbol: order.symbol.clone() });
        };
        let left = Quantity::new(left.max(Decimal::ZERO)).unwrap_or_default();
        (asked > left).then(|| Reason::ReduceHeld { symbol: order.symbol.clone(), asked, left })
    }

    fn cancel_ratio(&mut self, policy: &Policy, now_ms: u64) -> Option<(DeskRule, Reason)> {
        let is_old = |at_ms: u64| now_ms.saturating_sub(at_ms) >= HOUR_MS;
        while self.sent.front().is_some_and(|(at_ms, _)| is_old(*at_ms)) {
            self.sent.pop_front();
        }
        while self.cancels.front().is_some_and(|at_ms| is_old(*at_ms)) {
            self.cancels.pop_front();
        }
        let max = policy.desk.cancels_percent?;
        let (orders, cancels) = (self.sent.len(), self.cancels.len());
        if orders < CANCEL_RATIO_FROM || !is_above(cancels, orders, max) {
            return None;
        }
        // Told rounded up: what is above the maximum is told as above it.
        let percent = u32::try_from(cancels.saturating_mul(100).div_ceil(orders)).unwrap_or(u32::MAX);
        let retry_after_ms = self.ratio_eases_in_ms(max, now_ms);
        Some((DeskRule::CancelRatio, Reason::CancelRatio { percent, retry_after_ms, max }))
    }

    /// When so many of the cancels, or of the orders, are an hour old that the ratio is not broken any more, if nothing more is done.
    fn ratio_eases_in_ms(&self, max: u32, now_ms: u64) -> u64 {
        let (mut orders, mut cancels) = (self.sent.iter().map(|(at_ms, _)| *at_ms).peekable(), self.cancels.iter().copied().peekable());
        let (mut sent, mut taken_back) = (self.sent.len(), self.cancels.len());
        let mut at_ms = now_ms;
        while sent >= CANCEL_RATIO_FROM && is_above(taken_back, sent, max) {
            at_ms = match (orders.peek(), cancels.peek()) {
                (Some(order), Some(cancel)) if order < cancel => *order,
                (_, Some(cancel)) => *cancel,
                (Some(order), None) => *order,
                (None, None) => break,
            };
            while orders.next_if(|order| *order <= at_ms).is_some() {
                sent -= 1;
            }
            while cancels.next_if(|cancel| *cancel <= at_ms).is_some() {
                taken_back -= 1;
            }
        }
        (at_ms + HOUR_MS).saturating_sub(now_ms)
    }
}

/// Whether so many cancels are more than `max` for a hundred of so many orders.
const fn is_above(cancels: usize, orders: usize, max: u32) -> bool {
    cancels.saturating_mul(100) > orders.saturating_mul(max as usize)
}

fn push<T>(queue: &mut VecDeque<T>, one: T) {
    if queue.len() >= REMEMBERED_MAX {
        queue.pop_front();
    }
    queue.push_back(one);
}

/// What a trade cost, in the quote asset; a fee in a third asset is not counted.
fn fee_in_quote(trade: &Fill, base: &str, quote: &str) -> Decimal {
    match trade.commission_asset.as_str() {
        asset if asset == quote => trade.commission.value(),
        asset if asset == base => trade.commission.value().saturating_mul(trade.price.value()),
        _ => Decimal::ZERO,
    }
}

/// Whether a price is further from the mark than `bps`, on the losing side.
fn is_worse(price: Price, side: Side, mark: Price, bps: u32) -> bool {
    let room = mark.value() * Decimal::from(bps) / Decimal::from(BPS_PER_ONE);
    match side {
        Side::Buy => price.value() > mark.value() + room,
        Side::Sell => price.value() < mark.value() - room,
    }
}

/// The worst price that is not further from the mark than `bps`, with as many decimals as `like` or the mark, whichever has more.
fn worst(side: Side, mark: Price, bps: u32, like: Price) -> Price {
    let room = mark.value() * Decimal::from(bps) / Decimal::from(BPS_PER_ONE);
    let decimals = like.value().scale().max(mark.value().normalize().scale());
    let worst = match side {
        Side::Buy => mark.value().saturating_add(room).round_dp_with_strategy(decimals, RoundingStrategy::ToZero),
        Side::Sell => (mark.value() - room).round_dp_with_strategy(decimals, RoundingStrategy::AwayFromZero),
    };
    Price::new(worst.max(Decimal::ZERO).normalize()).unwrap_or(mark)
}

/// Whether an order could meet that own one in the book.
fn crosses(order: &PlaceOrder, own: &PlaceOrder) -> bool {
    let (OrderSpec::Limit { price: rests, .. } | OrderSpec::PostOnly { price: rests, .. }) = own.spec else { return false };
    let meets = match (order.spec.price(), order.side) {
        // One that only rests is refused by the venue where it would meet any other.
        _ if matches!(order.spec, OrderSpec::PostOnly { .. }) => false,
        (None, _) => true,
        (Some(price), Side::Buy) => price >= rests,
        (Some(price), Side::Sell) => price <= rests,
    };
    own.symbol == order.symbol && own.side != order.side && meets
}

/// A market order by base quantity has no price of its own: its value at the mark must fit.
fn value_at_mark(policy: &Policy, mark: Price, order: &PlaceOrder) -> Option<Reason> {
    if order.spec.price().is_some() {
        return None;
    }
    let listed = policy.instrument(&order.symbol);
    let in_currency = |value| listed.map_or(Some(value), |listed| listed.in_currency(value));
    let asked = mark.checked_mul(order.spec.quantity()?).and_then(in_currency);
    let asked = asked.unwrap_or_else(|| Notional::new(Decimal::MAX).unwrap_or_default());
    let (max, currency) = (policy.order_notional_max, policy.currency.clone());
    let room = || {
        let each = mark.value().saturating_mul(listed.map_or(Decimal::ONE, InstrumentPolicy::unit));
        let most = max.value().checked_div(each).unwrap_or_default();
        Quantity::new(most.round_dp_with_strategy(QUANTITY_DECIMALS, RoundingStrategy::ToZero).normalize()).unwrap_or_default()
    };
    (asked > max).then(|| Reason::ValueAtMark { asked, max, currency, mark, room: room() })
}
