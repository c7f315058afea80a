"""A person who has never seen it: from the first start to a fill, by mouse; then lock, unlock, kill, re-arm."""
import time
from window import *
from person import Person, prompt

keyring()
screen()
person = Person()
begin = time.monotonic()

say("what it is, before anything is asked")
app = Window()
app.by("first-use")
words = app.body()
for promise in ("Spot only", "No withdrawals", "Stays here", "Leaves", "cannot stop"):
    assert promise.lower() in words.lower(), promise
app.picture("first-use")

say("a vault, a kit, a code generator: in windows of another process")
app.click("create-vault")
app.by("prompt-words")
person.makes_a_vault(pictures=True)
log_key = app.says("log-key")
assert log_key.startswith("strongroom-log+"), log_key
app.picture("first-use-log-key")
app.click("kept")

say("the practice key, imported like any key")
app.click("add-practice-key")
person.imports_from_a_file(pictures=True)
app.by("trade")
assert app.attribute("mode", "data-mode") == "simulation"
app.until("mode", "simulation")

say("an order at the market, filled")
app.until("stream-state", "live")
app.click("side-buy")
app.choose("order-kind", "market")
app.click("size-in-base")
app.fill("size", "0.01")
eventually("the order can be sent", lambda: app.attribute("submit", "aria-disabled") != "true")
app.picture("trade-ticket")
app.sends()
app.click("tab-history")
filled = app.see('[data-testid="order-row"][data-fate="filled"]')
say(f"first use to fill: {time.monotonic() - begin:.1f} s with a person of machine speed")
app.click("tab-fills")
app.by("fill-row")
app.picture("trade-filled")
app.click("tab-balances")
app.see('[data-testid="balance-row"][data-asset="BTC"]')

say("a limit order that rests, seen in ladder and blotter, and cancelled")
best = does("book", "BTCUSDT")["bids"][0]["price"]
low = f"{float(best) * 0.97:.2f}"
app.choose("order-kind", "limit")
app.fill("price", low)
app.fill("size", "0.02")
app.sends()
app.click("tab-open")
app.see('[data-testid="order-row"][data-fate="working"]')
app.picture("trade-working")
app.click("cancel")
eventually("no open order", lambda: not app.all('[data-testid="order-row"][data-fate="working"]'))

say("what the venue would refuse is said before it is sent")
app.fill("size", "900")
eventually("a check that refuses", lambda: app.all('[data-testid="check"][data-state="refuse"]'))
assert app.attribute("submit", "aria-disabled") == "true"
app.until("submit-why", "")
app.picture("trade-refused")
app.fill("size", "0.02")

say("every screen")
for name in ("lines", "keys", "audit", "settings"):
    app.click(f"nav-{name}")
    app.by(name)
    time.sleep(0.8)
    app.picture(name)
    assert app.cut_off() == [], (name, app.cut_off())
app.click("nav-lines")
rows = app.all('[data-testid="line-row"]')
assert len(rows) == 2 and app.all('[data-testid="line-row"][data-pin="match"]'), rows
words = app.body()
assert "TLS 1.3" in words.replace("TLSv1_3", "TLS 1.3") and "X25519" in words, words
app.click("nav-keys")
app.see('[data-testid="key-row"][data-label="practice"]')
app.click("nav-audit")
app.by("audit-row")
app.click("verify")
eventually("the log is verified", lambda: app.all('[data-testid="integrity"][data-intact="true"]'))
app.picture("audit-verified")

say("lock, with its reason; a wrong password; unlock")
app.click("lock")
app.by("lock-screen")
app.until("lock-because", "lock")
assert not app.has("desk"), "the desk's content is gone from the page, not covered"
app.picture("lock")
app.click("unlock")
person.unlocks("not the password at all", pictures="prompt-password")
app.until("lock-trouble", "password")
time.sleep(1.2)
app.click("unlock")
person.unlocks()
app.by("desk")

say("kill: a hold of the button, the live result, and re-arming with a code")
app.click("nav-trade")
app.choose("order-kind", "limit")
app.fill("price", low)
app.fill("size", "0.02")
app.sends()
app.see('[data-testid="order-row"][data-fate="working"]')
app.click("kill-open")
hold = app.by("kill-hold")
pointer = [{"type": "pointerMove", "origin": {ELEMENT: hold}, "x": 0, "y": 0}, {"type": "pointerDown", "button": 0},
           {"type": "pause", "duration": 1_500}, {"type": "pointerUp", "button": 0}]
app.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": pointer}]})
app.until("kill-frozen", "signer frozen")
eventually("no order is left", lambda: app.all('[data-testid="kill-left"][data-left="0"]'))
assert does("session")["killed"]
app.picture("kill")
app.click("rearm")
person.ended(person.gives_a_code("confirm re-arming", "Re-arm", "prompt-rearm"))
eventually("re-armed", lambda: not does("session")["killed"])
say("the window is closed; nothing is live, so everything ends")
app.close()
desk_ended()
