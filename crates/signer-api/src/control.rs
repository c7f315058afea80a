//! What the supervisor tells the signer and the desk: one byte and a text, sometimes a descriptor.
//!
//! Invariant: nothing here can unlock, sign or read; the supervisor can only wire, freeze and end.

use strongroom_guard::{Freeze, KillScope};

use crate::managed::Offered;

/// How far the state file of a vault had come, as the signer told when it was on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateMark {
    /// Whose.
    pub vault: [u8; 16],
    /// Its generation.
    pub generation: u64,
}

/// The marks of all vaults that were open: each only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateMarks(Vec<StateMark>);

impl StateMarks {
    /// More vaults than a supervisor sees in its life; the first ones stay.
    const MAX: usize = 64;

    /// One more.
    pub fn note(&mut self, mark: StateMark) {
        match self.0.iter().position(|known| known.vault == mark.vault) {
            Some(at) => self.0[at].generation = self.0[at].generation.max(mark.generation),
            None if self.0.len() < Self::MAX => self.0.push(mark),
            None => {}
        }
    }

    /// The generation of that vault's state below which none is acceptable.
    pub fn floor(&self, vault: &[u8; 16]) -> u64 {
        self.0.iter().find(|known| known.vault == *vault).map_or(0, |known| known.generation)
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = StateMark> + '_ {
        self.0.iter().copied()
    }
}

/// A message of the supervisor to the signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToSigner {
    /// What there is of an organisation's limits; told once, before a desk is attached.
    Managed(Offered),
    /// How far a state file had come under a signer before this one: an older one is refused.
    StateFloor(StateMark),
    /// Engage the kill switch.
    Freeze(Freeze),
    /// The descriptor with this packet is the channel of a desk; it replaces an earlier one.
    AttachDesk,
    /// The descriptor with this packet is the channel of a prompt.
    AttachPrompt,
    /// The descriptor with this packet is the channel of a key provider, for the wish of this number.
    AttachProvider(u64),
    /// The wish of this number cannot be granted: no provider could be started.
    NoProvider(u64),
}

/// A message of the signer to the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromSigner {
    /// Start a key provider; the number says for what, and comes back.
    WantProvider(u64),
    /// A state file is on disk.
    StateSaved(StateMark),
    /// The kill switch is engaged: said once for each [`ToSigner::Freeze`], in their order.
    Frozen,
}

/// A message of the supervisor to the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToDesk {
    /// The descriptor with this packet is the channel of a signer that is sealed.
    AttachSigner,
    /// The signer has ended; the text says why.
    SignerGone(String),
    /// The kill switch was engaged without the desk: cancel what is open.
    Killed(String),
    /// The desk before this one ended by itself: take back what is open.
    DeskDied,
    /// End in good order.
    Quit,
}

/// A message of the desk to the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromDesk {
    /// The event loop turns.
    Alive,
    /// End the signer and start a sealed one.
    Seal,
}

/// A use of the kill switch: of everything its reason alone, which nothing can make unreadable; else CBOR.
pub fn freeze_bytes(freeze: &Freeze) -> Vec<u8> {
    let freeze = Freeze::new(&freeze.why, freeze.scope.clone());
    match (&freeze.scope, minicbor_serde::to_vec(&freeze)) {
        (KillScope::Everything, _) | (_, Err(_)) => tagged(b'K', &freeze.why),
        (_, Ok(cbor)) => [&b"k"[..], &cbor].concat(),
    }
}

/// Reads it; `None` for anything else.
pub fn read_freeze(bytes: &[u8]) -> Option<Freeze> {
    match bytes {
        [b'K', why @ ..] => Some(Freeze::everything(&String::from_utf8_lossy(why))),
        [b'k', cbor @ ..] => minicbor_serde::from_slice::<Freeze>(cbor).ok().map(|freeze| Freeze::new(&freeze.why, freeze.scope)),
        _ => None,
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(200).collect()
}

fn tagged(tag: u8, text: &str) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn numbered(tag: u8, number: u64) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes
}

fn read_number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

fn marked(tag: u8, mark: StateMark) -> Vec<u8> {
    let mut bytes = numbered(tag, mark.generation);
    bytes.extend_from_slice(&mark.vault);
    bytes
}

fn read_mark(bytes: &[u8]) -> Option<StateMark> {
    let (generation, vault) = bytes.split_first_chunk::<8>()?;
    Some(StateMark { vault: vault.try_into().ok()?, generation: u64::from_be_bytes(*generation) })
}

impl FromSigner {
    /// As bytes.
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::WantProvider(number) => numbered(b'W', number),
            Self::StateSaved(mark) => marked(b'S', mark),
            Self::Frozen => vec![b'K'],
        }
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'W', number @ ..] => read_number(number).map(Self::WantProvider),
            [b'S', mark @ ..] => read_mark(mark).map(Self::StateSaved),
            b"K" => Some(Self::Frozen),
            _ => None,
        }
    }
}

impl ToSigner {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Managed(offered) => [&b"M"[..], &offered.encode()].concat(),
            Self::StateFloor(mark) => marked(b'F', *mark),
            Self::Freeze(freeze) => freeze_bytes(freeze),
            Self::AttachDesk => vec![b'D'],
            Self::AttachPrompt => vec![b'P'],
            Self::AttachProvider(number) => numbered(b'V', *number),
            Self::NoProvider(number) => numbered(b'N', *number),
        }
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'M', offered @ ..] => Offered::decode(offered).map(Self::Managed),
            [b'F', mark @ ..] => read_mark(mark).map(Self::StateFloor),
            [b'K' | b'k', ..] => read_freeze(bytes).map(Self::Freeze),
            b"D" => Some(Self::AttachDesk),
            b"P" => Some(Self::AttachPrompt),
            [b'V', number @ ..] => read_number(number).map(Self::AttachProvider),
            [b'N', number @ ..] => read_number(number).map(Self::NoProvider),
            _ => None,
        }
    }
}

impl ToDesk {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::AttachSigner => vec![b'S'],
            Self::SignerGone(why) => tagged(b'G', why),
            Self::Killed(why) => tagged(b'K', why),
            Self::DeskDied => vec![b'D'],
            Self::Quit => vec![b'Q'],
        }
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            b"S" => Some(Self::AttachSigner),
            [b'G', why @ ..] => Some(Self::SignerGone(text(why))),
            [b'K', why @ ..] => Some(Self::Killed(text(why))),
            b"D" => Some(Self::DeskDied),
            b"Q" => Some(Self::Quit),
            _ => None,
        }
    }
}

impl FromDesk {
    /// As bytes.
    pub const fn encode(self) -> &'static [u8] {
        match self {
            Self::Alive => b"H",
            Self::Seal => b"R",
        }
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            b"H" => Some(Self::Alive),
            b"R" => Some(Self::Seal),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_only_grow_and_the_first_stay() {
        let mark = |vault: u8, generation| StateMark { vault: [vault; 16], generation };
        let mut marks = StateMarks::default();
        for (generation, floor) in [(3, 3), (2, 3), (9, 9)] {
            marks.note(mark(1, generation));
            assert_eq!((marks.floor(&[1; 16]), marks.floor(&[2; 16])), (floor, 0));
        }
        (2..200).for_each(|vault| marks.note(mark(vault, 5)));
        assert_eq!((marks.iter().count(), marks.floor(&[1; 16]), marks.floor(&[199; 16])), (StateMarks::MAX, 9, 0));
    }

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, u64::MAX] {
            for told in [ToSigner::AttachProvider(number), ToSigner::NoProvider(number)] {
                assert_eq!(ToSigner::decode(&told.encode()), Some(told));
            }
            assert_eq!(FromSigner::decode(&FromSigner::WantProvider(number).encode()), Some(FromSigner::WantProvider(number)));
        }
        let mark = StateMark { vault: *b"0123456789abcdef", generation: 7 };
        assert_eq!(FromSigner::decode(&FromSigner::StateSaved(mark).encode()), Some(FromSigner::StateSaved(mark)));
        assert_eq!(ToSigner::decode(&ToSigner::StateFloor(mark).encode()), Some(ToSigner::StateFloor(mark)));
        assert_eq!(ToSigner::decode(&ToSigner::StateFloor(mark).encode()[..24]), None);
        assert_eq!(FromSigner::decode(&FromSigner::Frozen.encode()), Some(FromSigner::Frozen));
        assert_eq!(ToSigner::decode(b"V1234567"), None);
        assert_eq!(FromSigner::decode(b"W123456789"), None);
    }
}
