"""A person at a real terminal: types, and reads what is shown."""
import fcntl, pty, termios
from world import *


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments, fds=()):
        self.near, far = pty.openpty()
        if AS:
            os.fchown(far, AS["user"], AS["group"])
        self.before = termios.tcgetattr(far)
        self.seen, self.at = "", 0

        def take():
            os.setsid()
            fcntl.ioctl(far, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen([f"{BIN}/strongroom", "--dir", DIR, *map(str, arguments)], stdin=far, stdout=far, stderr=far,
                                        preexec_fn=take, pass_fds=fds, **AS)
        for fd in fds:
            os.close(fd)
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
