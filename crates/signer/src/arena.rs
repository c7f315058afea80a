//! Memory for the key that shields all secrets, and for the keys of the open vault: not swapped, not dumped, where the kernel can,
//! not mapped for anybody else (`memfd_secret`).
//!
//! Invariant: the shielding key and what is reckoned from it never leave this module as an owned value; what is no key of the vault is
//! ciphertext under it.
#![expect(unsafe_code, reason = "the kernel hands out such memory as raw pointers; each block says why it is sound")]

use std::ptr::NonNull;

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use strongroom_vault::{KeyCells, SecretBox};
use zeroize::Zeroizing;

use crate::stack::{self, Depth};

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Memory for one value, aligned for it and apart from the heap.
enum Apart<T> {
    /// Never swapped, and not mapped for the kernel either.
    Secret(NonNull<T>),
    /// Between guard pages; and whether it is never swapped.
    Guarded(NonNull<T>, bool),
}

impl<T> Apart<T> {
    /// `memsec` does not say whether it could lock what it allocates, so the kernel is asked.
    fn take() -> Option<Self> {
        let before = locked_kib();
        // SAFETY: both calls return memory for one value of the type, aligned for it, or nothing.
        unsafe {
            let secret = memsec::memfd_secret().map(Self::Secret);
            secret.or_else(|| memsec::malloc().map(|place| Self::Guarded(place, locked_kib() > before)))
        }
    }

    const fn place(&self) -> NonNull<T> {
        let (Self::Secret(place) | Self::Guarded(place, _)) = self;
        *place
    }

    const fn is_locked(&self) -> bool {
        matches!(self, Self::Secret(_) | Self::Guarded(_, true))
    }
}

enum Memory {
    Apart(Apart<Aes256Gcm>),
    /// That was not to be had: ordinary memory, said so in the status.
    Ordinary(Box<Aes256Gcm>),
}

/// How much memory of this process the kernel counts as locked.
fn locked_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")?.trim().strip_suffix(" kB")?.parse().ok());
    locked.unwrap_or(0)
}

/// The shielding key, expanded once for its cipher and not for each signature anew.
pub struct Arena {
    memory: Memory,
    /// Nonces are counted: one key lives as long as one process and never seals 2^64 secrets.
    next_nonce: u64,
}

/// Reserves memory for the keys of vaults that this process opens. Whether it is never swapped; false also where it was not to be had,
/// and then they lie in ordinary memory. Must run before the seccomp filter stands.
pub fn reserve_for_keys() -> bool {
    let Some(memory) = Apart::<KeyCells>::take() else { return false };
    // SAFETY: the memory is for one such value. It is written before it is lent, and never given back: the keys in it end with the process.
    let cells: &'static KeyCells = unsafe {
        memory.place().write(KeyCells::new());
        &*memory.place().as_ptr()
    };
    cells.use_for_keys() && memory.is_locked()
}

/// A secret as ciphertext under the arena's key.
pub struct Shielded {
    nonce: [u8; NONCE_LEN],
    sealed: Box<[u8]>,
}

/// The arena's key does not open it: memory was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shielded secret does not open; the signer's memory is damaged")]
pub struct Unshieldable;

impl Arena {
    /// Makes a fresh key. Must run before the seccomp filter stands.
    pub fn make() -> Result<Self, getrandom::Error> {
        let place = Apart::take();
        let memory = stack::wiped(|| (Self::keyed(place), Depth::Anything))?;
        Ok(Self { memory, next_nonce: 0 })
    }

    fn keyed(place: Option<Apart<Aes256Gcm>>) -> Result<Memory, getrandom::Error> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        getrandom::fill(&mut *key)?;
        let cipher = Aes256Gcm::new((&*key).into());
        Ok(match place {
            Some(place) => {
                // SAFETY: the memory is for one such value, and nothing else refers to it yet.
                unsafe { place.place().write(cipher) };
                Memory::Apart(place)
            }
            None => Memory::Ordinary(Box::new(cipher)),
        })
    }

    /// Whether the key lies in memory that is never swapped.
    pub fn is_locked(&self) -> bool {
        matches!(&self.memory, Memory::Apart(memory) if memory.is_locked())
    }

    fn cipher(&self) -> &Aes256Gcm {
        match &self.memory {
            // SAFETY: `make` wrote it, the pointer is valid for the life of `self`, and nothing writes there any more.
            Memory::Apart(memory) => unsafe { memory.place().as_ref() },
            Memory::Ordinary(cipher) => cipher,
        }
    }

    /// Shields a copy of `secret`; the caller wipes its own.
    pub fn shield(&mut self, secret: &[u8]) -> Result<Shielded, Unshieldable> {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.next_nonce.to_le_bytes());
        self.next_nonce += 1;
        let mut sealed = vec![0; secret.len() + TAG_LEN].into_boxed_slice();
        sealed[..secret.len()].copy_from_slice(secret);
        let (text, tag) = sealed.split_at_mut(secret.len());
        let computed = self.cipher().encrypt_inout_detached(&nonce.into(), b"", text.into()).map_err(|_| Unshieldable)?;
        tag.copy_from_slice(&computed);
        Ok(Shielded { nonce, sealed })
    }

    /// Lends the secret to `f`, in memory that is wiped when `f` is done.
    pub fn expose<R>(&self, shielded: &Shielded, f: impl FnOnce(&[u8]) -> R) -> Result<R, Unshieldable> {
        let text_len = shielded.sealed.len() - TAG_LEN;
        let mut open = SecretBox::copy_of(&shielded.sealed[..text_len]);
        let tag: [u8; TAG_LEN] = shielded.sealed[text_len..].try_into().map_err(|_| Unshieldable)?;
        open.expose_mut(|text| self.cipher().decrypt_inout_detached(&shielded.nonce.into(), b"", text.into(), &tag.into()))
            .map_err(|_| Unshieldable)?;
        Ok(open.expose(f))
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // The cipher wipes itself.
        match self.memory {
            // SAFETY: `make` wrote it, each pointer came from the matching allocation, and neither is used again.
            Memory::Apart(Apart::Secret(place)) => unsafe {
                place.drop_in_place();
                memsec::free_memfd_secret(place);
            },
            // SAFETY: as above.
            Memory::Apart(Apart::Guarded(place, _)) => unsafe {
                place.drop_in_place();
                memsec::free(place);
            },
            Memory::Ordinary(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shielded_is_ciphertext_and_opens() {
        let mut arena = Arena::make().unwrap();
        let shielded = arena.shield(b"a secret of some length").unwrap();
        assert!(!shielded.sealed.windows(6).any(|window| window == b"secret"));
        arena.expose(&shielded, |secret| assert_eq!(secret, b"a secret of some length")).unwrap();
        assert!(Arena::make().unwrap().expose(&shielded, |_| ()).is_err());
    }
}
