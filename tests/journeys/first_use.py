"""First use to fill; seal and unlock; one daemon for one vault; a code is good once; limits; keys come and go."""
from world import *

keyring()
say("nothing runs yet")
fails(3, "not-running", "session")
daemon = Daemon()
assert state() == "missing"
fails(5, "sealed", *buy())

say("a vault")
person = Person()
assert state() == "unlocked"
walls = dict(does("vault", "status")["walls"])
assert all(walls.values()) and len(walls) == 8, walls
assert os.stat(DIR).st_mode & 0o777 == 0o700
assert all(os.stat(f"{DIR}/run/{name}.sock").st_mode & 0o777 == 0o600 for name in ("desk", "supervisor"))
second = subprocess.run([f"{BIN}/strongroomd", "--dir", DIR, "--paper"], capture_output=True, text=True)
assert second.returncode == 1 and "another strongroomd runs this vault" in second.stderr, second
fails(1, "vault-exists", "vault", "create")

say("a key, and an order that fills")
fails(5, "no-key", *buy())
key = person.imports("paper")
assert [view["key"]["id"] for view in does("key", "list")["keys"]] == [key]
order = does(*buy())
assert order["fate"] == "filled" and order["filled"] == "0.01" and order["fills"], order
fails(1, "duplicate-id", *buy("0.01", "--id", order["client_order_id"]))

say("an order that rests, and is taken back")
resting = rest_an_order()
assert live_orders() == [resting]
assert does("order", "show", resting)["fate"] == "working"
assert does("order", "list")["orders"][0]["spec"]
assert does("order", "cancel", resting)["fate"] == "canceled"
assert live_orders() == []

say("what is refused, and by whom")
fails(1, "filter", "order", "place", "BTCUSDT", "buy", "--limit", "1000.001", "--quantity", "0.01")
fails(1, "filter", "order", "place", "XRPUSDT", "buy", "--market", "--quantity", "1")
fails(1, "price-collar", "order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 2), "--quantity", "0.01")
policy = does("policy", "show")["policy"]
fails(1, "value-at-mark", *buy("50"))
fails(1, "unknown-order", "order", "show", "sr-never")
assert cli("order", "place", "BTCUSDT", "buy", "--limit", "1", "--market", "--quantity", "1")[0] == 2

say("session, limits, balances")
session = does("session")
line = session["lines"][0]
assert session["state"] == "unlocked" and session["idle_left_ms"] > 0 and session["signatures"] >= 3, session
assert line["tls"].replace("_", "").replace(" ", "") in ("TLSv1.3", "TLSv13", "TLS1.3") and line["pins"] and line["pin_state"] == "match", line
assert abs(line["clock_offset_us"]) <= max(50_000, line["clock_error_us"]), line
assert {"weight", "orders", "raw"} <= {limit["name"].split()[0] for limit in session["limits"]}, session["limits"]
assert any(limit["used"] > 0 for limit in session["limits"])
assert {balance["asset"] for balance in does("balance")["balances"]} >= {"BTC", "USDT"}

say("limits: lowering is free, raising needs a code")
path = f"{WORK}/limits.json"


def set_policy(**changes):
    json.dump({**policy, **changes}, open(path, "w"))
    return path


does("policy", "set", set_policy(order_notional_max="100"))
fails(1, "max-notional", "order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 0.97), "--quantity", "0.01")
assert cli("policy", "set", set_policy())[0] == 5
assert does("policy", "show")["policy"]["order_notional_max"] == "100"
code, told = person.with_code("policy", "set", path)
assert code == 0, told
assert does("policy", "show")["policy"] == policy

say("what the limits allow is followed and traded, without a restart")
assert cli("book", "SOLUSDT")[0] != 0
solana = {**policy["instruments"][0], "symbol": "SOLUSDT", "quantity_max": "50", "price_low": "1", "price_high": "10000"}
code, told = person.with_code("policy", "set", set_policy(instruments=[*policy["instruments"], solana]))
assert code == 0, told
eventually("the book of SOLUSDT", lambda: cli("book", "SOLUSDT")[1].get("current"))
order = does("order", "place", "SOLUSDT", "buy", "--market", "--quantity", "1")
assert order["fate"] == "filled", order
does("policy", "set", set_policy())
eventually("only the others are followed", lambda: cli("book", "SOLUSDT")[0] != 0 and cli("book", "BTCUSDT")[1].get("current"))

say("a code is not accepted twice")
code, told = person.with_code("key", "delete", key, code=person.phone.code(person.phone.used))
assert told["error"]["code"] == "wrong-factor" and "use" in told["error"]["message"], told
assert len(does("key", "list")["keys"]) == 1

say("lock with nothing live is a seal; a wrong password; unlock")
does("vault", "lock")
eventually("sealed", lambda: state() == "sealed")
fails(5, "sealed", *buy())
code, told = person.unlock("not the password")
assert code == 5 and told["error"]["code"] == "wrong-factor", told
eventually("the wait is over", lambda: person.unlock()[0] == 0)
assert state() == "unlocked"

say("lock with an order live: cancels are signed, new orders are not")
resting = rest_an_order()
does("vault", "lock")
assert state() == "locked"
fails(5, "session", *buy())
assert does("order", "cancel", resting)["fate"] == "canceled"
person.unlocks()

say("rotate: a key that fails its test changes nothing")
api_key, _ = paper_key("read")
code, told = person.with_code("key", "rotate", key, key=api_key + "\n", secret="x" * 64)
assert code == 5 and told["error"]["code"] == "key-test", told
assert [view["key"]["id"] for view in does("key", "list")["keys"]] == [key]
assert does(*buy())["fate"] == "filled"

say("rotate to an Ed25519 key")
api_key, secret = paper_key("ed25519")
resting = rest_an_order()
code, told = person.with_code("key", "rotate", key, key=api_key + "\n", secret=secret)
assert code == 0, told
new = told["key"]["id"]


def stages():
    return {view["key"]["id"]: view["key"]["stage"] for view in does("key", "list")["keys"]}


def step():
    return next(view["step"] for view in does("key", "list")["keys"] if view["key"]["id"] == new)


assert stages() == {key: "retiring", new: "active"}, stages()
assert does("order", "place", "ETHUSDT", "sell", "--market", "--quantity", "0.1")["fate"] == "filled"

say("an order is made smaller, never larger; the replaced key signs that")
for quantity, why in (("0.01", "can only be made smaller"), ("0.02", "can only be made smaller")):
    assert why in fails(1, "amend", "order", "amend", resting, "--quantity", quantity)
told = does("order", "amend", resting, "--quantity", "0.005")
assert told["fate"] == "working" and told["spec"]["limit"]["quantity"] == "0.005", told
assert does("order", "show", resting)["spec"] == told["spec"]
assert "is known" in fails(1, "unknown-order", "order", "amend", "sr-none", "--quantity", "1")

say("the replaced key looks after what it placed, and leaves when the venue refuses it")
assert step() == {"step": "orders", "live": 1}, step()
assert "1 orders" in fails(5, "key-in-use", "key", "delete", key)
assert "1 orders" in fails(5, "key-valid", "key", "continue", new)
assert does("order", "cancel", resting)["fate"] == "canceled"
assert step()["step"] == "revoke"
fails(5, "key-valid", "key", "continue", new)
revoke = " ".join(step()["how"]).split()[-1]
resting = rest_an_order()
does("paper", "key", "revoke", revoke)
told = does("key", "continue", key)
assert "-2015" in told["words"] and "revoked" in told["words"], told
assert stages() == {new: "active"}, stages()
assert does("order", "cancel", resting)["fate"] == "canceled"
fails(1, "no-rotation", "key", "continue", new)

say("a key that is made in the vault: its public half goes to the venue, its name comes back")
code, told = person.with_code("key", "rotate", new, "--generate", "ed25519")
assert code == 0, told
born, public = told["key"]["id"], told["public_key"]
assert public == does("key", "public", born)["pem"] and "BEGIN PUBLIC KEY" in public
assert stages() == {new: "active", born: "new"}
fails(5, "key-name", "key", "continue", born)
with open(path, "w") as file:
    file.write(public)
name = born_name = does("paper", "key", "make", "born", "--public-key", path)["of"]["api_key"]
code, told = person.with_code("key", "edit", born, "--api-key", "x" * 64)
assert told["error"]["code"] == "key-test", told
assert stages()[born] == "new", "a wrong name costs nothing"
code, told = person.with_code("key", "edit", born, "--api-key", name)
assert code == 0, told
assert stages() == {new: "retiring", born: "active"}, stages()
assert does(*buy())["fate"] == "filled"

say("an RSA key can be made, too, and signs what the venue verifies; a kind that the venue does not take is not made")
code, told = person.with_code("key", "generate", "--label", "p", "--scheme", "p256", code="000000")
assert code != 0 and "makes Ed25519 and RSA keys, not ECDSA P-256" in told["error"]["message"], told
code, told = person.with_code("key", "generate", "--label", "rsa", "--scheme", "rsa")
assert code == 0 and told["key"]["scheme"] == "rsa-sha256", told
rsa = told["key"]["id"]
with open(path, "w") as file:
    file.write(told["public_key"])
name = does("paper", "key", "make", "rsa", "--public-key", path)["of"]["api_key"]
code, told = person.with_code("key", "edit", rsa, "--api-key", name)
assert code == 0 and stages()[rsa] == "spare", (told, stages())

say("a key is suspect, and due; details are kept")
assert does("key", "due")["keys"][0]["step"]["step"] == "revoke"
does("key", "suspect", born, "--why", "orders that are not mine")
due = next(view for view in does("key", "due")["keys"] if view["key"]["id"] == born)
assert due["due"][0]["why"] == "orders that are not mine", due
code, told = person.with_code("key", "edit", born, "--rotate-days", "30", "--address", "203.0.113.7", "--notes", "the desk's")
assert code == 0, told
everything = {"operations": [], "instruments": [], "side": None, "kinds": [], "notional_max": None, "hours": None}
assert told["key"]["details"] == {"account": "", "addresses": ["203.0.113.7"], "rotate_days": 30, "services": False, "notes": "the desk's",
                                  "scope": everything}, told

say("the venue takes the key from another address only, and it is said from where it saw us")


def view_of(key):
    return next(view for view in does("key", "list")["keys"] if view["key"]["id"] == key)


assert view_of(born)["rights"] == {**view_of(born)["rights"], "trade": True, "withdraw": False, "transfer": False, "bound": False}, view_of(born)
does("paper", "key", "limit", born_name, "--ip", "203.0.113.7")
for refused in (("balance",), buy()):
    words = fails(1, "venue", *refused)
    assert "(-2015); the venue saw this computer as 127.0.0.1; key “" in words and "is bound to 203.0.113.7" in words, words
assert "saw this computer as 127.0.0.1" in view_of(born)["address_trouble"], view_of(born)
listed = subprocess.run([f"{BIN}/strongroom", "--dir", DIR, "key", "list"], capture_output=True, text=True).stdout
assert "not bound to addresses" in listed and "refused: the venue saw this computer as 127.0.0.1" in listed, listed
does("paper", "key", "limit", born_name)
does("balance")
assert view_of(born)["address_trouble"] is None, view_of(born)

say("delete them")
for key in (new, born, rsa):
    code, told = person.with_code("key", "delete", key)
    assert code == 0, told
assert does("key", "list")["keys"] == []

say("the log tells it all, and verifies")
entries = does("audit", "list", "--last", 50)["entries"]
kinds = {entry["kind"] for entry in entries}
assert does("audit", "show", entries[0]["seq"])["entries"][0]["seq"] == entries[0]["seq"]
assert "none with the number" in fails(1, "unknown-entry", "audit", "show", 999_999)
daemon.stop()
verifies(person)
say(f"kinds seen: {sorted(kinds)}")
