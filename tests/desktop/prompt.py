"""A person at the prompt's window: eyes and hands of a screen reader (AT-SPI) and a keyboard (X).

Needs the system's Python with gi and Atspi (python3-gi, gir1.2-atspi-2.0), at-spi2-core, xdotool, and a display. What this
finds, a screen reader finds: names, roles, states and texts come over the accessibility bus and from nowhere else.
"""
import os, re, subprocess, time
import gi
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib

PROGRAM = "strongroom-prompt-window"
SHOTS = os.environ.get("STRONGROOM_SHOTS")


def xdotool(*arguments, text=None):
    return subprocess.run(["xdotool", *map(str, arguments)], capture_output=True, text=True, timeout=20, input=text)


def shot(name):
    """A picture of the screen, when a folder for them is given."""
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
        subprocess.run(["import", "-window", "root", os.path.join(SHOTS, f"{name}.png")], check=True, timeout=20)


def walk(node):
    """The node and everything below it that is shown."""
    if node is None:
        return
    yield node
    for at in range(node.get_child_count()):
        yield from walk(node.get_child_at_index(at))


def shown(node):
    return node.get_state_set().contains(Atspi.StateType.SHOWING)


class Window:
    """The prompt's window, as a screen reader sees it."""

    def __init__(self, seconds=20):
        self.frame = self.until("the prompt's window", self.find, seconds)
        self.pid = self.frame.get_process_id()
        # Without a window manager nobody gives a window the keyboard.
        found = xdotool("search", "--onlyvisible", "--name", "^Strongroom prompt").stdout.split()
        if found:
            self.id = found[-1]
            xdotool("windowfocus", "--sync", self.id)

    @staticmethod
    def until(what, test, seconds=20, seen=None):
        end = time.time() + seconds
        while True:
            try:
                found = test()
            except GLib.GError:
                # The tree changed while it was walked.
                found = None
            if found:
                return found
            if time.time() > end:
                raise AssertionError(f"never: {what}; shown: {seen() if seen else ''}")
            time.sleep(0.05)

    @staticmethod
    def find():
        desktop = Atspi.get_desktop(0)
        for at in range(desktop.get_child_count()):
            application = desktop.get_child_at_index(at)
            if application is None or application.get_name() != PROGRAM:
                continue
            for number in range(application.get_child_count()):
                frame = application.get_child_at_index(number)
                if frame is not None and frame.get_name().startswith("Strongroom prompt") and shown(frame):
                    return frame
        return None

    def fresh(self):
        self.frame.clear_cache()
        return self.frame

    def nodes(self, *roles):
        return [node for node in walk(self.fresh()) if (not roles or node.get_role() in roles) and shown(node)]

    def title(self):
        return self.fresh().get_name()

    def page(self, about, seconds=20):
        """Waits until this page is shown and takes keys."""
        self.until(f"the page {about!r}", lambda: self.title() == f"Strongroom prompt: {about}", seconds, self.title)
        return self

    def texts(self):
        """Every label that is shown, in order."""
        return [node.get_name() for node in self.nodes(Atspi.Role.LABEL, Atspi.Role.ALERT, Atspi.Role.STATUS_BAR, Atspi.Role.NOTIFICATION)]

    def says(self, words, seconds=10):
        return self.until(f"the words {words!r}", lambda: any(words in text for text in self.texts()), seconds, self.texts)

    def entry(self, name):
        """A field by the name that its label gives it."""
        def labelled(node):
            if node.get_name() == name:
                return True
            for relation in node.get_relation_set():
                if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY:
                    return any(relation.get_target(at).get_name() == name for at in range(relation.get_n_targets()))
            return False
        roles = (Atspi.Role.TEXT, Atspi.Role.PASSWORD_TEXT, Atspi.Role.ENTRY)
        return self.until(f"the field {name!r}", lambda: next((node for node in self.nodes(*roles) if labelled(node)), None))

    def button(self, name):
        roles = (Atspi.Role.PUSH_BUTTON, Atspi.Role.TOGGLE_BUTTON)
        return self.until(f"the button {name!r}", lambda: next((node for node in self.nodes(*roles) if node.get_name() == name), None))

    def can_press(self, name):
        return self.button(name).get_state_set().contains(Atspi.StateType.SENSITIVE)

    def press(self, name):
        """Presses a button as a screen reader does."""
        self.until(f"{name!r} can be pressed", lambda: self.can_press(name))
        assert Atspi.Action.do_action(self.button(name), 0)

    def fill(self, name, text):
        """Writes into a field as a screen reader's owner does."""
        assert Atspi.EditableText.set_text_contents(self.entry(name), text), name

    def read(self, name):
        """What a screen reader would speak of a field."""
        field = self.entry(name)
        return Atspi.Text.get_text(field, 0, Atspi.Text.get_character_count(field))

    def focused(self):
        """Name of what has the keyboard."""
        found = [node for node in self.nodes() if node.get_state_set().contains(Atspi.StateType.FOCUSED)]
        node = found[-1] if found else None
        if node is None:
            return None
        labels = [relation.get_target(0).get_name() for relation in node.get_relation_set()
                  if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY]
        return labels[0] if labels else node.get_name()

    def has_focus(self, name):
        self.until(f"the keyboard on {name!r}", lambda: self.focused() == name, seen=self.focused)

    def keys(self, *keys):
        xdotool("key", *keys)

    def type(self, text):
        # Not as an argument: the X server keeps the command line of each of its clients.
        xdotool("type", "--delay", "12", "--file", "-", text=text)

    def close(self):
        """As a window manager's button does."""
        xdotool("windowclose", self.id)

    def kit(self, count=16):
        """The groups of the recovery kit that are not covered."""
        return self.groups("Group", count)

    def seed(self):
        return self.groups("Seed, group", 8).replace(" ", "")

    def groups(self, what, count):
        def all_of_them():
            found = [re.match(what + r" (\d+): (\w{1,4})$", text) for text in self.texts()]
            found = [match for match in found if match]
            # A page that is being built shows only some of them.
            if len(found) != count:
                return None
            assert [int(match.group(1)) for match in found] == list(range(1, count + 1)), "out of order for a screen reader"
            return " ".join(match.group(2) for match in found)
        return self.until(f"{count} groups", all_of_them)
