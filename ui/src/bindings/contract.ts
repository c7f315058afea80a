// Made from the Rust types by `STRONGROOM_BINDINGS=write cargo test -p strongroom-app bindings`; do not edit.
// Decimal numbers are strings, never floats. A `Timestamp` is microseconds since 1970, UTC.

export type Decimal = string;
export type Actor = { "person": number } | { "bot": OwnerTag };

export type Advice = { "retry_after": number } | "reconcile" | "ask" | "refuse" | "bug";

export type Amount = string;

export type AuditEntry = {
/**
 * Its place.
 */
seq: number,
/**
 * When.
 */
at: Timestamp,
/**
 * What kind.
 */
kind: string,
/**
 * What, as JSON.
 */
payload: unknown, };

export type AuditPage = {
/**
 * Oldest first.
 */
entries: Array<AuditEntry>,
/**
 * How many the log has.
 */
size: number, };

export type Balance = {
/**
 * Which asset.
 */
asset: string,
/**
 * Can be used.
 */
free: Amount,
/**
 * Held by open orders.
 */
locked: Amount, };

export type Candle = {
/**
 * Begin of the interval.
 */
open_time: Timestamp,
/**
 * First price.
 */
open: Price,
/**
 * Highest price.
 */
high: Price,
/**
 * Lowest price.
 */
low: Price,
/**
 * Last price.
 */
close: Price,
/**
 * Base quantity traded.
 */
volume: Quantity, };

export type CertificateView = {
/**
 * Whose.
 */
subject: string,
/**
 * By whom.
 */
issuer: string,
/**
 * Valid until.
 */
not_after: Timestamp,
/**
 * SHA-256 of the SubjectPublicKeyInfo, base64.
 */
spki_sha256: string, };

export type Check = {
/**
 * Of what.
 */
name: string,
/**
 * What it found.
 */
state: CheckState,
/**
 * For people, when it does not pass: fact, effect, action.
 */
words: string,
/**
 * The numbers.
 */
detail: string,
/**
 * Who enforces it.
 */
by: Enforcer,
/**
 * It is a rule that risk can let one order pass.
 */
can_pass: boolean, };

export type CheckState = "pass" | "ask" | "refuse";

export type Checks = {
/**
 * In the order of their weight.
 */
checks: Array<Check>,
/**
 * The order read back.
 */
words: string,
/**
 * Its value, for market orders at the book as it is.
 */
notional: Notional | null,
/**
 * Estimated from the rate of the last fill; unknown before one.
 */
fee: Amount | null,
/**
 * What the fee is taken in.
 */
fee_asset: string,
/**
 * What is left of the asset that is given; nothing when it does not suffice or is not known.
 */
balance_after: Amount | null,
/**
 * The asset that is given.
 */
balance_asset: string, };

export type CountedBy = "venue" | "here";

export type CredentialId = number;

export type CredentialInfo = {
/**
 * Its number in the vault.
 */
id: CredentialId,
/**
 * The person's name for it.
 */
label: string,
/**
 * Where it is valid.
 */
venue: Venue,
/**
 * How it signs.
 */
scheme: Scheme,
/**
 * The venue's public name of the key: enough to recognise it, useless without the secret. Empty while the venue has not
 * named a generated key yet.
 */
api_key: string,
/**
 * When it came into the vault.
 */
created: Timestamp,
/**
 * What it is used for.
 */
stage: KeyStage,
/**
 * The key that it takes the place of, as long as that one is in the vault.
 */
replaces: CredentialId | null,
/**
 * How it came.
 */
origin: Origin,
/**
 * The kind of file that it came from; empty when it came from none.
 */
source: string,
/**
 * What the venue granted it when it was tried.
 */
granted: KeyRights | null,
/**
 * What its owner notes.
 */
details: KeyDetails, };

export type Day = {
/**
 * Last price.
 */
last: Price,
/**
 * Change in percent, with its sign.
 */
change_percent: string,
/**
 * Highest price.
 */
high: Price,
/**
 * Lowest price.
 */
low: Price,
/**
 * Base quantity traded.
 */
volume: Quantity, };

export type DayWindow = {
/**
 * First minute of the day (0 to 1439).
 */
from_minute: number,
/**
 * The minute in which it is over.
 */
until_minute: number, };

export type Density = "compact" | "standard" | "relaxed";

export type DeskRule = "restricted" | "price-collar" | "price-drift" | "slippage" | "open-orders" | "position" | "exposure" | "day-loss" | "drawdown" | "duplicate" | "cancel-ratio" | "self-trade" | "repeated-execution";

export type DeskRules = {
/**
 * Rules that do something else than refuse.
 */
modes: { [key in DeskRule]?: RuleMode },
/**
 * Instruments that are on the list, and not to be bought for now.
 */
restricted: Array<Symbol>,
/**
 * How much worse than the best mark of the last ten minutes a price may be; nothing: any.
 */
drift_bps: number | null,
/**
 * How much worse than the mark a market order may fill, by the book as it is; nothing: any.
 */
slippage_bps: number | null,
/**
 * Most orders that are not over.
 */
open_orders_max: number | null,
/**
 * Most that is held of all instruments together, with what open orders would buy, at marks.
 */
exposure_max: Notional | null,
/**
 * The same of one venue or one account.
 */
exposure_of: Array<ExposureLimit>,
/**
 * Most that a day's trades (UTC) may have lost, at marks; beyond it, the kill switch engages.
 */
day_loss_max: Notional | null,
/**
 * Most that the day's result may have fallen from its highest; beyond it, the kill switch engages.
 */
drawdown_max: Notional | null,
/**
 * The same order again within so many milliseconds is a repetition; nothing: never.
 */
duplicate_ms: number | null,
/**
 * Most orders of one instrument and side that fill within a minute; one more, and whoever places them is stopped.
 */
fills_per_minute: number | null,
/**
 * Most cancels for a hundred orders within an hour, once there were 50 orders.
 */
cancels_percent: number | null,
/**
 * Whether an order may meet an own one that rests.
 */
self_trade: boolean, };

export type DoorAction = { "action": "create_vault",
/**
 * Memory of the key derivation in MiB; 0, with 0 passes: as much as takes this machine most of a second.
 */
kdf_memory_mib: number,
/**
 * Passes of the key derivation.
 */
kdf_passes: number, } | { "action": "unlock" } | { "action": "unlock_with",
/**
 * Which.
 */
slot: number, } | { "action": "recover",
/**
 * A backup, as named in [`VaultView::backups`](crate::VaultView::backups), that takes the vault's place once the kit opened it.
 */
generation: number | null, } | { "action": "import",
/**
 * Name for it.
 */
label: string,
/**
 * Where it is valid.
 */
venue: Venue, } | { "action": "rotate",
/**
 * The old one.
 */
id: CredentialId, } | { "action": "generate",
/**
 * Name for it.
 */
label: string,
/**
 * Where it is to be valid.
 */
venue: Venue,
/**
 * How it is to sign.
 */
scheme: Scheme,
/**
 * The key that it is to take the place of.
 */
replaces: CredentialId | null, } | { "action": "edit_key",
/**
 * Which.
 */
id: CredentialId,
/**
 * What.
 */
edit: KeyEdit, } | { "action": "delete",
/**
 * Which.
 */
id: CredentialId, } | { "action": "export_key",
/**
 * Which.
 */
id: CredentialId,
/**
 * Their age recipient.
 */
recipient: string, } | { "action": "backup" } | { "action": "change_password",
/**
 * The slot, when its share somebody else keeps; nothing: by which the vault was opened, else whose password it is.
 */
slot: number | null, } | { "action": "replace_kit" } | { "action": "print_codes" } | { "action": "new_phone" } | { "action": "add_slot",
/**
 * For whom.
 */
kind: SlotFor,
/**
 * Name for it.
 */
label: string,
/**
 * What a person may do; none named: everything.
 */
roles: Array<Role>, } | { "action": "set_roles",
/**
 * Which slot: a person's.
 */
slot: number,
/**
 * At least one.
 */
roles: Array<Role>, } | { "action": "confirm_order",
/**
 * Our name for it.
 */
client_order_id: string,
/**
 * What to trade.
 */
symbol: Symbol,
/**
 * Buy or sell.
 */
side: Side,
/**
 * Kind, price, size.
 */
spec: OrderSpec,
/**
 * It may only reduce what is held.
 */
reduce_only: boolean, } | { "action": "override_rule",
/**
 * Our name for it.
 */
client_order_id: string,
/**
 * What to trade.
 */
symbol: Symbol,
/**
 * Buy or sell.
 */
side: Side,
/**
 * Kind, price, size.
 */
spec: OrderSpec,
/**
 * It may only reduce what is held.
 */
reduce_only: boolean,
/**
 * Why, for the log.
 */
why: string, } | { "action": "protect_order",
/**
 * Our name for it.
 */
client_order_id: string, } | { "action": "remove_slot",
/**
 * Which.
 */
slot: number, } | { "action": "rekey" } | { "action": "rearm" } | { "action": "set_policy",
/**
 * The new ones.
 */
policy: Policy, } | { "action": "accept_pin",
/**
 * Host and port.
 */
host: string,
/**
 * SHA-256 of the SubjectPublicKeyInfo, base64.
 */
spki_sha256: string, } | { "action": "forget_pin",
/**
 * Host and port.
 */
host: string,
/**
 * SHA-256 of the SubjectPublicKeyInfo, base64.
 */
spki_sha256: string, };

export type DoorError = {
/**
 * Short name, stable.
 */
code: string,
/**
 * For people: fact, effect, action.
 */
message: string,
/**
 * What to do next.
 */
advice: Advice,
/**
 * Every rule that an order does not meet, in its parts; nothing where no rule said no.
 */
unmet?: Array<Unmet>, };

export type Drilled = {
/**
 * Where.
 */
profile: string,
/**
 * Name of the venue.
 */
venue: string,
/**
 * How many orders were open.
 */
orders: number,
/**
 * From the trigger to the answer that the signer is frozen, in microseconds.
 */
frozen_us: number,
/**
 * From the trigger to the first cancel on its way, in microseconds.
 */
first_cancel_us: number | null,
/**
 * From the trigger to the last order that the venue confirmed as gone, in microseconds.
 */
last_gone_us: number | null,
/**
 * Orders that are not confirmed as gone.
 */
left: Array<string>,
/**
 * Orders that are protected.
 */
protected: Array<string>,
/**
 * An order after it was refused by this rule.
 */
refused_by: string, };

export type DueReason = { "due": "age" } | { "due": "exposed" } | { "due": "suspect",
/**
 * What, in words.
 */
why: string,
/**
 * Since when.
 */
since: Timestamp, };

export type Enforcer = "signer" | "desk" | "window";

export type ExposureLimit = {
/**
 * Where.
 */
of: ExposureScope,
/**
 * As [`DeskRules::exposure_max`].
 */
max: Notional, };

export type ExposureScope = { "venue": Venue } | { "account": string };

export type Fate = "intended" | "sent" | "ambiguous" | "working" | "filled" | "canceled" | "expired" | "refused";

export type Fill = {
/**
 * The venue's number, unique per symbol: the same fill told twice has the same number.
 */
trade_id: TradeId,
/**
 * Price of this trade.
 */
price: Price,
/**
 * Base quantity of this trade.
 */
quantity: Quantity,
/**
 * Fee taken.
 */
commission: Amount,
/**
 * Asset the fee was taken in.
 */
commission_asset: string, };

export type Frame = {
/**
 * Counts frames.
 */
seq: number,
/**
 * Of what.
 */
symbol: Symbol,
/**
 * Whether the book follows the stream without a gap and is young.
 */
current: boolean,
/**
 * Age of the newest change of the book, milliseconds.
 */
age_ms: number,
/**
 * When the desk applied the newest change.
 */
book_at: Timestamp,
/**
 * Best bid and best ask, not grouped.
 */
best?: [Price, Price],
/**
 * Best first.
 */
bids?: Array<Row>,
/**
 * Best first.
 */
asks?: Array<Row>,
/**
 * New trades, oldest first.
 */
trades?: Array<TradeRow>,
/**
 * The candle that is being formed.
 */
candle?: Candle,
/**
 * The last 24 hours.
 */
day?: Day,
/**
 * Changes whenever orders or balances did.
 */
orders_version: number,
/**
 * Changes whenever vault, session or kill switch did.
 */
state_version: number, };

export type Hello = {
/**
 * Of the program.
 */
version: string,
/**
 * The profile's folder.
 */
profile: string,
/**
 * Language and region, such as `en-GB`.
 */
locale: string,
/**
 * Whether the window is drawn without a graphics card.
 */
software_rendering: boolean,
/**
 * Whether the system keeps other programs from capturing the window.
 */
capture_protected: boolean,
/**
 * Whether the program may be driven from outside.
 */
dev_build: boolean,
/**
 * The kill keys that work outside of the window; nothing: this desktop delivers none to it.
 */
kill_keys: string | null,
/**
 * How the window looks.
 */
settings: Settings, };

export type Instrument = {
/**
 * The venue's name of it.
 */
symbol: Symbol,
/**
 * What is bought and sold.
 */
base: string,
/**
 * What it is paid with.
 */
quote: string,
/**
 * Price steps.
 */
price: TickRule,
/**
 * Quantity steps.
 */
lot: LotRule,
/**
 * Order value.
 */
notional: NotionalRule,
/**
 * What else binds orders.
 */
orders: OrderRule, };

export type InstrumentPolicy = {
/**
 * Which.
 */
symbol: Symbol,
/**
 * Most base quantity in one order.
 */
quantity_max: Quantity,
/**
 * Lowest price that is ever signed.
 */
price_low: Price,
/**
 * Highest price that is ever signed.
 */
price_high: Price,
/**
 * Most base quantity held, with everything that open orders would buy; desk-enforced.
 */
position_max: Quantity | null,
/**
 * The most that a unit of its quote asset is ever worth in the currency of the limits; nothing: it is that currency.
 */
quote_worth: Price | null, };

export type Interval = "1m" | "5m" | "15m" | "1h" | "4h" | "1d";

export type KdfFloor = {
/**
 * Memory in MiB, 64 to 4,096.
 */
memory_mib: number,
/**
 * Passes over it, 3 to 32.
 */
passes: number, };

export type KeyDetails = {
/**
 * The account or sub-account at the venue.
 */
account: string,
/**
 * The addresses that the venue accepts it from; none: any.
 */
addresses: Array<string>,
/**
 * Replaced after so many days.
 */
rotate_days: number,
/**
 * Whether machines that open the vault without a person may sign with it.
 */
services: boolean,
/**
 * Anything else.
 */
notes: string,
/**
 * For what it may be used here, whatever the venue granted it.
 */
scope: KeyScope, };

export type KeyEdit = {
/**
 * Another name.
 */
label: string | null,
/**
 * What the venue calls a generated key; once only, until it was tried.
 */
api_key: string | null,
/**
 * All details anew.
 */
details: KeyDetails | null, };

export type KeyOperation = "place" | "amend" | "read" | "stream";

export type KeyRights = {
/**
 * Place orders.
 */
trade: boolean,
/**
 * Withdraw. Strongroom never does; a thief of the key could.
 */
withdraw: boolean,
/**
 * Move funds to other accounts, or between those of the owner. Strongroom never does, either.
 */
transfer: boolean,
/**
 * Whether the venue accepts it from certain addresses only; nothing: the venue did not say.
 */
bound: boolean | null,
/**
 * When it places no orders any more, where the venue ends that.
 */
until: Timestamp | null,
/**
 * When it was asked.
 */
at: Timestamp, };

export type KeyScope = {
/**
 * Only for these; none: for all. Orders that stand are looked after and taken back with any key.
 */
operations: Array<KeyOperation>,
/**
 * Only these instruments; none: all.
 */
instruments: Array<Symbol>,
/**
 * Only this side.
 */
side: Side | null,
/**
 * Only these kinds of orders; none: all.
 */
kinds: Array<OrderKind>,
/**
 * Most value of one order, in the currency of the limits and compared where those are known; orders of unknown value are not placed.
 */
notional_max: Notional | null,
/**
 * Only in this time of the day.
 */
hours: DayWindow | null, };

export type KeyStage = "new" | "active" | "spare" | "retiring";

export type KeyView = {
/**
 * Public part.
 */
key: CredentialInfo,
/**
 * Whole days since it came.
 */
age_days: number,
/**
 * When it signed last, as far as this desk remembers.
 */
last_used: Timestamp | null,
/**
 * When it should be replaced.
 */
rotate_due: Timestamp,
/**
 * What the venue says it may do.
 */
rights: KeyRights | null,
/**
 * Why it should be replaced now; empty: it need not.
 */
due: Array<DueReason>,
/**
 * What its rotation waits for: told of the new key.
 */
step: RotationStep | null,
/**
 * What the address means from which the venue refused it, until it accepts it again.
 */
address_trouble: string | null, };

export type KillReport = {
/**
 * Why it was engaged, and how far it reaches.
 */
why: string,
/**
 * When the desk heard of it.
 */
began: Timestamp,
/**
 * When the first cancel left.
 */
first_cancel: Timestamp | null,
/**
 * When the last order was confirmed as gone.
 */
last_gone: Timestamp | null,
/**
 * How many orders were taken back or are being taken back.
 */
orders: number,
/**
 * Those that are not confirmed as gone; each is asked for again until it is.
 */
left: Array<LeftOrder>,
/**
 * Orders that are protected: they stand as they did.
 */
protected: Array<string>, };

export type KillScope = "everything" | { "venue": Venue } | { "account": string } | { "credential": CredentialId } | { "bot": OwnerTag } | { "person": number };

export type Killed = {
/**
 * For people.
 */
words: string,
/**
 * From the question to the frozen signer.
 */
frozen_us: number, };

export type Latency = {
/**
 * Median, microseconds.
 */
p50_us: number,
/**
 * 99 of 100 are not longer, microseconds.
 */
p99_us: number,
/**
 * Of how many answers.
 */
count: number,
/**
 * The newest, newest last, microseconds.
 */
recent_us: Array<number>,
/**
 * When the newest answer came.
 */
at: Timestamp, };

export type LeftOrder = {
/**
 * Our name of it.
 */
client_order_id: string,
/**
 * Where it stands.
 */
symbol: Symbol,
/**
 * What is known of it, in words.
 */
state: string, };

export type LimitView = {
/**
 * Such as `weight per 60 s`.
 */
name: string,
/**
 * Used in the running window.
 */
used: number,
/**
 * Allowed.
 */
limit: number,
/**
 * Kept for cancels.
 */
reserved: number,
/**
 * Length of the window, milliseconds.
 */
window_ms: number,
/**
 * Until the oldest use leaves the window, milliseconds.
 */
reset_ms: number,
/**
 * Who counts.
 */
source: CountedBy, };

export type LineKind = "rest" | "stream";

export type LineView = {
/**
 * Host and port.
 */
host: string,
/**
 * What it carries.
 */
kind: LineKind,
/**
 * Whether the last request was answered, or the stream is open.
 */
up: boolean,
/**
 * What is wrong, if anything.
 */
trouble: string | null,
/**
 * TLS version of the last handshake.
 */
tls: string | null,
/**
 * Cipher suite of the last handshake.
 */
cipher: string | null,
/**
 * Key exchange group of the last handshake.
 */
group: string | null,
/**
 * How the shown key stands to the pins.
 */
pin_state: PinState,
/**
 * Keys that the server may have, base64 of SHA-256.
 */
pins: Array<string>,
/**
 * A key that was shown and refused.
 */
waiting: SeenKey | null,
/**
 * The chain of the last handshake, the server's own certificate first.
 */
chain: Array<CertificateView>,
/**
 * When the last handshake was.
 */
handshake_at: Timestamp | null,
/**
 * Address and port that were reached.
 */
peer: string | null,
/**
 * Since when the stream is open, or the line is answered.
 */
open_since: Timestamp | null,
/**
 * Times from request to answer.
 */
latency: Latency | null,
/**
 * Venue clock minus ours, microseconds.
 */
clock_offset_us: number | null,
/**
 * The offset is right within so much, microseconds.
 */
clock_error_us: number | null,
/**
 * When the venue's clock was asked last.
 */
clock_at: Timestamp | null,
/**
 * Age of the newest stream message, milliseconds.
 */
stream_age_ms: number | null,
/**
 * Times the book had to be fetched anew.
 */
resyncs: number,
/**
 * When this was measured.
 */
at: Timestamp, };

export type LotRule = {
/**
 * Smallest quantity allowed.
 */
min: Quantity,
/**
 * Largest quantity allowed.
 */
max: Quantity,
/**
 * Step between quantities.
 */
step: Quantity, };

export type MachineSecret = "keychain" | { "tpm": {
/**
 * How it is reached: `device:/dev/tpmrm0` or `swtpm:host=127.0.0.1,port=2321`.
 */
tcti: string, } };

export type ManagedNote = {
/**
 * Whose.
 */
organisation: string,
/**
 * Number of the document.
 */
serial: number,
/**
 * Where the document is from, in words.
 */
source: string,
/**
 * Each limit with its name, as in a file of limits.
 */
limits: Array<[string, string]>, };

export type MarketSize = { "base": Quantity } | { "quote": Notional };

export type Mode = "simulation" | "live";

export type Motion = "system" | "reduced";

export type Notional = string;

export type NotionalRule = {
/**
 * Smallest notional allowed.
 */
min: Notional,
/**
 * Largest notional allowed.
 */
max: Notional, };

export type Order = {
/**
 * What to trade.
 */
symbol: Symbol,
/**
 * Buy or sell.
 */
side: Side,
/**
 * Kind, price, size.
 */
spec: OrderSpec,
/**
 * It may only reduce what is held.
 */
reduce_only: boolean, };

export type OrderKind = "limit" | "post_only" | "market";

export type OrderRule = {
/**
 * Quantities of market orders (Binance `MARKET_LOT_SIZE`), beside those of all.
 */
market_lot: LotRule,
/**
 * Distance from the average price.
 */
percent: PercentRule,
/**
 * Most orders that are open at once (Binance `MAX_NUM_ORDERS`).
 */
open_max: number, };

export type OrderSpec = { "limit": {
/**
 * Worst price accepted.
 */
price: Price,
/**
 * Base quantity.
 */
quantity: Quantity,
/**
 * How long it stays.
 */
tif: TimeInForce, } } | { "post_only": {
/**
 * Price at which it rests.
 */
price: Price,
/**
 * Base quantity.
 */
quantity: Quantity, } } | { "market": {
/**
 * How much.
 */
size: MarketSize, } };

export type OrderView = {
/**
 * Our name.
 */
client_order_id: string,
/**
 * The venue's number.
 */
venue_order_id: number | null,
/**
 * What.
 */
symbol: Symbol,
/**
 * Buy or sell.
 */
side: Side,
/**
 * Kind, price, size.
 */
spec: OrderSpec,
/**
 * It may only reduce what is held.
 */
reduce_only: boolean,
/**
 * Where it stands.
 */
fate: Fate,
/**
 * Base quantity filled.
 */
filled: Quantity,
/**
 * Quote amount traded.
 */
filled_notional: Notional,
/**
 * Trades.
 */
fills: Array<Fill>,
/**
 * Why it was refused, or what is unknown.
 */
note: string | null,
/**
 * The kill switch leaves it.
 */
protected: boolean,
/**
 * When it was recorded.
 */
created: Timestamp,
/**
 * Last change.
 */
updated: Timestamp, };

export type Origin = "typed" | "plain_file" | "encrypted_file" | "generated";

export type Outcome = {
/**
 * For people.
 */
words: string,
/**
 * The key concerned, if any.
 */
key: CredentialInfo | null,
/**
 * The log's public key, after a vault was made.
 */
log_key: string | null,
/**
 * Public half of a key pair as PEM, after it was made.
 */
public_key: string | null, };

export type OwnerTag = string;

export type PercentRule = {
/**
 * Least for a purchase.
 */
bid_low: Price,
/**
 * Most for a purchase.
 */
bid_high: Price,
/**
 * Least for a sale.
 */
ask_low: Price,
/**
 * Most for a sale.
 */
ask_high: Price, };

export type PinState = "match" | "changed" | "unconfirmed" | "unknown";

export type Policy = {
/**
 * The instrument list: nothing else is signed.
 */
instruments: Array<InstrumentPolicy>,
/**
 * In what all values here are: the quote asset of most instruments.
 */
currency: string,
/**
 * Most value of one order.
 */
order_notional_max: Notional,
/**
 * Most that is signed in 24 hours, each order at the most that it can be worth inside its band. What is cancelled or never filled
 * counts, too.
 */
day_notional_max: Notional,
/**
 * An order worth more is signed only after its own code; nothing: none needs one.
 */
confirm_above: Notional | null,
/**
 * Most new orders per minute.
 */
orders_per_minute: number,
/**
 * Distance from the mark in basis points; desk-enforced.
 */
price_collar_bps: number,
/**
 * A session ends when unused for so long.
 */
session_idle_ms: number,
/**
 * A session ends at this age.
 */
session_age_max_ms: number,
/**
 * A password that is less hard to try is stretched anew when it is given next; nothing: as it is.
 */
kdf_floor: KdfFloor | null,
/**
 * What one person, or one bot, may sign in a day, beside what everybody together may.
 */
thresholds: Array<Threshold>,
/**
 * Rules that need to know markets, or what is held.
 */
desk: DeskRules, };

export type Price = string;

export type Push = { "push": "frame",
/**
 * It.
 */
frame: Frame, } | { "push": "link",
/**
 * It does.
 */
up: boolean,
/**
 * For people.
 */
words: string, } | { "push": "killed",
/**
 * Whether the signer is frozen.
 */
engaged: boolean,
/**
 * For people.
 */
words: string, } | { "push": "verify",
/**
 * Entries looked at.
 */
done: number,
/**
 * Entries in all.
 */
of: number, } | { "push": "open",
/**
 * What.
 */
what: Sheet, };

export type Quantity = string;

export type Role = "viewer" | "trader" | "risk" | "key-admin" | "auditor";

export type RotationStep = { "step": "name" } | { "step": "test" } | { "step": "orders",
/**
 * How many.
 */
live: number, } | { "step": "revoke",
/**
 * How, step by step.
 */
how: Array<string>, };

export type Row = [Price, Quantity, Quantity];

export type RuleMode = "shadow" | "ask" | "refuse";

export type Scheme = "hmac-sha256" | "ed25519" | "rsa-sha256" | "ecdsa-p256";

export type SeenKey = {
/**
 * SHA-256 of the SubjectPublicKeyInfo, base64.
 */
spki_sha256: string,
/**
 * The certificates shown with it, the server's first.
 */
chain: Array<CertificateView>,
/**
 * When.
 */
at: Timestamp, };

export type SessionRow = {
/**
 * Its number.
 */
door: string,
/**
 * Where it was opened, in words.
 */
place: string,
/**
 * Whether that is where this was asked.
 */
is_here: boolean,
/**
 * Name of the slot by which it was opened.
 */
by: string,
/**
 * What it may do.
 */
roles: Array<Role>,
/**
 * Whether a machine opened it: it serves every door, and does not end by itself.
 */
is_service: boolean,
/**
 * Left until idle, milliseconds.
 */
idle_left_ms: number,
/**
 * Left until too old, milliseconds.
 */
age_left_ms: number, };

export type SessionView = {
/**
 * State of the vault.
 */
state: VaultState,
/**
 * Whether money is real here.
 */
mode: Mode,
/**
 * Name of the venue.
 */
venue: string,
/**
 * Label of the key in use; empty when there is none or the vault is sealed.
 */
account: string,
/**
 * Whether a machine opened the vault, without a person.
 */
is_service: boolean,
/**
 * Left until idle, milliseconds.
 */
idle_left_ms: number | null,
/**
 * Left until too old, milliseconds.
 */
age_left_ms: number | null,
/**
 * Signatures made with this vault.
 */
signatures: number,
/**
 * What was signed in the last day, each order at the most that it can be worth, and the most allowed.
 */
day_notional: [Notional, Notional] | null,
/**
 * What the session may do.
 */
roles: Array<Role>,
/**
 * Every session that is open, at this door or another.
 */
sessions: Array<SessionRow>,
/**
 * Why everything is stopped by the kill switch, if it is.
 */
killed: string | null,
/**
 * What else it stops: how far and why, in words.
 */
stopped: Array<string>,
/**
 * Lines to venues.
 */
lines: Array<LineView>,
/**
 * Rate limits of venues.
 */
limits: Array<LimitView>,
/**
 * Orders that are not over.
 */
live_orders: number,
/**
 * Those of them that the kill switch leaves.
 */
protected_orders: number,
/**
 * Orders whose outcome is unknown.
 */
ambiguous_orders: number,
/**
 * When this was measured.
 */
at: Timestamp, };

export type Settings = {
/**
 * Bright or dark.
 */
theme: Theme,
/**
 * How close rows stand.
 */
density: Density,
/**
 * Colours of up and down.
 */
pnl: UpDown,
/**
 * How much moves.
 */
motion: Motion,
/**
 * Whether single letters are shortcuts.
 */
single_keys: boolean, };

export type ShareKeeper = { "token": {
/**
 * Path of the PKCS#11 library.
 */
module: string,
/**
 * The token's name.
 */
token: string,
/**
 * Name of the key on it; made if it is not there.
 */
key: string, } } | { "transit": {
/**
 * `https://host:port`.
 */
address: string,
/**
 * Path of the authority's certificate.
 */
ca_file: string,
/**
 * Where the engine is mounted.
 */
mount: string,
/**
 * Name of the key, made for derived keys.
 */
key: string,
/**
 * The namespace, or nothing.
 */
namespace: string, } };

export type Sheet = "kill" | "lock" | "import";

export type Side = "buy" | "sell";

export type SlotFor = "person" | "auditor" | { "shared": {
/**
 * Who keeps it.
 */
keeper: ShareKeeper,
/**
 * For a machine without a person, and without a password: what it brings instead.
 */
machine: MachineSecret | null, } };

export type SlotInfo = {
/**
 * Its number.
 */
id: number,
/**
 * For whom, as the format names it; empty: a kind of a later version.
 */
kind: string,
/**
 * The person's name for it.
 */
label: string,
/**
 * Memory in MiB and passes of its password's derivation, if it has one.
 */
kdf: [number, number] | null,
/**
 * Who keeps its share, and where, if it has one.
 */
kept: string | null,
/**
 * Whether the vault was opened by it.
 */
is_present: boolean,
/**
 * What its owner may do.
 */
roles: Array<Role>, };

export type Source = "typed" | "practice" | "dropped";

export type Symbol = string;

export type Theme = "system" | "dark" | "light";

export type Threshold = {
/**
 * Whose.
 */
of: Actor,
/**
 * Most that is signed in 24 hours, each order at the most that it can be worth inside its band.
 */
day_notional_max: Notional, };

export type TickRule = {
/**
 * Smallest price allowed.
 */
min: Price,
/**
 * Largest price allowed.
 */
max: Price,
/**
 * Step between prices.
 */
tick: Price, };

export type TimeInForce = "GTC" | "IOC" | "FOK";

export type Timestamp = number;

export type TradeId = number;

export type TradeRow = {
/**
 * The venue's number.
 */
id: number,
/**
 * At what price.
 */
price: Price,
/**
 * How much.
 */
quantity: Quantity,
/**
 * What the taker did.
 */
side: Side,
/**
 * When.
 */
at: Timestamp, };

export type Unmet = {
/**
 * Its name in [`RULES`](crate::RULES).
 */
rule: string,
/**
 * Who holds it.
 */
by: Enforcer,
/**
 * What was asked for, or is so.
 */
value: string,
/**
 * What is allowed.
 */
limit: string,
/**
 * What would pass.
 */
passes: string, };

export type UpDown = "blue-orange" | "classic" | "classic-east";

export type VaultState = "missing" | "sealed" | "locked" | "unlocked";

export type VaultView = {
/**
 * Where it stands.
 */
state: VaultState,
/**
 * Its identity, hexadecimal.
 */
vault_id: string | null,
/**
 * Saves so far.
 */
generation: number | null,
/**
 * Why it was sealed or locked last.
 */
because: string | null,
/**
 * Whether file and keychain agree; else in words what is wrong.
 */
anchor: string,
/**
 * The walls around the signer, by name.
 */
walls: Array<[string, boolean]>,
/**
 * What the operating system is asked to tell of the person, by name, and whether it can.
 */
watched: Array<[string, boolean]>,
/**
 * Public key of the log, in text form.
 */
log_key: string | null,
/**
 * Why everything is stopped by the kill switch, if it is.
 */
killed: string | null,
/**
 * What else it stops: how far and why, in words.
 */
stopped: Array<string>,
/**
 * Generations of which there is a backup, newest first.
 */
backups: Array<number>,
/**
 * Recovery codes that were not used, while the vault is open.
 */
codes_left: number | null,
/**
 * Limits of an organisation that hold, once the vault was opened.
 */
managed: ManagedNote | null, };

export type Venue = "binance";

export type Verified = {
/**
 * Whether every entry is in its place.
 */
intact: boolean,
/**
 * For people.
 */
words: string,
/**
 * How many entries there are.
 */
entries: number,
/**
 * How many of them a signed checkpoint covers.
 */
sealed_entries: number,
/**
 * How many checkpoints there are.
 */
checkpoints: number,
/**
 * Checked with a key that a person kept; otherwise with the one that this computer names.
 */
by_kept_key: boolean,
/**
 * Hash of the newest entry, hexadecimal.
 */
head: string,
/**
 * When it was looked at.
 */
at: Timestamp,
/**
 * How long it took.
 */
took_ms: number, };

export type Watch = {
/**
 * Which instrument.
 */
symbol: Symbol,
/**
 * Length of its candles.
 */
interval: Interval,
/**
 * Levels per side, at most [`FRAME_DEPTH_MAX`].
 */
depth: number,
/**
 * Levels are grouped to multiples of this; nothing or zero: as the book has them.
 */
step: string, };

/** Every command of the app, its arguments and its answer. Each rejects with a `DoorError`. This table is also the permission list. */
export interface Commands {
  hello(): Promise<Hello>;
  start(): Promise<void>;
  ready(args: { screen: string }): Promise<void>;
  attach(args: { pushes: (push: Push) => void }): Promise<void>;
  watch(args: { watch: Watch | null }): Promise<void>;
  ack(args: { seq: number }): Promise<void>;
  vault(): Promise<VaultView>;
  session(): Promise<SessionView>;
  act(args: { action: DoorAction; source: Source }): Promise<Outcome>;
  give_up(): Promise<void>;
  lock(): Promise<string>;
  seal(): Promise<string>;
  keys(): Promise<Array<KeyView>>;
  public_key(args: { id: CredentialId }): Promise<string>;
  go_on(args: { id: CredentialId }): Promise<Outcome>;
  suspect(args: { id: CredentialId; why: string }): Promise<string>;
  end_session(args: { door: string }): Promise<string>;
  slots(): Promise<Array<SlotInfo>>;
  policy(): Promise<Policy>;
  instruments(): Promise<Array<Instrument>>;
  candles(args: { symbol: Symbol; interval: Interval }): Promise<Array<Candle>>;
  check(args: { order: Order }): Promise<Checks>;
  size(args: { symbol: Symbol; side: Side; price: Price | null; percent: number }): Promise<Quantity>;
  place(args: { order: Order; name: string | null; reason: string | null }): Promise<OrderView>;
  cancel(args: { client_order_id: string }): Promise<OrderView>;
  amend(args: { client_order_id: string; quantity: Quantity }): Promise<OrderView>;
  unprotect(args: { client_order_id: string }): Promise<OrderView>;
  orders(args: { live: boolean }): Promise<Array<OrderView>>;
  balances(): Promise<Array<Balance>>;
  kill(args: { why: string; scope: KillScope }): Promise<Killed>;
  kill_report(): Promise<KillReport | null>;
  drill(args: { orders: number }): Promise<Drilled>;
  audit(args: { before: number | null; last: number }): Promise<AuditPage>;
  verify(args: { key: string | null }): Promise<Verified>;
  settings(args: { settings: Settings }): Promise<void>;
}

/** Every rule of the gate, in the order of checks: who holds it, and what it demands. */
export const RULES = [
  {"name":"sealed","title":"Vault","enforcer":"signer","demand":"the vault is unsealed"},
  {"name":"clock-offset","title":"Clock","enforcer":"signer","demand":"the venue's clock is said to differ by a minute at most"},
  {"name":"recv-window","title":"Receive window","enforcer":"signer","demand":"what is signed can be sent for ten seconds at most"},
  {"name":"not-offered","title":"Request","enforcer":"signer","demand":"the venue has a request for it, and one that means no more"},
  {"name":"no-key","title":"Key","enforcer":"signer","demand":"the key that is asked for, or one in use, is in the vault"},
  {"name":"key-not-active","title":"Stage of the key","enforcer":"signer","demand":"new orders are signed with a key in use; one of another stage signs what its stage is for"},
  {"name":"kill-switch","title":"Kill switch","enforcer":"signer","demand":"the kill switch is not engaged"},
  {"name":"session","title":"Session","enforcer":"signer","demand":"a session is open, not idle too long and not too old"},
  {"name":"role","title":"Role","enforcer":"signer","demand":"the session's roles include trader for orders"},
  {"name":"scope","title":"Scope of the key","enforcer":"signer","demand":"the order is inside of what the key may be used for"},
  {"name":"instrument","title":"Instrument list","enforcer":"signer","demand":"the symbol is on the instrument list"},
  {"name":"reduce-only","title":"Reduce only","enforcer":"signer","demand":"an order that may only reduce what is held is a sale of a base quantity"},
  {"name":"order-rate","title":"Orders per minute","enforcer":"signer","demand":"not more new orders per minute than allowed"},
  {"name":"max-quantity","title":"Quantity per order","enforcer":"signer","demand":"base quantity at most the instrument's maximum"},
  {"name":"max-notional","title":"Notional per order","enforcer":"signer","demand":"price times quantity at most the maximum per order"},
  {"name":"price-band","title":"Price band","enforcer":"signer","demand":"price inside the instrument's absolute band"},
  {"name":"day-notional","title":"Notional of 24 hours","enforcer":"signer","demand":"all orders signed in 24 hours, each at its most, at most the maximum"},
  {"name":"threshold","title":"Threshold of 24 hours","enforcer":"signer","demand":"what one person or one bot signed in 24 hours at most its maximum"},
  {"name":"confirm","title":"Confirmation","enforcer":"signer","demand":"an order above the threshold that is not reduce-only was confirmed with a code"},
  {"name":"head-due","title":"Head of the log","enforcer":"signer","demand":"fewer than 256 orders and amendments were signed since the log's head was"},
  {"name":"policy-range","title":"Limits themselves","enforcer":"signer","demand":"limits that are set make sense: no empty band, no name twice, no number that could not be kept"},
  {"name":"managed-policy","title":"Limits of an organisation","enforcer":"signer","demand":"limits that are set are within the organisation's"},
  {"name":"duplicate-id","title":"Name of the order","enforcer":"desk","demand":"no order has the name already"},
  {"name":"too-many-orders","title":"Orders in hand","enforcer":"desk","demand":"fewer orders are live than the desk looks after"},
  {"name":"amend","title":"Amendment","enforcer":"desk","demand":"an order that rests is made smaller, and stays above what is filled"},
  {"name":"filter","title":"Tick, lot, venue's bounds","enforcer":"desk","demand":"price on the venue's tick, quantity on its step, and both and their product inside its bounds"},
  {"name":"mark","title":"Current price","enforcer":"desk","demand":"a current mark is known"},
  {"name":"value-at-mark","title":"Notional per order","enforcer":"desk","demand":"a market order of a base quantity is worth, at the mark, at most the maximum per order"},
  {"name":"reduce-held","title":"Reduce only","enforcer":"desk","demand":"an order that may only reduce sells no more than what is held and no other order sells"},
  {"name":"restricted","title":"Restricted instruments","enforcer":"desk","demand":"an instrument that is bought is not restricted"},
  {"name":"price-collar","title":"Price inside collar","enforcer":"desk","demand":"price not further from the mark than the collar, on the losing side"},
  {"name":"price-drift","title":"Price against the last minutes","enforcer":"desk","demand":"unless reduce-only, price, or what a market order fills at by the book that is known, not further from the best mark of ten minutes than allowed"},
  {"name":"slippage","title":"Slippage limit","enforcer":"desk","demand":"a market order fills, by the book, near enough to the mark"},
  {"name":"open-orders","title":"Open orders","enforcer":"desk","demand":"not more orders open than allowed"},
  {"name":"position","title":"Position","enforcer":"desk","demand":"what is held and would be bought of an instrument at most its maximum"},
  {"name":"exposure","title":"Exposure","enforcer":"desk","demand":"all that is held and would be bought at most the maximum, in all and of a venue or account"},
  {"name":"exposure-unknown","title":"Exposure","enforcer":"desk","demand":"the venue told what is open, and what is held where a rule needs it"},
  {"name":"duplicate","title":"Repetition","enforcer":"desk","demand":"the same order was not sent a moment ago"},
  {"name":"cancel-ratio","title":"Cancels per order","enforcer":"desk","demand":"not more cancels for a hundred orders than allowed"},
  {"name":"self-trade","title":"Own orders","enforcer":"desk","demand":"the order cannot meet an own one"},
  {"name":"day-loss","title":"Loss of the day","enforcer":"desk","demand":"the day's trades lost at most the maximum; beyond it, everything stops"},
  {"name":"drawdown","title":"Drawdown of the day","enforcer":"desk","demand":"the day's result fell at most so far; beyond it, everything stops"},
  {"name":"repeated-execution","title":"Repeated execution","enforcer":"desk","demand":"not more orders of one side fill in a minute than allowed; beyond it, whose they are is stopped"},
  {"name":"balance","title":"Balance","enforcer":"window","demand":"no more is given than is free, and what is above a quarter of it is ticked as meant"},
  {"name":"slippage-guide","title":"Slippage","enforcer":"window","demand":"a market order that fills, by the book, more than half a percent from the middle is ticked as meant"},
  {"name":"post-only","title":"Post-only","enforcer":"window","demand":"a post-only order that would trade at once is ticked as meant"},
] as const;

/** Who may do what, and what proves that it is a person. No roles: whoever comes, without a session. */
export const PERMISSIONS = [
  {"permission":"see","roles":[],"proof":"none","enforcer":"desk","what":"see the market, own orders, lines, limits, sessions, ways into the vault, keys without their secrets, and what an order would meet"},
  {"permission":"read-account","roles":["viewer","trader","risk"],"proof":"none","enforcer":"signer","what":"have balances looked up at the venue"},
  {"permission":"read-log","roles":["auditor"],"proof":"none","enforcer":"signer","what":"read the log"},
  {"permission":"place-order","roles":["trader"],"proof":"none","enforcer":"signer","what":"send a new order"},
  {"permission":"confirm-order","roles":["trader"],"proof":"code","enforcer":"signer","what":"confirm an order above the threshold"},
  {"permission":"cancel-order","roles":[],"proof":"none","enforcer":"signer","what":"take an order back, or make it smaller"},
  {"permission":"kill","roles":[],"proof":"none","enforcer":"signer","what":"engage the kill switch"},
  {"permission":"rearm","roles":["risk"],"proof":"code","enforcer":"signer","what":"take the kill switch back"},
  {"permission":"set-policy","roles":["risk"],"proof":"code-to-loosen","enforcer":"signer","what":"change the limits"},
  {"permission":"override-rule","roles":["risk"],"proof":"code","enforcer":"signer","what":"let one order pass that a rule of the desk stops"},
  {"permission":"protect-order","roles":["risk"],"proof":"code","enforcer":"signer","what":"let the kill switch leave one order"},
  {"permission":"unprotect-order","roles":[],"proof":"none","enforcer":"desk","what":"let the kill switch reach such an order again"},
  {"permission":"pin","roles":["risk"],"proof":"code","enforcer":"signer","what":"trust a server's key, or no more"},
  {"permission":"manage-keys","roles":["key-admin"],"proof":"code","enforcer":"signer","what":"take in, make, replace, describe or forget a key"},
  {"permission":"continue-rotation","roles":["key-admin"],"proof":"none","enforcer":"desk","what":"go on with the replacement of a key that was begun"},
  {"permission":"report-key","roles":[],"proof":"none","enforcer":"desk","what":"note that others may know a key"},
  {"permission":"export","roles":["key-admin"],"proof":"code","enforcer":"signer","what":"encrypt a key for somebody else, or copy the vault's file"},
  {"permission":"change-password","roles":["viewer","trader","risk","key-admin","auditor"],"proof":"code-and-password","enforcer":"signer","what":"set a new password of one's own"},
  {"permission":"manage-ways","roles":["key-admin"],"proof":"code","enforcer":"signer","what":"let somebody in or out, set roles, print a kit or recovery codes, take a new phone, re-key"},
  {"permission":"lock","roles":[],"proof":"none","enforcer":"signer","what":"end a session, the signer, or everything that runs"},
  {"permission":"open","roles":[],"proof":"factors","enforcer":"signer","what":"make a vault, unlock it, open it with the kit"},
] as const;
