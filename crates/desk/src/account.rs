//! The account at the venue, as doors see it: keys, balances, drafted orders. Invariant: nothing here sends an order.

use std::sync::Arc;

use rust_decimal::Decimal;
use strongroom_desk_api::{KeyRights, KeyView, Mode, Tell};
use strongroom_model::{Advice, Balance, ClientOrderId, CredentialInfo, Intent, OrderSpec, PlaceOrder, Price, Side, Symbol};
use strongroom_signer_api::{Reply, Request, SignAsk};
use strongroom_venues::binance::decode;
use strongroom_venues::binance::encode::RECV_WINDOW_MS;

use crate::doors::unexpected;
use crate::event::Outcome;
use crate::hall::{Hall, lock, wall};
use crate::machine::error;
use crate::ticket::{self, Facts};

const MS_PER_DAY: i64 = 86_400_000;
/// A key should be replaced after so many days.
const ROTATE_DAYS: i64 = 90;
/// Levels that a drafted order is reckoned against.
const DRAFT_DEPTH: u32 = 200;
/// The fee rate is taken from the newest fill among so many orders.
const FEE_ORDERS: u32 = 20;

/// Keys with what is known of their use.
pub(crate) async fn keys(hall: &Arc<Hall>) -> Tell {
    match hall.ask_signer(&Request::Credentials).await {
        Ok(Reply::Credentials(keys)) => Tell::Keys { keys: keys.into_iter().map(|key| view(hall, key)).collect() },
        other => unexpected(other),
    }
}

fn view(hall: &Hall, key: CredentialInfo) -> KeyView {
    let age_days = u32::try_from(wall().ms_since(key.created) / MS_PER_DAY).unwrap_or(0);
    let (last_used, rights) = hall.keys.of(&key.api_key);
    // A secret that lay in a plain file is due at once; play money can wait.
    let is_due = key.origin.is_exposed() && hall.venue.mode == Mode::Live;
    let rotate_due = if is_due { key.created } else { key.created.plus_ms(ROTATE_DAYS * MS_PER_DAY) };
    KeyView { age_days, last_used, rotate_due, rights, key }
}

/// The key that orders are signed with.
pub(crate) async fn key_in_use(hall: &Arc<Hall>) -> Option<CredentialInfo> {
    match hall.ask_signer(&Request::Credentials).await {
        Ok(Reply::Credentials(keys)) => keys.into_iter().find(|key| key.active),
        _ => None,
    }
}

/// Balances, asked of the venue with a signed read; the same answer tells the key's rights.
pub(crate) async fn balances(hall: &Arc<Hall>) -> Tell {
    let ask = SignAsk {
        intent: Intent::QueryBalances,
        credential: None,
        clock_offset_us: hall.venue.clock_offset_us(),
        recv_window_ms: RECV_WINDOW_MS,
        audit_seq: 0,
    };
    let request = match hall.ask_signer(&Request::Sign(ask)).await {
        Ok(Reply::Signed { request, .. }) => request,
        other => return unexpected(other),
    };
    hall.keys.signed(&request.api_key, wall());
    match hall.venue.send(&request, false).await {
        Outcome::Answer { status, retry_after_s, body } => {
            let read = decode::outcome(status, retry_after_s, &body).and_then(|body| Ok((decode::balances(body)?, decode::rights(body)?)));
            match read {
                Ok((balances, (trade, withdraw))) => {
                    hall.keys.told(&request.api_key, KeyRights { trade, withdraw, at: wall() });
                    lock(&hall.balances).clone_from(&balances);
                    Tell::Balance { balances }
                }
                Err(failure) => error("venue", failure.to_string(), failure.advice()),
            }
        }
        Outcome::NotSent(why) | Outcome::NoAnswer(why) => error("venue", why, Advice::RetryAfter(1_000)),
    }
}

/// What is known of a drafted order.
pub(crate) async fn check(hall: &Arc<Hall>, symbol: Symbol, side: Side, spec: OrderSpec) -> Tell {
    let Ok(client_order_id) = ClientOrderId::parse("draft") else {
        return error("client-order-id", "a draft cannot be named".to_owned(), Advice::Bug);
    };
    let order = PlaceOrder { client_order_id, symbol, side, spec };
    with_facts(hall, &order.symbol, hall.venue.check(&order), |facts| Tell::Checks(Box::new(ticket::checks(facts, &order)))).await
}

/// How much a part of the free balance buys or sells.
pub(crate) async fn size(hall: &Arc<Hall>, symbol: &Symbol, side: Side, price: Option<Price>, percent: u32) -> Tell {
    with_facts(hall, symbol, Ok(()), |facts| match ticket::size(facts, side, price, percent) {
        Ok(quantity) => Tell::Size { quantity },
        Err(words) => error("size", words, Advice::RetryAfter(1_000)),
    })
    .await
}

async fn with_facts(hall: &Arc<Hall>, symbol: &Symbol, filters: Result<(), String>, judge: impl FnOnce(&Facts<'_>) -> Tell) -> Tell {
    let summary = hall.summary().await;
    let instruments = hall.venue.instruments();
    let book = hall.feed.view(symbol, DRAFT_DEPTH);
    let balances: Vec<Balance> = lock(&hall.balances).clone();
    judge(&Facts {
        policy: summary.policy.as_ref(),
        killed: summary.killed.as_deref(),
        instrument: instruments.iter().find(|instrument| instrument.symbol == *symbol),
        filters,
        book: book.as_ref(),
        mark: hall.feed.mark(symbol),
        balances: &balances,
        fee_rate: fee_rate(hall),
    })
}

/// Fee per notional of the newest fill, where the fee was taken in one of the two assets.
fn fee_rate(hall: &Hall) -> Option<Decimal> {
    let orders = lock(&hall.store).newest_orders(FEE_ORDERS).ok()?;
    let newest = orders.iter().map(crate::order::Order::view).filter(|order| !order.fills.is_empty()).max_by_key(|order| order.updated)?;
    let fill = newest.fills.last()?;
    let quote = newest.symbol.as_str().strip_suffix(fill.commission_asset.as_str()).is_some();
    let base = newest.symbol.as_str().starts_with(fill.commission_asset.as_str());
    let notional = fill.price.value().checked_mul(fill.quantity.value())?;
    match (base, quote) {
        (true, _) => fill.commission.value().checked_div(fill.quantity.value()),
        (_, true) => fill.commission.value().checked_div(notional),
        _ => None,
    }
}
