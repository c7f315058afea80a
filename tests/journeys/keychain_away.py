"""A keychain that goes away for a while is no damage: the open vault stays open, it is said, and what needs the keychain waits."""
from world import *

# The integrity of the files is looked at every 10 s.
LOOKED_TWICE_S = 22
keychain = keyring()
daemon = Daemon("--paper")
person = Person()
key = person.imports("paper")

say("it ends; the vault stays open and trades")
keychain.kill()
keychain.wait()
time.sleep(LOOKED_TWICE_S)
status = does("vault", "status")
assert (status["state"], status["anchor"] != "ok") == ("unlocked", True), status
assert does(*buy())["fate"] == "filled"

say("a change that needs it is refused, and nothing is lost")
before = open(f"{DIR}/vault.srv", "rb").read()
code, told = person.with_code("key", "edit", key, "--label", "other")
assert code != 0 and "Nothing was changed" in told["error"]["message"], told
assert open(f"{DIR}/vault.srv", "rb").read() == before

# Meanwhile the session bus started another one, as it does on desktops: locked, for nobody can be asked here.
say("it is there again, and so is everything")
for attempt in range(3):
    try:
        keyring("--replace")
        break
    except AssertionError:
        # Between the two the bus may start a further one, which has the name then: it is replaced in its turn.
        if attempt == 2:
            raise
eventually("the anchor answers", lambda: does("vault", "status")["anchor"] == "ok")
code, told = person.with_code("key", "edit", key, "--label", "other")
assert code == 0, told
verifies(person)
daemon.stop()
say("done")
