"""Watches one run from outside its box: streams, limits, end."""
import os
import select
import time

from harness.link import FrameReader, LinkClosed, frame
from harness.output import Output
from harness.priority import SHORT_CPU_MS, give_way, let_die
from harness.usage import fits, usage_of_tree

_TICK_S = 0.025
_CHUNK_BYTES = 65_536
# How long a killed box may take to be gone: on a machine that is busy with others it has to wait for the processor.
_DEATH_S = 8.0
_MAX_FRAME_BYTES = 4 << 20
_MAX_CASES = 500
_MAX_TEXT = 2_000
_MAX_PRINTED = 65_536


class Watch:
    def __init__(self, box, settings, request, folder, context):
        self._box = box
        self._folder = folder
        self._settings = settings
        self._limits = request["limits"]
        self._tests = request["testCode"]
        self._context = context
        self._reason = None
        self._streams = {
            box.stdout: Output(self._limits["outputBytes"]),
            box.stderr: Output(self._limits["outputBytes"]),
        }
        self._open = set(self._streams)
        self._stdin = memoryview(request["stdin"].encode("utf-8", "surrogatepass"))
        self._outbox = memoryview(b"")
        self._frames = FrameReader(_MAX_FRAME_BYTES)
        self._end = None
        self._cases = []
        self._control_open = True
        self._giving_way = []
        self._poll = select.poll()
        self._start = {
            "start": {
                "code": request["code"],
                "module": request["module"],
                "stripInteractive": request["stripInteractive"],
                "files": request["files"],
                "limits": self._limits,
                "processLimit": settings.process_limit(self._limits["processes"]),
                "folder": folder,
                "env": {"PATH": "/usr/bin:/bin", "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"},
            }
        }

    def run(self):
        """Runs the request in the box. Returns what became of it, once no process of it is left."""
        box = self._box
        for fd in self._streams:
            os.set_blocking(fd, False)
            self._poll.register(fd, select.POLLIN)
        os.set_blocking(box.stdin, False)
        self._poll.register(box.control, select.POLLIN)
        if box.pidfd is not None:
            self._poll.register(box.pidfd, select.POLLIN)
        if self._stdin:
            self._poll.register(box.stdin, select.POLLOUT)
        else:
            self._close_stdin()
        began = time.monotonic()
        self._send(self._start)
        deadline = began + self._limits["wallMs"] / 1000
        next_look = began + _TICK_S
        while not self._is_over():
            now = time.monotonic()
            if now >= deadline:
                self._stop("wall-time")
                break
            if now >= next_look:
                next_look = now + _TICK_S
                self._look_at_caller()
                self._look_at_usage()
            if self._reason is not None:
                break
            for fd, event in self._poll.poll(max(0.0, min(deadline, next_look) - now) * 1000 + 0.5):
                self._on_event(fd, event)
        wall_ms = (time.monotonic() - began) * 1000
        self._await_death()
        for fd in list(self._open):
            self._read_stream(fd)
        return self._result(wall_ms)

    def _is_over(self):
        return self._end is not None or not self._control_open

    def _on_event(self, fd, event):
        box = self._box
        if fd in self._streams:
            self._read_stream(fd)
        elif fd == box.stdin:
            self._write_stdin()
        elif fd == box.control.fileno():
            if event & select.POLLOUT:
                self._flush()
            if event & ~select.POLLOUT:
                self._read_control()
        elif fd == box.pidfd:
            # What it said before it died is still there.
            while self._control_open and self._end is None and self._read_control():
                pass
            self._control_open = False

    def _read_stream(self, fd):
        output = self._streams[fd]
        while fd in self._open:
            try:
                chunk = os.read(fd, _CHUNK_BYTES)
            except BlockingIOError:
                return
            except OSError:
                chunk = b""
            if not chunk:
                self._open.discard(fd)
                self._poll.unregister(fd)
                return
            output.push(chunk)
            if output.truncated:
                self._stop("output")
                return

    def _write_stdin(self):
        try:
            self._stdin = self._stdin[os.write(self._box.stdin, self._stdin[:_CHUNK_BYTES]) :]
        except BlockingIOError:
            return
        except OSError:
            self._stdin = self._stdin[:0]
        if not self._stdin:
            self._poll.unregister(self._box.stdin)
            self._close_stdin()

    def _close_stdin(self):
        os.close(self._box.stdin)
        self._box.stdin = None

    def _send(self, message):
        self._outbox = memoryview(bytes(self._outbox) + frame(message))
        self._flush()

    def _flush(self):
        control = self._box.control
        try:
            while self._outbox:
                self._outbox = self._outbox[control.send(self._outbox) :]
        except BlockingIOError:
            pass
        except OSError:
            self._outbox = self._outbox[:0]
        self._poll.modify(control, select.POLLIN | (select.POLLOUT if self._outbox else 0))

    def _read_control(self):
        """One chunk at a time, so that nobody who writes without end keeps the limits from being looked at."""
        try:
            chunk = self._box.control.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        try:
            if not chunk:
                raise LinkClosed("it ended")
            self._take(self._frames.feed(chunk))
            return True
        except LinkClosed:
            self._control_open = False
            self._poll.unregister(self._box.control)
            return False

    def _take(self, messages):
        for message in messages:
            if "loaded" in message:
                self._send_tests()
            elif type(message.get("case")) is dict and len(self._cases) < _MAX_CASES:
                self._cases.append(_case_of(message["case"]))
            elif type(message.get("end")) is dict:
                self._end = message["end"]
            elif "fault" in message:
                raise RuntimeError("The sandbox failed: %s." % _text(message["fault"]))

    def _send_tests(self):
        """What the program printed while it was loaded is in the pipe by now: it is the tests' `output`."""
        self._read_stream(self._box.stdout)
        self._send({"tests": self._tests, "output": self._streams[self._box.stdout].text()})

    def _stop(self, reason):
        if self._reason is None and self._end is None:
            self._reason = reason

    def _look_at_caller(self):
        try:
            # Tells the runner as well that this worker is alive.
            self._context.check()
        except BaseException:
            self._stop("cancelled")

    def _look_at_usage(self):
        if self._settings.proc_fd is None or self._box.pidfd is None:
            return
        proc_fd = self._settings.proc_fd
        cpu_ms, memory_bytes, pids = usage_of_tree(proc_fd, self._box.pidfd, self._limits["memoryBytes"])
        if cpu_ms > SHORT_CPU_MS:
            self._giving_way = pids
            give_way(proc_fd, pids)
        if cpu_ms > self._limits["cpuMs"]:
            self._stop("cpu-time")
        elif memory_bytes > self._limits["memoryBytes"]:
            self._stop("memory")
        elif not self._settings.namespaces and not fits(self._folder):
            self._stop("files")

    def _await_death(self):
        """Process 1 of the box takes all others with it, and is gone only after them."""
        box = self._box
        if self._end is None or self._reason is not None:
            if self._giving_way:
                let_die(self._settings.proc_fd, self._giving_way)
            box.kill()
        if box.pidfd is None:
            return
        deadline = time.monotonic() + _DEATH_S
        waiting = select.poll()
        waiting.register(box.pidfd, select.POLLIN)
        killed = self._end is None
        while not waiting.poll(100):
            # A reader that is full keeps nobody from dying; this is only for a box that should end and does not.
            if not killed:
                box.kill()
                killed = True
            if time.monotonic() > deadline:
                os._exit(70)

    def _result(self, wall_ms):
        end = self._end or {}
        usage = end.get("usage") if type(end.get("usage")) is dict else {}
        stdout, stderr = (self._streams[fd] for fd in (self._box.stdout, self._box.stderr))
        reason = self._reason
        if reason is None and (stdout.truncated or stderr.truncated):
            reason = "output"
        return {
            "reason": reason,
            "exitCode": _integer(end.get("exitCode")),
            "signal": _integer(end.get("signal")),
            "error": _error_of(end.get("error")),
            "stdout": stdout.text(),
            "stderr": stderr.text(),
            "truncated": {"stdout": stdout.truncated, "stderr": stderr.truncated},
            "usage": {
                "wallMs": round(wall_ms),
                "cpuMs": _integer(usage.get("cpuMs")),
                "maxRssBytes": _integer(usage.get("maxRssBytes")),
            },
            "tests": self._verdict(end.get("tests")),
        }

    def _verdict(self, told):
        if self._tests is None:
            return None
        if type(told) is not dict:
            return {"finished": False, "passed": False, "cases": self._cases, "output": "", "error": None}
        count, failed = _integer(told.get("count")) or 0, _integer(told.get("failed"))
        passed = self._reason is None and count > 0 and failed == 0 and all(case["passed"] for case in self._cases)
        return {
            "finished": True,
            "passed": passed,
            "cases": self._cases,
            "output": str(told.get("output"))[:_MAX_PRINTED],
            "error": _text(told.get("error")),
        }


def _error_of(told):
    if type(told) is not dict:
        return None
    return {
        "type": str(told.get("type"))[:200],
        "message": str(told.get("message"))[:_MAX_TEXT],
        "line": _integer(told.get("line")),
        "errno": _text(told.get("errno")),
    }


def _case_of(told):
    return {
        "name": str(told.get("name"))[:200],
        "passed": told.get("passed") is True,
        "error": _text(told.get("error")),
        "expected": _text(told.get("expected")),
        "actual": _text(told.get("actual")),
    }


def _text(value):
    return None if value is None else str(value)[:_MAX_TEXT]


def _integer(value):
    return value if type(value) is int else None
