//! The account at the venue, as doors see it: keys, balances, drafted orders. Invariant: nothing here sends an order.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::json;
use strongroom_audit::Kind;
use strongroom_desk_api::{DoorError, DueReason, KeyView, Mode, RotationStep, Tell};
use strongroom_guard::{Judgement, Quote, Reason};
use strongroom_model::{
    Advice, Balance, ClientOrderId, CredentialId, CredentialInfo, FilterError, Intent, KeyRights, KeyScope, KeyStage, OrderSpec,
    PlaceOrder, Price, Remark, Side, Symbol, Timestamp,
};
use strongroom_signer_api::{DoorId, Refusal, Reply, Request, SignAsk};
use strongroom_venues::binance::decode;
use strongroom_venues::binance::encode::RECV_WINDOW_MS;

use crate::actions::refused;
use crate::doors::unexpected;
use crate::event::{Event, Outcome};
use crate::hall::{Hall, Inbound, lock, wall};
use crate::key_use::Suspicion;
use crate::machine::error;
use crate::rights;
use crate::rotation;
use crate::ticket::{self, Facts};

const MS_PER_DAY: i64 = 86_400_000;
/// Levels that a drafted order is reckoned against.
const DRAFT_DEPTH: u32 = 200;
/// The fee rate is taken from the newest fill among so many orders.
const FEE_ORDERS: u32 = 20;

/// Keys with what is known of their use.
pub(crate) async fn keys(hall: &Arc<Hall>) -> Tell {
    match hall.credentials().await {
        Ok(keys) => {
            let live = hall.summary().await.live_by_key;
            let step = |key: &CredentialInfo| rotation::step(hall.venue.mode, key, &keys, &live);
            Tell::Keys { keys: keys.iter().map(|key| view(hall, key.clone(), step(key))).collect() }
        }
        Err(refusal) => refused(&refusal),
    }
}

fn view(hall: &Hall, key: CredentialInfo, step: Option<RotationStep>) -> KeyView {
    let now = wall();
    let known = hall.keys.of(&key.api_key);
    let due = due(&key, known.suspicion, hall.venue.mode, now);
    let aged = key.created.plus_ms(i64::from(key.details.rotate_days) * MS_PER_DAY);
    let since = due.iter().map(|reason| match reason {
        DueReason::Age => aged,
        DueReason::Exposed => key.created,
        DueReason::Suspect { since, .. } => *since,
    });
    let rotate_due = since.min().map_or(aged, |since| since.min(aged));
    let age_days = u32::try_from(now.ms_since(key.created) / MS_PER_DAY).unwrap_or(0);
    let address_trouble = rights::trouble_of(hall, &key);
    KeyView { age_days, last_used: known.last, rotate_due, rights: known.rights.or(key.granted), due, step, address_trouble, key }
}

/// Why a key should be replaced now. What is being replaced, or is not in use yet, is not due.
fn due(key: &CredentialInfo, suspicion: Option<Suspicion>, mode: Mode, now: Timestamp) -> Vec<DueReason> {
    let mut due = Vec::new();
    if matches!(key.stage, KeyStage::New | KeyStage::Retiring) {
        return due;
    }
    if now.ms_since(key.created) >= i64::from(key.details.rotate_days) * MS_PER_DAY {
        due.push(DueReason::Age);
    }
    // A secret that lay in a plain file is due at once; play money can wait.
    if key.origin.is_exposed() && mode == Mode::Live {
        due.push(DueReason::Exposed);
    }
    due.extend(suspicion.map(|Suspicion { why, since }| DueReason::Suspect { why, since }));
    due
}

/// A person, or something that watches, says that a key is not what it should be.
pub(crate) async fn suspect(hall: &Arc<Hall>, id: CredentialId, why: Remark) -> Tell {
    let keys = match hall.credentials().await {
        Ok(keys) => keys,
        Err(refusal) => return refused(&refusal),
    };
    let Some(key) = keys.into_iter().find(|key| key.id == id) else { return refused(&Refusal::Guard(strongroom_guard::Reason::NoKey)) };
    hall.keys.suspect(&key.api_key, why.as_str(), wall());
    let _ = hall.note(&[(Kind::KeySuspected, json!({"id": id, "label": key.label, "why": why}))]);
    hall.state_changed();
    Tell::Done { words: format!("Noted. Key {id} is due for rotation: `strongroom key rotate {id}`.") }
}

/// The key that orders are signed with.
pub(crate) async fn key_in_use(hall: &Arc<Hall>) -> Option<CredentialInfo> {
    hall.credentials().await.ok()?.into_iter().find(|key| key.stage == KeyStage::Active)
}

/// Balances, asked of the venue with a signed read; the same answer tells the key's rights. Asked at `by`, or by the desk itself.
pub(crate) async fn balances(hall: &Arc<Hall>, by: DoorId) -> Tell {
    let ask = SignAsk {
        intent: Intent::QueryBalances,
        credential: None,
        clock_offset_us: hall.venue.clock_offset_us(),
        recv_window_ms: RECV_WINDOW_MS,
        audit_seq: 0,
    };
    let request = match hall.ask_at(by, Request::Sign(ask)).await {
        Ok(Reply::Signed { request, .. }) => request,
        other => return unexpected(other),
    };
    let asked = wall();
    hall.keys.signed(&request.api_key, asked);
    let key = key_in_use(hall).await.filter(|key| key.api_key == request.api_key);
    let account = key.map(|key| key.details.account);
    match hall.send(&request, false).await {
        Outcome::Answer { status, retry_after_s, body } => {
            let read = decode::outcome(status, retry_after_s, &body).and_then(|body| Ok((decode::balances(body)?, decode::rights(body)?)));
            match read {
                Ok((balances, (trade, withdraw))) => {
                    hall.keys.told(&request.api_key, KeyRights { trade, withdraw, at: wall(), ..KeyRights::default() }, hall.venue.mode);
                    lock(&hall.balances).clone_from(&balances);
                    hall.event(Event::Held { balances: balances.clone(), account, asked }).await;
                    Tell::Balance { balances }
                }
                Err(failure) => rights::explained(hall, error("venue", failure.to_string(), failure.advice())).await,
            }
        }
        Outcome::NotSent(why) | Outcome::NoAnswer(why) => error("venue", why, Advice::RetryAfter(1_000)),
    }
}

/// What is known of a drafted order. What it would reduce is asked for at that door, whose session has to allow it.
pub(crate) async fn check(hall: &Arc<Hall>, door: DoorId, symbol: Symbol, side: Side, spec: OrderSpec, reduce_only: bool) -> Tell {
    let Ok(client_order_id) = ClientOrderId::parse("draft") else {
        return error("client-order-id", "a draft cannot be named".to_owned(), Advice::Bug);
    };
    let order = PlaceOrder { client_order_id, symbol, side, spec, reduce_only };
    let key = key_in_use(hall).await;
    let id = key.as_ref().map(|key| key.id);
    let mut judgement = judged(hall, &order, id).await;
    let is_unknown = |reason: &Reason| matches!(reason, Reason::ExposureUnknown { .. });
    if reduce_only && judgement.as_ref().is_some_and(|judgement| judgement.refused.iter().any(is_unknown)) {
        let _ = balances(hall, door).await;
        judgement = judged(hall, &order, id).await;
    }
    let scope = key.map(|key| *key.details.scope).unwrap_or_default();
    with_facts(hall, &order.symbol, hall.venue.check(&order, hall.feed.mark(&order.symbol)), scope, |facts| {
        Tell::Checks(Box::new(ticket::checks(facts, judgement.as_ref(), &order)))
    })
    .await
}

/// What the venue's own rules do not let pass.
pub(crate) fn filtered(filter: &FilterError) -> Tell {
    let error = DoorError::new("filter", format!("{filter}; nothing was sent"), filter.advice());
    Tell::Error(DoorError { unmet: vec![filter.into()], ..error })
}

async fn judged(hall: &Arc<Hall>, order: &PlaceOrder, key: Option<CredentialId>) -> Option<Judgement> {
    let (reply, judged) = tokio::sync::oneshot::channel();
    let judge = Inbound::Judge { order: order.clone(), key, market: market_of(hall, order), reply };
    hall.inbound.send(judge).await.ok()?;
    judged.await.ok().flatten()
}

/// What the market of an order looks like now.
pub(crate) fn market_of(hall: &Hall, order: &PlaceOrder) -> Quote {
    let book = hall.feed.view(&order.symbol, DRAFT_DEPTH);
    let average = book.and_then(|book| ticket::average(&book, order));
    Quote { mark: hall.feed.mark(&order.symbol), average, open_max: hall.venue.open_max(&order.symbol) }
}

/// How much a part of the free balance buys or sells.
pub(crate) async fn size(hall: &Arc<Hall>, symbol: &Symbol, side: Side, price: Option<Price>, percent: u32) -> Tell {
    with_facts(hall, symbol, Ok(()), KeyScope::default(), |facts| match ticket::size(facts, side, price, percent) {
        Ok(quantity) => Tell::Size { quantity },
        Err(words) => error("size", words, Advice::RetryAfter(1_000)),
    })
    .await
}

async fn with_facts(
    hall: &Arc<Hall>,
    symbol: &Symbol,
    filters: Result<(), FilterError>,
    scope: KeyScope,
    judge: impl FnOnce(&Facts<'_>) -> Tell,
) -> Tell {
    let summary = hall.summary().await;
    let instruments = hall.venue.instruments();
    let book = hall.feed.view(symbol, DRAFT_DEPTH);
    let balances: Vec<Balance> = lock(&hall.balances).clone();
    judge(&Facts {
        policy: summary.policy.as_ref(),
        killed: summary.killed.as_deref(),
        scope,
        at: wall(),
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
