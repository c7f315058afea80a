"""An unmodified binance-sdk-spot (REST, WebSocket API, streams) trades on a venue as on Binance. Usage: see cases.py."""

import asyncio
import ssl
import time
from decimal import Decimal

import cases
from binance_common.configuration import (ConfigurationRestAPI, ConfigurationWebSocketAPI,
                                           ConfigurationWebSocketStreams)
from binance_common.errors import BadRequestError, Error, UnauthorizedError
from binance_sdk_spot.spot import Spot
from cases import case, equal, raises

SYMBOL, OTHER = "BTCUSDT", "ETHUSDT"
QUANTITY = 0.001
QUANTITY_NUMBER = Decimal("0.001")
EVENT_S = 15
TIMEOUT_MS = 10_000


class World:
    def __init__(self, config):
        self.config = config
        self.trust = ssl.create_default_context(cafile=config.ca_file)
        self.rest = self.made(config.key()).rest_api
        self.clear()

    def made(self, key, **more):
        signing = {"api_key": key.api_key}
        signing |= {"api_secret": key.secret} if key.kind == "hmac" else {"private_key": key.secret}
        signing |= more
        return Spot(
            config_rest_api=ConfigurationRestAPI(base_path=self.config.rest_url, https_agent=self.trust,
                                                 timeout=TIMEOUT_MS, **signing),
            config_ws_api=ConfigurationWebSocketAPI(stream_url=self.config.ws_api_url, https_agent=self.trust, **signing),
            config_ws_streams=ConfigurationWebSocketStreams(stream_url=self.config.ws_url, https_agent=self.trust))

    def clear(self):
        try:
            self.rest.delete_open_orders(SYMBOL)
        except BadRequestError as error:
            equal(error.status_code, -2011, "nothing to cancel")

    def price(self, share):
        best = self.rest.ticker_book_ticker(symbol=SYMBOL).data().actual_instance
        return float((Decimal(best.bid_price) * Decimal(share)).quantize(Decimal("0.01")))

    def limit(self, **more):
        return {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": QUANTITY,
                "price": self.price("0.9")} | more

    def order(self, **more):
        return self.rest.new_order(**self.limit(**more)).data()

    def balance(self, asset):
        one = next(one for one in self.rest.get_account().data().balances if one.asset == asset)
        return Decimal(one.free), Decimal(one.locked)


def refused(kind, call, code):
    error = raises(kind, call)
    equal(error.status_code, code, f"code of {error}")


@case("rest_api ping, time, exchange_info, execution_rules")
def general(world):
    world.rest.ping()
    assert abs(world.rest.time().data().server_time - time.time() * 1000) < 1000
    listed = world.rest.exchange_info(symbols=[SYMBOL, OTHER]).data().symbols
    equal({one.symbol for one in listed}, {SYMBOL, OTHER}, "symbols")
    assert world.rest.execution_rules(symbol=SYMBOL).data().symbol_rules is not None


@case("rest_api without a key (an empty X-MBX-APIKEY header): public requests are answered")
def without_key(world):
    bare = Spot(config_rest_api=ConfigurationRestAPI(base_path=world.config.rest_url, https_agent=world.trust))
    assert bare.rest_api.depth(SYMBOL, limit=5).data().last_update_id > 0


@case("rest_api depth, get_trades, historical_trades, agg_trades, klines, ui_klines, avg_price")
def market_data(world):
    rest = world.rest
    equal(len(rest.depth(SYMBOL, limit=10).data().bids), 10, "levels")
    for call in (rest.get_trades, rest.historical_trades, rest.agg_trades):
        equal(len(call(SYMBOL, limit=5).data()), 5, call.__name__)
    for call in (rest.klines, rest.ui_klines):
        equal(len(call(SYMBOL, "1m", limit=5).data()), 5, call.__name__)
    equal(rest.avg_price(SYMBOL).data().mins, 5, "minutes")


@case("rest_api ticker24hr, ticker_trading_day, ticker_price, ticker_book_ticker, ticker")
def tickers(world):
    for call in (world.rest.ticker24hr, world.rest.ticker_trading_day, world.rest.ticker_price,
                 world.rest.ticker_book_ticker, world.rest.ticker):
        equal(call(symbol=SYMBOL).data().actual_instance.symbol, SYMBOL, call.__name__)


@case("rest_api new_order LIMIT, get_order, get_open_orders, delete_order, all_orders: NEW, CANCELED; funds locked, freed")
def limit_order(world):
    world.clear()
    free = world.balance("USDT")[0]
    order = world.order()
    equal(order.status, "NEW", "status")
    equal(free - world.balance("USDT")[0], Decimal(order.price) * QUANTITY_NUMBER, "locked")
    seen = world.rest.get_order(SYMBOL, order_id=order.order_id).data()
    equal((seen.status, seen.is_working), ("NEW", True), "queried")
    equal([one.order_id for one in world.rest.get_open_orders(symbol=SYMBOL).data()], [order.order_id], "open orders")
    equal(world.rest.delete_order(SYMBOL, order_id=order.order_id).data().status, "CANCELED", "status")
    equal(world.balance("USDT")[0], free, "freed")
    assert order.order_id in {one.order_id for one in world.rest.all_orders(SYMBOL).data()}


@case("rest_api new_order MARKET by quantity and quote_order_qty: FILLED; my_trades shows the fills")
def market_order(world):
    before = sum(world.balance("BTC"))
    order = world.rest.new_order(SYMBOL, "BUY", "MARKET", quantity=QUANTITY).data()
    equal((order.status, Decimal(order.executed_qty)), ("FILLED", QUANTITY_NUMBER), "order")
    fee = sum(Decimal(fill.commission) for fill in order.fills)
    equal(sum(world.balance("BTC")) - before, QUANTITY_NUMBER - fee, "BTC")
    trades = world.rest.my_trades(SYMBOL, order_id=order.order_id).data()
    equal({one.id for one in trades}, {fill.trade_id for fill in order.fills}, "trade ids")
    equal(world.rest.new_order(SYMBOL, "SELL", "MARKET", quote_order_qty=100).data().status, "FILLED", "status")


@case("rest_api new_order of every conditional type, trailing and iceberg: NEW; order_test with commission rates")
def conditional(world):
    low, high = world.price("0.9"), world.price("1.1")
    for order in ({"type": "STOP_LOSS", "stop_price": low}, {"type": "TAKE_PROFIT", "stop_price": high},
                  {"type": "STOP_LOSS_LIMIT", "stop_price": low, "price": low, "time_in_force": "GTC"},
                  {"type": "TAKE_PROFIT_LIMIT", "stop_price": high, "price": high, "time_in_force": "GTC"},
                  {"type": "STOP_LOSS", "trailing_delta": 500},
                  {"type": "LIMIT", "price": high, "time_in_force": "GTC", "iceberg_qty": 0.0002},
                  {"type": "LIMIT_MAKER", "price": high}):
        said = world.rest.new_order(SYMBOL, "SELL", quantity=QUANTITY, new_order_resp_type="RESULT", **order).data()
        equal(said.status, "NEW", order["type"])
    rates = world.rest.order_test(**world.limit(compute_commission_rates=True)).data()
    equal(Decimal(rates.standard_commission_for_order.taker), Decimal("0.001"), "taker")
    world.clear()


@case("rest_api order_cancel_replace: SUCCESS twice; -2022 when the first is unknown")
def cancel_replace(world):
    new = world.limit(cancel_replace_mode="STOP_ON_FAILURE")
    said = world.rest.order_cancel_replace(**new, cancel_order_id=world.order().order_id).data()
    equal((said.cancel_result, said.new_order_result), ("SUCCESS", "SUCCESS"), "results")
    refused(BadRequestError, lambda: world.rest.order_cancel_replace(**new, cancel_order_id=1), -2022)
    world.clear()


@case("rest_api order_amend_keep_priority, order_amendments: the quantity shrinks, the id stays")
def amend(world):
    order = world.order(quantity=0.002)
    said = world.rest.order_amend_keep_priority(SYMBOL, QUANTITY, order_id=order.order_id).data()
    equal((said.amended_order.order_id, Decimal(said.amended_order.qty)), (order.order_id, QUANTITY_NUMBER), "amended")
    listed = world.rest.order_amendments(SYMBOL, order.order_id).data()
    equal([Decimal(one.new_qty) for one in listed], [QUANTITY_NUMBER], "amendments")
    world.clear()


def order_lists(world):
    """Keyword arguments of the three order lists: (name, arguments, number of orders)."""
    price = world.price
    working = {"symbol": SYMBOL, "working_type": "LIMIT", "working_side": "BUY", "working_price": price("0.9"),
               "working_quantity": QUANTITY, "working_time_in_force": "GTC", "pending_side": "SELL",
               "pending_quantity": QUANTITY}
    return [
        ("oco", {"symbol": SYMBOL, "side": "SELL", "quantity": QUANTITY, "above_type": "LIMIT_MAKER",
                 "above_price": price("1.1"), "below_type": "STOP_LOSS", "below_stop_price": price("0.9")}, 2),
        ("oto", working | {"pending_type": "MARKET"}, 2),
        ("otoco", working | {"pending_above_type": "LIMIT_MAKER", "pending_above_price": price("1.1"),
                             "pending_below_type": "STOP_LOSS", "pending_below_stop_price": price("0.8")}, 3),
    ]


@case("rest_api order_list_oco, _oto, _otoco, get_order_list, all_order_list, open_order_list, delete_order_list")
def rest_order_lists(world):
    for name, arguments, size in order_lists(world):
        said = getattr(world.rest, f"order_list_{name}")(**arguments).data()
        equal((said.list_order_status, len(said.orders)), ("EXECUTING", size), name)
        number = said.order_list_id
        equal(world.rest.get_order_list(order_list_id=number).data().order_list_id, number, "queried")
        for listed in (world.rest.all_order_list().data(), world.rest.open_order_list().data()):
            assert number in {one.order_list_id for one in listed}
        gone = world.rest.delete_order_list(SYMBOL, order_list_id=number).data()
        equal(gone.list_order_status, "ALL_DONE", "cancelled")


@case("rest_api get_account, account_commission, rate_limit_order, my_filters, my_prevented_matches, my_allocations")
def account(world):
    rest = world.rest
    assert rest.get_account().data().can_trade is True
    equal(Decimal(rest.account_commission(SYMBOL).data().standard_commission.taker), Decimal("0.001"), "taker")
    equal({one.interval for one in rest.rate_limit_order().data()}, {"SECOND", "DAY"}, "intervals")
    assert rest.my_filters(SYMBOL).data() is not None
    equal(rest.my_prevented_matches(SYMBOL, order_id=1).data(), [], "prevented matches")
    equal(rest.my_allocations(SYMBOL).data(), [], "allocations")


@case("rest_api errors: BadRequestError -2010, -1121, -1013, -2013, -2011, -1022; UnauthorizedError for an unknown key")
def refusals(world):
    rest = world.rest
    refused(BadRequestError, lambda: world.order(side="SELL", quantity=80, price=world.price("1.05")), -2010)
    refused(BadRequestError, lambda: rest.depth("NOSUCH"), -1121)
    refused(BadRequestError, lambda: world.order(quantity=0.001001), -1013)
    refused(BadRequestError, lambda: rest.get_order(SYMBOL, order_id=1), -2013)
    refused(BadRequestError, lambda: rest.delete_order(SYMBOL, order_id=1), -2011)
    key = world.config.key("hmac")
    refused(Error, world.made(key, api_secret="0" * 64).rest_api.get_account, -1022)
    raises(UnauthorizedError, world.made(key, api_key="x" * 64).rest_api.get_account)


@case("rest_api rate_limits: the used weight is told with every answer")
def rate_limits(world):
    limits = world.rest.time().rate_limits
    assert any(one.rateLimitType == "REQUEST_WEIGHT" and one.count >= 1 for one in limits), limits


@case("rest_api: every kind of key signs")
def every_key(world):
    for key in world.config.keys:
        rest = world.made(key).rest_api
        order = rest.new_order(**world.limit()).data()
        equal(rest.delete_order(SYMBOL, order_id=order.order_id).data().status, "CANCELED", key.label)


class Connected:
    """A WebSocket API connection that is closed at the end."""

    def __init__(self, world, key=None):
        self.api = world.made(key or world.config.key()).websocket_api

    async def __aenter__(self):
        connection = await self.api.create_connection()
        assert connection, "no connection to the WebSocket API"
        return connection

    async def __aexit__(self, *error):
        await self.api.close_connection(close_session=True)


def result(response):
    """The result of an answer; the SDK gives refusals as a dictionary with `error`."""
    data = response.data()
    assert not isinstance(data, dict), f"refused: {data}"
    return data.result


async def off(call, *arguments, **more):
    return await asyncio.to_thread(call, *arguments, **more)


@case("websocket_api ping, time, exchange_info, depth, trades_recent, klines, ticker24hr, ticker_price, ticker_book")
async def ws_market(world):
    async with Connected(world) as api:
        result(await api.ping())
        assert abs(result(await api.time()).server_time - time.time() * 1000) < 1000
        # The SDK's model of this one answer takes the frame for the result.
        said = (await api.exchange_info(symbols=[SYMBOL, OTHER])).data().additional_properties["result"]
        equal({one["symbol"] for one in said["symbols"]}, {SYMBOL, OTHER}, "symbols")
        equal(len(result(await api.depth(SYMBOL, limit=5)).bids), 5, "levels")
        equal(len(result(await api.trades_recent(SYMBOL, limit=5))), 5, "trades")
        equal(len(result(await api.klines(SYMBOL, "1m", limit=5))), 5, "candles")
        for call in (api.ticker24hr, api.ticker_price, api.ticker_book, api.avg_price):
            assert (await call(symbol=SYMBOL)).data(), call.__name__


@case("websocket_api order_place, order_status, open_orders_status, order_cancel: NEW, listed, CANCELED")
async def ws_orders(world):
    limit = await off(world.limit)
    async with Connected(world) as api:
        order = result(await api.order_place(**limit, new_order_resp_type="RESULT"))
        equal(order.status, "NEW", "status")
        equal(result(await api.order_status(SYMBOL, order_id=order.order_id)).status, "NEW", "queried")
        assert order.order_id in {one.order_id for one in result(await api.open_orders_status(symbol=SYMBOL))}
        gone = (await api.order_cancel(SYMBOL, order_id=order.order_id)).data()
        assert "CANCELED" in str(gone), str(gone)[:300]
        assert "-2011" in str((await api.order_cancel(SYMBOL, order_id=1)).data()), "the refusal names its code"


@case("websocket_api session_logon, session_status, order_place without signature, session_logout (Ed25519)")
async def ws_session(world):
    key = world.config.key("ed25519")
    limit = await off(world.limit)
    async with Connected(world, key) as api:
        equal(result(await api.session_logon()).api_key, key.api_key, "key")
        equal(result(await api.session_status()).api_key, key.api_key, "key")
        order = result(await api.order_place(**limit, new_order_resp_type="RESULT"))
        equal(order.status, "NEW", "status")
        await api.order_cancel(SYMBOL, order_id=order.order_id)
        equal(result(await api.session_logout()).api_key, None, "key after logout")


@case("websocket_api account_status, account_commission, account_rate_limits_orders, all_orders, my_trades")
async def ws_account(world):
    await off(world.rest.new_order, SYMBOL, "BUY", "MARKET", quantity=QUANTITY)
    async with Connected(world) as api:
        assert result(await api.account_status()).can_trade is True
        equal(result(await api.account_commission(SYMBOL)).symbol, SYMBOL, "symbol")
        equal({one.interval for one in result(await api.account_rate_limits_orders())}, {"SECOND", "DAY"}, "intervals")
        for call in (api.all_orders, api.my_trades):
            assert result(await call(SYMBOL)), call.__name__


@case("websocket_api order_list_place_oco, _oto, _otoco, order_list_status, order_list_cancel")
async def ws_order_lists(world):
    lists = await off(order_lists, world)
    async with Connected(world) as api:
        for name, arguments, size in lists:
            said = result(await getattr(api, f"order_list_place_{name}")(**arguments))
            equal(len(said.orders), size, name)
            number = said.order_list_id
            equal(result(await api.order_list_status(order_list_id=number)).order_list_id, number, "queried")
            gone = result(await api.order_list_cancel(SYMBOL, order_list_id=number))
            equal(gone.list_order_status, "ALL_DONE", "cancelled")


async def hears_own_order(world, subscription):
    """Places and cancels an order while a user data subscription listens; gives the kinds of its reports."""
    heard = asyncio.Queue()
    subscription.stream.on("message", lambda event: heard.put_nowait(event.actual_instance))
    order = await off(world.order)
    await off(world.rest.delete_order, SYMBOL, order_id=order.order_id)
    kinds = []
    async with asyncio.timeout(EVENT_S):
        while len(kinds) < 2:
            event = await heard.get()
            if getattr(event, "e", "executionReport") == "executionReport" and getattr(event, "i", None) == order.order_id:
                kinds.append(event.x)
    return kinds


@case("websocket_api user_data_stream_subscribe_signature: executionReport NEW and CANCELED")
async def user_data_by_signature(world):
    async with Connected(world) as api:
        subscription = await api.user_data_stream_subscribe_signature()
        equal(await hears_own_order(world, subscription), ["NEW", "CANCELED"], "reports")
        await api.user_data_stream_unsubscribe()


@case("websocket_api session_logon, user_data_stream_subscribe: executionReport NEW and CANCELED (Ed25519)")
async def user_data_by_session(world):
    async with Connected(world, world.config.key("ed25519")) as api:
        await api.session_logon()
        equal(await hears_own_order(world, await api.user_data_stream_subscribe()), ["NEW", "CANCELED"], "reports")


def add_stream(name, **arguments):
    @case(f"websocket_streams.{name}: an event of its own model")
    async def check(world):
        streams = world.made(world.config.key()).websocket_streams
        assert await streams.create_connection(), "no connection to the streams"
        try:
            heard = asyncio.Queue()
            handle = await getattr(streams, name)(**arguments)
            handle.on("message", heard.put_nowait)
            await off(world.rest.new_order, SYMBOL, "BUY", "MARKET", quantity=QUANTITY)
            async with asyncio.timeout(EVENT_S):
                event = await heard.get()
            assert type(event).__module__.startswith("binance_sdk_spot"), type(event)
            await handle.unsubscribe()
        finally:
            await streams.close_connection(close_session=True)


for stream_name, stream_arguments in (
        ("agg_trade", {}), ("trade", {}), ("kline", {"interval": "1m"}), ("mini_ticker", {}), ("ticker", {}),
        ("rolling_window_ticker", {"window_size": "1h"}), ("book_ticker", {}), ("avg_price", {}),
        ("partial_book_depth", {"levels": "5"}), ("diff_book_depth", {})):
    add_stream(stream_name, symbol=SYMBOL.lower(), **stream_arguments)


if __name__ == "__main__":
    cases.run(World)
