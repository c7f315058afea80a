//! What the signer and a prompt say to each other: one tag byte and raw bytes, read in place.
//!
//! Invariant: answers are never decoded into owned text on the way; the signer alone decides what is asked.

pub use strongroom_model::Origin;

/// Longest answer: a pasted PEM key.
pub const ANSWER_LEN_MAX: usize = 8 * 1024;
/// Longest name of a kind of file.
pub const SOURCE_LEN_MAX: usize = 64;
/// Bytes of a ticket.
pub const TICKET_LEN: usize = 16;

/// What is asked of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Field {
    /// The vault's password.
    Password = 1,
    /// A new password; the prompt asks twice.
    NewPassword = 2,
    /// Six digits, or a recovery code.
    Totp = 3,
    /// The venue's name of the key.
    ApiKey = 4,
    /// The secret or private key.
    ApiSecret = 5,
    /// The whole recovery kit.
    Kit = 6,
    /// The last group of the kit just shown, typed back.
    KitGroup = 7,
    /// The PIN of a token, or the token of a key server.
    Pin = 8,
}

impl Field {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 8] =
        [Self::Password, Self::NewPassword, Self::Totp, Self::ApiKey, Self::ApiSecret, Self::Kit, Self::KitGroup, Self::Pin];

    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|field| *field as u8 == number)
    }
}

/// What is shown to the person once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Show {
    /// The recovery kit.
    Kit = 33,
    /// The `otpauth://` address of the code generator.
    OtpUri = 34,
    /// An auditor's code.
    AuditorCode = 35,
    /// The recovery codes, each on a line of its own.
    RecoveryCodes = 36,
}

impl Show {
    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Kit, Self::OtpUri, Self::AuditorCode, Self::RecoveryCodes].into_iter().find(|show| *show as u8 == number)
    }
}

/// From the signer to the prompt; borrowed from the packet.
#[derive(Debug, PartialEq, Eq)]
pub enum ToPrompt<'a> {
    /// What this is about, before the first question; the text of [`crate::About`].
    About(&'a [u8]),
    /// Ask for a field, with these words.
    Ask(Field, &'a [u8]),
    /// What the answer to the next question starts will probably last so many milliseconds.
    Takes(u32),
    /// Show this.
    Show(Show, &'a [u8]),
    /// Over: whether it worked, and the words for the person.
    End(bool, &'a [u8]),
}

/// From the prompt to the signer; borrowed from the packet.
#[derive(Debug, PartialEq, Eq)]
pub enum FromPrompt<'a> {
    /// Which action this prompt is for.
    Hello([u8; TICKET_LEN]),
    /// How the key comes that the next answer names, and the kind of file; the person's typing when it is not said.
    From(Origin, &'a [u8]),
    /// The person's answer.
    Answer(&'a [u8]),
    /// It was shown.
    Shown,
    /// The person gave up.
    Cancel,
}

impl<'a> ToPrompt<'a> {
    /// Writes into `out`, which must be wiped by its owner.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        let bytes = match self {
            Self::About(text) => {
                out.push(b'B');
                text
            }
            Self::Ask(field, words) => {
                out.extend_from_slice(&[b'A', *field as u8]);
                words
            }
            Self::Takes(ms) => {
                out.push(b'T');
                &ms.to_be_bytes()[..]
            }
            Self::Show(show, bytes) => {
                out.extend_from_slice(&[b'S', *show as u8]);
                bytes
            }
            Self::End(ok, words) => {
                out.extend_from_slice(&[b'E', u8::from(*ok)]);
                words
            }
        };
        out.extend_from_slice(bytes);
    }

    /// Reads; `None` for anything else.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        match packet {
            [b'B', text @ ..] => Some(Self::About(text)),
            [b'A', field, words @ ..] => Some(Self::Ask(Field::from_number(*field)?, words)),
            [b'T', ms @ ..] => Some(Self::Takes(u32::from_be_bytes(ms.try_into().ok()?))),
            [b'S', show, bytes @ ..] => Some(Self::Show(Show::from_number(*show)?, bytes)),
            [b'E', ok @ (0 | 1), words @ ..] => Some(Self::End(*ok == 1, words)),
            _ => None,
        }
    }
}

impl<'a> FromPrompt<'a> {
    /// Writes into `out`, which must be wiped by its owner.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        match self {
            Self::Hello(ticket) => {
                out.push(b'H');
                out.extend_from_slice(ticket);
            }
            Self::From(origin, source) => {
                out.extend_from_slice(&[b'F', *origin as u8]);
                out.extend_from_slice(source);
            }
            Self::Answer(bytes) => {
                out.push(b'A');
                out.extend_from_slice(bytes);
            }
            Self::Shown => out.push(b'S'),
            Self::Cancel => out.push(b'C'),
        }
    }

    /// Reads; `None` for anything else.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        match packet {
            [b'H', ticket @ ..] => Some(Self::Hello(ticket.try_into().ok()?)),
            [b'F', origin, source @ ..] if source.len() <= SOURCE_LEN_MAX => Some(Self::From(Origin::from_number(*origin)?, source)),
            [b'A', bytes @ ..] if bytes.len() <= ANSWER_LEN_MAX => Some(Self::Answer(bytes)),
            b"S" => Some(Self::Shown),
            b"C" => Some(Self::Cancel),
            _ => None,
        }
    }
}
