//! What can be said of a drafted order. Invariant: pure; the same rules decide when the order is sent, so a check that
//! passes here and fails there means that the world changed between.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use strongroom_desk_api::{BookView, Check, CheckState, Checks, Enforcer};
use strongroom_guard::{Judgement, OrderRate, Policy, Reason, Role, Session, SignerFacts, Turnover, Turnovers, Verdict, signer_gate};
use strongroom_model::{
    Amount, Balance, FilterError, Instrument, Intent, KeyScope, Level, MarketSize, Notional, OrderSpec, PlaceOrder, Price, Quantity, Side,
    Timestamp,
};

/// Above this part of the asset that is given, in percent, the size is asked about.
const SIZE_GUIDE_PERCENT: u32 = 25;
/// Above this difference from the middle, in hundredths of a percent, a market order is asked about.
const SLIPPAGE_GUIDE_BPS: u32 = 50;

/// What is known when an order is drafted.
pub(crate) struct Facts<'a> {
    pub(crate) policy: Option<&'a Policy>,
    pub(crate) killed: Option<&'a str>,
    /// For what the key in use may be used.
    pub(crate) scope: KeyScope,
    /// Now, for hours of a scope.
    pub(crate) at: Timestamp,
    pub(crate) instrument: Option<&'a Instrument>,
    /// What the venue's filters say.
    pub(crate) filters: Result<(), FilterError>,
    pub(crate) book: Option<&'a BookView>,
    pub(crate) mark: Option<Price>,
    pub(crate) balances: &'a [Balance],
    /// Fee per notional, from the last fill.
    pub(crate) fee_rate: Option<Decimal>,
}

/// All checks of an order.
pub(crate) fn checks(facts: &Facts<'_>, judgement: Option<&Judgement>, order: &PlaceOrder) -> Checks {
    let notional = value(facts, order);
    let (base, quote) = facts.instrument.map_or(("", ""), |instrument| (instrument.base.as_str(), instrument.quote.as_str()));
    let given_asset = if order.side == Side::Buy { quote } else { base };
    let given = match order.side {
        Side::Buy => notional.map(Notional::value),
        Side::Sell => quantity(facts, order).map(Quantity::value),
    };
    let free = facts.balances.iter().find(|balance| balance.asset == given_asset).map_or(Decimal::ZERO, |balance| balance.free.value());
    let mut found = vec![switch(facts, judgement), limits(facts, order), collar(facts, judgement, order)];
    found.push(value_limit(facts, judgement, order, notional));
    found.push(match &facts.filters {
        Ok(()) => pass("Tick, lot, venue's bounds", steps(facts.instrument), Enforcer::Desk),
        Err(filter) => refuse("Tick, lot, venue's bounds", sentence(&filter.to_string()), steps(facts.instrument), Enforcer::Desk),
    });
    if !facts.balances.is_empty() {
        found.push(balance(given, free, given_asset));
    }
    found.extend(slippage(facts, order, notional));
    found.extend(post_only(facts, order));
    found.extend(judgement.into_iter().flat_map(|judgement| other_rules(facts, judgement)));
    let fee = facts.fee_rate.zip(notional).and_then(|(rate, notional)| Amount::new(rate.checked_mul(notional.value())?.round_dp(8)));
    Checks {
        checks: found,
        words: order.words(),
        notional,
        fee,
        fee_asset: quote.to_owned(),
        balance_after: given.and_then(|given| Amount::new(free - given)),
        balance_asset: given_asset.to_owned(),
    }
}

/// How much `percent` of the free balance buys or sells.
pub(crate) fn size(facts: &Facts<'_>, side: Side, price: Option<Price>, percent: u32) -> Result<Quantity, String> {
    let instrument = facts.instrument.ok_or("the venue has not told its instruments yet")?;
    let asset = if side == Side::Buy { &instrument.quote } else { &instrument.base };
    let free = facts.balances.iter().find(|balance| balance.asset == *asset).map_or(Decimal::ZERO, |balance| balance.free.value());
    let part = free * Decimal::from(percent.clamp(1, 100)) / Decimal::ONE_HUNDRED;
    let quantity = match side {
        Side::Sell => part,
        Side::Buy => {
            let price = price.or(facts.mark).ok_or("the book is not current, so there is no price to reckon with")?;
            part.checked_div(price.value()).unwrap_or_default()
        }
    };
    Ok(Quantity::new(quantity).unwrap_or_default().floor_to(instrument.lot.step))
}

fn check(name: &str, state: CheckState, words: String, detail: String, by: Enforcer) -> Check {
    Check { name: name.to_owned(), state, words, detail, by, can_pass: false }
}

/// A rule of the desk that is not met.
fn broken(facts: &Facts<'_>, name: &str, state: CheckState, reason: &Reason, detail: String) -> Check {
    let can_pass = facts.policy.is_some_and(|policy| reason.can_be_overridden(policy));
    Check { can_pass, ..check(name, state, sentence(&reason.to_string()), detail, reason.enforcer()) }
}

fn pass(name: &str, detail: String, by: Enforcer) -> Check {
    check(name, CheckState::Pass, String::new(), detail, by)
}

/// A rule of the window alone.
fn ask(name: &str, words: String, detail: String) -> Check {
    check(name, CheckState::Ask, words, detail, Enforcer::Window)
}

fn refuse(name: &str, words: String, detail: String, by: Enforcer) -> Check {
    check(name, CheckState::Refuse, words, detail, by)
}

fn switch(facts: &Facts<'_>, judgement: Option<&Judgement>) -> Check {
    let stopped = judgement.into_iter().flat_map(|judgement| &judgement.refused).find_map(|reason| match reason {
        Reason::KillSwitch { why } => Some(why.as_str()),
        _ => None,
    });
    match stopped.or(facts.killed) {
        Some(why) => {
            refuse("Kill switch", format!("The kill switch is engaged ({why}). Re-arm first."), "engaged".to_owned(), Enforcer::Signer)
        }
        None => pass("Kill switch", "not engaged".to_owned(), Enforcer::Signer),
    }
}

/// The signer's own rules, but for session, rate and what was signed in a day, which only it knows.
fn limits(facts: &Facts<'_>, order: &PlaceOrder) -> Check {
    const NAME: &str = "Signer's limits";
    let Some(policy) = facts.policy else {
        return refuse(NAME, "The vault is sealed. Unlock first.".to_owned(), String::new(), Enforcer::Signer);
    };
    let detail = policy.instrument(&order.symbol).map_or_else(String::new, |limits| format!("at most {} each", limits.quantity_max));
    let session = Session { opened_ms: 0, used_ms: 0, roles: vec![Role::Trader], is_service: false };
    let signer = SignerFacts {
        freeze: None,
        session: Ok(&session),
        scope: &facts.scope,
        rate: &mut OrderRate::default(),
        turnover: &mut Turnover::default(),
        slot: None,
        turnovers: &mut Turnovers::default(),
        is_confirmed: false,
        now_ms: 0,
        wall: facts.at,
    };
    match signer_gate(policy, signer, &Intent::Place(order.clone())) {
        // The value has a check of its own.
        Verdict::Allow | Verdict::Deny(Reason::MaxNotional { .. }) => pass(NAME, detail, Enforcer::Signer),
        Verdict::Deny(reason @ Reason::Confirm { .. }) => {
            check(NAME, CheckState::Ask, sentence(&reason.to_string()), detail, Enforcer::Signer)
        }
        Verdict::Deny(reason) => refuse(NAME, sentence(&reason.to_string()), detail, Enforcer::Signer),
    }
}

fn collar(facts: &Facts<'_>, judgement: Option<&Judgement>, order: &PlaceOrder) -> Check {
    const NAME: &str = "Price inside collar";
    let Some(policy) = facts.policy else { return pass(NAME, String::new(), Enforcer::Desk) };
    let away = facts.mark.zip(order.spec.price()).and_then(|(mark, price)| {
        let away = (price.value() - mark.value()).abs().checked_div(mark.value())?.saturating_mul(Decimal::ONE_HUNDRED);
        Some(format!("{} of {} %", away.round_dp(2), percent(policy.price_collar_bps)))
    });
    let detail = away.unwrap_or_else(|| format!("{} %", percent(policy.price_collar_bps)));
    let is_mine = |reason: &&Reason| matches!(reason, Reason::PriceCollar { .. } | Reason::Mark { .. });
    let refused = judgement.and_then(|judgement| judgement.refused.iter().find(is_mine));
    let asked = judgement.and_then(|judgement| judgement.asks.iter().find(is_mine));
    match (refused, asked) {
        (Some(reason), _) => broken(facts, NAME, CheckState::Refuse, reason, detail),
        (None, Some(reason)) => broken(facts, NAME, CheckState::Ask, reason, detail),
        (None, None) => pass(NAME, detail, Enforcer::Desk),
    }
}

/// The desk's rules that have no line of their own and are not met.
fn other_rules(facts: &Facts<'_>, judgement: &Judgement) -> Vec<Check> {
    let has_line = |reason: &Reason| {
        matches!(reason, Reason::PriceCollar { .. } | Reason::Mark { .. } | Reason::ValueAtMark { .. } | Reason::KillSwitch { .. })
    };
    let refused = judgement.refused.iter().map(|reason| (reason, CheckState::Refuse));
    let asked = judgement.asks.iter().map(|reason| (reason, CheckState::Ask));
    let line = |(reason, state): (&Reason, CheckState)| {
        let title = match reason {
            Reason::Exposure { of: Some(of), .. } => format!("Exposure, {of}"),
            reason => reason.title().to_owned(),
        };
        broken(facts, &title, state, reason, String::new())
    };
    refused.chain(asked).filter(|(reason, _)| !has_line(reason)).map(line).collect()
}

/// What a market order would pay or get for a unit on average, by the book as it is.
pub(crate) fn average(book: &BookView, order: &PlaceOrder) -> Option<Price> {
    let facts = Facts {
        policy: None,
        killed: None,
        scope: KeyScope::default(),
        at: Timestamp::from_ms(0),
        instrument: None,
        filters: Ok(()),
        book: Some(book),
        mark: None,
        balances: &[],
        fee_rate: None,
    };
    Price::new(value(&facts, order)?.value().checked_div(quantity(&facts, order)?.value())?)
}

fn value_limit(facts: &Facts<'_>, judgement: Option<&Judgement>, order: &PlaceOrder, notional: Option<Notional>) -> Check {
    const NAME: &str = "Notional per order";
    let at_mark = judgement.and_then(|judgement| judgement.refused.iter().find(|reason| matches!(reason, Reason::ValueAtMark { .. })));
    if let Some(reason) = at_mark {
        return refuse(NAME, sentence(&reason.to_string()), String::new(), Enforcer::Desk);
    }
    let (Some(policy), Some(notional)) = (facts.policy, notional) else { return pass(NAME, String::new(), Enforcer::Signer) };
    let (max, currency) = (policy.order_notional_max, &policy.currency);
    let asked = policy.instrument(&order.symbol).map_or(Some(notional), |listed| listed.in_currency(notional));
    let said = asked.map_or_else(|| "more than can be reckoned".to_owned(), |asked| asked.value().round_dp(2).normalize().to_string());
    let detail = format!("{said} of {max} {currency}");
    if asked.is_none_or(|asked| asked > max) {
        refuse(NAME, format!("Above the limit of {max} {currency} per order. Make it smaller."), detail, Enforcer::Signer)
    } else {
        pass(NAME, detail, Enforcer::Signer)
    }
}

fn balance(given: Option<Decimal>, free: Decimal, asset: &str) -> Check {
    const NAME: &str = "Balance";
    let Some(given) = given else { return pass(NAME, String::new(), Enforcer::Window) };
    let part = given.saturating_mul(Decimal::ONE_HUNDRED).checked_div(free);
    let Some(part) = part.filter(|part| *part <= Decimal::ONE_HUNDRED) else {
        let words = format!("More {asset} than is free ({free}). The venue will refuse it.");
        return refuse(NAME, words, format!("{} of {free} {asset}", given.round_dp(8).normalize()), Enforcer::Window);
    };
    let detail = format!("{} % of {asset}", part.round_dp(1));
    if part > Decimal::from(SIZE_GUIDE_PERCENT) {
        ask(
            NAME,
            format!("Above the guide: {} % of free {asset}, guide {SIZE_GUIDE_PERCENT} %. The order is allowed.", part.round_dp(1)),
            detail,
        )
    } else {
        pass(NAME, detail, Enforcer::Window)
    }
}

fn slippage(facts: &Facts<'_>, order: &PlaceOrder, notional: Option<Notional>) -> Option<Check> {
    const NAME: &str = "Slippage";
    let OrderSpec::Market { .. } = order.spec else { return None };
    let mark = facts.mark?.value();
    let (Some(notional), Some(quantity)) = (notional, quantity(facts, order).filter(|quantity| !quantity.is_zero())) else {
        return Some(ask(
            NAME,
            "The book that is followed does not hold so much. The rest may fill at any price.".to_owned(),
            String::new(),
        ));
    };
    let average = notional.value().checked_div(quantity.value())?;
    let bps = (average - mark).abs().checked_div(mark)?.saturating_mul(Decimal::from(10_000)).round().to_u32().unwrap_or(u32::MAX);
    let detail = format!("{} % from the middle", percent(bps));
    Some(if bps > SLIPPAGE_GUIDE_BPS {
        ask(
            NAME,
            format!("It would fill {} % from the middle, guide {} %. The order is allowed.", percent(bps), percent(SLIPPAGE_GUIDE_BPS)),
            detail,
        )
    } else {
        pass(NAME, detail, Enforcer::Window)
    })
}

fn post_only(facts: &Facts<'_>, order: &PlaceOrder) -> Option<Check> {
    let OrderSpec::PostOnly { price, .. } = order.spec else { return None };
    let book = facts.book.filter(|book| book.current)?;
    let crosses = match order.side {
        Side::Buy => book.asks.first().is_some_and(|best| price >= best.price),
        Side::Sell => book.bids.first().is_some_and(|best| price <= best.price),
    };
    crosses.then(|| ask("Post-only", "It would take from the book at once. The venue will refuse it.".to_owned(), String::new()))
}

/// Value of an order: at its price, or at the book as it is.
fn value(facts: &Facts<'_>, order: &PlaceOrder) -> Option<Notional> {
    match order.spec {
        OrderSpec::Limit { price, quantity, .. } | OrderSpec::PostOnly { price, quantity } => price.checked_mul(quantity),
        OrderSpec::Market { size: MarketSize::Quote(notional) } => Some(notional),
        OrderSpec::Market { size: MarketSize::Base(quantity) } => {
            let mut left = quantity.value();
            let mut sum = Decimal::ZERO;
            for level in against(facts, order.side)? {
                let taken = left.min(level.quantity.value());
                sum = sum.checked_add(taken.checked_mul(level.price.value())?)?;
                left -= taken;
            }
            left.is_zero().then(|| Notional::new(sum)).flatten()
        }
    }
}

/// Base quantity of an order, for quote-sized market orders at the book as it is.
fn quantity(facts: &Facts<'_>, order: &PlaceOrder) -> Option<Quantity> {
    let OrderSpec::Market { size: MarketSize::Quote(notional) } = order.spec else { return order.spec.quantity() };
    let mut left = notional.value();
    let mut sum = Decimal::ZERO;
    for level in against(facts, order.side)? {
        let taken = left.min(level.quantity.value().saturating_mul(level.price.value()));
        sum = sum.checked_add(taken.checked_div(level.price.value())?)?;
        left -= taken;
    }
    left.is_zero().then(|| Quantity::new(sum)).flatten()
}

fn against<'a>(facts: &Facts<'a>, side: Side) -> Option<&'a [Level]> {
    let book = facts.book.filter(|book| book.current)?;
    Some(if side == Side::Buy { &book.asks } else { &book.bids })
}

fn steps(instrument: Option<&Instrument>) -> String {
    instrument.map_or_else(String::new, |instrument| format!("{}, {}", instrument.price.tick, instrument.lot.step))
}

fn percent(bps: u32) -> Decimal {
    Decimal::new(i64::from(bps), 2).normalize()
}

/// A reason as a sentence of its own.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use strongroom_guard::{Quote, RiskState};
    use strongroom_model::{ClientOrderId, LotRule, NotionalRule, Symbol, TickRule, TimeInForce};

    use super::*;

    fn number<T>(parse: fn(&str) -> Result<T, strongroom_model::MoneyError>, text: &str) -> T {
        parse(text).unwrap()
    }

    fn instrument() -> Instrument {
        let price = |text| number(Price::parse, text);
        let quantity = |text| number(Quantity::parse, text);
        Instrument {
            symbol: Symbol::parse("BTCUSDT").unwrap(),
            base: "BTC".into(),
            quote: "USDT".into(),
            price: TickRule { min: price("0.01"), max: price("1000000"), tick: price("0.01") },
            lot: LotRule { min: quantity("0.00001"), max: quantity("9000"), step: quantity("0.00001") },
            notional: NotionalRule { min: number(Notional::parse, "5"), max: number(Notional::parse, "9000000") },
            orders: Default::default(),
        }
    }

    fn book() -> BookView {
        let level = |price, size| Level { price: number(Price::parse, price), quantity: number(Quantity::parse, size) };
        BookView {
            symbol: Symbol::parse("BTCUSDT").unwrap(),
            bids: vec![level("99990", "0.1"), level("99000", "1")],
            asks: vec![level("100010", "0.1"), level("101000", "1")],
            current: true,
            age_ms: 5,
        }
    }

    fn balances() -> Vec<Balance> {
        let balance = |asset: &str, free| Balance { asset: asset.into(), free: number(Amount::parse, free), locked: Amount::ZERO };
        vec![balance("USDT", "100000"), balance("BTC", "1")]
    }

    fn order(text: &str) -> PlaceOrder {
        let words: Vec<&str> = text.split(' ').collect();
        let side = if words[0] == "buy" { Side::Buy } else { Side::Sell };
        let spec = match (words[1], words.get(3)) {
            ("market", None) => OrderSpec::Market { size: MarketSize::Base(number(Quantity::parse, words[2])) },
            ("quote", None) => OrderSpec::Market { size: MarketSize::Quote(number(Notional::parse, words[2])) },
            ("post", Some(price)) => {
                OrderSpec::PostOnly { price: number(Price::parse, price), quantity: number(Quantity::parse, words[2]) }
            }
            (_, Some(price)) => {
                OrderSpec::Limit { price: number(Price::parse, price), quantity: number(Quantity::parse, words[2]), tif: TimeInForce::Gtc }
            }
            _ => panic!("{text}"),
        };
        PlaceOrder {
            client_order_id: ClientOrderId::parse("t").unwrap(),
            symbol: Symbol::parse("BTCUSDT").unwrap(),
            side,
            spec,
            reduce_only: false,
        }
    }

    fn facts<'a>(policy: &'a Policy, instrument: &'a Instrument, book: &'a BookView, balances: &'a [Balance]) -> Facts<'a> {
        Facts {
            policy: Some(policy),
            killed: None,
            scope: KeyScope::default(),
            at: Timestamp::from_ms(0),
            instrument: Some(instrument),
            filters: Ok(()),
            book: Some(book),
            mark: Some(number(Price::parse, "100000")),
            balances,
            fee_rate: Some(Decimal::new(1, 3)),
        }
    }

    /// Rows: an order, and the checks that do not pass.
    #[test]
    fn what_each_order_is_told() {
        let (instrument, book, balances, policy) = (instrument(), book(), balances(), Policy::initial());
        let facts = facts(&policy, &instrument, &book, &balances);
        let rows: [(&str, &[&str]); 9] = [
            ("buy limit 0.1 100000", &[]),
            ("buy limit 0.24 106000", &["Price inside collar", "Notional per order", "Balance"]),
            ("buy limit 0.249 100000", &[]),
            ("sell limit 0.251 99000", &["Balance"]),
            ("sell limit 2 1001", &["Signer's limits", "Price inside collar", "Balance"]),
            ("buy market 0.22", &["Slippage"]),
            ("buy quote 100", &[]),
            ("buy market 9", &["Signer's limits", "Notional per order", "Slippage", "Slippage limit"]),
            ("buy post 0.01 100010", &["Post-only"]),
        ];
        let judged = |order: &PlaceOrder| {
            let market = Quote { mark: facts.mark, average: average(facts.book?, order), open_max: 0 };
            Some(RiskState::default().judge(facts.policy?, order, market, 0))
        };
        for (text, names) in rows {
            let found = checks(&facts, judged(&order(text)).as_ref(), &order(text));
            let failing: Vec<&str> =
                found.checks.iter().filter(|check| check.state != CheckState::Pass).map(|check| check.name.as_str()).collect();
            assert_eq!(failing, names, "{text}");
            let can_pass = found.checks.iter().filter(|check| check.can_pass).map(|check| check.name.as_str());
            assert!(can_pass.eq(names.iter().copied().filter(|name| ["Price inside collar", "Slippage limit"].contains(name))), "{text}");
        }
        let found = checks(&facts, None, &order("buy market 0.2"));
        assert_eq!(found.notional.unwrap().to_string(), "20101");
        assert_eq!(found.fee.unwrap().to_string(), "20.101");
        assert_eq!(found.balance_after.unwrap().to_string(), "79899");
    }

    /// Rows: an order at the edge, one step beyond it, and which rule of the table asks or refuses then.
    #[test]
    fn the_windows_own_rules_at_their_edge_and_one_step_beyond() {
        let (instrument, book, balances, policy) = (instrument(), book(), balances(), Policy::initial());
        // What fills at 100,010 is a hundredth of a percent from the first middle, and half a percent from the second.
        let at = |mark| Facts { mark: Some(number(Price::parse, mark)), ..facts(&policy, &instrument, &book, &balances) };
        for (mark, edge, beyond, rule, state) in [
            ("100000", "buy limit 0.25 100000", "buy limit 0.26 100000", "balance", CheckState::Ask),
            ("100000", "sell limit 0.25 100000", "sell limit 0.26 100000", "balance", CheckState::Ask),
            ("100000", "buy limit 1 100000", "buy limit 1.00001 100000", "balance", CheckState::Refuse),
            ("99512.5", "buy market 0.1", "buy market 0.11", "slippage-guide", CheckState::Ask),
            ("100000", "buy post 0.01 100009.99", "buy post 0.01 100010", "post-only", CheckState::Ask),
            ("100000", "sell post 0.01 99990.01", "sell post 0.01 99990", "post-only", CheckState::Ask),
        ] {
            let row = strongroom_guard::RULES.iter().find(|row| row.name == rule).unwrap();
            let met = |text: &str| {
                let found = checks(&at(mark), None, &order(text)).checks;
                found.into_iter().filter(|check| check.by == Enforcer::Window && check.state == state).map(|check| check.name).collect()
            };
            let (edge, beyond): (Vec<String>, Vec<String>) = (met(edge), met(beyond));
            assert_eq!((row.enforcer, edge, beyond), (Enforcer::Window, vec![], vec![row.title.to_owned()]), "{rule}");
        }
        // Whoever enforces a check, its line is of the table; the signer's limits are several rows in one.
        for text in ["buy market 9", "buy post 0.01 100010", "sell limit 2 1001"] {
            for check in checks(&at("100000"), None, &order(text)).checks {
                let of_table = strongroom_guard::RULES.iter().any(|row| row.title == check.name && row.enforcer == check.by);
                assert!(of_table || check.name == "Signer's limits", "{check:?}");
            }
        }
    }

    /// A stop of less than everything, and what the key in use is for, are told before anything is sent.
    #[test]
    fn a_smaller_stop_and_a_narrow_key_are_told() {
        let (instrument, book, balances, policy) = (instrument(), book(), balances(), Policy::initial());
        let scope = KeyScope { side: Some(Side::Sell), ..KeyScope::default() };
        let facts = Facts { scope, ..facts(&policy, &instrument, &book, &balances) };
        let stopped = Judgement { refused: vec![Reason::KillSwitch { why: "venue binance: tested".to_owned() }], ..Judgement::default() };
        let found = checks(&facts, Some(&stopped), &order("buy limit 0.1 100000"));
        let failing: Vec<&str> =
            found.checks.iter().filter(|check| check.state != CheckState::Pass).map(|check| check.name.as_str()).collect();
        assert_eq!(failing, ["Kill switch", "Signer's limits"], "each once");
    }

    #[test]
    fn a_part_of_the_balance_is_floored_to_the_step() {
        let (instrument, book, balances, policy) = (instrument(), book(), balances(), Policy::initial());
        let facts = Facts { mark: None, ..facts(&policy, &instrument, &book, &balances) };
        let price = Some(number(Price::parse, "70000"));
        assert_eq!(size(&facts, Side::Buy, price, 10).unwrap().to_string(), "0.14285");
        assert_eq!(size(&facts, Side::Sell, None, 25).unwrap().to_string(), "0.25");
        assert!(size(&facts, Side::Buy, None, 10).is_err());
    }
}
