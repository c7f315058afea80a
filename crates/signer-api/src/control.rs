//! What the supervisor tells the signer and the desk: one byte and a text, sometimes a descriptor.
//!
//! Invariant: nothing here can unlock, sign or read; the supervisor can only wire, freeze and end.

/// A message of the supervisor to the signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToSigner {
    /// Engage the kill switch.
    Freeze(String),
    /// The descriptor with this packet is the channel of a desk; it replaces an earlier one.
    AttachDesk,
    /// The descriptor with this packet is the channel of a prompt.
    AttachPrompt,
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

impl ToSigner {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Freeze(why) => tagged(b'F', why),
            Self::AttachDesk => vec![b'D'],
            Self::AttachPrompt => vec![b'P'],
        }
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'F', why @ ..] => Some(Self::Freeze(text(why))),
            b"D" => Some(Self::AttachDesk),
            b"P" => Some(Self::AttachPrompt),
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
            Self::Quit => vec![b'Q'],
        }
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            b"S" => Some(Self::AttachSigner),
            [b'G', why @ ..] => Some(Self::SignerGone(text(why))),
            [b'K', why @ ..] => Some(Self::Killed(text(why))),
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
