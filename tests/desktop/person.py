"""A person with a phone at the window and its prompts; by the screen reader's interface or by keyboard alone."""
import prompt
from window import PASSWORD, Authenticator, eventually, executable, gone

PROMPT_PROGRAM = prompt.PROGRAM


class Person:
    """Knows the password; learns kit and seed when the vault is made."""

    def __init__(self, password=PASSWORD, by_keyboard=False):
        self.password, self.by_keyboard = password, by_keyboard
        self.kit = self.seed = self.phone = None
        self.codes = []

    @classmethod
    def of(cls, other, by_keyboard=False):
        """The same person as one whose vault was made in the terminal."""
        person = cls(other.password, by_keyboard)
        person.kit, person.phone = other.kit, other.phone
        return person

    def asked(self, about):
        """The prompt's window, once it shows this page."""
        window = prompt.Window().page(about)
        assert executable(window.pid) == PROMPT_PROGRAM
        return window

    def code(self):
        code = self.phone.code()
        self.codes.append(code)
        return code

    def write(self, window, field, text):
        """Into a field: the keyboard's focus is there already, or the field is found by its name."""
        if self.by_keyboard:
            window.has_focus(field)
            window.type(text)
        else:
            window.fill(field, text)

    def go_on(self, window, button):
        if self.by_keyboard:
            window.keys("Return")
        else:
            window.press(button)

    def ended(self, window):
        """An answered prompt leaves no process."""
        eventually("the prompt's process is gone", lambda: gone([window.pid]))

    def makes_a_vault(self, pictures=False):
        window = self.asked("new vault")
        self.write(window, "New password", self.password)
        if self.by_keyboard:
            window.keys("Tab", "Tab")
        self.write(window, "The same again", self.password)
        window.says("Very strong")
        if pictures:
            prompt.shot("prompt-new-password")
        self.go_on(window, "Create the vault")
        self.kit = window.page("recovery kit").kit()
        if pictures:
            prompt.shot("prompt-kit")
        self.go_on(window, "I have it on paper")
        window.says("Type back group 16")
        self.write(window, "Group 16", self.kit.split()[-1])
        if pictures:
            prompt.shot("prompt-kit-group")
        self.go_on(window, "The paper is stored")
        window.page("one-time codes")
        self.seed = window.seed()
        if pictures:
            prompt.shot("prompt-codes")
        self.phone = Authenticator("secret=" + self.seed)
        self.write(window, "The six-digit code that it shows now", self.code())
        if self.by_keyboard:
            window.keys("Return")
        else:
            window.press(next(node.get_name() for node in window.nodes(prompt.Atspi.Role.PUSH_BUTTON)
                              if node.get_name() not in ("Cancel", "Cancel, no vault", "Close") and window.can_press(node.get_name())))
        self.ended(window)

    def gives_a_code(self, about, button, pictures=None):
        """The step-up page; the window may go on to another page after it."""
        window = self.asked(about)
        self.write(window, "Six-digit code", self.code())
        if pictures:
            prompt.shot(pictures)
        self.go_on(window, button)
        return window

    def imports_from_a_file(self, pictures=False):
        window = self.gives_a_code("confirm a new key", "Continue", pictures and "prompt-step-up")
        window.page("import a key").says("environment file")
        if pictures:
            prompt.shot("prompt-import")
        window.has_focus("Import this key")
        self.go_on(window, "Import this key")
        self.ended(window)

    def unlocks(self, password=None, pictures=None):
        window = self.asked("unlock")
        self.write(window, "Password", password or self.password)
        if pictures:
            prompt.shot(pictures)
        self.go_on(window, "Unlock")
        self.ended(window)
