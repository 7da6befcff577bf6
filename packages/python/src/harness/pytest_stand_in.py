"""The part of pytest that tests of exercises use: raises, approx, fail, skip, fixture, mark.parametrize."""
import inspect
import io
import itertools
import re
import sys
import types
import unittest


class Failed(AssertionError):
    """`pytest.fail`, or nothing raised where something should have been."""


class _Raised:
    """The context of `pytest.raises`."""

    def __init__(self, expected, match):
        self._expected = expected
        self._match = match
        self.type = self.value = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _traceback):
        if kind is None:
            raise Failed("nothing was raised, expected %s" % _names_of(self._expected))
        if not issubclass(kind, self._expected):
            return False
        self.type, self.value = kind, error
        if self._match is not None and re.search(self._match, str(error)) is None:
            raise Failed("%r does not match %r" % (str(error), self._match))
        return True


def raises(expected, fn=None, *args, match=None, **named):
    context = _Raised(expected, match)
    if fn is None:
        return context
    with context:
        fn(*args, **named)
    return context


def _names_of(expected):
    return " or ".join(each.__name__ for each in (expected if isinstance(expected, tuple) else (expected,)))


class approx:
    """Equal within a relative tolerance of 1e-6, or an absolute one of 1e-12; also item by item."""

    def __init__(self, expected, rel=None, abs=None):
        self._expected = expected
        self._relative = (1e-6 if abs is None else 0.0) if rel is None else rel
        self._absolute = 1e-12 if abs is None else abs

    def __eq__(self, actual):
        return self._close(self._expected, actual)

    def _close(self, expected, actual):
        if isinstance(expected, dict):
            return isinstance(actual, dict) and expected.keys() == actual.keys() and all(
                self._close(expected[key], actual[key]) for key in expected
            )
        if isinstance(expected, (list, tuple)):
            return isinstance(actual, (list, tuple)) and len(actual) == len(expected) and all(
                map(self._close, expected, actual)
            )
        # Only numbers: an object of the program's does its arithmetic itself.
        if not isinstance(actual, (int, float, complex)) or not isinstance(expected, (int, float, complex)):
            return expected == actual
        return expected == actual or abs(expected - actual) <= max(self._relative * abs(expected), self._absolute)

    def __repr__(self):
        return "approx(%r)" % (self._expected,)


def fail(reason="", pytrace=True):
    raise Failed(reason)


def skip(reason=""):
    raise unittest.SkipTest(reason)


def fixture(fn=None, **_options):
    if fn is None:
        return fixture
    fn._pawl_fixture = True
    return fn


class _Mark:
    """`mark.parametrize` and `mark.skip` have an effect; every other mark is only a word."""

    def __getattr__(self, _name):
        def mark(*args, **_options):
            return args[0] if len(args) == 1 and callable(args[0]) else lambda fn: fn

        return mark

    @staticmethod
    def parametrize(names, rows, **_options):
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)

        def mark(fn):
            sets = [dict(zip(names, row if len(names) > 1 else (row,))) for row in rows]
            fn._pawl_parameters = [*getattr(fn, "_pawl_parameters", []), sets]
            return fn

        return mark

    @staticmethod
    def skip(*args, **_options):
        return unittest.skip("skipped")(args[0]) if args and callable(args[0]) else unittest.skip("skipped")


class _Capture:
    """`capsys`: what was printed since the last look."""

    def __init__(self):
        self._stream = io.StringIO()

    def __enter__(self):
        self._before, sys.stdout = sys.stdout, self._stream
        return self

    def __exit__(self, *_error):
        sys.stdout = self._before

    def readouterr(self):
        printed = self._stream.getvalue()
        self._stream.seek(0)
        self._stream.truncate()
        return types.SimpleNamespace(out=printed, err="")


class _MonkeyPatch:
    """`monkeypatch.setattr`, with an object and a name or with a dotted path."""

    def __init__(self):
        self._patches = []

    def setattr(self, target, *args, raising=True):
        from unittest import mock

        patch = mock.patch(target, args[0]) if isinstance(target, str) else mock.patch.object(target, args[0], args[1])
        patch.start()
        self._patches.append(patch)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for patch in reversed(self._patches):
            patch.stop()


_BUILT_IN_FIXTURES = {"capsys": _Capture, "monkeypatch": _MonkeyPatch}


def parameter_sets(fn):
    """One dict of arguments for each time a parametrized test is run."""
    for choice in itertools.product(*getattr(fn, "_pawl_parameters", [])):
        yield {name: value for chosen in choice for name, value in chosen.items()}


def call_with_fixtures(fn, given, namespace, stack):
    """Calls a test with its parameters and its fixtures, whose clean-up goes to `stack`."""
    made = dict(given)

    def fixture_value(name):
        if name not in made:
            if name in _BUILT_IN_FIXTURES:
                made[name] = stack.enter_context(_BUILT_IN_FIXTURES[name]())
            else:
                provider = namespace.get(name)
                if not getattr(provider, "_pawl_fixture", False):
                    raise LookupError("there is no fixture `%s`" % name)
                made[name] = run(provider)
        return made[name]

    def run(callee):
        named = {
            name: fixture_value(name)
            for name, parameter in inspect.signature(callee).parameters.items()
            if name in made or parameter.default is parameter.empty
        }
        result = callee(**named)
        if inspect.isgenerator(result):
            value = next(result)
            stack.callback(next, result, None)
            return value
        return result

    return run(fn)


def as_module():
    """What `import pytest` gives."""
    module = types.ModuleType("pytest")
    public = (raises, approx, fail, skip, fixture)
    module.__dict__.update({each.__name__: each for each in public})
    module.mark = _Mark()
    module.main = lambda *_args, **_named: 0
    return module
