//! Where the keys of open vaults lie: in memory that the process reserved for them, if it did.
//!
//! Invariant: a cell holds one key at a time and is wiped before it is free again; a key that found no cell lies on the heap, is
//! wiped there, and says so.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use zeroize::Zeroize as _;

use crate::primitives::KEY_LEN;
use crate::secret::SecretBox;

/// Enough for an open vault, one that is being opened beside it, and one that is re-keyed, four keys each, several times over.
const CELLS: usize = 48;

static RESERVED: OnceLock<&'static KeyCells> = OnceLock::new();

/// Room for the keys of open vaults. It holds nothing but keys, so that it can lie in memory that is neither swapped nor dumped.
pub struct KeyCells([Mutex<[u8; KEY_LEN]>; CELLS]);

impl KeyCells {
    /// Empty cells.
    #[expect(clippy::new_without_default, reason = "for memory that was reserved, not for a place of its own")]
    pub const fn new() -> Self {
        Self([const { Mutex::new([0; KEY_LEN]) }; CELLS])
    }

    /// From now on the keys of vaults that this process opens lie here. Whether it is so: the first wins.
    pub fn use_for_keys(&'static self) -> bool {
        RESERVED.set(self).is_ok()
    }

    fn free(&'static self) -> Option<MutexGuard<'static, [u8; KEY_LEN]>> {
        self.0.iter().find_map(|cell| match cell.try_lock() {
            Ok(free) => Some(free),
            Err(TryLockError::Poisoned(poisoned)) => Some(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

/// One key of an open vault; without `Clone`, `Debug` and `Serialize`, as every secret.
pub(crate) struct Key(Place);

enum Place {
    Cell(MutexGuard<'static, [u8; KEY_LEN]>),
    Heap(SecretBox),
}

impl Key {
    /// A copy; the caller wipes its own.
    pub(crate) fn keep(key: &[u8; KEY_LEN]) -> Self {
        match RESERVED.get().and_then(|cells| cells.free()) {
            Some(mut cell) => {
                cell.copy_from_slice(key);
                Self(Place::Cell(cell))
            }
            None => Self(Place::Heap(SecretBox::copy_of(key))),
        }
    }

    /// Takes over what was made on the heap, which is wiped; nothing if it is not as long as a key.
    pub(crate) fn take(key: &SecretBox) -> Option<Self> {
        key.bytes().try_into().ok().map(Self::keep)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Place::Cell(cell) => &cell[..],
            Place::Heap(key) => key.bytes(),
        }
    }

    /// Whether it lies in reserved memory.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.0, Place::Cell(_))
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if let Place::Cell(cell) = &mut self.0 {
            cell.zeroize();
        }
    }
}
