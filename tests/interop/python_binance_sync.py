"""An unmodified python-binance (synchronous client) does on a venue what it does on Binance spot. Usage: see cases.py."""

import time
from decimal import Decimal

import cases
from binance import Client
from binance.exceptions import BinanceAPIException
from cases import case, equal, eventually, raises
from python_binance_common import (OTHER, QUANTITY, QUANTITY_NUMBER, SYMBOL, at, balances, credentials, oco, oto, otoco,
                                   point)


class World:
    def __init__(self, config):
        self.config = config
        point(config)
        self.client = self.made(config.key())
        self.clear()

    def made(self, key, **more):
        return Client(**credentials(key), **more)

    def clear(self):
        try:
            self.client.cancel_all_open_orders(symbol=SYMBOL)
        except BinanceAPIException as error:
            equal(error.code, -2011, "nothing to cancel")

    def price(self, share):
        return at(self.client.get_orderbook_ticker(symbol=SYMBOL)["bidPrice"], share)

    def limit(self, **more):
        return {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": QUANTITY,
                "price": self.price("0.9")} | more

    def rest(self, **more):
        return self.client.create_order(**self.limit(**more))


def refused(call, code, text=""):
    """The refusal that the call must meet, by its code and a part of its message."""
    error = raises(BinanceAPIException, call, text)
    equal(error.code, code, f"code of {error.message!r}")
    return error


@case("Client() pings at once; get_server_time within a second")
def clock(world):
    assert abs(world.client.get_server_time()["serverTime"] - time.time() * 1000) < 1000


@case("get_exchange_info, get_symbol_info: filters, permissions, flags")
def exchange_info(world):
    info = world.client.get_symbol_info(SYMBOL)
    kinds = {one["filterType"] for one in info["filters"]}
    assert {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL", "MAX_NUM_ORDERS"} <= kinds, kinds
    equal((info["status"], info["permissionSets"][0][0], info["isSpotTradingAllowed"]), ("TRADING", "SPOT", True), "symbol")
    assert {SYMBOL, OTHER} <= {one["symbol"] for one in world.client.get_exchange_info()["symbols"]}


@case("get_system_status says normal")
def system_status(world):
    equal(world.client.get_system_status()["status"], 0, "status")


@case("get_all_tickers, get_orderbook_tickers, get_ticker, get_symbol_ticker, get_orderbook_ticker, get_avg_price")
def tickers(world):
    client = world.client
    assert {SYMBOL, OTHER} <= {one["symbol"] for one in client.get_all_tickers()}
    assert {SYMBOL, OTHER} <= {one["symbol"] for one in client.get_orderbook_tickers()}
    day = client.get_ticker(symbol=SYMBOL)
    assert Decimal(day["lowPrice"]) <= Decimal(day["lastPrice"]) <= Decimal(day["highPrice"]), day
    equal(client.get_symbol_ticker(symbol=SYMBOL)["symbol"], SYMBOL, "symbol")
    best = client.get_orderbook_ticker(symbol=SYMBOL)
    assert Decimal(best["bidPrice"]) < Decimal(best["askPrice"]), best
    equal(client.get_avg_price(symbol=SYMBOL)["mins"], 5, "minutes")


@case("get_symbol_ticker_window 1h: a rolling window that starts on a minute")
def ticker_window(world):
    window = world.client.get_symbol_ticker_window(symbol=SYMBOL, windowSize="1h")
    equal(window["openTime"] % 60_000, 0, "open time")
    assert 3_600_000 <= window["closeTime"] - window["openTime"] < 3_660_000, window


@case("get_order_book, get_recent_trades, get_historical_trades, get_aggregate_trades")
def book_and_trades(world):
    client = world.client
    book = client.get_order_book(symbol=SYMBOL, limit=20)
    equal((len(book["bids"]), len(book["asks"])), (20, 20), "levels")
    for trades in (client.get_recent_trades(symbol=SYMBOL, limit=5), client.get_historical_trades(symbol=SYMBOL, limit=5)):
        assert trades and [one["id"] for one in trades] == sorted(one["id"] for one in trades), "trades in order"
    assert client.get_aggregate_trades(symbol=SYMBOL, limit=5)


@case("get_klines, get_ui_klines, get_historical_klines: candles without a gap")
def klines(world):
    candles = world.client.get_klines(symbol=SYMBOL, interval="1m", limit=100)
    assert all(after[0] - before[0] == 60_000 for before, after in zip(candles, candles[1:])), "a gap"
    equal(len(world.client.get_ui_klines(symbol=SYMBOL, interval="1m", limit=5)), 5, "ui candles")
    assert len(world.client.get_historical_klines(SYMBOL, "1m", "2 hours ago UTC")) >= 120


@case("get_account, get_asset_balance, get_trade_fee, get_account_api_permissions")
def account(world):
    said = world.client.get_account()
    equal((said["canTrade"], said["accountType"]), (True, "SPOT"), "account")
    free, locked = balances(said)["USDT"]
    balance = world.client.get_asset_balance(asset="USDT")
    equal((Decimal(balance["free"]), Decimal(balance["locked"])), (free, locked), "USDT")
    equal(Decimal(world.client.get_trade_fee(symbol=SYMBOL)[0]["takerCommission"]), Decimal("0.001"), "fee")
    assert world.client.get_account_api_permissions()["enableSpotAndMarginTrading"] is True


@case("create_order limit GTC: NEW, funds locked; get_order by id and client id; cancel_order: CANCELED, funds freed")
def limit_order(world):
    world.clear()
    free = balances(world.client.get_account())["USDT"][0]
    order = world.rest()
    equal((order["status"], order["executedQty"], order["fills"]), ("NEW", "0.00000000", []), "order")
    after = balances(world.client.get_account())["USDT"]
    equal(free - after[0], Decimal(order["price"]) * QUANTITY_NUMBER, "locked")
    by_id = world.client.get_order(symbol=SYMBOL, orderId=order["orderId"])
    by_name = world.client.get_order(symbol=SYMBOL, origClientOrderId=order["clientOrderId"])
    equal((by_id, by_id["status"], by_id["isWorking"]), (by_name, "NEW", True), "queried")
    gone = world.client.cancel_order(symbol=SYMBOL, orderId=order["orderId"])
    equal((gone["status"], gone["origClientOrderId"]), ("CANCELED", order["clientOrderId"]), "cancelled")
    equal(balances(world.client.get_account())["USDT"][0], free, "freed")


@case("order_market_buy and order_market_sell by quantity: FILLED; balances move by fills and fees exactly")
def market_orders(world):
    for call, sign in ((world.client.order_market_buy, 1), (world.client.order_market_sell, -1)):
        before = balances(world.client.get_account())
        order = call(symbol=SYMBOL, quantity=QUANTITY)
        equal((order["status"], Decimal(order["executedQty"])), ("FILLED", QUANTITY_NUMBER), "order")
        fees = {"BTC": Decimal(0), "USDT": Decimal(0)}
        for fill in order["fills"]:
            fees[fill["commissionAsset"]] += Decimal(fill["commission"])
        after = balances(world.client.get_account())
        moved = {asset: sum(after[asset]) - sum(before[asset]) for asset in ("BTC", "USDT")}
        equal(moved["BTC"], sign * QUANTITY_NUMBER - fees["BTC"], "BTC")
        equal(moved["USDT"], -sign * Decimal(order["cummulativeQuoteQty"]) - fees["USDT"], "USDT")


@case("order_market_buy by quoteOrderQty: spends at most the amount, within one lot")
def market_quote(world):
    order = world.client.order_market_buy(symbol=SYMBOL, quoteOrderQty="500")
    spent = Decimal(order["cummulativeQuoteQty"])
    equal((order["status"], Decimal(order["origQuoteOrderQty"])), ("FILLED", Decimal(500)), "order")
    assert 498 < spent <= 500, spent


@case("create_order IOC and FOK that cannot trade: EXPIRED; LIMIT_MAKER that would trade: -2010")
def other_times(world):
    for times in ("IOC", "FOK"):
        equal(world.rest(timeInForce=times)["status"], "EXPIRED", times)
    maker = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT_MAKER", "quantity": QUANTITY}
    equal(world.client.create_order(**maker, price=world.price("0.9"), newOrderRespType="RESULT")["status"], "NEW", "maker")
    refused(lambda: world.client.create_order(**maker, price=world.price("1.05")), -2010, "immediately match")
    world.clear()


@case("create_order STOP_LOSS, STOP_LOSS_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT, trailingDelta, icebergQty: rest")
def conditional(world):
    low, high = world.price("0.9"), world.price("1.1")
    base = {"symbol": SYMBOL, "side": "SELL", "quantity": QUANTITY}
    orders = [
        {"type": "STOP_LOSS", "stopPrice": low},
        {"type": "STOP_LOSS_LIMIT", "stopPrice": low, "price": low, "timeInForce": "GTC"},
        {"type": "TAKE_PROFIT", "stopPrice": high},
        {"type": "TAKE_PROFIT_LIMIT", "stopPrice": high, "price": high, "timeInForce": "GTC"},
        {"type": "STOP_LOSS", "trailingDelta": 500},
        {"type": "LIMIT", "price": high, "timeInForce": "GTC", "icebergQty": "0.0002"},
    ]
    for order in orders:
        placed = world.client.create_order(**base, **order)
        seen = world.client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
        equal((seen["status"], seen["type"], seen["isWorking"]), ("NEW", order["type"], order["type"] == "LIMIT"), "order")
        for field in ("stopPrice", "icebergQty"):
            if field in order:
                equal(Decimal(seen[field]), Decimal(order[field]), field)
    # Five waiting orders are as many as MAX_NUM_ALGO_ORDERS allows: filters are looked at before triggers.
    refused(lambda: world.client.create_order(**base, type="STOP_LOSS", stopPrice=high), -1013, "MAX_NUM_ALGO_ORDERS")
    world.clear()
    refused(lambda: world.client.create_order(**base, type="STOP_LOSS", stopPrice=high), -2010, "trigger immediately")
    world.clear()


@case("create_test_order: {} and no order is there")
def test_order(world):
    world.clear()
    equal(world.client.create_test_order(**world.limit()), {}, "answer")
    equal(world.client.get_open_orders(symbol=SYMBOL), [], "open orders")


@case("get_open_orders, cancel_all_open_orders, get_all_orders")
def lists(world):
    world.clear()
    ids = {world.rest()["orderId"] for _ in range(3)}
    equal({one["orderId"] for one in world.client.get_open_orders(symbol=SYMBOL)}, ids, "open")
    equal({one["status"] for one in world.client.cancel_all_open_orders(symbol=SYMBOL)}, {"CANCELED"}, "cancelled")
    equal(world.client.get_open_orders(), [], "left")
    assert ids <= {one["orderId"] for one in world.client.get_all_orders(symbol=SYMBOL)}


@case("cancel_replace_order: SUCCESS twice; -2022 when the first is unknown")
def cancel_replace(world):
    order = world.rest()
    new = world.limit(price=world.price("0.91"), cancelReplaceMode="STOP_ON_FAILURE")
    said = world.client.cancel_replace_order(**new, cancelOrderId=order["orderId"])
    equal((said["cancelResult"], said["newOrderResult"]), ("SUCCESS", "SUCCESS"), "results")
    equal(said["cancelResponse"]["orderId"], order["orderId"], "cancelled")
    refused(lambda: world.client.cancel_replace_order(**new, cancelOrderId=1), -2022)
    world.clear()


@case("get_my_trades of an order: its fills; get_current_order_count: ten seconds and a day")
def trades_and_counts(world):
    order = world.client.order_market_buy(symbol=SYMBOL, quantity=QUANTITY)
    trades = eventually(lambda: world.client.get_my_trades(symbol=SYMBOL, orderId=order["orderId"]), "trades")
    equal(sum(Decimal(one["qty"]) for one in trades), QUANTITY_NUMBER, "quantity")
    equal({one["id"] for one in trades}, {fill["tradeId"] for fill in order["fills"]}, "trade ids")
    equal({one["interval"] for one in world.client.get_current_order_count()}, {"SECOND", "DAY"}, "intervals")


@case("create_oco_order, v3_post_order_list_oto and _otoco, v3_get_ and v3_delete_order_list, get_open_oco_orders")
def order_lists(world):
    client = world.client
    for call, params, size in ((client.create_oco_order, oco, 2), (client.v3_post_order_list_oto, oto, 2),
                               (client.v3_post_order_list_otoco, otoco, 3)):
        said = call(**params(world.price))
        equal((said["listOrderStatus"], len(said["orders"])), ("EXECUTING", size), "list")
        number = said["orderListId"]
        assert number in {one["orderListId"] for one in client.get_open_oco_orders()}
        equal(client.v3_get_order_list(orderListId=number)["orderListId"], number, "queried")
        equal(client.v3_delete_order_list(symbol=SYMBOL, orderListId=number)["listOrderStatus"], "ALL_DONE", "cancelled")


@case("refusals by code: -2010 funds, -1121 symbol, -1013 filters, -2013, -2011, -1102, -2014 or -2015, -1022")
def refusals(world):
    client = world.client
    refused(lambda: world.rest(side="SELL", quantity="80", price=world.price("1.05")), -2010, "insufficient balance")
    refused(lambda: client.get_order_book(symbol="NOSUCH"), -1121, "Invalid symbol.")
    refused(lambda: world.rest(price="90000.001"), -1013, "Filter failure: PRICE_FILTER")
    refused(lambda: world.rest(quantity="0.001001"), -1013, "Filter failure: LOT_SIZE")
    refused(lambda: world.rest(quantity="0.00001"), -1013, "Filter failure: NOTIONAL")
    refused(lambda: client.get_order(symbol=SYMBOL, orderId=1), -2013, "Order does not exist.")
    refused(lambda: client.cancel_order(symbol=SYMBOL, orderId=1), -2011, "Unknown order sent.")
    refused(lambda: client.create_order(symbol=SYMBOL, side="BUY", type="LIMIT", quantity=QUANTITY), -1102)
    stranger = Client("x" * 64, "0" * 64)
    assert raises(BinanceAPIException, stranger.get_account).code in (-2014, -2015)
    wrong = Client(world.config.key("hmac").api_key, "0" * 64)
    refused(wrong.get_account, -1022)


@case("-1021 for a clock a minute behind or ahead")
def clock_skew(world):
    for offset in (-70_000, 70_000):
        client = world.made(world.config.key())
        client.timestamp_offset = offset
        refused(client.get_account, -1021)


@case("-1022 for names with a colon: python-binance signs them unencoded")
def unencoded_value(world):
    refused(lambda: world.rest(newClientOrderId=f"desk:{int(time.time())}"), -1022)
    assert world.rest(newClientOrderId=f"desk-{int(time.time())}")["orderId"] > 0
    # In a query the same value goes over the wire as it was signed, not percent-encoded either.
    refused(lambda: world.client.get_order(symbol=SYMBOL, origClientOrderId="desk:none"), -1022)
    world.clear()


@case("time_unit MICROSECOND: times in microseconds")
def microseconds(world):
    client = world.made(world.config.key(), time_unit="MICROSECOND")
    assert client.get_server_time()["serverTime"] > 10**15


@case("every kind of key signs: get_account, create_order, cancel_order")
def every_key(world):
    for key in world.config.keys:
        client = world.made(key)
        assert client.get_account()["canTrade"] is True, key.label
        order = client.create_order(**world.limit())
        equal(client.cancel_order(symbol=SYMBOL, orderId=order["orderId"])["status"], "CANCELED", key.label)


@case("stream_get_listen_key: refused, as Binance retired it on 2026-02-20")
def listen_key(world):
    raises(BinanceAPIException, world.client.stream_get_listen_key)


@case("ws_create_order, ws_get_order, ws_cancel_order of the synchronous client")
def ws_order(world):
    order = world.client.ws_create_order(**world.limit())
    equal(world.client.ws_get_order(symbol=SYMBOL, orderId=order["orderId"])["status"], "NEW", "status")
    equal(world.client.ws_cancel_order(symbol=SYMBOL, orderId=order["orderId"])["status"], "CANCELED", "status")


if __name__ == "__main__":
    cases.run(World)
