//! When the venue is asked for an order that is not over, and what a tick does with it.
//!
//! Invariant: of one order one question is under way; silence makes the next one later, never none.

use strongroom_model::{ClientOrderId, Intent, OrderRef};
use strongroom_signer_api::DoorId;

use crate::event::{Door, Effect, Now};
use crate::machine::Machine;
use crate::order::Stage;
use crate::work::Work;

/// A working order is asked for so often.
const POLL_MS: u64 = 1_000;
/// First wait before an unknown outcome is looked up again; doubles up to [`RETRY_MS_MAX`].
const RETRY_MS: u64 = 250;
const RETRY_MS_MAX: u64 = 8_000;
/// So many times in a row a venue denies an order that rested before it is believed.
const DENIALS: u32 = 4;

/// When an order is asked for next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask {
    at_ms: u64,
    tries: u32,
    under_way: bool,
}

impl Ask {
    /// Of an order that rests.
    pub(crate) const fn of_working(now: Now) -> Self {
        Self { at_ms: now.mono_ms + POLL_MS, tries: 0, under_way: false }
    }

    /// Of one whose outcome is unknown.
    pub(crate) const fn of_unknown(now: Now) -> Self {
        Self { at_ms: now.mono_ms + RETRY_MS, tries: 0, under_way: false }
    }
}

impl Machine {
    pub(crate) fn query(&mut self, id: ClientOrderId, door: Option<Door>, now: Now, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get(&id) else { return };
        let intent = Intent::QueryOrder { symbol: order.intent.symbol.clone(), order: OrderRef::Client(id.clone()) };
        let credential = order.key;
        let ask = self.asks.entry(id.clone()).or_default();
        ask.under_way = true;
        ask.at_ms = now.mono_ms;
        let tag = self.tag(Work::Query { id, door });
        out.push(Effect::Sign { tag, by: DoorId::DESK, intent, credential });
    }

    pub(crate) fn ask_done(&mut self, id: &Option<ClientOrderId>, now: Now, failed: bool) {
        let Some(id) = id else { return };
        let ask = self.asks.entry(id.clone()).or_default();
        ask.under_way = false;
        ask.tries = if failed { ask.tries.saturating_add(1) } else { 0 };
        let wait_ms = if failed { (RETRY_MS << ask.tries.min(8)).min(RETRY_MS_MAX) } else { POLL_MS };
        ask.at_ms = now.mono_ms + wait_ms;
    }

    /// An order that rested and that the venue has denied several times in a row: the venue was reset.
    pub(crate) fn is_forgotten(&self, id: &ClientOrderId) -> bool {
        let rested = self.orders.get(id).is_some_and(|order| order.stage == Stage::Working);
        rested && self.asks.get(id).is_some_and(|ask| ask.tries >= DENIALS)
    }

    pub(crate) fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.ask_held(now, out);
        self.ask_open(now, out);
        self.stop_if_broken(now, out);
        let live: Vec<_> = self.orders.iter().filter(|(_, order)| order.is_live()).map(|(id, _)| id.clone()).collect();
        for id in live {
            self.settle_door(&id, now, out);
            let is_swept = self.is_swept(&id);
            let ask = self.asks.entry(id.clone()).or_default();
            if ask.under_way || now.mono_ms < ask.at_ms {
                continue;
            }
            let Some(order) = self.orders.get(&id) else { continue };
            if order.stage == Stage::Intended {
                continue;
            }
            if order.may_rest() && is_swept {
                // Until it is gone: an answer can be lost, or the desk be a new one.
                ask.at_ms = now.mono_ms + POLL_MS;
                self.sign_cancel(None, &id, out);
            } else if let Some(venue_order) = order.lacks_fills() {
                let intent = Intent::QueryTrades { symbol: order.intent.symbol.clone(), order: venue_order };
                let credential = order.key;
                ask.under_way = true;
                let tag = self.tag(Work::Trades(id));
                out.push(Effect::Sign { tag, by: DoorId::DESK, intent, credential });
            } else {
                self.query(id, None, now, out);
            }
        }
    }
}
