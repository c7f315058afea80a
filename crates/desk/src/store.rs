//! Orders and log in one SQLite file. Invariant: an order's row and its log entry are written in one transaction, synced
//! before anybody is told; a transaction that fails leaves neither, and the log's writer stands where it stood.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use strongroom_audit::{Head, Kind, Leaf, Writer};
use strongroom_model::{Advice, Timestamp};
use thiserror::Error;

use crate::order::{Order, Stage};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS orders(client_order_id TEXT PRIMARY KEY, live INTEGER NOT NULL, created_us INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS orders_live ON orders(live, created_us);
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL);
";
/// A checkpoint is due after so many entries.
pub const CHECKPOINT_LEAVES: u64 = 64;

/// Why something was not recorded. Nothing of it was.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The database said no; a full disk among others.
    #[error("the store could not write: {0}")]
    Database(#[from] rusqlite::Error),
    /// The log could not be continued.
    #[error("the log could not be continued: {0}")]
    Log(String),
    /// A row that cannot be read back.
    #[error("the store holds an order that cannot be read: {0}")]
    Row(#[from] serde_json::Error),
}

impl RecordError {
    /// What to do next.
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Database(_) => Advice::Ask,
            Self::Log(_) | Self::Row(_) => Advice::Bug,
        }
    }
}

/// Identity of a log and the public key that its entries are sealed to.
pub type LogKeys = ([u8; 16], [u8; 32]);

/// The desk's database.
pub struct Store {
    database: Connection,
    writer: Option<Writer>,
    checkpointed: u64,
}

impl Store {
    /// Opens or makes the database.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let database = Connection::open(path)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.pragma_update(None, "foreign_keys", "ON")?;
        database.busy_timeout(std::time::Duration::from_secs(5))?;
        database.execute_batch(SCHEMA)?;
        database.execute_batch(strongroom_audit::SCHEMA)?;
        Ok(Self { database, writer: None, checkpointed: 0 })
    }

    /// A remembered value.
    pub fn meta(&self, name: &str) -> Result<Option<String>, RecordError> {
        Ok(self.database.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()?)
    }

    /// Remembers a value; `None` forgets it.
    pub fn set_meta(&self, name: &str, value: Option<&str>) -> Result<(), RecordError> {
        match value {
            Some(value) => {
                self.database.execute("INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2", [name, value])?
            }
            None => self.database.execute("DELETE FROM meta WHERE name = ?1", [name])?,
        };
        Ok(())
    }

    /// Begins to write the log, in a new epoch at its end.
    pub fn begin_log(&mut self, log_id: [u8; 16], read_key: &[u8; 32], now: Timestamp) -> Result<(), RecordError> {
        // What was written here goes on, whatever somebody else put behind it.
        let head = self.written_head().map_or_else(|| self.head(), |head| Ok(Some(head)))?;
        let (writer, leaf) = Writer::begin(log_id, read_key, head, now, strongroom_audit::system_entropy)
            .map_err(|error| RecordError::Log(error.to_string()))?;
        insert_leaves(&self.database, &[leaf])?;
        self.checkpointed = self.checkpoint()?.map_or(0, |(size, _)| size);
        self.writer = Some(writer);
        Ok(())
    }

    /// Where the log ends.
    pub fn head(&self) -> Result<Option<Head>, RecordError> {
        let found = self.database.query_row("SELECT seq, hash FROM audit_leaf ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get::<_, u64>(0)?, row.get::<_, [u8; 32]>(1)?))
        });
        Ok(found.optional()?.map(|(seq, hash)| Head { size: seq + 1, hash }))
    }

    /// Whether the log ends where this writer left it; else in words what is wrong.
    pub fn is_as_written(&self) -> Result<(), String> {
        let Some(writer) = &self.writer else { return Ok(()) };
        match self.head() {
            Ok(head) if head == Some(writer.head()) => Ok(()),
            Ok(_) => Err("somebody else changed the end of the audit log".to_owned()),
            Err(error) => Err(format!("the audit log cannot be read: {error}")),
        }
    }

    /// Writes orders and entries together.
    pub fn record(&mut self, orders: &[Order], entries: &[(Kind, serde_json::Value)], now: Timestamp) -> Result<(), RecordError> {
        self.turn_epoch(now)?;
        let payloads =
            entries.iter().map(|(kind, value)| Ok((*kind, serde_json::to_vec(value)?))).collect::<Result<Vec<_>, RecordError>>()?;
        let borrowed: Vec<_> = payloads.iter().map(|(kind, payload)| (*kind, payload.as_slice())).collect();
        let staged = match &self.writer {
            Some(writer) if !borrowed.is_empty() => {
                Some(writer.stage(&borrowed, now).map_err(|error| RecordError::Log(error.to_string()))?)
            }
            _ => None,
        };
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for order in orders {
            let body = serde_json::to_string(order)?;
            let id = order.intent.client_order_id.as_str();
            let row = params![id, order.is_live(), order.created.us(), body];
            // A new order must be new: a name that was used before is never used again.
            if order.stage == Stage::Intended {
                transaction.execute("INSERT INTO orders VALUES(?1, ?2, ?3, ?4)", row)?;
            } else {
                transaction.execute(
                    "INSERT INTO orders VALUES(?1, ?2, ?3, ?4) ON CONFLICT(client_order_id) DO UPDATE SET live = ?2, body = ?4",
                    row,
                )?;
            }
        }
        if let Some(staged) = &staged {
            insert_leaves(&transaction, staged.leaves())?;
        }
        transaction.commit()?;
        if let (Some(staged), Some(writer)) = (staged, self.writer.as_mut()) {
            writer.accept(staged).map_err(|error| RecordError::Log(error.to_string()))?;
        }
        Ok(())
    }

    fn turn_epoch(&mut self, now: Timestamp) -> Result<(), RecordError> {
        let due = self.writer.as_ref().is_some_and(|writer| writer.wants_new_epoch(now));
        let keys = if due { self.log_keys()? } else { None };
        match keys {
            Some((log_id, read_key)) => self.begin_log(log_id, &read_key, now),
            None => Ok(()),
        }
    }

    /// Identity and reading key of the log, once a vault was made.
    pub fn log_keys(&self) -> Result<Option<LogKeys>, RecordError> {
        let read = |name: &str| -> Result<Option<Vec<u8>>, RecordError> { Ok(self.meta(name)?.and_then(|text| hex::decode(text).ok())) };
        let (Some(id), Some(key)) = (read("vault_id")?, read("read_key")?) else { return Ok(None) };
        Ok(id.try_into().ok().zip(key.try_into().ok()))
    }

    /// The head, if a checkpoint is due; `now_or_never`: even if only one entry is not covered.
    pub fn wants_checkpoint(&self, now_or_never: bool) -> Option<Head> {
        let head = self.writer.as_ref()?.head();
        let open = head.size.saturating_sub(self.checkpointed);
        (open >= CHECKPOINT_LEAVES || (now_or_never && open > 0)).then_some(head)
    }

    /// The head of what was written here, whatever lies on the disk: the last one of an opening is signed for this.
    pub fn written_head(&self) -> Option<Head> {
        Some(self.writer.as_ref()?.head())
    }

    /// Keeps a signed checkpoint. Of one size the first stays, unless this is the last of an opening.
    pub fn save_checkpoint(&mut self, size: u64, note: &str, closes: bool) -> Result<(), RecordError> {
        let or = if closes { "REPLACE" } else { "IGNORE" };
        self.database.execute(&format!("INSERT OR {or} INTO audit_checkpoint(size, note) VALUES(?1, ?2)"), params![size, note])?;
        self.checkpointed = self.checkpointed.max(size);
        Ok(())
    }

    /// The newest checkpoint.
    pub fn checkpoint(&self) -> Result<Option<(u64, String)>, RecordError> {
        let found = self
            .database
            .query_row("SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// Orders that are not over.
    pub fn live_orders(&self) -> Result<Vec<Order>, RecordError> {
        self.orders("SELECT body FROM orders WHERE live = 1 ORDER BY created_us", [])
    }

    /// The newest orders.
    pub fn newest_orders(&self, limit: u32) -> Result<Vec<Order>, RecordError> {
        self.orders("SELECT body FROM orders ORDER BY created_us DESC LIMIT ?1", [limit])
    }

    /// One order.
    pub fn order(&self, id: &str) -> Result<Option<Order>, RecordError> {
        Ok(self.orders("SELECT body FROM orders WHERE client_order_id = ?1", [id])?.pop())
    }

    fn orders(&self, sql: &str, arguments: impl rusqlite::Params) -> Result<Vec<Order>, RecordError> {
        let mut statement = self.database.prepare_cached(sql)?;
        let bodies = statement.query_map(arguments, |row| row.get::<_, String>(0))?;
        bodies.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
    }

    /// How many entries the log has.
    pub fn log_size(&self) -> Result<u64, RecordError> {
        Ok(self.head()?.map_or(0, |head| head.size))
    }

    /// The leaves of the epoch that `upto` lies in, from its opening leaf up to `upto` (inclusive).
    pub fn epoch_of(&self, upto: u64) -> Result<Vec<Leaf>, RecordError> {
        let mut statement = self.database.prepare_cached("SELECT seq, bytes, hash FROM audit_leaf WHERE seq <= ?1 ORDER BY seq DESC")?;
        let mut rows = statement.query([upto])?;
        let mut leaves = Vec::new();
        while let Some(row) = rows.next()? {
            let (seq, bytes, hash): (u64, Vec<u8>, [u8; 32]) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let fields = strongroom_audit::Fields::parse(&bytes).map_err(|error| RecordError::Log(error.to_string()))?;
            let opens = fields.epoch == fields.seq;
            leaves.push(Leaf { seq, epoch: fields.epoch, bytes, hash });
            if opens {
                break;
            }
        }
        leaves.reverse();
        Ok(leaves)
    }
}

fn insert_leaves(database: &Connection, leaves: &[Leaf]) -> Result<(), rusqlite::Error> {
    let mut insert = database.prepare_cached("INSERT INTO audit_leaf(seq, bytes, hash) VALUES(?1, ?2, ?3)")?;
    for leaf in leaves {
        insert.execute(params![leaf.seq, leaf.bytes, leaf.hash.as_slice()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_puts_behind_the_log_is_neither_signed_nor_gone_on_from() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("desk.db");
        let mut store = Store::open(&path).unwrap();
        let at = Timestamp::from_ms(1_800_000_000_000);
        store.begin_log([7; 16], &[9; 32], at).unwrap();
        store.record(&[], &[(Kind::Unlocked, serde_json::json!({}))], at).unwrap();
        let written = store.written_head().unwrap();
        assert_eq!((store.head().unwrap(), store.is_as_written()), (Some(written), Ok(())));
        let other = Connection::open(&path).unwrap();
        other.execute("INSERT INTO audit_leaf VALUES(?1, ?2, ?3)", params![written.size, b"forged", [1_u8; 32].as_slice()]).unwrap();
        assert!(store.is_as_written().is_err() && store.head().unwrap() != Some(written));
        assert_eq!(store.written_head(), Some(written), "what is signed last");
        assert!(store.begin_log([7; 16], &[9; 32], at).is_err(), "a new epoch has no place behind it");
        // Of one size the last head of an opening stays.
        for (note, closes, kept) in [("first", false, "first"), ("second", false, "first"), ("last", true, "last"), ("late", false, "last")]
        {
            store.save_checkpoint(written.size, note, closes).unwrap();
            assert_eq!(store.checkpoint().unwrap(), Some((written.size, kept.to_owned())), "{note}");
        }
    }
}
