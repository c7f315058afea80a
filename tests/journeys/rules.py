"""Rules of the desk for one order: what they refuse, and what passes for a reason, with a code, or by risk."""
from limits import *

say("an own order is not met")
mine = does(*resting())["client_order_id"]
told = fails(1, "self-trade", "order", "place", "BTCUSDT", "sell", "--market", "--quantity", "0.01")
assert mine in told, told

say("numbers of any size are answered, and the signer is there afterwards")
for numbers in [("--limit", "999999999999999999", "--quantity", "20"), ("--limit", "999999999999999999", "--quantity", "999999999999999999")]:
    code, told = cli("order", "place", "ETHUSDT", "sell", *numbers)
    assert code == 1 and told["error"]["code"] in ("max-notional", "max-quantity", "price-band", "filter"), told
assert state() == "unlocked"
assert does("order", "cancel", mine)["fate"] == "canceled"

say("too many orders; a rule that asks, and one that only notes")
does(*resting())
tightens(desk={"open_orders_max": 1})
assert "1 orders are open, and 1 may be" in fails(1, "open-orders", *resting())
loosens(desk={"modes": {"open-orders": "ask"}})
told = fails(5, "reason-needed", *resting())
assert "1 orders are open" in told, told
fails(1, "reason", *resting("--reason", "a\nb"))
assert does(*resting("--reason", "the second leg"))["fate"] == "working"
[passed] = entries("rule-passed")
assert (passed["because"], passed["rule"], passed["why"]) == ("asked", "open-orders", "the second leg"), passed

loosens(desk={"modes": {"open-orders": "shadow"}})
assert does(*resting())["fate"] == "working", "noted, and not stopped"
noted = entries("rule-passed")[-1]
assert (noted["because"], noted["rule"], noted["why"]) == ("shadow", "open-orders", None) and "3 orders are open" not in noted["what"], noted
assert "2 orders are open" in noted["what"], noted

say("every rule that says no is named, with what would pass")
tightens(desk={"modes": {}, "restricted": ["BTCUSDT"]})
code, told = cli("order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 1.2), "--quantity", "0.01")
unmet = {rule["rule"]: rule for rule in told["error"]["unmet"]}
assert code == 1 and {"restricted", "price-collar", "open-orders"} <= set(unmet), told
assert all(unmet[rule][part] for rule in unmet for part in ("by", "value", "limit", "passes")), unmet
assert entries("order-refused")[-1]["unmet"] == told["error"]["unmet"]

say("a price is compared with the best of the last ten minutes, too; nobody buys at less than the middle of the book")
tightens(desk={"drift_bps": 0})
code, told = cli(*buy("0.01"))
unmet = {rule["rule"]: rule for rule in told["error"]["unmet"]}
assert code == 1 and "the best mark of 10 minutes" in unmet["price-drift"]["limit"], told
code, told = cli(*resting())
assert code == 1 and "price-drift" not in {rule["rule"] for rule in told["error"]["unmet"]}, "below it that is no hindrance"
loosens(desk={"restricted": [], "drift_bps": None})

say("risk lets one order pass, once, and it stands in the log")
tightens(desk={"modes": {}})
fails(1, "open-orders", *resting())
code, told = person.with_code("order", "override", *resting()[2:], "--why", "the hedge has to go out")
assert code == 0 and told["fate"] == "working", told
fails(1, "open-orders", *resting())
assert entries("rule-overridden")[-1]["why"] == "the hedge has to go out"
assert entries("rule-passed")[-1]["because"] == "override"
for name in live_orders():
    does("order", "cancel", name)

say("limits that are none say which part, what it is, and what would pass")
for command in (("policy", "diff"), ("policy", "set")):
    code, told = cli(*command, file(price_collar_bps=10_001))
    [part] = told["error"]["unmet"]
    assert (code, told["error"]["code"], part["rule"]) == (1, "policy-range", "policy-range"), told
    assert (part["value"], part["limit"]) == ("price_collar_bps: 10001", "at most 10000"), part

say("what is not paid in the currency of the limits says what it is worth in it, and counts at that")
other = {"symbol": "ETHBTC", "quantity_max": "20", "price_low": "0.001", "price_high": "1", "position_max": None}
code, told = cli("policy", "set", file(instruments=[*present()["instruments"], other]))
[part] = told["error"]["unmet"]
assert (code, part["value"]) == (1, "ETHBTC: quote_worth: none") and "the most USDT" in part["passes"], told
loosens(instruments=[*present()["instruments"], {**other, "quote_worth": "100000"}])
followed = lambda: cli("book", "BTCUSDT")[1].get("current")
eventually("others are followed beside one that the venue does not have", followed)
tightens(instruments=[one for one in present()["instruments"] if one["symbol"] != "ETHBTC"])
worth = lambda unit: [{**one, "quote_worth": unit} if one["symbol"] == "BTCUSDT" else one for one in present()["instruments"]]
tightens(instruments=worth("2"))
eventually("it is followed", followed)
low = int(best_bid() * 0.97)
size = (Decimal(12_501) / low).quantize(Decimal("0.00001"))
code, told = cli("order", "place", "BTCUSDT", "buy", "--limit", low, "--quantity", size)
unmet = {unmet["rule"]: unmet for unmet in told["error"]["unmet"]}
assert code == 1 and Decimal(unmet["max-notional"]["value"].removesuffix(" USDT")) == low * size * 2, told
assert unmet["max-notional"]["limit"] == "25000 USDT", told
loosens(instruments=worth(None))

say("what is held and would be bought of an instrument")
held = next(Decimal(balance["free"]) + Decimal(balance["locked"]) for balance in does("balance")["balances"] if balance["asset"] == "BTC")
instruments = [{**one, "position_max": str(held + Decimal("0.02"))} if one["symbol"] == "BTCUSDT" else one for one in present()["instruments"]]
tightens(instruments=instruments)
assert does(*buy("0.01"))["fate"] == "filled"
told = fails(1, "position", *buy("0.011"))
assert "BTCUSDT could be held" in told, told
assert does(*buy("0.005"))["fate"] == "filled"

say("a large order is signed after a code of its own, and only that one")
tightens(confirm_above="600")
code, told = person.with_code("order", "place", "ETHUSDT", "buy", "--market", "--quote", "700")
assert code == 0 and told["fate"] == "filled", told
assert does("order", "place", "ETHUSDT", "buy", "--market", "--quote", "500")["fate"] == "filled"
assert entries("order-confirmed")[-1]["order"]["client_order_id"] == told["client_order_id"]

say("what may only reduce needs no code, and sells what is held and no more")
assert does("order", "place", "ETHUSDT", "sell", "--market", "--quantity", "0.1", "--reduce-only")["fate"] == "filled"
held = next(Decimal(balance["free"]) + Decimal(balance["locked"]) for balance in does("balance")["balances"] if balance["asset"] == "ETH")
price = Decimal(does("order", "place", "ETHUSDT", "buy", "--market", "--quote", "20")["fills"][0]["price"])
loosens(order_notional_max=str(int((held + 2) * price)))
told = fails(1, "reduce-held", "order", "place", "ETHUSDT", "sell", "--market", "--quantity", str(int(held) + 1), "--reduce-only")
assert "can still be sold" in told, told
fails(1, "reduce-only", "order", "place", "ETHUSDT", "buy", "--market", "--quantity", "0.01", "--reduce-only")

ends()
