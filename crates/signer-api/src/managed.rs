//! What the supervisor found in the system's folder for organisations, on its way to the signer. Invariant: the supervisor judges none of
//! it; half of it is told as trouble, never as nothing.

/// Largest document.
pub const DOCUMENT_LEN_MAX: usize = strongroom_guard::MANAGED_LEN_MAX;
/// Largest signature and largest key, as text.
pub const TEXT_LEN_MAX: usize = 1_024;

/// An organisation's document with its proof, as they lie on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedFiles {
    /// JSON; see `Managed` of the guard.
    pub document: Vec<u8>,
    /// Ed25519 over the document's bytes, in base64.
    pub signature: Vec<u8>,
    /// SubjectPublicKeyInfo as PEM.
    pub key: Vec<u8>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// No such files.
    Nothing,
    /// All of them.
    Files(ManagedFiles),
    /// Something that cannot be used; in words.
    Trouble(String),
}

impl Offered {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Nothing => vec![b'0'],
            Self::Trouble(words) => [b"T", words.as_bytes()].concat(),
            Self::Files(files) => {
                let mut bytes = vec![b'F'];
                for part in [&files.document, &files.signature, &files.key] {
                    bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
                    bytes.extend_from_slice(part);
                }
                bytes
            }
        }
    }

    /// From bytes; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            b"0" => Some(Self::Nothing),
            [b'T', words @ ..] => Some(Self::Trouble(crate::control::text(words))),
            [b'F', rest @ ..] => {
                let (document, rest) = part(rest)?;
                let (signature, rest) = part(rest)?;
                let (key, rest) = part(rest)?;
                let files = ManagedFiles { document: document.to_vec(), signature: signature.to_vec(), key: key.to_vec() };
                rest.is_empty().then_some(Self::Files(files))
            }
            _ => None,
        }
    }
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_at_checked(4)?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(len.try_into().ok()?)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_comes_back() {
        let files = ManagedFiles { document: b"{}".to_vec(), signature: Vec::new(), key: b"key".to_vec() };
        for offered in [Offered::Nothing, Offered::Trouble("half is there".to_owned()), Offered::Files(files.clone())] {
            assert_eq!(Offered::decode(&offered.encode()), Some(offered));
        }
        let whole = Offered::Files(files).encode();
        for cut in 1..whole.len() {
            assert_eq!(Offered::decode(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(Offered::decode(&[&whole[..], b"x"].concat()), None);
        assert_eq!((Offered::decode(b""), Offered::decode(b"00")), (None, None));
    }
}
