"""Ways into the vault: passwords, kits, further people and auditors come and go; new keys for everything."""
from world import *

keyring()
daemon = Daemon("--paper")
person = Person()
key = person.imports("paper")
assert does(*buy())["fate"] == "filled"


def slots():
    return {slot["id"]: slot["kind"] for slot in does("vault", "slots")["slots"]}


def reopens(password):
    does("vault", "seal")
    eventually("sealed", lambda: state() == "sealed")
    code, told = person.unlock(password)
    return code == 0


assert slots() == {1: "password and device", 2: "recovery kit"}, slots()

say("a new password: the present one is asked, and a wrong one counts")
code, told = person.with_code("vault", "passwd", password="not the present one\n", new_password="the second password\n")
assert told["error"]["code"] == "wrong-factor", told
code, told = person.with_code("vault", "passwd", password=PASSWORD + "\n", new_password="short\n")
assert code == 5 and "10 bytes" in told["error"]["message"], told
code, told = person.with_code("vault", "passwd", password=PASSWORD + "\n", new_password="the second password\n")
assert code == 0, told
assert not reopens(PASSWORD)
eventually("the wait is over", lambda: person.unlock("the second password")[0] == 0)
person.password = "the second password"
assert slots() == {1: "password and device", 2: "recovery kit"}, slots()

say("a further person comes in by a password of their own, and goes")
code, told = person.with_code("vault", "add-slot", "person", "--label", "alice", new_password="the password of alice\n")
assert code == 0, told
assert reopens("the password of alice")
mine = next(slot for slot in does("vault", "slots")["slots"] if slot["is_present"])
assert (mine["id"], mine["label"]) == (3, "alice"), mine
assert does(*buy())["fate"] == "filled"
code, told = person.with_code("vault", "remove-slot", 3)
assert code == 0, told
# Who closed the own way has no role from then on.
code, told = person.with_code("vault", "remove-slot", 1, code="000000")
assert code != 0 and told["error"]["code"] == "role", told
assert not reopens("the password of alice")
eventually("the wait is over", lambda: person.unlock()[0] == 0)
code, told = person.with_code("vault", "remove-slot", 1, code="000000")
assert code != 0 and "somebody has to be key-admin" in told["error"]["message"], told

say("a new recovery kit; one that is not typed back changes nothing")
code, told, text = person.with_print("vault", "kit", out="kit-out", back="kit")
assert code == 0, told
old, person.kit = person.kit, text
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
code, told = person.recover("the third password", kit=old)
assert told["error"]["code"] == "wrong-factor", told
eventually("the wait is over", lambda: person.recover("the third password")[0] == 0)
person.password = "the third password"
assert does(*buy())["fate"] == "filled"

say("an auditor's code reads the log and opens nothing else")
code, told, auditor = person.with_print("vault", "add-slot", "auditor", "--label", "audit", out="code-out", back="code")
assert code == 0, told
assert auditor.startswith("SRAU D1"), auditor
before = f"{WORK}/before.srv"
shutil.copy(f"{DIR}/vault.srv", before)


def audits(vault, code):
    fd = given(code + "\n")
    read = subprocess.run([f"{BIN}/strongroom-auditor", "read", f"{DIR}/desk.db", "--vault", vault, "--code-fd", str(fd)], pass_fds=(fd,),
                          capture_output=True, text=True, timeout=60)
    os.close(fd)
    return read


read = audits(before, auditor)
assert read.returncode == 0, read
entries = [json.loads(line) for line in read.stdout.splitlines()]
assert {"vault-created", "key-imported", "slot-added"} <= {entry["kind"] for entry in entries}, entries[:3]
assert any(entry["payload"].get("label") == "audit" for entry in entries if entry["kind"] == "slot-added")
assert audits(before, person.kit).returncode != 0, "a kit is no auditor's code"

say("an opening that was sealed is closed for the auditor; one whose signer was killed is not")
noted = lambda: "was not closed" in audits(before, auditor).stderr
does("vault", "seal")
person.unlocks()
assert does(*buy())["fate"] == "filled"
daemon.stop()
daemon = Daemon("--paper")
assert "not closed" not in audits(before, auditor).stderr, "stopped in order"
person.unlocks()
assert does(*buy())["fate"] == "filled"
assert "not closed yet" in audits(before, auditor).stderr and not noted(), audits(before, auditor).stderr
os.kill(daemon.child("strongroom-signer"), signal.SIGKILL)
eventually("it is sealed", lambda: state() == "sealed")
person.unlocks()
assert does(*buy())["fate"] == "filled"
eventually("a head of the new opening", noted, 60)

say("a key for somebody else, and a copy of the vault's file; an age file is read by another program")
identity = f"{WORK}/their.identity"
theirs = subprocess.run(["age-keygen", "-o", identity], capture_output=True, text=True).stderr.split()[-1]
code, told = person.with_code("key", "export", key, "--to", "age1notarecipient")
assert code != 0 and "age recipient" in told["error"]["message"], told
code, told = person.with_code("key", "export", key, "--to", theirs)
assert code == 0, told
path = told["words"].split(": ")[-1]
assert os.stat(path).st_mode & 0o777 == 0o600
read = subprocess.run(["age", "--decrypt", "--identity", identity, path], capture_output=True, text=True)
assert read.returncode == 0, read
api_key, secret = paper_key("trade")
assert f"api_key: {api_key}\n" in read.stdout and read.stdout.endswith(f"secret: {secret.strip()}"), "the key, whole"
code, told = person.with_code("vault", "backup")
assert code == 0, told
assert open(told["words"].split(": ")[-1], "rb").read() == open(f"{DIR}/vault.srv", "rb").read()

say("new keys for everything: only this password and the new kit open it")
code, told, text = person.with_print("vault", "rekey", out="kit-out", back="kit", password=person.password + "\n")
assert code == 0 and "3" in told["words"], told
old, person.kit = person.kit, text
assert slots() == {1: "password and device", 2: "recovery kit"}, slots()
assert does(*buy())["fate"] == "filled"
assert reopens(person.password)
assert [view["key"]["id"] for view in does("key", "list")["keys"]] == [key]
assert does(*buy())["fate"] == "filled"
assert audits(f"{DIR}/vault.srv", auditor).returncode != 0
entries = does("audit", "list", "--last", 50)["entries"]
assert {"password-changed", "slot-added", "slot-removed", "kit-replaced", "rekeyed"} <= {entry["kind"] for entry in entries}
daemon.stop()
verifies(person)
