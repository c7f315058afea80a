"""A world of its own for one journey: profile, keyring, real processes, a person with a phone. Leaves nothing running.

A journey is started by tests/tests/journeys.rs as `STORY.py BIN_DIR WORK_DIR`, inside a private session bus.
"""
import atexit, base64, ctypes, hashlib, hmac, json, os, re, select, shutil, signal, socket, ssl, struct, subprocess, sys, time
import urllib.error, urllib.parse, urllib.request
from decimal import Decimal

BIN, WORK = sys.argv[1:3]
DIR = os.path.join(WORK, "profile")
PASSWORD = "correct horse battery staple"
PR_SET_PDEATHSIG = 1
# As whom everything is started: more arguments for a process. Filled by ordinary.py.
AS = {}

signal.signal(signal.SIGTERM, lambda *_: sys.exit("the journey took too long"))
started = []
# What doors wrote.
written = []


def say(words):
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def start(*command, **more):
    """Starts a program that ends with this one, however this one ends."""
    def tie():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    process = subprocess.Popen(list(map(str, command)), preexec_fn=tie, **AS, **more)
    started.append(process)
    return process


@atexit.register
def end_all():
    for process in reversed(started):
        if process.poll() is None:
            process.kill()
            process.wait()


def where_it_stands(kind, failure, trace):
    """What the vault says when a journey fails: a seal that nobody asked for has its reason there."""
    sys.__excepthook__(kind, failure, trace)
    if kind is not SystemExit:
        done = subprocess.run([f"{BIN}/strongroom", "--dir", DIR, "vault", "status"], capture_output=True, text=True, timeout=10, **AS)
        print(f"the vault then: {done.stdout}{done.stderr}", file=sys.stderr, flush=True)


sys.excepthook = where_it_stands


def eventually(what, test, seconds=20):
    end = time.time() + seconds
    while True:
        found = test()
        if found:
            return found
        if time.time() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.1)


def keyring(*more, seconds=20):
    """A keyring of this journey alone, open."""
    process = start("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets", *more,
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process.stdin.write(b"pass")
    process.stdin.close()

    def keeps():
        owner = subprocess.run(["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
                                "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"], capture_output=True, **AS)
        return b"boolean true" in owner.stdout and subprocess.run(
            ["timeout", "5", "secret-tool", "store", "--label=journey", "strongroom", "journey"], input=b"kept",
            stderr=subprocess.DEVNULL, **AS).returncode == 0
    eventually("a keyring", keeps, seconds)
    return process


class Daemon:
    """strongroomd with its children."""

    def __init__(self, *arguments, dir=DIR, up=True, **more):
        self.dir = dir
        self.process = start(f"{BIN}/strongroomd", "--dir", dir, *(arguments or ["--paper"]), **more)
        eventually("the desk answers", lambda: cli("session", dir=dir)[0] == 0)
        if up:
            self.until_up()

    def until_up(self):
        eventually("the venue answers", lambda: cli("session", dir=self.dir)[1].get("lines", [{}])[0].get("up"))
        eventually("a book", lambda: cli("book", "BTCUSDT", dir=self.dir)[1].get("current"))

    def child(self, name):
        """Process id of the running child of this name."""
        def one():
            found = [pid for pid in self.children() if executable(pid) == name]
            return found[0] if len(found) == 1 else None
        return eventually(f"one {name}", one)

    def children(self):
        task = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in open(task).read().split()]

    def stop(self):
        code, told = cli("stop", dir=self.dir)
        assert code == 0, told
        assert self.process.wait(15) == 0


def cli(*arguments, fds=(), dir=DIR, timeout=100):
    """Exit code and JSON of one command."""
    done = subprocess.run([f"{BIN}/strongroom", "--dir", dir, "--json", *map(str, arguments)],
                          pass_fds=fds, capture_output=True, text=True, timeout=timeout, **AS)
    for fd in fds:
        os.close(fd)
    written.append(done.stdout + done.stderr)
    assert done.returncode in range(6), (arguments, done)
    text = done.stdout.strip()
    return done.returncode, json.loads(text) if text else {}


def does(*arguments, **more):
    """A command that must succeed; its JSON."""
    code, told = cli(*arguments, **more)
    assert code == 0, (arguments, code, told)
    return told


def fails(code, name, *arguments, **more):
    """A command that must fail with this exit code and error name; its message."""
    found, told = cli(*arguments, **more)
    assert (found, told.get("error", {}).get("code")) == (code, name), (arguments, found, told)
    return told["error"]["message"]


def pipe():
    """Two ends that belong to whoever everything is started as: programs open them again by name."""
    ends = os.pipe()
    if AS:
        os.fchown(ends[0], AS["user"], AS["group"])
    return ends


def given(text):
    """A descriptor from which a program reads this."""
    read, write = pipe()
    os.write(write, text.encode())
    os.close(write)
    return read


class Authenticator:
    """What a person's phone does; every step is used once."""

    def __init__(self, uri):
        secret = re.search(r"secret=([A-Z2-7]+)", uri).group(1)
        self.text = secret
        self.key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        # The step before the present one is still good: three codes can be given without a wait.
        self.used = int(time.time() // 30) - 2

    def code(self, step=None):
        if step is None:
            step = max(int(time.time() // 30), self.used + 1)
            while step > int(time.time() // 30) + 1:
                time.sleep(0.2)
            self.used = step
        mac = hmac.new(self.key, struct.pack(">Q", step), hashlib.sha1).digest()
        at = mac[-1] & 15
        return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


class Person:
    """Knows password, kit and phone of a vault."""

    def __init__(self, dir=DIR, password=PASSWORD):
        self.dir, self.password = dir, password
        password, group, code = given(password + "\n"), pipe(), pipe()
        kit, uri = pipe(), pipe()
        command = [f"{BIN}/strongroom", "--dir", dir, "--json", "vault", "create", "--kdf-memory", "64",
                   "--password-fd", password, "--kit-out-fd", kit[1], "--kit-fd", group[0], "--totp-out-fd", uri[1], "--totp-fd", code[0]]
        door = start(*command, pass_fds=(password, kit[1], group[0], uri[1], code[0]), stdout=subprocess.PIPE, text=True)
        for fd in (kit[1], uri[1], group[0], code[0], password):
            os.close(fd)
        self.kit = os.read(kit[0], 4096).decode().strip()
        assert self.kit, door.communicate(timeout=60)
        os.write(group[1], (self.kit.split()[-1] + "\n").encode())
        self.phone = Authenticator(os.read(uri[0], 4096).decode())
        os.write(code[1], (self.phone.code() + "\n").encode())
        told = json.loads(door.communicate(timeout=60)[0])
        assert door.returncode == 0, told
        self.log_key = f"{dir}.pub"
        with open(self.log_key, "w") as file:
            file.write(told["log_key"] + "\n")

    def unlock(self, password=None):
        fd = given((password or self.password) + "\n")
        return cli("vault", "unlock", "--password-fd", fd, fds=(fd,), dir=self.dir)

    def unlocks(self):
        code, told = self.unlock()
        assert code == 0, told

    def recover(self, password, kit=None):
        kit, password = given((kit or self.kit) + "\n"), given(password + "\n")
        return cli("vault", "recover", "--kit-fd", kit, "--password-fd", password, fds=(kit, password), dir=self.dir)

    def restore(self, generation, password):
        kit, fd = given(self.kit + "\n"), given(password + "\n")
        return cli("vault", "restore", generation, "--kit-fd", kit, "--password-fd", fd, fds=(kit, fd), dir=self.dir)

    def pins(self, venue):
        """Trusts the key that the venue shows."""
        eventually("the venue shows its key", lambda: venue.facts["spki_sha256"] in (does("session", dir=self.dir)["lines"][0]["trouble"] or ""))
        code, told = self.with_code("pin", "accept", venue.host, venue.facts["spki_sha256"])
        assert code == 0, told

    def with_code(self, *arguments, code=None, **more):
        """Runs a command that needs a code, and other descriptors by name."""
        texts = {"totp": (code or self.phone.code()) + "\n", **more}
        fds = {f"--{name.replace('_', '-')}-fd": given(text) for name, text in texts.items()}
        return cli(*arguments, *[word for pair in fds.items() for word in pair], fds=tuple(fds.values()), dir=self.dir)

    def with_print(self, *arguments, out, back, **more):
        """Runs a command that needs a code and shows a printed one, whose last group is typed back; gives what was shown."""
        texts = {"totp": self.phone.code() + "\n", **more}
        fds = {f"--{name.replace('_', '-')}-fd": given(text) for name, text in texts.items()}
        shown, group = os.pipe(), os.pipe()
        words = [word for pair in fds.items() for word in pair]
        door = start(f"{BIN}/strongroom", "--dir", self.dir, "--json", *arguments, *words, f"--{out}-fd", shown[1], f"--{back}-fd", group[0],
                     pass_fds=(*fds.values(), shown[1], group[0]), stdout=subprocess.PIPE, text=True)
        for fd in (*fds.values(), shown[1], group[0]):
            os.close(fd)
        text = os.read(shown[0], 4096).decode().strip()
        if text:
            os.write(group[1], (text.split()[-1] + "\n").encode())
        told = json.loads(door.communicate(timeout=60)[0])
        for fd in (shown[0], group[1]):
            os.close(fd)
        return door.returncode, told, text

    def imports(self, label, paper_dir=None, key="trade"):
        api_key, secret = paper_key(key, paper_dir or f"{self.dir}/paper")
        code, told = self.with_code("key", "import", "--label", label, key=api_key + "\n", secret=secret)
        assert code == 0, told
        return told["key"]["id"]


def trades_at(venue):
    """A daemon at that venue, and a person whose key it has."""
    keyring()
    daemon = Daemon(*venue.arguments(), up=False)
    person = Person()
    person.pins(venue)
    daemon.until_up()
    person.imports("paper", venue.folder)
    return daemon, person


def connect(name, kind):
    link = socket.socket(socket.AF_UNIX, kind)
    link.settimeout(10)
    link.connect(f"{DIR}/run/{name}.sock")
    return link


def ask_raw(line):
    """What the desk answers to one raw line; empty: it hung up."""
    with connect("desk", socket.SOCK_STREAM) as link:
        try:
            link.sendall(line + b"\n")
            return link.makefile().readline()
        except OSError:
            return ""


def fill(ballast):
    """Takes all the room that the file system of a file has."""
    with open(ballast, "wb", 0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError as error:
            assert error.errno == 28, error


def paper_key(label, folder=f"{DIR}/paper"):
    keys = json.load(open(f"{folder}/keys.json"))
    key = next(key for key in keys if key["label"] == label)
    return key["api_key"], open(os.path.join(folder, os.path.basename(key["secret_file"]))).read()


class Venue:
    """A paper venue in a process of its own that fails on demand, seen with a stranger's eyes."""

    def __init__(self, folder=None, port=None, *more):
        self.folder = folder or os.path.join(WORK, "venue")
        self.process = start(f"{BIN}/faulty_venue", self.folder, *([port] if port else []), *more,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = json.loads(self.process.stdout.readline())
        self.port = urllib.parse.urlsplit(self.facts["rest_url"]).port
        self.host = f"127.0.0.1:{self.port}"
        self.tls = ssl.create_default_context(cafile=self.facts["ca_file"])

    def wish(self, **wish):
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def plan(self, fault, count=1, method="POST", path="/api/v3/order"):
        self.wish(plan={"fault": fault, "count": count, "method": method, "path": path})

    def arguments(self):
        return ["--venue-url", self.facts["rest_url"], "--venue-stream-url", self.facts["ws_url"], "--venue-ca", self.facts["ca_file"]]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(15)

    def read(self, path, **params):
        """A signed read with the venue's own secret: the truth, past Strongroom."""
        return self.signed("GET", path, **params)

    def signed(self, method, path, **params):
        """What another program that has the key asks for."""
        api_key, secret = paper_key("trade", self.folder)
        params["timestamp"] = json.load(urllib.request.urlopen(self.facts["rest_url"] + "/api/v3/time", context=self.tls))["serverTime"]
        query = urllib.parse.urlencode(params)
        signature = hmac.new(secret.strip().encode(), query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.facts['rest_url']}{path}?{query}&signature={signature}", headers={"X-MBX-APIKEY": api_key},
                                         method=method)
        try:
            return json.load(urllib.request.urlopen(request, context=self.tls))
        except urllib.error.HTTPError as error:
            return json.load(error)

    def trades(self, symbol="BTCUSDT"):
        return self.read("/api/v3/myTrades", symbol=symbol)

    def bought_since(self, before):
        """The quantity of all trades after those in `before`, exactly: an order may be filled in any number of parts."""
        return sum((Decimal(trade["qty"]) for trade in self.trades()[len(before):]), Decimal(0))


def verify(person, *arguments):
    """Exit code and words of the offline verification."""
    done = subprocess.run([f"{BIN}/strongroom-audit", "verify", f"{person.dir}/desk.db", "--key", person.log_key, *arguments],
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def verifies(person):
    # 4: whole, but the newest entries are younger than the newest seal.
    code, words = verify(person)
    assert code in (0, 4), words


def best_bid():
    return float(does("book", "BTCUSDT", "--depth", 1)["bids"][0]["price"])


def buy(quantity="0.01", *more):
    return ("order", "place", "BTCUSDT", "buy", "--market", "--quantity", quantity, *more)


def rest_an_order():
    order = does("order", "place", "BTCUSDT", "buy", "--limit", int(best_bid() * 0.97), "--quantity", "0.01")
    assert order["fate"] == "working", order
    return order["client_order_id"]


def live_orders():
    return [order["client_order_id"] for order in does("order", "list")["orders"]]


def state():
    return does("vault", "status")["state"]


def gone(pids):
    return not any(runs(pid) for pid in pids)


def runs(pid):
    """Whether a process lives; one that has ended and waits for its parent does not, unless a thread of it still holds files."""
    try:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return fields[0] not in "ZX" or int(fields[17]) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def executable(pid):
    """Name of the file a process runs; None once it has ended."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        # It hides that from others; how it was called is not hidden.
        return os.path.basename(open(f"/proc/{pid}/cmdline").read().split("\0")[0])


def readable(pid):
    """Every byte of a process's memory that is there and can be read."""
    with open(f"/proc/{pid}/mem", "rb", 0) as memory, open(f"/proc/{pid}/pagemap", "rb", 0) as pages:
        for line in open(f"/proc/{pid}/maps"):
            span, rights = line.split()[:2]
            if rights[0] != "r" or "[v" in line:
                continue
            begin, end = (int(at, 16) for at in span.split("-"))
            for at, size in there(pages, begin, end):
                try:
                    memory.seek(at)
                    yield memory.read(size)
                except (OSError, OverflowError):
                    continue


def there(pages, begin, end, page=4096, most=16_384):
    """Spans of a mapping that have pages: web engines reserve far more than they use."""
    span = None
    for at in range(begin, end, most * page):
        count = min(most, (end - at) // page)
        pages.seek(at // page * 8)
        entries = pages.read(count * 8)
        if not any(entries):
            if span:
                yield span
            span = None
        else:
            # A little more than is there does no harm; the overlap finds what lies across two spans.
            span = (span[0], span[1] + count * page) if span else (at, count * page)
            if span[1] > 256 * 1024 * 1024:
                yield span
                span = (at + (count - 1) * page, page)
    if span:
        yield span


def found_in_memory(pid, needles):
    """Names of the needles (bytes by name) that a process's memory holds."""
    left = dict(needles)
    for data in readable(pid):
        for name in [name for name, needle in left.items() if needle in data]:
            del left[name]
    return sorted(set(needles) - set(left))


MODULE = "/usr/lib/softhsm/libsofthsm2.so"
TOKENS, TOKENS_CONF = f"{WORK}/tokens", f"{WORK}/softhsm2.conf"
TOKENS_SETTINGS = f"directories.tokendir = {TOKENS}\nobjectstore.backend = file\nlog.level = ERROR\n"


def soft_token(label, pin):
    """A fresh token in software, of whoever everything is started as; programs that are started later find it."""
    os.makedirs(TOKENS, 0o700)
    with open(TOKENS_CONF, "w") as file:
        file.write(TOKENS_SETTINGS)
    if AS:
        for path in (TOKENS, TOKENS_CONF):
            os.chown(path, AS["user"], AS["group"])
    os.environ["SOFTHSM2_CONF"] = TOKENS_CONF
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "12345678"],
                   check=True, capture_output=True, **AS)


class KeyServer:
    """A strict key server, written from HashiCorp's documentation: no real one is available here."""

    def __init__(self, token):
        self.process = start(f"{BIN}/strict_transit", WORK, token, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = json.loads(self.process.stdout.readline())

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["requests"]
