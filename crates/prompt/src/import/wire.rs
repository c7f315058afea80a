//! What the walled reader is given and what it answers: `K`, a form and keys, or `T` and a trouble. Invariant: bytes that
//! are not exactly that are [`Trouble::NoAnswer`]; the reader is not believed about anything else.

use zeroize::Zeroizing;

use super::found::{API_KEY_LEN_MAX, FOUND_MAX, Form, Found, Reading, Scheme, TEXT_LEN_MAX};
use super::{FILE_LEN_MAX, PASSPHRASE_LEN_MAX, Trouble, Why};

/// Longest input: a passphrase and a file, and one byte more so that a longer file is seen.
pub(super) const INPUT_LEN_MAX: usize = 2 + PASSPHRASE_LEN_MAX + FILE_LEN_MAX + 1;
/// Longest answer: as many keys as there can be, each as long as it can be.
pub const ANSWER_LEN_MAX: usize = 1_024 + FOUND_MAX * (strongroom_signer_api::prompt::ANSWER_LEN_MAX + API_KEY_LEN_MAX + 5 * TEXT_LEN_MAX);

/// `length u16 | passphrase | file`; no passphrase is one of no length.
pub(super) fn input(passphrase: &[u8], file: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(2 + passphrase.len() + file.len()));
    out.extend_from_slice(&u16::try_from(passphrase.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(passphrase);
    out.extend_from_slice(file);
    out
}

/// The passphrase, if there is one, and the file.
pub(super) fn split(input: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (len, rest) = input.split_first_chunk()?;
    let (passphrase, file) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    Some((Some(passphrase).filter(|passphrase| !passphrase.is_empty()), file))
}

/// As bytes, in a buffer that is wiped.
pub fn encode(result: &Result<Reading, Trouble>) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(ANSWER_LEN_MAX));
    match result {
        Err(trouble) => out.extend_from_slice(&[b'T', *trouble as u8]),
        Ok(Reading { form, also, found }) => {
            out.extend_from_slice(&[b'K', *form as u8]);
            put(&mut out, also);
            for Found { venue, label, place, left, scheme, api_key, secret } in found {
                let (why, secret) = match secret {
                    Ok(secret) => (0, secret.as_str()),
                    Err(why) => (*why as u8, ""),
                };
                out.extend_from_slice(&[*scheme as u8, why]);
                for text in [venue.as_str(), label, place, left, api_key, secret] {
                    put(&mut out, text);
                }
            }
        }
    }
    out
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// From bytes.
pub fn decode(bytes: &[u8]) -> Result<Reading, Trouble> {
    match bytes {
        [b'T', number] => Err(Trouble::from_number(*number).unwrap_or(Trouble::NoAnswer)),
        [b'K', form, rest @ ..] => reading(*form, rest).ok_or(Trouble::NoAnswer),
        _ => Err(Trouble::NoAnswer),
    }
}

fn reading(form: u8, rest: &[u8]) -> Option<Reading> {
    let (also, mut rest) = text(rest)?;
    let mut reading = Reading { form: Form::from_number(form)?, also: also.to_owned(), found: Vec::new() };
    if also.len() > TEXT_LEN_MAX || also.chars().any(char::is_control) {
        return None;
    }
    while let Some(([scheme, why], after)) = rest.split_first_chunk() {
        let (venue, after) = text(after)?;
        let (label, after) = text(after)?;
        let (place, after) = text(after)?;
        let (left, after) = text(after)?;
        let (api_key, after) = text(after)?;
        let (secret, after) = text(after)?;
        let key = Found {
            venue: venue.to_owned(),
            label: label.to_owned(),
            place: place.to_owned(),
            left: left.to_owned(),
            scheme: Scheme::from_number(*scheme)?,
            api_key: Zeroizing::new(api_key.to_owned()),
            secret: if *why == 0 { Ok(Zeroizing::new(secret.to_owned())) } else { Err(Why::from_number(*why)?) },
        };
        // Of a key that cannot be imported no secret is told.
        if !key.is_whole() || (key.secret.is_err() && !secret.is_empty()) || reading.found.len() == FOUND_MAX {
            return None;
        }
        reading.found.push(key);
        rest = after;
    }
    (rest.is_empty() && !reading.found.is_empty()).then_some(reading)
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_it_was_written() {
        let found = super::super::parse(b"BINANCE_API_KEY=k\nBINANCE_API_SECRET=s\nOKX_API_KEY=a\nOKX_API_SECRET=b", None);
        let bytes = encode(&found);
        assert!(decode(&bytes) == found);
        assert!(!bytes.windows(3).any(|three| three == [0, 1, b'b']), "the secret of a venue that is not supported");
        assert_eq!(decode(&encode(&Err(Trouble::NeedsPassphrase))).err(), Some(Trouble::NeedsPassphrase));
        for cut in 0..bytes.len() {
            // A cut between two keys is a shorter list; every other one is nothing.
            assert!(decode(&bytes[..cut]).map_or(true, |reading| reading.found.len() == 1), "{cut}");
        }
        for nonsense in [&b""[..], b"X", b"T", b"T\x00", b"T\x01\x01", b"K", b"K\x09\0\0", b"K\x02\0\0\x01\x00", b"K\x02\0\x01\x07\x01\x01"]
        {
            assert_eq!(decode(nonsense).err(), Some(Trouble::NoAnswer), "{nonsense:?}");
        }
    }

    #[test]
    fn a_refused_key_carries_no_secret() {
        let mut bytes = b"K\x02\0\0\x01\x03".to_vec();
        for text in ["kraken", "kraken", "line 1", "", "k", "s"] {
            put(&mut bytes, text);
        }
        assert_eq!(decode(&bytes).err(), Some(Trouble::NoAnswer));
        // Nor is one believed to be importable whose venue is not.
        bytes[5] = 0;
        assert_eq!(decode(&bytes).err(), Some(Trouble::NoAnswer));
    }

    #[test]
    fn a_passphrase_and_a_file() {
        for (passphrase, file) in [(&b""[..], &b"file"[..]), (b"correct horse", b"THORS"), (b"p", b"")] {
            let expected = Some(passphrase).filter(|passphrase| !passphrase.is_empty());
            assert_eq!(split(&input(passphrase, file)), Some((expected, file)));
        }
        assert_eq!(split(b"\0"), None);
        assert_eq!(split(b"\0\x05abc"), None);
    }
}
