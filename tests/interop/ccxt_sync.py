"""An unmodified ccxt (Python, synchronous) does on a venue what it does on Binance spot. Usage: see cases.py."""

import time
from decimal import Decimal

import cases
import ccxt
from cases import case, decimal, equal, eventually, raises
from ccxt_common import AMOUNT, OTHER, SYMBOL, point, settings, total

AMOUNT_TEXT = Decimal("0.001")
PASSIVE = 0.9


class World:
    """One client with the first key and the spot markets; the default markets have a case of their own."""

    def __init__(self, config):
        self.config = config
        self.client = self.made(config.key(), options={"fetchMarkets": {"types": ["spot"]}})
        self.client.load_markets()
        self.clear()

    def made(self, key, **more):
        return point(ccxt.binance({**settings(self.config, key), **more}), self.config)

    def clear(self):
        for symbol in (SYMBOL, OTHER):
            try:
                self.client.cancel_all_orders(symbol)
            except ccxt.OrderNotFound:
                pass

    def price(self, share):
        return float(self.client.price_to_precision(SYMBOL, self.client.fetch_bids_asks([SYMBOL])[SYMBOL]["bid"] * share))

    def rest(self, share=PASSIVE, amount=AMOUNT, side="buy", **params):
        return self.client.create_order(SYMBOL, "limit", side, amount, self.price(share), params)


@case("load_markets with a key and default options: both symbols, spot, active, with limits and precision")
def load_markets(world):
    client = world.made(world.config.key())
    markets = client.load_markets()
    assert {SYMBOL, OTHER} <= set(markets), sorted(markets)
    market = markets[SYMBOL]
    equal((market["id"], market["spot"], market["active"], market["swap"]), ("BTCUSDT", True, True, False), "market")
    assert market["precision"]["price"] > 0 and market["precision"]["amount"] > 0, market["precision"]
    assert market["limits"]["cost"]["min"] > 0 and market["limits"]["amount"]["max"] > 0, market["limits"]
    wanted = {"LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"}
    equal(set(market["info"]["orderTypes"]), wanted, "order types")
    assert [kind for kind in markets.values() if kind["contract"]] == [], "futures hosts list no market"


@case("fetch_currencies: the account's coins, none to be withdrawn")
def fetch_currencies(world):
    coins = world.client.fetch_currencies()
    assert {"BTC", "USDT"} <= set(coins), sorted(coins)


@case("fetch_time within a second of this machine's clock")
def fetch_time(world):
    assert abs(world.client.fetch_time() - time.time() * 1000) < 1000


@case("fetch_status says ok")
def fetch_status(world):
    equal(world.client.fetch_status()["status"], "ok", "status")


@case("fetch_trading_fee and fetch_trading_fees: maker and taker")
def fetch_trading_fee(world):
    fee = world.client.fetch_trading_fee(SYMBOL)
    equal((decimal(fee["maker"]), decimal(fee["taker"])), (Decimal("0.001"), Decimal("0.001")), "fees")
    assert SYMBOL in world.client.fetch_trading_fees()


@case("private_get_account_commission: standard commission as text")
def commission(world):
    said = world.client.private_get_account_commission({"symbol": "BTCUSDT"})
    equal(Decimal(said["standardCommission"]["taker"]), Decimal("0.001"), "taker")


@case("fetch_balance: free plus used is total for every coin")
def fetch_balance(world):
    balance = world.client.fetch_balance()
    for code in ("BTC", "USDT"):
        equal(decimal(balance[code]["free"]) + decimal(balance[code]["used"]), total(balance, code), code)
    assert balance["info"]["canTrade"] is True


@case("fetch_ticker, fetch_tickers, fetch_bids_asks, fetch_last_prices: bid below ask, last positive")
def tickers(world):
    ticker = world.client.fetch_ticker(SYMBOL)
    assert 0 < ticker["bid"] < ticker["ask"] and ticker["last"] > 0, ticker
    assert {SYMBOL, OTHER} <= set(world.client.fetch_tickers())
    equal(set(world.client.fetch_tickers([SYMBOL, OTHER])), {SYMBOL, OTHER}, "two tickers")
    best = world.client.fetch_bids_asks([SYMBOL])[SYMBOL]
    assert best["bid"] < best["ask"], best
    assert world.client.fetch_last_prices([SYMBOL])[SYMBOL]["price"] > 0


@case("fetch_order_book: 20 levels a side, sorted, not crossed")
def order_book(world):
    book = world.client.fetch_order_book(SYMBOL, 20)
    bids, asks = [level[0] for level in book["bids"]], [level[0] for level in book["asks"]]
    equal((len(bids), len(asks)), (20, 20), "levels")
    assert bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0]
    assert book["nonce"] > 0


@case("fetch_trades (aggTrades): ascending, with price, amount, side")
def fetch_trades(world):
    trades = world.client.fetch_trades(SYMBOL, limit=50)
    assert trades and [trade["timestamp"] for trade in trades] == sorted(trade["timestamp"] for trade in trades)
    assert all(trade["price"] > 0 and trade["amount"] > 0 and trade["side"] in ("buy", "sell") for trade in trades)


@case("fetch_trades by method publicGetTrades and publicGetHistoricalTrades")
def fetch_trades_otherwise(world):
    for method in ("publicGetTrades", "publicGetHistoricalTrades"):
        assert world.client.fetch_trades(SYMBOL, limit=5, params={"fetchTradesMethod": method}), method


@case("fetch_ohlcv 1m: 200 consecutive candles, high not below low; 1h, 1d too")
def fetch_ohlcv(world):
    candles = world.client.fetch_ohlcv(SYMBOL, "1m", limit=200)
    equal(len(candles), 200, "candles")
    assert all(after[0] - before[0] == 60_000 for before, after in zip(candles, candles[1:])), "a gap"
    assert all(low <= min(opened, closed) and max(opened, closed) <= high for _, opened, high, low, closed, _ in candles)
    for frame in ("1h", "1d"):
        assert world.client.fetch_ohlcv(SYMBOL, frame, limit=2), frame


@case("create_order limit GTC rests: open, nothing filled, funds locked; cancel_order frees them")
def limit_rests(world):
    world.clear()
    before = world.client.fetch_balance()
    order = world.rest()
    equal((order["status"], order["filled"], order["side"], order["type"]), ("open", 0.0, "buy", "limit"), "order")
    cost = decimal(order["price"]) * AMOUNT_TEXT
    after = world.client.fetch_balance()
    equal(decimal(after["USDT"]["used"]) - decimal(before["USDT"]["used"]), cost, "locked USDT")
    equal(total(after, "USDT"), total(before, "USDT"), "total USDT")
    gone = world.client.cancel_order(order["id"], SYMBOL)
    equal((gone["id"], gone["status"]), (order["id"], "canceled"), "cancelled")
    equal(world.client.fetch_balance()["USDT"]["used"], before["USDT"]["used"], "freed")


@case("create_order market by base amount: closed, filled, the fee is taken from what was bought")
def market_base(world):
    before = world.client.fetch_balance()
    order = world.client.create_order(SYMBOL, "market", "buy", AMOUNT)
    equal((order["status"], decimal(order["filled"])), ("closed", AMOUNT_TEXT), "order")
    fee = sum(decimal(trade["fee"]["cost"]) for trade in order["trades"])
    equal({trade["fee"]["currency"] for trade in order["trades"]}, {"BTC"}, "fee currency")
    equal(fee, AMOUNT_TEXT * Decimal("0.001"), "fee")
    after = world.client.fetch_balance()
    equal(total(after, "BTC") - total(before, "BTC"), AMOUNT_TEXT - fee, "BTC")
    equal(total(before, "USDT") - total(after, "USDT"), decimal(order["cost"]), "USDT")


@case("create_market_buy_order_with_cost: spends at most the cost, within one lot")
def market_quote(world):
    order = world.client.create_market_buy_order_with_cost(SYMBOL, 500)
    cost = decimal(order["cost"])
    equal(order["status"], "closed", "status")
    assert Decimal(500) - decimal(order["average"]) * Decimal("0.00001") <= cost <= 500, cost


@case("create_order limit IOC that cannot trade: expired, nothing filled")
def limit_ioc(world):
    order = world.rest(timeInForce="IOC")
    equal((order["status"], order["filled"]), ("expired", 0.0), "order")


@case("create_order limit FOK: expired when too large, closed when it fits")
def limit_fok(world):
    # More than the book offers within half a percent, less than the account can pay.
    ask = world.client.fetch_bids_asks([SYMBOL])[SYMBOL]["ask"]
    small = world.client.create_order(SYMBOL, "limit", "buy", AMOUNT, world.price(1.005), {"timeInForce": "FOK"})
    equal((small["status"], decimal(small["filled"])), ("closed", AMOUNT_TEXT), "small")
    book = world.client.fetch_order_book(SYMBOL, 5)
    at_best = world.client.create_order(SYMBOL, "limit", "buy", float(world.client.amount_to_precision(
        SYMBOL, book["asks"][0][1] + 0.3)), float(world.client.price_to_precision(SYMBOL, ask)), {"timeInForce": "FOK"})
    equal((at_best["status"], at_best["filled"]), ("expired", 0.0), "too large")


@case("create_order postOnly: rests below the market, OrderImmediatelyFillable above it")
def post_only(world):
    order = world.rest(postOnly=True)
    equal((order["status"], order["postOnly"]), ("open", True), "order")
    raises(ccxt.OrderImmediatelyFillable, lambda: world.rest(1.01, postOnly=True), "immediately match")
    world.clear()


def conditional(world, order_type, side, limit_share, **params):
    price = world.price(limit_share) if limit_share else None
    order = world.client.create_order(SYMBOL, order_type, side, AMOUNT, price, params)
    return world.client.fetch_order(order["id"], SYMBOL)


@case("create_order stopLossPrice market and limit: rest untriggered with their stop price")
def stop_loss(world):
    stop = world.price(0.8)
    order = conditional(world, "market", "sell", None, stopLossPrice=stop)
    equal((order["status"], order["info"]["type"], order["triggerPrice"]), ("open", "STOP_LOSS", stop), "stop loss")
    order = conditional(world, "limit", "sell", 0.79, stopLossPrice=stop)
    equal((order["status"], order["info"]["type"], order["info"]["isWorking"]), ("open", "STOP_LOSS_LIMIT", False), "limit")
    world.clear()


@case("create_order takeProfitPrice market and limit: rest untriggered with their stop price")
def take_profit(world):
    stop = world.price(1.2)
    order = conditional(world, "market", "sell", None, takeProfitPrice=stop)
    equal((order["status"], order["info"]["type"], order["triggerPrice"]), ("open", "TAKE_PROFIT", stop), "take profit")
    order = conditional(world, "limit", "sell", 1.21, takeProfitPrice=stop)
    equal((order["info"]["type"], decimal(order["price"]) > 0), ("TAKE_PROFIT_LIMIT", True), "limit")
    world.clear()


@case("create_order stopLossPrice on the wrong side of the market: OrderImmediatelyFillable")
def stop_triggers_at_once(world):
    raises(ccxt.OrderImmediatelyFillable, lambda: conditional(world, "market", "sell", None, stopLossPrice=world.price(1.1)),
           "trigger immediately")


@case("create_order trailingDelta: a trailing stop rests with its delta")
def trailing(world):
    order = conditional(world, "STOP_LOSS", "sell", None, trailingDelta=500)
    equal((order["status"], int(order["info"]["trailingDelta"])), ("open", 500), "trailing stop")
    order = conditional(world, "STOP_LOSS_LIMIT", "sell", 0.8, trailingDelta=500, timeInForce="GTC")
    equal((order["status"], order["info"]["type"]), ("open", "STOP_LOSS_LIMIT"), "trailing limit")
    world.clear()


@case("a STOP_LOSS buy just above the market is triggered by trades and fills")
def stop_fills(world):
    world.clear()
    ticker = world.client.fetch_ticker(SYMBOL)
    stop = float(world.client.price_to_precision(SYMBOL, max(ticker["last"], ticker["ask"]) + 1))
    order = world.client.create_order(SYMBOL, "market", "buy", AMOUNT, None, {"stopLossPrice": stop})
    bought = 0
    for _ in range(5):
        asks = world.client.fetch_order_book(SYMBOL, 20)["asks"]
        # All that is offered below the stop, and the first lot at or above it.
        wanted = sum(size for price, size in asks if price < stop) + AMOUNT
        amount = float(world.client.amount_to_precision(SYMBOL, wanted))
        bought += world.client.create_order(SYMBOL, "market", "buy", amount)["filled"]
        seen = world.client.fetch_order(order["id"], SYMBOL)
        if seen["status"] == "closed":
            break
    world.client.create_order(SYMBOL, "market", "sell", float(world.client.amount_to_precision(SYMBOL, bought * 0.99)))
    equal((seen["status"], decimal(seen["filled"])), ("closed", AMOUNT_TEXT), "triggered stop")


@case("create_order icebergQty: rests with its visible part")
def iceberg(world):
    order = world.rest(side="sell", share=1.1, icebergQty="0.0002")
    seen = world.client.fetch_order(order["id"], SYMBOL)
    equal((seen["status"], Decimal(seen["info"]["icebergQty"])), ("open", Decimal("0.0002")), "iceberg")
    world.clear()


@case("create_order test: accepted, but no order is there")
def test_order(world):
    before = {order["id"] for order in world.client.fetch_open_orders(SYMBOL)}
    world.rest(test=True)
    equal({order["id"] for order in world.client.fetch_open_orders(SYMBOL)}, before, "open orders")


@case("fetch_order by id and by clientOrderId: the same order; a client id with a colon works")
def fetch_order(world):
    name = f"interop:{int(time.time() * 1000)}"
    order = world.rest(newClientOrderId=name)
    by_id = world.client.fetch_order(order["id"], SYMBOL)
    by_name = world.client.fetch_order(None, SYMBOL, {"origClientOrderId": name})
    equal((by_id["clientOrderId"], by_name["id"]), (name, order["id"]), "ids")
    world.client.cancel_order(None, SYMBOL, {"origClientOrderId": name})
    equal(world.client.fetch_order(order["id"], SYMBOL)["status"], "canceled", "status")


@case("fetch_open_orders of one symbol and of all; cancel_all_orders empties")
def open_orders(world):
    world.clear()
    ids = {world.rest()["id"] for _ in range(3)}
    equal({order["id"] for order in world.client.fetch_open_orders(SYMBOL)}, ids, "open")
    world.client.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    equal({order["id"] for order in world.client.fetch_open_orders()}, ids, "open in all symbols")
    world.client.cancel_all_orders(SYMBOL)
    equal(world.client.fetch_open_orders(SYMBOL), [], "left")


@case("fetch_orders, fetch_closed_orders, fetch_canceled_orders: the day's orders by state")
def history(world):
    gone = world.rest()["id"]
    world.client.cancel_order(gone, SYMBOL)
    done = world.client.create_order(SYMBOL, "market", "buy", AMOUNT)["id"]
    listed = {order["id"]: order["status"] for order in world.client.fetch_orders(SYMBOL)}
    equal((listed[gone], listed[done]), ("canceled", "closed"), "orders")
    assert done in {order["id"] for order in world.client.fetch_closed_orders(SYMBOL)}
    assert gone in {order["id"] for order in world.client.fetch_canceled_orders(SYMBOL)}


@case("fetch_my_trades and fetch_order_trades: amounts, fee and order id of the fills")
def my_trades(world):
    order = world.client.create_order(SYMBOL, "market", "buy", AMOUNT)
    trades = eventually(lambda: world.client.fetch_order_trades(order["id"], SYMBOL), "the order's trades")
    equal(sum(decimal(trade["amount"]) for trade in trades), AMOUNT_TEXT, "amount")
    equal({(trade["takerOrMaker"], trade["fee"]["currency"]) for trade in trades}, {("taker", "BTC")}, "trades")
    assert order["id"] in {trade["order"] for trade in world.client.fetch_my_trades(SYMBOL, limit=10)}


@case("edit_order (cancelReplace): a new id at the new price, the old one cancelled")
def edit_order(world):
    order = world.rest()
    price = world.price(0.91)
    edited = world.client.edit_order(order["id"], SYMBOL, "limit", "buy", AMOUNT, price)
    assert edited["id"] != order["id"]
    equal((edited["price"], edited["status"]), (price, "open"), "edited")
    equal(world.client.fetch_order(order["id"], SYMBOL)["status"], "canceled", "old order")
    world.clear()


@case("private_post_orderlist_oco, oto, otoco; private_delete_orderlist: list status and its orders")
def order_lists(world):
    text = lambda share: str(world.price(share))  # noqa: E731
    working = {"symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": text(0.9),
               "workingQuantity": "0.001", "workingTimeInForce": "GTC", "pendingSide": "SELL", "pendingQuantity": "0.001"}
    lists = [
        (world.client.private_post_orderlist_oco, 2, {
            "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.001", "aboveType": "LIMIT_MAKER", "abovePrice": text(1.1),
            "belowType": "STOP_LOSS", "belowStopPrice": text(0.9)}),
        (world.client.private_post_orderlist_oto, 2, working | {"pendingType": "MARKET"}),
        (world.client.private_post_orderlist_otoco, 3, working | {
            "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": text(1.1), "pendingBelowType": "STOP_LOSS",
            "pendingBelowStopPrice": text(0.8)}),
    ]
    for call, size, params in lists:
        said = call(params)
        equal((said["listOrderStatus"], len(said["orders"])), ("EXECUTING", size), "list")
        gone = world.client.private_delete_orderlist({"symbol": "BTCUSDT", "orderListId": said["orderListId"]})
        equal(gone["listOrderStatus"], "ALL_DONE", "cancelled list")


@case("selfTradePreventionMode EXPIRE_TAKER: the seller expires instead of trading with the own buy")
def self_trade(world):
    own = taker = None
    for _ in range(5):
        world.clear()
        ask = world.client.fetch_bids_asks([SYMBOL])[SYMBOL]["ask"]
        price = float(world.client.price_to_precision(SYMBOL, ask - 0.01))
        try:
            own = world.client.create_order(SYMBOL, "limit", "buy", AMOUNT, price, {"postOnly": True})
        except ccxt.OrderImmediatelyFillable:
            # The market came down between the look and the order.
            continue
        taker = world.client.create_order(SYMBOL, "limit", "sell", AMOUNT, price, {
            "timeInForce": "IOC", "selfTradePreventionMode": "EXPIRE_TAKER"})
        own = world.client.fetch_order(own["id"], SYMBOL)
        # Others trade meanwhile: a buy that they took says nothing of the rule.
        if taker["info"]["status"] == "EXPIRED_IN_MATCH" and own["status"] == "open":
            break
    assert own and taker, "the market met every bid before it could rest"
    equal((taker["info"]["status"], taker["filled"]), ("EXPIRED_IN_MATCH", 0.0), "seller")
    equal((own["status"], own["filled"]), ("open", 0.0), "own buy")
    world.clear()


@case("InsufficientFunds, BadSymbol, InvalidOrder for filters, OrderNotFound: each error as on Binance")
def errors(world):
    client = world.client
    raises(ccxt.InsufficientFunds, lambda: client.create_order(SYMBOL, "limit", "sell", 80, world.price(1.01)),
           "insufficient balance")
    raises(ccxt.BadSymbol, lambda: client.public_get_depth({"symbol": "NOSUCH"}), "Invalid symbol")
    raises(ccxt.OrderNotFound, lambda: client.fetch_order("1", SYMBOL), "does not exist")
    raises(ccxt.OrderNotFound, lambda: client.cancel_order("1", SYMBOL), "Unknown order")
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001",
             "price": str(world.price(0.9))}
    # ccxt knows two filters by name and calls the others a bad request.
    for change, kind, name in (({"price": "90000.001"}, ccxt.InvalidOrder, "PRICE_FILTER"),
                               ({"quantity": "0.001001"}, ccxt.InvalidOrder, "LOT_SIZE"),
                               ({"quantity": "0.00001"}, ccxt.BadRequest, "NOTIONAL")):
        raises(kind, lambda: client.private_post_order(order | change), "-1013", f"Filter failure: {name}")


@case("AuthenticationError for a wrong secret (-1022) and for an unknown key (-2015 or -2014)")
def wrong_key(world):
    client = world.made(world.config.key("hmac"), secret="0" * 64)
    raises(ccxt.AuthenticationError, lambda: client.private_get_account(), "-1022")
    client = world.made(world.config.key("hmac"), apiKey="x" * 64)
    raises(ccxt.AuthenticationError, lambda: client.private_get_account(), "-201")


@case("InvalidNonce for a timestamp before the recvWindow and for one ahead (-1021)")
def wrong_time(world):
    for shift_ms in (-60_000, 60_000):
        client = world.made(world.config.key())
        client.options["timeDifference"] = -shift_ms
        client.nonce = lambda: client.milliseconds() + shift_ms  # noqa: B023  called at once
        raises(ccxt.InvalidNonce, lambda: client.private_get_account(), "-1021")


@case("private_get_ratelimit_order: counts for ten seconds and a day; an order that rests is counted")
def order_counts(world):
    world.rest()
    counts = {(count["interval"], count["intervalNum"]): count for count in world.client.private_get_ratelimit_order()}
    equal({(name, int(number)) for name, number in counts}, {("SECOND", 10), ("DAY", 1)}, "intervals")
    assert int(counts[next(key for key in counts if key[0] == "DAY")]["count"]) >= 1
    world.clear()


@case("every kind of key signs: fetch_balance, create and cancel an order")
def every_key(world):
    for key in world.config.keys:
        client = world.made(key, options={"fetchMarkets": {"types": ["spot"]}})
        assert total(client.fetch_balance(), "USDT") > 0, key.label
        order = client.create_order(SYMBOL, "limit", "buy", AMOUNT, world.price(0.9))
        equal(client.cancel_order(order["id"], SYMBOL)["status"], "canceled", key.label)


if __name__ == "__main__":
    cases.run(World, lambda world: world.clear())
