"""What was typed into prompts is nowhere in the window's processes afterwards; the same search finds what is there."""
import re
from window import *
from person import Person, prompt

keyring()
screen()
person = Person(password="an unusual planted passphrase 7319")
app = Window()
app.click("create-vault")
app.by("prompt-words")
person.makes_a_vault()
log_key = app.says("log-key")
app.click("kept")
app.click("add-practice-key")
person.imports_from_a_file()
app.by("trade")
app.click("lock")
app.by("lock-screen")
app.click("unlock")
person.unlocks("a wrong planted passphrase 4426")
time.sleep(1.2)
app.click("unlock")
person.unlocks()
app.by("desk")
_, secret = paper_key("trade")
secret = secret.strip()


def both(name, text):
    """As bytes, and as the web engine's wide letters."""
    return {name: text.encode(), f"{name}, wide": text.encode("utf-16-le")}


needles = {**both("password", person.password), **both("wrong password", "a wrong planted passphrase 4426"), **both("API secret", secret),
           **both("kit", person.kit), **both("kit in one", person.kit.replace(" ", "")), **both("half a kit", " ".join(person.kit.split()[:8])),
           **both("seed", person.seed), "seed as bytes": person.phone.key}
control = both("log key", log_key)

say("the search finds what is there: the log's public key, which the page showed")
pids = window_pids()
names = [name for _, name in pids]
assert "WebKitWebProcess" in names and any(name.startswith("strongroom-app") for name in names), names
web = [pid for pid, name in pids if name == "WebKitWebProcess"]
assert any(found_in_memory(pid, control) for pid in web)

say("and a password in the prompt that holds it")
app.click("lock")
app.by("lock-screen")
app.click("unlock")
window = person.asked("unlock")
person.write(window, "Password", person.password)
assert "password" in found_in_memory(window.pid, needles), "the control is not found"

say("while the prompt asks, the window's processes hold nothing")
for pid, name in window_pids():
    assert found_in_memory(pid, needles) == [], (name, found_in_memory(pid, needles))
person.go_on(window, "Unlock")
person.ended(window)
app.by("desk")

say("after all prompts have ended, neither")
for pid, name in window_pids():
    assert found_in_memory(pid, needles) == [], (name, found_in_memory(pid, needles))

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
app.close()
