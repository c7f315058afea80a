"""Sessions belong to doors: what is unlocked in one terminal is unlocked there alone; all are listed, each can be ended, and roles are those of
whoever unlocked there."""
from world import *

keyring()
daemon = Daemon("--paper")
person = Person()
person.imports("paper")


def elsewhere(*arguments, fds=()):
    """The same command in another terminal: a process session of its own that lasts as long as this story."""
    other.stdin.write(json.dumps([list(map(str, arguments)), list(fds)]) + "\n")
    other.stdin.flush()
    code, told = json.loads(other.stdout.readline())
    return code, told


# It starts programs, as a shell does; what it is told to hand over are pipes by their names.
SHELL = f"""
import json, os, subprocess, sys
for line in sys.stdin:
    arguments, fds = json.loads(line)
    done = subprocess.run(["{BIN}/strongroom", "--dir", "{DIR}", "--json", *arguments], pass_fds=fds, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    told = json.loads(done.stdout) if done.stdout.strip() else {{"error": {{"code": done.stderr}}}}
    print(json.dumps([done.returncode, told]), flush=True)
"""
password = [given(PASSWORD + "\n") for _ in range(3)]
other = start(sys.executable, "-c", SHELL, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=password, start_new_session=True)

say("unlocked here is not unlocked there")
assert state() == "unlocked"
code, told = elsewhere("vault", "status")
assert (code, told["state"]) == (0, "locked") and "only at another one" in told["because"], told
code, told = elsewhere(*buy())
assert (code, told["error"]["code"]) == (5, "session"), told
code, told = elsewhere("audit", "list")
assert (code, told["error"]["code"]) == (5, "session"), told
resting = rest_an_order()
code, told = elsewhere("order", "cancel", resting)
assert (code, told["fate"]) == (0, "canceled"), told
assert does(*buy())["fate"] == "filled"

say("unlocked there too: two are listed, each knows which is its own")
code, told = elsewhere("vault", "unlock", "--password-fd", password[0], fds=[password[0]])
assert code == 0, told
assert elsewhere(*buy())[1].get("fate") == "filled"
here = does("sessions")["sessions"]
there = elsewhere("sessions")[1]["sessions"]
assert len(here) == len(there) == 2, here
assert [row["is_here"] for row in here] == [not row["is_here"] for row in there], (here, there)
number = next(row["door"] for row in here if not row["is_here"])

say("ended from here, it is over there at once, and not here")
assert "is ended" in does("sessions", "--end", number)["words"]
code, told = elsewhere(*buy())
assert (code, told["error"]["code"]) == (5, "session"), told
assert elsewhere("vault", "status")[1]["because"] == "it was locked"
assert does(*buy())["fate"] == "filled" and len(does("sessions")["sessions"]) == 1
fails(1, "no-session", "sessions", "--end", number)
kinds = [entry["kind"] for entry in does("audit", "list", "--last", 20)["entries"]]
assert "session-closed" in kinds, kinds

say("locking ends all")
code, told = elsewhere("vault", "unlock", "--password-fd", password[1], fds=[password[1]])
assert code == 0, told
rest_an_order()
does("vault", "lock")
assert state() == "locked" and elsewhere("vault", "status")[1]["state"] == "locked"
assert does("sessions")["sessions"] == []

say("the last one that is ended locks, and with nothing live seals")
code, told = elsewhere("vault", "unlock", "--password-fd", password[2], fds=[password[2]])
assert code == 0, told
[order] = live_orders()
does("order", "cancel", order)
[row] = does("sessions")["sessions"]
assert "ealed" in does("sessions", "--end", row["door"])["words"]
eventually("sealed", lambda: state() == "sealed")
daemon.stop()
say("done")
