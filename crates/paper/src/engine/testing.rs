//! Instruments for tests.

use strongroom_model::{Instrument, LotRule, NotionalRule, Symbol, TickRule};

/// BTCUSDT with the rules that the simulated market has.
pub(crate) fn btcusdt() -> Instrument {
    Instrument {
        symbol: Symbol::parse("BTCUSDT").unwrap(),
        base: "BTC".into(),
        quote: "USDT".into(),
        price: TickRule { min: "0.01".parse().unwrap(), max: "1000000".parse().unwrap(), tick: "0.01".parse().unwrap() },
        lot: LotRule { min: "0.00001".parse().unwrap(), max: "9000".parse().unwrap(), step: "0.00001".parse().unwrap() },
        notional: NotionalRule { min: "5".parse().unwrap(), max: "9000000".parse().unwrap() },
    }
}
