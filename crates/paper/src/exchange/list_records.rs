//! What is remembered of order lists. Invariant: what is kept is bounded by name, oldest finished out first.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use strongroom_model::Timestamp;

use crate::engine::{AccountId, ListId, OrderList};

/// Lists kept over all markets, unless more are open.
pub(crate) const LISTS_KEPT_MAX: usize = 20_000;

/// An order list with its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ListRecord {
    /// As it stands.
    pub(crate) list: OrderList,
    /// The client's name for it.
    pub(crate) name: String,
    /// When it was placed.
    pub(crate) placed: Timestamp,
}

/// The memory of order lists.
#[derive(Debug, Default)]
pub(crate) struct ListRecords {
    lists: BTreeMap<ListId, ListRecord>,
    names: HashMap<AccountId, HashMap<String, ListId>>,
}

impl ListRecords {
    /// A list of `account`, open or finished.
    pub(crate) fn get(&self, account: AccountId, id: ListId) -> Option<&ListRecord> {
        self.lists.get(&id).filter(|record| record.list.account == account)
    }

    /// The latest list of `account` with this name.
    pub(crate) fn by_name(&self, account: AccountId, name: &str) -> Option<&ListRecord> {
        self.names.get(&account).and_then(|names| names.get(name)).and_then(|id| self.lists.get(id))
    }

    /// Whether an open list of `account` has this name.
    pub(crate) fn is_open(&self, account: AccountId, name: &str) -> bool {
        self.by_name(account, name).is_some_and(|record| !record.list.is_done)
    }

    /// Lists of `account` that are kept, oldest first, beginning at `from`.
    pub(crate) fn all(&self, account: AccountId, from: ListId) -> impl DoubleEndedIterator<Item = &ListRecord> {
        self.lists.range(from..).map(|(_, record)| record).filter(move |record| record.list.account == account)
    }

    /// Everything that is remembered, by number.
    pub(crate) fn every(&self) -> impl Iterator<Item = &ListRecord> {
        self.lists.values()
    }

    /// Remembers a list as it stands now; `name` counts when it is new.
    pub(crate) fn follow(&mut self, list: &OrderList, name: &str, now: Timestamp) {
        if let Some(record) = self.lists.get_mut(&list.id) {
            record.list = *list;
            return;
        }
        self.names.entry(list.account).or_default().insert(name.to_owned(), list.id);
        self.lists.insert(list.id, ListRecord { list: *list, name: name.to_owned(), placed: now });
        if self.lists.len() > LISTS_KEPT_MAX {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(id) = self.lists.values().find(|record| record.list.is_done).map(|record| record.list.id) else { return };
        let Some(record) = self.lists.remove(&id) else { return };
        let Some(names) = self.names.get_mut(&record.list.account) else { return };
        if names.get(&record.name) == Some(&id) {
            names.remove(&record.name);
        }
    }
}
