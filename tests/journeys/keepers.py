"""Shares that others keep: a token and a key server become ways into the vault, and fail in clear words; a password alone still opens."""
from world import *

PIN, SERVER_TOKEN = "the-pin-of-the-desk", "hvs.the-token-of-the-journey"
soft_token("desk", PIN)

keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")


def slots():
    return {slot["id"]: slot for slot in does("vault", "slots")["slots"]}


def seals():
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")


def unlock_with(slot, password, pin):
    fds = given(password + "\n"), given(pin + "\n")
    return cli("vault", "unlock", "--slot", slot, "--password-fd", fds[0], "--pin-fd", fds[1], fds=fds)


def refused_with(slot, password, pin, *words, code="wrong-factor"):
    """It does not open, in these words; then the wait is over."""
    def told():
        _, answer = unlock_with(slot, password, pin)
        waits = answer.get("error", {}).get("code") == "wait" or "being started" in answer.get("error", {}).get("message", "")
        return None if waits else answer
    answer = eventually("it is looked at", told, 60)
    assert answer.get("error", {}).get("code") == code, answer
    assert all(word in answer["error"]["message"] for word in words), answer
    assert state() == "sealed"


def opens_with(slot, password, pin):
    eventually(f"slot {slot} opens", lambda: unlock_with(slot, password, pin)[0] == 0, 60)
    assert does(*buy())["fate"] == "filled"
    assert slots()[slot]["is_present"]


def gone(name):
    """No provider outlives its request."""
    eventually(f"no {name}", lambda: name not in [executable(pid) for pid in daemon.children()])


say("a token becomes a way in; a wrong PIN, another token and a path that is not whole change nothing")
add_token = ("vault", "add-slot", "token", "--label", "alice", "--module", MODULE, "--token")
code, told = person.with_code(*add_token, "desk", new_password="the password of alice\n", pin="000000\n")
assert code != 0 and "refused the PIN" in told["error"]["message"] and "Nothing was changed" in told["error"]["message"], told
code, told = person.with_code(*add_token, "elsewhere", new_password="the password of alice\n", pin=PIN + "\n")
assert code != 0 and "no token with this name" in told["error"]["message"], told
code, told = person.with_code("vault", "add-slot", "token", "--label", "a", "--module", "lib.so", "--token", "desk", pin=PIN + "\n", code="000000")
assert code != 0 and "whole path" in told["error"]["message"], told
assert set(slots()) == {1, 2}
code, told = person.with_code(*add_token, "desk", new_password="the password of alice\n", pin=PIN + "\n")
assert code == 0, told
mine = slots()[3]
assert (mine["kind"], mine["label"]) == ("password, device and a kept share", "alice"), mine
assert "desk" in mine["kept"] and MODULE in mine["kept"] and "strongroom" in mine["kept"], mine

say("it opens the vault, with the right password and the right PIN alone")
seals()
refused_with(3, "the password of alice", "000000", "refused the PIN", "not opened")
refused_with(3, "not the password", PIN, "did not open")
refused_with(3, PASSWORD, PIN, "did not open")
opens_with(3, "the password of alice", PIN)
gone("strongroom-provider")
does("vault", "lock")
eventually("locked or sealed", lambda: state() != "unlocked")
opens_with(3, "the password of alice", PIN)

say("a slot that has no share, or is not there, is said to be so")
seals()
refused_with(1, PASSWORD, PIN, "no share", code="not-done")
refused_with(9, PASSWORD, PIN, "no slot 9", code="not-done")

say("with the token gone it says so, and the password alone still opens; with the token back it opens again")
os.rename(TOKENS, TOKENS + ".away")
os.makedirs(TOKENS)
refused_with(3, "the password of alice", PIN, "no token", "Plug it in", code="not-done")
person.unlocks()
assert does(*buy())["fate"] == "filled"
seals()
os.rmdir(TOKENS)
os.rename(TOKENS + ".away", TOKENS)
opens_with(3, "the password of alice", PIN)

say("a key server becomes a way in; a wrong token and an address without TLS change nothing")
server = KeyServer(SERVER_TOKEN)
add_transit = ("vault", "add-slot", "transit", "--label", "bob", "--ca", server.facts["ca_file"], "--address")
code, told = person.with_code(*add_transit, server.facts["address"].replace("https", "http"), "--key", "strongroom", pin="x\n", code="000000")
assert code != 0 and "https://" in told["error"]["message"], told
code, told = person.with_code(*add_transit, server.facts["address"], "--key", "strongroom", new_password="the password of bob\n", pin="hvs.wrong\n")
assert code != 0 and "denied" in told["error"]["message"], told
code, told = person.with_code(*add_transit, server.facts["address"], "--key", "strongroom", new_password="the password of bob\n", pin=SERVER_TOKEN + "\n")
assert code == 0, told
assert server.facts["address"] in slots()[4]["kept"]

say("it opens the vault, with the right password and the right token alone")
seals()
refused_with(4, "the password of bob", "hvs.wrong", "denied", "not opened")
refused_with(4, "not the password", SERVER_TOKEN, "did not open")
opens_with(4, "the password of bob", SERVER_TOKEN)

say("a server that is sealed, and one that is gone, say so; the password alone still opens")
seals()
server.tell("seal")
refused_with(4, "the password of bob", SERVER_TOKEN, "sealed", code="not-done")
server.tell("unseal")
opens_with(4, "the password of bob", SERVER_TOKEN)
seals()
server.process.kill()
server.process.wait()
refused_with(4, "the password of bob", SERVER_TOKEN, "cannot be reached", code="not-done")
person.unlocks()

say("a provider that hangs is ended, and nothing is changed")
seals()
fds = given("the password of alice\n"), pipe()
door = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "unlock", "--slot", 3, "--password-fd", fds[0], "--pin-fd", fds[1][0],
             pass_fds=(fds[0], fds[1][0]), stdout=subprocess.PIPE, text=True)
# A token whose folder is a pipe that nobody feeds.
os.rename(TOKENS_CONF, TOKENS_CONF + ".away")
os.mkfifo(TOKENS_CONF)
begun = time.time()
os.write(fds[1][1], (PIN + "\n").encode())
told = json.loads(door.communicate(timeout=60)[0])
assert "did not answer within 30 s" in told["error"]["message"], told
assert 25 < time.time() - begun < 45
gone("strongroom-provider")
os.remove(TOKENS_CONF)
os.rename(TOKENS_CONF + ".away", TOKENS_CONF)
opens_with(3, "the password of alice", PIN)

say("neither PIN nor token went anywhere it should not be found")
entries = does("audit", "list", "--last", 50)["entries"]
added = [entry["payload"] for entry in entries if entry["kind"] == "slot-added"]
assert [payload["label"] for payload in added] == ["alice", "bob"], added
told = json.dumps(entries) + "".join(written) + open(f"{DIR}/vault.srv", "rb").read().decode("latin1")
assert PIN not in told and SERVER_TOKEN not in told

say("who came in by a kept share sets another password: the present one and the PIN must be right, and the old one opens no more")
SECOND = "the second password of alice"


def passwd(*options, present, pin, new=SECOND):
    return person.with_code("vault", "passwd", *options, password=present + "\n", pin=pin + "\n", new_password=new + "\n")


code, told = passwd(present="the password of alice", pin="000000")
assert code != 0 and "refused the PIN" in told["error"]["message"] and "Nothing was changed" in told["error"]["message"], told
code, told = passwd(present="not the password", pin=PIN)
assert code != 0 and "did not open" in told["error"]["message"], told
code, told = passwd("--slot", 1, present=PASSWORD, pin=PIN)
assert code != 0 and "no password with a kept share" in told["error"]["message"], told
code, told = passwd(present="the password of alice", pin=PIN)
assert code == 0, told
seals()
refused_with(3, "the password of alice", PIN, "did not open")
opens_with(3, SECOND, PIN)

say("a limit that asks for more stretches a kept slot's password at the next unlock")
before = slots()[3]["kdf"]
limits = os.path.join(WORK, "limits.json")
with open(limits, "w") as file:
    json.dump({**does("policy", "show")["policy"], "kdf_floor": {"memory_mib": 96, "passes": before[1] + 1}}, file)
code, told = person.with_code("policy", "set", limits)
assert code == 0, told
seals()
opens_with(3, SECOND, PIN)
assert slots()[3]["kdf"] == [max(96, before[0]), before[1] + 1] != before, (before, slots()[3])
seals()
opens_with(3, SECOND, PIN)
entries = does("audit", "list", "--last", 50)["entries"]
assert [entry["payload"]["slot"] for entry in entries if entry["kind"] == "password-changed"] == [3], entries
told = json.dumps(entries) + open(f"{DIR}/vault.srv", "rb").read().decode("latin1")
assert PIN not in told and SECOND not in told
daemon.stop()
verifies(person)
