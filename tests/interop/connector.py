"""An unmodified binance-connector does on a venue what it does on Binance spot. Usage: see cases.py."""

import json
import queue
import time
from decimal import Decimal

import cases
from binance.error import ClientError
from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient
from cases import case, equal, eventually, raises

SYMBOL, OTHER = "BTCUSDT", "ETHUSDT"
QUANTITY = "0.001"
QUANTITY_NUMBER = Decimal(QUANTITY)
EVENT_S = 15


class World:
    def __init__(self, config):
        self.config = config
        self.client = self.made(config.key())
        self.clear()

    def made(self, key, **more):
        signing = {"api_secret": key.secret} if key.kind == "hmac" else {"private_key": key.secret}
        return Spot(api_key=key.api_key, base_url=self.config.rest_url, **signing, **more)

    def clear(self):
        try:
            self.client.cancel_open_orders(SYMBOL)
        except ClientError as error:
            equal(error.error_code, -2011, "nothing to cancel")

    def price(self, share):
        return str((Decimal(self.client.book_ticker(SYMBOL)["bidPrice"]) * Decimal(share)).quantize(Decimal("0.01")))

    def limit(self, **more):
        return {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": QUANTITY,
                "price": self.price("0.9")} | more

    def rest(self, **more):
        return self.client.new_order(**self.limit(**more))

    def balance(self, asset):
        one = next(one for one in self.client.account()["balances"] if one["asset"] == asset)
        return Decimal(one["free"]), Decimal(one["locked"])


def refused(call, code):
    error = raises(ClientError, call)
    equal(error.error_code, code, f"code of {error.error_message!r}")


@case("ping, time, system_status, exchange_info")
def general(world):
    client = world.client
    equal(client.ping(), {}, "ping")
    assert abs(client.time()["serverTime"] - time.time() * 1000) < 1000
    equal(client.system_status()["status"], 0, "status")
    listed = client.exchange_info(symbols=[SYMBOL, OTHER])["symbols"]
    equal({one["symbol"] for one in listed}, {SYMBOL, OTHER}, "symbols")


@case("depth, trades, historical_trades, agg_trades, klines, ui_klines, avg_price")
def market_data(world):
    client = world.client
    equal(len(client.depth(SYMBOL, limit=10)["bids"]), 10, "levels")
    for call in (client.trades, client.historical_trades, client.agg_trades):
        equal(len(call(SYMBOL, limit=5)), 5, call.__name__)
    for candles in (client.klines(SYMBOL, "1m", limit=5), client.ui_klines(SYMBOL, "1m", limit=5)):
        equal(len(candles), 5, "candles")
    assert Decimal(client.avg_price(SYMBOL)["price"]) > 0


@case("ticker_24hr, trading_day_ticker, ticker_price, book_ticker, rolling_window_ticker of one and of two symbols")
def tickers(world):
    client = world.client
    for call in (client.ticker_24hr, client.trading_day_ticker, client.ticker_price, client.book_ticker,
                 client.rolling_window_ticker):
        equal(call(symbol=SYMBOL)["symbol"], SYMBOL, call.__name__)
        equal({one["symbol"] for one in call(symbols=[SYMBOL, OTHER])}, {SYMBOL, OTHER}, call.__name__)


@case("coin_info, trade_fee, api_key_permissions, query_commission_rates")
def wallet(world):
    client = world.client
    assert "BTC" in {one["coin"] for one in client.coin_info()}
    equal(client.trade_fee(symbol=SYMBOL)[0]["symbol"], SYMBOL, "fee")
    assert client.api_key_permissions()["enableReading"] is True
    equal(Decimal(client.query_commission_rates(SYMBOL)["standardCommission"]["taker"]), Decimal("0.001"), "taker")


@case("new_order LIMIT, get_order, get_open_orders, cancel_order, get_orders: NEW, listed, CANCELED; funds locked, freed")
def limit_order(world):
    world.clear()
    free = world.balance("USDT")[0]
    order = world.rest()
    equal(order["status"], "NEW", "status")
    equal(free - world.balance("USDT")[0], Decimal(order["price"]) * QUANTITY_NUMBER, "locked")
    number = {"symbol": SYMBOL, "orderId": order["orderId"]}
    equal(world.client.get_order(**number)["clientOrderId"], order["clientOrderId"], "client id")
    equal([one["orderId"] for one in world.client.get_open_orders(SYMBOL)], [order["orderId"]], "open orders")
    equal(world.client.cancel_order(**number)["status"], "CANCELED", "status")
    equal(world.balance("USDT")[0], free, "freed")
    assert order["orderId"] in {one["orderId"] for one in world.client.get_orders(SYMBOL)}


@case("new_order MARKET by quantity and by quoteOrderQty: FILLED; my_trades shows the fills")
def market_order(world):
    before = sum(world.balance("BTC"))
    order = world.client.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=QUANTITY)
    equal((order["status"], Decimal(order["executedQty"])), ("FILLED", QUANTITY_NUMBER), "order")
    fee = sum(Decimal(fill["commission"]) for fill in order["fills"])
    equal(sum(world.balance("BTC")) - before, QUANTITY_NUMBER - fee, "BTC")
    trades = eventually(lambda: world.client.my_trades(SYMBOL, orderId=order["orderId"]), "trades")
    equal({one["id"] for one in trades}, {fill["tradeId"] for fill in order["fills"]}, "trade ids")
    order = world.client.new_order(symbol=SYMBOL, side="SELL", type="MARKET", quoteOrderQty="100")
    equal(order["status"], "FILLED", "status")


@case("new_order of every conditional type, trailing and iceberg: NEW; new_order_test: {}")
def conditional(world):
    low, high = world.price("0.9"), world.price("1.1")
    base = {"symbol": SYMBOL, "side": "SELL", "quantity": QUANTITY, "newOrderRespType": "RESULT"}
    for order in ({"type": "STOP_LOSS", "stopPrice": low}, {"type": "TAKE_PROFIT", "stopPrice": high},
                  {"type": "STOP_LOSS_LIMIT", "stopPrice": low, "price": low, "timeInForce": "GTC"},
                  {"type": "TAKE_PROFIT_LIMIT", "stopPrice": high, "price": high, "timeInForce": "GTC"},
                  {"type": "STOP_LOSS", "trailingDelta": 500},
                  {"type": "LIMIT", "price": high, "timeInForce": "GTC", "icebergQty": "0.0002"},
                  {"type": "LIMIT_MAKER", "price": high}):
        equal(world.client.new_order(**base, **order)["status"], "NEW", order["type"])
    equal(world.client.new_order_test(**world.limit()), {}, "test order")
    world.clear()


@case("cancel_and_replace: SUCCESS twice; -2022 when the first is unknown")
def cancel_and_replace(world):
    new = world.limit(cancelReplaceMode="STOP_ON_FAILURE", price=world.price("0.91"))
    said = world.client.cancel_and_replace(**new, cancelOrderId=world.rest()["orderId"])
    equal((said["cancelResult"], said["newOrderResult"]), ("SUCCESS", "SUCCESS"), "results")
    refused(lambda: world.client.cancel_and_replace(**new, cancelOrderId=1), -2022)
    world.clear()


@case("new_oco_order, new_oto_order, new_otoco_order, get_oco_order(s), get_oco_open_orders, cancel_oco_order")
def order_lists(world):
    client, price = world.client, world.price
    pending = {"pendingSide": "SELL", "pendingQuantity": QUANTITY}
    working = {"symbol": SYMBOL, "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": price("0.9"),
               "workingQuantity": QUANTITY, "workingTimeInForce": "GTC", **pending}
    made = [
        (client.new_oco_order, 2, {"symbol": SYMBOL, "side": "SELL", "quantity": QUANTITY, "aboveType": "LIMIT_MAKER",
                                   "abovePrice": price("1.1"), "belowType": "STOP_LOSS", "belowStopPrice": price("0.9")}),
        (client.new_oto_order, 2, working | {"pendingType": "MARKET"}),
        (client.new_otoco_order, 3, working | {"pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": price("1.1"),
                                               "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": price("0.8")}),
    ]
    for call, size, params in made:
        said = call(**params)
        number = said["orderListId"]
        equal((said["listOrderStatus"], len(said["orders"])), ("EXECUTING", size), "list")
        equal(client.get_oco_order(orderListId=number)["orderListId"], number, "queried")
        for listed in (client.get_oco_orders(), client.get_oco_open_orders()):
            assert number in {one["orderListId"] for one in listed}
        equal(client.cancel_oco_order(SYMBOL, orderListId=number)["listOrderStatus"], "ALL_DONE", "cancelled")


@case("get_order_rate_limit, query_prevented_matches, query_allocations")
def counts(world):
    equal({one["interval"] for one in world.client.get_order_rate_limit()}, {"SECOND", "DAY"}, "intervals")
    equal(world.client.query_prevented_matches(SYMBOL, orderId=1), [], "prevented matches")
    equal(world.client.query_allocations(SYMBOL), [], "allocations")


@case("ClientError by code: -2010, -1121, -1013, -2013, -2011, -1022, and the header of the used weight")
def refusals(world):
    client = world.client
    refused(lambda: world.rest(side="SELL", quantity="80", price=world.price("1.05")), -2010)
    refused(lambda: client.depth("NOSUCH"), -1121)
    refused(lambda: world.rest(quantity="0.001001"), -1013)
    refused(lambda: client.get_order(SYMBOL, orderId=1), -2013)
    refused(lambda: client.cancel_order(SYMBOL, orderId=1), -2011)
    refused(Spot(world.config.key("hmac").api_key, "0" * 64, base_url=world.config.rest_url).account, -1022)
    usage = world.made(world.config.key(), show_limit_usage=True).time()["limit_usage"]
    assert int(usage["x-mbx-used-weight-1m"]) >= 1, usage


@case("a client order id with a colon works: this client signs what it sends")
def encoded_value(world):
    order = world.rest(newClientOrderId=f"desk:{int(time.time() * 1000)}")
    equal(world.client.cancel_order(SYMBOL, origClientOrderId=order["clientOrderId"])["orderId"], order["orderId"], "order")


@case("time_unit microsecond: times in microseconds")
def microseconds(world):
    assert world.made(world.config.key(), time_unit="microsecond").time()["serverTime"] > 10**15


@case("every kind of key signs")
def every_key(world):
    for key in world.config.keys:
        client = world.made(key)
        order = client.new_order(**world.limit())
        equal(client.cancel_order(SYMBOL, orderId=order["orderId"])["status"], "CANCELED", key.label)


@case("new_listen_key: refused, as Binance retired it on 2026-02-20")
def listen_key(world):
    raises(ClientError, world.client.new_listen_key)


class Ear:
    """Messages of a client that calls back from its own thread."""

    def __init__(self, make):
        self.messages = queue.Queue()
        self.client = make(lambda _, text: self.messages.put(json.loads(text)), lambda _, error: self.messages.put(error))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.stop()

    def hear(self, is_it, within_s=EVENT_S):
        end = time.monotonic() + within_s
        while True:
            try:
                message = self.messages.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"nothing like it within {within_s} s") from None
            if isinstance(message, Exception):
                raise message
            if is_it(message):
                return message


def streams(world, **more):
    return Ear(lambda on_message, on_error: SpotWebsocketStreamClient(
        stream_url=world.config.ws_url, on_message=on_message, on_error=on_error, **more))


def add_stream(name, subscribe, is_it):
    @case(f"SpotWebsocketStreamClient.{name}: confirmed and heard")
    def check(world):
        with streams(world) as ear:
            subscribe(ear.client)
            said = ear.hear(lambda message: "result" in message)
            equal(said["result"], None, "confirmation")
            world.client.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=QUANTITY)
            ear.hear(is_it)


def of_kind(kind):
    return lambda message: message.get("e") == kind


add_stream("agg_trade", lambda client: client.agg_trade(SYMBOL), of_kind("aggTrade"))
add_stream("trade", lambda client: client.trade(SYMBOL), of_kind("trade"))
add_stream("kline", lambda client: client.kline(SYMBOL, "1m"), of_kind("kline"))
add_stream("mini_ticker", lambda client: client.mini_ticker(symbol=SYMBOL), of_kind("24hrMiniTicker"))
add_stream("ticker", lambda client: client.ticker(symbol=SYMBOL), of_kind("24hrTicker"))
add_stream("rolling_window_ticker", lambda client: client.rolling_window_ticker(SYMBOL, "1h"), of_kind("1hTicker"))
add_stream("book_ticker", lambda client: client.book_ticker(SYMBOL), lambda message: "u" in message and "B" in message)
add_stream("partial_book_depth", lambda client: client.partial_book_depth(SYMBOL, level=5, speed=100),
           lambda message: "lastUpdateId" in message)
add_stream("diff_book_depth", lambda client: client.diff_book_depth(SYMBOL, speed=1000), of_kind("depthUpdate"))


@case("SpotWebsocketStreamClient is_combined, subscribe, list_subscribe, unsubscribe")
def combined(world):
    with streams(world, is_combined=True) as ear:
        ear.client.subscribe(["btcusdt@bookTicker", "ethusdt@bookTicker"], id=1)
        ear.hear(lambda message: message.get("id") == 1)
        ear.hear(lambda message: message.get("stream") in ("btcusdt@bookTicker", "ethusdt@bookTicker"))
        ear.client.list_subscribe(id=2)
        listed = ear.hear(lambda message: message.get("id") == 2)["result"]
        equal(set(listed), {"btcusdt@bookTicker", "ethusdt@bookTicker"}, "subscriptions")
        ear.client.unsubscribe("ethusdt@bookTicker", id=3)
        equal(ear.hear(lambda message: message.get("id") == 3)["result"], None, "confirmation")


def ws_api(world):
    key = world.config.key("hmac")
    return Ear(lambda on_message, on_error: SpotWebsocketAPIClient(
        stream_url=world.config.ws_api_url, api_key=key.api_key, api_secret=key.secret, on_message=on_message,
        on_error=on_error))


def asked(ear, call, *arguments, status=200, **params):
    """Sends one request of the WebSocket API client and gives the answer's result or error."""
    number = f"interop-{time.monotonic_ns()}"
    getattr(ear.client, call)(*arguments, id=number, **params)
    answer = ear.hear(lambda message: message.get("id") == number)
    equal(answer["status"], status, f"status of {call} ({answer.get('error')})")
    return answer["result" if status == 200 else "error"]


@case("SpotWebsocketAPIClient: ping_connectivity, server_time, exchange_info, order_book, klines, ticker_price, ...")
def ws_market(world):
    with ws_api(world) as ear:
        equal(asked(ear, "ping_connectivity"), {}, "ping")
        assert abs(asked(ear, "server_time")["serverTime"] - time.time() * 1000) < 1000
        # This call takes an id for a second filter and refuses it, so it goes without one.
        ear.client.exchange_info(symbol=SYMBOL)
        listed = ear.hear(lambda message: "symbols" in message.get("result", {}))["result"]["symbols"]
        equal([one["symbol"] for one in listed], [SYMBOL], "symbols")
        equal(len(asked(ear, "order_book", symbol=SYMBOL, limit=5)["bids"]), 5, "levels")
        for call in ("recent_trades", "aggregate_trades"):
            equal(len(asked(ear, call, symbol=SYMBOL, limit=5)), 5, call)
        key = world.config.key("hmac").api_key
        equal(len(asked(ear, "historical_trades", symbol=SYMBOL, apiKey=key, limit=5)), 5, "historical trades")
        equal(len(asked(ear, "klines", symbol=SYMBOL, interval="1m", limit=5)), 5, "candles")
        for call in ("avg_price", "ticker_24hr", "ticker_price", "ticker_book"):
            assert asked(ear, call, symbol=SYMBOL), call


@case("SpotWebsocketAPIClient: new_order, get_order, get_open_orders, cancel_order, account, order_history, my_trades")
def ws_orders(world):
    with ws_api(world) as ear:
        order = asked(ear, "new_order", **world.limit(newOrderRespType="RESULT"))
        equal(order["status"], "NEW", "status")
        number = {"symbol": SYMBOL, "orderId": order["orderId"]}
        equal(asked(ear, "get_order", **number)["status"], "NEW", "queried")
        assert order["orderId"] in {one["orderId"] for one in asked(ear, "get_open_orders", symbol=SYMBOL)}
        equal(asked(ear, "cancel_order", **number)["status"], "CANCELED", "cancelled")
        equal(asked(ear, "new_order_test", **world.limit()), {}, "test order")
        assert asked(ear, "account")["canTrade"] is True
        assert order["orderId"] in {one["orderId"] for one in asked(ear, "order_history", symbol=SYMBOL)}
        asked(ear, "my_trades", symbol=SYMBOL)
        equal(asked(ear, "cancel_order", symbol=SYMBOL, orderId=1, status=400)["code"], -2011, "refusal")


@case("SpotWebsocketAPIClient: user_data_start is refused, as Binance retired it on 2026-02-20")
def ws_user_data(world):
    with ws_api(world) as ear:
        assert asked(ear, "user_data_start", status=400)["code"] < 0


if __name__ == "__main__":
    cases.run(World)
