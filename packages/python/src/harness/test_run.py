"""Runs a test script, in whichever style it is written."""
import builtins
import contextlib
import sys
import traceback
import types
import unittest

from harness import pytest_stand_in, test_script
from harness.cases import show


def run_tests(source, output, cases):
    """Runs the tests of `source`; `output` is what the program printed."""
    code, asserts = test_script.compile_tests(source)
    module = types.ModuleType("__main__")
    module.__dict__.update(
        __file__="tests.py",
        __builtins__=builtins,
        output=output,
        check=_check,
        __pawl_equal__=cases.equal,
        __pawl_case__=cases.case,
    )
    sys.modules["__main__"] = module
    # The runner starts them itself, below.
    unittest.main = lambda *_args, **_named: None
    _remember_comparisons(cases)
    finished = False
    try:
        exec(code, module.__dict__)
        finished = True
    except SystemExit as exit:
        if exit.code in (None, 0):
            finished = True
        else:
            cases.add("the tests run", False, error="The tests ended with exit code %s." % (exit.code,))
    except unittest.SkipTest:
        return
    except BaseException as error:
        cases.failed(_line_of(error), error)
    if not finished:
        return
    _run_unittest(module, cases)
    _run_functions(module, cases)
    if cases.count == 0 and asserts:
        # A script that asserts in functions of its own, which it called, and came to its end.
        cases.add("tests", True)


def _check(condition, message="The check does not hold."):
    assert condition, message


def _line_of(error):
    line = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == "tests.py":
            line = line or frame.lineno
    return "tests" if line is None else "line %d" % line


def _remember_comparisons(cases):
    for name in ("assertEqual", "assertAlmostEqual", "assertListEqual", "assertDictEqual", "assertTupleEqual"):
        original = getattr(unittest.TestCase, name)

        def remembering(self, first, second, *args, _original=original, **named):
            cases._comparison = (show(first), show(second))
            _original(self, first, second, *args, **named)
            cases._comparison = None

        setattr(unittest.TestCase, name, remembering)


class _Result(unittest.TestResult):
    """Reports each test method, and each failed sub-test, as a case."""

    def __init__(self, cases):
        super().__init__()
        self._cases = cases

    def startTest(self, test):
        super().startTest(test)
        self._cases._comparison = None

    def _name(self, test):
        return getattr(test, "_testMethodName", None) or str(test)

    def addSuccess(self, test):
        self._cases.add(self._name(test), True)

    def addError(self, test, err):
        self._cases.failed(self._name(test), err[1])

    addFailure = addError

    def addExpectedFailure(self, test, err):
        self._cases.add(self._name(test), True)

    def addUnexpectedSuccess(self, test):
        self._cases.add(self._name(test), False, error="It passed, though it was expected to fail.")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._cases.failed("%s %s" % (self._name(test), subtest._subDescription()), err[1])


def _run_unittest(module, cases):
    for value in list(vars(module).values()):
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == "__main__":
            unittest.defaultTestLoader.loadTestsFromTestCase(value).run(_Result(cases))


def _run_functions(module, cases):
    """Functions `test_…`, also in classes `Test…`, as pytest would find them."""
    for name, value in list(vars(module).items()):
        if isinstance(value, types.FunctionType) and name.startswith("test"):
            _run_function(name, value, module, cases)
        elif isinstance(value, type) and name.startswith("Test") and not issubclass(value, unittest.TestCase):
            for method_name in [each for each in vars(value) if each.startswith("test")]:
                instance = value()
                around = [getattr(instance, each, None) for each in ("setup_method", "teardown_method")]
                _run_function(method_name, getattr(instance, method_name), module, cases, around)


def _run_function(name, fn, module, cases, around=(None, None)):
    before, after = around
    for parameters in pytest_stand_in.parameter_sets(fn):
        shown = name if not parameters else "%s[%s]" % (name, ", ".join(map(show, parameters.values())))
        with cases.case(shown), contextlib.ExitStack() as stack:
            if after is not None:
                stack.callback(after)
            if before is not None:
                before()
            pytest_stand_in.call_with_fixtures(fn, parameters, vars(module), stack)
