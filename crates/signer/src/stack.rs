//! What the ciphers leave on the stack. Invariant: when a message was dealt with, the part of the stack that it was dealt with on
//! holds zeros, so that no fragment of a key waits there for the next one.

/// How deep the stack was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// As a signature with a shared secret uses it: 11 to 14 KiB. The next order waits for the wiping, and what was wiped has pushed
    /// everything else out of the nearest cache, so it is little more than that.
    SharedSecret,
    /// As a signature with a key pair uses it: 14 to 21 KiB with Ed25519, 19 to 27 KiB with RSA.
    KeyPair,
    /// As opening and changing a vault uses it.
    Anything,
}

impl Depth {
    /// So many bytes are wiped.
    pub const fn bytes(self) -> usize {
        match self {
            // The figures are of programs as they are shipped; without optimisation they lie deeper.
            Self::SharedSecret if cfg!(not(debug_assertions)) => 20 * 1_024,
            Self::KeyPair if cfg!(not(debug_assertions)) => 64 * 1_024,
            Self::SharedSecret | Self::KeyPair | Self::Anything => 256 * 1_024,
        }
    }
}

/// Calls `f` and then wipes the stack below the caller, as deep as `f` says that it went.
pub fn wiped<T>(f: impl FnOnce() -> (T, Depth)) -> T {
    let (told, depth) = called(f);
    match depth {
        Depth::SharedSecret => wipe::<{ Depth::SharedSecret.bytes() }>(),
        Depth::KeyPair => wipe::<{ Depth::KeyPair.bytes() }>(),
        Depth::Anything => wipe::<{ Depth::Anything.bytes() }>(),
    }
    told
}

/// On a frame of its own, so that everything it needs lies where [`wipe`] writes.
#[inline(never)]
fn called<T>(f: impl FnOnce() -> (T, Depth)) -> (T, Depth) {
    f()
}

#[inline(never)]
fn wipe<const DEPTH: usize>() {
    let mut zeros = [0_u8; DEPTH];
    // Without a reader the zeros would never be written.
    std::hint::black_box(&mut zeros);
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    const MARK: u8 = 0xa7;
    /// So much of the stack is filled, and so much in a row is looked for.
    const FILLED: usize = 8 * 1_024;
    const ROW: usize = 1_024;

    #[inline(never)]
    fn fill() {
        black_box(&mut [MARK; FILLED]);
    }

    /// Whether what was filled lies below this frame still.
    #[inline(never)]
    #[expect(unsafe_code, reason = "what lies there belongs to nobody any more")]
    fn is_left() -> bool {
        let here = 0_u8;
        let top = black_box(&raw const here);
        let mut row = 0;
        (1..Depth::SharedSecret.bytes()).any(|below| {
            // SAFETY: the stack of a test's thread is 2 MiB, all of it mapped, and nothing there is written meanwhile but this frame's callees.
            let byte = unsafe { top.wrapping_sub(below).read_volatile() };
            row = if byte == MARK { row + 1 } else { 0 };
            row == ROW
        })
    }

    #[test]
    fn what_was_left_on_the_stack_is_wiped() {
        called(|| (fill(), Depth::SharedSecret));
        assert!(is_left(), "what nobody wipes stays");
        for depth in [Depth::SharedSecret, Depth::KeyPair, Depth::Anything] {
            wiped(|| (fill(), depth));
            assert!(!is_left(), "{depth:?}");
        }
    }
}
