"""What a venue and a network can do: nothing is doubled, nothing is sent to a stranger, and the truth is found."""
from world import *

venue = Venue()
keyring()
daemon = Daemon(*venue.arguments(), up=False)
person = Person()

say("first use of a server: nothing is sent until a person confirms its key")
line = eventually("the key is shown", lambda: (does("session")["lines"][0]["trouble"] or "") and does("session")["lines"][0])
assert venue.facts["spki_sha256"] in line["trouble"] and not line["up"], line
person.pins(venue)
daemon.until_up()
person.imports("paper", venue.folder)
assert does(*buy())["fate"] == "filled"

say("an answer dropped after execution: found, and executed once")
before = venue.trades()
venue.plan("drop_answer")
order = does(*buy("0.02", "--id", "dropped"))
assert order["fate"] == "filled" and order["filled"] == "0.02", order
assert venue.bought_since(before) == Decimal("0.02")

say("a connection closed before execution: refused in the end, not executed, not sent again")
before = venue.trades()
venue.plan("close_connection")
code, told = cli(*buy("0.02", "--id", "closed"))
fate = eventually("the truth", lambda: (lambda order: order["fate"] in ("refused", "filled") and order["fate"])(does("order", "show", "closed")), 90)
assert fate == "refused" and venue.trades() == before, (fate, told)

for name, fault, executed in [("half an answer", "malformed_body", True), ("a 503 after execution", {"server_error": True}, True),
                              ("a 503 before execution", {"server_error": False}, False)]:
    say(name)
    before = venue.trades()
    venue.plan(fault)
    id = name.replace(" ", "-")
    cli(*buy("0.02", "--id", id))
    fate = eventually("the truth", lambda: (lambda order: order["fate"] in ("refused", "filled") and order["fate"])(does("order", "show", id)), 90)
    assert fate == ("filled" if executed else "refused"), fate
    assert venue.bought_since(before) == Decimal("0.02" if executed else 0)

say("429: refused, the wait is kept, then it goes on")
before = venue.trades()
venue.plan({"rate_limited": 3})
assert "wait 3 s" in fails(1, "venue", *buy())
message = fails(1, "not-sent", *buy())
assert "wait" in message and "nothing was sent" in message, message
assert venue.trades() == before
eventually("the wait is over", lambda: cli(*buy())[0] == 0)

say("the venue's clock is 10 s off: measured, told, and orders still work")
venue.wish(skew_clock_ms=10_000)
eventually("measured", lambda: abs(does("session")["lines"][0]["clock_offset_us"] - 10_000_000) < 500_000, 60)
assert does(*buy())["fate"] == "filled"
kinds = [entry["kind"] for entry in does("audit", "list", "--last", 50)["entries"]]
assert "clock.alarm" in kinds or any("clock" in kind for kind in kinds), kinds
venue.wish(skew_clock_ms=0)
eventually("measured", lambda: abs(does("session")["lines"][0]["clock_offset_us"]) < 500_000, 60)

say("another key under a valid chain: nothing is sent, both fingerprints are named")
traded = venue.trades()
venue.stop()
venue = Venue(venue.folder, venue.port, "other-key")
line = eventually("refused", lambda: (lambda line: venue.facts["spki_sha256"] in (line["trouble"] or "") and line)(does("session")["lines"][0]), 60)
seen = [text for text in re.findall(r"[A-Za-z0-9+/]{43}=", line["trouble"])]
assert venue.facts["spki_sha256"] in seen and len(set(seen)) == 2, line
assert "nothing was sent" in fails(1, "mark", *buy())
message = fails(1, "venue", "balance")
assert venue.facts["spki_sha256"] in message, message
kinds = [entry["kind"] for entry in does("audit", "list", "--last", 50)["entries"]]
assert any("pin" in kind for kind in kinds), kinds
assert venue.trades() == traded
venue.wish(swap_certificate=False)
daemon.until_up()
assert does(*buy())["fate"] == "filled"

say("the venue is down: said within seconds, nothing is sent; orders go on when it is back")
resting = rest_an_order()
port = venue.port
venue.stop()
line = eventually("down", lambda: (lambda line: not line["up"] and line)(does("session")["lines"][0]))
assert line["trouble"], line
eventually("the book is said to be old", lambda: not cli("book", "BTCUSDT")[1].get("current"))
code, told = cli(*buy())
assert code == 1 and "nothing was sent" in told["error"]["message"], told
say("the kill switch works all the same: what is left is named, and goes when the venue is back")
words = does("kill", "--wait", "1", "--why", "the venue is down")["words"]
assert "0 of 1 open orders are confirmed as gone. Not yet: BTCUSDT " + resting in words and does("session")["killed"], words
venue = Venue(venue.folder, port)
eventually("cancelled, as soon as it can be", lambda: does("order", "show", resting)["fate"] == "canceled", 60)
code, told = person.with_code("rearm")
assert code == 0, told
daemon.until_up()
resting = rest_an_order()
venue.stop()
eventually("down again", lambda: not does("session")["lines"][0]["up"])

say("a venue that lost everything")
os.unlink(os.path.join(venue.folder, "journal"))
venue = Venue(venue.folder, port)
daemon.until_up()
# Without its journal the venue has forgotten; it is believed after it denied several times.
eventually("the forgotten order is over", lambda: does("order", "show", resting)["fate"] == "expired", 60)
assert does(*buy())["fate"] == "filled"
say("the key in use is forgotten: its line closes though nothing else happened to it, and opens when it is trusted again")
assert cli("book", "BTCUSDT")[1]["current"]
code, told = person.with_code("pin", "forget", venue.host, venue.facts["spki_sha256"])
assert code == 0, told
eventually("the stream is over", lambda: not cli("book", "BTCUSDT")[1].get("current"), 3)
code, told = cli(*buy())
assert code == 1 and "nothing was sent" in told["error"]["message"], told
assert venue.facts["spki_sha256"] in fails(1, "venue", "balance")
person.pins(venue)
daemon.until_up()
assert does(*buy())["fate"] == "filled"
daemon.stop()
verifies(person)
