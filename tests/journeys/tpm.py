"""A machine opens the vault with what its TPM sealed and a token's share: no password, and not the keychain's secret. Another TPM, a
cleared one, a changed file or a wrong PIN open nothing, and each is told in its own words."""
import contextlib
from world import *

PIN, SERVER_TOKEN = "the-pin-of-the-machine", "hvs.the-token-of-the-machine"
soft_token("rack", PIN)


class Tpm:
    """A TPM in software: a folder is one TPM, wherever and however often it is started."""

    def __init__(self, name, port=None):
        self.folder = f"{WORK}/{name}"
        os.makedirs(self.folder, exist_ok=True)
        self.port = port or two_free_ports()
        self.tcti = f"swtpm:host=127.0.0.1,port={self.port}"
        self.process = start("swtpm", "socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate", f"dir={self.folder}",
                             "--server", f"type=tcp,bindaddr=127.0.0.1,port={self.port},disconnect",
                             "--ctrl", f"type=tcp,bindaddr=127.0.0.1,port={self.port + 1}", stderr=subprocess.DEVNULL)
        eventually("a TPM", lambda: self.process.poll() is None and self.tool("tpm2_getcap", "properties-fixed").returncode == 0)

    def tool(self, *words):
        return subprocess.run(words, env={**os.environ, "TPM2TOOLS_TCTI": self.tcti}, capture_output=True, text=True)

    def holds(self):
        return "".join(self.tool("tpm2_getcap", kind).stdout for kind in ("handles-transient", "handles-loaded-session", "handles-persistent"))

    def stop(self):
        self.process.kill()
        self.process.wait()


def two_free_ports():
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                return port
            except (OSError, OverflowError):
                continue


keychain = keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")
key = does("key", "list")["keys"][0]["key"]["id"]
tpm = Tpm("own")


def add(tcti, **more):
    return person.with_code("vault", "add-slot", "service", "--label", "rack 7", "--module", MODULE, "--token", "rack", "--tpm", tcti,
                            **{"pin": PIN + "\n", **more})


def by_machine(slot=3, pin=PIN):
    fd = given(pin + "\n")
    return cli("vault", "unlock", "--slot", slot, "--pin-fd", fd, fds=[fd])


def opens(slot=3):
    eventually("the machine opens it", lambda: by_machine(slot)[0] == 0, 60)
    assert state() == "unlocked"


def refused(*words, slot=3, pin=PIN, code="not-done"):
    """It does not open, in these words; then the wait is over."""
    def told():
        _, answer = by_machine(slot, pin)
        return answer if answer.get("error", {}).get("code") not in ("wait",) else None
    answer = eventually("it is looked at", told, 60)
    assert answer.get("error", {}).get("code") == code, answer
    assert all(word in answer["error"]["message"] for word in words), answer
    assert state() == "sealed"


def seals():
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")


def slots():
    return {slot["id"]: slot for slot in does("vault", "slots")["slots"]}


say("only a TPM of this computer can be named, for machines only; one that is not there, or a wrong PIN, adds nothing")
for way in ("tabrmd", "device:/dev/sda", "swtpm:host=tpm.example,port=2321", "/tmp/library.so"):
    code, told = add(way, code="000000")
    assert code != 0 and "a TPM is named as device:/dev/tpmrm0" in told["error"]["message"], told
code, told = cli("vault", "add-slot", "person", "--label", "me", "--tpm")
assert code == 2 and "--tpm is for" in told["error"]["message"], told
nobody = f"swtpm:host=127.0.0.1,port={two_free_ports()}"
code, told = add(nobody)
assert code != 0 and "no TPM answers there" in told["error"]["message"] and "Nothing was changed" in told["error"]["message"], told
code, told = add(tpm.tcti, pin="000000\n")
assert code != 0 and "refused the PIN" in told["error"]["message"] and set(slots()) == {1, 2}, told

say("a machine with a TPM becomes a way in; the list says what it opens with")
code, told = add(tpm.tcti)
assert code == 0, told
mine = slots()[3]
assert (mine["kind"], mine["label"], mine["kdf"]) == ("service with TPM", "rack 7", None), mine
assert tpm.tcti in mine["kept"] and "rack" in mine["kept"] and MODULE in mine["kept"], mine
assert tpm.holds() == "", tpm.holds()

say("it opens the vault without a person, trades with the keys that are marked for it, and changes nothing")
code, told = person.with_code("key", "edit", key, "--services", "yes")
assert code == 0, told
seals()
opens()
assert does(*buy())["fate"] == "filled"
assert does("order", "cancel", rest_an_order())["fate"] == "canceled"
code, told = cli("vault", "kit")
assert code != 0 and "key-admin" in json.dumps(told), told
assert tpm.holds() == "", tpm.holds()
seals()

say("the TPM alone opens nothing: a wrong PIN of the token is refused and counted")
refused("refused the PIN", "not opened", pin="000000", code="wrong-factor")
opens()
seals()

say("another TPM at the same place, and none, open nothing; the right one opens again")
tpm.stop()
refused("no TPM answers there", "not opened")
other = Tpm("other", tpm.port)
refused("not the TPM that the slot was made with", "not opened", "add it again")
other.stop()
tpm = Tpm("own", tpm.port)
opens()
seals()

say("a bit that was changed in the file opens nothing: the TPM finds it, or the slot's own seal")
VAULT = f"{DIR}/vault.srv"
whole = open(VAULT, "rb").read()


def parts():
    """Where the parts of the TPM's account stand: way, storage key's name, maker's name, public, private."""
    at = whole.index(tpm.tcti.encode()) - 2
    for _ in range(5):
        size = int.from_bytes(whole[at:at + 2], "big")
        yield at + 2, size
        at += 2 + size


@contextlib.contextmanager
def anchor_of_before():
    """The anchor as earlier programs wrote it, without the hash of the file: the file's own seals have to find what was changed."""
    name = ["service", "strongroom", "username", does("vault", "status")["vault_id"] + ".anchor"]
    record = subprocess.run(["secret-tool", "lookup", *name], capture_output=True, text=True, check=True).stdout

    def keep(text):
        subprocess.run(["secret-tool", "store", "--label", "anchor", *name], input=text, text=True, check=True)

    old = json.loads(record)
    assert old["committed"].pop("sha256"), record
    keep(json.dumps(old))
    yield
    # What was counted meanwhile stays counted.
    now = json.loads(subprocess.run(["secret-tool", "lookup", *name], capture_output=True, text=True, check=True).stdout)
    keep(json.dumps({**now, "committed": json.loads(record)["committed"]}))


way, parent, maker, public, private = parts()
assert (way[1], parent[1], maker[1]) == (len(tpm.tcti), 34, 34) and private[1] > 100, (way, parent, maker, public, private)
for (at, size), words in ((private, "was not sealed by this TPM, or was changed"), (public, "was not sealed by this TPM, or was changed"),
                          (maker, "damaged or was changed")):
    place = at + size // 2
    with open(VAULT, "wb") as file:
        file.write(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
    refused("was changed since its generation", code="anchor")
    with anchor_of_before():
        refused(words)
with open(VAULT, "wb") as file:
    file.write(whole)
opens()
seals()

say("the keychain's secret is not needed, only its anchor: with the secret gone the machine opens, and nobody else")
person.unlocks()
server = KeyServer(SERVER_TOKEN)
code, told = person.with_code("vault", "add-slot", "service", "--label", "by keychain", "--ca", server.facts["ca_file"], "--address",
                              server.facts["address"], "--key", "strongroom", pin=SERVER_TOKEN + "\n")
assert code == 0, told
assert slots()[4]["kind"] == "service"
seals()
vault_id = whole[whole.index(b"\x80\x01\x00\x00\x00\x10") + 6:][:16].hex()
mark = ["service", "strongroom", "username", vault_id]
secret = subprocess.run(["secret-tool", "lookup", *mark], check=True, capture_output=True).stdout
assert len(secret) == 32, "the control: there was one"
subprocess.run(["secret-tool", "clear", *mark], check=True)
assert subprocess.run(["secret-tool", "lookup", *mark], capture_output=True).stdout == b""
opens()
assert does(*buy())["fate"] == "filled"
seals()
refused("has no secret for this vault", slot=4, pin=SERVER_TOKEN)
code, told = person.unlock()
assert (code != 0, told["error"]["code"]) == (True, "no-device-secret"), told
subprocess.run(["secret-tool", "store", "--label=vault", *mark], check=True, input=secret)
person.unlocks()
seals()

say("a cleared TPM says so; the owner closes the way and makes it anew")
assert tpm.tool("tpm2_clear").returncode == 0
refused("was cleared", "gone for good", "remove the slot and add it again")
person.unlocks()
code, told = person.with_code("vault", "remove-slot", 3)
assert code == 0, told
code, told = add(tpm.tcti)
assert code == 0, told
made = max(slots())
seals()
opens(made)
assert does(*buy())["fate"] == "filled"
seals()

say("what it did is in the log, by its way; the PIN went nowhere it should not be found")
person.unlocks()
entries = does("audit", "list", "--last", 80)["entries"]
ways = [(entry["payload"]["slot"], entry["payload"]["by"]) for entry in entries if entry["kind"] == "unlocked"]
assert (3, "service with TPM") in ways, ways
told = json.dumps(entries) + "".join(written) + open(VAULT, "rb").read().decode("latin1")
assert PIN not in told and SERVER_TOKEN not in told

say("without a keychain nothing says which file is the last one: nothing is opened")
seals()
keychain.kill()
keychain.wait()
refused(slot=made, code="no-keychain")
daemon.stop()
verifies(person)
