"""A person at a real terminal: secrets are asked by the prompt without echo, and the terminal is left as it was."""
from terminal import *

keyring()
daemon = Daemon()

say("create a vault by typing")
door = Terminal("vault", "create", "--kdf-memory", 64)
door.until("New password")
door.type(PASSWORD)
door.until("Again")
door.type("something else")
door.until("differ")
door.until("New password")
door.type(PASSWORD)
door.until("Again")
door.type(PASSWORD)
door.until("Press Enter")
group = next(line for line in door.seen.splitlines() if line.startswith("    ")).split()[-1]
door.type("")
door.until("Type group")
door.type(group)
door.until("Press Enter")
phone = Authenticator(door.seen)
door.type("")
door.until("Code that")
door.type(phone.code())
door.ends(0)
assert PASSWORD not in door.seen and "something else" not in door.seen, door.seen

say("import a key by typing: code, key name, secret")
api_key, secret = paper_key("trade")
door = Terminal("key", "import", "--label", "typed")
door.until("Code")
door.type(phone.code())
door.until("API key")
door.type(api_key)
door.until("ecret")
door.type(secret.strip())
door.ends(0)
assert secret.strip() not in door.seen and PASSWORD not in door.seen

say("a prompt that is killed while it asks leaves the terminal as it was")
does("vault", "seal")
eventually("sealed", lambda: state() == "sealed")
door = Terminal("vault", "unlock")
door.until("Password")
os.kill(daemon.child("strongroom-prompt"), signal.SIGKILL)
door.ends(5)

say("interrupted by Ctrl+C: the same")
door = Terminal("vault", "unlock")
door.until("Password")
prompt = daemon.child("strongroom-prompt")
os.write(door.near, b"\x03")
assert door.process.wait(20) == -signal.SIGINT
eventually("no prompt", lambda: gone([prompt]))
unlocks_here(PASSWORD)
door = Terminal("vault", "status")
door.until("Vault: unlocked")
door.ends(0)
assert state() == "locked", "at this terminal, and at no other"
daemon.stop()
