//! Pre-trade rules. Invariant: tightening a limit never allows more, and a cancel is never denied.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use strongroom_model::{Intent, MarketSize, OrderSpec, PlaceOrder, Price, Side};

use crate::access::{Freeze, Role, Session, SessionEnd};
use crate::policy::{ORDERS_PER_MINUTE_MAX, Policy};
use crate::rules::{Reason, Verdict};

const MINUTE_MS: u64 = 60_000;
const BPS_PER_ONE: u32 = 10_000;

/// Times of the newest orders: an exact sliding window, never longer than the largest limit.
#[derive(Clone, Debug, Default)]
pub struct OrderRate {
    at_ms: VecDeque<u64>,
}

impl OrderRate {
    /// Counts one order.
    pub fn count(&mut self, now_ms: u64) {
        if self.at_ms.len() >= ORDERS_PER_MINUTE_MAX as usize {
            self.at_ms.pop_front();
        }
        self.at_ms.push_back(now_ms);
    }

    /// `None` when one more fits into the last minute, else how long until it does.
    pub fn wait_ms(&mut self, limit: u32, now_ms: u64) -> Option<u64> {
        while self.at_ms.front().is_some_and(|at| now_ms.saturating_sub(*at) >= MINUTE_MS) {
            self.at_ms.pop_front();
        }
        let over = (self.at_ms.len() + 1).checked_sub(limit as usize).filter(|over| *over > 0)?;
        let leaves = self.at_ms.get(over - 1).map_or(now_ms, |at| at + MINUTE_MS);
        Some(leaves.saturating_sub(now_ms).max(1))
    }
}

/// What the signer knows by itself.
pub struct SignerFacts<'a> {
    /// The kill switch.
    pub freeze: Option<&'a Freeze>,
    /// The session, or how the last one ended.
    pub session: Result<&'a Session, SessionEnd>,
    /// Orders signed lately.
    pub rate: &'a mut OrderRate,
    /// The signer's own monotonic clock.
    pub now_ms: u64,
}

/// What the desk knows in addition.
pub struct DeskFacts {
    /// Halfway between best bid and ask, if the book is current.
    pub mark: Option<Price>,
}

/// The signer-enforced rules.
pub fn signer_gate(policy: &Policy, facts: SignerFacts<'_>, intent: &Intent) -> Verdict {
    let Intent::Place(order) = intent else {
        return Verdict::Allow;
    };
    match signer_rules(policy, facts, order) {
        Ok(()) => Verdict::Allow,
        Err(reason) => Verdict::Deny(reason),
    }
}

fn signer_rules(policy: &Policy, facts: SignerFacts<'_>, order: &PlaceOrder) -> Result<(), Reason> {
    if let Some(freeze) = facts.freeze {
        return Err(Reason::KillSwitch { why: freeze.why.clone() });
    }
    let session = facts.session.map_err(|end| Reason::Session { end })?;
    if let Some(end) = session.end(facts.now_ms, policy.session_idle_ms, policy.session_age_max_ms) {
        return Err(Reason::Session { end });
    }
    if !session.roles.contains(&Role::Trader) {
        return Err(Reason::Role { needed: "trader".to_owned() });
    }
    let Some(instrument) = policy.instrument(&order.symbol) else {
        return Err(Reason::Instrument { symbol: order.symbol.clone() });
    };
    if let Some(retry_after_ms) = facts.rate.wait_ms(policy.orders_per_minute, facts.now_ms) {
        return Err(Reason::OrderRate { limit: policy.orders_per_minute, retry_after_ms });
    }
    let too_large = |asked| Reason::MaxNotional { asked, max: policy.order_notional_max };
    if let Some(asked) = order.spec.quantity()
        && asked > instrument.quantity_max
    {
        return Err(Reason::MaxQuantity { asked, max: instrument.quantity_max });
    }
    let notional = match (order.spec, order.spec.price()) {
        (OrderSpec::Market { size: MarketSize::Quote(notional) }, _) => Some(notional),
        (spec, Some(price)) => spec.quantity().map(|quantity| price.checked_mul(quantity).unwrap_or_default()),
        _ => None,
    };
    if let Some(asked) = notional
        && (asked > policy.order_notional_max || asked.is_zero())
    {
        return Err(too_large(asked));
    }
    if let Some(asked) = order.spec.price()
        && !(instrument.price_low..=instrument.price_high).contains(&asked)
    {
        return Err(Reason::PriceBand { asked, low: instrument.price_low, high: instrument.price_high });
    }
    Ok(())
}

/// The desk-enforced rules; the desk asks them before it records an intent.
pub fn desk_gate(policy: &Policy, facts: &DeskFacts, intent: &Intent) -> Verdict {
    let Intent::Place(order) = intent else {
        return Verdict::Allow;
    };
    let Some(mark) = facts.mark else {
        return Verdict::Deny(Reason::Mark { symbol: order.symbol.clone() });
    };
    let Some(asked) = order.spec.price() else {
        return market_value(policy, mark, order);
    };
    let room = mark.value() * Decimal::from(policy.price_collar_bps) / Decimal::from(BPS_PER_ONE);
    let too_far = match order.side {
        Side::Buy => asked.value() > mark.value() + room,
        Side::Sell => asked.value() < mark.value() - room,
    };
    if too_far {
        return Verdict::Deny(Reason::PriceCollar { asked, mark, collar_bps: policy.price_collar_bps });
    }
    Verdict::Allow
}

/// A market order by base quantity has no price of its own: its value at the mark must fit.
fn market_value(policy: &Policy, mark: Price, order: &PlaceOrder) -> Verdict {
    let value = order.spec.quantity().and_then(|quantity| mark.checked_mul(quantity));
    match value {
        Some(asked) if asked > policy.order_notional_max => Verdict::Deny(Reason::MaxNotional { asked, max: policy.order_notional_max }),
        _ => Verdict::Allow,
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::{ClientOrderId, Notional, OrderRef, Quantity, Symbol, TimeInForce};

    use super::*;

    fn order(symbol: &str, side: Side, spec: OrderSpec) -> Intent {
        Intent::Place(PlaceOrder {
            client_order_id: ClientOrderId::parse("t").unwrap(),
            symbol: Symbol::parse(symbol).unwrap(),
            side,
            spec,
        })
    }

    fn limit(symbol: &str, price: &str, quantity: &str) -> Intent {
        let spec =
            OrderSpec::Limit { price: Price::parse(price).unwrap(), quantity: Quantity::parse(quantity).unwrap(), tif: TimeInForce::Gtc };
        order(symbol, Side::Buy, spec)
    }

    fn ask(intent: &Intent, freeze: Option<&Freeze>, session: Result<&Session, SessionEnd>, now_ms: u64) -> String {
        let facts = SignerFacts { freeze, session, rate: &mut OrderRate::default(), now_ms };
        match signer_gate(&Policy::initial(), facts, intent) {
            Verdict::Allow => "allow".to_owned(),
            Verdict::StepUp => "step-up".to_owned(),
            Verdict::Deny(reason) => reason.rule().to_owned(),
        }
    }

    #[test]
    fn at_the_limit_and_one_step_beyond() {
        let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
        for (symbol, price, quantity, expected) in [
            ("BTCUSDT", "50000", "0.5", "allow"),
            ("BTCUSDT", "50000", "0.50000001", "max-notional"),
            ("BTCUSDT", "1000", "1", "allow"),
            ("BTCUSDT", "1000", "1.00000001", "max-quantity"),
            ("BTCUSDT", "999.99", "1", "price-band"),
            ("BTCUSDT", "1000000", "0.01", "allow"),
            ("BTCUSDT", "1000000.01", "0.001", "price-band"),
            ("DOGEUSDT", "1", "1", "instrument"),
            ("BTCUSDT", "50000", "0", "max-notional"),
        ] {
            assert_eq!(ask(&limit(symbol, price, quantity), None, Ok(&session), 0), expected, "{quantity} {symbol} at {price}");
        }
    }

    #[test]
    fn kill_switch_session_and_role_come_first() {
        let intent = limit("BTCUSDT", "50000", "0.1");
        let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
        let viewer = Session { roles: vec![Role::Viewer], ..session.clone() };
        let freeze = Freeze { why: "test".to_owned() };
        assert_eq!(ask(&intent, Some(&freeze), Ok(&session), 0), "kill-switch");
        assert_eq!(ask(&intent, None, Err(SessionEnd::Locked), 0), "session");
        assert_eq!(ask(&intent, None, Ok(&session), 15 * 60_000), "session");
        assert_eq!(ask(&intent, None, Ok(&viewer), 0), "role");
        let cancel = Intent::Cancel { symbol: Symbol::parse("X").unwrap(), order: OrderRef::Client(ClientOrderId::parse("t").unwrap()) };
        assert_eq!(ask(&cancel, Some(&freeze), Err(SessionEnd::Locked), 0), "allow");
    }

    #[test]
    fn market_orders_are_bounded_in_the_size_they_have() {
        let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
        let quote = |n: &str| order("BTCUSDT", Side::Buy, OrderSpec::Market { size: MarketSize::Quote(Notional::parse(n).unwrap()) });
        let base = |n: &str| order("BTCUSDT", Side::Sell, OrderSpec::Market { size: MarketSize::Base(Quantity::parse(n).unwrap()) });
        assert_eq!(ask(&quote("25000"), None, Ok(&session), 0), "allow");
        assert_eq!(ask(&quote("25000.01"), None, Ok(&session), 0), "max-notional");
        assert_eq!(ask(&base("1"), None, Ok(&session), 0), "allow");
        assert_eq!(ask(&base("1.1"), None, Ok(&session), 0), "max-quantity");
        let facts = DeskFacts { mark: Price::parse("100000").ok() };
        assert!(matches!(desk_gate(&Policy::initial(), &facts, &base("1")), Verdict::Deny(Reason::MaxNotional { .. })));
    }

    #[test]
    fn collar_binds_on_the_losing_side_only() {
        let facts = DeskFacts { mark: Price::parse("100").ok() };
        let spec = |price: &str| OrderSpec::PostOnly { price: Price::parse(price).unwrap(), quantity: Quantity::parse("1").unwrap() };
        for (side, price, allowed) in [
            (Side::Buy, "105", true),
            (Side::Buy, "105.01", false),
            (Side::Buy, "1", true),
            (Side::Sell, "95", true),
            (Side::Sell, "94.99", false),
            (Side::Sell, "1000", true),
        ] {
            let verdict = desk_gate(&Policy::initial(), &facts, &order("BTCUSDT", side, spec(price)));
            assert_eq!(verdict == Verdict::Allow, allowed, "{side:?} at {price}: {verdict:?}");
        }
        assert!(matches!(
            desk_gate(&Policy::initial(), &DeskFacts { mark: None }, &limit("BTCUSDT", "1", "1")),
            Verdict::Deny(Reason::Mark { .. })
        ));
    }

    #[test]
    fn order_rate_is_an_exact_window() {
        let mut rate = OrderRate::default();
        for at in [0, 10, 20] {
            assert_eq!(rate.wait_ms(3, at), None);
            rate.count(at);
        }
        assert_eq!(rate.wait_ms(3, 30), Some(59_970));
        assert_eq!(rate.wait_ms(3, 59_999), Some(1));
        assert_eq!(rate.wait_ms(3, 60_000), None);
        assert!(rate.wait_ms(0, 60_000).is_some());
    }
}
