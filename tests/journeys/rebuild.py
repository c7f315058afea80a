"""After a restart the venue is asked what is open before anything is sent: orders of others count, lost ones are found, and while it does
not tell, nothing is placed."""
import sqlite3

from world import *

venue = Venue()
daemon, person = trades_at(venue)
limits = f"{WORK}/limits.json"


def position_max(most):
    policy = does("policy", "show")["policy"]
    policy["instruments"] = [{**listed, "position_max": str(most)} if listed["symbol"] == "BTCUSDT" else listed for listed in policy["instruments"]]
    with open(limits, "w") as out:
        json.dump(policy, out)
    if does("policy", "diff", limits)["needs_code"]:
        code, told = person.with_code("policy", "set", limits)
        assert code == 0, told
    else:
        does("policy", "set", limits)


def resting(quantity="0.01"):
    return ("order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 0.95), "--quantity", quantity)


def refused(rule, *order):
    """What of the order does not meet that rule; what is held is asked for when it is needed first."""
    def is_refused():
        code, told = cli(*order)
        return told if code == 1 and told["error"]["code"] == rule else None
    told = eventually(f"refused by {rule}", is_refused)
    return next(unmet for unmet in told["error"]["unmet"] if unmet["rule"] == rule)


def starts_anew():
    global daemon
    daemon.stop()
    daemon = Daemon(*venue.arguments())
    person.unlocks()


def open_at_the_venue():
    return {order["clientOrderId"] for order in venue.read("/api/v3/openOrders", symbol="BTCUSDT")}


say("what is held and open is counted")
assert does(*buy())["fate"] == "filled"
mine = does(*resting())["client_order_id"]
position_max("0.00001")
base = Decimal(refused("position", *resting())["value"]) - Decimal("0.01")
position_max(base + Decimal("0.1"))
assert does("order", "cancel", does(*resting("0.05"))["client_order_id"])["fate"] == "canceled"

say("what others have open at the account counts after a restart, and not once it is over")
theirs = venue.signed("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.5",
                      price=int(best_bid() * 0.95), newClientOrderId="theirs-1")
assert theirs["status"] == "NEW", theirs
starts_anew()
unmet = refused("position", *resting("0.05"))
assert Decimal(unmet["value"]) == base + Decimal("0.55"), (unmet, base)
assert live_orders() == [mine], "theirs is counted, and is nobody's to cancel here"
venue.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="theirs-1")
eventually("it counts no more", lambda: cli(*resting("0.05"))[0] == 0, 100)
for order in live_orders():
    if order != mine:
        does("order", "cancel", order)

say("an order that the store has lost is found, counted, and taken back by the kill switch")
daemon.stop()
with sqlite3.connect(f"{DIR}/desk.db") as store:
    assert store.execute("DELETE FROM orders WHERE client_order_id = ?", (mine,)).rowcount == 1
daemon = Daemon(*venue.arguments())
person.unlocks()
eventually("it is found", lambda: live_orders() == [mine])
reconciled = [entry["payload"] for entry in does("audit", "list", "--last", 50)["entries"] if entry["kind"] == "order-reconciled"]
assert any(entry["order"] == mine and "not in the store" in entry["why"] for entry in reconciled), reconciled
unmet = refused("position", *resting("0.2"))
assert Decimal(unmet["value"]) == base + Decimal("0.2"), (unmet, base)
does("kill", "--wait", "20", "--why", "rehearsed")
assert open_at_the_venue() == set()
code, told = person.with_code("rearm")
assert code == 0, told

say("while the venue does not tell what is open, orders are refused with the cause, and what stands can be cancelled")
mine = does(*resting())["client_order_id"]
daemon.stop()
venue.plan({"server_error": False}, count=5, method="GET", path="/api/v3/openOrders")
daemon = Daemon(*venue.arguments())
person.unlocks()
unmet = refused("exposure-unknown", *resting())
assert "once the venue has told" in unmet["passes"], unmet
assert does("order", "cancel", mine)["fate"] == "canceled"
eventually("it has told", lambda: cli(*resting())[0] == 0, 120)
