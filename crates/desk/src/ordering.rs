//! Orders as doors ask for them. Invariant: nothing is decided here but how long a door waits; what is placed goes to the pipeline.

use std::time::Duration;

use strongroom_desk_api::{OrderView, Tell};
use strongroom_guard::{Freeze, KillScope, Unmet};
use strongroom_model::{Advice, ClientOrderId, FilterError, IdError, PlaceOrder, Quantity, is_plain};
use strongroom_signer_api::{Reply, Request};
use tokio::sync::oneshot;

use crate::account;
use crate::doors::Door;
use crate::event::Event;
use crate::hall::{Inbound, lock};
use crate::machine::error;
use crate::rights;

/// Longest reason for an order that a rule asks about.
const REASON_LEN_MAX: usize = 200;
/// A door waits so long for an order.
const ORDER_PATIENCE: Duration = Duration::from_secs(30);
/// An order waits so long for what the venue is asked at the beginning: its instruments, and what is open.
const BEGINNING_PATIENCE: Duration = Duration::from_secs(3);
const BEGINNING_STEP: Duration = Duration::from_millis(50);
/// Most orders in one answer.
const ORDERS_MAX: u32 = 500;

impl Door {
    pub(crate) async fn place(&self, order: PlaceOrder, reason: Option<String>) -> Tell {
        let patience = tokio::time::Instant::now() + BEGINNING_PATIENCE;
        let told = || self.hall.venue.check(&order, self.hall.feed.mark(&order.symbol));
        while told() == Err(FilterError::NotTold) && tokio::time::Instant::now() < patience {
            tokio::time::sleep(BEGINNING_STEP).await;
        }
        if let Err(filter) = told() {
            return account::filtered(&filter);
        }
        let is_plain = |why: &String| (1..=REASON_LEN_MAX).contains(&why.len()) && why.chars().all(is_plain);
        if reason.as_ref().is_some_and(|why| !is_plain(why)) {
            return error("reason", format!("a reason has 1 to {REASON_LEN_MAX} bytes without control characters"), Advice::Refuse);
        }
        if order.reduce_only {
            // What is held decides, and other programs may have sold since: the venue is asked first. If it does not tell, the order is refused.
            if !matches!(account::balances(&self.hall, self.id).await, Tell::Balance { .. }) {
                self.hall.event(Event::HeldUnknown).await;
            }
        }
        loop {
            let (reply, wait) = oneshot::channel();
            let (order, reason) = (order.clone(), reason.clone());
            let tell = self.wait_for_order(Inbound::Place { by: self.id, order, reason, reply }, wait).await;
            // After a start or an unlocking the venue is being asked what is open: nothing was recorded yet.
            let is_beginning = matches!(&tell, Tell::Error(error) if error.unmet.first().is_some_and(Unmet::is_of_beginning));
            if !is_beginning || tokio::time::Instant::now() >= patience {
                return rights::explained(&self.hall, tell).await;
            }
            tokio::time::sleep(BEGINNING_STEP).await;
        }
    }

    pub(crate) async fn cancel(&self, id: &str) -> Tell {
        let id = match ClientOrderId::parse(id) {
            Ok(id) => id,
            Err(failure) => return error("client-order-id", failure.to_string(), Advice::Refuse),
        };
        let (reply, wait) = oneshot::channel();
        self.wait_for_order(Inbound::Cancel { id, reply }, wait).await
    }

    pub(crate) async fn amend(&self, id: &str, quantity: Quantity) -> Tell {
        let id = match ClientOrderId::parse(id) {
            Ok(id) => id,
            Err(failure) => return error("client-order-id", failure.to_string(), Advice::Refuse),
        };
        let (reply, wait) = oneshot::channel();
        self.wait_for_order(Inbound::Amend { id, quantity, reply }, wait).await
    }

    async fn wait_for_order(&self, inbound: Inbound, wait: oneshot::Receiver<Tell>) -> Tell {
        if self.hall.inbound.send(inbound).await.is_err() {
            return error("desk", "the desk is ending; nothing was sent".to_owned(), Advice::RetryAfter(1_000));
        }
        match tokio::time::timeout(ORDER_PATIENCE, wait).await {
            Ok(Ok(tell)) => tell,
            _ => error("desk", "the desk has not answered; look the order up with `strongroom order list`".to_owned(), Advice::Reconcile),
        }
    }

    pub(crate) fn orders(&self, live: bool) -> Tell {
        let store = lock(&self.hall.store);
        let found = if live { store.live_orders() } else { store.newest_orders(ORDERS_MAX) };
        match found {
            Ok(orders) => {
                let mut orders: Vec<OrderView> = orders.iter().map(crate::order::Order::view).collect();
                orders.sort_by_key(|order| std::cmp::Reverse(order.created));
                Tell::Orders { orders }
            }
            Err(failure) => error("store", failure.to_string(), failure.advice()),
        }
    }

    pub(crate) async fn kill(&self, why: String, scope: KillScope) -> Tell {
        // Whatever the words are, it is engaged.
        let freeze = Freeze::new(&why, scope);
        let reach = if freeze.scope == KillScope::Everything { String::new() } else { format!(" for {}", freeze.scope) };
        let scope = freeze.scope.clone();
        let asked = self.hall.ask_signer(&Request::Kill(freeze.clone())).await;
        self.hall.killed(freeze).await;
        let is_open = asked.is_ok() && self.status().await.is_some_and(|status| !status.sealed);
        if !is_open {
            let words = format!("The kill switch is engaged{reach}. The vault is sealed, so nothing can be signed, cancels included.");
            return Tell::Done { words };
        }
        let none =
            if self.means_nothing(&scope).await { " NOTHING IN THE VAULT IS MEANT BY THAT: look at its keys and slots." } else { "" };
        let is_clean = self.hall.summary().await.kill_report.is_some_and(|report| report.orders == 0);
        let open = if is_clean { "No open order is inside." } else { "Open orders are being cancelled." };
        Tell::Done { words: format!("The kill switch is engaged{reach}.{none} {open}") }
    }

    /// Whether no key and nobody is inside, as far as the vault knows.
    async fn means_nothing(&self, scope: &KillScope) -> bool {
        if let KillScope::Person(slot) = scope {
            return matches!(self.hall.ask_signer(&Request::Slots).await, Ok(Reply::Slots(slots)) if slots.iter().all(|known| known.id != *slot));
        }
        match (scope, self.hall.credentials().await) {
            (KillScope::Account(account), Ok(keys)) => keys.iter().all(|key| key.details.account != *account),
            (KillScope::Credential(id), Ok(keys)) => keys.iter().all(|key| key.id != *id),
            _ => false,
        }
    }

    pub(crate) async fn unprotect(&self, id: &str) -> Tell {
        let id = match ClientOrderId::parse(id) {
            Ok(id) => id,
            Err(failure) => return error("client-order-id", failure.to_string(), Advice::Refuse),
        };
        let (reply, wait) = oneshot::channel();
        self.wait_for_order(Inbound::Unprotect { id, reply }, wait).await
    }
}

/// What a door calls its order, or a name for it.
pub(crate) fn named(name: Option<String>) -> Result<ClientOrderId, IdError> {
    match name {
        Some(name) => ClientOrderId::parse(&name),
        None => ClientOrderId::unowned(&ulid::Ulid::generate().to_string().to_lowercase()),
    }
}
