"""Nobody at the desktop: what an X server saw of a person keeps the session, what programs do through doors does not."""
from world import *

# The least that a session's limit can be.
LIMIT_S = 60
SOURCE = "input to the whole desktop, watched by: X11 screen saver extension"

os.environ.pop("WAYLAND_DISPLAY", None)
read, write = os.pipe()
screen = start("Xvfb", "-displayfd", write, "-screen", "0", "640x480x24", "-nolisten", "tcp", pass_fds=(write,),
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
os.close(write)
os.environ["DISPLAY"] = ":" + os.read(read, 16).decode().strip()


def idle_left_s():
    left = does("session")["idle_left_ms"]
    return None if left is None else left / 1000


def stays():
    """What a program says that claims that somebody is there."""
    assert json.loads(ask_raw(b'{"ask":"stay"}'))["tell"] == "done"


def moves(at):
    """The pointer over the bare root: no window of ours, no window at all."""
    subprocess.run(["xdotool", "mousemove", str(10 + at % 300), "20"], check=True)


keyring()
daemon = Daemon()
person = Person()
limits = os.path.join(WORK, "limits.json")
json.dump({**does("policy", "show")["policy"], "session_idle_ms": LIMIT_S * 1000}, open(limits, "w"))
does("policy", "set", limits)
eventually("the status names the source", lambda: [SOURCE, True] in does("vault", "status")["watched"])

say("input anywhere keeps the session beyond its limit")
opened = time.monotonic()
while time.monotonic() - opened < LIMIT_S + 8:
    moves(int(time.monotonic()))
    time.sleep(4)
assert state() == "unlocked" and idle_left_s() > LIMIT_S - 10, idle_left_s()
subprocess.run(["xdotool", "key", "a"], check=True)

say("then nobody: polls and claims of programs through doors count for nothing, and it ends when the limit says")
last = time.monotonic()
lowest = LIMIT_S
while (left := idle_left_s()) is not None:
    passed = time.monotonic() - last
    assert passed < LIMIT_S + 5, f"still open {passed:.0f} s after the last input"
    assert left < LIMIT_S - passed + 4, f"{left:.1f} s left {passed:.1f} s after the last input"
    lowest = min(lowest, left)
    stays()
    does("order", "list")
    time.sleep(0.5)
assert time.monotonic() - last > LIMIT_S - 5, "it ended too soon"
assert lowest < 20, "nobody could have been warned"

say("afterwards it says why, and with nothing live it is sealed")
eventually("sealed", lambda: state() == "sealed")
because = does("vault", "status")["because"]
assert because == "it was not used for too long, and nothing was live", because

say("the warning can be ended by input, with the last seconds running")
person.unlocks()
eventually("the warning's time", lambda: (idle_left_s() or 0) < 20, LIMIT_S)
moves(1)
eventually("and it has gone", lambda: (idle_left_s() or 0) > LIMIT_S - 10, 10)
assert state() == "unlocked"

say("without the display, input to our own doors counts, and the status says so")
screen.kill()
eventually("the status says so", lambda: not dict(does("vault", "status")["watched"]).get(SOURCE), 20)
before = idle_left_s()
time.sleep(2)
stays()
assert idle_left_s() > before - 1, "a door counts again"
daemon.stop()
