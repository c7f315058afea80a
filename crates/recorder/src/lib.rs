//! A venue's market data, written down as it arrives, in the format that the paper venue replays.
//!
//! Invariant: only public requests are sent; a message is written as it came, before the next one is read; what the file holds can be
//! replayed from its beginning, whatever ended the recording.

mod continuity;
mod file;
mod recorder;

pub use file::RecordingFile;
pub use recorder::{Progress, RecordError, SYMBOLS_MAX, Source, record};
