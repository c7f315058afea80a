"""An unmodified python-binance (async client, socket manager, WebSocket API) trades on a venue. Usage: see cases.py."""

import asyncio
import time
from decimal import Decimal

import cases
from binance import AsyncClient, BinanceSocketManager
from binance.exceptions import BinanceAPIException
from binance.ws.depthcache import DepthCacheManager
from cases import case, equal, raises_async
from python_binance_common import QUANTITY, QUANTITY_NUMBER, SYMBOL, at, balances, credentials, oco, oto, otoco, point

EVENT_S = 15


class World:
    def __init__(self, config, client):
        self.config, self.client = config, client
        self.sockets = BinanceSocketManager(client)

    async def price(self, share):
        return at((await self.client.get_orderbook_ticker(symbol=SYMBOL))["bidPrice"], share)

    async def limit(self, **more):
        return {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": QUANTITY,
                "price": await self.price("0.9")} | more

    async def clear(self):
        try:
            await self.client.cancel_all_open_orders(symbol=SYMBOL)
        except BinanceAPIException as error:
            equal(error.code, -2011, "nothing to cancel")

    async def trade(self):
        return await self.client.order_market_buy(symbol=SYMBOL, quantity=QUANTITY)


async def make_world(config):
    point(config)
    world = World(config, await AsyncClient.create(**credentials(config.key())))
    await world.clear()
    return world


async def close_world(world):
    await world.client.close_connection()


async def heard(socket, within_s=EVENT_S):
    async with asyncio.timeout(within_s):
        return await socket.recv()


async def heard_of(socket, kind, within_s=EVENT_S):
    """The next event of a kind."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        event = await heard(socket, end - time.monotonic())
        if event.get("e") == kind:
            return event
    raise AssertionError(f"no {kind} within {within_s} s")


@case("AsyncClient: get_account, create_order, get_order, cancel_order; balances locked and freed")
async def orders(world):
    free = balances(await world.client.get_account())["USDT"][0]
    order = await world.client.create_order(**await world.limit())
    equal(order["status"], "NEW", "status")
    locked = free - balances(await world.client.get_account())["USDT"][0]
    equal(locked, Decimal(order["price"]) * QUANTITY_NUMBER, "locked")
    equal((await world.client.get_order(symbol=SYMBOL, orderId=order["orderId"]))["status"], "NEW", "queried")
    equal((await world.client.cancel_order(symbol=SYMBOL, orderId=order["orderId"]))["status"], "CANCELED", "cancelled")
    equal(balances(await world.client.get_account())["USDT"][0], free, "freed")


@case("AsyncClient: -1022 for newClientOrderId desk:1 in a POST, signed unencoded")
async def unencoded_value(world):
    order = await world.limit(newClientOrderId=f"desk:{int(time.time())}")
    error = await raises_async(BinanceAPIException, lambda: world.client.create_order(**order))
    equal(error.code, -1022, "code")


@case("AsyncClient: thirty requests at once, all answered")
async def at_once(world):
    books = await asyncio.gather(*(world.client.get_order_book(symbol=SYMBOL, limit=5) for _ in range(30)))
    equal({len(book["bids"]) for book in books}, {5}, "levels")


@case("AsyncClient: every kind of key signs")
async def every_key(world):
    for key in world.config.keys:
        client = await AsyncClient.create(**credentials(key))
        try:
            order = await client.create_order(**await world.limit())
            gone = await client.cancel_order(symbol=SYMBOL, orderId=order["orderId"])
            equal(gone["status"], "CANCELED", key.label)
        finally:
            await client.close_connection()


def add_socket(name, make, event, fields):
    @case(f"{name}: an event {event or 'without a type'}")
    async def check(world):
        async with make(world.sockets) as socket:
            await world.trade()
            said = await heard(socket)
            said = said.get("data", said)
            equal(said.get("e"), event, f"event {str(said)[:200]}")
            assert fields <= set(said), f"missing {sorted(fields - set(said))}"


add_socket("trade_socket", lambda sockets: sockets.trade_socket(SYMBOL), "trade", {"t", "p", "q", "m"})
add_socket("aggtrade_socket", lambda sockets: sockets.aggtrade_socket(SYMBOL), "aggTrade", {"a", "f", "l"})
add_socket("kline_socket", lambda sockets: sockets.kline_socket(SYMBOL, "1m"), "kline", {"k"})
add_socket("symbol_miniticker_socket", lambda sockets: sockets.symbol_miniticker_socket(SYMBOL), "24hrMiniTicker", {"c"})
add_socket("symbol_ticker_socket", lambda sockets: sockets.symbol_ticker_socket(SYMBOL), "24hrTicker", {"b", "a", "c"})
add_socket("symbol_book_ticker_socket", lambda sockets: sockets.symbol_book_ticker_socket(SYMBOL), None, {"u", "b", "a"})
add_socket("depth_socket", lambda sockets: sockets.depth_socket(SYMBOL), "depthUpdate", {"U", "u", "b", "a"})
add_socket("depth_socket 100 ms", lambda sockets: sockets.depth_socket(SYMBOL, interval=100), "depthUpdate", {"U", "u"})
add_socket("depth_socket of ten levels", lambda sockets: sockets.depth_socket(SYMBOL, depth="10"), None, {"lastUpdateId"})
add_socket("multiplex_socket", lambda sockets: sockets.multiplex_socket(["btcusdt@trade", "ethusdt@trade"]), "trade", {"t"})


@case("miniticker_socket: an array of changed symbols")
async def miniticker(world):
    async with world.sockets.miniticker_socket() as socket:
        await world.trade()
        said = await heard(socket)
        assert SYMBOL in {one["s"] for one in said}, said


@case("DepthCacheManager: a book kept from snapshot and stream is never crossed and follows the venue's")
async def depth_cache(world):
    async with DepthCacheManager(world.client, SYMBOL) as cache:
        for _ in range(10):
            book = await heard(cache)
            assert book.get_bids()[0][0] < book.get_asks()[0][0], "crossed"


@case("user_socket (userDataStream.subscribe.signature): executionReport NEW and CANCELED, outboundAccountPosition")
async def user_socket(world):
    async with world.sockets.user_socket() as socket:
        order = await world.client.create_order(**await world.limit())
        report = await heard_of(socket, "executionReport")
        equal((report["x"], report["X"], report["i"]), ("NEW", "NEW", order["orderId"]), "report")
        position = await heard_of(socket, "outboundAccountPosition")
        assert "USDT" in {one["a"] for one in position["B"]}, position
        await world.client.cancel_order(symbol=SYMBOL, orderId=order["orderId"])
        report = await heard_of(socket, "executionReport")
        equal((report["x"], report["C"]), ("CANCELED", order["clientOrderId"]), "report")


@case("user_socket: executionReport TRADE of a market order, with fee and balances")
async def user_socket_trade(world):
    async with world.sockets.user_socket() as socket:
        order = await world.trade()
        report = await heard_of(socket, "executionReport")
        while report["x"] != "TRADE":
            report = await heard_of(socket, "executionReport")
        equal((report["i"], report["N"], report["m"]), (order["orderId"], "BTC", False), "report")
        assert Decimal(report["n"]) > 0 and report["t"] > 0, report


@case("user_socket: listStatus of an OCO")
async def user_socket_list(world):
    async with world.sockets.user_socket() as socket:
        prices = {share: await world.price(share) for share in ("1.1", "0.9", "0.89")}
        said = await world.client.create_oco_order(**oco(prices.get))
        status = await heard_of(socket, "listStatus")
        equal((status["c"], status["g"], status["l"]), ("OCO", said["orderListId"], "EXEC_STARTED"), "list")
        await world.clear()


@case("ws_create_order limit and market, ws_get_order, ws_cancel_order: NEW, FILLED, CANCELED")
async def ws_orders(world):
    client = world.client
    order = await client.ws_create_order(**await world.limit())
    equal((await client.ws_get_order(symbol=SYMBOL, orderId=order["orderId"]))["status"], "NEW", "queried")
    equal((await client.ws_cancel_order(symbol=SYMBOL, orderId=order["orderId"]))["status"], "CANCELED", "cancelled")
    bought = await client.ws_order_market_buy(symbol=SYMBOL, quantity=QUANTITY)
    equal((bought["status"], Decimal(bought["executedQty"])), ("FILLED", QUANTITY_NUMBER), "market order")


@case("ws_create_test_order: {}; ws_get_open_orders, ws_cancel_all_open_orders: listed, cancelled")
async def ws_lists(world):
    client = world.client
    equal(await client.ws_create_test_order(**await world.limit()), {}, "test order")
    await client.ws_create_order(**await world.limit())
    equal({one["symbol"] for one in await client.ws_get_open_orders(symbol=SYMBOL)}, {SYMBOL}, "open orders")
    equal({one["status"] for one in await client.ws_cancel_all_open_orders(symbol=SYMBOL)}, {"CANCELED"}, "cancelled")


@case("ws_cancel_and_replace_order: SUCCESS twice")
async def ws_replace(world):
    order = await world.client.ws_create_order(**await world.limit())
    new = await world.limit(cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order["orderId"])
    said = await world.client.ws_cancel_and_replace_order(**new)
    equal((said["cancelResult"], said["newOrderResult"]), ("SUCCESS", "SUCCESS"), "results")
    await world.clear()


@case("ws_create_oco_order, ws_create_oto_order, ws_create_otoco_order, ws_get_oco_order, ws_cancel_oco_order")
async def ws_order_lists(world):
    client = world.client
    prices = {share: await world.price(share) for share in ("1.1", "0.9", "0.89", "0.8")}
    for call, params, size in ((client.ws_create_oco_order, oco, 2), (client.ws_create_oto_order, oto, 2),
                               (client.ws_create_otoco_order, otoco, 3)):
        said = await call(**params(prices.get))
        equal(len(said["orders"]), size, "orders")
        number = said["orderListId"]
        equal((await client.ws_get_oco_order(orderListId=number))["orderListId"], number, "queried")
        gone = await client.ws_cancel_oco_order(symbol=SYMBOL, orderListId=number)
        equal(gone["listOrderStatus"], "ALL_DONE", "cancelled")


@case("ws_get_account, ws_get_all_orders, ws_get_my_trades, ws_get_commission_rates, ws_get_account_rate_limits_orders")
async def ws_account(world):
    client = world.client
    order = await world.trade()
    equal(balances(await client.ws_get_account())["BTC"], balances(await client.get_account())["BTC"], "BTC")
    assert order["orderId"] in {one["orderId"] for one in await client.ws_get_all_orders(symbol=SYMBOL)}
    assert order["orderId"] in {one["orderId"] for one in await client.ws_get_my_trades(symbol=SYMBOL)}
    rates = await client.ws_get_commission_rates(symbol=SYMBOL)
    equal(Decimal(rates["standardCommission"]["taker"]), Decimal("0.001"), "taker")
    equal({one["interval"] for one in await client.ws_get_account_rate_limits_orders()}, {"SECOND", "DAY"}, "intervals")


@case("ws_get_order_book, ws_get_klines, ws_get_recent_trades, ws_get_ticker, ws_get_orderbook_ticker, ws_get_time")
async def ws_market(world):
    client = world.client
    equal(len((await client.ws_get_order_book(symbol=SYMBOL, limit=5))["bids"]), 5, "levels")
    equal(len(await client.ws_get_klines(symbol=SYMBOL, interval="1m", limit=5)), 5, "candles")
    equal(len(await client.ws_get_recent_trades(symbol=SYMBOL, limit=5)), 5, "trades")
    equal((await client.ws_get_ticker(symbol=SYMBOL))["symbol"], SYMBOL, "ticker")
    best = await client.ws_get_orderbook_ticker(symbol=SYMBOL)
    assert Decimal(best["bidPrice"]) < Decimal(best["askPrice"]), best
    assert abs((await client.ws_get_time())["serverTime"] - time.time() * 1000) < 1000


@case("ws refusals by code: -2011, -1121, and -1022 for newClientOrderId desk:1, which it signs percent-encoded")
async def ws_refusals(world):
    client = world.client
    error = await raises_async(BinanceAPIException, lambda: client.ws_cancel_order(symbol=SYMBOL, orderId=1))
    equal(error.code, -2011, "code")
    error = await raises_async(BinanceAPIException, lambda: client.ws_get_order_book(symbol="NOSUCH"))
    equal(error.code, -1121, "code")
    order = await world.limit(newClientOrderId=f"desk:{int(time.time())}")
    error = await raises_async(BinanceAPIException, lambda: client.ws_create_order(**order))
    equal(error.code, -1022, "code")


@case("ws: every kind of key signs WebSocket API orders")
async def ws_every_key(world):
    for key in world.config.keys:
        client = await AsyncClient.create(**credentials(key))
        try:
            order = await client.ws_create_order(**await world.limit())
            gone = await client.ws_cancel_order(symbol=SYMBOL, orderId=order["orderId"])
            equal(gone["status"], "CANCELED", key.label)
        finally:
            await client.close_connection()


if __name__ == "__main__":
    cases.run(make_world, close_world)
