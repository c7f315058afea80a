//! The log that remembers: encrypted, chained, signed entries, as `docs/audit-format.md` describes them.
//!
//! Invariant: this crate writes nothing and signs nothing. It builds leaves for a store that somebody else owns, and
//! notes for a key that somebody else holds; a key that encrypted a leaf is gone before the next leaf is built.
//!
//! ```
//! use strongroom_audit::{Kind, Reader, Writer, read_secret_to_public, system_entropy};
//! use strongroom_model::Timestamp;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let read_secret = [7; 32];
//! let read_public = read_secret_to_public(&read_secret)?;
//! let (mut writer, opening) = Writer::begin([1; 16], &read_public, None, Timestamp::from_ms(0), system_entropy)?;
//! let staged = writer.stage(&[(Kind::Unlocked, br#"{"by":"me"}"#)], Timestamp::from_ms(5))?;
//! let leaf = staged.leaves()[0].bytes.clone(); // store `opening` and every staged leaf, then:
//! writer.accept(staged)?;
//! let mut reader = Reader::open(&read_secret, &opening.bytes)?;
//! assert_eq!(*reader.next(&leaf)?.payload, br#"{"by":"me"}"#);
//! # Ok(()) }
//! ```

mod kind;
mod leaf;
mod note;
mod ratchet;
mod reader;
mod schema;
mod writer;

pub use kind::Kind;
pub use leaf::{Fields, LeafError, PAYLOAD_LEN_MAX};
pub use note::{Checkpoint, NoteError, Numbered, assemble, checkpoint_text, key_text, parse_checkpoint, verify_checkpoint};
pub use ratchet::{EntropyError, KeyError, read_secret_to_public, system_entropy};
pub use reader::{Entry, ReadError, Reader};
pub use schema::SCHEMA;
pub use writer::{AcceptError, BATCH_LEN_MAX, BeginError, EPOCH_LEAVES_MAX, EPOCH_MS_MAX, Head, Leaf, StageError, Staged, Writer};
