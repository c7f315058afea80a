//! What a venue is opened with. Invariant: keys are verifying keys; no signing secret is kept here beyond what HMAC needs.

use std::net::IpAddr;

use rust_decimal::Decimal;
use strongroom_model::{Amount, Asset, Instrument, LotRule, Notional, NotionalRule, Price, Quantity, Symbol, TickRule, Timestamp};

use super::quota::Limits;
use super::replay::Recording;
use super::verifying::Verifying;
use crate::engine::Fees;

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Signed reads.
    Read,
    /// Reads and orders.
    Trade,
}

/// An API key as the venue knows it.
#[derive(Clone)]
pub struct ApiKey {
    /// Public name: letters and digits.
    pub api_key: String,
    /// Checks its signatures.
    pub verifying: Verifying,
    /// What it may do.
    pub rights: Rights,
    /// Where its requests may come from; empty: from anywhere.
    pub addresses: Vec<IpAddr>,
    /// When it was made.
    pub created: Timestamp,
}

impl ApiKey {
    /// A key without restrictions.
    pub fn new(api_key: impl Into<String>, verifying: impl Into<Verifying>, rights: Rights) -> Self {
        Self { api_key: api_key.into(), verifying: verifying.into(), rights, addresses: Vec::new(), created: Timestamp::default() }
    }
}

/// Name of the account that every venue has.
pub const FIRST_ACCOUNT: &str = "main";

/// An account with its money and its keys.
#[derive(Clone)]
pub struct Account {
    /// What it is called.
    pub name: String,
    /// What it holds at the beginning.
    pub balances: Vec<(Asset, Amount)>,
    /// Who may speak for it.
    pub keys: Vec<ApiKey>,
}

impl Account {
    /// An account with play money of every asset that the standard instruments trade.
    pub fn funded(keys: Vec<ApiKey>) -> Self {
        let balance = |(asset, units): (&str, u32)| (asset.to_owned(), Amount::new(Decimal::from(units)).unwrap_or_default());
        Self { name: FIRST_ACCOUNT.to_owned(), balances: [("USDT", 100_000), ("BTC", 1), ("ETH", 20)].map(balance).to_vec(), keys }
    }
}

/// An instrument with the price around which its simulated market moves.
#[derive(Clone, Debug)]
pub struct Listing {
    /// What is traded, and the rules.
    pub instrument: Instrument,
    /// Centre of the simulated market.
    pub reference: Price,
}

/// Where prices come from.
#[derive(Clone, Debug)]
pub enum Market {
    /// Nobody trades but the clients.
    Empty,
    /// A market maker and takers of the house, moved by the seed.
    Simulated,
    /// Books follow a recording, over and over; its symbols replace the listings.
    Replay(Recording),
    /// The recording's symbols follow it, the other listings are simulated.
    Both(Recording),
}

/// How a market moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// How much simulated prices move, in percent of the usual; at most [`Scene::PERCENT_MAX`].
    pub volatility_percent: u32,
    /// How far apart simulated levels are, in percent of the usual; 1 to [`Scene::PERCENT_MAX`].
    pub spread_percent: u32,
    /// Levels per side of simulated books; 1 to [`Scene::LEVELS_MAX`].
    pub levels: u32,
    /// How fast the market moves, or a recording is played, in percent; 1 to [`Scene::PERCENT_MAX`].
    pub speed_percent: u32,
}

impl Scene {
    /// Largest factor.
    pub const PERCENT_MAX: u32 = 10_000;
    /// Most levels per side.
    pub const LEVELS_MAX: u32 = 1_000;

    /// The same with everything inside its bounds.
    pub(crate) fn bounded(self) -> Self {
        Self {
            volatility_percent: self.volatility_percent.min(Self::PERCENT_MAX),
            spread_percent: self.spread_percent.clamp(1, Self::PERCENT_MAX),
            levels: self.levels.clamp(1, Self::LEVELS_MAX),
            speed_percent: self.speed_percent.clamp(1, Self::PERCENT_MAX),
        }
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self { volatility_percent: 100, spread_percent: 100, levels: 25, speed_percent: 100 }
    }
}

/// Everything a venue is opened with.
#[derive(Clone)]
pub struct Config {
    /// Decides the course of a simulated market.
    pub seed: u64,
    /// What is traded.
    pub listings: Vec<Listing>,
    /// Who trades.
    pub accounts: Vec<Account>,
    /// What accounts pay.
    pub fees: Fees,
    /// Rate limits.
    pub limits: Limits,
    /// Where prices come from.
    pub market: Market,
    /// How they move.
    pub scene: Scene,
}

impl Config {
    /// BTCUSDT and ETHUSDT without accounts and with `market`; fees of 0.1 %.
    pub fn standard(seed: u64, market: Market) -> Self {
        let fee = Decimal::new(1, 3);
        Self {
            seed,
            listings: standard_listings(),
            accounts: Vec::new(),
            fees: Fees { maker: fee, taker: fee },
            limits: Limits::default(),
            market,
            scene: Scene::default(),
        }
    }
}

/// Around this the simulated bitcoin moves, in cents.
const BTC_REFERENCE_CENTS: i64 = 9_700_000;
/// Around this the simulated ether moves, in cents.
const ETH_REFERENCE_CENTS: i64 = 340_000;

fn standard_listings() -> Vec<Listing> {
    [("BTC", BTC_REFERENCE_CENTS, 5), ("ETH", ETH_REFERENCE_CENTS, 4)]
        .into_iter()
        .filter_map(|(base, reference_cents, lot_decimals)| {
            Some(Listing {
                instrument: Instrument {
                    symbol: Symbol::parse(&format!("{base}USDT")).ok()?,
                    base: base.to_owned(),
                    quote: "USDT".to_owned(),
                    price: TickRule {
                        min: Price::new(Decimal::new(1, 2))?,
                        max: Price::new(Decimal::from(1_000_000))?,
                        tick: Price::new(Decimal::new(1, 2))?,
                    },
                    lot: LotRule {
                        min: Quantity::new(Decimal::new(1, lot_decimals))?,
                        max: Quantity::new(Decimal::from(9_000))?,
                        step: Quantity::new(Decimal::new(1, lot_decimals))?,
                    },
                    notional: NotionalRule { min: Notional::new(Decimal::from(5))?, max: Notional::new(Decimal::from(9_000_000))? },
                },
                reference: Price::new(Decimal::new(reference_cents, 2))?,
            })
        })
        .collect()
}
