"""Dump test of forced ends: supervisor, desk, signer and prompt end in the middle of work by a signal, or by a real panic; no core, nothing
planted in what they say or leave behind, and the vault is closed when its keys went.

A panic needs no hook in a program: one that cannot say why it ends panics, because nobody reads what it says any more. It is real, with the
hook of every other, but comes where the program was about to end; what lies in the middle is ended by the signals with which a panic of a
release program ends, too. A door's panic is in dump.py, a provider's ends by signals in dump_providers.py.
"""
import resource
from nowhere import *

NUMBERS = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS)
password, wrong = random_text(), random_text()
planted.plant_all([("password", password), ("wrong password", wrong)])
keyring()
venue = Venue()
theirs.append(venue.folder)
_, api_secret = (text.strip() for text in paper_key("trade", venue.folder))
planted.plant("API secret", api_secret)


def begins(stderr=told):
    """The daemon, until its desk answers."""
    return Daemon(*venue.arguments(), up=False, stdout=told, stderr=stderr)


def unlocks():
    eventually("unlocked", lambda: person.unlock()[0] == 0)


def nothing_runs():
    eventually("no process of the tree", lambda: not tree())


def said(words):
    told.flush()
    return words in open(told.name).read()


def begins_to_unlock():
    """A door that waits while the signer derives a key."""
    fd = given(password + "\n")
    door = start(f"{BIN}/strongroom", "--dir", DIR, "vault", "unlock", "--password-fd", fd, pass_fds=(fd,), stdout=told, stderr=told)
    os.close(fd)
    time.sleep(0.15)
    return door


daemon = begins()
person = Person(password=password)
planted.plant_all([*forms_of_kit(person.kit), ("TOTP seed", person.phone.key), ("TOTP seed's text", person.phone.text)])
person.pins(venue)
daemon.until_up()
person.imports("paper", venue.folder)
for number in NUMBERS:
    a_core_is_left_by(number, password)

say("a prompt, with half an answer in it")
for number in NUMBERS:
    door, prompt, write = half_typed(daemon, wrong, "vault", "unlock")
    falls(prompt, number)
    assert door.wait(20) != 0
    os.close(write)
    assert not cores(), cores()
    clean(f"a prompt's {number.name}")

say("the signer, while it checks the right password: the crash is a seal")
for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT):
    unlocks()
    door, signer = begins_to_unlock(), daemon.child("strongroom-signer")
    falls(signer, number)
    assert door.wait(20) != 0, "the door is told that nobody will answer"
    eventually("sealed", lambda: state() == "sealed")
    assert does("vault", "status")["because"] == "the signer crashed"
    assert not cores(), cores()
    clean(f"the signer's {number.name}")
assert said("the signer ended by itself (signal: "), "the supervisor says how it ended"

say("the desk, while it waits for a venue's answer")
unlocks()
for number in NUMBERS:
    venue.plan({"delay_answer_ms": 3000})
    door = start(f"{BIN}/strongroom", "--dir", DIR, *buy(), stdout=told, stderr=told)
    time.sleep(0.5)
    desk = daemon.child("strongroom-desk")
    falls(desk, number)
    eventually("the desk is back", lambda: cli("session")[0] == 0)
    door.wait(30)
    assert not cores(), cores()
    clean(f"the desk's {number.name}")
    daemon.until_up()

say("the supervisor, while the vault is open and a prompt asks: nothing runs on, and the next one finds a sealed vault")
for number in NUMBERS:
    eventually("the desk answers", lambda: cli("session")[0] == 0)
    unlocks()
    door, prompt, write = half_typed(daemon, wrong, "vault", "unlock")
    falls(daemon.process.pid, number)
    assert daemon.process.wait(20) == -number and door.wait(20) != 0
    os.close(write)
    nothing_runs()
    assert not cores(), cores()
    clean(f"the supervisor's {number.name}")
    daemon = begins()
    assert state() == "sealed", state()

say("real panics: nobody reads what supervisor, prompt and signer say")
daemon.stop()
read, write = os.pipe()
daemon = begins(stderr=write)
os.close(write)
daemon.until_up()
unlocks()
door, prompt, rest = half_typed(daemon, wrong, "vault", "unlock")
signer = daemon.child("strongroom-signer")
os.close(read)


def status_of(pid):
    """How a process ended that nobody collected yet."""
    return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[49])


# Panicking ends a debug program with a code of its own, a release program by SIGABRT; the signer's walls let it send no signal, and end it.
PANICS = {101 << 8, int(signal.SIGABRT), int(signal.SIGSYS)}
os.kill(daemon.process.pid, signal.SIGSTOP)
# It waits for more channels than it may have open, which is an error: it ends by itself and cannot say why.
as_the_user(lambda: resource.prlimit(signer, resource.RLIMIT_NOFILE, (1, 1)))
sends(signer, signal.SIGSTOP)
sends(signer, signal.SIGCONT)
eventually("the signer ends", lambda: gone([signer]))
# Now nobody takes the answer.
os.write(rest, (wrong[-4:] + "\n").encode())
os.close(rest)
eventually("the prompt ends", lambda: gone([prompt]))
if ROOT:
    ends = [status_of(pid) for pid in (signer, prompt)]
    assert set(ends) <= PANICS, list(map(hex, ends))
assert not cores(), cores()
clean("panics of signer and prompt")
os.kill(daemon.process.pid, signal.SIGCONT)
code = daemon.process.wait(20)
assert code in (101, -signal.SIGABRT), code
assert door.wait(20) != 0
nothing_runs()
assert not cores(), cores()
clean("the supervisor's panic")
daemon = begins()
assert state() == "sealed", state()
daemon.stop()

say("nothing anywhere")
clean("the end", folders=(WORK, "/tmp", "/var/tmp", "/dev/shm", f"/run/user/{UID}"))
nothing_leaked()
