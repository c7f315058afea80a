"""Work on the vault that is cut off: a new key twice, a new password, two first vaults at once; and a backup that is all another computer has."""
from world import *

keyring()
daemon = Daemon("--paper", up=False)


def first_vault():
    """A `vault create` that has shown its kit and waits for a part of it."""
    password, kit, uri, group, code = given(PASSWORD + "\n"), pipe(), pipe(), pipe(), pipe()
    door = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "create", "--kdf-memory", "64", "--password-fd", password, "--kit-out-fd", kit[1],
                 "--kit-fd", group[0], "--totp-out-fd", uri[1], "--totp-fd", code[0], pass_fds=(password, kit[1], group[0], uri[1], code[0]),
                 stdout=subprocess.PIPE, text=True)
    for fd in (password, kit[1], uri[1], group[0], code[0]):
        os.close(fd)
    return door, os.read(kit[0], 4096).decode().strip(), group[1], uri[0], code[1]


def kept():
    """Names of what the keychain keeps for vaults."""
    found = subprocess.run(["secret-tool", "search", "--all", "service", "strongroom"], capture_output=True, errors="replace")
    return sorted(re.findall(r"attribute\.username = (\S+)", found.stdout + found.stderr))


def ino():
    return os.stat(f"{DIR}/vault.srv").st_ino


def killed_as_it_is_saved(who, door):
    """Ends a process by force as soon as the vault's file is another one."""
    pid, before, begun = daemon.child(who), ino(), time.time()
    yield
    while ino() == before:
        assert time.time() - begun < 60, "it was never saved"
    os.kill(pid, signal.SIGKILL)
    told = json.loads(door.communicate(timeout=60)[0])
    eventually("the desk answers", lambda: cli("session")[0] == 0)
    yield told


def unlocks(password):
    def told():
        code, answer = person.unlock(password)
        return code == 0 or None if code == 0 or answer["error"]["code"] in ("wait", "signer", "sealed") else answer
    answer = eventually("it is looked at", told, 60)
    assert answer is True, answer


say("a first vault that is given up, and one whose kit is not written down, leave nothing in the keychain")
given_up = first_vault()
assert kept() == [], kept()
given_up[0].kill()
given_up[0].wait()
door, kit, group, uri, code = first_vault()
os.write(group, b"QQQQ\n")
told = json.loads(door.communicate(timeout=60)[0])
assert door.returncode != 0 and "nothing was created" in told["error"]["message"], told
assert kept() == [] and state() == "missing", kept()

say("two first vaults are begun, one is given up, the other one is the folder's, and opens again")
door, kit, group, uri, code = first_vault()
other = first_vault()
other[0].kill()
other[0].wait()
os.write(group, (kit.split()[-1] + "\n").encode())
phone = Authenticator(os.read(uri, 4096).decode())
os.write(code, (phone.code() + "\n").encode())
made = json.loads(door.communicate(timeout=60)[0])
assert door.returncode == 0, made
person = Person.__new__(Person)
person.dir, person.password, person.kit, person.phone, person.log_key = DIR, PASSWORD, kit, phone, does("vault", "status")["log_key"]
person.imports("paper")
vault_id = does("vault", "status")["vault_id"]
assert kept() == [vault_id, vault_id + ".anchor"], kept()
daemon.stop()
daemon = Daemon("--paper", up=False)
assert does("vault", "status")["anchor"] == "ok"
unlocks(PASSWORD)

for round in ("once", "twice"):
    say(f"new keys for everything, and the signer ends by force while they are saved, {round}")
    fds = {"--totp-fd": given(phone.code() + "\n"), "--password-fd": given(PASSWORD + "\n")}
    shown, group = pipe(), pipe()
    door = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "rekey", *[word for pair in fds.items() for word in pair], "--kit-out-fd", shown[1],
                 "--kit-fd", group[0], pass_fds=(*fds.values(), shown[1], group[0]), stdout=subprocess.PIPE, text=True)
    for fd in (*fds.values(), shown[1], group[0]):
        os.close(fd)
    person.kit = os.read(shown[0], 4096).decode().strip()
    cut = killed_as_it_is_saved("strongroom-signer", door)
    next(cut)
    os.write(group[1], (person.kit.split()[-1] + "\n").encode())
    next(cut)
    eventually("sealed", lambda: state() == "sealed")
    unlocks(PASSWORD)
    assert [view["key"]["label"] for view in does("key", "list")["keys"]] == ["paper"]

say("a new password, and the desk ends by force while it is saved: what is open is never older than what is on disk")
SECOND = "the second password"
fds = {"--totp-fd": given(phone.code() + "\n"), "--password-fd": given(PASSWORD + "\n")}
new = pipe()
door = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "passwd", *[word for pair in fds.items() for word in pair], "--new-password-fd", new[0],
             pass_fds=(*fds.values(), new[0]), stdout=subprocess.PIPE, text=True)
cut = killed_as_it_is_saved("strongroom-desk", door)
next(cut)
os.write(new[1], (SECOND + "\n").encode())
next(cut)
status = eventually("sealed, or saved to its end", lambda: does("vault", "status") if state() in ("sealed", "unlocked") else None)
assert status["anchor"] == "ok", status
# An open one is the one on disk: the desk had said so before it ended.
unlocks(SECOND)
code, told = person.with_code("vault", "backup")
assert code == 0, "what is changed next is saved, too: " + str(told)
backup = told["words"].split(": ")[-1]

say("guesses at several prompts at once are all counted, and where there are waits one prompt at a time may ask")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")


def asking():
    """A prompt that waits for a password."""
    password = pipe()
    door = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "unlock", "--password-fd", password[0], pass_fds=(password[0],),
                 stdout=subprocess.PIPE, text=True)
    return door, password[1]


def answered(asked, text):
    os.write(asked[1], (text + "\n").encode())
    os.close(asked[1])
    return json.loads(asked[0].communicate(timeout=60)[0])


def counted():
    name = ["service", "strongroom", "username", does("vault", "status")["vault_id"] + ".anchor"]
    return json.loads(subprocess.run(["secret-tool", "lookup", *name], capture_output=True, text=True, check=True).stdout)["fail_counter"]


several = [asking() for _ in range(3)]
eventually("all are counted", lambda: counted() == 3)
assert "error" not in answered(several[0], SECOND)
eventually("the right one is forgotten, the open ones are not", lambda: counted() == 2)
for asked in several[1:]:
    assert answered(asked, "a guess at an open prompt")["error"]["code"] == "wrong-factor"
assert counted() == 2, counted()
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")


def refused_for_another():
    told = cli("vault", "unlock", "--password-fd", fd := given(SECOND + "\n"), fds=(fd,))[1]
    return told if "one prompt at a time" in told.get("error", {}).get("message", "") else None


eventually("a third wrong one", lambda: (person.unlock("one more guess")[1].get("error") or {}).get("code") == "wrong-factor", 30)


def asks():
    """A prompt that asks, once the wait after the wrong one is over."""
    asked = asking()
    time.sleep(1)
    return asked if asked[0].poll() is None else None


first = eventually("a prompt asks", asks, 30)
assert counted() == 4, counted()
eventually("another one waits for it", refused_for_another, 30)
assert "error" not in answered(first, SECOND)
assert counted() == 0

say("another computer has a backup and the kit, and nothing else")
daemon.stop()
subprocess.run(["secret-tool", "clear", "service", "strongroom"], check=True)
moved = os.path.join(WORK, "moved")
os.makedirs(moved, 0o700)
shutil.copy(backup, f"{moved}/vault.srv")
daemon = Daemon("--paper", dir=moved, up=False)
person.dir = moved
code, told = person.recover("a password of the other computer")
assert code == 0, told
assert [view["key"]["label"] for view in does("key", "list", dir=moved)["keys"]] == ["paper"]
daemon.stop()
