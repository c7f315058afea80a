//! What the supervisor gives a prompt at its start: one packet `ticket | face | slots`, with descriptors.
//!
//! Descriptors: the signer's channel, then the terminal if that is the face, then one for each slot.
//! Invariant: the packet holds no secret; it says where answers come from and where shown things go.

use crate::prompt::{Field, Show, TICKET_LEN};

/// Most slots in one errand.
pub const SLOTS_MAX: usize = 5;
/// With this code a prompt ends whose window could not be opened.
pub const EXIT_NO_DISPLAY: i32 = 3;
/// The number of [`Slot::Import`], beside those of fields and shows.
const IMPORT: u8 = 65;

/// How a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Face {
    /// Nobody is asked: every answer has a descriptor.
    Absent = 0,
    /// On a terminal that comes with the errand.
    Terminal = 1,
    /// In a window of its own, bright or dark as the desktop is.
    Window = 2,
    /// In a dark window.
    DarkWindow = 3,
    /// In a bright window.
    BrightWindow = 4,
}

impl Face {
    fn from_number(number: u8) -> Option<Self> {
        let all = [Self::Absent, Self::Terminal, Self::Window, Self::DarkWindow, Self::BrightWindow];
        all.into_iter().find(|face| *face as u8 == number)
    }

    /// Whether it needs a screen.
    pub const fn is_window(self) -> bool {
        matches!(self, Self::Window | Self::DarkWindow | Self::BrightWindow)
    }

    /// The theme that a window must have, if it is asked for.
    pub const fn theme(self) -> Option<&'static str> {
        match self {
            Self::DarkWindow => Some("dark"),
            Self::BrightWindow => Some("light"),
            Self::Absent | Self::Terminal | Self::Window => None,
        }
    }
}

/// Where a descriptor is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// An answer is read from it.
    Answer(Field),
    /// Something shown is written to it.
    Shown(Show),
    /// A file to import, which the door opened and did not read.
    Import,
}

impl Slot {
    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Answer(field) => field as u8,
            Self::Shown(show) => show as u8,
            Self::Import => IMPORT,
        }
    }

    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        if number == IMPORT {
            return Some(Self::Import);
        }
        Field::from_number(number).map(Self::Answer).or_else(|| Show::from_number(number).map(Self::Shown))
    }
}

/// What a prompt is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Names the action.
    pub ticket: [u8; TICKET_LEN],
    /// How the person is asked.
    pub face: Face,
    /// What the remaining descriptors are for, in their order.
    pub slots: Vec<Slot>,
}

impl Errand {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.ticket.to_vec();
        bytes.push(self.face as u8);
        bytes.extend(self.slots.iter().map(|slot| slot.number()));
        bytes
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (ticket, rest) = bytes.split_at_checked(TICKET_LEN)?;
        let (face, slots) = rest.split_first()?;
        if slots.len() > SLOTS_MAX {
            return None;
        }
        let slots = slots.iter().map(|number| Slot::from_number(*number)).collect::<Option<_>>()?;
        Some(Self { ticket: ticket.try_into().ok()?, face: Face::from_number(*face)?, slots })
    }

    /// How many descriptors of the door belong to it.
    pub fn fds_len(&self) -> usize {
        usize::from(self.face == Face::Terminal) + self.slots.len()
    }
}
