//! Where a log lies. Invariant: the database is opened for reading only, and seen as of one moment. (SQLite itself may
//! make its `-shm` file beside a log in WAL mode.)

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

/// One row of the table of leaves, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number under which it is kept.
    pub seq: i64,
    /// The leaf.
    pub bytes: Vec<u8>,
    /// The hash that the writer noted.
    pub hash: Vec<u8>,
}

/// An opened log.
pub struct Log {
    connection: Connection,
}

/// The log cannot be read. Nothing can be said about it.
#[derive(Debug, Error)]
pub enum SourceError {
    /// Not there, no permission, or not SQLite.
    #[error("the log cannot be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Another database.
    #[error("this database holds no Strongroom log: the tables audit_leaf and audit_checkpoint are not both there")]
    NoLog,
}

impl Log {
    /// Opens a SQLite file. A desk may be writing to it at the same time.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        // One transaction for the whole reading, so that checkpoints and leaves are of one moment.
        connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; BEGIN")?;
        let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('audit_leaf', 'audit_checkpoint')";
        let found: i64 = connection.query_row(tables, [], |row| row.get(0))?;
        if found == 2 { Ok(Self { connection }) } else { Err(SourceError::NoLog) }
    }

    /// How many leaves are kept.
    pub fn len(&self) -> Result<u64, SourceError> {
        Ok(self.connection.query_row("SELECT COUNT(*) FROM audit_leaf", [], |row| row.get(0))?)
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> Result<bool, SourceError> {
        Ok(self.len()? == 0)
    }

    /// Hands over every leaf by ascending number, until `each` says no.
    pub fn leaves(&self, mut each: impl FnMut(Row) -> bool) -> Result<(), SourceError> {
        // Longer than any entry is enough to see that it is none.
        let text = "SELECT seq, substr(CAST(bytes AS BLOB), 1, 70000), substr(CAST(hash AS BLOB), 1, 64) FROM audit_leaf ORDER BY seq";
        let mut statement = self.connection.prepare(text)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if !each(Row { seq: row.get(0)?, bytes: blob(row, 1)?, hash: blob(row, 2)? }) {
                break;
            }
        }
        Ok(())
    }

    /// Every checkpoint with the size under which it is kept, ascending.
    pub fn checkpoints(&self) -> Result<Vec<(i64, String)>, SourceError> {
        let mut statement =
            self.connection.prepare("SELECT size, substr(CAST(note AS BLOB), 1, 5000) FROM audit_checkpoint ORDER BY size")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, String::from_utf8_lossy(&blob(row, 1)?).into_owned())))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest checkpoint, unchecked.
    pub fn newest_note(&self) -> Result<Option<String>, SourceError> {
        Ok(self.checkpoints()?.pop().map(|(_, note)| note))
    }
}

/// A missing value is as good as an empty one: neither is an entry.
fn blob(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Vec<u8>> {
    row.get::<_, Option<Vec<u8>>>(at).map(Option::unwrap_or_default)
}
