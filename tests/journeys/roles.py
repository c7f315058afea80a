"""Persons with roles: each does what its roles say, in a session that is open, too; and nobody can lock everybody out."""
from world import *

keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")


def slots():
    return {slot["id"]: slot for slot in does("vault", "slots")["slots"]}


def as_owner_of(password):
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")
    eventually("unlocked", lambda: person.unlock(password)[0] == 0)


def alice_is_back():
    return person.unlock("the password of alice")[0] == 0


def lacks(role, *command, **more):
    code, told = person.with_code(*command, **more)
    assert (code, told["error"]["code"]) == (1, "role") and role in told["error"]["message"], (command, told)


say("a trader comes in")
code, told = person.with_code("vault", "add-slot", "person", "--label", "alice", "--roles", "viewer,trader", new_password="the password of alice\n")
assert code == 0, told
assert slots()[3]["roles"] == ["viewer", "trader"], slots()
as_owner_of("the password of alice")
assert next(slot for slot in slots().values() if slot["is_present"])["id"] == 3
order = does("order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 0.97), "--quantity", "0.01")
assert order["fate"] == "working", order

say("and does nothing else")
policy = does("policy", "show")["policy"]
with open(f"{WORK}/lower.json", "w") as file:
    json.dump({**policy, "orders_per_minute": 5}, file)
for role, command, more in [
    ("risk", ("policy", "set", f"{WORK}/lower.json"), {}),
    ("key-admin", ("vault", "add-slot", "person", "--label", "eve"), {"new_password": "the password of eve\n"}),
    ("key-admin", ("vault", "roles", 3, "key-admin"), {}),
    ("key-admin", ("vault", "backup"), {}),
    ("key-admin", ("key", "generate", "--label", "mine"), {}),
    ("risk", ("order", "override", "BTCUSDT", "buy", "--market", "--quantity", "0.01", "--why", "no reason"), {}),
]:
    lacks(role, *command, code="000000", **more)
fails(1, "role", "audit", "list")
key = does("key", "list")["keys"][0]["key"]["id"]
assert "key-admin" in fails(1, "role", "key", "continue", key), "what the desk refuses by the table"
table = does("rules")
assert {row["permission"]: row["roles"] for row in table["permissions"]}["continue-rotation"] == ["key-admin"], table
assert {row["enforcer"] for row in table["permissions"]} == {"signer", "desk"}, table
assert {row["enforcer"] for row in table["rules"]} == {"signer", "desk", "window"}, table

reader, unread = os.pipe()
os.close(reader)
gone = subprocess.run([f"{BIN}/strongroom", "rules"], stdout=unread, stderr=subprocess.PIPE, timeout=20)
os.close(unread)
assert (gone.returncode, gone.stderr) == (0, b""), "whoever stops reading stops nothing"

say("anybody stops, and anybody says that a key may be known; only risk goes on")
does("key", "suspect", key, "--why", "alice saw it in a chat")
does("vault", "lock")
fails(5, "session", "key", "continue", key)
assert alice_is_back()
does("kill", "--why", "alice saw something")
eventually("what rested is cancelled", lambda: live_orders() == [])
lacks("risk", "rearm", code="000000")

say("the owner sets roles, which count at once, and somebody stays key-admin")
as_owner_of(PASSWORD)
code, told = person.with_code("rearm")
assert code == 0, told
code, told = person.with_code("vault", "roles", 1, "trader", code="000000")
assert code != 0 and "key-admin" in told["error"]["message"], told
code, told = person.with_code("vault", "roles", 3, "viewer,risk,key-admin")
assert code == 0, told
code, told = person.with_code("vault", "roles", 1, "viewer")
assert code == 0, told
fails(1, "role", *buy())
assert does("balance")["balances"]
as_owner_of("the password of alice")
fails(1, "role", *buy())
code, told = person.with_code("vault", "roles", 1, "trader,auditor")
assert code == 0, told
as_owner_of(PASSWORD)
assert does(*buy())["fate"] == "filled"
kinds = [entry["kind"] for entry in does("audit", "list", "--last", 50)["entries"]]
assert kinds.count("roles-set") == 3, kinds

say("the kit has every role")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
code, told = person.recover("a password by the kit")
assert code == 0, told
code, told = person.with_code("vault", "roles", 1, "viewer,trader,risk,key-admin,auditor")
assert code == 0, told
verifies(person)
daemon.stop()
say("done")
