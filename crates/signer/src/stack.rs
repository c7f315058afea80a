//! What the ciphers leave on the stack. Invariant: when a message was dealt with, the part of the stack that it was dealt with on
//! holds zeros, so that no fragment of a key waits there for the next one.

/// How deep the stack was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// As a signature uses it. The next order waits for the wiping, so it is no deeper than that.
    Signing,
    /// As opening and changing a vault uses it.
    Anything,
}

const OF_SIGNING: usize = 64 * 1_024;
const OF_ANYTHING: usize = 256 * 1_024;

/// Calls `f` and then wipes the stack below the caller, as deep as `f` says that it went.
pub fn wiped(f: impl FnOnce() -> Depth) {
    match called(f) {
        Depth::Signing => wipe::<OF_SIGNING>(),
        Depth::Anything => wipe::<OF_ANYTHING>(),
    }
}

/// On a frame of its own, so that everything it needs lies where [`wipe`] writes.
#[inline(never)]
fn called(f: impl FnOnce() -> Depth) -> Depth {
    f()
}

#[inline(never)]
fn wipe<const DEPTH: usize>() {
    let mut zeros = [0_u8; DEPTH];
    // Without a reader the zeros would never be written.
    std::hint::black_box(&mut zeros);
}
