//! Queues of orders: those of one price, and those of one account. Invariant: what left is a gap until its row is empty,
//! and every row has somebody in it, so that a queue takes at most one row per order.
//!
//! An order knows its seat. Leaving touches the row of the seat alone, not the neighbours, each of which would be
//! another line of memory to fetch; thirteen orders share one line.

use super::pages::Pages;
use super::store::Slot;

/// Seats of a row: as many as one cache line holds beside its links and counts.
const ROW_LEN: u8 = 13;
const NONE: u32 = u32::MAX;

/// Where an order is in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat(u32);

impl Seat {
    /// In no queue.
    pub(crate) const NONE: Self = Self(u32::MAX);

    const fn new(row: u32, at: u8) -> Self {
        Self(row << 4 | at as u32)
    }

    const fn row(self) -> u32 {
        self.0 >> 4
    }

    const fn at(self) -> usize {
        (self.0 & 15) as usize
    }
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Row {
    seats: [Slot; ROW_LEN as usize],
    prev: u32,
    next: u32,
    /// Seats given away, from the first one.
    given: u8,
    /// Of these, so many are taken.
    taken: u8,
}

/// A queue's ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    first: u32,
    last: u32,
}

impl Ends {
    /// Nobody waits.
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE };

    pub(crate) const fn is_empty(self) -> bool {
        self.first == NONE
    }
}

/// The rows of many queues.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    rows: Pages<Row, 256>,
}

impl Queues {
    /// Seats an order behind all others.
    pub(crate) fn push(&mut self, ends: &mut Ends, slot: Slot) -> Seat {
        if ends.last != NONE {
            let row = self.rows.get_mut(ends.last);
            let at = row.given;
            if let Some(seat) = row.seats.get_mut(usize::from(at)) {
                *seat = slot;
                row.given += 1;
                row.taken += 1;
                return Seat::new(ends.last, at);
            }
        }
        let mut seats = [Slot::NONE; ROW_LEN as usize];
        seats[0] = slot;
        let before = ends.last;
        let row = self.rows.insert(Row { seats, prev: before, next: NONE, given: 1, taken: 1 });
        if before == NONE {
            ends.first = row
        } else {
            self.rows.get_mut(before).next = row
        }
        ends.last = row;
        Seat::new(row, 0)
    }

    /// Makes a seat a gap.
    pub(crate) fn leave(&mut self, ends: &mut Ends, seat: Seat) {
        let row = self.rows.get_mut(seat.row());
        row.seats[seat.at()] = Slot::NONE;
        row.taken -= 1;
        if row.taken > 0 {
            // The last seat can be given again.
            row.given -= u8::from(seat.at() + 1 == usize::from(row.given));
            return;
        }
        let (prev, next) = (row.prev, row.next);
        if prev == NONE {
            ends.first = next
        } else {
            self.rows.get_mut(prev).next = next
        }
        if next == NONE {
            ends.last = prev
        } else {
            self.rows.get_mut(next).prev = prev
        }
        self.rows.remove(seat.row());
    }

    /// Who is first.
    pub(crate) fn first(&self, ends: Ends) -> Option<Slot> {
        self.iter(ends).next()
    }

    /// Who is last.
    pub(crate) fn last(&self, ends: Ends) -> Option<Slot> {
        let row = (ends.last != NONE).then(|| self.rows.get(ends.last))?;
        row.seats.iter().rev().copied().find(|slot| !slot.is_none())
    }

    /// All orders, the first one first.
    pub(crate) fn iter(&self, ends: Ends) -> impl Iterator<Item = Slot> + '_ {
        let row = |row: u32| (row != NONE).then(|| self.rows.get(row));
        let rows = std::iter::successors(row(ends.first), move |before| row(before.next));
        rows.flat_map(|row| row.seats).filter(|slot| !slot.is_none())
    }

    /// Bytes that the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_is_skipped_and_empty_rows_are_used_again() {
        let (mut queues, mut ends) = (Queues::default(), Ends::EMPTY);
        let seats: Vec<Seat> = (0..40).map(|slot| queues.push(&mut ends, Slot(slot))).collect();
        let mut left: Vec<u32> = (0..40).collect();
        // A gap at the end, in the middle, the whole second row, then the rest from the front.
        for slot in [39, 20].into_iter().chain(13..20).chain(21..26).chain(0..13).chain(26..39) {
            queues.leave(&mut ends, seats[slot as usize]);
            left.retain(|other| *other != slot);
            assert_eq!(queues.iter(ends).map(|slot| slot.0).collect::<Vec<_>>(), left);
            assert_eq!(queues.first(ends).map(|slot| slot.0), left.first().copied());
            assert_eq!(queues.last(ends).map(|slot| slot.0), left.last().copied());
        }
        assert!(ends.is_empty());
        let before = queues.bytes();
        for slot in 0..10_000 {
            let seat = queues.push(&mut ends, Slot(slot));
            queues.leave(&mut ends, seat);
        }
        assert_eq!(queues.bytes(), before);
    }
}
