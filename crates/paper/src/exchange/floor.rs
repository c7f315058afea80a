//! The trading floor: the engine, and what is remembered of what it told. Invariant: every call to the engine that
//! trades goes through here, so that names, history and tape follow each of its events.

mod keeping;

use std::collections::{HashMap, VecDeque};

use rust_decimal::Decimal;
use strongroom_model::{Amount, Asset, DepthUpdate, Instrument, MarketTrade, Side, Timestamp, VenueOrderId};

use super::list_answers::members;
use super::list_records::ListRecords;
use super::records::{Record, Records, Tag, Tape};
use super::saved::Entry;
use super::user_data::{ListNews, Names, UserData, UserEvent};
use crate::engine::{
    AccountId, Change, Engine, Event, Fees, Holding, ListId, Market, MarketId, MarketStatus, Money, NewList, NewOrder, Order, OrderList,
    Px, Qty, Refusal, Rules, VenueRules,
};

/// Engine and memory.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    engine: Engine,
    records: Vec<Records>,
    events: Vec<Event>,
    /// Names of the orders that the present call places, in the order of their numbers.
    names: VecDeque<Tag>,
    /// The order that the present call amends, and its new name.
    renamed: Option<(VenueOrderId, String)>,
    first_filled: Vec<AccountId>,
    /// Clients' names of the lists that are open.
    list_names: HashMap<ListId, String>,
    lists: ListRecords,
    user_data: UserData,
    /// What has to outlive the venue and was not taken yet.
    entries: Vec<Entry>,
    keeps: bool,
}

impl Floor {
    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Opens trading by these rules.
    pub(crate) fn add_market(&mut self, instrument: Instrument, rules: Rules) -> MarketId {
        self.records.push(Records::default());
        self.engine.add_market(instrument, rules)
    }

    /// Sets the counts that bind an account over all markets.
    pub(crate) const fn set_venue_rules(&mut self, rules: VenueRules) {
        self.engine.set_venue_rules(rules);
    }

    /// Gives the average price that filters use.
    pub(crate) fn set_average(&mut self, market: MarketId, average: Option<Px>) {
        self.engine.set_average(market, average);
    }

    /// Order lists, open and finished.
    pub(crate) const fn lists(&self) -> &ListRecords {
        &self.lists
    }

    pub(crate) fn open_account(&mut self, fees: Fees, name: &str) -> AccountId {
        let id = self.engine.open_account(fees);
        if self.keeps {
            self.entries.push(Entry::Account { id, name: name.to_owned(), maker: fees.maker, taker: fees.taker });
        }
        id
    }

    pub(crate) fn open_house_account(&mut self) -> AccountId {
        self.engine.open_house_account()
    }

    /// Brings new money in; an amount that the engine cannot hold is not brought.
    pub(crate) fn deposit(&mut self, account: AccountId, asset: &str, amount: Amount) {
        let asset = self.engine.asset(asset);
        self.events.clear();
        if let Some(amount) = Money::of(amount) {
            // More than can be counted of one asset: the account goes without.
            let _ = self.engine.deposit(account, asset, amount, &mut self.events);
        }
        self.keep_balances();
    }

    /// Makes an account have exactly so much at its disposal; those who listen are told.
    pub(crate) fn set_balance(&mut self, now: Timestamp, account: AccountId, asset: &str, free: Money) -> Result<(), Refusal> {
        let id = self.engine.asset(asset);
        let before = self.engine.holding(account, id).free;
        self.events.clear();
        self.engine.set_balance(account, id, free, &mut self.events)?;
        self.keep_balances();
        if before != free && self.user_data.is_listened(account) {
            let delta = if free > before { free.less(before).to_string() } else { format!("-{}", before.less(free)) };
            self.user_data.moved(account, asset, &delta, now);
            self.user_data.position(account, &[(asset.to_owned(), self.engine.holding(account, id))], now);
        }
        Ok(())
    }

    pub(crate) fn holding(&self, account: AccountId, asset: &str) -> Holding {
        self.engine.find_asset(asset).map(|asset| self.engine.holding(account, asset)).unwrap_or_default()
    }

    pub(crate) fn fees(&self, account: AccountId) -> Fees {
        self.engine.fees(account)
    }

    /// The latest public trades of one market, oldest first.
    pub(crate) fn tape(&self, market: MarketId) -> &Tape {
        self.records(market).tape()
    }

    /// Codes of all assets.
    pub(crate) fn assets(&self) -> &[Asset] {
        self.engine.assets()
    }

    /// For every asset: what was deposited, and what accounts and the fee pot hold now.
    pub(crate) fn audit(&self) -> Vec<(Asset, Amount, Amount)> {
        let amount = |units: u128| {
            let value = i128::try_from(units).ok().and_then(|units| Decimal::try_from_i128_with_scale(units, 8).ok());
            value.and_then(Amount::new).unwrap_or_default()
        };
        let audit = self.engine.audit().into_iter();
        audit.map(|row| (row.asset, amount(u128::from(row.deposited.0)), amount(row.held))).collect()
    }

    /// The book of one market.
    pub(crate) fn market(&self, market: MarketId) -> &Market {
        self.engine.market(market)
    }

    /// What is remembered of one market.
    pub(crate) fn records(&self, market: MarketId) -> &Records {
        &self.records[market.index()]
    }

    pub(crate) fn take_update(&mut self, market: MarketId) -> Option<DepthUpdate> {
        self.engine.take_update(market)
    }

    /// Accounts, once per order of theirs that filled for the first time since the last call.
    pub(crate) fn take_first_filled(&mut self) -> Vec<AccountId> {
        std::mem::take(&mut self.first_filled)
    }

    fn check_name(&self, account: AccountId, market: MarketId, name: &str) -> Result<(), Refusal> {
        let named = self.records(market).by_client_order_id(account, name);
        if named.is_some_and(|record| !record.order.status.is_final()) { Err(Refusal::DuplicateClientOrderId) } else { Ok(()) }
    }

    /// Whether a new order would be accepted; nothing changes.
    pub(crate) fn check(&self, account: AccountId, market: MarketId, name: &str, new: &NewOrder) -> Result<(), Refusal> {
        self.check_name(account, market, name)?;
        self.engine.check(account, market, new)
    }

    /// Places an order under a name.
    pub(crate) fn place(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        tag: impl Into<Tag>,
        new: &NewOrder,
    ) -> Result<VenueOrderId, Refusal> {
        let tag = tag.into();
        if !self.engine.is_house(account) {
            self.check_name(account, market, &tag.name)?;
        }
        self.events.clear();
        let id = self.engine.place(now, account, market, new, &mut self.events)?;
        self.names.push_back(tag);
        self.follow(now, None);
        Ok(id)
    }

    /// Places a list under a name; `tags` are those of its orders, in the order of their numbers.
    pub(crate) fn place_list(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        name: String,
        tags: Vec<Tag>,
        new: &NewList,
    ) -> Result<ListId, Refusal> {
        if self.lists.is_open(account, &name) {
            return Err(Refusal::DuplicateClientOrderId);
        }
        for (at, tag) in tags.iter().enumerate() {
            self.check_name(account, market, &tag.name)?;
            if tags[..at].iter().any(|other| other.name == tag.name) {
                return Err(Refusal::DuplicateClientOrderId);
            }
        }
        self.events.clear();
        let id = self.engine.place_list(now, account, market, new, &mut self.events)?;
        self.list_names.insert(id, name);
        self.names.extend(tags);
        self.follow(now, None);
        Ok(id)
    }

    /// Takes a list back; `request` is the client's name for the cancel.
    pub(crate) fn cancel_list(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        id: ListId,
        request: Option<&str>,
    ) -> Result<(), Refusal> {
        self.events.clear();
        self.engine.cancel_list(now, account, market, id, &mut self.events)?;
        self.follow(now, request);
        Ok(())
    }

    /// Takes every order of an account in one market back; `request` is the name for the cancels.
    pub(crate) fn cancel_all(&mut self, now: Timestamp, account: AccountId, market: MarketId, request: Option<&str>) {
        self.events.clear();
        self.engine.cancel_all(now, account, market, &mut self.events);
        self.follow(now, request);
    }

    /// Makes an order smaller and calls it `name` from now on.
    pub(crate) fn amend(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        id: VenueOrderId,
        quantity: Qty,
        name: String,
    ) -> Result<(), Refusal> {
        let named = self.records(market).by_client_order_id(account, &name);
        if named.is_some_and(|record| record.order.id != id && !record.order.status.is_final()) {
            return Err(Refusal::DuplicateClientOrderId);
        }
        self.events.clear();
        self.engine.amend(now, account, market, id, quantity, &mut self.events)?;
        self.renamed = Some((id, name));
        self.follow(now, None);
        Ok(())
    }

    /// Takes an order back; `request` is the client's name for the cancel.
    pub(crate) fn cancel(
        &mut self,
        now: Timestamp,
        account: AccountId,
        market: MarketId,
        id: VenueOrderId,
        request: Option<&str>,
    ) -> Result<(), Refusal> {
        self.events.clear();
        self.engine.cancel(now, account, market, id, &mut self.events)?;
        self.follow(now, request);
        Ok(())
    }

    /// A trade that happened elsewhere: it gets a number here, and whoever waits for its price hears of it.
    pub(crate) fn print(&mut self, now: Timestamp, market: MarketId, trade: &MarketTrade) {
        let Some(price) = Px::of(trade.price) else { return };
        self.events.clear();
        let trade_id = self.engine.print(now, market, price, &mut self.events);
        self.records[market.index()].print(MarketTrade { trade_id, at: now, ..trade.clone() });
        self.follow(now, None);
    }

    /// Halts a market or lets it trade.
    pub(crate) fn set_status(&mut self, market: MarketId, status: MarketStatus) {
        self.engine.set_status(market, status);
        if self.keeps {
            let of = self.engine.market(market);
            self.entries.push(Entry::Numbers { market, numbers: of.numbers(), status: of.status });
        }
    }

    /// One more subscription to `account`: its user data is collected.
    pub(crate) fn listen(&mut self, account: AccountId) {
        self.user_data.listen(account);
    }

    /// One subscription to `account` less.
    pub(crate) fn unlisten(&mut self, account: AccountId) {
        self.user_data.unlisten(account);
    }

    /// Who listens to `account` by this key hears so, and nothing further.
    pub(crate) fn end_streams(&mut self, account: AccountId, api_key: &str, now: Timestamp) {
        self.user_data.end(account, api_key, now);
    }

    /// User data since the last call.
    pub(crate) fn take_user_events(&mut self) -> Vec<UserEvent> {
        self.user_data.take()
    }

    /// Remembers what the engine told, and tells those who listen.
    fn follow(&mut self, now: Timestamp, request: Option<&str>) {
        let mut moved: Vec<(AccountId, Vec<(Asset, Holding)>)> = Vec::new();
        for at in 0..self.events.len() {
            match self.events[at] {
                Event::Order(change, order) => {
                    self.follow_order(&change, &order);
                    self.keep_order(&change, &order);
                    if self.user_data.is_listened(order.account) {
                        self.tell_order(&change, &order, request);
                    }
                }
                Event::List(list) => {
                    self.tell_list(&list, now);
                    self.keep_list(&list);
                }
                Event::Balance(account, asset, held) => {
                    self.keep_holding(account, asset, held);
                    if !self.user_data.is_listened(account) {
                        continue;
                    }
                    let balance = (self.engine.assets()[asset.index()].clone(), held);
                    match moved.iter_mut().find(|(known, _)| *known == account) {
                        Some((_, balances)) => balances.push(balance),
                        None => moved.push((account, vec![balance])),
                    }
                }
            }
        }
        for (account, balances) in moved {
            self.user_data.position(account, &balances, now);
        }
        self.names.clear();
        self.renamed = None;
    }

    fn follow_order(&mut self, change: &Change, order: &Order) {
        let records = &mut self.records[order.market.index()];
        if let Change::Trade(execution) = change
            && !execution.is_maker
        {
            records.print(MarketTrade {
                trade_id: execution.trade,
                price: execution.price.model(),
                quantity: execution.quantity.model(),
                buyer_is_maker: order.side == Side::Sell,
                at: order.updated,
            });
        }
        if self.engine.is_house(order.account) {
            return;
        }
        if let Change::Trade(execution) = change
            && execution.is_first
        {
            self.first_filled.push(order.account);
        }
        match change {
            Change::New if records.is_new(order.id) => records.begin(*order, self.names.pop_front().unwrap_or_default()),
            Change::Replaced => records.amend(*order, self.renamed.take_if(|(id, _)| *id == order.id).map(|(_, name)| name)),
            Change::Prevented(matched) => {
                records.prevent(matched, order);
                records.follow(change, *order);
            }
            _ => records.follow(change, *order),
        }
    }

    fn tell_order(&mut self, change: &Change, order: &Order, request: Option<&str>) {
        let Some(record) = self.records[order.market.index()].order(order.id) else { return };
        let request = match (change, record.amendments.last()) {
            (Change::Replaced, Some(amendment)) => Some(amendment.name_before.as_str()),
            _ => request,
        };
        let symbol = &self.engine.market(order.market).instrument.symbol;
        let names = Names { symbol, order: &record.client_order_id, request, label: record.label };
        self.user_data.report(change, order, &names, self.engine.assets());
        // `faqs/order_amend_keep_priority.md`, "What happens if my amend request succeeds?"
        if *change == Change::Replaced
            && request != Some(&record.client_order_id)
            && let Some(kept) = order.list.and_then(|id| self.lists.get(order.account, id))
        {
            let records = &self.records[order.market.index()];
            let named = |record: &Record| (record.order.id.0, record.client_order_id.clone());
            let orders: Vec<(u64, String)> = members(kept, records).map(named).collect();
            self.user_data.list(ListNews::Renamed, &kept.list, symbol, &kept.name, &orders, order.updated);
        }
    }

    fn tell_list(&mut self, list: &OrderList, now: Timestamp) {
        let name = self.list_names.get(&list.id).map_or("", String::as_str);
        self.lists.follow(list, name, now);
        if self.user_data.is_listened(list.account) {
            let records = &self.records[list.market.index()];
            // A new list is told before its orders are: their names are those of the present call.
            let named = |(at, id): (usize, VenueOrderId)| {
                let kept = records.order(id).map(|record| &record.client_order_id);
                (id.0, kept.or_else(|| self.names.get(at).map(|tag| &tag.name)).cloned().unwrap_or_default())
            };
            let orders: Vec<(u64, String)> = list.orders.into_iter().flatten().enumerate().map(named).collect();
            self.user_data.list(ListNews::Status, list, &self.engine.market(list.market).instrument.symbol, name, &orders, now);
        }
        if list.is_done {
            self.list_names.remove(&list.id);
        }
    }
}
