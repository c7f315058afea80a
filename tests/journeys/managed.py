"""Limits of an organisation: laid down with openssl as the documents say, tightened by a person, loosened by nobody but the organisation.

Needs a mount namespace of its own: the system's folder is one that this story can write.
"""
from world import *

SYSTEM = "/etc/strongroom"
ORGANISATION = os.path.join(WORK, "organisation")
limits = f"{WORK}/limits.json"

# An /etc of this namespace: the system's own stays readable beneath a new folder.
etc = os.path.join(WORK, "etc")
shutil.copytree("/etc", etc, symlinks=True, ignore_dangling_symlinks=True,
                ignore=lambda folder, names: [name for name in names if not os.access(os.path.join(folder, name), os.R_OK)])
with open("/proc/self/uid_map") as ids:
    mapped = ids.read().split()[2]
assert mapped == "1", "outside of a user namespace of its own it would take the system's folder away from everybody"
subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
os.makedirs(ORGANISATION)


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def lays_down(key="policy", **document):
    """What an administrator does, with the commands of docs/guard.md."""
    paper, signature = f"{ORGANISATION}/policy.json", f"{ORGANISATION}/policy.json.sig"
    with open(paper, "w") as file:
        json.dump({"organisation": "Example Trading", **document}, file)
    if not os.path.exists(f"{ORGANISATION}/{key}.key"):
        openssl("genpkey", "-algorithm", "ed25519", "-out", f"{ORGANISATION}/{key}.key")
        openssl("pkey", "-in", f"{ORGANISATION}/{key}.key", "-pubout", "-out", f"{ORGANISATION}/{key}.pub")
    openssl("pkeyutl", "-sign", "-rawin", "-inkey", f"{ORGANISATION}/{key}.key", "-in", paper, "-out", f"{signature}.raw")
    openssl("base64", "-in", f"{signature}.raw", "-out", signature)
    subprocess.run(["install", "-d", "-m", "755", SYSTEM], check=True)
    subprocess.run(["install", "-m", "644", paper, signature, SYSTEM], check=True)
    subprocess.run(["install", "-m", "644", f"{ORGANISATION}/{key}.pub", f"{SYSTEM}/policy.pub"], check=True)


def anew():
    """The vault is sealed and opened again, by another signer."""
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")
    person.unlocks()


def asks(**changes):
    with open(limits, "w") as file:
        json.dump({**does("policy", "show")["policy"], **changes}, file)
    return limits


def worth(quote):
    return ("order", "place", "BTCUSDT", "buy", "--market", "--quote", quote)


def holds():
    fails(1, "max-notional", *worth("501"))
    return does("vault", "status")["managed"]


keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")
assert does(*worth("600"))["fate"] == "filled"
assert does("vault", "status")["managed"] is None

say("an organisation lays down a limit while the vault is sealed; it holds from the next opening on")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
lays_down(serial=1, limits={"order_notional_max": "500"})
person.unlocks()
note = holds()
assert (note["organisation"], note["serial"], note["limits"]) == ("Example Trading", 1, [["order_notional_max", "500"]]), note
shown = does("policy", "show")
assert shown["policy"]["order_notional_max"] == "500" and shown["managed"]["organisation"] == "Example Trading", shown
assert does(*worth("400"))["fate"] == "filled"

say("a person cannot loosen it, and no code is asked for")
told = fails(1, "managed-policy", "policy", "set", asks(order_notional_max="501"))
assert "Example Trading has a limit here" in told and "500 would pass" in told, told
does("policy", "set", asks(order_notional_max="300"))
fails(1, "max-notional", *worth("301"))
code, told = person.with_code("policy", "set", asks(order_notional_max="500"))
assert code == 0, told
holds()

say("without the files, and with older or other ones, it holds on")
shutil.rmtree(SYSTEM)
daemon.stop()
daemon = Daemon("--paper")
person.unlocks()
assert "no more" in holds()["source"]
lays_down(serial=1, limits={})
anew()
assert "no higher number" in holds()["source"]
lays_down("other", serial=9, released=True)
anew()
assert "another key" in holds()["source"]

say("half of the files, or a changed one, open nothing")
os.unlink(f"{SYSTEM}/policy.json.sig")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
code, told = person.unlock()
assert (code, told["error"]["code"]) == (1, "managed-files") and "policy.json.sig: is missing" in told["error"]["message"], told
lays_down(serial=2, limits={"order_notional_max": "400"})
with open(f"{SYSTEM}/policy.json", "a") as file:
    file.write(" ")
daemon.stop()
daemon = Daemon("--paper")
code, told = person.unlock()
assert (code, told["error"]["code"]) == (1, "managed-files") and "signature" in told["error"]["message"], told
lays_down(serial=2, limits={"order_notional_max": "400"})
os.chmod(f"{SYSTEM}/policy.json", 0o666)
daemon.stop()
daemon = Daemon("--paper")
code, told = person.unlock()
assert (code, told["error"]["code"]) == (1, "managed-files") and "written by others" in told["error"]["message"], told

say("a higher number takes its place, and the organisation lets go")
os.chmod(f"{SYSTEM}/policy.json", 0o644)
daemon.stop()
daemon = Daemon("--paper")
person.unlocks()
fails(1, "max-notional", *worth("401"))

say("what it keeps off the list stays off at the desk when limits are set, and on the owner's list when it lets go")
offered = lambda: [found["symbol"] for found in json.loads(ask_raw(b'{"ask":"instruments"}'))["instruments"]]
lays_down(serial=3, limits={"only_listed": True, "instruments": [{"symbol": "ETHUSDT"}]})
anew()
eventually("the desk follows", lambda: offered() == ["ETHUSDT"])
does("policy", "set", asks(price_collar_bps=400))
assert offered() == ["ETHUSDT"], "as the signer says, not as it was set"
fails(1, "instrument", *worth("100"))
lays_down(serial=4, released=True)
anew()
eventually("the desk follows", lambda: set(offered()) == {"BTCUSDT", "ETHUSDT"})
assert does("policy", "show")["policy"]["price_collar_bps"] == 400
assert does("vault", "status")["managed"] is None
code, told = person.with_code("policy", "set", asks(order_notional_max="25000"))
assert code == 0, told
assert does(*worth("600"))["fate"] == "filled"
noted = [entry["payload"]["managed"] for entry in does("audit", "list", "--last", 500)["entries"] if entry["kind"] == "managed-policy"]
assert [one and (one["organisation"], one["serial"]) for one in noted] == [("Example Trading", 1), ("Example Trading", 2), ("Example Trading", 3), None], noted
verifies(person)
daemon.stop()
say("done")
