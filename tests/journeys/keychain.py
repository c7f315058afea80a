"""No keychain, a damaged vault, an older one put back, a lost device secret: a clear error each, and the way out."""
import shutil
from world import *

say("no keychain: nothing is created")
os.environ["DBUS_SESSION_BUS_ADDRESS"], bus = "unix:path=/nonexistent", os.environ["DBUS_SESSION_BUS_ADDRESS"]
daemon = Daemon()
message = fails(5, "no-keychain", "vault", "create")
assert "Nothing was created" in message, message
assert state() == "missing"
daemon.stop()
os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus

keychain = keyring()
daemon = Daemon()
person = Person()
person.imports("first")
file, old = f"{DIR}/vault.srv", open(f"{DIR}/vault.srv", "rb").read()
states, old_state = f"{DIR}/state.srs", open(f"{DIR}/state.srs", "rb").read()
person.imports("second", key="ed25519")
new = open(file, "rb").read()
assert old != new
daemon.stop()


def put(data):
    with open(file, "wb") as out:
        out.write(data)


def opens_with(data):
    """Puts a file in the vault's place and tries to unlock it."""
    put(data)
    daemon = Daemon(up=False)
    code, told = person.unlock()
    status = does("vault", "status")
    daemon.stop()
    return code, told.get("error", {}), status


say("an older generation is refused, and named")
code, error, status = opens_with(old)
assert code == 5 and error["code"] == "anchor" and "older than generation" in error["message"] and "recover" in error["message"], error
assert "older" in status["anchor"]

say("an older, a missing and a damaged state file are refused: a used code would be good again")
new_state = open(states, "rb").read()
put(new)
for data, words in ((old_state, "older than generation"), (None, "is missing"), (b"nothing", "is damaged")):
    if data is None:
        os.unlink(states)
    else:
        open(states, "wb").write(data)
    daemon = Daemon(up=False)
    code, told = person.unlock()
    assert code == 5 and told["error"]["code"] == "anchor" and words in told["error"]["message"], told
    daemon.stop()
open(states, "wb").write(new_state)

say("a flipped bit anywhere is refused")
for at in (0, 9, 40, len(new) // 3, len(new) // 2, len(new) - 1):
    flipped = bytearray(new)
    flipped[at] ^= 1
    code, error, _ = opens_with(bytes(flipped))
    assert code == 5 and error["code"] in ("vault-damaged", "anchor"), (at, error)

say("a file cut short, and an empty one: the backup is offered")
for data in (new[:-100], new[:20], b""):
    code, error, _ = opens_with(data)
    assert code == 5 and "damaged" in error["message"] and "backup" in error["message"], error

say("the newest file opens")
code, error, status = opens_with(new)
assert code == 0 and status["anchor"] == "ok", (error, status)

say("the newest backup in its place opens with the kit")
put(b"damaged")
daemon = Daemon(up=False)
fails(5, "restore", "vault", "restore", 77)
os.unlink(states)
os.mkdir(states)
message = fails(5, "vault-damaged", "vault", "unlock")
newest = does("vault", "status")["backups"][0]
assert f"strongroom vault restore {newest}" in message, message
wrong = type("Stranger", (), {"kit": " ".join(reversed(person.kit.split())), "dir": DIR})
code, told = Person.restore(wrong, newest, PASSWORD)
assert code == 5 and open(f"{DIR}/vault.srv", "rb").read() == b"damaged" and not os.path.exists(f"{DIR}/vault.replaced"), told
code, told = person.restore(newest, PASSWORD)
assert code == 0, told
assert open(f"{DIR}/vault.replaced", "rb").read() == b"damaged"
assert does("vault", "status")["anchor"] == "ok" and does("audit", "list", "--last", 50)["entries"], "in order again"
assert "without the state file" in told["words"] and os.path.isdir(f"{DIR}/state.unreadable.1"), told
assert any(entry["kind"] == "backup-restored" for entry in does("audit", "list", "--last", 50)["entries"])
keys = [view["key"]["label"] for view in does("key", "list")["keys"]]
assert "first" in keys, keys

say("without its state file the vault opens with the kill switch engaged, until a code takes it back")
assert "state file was lost" in does("session")["killed"], does("session")
fails(5, "kill-switch", *buy())
person.phone.used = int(time.time() // 30) + 1
code, told = person.with_code("rearm")
assert code == 0, told
daemon.stop()

say("a folder in the place of the state file has words of its own")
kept_state = open(states, "rb").read()
os.unlink(states)
os.mkdir(states)
daemon = Daemon(up=False)
message = fails(5, "state-unreadable", "vault", "unlock")
assert "state.srs" in message and "is no file" in message and "strongroom vault recover" in message, message
daemon.stop()
os.rmdir(states)
open(states, "wb").write(kept_state)

say("what is prepared and never asked is no attempt")
daemon = Daemon(up=False)
for _ in range(8):
    prepared = json.loads(ask_raw(b'{"ask": "prepare", "action": {"action": "unlock"}}'))
    assert prepared["tell"] == "prepared", prepared
person.unlocks()
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")


def waits():
    """Why the next attempt is not judged, four having failed; one more is, where the wait was over before it came."""
    errors = [person.unlock("not the password")[1]["error"] for _ in range(2)]
    return next((error["message"] for error in errors if error["code"] == "wait"), f"judged: {errors}")


say("wrong passwords are counted, and cost time")
found, end = [], time.time() + 60
while found.count("wrong-factor") < 4 and time.time() < end:
    code, told = person.unlock("not the password")
    assert code != 0
    found.append(told["error"]["code"])
    time.sleep(0.2)
assert found.count("wrong-factor") == 4 and found.count("wait") >= 3 and set(found) == {"wrong-factor", "wait"}, found
daemon.stop()
daemon = Daemon(up=False)
assert "wrong passwords" in waits()

say("the kit has a counter of its own")
code, told = person.recover("a password that is not reached", "SRKI T1" + "Q" * 57)
assert told["error"]["code"] == "wrong-factor", told
eventually("the wait is over", lambda: person.unlock()[0] == 0, 60)
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")

say("an attempt counts before it is answered: ending everything while it is asked gives no free one")


def asked():
    door = start(f"{BIN}/strongroom", "--dir", DIR, "vault", "unlock", "--password-fd", silent[0], pass_fds=(silent[0],))
    daemon.child("strongroom-prompt")
    # It is there before it asks.
    time.sleep(0.5)
    daemon.process.kill()
    daemon.process.wait()
    door.wait()


silent = os.pipe()
for _ in range(4):
    asked()
    daemon = Daemon(up=False)
assert "wrong passwords" in waits()
eventually("the wait is over", lambda: person.unlock()[0] == 0, 60)
daemon.stop()

say("a keychain that lost everything: the kit opens, with a new password")
keychain.kill()
keychain.wait()
shutil.rmtree(f"{os.environ['XDG_DATA_HOME']}/keyrings", ignore_errors=True)
shutil.rmtree(f"{WORK}/.local/share/keyrings", ignore_errors=True)
keychain = keyring()
daemon = Daemon()
code, told = person.unlock()
assert code == 5 and "recovery kit" in told["error"]["message"], told
wrong = person.kit.split()
wrong[0], wrong[1] = wrong[1], wrong[0]
code, told = person.recover("a new password 42", " ".join(wrong))
assert code == 5, told
eventually("the wait is over", lambda: person.recover("a new password 42")[0] == 0, 30)
assert state() == "unlocked" and [view["key"]["label"] for view in does("key", "list")["keys"]] == keys
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
assert person.unlock()[0] == 5
person.password = "a new password 42"
eventually("the wait is over", lambda: person.unlock()[0] == 0, 30)
assert does("vault", "status")["anchor"] == "ok"
# What the lost state file may have counted is taken for the worst: a minute's orders were signed.
eventually("a minute later orders pass", lambda: cli(*buy())[1].get("fate") == "filled", 90)
daemon.stop()
verifies(person)
