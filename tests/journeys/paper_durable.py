"""`strongroom paper` is killed in the middle of trading, again and again: nothing that was acknowledged is lost."""
import random, threading
from decimal import Decimal
from paper_venue import *

venue = Venue(f"{WORK}/venue", "--seed", 11)
venue.administer("fault", "clear")

say("killed while two clients place and cancel: every acknowledged order is there, with its fills")
chance = random.Random(5)
known, cancelled, lock = {}, set(), threading.Lock()


def trade(stop, number):
    """Places and cancels until the venue is gone; only what was answered is written down."""
    count = 0
    while not stop.is_set():
        count += 1
        name = f"k{stop.round}-{number}-{count}"
        kind = chance.choice(["market", "rest", "rest"])
        try:
            bid = Decimal(venue.ask("GET", "/api/v3/ticker/bookTicker", signed=False, symbol="BTCUSDT")["bidPrice"])
            if kind == "market":
                sent = dict(side=chance.choice(["BUY", "SELL"]), type="MARKET", quantity="0.001")
            else:
                price = (bid * Decimal("0.9")).quantize(Decimal("0.01"))
                sent = dict(side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.001", price=str(price))
            order = venue.ask("POST", "/api/v3/order", symbol="BTCUSDT", newClientOrderId=name, newOrderRespType="FULL", **sent)
            with lock:
                known[name] = order
            if kind == "rest" and chance.random() < 0.5:
                venue.ask("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=name)
                with lock:
                    cancelled.add(name)
        except (urllib.error.URLError, ConnectionError, OSError, json.JSONDecodeError, http.client.HTTPException):
            if not stop.is_set() and venue.process.poll() is None and not stop.dying.is_set():
                time.sleep(0.05)


import http.client  # noqa: E402

for round_ in range(6):
    stop = threading.Event()
    stop.round, stop.dying = round_, threading.Event()
    clients = [threading.Thread(target=trade, args=(stop, number)) for number in range(2)]
    [client.start() for client in clients]
    time.sleep(chance.uniform(0.4, 1.2))
    stop.dying.set()
    venue.kill()
    stop.set()
    [client.join() for client in clients]
    venue.start()
    orders = {order["clientOrderId"]: order for order in venue.ask("GET", "/api/v3/allOrders", symbol="BTCUSDT", limit=1000)}
    trades = venue.ask("GET", "/api/v3/myTrades", symbol="BTCUSDT", limit=1000)
    for name, told in known.items():
        kept = orders.get(name)
        assert kept and kept["orderId"] == told["orderId"], (name, told, kept)
        assert Decimal(kept["executedQty"]) >= Decimal(told["executedQty"]), (told, kept)
        if told["status"] == "FILLED":
            assert kept["status"] == "FILLED" and kept["cummulativeQuoteQty"] == told["cummulativeQuoteQty"], (told, kept)
            mine = {trade["id"] for trade in trades if trade["orderId"] == told["orderId"]}
            assert {fill["tradeId"] for fill in told["fills"]} == mine, (told["fills"], mine)
        if name in cancelled:
            assert kept["status"] == "CANCELED", kept
    # What is locked is exactly what open orders hold, and what was traded moved the money.
    held = venue.balances()
    locked = sum(Decimal(order["price"]) * (Decimal(order["origQty"]) - Decimal(order["executedQty"]))
                 for order in venue.ask("GET", "/api/v3/openOrders", symbol="BTCUSDT"))
    assert held["USDT"][1] == locked, (held, locked)
    quote = sum((-1 if trade["isBuyer"] else 1) * Decimal(trade["quoteQty"]) - (0 if trade["isBuyer"] else Decimal(trade["commission"])) for trade in trades)
    base = sum((1 if trade["isBuyer"] else -1) * Decimal(trade["qty"]) - (Decimal(trade["commission"]) if trade["isBuyer"] else 0) for trade in trades)
    assert sum(held["USDT"]) == Decimal(100000) + quote, (held, quote)
    assert sum(held["BTC"]) == Decimal(1) + base, (held, base)
say(f"  {len(known)} acknowledged orders over six kills, {len(cancelled)} of them cancelled")
ids = [order["orderId"] for order in known.values()]
assert len(set(ids)) == len(ids), "a number is given once, restarts or not"

say("an order that rested goes on: it can be cancelled after the restart")
resting = next((name for name, order in known.items() if order["status"] == "NEW" and name not in cancelled), None)
assert resting and venue.ask("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=resting)["status"] == "CANCELED"

say("a journal that was damaged is named, and nothing is opened")
venue.process.terminate()
assert venue.process.wait(15) == 0
journal = f"{WORK}/venue/journal"
whole = open(journal, "rb").read()
with open(journal, "r+b") as file:
    file.seek(len(whole) // 2)
    file.write(b"\x00\x00\x00")
done = subprocess.run([f"{BIN}/strongroom", "paper", "--data-dir", f"{WORK}/venue"], capture_output=True, text=True, timeout=20)
assert done.returncode == 1 and "damaged in line" in done.stderr and "Nothing was changed" in done.stderr, done
open(journal, "wb").write(whole[:-7])
venue.start()
# The torn change is gone as a whole: the order is open and holds its money, or neither.
order, held = venue.ask("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=resting), venue.balances()
locked = sum(Decimal(order["price"]) * Decimal(order["origQty"]) for order in venue.ask("GET", "/api/v3/openOrders", symbol="BTCUSDT"))
assert order["status"] in ("CANCELED", "NEW") and held["USDT"][1] == locked, (order, held, locked)

say("accounts, keys and balances are administered, and outlive a restart")
venue.administer("account", "open", "two", "USDT=500")
made = venue.administer("key", "make", "bot", "--account", "two")["of"]
secret = open(made["secret_file"]).read().strip().encode()
as_bot = dict(api_key=made["api_key"], secret=secret)
assert os.stat(made["secret_file"]).st_mode & 0o777 == 0o600
order = venue.ask("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quoteOrderQty="100", **as_bot)
assert order["status"] == "FILLED"
venue.kill()
venue.start()
account = venue.ask("GET", "/api/v3/account", omitZeroBalances="true", **as_bot)
held = {row["asset"]: Decimal(row["free"]) for row in account["balances"]}
assert held["USDT"] == 500 - Decimal(order["cummulativeQuoteQty"]) and 0 < held["BTC"] < Decimal(order["executedQty"]), (held, order)
venue.administer("account", "set", "two", "USDT=42")
assert {row["asset"]: row["free"] for row in venue.ask("GET", "/api/v3/account", **as_bot)["balances"]}["USDT"] == "42.00000000"
venue.administer("key", "limit", made["api_key"], "--read-only")
assert venue.refused("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quoteOrderQty="10", **as_bot) == (401, -2015)
venue.administer("key", "limit", made["api_key"], "--ip", "127.0.0.9")
assert venue.refused("GET", "/api/v3/account", **as_bot) == (401, -2015), "it may not come from here"
venue.administer("key", "revoke", made["api_key"])
assert venue.refused("GET", "/api/v3/account", **as_bot) == (401, -2015) and not os.path.exists(made["secret_file"])
venue.administer("account", "reset", "main")
assert venue.balances()["USDT"] == (Decimal(100000), Decimal(0)), venue.balances()
assert venue.ask("GET", "/api/v3/openOrders") == [], venue.ask("GET", "/api/v3/openOrders")[:2]

say("faults: each as it was asked for, and none when they are cleared")
buy = dict(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001")
target = ("--method", "POST", "--path", "/api/v3/order")
venue.administer("fault", "request", '{"timeout":{"was_executed":true}}', *target)
assert venue.refused("POST", "/api/v3/order", newClientOrderId="unknown", **buy) == (504, -1007)
assert venue.ask("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="unknown")["status"] == "FILLED"
venue.administer("fault", "request", '{"timeout":{"was_executed":false}}', *target)
assert venue.refused("POST", "/api/v3/order", newClientOrderId="never", **buy) == (504, -1007)
assert venue.refused("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="never") == (400, -2013)
venue.administer("fault", "request", '{"unexpected":{"was_executed":false}}', *target)
assert venue.refused("POST", "/api/v3/order", **buy) == (500, -1006)
venue.administer("fault", "request", '{"rate_limited":{"status":418,"retry_after_s":120}}')
assert venue.refused("GET", "/api/v3/account") == (418, -1003)
begin = time.monotonic()
venue.administer("fault", "request", '{"jitter":{"min_ms":300,"max_ms":400}}')
venue.ask("GET", "/api/v3/account")
assert time.monotonic() - begin > 0.3
venue.administer("market", "BTCUSDT", "halt")
assert venue.refused("POST", "/api/v3/order", **buy)[1] in (-1013, -2010)
venue.administer("market", "BTCUSDT", "trading")
assert venue.ask("POST", "/api/v3/order", **buy)["status"] == "FILLED"
venue.administer("fault", "maintenance")
assert venue.refused("GET", "/api/v3/time", signed=False) == (503, -1016)
venue.administer("fault", "clock", "--", "-90000")
venue.administer("fault", "clear")
assert venue.administer("fault", "pending") == {"tell": "pending", "of": 0}
venue.administer("fault", "clock", "90000")
assert venue.refused("GET", "/api/v3/account") == (400, -1021)
venue.administer("fault", "clear")
venue.administer("fault", "certificate", "expired")
try:
    venue.ask("GET", "/api/v3/time", signed=False)
    raise AssertionError("an expired certificate was accepted")
except urllib.error.URLError as error:
    assert "expired" in str(error), error
scenario = f"{WORK}/outage.jsonl"
open(scenario, "w").write('{"do":"show_certificate","certificate":"own"}\n{"after_ms":200,"do":"maintain","is_closed":true}\n{"after_ms":200,"do":"clear_faults"}\n')
venue.administer("scenario", scenario)
assert venue.ask("GET", "/api/v3/time", signed=False)["serverTime"] > 0
venue.process.terminate()
assert venue.process.wait(15) == 0
