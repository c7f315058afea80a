//! What the ciphers leave on the stack. Invariant: when a message was dealt with, the part of the stack that it was dealt with on
//! holds zeros, so that no fragment of a key waits there for the next one.

/// Deeper than any message is dealt with; measured in a debug build, whose frames are the largest.
const DEPTH: usize = 256 * 1_024;

/// Calls `f` and then wipes the stack below the caller.
pub fn wiped<R>(f: impl FnOnce() -> R) -> R {
    let result = called(f);
    wipe();
    result
}

/// On a frame of its own, so that everything it needs lies where [`wipe`] writes.
#[inline(never)]
fn called<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[inline(never)]
fn wipe() {
    let mut zeros = [0_u8; DEPTH];
    // Without a reader the zeros would never be written.
    std::hint::black_box(&mut zeros);
}
