"""What was typed into prompts is nowhere in the window's processes, in the daemon's, or in a file: after each step of a session, in every
encoding, and after the seal. The same search finds what is there, in each kind of process.

What is found where it must not be is gathered, and fails the story at its end, so that one run tells all.
"""
import re, secrets
from window import *
from person import Person, prompt
from search import Needles, forms_of_kit, name_of

since = time.time()
GRACE_S = 2
leaks = []


def random_text():
    return "".join(secrets.choice("abcdefghijkmnopqrstuvwxyz23456789") for _ in range(36))


def control(text):
    needles = Needles()
    needles.plant("control", text)
    return needles


def tree():
    """The window, its web engine, the daemon and its children, and every prompt."""
    found = {pid for pid, _ in window_pids()}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            if name_of(pid) == "strongroomd" and DIR.encode() in open(f"/proc/{pid}/cmdline", "rb").read():
                found |= {pid, *map(int, open(f"/proc/{pid}/task/{pid}/children").read().split())}
        except (FileNotFoundError, ProcessLookupError):
            continue
    return sorted(found)


def one(name):
    return next(pid for pid in tree() if name_of(pid).startswith(name))


def is_around(pid):
    """Screen, buses and keyring of this story: what a typed letter could pass through, or be told to."""
    try:
        own = WORK.encode() in open(f"/proc/{pid}/environ", "rb").read()
    except OSError:
        return False
    return own and name_of(pid) in ("Xvfb", "dbus-daemon", "at-spi2-registryd", "at-spi-bus-launcher", "gnome-keyring-daemon")


def clean(step, but=None, more=()):
    """Two seconds after a step nothing is anywhere; `but`: a prompt that still holds what is being typed.

    The practice venue lives in the desk and keeps its key there and in its folder: of the desk that one secret is not asked.
    """
    time.sleep(GRACE_S)
    hits = []
    for pid in tree():
        if pid != but:
            found = planted.in_process(pid) + planted.in_descriptors(pid)
            hits += [hit for hit in found if not (hit.process == "strongroom-signer" and hit.protected)
                     and not (hit.process == "strongroom-desk" and hit.secret == "API secret")]
    # The story's own hands give other secrets over the accessibility bus; this one it typed.
    hits += [hit for pid in more for hit in planted.only("typed password").in_process(pid)]
    hits += planted.in_files([WORK], since, None, without=(os.path.join(DIR, "paper"),))
    say(f"  after {step}: {len(hits) or 'none'} found")
    for hit in hits:
        say(f"    {hit}")
        leaks.append(f"after {step}: {hit}")


keyring()
screen()
wrong, typed = random_text(), random_text()
person = Person(password=random_text())
planted = Needles()
planted.plant_all([("password", person.password), ("wrong password", wrong), ("typed password", typed)])
app = Window()
app.click("create-vault")
app.by("prompt-words")
person.makes_a_vault()
log_key = app.says("log-key")
planted.plant_all([*forms_of_kit(person.kit), ("seed", person.phone.key), ("seed's text", person.seed)])
clean("create")

say("the search finds what is there: the log's public key in the page, the profile's path in window and daemon")
web = [pid for pid, name in window_pids() if name == "WebKitWebProcess"]
assert web and any(control(log_key).in_process(pid) for pid in web)
for name in ("strongroom-app", "strongroomd", "strongroom-desk"):
    assert control(DIR).in_process(one(name)), name
app.click("kept")
app.click("add-practice-key")
person.imports_from_a_file()
app.by("trade")
api_key, secret = paper_key("trade")
planted.plant("API secret", secret.strip())
clean("import")
assert control(api_key).in_process(one("strongroom-signer"))

say("lock, which seals; a wrong password")
app.click("lock")
app.by("lock-screen")
clean("lock")
app.click("unlock")
person.unlocks(wrong)
clean("a wrong password")

say("a prompt that asks holds what was typed, and nothing else does")
app.click("unlock")
window = person.asked("unlock")
person.write(window, "Password", person.password)
assert planted.only("password").in_process(window.pid), "the control is not found"
clean("a password was typed and not sent", but=window.pid)
person.go_on(window, "Unlock")
person.ended(window)
app.by("desk")
clean("unlock")

say("typed by keyboard, and given up: neither the screen nor the accessibility bus keeps it")
app.click("lock")
app.by("lock-screen")
app.click("unlock")
window = person.asked("unlock")
window.has_focus("Password")
window.type(typed)
assert planted.only("typed password").in_process(window.pid)
around = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_around(pid)]
assert {"Xvfb", "dbus-daemon", "at-spi2-registryd", "gnome-keyring-daemon"} <= set(map(name_of, around)), list(map(name_of, around))
clean("a password was typed by keyboard", but=window.pid, more=around)
window.keys("Escape")
person.ended(window)
clean("it was given up", more=around)
app.click("unlock")
person.unlocks()
app.by("desk")
clean("the last unlock")

say("six digits can be anywhere by chance: of the codes that were typed not two are there")


def stands_alone(code, data):
    """Whether the code is there and is not part of a longer number or word."""
    at = data.find(code)
    while at >= 0:
        around = data[max(at - 1, 0):at] + data[at + len(code):at + len(code) + 1]
        if not re.search(rb"[0-9A-Za-z.]", around):
            return True
        at = data.find(code, at + 1)
    return False


seen = {code for pid, _ in window_pids() for data in readable(pid) for code in person.codes if stands_alone(code.encode(), data)}
assert len(person.codes) >= 2 and len(seen) < 2, (person.codes, seen)

say("seal: nothing anywhere")
app.click("lock")
app.by("lock-screen")
eventually("sealed", lambda: state() == "sealed")
clean("the seal")
app.close()
assert not leaks, "\n".join(["secrets were found:", *leaks])
