//! What the pipeline waits for, and how it can fail. Invariant: every tag stands for one piece of work.

use strongroom_model::{Advice, ClientOrderId};
use strongroom_venues::binance::VenueError;

use crate::event::Door;

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
    Trades(ClientOrderId),
    /// Written for the record only.
    Note,
}

/// What a door is told of an order that will not be.
pub(crate) struct Refused<'a> {
    pub(crate) code: &'a str,
    pub(crate) why: String,
    pub(crate) advice: Advice,
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
        Work::Note => None,
    }
}
