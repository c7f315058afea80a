"""A machine opens the vault without a person: it trades with the keys that are marked for it, and can do nothing else."""
from world import *

SERVER_TOKEN = "hvs.the-token-of-the-machine"

keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")
key = does("key", "list")["keys"][0]["key"]["id"]
server = KeyServer(SERVER_TOKEN)


def by_machine(token=SERVER_TOKEN):
    fd = given(token + "\n")
    return cli("vault", "unlock", "--slot", 3, "--pin-fd", fd, fds=[fd])


def seals():
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")


def refused(*words, fds=(), says):
    code, told = cli(*words, fds=fds)
    assert code != 0 and says in json.dumps(told), (words, told)


say("a machine becomes a way in; while a person has the vault open it opens nothing more")
code, told = person.with_code("vault", "add-slot", "service", "--label", "gateway", "--ca", server.facts["ca_file"], "--address",
                              server.facts["address"], "--key", "strongroom", pin=SERVER_TOKEN + "\n")
assert code == 0, told
mine = next(slot for slot in does("vault", "slots")["slots"] if slot["id"] == 3)
assert (mine["kind"], mine["label"], mine["kdf"]) == ("service", "gateway", None), mine
code, told = by_machine()
assert code != 0 and "opens a sealed one" in told["error"]["message"], told

say("no key is marked for it: it opens the vault and signs nothing")
seals()
code, told = by_machine("hvs.wrong")
assert code != 0 and "denied" in told["error"]["message"] and state() == "sealed", told
eventually("the wait is over and it opens", lambda: by_machine()[0] == 0, 60)
assert state() == "unlocked"
assert does("key", "list")["keys"] == []
refused(*buy(), says="no-key")
seals()

say("the owner marks a key for machines; without a person it places and cancels orders")
person.unlocks()
code, told = person.with_code("key", "edit", key, "--services", "yes")
assert code == 0, told
seals()
eventually("the machine opens it", lambda: by_machine()[0] == 0, 60)
assert [one["key"]["id"] for one in does("key", "list")["keys"]] == [key]
assert does(*buy())["fate"] == "filled"
resting = rest_an_order()
assert does("order", "cancel", resting)["fate"] == "canceled"

say("it changes nothing: no key comes, goes or is shown, no limit, no way in; the log stays closed to it")
for words in [("key", "import", "--label", "mine"), ("key", "delete", key), ("key", "export", key, "--to", "age1" + "q" * 58), ("vault", "kit"),
              ("vault", "rekey"), ("vault", "remove-slot", 1), ("vault", "backup"),
              ("vault", "add-slot", "person", "--label", "me")]:
    refused(*words, says="key-admin")
refused("vault", "passwd", says="this needs a person")
refused("audit", "list", "--last", 5, says="auditor")
does("kill", "--why", "the machine stops itself")
refused(*buy(), says="kill")
refused("rearm", says="risk")

say("a person cannot slip into its open vault, and nobody's idleness ends its session")
fd = given(PASSWORD + "\n")
refused("vault", "unlock", "--password-fd", fd, fds=[fd], says="a machine has the vault open")
refused("vault", "recover", says="a machine has the vault open")
view = does("session")
assert view["is_service"] and view["idle_left_ms"] is None, view

say("what it did is in the log, by its way; the owner takes the key back and closes the way")
seals()
person.unlocks()
entries = does("audit", "list", "--last", 60)["entries"]
ways = [(entry["payload"]["slot"], entry["payload"]["by"]) for entry in entries if entry["kind"] == "unlocked"]
assert (3, "service") in ways and (1, "password and device") in ways, ways
code, told = person.with_code("key", "edit", key, "--services", "no")
assert code == 0, told
seals()
eventually("the machine opens it", lambda: by_machine()[0] == 0, 60)
assert does("key", "list")["keys"] == []
seals()
person.unlocks()
code, told = person.with_code("vault", "remove-slot", 3)
assert code == 0, told
seals()
code, told = by_machine()
assert code != 0 and "no slot 3" in told["error"]["message"], told
person.unlocks()

say("its token went nowhere it should not be found")
told = json.dumps(does("audit", "list", "--last", 50)) + "".join(written) + open(f"{DIR}/vault.srv", "rb").read().decode("latin1")
assert SERVER_TOKEN not in told and "key server" in told
daemon.stop()
verifies(person)
