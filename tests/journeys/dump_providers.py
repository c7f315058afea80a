"""Dump test of the key providers: PIN, server's token and the share itself are nowhere but in the provider at work, and after it nowhere
outside the signer's protected memory; after the seal nowhere at all.

A token's provider is stopped by a configuration that is a pipe, a server's by an answer whose last byte does not come. Shares are random:
the story learns each by asking a provider of its own, as the signer would. A provider that is killed in the middle of it leaves nothing.
"""
import hashlib

from nowhere import *

password, passwords = random_text(), {3: random_text(), 4: random_text()}
pin, wrong_pin, token, wrong_token = (random_text() for _ in range(4))
planted.plant_all([("password", password), *((f"password of slot {slot}", text) for slot, text in passwords.items()), ("PIN", pin),
                   ("wrong PIN", wrong_pin), ("server's token", token), ("wrong token", wrong_token)])

soft_token("desk", pin)

bus_and_keyring = [ordinary.BUS.pid, keyring().pid]
daemon = Daemon("--paper", stdout=told, stderr=told)
person = Person(password=password)
planted.plant_all([*forms_of_kit(person.kit), ("TOTP seed", person.phone.key), ("TOTP seed's text", person.phone.text)])
server = start(f"{BIN}/strict_transit", ordinary.folder("server"), token, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
facts = json.loads(server.stdout.readline())


def tell(word):
    server.stdin.write(word + "\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())


def door(*arguments, **texts):
    """A command that is not waited for; texts go to descriptors by name."""
    fds = {f"--{name.replace('_', '-')}-fd": given(text + "\n") for name, text in texts.items()}
    words = [word for pair in fds.items() for word in pair]
    process = start(f"{BIN}/strongroom", "--dir", DIR, "--json", *arguments, *words, pass_fds=tuple(fds.values()), stdout=subprocess.PIPE, text=True)
    for fd in fds.values():
        os.close(fd)
    return process


def ended(process):
    """Exit code and JSON of it."""
    text = process.communicate(timeout=60)[0]
    written.append(text)
    return process.returncode, json.loads(text)


def unlock(slot, its_pin):
    return door("vault", "unlock", "--slot", slot, password=passwords[slot], pin=its_pin)


def refused(slot, its_pin):
    def answer():
        code, answer = ended(unlock(slot, its_pin))
        return answer["error"] if code and answer["error"]["code"] != "wait" else None
    assert eventually("it is looked at", answer, 60)["code"] == "wrong-factor"


def no_provider():
    eventually("no provider", lambda: "strongroom-provider" not in [executable(pid) for pid in daemon.children()])


class Pipe:
    """SoftHSM's configuration, which nobody writes yet: who loads the module waits in it."""

    def __enter__(self):
        os.rename(TOKENS_CONF, TOKENS_CONF + ".away")
        os.mkfifo(TOKENS_CONF)
        ordinary.hand_over(TOKENS_CONF)
        return self

    def __exit__(self, *_):
        """Whoever waits reads the settings, or has ended."""
        os.rename(TOKENS_CONF, TOKENS_CONF + ".read")
        os.rename(TOKENS_CONF + ".away", TOKENS_CONF)
        file = os.open(TOKENS_CONF + ".read", os.O_RDWR | os.O_NONBLOCK)
        os.write(file, TOKENS_SETTINGS.encode())
        time.sleep(0.5)
        os.close(file)
        os.remove(TOKENS_CONF + ".read")


def seals(step):
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")
    clean(step, [*tree(), *bus_and_keyring])


def slot_details():
    """The vault's id, and by slot the bytes that say who keeps its share; see docs/vault-format.md."""
    file = open(f"{DIR}/vault.srv", "rb").read()
    fields, at = {}, 16
    while at < 16 + int.from_bytes(file[12:16], "big"):
        tag, size = struct.unpack_from(">HI", file, at)
        fields[tag], at = file[at + 6:at + 6 + size], at + 6 + size
    details, at, found = fields[1], 2, {}
    for _ in range(int.from_bytes(details[:2], "big")):
        slot, at = int.from_bytes(details[at:at + 2], "big"), at + 2
        for _ in range(3):
            size = int.from_bytes(details[at:at + 2], "big")
            found[slot], at = details[at + 2:at + 2 + size], at + 2 + size
    return fields[0x8001], found


def of_cbor(kind, content):
    """A string of bytes (RFC 8949)."""
    size = len(content)
    head = bytes([kind + size]) if size < 24 else bytes([kind + 24, size]) if size < 256 else bytes([kind + 25]) + struct.pack(">H", size)
    return head + content


def version():
    """The beginning of a SHA-256 of the sources of all messages, each name and text behind its length; see docs/signer.md."""
    digest = hashlib.sha256()

    def add(root, below):
        for entry in sorted(os.scandir(root + below), key=lambda entry: entry.name.encode()):
            path = f"{below}/{entry.name}"
            if entry.is_dir():
                add(root, path)
            elif path.endswith(".rs") and not entry.name.startswith("."):
                for part in (path.encode(), open(entry.path, "rb").read()):
                    digest.update(struct.pack("<Q", len(part)) + part)

    for crate in ("model", "guard", "signer-api"):
        add(f"{os.path.dirname(os.path.abspath(__file__))}/../../crates/{crate}/src", "")
    return struct.unpack(">I", digest.digest()[:4])[0]


def frame(kind, message, tail):
    """As provider and signer say it; see docs/signer.md. The number is that of a first one."""
    return struct.pack("<IHQI", version(), kind, 1, len(tail)) + message + tail


def learns_share(slot, its_pin):
    """What the keeper gives to a provider that this story started: the story is its supervisor and its signer."""
    vault, providers = slot_details()
    supervisor, its_supervisor = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    signer, its_signer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = start(f"{BIN}/strongroom-provider", stdin=its_supervisor, stdout=subprocess.DEVNULL, stderr=told)
    socket.send_fds(supervisor, [b"P"], [its_signer.fileno()])
    to_provider, from_provider, octets, share_answer = 7, 8, 0x40, b"\x01"
    # Whether it wraps, which vault, and the account of where the share is: by their numbers.
    fields = (b"\xf4", of_cbor(octets, vault), of_cbor(octets, providers[slot]))
    asked = b"\xa3" + b"".join(bytes([number]) + value for number, value in enumerate(fields))
    signer.send(frame(to_provider, asked, its_pin.encode()))
    its_signer.close()
    signer.settimeout(20)
    answer, share = signer.recv(65536), 32
    assert answer[:-share] == frame(from_provider, share_answer, bytes(share))[:-share] and process.wait(20) == 0, answer[:-share]
    planted.plant(f"share of slot {slot}", answer[-share:])
    if ROOT:
        assert planted.only(f"share of slot {slot}").in_process(os.getpid()), "the control is not found"


def looked_at(what, *held):
    """A provider at work: what it must hold is found in it, nothing in anything else, and nobody of the same user gets in."""
    provider = daemon.child("strongroom-provider")
    holds(provider, *held)
    sends(provider, signal.SIGSTOP)
    clean(f"{what}, while its provider works", tree(provider))
    assert same_user(provider) == [], same_user(provider)
    sends(provider, signal.SIGCONT)


say("a token becomes a way in; its provider holds the PIN, and ends with it")
with Pipe():
    adding = door("vault", "add-slot", "token", "--label", "alice", "--module", MODULE, "--token", "desk",
                  totp=person.phone.code(), new_password=passwords[3], pin=pin)
    looked_at("a token is asked to keep a share", "PIN")
code, answer = ended(adding)
assert code == 0, answer
no_provider()
learns_share(3, pin)
clean("a token became a way in")

say("a key server becomes a way in")
adding = door("vault", "add-slot", "transit", "--label", "bob", "--ca", facts["ca_file"], "--address", facts["address"], "--key", "strongroom",
              totp=person.phone.code(), new_password=passwords[4], pin=token)
code, answer = ended(adding)
assert code == 0, answer
no_provider()
learns_share(4, token)
clean("a key server became a way in")
seals("the first seal")

say("wrong PIN, wrong token")
refused(3, wrong_pin)
no_provider()
clean("a wrong PIN")
refused(4, wrong_token)
no_provider()
clean("a wrong token")
person.unlock()
seals("a seal after a right password")

say("a provider that ends in the middle of it: no core, nothing left behind, and the vault stays closed")
# No handler of the language takes these; one would only interrupt what the provider waits for.
for number in (signal.SIGABRT, signal.SIGILL, signal.SIGQUIT):
    a_core_is_left_by(number, pin)
    with Pipe():
        process = unlock(3, pin)
        provider = daemon.child("strongroom-provider")
        holds(provider, "PIN")
        falls(provider, number)
        code, answer = ended(process)
        assert code != 0 and "error" in answer, answer
    no_provider()
    assert not cores() and state() == "sealed", (cores(), state())
    clean(f"a provider's {number.name}")

say("unlock with the token: PIN and share are nowhere after it")
with Pipe():
    process = unlock(3, pin)
    looked_at("unlock with a token", "PIN")
code, answer = ended(process)
assert code == 0, answer
no_provider()
clean("unlock with a token")
assert state() == "unlocked"
seals("a seal after a token")

say("unlock with the key server: its answer but for the last byte is there, and so is the share, in the provider alone")
tell("hold")
process = unlock(4, token)
looked_at("unlock with a key server", "server's token", "share of slot 4")
tell("release")
code, answer = ended(process)
assert code == 0, answer
no_provider()
clean("unlock with a key server")

ends(daemon, *bus_and_keyring)
