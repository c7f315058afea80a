//! What outlives the venue: a list of entries, each the newest state of one thing. Invariant: the entries that were told so far make
//! the same accounts, orders, fills and lists again; the house and its market are not among them, they begin anew.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strongroom_model::{Asset, Symbol, Timestamp, VenueOrderId};

use super::list_records::ListRecord;
use super::records::{Amendment, Label, Prevented, Record};
use crate::engine::{AccountId, Execution, Expiry, Holding, ListId, Market, MarketId, MarketStatus, Money, Numbers, Order};

/// Numbers that a market passes over after a restart: more than it can give away between two entries that tell them.
const NUMBERS_PASSED_OVER: u64 = 1_000_000;

/// One thing as it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Entry {
    /// The markets by the numbers that the following entries use.
    Markets {
        /// In the order of their numbers.
        symbols: Vec<Symbol>,
    },
    /// An account.
    Account {
        /// Its number.
        id: AccountId,
        /// What it is called.
        name: String,
        /// Fee of the resting side.
        #[serde(with = "rust_decimal::serde::str")]
        maker: Decimal,
        /// Fee of the arriving side.
        #[serde(with = "rust_decimal::serde::str")]
        taker: Decimal,
    },
    /// What an account holds of an asset.
    Holding {
        /// Whose.
        account: AccountId,
        /// Of what.
        asset: Asset,
        /// How much.
        held: Holding,
    },
    /// An order, open or over, with what is told of it once: its name and notes, and why it expired.
    Order {
        /// The client's name for it and its notes, when they are new.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        named: Option<(String, Label)>,
        /// Why it expired.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expiry: Option<Expiry>,
        /// As it stands.
        order: Box<Order>,
    },
    /// A trade of an order.
    Trade {
        /// Where.
        market: MarketId,
        /// Of which order.
        order: VenueOrderId,
        /// When.
        at: Timestamp,
        /// Its side of it.
        execution: Execution,
    },
    /// An order was made smaller.
    Amendment {
        /// Where.
        market: MarketId,
        /// Which order.
        order: VenueOrderId,
        /// How.
        amendment: Amendment,
    },
    /// A self-trade that did not happen.
    Prevented {
        /// Where.
        market: MarketId,
        /// Which.
        prevented: Prevented,
    },
    /// A list of orders.
    List {
        /// As it stands, with its name.
        record: ListRecord,
    },
    /// Numbers that a market has given away.
    Numbers {
        /// Which.
        market: MarketId,
        /// Its numbers.
        numbers: Numbers,
        /// Whether it trades.
        status: MarketStatus,
    },
    /// What the fee pot holds.
    Fees {
        /// Of what.
        asset: Asset,
        /// How much.
        amount: Money,
    },
}

/// An account as it was saved.
#[derive(Clone, Debug)]
pub(crate) struct SavedAccount {
    pub(crate) name: String,
    pub(crate) maker: Decimal,
    pub(crate) taker: Decimal,
}

/// The state that a list of entries makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Saved {
    symbols: Vec<Symbol>,
    pub(crate) accounts: BTreeMap<AccountId, SavedAccount>,
    pub(crate) holdings: BTreeMap<(AccountId, Asset), Holding>,
    pub(crate) orders: BTreeMap<(MarketId, VenueOrderId), Record>,
    pub(crate) prevented: Vec<(MarketId, Prevented)>,
    pub(crate) lists: BTreeMap<ListId, ListRecord>,
    pub(crate) numbers: BTreeMap<MarketId, (Numbers, MarketStatus)>,
    pub(crate) fees: BTreeMap<Asset, Money>,
}

impl Saved {
    /// Whether nothing was saved.
    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Takes the next entry; what it says counts from now on.
    pub(crate) fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Markets { symbols } => self.symbols = symbols,
            Entry::Account { id, name, maker, taker } => drop(self.accounts.insert(id, SavedAccount { name, maker, taker })),
            Entry::Holding { account, asset, held } => drop(self.holdings.insert((account, asset), held)),
            Entry::Order { named, expiry, order } => {
                let record = self.orders.entry((order.market, order.id)).or_insert_with(|| Record {
                    order: *order,
                    client_order_id: String::new(),
                    label: Label::default(),
                    expiry: None,
                    amendments: Vec::new(),
                    executions: Vec::new(),
                });
                record.order = *order;
                record.expiry = expiry.or(record.expiry);
                if let Some((name, label)) = named {
                    (record.client_order_id, record.label) = (name, label);
                }
            }
            Entry::Trade { market, order, at, execution } => {
                if let Some(record) = self.orders.get_mut(&(market, order)) {
                    record.executions.push((at, execution));
                }
            }
            Entry::Amendment { market, order, amendment } => {
                if let Some(record) = self.orders.get_mut(&(market, order)) {
                    record.amendments.push(amendment);
                }
            }
            Entry::Prevented { market, prevented } => self.prevented.push((market, prevented)),
            Entry::List { record } => drop(self.lists.insert(record.list.id, record)),
            Entry::Numbers { market, numbers, status } => drop(self.numbers.insert(market, (numbers, status))),
            Entry::Fees { asset, amount } => drop(self.fees.insert(asset, amount)),
        }
    }

    /// The same with the numbers that the markets have now. What was traded in a market that is not listed any more is left out.
    pub(crate) fn renumbered(self, markets: &[(MarketId, &Market)]) -> Self {
        let now: BTreeMap<MarketId, MarketId> = (0..)
            .zip(&self.symbols)
            .filter_map(|(index, symbol)| {
                let listed = markets.iter().find(|(_, market)| market.instrument.symbol == *symbol)?;
                Some((MarketId(index), listed.0))
            })
            .collect();
        let of = |market: MarketId| now.get(&market).copied();
        let order = |((market, id), mut record): ((MarketId, VenueOrderId), Record)| {
            record.order.market = of(market)?;
            Some(((record.order.market, id), record))
        };
        let list = |(id, mut record): (ListId, ListRecord)| {
            record.list.market = of(record.list.market)?;
            Some((id, record))
        };
        let numbers = |(market, (mut numbers, status)): (MarketId, (Numbers, MarketStatus))| {
            for number in [&mut numbers.order, &mut numbers.trade, &mut numbers.rank, &mut numbers.update] {
                *number = number.saturating_add(NUMBERS_PASSED_OVER);
            }
            Some((of(market)?, (numbers, status)))
        };
        Self {
            orders: self.orders.into_iter().filter_map(order).collect(),
            prevented: self.prevented.into_iter().filter_map(|(market, prevented)| Some((of(market)?, prevented))).collect(),
            lists: self.lists.into_iter().filter_map(list).collect(),
            numbers: self.numbers.into_iter().filter_map(numbers).collect(),
            ..self
        }
    }
}
