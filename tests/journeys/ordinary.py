"""Everything that a story starts runs as an ordinary user, with programs, a home and a session bus of its own.

Invariant: after `import ordinary`, and before `from world import *`, nothing is started as root any more; the story itself stays what it
was, and so sees what an administrator sees. `as_the_user` runs something as another process of that ordinary user.
"""
import json, os, pwd, resource, shutil, signal, subprocess, traceback
import world

ROOT = os.geteuid() == 0
# The account that every machine has and that owns nothing; a session bus answers to no id without an account.
UID = pwd.getpwnam("nobody").pw_uid if ROOT else os.geteuid()


def hand_over(path):
    """Gives a path to the ordinary user."""
    if ROOT:
        os.chown(path, UID, UID)
    return path


def folder(name):
    """A new folder of the ordinary user."""
    path = os.path.join(world.WORK, name)
    os.mkdir(path, 0o700)
    return hand_over(path)


def programs():
    """The programs where that user may start them; links cost no room."""
    own = folder("bin")
    for name in os.listdir(world.BIN):
        path = os.path.join(world.BIN, name)
        if name.startswith(("strongroom", "faulty_venue", "strict_transit")) and os.path.isfile(path) and os.access(path, os.X_OK) and "." not in name:
            try:
                os.link(path, os.path.join(own, name))
            except OSError:
                shutil.copy(path, own)
    return own


def session_bus():
    """A session bus of that user: one answers only to its own."""
    read, write = os.pipe()
    process = world.start("dbus-daemon", "--session", "--nofork", f"--address=unix:dir={world.WORK}", f"--print-address={write}", pass_fds=(write,))
    os.close(write)
    with os.fdopen(read) as told:
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = told.readline().strip()
    return process


def as_the_user(act):
    """What `act` gives, as JSON, in a process of the same user as everything else."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            if ROOT:
                os.setgroups([])
                os.setresgid(UID, UID, UID)
                os.setresuid(UID, UID, UID)
            with os.fdopen(write, "w") as out:
                json.dump(act(), out)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        text = told.read()
    os.waitpid(child, 0)
    assert text, "the other process of the same user did not report"
    return json.loads(text)


# Core files are allowed to everybody: those that must not leave one have to see to it themselves.
hard = resource.RLIM_INFINITY if ROOT else resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
world.BIN = programs()
if ROOT:
    world.AS.update(user=UID, group=UID, extra_groups=[])
    hand_over(world.WORK)
os.environ["XDG_RUNTIME_DIR"] = folder("runtime")
os.chdir(folder("here"))
BUS = session_bus()
