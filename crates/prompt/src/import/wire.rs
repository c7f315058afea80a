//! What the walled reader answers: `K` and keys, or `T` and a trouble. Invariant: bytes that are not exactly that are
//! [`Trouble::NoAnswer`]; the reader is not believed about anything else.

use zeroize::Zeroizing;

use super::{FOUND_MAX, Form, Found, Trouble};

/// As bytes, in a buffer that is wiped.
pub fn encode(result: &Result<Vec<Found>, Trouble>) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::new());
    match result {
        Err(trouble) => out.extend_from_slice(&[b'T', *trouble as u8]),
        Ok(found) => {
            out.push(b'K');
            for key in found {
                out.push(key.form as u8);
                for text in [key.name.as_str(), key.api_key.as_str(), key.secret.as_str()] {
                    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
                    out.extend_from_slice(text.as_bytes());
                }
            }
        }
    }
    out
}

/// From bytes.
pub fn decode(bytes: &[u8]) -> Result<Vec<Found>, Trouble> {
    match bytes {
        [b'T', number] => Err(Trouble::from_number(*number).unwrap_or(Trouble::NoAnswer)),
        [b'K', rest @ ..] => keys(rest).filter(|found| !found.is_empty()).ok_or(Trouble::NoAnswer),
        _ => Err(Trouble::NoAnswer),
    }
}

fn keys(mut rest: &[u8]) -> Option<Vec<Found>> {
    let mut found = Vec::new();
    while let Some((form, after)) = rest.split_first() {
        let (name, after) = text(after)?;
        let (api_key, after) = text(after)?;
        let (secret, after) = text(after)?;
        let key = Found {
            form: Form::from_number(*form)?,
            name: name.to_owned(),
            api_key: Zeroizing::new(api_key.to_owned()),
            secret: Zeroizing::new(secret.to_owned()),
        };
        if !key.is_whole() || found.len() == FOUND_MAX {
            return None;
        }
        found.push(key);
        rest = after;
    }
    Some(found)
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
        let found = super::super::parse(b"BINANCE_API_KEY=k\nBINANCE_API_SECRET=s\nOKX_API_KEY=a\nOKX_API_SECRET=b");
        let bytes = encode(&found);
        assert!(decode(&bytes) == found);
        assert_eq!(decode(&encode(&Err(Trouble::Encrypted))).err(), Some(Trouble::Encrypted));
        for cut in 0..bytes.len() {
            // A cut between two keys is a shorter list; every other one is nothing.
            assert!(decode(&bytes[..cut]).map_or(true, |found| found.len() == 1), "{cut}");
        }
        for nonsense in [&b""[..], b"X", b"T", b"T\x00", b"T\x01\x01", b"K", b"K\x09\0\0\0\0\0\x01s", b"K\x02\0\0\0\0\0\x01\x07"] {
            assert_eq!(decode(nonsense).err(), Some(Trouble::NoAnswer), "{nonsense:?}");
        }
    }
}
