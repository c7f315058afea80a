//! What the pipeline waits for, and how it can fail. Invariant: every tag stands for one piece of work.

use strongroom_guard::Unmet;
use strongroom_model::{Advice, ClientOrderId, Quantity};
use strongroom_venues::binance::VenueError;

use crate::event::{Door, Effect, Now};
use crate::machine::Machine;

/// What a tag stands for.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Place(ClientOrderId),
    Cancel {
        id: ClientOrderId,
        door: Option<Door>,
    },
    Query {
        id: ClientOrderId,
        door: Option<Door>,
    },
    Amend(Amendment),
    /// An amendment whose outcome is unknown: the order is asked.
    AmendUnknown(Amendment),
    Trades(ClientOrderId),
    /// What is open at the venue, all of it: the question of that generation.
    OpenOrders(u64),
    /// Written for the record only.
    Note,
}

/// What is wanted of an order that rests, and who waits for it.
#[derive(Clone, Debug)]
pub(crate) struct Amendment {
    pub(crate) id: ClientOrderId,
    pub(crate) quantity: Quantity,
    pub(crate) door: Door,
}

/// What a door is told of an order that will not be.
pub(crate) struct Refused<'a> {
    pub(crate) code: &'a str,
    pub(crate) why: String,
    pub(crate) advice: Advice,
    /// The rules that said no.
    pub(crate) unmet: Vec<Unmet>,
}

pub(crate) enum Trouble {
    Venue(VenueError),
    NotSent(String),
}

/// An open order with our name exists: this very order may have arrived before.
pub(crate) fn is_duplicate(error: &VenueError) -> bool {
    matches!(error, VenueError::Refused { code: -2010, msg } if msg.starts_with("Duplicate"))
}

pub(crate) fn work_id(work: &Work) -> Option<ClientOrderId> {
    match work {
        Work::Place(id) | Work::Cancel { id, .. } | Work::Query { id, .. } | Work::Trades(id) => Some(id.clone()),
        Work::Amend(amendment) | Work::AmendUnknown(amendment) => Some(amendment.id.clone()),
        Work::OpenOrders(_) | Work::Note => None,
    }
}

impl Machine {
    /// Takes the key off an order that is looked after; `false`: it has none, or it is not sent yet.
    pub(crate) fn forget_key(&mut self, work: &Work) -> bool {
        let id = if matches!(work, Work::Place(_)) { None } else { work_id(work) };
        id.and_then(|id| self.orders.get_mut(&id)).is_some_and(|order| order.key.take().is_some())
    }

    /// The same again with the key in use; what a tick asks for is asked by the next one.
    pub(crate) fn again(&mut self, work: Work, now: Now, out: &mut Vec<Effect>) {
        match work {
            Work::Cancel { id, door } => self.sign_cancel(door, &id, out),
            Work::Query { id, door } => self.query(id, door, now, out),
            Work::Amend(amendment) => self.sign_amend(amendment, out),
            Work::AmendUnknown(amendment) => self.ask_amended(amendment, out),
            Work::Trades(id) => self.ask_done(&Some(id), now, false),
            Work::Place(_) | Work::OpenOrders(_) | Work::Note => {}
        }
    }
}
