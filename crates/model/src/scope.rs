//! For what a credential may be used. Invariant: what is not said is not restricted; a scope never allows more than its absence.

use serde::{Deserialize, Serialize};

use crate::{Intent, MarketSize, Notional, OrderSpec, PlaceOrder, Side, Symbol, Timestamp};

const INSTRUMENTS_MAX: usize = 50;
const MINUTES_PER_DAY: u16 = 1_440;

/// The kind of an order, without its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum OrderKind {
    /// See [`OrderSpec::Limit`].
    Limit,
    /// See [`OrderSpec::PostOnly`].
    PostOnly,
    /// See [`OrderSpec::Market`].
    Market,
}

impl OrderSpec {
    /// Its kind.
    pub const fn kind(&self) -> OrderKind {
        match self {
            Self::Limit { .. } => OrderKind::Limit,
            Self::PostOnly { .. } => OrderKind::PostOnly,
            Self::Market { .. } => OrderKind::Market,
        }
    }

    /// Price times quantity, or the quote amount, where it is known beforehand; nothing, too, when it cannot be held.
    pub fn notional(&self) -> Option<Notional> {
        match self {
            Self::Market { size: MarketSize::Quote(notional) } => Some(*notional),
            spec => spec.price()?.checked_mul(spec.quantity()?),
        }
    }
}

/// What a credential can be used for beside looking after orders that stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum KeyOperation {
    /// New orders.
    Place,
    /// Making an order smaller.
    Amend,
    /// A look at balances and what the account has.
    Read,
    /// Following the account's stream.
    Stream,
}

impl KeyOperation {
    /// All.
    pub const ALL: [Self; 4] = [Self::Place, Self::Amend, Self::Read, Self::Stream];

    /// Which one an intent is; nothing: what looks after orders that stand, takes risk away, or asks what the key may do.
    pub const fn of(intent: &Intent) -> Option<Self> {
        match intent {
            Intent::Place(_) => Some(Self::Place),
            Intent::Amend { .. } => Some(Self::Amend),
            Intent::QueryBalances => Some(Self::Read),
            Intent::StreamLogin => Some(Self::Stream),
            Intent::Cancel { .. }
            | Intent::CancelAll { .. }
            | Intent::QueryOrder { .. }
            | Intent::QueryTrades { .. }
            | Intent::QueryOpenOrders { .. }
            | Intent::QueryKeyRights
            | Intent::DeadMan { .. } => None,
        }
    }

    /// For people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Place => "new orders",
            Self::Amend => "smaller orders",
            Self::Read => "balances",
            Self::Stream => "the account's stream",
        }
    }
}

/// Why something is outside of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfScope {
    /// What was asked for.
    pub asked: String,
    /// What is inside.
    pub allowed: String,
}

/// A time of the day, UTC, that may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DayWindow {
    /// First minute of the day (0 to 1439).
    pub from_minute: u16,
    /// The minute in which it is over.
    pub until_minute: u16,
}

impl DayWindow {
    /// Whether that moment is inside.
    pub fn holds(self, at: Timestamp) -> bool {
        let minute = u16::try_from(at.ms().div_euclid(60_000).rem_euclid(i64::from(MINUTES_PER_DAY))).unwrap_or(0);
        if self.from_minute <= self.until_minute {
            (self.from_minute..self.until_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.until_minute
        }
    }
}

/// For what a credential may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KeyScope {
    /// Only for these; none: for all. Orders that stand are looked after and taken back with any key.
    pub operations: Vec<KeyOperation>,
    /// Only these instruments; none: all.
    pub instruments: Vec<Symbol>,
    /// Only this side.
    pub side: Option<Side>,
    /// Only these kinds of orders; none: all.
    pub kinds: Vec<OrderKind>,
    /// Most value of one order, in the currency of the limits and compared where those are known; orders of unknown value are not placed.
    pub notional_max: Option<Notional>,
    /// Only in this time of the day.
    pub hours: Option<DayWindow>,
}

impl KeyScope {
    /// Whether it makes sense.
    pub fn fits(&self) -> bool {
        let hours = self.hours.is_none_or(|hours| {
            hours.from_minute < MINUTES_PER_DAY && hours.until_minute <= MINUTES_PER_DAY && hours.from_minute != hours.until_minute
        });
        let lists = self.instruments.len() <= INSTRUMENTS_MAX && self.kinds.len() <= 3 && self.operations.len() <= KeyOperation::ALL.len();
        lists && hours
    }

    /// Why an intent is outside of it. Looking after orders that stand never is.
    pub fn refuses(&self, intent: &Intent, at: Timestamp) -> Option<OutOfScope> {
        let out = |asked: String, allowed: String| Some(OutOfScope { asked, allowed });
        let list = |names: Vec<String>| names.join(", ");
        let operation = KeyOperation::of(intent)?;
        if !self.operations.is_empty() && !self.operations.contains(&operation) {
            let allowed = list(self.operations.iter().map(|operation| operation.word().to_owned()).collect());
            return out(operation.word().to_owned(), format!("it is for {allowed} only"));
        }
        let Intent::Place(PlaceOrder { symbol, side, spec, .. }) = intent else { return None };
        if !self.instruments.is_empty() && !self.instruments.contains(symbol) {
            let only = list(self.instruments.iter().map(Symbol::to_string).collect());
            return out(symbol.to_string(), format!("it trades {only} only"));
        }
        if let Some(own) = self.side.filter(|own| own != side) {
            return out(format!("to {}", side.word()), format!("it only {}s", own.word()));
        }
        if !self.kinds.is_empty() && !self.kinds.contains(&spec.kind()) {
            let only = list(self.kinds.iter().map(|kind| kind.word().to_owned()).collect());
            return out(format!("a {} order", spec.kind().word()), format!("it places {only} orders only"));
        }
        if let Some(most) = self.notional_max.filter(|_| spec.notional().is_none()) {
            return out("a value that is not known beforehand".to_owned(), format!("its orders are worth at most {most} each"));
        }
        if let Some(hours) = self.hours.filter(|hours| !hours.holds(at)) {
            let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
            let now = clock(at.ms().div_euclid(60_000).rem_euclid(i64::from(MINUTES_PER_DAY)));
            let (from, until) = (clock(hours.from_minute.into()), clock(hours.until_minute.into()));
            return out(format!("an order at {now} UTC"), format!("it trades from {from} to {until} UTC"));
        }
        None
    }

    /// For people; empty: for everything.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend((!self.operations.is_empty()).then(|| {
            let words: Vec<&str> = self.operations.iter().map(|operation| operation.word()).collect();
            format!("for {} only", words.join(", "))
        }));
        words.extend((!self.instruments.is_empty()).then(|| self.instruments.iter().map(Symbol::to_string).collect::<Vec<_>>().join(" ")));
        words.extend(self.side.map(|side| format!("{}s only", side.word())));
        words.extend(
            (!self.kinds.is_empty()).then(|| format!("{} only", self.kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", "))),
        );
        words.extend(self.notional_max.map(|most| format!("at most {most} an order")));
        words.extend(self.hours.map(|hours| {
            let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            format!("{} to {} UTC", clock(hours.from_minute), clock(hours.until_minute))
        }));
        words.join("; ")
    }
}

impl OrderKind {
    /// For people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::PostOnly => "post-only",
            Self::Market => "market",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientOrderId, Operation, OrderRef, Price, Quantity, TimeInForce, VenueOrderId};

    fn place(symbol: &str, side: Side, spec: OrderSpec) -> Intent {
        Intent::Place(PlaceOrder {
            client_order_id: ClientOrderId::parse("t").unwrap(),
            symbol: Symbol::parse(symbol).unwrap(),
            side,
            spec,
            reduce_only: false,
        })
    }

    fn limit(quantity: &str) -> OrderSpec {
        let (price, quantity) = (Price::parse("100").unwrap(), Quantity::parse(quantity).unwrap());
        OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc }
    }

    #[test]
    fn each_part_binds_at_its_edge() {
        let market = OrderSpec::Market { size: MarketSize::Base(Quantity::parse("1").unwrap()) };
        let for_quote = |amount: &str| OrderSpec::Market { size: MarketSize::Quote(Notional::parse(amount).unwrap()) };
        let noon = Timestamp::from_ms(1_800_000_000_000 / 86_400_000 * 86_400_000 + 12 * 3_600_000);
        let btc = Symbol::parse("BTCUSDT").unwrap();
        let open = KeyScope::default();
        let hours = |from_minute, until_minute| KeyScope { hours: Some(DayWindow { from_minute, until_minute }), ..KeyScope::default() };
        let worth = KeyScope { notional_max: Notional::parse("100").ok(), ..open.clone() };
        for (scope, intent, passes) in [
            (open.clone(), place("BTCUSDT", Side::Buy, market), true),
            (KeyScope { operations: vec![KeyOperation::Place], ..open.clone() }, place("BTCUSDT", Side::Buy, limit("1")), true),
            (KeyScope { operations: vec![KeyOperation::Amend], ..open.clone() }, place("BTCUSDT", Side::Buy, limit("1")), false),
            (KeyScope { instruments: vec![btc.clone()], ..open.clone() }, place("BTCUSDT", Side::Buy, limit("1")), true),
            (KeyScope { instruments: vec![btc], ..open.clone() }, place("ETHUSDT", Side::Buy, limit("1")), false),
            (KeyScope { side: Some(Side::Sell), ..open.clone() }, place("BTCUSDT", Side::Sell, limit("1")), true),
            (KeyScope { side: Some(Side::Sell), ..open.clone() }, place("BTCUSDT", Side::Buy, limit("1")), false),
            (KeyScope { kinds: vec![OrderKind::Limit, OrderKind::Market], ..open.clone() }, place("BTCUSDT", Side::Buy, limit("1")), true),
            (KeyScope { kinds: vec![OrderKind::Limit], ..open.clone() }, place("BTCUSDT", Side::Buy, market), false),
            (KeyScope { kinds: vec![OrderKind::PostOnly], ..open.clone() }, place("BTCUSDT", Side::Buy, limit("1")), false),
            (worth.clone(), place("BTCUSDT", Side::Buy, limit("1")), true),
            (worth.clone(), place("BTCUSDT", Side::Buy, for_quote("100")), true),
            (worth, place("BTCUSDT", Side::Buy, market), false),
            (hours(720, 721), place("BTCUSDT", Side::Buy, limit("1")), true),
            (hours(721, 722), place("BTCUSDT", Side::Buy, limit("1")), false),
            (hours(600, 720), place("BTCUSDT", Side::Buy, limit("1")), false),
            (hours(1_380, 721), place("BTCUSDT", Side::Buy, limit("1")), true),
            (hours(1_380, 720), place("BTCUSDT", Side::Buy, limit("1")), false),
        ] {
            assert!(scope.fits());
            assert_eq!(scope.refuses(&intent, noon).is_none(), passes, "{scope:?} {intent:?}");
        }
        assert!(!hours(5, 5).fits() && !hours(1_440, 5).fits() && !hours(5, 1_441).fits());
        assert!(hours(1_439, 1_440).fits() && hours(0, 1_440).fits());
        let instruments = |count: usize| KeyScope { instruments: vec![Symbol::parse("X").unwrap(); count], ..KeyScope::default() };
        assert!(instruments(INSTRUMENTS_MAX).fits() && !instruments(INSTRUMENTS_MAX + 1).fits());
        let kinds = |count: usize| KeyScope { kinds: vec![OrderKind::Limit; count], ..KeyScope::default() };
        assert!(kinds(3).fits() && !kinds(4).fits());
    }

    /// Every operation alone, and that no other is inside.
    #[test]
    fn an_operation_is_inside_where_it_is_named() {
        let symbol = || Symbol::parse("X").unwrap();
        let order = ClientOrderId::parse("t").unwrap();
        let intents = [
            (KeyOperation::Place, place("X", Side::Buy, limit("1"))),
            (KeyOperation::Amend, Intent::Amend { symbol: symbol(), order, quantity: Quantity::parse("1").unwrap() }),
            (KeyOperation::Read, Intent::QueryBalances),
            (KeyOperation::Stream, Intent::StreamLogin),
        ];
        for named in KeyOperation::ALL {
            let scope = KeyScope { operations: vec![named], ..KeyScope::default() };
            for (operation, intent) in &intents {
                assert_eq!(scope.refuses(intent, Timestamp::from_ms(0)).is_none(), named == *operation, "{named:?} {intent:?}");
                assert_eq!(KeyScope::default().refuses(intent, Timestamp::from_ms(0)), None);
            }
        }
    }

    /// An order that stands can be looked after and taken back with whatever scope.
    #[test]
    fn looking_after_what_stands_is_never_outside() {
        let (symbol, order) = (|| Symbol::parse("X").unwrap(), || ClientOrderId::parse("t").unwrap());
        let narrowest = KeyScope {
            operations: vec![KeyOperation::Stream],
            instruments: vec![Symbol::parse("Y").unwrap()],
            side: Some(Side::Sell),
            kinds: vec![OrderKind::PostOnly],
            notional_max: Notional::parse("0.01").ok(),
            hours: Some(DayWindow { from_minute: 5, until_minute: 6 }),
        };
        let at = Timestamp::from_ms(0);
        for intent in [
            Intent::Cancel { symbol: symbol(), order: OrderRef::Client(order()) },
            Intent::CancelAll { symbol: symbol() },
            Intent::QueryOrder { symbol: symbol(), order: OrderRef::Client(order()) },
            Intent::QueryTrades { symbol: symbol(), order: VenueOrderId(1) },
            Intent::QueryOpenOrders { symbol: Some(symbol()) },
            Intent::QueryKeyRights,
            Intent::DeadMan { symbol: None, countdown_ms: 0 },
            Intent::QueryKeyRights,
            Intent::StreamLogin,
            Intent::DeadMan { symbol: None, countdown_ms: 1 },
        ] {
            assert_ne!(intent.operation(), Operation::Place);
            assert_eq!(narrowest.refuses(&intent, at), None, "{intent:?}");
        }
        assert!(narrowest.refuses(&place("X", Side::Buy, limit("1")), at).is_some());
    }
}
