//! What the supervisor tells the signer, in frames, and the desk: one byte and a text; sometimes a descriptor.
//!
//! Invariant: nothing here can unlock, sign or read; the supervisor can only wire, freeze and end.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use strongroom_guard::Freeze;

use crate::frame::{self, Kind};
use crate::managed::Offered;

/// Exit code of a signer whose supervisor is of another build: programs were replaced while that ran. Another start would not help.
pub const EXIT_OF_ANOTHER_BUILD: u8 = 3;
/// Longest frame of the signer to the supervisor.
pub const FROM_SIGNER_LEN_MAX: usize = 256;

/// How far the state file of a vault had come, as the signer told when it was on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateMark {
    /// Whose.
    #[serde(with = "serde_bytes")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ToSigner {
    /// What there is of an organisation's limits; told before a desk is attached, and before each prompt.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(200).collect()
}

fn tagged(tag: u8, text: &str) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

impl FromSigner {
    /// As a frame.
    pub fn encode(self) -> Vec<u8> {
        framed(Kind::FromSigner, &self)
    }

    /// From a frame; `None` for anything else.
    pub fn decode(packet: &[u8]) -> Option<Self> {
        unframed(Kind::FromSigner, packet)
    }
}

impl ToSigner {
    /// As a frame.
    pub fn encode(&self) -> Vec<u8> {
        framed(Kind::ToSigner, self)
    }

    /// From a frame; `None` for anything else.
    pub fn decode(packet: &[u8]) -> Option<Self> {
        unframed(Kind::ToSigner, packet).map(|said| match said {
            Self::Freeze(freeze) => Self::Freeze(Freeze::new(&freeze.why, freeze.scope)),
            Self::Managed(Offered::Trouble(words)) => Self::Managed(Offered::Trouble(text(words.as_bytes()))),
            said => said,
        })
    }
}

fn framed(kind: Kind, message: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    frame::write_unnumbered(&mut out, kind, message, b"");
    out
}

fn unframed<M: DeserializeOwned + Serialize>(kind: Kind, packet: &[u8]) -> Option<M> {
    frame::read(packet, kind).filter(|(_, tail)| tail.is_empty()).map(|(message, _)| message)
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
    use strongroom_guard::KillScope;

    use super::*;
    use crate::managed::ManagedFiles;

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
    fn what_is_said_comes_back_and_nothing_else() {
        let mark = StateMark { vault: *b"0123456789abcdef", generation: u64::MAX };
        let files = ManagedFiles { document: b"{}".to_vec(), signature: Vec::new(), key: b"key".to_vec() };
        let offered = [Offered::Nothing, Offered::Trouble("half is there".to_owned()), Offered::Files(files)];
        let freezes = ["", "a bot runs wild", &"\u{1F512}\n\u{7}\"".repeat(400)].map(Freeze::everything);
        let numbers = [0, 1, u64::MAX].into_iter().flat_map(|number| [ToSigner::AttachProvider(number), ToSigner::NoProvider(number)]);
        let others = [ToSigner::StateFloor(mark), ToSigner::AttachDesk, ToSigner::AttachPrompt];
        for told in offered.map(ToSigner::Managed).into_iter().chain(freezes.map(ToSigner::Freeze)).chain(numbers).chain(others) {
            let frame = told.encode();
            for cut in 0..frame.len() {
                assert_eq!(ToSigner::decode(&frame[..cut]), None, "{told:?} cut to {cut}");
            }
            for more in [&b"x"[..], b"\0"] {
                assert_eq!(ToSigner::decode(&[&frame[..], more].concat()), None, "{told:?}");
            }
            assert_eq!(FromSigner::decode(&frame), None);
            assert_eq!(ToSigner::decode(&frame), Some(told));
        }
        for told in [FromSigner::WantProvider(u64::MAX), FromSigner::StateSaved(mark), FromSigner::Frozen] {
            assert!(told.encode().len() <= FROM_SIGNER_LEN_MAX);
            assert_eq!(FromSigner::decode(&told.encode()), Some(told));
        }
        // The same on another line.
        let mut elsewhere = Vec::new();
        frame::write_unnumbered(&mut elsewhere, Kind::ToPrompt, &ToSigner::AttachDesk, b"");
        for bytes in [&elsewhere[..], b"", b"D", b"Kwhy", b"V12345678"] {
            assert_eq!((ToSigner::decode(bytes), FromSigner::decode(bytes)), (None, None));
        }
    }

    /// What is too long for a reason is cut, whoever wrote it.
    #[test]
    fn a_freeze_is_bounded_by_the_reader_too() {
        let long = ToSigner::Freeze(Freeze { why: "x".repeat(9_000), scope: KillScope::Everything });
        let Some(ToSigner::Freeze(read)) = ToSigner::decode(&long.encode()) else { panic!("not read") };
        assert_eq!(read, Freeze::everything(&"x".repeat(9_000)));
        assert!(read.why.len() < 1_000);
    }
}
