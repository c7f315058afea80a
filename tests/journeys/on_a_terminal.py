"""A person at a real terminal: secrets are asked by the prompt without echo, and the terminal is left as it was."""
import pty, termios
from world import *

keyring()
daemon = Daemon()


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments):
        self.near, far = pty.openpty()
        self.before = termios.tcgetattr(far)
        self.seen, self.at = "", 0

        def take():
            os.setsid()
            import fcntl
            fcntl.ioctl(far, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen([f"{BIN}/strongroom", "--dir", DIR, *map(str, arguments)], stdin=far, stdout=far, stderr=far,
                                        preexec_fn=take)
        started.append(self.process)
        self.far = far

    def until(self, words, seconds=30):
        end = time.time() + seconds
        while words not in self.seen[self.at:]:
            assert time.time() < end, (words, self.seen)
            if select.select([self.near], [], [], 0.2)[0]:
                self.seen += os.read(self.near, 4096).decode(errors="replace")
        self.at = self.seen.index(words, self.at) + len(words)

    def type(self, text):
        time.sleep(0.1)
        os.write(self.near, text.encode() + b"\n")

    def ends(self, code):
        end = time.time() + 60
        while self.process.poll() is None and time.time() < end:
            if select.select([self.near], [], [], 0.2)[0]:
                self.seen += os.read(self.near, 4096).decode(errors="replace")
        while select.select([self.near], [], [], 0.2)[0]:
            self.seen += os.read(self.near, 4096).decode(errors="replace")
        assert self.process.poll() == code, (self.process.poll(), self.seen)
        assert termios.tcgetattr(self.far) == self.before, "the terminal is not as it was"


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
door = Terminal("vault", "unlock")
door.until("Password")
door.type(PASSWORD)
door.ends(0)
assert state() == "unlocked"
daemon.stop()
