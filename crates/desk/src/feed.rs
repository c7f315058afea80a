//! Order books that follow the venue's streams. Invariant: a book with a gap is marked as not current until it was
//! fetched anew; nobody takes a price from it meanwhile.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use strongroom_desk_api::BookView;
use strongroom_model::{Book, DepthUpdate, Price, Symbol};

use crate::hall::lock;

/// A book that did not change for so long is not current any more.
const STALE: Duration = Duration::from_secs(5);
/// Most levels per side in one view.
const VIEW_DEPTH_MAX: usize = 200;

struct Followed {
    book: Book,
    current: bool,
    changed: Instant,
}

/// All followed books.
#[derive(Default)]
pub(crate) struct Feed {
    books: Mutex<HashMap<Symbol, Followed>>,
    resyncs: Mutex<u64>,
    heard: Mutex<Option<Instant>>,
}

impl Feed {
    /// A snapshot came: the book is followed from here.
    pub(crate) fn reset(&self, symbol: Symbol, book: Book) {
        lock(&self.books).insert(symbol, Followed { book, current: true, changed: Instant::now() });
    }

    /// An update came. `false`: updates are missing; fetch a snapshot.
    pub(crate) fn apply(&self, symbol: &Symbol, update: &DepthUpdate) -> bool {
        self.heard();
        let mut books = lock(&self.books);
        let Some(followed) = books.get_mut(symbol) else { return true };
        match followed.book.apply(update) {
            Ok(_) => {
                followed.changed = Instant::now();
                true
            }
            Err(_) => {
                followed.current = false;
                *lock(&self.resyncs) += 1;
                false
            }
        }
    }

    /// Something came over the stream.
    pub(crate) fn heard(&self) {
        *lock(&self.heard) = Some(Instant::now());
    }

    /// The stream is gone: no book is current.
    pub(crate) fn lost(&self) {
        lock(&self.books).values_mut().for_each(|followed| followed.current = false);
    }

    /// Halfway between best bid and ask of a current book.
    pub(crate) fn mark(&self, symbol: &Symbol) -> Option<Price> {
        let books = lock(&self.books);
        books.get(symbol).filter(|followed| followed.is_current()).and_then(|followed| followed.book.mid())
    }

    /// Best levels of a book.
    pub(crate) fn view(&self, symbol: &Symbol, depth: u32) -> Option<BookView> {
        let books = lock(&self.books);
        let followed = books.get(symbol)?;
        let depth = usize::try_from(depth).unwrap_or(VIEW_DEPTH_MAX).min(VIEW_DEPTH_MAX);
        Some(BookView {
            symbol: symbol.clone(),
            bids: followed.book.bids().take(depth).collect(),
            asks: followed.book.asks().take(depth).collect(),
            current: followed.is_current(),
            age_ms: u64::try_from(followed.changed.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Age of the newest message in milliseconds, and how often a book was fetched anew.
    pub(crate) fn health(&self) -> (Option<u64>, u64) {
        let age = lock(&self.heard).map(|heard| u64::try_from(heard.elapsed().as_millis()).unwrap_or(u64::MAX));
        (age, *lock(&self.resyncs))
    }
}

impl Followed {
    fn is_current(&self) -> bool {
        self.current && self.changed.elapsed() < STALE
    }
}
