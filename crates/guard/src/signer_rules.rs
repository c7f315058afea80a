//! The rules that hold against a desk that lies. Invariant: tightening a limit never allows more, and a cancel is never denied.

use rust_decimal::Decimal;
use strongroom_model::{Intent, KeyScope, MarketSize, Notional, OrderSpec, OutOfScope, PlaceOrder, Quantity, Side, Symbol, Timestamp};

use crate::access::{Session, SessionEnd};
use crate::freezes::Freeze;
use crate::order_rate::OrderRate;
use crate::permissions::Permission;
use crate::policy::{InstrumentPolicy, Policy};
use crate::reason::Reason;
use crate::rules::Verdict;
use crate::thresholds::{By, Over, Turnovers};
use crate::turnover::Turnover;

/// The largest number that whoever reads a reason takes; what is more is told as this.
const SAYABLE_MAX: u64 = 999_999_999_999_999_999;
/// Most instruments that a refusal names.
const LISTED_MAX: usize = 8;

/// What the signer knows by itself.
pub struct SignerFacts<'a> {
    /// What of the kill switch stops this order with this key.
    pub freeze: Option<&'a Freeze>,
    /// The session, or how the last one ended.
    pub session: Result<&'a Session, SessionEnd>,
    /// For what the credential may be used.
    pub scope: &'a KeyScope,
    /// Orders signed lately.
    pub rate: &'a mut OrderRate,
    /// What was signed in the last day.
    pub turnover: &'a mut Turnover,
    /// By which slot the session is.
    pub slot: Option<u16>,
    /// What each that has a threshold signed in the last day.
    pub turnovers: &'a mut Turnovers,
    /// Whether a person confirmed this very order with a code.
    pub is_confirmed: bool,
    /// The signer's own monotonic clock.
    pub now_ms: u64,
    /// UTC, as the signer believes.
    pub wall: Timestamp,
}

/// The signer-enforced rules.
pub fn signer_gate(policy: &Policy, facts: SignerFacts<'_>, intent: &Intent) -> Verdict {
    let told = match intent {
        Intent::Place(order) => signer_rules(policy, facts, intent, order),
        // Whoever took the desk over may still look after what stands, and no more than the key is for.
        _ => in_scope(&facts, intent),
    };
    told.map_or_else(Verdict::Deny, |()| Verdict::Allow)
}

fn signer_rules(policy: &Policy, facts: SignerFacts<'_>, intent: &Intent, order: &PlaceOrder) -> Result<(), Reason> {
    if let Some(freeze) = facts.freeze {
        return Err(Reason::KillSwitch { why: freeze.to_string() });
    }
    let session = facts.session.map_err(|end| Reason::Session { end })?;
    if let Some(end) = session.end(facts.now_ms, policy.session_idle_ms, policy.session_age_max_ms) {
        return Err(Reason::Session { end });
    }
    Permission::PlaceOrder.check(session)?;
    in_scope(&facts, intent)?;
    let instrument = policy.instrument(&order.symbol).ok_or_else(|| unlisted(policy, &order.symbol))?;
    let currency = || policy.currency.clone();
    if order.reduce_only && !order.can_only_reduce() {
        return Err(Reason::ReduceOnly);
    }
    if let Some(retry_after_ms) = facts.rate.wait_ms(policy.orders_per_minute, facts.now_ms) {
        return Err(Reason::OrderRate { limit: policy.orders_per_minute, retry_after_ms });
    }
    let asked = quantity_at_most(order, instrument);
    if asked > instrument.quantity_max {
        let asked = Quantity::new(asked.value().min(SAYABLE_MAX.into())).unwrap_or_default();
        return Err(Reason::MaxQuantity { asked, max: instrument.quantity_max });
    }
    if order.spec.price().is_some() || matches!(order.spec, OrderSpec::Market { size: MarketSize::Quote(_) }) {
        // What cannot be held is nothing, and nothing is not allowed.
        let asked = order.spec.notional().and_then(|value| instrument.in_currency(value)).unwrap_or_default();
        if asked > policy.order_notional_max || asked.is_zero() {
            return Err(Reason::MaxNotional { asked: sayable(asked), max: policy.order_notional_max, currency: currency() });
        }
    }
    if let Some(asked) = order.spec.price()
        && !(instrument.price_low..=instrument.price_high).contains(&asked)
    {
        return Err(Reason::PriceBand { asked, low: instrument.price_low, high: instrument.price_high });
    }
    let asked = worth_at_most(order, instrument);
    if let Some(most) = facts.scope.notional_max.filter(|most| asked > *most) {
        let (asked, currency) = (sayable(asked), &policy.currency);
        let (asked, allowed) = (format!("an order worth up to {asked} {currency}"), format!("its orders are worth at most {most} each"));
        return Err(Reason::Scope { asked, allowed });
    }
    let counted = facts.turnover.of_day(facts.wall_s());
    if counted.checked_add(asked).is_none_or(|sum| sum > policy.day_notional_max) {
        let retry_after_ms = facts.turnover.eases_in_ms(facts.wall_s());
        let (asked, max) = (sayable(asked), policy.day_notional_max);
        return Err(Reason::DayNotional { asked, counted, max, currency: currency(), retry_after_ms });
    }
    let by = By { slot: facts.slot, order: &order.client_order_id };
    facts.turnovers.check(&policy.thresholds, by, asked, facts.wall_s()).map_err(|over| {
        let Over { of, counted, max, retry_after_ms } = over;
        Reason::Threshold { of, asked: sayable(asked), counted, max, currency: currency(), retry_after_ms }
    })?;
    match policy.confirm_above {
        // Nobody is kept from taking risk away for want of a code.
        Some(above) if asked > above && !facts.is_confirmed && !order.reduce_only => {
            Err(Reason::Confirm { asked: sayable(asked), above, currency: currency() })
        }
        _ => Ok(()),
    }
}

fn in_scope(facts: &SignerFacts<'_>, intent: &Intent) -> Result<(), Reason> {
    match facts.scope.refuses(intent, facts.wall) {
        Some(OutOfScope { asked, allowed }) => Err(Reason::Scope { asked, allowed }),
        None => Ok(()),
    }
}

/// Why nothing of that instrument is signed, if it is not on the list.
pub fn not_listed(policy: &Policy, symbol: &Symbol) -> Option<Reason> {
    policy.instrument(symbol).is_none().then(|| unlisted(policy, symbol))
}

fn unlisted(policy: &Policy, symbol: &Symbol) -> Reason {
    Reason::Instrument { symbol: symbol.clone(), listed: listed(policy) }
}

/// The first of what is on the list.
fn listed(policy: &Policy) -> String {
    let names: Vec<&str> = policy.instruments.iter().take(LISTED_MAX).map(|listed| listed.symbol.as_str()).collect();
    match policy.instruments.len().checked_sub(LISTED_MAX) {
        _ if names.is_empty() => "nothing".to_owned(),
        Some(more) if more > 0 => format!("{} and {more} more", names.join(", ")),
        _ => names.join(", "),
    }
}

fn sayable(value: Notional) -> Notional {
    Notional::new(value.value().min(SAYABLE_MAX.into())).unwrap_or_default()
}

impl SignerFacts<'_> {
    fn wall_s(&self) -> u64 {
        u64::try_from(self.wall.ms() / 1_000).unwrap_or(0)
    }
}

/// The most base quantity that an order can move at prices inside the band. Selling for an amount of the quote asset moves the more, the
/// lower the price.
fn quantity_at_most(order: &PlaceOrder, instrument: &InstrumentPolicy) -> Quantity {
    match (order.spec, order.side) {
        (OrderSpec::Market { size: MarketSize::Quote(notional) }, Side::Sell) => {
            let most = notional.value().checked_div(instrument.counted_from().value()).unwrap_or(Decimal::MAX);
            Quantity::new(most).unwrap_or_default()
        }
        (spec, _) => spec.quantity().unwrap_or_default(),
    }
}

/// The most that an order can be worth at prices inside the band, in the currency of the limits: a sale, or an order without a price, at its
/// top. What cannot be held is more than any limit.
pub fn worth_at_most(order: &PlaceOrder, instrument: &InstrumentPolicy) -> Notional {
    let value = match (order.spec, order.spec.price(), order.side) {
        (OrderSpec::Market { size: MarketSize::Quote(notional) }, _, Side::Buy) => Some(notional),
        (spec, Some(_), Side::Buy) => spec.notional(),
        _ => instrument.counted_to().checked_mul(quantity_at_most(order, instrument)),
    };
    value.and_then(|value| instrument.in_currency(value)).unwrap_or_else(|| Notional::new(Decimal::MAX).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use strongroom_model::{ClientOrderId, OrderRef, Price, Role, TimeInForce};

    use super::*;
    use crate::thresholds::{Actor, Threshold};

    fn order(symbol: &str, side: Side, spec: OrderSpec) -> Intent {
        Intent::Place(PlaceOrder {
            client_order_id: ClientOrderId::parse("t").unwrap(),
            symbol: Symbol::parse(symbol).unwrap(),
            side,
            spec,
            reduce_only: false,
        })
    }

    fn limit(symbol: &str, price: &str, quantity: &str) -> Intent {
        let spec =
            OrderSpec::Limit { price: Price::parse(price).unwrap(), quantity: Quantity::parse(quantity).unwrap(), tif: TimeInForce::Gtc };
        order(symbol, Side::Buy, spec)
    }

    fn facts(session: &Session) -> SignerFacts<'_> {
        SignerFacts {
            freeze: None,
            session: Ok(session),
            scope: Box::leak(Box::default()),
            rate: Box::leak(Box::default()),
            turnover: Box::leak(Box::default()),
            slot: None,
            turnovers: Box::leak(Box::default()),
            is_confirmed: false,
            now_ms: 0,
            wall: Timestamp::from_ms(0),
        }
    }

    fn ask(intent: &Intent, freeze: Option<&Freeze>, session: Result<&Session, SessionEnd>, now_ms: u64) -> String {
        let nobody = Session { opened_ms: 0, used_ms: 0, roles: vec![], is_service: false };
        answer(&Policy::initial(), SignerFacts { freeze, session, now_ms, ..facts(&nobody) }, intent)
    }

    fn answer(policy: &Policy, facts: SignerFacts<'_>, intent: &Intent) -> String {
        match signer_gate(policy, facts, intent) {
            Verdict::Allow => "allow".to_owned(),
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
            ("BTCUSDT", "400000", "0.01", "allow"),
            ("BTCUSDT", "400000.01", "0.001", "price-band"),
            ("DOGEUSDT", "1", "1", "instrument"),
            ("BTCUSDT", "50000", "0", "max-notional"),
        ] {
            assert_eq!(ask(&limit(symbol, price, quantity), None, Ok(&session), 0), expected, "{quantity} {symbol} at {price}");
        }
    }

    #[test]
    fn the_day_the_key_the_minute_and_the_code_at_the_limit_and_one_step_beyond() {
        let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
        let notional = |text: &str| Notional::parse(text).unwrap();
        let policy = Policy {
            day_notional_max: notional("10000"),
            orders_per_minute: 3,
            confirm_above: Some(notional("5000")),
            ..Policy::initial()
        };
        let narrow = KeyScope { notional_max: Some(notional("2000")), ..KeyScope::default() };
        // What was signed before, how many orders in this minute, whether it is confirmed, and whether the key is narrow.
        for (counted, in_minute, is_confirmed, is_narrow, price, quantity, expected) in [
            ("9000", 0, false, false, "10000", "0.1", "allow"),
            ("9000", 0, false, false, "10000", "0.100001", "day-notional"),
            ("9000.01", 0, false, false, "10000", "0.1", "day-notional"),
            ("0", 2, false, false, "10000", "0.1", "allow"),
            ("0", 3, false, false, "10000", "0.1", "order-rate"),
            ("0", 0, false, false, "10000", "0.5", "allow"),
            ("0", 0, false, false, "10000", "0.500001", "confirm"),
            ("0", 0, true, false, "10000", "0.500001", "allow"),
            ("0", 0, false, true, "10000", "0.2", "allow"),
            ("0", 0, false, true, "10000", "0.200001", "scope"),
        ] {
            let (mut rate, mut turnover) = (OrderRate::default(), Turnover::default());
            (0..in_minute).for_each(|at| rate.count(at));
            assert!(turnover.count(notional(counted), 0));
            let scope = if is_narrow { narrow.clone() } else { KeyScope::default() };
            let facts =
                SignerFacts { rate: &mut rate, turnover: &mut turnover, scope: &scope, is_confirmed, now_ms: 10, ..facts(&session) };
            let told = answer(&policy, facts, &limit("BTCUSDT", price, quantity));
            assert_eq!(told, expected, "{quantity} at {price} after {counted} and {in_minute} orders");
        }
    }

    #[test]
    fn kill_switch_session_and_role_come_first() {
        let intent = limit("BTCUSDT", "50000", "0.1");
        let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
        let viewer = Session { roles: vec![Role::Viewer], ..session.clone() };
        let freeze = Freeze::everything("test");
        assert_eq!(ask(&intent, Some(&freeze), Ok(&session), 0), "kill-switch");
        assert_eq!(ask(&intent, None, Err(SessionEnd::Locked), 0), "session");
        assert_eq!(ask(&intent, None, Ok(&session), 5 * 60_000), "session");
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
        let sell_for = |n: &str| order("BTCUSDT", Side::Sell, OrderSpec::Market { size: MarketSize::Quote(Notional::parse(n).unwrap()) });
        assert_eq!(ask(&sell_for("1000"), None, Ok(&session), 0), "allow");
        assert_eq!(ask(&sell_for("1000.01"), None, Ok(&session), 0), "max-quantity", "at the band's lowest price that is more than one");
    }

    #[test]
    fn a_threshold_binds_one_person_or_bot() {
        let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
        let policy = Policy {
            thresholds: vec![Threshold { of: Actor::Person(2), day_notional_max: Notional::parse("10000").unwrap() }],
            ..Policy::initial()
        };
        for (slot, quantity, expected) in [
            (Some(2), "0.2", "allow"),
            (Some(2), "0.20000001", "threshold"),
            (Some(3), "0.20000001", "allow"),
            (None, "0.20000001", "allow"),
        ] {
            let facts = SignerFacts { slot, ..facts(&session) };
            assert_eq!(answer(&policy, facts, &limit("BTCUSDT", "50000", quantity)), expected, "{slot:?} {quantity}");
        }
    }

    #[test]
    fn what_may_only_reduce_needs_no_code_and_cannot_buy() {
        let session = Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false };
        let policy = Policy { confirm_above: Notional::parse("100").ok(), ..Policy::initial() };
        let spec = OrderSpec::Market { size: MarketSize::Base(Quantity::parse("1").unwrap()) };
        for (side, reduce_only, expected) in
            [(Side::Sell, false, "confirm"), (Side::Sell, true, "allow"), (Side::Buy, true, "reduce-only"), (Side::Buy, false, "confirm")]
        {
            let Intent::Place(order) = order("BTCUSDT", side, spec) else { panic!() };
            let intent = Intent::Place(PlaceOrder { reduce_only, ..order });
            assert_eq!(answer(&policy, facts(&session), &intent), expected, "{side:?} {reduce_only}");
        }
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
