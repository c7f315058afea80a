"""What another process of the same user can try against a process.

Invariant: an attempt counts as refused only when the kernel said that it is not permitted; any other outcome counts as done.
"""
import ctypes, errno, os, resource, shutil, subprocess, tempfile

PTRACE_ATTACH, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 16, 17, 0x4206, 0x4207, 0x40000000
PIDFD_GETFD = 438


class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
GCORE = shutil.which("gcore")


def done_against(pid, address):
    """Names of the attempts that were not refused. `address`: where the process has memory, if that is known."""
    done = []
    for name, act in attempts(pid, address or 0x1000):
        try:
            act()
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EACCES):
                continue
        done.append(name)
    return done


def attempts(pid, address):
    """Each with what it is called."""
    for name in ("mem", "environ", "maps", "smaps", "pagemap", "auxv", "syscall", "io"):
        yield f"open {name}", lambda name=name: os.close(os.open(f"/proc/{pid}/{name}", os.O_RDONLY))
    yield "open mem to write", lambda: os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))
    yield "list descriptors", lambda: os.listdir(f"/proc/{pid}/fd")
    yield "open a descriptor", lambda: os.stat(f"/proc/{pid}/fd/0")
    yield "list mapped files", lambda: os.listdir(f"/proc/{pid}/map_files")
    for task in os.listdir(f"/proc/{pid}/task"):
        yield f"open mem of thread {task if task != str(pid) else 1}", lambda task=task: os.close(os.open(f"/proc/{pid}/task/{task}/mem", os.O_RDONLY))
    yield "process_vm_readv", lambda: across(libc.process_vm_readv, pid, address)
    # Where nothing is mapped: who may write is told that there is nothing, who may not is told that.
    yield "process_vm_writev", lambda: across(libc.process_vm_writev, pid, 0x1000)
    yield "pidfd_getfd", lambda: steal(pid)
    yield "ptrace attach", lambda: attach(PTRACE_ATTACH, pid)
    yield "ptrace seize", lambda: attach(PTRACE_SEIZE, pid)
    yield "raise its core limit", lambda: resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    if GCORE:
        yield "gcore", lambda: gcore(pid)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def across(call, pid, address, size=64):
    own = ctypes.create_string_buffer(size)
    here, there = Span(ctypes.addressof(own), size), Span(address, size)
    checked(call(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))


def steal(pid):
    handle = os.pidfd_open(pid)
    try:
        os.close(checked(libc.syscall(PIDFD_GETFD, handle, 0, 0)))
    finally:
        os.close(handle)


def attach(how, pid):
    checked(libc.ptrace(how, pid, None, None))
    if how == PTRACE_SEIZE:
        checked(libc.ptrace(PTRACE_INTERRUPT, pid, None, None))
    # It has to stop before it can be let go.
    os.waitpid(pid, WALL)
    checked(libc.ptrace(PTRACE_DETACH, pid, None, None))


def gcore(pid):
    """The debugger's own way; it says nothing useful by its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([GCORE, "-o", f"{folder}/dump", str(pid)], capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        if not os.listdir(folder):
            raise PermissionError(errno.EPERM, "no file")
