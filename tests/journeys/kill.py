"""The kill switch in all its scopes: a key, an account, a bot, the venue, everything; by command, signal and drill; protected orders stand."""
from world import *

keyring()
daemon = Daemon("--paper")
person = Person()
first = person.imports("first")


def far(*more):
    """Rests far below the market, at a price of its own each time."""
    far.count += 1
    return does("order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 0.9) - far.count, "--quantity", "0.001", *more)["client_order_id"]


far.count = 0


def rearms():
    code, told = person.with_code("rearm")
    assert code == 0, told
    assert not does("session")["killed"] and not does("session")["stopped"]


def entries(kind):
    return [entry["payload"] for entry in does("audit", "list", "--last", 50)["entries"] if entry["kind"] == kind]


say("a bot by its tag: its orders go, others stay, and its new ones are refused")
mine, wild = far(), far("--id", "grid-1")
words = does("kill", "--bot", "grid", "--why", "it runs wild")["words"]
assert "for bot grid" in words and "The one open order is confirmed as gone" in words, words
assert live_orders() == [mine]
view = does("session")
assert view["killed"] is None and view["stopped"] == ["bot grid: it runs wild"], view
assert "bot grid: it runs wild" in fails(5, "kill-switch", "order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.001", "--id", "grid-2")
far("--id", "grid2-1")
assert entries("killed")[-1] == {"why": "it runs wild", "scope": "bot grid"}
ended = entries("kill-ended")[-1]
assert ended["orders"] == 1 and ended["last_gone_ms"] is not None, ended

say("a bad tag, and two scopes at once, are refused in words")
assert cli("kill", "--bot", "GRID!")[0] == 2
assert cli("kill", "--bot", "grid", "--key", first)[0] == 2

say("a stop outlives a seal; re-arming takes it back")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
person.unlocks()
eventually("it is told again", lambda: does("session")["stopped"] == ["bot grid: it runs wild"])
fails(5, "kill-switch", "order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.001", "--id", "grid-3")
rearms()
assert does("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.001", "--id", "grid-4")["fate"] == "filled"

say("a person: what was placed by that slot goes, whatever it is called, and nothing new of it is signed; others are not meant")
words = does("kill", "--person", 7, "--why", "nobody has it")["words"]
assert len(live_orders()) == 2 and "No order of this desk was open" in words and "NOTHING IN THE VAULT IS MEANT BY THAT" in words, words
words = does("kill", "--person", 1, "--why", "on leave")["words"]
assert "All 2 open orders are confirmed as gone" in words and live_orders() == [], words
assert "slot 1: on leave" in fails(5, "kill-switch", *buy())
rearms()
mine = far()
far()

say("a key: what was placed with it goes, and nothing is signed with it")
words = does("kill", "--key", first, "--why", "it leaked")["words"]
assert "All 2 open orders are confirmed as gone" in words and live_orders() == [], words
assert f"key {first}: it leaked" in fails(5, "kill-switch", *buy())
rearms()

say("an account that is noted of the key; another account is not meant")
code, told = person.with_code("key", "edit", first, "--account", "desk 2")
assert code == 0, told
one = far()
does("kill", "--account", "desk 1")
assert live_orders() == [one] and does(*buy())["fate"] == "filled"
does("kill", "--account", "desk 2")
assert live_orders() == []
fails(5, "kill-switch", *buy())
rearms()

say("the venue")
far()
does("kill", "--venue", "binance")
assert live_orders() == []
fails(5, "kill-switch", *buy())
rearms()

say("a protected order stands; protecting needs a code, taking it back does not")
keep, goes = far("--id", "long-term"), far()
code, told = person.with_code("order", "protect", keep)
assert code == 0, told
assert does("order", "show", keep)["protected"]
words = does("kill", "--why", "all of it")["words"]
assert "Protected, and left as they are: long-term." in words and live_orders() == [keep], words
time.sleep(2)
assert live_orders() == [keep], "nor later"
does("order", "unprotect", keep)
does("kill")
eventually("now it goes, too", lambda: live_orders() == [])
rearms()
assert [entry["protected"] for entry in entries("order-protected")] == [True, False]

say("a signal engages it, and ends nothing")
far()
os.kill(daemon.process.pid, signal.SIGUSR1)
eventually("killed", lambda: "SIGUSR1" in (does("session")["killed"] or ""))
eventually("nothing is open", lambda: live_orders() == [])
assert daemon.process.poll() is None
rearms()

say("kill and seal at once")
far()
words = does("kill", "--seal")["words"]
assert "The one open order is confirmed as gone" in words and words.endswith("The vault is sealed."), words
eventually("sealed", lambda: state() == "sealed")
person.unlocks()
rearms()

say("a stop of a sealed vault outlives the supervisor, too")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
does("kill", "--bot", "grid", "--why", "while it was sealed")
daemon.stop()
daemon = Daemon("--paper")
assert does("session")["stopped"] == ["bot grid: while it was sealed"]
person.unlocks()
fails(5, "kill-switch", "order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.001", "--id", "grid-9")
rearms()

say("a drill: the report says what it took, and a second one is refused while the switch is engaged")
report = f"{WORK}/drill.md"
drilled = does("kill-drill", "--orders", 12, "--report", report)["drill"]
assert [row["orders"] for row in drilled] == [12] and drilled[0]["left"] == [] and drilled[0]["refused_by"] == "kill-switch", drilled
assert 0 < drilled[0]["first_cancel_us"] <= drilled[0]["last_gone_us"], drilled
assert "12 orders at 1 venues" in open(report).read()
assert "engaged already" in fails(1, "drill", "kill-drill")
assert live_orders() == []
rearms()
verifies(person)
daemon.stop()
say("done")
