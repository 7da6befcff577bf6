"""What the tests found: one case each."""
import contextlib
import io
import traceback
import unittest

_MAX_CASES = 500
_MAX_TEXT = 2_000
_SHOWN_CHARACTERS = 500


class Cases:
    """Counts and reports what each test found."""

    def __init__(self, control):
        self._control = control
        self._failed = 0
        self.count = 0
        self._comparison = None

    def add(self, name, passed, error=None, expected=None, actual=None):
        self.count += 1
        self._failed += not passed
        if self.count <= _MAX_CASES:
            case = {"name": str(name)[:200], "passed": passed, "error": error, "expected": expected, "actual": actual}
            self._control.send({"case": case})

    def failed(self, name, error):
        expected = actual = None
        if isinstance(error, AssertionError) and self._comparison is not None:
            actual, expected = self._comparison
        self.add(name, False, text_of(error), expected, actual)

    def verdict(self, printed, error):
        return {"count": self.count, "failed": self._failed, "output": printed.getvalue(), "error": error}

    def equal(self, left, right):
        """`left == right`, remembered for the report of the case if it does not hold."""
        equal = left == right
        self._comparison = None if equal else (show(left), show(right))
        return equal

    @contextlib.contextmanager
    def case(self, name):
        """One assertion of a script: what it raises is its result, and the script goes on."""
        self._comparison = None
        try:
            yield
        except unittest.SkipTest:
            pass
        except BaseException as error:
            self.failed(name, error)
        else:
            self.add(name, True)


def text_of(error):
    """The reason of a failure in a line or some: the message of an assertion, else the kind of error too."""
    try:
        message = str(error)
    except BaseException:
        message = ""
    if isinstance(error, AssertionError):
        return message[:_MAX_TEXT] or "The assertion does not hold."
    if isinstance(error, SyntaxError):
        message = traceback.format_exception_only(type(error), error)[-1].strip()
        return "The tests have a mistake: %s" % message[:_MAX_TEXT]
    return ("%s: %s" % (type(error).__name__, message))[:_MAX_TEXT]


def show(value):
    """A value for people, cut to some hundred characters."""
    try:
        text = repr(value)
    except BaseException as error:
        text = "<%s while it was shown>" % type(error).__name__
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "\u2026"


class QuietOutput(io.StringIO):
    """What the tests print themselves, up to a limit."""

    MAX_CHARACTERS = 65_536

    def write(self, text):
        if self.tell() < self.MAX_CHARACTERS:
            super().write(text[: self.MAX_CHARACTERS - self.tell()])
        return len(text)
