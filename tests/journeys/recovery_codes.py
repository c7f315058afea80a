"""A lost phone: recovery codes are printed, typed back, used once each, also through kills, and replaced by new ones."""
from world import *

keyring()
daemon = Daemon("--paper")
person = Person()
assert does("vault", "status")["codes_left"] == 0


def prints(code=None):
    """The codes on paper, one a line."""
    texts = given((code or person.phone.code()) + "\n")
    shown, group = os.pipe(), os.pipe()
    door = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "codes", "--totp-fd", texts, "--codes-out-fd", shown[1], "--codes-fd", group[0],
                 pass_fds=(texts, shown[1], group[0]), stdout=subprocess.PIPE, text=True)
    for fd in (texts, shown[1], group[0]):
        os.close(fd)
    lines = os.read(shown[0], 4096).decode().strip().split("\n")
    os.write(group[1], (lines[-1].split()[-1] + "\n").encode())
    told = json.loads(door.communicate(timeout=60)[0])
    for fd in (shown[0], group[1]):
        os.close(fd)
    assert door.returncode == 0, told
    return lines


def lowers(code):
    """Something that needs a code."""
    return person.with_code("key", "generate", "--label", "made", code=code)


def refused(code, words):
    exit_code, told = lowers(code)
    assert exit_code != 0 and words in told["error"]["message"], told


def left():
    return does("vault", "status")["codes_left"]


say("ten codes are printed, and each stands in for the phone once")
codes = prints()
assert len(codes) == 10 and len(set(codes)) == 10 and all(len(code.split()) == 6 and code.startswith("R1") for code in codes), codes
assert left() == 10
code, told = lowers(codes[0])
assert code == 0, told
refused(codes[0], "used before")
time.sleep(1.1)
code, told = lowers(codes[1].lower().replace(" ", ""))
assert code == 0, told
assert left() == 8
entries = does("audit", "list", "--last", 50)["entries"]
assert [entry["payload"]["left"] for entry in entries if entry["kind"] == "recovery-code-used"] == [9, 8], entries
assert any(entry["kind"] == "recovery-codes-printed" for entry in entries)

say("a mistyped one is told, and makes nobody wait")
wrong = codes[2].split()
wrong[3] = "QQQQ" if wrong[3] != "QQQQ" else "PPPP"
refused(" ".join(wrong), "mistyped")
code, told = lowers(codes[2])
assert code == 0, told

say("what was used stays used when everything is killed, and the others are there")
daemon.process.kill()
daemon.process.wait()
daemon = Daemon("--paper")
person.unlocks()
refused(codes[2], "used before")
time.sleep(1.1)
code, told = lowers(codes[3])
assert code == 0, told
assert left() == 6

say("without a phone, one of them prints new ones; the old ones count no more")
new = prints(codes[4])
assert left() == 10 and not set(new) & set(codes)
refused(codes[5], "the code is wrong")
time.sleep(1.1)
code, told = lowers(new[0])
assert code == 0, told

say("a recovery code takes a new phone, and nothing of the old one counts any more")
old_phone = person.phone
time.sleep(1.1)
answers, shown = os.pipe(), os.pipe()
os.write(answers[1], (new[1] + "\n").encode())
door = start(f"{BIN}/strongroom", "--dir", DIR, "--json", "vault", "phone", "--totp-fd", answers[0], "--totp-out-fd", shown[1],
             pass_fds=(answers[0], shown[1]), stdout=subprocess.PIPE, text=True)
for fd in (answers[0], shown[1]):
    os.close(fd)
person.phone = Authenticator(os.read(shown[0], 4096).decode().strip())
os.write(answers[1], (person.phone.code() + "\n").encode())
# A step that a code of the old phone has used is used for the new one, too.
person.phone.used = max(person.phone.used, old_phone.used)
told = json.loads(door.communicate(timeout=60)[0])
for fd in (shown[0], answers[1]):
    os.close(fd)
assert door.returncode == 0, told
assert left() == 0
refused(new[2], "the code is wrong")
time.sleep(1.1)
refused(old_phone.code(), "the code is wrong")
time.sleep(2.1)
code, told = lowers(None)
assert code == 0, told
assert any(entry["kind"] == "phone-changed" for entry in does("audit", "list", "--last", 50)["entries"])
new = prints()

say("the kit does not bring back what a lost state file forgot")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
os.unlink(f"{DIR}/state.srs")
code, told = person.recover("another password after all")
assert code == 0, told
assert left() == 0
refused(new[1], "the code is wrong")

say("no code stands anywhere")
texts = {form.encode() for code in codes + new for form in (code, code.replace(" ", ""), code.lower(), code.lower().replace(" ", ""))}


def found(texts):
    """Files of the profile that hold one of them."""
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(DIR) for name in names]
    files = [path for path in paths if os.path.isfile(path)]
    return [path for path in files if any(text in open(path, "rb").read() for text in texts)]


assert found({json.load(open(f"{DIR}/paper/keys.json"))[0]["api_key"].encode()}), "the search finds what is there"
assert found(texts) == []
verifies(person)
daemon.stop()
say("done")
