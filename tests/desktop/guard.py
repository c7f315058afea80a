"""The guard in the window: a stop of one bot, a smaller order, a protected one, limits of one bot, an exception, a key held narrower, a drill."""
from window import *
from person import Person
import world

keyring()
screen()
daemon = Daemon("--paper")
owner = world.Person()
owner.imports("first")
person = Person.of(owner)
app = Window()
app.by("trade")
app.until("stream-state", "live")


def far(*more):
    """An order far below the market."""
    placed = does("order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 0.96), "--quantity", "0.002", *more)
    return placed["client_order_id"]


def row(name):
    return app.see(f'[data-testid="order-row"][data-id="{name}"]')


def on(name, testid):
    """A button of one order's row."""
    row(name)
    app.call("POST", f"/element/{app.see(f'[data-id={chr(34)}{name}{chr(34)}] [data-testid={chr(34)}{testid}{chr(34)}]')}/click")


def holds():
    hold = app.by("kill-hold")
    pointer = [{"type": "pointerMove", "origin": {ELEMENT: hold}, "x": 0, "y": 0}, {"type": "pointerDown", "button": 0},
               {"type": "pause", "duration": 1_500}, {"type": "pointerUp", "button": 0}]
    app.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": pointer}]})


def entries(kind):
    return [entry["payload"] for entry in does("audit", "list", "--last", 50)["entries"] if entry["kind"] == kind]


say("one bot is stopped by the sheet's button, and everything else goes on")
mine, wild = far(), far("--id", "grid-1")
row(wild)
app.click("kill-open")
app.click("kill-far-bot")
app.fill("kill-bot", "GRID!")
assert app.attribute("kill-hold", "aria-disabled") == "true" and app.says("kill-reach-why")
app.fill("kill-bot", "grid")
holds()
eventually("nothing of it is left", lambda: app.all('[data-testid="kill-left"][data-left="0"]'))
assert does("session")["killed"] is None and live_orders() == [mine], does("session")
assert entries("killed")[-1]["scope"] == "bot grid"
app.picture("guard-kill-bot")
app.click("kill-close")
app.until("stopped-strip", "bot grid")
app.click("stopped-rearm")
person.ended(person.gives_a_code("confirm re-arming", "Re-arm"))
app.gone("stopped-strip")

say("an order is made smaller, where it stands")
on(mine, "shrink")
app.by("shrink-dialog")
app.fill("shrink-quantity", "0.003")
assert app.attribute("shrink-go", "aria-disabled") == "true", "larger is not smaller"
app.fill("shrink-quantity", "0.001")
app.picture("guard-shrink")
app.click("shrink-go")
eventually("it is smaller", lambda: "0.001" in json.dumps(does("order", "show", mine)["spec"]))
app.gone("shrink-dialog")

say("an order is protected with a code, and no more without one")
on(mine, "protect")
person.ended(person.gives_a_code("confirm a protection", "Protect it"))
app.see(f'[data-testid="order-row"][data-id="{mine}"][data-protected="true"]')
assert does("order", "show", mine)["protected"]
app.picture("guard-protected")
on(mine, "unprotect")
eventually("no more", lambda: not does("order", "show", mine)["protected"])

say("a price outside of the collar is let pass, once, by risk and a code")
app.choose("order-kind", "limit")
app.fill("price", f"{best_bid() * 1.06:.2f}")
app.fill("size", "0.001")
app.click("let-pass")
app.until("pass-rule", "worse than the mark")
assert app.attribute("pass-go", "aria-disabled") == "true"
app.fill("pass-why", "the hedge has to go out")
app.picture("guard-pass")
app.click("pass-go")
person.ended(person.gives_a_code("confirm an exception", "Let it pass"))
eventually("it stands in the log", lambda: entries("rule-overridden"))
assert entries("rule-overridden")[-1]["why"] == "the hedge has to go out", entries("rule-overridden")
name = entries("rule-overridden")[-1]["order"]["client_order_id"]
eventually("it is filled", lambda: cli("order", "show", name)[1].get("fate") == "filled")

say("what one bot may sign in a day, and what may be held at the venue")
app.click("nav-settings")
app.click("policy-edit")
app.click("threshold-add")
app.choose("threshold-kind", "bot")
app.fill("threshold-bot", "grid")
app.fill("threshold-most", "50")
app.click("exposure-add")
app.choose("exposure-kind", "venue")
app.fill("exposure-most", "100000000")
app.picture("guard-limits")
app.fill("policy-worth", "1.05")
app.picture("guard-worth")
app.click("policy-save")
eventually("they hold", lambda: does("policy", "show")["policy"]["thresholds"])
policy = does("policy", "show")["policy"]
assert policy["thresholds"] == [{"of": {"bot": "grid"}, "day_notional_max": "50"}], policy
assert policy["desk"]["exposure_of"] == [{"of": {"venue": "binance"}, "max": "100000000"}], policy
assert [one["quote_worth"] for one in policy["instruments"]] == ["1.05", None], policy
code, told = cli("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.001", "--id", "grid-2")
assert told["error"]["code"] == "threshold", told

say("a key is held narrower than its venue granted")
app.click("nav-keys")
app.click("edit-key")
app.by("edit-key-dialog")
app.fill("edit-account", "desk 2")
app.fill("edit-addresses", "203.0.113.7 2001:db8::7")
app.click("scope-side-buy")
app.picture("guard-key")
app.click("edit-go")
person.ended(person.gives_a_code("confirm a change", "Change it"))
app.by("held-narrower")
[key] = does("key", "list")["keys"]
assert key["key"]["details"]["account"] == "desk 2" and key["key"]["details"]["scope"]["side"] == "buy", key
assert key["key"]["details"]["addresses"] == ["203.0.113.7", "2001:db8::7"], key
code, told = cli("order", "place", "BTCUSDT", "sell", "--limit", int(best_bid() * 1.02), "--quantity", "0.001")
assert told["error"]["code"] == "scope", told

say("a drill with play money, and everything allowed again")
app.click("nav-trade")
app.click("kill-open")
app.click("drill-open")
app.picture("guard-drill-before")
app.click("drill-go")
app.until("drill-refused", "kill", 60)
app.picture("guard-drill")
assert does("session")["killed"] and live_orders() == []
app.click("rearm")
person.ended(person.gives_a_code("confirm re-arming", "Re-arm"))
eventually("re-armed", lambda: not does("session")["killed"])

say("somebody else comes in, and what they may do is said anew in the window")
code, told = owner.with_code("vault", "add-slot", "person", "--label", "alice", "--roles", "viewer", new_password="the password of alice\n")
assert code == 0, told
app.click("nav-settings")
of_slots = "return [...document.querySelectorAll('[data-testid=slot-roles]')].map((cell) => cell.textContent.trim())"
eventually("alice is in the list", lambda: "viewer" in app.run(of_slots))
app.run("[...document.querySelectorAll('[data-testid=slot-set-roles]')].at(-1).click()")
app.click("role-trader")
app.picture("guard-roles")
app.click("roles-go")
person.ended(person.gives_a_code("confirm roles", "Change them"))
eventually("they count", lambda: [slot["roles"] for slot in does("vault", "slots")["slots"] if slot["label"] == "alice"] == [["viewer", "trader"]])

say("earlier limits are in the log, and shown")
app.click("policy-history-open")
app.until("policy-history-row", "first change in the log")
app.picture("guard-history")
app.click("policy-history-close")
app.gone("policy-history-row")

say("a session is ended from the window; the lock screen says which walls stand")
app.by("session-row")
app.click("session-end")
app.by("lock-screen")
eventually("walls", lambda: "8 of 8 walls around the signer stand" in app.body())
# The last session ended, and nothing rests: the vault is sealed.
for refused in (("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.001"), ("balance",)):
    code, told = cli(*refused)
    assert code == 5 and told["error"]["code"] in ("session", "sealed"), told
assert does("order", "list")["orders"] is not None
app.picture("guard-ended")
app.click("unlock")
person.unlocks()
app.gone("lock-screen")

say("everything is stopped, and the vault seals itself once nothing is left")
far()
app.click("nav-trade")
app.click("kill-open")
app.click("kill-seal-wish")
holds()
app.by("lock-sealed", 30)
eventually("sealed", lambda: does("vault", "status")["state"] == "sealed")
app.picture("guard-sealed")
assert live_orders() == []
app.close()
daemon.stop()
say("done")
