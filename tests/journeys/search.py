"""Looks for planted secrets: in the memory of processes, their environment, open descriptors, and in files.

Invariant: fifteen bytes of a secret in a row are found, wherever they stand and in whichever of its forms: as they are, wide (UTF-16),
in hexadecimal, in base64 at each alignment, and as HMAC pads a key. Fragments count: what an allocator overwrites at its beginning is found.
"""
import base64, glob, hashlib, os, re, stat
from collections import namedtuple

PAGE = 4096
BLOCK = 64 * 1024
PRESENT, SWAPPED, OF_A_FILE = 1 << 63, 1 << 62, 1 << 61
# The kernel's own pages.
KERNEL = ("[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]")
# Mappings whose pages are not of a file on a disk, although they have a path.
MEMORY = ("/memfd:", "/dev/shm/", "/dev/zero", "/SYSV", "/secretmem")
LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


class Hit(namedtuple("Hit", "process pid place rights flags address secret form begin length whole")):
    """A piece of a secret that was found."""

    def __str__(self):
        swap = "not swapped, not dumped" if self.protected else "can be swapped"
        where = f"{self.place or 'unnamed memory'} {self.rights} [{self.flags}] ({swap})" if self.rights else self.place
        return f"{self.process} {self.pid}: {self.length} of {self.whole} bytes (from {self.begin}) of {self.secret} {self.form} at {self.address:#x} in {where}"

    @property
    def protected(self):
        return "secretmem" in self.place or {"lo", "dd"} <= set(self.flags.split())


def forms(secret):
    """What a secret can look like, by the name of the form."""
    yield "as it is", secret
    try:
        if (text := secret.decode("ascii")).isprintable():
            yield "wide", text.encode("utf-16-le")
    except UnicodeDecodeError:
        pass
    yield "in hexadecimal", secret.hex().encode()
    yield "in upper hexadecimal", secret.hex().upper().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Letters that the neighbours on both sides decide about are left out.
            letters = encode(bytes(before) + secret)
            yield "in base64", letters[-(-before * 8 // 6):(before + len(secret)) * 8 // 6]
    if len(secret) <= 64:
        for pad in (0x36, 0x5c):
            yield "as HMAC pads it", bytes(byte ^ pad for byte in secret)


def forms_of_kit(kit):
    """A recovery kit as it is printed and typed, and the 32 bytes behind it, by name."""
    plain = kit.replace(" ", "")
    for name, text in (("kit", kit), ("kit in one", plain), ("kit with dashes", kit.replace(" ", "-"))):
        yield name, text.encode()
        yield f"{name}, small", text.lower().encode()
    bits = 0
    for letter in plain.lower()[6:58]:
        bits = bits << 5 | LETTERS.index(letter)
    yield "kit's bytes", (bits >> 4).to_bytes(32, "big")


def forms_of_ed25519(pem):
    """A private key in PKCS#8: its text, its seed, and what is derived from the seed to sign, by name."""
    text = "".join(line for line in pem.split() if "-" not in line and len(line) > 20)
    seed = base64.b64decode(text)[-32:]
    wide = bytearray(hashlib.sha512(seed).digest())
    # RFC 8032, 5.1.5. The scalar's first and last byte are changed by clamping.
    # Every such key begins with the same 16 bytes: those are no secret, and other stories' keys have them, too.
    yield "Ed25519 key's text", text[22:].encode()
    yield "Ed25519 seed", seed
    yield "Ed25519 scalar", bytes(wide[1:31])
    yield "Ed25519 prefix", bytes(wide[32:])


def forms_of_rsa(pem):
    """A private key in PKCS#8: its text, and each number that is secret, as it is written and as a processor holds it, by name."""
    text = "".join(line for line in pem.split() if "-" not in line and len(line) > 10)
    # The first half holds what every such key begins with, and the modulus, which is public.
    yield "RSA key's text", text[len(text) // 2:].encode()

    def parts(der):
        """What follows one another in DER, as tag and content."""
        while der:
            length, head = der[1], 2
            if length & 0x80:
                head += length & 0x7F
                length = int.from_bytes(der[2:head], "big")
            yield der[0], der[head:head + length]
            der = der[head + length:]

    (_, whole), = parts(base64.b64decode(text))
    octets = next(content for tag, content in parts(whole) if tag == 4)
    (_, key), = parts(octets)
    numbers = [int.from_bytes(content, "big") for _, content in parts(key)]
    for name, number in zip(("private exponent", "prime 1", "prime 2", "exponent 1", "exponent 2", "coefficient"), numbers[3:9]):
        size = (number.bit_length() + 7) // 8
        yield f"RSA {name}", number.to_bytes(size, "big")
        yield f"RSA {name}, little-endian", number.to_bytes(size, "little")


class Needles:
    """Secrets to look for."""

    def __init__(self):
        self.secrets, self.forms, self.words, self.keys = {}, [], {}, frozenset()

    def plant(self, name, secret):
        """Adds a secret, as bytes or text."""
        secret = secret if isinstance(secret, bytes) else secret.encode()
        assert len(secret) >= 15, f"{name} is too short to be told from chance"
        self.secrets[name] = secret
        for form, data in dict.fromkeys((form, data) for form, data in forms(secret)):
            self.forms.append((name, form, data))
            for at in range(len(data) - 7):
                self.words.setdefault(int.from_bytes(data[at:at + 8], "little"), []).append((len(self.forms) - 1, at))
        self.keys = frozenset(self.words)

    def plant_all(self, named):
        for name, secret in named:
            self.plant(name, secret)

    def only(self, *names):
        """Some of them."""
        some = Needles()
        some.plant_all((name, secret) for name, secret in self.secrets.items() if name in names)
        return some

    def pieces(self, data):
        """Of each piece that is in `data`: its position, secret and form, where in that it begins, its length and the whole's."""
        # Fifteen bytes in a row hold eight that begin at a multiple of eight: whole words are compared, which is quick.
        words = memoryview(data)[:len(data) // 8 * 8].cast("Q")
        if self.keys.isdisjoint(words):
            return
        seen = set()
        for at, word in enumerate(words):
            for number, begin in self.words.get(word, ()):
                name, form, whole = self.forms[number]
                here, end = at * 8, begin + 8
                there = here + 8
                while begin > 0 and here > 0 and whole[begin - 1] == data[here - 1]:
                    begin, here = begin - 1, here - 1
                while end < len(whole) and there < len(data) and whole[end] == data[there]:
                    end, there = end + 1, there + 1
                least = {"wide": 30, "as it is": 12}.get(form, 15)
                if end - begin >= min(least, len(whole)) and (number, here) not in seen:
                    seen.add((number, here))
                    yield here, name, form, begin, end - begin, len(whole)

    def in_process(self, pid, unread=None):
        """All pieces in a process's memory, environment and command line. `unread`: a list that takes mappings that cannot be read."""
        process, hits = name_of(pid), []
        try:
            for what in ("environ", "cmdline"):
                with open(f"/proc/{pid}/{what}", "rb") as file:
                    hits += [Hit(process, pid, what, "", "", *piece) for piece in self.pieces(file.read())]
            for place, rights, flags, address, data in memory(pid, [] if unread is None else unread):
                hits += [Hit(process, pid, place, rights, flags, address + at, *piece) for at, *piece in self.pieces(data)]
        except (FileNotFoundError, ProcessLookupError):
            pass
        # Blocks overlap.
        return sorted(set(hits), key=lambda hit: hit.address)

    def in_text(self, data, name):
        """All pieces in bytes that were gathered."""
        return [Hit("text", 0, name, "", "", *piece) for piece in self.pieces(data)]

    def in_file(self, path, name=None):
        """All pieces in a file."""
        hits, at = set(), 0
        try:
            with open(path, "rb") as file:
                while data := file.read(1024 * 1024):
                    hits.update(Hit("file", 0, name or path, "", "", at + here, *piece) for here, *piece in self.pieces(data))
                    if len(data) < 1024 * 1024:
                        break
                    # What begins before the end of a block is read with the next.
                    at += len(data) - 1024
                    file.seek(at)
        except OSError:
            # Gone, or secret memory, which gives its bytes to nobody.
            pass
        return sorted(hits)

    def in_descriptors(self, pid):
        """All pieces in files that a process holds open without a name: deleted ones, and those that live in memory only."""
        hits = []
        for link in glob.glob(f"/proc/{pid}/fd/*"):
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("/memfd:") or target.endswith(" (deleted)"):
                hits += [hit._replace(process=name_of(pid), pid=pid) for hit in self.in_file(link, target)]
        return hits

    def in_files(self, folders, since, owner, without=()):
        """All pieces in files of these folders that changed since then and belong to `owner`, if one is given; `without`: paths that hold
        secrets because somebody put them there."""
        hits = []
        for folder in folders:
            for here, below, files in os.walk(folder):
                below[:] = [name for name in below if os.path.join(here, name) not in without]
                for path in (os.path.join(here, name) for name in files):
                    try:
                        found = os.lstat(path)
                    except FileNotFoundError:
                        continue
                    changed = max(found.st_mtime, found.st_ctime) >= since and owner in (None, found.st_uid)
                    if changed and stat.S_ISREG(found.st_mode) and path not in without:
                        hits += self.in_file(path)
        return hits


def name_of(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return "?"


def mappings(pid):
    """Begin, end, rights, name and the kernel's flags (lo: locked, dd: not dumped) of each mapping."""
    span = None
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line):
                begin, end, rights, name = match.groups()
                span = int(begin, 16), int(end, 16), rights, name
            elif line.startswith("VmFlags:"):
                yield *span, line[8:].strip()


def memory(pid, unread):
    """Mapping's name, rights and flags, address and bytes of everything that a process alone has in memory, in overlapping blocks."""
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    pages = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    try:
        for begin, end, rights, name, flags in list(mappings(pid)):
            if name in KERNEL:
                continue
            # A page of a file as it is on the disk holds nothing that this process wrote there; files are searched as files.
            on_disk = name.startswith("/") and not name.startswith(MEMORY)
            for at, size in runs_of_pages(pages, begin, end, on_disk):
                for here in range(at, at + size, BLOCK):
                    # What begins before the end of a block is read with it.
                    most = min(BLOCK + 1024, at + size - here)
                    try:
                        data = os.pread(memory, most, here)
                    except OSError:
                        if not unread or unread[-1] != (name, flags):
                            unread.append((name, flags))
                        break
                    if data != ZEROS[:len(data)]:
                        yield name, rights, flags, here, data
    finally:
        os.close(memory)
        os.close(pages)


ZEROS = bytes(BLOCK + 1024)
NO_PAGES = bytes(512 * 8)


def runs_of_pages(pages, begin, end, on_disk, most=128 * 1024):
    """Begin and size of each run of pages that are there; web engines reserve far more than they use."""
    run = None
    for at in range(begin, end, most * PAGE):
        entries = os.pread(pages, min(most, (end - at) // PAGE) * 8, at // PAGE * 8)
        for first in range(0, len(entries), len(NO_PAGES)):
            some = entries[first:first + len(NO_PAGES)]
            if some == NO_PAGES[:len(some)]:
                if run:
                    yield run
                    run = None
                continue
            for number, entry in enumerate(memoryview(some).cast("Q")):
                if entry & (PRESENT | SWAPPED) and not (on_disk and entry & OF_A_FILE):
                    here = at + (first // 8 + number) * PAGE
                    run = (run[0], run[1] + PAGE) if run else (here, PAGE)
                elif run:
                    yield run
                    run = None
    if run:
        yield run
