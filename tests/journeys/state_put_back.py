"""An older state file is put back together with what the keychain knows of it, as a desk that was taken over could: the signer takes it from nobody."""
from world import *

keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")
STATE = f"{DIR}/state.srs"
NAME = ["service", "strongroom", "username", does("vault", "status")["vault_id"] + ".anchor"]


def kept():
    """The state file, and what the keychain says of it."""
    record = subprocess.run(["secret-tool", "lookup", *NAME], capture_output=True, text=True, check=True).stdout
    with open(STATE, "rb") as file:
        return file.read(), record


def puts_back(state, record):
    with open(STATE, "wb") as file:
        file.write(state)
    subprocess.run(["secret-tool", "store", "--label", "anchor", *NAME], input=record, text=True, check=True)


def seals():
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")


early = kept()
assert does("order", "place", "BTCUSDT", "buy", "--market", "--quote", "600")["fate"] == "filled"
seals()
person.unlocks()
seals()
late = kept()
assert early[0] != late[0]

say("the daemon that wrote the newer one lets no signer take the older one")
puts_back(*early)
code, told = person.unlock()
assert code != 0 and "older than the one that was saved last" in told["error"]["message"], told
assert state() == "sealed"

say("with the newer one everything goes on")
puts_back(*late)
person.unlocks()
assert does("order", "place", "BTCUSDT", "buy", "--market", "--quote", "600")["fate"] == "filled"
verifies(person)
daemon.stop()
say("done")
