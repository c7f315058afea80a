//! One of each intent. Invariant: each stands at its number.

use strongroom_model::{ClientOrderId, Intent, OrderRef, OrderSpec, PlaceOrder, Side, Symbol, TimeInForce, VenueOrderId};

/// One of each, in the order of the model.
pub fn every() -> Vec<Intent> {
    let symbol = || Symbol::parse("BTCUSDT").expect("a symbol");
    let name = || ClientOrderId::parse("every-1").expect("a name");
    let quantity = || "0.5".parse().expect("a quantity");
    let spec = OrderSpec::Limit { price: "50000".parse().expect("a price"), quantity: quantity(), tif: TimeInForce::Gtc };
    vec![
        Intent::Place(PlaceOrder { client_order_id: name(), symbol: symbol(), side: Side::Buy, spec, reduce_only: false }),
        Intent::Cancel { symbol: symbol(), order: OrderRef::Client(name()) },
        Intent::Amend { symbol: symbol(), order: name(), quantity: quantity() },
        Intent::CancelAll { symbol: symbol() },
        Intent::QueryOrder { symbol: symbol(), order: OrderRef::Client(name()) },
        Intent::QueryTrades { symbol: symbol(), order: VenueOrderId(7) },
        Intent::QueryOpenOrders { symbol: None },
        Intent::QueryBalances,
        Intent::QueryKeyRights,
        Intent::StreamLogin,
        Intent::DeadMan { symbol: None, countdown_ms: 60_000 },
    ]
}
