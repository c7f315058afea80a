//! Who may be busy at the same time. Invariant: no more tests work than there are processors, so that none runs out of its
//! patience because of another; tests that mostly wait, for the next one-time code for instance, take no seat.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::sync::{Semaphore, SemaphorePermit};

static SEATS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

/// Waits for a seat; it is free again when the permit is dropped.
///
/// # Panics
/// Never: the seats are not closed.
pub async fn seat() -> SemaphorePermit<'static> {
    SEATS.acquire().await.expect("seats that are not closed")
}

/// The same where nothing is asynchronous.
///
/// # Panics
/// When no runtime can be made.
pub fn seat_blocking() -> SemaphorePermit<'static> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(seat())
}
