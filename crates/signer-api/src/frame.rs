//! The frame of all that the signer says and hears: `version u32 | kind u16 | request id u64 | tail length u32 | CBOR | tail`,
//! integers little-endian.
//!
//! Invariant: only canonical CBOR of a listed message is accepted: what was read, written again, gives the same
//! bytes. The tail carries raw bytes that must not pass through a decoder (the device secret, an answer, a share).

use minicbor::encode::Write;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::channel::PACKET_LEN_MAX;
use crate::numbered::{self, NotOfItsType};

/// Version of every message: of the very sources that their types stand in, since a field is told by its place there.
pub const VERSION: u32 = match u32::from_str_radix(env!("STRONGROOM_MESSAGES"), 10) {
    Ok(version) => version,
    Err(_) => panic!("the build did not say which it is"),
};
/// Bytes before the CBOR.
pub const HEAD_LEN: usize = 18;

/// What a frame carries: each a closed list of its own, said in one direction. A number means nothing without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Desk asks.
    Request,
    /// Signer answers the request with the same id.
    Reply,
    /// Signer tells something unasked.
    Notice,
    /// Supervisor to signer.
    ToSigner,
    /// Signer to supervisor.
    FromSigner,
    /// Signer to prompt.
    ToPrompt,
    /// Prompt to signer.
    FromPrompt,
    /// Signer to key provider.
    ToProvider,
    /// Key provider to signer.
    FromProvider,
}

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Shorter than its own head says.
    #[error("a frame that is too short")]
    Short,
    /// From another build of Strongroom.
    #[error("a frame of another build of Strongroom ({0:08x}; this one is {VERSION:08x}): end it and start it anew")]
    Version(u32),
    /// Not a listed kind.
    #[error("a frame of unknown kind {0}")]
    Kind(u16),
    /// Seen before, or out of its order.
    #[error("a frame numbered {id} after one numbered {after}")]
    Id {
        /// Its number.
        id: u64,
        /// The highest before it.
        after: u64,
    },
    /// Not canonical CBOR of a listed message.
    #[error("a frame whose message is not understood")]
    Message,
}

impl From<NotOfItsType> for FrameError {
    fn from(_: NotOfItsType) -> Self {
        Self::Message
    }
}

/// A frame read from a packet.
#[derive(Debug)]
pub struct Frame<'a> {
    /// What it carries.
    pub kind: Kind,
    /// Strictly increasing per channel; a reply repeats the request's.
    pub id: u64,
    body: &'a [u8],
    /// Raw bytes behind the message.
    pub tail: &'a [u8],
}

/// Writes a frame into `out`, which is cleared first.
pub fn write<M: Serialize>(out: &mut Vec<u8>, kind: Kind, id: u64, message: &M, tail: &[u8]) -> Result<(), FrameError> {
    out.clear();
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&(kind as u16).to_le_bytes());
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&u32::try_from(tail.len()).map_err(|_| FrameError::Message)?.to_le_bytes());
    numbered::write(&mut *out, message)?;
    out.extend_from_slice(tail);
    Ok(())
}

/// The same, or `instead` where it would be longer than a packet: whoever waits for it goes on without.
pub fn write_or<M: Serialize>(out: &mut Vec<u8>, kind: Kind, id: u64, message: &M, instead: &M) -> Result<(), FrameError> {
    write(out, kind, id, message, b"")?;
    if out.len() <= PACKET_LEN_MAX { Ok(()) } else { write(out, kind, id, instead, b"") }
}

/// Numbers a frame that was written before its turn was known.
pub(crate) fn set_id(frame: &mut [u8], id: u64) -> Result<(), FrameError> {
    frame.get_mut(6..14).ok_or(FrameError::Short)?.copy_from_slice(&id.to_le_bytes());
    Ok(())
}

/// A message of a line that belongs to `kind`, to be numbered when it is sent.
pub(crate) fn write_unnumbered<M: Serialize>(out: &mut Vec<u8>, kind: Kind, message: &M, tail: &[u8]) {
    if write(out, kind, 0, message, tail).is_err() {
        // What is no frame is understood by nobody.
        out.clear();
    }
}

/// Message and tail of such a frame; `None` for anything else.
pub(crate) fn read<M: DeserializeOwned + Serialize>(packet: &[u8], kind: Kind) -> Option<(M, &[u8])> {
    let frame = Frame::parse(packet).ok().filter(|frame| frame.kind == kind)?;
    Some((frame.message().ok()?, frame.tail))
}

impl<'a> Frame<'a> {
    /// Takes the head off a packet.
    pub fn parse(packet: &'a [u8]) -> Result<Self, FrameError> {
        let (head, rest) = packet.split_at_checked(HEAD_LEN).ok_or(FrameError::Short)?;
        let (version, head) = head.split_first_chunk().ok_or(FrameError::Short)?;
        let (kind, head) = head.split_first_chunk().ok_or(FrameError::Short)?;
        let (id, tail_len) = head.split_first_chunk().ok_or(FrameError::Short)?;
        let version = u32::from_le_bytes(*version);
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let kind = match u16::from_le_bytes(*kind) {
            0 => Kind::Request,
            1 => Kind::Reply,
            2 => Kind::Notice,
            3 => Kind::ToSigner,
            4 => Kind::FromSigner,
            5 => Kind::ToPrompt,
            6 => Kind::FromPrompt,
            7 => Kind::ToProvider,
            8 => Kind::FromProvider,
            other => return Err(FrameError::Kind(other)),
        };
        let id = u64::from_le_bytes(*id);
        let tail_len = u32::from_le_bytes(tail_len.try_into().map_err(|_| FrameError::Short)?) as usize;
        let body_len = rest.len().checked_sub(tail_len).ok_or(FrameError::Short)?;
        let (body, tail) = rest.split_at(body_len);
        Ok(Self { kind, id, body, tail })
    }

    /// Reads the message.
    pub fn message<M: DeserializeOwned + Serialize>(&self) -> Result<M, FrameError> {
        let message = numbered::read(self.body)?;
        if numbered::write(Expected(self.body), &message)?.0.is_empty() { Ok(message) } else { Err(FrameError::Message) }
    }
}

/// What is still to be written. Anything else is an error, and nothing is kept.
struct Expected<'a>(&'a [u8]);

/// Something else was written.
#[derive(Debug, Error)]
#[error("not what was expected")]
struct Unexpected;

impl Write for Expected<'_> {
    type Error = Unexpected;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Unexpected> {
        self.0 = self.0.strip_prefix(bytes).ok_or(Unexpected)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reply, Request};

    /// As deep as a packet could hold, and read by a thread that has little room.
    #[test]
    fn a_request_at_a_door_stands_in_no_other() {
        let at = |request| Request::At { door: crate::DoorId(1), request: Box::new(request) };
        let mut out = Vec::new();
        for (request, reads) in [(at(Request::Status), true), (at(at(Request::Status)), false), (at(Request::Lock), true)] {
            write(&mut out, Kind::Request, 7, &request, b"").unwrap();
            assert_eq!(Frame::parse(&out).unwrap().message::<Request>().is_ok(), reads, "{request:?}");
        }
        write(&mut out, Kind::Request, 7, &at(Request::Status), b"").unwrap();
        let one = out[HEAD_LEN..].to_vec();
        let inner = numbered::write(Vec::new(), &Request::Status).unwrap();
        let level = &one[..one.len() - inner.len()];
        assert!(one.ends_with(&inner), "the request stands last");
        let deep = [&out[..HEAD_LEN], &level.repeat(60_000 / level.len()), &inner].concat();
        assert!(Frame::parse(&deep).unwrap().message::<Request>().is_err());
    }

    #[test]
    fn what_is_too_long_for_a_packet_gives_way() {
        let mut out = Vec::new();
        let instead = Reply::Refused(crate::Refusal::Busy);
        let mut written = |len: usize| {
            let reply = Reply::PublicKey("x".repeat(len));
            write_or(&mut out, Kind::Reply, 7, &reply, &instead).unwrap();
            assert!(out.len() <= PACKET_LEN_MAX);
            let read = Frame::parse(&out).unwrap().message::<Reply>().unwrap();
            assert!(read == reply || read == instead);
            (read == reply, PACKET_LEN_MAX - out.len())
        };
        let (_, room) = written(60_000);
        let most = 60_000 + room;
        assert_eq!((written(most), written(most + 1).0), ((true, 0), false));
    }

    #[test]
    fn what_is_written_is_read_and_anything_added_is_refused() {
        let mut out = Vec::new();
        write(&mut out, Kind::Request, 7, &Request::Status, b"tail").unwrap();
        let frame = Frame::parse(&out).unwrap();
        assert_eq!((frame.kind, frame.id, frame.tail), (Kind::Request, 7, &b"tail"[..]));
        assert_eq!(frame.message::<Request>(), Ok(Request::Status));
        for cut in 0..out.len() {
            let refused = Frame::parse(&out[..cut]).map(|frame| frame.message::<Request>().is_err()).unwrap_or(true);
            assert!(refused, "a frame cut to {cut} bytes was accepted");
        }
        out.insert(out.len() - 4, 0);
        assert!(Frame::parse(&out).unwrap().message::<Request>().is_err());
    }

    /// The same message in other bytes: each is CBOR, and a decoder alone reads most of them.
    #[test]
    fn only_the_canonical_form_is_read() {
        let request = Request::SealHead { size: 1, head: vec![7, 8], closes: false };
        let written = numbered::write(Vec::new(), &request).unwrap();
        let (size, head, closes) = ([0, 1], [1, 0x42, 7, 8], [2, 0xf4]);
        let fields = [&[0xa3][..], &size, &head, &closes].concat();
        let (open, written_fields) = written.split_at(written.len() - fields.len());
        let (&[one_entry, variant], true) = (open, written_fields == fields) else { panic!("{written:x?}") };
        let body = |fields: &[&[u8]]| [open, &[0xa0 + u8::try_from(fields.len()).unwrap()], &fields.concat()].concat();
        let rows = [
            ("canonical", true, body(&[&size, &head, &closes])),
            ("in another order", false, body(&[&head, &size, &closes])),
            ("a longer integer", false, body(&[&[0, 0x18, 1], &head, &closes])),
            ("a longer number of a field", false, body(&[&[0x18, 0, 1], &head, &closes])),
            ("a longer number of a variant", false, [&[one_entry, 0x18, variant], &fields[..]].concat()),
            ("a longer length", false, body(&[&size, &[1, 0x58, 2, 7, 8], &closes])),
            ("of no length", false, body(&[&size, &[1, 0x5f, 0x42, 7, 8, 0xff], &closes])),
            ("a field twice", false, body(&[&size, &size, &head, &closes])),
            ("a field that is not known", false, body(&[&size, &head, &closes, &[3, 1]])),
            ("a field too few", false, body(&[&size, &head])),
            ("a field by its name", false, body(&[&[0x64, b's', b'i', b'z', b'e', 1], &head, &closes])),
            ("something of another type", false, body(&[&[0, 0x61, b'1'], &head, &closes])),
            ("a map of no length", false, [open, &[0xbf], &size, &head, &closes, &[0xff]].concat()),
            ("fields without their numbers", false, [open, &[0x83, 1, 0x42, 7, 8, 0xf4]].concat()),
            ("a variant without what belongs to it", false, vec![variant]),
            ("a variant that is not known", false, vec![0x18, 0xff]),
            ("two variants", false, [&[one_entry + 1, variant], &fields[..], &[variant], &fields].concat()),
            ("nothing", false, Vec::new()),
        ];
        for (what, reads, body) in rows {
            let mut packet = Vec::new();
            write(&mut packet, Kind::Request, 7, &Request::Status, b"").unwrap();
            packet.truncate(HEAD_LEN);
            packet.extend(body);
            let read = Frame::parse(&packet).unwrap().message::<Request>();
            assert_eq!(read, if reads { Ok(request.clone()) } else { Err(FrameError::Message) }, "{what}");
        }
    }
}
