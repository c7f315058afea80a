//! One order from intent to end. Invariant: what a report says is merged, never replaced: fills are counted once each,
//! the filled quantity never shrinks, the ordered one never grows, and an order that is over stays over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_desk_api::{Fate, OrderView};
use strongroom_model::{
    CredentialId, ExecutionReport, Fill, Notional, OrderStatus, PlaceOrder, Quantity, Timestamp, TradeId, VenueOrderId,
};

/// Where an order stands, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Stage {
    /// Recorded; being signed or sent.
    Intended,
    /// It may or may not have reached the venue.
    Ambiguous {
        /// Venue time after which it cannot be executed any more.
        expires: Timestamp,
        /// What came instead of an answer.
        what: String,
    },
    /// In the venue's book.
    Working,
    /// Over at the venue; some of its trades are not told yet.
    Settling {
        /// How it ended.
        fate: Fate,
    },
    /// Over.
    Over {
        /// How it ended.
        fate: Fate,
        /// Why, if it was refused.
        note: Option<String>,
    },
}

/// An order of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What was wanted.
    pub intent: PlaceOrder,
    /// Where it stands.
    pub stage: Stage,
    /// The key that placed it: it is looked after with that one, as long as that one is accepted.
    #[serde(default)]
    pub key: Option<CredentialId>,
    /// In which opening of the vault it was signed, and which order it was since then.
    #[serde(default)]
    pub signed: Option<(u64, u64)>,
    /// The slot of the vault by which the session was opened that it counts to.
    #[serde(default)]
    pub slot: Option<u16>,
    /// The kill switch leaves it.
    #[serde(default)]
    pub protected: bool,
    /// The venue's number, once told.
    pub venue_order_id: Option<VenueOrderId>,
    /// Base quantity filled, as the venue told.
    pub filled: Quantity,
    /// Quote amount traded, as the venue told.
    pub filled_notional: Notional,
    /// Trades by number.
    pub fills: BTreeMap<u64, Fill>,
    /// When it was recorded.
    pub created: Timestamp,
    /// Last change.
    pub updated: Timestamp,
}

impl Order {
    /// A new one, to be recorded.
    pub const fn intended(intent: PlaceOrder, now: Timestamp) -> Self {
        Self {
            intent,
            stage: Stage::Intended,
            key: None,
            signed: None,
            slot: None,
            protected: false,
            venue_order_id: None,
            filled: Quantity::ZERO,
            filled_notional: Notional::ZERO,
            fills: BTreeMap::new(),
            created: now,
            updated: now,
        }
    }

    /// Whether anything more can happen or has to be asked.
    pub const fn is_live(&self) -> bool {
        !matches!(self.stage, Stage::Over { .. })
    }

    /// Whether it may stand in the venue's book.
    pub const fn may_rest(&self) -> bool {
        matches!(self.stage, Stage::Intended | Stage::Ambiguous { .. } | Stage::Working)
    }

    /// Ends it without the venue.
    pub fn refuse(&mut self, why: String, now: Timestamp) {
        self.stage = Stage::Over { fate: Fate::Refused, note: Some(why) };
        self.updated = now;
    }

    /// Merges what the venue told. `true`: something changed.
    pub fn merge(&mut self, report: &ExecutionReport, now: Timestamp) -> bool {
        let before = self.clone();
        self.venue_order_id = self.venue_order_id.or(Some(report.venue_order_id));
        self.filled = self.filled.max(report.filled);
        self.filled_notional = self.filled_notional.max(report.filled_notional);
        // It was amended. An older report of a larger one changes nothing: an order never grows.
        self.intent.spec.shrink(report.quantity);
        let over = matches!(self.stage, Stage::Settling { .. } | Stage::Over { .. });
        if !over {
            self.stage = match report.status {
                OrderStatus::New | OrderStatus::PartiallyFilled => Stage::Working,
                OrderStatus::Filled => Stage::Settling { fate: Fate::Filled },
                OrderStatus::Canceled => Stage::Settling { fate: Fate::Canceled },
                OrderStatus::Expired => Stage::Settling { fate: Fate::Expired },
                OrderStatus::Rejected => Stage::Settling { fate: Fate::Refused },
            };
        }
        self.merge_fills(&report.fills, now);
        let changed = *self != before;
        if changed {
            self.updated = now;
        }
        changed
    }

    /// Merges trades; an order whose trades are all told is over.
    pub fn merge_fills(&mut self, fills: &[Fill], now: Timestamp) -> bool {
        let before = (self.fills.len(), self.stage.clone());
        for fill in fills {
            let TradeId(number) = fill.trade_id;
            self.fills.entry(number).or_insert_with(|| fill.clone());
        }
        if let Stage::Settling { fate } = self.stage
            && self.lacks_fills().is_none()
        {
            self.stage = Stage::Over { fate, note: None };
        }
        let changed = before != (self.fills.len(), self.stage.clone());
        if changed {
            self.updated = now;
        }
        changed
    }

    /// Which order to ask the trades of, when fewer were told than were filled.
    pub fn lacks_fills(&self) -> Option<VenueOrderId> {
        let told = self.fills.values().fold(Quantity::ZERO, |sum, fill| sum + fill.quantity);
        if told < self.filled { self.venue_order_id } else { None }
    }

    /// In the words of a door.
    pub fn view(&self) -> OrderView {
        let (fate, note) = match &self.stage {
            Stage::Intended => (Fate::Sent, None),
            Stage::Ambiguous { what, .. } => (Fate::Ambiguous, Some(what.clone())),
            Stage::Working => (Fate::Working, None),
            Stage::Settling { fate } => (*fate, Some("its trades are being fetched".to_owned())),
            Stage::Over { fate, note } => (*fate, note.clone()),
        };
        OrderView {
            client_order_id: self.intent.client_order_id.as_str().to_owned(),
            venue_order_id: self.venue_order_id.map(|id| id.0),
            symbol: self.intent.symbol.clone(),
            side: self.intent.side,
            spec: self.intent.spec,
            reduce_only: self.intent.reduce_only,
            fate,
            filled: self.filled,
            filled_notional: self.filled_notional,
            fills: self.fills.values().cloned().collect(),
            note,
            protected: self.protected,
            created: self.created,
            updated: self.updated,
        }
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::{Amount, ClientOrderId, OrderSpec, Price, Side, Symbol, TimeInForce};

    use super::*;

    fn order() -> Order {
        let spec = OrderSpec::Limit { price: Price::parse("10").unwrap(), quantity: Quantity::parse("3").unwrap(), tif: TimeInForce::Gtc };
        let id = ClientOrderId::parse("a").unwrap();
        Order::intended(
            PlaceOrder { client_order_id: id, symbol: Symbol::parse("X").unwrap(), side: Side::Buy, spec, reduce_only: false },
            Timestamp::from_ms(1),
        )
    }

    fn report(status: OrderStatus, filled: &str, fills: &[(u64, &str)]) -> ExecutionReport {
        ExecutionReport {
            symbol: Symbol::parse("X").unwrap(),
            venue_order_id: VenueOrderId(7),
            client_order_id: None,
            side: Side::Buy,
            status,
            quantity: Quantity::parse("3").unwrap(),
            filled: Quantity::parse(filled).unwrap(),
            filled_notional: Notional::ZERO,
            price: None,
            fills: fills
                .iter()
                .map(|(number, quantity)| Fill {
                    trade_id: TradeId(*number),
                    price: Price::parse("10").unwrap(),
                    quantity: Quantity::parse(quantity).unwrap(),
                    commission: Amount::ZERO,
                    commission_asset: "X".to_owned(),
                })
                .collect(),
            at: Timestamp::from_ms(2),
        }
    }

    /// Rows: what is told in which order, and where the order stands after.
    #[test]
    fn reports_in_any_order_end_in_the_same_place() {
        use OrderStatus::{Canceled, Filled, New, PartiallyFilled};
        let rows: [(&[ExecutionReport], Fate, &str, usize); 5] = [
            (&[report(New, "0", &[]), report(Filled, "3", &[(1, "1"), (2, "2")])], Fate::Filled, "3", 2),
            (&[report(Filled, "3", &[(1, "1"), (2, "2")]), report(New, "0", &[])], Fate::Filled, "3", 2),
            (&[report(PartiallyFilled, "1", &[(1, "1")]), report(PartiallyFilled, "1", &[(1, "1")])], Fate::Working, "1", 1),
            (&[report(Canceled, "1", &[]), report(PartiallyFilled, "1", &[(1, "1")])], Fate::Canceled, "1", 1),
            (&[report(Filled, "3", &[(1, "1")])], Fate::Filled, "3", 1),
        ];
        for (reports, fate, filled, fills) in rows {
            let mut order = order();
            for report in reports {
                order.merge(report, Timestamp::from_ms(3));
            }
            let view = order.view();
            assert_eq!((view.fate, view.filled.to_string().as_str(), view.fills.len()), (fate, filled, fills));
        }
    }

    /// Rows: quantities told one after the other, and what the order has then. It had 3.
    #[test]
    fn an_order_only_becomes_smaller() {
        for (told, has) in [(&["2"][..], "2"), (&["2", "3"], "2"), (&["4"], "3"), (&["0"], "3"), (&["3"], "3"), (&["2", "1", "2"], "1")] {
            let mut order = order();
            for quantity in told {
                let report = ExecutionReport { quantity: Quantity::parse(quantity).unwrap(), ..report(OrderStatus::New, "0", &[]) };
                order.merge(&report, Timestamp::from_ms(3));
            }
            assert_eq!(order.view().spec.quantity(), Quantity::parse(has).ok(), "{told:?}");
        }
    }

    #[test]
    fn an_order_with_untold_trades_is_not_over() {
        let mut order = order();
        order.merge(&report(OrderStatus::Filled, "3", &[(1, "1")]), Timestamp::from_ms(3));
        assert!(order.is_live() && order.lacks_fills() == Some(VenueOrderId(7)));
        order.merge_fills(&report(OrderStatus::Filled, "3", &[(1, "1"), (2, "2")]).fills, Timestamp::from_ms(4));
        assert!(!order.is_live() && order.lacks_fills().is_none());
    }
}
