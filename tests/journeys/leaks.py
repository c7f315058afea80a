"""Planted secrets: in no memory of desk, supervisor or door, and in no file; the search finds them where they are."""
from world import *

venue = Venue()
keyring()
daemon = Daemon(*venue.arguments(), up=False)
person = Person()
person.pins(venue)
daemon.until_up()
api_key, secret = paper_key("trade", venue.folder)
secret = secret.strip()
person.imports("paper", venue.folder)
assert does(*buy())["fate"] == "filled"
resting = rest_an_order()
does("order", "cancel", resting)
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
person.unlocks()
does("balance")
does("key", "list")
does("audit", "list", "--last", 50)

needles = {"password": PASSWORD.encode(), "API secret": secret.encode(), "TOTP seed": person.phone.key,
           "TOTP seed as text": person.phone.text.encode(), "kit": person.kit.encode(), "kit's last two groups": " ".join(person.kit.split()[-2:]).encode()}


def found_in(pid):
    return found_in_memory(pid, needles)


say("the search finds what is there: the venue holds the API secret, and a program that has them all")
assert "API secret" in found_in(venue.process.pid)
holder = start(sys.executable, "-c", "import sys, json; x = [bytes.fromhex(t) for t in json.loads(sys.stdin.readline())]; print(1, flush=True); sys.stdin.readline()",
               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
holder.stdin.write(json.dumps([needle.hex() for needle in needles.values()]) + "\n")
holder.stdin.flush()
holder.stdout.readline()
assert found_in(holder.pid) == sorted(needles), found_in(holder.pid)

say("desk and supervisor hold none")
for pid in (daemon.child("strongroom-desk"), daemon.process.pid):
    assert found_in(pid) == [], (pid, found_in(pid))

say("a door holds none while its prompt asks")
silent = os.pipe()
os.write(silent[1], b"12")
door = start(f"{BIN}/strongroom", "--dir", DIR, "key", "import", "--label", "x", "--totp-fd", silent[0], pass_fds=(silent[0],))
prompt = daemon.child("strongroom-prompt")
assert found_in(door.pid) == []
door.kill()
door.wait()
eventually("no prompt", lambda: gone([prompt]))

say("signer: not even its memory in plain sight can be read, or it holds none in the clear")
signer = daemon.child("strongroom-signer")
assert os.stat(f"/proc/{signer}/mem").st_uid == 0
try:
    seen = found_in(signer)
except PermissionError:
    seen = []
assert seen == [], seen

say("no file of the profile holds one")
daemon.stop()
for folder, _, files in os.walk(WORK):
    if folder.startswith(venue.folder) or "keyrings" in folder:
        continue
    for path in (os.path.join(folder, name) for name in files):
        if os.path.isfile(path):
            data = open(path, "rb").read()
            assert not [what for what, needle in needles.items() if needle in data], path
control = os.path.join(venue.folder, "trade.secret")
assert needles["API secret"] in open(control, "rb").read()
