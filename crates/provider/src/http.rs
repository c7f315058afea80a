//! One answer in HTTP/1.1, read in place. Invariant: it lies in one buffer of fixed size that is wiped; what does not fit, or
//! is not complete, is no answer.

use serde::Deserialize;
use strongroom_signer_api::provider::Failure;
use zeroize::Zeroizing;

/// Longest answer: a key of many versions is described in a few thousand bytes.
pub(crate) const ANSWER_LEN_MAX: usize = 64 * 1_024;
/// Most digits of a length.
const LEN_DIGITS_MAX: usize = 8;

/// A complete answer.
pub(crate) struct Answer {
    bytes: Zeroizing<Vec<u8>>,
    status: u16,
    body: std::ops::Range<usize>,
}

impl Answer {
    /// From all that came; `None`: it is not complete, or not understood.
    pub(crate) fn read(mut bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        let (status, body) = frame(&mut bytes)?;
        Some(Self { bytes, status, body })
    }

    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    /// The body as what it must be.
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        let body = self.bytes.get(self.body.clone()).ok_or(Failure::Garbled)?;
        serde_json::from_slice(body).map_err(|_| Failure::Garbled)
    }
}

/// Status and body of an answer that is complete; the body may have been moved together in its place.
pub fn read_answer(bytes: &mut [u8]) -> Option<(u16, &[u8])> {
    let (status, body) = frame(bytes)?;
    Some((status, bytes.get(body)?))
}

/// Whether more has to come before an answer can be read: its head, or its body by the length that it names.
pub(crate) fn is_incomplete(bytes: &[u8]) -> bool {
    let Some((head, body_at)) = split_head(bytes) else { return true };
    match length(head) {
        Some(Length::Known(len)) => bytes.len() - body_at < len,
        Some(Length::Chunked) => !bytes.ends_with(b"0\r\n\r\n"),
        None => true,
    }
}

enum Length {
    Known(usize),
    Chunked,
}

fn frame(bytes: &mut [u8]) -> Option<(u16, std::ops::Range<usize>)> {
    let (head, body_at) = split_head(bytes)?;
    let status = status(head)?;
    let len = match length(head)? {
        Length::Known(len) => bytes.len().checked_sub(body_at).filter(|have| *have == len)?,
        Length::Chunked => join_chunks(bytes.get_mut(body_at..)?)?,
    };
    Some((status, body_at..body_at + len))
}

fn split_head(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((bytes.get(..at)?, at + 4))
}

fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.1 ").or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let ends = rest.get(3).is_none_or(|next| matches!(next, b' ' | b'\r'));
    std::str::from_utf8(digits).ok().filter(|_| ends)?.parse().ok()
}

/// How long the body is: exactly one way of saying so must be there.
fn length(head: &[u8]) -> Option<Length> {
    let mut found = None;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?.trim_ascii());
        let length = if name.eq_ignore_ascii_case(b"content-length") {
            Length::Known(number(value, 10)?)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            value.eq_ignore_ascii_case(b"chunked").then_some(Length::Chunked)?
        } else {
            continue;
        };
        if found.replace(length).is_some() {
            return None;
        }
    }
    found
}

fn number(digits: &[u8], radix: u32) -> Option<usize> {
    let fits = (1..=LEN_DIGITS_MAX).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| fits)?;
    usize::from_str_radix(text, radix).ok()
}

/// Moves the chunks together at the beginning; their length in all. Nothing may follow the last one.
fn join_chunks(bytes: &mut [u8]) -> Option<usize> {
    let (mut read, mut written) = (0, 0);
    loop {
        let line_len = bytes.get(read..)?.windows(2).position(|window| window == b"\r\n")?;
        let line = bytes.get(read..read + line_len)?;
        let digits = line.split(|byte| *byte == b';').next()?;
        let len = number(digits, 16)?;
        read += line_len + 2;
        if len == 0 {
            return (bytes.get(read..)? == b"\r\n").then_some(written);
        }
        let end = read.checked_add(len)?;
        (bytes.get(end..end + 2)? == b"\r\n").then_some(())?;
        bytes.copy_within(read..end, written);
        written += len;
        read = end + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows: what came, and status and body of it.
    #[test]
    fn answers() {
        for (text, found) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Some((200, "{}"))),
            ("HTTP/1.1 403\r\ncontent-length:0\r\n\r\n", Some((403, ""))),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n3;x=y\r\na\":\r\n0\r\n\r\n", Some((200, "{\"a\":"))),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n{}\r\n0\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nmore", None),
            ("HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}", None),
            ("HTTP/2 200\r\nContent-Length: 2\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}", None),
            ("", None),
        ] {
            let mut bytes = text.as_bytes().to_vec();
            assert_eq!(read_answer(&mut bytes), found.map(|(status, body)| (status, body.as_bytes())), "{text:?}");
        }
    }

    #[test]
    fn it_is_known_when_all_has_come() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        ] {
            for len in 0..text.len() {
                assert!(is_incomplete(&text.as_bytes()[..len]), "{len} of {text:?}");
            }
            assert!(!is_incomplete(text.as_bytes()));
        }
    }
}
