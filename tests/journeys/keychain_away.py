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

def holder():
    """Process that has the keychain's name on this story's bus."""
    asked = subprocess.run(["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
                            "org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.freedesktop.secrets"], capture_output=True, text=True)
    found = re.search(r"uint32 (\d+)", asked.stdout)
    return found and int(found.group(1))


# Meanwhile the session bus started another one, as it does on desktops: locked, for nobody can be asked here. Whenever one is asked for
# while none is there the bus starts a further one, which has the name then: it ends in its turn.
say("it is there again, and so is everything")
for attempt in range(6):
    other = holder()
    if other:
        os.kill(other, signal.SIGKILL)
    try:
        keyring(seconds=5)
        break
    except AssertionError:
        started[-1].kill()
        if attempt == 5:
            raise
eventually("the anchor answers", lambda: does("vault", "status")["anchor"] == "ok")
code, told = person.with_code("key", "edit", key, "--label", "other")
assert code == 0, told
verifies(person)
daemon.stop()
say("done")
