"""An unmodified ccxt (Python, asynchronous and pro) trades over HTTP, streams and the WebSocket API. Usage: see cases.py."""

import asyncio
import inspect
from decimal import Decimal

import cases
import ccxt.async_support
import ccxt.pro
from cases import case, decimal, equal, raises_async
from ccxt_common import AMOUNT, OTHER, SYMBOL, point, settings, total

AMOUNT_TEXT = Decimal("0.001")
EVENT_S = 15


class World:
    """One pro client with the first key and the spot markets."""

    def __init__(self, config):
        self.config = config
        self.client = self.made()

    def made(self, key=None, of=ccxt.pro.binance):
        made = {**settings(self.config, key or self.config.key()), "options": {"fetchMarkets": {"types": ["spot"]}}}
        return point(of(made), self.config)

    async def price(self, share):
        bid = (await self.client.fetch_bids_asks([SYMBOL]))[SYMBOL]["bid"]
        return float(self.client.price_to_precision(SYMBOL, bid * share))

    async def clear(self):
        try:
            await self.client.cancel_all_orders(SYMBOL)
        except ccxt.OrderNotFound:
            pass

    async def trade(self):
        return await self.client.create_order(SYMBOL, "market", "buy", AMOUNT)


async def make_world(config):
    world = World(config)
    await world.client.load_markets()
    await world.clear()
    return world


async def close_world(world):
    await world.client.close()


async def soon(waiting, within_s=EVENT_S):
    async with asyncio.timeout(within_s):
        return await waiting


async def during(watching, act):
    """What a watch gives while something happens on the venue; the watch is there first."""
    task = asyncio.ensure_future(watching)
    await asyncio.sleep(1)
    done = act()
    if inspect.isawaitable(done):
        await done
    return await soon(task)


@case("async load_markets, fetch_balance, create_order, cancel_order (ccxt.async_support)")
async def async_round(world):
    client = world.made(of=ccxt.async_support.binance)
    try:
        assert SYMBOL in await client.load_markets()
        before = await client.fetch_balance()
        order = await client.create_order(SYMBOL, "limit", "buy", AMOUNT, await world.price(0.9))
        equal(order["status"], "open", "status")
        locked = decimal((await client.fetch_balance())["USDT"]["used"]) - decimal(before["USDT"]["used"])
        equal(locked, decimal(order["price"]) * AMOUNT_TEXT, "locked")
        equal((await client.cancel_order(order["id"], SYMBOL))["status"], "canceled", "status")
    finally:
        await client.close()


@case("async: twenty requests at once on one client, all answered")
async def async_at_once(world):
    client = world.made(of=ccxt.async_support.binance)
    try:
        await client.load_markets()
        books = await asyncio.gather(*(client.fetch_order_book(SYMBOL, 5) for _ in range(20)))
        equal({len(book["bids"]) for book in books}, {5}, "levels")
    finally:
        await client.close()


@case("watch_trades (trade): an own market order is seen, with its price and amount")
async def watch_trades(world):
    trades = await during(world.client.watch_trades(SYMBOL), world.trade)
    assert all(trade["price"] > 0 and trade["amount"] > 0 and trade["id"] for trade in trades), trades


@case("watch_trades (aggTrade)")
async def watch_agg_trades(world):
    trades = await during(world.client.watch_trades(SYMBOL, params={"name": "aggTrade"}), world.trade)
    assert trades and trades[-1]["symbol"] == SYMBOL


@case("watch_order_book: 20 updates after the snapshot, never crossed, never out of order")
async def watch_order_book(world):
    nonce = 0
    for _ in range(20):
        book = await soon(world.client.watch_order_book(SYMBOL))
        assert book["bids"][0][0] < book["asks"][0][0], "crossed"
        assert book["nonce"] >= nonce, "backwards"
        nonce = book["nonce"]


@case("watch_order_book equals fetch_order_book at the same update id, or is ahead of it")
async def book_agrees(world):
    watched = await soon(world.client.watch_order_book(SYMBOL))
    fetched = await world.client.fetch_order_book(SYMBOL, 20)
    for _ in range(50):
        if watched["nonce"] >= fetched["nonce"]:
            break
        watched = await soon(world.client.watch_order_book(SYMBOL))
    assert watched["nonce"] >= fetched["nonce"], "the stream does not reach the snapshot"
    if watched["nonce"] == fetched["nonce"]:
        equal(watched["bids"][:5], fetched["bids"][:5], "bids")


@case("watch_ticker: last between low and high; with name ticker, bid and ask too")
async def watch_ticker(world):
    ticker = await during(world.client.watch_ticker(SYMBOL), world.trade)
    assert 0 < ticker["low"] <= ticker["last"] <= ticker["high"], ticker
    ticker = await during(world.client.watch_ticker(SYMBOL, {"name": "ticker"}), world.trade)
    for _ in range(10):
        if ticker["info"]["e"] == "24hrTicker":
            break
        ticker = await soon(world.client.watch_ticker(SYMBOL, {"name": "ticker"}))
    equal(ticker["info"]["e"], "24hrTicker", "event")
    assert 0 < ticker["bid"] < ticker["ask"], ticker


@case("watch_tickers (miniTicker) of two symbols")
async def watch_tickers(world):
    seen = {}
    for _ in range(10):
        seen |= await soon(world.client.watch_tickers([SYMBOL, OTHER]))
        if {SYMBOL, OTHER} <= set(seen):
            break
    assert {SYMBOL, OTHER} <= set(seen), sorted(seen)


@case("watch_bids_asks (bookTicker): bid below ask")
async def watch_bids_asks(world):
    best = (await during(world.client.watch_bids_asks([SYMBOL]), world.trade))[SYMBOL]
    assert 0 < best["bid"] < best["ask"], best


@case("watch_ohlcv (kline_1m): the running candle holds its own extremes")
async def watch_ohlcv(world):
    _, opened, high, low, closed, _ = (await soon(world.client.watch_ohlcv(SYMBOL, "1m")))[-1]
    assert low <= min(opened, closed) and max(opened, closed) <= high


@case("un_watch_trades: the venue confirms the UNSUBSCRIBE")
async def un_watch(world):
    await soon(world.client.un_watch_trades(SYMBOL))


async def user_data(world):
    """Opens the account's stream once (userDataStream.subscribe.signature), so that no event is missed."""
    await soon(world.client.authenticate())


@case("watch_orders: open, then canceled, of a resting order")
async def watch_orders(world):
    await user_data(world)
    placed = {}

    async def place():
        placed.update(await world.client.create_order(SYMBOL, "limit", "buy", AMOUNT, await world.price(0.9)))

    seen = (await during(world.client.watch_orders(SYMBOL), place))[-1]
    equal((seen["id"], seen["status"], decimal(seen["amount"])), (placed["id"], "open", AMOUNT_TEXT), "event")
    seen = (await during(world.client.watch_orders(SYMBOL), lambda: world.client.cancel_order(placed["id"], SYMBOL)))[-1]
    equal((seen["id"], seen["status"]), (placed["id"], "canceled"), "event")


@case("watch_my_trades: the fill of a market order with its fee")
async def watch_my_trades(world):
    await user_data(world)
    trade = (await during(world.client.watch_my_trades(SYMBOL), world.trade))[-1]
    equal((trade["symbol"], trade["side"], trade["fee"]["currency"]), (SYMBOL, "buy", "BTC"), "trade")
    assert trade["fee"]["cost"] > 0 and trade["amount"] > 0


@case("watch_balance: the balances after a trade are those that fetch_balance gives")
async def watch_balance(world):
    await user_data(world)
    before = await world.client.fetch_balance()
    seen = await during(world.client.watch_balance(), world.trade)
    after = await world.client.fetch_balance()
    assert total(after, "BTC") > total(before, "BTC")
    for _ in range(10):
        # Events of earlier orders may still be on their way.
        if total(seen, "BTC") == total(after, "BTC"):
            break
        seen = await soon(world.client.watch_balance())
    equal(total(seen, "BTC"), total(after, "BTC"), "BTC")


@case("create_order_ws limit, fetch_order_ws, fetch_open_orders_ws, cancel_order_ws: open, listed, canceled")
async def order_ws(world):
    order = await soon(world.client.create_order_ws(SYMBOL, "limit", "buy", AMOUNT, await world.price(0.9)))
    equal((order["status"], order["filled"]), ("open", 0.0), "placed")
    equal((await soon(world.client.fetch_order_ws(order["id"], SYMBOL)))["status"], "open", "seen")
    assert order["id"] in {one["id"] for one in await soon(world.client.fetch_open_orders_ws(SYMBOL))}
    equal((await soon(world.client.cancel_order_ws(order["id"], SYMBOL)))["status"], "canceled", "cancelled")


@case("create_order_ws market: closed, filled; in fetch_orders_ws and fetch_my_trades_ws")
async def market_ws(world):
    order = await soon(world.client.create_order_ws(SYMBOL, "market", "buy", AMOUNT))
    equal((order["status"], decimal(order["filled"])), ("closed", AMOUNT_TEXT), "order")
    assert order["id"] in {one["id"] for one in await soon(world.client.fetch_orders_ws(SYMBOL))}
    assert order["id"] in {one["order"] for one in await soon(world.client.fetch_my_trades_ws(SYMBOL))}


@case("create_order_ws test: accepted, but no order is there")
async def test_order_ws(world):
    await world.clear()
    await soon(world.client.create_order_ws(SYMBOL, "limit", "buy", AMOUNT, await world.price(0.9), {"test": True}))
    equal(await world.client.fetch_open_orders(SYMBOL), [], "open orders")


@case("edit_order_ws (order.cancelReplace): a new id at the new price")
async def edit_order_ws(world):
    order = await soon(world.client.create_order_ws(SYMBOL, "limit", "buy", AMOUNT, await world.price(0.9)))
    price = await world.price(0.91)
    edited = await soon(world.client.edit_order_ws(order["id"], SYMBOL, "limit", "buy", AMOUNT, price))
    assert edited["id"] != order["id"] and edited["price"] == price, edited
    await world.clear()


@case("cancel_all_orders_ws empties")
async def cancel_all_ws(world):
    for _ in range(2):
        await world.client.create_order(SYMBOL, "limit", "buy", AMOUNT, await world.price(0.9))
    await soon(world.client.cancel_all_orders_ws(SYMBOL))
    equal(await world.client.fetch_open_orders(SYMBOL), [], "left")


@case("fetch_balance_ws (account.status): the balances that fetch_balance gives")
async def balance_ws(world):
    # ccxt does not parse a spot answer here: the balances are in `info` only.
    by_ws, by_rest = await soon(world.client.fetch_balance_ws()), await world.client.fetch_balance()
    equal(by_ws["info"]["balances"], by_rest["info"]["balances"], "balances")


@case("fetch_ohlcv_ws, fetch_trades_ws: market data by request")
async def market_data_ws(world):
    equal(len(await soon(world.client.fetch_ohlcv_ws(SYMBOL, "1m", limit=5))), 5, "candles")
    assert await soon(world.client.fetch_trades_ws(SYMBOL, limit=5))


@case("InsufficientFunds and OrderNotFound over the WebSocket API")
async def errors_ws(world):
    price = await world.price(1.05)
    await raises_async(ccxt.InsufficientFunds, lambda: soon(
        world.client.create_order_ws(SYMBOL, "limit", "sell", 80, price)))
    await raises_async(ccxt.OrderNotFound, lambda: soon(world.client.cancel_order_ws("1", SYMBOL)))


@case("every kind of key signs WebSocket API orders")
async def every_key_ws(world):
    for key in world.config.keys:
        client = world.made(key)
        try:
            await client.load_markets()
            order = await soon(client.create_order_ws(SYMBOL, "limit", "buy", AMOUNT, await world.price(0.9)))
            equal((await soon(client.cancel_order_ws(order["id"], SYMBOL)))["status"], "canceled", key.label)
        finally:
            await client.close()


if __name__ == "__main__":
    cases.run(make_world, close_world)
