//! What the signer and a prompt say to each other: frames with raw bytes behind the message, read in place.
//!
//! Invariant: answers and what is shown stand behind the message and are never decoded into owned text on the way; the signer alone decides what is asked.

use serde::{Deserialize, Serialize};
pub use strongroom_model::Origin;

use crate::about::About;
use crate::frame::{self, HEAD_LEN, Kind};

/// Longest answer: a pasted PEM key.
pub const ANSWER_LEN_MAX: usize = 8 * 1024;
/// Room for the longest frame of a prompt.
pub const FROM_PROMPT_LEN_MAX: usize = HEAD_LEN + 256 + ANSWER_LEN_MAX;
/// Longest name of a kind of file.
pub const SOURCE_LEN_MAX: usize = 64;
/// Bytes of a ticket.
pub const TICKET_LEN: usize = 16;

/// What is asked of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// What this is about, before the first question.
    About(About),
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

/// The message of [`ToPrompt`]; its words and what is shown are raw bytes behind it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Told {
    About(About),
    Ask(Field),
    Takes(u32),
    Show(Show),
    End(bool),
}

/// The message of [`FromPrompt`]; the answer is raw bytes behind it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Heard {
    Hello(#[serde(with = "serde_bytes")] [u8; TICKET_LEN]),
    From(Origin),
    Answer,
    Shown,
    Cancel,
}

impl<'a> ToPrompt<'a> {
    /// Writes a frame into `out`, which must be wiped by its owner.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (told, tail) = match self {
            Self::About(about) => (Told::About(about.clone()), &b""[..]),
            Self::Ask(field, words) => (Told::Ask(*field), *words),
            Self::Takes(ms) => (Told::Takes(*ms), &b""[..]),
            Self::Show(show, bytes) => (Told::Show(*show), *bytes),
            Self::End(ok, words) => (Told::End(*ok), *words),
        };
        frame::write_unnumbered(out, Kind::ToPrompt, &told, tail);
    }

    /// Reads a frame; `None` for anything else.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        match frame::read(packet, Kind::ToPrompt)? {
            (Told::About(about), b"") => about.is_plain().then_some(Self::About(about)),
            (Told::Takes(ms), b"") => Some(Self::Takes(ms)),
            (Told::About(_) | Told::Takes(_), _) => None,
            (Told::Ask(field), words) => Some(Self::Ask(field, words)),
            (Told::Show(show), bytes) => Some(Self::Show(show, bytes)),
            (Told::End(ok), words) => Some(Self::End(ok, words)),
        }
    }
}

impl<'a> FromPrompt<'a> {
    /// Writes a frame into `out`, which must be wiped by its owner.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (heard, tail) = match self {
            Self::Hello(ticket) => (Heard::Hello(*ticket), &b""[..]),
            Self::From(origin, source) => (Heard::From(*origin), *source),
            Self::Answer(bytes) => (Heard::Answer, *bytes),
            Self::Shown => (Heard::Shown, &b""[..]),
            Self::Cancel => (Heard::Cancel, &b""[..]),
        };
        frame::write_unnumbered(out, Kind::FromPrompt, &heard, tail);
    }

    /// Reads a frame; `None` for anything else.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        match frame::read(packet, Kind::FromPrompt)? {
            (Heard::Hello(ticket), b"") => Some(Self::Hello(ticket)),
            (Heard::From(origin), source) if source.len() <= SOURCE_LEN_MAX => Some(Self::From(origin, source)),
            (Heard::Answer, bytes) if bytes.len() <= ANSWER_LEN_MAX => Some(Self::Answer(bytes)),
            (Heard::Shown, b"") => Some(Self::Shown),
            (Heard::Cancel, b"") => Some(Self::Cancel),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::about::Deed;

    #[test]
    fn messages_read_as_they_were_written() {
        let mut out = Vec::new();
        let about = ToPrompt::About(About::new(Deed::Unlock, "Unlock").with("Venue", "Binance"));
        let shows = [Show::Kit, Show::OtpUri, Show::AuditorCode, Show::RecoveryCodes].map(|show| ToPrompt::Show(show, b"shown"));
        let asks = Field::ALL.map(|field| ToPrompt::Ask(field, b"words"));
        let others = [about, ToPrompt::Takes(u32::MAX), ToPrompt::End(true, b"Done."), ToPrompt::End(false, b"")];
        for message in shows.into_iter().chain(asks).chain(others) {
            message.write(&mut out);
            assert_eq!(ToPrompt::parse(&out), Some(message));
        }
        let (longest, source) = ([b'9'; ANSWER_LEN_MAX], [b'f'; SOURCE_LEN_MAX]);
        let origins =
            [Origin::Typed, Origin::PlainFile, Origin::EncryptedFile, Origin::Generated].map(|from| FromPrompt::From(from, &source));
        let answers = [&b""[..], b"\0\xff", &longest].map(FromPrompt::Answer);
        for message in
            answers.into_iter().chain(origins).chain([FromPrompt::Hello([200; TICKET_LEN]), FromPrompt::Shown, FromPrompt::Cancel])
        {
            message.write(&mut out);
            assert!(out.len() <= FROM_PROMPT_LEN_MAX);
            assert_eq!(FromPrompt::parse(&out), Some(message));
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let mut out = Vec::new();
        let (too_long, source) = ([b'9'; ANSWER_LEN_MAX + 1], [b'f'; SOURCE_LEN_MAX + 1]);
        for message in [FromPrompt::Answer(&too_long), FromPrompt::From(Origin::Typed, &source)] {
            message.write(&mut out);
            assert_eq!(FromPrompt::parse(&out), None);
        }
        // Bytes behind what has none.
        for heard in [Heard::Shown, Heard::Cancel, Heard::Hello([1; TICKET_LEN])] {
            frame::write_unnumbered(&mut out, Kind::FromPrompt, &heard, b"x");
            assert_eq!(FromPrompt::parse(&out), None);
        }
        // Another line's frame, and no frame.
        frame::write_unnumbered(&mut out, Kind::FromProvider, &Heard::Cancel, b"");
        for bytes in [&out[..], b"", b"C", b"Apassword"] {
            assert_eq!((FromPrompt::parse(bytes), ToPrompt::parse(bytes)), (None, None));
        }
    }
}
