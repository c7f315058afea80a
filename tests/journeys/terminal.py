"""A person at a real terminal: types, and reads what is shown."""
import fcntl, pty, termios
from world import *

# Behind the numbers that descriptors of a story have.
LINK = 500
# The system's Python, which any user may start. Leads the terminal's process session, as a shell does: runs one command after the other, and Ctrl+C is for the command.
LEADER = f"""
import ctypes, json, os, signal, socket, subprocess
link = socket.socket(fileno={LINK})
signal.signal(signal.SIGINT, signal.SIG_IGN)

def tie():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, signal.SIGKILL)

while True:
    data, fds, _, _ = socket.recv_fds(link, 65536, 8)
    if not data:
        break
    command, names = json.loads(data)
    for fd, name in zip(fds, names):
        if fd != name:
            os.dup2(fd, name)
            os.close(fd)
    running = subprocess.Popen(command, pass_fds=names, preexec_fn=tie)
    for name in names:
        os.close(name)
    link.send(json.dumps(running.pid).encode())
    link.send(json.dumps(running.wait()).encode())
"""


class Login:
    """One terminal: what is unlocked at it stays so for the next command."""

    def __init__(self):
        self.near, self.far = pty.openpty()
        if AS:
            os.fchown(self.far, AS["user"], AS["group"])
        self.link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        named = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD, LINK)
        assert named == LINK, named
        theirs.close()

        def take():
            os.setsid()
            fcntl.ioctl(self.far, termios.TIOCSCTTY, 0)
        self.leader = subprocess.Popen(["/usr/bin/python3", "-c", LEADER], stdin=self.far, stdout=self.far, stderr=self.far, preexec_fn=take,
                                       pass_fds=(LINK,), **AS)
        started.append(self.leader)
        os.close(LINK)

    def run(self, command, fds):
        socket.send_fds(self.link, [json.dumps([command, list(fds)]).encode()], list(fds))
        return Command(self.link, json.loads(self.link.recv(64)))


class Command:
    """A command that the leader of a terminal runs; the part of Popen that stories use."""

    def __init__(self, link, pid):
        self.link, self.pid, self.code = link, pid, None

    def poll(self):
        if self.code is None and select.select([self.link], [], [], 0)[0]:
            self.code = json.loads(self.link.recv(64))
        return self.code

    def wait(self, seconds=60):
        end = time.time() + seconds
        while self.poll() is None:
            assert time.time() < end, "the command does not end"
            time.sleep(0.02)
        return self.code


class Terminal:
    """A command at the story's terminal."""
    login = None

    def __init__(self, *arguments, fds=()):
        Terminal.login = Terminal.login or Login()
        self.near, self.far = self.login.near, self.login.far
        self.before = termios.tcgetattr(self.far)
        self.seen, self.at = "", 0
        self.process = self.login.run([f"{BIN}/strongroom", "--dir", DIR, *map(str, arguments)], fds)
        for fd in fds:
            os.close(fd)

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


def unlocks_here(password):
    """The person unlocks at the terminal."""
    door = Terminal("vault", "unlock")
    door.until("Password")
    door.type(password)
    door.ends(0)
