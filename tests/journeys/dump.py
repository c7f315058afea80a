"""Dump test: through a whole session no planted secret is in any process's memory, or in any file, as an administrator and as another
process of the same user see them.

All programs run as an ordinary user. Each search is proven by a control: something that is there is found. What is found where it must not
be is gathered, and fails the story at its end, so that one run tells all.
"""
import json, resource
from nowhere import *

password, wrong, new_password, passphrase = (random_text() for _ in range(4))
label = f"label-{random_text()}"
planted.plant_all([("password", password), ("wrong password", wrong), ("new password", new_password), ("passphrase of a file", passphrase)])

bus_and_keyring = [ordinary.BUS.pid, keyring().pid]
venue = Venue()
theirs.append(venue.folder)
api_key, api_secret = (text.strip() for text in paper_key("trade", venue.folder))
next_key, pem = paper_key("ed25519", venue.folder)
refused_secret = random_text() + random_text()[:24]
vectors = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "keys", "binance_examples_rsa")
rsa_pem = open(vectors + ".pem").read()
# As HMAC takes it (RFC 2104).
padded = [(f"API secret under the {name} pad", bytes(byte ^ pad for byte in api_secret.encode())) for name, pad in (("inner", 0x36), ("outer", 0x5c))]
planted.plant_all([("API secret", api_secret), ("refused API secret", refused_secret), *padded, *forms_of_ed25519(pem), *forms_of_rsa(rsa_pem)])

say("the search finds each form in memory: in this process, which made them all")
if ROOT:
    seen = {(hit.secret, hit.form) for hit in planted.in_process(os.getpid())}
    assert seen == {(name, form) for name, form, _ in planted.forms}, {(name, form) for name, form, _ in planted.forms} - seen
    assert any(hit.secret == "API secret" for hit in planted.in_process(venue.process.pid))
assert planted.in_files([venue.folder], 0, None)

say("create")
daemon = Daemon(*venue.arguments(), up=False, stdout=told, stderr=told)
person = Person(password=password)
kit_and_seed = [*forms_of_kit(person.kit), ("TOTP seed", person.phone.key), ("TOTP seed's text", person.phone.text)]
planted.plant_all(kit_and_seed)
clean("create")
found(daemon.process.pid, "the profile's path", DIR)
found(daemon.child("strongroom-desk"), "the profile's path", DIR)
person.pins(venue)
daemon.until_up()

say("wrong password, while a session is open and on a sealed vault")
code, answer = person.unlock(wrong)
assert answer["error"]["code"] == "wrong-factor", answer
clean("a wrong password in a session")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
clean("the first seal", [*tree(), *bus_and_keyring])
eventually("the wait is over", lambda: person.unlock(wrong)[1]["error"]["code"] == "wrong-factor")
clean("a wrong password")

say("a prompt that asks: what was typed is found in it, and in nothing else")
time.sleep(2)
door, prompt, write = half_typed(daemon, wrong, "vault", "unlock")
found(prompt, "the beginning of what was typed", wrong[:-4])
clean("half a password was typed", tree(prompt))
say("  another process of the same user: a prompt that asks")
assert same_user(prompt) == [], same_user(prompt)
os.write(write, b"\n")
os.close(write)
assert door.wait(60) != 0
eventually("no prompt", lambda: gone([prompt]))
clean("half a wrong password")

say("unlock")
time.sleep(4)
eventually("the wait is over", lambda: person.unlock()[0] == 0)
clean("unlock")
signer, desk = daemon.child("strongroom-signer"), daemon.child("strongroom-desk")

say("import: a file for the walled reader, without anybody at a terminal")
env_file = os.path.join(GIVEN, "keys.env")
with open(env_file, "w") as file:
    file.write(f"BINANCE_API_KEY={api_key}\nBINANCE_API_SECRET={api_secret}\n")
ordinary.hand_over(env_file)
file, code = os.open(env_file, os.O_RDONLY), given(person.phone.code() + "\n")
imported = does("key", "import", "--label", label, "--file-fd", file, "--totp-fd", code, fds=(file, code))["key"]["id"]
clean("import")
for pid in (signer, desk):
    found(pid, "the API key's name", api_key)
    found(pid, "the label", label)

say("sign")
order = does(*buy())
assert order["fate"] == "filled", order
resting = rest_an_order()
does("order", "cancel", resting)
clean("signing")
found(desk, "an order's id", order["client_order_id"])

say("lock with an order live, and unlock")
resting = rest_an_order()
does("vault", "lock")
assert state() == "locked"
clean("lock")
person.unlocks()
does("balance"), does("key", "list"), does("audit", "list", "--last", 50)
clean("unlock of a session")

say("the signer's protected memory stands, and nobody reads it")
if ROOT:
    unread = []
    planted.in_process(signer, unread)
    kept = [(name, flags) for _, _, _, name, flags in mappings(signer) if "secretmem" in name or "lo" in flags.split()]
    say(f"  kept: {kept}; not even root read: {unread}")
    assert kept and all("secretmem" in name for name, _ in unread), (kept, unread)

say("another process of the same user")
bait = start("sleep", "600", env={"PLANTED": password}, stdout=subprocess.DEVNULL)
able = same_user(bait.pid)
say(f"  against an ordinary program it can: {', '.join(able)}")
if not os.path.exists("/proc/sys/kernel/yama/ptrace_scope") or open("/proc/sys/kernel/yama/ptrace_scope").read().strip() == "0":
    assert {"open mem", "process_vm_readv", "ptrace attach", "ptrace seize", *(["gcore"] if attack.GCORE else [])} <= set(able), able
for name, pid in (("desk", desk), ("supervisor", daemon.process.pid)):
    assert same_user(pid) == [], (name, same_user(pid))
assert same_user(signer) == [], same_user(signer)

say("a process that is killed leaves no core")
bait.kill()
a_core_is_left_by(signal.SIGSEGV, password)
for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
    signer = daemon.child("strongroom-signer")
    sends(signer, number)
    eventually("the signer ends", lambda: gone([signer]))
    assert not cores(), cores()
    clean(f"signal {number.name}")
    eventually("unlocked again", lambda: person.unlock()[0] == 0)
say("  while it derives a key")
signer = daemon.child("strongroom-signer")
fd = given(wrong + "\n")
door = start(f"{BIN}/strongroom", "--dir", DIR, "vault", "unlock", "--password-fd", fd, pass_fds=(fd,), stdout=told, stderr=told)
os.close(fd)
time.sleep(0.15)
sends(signer, signal.SIGABRT)
eventually("the signer ends", lambda: gone([signer]))
assert door.wait(10) != 0, "the door is told that nobody will answer"
assert not cores(), cores()
clean("a crash while a password was checked")
eventually("unlocked again", lambda: person.unlock()[0] == 0)

say("rotate to an Ed25519 key")
code, answer = person.with_code("key", "rotate", imported, key=next_key + "\n", secret=pem)
assert code == 0, answer
clean("rotation")
assert does("order", "place", "ETHUSDT", "sell", "--market", "--quantity", "0.1")["fate"] == "filled"
clean("signing with Ed25519")

say("rotate to an RSA key")
public = os.path.join(GIVEN, "rsa.pub.pem")
with open(public, "w") as file:
    file.write(open(vectors + ".pub.pem").read())
ordinary.hand_over(public)
rsa_key = does("paper", "--data-dir", venue.folder, "key", "make", "rsa", "--public-key", public)["of"]["api_key"]
code, answer = person.with_code("key", "rotate", answer["key"]["id"], key=rsa_key + "\n", secret=rsa_pem)
assert code == 0, answer
clean("rotation to RSA")
assert does("order", "place", "ETHUSDT", "sell", "--market", "--quantity", "0.1")["fate"] == "filled"
clean("signing with RSA")

say("a key leaves for somebody else, encrypted")
theirs = subprocess.run(["age-keygen", "-o", f"{WORK}/their.identity"], capture_output=True, text=True).stderr.split()[-1]
code, answer = person.with_code("key", "export", imported, "--to", theirs)
assert code == 0, answer
clean("export")
imported = does("key", "list")["keys"][0]["key"]["id"]

say("no memory left for the signer")
signer = daemon.child("strongroom-signer")
size = int(open(f"/proc/{signer}/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
as_the_user(lambda: resource.prlimit(signer, resource.RLIMIT_AS, (size, size)))
code, answer = person.unlock()
say(f"  it says: {answer.get('error', {}).get('message')}; it {'runs on' if runs(signer) else 'ended'}")
assert code != 0 and not cores(), (answer, cores())
clean("no memory")
if runs(signer):
    os.kill(signer, signal.SIGKILL)
eventually("another signer", lambda: daemon.child("strongroom-signer") != signer)

say("the desk crashes")
eventually("unlocked again", lambda: person.unlock()[0] == 0)
desk = daemon.child("strongroom-desk")
sends(desk, signal.SIGABRT)
eventually("the desk ends", lambda: gone([desk]))
time.sleep(1)
assert not cores(), cores()
clean("the desk's crash")

say("a door that cannot say what came of it panics")
eventually("the desk answers", lambda: cli("session")[0] == 0)
read, write = os.pipe()
os.close(read)
fd = given(wrong + "\n")
door = start(f"{BIN}/strongroom", "--dir", DIR, "vault", "unlock", "--password-fd", fd, pass_fds=(fd,), stdout=write, stderr=write)
os.close(fd), os.close(write)
say(f"  it ends with {door.wait(30)}")
clean("a door's panic")
time.sleep(1)
eventually("unlocked again", lambda: person.unlock()[0] == 0)

say("the walled reader at work: it holds the passphrase of a file, and nobody else but its prompt")
sealed = {"crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "1"}, "ciphertext": "00" * 32, "kdf": "pbkdf2", "mac": "00" * 32,
                     "kdfparams": {"c": 4_900_000, "dklen": 32, "prf": "hmac-sha256", "salt": "00" * 16}}, "version": 3}
field = json.dumps(sealed, separators=(",", ":")).encode().hex()
yml = os.path.join(GIVEN, "binance.yml")
with open(yml, "w") as file:
    file.write(f"connector: binance\n\nbinance_api_key: {field}\nbinance_api_secret: {field}\n")
ordinary.hand_over(yml)
file = os.open(yml, os.O_RDONLY)
unlocks_here(person.password)
door = Terminal("key", "import", "--label", (other_label := random_text()), "--file-fd", file, fds=(file,))
door.until("Code")
door.type(person.phone.code())
door.until("Passphrase")
door.type(passphrase)
door.until("Opening")
reader = eventually("the reader", lambda: next((pid for pid in tree() if b"--parse" in open(f"/proc/{pid}/cmdline", "rb").read()), None)) if ROOT else None
if ROOT:
    found(door.process.pid, "the label", other_label)
    eventually("the reader holds the passphrase", lambda: planted.only("passphrase of a file").in_process(reader))
    assert same_user(reader) == [], same_user(reader)
    clean("a file is being opened", tree(reader, daemon.child("strongroom-prompt")))
door.until("Passphrase")
clean("a wrong passphrase")
os.write(door.near, b"\x03")
assert door.process.wait(20) == -signal.SIGINT
eventually("no prompt", lambda: all(name_of(pid) != "strongroom-prompt" for pid in tree()))
clean("an import that was given up")

say("recover with the kit")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
clean("seal", [*tree(), *bus_and_keyring])
code, answer = person.recover(new_password)
assert code == 0, answer
clean("recovery")

say("rotate to a key that fails its test")
code, answer = person.with_code("key", "rotate", imported, key=paper_key("read", venue.folder)[0] + "\n", secret=refused_secret)
assert code == 5, answer
clean("a rotation that failed")

ends(daemon, *bus_and_keyring)
