//! The rules that add up: what is held, what a day lost. Invariant: each sum is one of everything that counts, in the currency of the
//! limits; a gain in one quote asset makes no room for a loss in another.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use strongroom_model::{Asset, Notional, PlaceOrder, Price, Quantity, Side, Symbol};

use super::RiskState;
use crate::desk_rules::{DeskRule, ExposureScope, RuleMode};
use crate::policy::Policy;
use crate::reason::Reason;

impl RiskState {
    /// Losses above what a day may bring. Also without a limit each result is looked at: a fall is measured from the highest.
    pub(super) fn losses(&mut self, policy: &Policy) -> Vec<(DeskRule, Reason)> {
        let results: Vec<_> = self.day.quotes().into_iter().map(|quote| (self.day.result(&quote, &self.marks), quote)).collect();
        let (loss_max, drawdown_max) = (policy.desk.day_loss_max, policy.desk.drawdown_max);
        if loss_max.is_none() && drawdown_max.is_none() {
            return Vec::new();
        }
        let units = self.units(policy);
        let (mut loss, mut drawdown) = (Decimal::ZERO, Decimal::ZERO);
        for (result, quote) in results {
            let unit = units.get(&quote).copied().unwrap_or(Decimal::ONE);
            loss = loss.saturating_add((-result.result).max(Decimal::ZERO).saturating_mul(unit));
            drawdown = drawdown.saturating_add(result.drawdown.saturating_mul(unit));
        }
        let stops = |rule| policy.desk.mode(rule) == RuleMode::Refuse;
        let (loss, drawdown) = (Notional::new(loss).unwrap_or_default(), Notional::new(drawdown).unwrap_or_default());
        let lost = loss_max.filter(|max| loss > *max).map(|max| {
            let (currency, stops) = (policy.currency.clone(), stops(DeskRule::DayLoss));
            (DeskRule::DayLoss, Reason::DayLoss { loss, max, currency, stops })
        });
        let fell = drawdown_max.filter(|max| drawdown > *max).map(|max| {
            let (currency, stops) = (policy.currency.clone(), stops(DeskRule::Drawdown));
            (DeskRule::Drawdown, Reason::Drawdown { drawdown, max, currency, stops })
        });
        lost.into_iter().chain(fell).collect()
    }

    /// What a unit of each quote asset is worth at most in the currency of the limits, by the instruments that count.
    fn units(&self, policy: &Policy) -> BTreeMap<Asset, Decimal> {
        let mut units = BTreeMap::from([(policy.currency.clone(), Decimal::ONE)]);
        for counted in policy.summed() {
            if let Some(pair) = self.exposure.pair(&counted.symbol) {
                let unit = units.entry(pair.quote.clone()).or_insert(Decimal::ZERO);
                *unit = (*unit).max(counted.unit());
            }
        }
        units
    }

    /// At how much of its quote asset a unit of an instrument counts: its mark, or the top of its band where nobody follows it; nothing: it
    /// is on no list.
    fn price(&self, policy: &Policy, symbol: &Symbol) -> Option<Decimal> {
        let top = || policy.summed().find(|counted| counted.symbol == *symbol).map(|counted| counted.counted_to().value());
        self.marks.get(symbol).map(|mark| mark.value()).or_else(top)
    }

    /// Positions with this order: of every instrument whose asset it brings, in whatever market. Nobody is kept from taking risk away by
    /// what it is paid with.
    pub(super) fn over_position(&self, policy: &Policy, order: &PlaceOrder, mark: Price) -> Vec<(DeskRule, Reason)> {
        let own = self.exposure.pair(&order.symbol);
        let brings = |symbol: &Symbol| match (own, self.exposure.pair(symbol), order.side) {
            (Some(own), Some(of), Side::Buy) => own.base == of.base,
            (Some(own), Some(of), Side::Sell) => own.quote == of.base,
            // Before the venue told its instruments.
            _ => order.side == Side::Buy && *symbol == order.symbol,
        };
        let price = |symbol: &Symbol| if *symbol == order.symbol { Some(mark.value()) } else { self.price(policy, symbol) };
        let bounded = policy.summed().filter_map(|listed| Some((&listed.symbol, listed.position_max?)));
        let mut broken = Vec::new();
        for (symbol, max) in bounded.filter(|(symbol, _)| !order.reduce_only && brings(symbol)) {
            match self.exposure.position(symbol, Some(order), price).map(Quantity::new) {
                None => broken.push((DeskRule::Position, Reason::ExposureUnknown { symbol: symbol.clone() })),
                Some(Some(after)) if after > max => {
                    let before = self.exposure.position(symbol, None, price).unwrap_or_default();
                    let room = Quantity::new((max.value() - before).max(Decimal::ZERO)).unwrap_or_default();
                    broken.push((DeskRule::Position, Reason::Position { symbol: symbol.clone(), after, room, max }));
                }
                Some(_) => {}
            }
        }
        broken
    }

    /// Exposure with this purchase.
    pub(super) fn over_exposure(&self, policy: &Policy, order: &PlaceOrder, mark: Price) -> Vec<(DeskRule, Reason)> {
        let limits = self.exposure_limits(policy);
        if limits.is_empty() || order.side == Side::Sell {
            return Vec::new();
        }
        let price = |symbol: &Symbol| if *symbol == order.symbol { Some(mark.value()) } else { self.price(policy, symbol) };
        let units = self.units(policy);
        let unit = |quote: &Asset| units.get(quote).copied();
        let symbols = policy.summed().map(|counted| &counted.symbol);
        let worth = |more| self.exposure.worth(symbols.clone(), more, |symbol| price(symbol).unwrap_or_default(), unit);
        let after = self.exposure.pair(&order.symbol).and_then(|_| Notional::new(worth(Some(order))?));
        let mut broken = Vec::new();
        for (of, max) in limits {
            match after {
                None => broken.push((DeskRule::Exposure, Reason::ExposureUnknown { symbol: order.symbol.clone() })),
                Some(after) if after > max => {
                    let room = (max.value() - worth(None).unwrap_or_default()).max(Decimal::ZERO);
                    let (room, currency) = (Notional::new(room).unwrap_or_default(), policy.currency.clone());
                    broken.push((DeskRule::Exposure, Reason::Exposure { of, after, room, max, currency }));
                }
                Some(_) => {}
            }
        }
        broken
    }

    /// Limits on what is held that bind here: in all, at this venue, at this account. Of all that is open each counts everything: no order
    /// of another account makes room.
    fn exposure_limits(&self, policy: &Policy) -> Vec<(Option<String>, Notional)> {
        let is_here = |of: &ExposureScope| match (of, &self.held_at) {
            (ExposureScope::Venue(of), Some((venue, _))) => of == venue,
            (ExposureScope::Account(of), Some((_, account))) => account.as_ref().is_none_or(|account| of == account),
            // Nothing was told: each could be meant.
            (_, None) => true,
        };
        let here = policy.desk.exposure_of.iter().filter(|limit| is_here(&limit.of)).map(|limit| (Some(limit.of.to_string()), limit.max));
        policy.desk.exposure_max.map(|max| (None, max)).into_iter().chain(here).collect()
    }
}
