"""What goes wrong at a venue, as the window shows it: an unknown key, 429, no answer, a venue that is down, another key."""
from window import *
from person import Person
import world

venue = Venue()
keyring()
screen()
daemon = Daemon(*venue.arguments(), up=False)
known = world.Person()
person = Person.of(known)
app = Window()
app.by("desk")

say("a server that nobody confirmed: nothing is sent; its key is shown and confirmed here")
app.click("nav-lines")
app.see('[data-testid="line-row"][data-pin="unconfirmed"]')
app.by("pin-choice")
assert venue.facts["spki_sha256"][:8] in app.says("pin-shown").replace(" ", ""), app.says("pin-shown")
app.picture("pin-unconfirmed")
app.click("pin-accept")
person.ended(person.gives_a_code("confirm a server's key", "Confirm", "prompt-server-key"))
app.see('[data-testid="line-row"][data-pin="match"]')
daemon.until_up()
known.imports("venue", venue.folder)

say("a live venue never looks like the simulation")
app.click("nav-trade")
app.until("stream-state", "live")
assert app.attribute("desk", "data-mode") == "live"
app.picture("trade-live")

say("an answer that never comes: the order is unknown, drawn as such, and found")
price = f"{best_bid() * 0.97:.2f}"


def limit(size="0.01"):
    app.choose("order-kind", "limit")
    app.fill("price", price)
    app.fill("size", size)
    app.sends()


venue.plan("drop_answer")
venue.plan({"delay_answer_ms": 6_000}, count=2, method="GET")
limit()
app.see('[data-testid="order-row"][data-fate="ambiguous"], [data-testid="order-row"][data-fate="sent"]')
app.picture("order-unknown")
app.see('[data-testid="order-row"][data-fate="working"]', 60)
assert len(venue.read("/api/v3/openOrders", symbol="BTCUSDT")) == 1, "sent once"

say("429: the venue wants to be left alone; the order is not executed, the person is told")
venue.plan({"rate_limited": 3})
limit("0.03")
app.see('[data-testid="toast"][data-tone="danger"], [data-testid="toast"][data-tone="warn"]')
app.picture("too-many-requests")
assert len(venue.read("/api/v3/openOrders", symbol="BTCUSDT")) == 1
time.sleep(3.5)

say("the venue falls silent without a word: seen soon, and seen to be over")
os.kill(venue.process.pid, signal.SIGSTOP)
begin = time.monotonic()
eventually("not live any more", lambda: app.attribute("stream-state", "data-state") in ("stale", "down"), 10)
say(f"  shown {(time.monotonic() - begin) * 1000:.0f} ms after the last word")
os.kill(venue.process.pid, signal.SIGCONT)
eventually("live again", lambda: app.attribute("stream-state", "data-state") == "live", 60)

say("the venue is down: seen within a second, orders wait")
begin = time.monotonic()
venue.process.kill()
venue.process.wait()
eventually("not live any more", lambda: app.attribute("stream-state", "data-state") in ("stale", "down"), 10)
say(f"  shown {(time.monotonic() - begin) * 1000:.0f} ms after the end")
app.picture("venue-down")
assert app.attribute("submit", "aria-disabled") == "true" and app.says("submit-why"), "orders wait, and why stands there"
venue = Venue(venue.folder, venue.port)
eventually("live again", lambda: app.attribute("stream-state", "data-state") == "live", 60)

say("another key at the same address: blocked, both keys shown, nothing sent")
venue.wish(swap_certificate=True)
venue.process.kill()
venue.process.wait()
venue = Venue(venue.folder, venue.port, "other-key")
app.by("pin-strip", 60)
app.click("nav-lines")
app.see('[data-testid="line-row"][data-pin="changed"]')
app.by("pin-pinned")
assert app.says("pin-pinned") != app.says("pin-shown")
assert "Strongroom paper" in app.says("pin-issuer") or app.says("pin-issuer") != "not shown", app.says("pin-issuer")
app.picture("pin-changed")

say("the prompt is refused: nothing changes; confirmed with a code: the line opens; the key out of use is forgotten")
old = app.says("pin-pinned")
app.click("pin-accept")
refused = person.asked("confirm a server's key")
refused.press("Refuse")
person.ended(refused)
app.see('[data-testid="line-row"][data-pin="changed"]')
app.click("pin-accept")
person.ended(person.gives_a_code("confirm a server's key", "Confirm"))
app.see('[data-testid="line-row"][data-pin="match"]', 60)
app.click("line-open")
app.click("pin-forget")
person.ended(person.gives_a_code("confirm a server's key", "Confirm"))
eventually("one pin is left", lambda: len(does("session")["lines"][0]["pins"]) == 1)
assert does("session")["lines"][0]["pins"][0].replace(" ", "") not in old.replace(" ", "")
kinds = [entry["kind"] for entry in does("audit", "list", "--last", 50)["entries"]]
assert "pin-accepted" in kinds and "pin-forgotten" in kinds and "pin-alarm" in kinds, kinds
app.close()
daemon.stop()
