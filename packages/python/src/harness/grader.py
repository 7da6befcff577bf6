"""The process that judges: runs the tests against the program, which lives in another process, and reports."""
import os
import random
import select
import signal
import sys

from harness import bridge, kernel, pytest_stand_in
from harness.cases import Cases, QuietOutput, text_of
from harness.link import Link, LinkClosed
from harness.test_run import run_tests

# The names under which tests import the program.
_PROGRAM_NAMES = ("starter", "solution", "main", "user_code")
_MAX_TEXT = 2_000


def supervise(control, link, max_value_bytes, pid, settings):
    """Hands the request to the program's process, lets the tests judge it, and reports its end. Never returns."""
    control.send({"ready": os.getpid()})
    random.seed()
    try:
        request = control.receive()
        link.send(request)
        folder = request["start"]["folder"]
        os.chdir(folder)
        if settings.kind == "landlock":
            # Rules of its own: what shares the program's could be signalled by it.
            kernel.restrict_files(settings.landlock_rules(folder))
        program = _Program(link, pid, max_value_bytes)
        if request["start"]["module"] is None:
            tests = None
            program.wait()
        else:
            tests = _judge(control, program)
            program.end()
        report = {"error": program.error(), "exitCode": program.exit_code, "signal": program.signal}
        control.send({"end": {**report, "usage": program.usage, "tests": tests}})
        if settings.namespaces:
            # Whoever is left of the program goes with its first process anyway; this way it is gone before the report is read.
            _kill_all()
    except LinkClosed:
        pass
    os._exit(0)


def _kill_all():
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass


class _Program:
    """The process of the submitted program, seen from its grader."""

    def __init__(self, link, pid, max_value_bytes):
        self.pid = pid
        self.exit_code = self.signal = None
        self.usage = {}
        self._pidfd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        self.link = _WatchedLink(link.fd, max_value_bytes, self._pidfd)
        self._error = None

    def wait(self):
        """Until it has ended. Takes in the orphans it leaves, too."""
        while self.exit_code is None and self.signal is None:
            pid, status, usage = os.wait4(-1, 0)
            if pid == self.pid:
                code = os.waitstatus_to_exitcode(status)
                if code < 0:
                    self.signal = -code
                else:
                    self.exit_code = code
                rss_unit = 1 if sys.platform == "darwin" else 1024
                self.usage = {
                    "cpuMs": round((usage.ru_utime + usage.ru_stime) * 1000),
                    "maxRssBytes": usage.ru_maxrss * rss_unit,
                }

    def end(self):
        """It has answered its tests and is not needed any more."""
        if self.has_ended():
            self.wait()
            return
        try:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        except PermissionError:
            # Landlock's rules part the two; the worker ends it.
            pass
        self.exit_code, self.signal = self.exit_code_at_load, None

    exit_code_at_load = 0

    def has_ended(self):
        return self._pidfd is not None and bool(select.select([self._pidfd], [], [], 0)[0])

    def loaded(self):
        """Waits until its module is loaded, or failed to. Returns why it can't be tested, or None."""
        try:
            told = self.link.receive().get("loaded")
        except LinkClosed:
            return "The program ended before its tests could be run."
        if type(told) is not dict:
            return "The program broke off its connection before its tests could be run."
        self._error = _checked_error(told.get("error"))
        if type(told.get("exitCode")) is int:
            self.exit_code_at_load = told["exitCode"] & 0xFF
        if self._error is None:
            return None
        return "%s: %s" % (self._error["type"], self._error["message"])

    def error(self):
        """What it said of the exception that ended it, if anything."""
        if self._error is None and self.exit_code == 1:
            try:
                self._error = _checked_error(self.link.receive_now().get("ended"))
            except LinkClosed:
                pass
        return self._error


class _WatchedLink(Link):
    """A link whose other side may hand its end to a child and die."""

    def __init__(self, fd, max_bytes, pidfd):
        super().__init__(fd, max_bytes)
        self._watched = [fd] if pidfd is None else [fd, pidfd]

    def _read(self, size):
        readable = select.select(self._watched, [], [])[0]
        if self.fd not in readable:
            raise LinkClosed("it ended")
        return super()._read(size)

    def receive_now(self):
        """A message that is here already."""
        if not select.select([self.fd], [], [], 0)[0]:
            raise LinkClosed("nothing came")
        return self.receive()


def _checked_error(told):
    if type(told) is not dict:
        return None
    line, number = told.get("line"), told.get("errno")
    return {
        "type": str(told.get("type"))[:200],
        "message": str(told.get("message"))[:_MAX_TEXT],
        "line": line if type(line) is int else None,
        "errno": number if type(number) is str else None,
    }


def _judge(control, program):
    """Runs the tests, which come only now. Returns the verdict."""
    obstacle = program.loaded()
    control.send({"loaded": True})
    request = control.receive()
    cases = Cases(control)
    printed = QuietOutput()
    sys.stdout = sys.stderr = printed
    connection = bridge.Bridge(program.link, printed)
    if obstacle is not None:
        cases.add("the program runs", False, error=obstacle)
        return cases.verdict(printed, obstacle)
    error = None
    try:
        bridge.import_as(connection, _PROGRAM_NAMES)
        sys.modules["pytest"] = pytest_stand_in.as_module()
        run_tests(request["tests"], request["output"], cases)
    except BaseException as failure:
        error = text_of(failure)
        cases.add("the tests run", False, error=error)
    return cases.verdict(printed, connection.gone or error)
