"""What is planted is nowhere: looks into every process of the product, and into all files, as an administrator and as another process of
the same user see them.

All programs run as an ordinary user. Invariant: what is found where it must not be is gathered in `leaks`, so that one run tells all; a
story ends with `nothing_leaked()`.
"""
import secrets
import ordinary
from ordinary import ROOT, UID, as_the_user
import attack
from search import Needles, forms_of_ed25519, forms_of_kit, forms_of_rsa, mappings, name_of
from terminal import *

since = time.time()
GRACE_S = 2
planted = Needles()
leaks, told = [], open(os.path.join(WORK, "told.log"), "w+")
# What a person hands over stands in files and pipes of the person's own.
GIVEN = ordinary.folder("given")
# Paths that hold secrets because the story put them there.
theirs = [GIVEN, BIN]
if not ROOT:
    say("not root: what an administrator sees is not looked at; files and the same user's view are")


def random_text():
    """Forty letters and digits."""
    return "".join(secrets.choice("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(40))


def tree(*but):
    """Every process of the product, which is whatever runs one of its programs; `but`: those that are left out."""
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            folder, name = os.path.split(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            continue
        if folder == BIN and name.startswith("strongroom") and pid not in but:
            found.append(pid)
    return found


def in_processes(needles, pids=None):
    """All pieces in the memory and nameless files of processes, but for the signer's protected memory."""
    hits = []
    for pid in (tree() if pids is None else pids) if ROOT else []:
        hits += [hit for hit in needles.in_process(pid) if not (hit.process == "strongroom-signer" and hit.protected)]
        hits += needles.in_descriptors(pid)
    return hits


def in_files(needles, folders):
    """All pieces in files that the user wrote since the story began, and in what doors said."""
    told.flush()
    hits = needles.in_files(folders, since, UID, without=theirs)
    return hits + needles.in_text("\n".join(written).encode(), "what doors wrote")


def clean(step, pids=None, folders=(WORK,)):
    """Two seconds after a step nothing is anywhere. What comes later than the step's own answer is seen, too."""
    time.sleep(GRACE_S)
    hits = in_processes(planted, pids) + in_files(planted, folders)
    say(f"  after {step}: {len(hits) or 'none'} found")
    for hit in hits:
        say(f"    {hit}")
        leaks.append(f"after {step}: {hit}")


def ends(daemon, *pids):
    """The last searches of a story: after the seal nothing is in any place that a program of the user writes to, and nothing after the end."""
    say("seal: nothing anywhere")
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")
    clean("the last seal", [*tree(), *pids], folders=(WORK, "/tmp", "/var/tmp", "/dev/shm", f"/run/user/{UID}"))
    daemon.stop()
    clean("the end", [*pids])
    nothing_leaked()


def nothing_leaked():
    say(f"{len(planted.secrets)} secrets in {len(planted.forms)} forms")
    assert not leaks, "\n".join(["secrets were found:", *leaks])


def found(pid, what, text):
    """Control: the search finds this in a process, and not only where its arguments stand."""
    if ROOT:
        hits = [hit for hit in control(what, text).in_process(pid) if hit.place not in ("[stack]", "cmdline", "environ")]
        assert hits, f"{what} is not found in {name_of(pid)}, where it is"


def control(what, text):
    needles = Needles()
    needles.plant(what, text)
    return needles


def holds(pid, *names):
    """Control: what of the planted secrets is in this process by now."""
    if ROOT:
        eventually(f"{name_of(pid)} holds {names or 'something'}", lambda: (planted.only(*names) if names else planted).in_process(pid))
    else:
        time.sleep(1)


def same_user(pid):
    """What another process of the same user can do to this one."""
    address = next(begin for begin, _, rights, name, _ in mappings(pid) if rights.startswith("rw") and name in ("", "[heap]", "[stack]")) if ROOT else 0
    return as_the_user(lambda: attack.done_against(pid, address))


def sends(pid, number):
    """Another process of the same user sends a signal."""
    as_the_user(lambda: os.kill(pid, number) or "sent")


def falls(pid, number):
    """Another process of the same user ends it by a signal. The language's own handler looks at the first fault, whether a stack
    overflowed, and leaves the next one to the kernel."""
    eventually(f"{name_of(pid)} ends by {number.name}", lambda: gone([pid]) or sends(pid, number) and gone([pid]))


def cores():
    """Core files that somebody left."""
    return [os.path.join(here, name) for here, _, files in os.walk(WORK) for name in files if name.startswith(("core", "vgcore"))]


def a_core_is_left_by(number, secret):
    """Control: an ordinary program that holds the secret and ends by this signal leaves a core in which it is found."""
    pattern = open("/proc/sys/kernel/core_pattern").read().strip()
    bait = start("sleep", "600", env={"PLANTED": secret}, stdout=subprocess.DEVNULL)
    eventually("it sleeps", lambda: executable(bait.pid) != executable(os.getpid()))
    bait.send_signal(number)
    bait.wait()
    if pattern.startswith(("|", "/")):
        say(f"  this machine writes cores to {pattern}: that one could be left is not shown here")
        return
    assert cores() and planted.in_file(cores()[0]), "the control leaves no core with its secret"
    for core in cores():
        os.unlink(core)


def half_typed(daemon, text, *command, flag="--password-fd"):
    """A door whose prompt has the beginning of an answer and waits for the rest; with the prompt, and where the rest goes."""
    read, write = pipe()
    os.write(write, text[:-4].encode())
    door = start(f"{BIN}/strongroom", "--dir", DIR, *command, flag, read, pass_fds=(read,), stdout=told, stderr=told)
    os.close(read)
    prompt = daemon.child("strongroom-prompt")
    holds(prompt)
    return door, prompt, write
