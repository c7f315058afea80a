//! What a venue is opened with. Invariant: keys are verifying keys; no signing secret is kept here beyond what HMAC needs.

use std::net::IpAddr;

use rust_decimal::Decimal;
use strongroom_model::{Amount, Asset, Instrument, LotRule, Notional, NotionalRule, Price, Quantity, Symbol, TickRule, Timestamp};

use super::quota::Limits;
use super::replay::Recording;
use super::verifying::Verifying;
use crate::engine::{Band, Bounds, Fees, Qty, Rules, Share, VenueRules};

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
        let balances = [("USDT", 100_000), ("BTC", 1), ("ETH", 20), ("BNB", 50), ("SOL", 200)].map(balance).to_vec();
        Self { name: FIRST_ACCOUNT.to_owned(), balances, keys }
    }
}

/// An instrument with the price around which its simulated market moves.
#[derive(Clone, Debug)]
pub struct Listing {
    /// What is traded, and the rules.
    pub instrument: Instrument,
    /// All its filters.
    pub rules: Rules,
    /// Centre of the simulated market.
    pub reference: Price,
    /// The smallest order of the simulated market maker.
    pub unit: Quantity,
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
    /// BTCUSDT, ETHUSDT and some more without accounts and with `market`; fees of 0.1 %.
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

/// Counts that bind an account over all markets (`filters.md`, “Exchange Filters”).
pub(super) const VENUE_RULES: VenueRules = VenueRules { orders: 1_000, algo_orders: 200 };

/// One standard market, as Binance lists it.
struct Standard {
    base: &'static str,
    quote: &'static str,
    /// Decimals of prices and of quantities.
    decimals: (u32, u32),
    /// The highest price, the largest quantity and the largest quantity of a market order.
    most: (i64, i64, i64),
    /// The smallest and the largest worth of an order; the smallest with so many decimals.
    worth: (i64, u32, i64),
    /// Centre of the simulated market, in ticks.
    reference_ticks: i64,
    /// The smallest order of the simulated market maker, in steps.
    unit_steps: i64,
}

const STANDARD: [Standard; 5] = [
    Standard {
        base: "BTC",
        quote: "USDT",
        decimals: (2, 5),
        most: (1_000_000, 9_000, 120),
        worth: (5, 0, 9_000_000),
        reference_ticks: 9_700_000,
        unit_steps: 1_030,
    },
    Standard {
        base: "ETH",
        quote: "USDT",
        decimals: (2, 4),
        most: (1_000_000, 9_000, 2_000),
        worth: (5, 0, 9_000_000),
        reference_ticks: 340_000,
        unit_steps: 2_941,
    },
    Standard {
        base: "ETH",
        quote: "BTC",
        decimals: (5, 4),
        most: (922_327, 100_000, 1_500),
        worth: (1, 4, 9_000_000),
        reference_ticks: 3_505,
        unit_steps: 2_941,
    },
    Standard {
        base: "BNB",
        quote: "USDT",
        decimals: (2, 3),
        most: (100_000, 900_000, 2_000),
        worth: (5, 0, 9_000_000),
        reference_ticks: 90_000,
        unit_steps: 1_111,
    },
    Standard {
        base: "SOL",
        quote: "USDT",
        decimals: (2, 3),
        most: (10_000, 90_000, 10_000),
        worth: (5, 0, 9_000_000),
        reference_ticks: 19_000,
        unit_steps: 5_263,
    },
];

fn standard_listings() -> Vec<Listing> {
    STANDARD.iter().filter_map(listing).collect()
}

fn listing(market: &Standard) -> Option<Listing> {
    let (tick, step) = (Decimal::new(1, market.decimals.0), Decimal::new(1, market.decimals.1));
    let (price_max, lot_max, market_lot_max) = market.most;
    let instrument = Instrument {
        symbol: Symbol::parse(&format!("{}{}", market.base, market.quote)).ok()?,
        base: market.base.to_owned(),
        quote: market.quote.to_owned(),
        price: TickRule { min: Price::new(tick)?, max: Price::new(Decimal::from(price_max))?, tick: Price::new(tick)? },
        lot: LotRule { min: Quantity::new(step)?, max: Quantity::new(Decimal::from(lot_max))?, step: Quantity::new(step)? },
        notional: NotionalRule {
            min: Notional::new(Decimal::new(market.worth.0, market.worth.1))?,
            max: Notional::new(Decimal::from(market.worth.2))?,
        },
        orders: Default::default(),
    };
    let market_lot_max = Qty::of(Quantity::new(Decimal::from(market_lot_max))?)?;
    Some(Listing {
        rules: Rules { market_lot: Bounds { max: market_lot_max.0, ..Bounds::default() }, ..usual_rules(&instrument) },
        instrument,
        reference: Price::new(Decimal::new(market.reference_ticks, market.decimals.0))?,
        unit: Quantity::new(Decimal::new(market.unit_steps, market.decimals.1))?,
    })
}

/// The rules of an instrument with what Binance adds to nearly every spot market: a band around the average price, and no
/// largest worth of market orders. Rules that the engine cannot hold are off.
fn usual_rules(instrument: &Instrument) -> Rules {
    let band = Band { down: Share::of(Decimal::new(2, 1)), up: Share::of(Decimal::from(5)) };
    let mut rules = Rules { percent_bid: band, percent_ask: band, ..Rules::of(instrument).unwrap_or_default() };
    rules.notional.max_binds_market = false;
    rules
}
