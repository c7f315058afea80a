//! Who may be busy at the same time, over all test programs that run. Invariant: no more tests work than there are processors, so that none
//! runs out of its patience because of another; tests that mostly wait, for the next one-time code for instance, take no seat.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

/// A seat is looked for so often.
const LOOK: Duration = Duration::from_millis(50);

/// Beside the test programs, so that those of one build share them.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let own = std::env::current_exe().expect("a path");
    own.parent().expect("a folder").join("seats")
});

/// A seat; it is free again when this is dropped, or when its process ends.
#[derive(Debug)]
pub struct Seat {
    _locked: File,
}

/// Waits for a seat.
///
/// # Panics
/// When the seats cannot be kept beside the test programs.
pub async fn seat() -> Seat {
    loop {
        if let Some(seat) = free(&FOLDER) {
            return seat;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The same where nothing is asynchronous.
///
/// # Panics
/// When the seats cannot be kept beside the test programs.
pub fn seat_blocking() -> Seat {
    loop {
        if let Some(seat) = free(&FOLDER) {
            return seat;
        }
        std::thread::sleep(LOOK);
    }
}

fn free(folder: &Path) -> Option<Seat> {
    std::fs::create_dir_all(folder).expect("a folder for seats");
    let seats = available_parallelism().map_or(1, usize::from);
    (0..seats).find_map(|number| {
        let place = File::options().create(true).truncate(false).write(true).open(folder.join(number.to_string())).expect("a seat");
        match place.try_lock() {
            Ok(()) => Some(Seat { _locked: place }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => panic!("a seat cannot be taken: {error}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_that_is_taken_is_given_to_nobody_else_until_it_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut taken: Vec<Seat> = std::iter::from_fn(|| free(folder.path())).collect();
        assert_eq!(taken.len(), available_parallelism().map_or(1, usize::from));
        drop(taken.pop());
        assert!(free(folder.path()).is_some());
    }
}
