"""`kill -9` of each process, and a desk that hangs: no orphan, nothing recorded lost, and the kill switch works anyway."""
from world import *

venue = Venue()
keyring()
daemon = Daemon(*venue.arguments(), up=False)
person = Person()
fails(5, "pin", "pin", "accept", venue.host, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
person.pins(venue)
daemon.until_up()
key = person.imports("paper", venue.folder)
filled = does(*buy())
assert filled["fate"] == "filled"

say("kill -9 of the signer is a seal")
resting = rest_an_order()
os.kill(daemon.child("strongroom-signer"), signal.SIGKILL)
eventually("sealed", lambda: state() == "sealed")
assert does("vault", "status")["because"] == "the signer crashed"
fails(5, "sealed", *buy())
person.unlocks()
assert does("order", "cancel", resting)["fate"] == "canceled"

say("kill -9 of the desk loses nothing recorded")
resting, swept = rest_an_order(), rest_an_order()
code, told = person.with_code("order", "protect", resting)
assert code == 0, told
before = [order for order in does("order", "list", "--all")["orders"] if order["client_order_id"] != swept]
desk = daemon.child("strongroom-desk")
os.kill(desk, signal.SIGKILL)
eventually("the desk is back", lambda: cli("session")[0] == 0 and daemon.child("strongroom-desk") != desk)
fates = {order["client_order_id"]: order["fate"] for order in does("order", "list", "--all")["orders"]}
assert {order["client_order_id"]: order["fate"] for order in before}.items() <= fates.items() and swept in fates
assert state() == "unlocked"
daemon.until_up()
eventually("what rested is taken back, but not what is protected", lambda: live_orders() == [resting])
assert [order["clientOrderId"] for order in venue.read("/api/v3/openOrders")] == [resting]
assert not does("session")["killed"] and does(*buy())["fate"] == "filled"
assert does("order", "cancel", resting)["fate"] == "canceled"
verifies(person)

say("kill -9 of the desk while an order is answered late: it ends in the truth, once")
trades = venue.trades()
venue.plan({"delay_answer_ms": 4000})
placing = start(f"{BIN}/strongroom", "--dir", DIR, "--json", *buy("0.02", "--id", "late"), stdout=subprocess.DEVNULL)
eventually("it is executed", lambda: len(venue.trades()) > len(trades))
desk = daemon.child("strongroom-desk")
os.kill(desk, signal.SIGKILL)
eventually("the desk is back", lambda: cli("session")[0] == 0 and daemon.child("strongroom-desk") != desk)
eventually("the truth", lambda: cli("order", "show", "late")[1].get("fate") == "filled", 40)
assert does("order", "show", "late")["filled"] == "0.02"
assert venue.bought_since(trades) == Decimal("0.02")

say("kill -9 of the prompt while it asks: nothing changed, and the next one works")
silent = os.pipe()
door = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "backup", "--totp-fd", silent[0], pass_fds=(silent[0],),
             stdout=subprocess.PIPE, text=True)
os.kill(daemon.child("strongroom-prompt"), signal.SIGKILL)
told = json.loads(door.communicate(timeout=20)[0])
assert door.returncode == 5 and told["error"]["code"] == "given-up", (door.returncode, told)
assert len(does("key", "list")["keys"]) == 1

say("kill -9 of the door while its prompt asks: the prompt ends, too")
door = start(f"{BIN}/strongroom", "--dir", DIR, "vault", "backup", "--totp-fd", silent[0], pass_fds=(silent[0],))
prompt = daemon.child("strongroom-prompt")
door.kill()
door.wait()
eventually("no prompt", lambda: gone([prompt]))

say("kill with the desk hung, and with another door hung")
stuck = start(f"{BIN}/strongroom", "--dir", DIR, "vault", "backup", "--totp-fd", silent[0], pass_fds=(silent[0],))
daemon.child("strongroom-prompt")
os.kill(stuck.pid, signal.SIGSTOP)
hung = daemon.child("strongroom-desk")
os.kill(hung, signal.SIGSTOP)
assert "frozen" in does("kill", "--why", "a journey")["words"]
eventually("the desk is replaced", lambda: gone([hung]) and cli("session")[0] == 0, 30)
assert does("session")["killed"]
fails(5, "kill-switch", *buy())
eventually("what rested is cancelled at the venue", lambda: venue.read("/api/v3/openOrders") == [], 40)
eventually("nothing is live", lambda: live_orders() == [])
stuck.kill()
stuck.wait()

say("the kill switch outlives a seal and a new supervisor")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
person.unlocks()
assert does("session")["killed"]
fails(5, "kill-switch", *buy())
daemon.stop()
daemon = Daemon(*venue.arguments())
person.unlocks()
fails(5, "kill-switch", *buy())

say("re-arm with a code")
code, told = person.with_code("rearm")
assert code == 0, told
assert does(*buy())["fate"] == "filled"

say("a desk that hangs without anyone asking: the signer is frozen")
hung = daemon.child("strongroom-desk")
os.kill(hung, signal.SIGSTOP)
eventually("the desk is replaced", lambda: gone([hung]) and cli("session")[0] == 0, 30)
daemon.until_up()
eventually("killed", lambda: "hang" in (does("session")["killed"] or ""))
fails(5, "kill-switch", *buy())
code, told = person.with_code("rearm")
assert code == 0, told

say("kill while an order rests, with a desk that dies at once: the next one cancels it")
resting = rest_an_order()
does("kill", "--why", "again")
desk = daemon.child("strongroom-desk")
os.kill(desk, signal.SIGKILL)
eventually("what rested is cancelled at the venue", lambda: venue.read("/api/v3/openOrders") == [], 40)
code, told = person.with_code("rearm")
assert code == 0, told

say("with a desk that hangs the supervisor seals the vault")
signer, hung = daemon.child("strongroom-signer"), daemon.child("strongroom-desk")
os.kill(hung, signal.SIGSTOP)
assert "Sealed" in does("vault", "seal")["words"]
assert gone([signer]) or eventually("the signer is gone", lambda: gone([signer]), 5)
eventually("the desk is replaced", lambda: gone([hung]) and cli("session")[0] == 0, 30)
assert state() == "sealed"
person.unlocks()
code, told = person.with_code("rearm")
assert code == 0, told

say("kill -9 of the supervisor leaves no orphan")
pids = daemon.children()
assert len(pids) == 2, pids
daemon.process.kill()
daemon.process.wait()
eventually("all are gone", lambda: gone(pids))
fails(3, "not-running", "session")
daemon = Daemon(*venue.arguments())
assert state() == "sealed"
person.unlocks()
known = {order["client_order_id"] for order in does("order", "list", "--all")["orders"]}
assert {filled["client_order_id"], "late", resting} <= known
assert does(*buy())["fate"] == "filled"
verifies(person)
daemon.stop()
verifies(person)
