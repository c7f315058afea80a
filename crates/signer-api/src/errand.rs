//! What the supervisor gives a prompt at its start: one packet `ticket | terminal? | count | slots`, with descriptors.
//!
//! Descriptors: the signer's channel, then the terminal if there is one, then one for each slot.
//! Invariant: the packet holds no secret; it says where answers come from and where shown things go.

use crate::prompt::{Field, Show, TICKET_LEN};

/// Most slots in one errand.
pub const SLOTS_MAX: usize = 5;

/// Where a descriptor is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// An answer is read from it.
    Answer(Field),
    /// Something shown is written to it.
    Shown(Show),
}

impl Slot {
    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Answer(field) => field as u8,
            Self::Shown(show) => show as u8,
        }
    }

    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        Field::from_number(number).map(Self::Answer).or_else(|| Show::from_number(number).map(Self::Shown))
    }
}

/// What a prompt is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Names the action.
    pub ticket: [u8; TICKET_LEN],
    /// Whether a terminal comes with it.
    pub terminal: bool,
    /// What the remaining descriptors are for, in their order.
    pub slots: Vec<Slot>,
}

impl Errand {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.ticket.to_vec();
        bytes.push(u8::from(self.terminal));
        bytes.extend(self.slots.iter().map(|slot| slot.number()));
        bytes
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (ticket, rest) = bytes.split_at_checked(TICKET_LEN)?;
        let (terminal, slots) = rest.split_first()?;
        if *terminal > 1 || slots.len() > SLOTS_MAX {
            return None;
        }
        let slots = slots.iter().map(|number| Slot::from_number(*number)).collect::<Option<_>>()?;
        Some(Self { ticket: ticket.try_into().ok()?, terminal: *terminal == 1, slots })
    }

    /// How many descriptors of the door belong to it.
    pub fn fds_len(&self) -> usize {
        usize::from(self.terminal) + self.slots.len()
    }
}
