//! The one home of a secret in memory. Invariant: its bytes are wiped on drop, never cloned, never printed.

use zeroize::Zeroize;

/// Secret bytes on the heap, of a length that never changes.
///
/// Deliberately without `Clone`, `Debug`, `Display` and `Serialize`:
///
/// ```compile_fail
/// let secret = strongroom_vault::SecretBox::copy_of(b"key");
/// let _ = secret.clone();
/// ```
/// ```compile_fail
/// let secret = strongroom_vault::SecretBox::copy_of(b"key");
/// println!("{secret:?}");
/// ```
/// ```compile_fail
/// fn can_be_told<T: serde::Serialize>(_: &T) {}
/// can_be_told(&strongroom_vault::SecretBox::copy_of(b"key"));
/// ```
/// What does compile is the same with something that is no secret:
/// ```
/// fn can_be_told<T: serde::Serialize>(_: &T) {}
/// can_be_told(&b"key".to_vec());
/// ```
pub struct SecretBox(Box<[u8]>);

impl SecretBox {
    /// `len` zero bytes, to be filled in place.
    pub fn zeroed(len: usize) -> Self {
        Self(vec![0; len].into_boxed_slice())
    }

    /// A copy of `bytes`; the caller wipes its own.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Takes over a buffer. If it has room to spare it is copied to one that fits, and wiped.
    pub fn from_vec(mut bytes: Vec<u8>) -> Self {
        if bytes.len() == bytes.capacity() {
            return Self(bytes.into_boxed_slice());
        }
        let own = Self::copy_of(&bytes);
        bytes.zeroize();
        own
    }

    /// Lends the bytes to `f`.
    pub fn expose<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(&self.0)
    }

    /// Lends the bytes of several at once.
    pub fn expose_all<R>(secrets: &[&Self], f: impl FnOnce(&[&[u8]]) -> R) -> R {
        f(&secrets.iter().map(|secret| secret.bytes()).collect::<Vec<_>>())
    }

    /// Lends the bytes to `f` for writing.
    pub fn expose_mut<R>(&mut self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        f(&mut self.0)
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for SecretBox {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_over_only_what_fits() {
        let mut roomy = Vec::with_capacity(64);
        roomy.extend_from_slice(b"key");
        assert!(SecretBox::from_vec(roomy).expose(|bytes| bytes == b"key"));
        assert_eq!(SecretBox::from_vec(vec![1, 2]).len(), 2);
    }
}
