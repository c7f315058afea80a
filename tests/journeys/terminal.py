"""Journeys in the terminal, on the real processes and a real keyring. Started by tests/tests/journeys.rs.

Usage: terminal.py BIN_DIR WORK_DIR, inside a private session bus with an unlocked keyring.
"""
import base64, hashlib, hmac, json, os, re, signal, struct, subprocess, sys, time

BIN, WORK = sys.argv[1:3]
DIR = os.path.join(WORK, "profile")
PASSWORD = "correct horse battery staple"


def say(words):
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


class Daemon:
    def __init__(self):
        self.process = subprocess.Popen([f"{BIN}/strongroomd", "--dir", DIR, "--paper"])
        for _ in range(200):
            code, out = cli("session")
            if code == 0 and out["lines"] and out["lines"][0]["up"] and cli("book", "BTCUSDT")[0] == 0:
                return
            time.sleep(0.1)
        raise AssertionError(f"the daemon does not come up: {code} {out}")

    def stop(self):
        assert cli("stop")[0] == 0
        assert self.process.wait(15) == 0


def cli(*arguments, fds=()):
    done = subprocess.run([f"{BIN}/strongroom", "--dir", DIR, "--json", *map(str, arguments)],
                          pass_fds=fds, capture_output=True, text=True, timeout=100)
    text = done.stdout.strip()
    return done.returncode, json.loads(text) if text else {}


def given(text):
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    return read


class Authenticator:
    """What a person's phone does; every step is used once."""

    def __init__(self, uri):
        secret = re.search(r"secret=([A-Z2-7]+)", uri).group(1)
        self.key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.used = 0

    def code(self, step=None):
        if step is None:
            step = max(int(time.time() // 30), self.used + 1)
            while step > int(time.time() // 30) + 1:
                time.sleep(0.2)
            self.used = step
        mac = hmac.new(self.key, struct.pack(">Q", step), hashlib.sha1).digest()
        at = mac[-1] & 15
        return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def create_vault():
    password, group, code = given(PASSWORD + "\n"), os.pipe(), os.pipe()
    kit, uri = os.pipe(), os.pipe()
    command = [f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "create", "--kdf-memory", "64",
               "--password-fd", password, "--kit-out-fd", kit[1], "--kit-fd", group[0], "--totp-out-fd", uri[1], "--totp-fd", code[0]]
    door = subprocess.Popen(list(map(str, command)), pass_fds=(password, kit[1], group[0], uri[1], code[0]), stdout=subprocess.PIPE, text=True)
    os.close(kit[1]), os.close(uri[1])
    text = os.read(kit[0], 4096).decode()
    os.write(group[1], (text.split()[-1] + "\n").encode())
    phone = Authenticator(os.read(uri[0], 4096).decode())
    os.write(code[1], (phone.code() + "\n").encode())
    told = json.loads(door.communicate(timeout=60)[0])
    assert door.returncode == 0, told
    with open(f"{WORK}/log.pub", "w") as file:
        file.write(told["log_key"] + "\n")
    return phone, text


def with_code(phone, *arguments, **more):
    fds = {"--totp-fd": given(phone.code() + "\n"), **{name: given(text) for name, text in more.items()}}
    return cli(*arguments, *[word for pair in fds.items() for word in pair], fds=tuple(fds.values()))


def paper_key(label):
    keys = json.load(open(f"{DIR}/paper/keys.json"))
    key = next(key for key in keys if key["label"] == label)
    return key["api_key"], open(os.path.join(DIR, "paper", os.path.basename(key["secret_file"]))).read()


def unlock(password=PASSWORD):
    fd = given(password + "\n")
    return cli("vault", "unlock", "--password-fd", fd, fds=(fd,))


def verify():
    done = subprocess.run([f"{BIN}/strongroom-audit", "verify", f"{DIR}/desk.db", "--key", f"{WORK}/log.pub"], capture_output=True, text=True)
    assert done.returncode in (0, 4), f"{done.returncode}\n{done.stdout}{done.stderr}"


def child(name):
    found = subprocess.run(["pgrep", "-f", "-x", f"{BIN}/{name}( .*)?"], capture_output=True, text=True).stdout.split()
    found = [pid for pid in found if DIR in open(f"/proc/{pid}/cmdline").read() or name == "strongroom-signer"]
    own = [pid for pid in found if parent(pid) == daemon.process.pid]
    assert len(own) == 1, (name, found)
    return int(own[0])


def parent(pid):
    return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])


def eventually(what, test, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if test():
            return
        time.sleep(0.1)
    raise AssertionError(f"never: {what}")


def rest_an_order():
    best = float(cli("book", "BTCUSDT", "--depth", 1)[1]["bids"][0]["price"])
    code, order = cli("order", "place", "BTCUSDT", "buy", "--limit", int(best * 0.97), "--quantity", "0.01")
    assert code == 0 and order["fate"] == "working", order
    return order["client_order_id"]


say("nothing runs yet")
assert cli("session")[0] == 3
daemon = Daemon()
assert cli("vault", "status")[1]["state"] == "missing"
assert cli("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.01")[0] == 5

say("first use to fill")
phone, kit = create_vault()
second = subprocess.run([f"{BIN}/strongroomd", "--dir", DIR, "--paper"], capture_output=True, text=True)
assert second.returncode == 1 and "another strongroomd" in second.stderr, second
api_key, secret = paper_key("trade")
code, told = with_code(phone, "key", "import", "--label", "paper", **{"--key-fd": api_key + "\n", "--secret-fd": secret})
assert code == 0, told
key_id = told["key"]["id"]
eventually("a book", lambda: cli("book", "BTCUSDT")[1].get("current"))
code, order = cli("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.01")
assert code == 0 and order["fate"] == "filled" and order["filled"] == "0.01" and order["fills"], order
resting = rest_an_order()
assert [order["client_order_id"] for order in cli("order", "list")[1]["orders"]] == [resting]
code, order = cli("order", "cancel", resting)
assert code == 0 and order["fate"] == "canceled", order
assert cli("order", "list")[1]["orders"] == []
code, told = cli("order", "place", "BTCUSDT", "buy", "--limit", "50000", "--quantity", "2")
assert code == 1 and "maximum quantity" in json.dumps(told) and "nothing was sent" in json.dumps(told), told
session = cli("session")[1]
assert session["state"] == "unlocked" and session["lines"][0]["tls"] == "TLSv1_3" and session["limits"], session
kinds = [entry["kind"] for entry in cli("audit", "list", "--last", 50)[1]["entries"]]
assert {"vault-created", "key-imported", "order-intended", "order-reported"} <= set(kinds), kinds
assert cli("balance")[1]["balances"]
verify()

if not os.environ.get("STRONGROOM_LONG"):
    daemon.process.kill()
    daemon.process.wait()
    sys.exit(0)

say("a code is not accepted twice")
fd = given(phone.code(phone.used) + "\n")
code, told = cli("key", "delete", key_id, "--totp-fd", fd, fds=(fd,))
assert code in (1, 5) and told["error"]["code"] == "wrong-factor", told

say("seal, wrong password, unlock")
assert cli("vault", "lock")[0] == 0
eventually("sealed", lambda: cli("vault", "status")[1]["state"] == "sealed")
code, told = unlock("not the password")
assert code == 5 and told["error"]["code"] == "wrong-factor", told
time.sleep(1.2)
assert unlock()[0] == 0
assert cli("vault", "status")[1]["state"] == "unlocked"

say("kill -9 of the signer is a seal")
os.kill(child("strongroom-signer"), signal.SIGKILL)
eventually("sealed", lambda: cli("vault", "status")[1]["state"] == "sealed")
assert cli("vault", "status")[1]["because"] == "the signer crashed"
assert unlock()[0] == 0

say("kill -9 of the desk loses nothing recorded")
before = {order["client_order_id"] for order in cli("order", "list", "--all")[1]["orders"]}
os.kill(child("strongroom-desk"), signal.SIGKILL)
eventually("the desk is back", lambda: cli("session")[0] == 0 and cli("session")[1]["lines"][0]["up"])
assert {order["client_order_id"] for order in cli("order", "list", "--all")[1]["orders"]} == before
eventually("a book", lambda: cli("book", "BTCUSDT")[1].get("current"))
assert cli("vault", "status")[1]["state"] == "unlocked"
verify()

say("kill with the desk hung")
resting = rest_an_order()
hung = child("strongroom-desk")
os.kill(hung, signal.SIGSTOP)
code, told = cli("kill", "--why", "a journey")
assert code == 0, told
eventually("the desk is replaced", lambda: not os.path.exists(f"/proc/{hung}") or child("strongroom-desk") != hung, 30)
eventually("the desk is back", lambda: cli("session")[0] == 0 and cli("session")[1]["lines"][0]["up"])
assert cli("session")[1]["killed"], cli("session")
eventually("a book", lambda: cli("book", "BTCUSDT")[1].get("current"))
code, told = cli("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.01")
assert code == 5 and "kill" in json.dumps(told), told
eventually("nothing rests", lambda: cli("order", "list")[1]["orders"] == [], 40)

say("re-arm with a code")
code, told = with_code(phone, "rearm")
assert code == 0, told
code, order = cli("order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.01")
assert code == 0 and order["fate"] == "filled", order

say("rotate to an Ed25519 key")
api_key, secret = paper_key("ed25519")
code, told = with_code(phone, "key", "rotate", key_id, **{"--key-fd": api_key + "\n", "--secret-fd": secret})
assert code == 0, told
keys = cli("key", "list")[1]["keys"]
assert [(key["key"]["scheme"], key["key"]["active"]) for key in keys] == [("ed25519", True)], keys
code, order = cli("order", "place", "ETHUSDT", "sell", "--market", "--quantity", "0.1")
assert code == 0 and order["fate"] == "filled", order

say("kill -9 of the supervisor leaves no orphan")
pids = [child("strongroom-desk"), child("strongroom-signer")]
daemon.process.kill()
daemon.process.wait()
eventually("all are gone", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))
daemon = Daemon()
assert unlock()[0] == 0
verify()

say("planted secrets are in no file of the profile and not in the desk's memory")
needles = [PASSWORD.encode(), paper_key("trade")[1].encode(), phone.key, base64.b32encode(phone.key).rstrip(b"="), kit.strip().encode()]
for folder, folders, files in os.walk(DIR):
    if os.path.basename(folder) == "paper":
        continue
    for name in files:
        data = open(os.path.join(folder, name), "rb").read()
        assert not any(needle in data for needle in needles), name


def memory_has(pid, needle):
    found = False
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in open(f"/proc/{pid}/maps"):
            span, rights = line.split()[:2]
            if rights[0] != "r" or "[v" in line:
                continue
            begin, end = (int(at, 16) for at in span.split("-"))
            try:
                memory.seek(begin)
                found = found or needle in memory.read(end - begin)
            except (OSError, OverflowError):
                continue
    return found


control = subprocess.Popen([sys.executable, "-c", f"x = {PASSWORD!r}; import time; time.sleep(60)"])
time.sleep(0.5)
try:
    if memory_has(control.pid, PASSWORD.encode()):
        for pid in (child("strongroom-desk"), daemon.process.pid):
            for needle in (PASSWORD.encode(), phone.key, base64.b32encode(phone.key), kit.strip().encode()):
                assert not memory_has(pid, needle), pid
    else:
        raise AssertionError("the search does not find its control")
finally:
    control.kill()
    control.wait()

daemon.stop()
verify()
say("all journeys ended well")
