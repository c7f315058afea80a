//! Words for tests: `a sell 2 @ 101 ioc` places, and what happened comes back as words.

use strongroom_model::{Instrument, LotRule, NotionalRule, Side, Symbol, TickRule, TimeInForce, Timestamp, VenueOrderId};

use crate::engine::*;

/// Whole units of 1e-8 from a decimal text.
pub(super) fn units(text: &str) -> u64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<8}");
    whole.parse::<u64>().unwrap() * ONE + part.parse::<u64>().unwrap()
}

/// A decimal text without trailing zeros.
pub(super) fn shown(units: u64) -> String {
    let text = format!("{}.{:08}", units / ONE, units % ONE);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// BTCUSDT with ticks of 0.01, steps of 0.00001 and orders worth 5 to 9,000,000.
pub(super) fn btcusdt() -> Instrument {
    Instrument {
        symbol: Symbol::parse("BTCUSDT").unwrap(),
        base: "BTC".into(),
        quote: "USDT".into(),
        price: TickRule { min: "0.01".parse().unwrap(), max: "1000000".parse().unwrap(), tick: "0.01".parse().unwrap() },
        lot: LotRule { min: "0.00001".parse().unwrap(), max: "9000".parse().unwrap(), step: "0.00001".parse().unwrap() },
        notional: NotionalRule { min: "5".parse().unwrap(), max: "9000000".parse().unwrap() },
        orders: Default::default(),
    }
}

/// One market, accounts `a` to `d` with 10 BTC and 100,000 USDT each, without fees.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) market: MarketId,
    pub(super) accounts: Vec<AccountId>,
    pub(super) events: Vec<Event>,
    pub(super) time: i64,
}

impl Desk {
    pub(super) fn new() -> Self {
        let mut engine = Engine::new();
        let market = engine.add_market(btcusdt(), Rules::of(&btcusdt()).unwrap());
        let (btc, usdt) = (engine.asset("BTC"), engine.asset("USDT"));
        let accounts: Vec<AccountId> = (0..4).map(|_| engine.open_account(Fees::NONE)).collect();
        for account in &accounts {
            engine.deposit(*account, btc, Money(10 * ONE), &mut Vec::new()).unwrap();
            engine.deposit(*account, usdt, Money(100_000 * ONE), &mut Vec::new()).unwrap();
        }
        Self { engine, market, accounts, events: Vec::new(), time: 0 }
    }

    pub(super) fn account(&self, word: &str) -> AccountId {
        self.accounts[usize::from(word.as_bytes()[0] - b'a')]
    }

    pub(super) fn now(&mut self) -> Timestamp {
        self.time += 1;
        Timestamp::from_ms(self.time)
    }

    /// Does what the words say and tells what happened, events joined by `; `.
    ///
    /// `a buy 2 @ 101`, `a sell 1 @ 99 maker stp=taker`, `a sell 1 market`, `a buy 50q market`, `a sell 1 sl stop=90`,
    /// `a cancel 3`, `a amend 3 1.5`, `a cancelall`, `a oco [sell 1 @ 110 maker] [sell 1 sl stop=90]`, `halt`, `open`.
    pub(super) fn say(&mut self, words: &str) -> String {
        self.events.clear();
        let now = self.now();
        let (who, rest) = words.split_once(' ').unwrap_or((words, ""));
        let done = match (who, rest.split_once(' ').unwrap_or((rest, ""))) {
            ("halt", _) => return self.set_status(MarketStatus::Halt),
            ("open", _) => return self.set_status(MarketStatus::Trading),
            (_, ("cancel", id)) => {
                let id = VenueOrderId(id.parse().unwrap());
                self.engine.cancel(now, self.account(who), self.market, id, &mut self.events)
            }
            (_, ("cancelall", _)) => {
                self.engine.cancel_all(now, self.account(who), self.market, &mut self.events);
                Ok(())
            }
            (_, ("cancellist", id)) => {
                self.engine.cancel_list(now, self.account(who), self.market, ListId(id.parse().unwrap()), &mut self.events)
            }
            (_, ("amend", args)) => {
                let (id, quantity) = args.split_once(' ').unwrap();
                let id = VenueOrderId(id.parse().unwrap());
                self.engine.amend(now, self.account(who), self.market, id, Qty(units(quantity)), &mut self.events)
            }
            (_, (kind @ ("oco" | "oto" | "otoco"), legs)) => {
                let legs: Vec<NewOrder> = legs.split(['[', ']']).map(str::trim).filter(|leg| !leg.is_empty()).map(parse).collect();
                let new = match kind {
                    "oco" => NewList::Oco { above: legs[0], below: legs[1] },
                    "oto" => NewList::Oto { working: legs[0], pending: legs[1] },
                    _ => NewList::Otoco { working: legs[0], above: legs[1], below: legs[2] },
                };
                self.engine.place_list(now, self.account(who), self.market, &new, &mut self.events).map(|_| ())
            }
            _ => self.engine.place(now, self.account(who), self.market, &parse(rest), &mut self.events).map(|_| ()),
        };
        match done {
            Ok(()) => self.told(),
            Err(refusal) => format!("refused: {refusal}"),
        }
    }

    fn set_status(&mut self, status: MarketStatus) -> String {
        self.engine.set_status(self.market, status);
        String::new()
    }

    fn told(&self) -> String {
        self.events.iter().filter_map(told).collect::<Vec<_>>().join("; ")
    }

    /// `free/locked` of an account's asset.
    pub(super) fn holds(&self, who: &str, asset: &str) -> String {
        let held = self.engine.holding(self.account(who), self.engine.find_asset(asset).unwrap());
        format!("{}/{}", shown(held.free.0), shown(held.locked.0))
    }

    /// The book's side, best first: `2@101 1@102`.
    pub(super) fn book(&self, side: Side) -> String {
        let levels = self.engine.market(self.market).levels(side);
        levels.map(|level| format!("{}@{}", level.quantity, level.price)).collect::<Vec<_>>().join(" ")
    }
}

/// What an event says, in words; nothing of balances.
pub(super) fn told(event: &Event) -> Option<String> {
    match event {
        Event::Balance(..) | Event::Order(Change::Held, _) => None,
        Event::List(list) => Some(format!("list {} {}", list.id.0, if list.is_done { "done" } else { "executing" })),
        Event::Order(change, order) => {
            let what = match change {
                Change::New if order.status == Status::PendingNew => "pending".to_owned(),
                Change::New if order.waits() => "waits".to_owned(),
                Change::New => "new".to_owned(),
                Change::Trade(trade) => {
                    let role = if trade.is_maker { "made" } else { "took" };
                    format!("{role} {}@{} {:?}", shown(trade.quantity.0), shown(trade.price.0), order.status)
                }
                Change::Canceled => "canceled".to_owned(),
                Change::Replaced => format!("replaced {}", shown(order.quantity.0)),
                Change::Expired(expiry) => format!("expired {expiry:?}"),
                Change::Prevented(_) => format!("prevented {} {:?}", shown(order.prevented.0), order.status),
                Change::Tracking => format!("tracks {}", shown(order.tracked.0)),
                Change::Triggered => "triggered".to_owned(),
                Change::Held => "held".to_owned(),
            };
            Some(format!("{} {what}", order.id))
        }
    }
}

/// `buy 2 @ 101 ioc stop=90 trail=500 ice=1 stp=maker`.
pub(super) fn parse(text: &str) -> NewOrder {
    let words: Vec<&str> = text.split_whitespace().collect();
    let side = if words[0] == "buy" { Side::Buy } else { Side::Sell };
    let size = match words[1].strip_suffix('q') {
        Some(budget) => Size::Quote(Money(units(budget))),
        None => Size::Base(Qty(units(words[1]))),
    };
    let mut new = NewOrder { size, ..NewOrder::limit(side, Px::ZERO, Qty::ZERO) };
    let mut words = words[2..].iter();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some(("stop", price)) => new.stop = Px(units(price)),
            Some(("trail", bps)) => new.trailing_bps = bps.parse().unwrap(),
            Some(("ice", slice)) => new.iceberg = Qty(units(slice)),
            Some(("stp", mode)) => {
                new.self_trade = match mode {
                    "taker" => SelfTrade::ExpireTaker,
                    "maker" => SelfTrade::ExpireMaker,
                    "both" => SelfTrade::ExpireBoth,
                    "decrement" => SelfTrade::Decrement,
                    _ => SelfTrade::None,
                };
            }
            _ => match *word {
                "@" => new.price = Px(units(words.next().unwrap())),
                "ioc" => new.tif = TimeInForce::Ioc,
                "fok" => new.tif = TimeInForce::Fok,
                "maker" => new.kind = Kind::LimitMaker,
                "market" => new.kind = Kind::Market,
                "sl" => new.kind = Kind::StopLoss,
                "sll" => new.kind = Kind::StopLossLimit,
                "tp" => new.kind = Kind::TakeProfit,
                "tpl" => new.kind = Kind::TakeProfitLimit,
                other => panic!("{other} in {text}"),
            },
        }
    }
    new
}
