//! The tables in which a log is kept. Invariant: rows are only ever added.

/// SQLite's text for them; the store that owns the database runs it. Journal and leaves share one transaction.
pub const SCHEMA: &str = "\
CREATE TABLE IF NOT EXISTS audit_leaf (
  seq   INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL,
  hash  BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS audit_checkpoint (
  size  INTEGER PRIMARY KEY,
  note  TEXT NOT NULL
) STRICT;
";
