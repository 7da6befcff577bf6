"""Pawl's worker SDK for Python: one file, standard library only, Python 3.8 or later, Linux and macOS.

    import pawl_worker          # first, so that the channel is safe from whatever else is imported

    def shout(input, ctx):
        ctx.progress(0.5, message="half")
        return input["text"].upper()

    pawl_worker.serve({"shout": shout})

Or without a line about Pawl: `python3 pawl_worker.py --tasks /path/to/tasks.py` serves the public functions of a file.
`python3 -c 'import pawl_worker; pawl_worker.main()' --tasks …` does the same 8 ms sooner: Python keeps the compiled
form of what it imports, not of what it is started with.

A function takes `(input, ctx)`, `(input)` or nothing. It may be `async`; a generator streams what it yields.

Tasks run one at a time on the main thread, in the order they came. A side thread reads the channel: it answers `ping`
while a task spins, gives back runs that wait, takes `cancel`, `credit` and `shutdown`, and ends the process within a second of its host being gone. It needs the GIL
for that: native code that holds the GIL for seconds looks like a dead process from outside, and is treated as one.

A cancel sets `ctx.cancelled` and interrupts the task: `Cancelled`, a BaseException, is raised once where the task is,
as Ctrl-C raises KeyboardInterrupt, also out of `time.sleep` and other blocking calls. It is never raised inside this
file, in a `__del__`, or after the task has returned. The means is SIGURG, whose handler belongs to this file.
"""
import os
import sys
import time

import _thread
import select

try:
    # The C parts alone: `json`, `signal`, `collections` would import `re` and `enum`, half the start of an interpreter.
    import _signal
    from _collections import deque as _deque
    from _json import encode_basestring as _json_text, encode_basestring_ascii as _json_ascii
    from _json import make_encoder as _make_encoder, make_scanner as _make_scanner
except ImportError:  # Another Python than CPython.
    import signal as _signal
    from collections import deque as _deque

    _make_encoder = None

__version__ = "0.0.0"
__all__ = [
    "BudgetExceeded",
    "Cancelled",
    "Context",
    "InvalidInputError",
    "MessageTooLargeError",
    "NotSerializableError",
    "serve",
]

# Bound now: user code may replace the originals.
_read, _write, _getppid, _hard_exit = os.read, os.write, os.getppid, os._exit
_monotonic, _sleep = time.monotonic, time.sleep
_get_ident, _new_lock = _thread.get_ident, _thread.allocate_lock
_poll, _POLLIN, _POLLOUT = select.poll, select.POLLIN, select.POLLOUT
_pthread_kill = _signal.pthread_kill

_STARTED = _monotonic()
_THIS_FILE = __file__
_THIS_MODULE = globals()
_READ_BYTES = 65536
# A pipe or socket that polls as writable takes this much without blocking (PIPE_BUF).
_SURE_BYTES = 4096
_DEFAULT_MAX_MESSAGE_BYTES = 67108864
# Beyond this many unsent frames the side thread stops reading, which bounds what a host that never reads costs.
_MAX_UNSENT_FRAMES = 1000
_PARENT_CHECK_S = 1.0
# From the end of stdin to the exit of the process; the protocol allows one second.
_ORPHAN_GRACE_S = 0.7
_NEVER = float("inf")
_MAX_CAUSES = 8
_MAX_STACK_FRAMES = 100

_PARSE_ERROR, _INVALID_REQUEST, _NO_SUCH_METHOD, _INVALID_PARAMS = -32700, -32600, -32601, -32602
_TASK_FAILED, _CANCELLED, _BUDGET_EXCEEDED, _NO_SUCH_TASK = -32000, -32001, -32002, -32003
_INVALID_INPUT, _RESULT_NOT_SENDABLE, _DRAINING = -32004, -32005, -32006


# --- Errors -----------------------------------------------------------------------------------------------------------


class Cancelled(BaseException):
    """The host cancelled the run. A BaseException, so that `except Exception` lets it through."""


class BudgetExceeded(Exception):
    """The run's time is used up. Raised by `ctx.check()`; a task may raise it as well."""


class _WorkerError(Exception):
    code = None
    _fields = {}


class InvalidInputError(_WorkerError, ValueError):
    """The input does not suit the task. `issues` is a list of `{"path", "message"}`."""

    code = "INVALID_INPUT"

    def __init__(self, message, issues=()):
        super().__init__(message)
        self.issues = list(issues)
        self._fields = {"issues": self.issues}


class NotSerializableError(_WorkerError, TypeError):
    """A value that JSON can't carry; `path` says where, such as `result.items[3]`."""

    code = "NOT_SERIALIZABLE"

    def __init__(self, path, what):
        super().__init__("Can't send `%s`: %s is not JSON." % (path, what))
        self.path = path
        self._fields = {"path": path}


class MessageTooLargeError(_WorkerError, ValueError):
    """A frame over the host's limit."""

    code = "MESSAGE_TOO_LARGE"

    def __init__(self, size_bytes, max_message_bytes):
        super().__init__(
            "Can't send a message of %d bytes: the limit is %d bytes." % (size_bytes, max_message_bytes)
        )
        self.size_bytes = size_bytes
        self.max_message_bytes = max_message_bytes
        self._fields = {"sizeBytes": size_bytes, "maxMessageBytes": max_message_bytes}


class _Refusal(Exception):
    """A request that is answered with an error at once."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


# --- JSON -------------------------------------------------------------------------------------------------------------


def _refuse_type(value):
    raise TypeError(type(value).__name__)


def _refuse_constant(text):
    raise ValueError("%s is not JSON" % text)


class _ScannerOptions:
    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo = {}


def _dumps(value, text=None):
    # The markers, by which cycles are found, are not shared: other threads encode as well.
    encode = _make_encoder({}, _refuse_type, text or _json_text, None, ":", ",", False, False, False)
    return "".join(encode(value, 0))


def _dumps_ascii(value):
    return _dumps(value, _json_ascii)


def _use_json_package():
    global _dumps, _dumps_ascii, _scan
    import json

    def dumper(ascii):
        encoder = json.JSONEncoder(ensure_ascii=ascii, allow_nan=False, separators=(",", ":"))
        return encoder.encode

    _dumps, _dumps_ascii = dumper(False), dumper(True)
    _scan = json.JSONDecoder(parse_constant=_refuse_constant).scan_once


try:
    _scan = _make_scanner(_ScannerOptions)
    if _dumps({"a": [1, None, "\u00e9"]}) != '{"a":[1,null,"\u00e9"]}' or _scan('{"a":[1]}', 0) != ({"a": [1]}, 9):
        raise ValueError
except Exception:  # These are CPython's private parts; the public ones give the same, later.
    _use_json_package()


def _encode(root, value):
    """The value as UTF-8 JSON. Raises NotSerializableError naming the path below `root`."""
    try:
        text = _dumps(value)
    except (TypeError, ValueError, RecursionError, OverflowError, MemoryError) as error:
        path, what = _find_fault(root, value, error)
        raise NotSerializableError(path, what) from None
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # Lone surrogates travel as escapes.
        return _dumps_ascii(value).encode("ascii")


def _find_fault(root, value, error):
    """Where and what the part is that JSON can't carry. Walks without recursion: depth may be what is wrong."""
    node = (None, root)
    deepest, depth = node, 0
    ancestors, stack = set(), []
    parts = iter([(node, value)])
    while True:
        for node, part in parts:
            if isinstance(part, (dict, list, tuple)):
                if id(part) in ancestors:
                    return _show_path(node), "a cycle"
                stack.append((parts, id(part)))
                ancestors.add(id(part))
                if len(stack) > depth:
                    deepest, depth = node, len(stack)
                for key in part if isinstance(part, dict) else ():
                    if not (key is None or isinstance(key, (str, int, float))):
                        return _show_path(node), "a key that is a %s" % type(key).__name__
                parts = _children(node, part)
                break
            what = _leaf_fault(part)
            if what is not None:
                return _show_path(node), what
        else:
            if not stack:
                break
            parts, left = stack.pop()
            ancestors.discard(left)
    if isinstance(error, RecursionError):
        return _show_path(deepest), "a value nested %d deep" % depth
    return root, "a value that raises %s: %s" % (type(error).__name__, _safe_str(error))


def _children(node, part):
    if isinstance(part, dict):
        for key, child in part.items():
            name = str(key)
            yield (node, "." + name if name.isidentifier() else "[%s]" % _dumps_ascii(name)), child
    else:
        for index, child in enumerate(part):
            yield (node, "[%d]" % index), child


def _leaf_fault(part):
    if part is None or isinstance(part, str):
        return None
    if isinstance(part, float):
        if part != part:
            return "NaN"
        return "Infinity" if part in (_NEVER, -_NEVER) else None
    if isinstance(part, int):
        try:
            int.__repr__(part)
            return None
        except ValueError:
            return "an integer of more digits than Python prints"
    name = type(part).__name__
    return "%s %s" % ("an" if name[:1] in "aeiouAEIOU" else "a", name)


def _show_path(node):
    names = []
    while node is not None:
        node, name = node
        names.append(name)
    path = "".join(reversed(names))
    return path if len(path) <= 500 else path[:250] + "\u2026" + path[-200:]


# --- Channel ----------------------------------------------------------------------------------------------------------


class _Channel:
    """The protocol's two streams, on descriptors of their own that no child process inherits."""

    def __init__(self, kind):
        if kind not in ("fd3", "stdout"):
            raise SystemExit("pawl_worker: Expected PAWL_CHANNEL to be `fd3` or `stdout`, got %r." % (kind,))
        self.dead = False
        self.broken = False
        self._outbox = _deque()
        self._lock = _new_lock()
        # The thread that writes; the frame it has begun, with the bytes of it that are out, write by write.
        self._writer = None
        self._begun = (None, [])
        try:
            os.fstat(3 if kind == "fd3" else 1)
        except OSError:
            raise SystemExit("pawl_worker: PAWL_CHANNEL is %s, but that descriptor is not open." % kind) from None
        self.read_fd = _private_copy(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        if kind == "fd3":
            self.write_fd = _private_copy(3)
            os.close(3)
        else:
            self.write_fd = _private_copy(1)
            os.dup2(2, 1)
        self._writable = _poll()
        self._writable.register(self.write_fd, _POLLOUT)
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def _leave_to_parent(self):
        self.dead = True
        self._outbox.clear()
        for fd in (self.read_fd, self.write_fd):
            try:
                os.close(fd)
            except OSError:
                pass

    @property
    def unsent(self):
        return len(self._outbox)

    def push(self, frame):
        """Queues a frame; `flush` writes it."""
        if not self.dead and not self.broken:
            self._outbox.append(frame)

    def flush(self, wait=True):
        """
        Writes what is queued. With `wait` it is all written on return. Without, it never blocks: whoever writes now
        takes the rest along, or the side thread calls again once the channel is writable.
        """
        outbox = self._outbox
        me = _get_ident()
        # A signal handler of the user's that got here while this very thread writes: the outer call goes on with it.
        while outbox and self._writer != me:
            if wait:
                with self._lock:
                    self._drain(me, True)
            elif self._lock.acquire(False):
                try:
                    self._drain(me, False)
                finally:
                    self._lock.release()
                return
            else:
                return

    def _drain(self, me, wait):
        """
        Writes frames whole, also when a signal handler of the user's raises at any point in here: the next call goes
        on where this one was torn away. So a frame leaves the queue only once it is out, and what is out of it is
        noted by the call that writes (`extend` and `map` run no bytecode in between).
        """
        outbox = self._outbox
        self._writer = me
        try:
            while outbox:
                frame = outbox[0]
                if self._begun[0] is not frame:
                    self._begun = (frame, [])
                counts = self._begun[1]
                rest = memoryview(frame)[sum(counts) :]
                while rest:
                    if not wait and not self._writable.poll(0):
                        return
                    try:
                        counts.extend(map(_write, (self.write_fd,), (rest if wait else rest[:_SURE_BYTES],)))
                    except BlockingIOError:
                        if not wait:
                            return
                        waiter = _poll()
                        waiter.register(self.write_fd, _POLLOUT)
                        waiter.poll()
                    rest = memoryview(frame)[sum(counts) :]
                outbox.popleft()
        except OSError as error:
            if error.__traceback__.tb_next is not None:  # A signal handler's: TimeoutError is an OSError as well.
                raise
            # Nobody reads any more; the side thread ends the process.
            self.broken = True
            outbox.clear()
        finally:
            self._writer = None


def _private_copy(fd):
    """A copy that child processes don't get, out of reach of code that closes the low descriptors."""
    for high in range(500, 520):
        try:
            os.fstat(high)
        except OSError:
            try:
                return os.dup2(fd, high, inheritable=False)
            except OSError:  # Over the limit of open files.
                break
    return os.dup(fd)


def _claim_channel(default=None):
    global _channel
    kind = os.environ.pop("PAWL_CHANNEL", default)
    if kind is not None and _channel is None:
        _channel = _Channel(kind)
    return _channel


# Claimed on import, before other imports of the user's can print or read.
_channel = None
_claim_channel()


# --- Tasks ------------------------------------------------------------------------------------------------------------


class _Task:
    def __init__(self, name, fn, validate=None):
        self.name = name
        self.fn = fn
        self.validate = validate
        self.takes, self.needs_input = _arity(fn)
        if self.takes > 2:
            raise TypeError("Expected task `%s` to take (input, ctx), got %d parameters." % (name, self.takes))


def _arity(fn):
    """How many arguments to call `fn` with, and whether the first has no default."""
    while hasattr(fn, "__wrapped__"):
        fn = fn.__wrapped__
    bound = 0
    if not hasattr(fn, "__code__"):
        if isinstance(fn, type):
            fn, bound = fn.__init__, 1
        elif hasattr(fn, "__func__"):
            bound = 1
            fn = fn.__func__
        elif hasattr(type(fn).__call__, "__code__"):
            fn, bound = type(fn).__call__, 1
    elif hasattr(fn, "__func__"):  # A method shows its function's code.
        bound = 1
    code = getattr(fn, "__code__", None)
    if code is None:  # A builtin or a partial.
        return 1, True
    names = code.co_varnames[bound : code.co_argcount]
    required = code.co_argcount - bound - len(fn.__defaults__ or ())
    if code.co_flags & 0x04:
        return max(2, required), required > 0
    if required > 2:
        return required, True
    wants_ctx = required == 2 or (len(names) > 1 and names[1] in ("ctx", "context"))
    return 2 if wants_ctx else min(len(names), 1), required > 0


def _tasks_of(tasks):
    known = {}
    for name, task in tasks.items():
        fn, validate = task if isinstance(task, tuple) else (task, getattr(task, "validate", None))
        if not isinstance(name, str) or not callable(fn) or not (validate is None or callable(validate)):
            raise TypeError(
                "Expected `tasks` to map names to functions or (function, validate) pairs, got %r: %r." % (name, task)
            )
        known[name] = _Task(name, fn, validate)
    return known


def _enter(task, has_input, input, context):
    """Calls user code. A cancel interrupts only what runs below this frame, or below `_stream`."""
    if task.takes == 2:
        result = task.fn(input, context)
    elif task.takes == 1 and (has_input or task.needs_input):
        result = task.fn(input)
    else:
        result = task.fn()
    kind = type(result).__name__
    if kind == "generator":
        return _stream(result, context)
    if kind == "coroutine":
        run = _asyncio_run()
        return run(result)
    return result


def _stream(chunks, context):
    try:
        while True:
            try:
                chunk = next(chunks)
            except StopIteration as stop:
                return stop.value
            context.emit(chunk)
    finally:
        chunks.close()


def _validate(task, input):
    return task.validate(input)


# The frames whose callees are user code.
_ENTRIES = (_enter.__code__, _stream.__code__, _validate.__code__)


def _in_user_code(frame):
    """Whether an exception raised in `frame` passes through nothing but user code on its way to an entry."""
    if frame is None or frame.f_globals is _THIS_MODULE:
        return False
    while frame is not None:
        if frame.f_code in _ENTRIES:
            return True
        # Python swallows what a finaliser raises, and the SDK's own code must not be torn.
        if frame.f_globals is _THIS_MODULE or frame.f_code.co_name == "__del__":
            return False
        frame = frame.f_back
    return False


def _asyncio_run():
    import asyncio

    return asyncio.run


def _issues(task, input):
    """What a task's validator said, as a list of issues: none when the input is fine."""
    if task.validate is None:
        return []
    try:
        said = _validate(task, input)
    except InvalidInputError as error:
        return error.issues or [{"path": "", "message": _safe_str(error)}]
    except Exception as error:
        return [{"path": "", "message": _safe_str(error) or type(error).__name__}]
    if said is None or said is True:
        return []
    if said is False:
        return [{"path": "", "message": "The input is not valid."}]
    return [_issue(each) for each in (said if isinstance(said, (list, tuple)) else [said])]


def _issue(said):
    if isinstance(said, dict):
        return {"path": str(said.get("path", "")), "message": str(said.get("message", ""))}
    if isinstance(said, tuple) and len(said) == 2:
        return {"path": str(said[0]), "message": str(said[1])}
    return {"path": "", "message": str(said)}


# --- Runs -------------------------------------------------------------------------------------------------------------


class _Call:
    """A `run` or `validate` between its request and its answer."""

    __slots__ = (
        "id",
        "method",
        "task",
        "params",
        "deadline",
        "started",
        "answered",
        "cancelled",
        "reason",
        "interrupted",
        "streams",
        "granted",
        "sent",
        "wake",
    )

    def __init__(self, id, method, task, params, deadline):
        self.id = id
        self.method = method
        self.task = task
        self.params = params
        self.deadline = deadline
        self.started = self.answered = self.cancelled = self.interrupted = False
        self.reason = None
        # Chunks the host allowed (the side thread counts), and chunks sent (the emitting thread counts). Without credit
        # in the request the caller takes none, and they are dropped.
        credit = params.get("credit")
        self.streams = type(credit) in (int, float)
        self.granted = int(credit) if self.streams else 0
        self.sent = 0
        self.wake = None


class Context:
    """What a task knows of its run, and its way to report. Its methods may be called from any thread."""

    def __init__(self, worker, call):
        self._worker = worker
        self._call = call
        params = call.params
        self.task = call.task.name
        #: The run's id, the same for all its attempts.
        self.run_id = params.get("runId")
        #: Which try of the run this is, from 1.
        self.attempt = params.get("attempt", 1)
        #: When the budget is used up, on `time.monotonic()`'s scale; infinite without a budget.
        self.deadline = call.deadline
        #: The W3C traceparent, or None.
        self.trace = params.get("trace")
        self._emitting = _new_lock()

    @property
    def cancelled(self):
        """Whether the host has cancelled the run."""
        return self._call.cancelled

    @property
    def cancel_reason(self):
        """Why, in the host's words; None while not cancelled."""
        return self._call.reason

    def remaining_ms(self):
        """Milliseconds left of the budget, never below 0; infinite without a budget."""
        return max(0.0, (self._call.deadline - _monotonic()) * 1000)

    def check(self):
        """Raises Cancelled once the run is cancelled, BudgetExceeded once its budget is used up."""
        call = self._call
        on_main_thread = self._worker.beat()
        if call.cancelled:
            # Raised where it counts: no second time by the signal.
            call.interrupted = call.interrupted or on_main_thread
            raise Cancelled(call.reason)
        if _monotonic() >= call.deadline:
            raise _budget_exceeded(call)

    def progress(self, value=None, step=None, total=None, message=None, data=None):
        """Tells how far the run is: `value` from 0 to 1, or `step` of `total`. What is None is left out."""
        given = (("value", value), ("step", step), ("total", total), ("message", message), ("data", data))
        params = {name: part for name, part in given if part is not None}
        self._worker.notify(self._call, "progress", _encode("progress", params))

    def log(self, level, message, fields=None):
        """Sends a log record. Fields that JSON can't carry are sent as their repr()."""
        params = {"level": str(level), "message": str(message)}
        if fields:
            try:
                _encode("fields", fields)
            except NotSerializableError:
                fields = {str(key): _jsonable_or_repr(value) for key, value in fields.items()}
            params["fields"] = fields
        self._worker.notify(self._call, "log", _encode("log", params))

    def emit(self, chunk):
        """
        Sends a chunk of the run's stream. Blocks until the host has granted credit for it; raises Cancelled or
        BudgetExceeded when that ends the wait. A caller that takes no stream gets none, without any wait.
        """
        call = self._call
        if not call.streams:
            self.check()
            return
        data = _encode("chunk", chunk)
        with self._emitting:
            if call.wake is None:
                call.wake = _new_lock()
            while call.granted <= call.sent:
                self.check()
                if call.answered or self._worker.channel.dead:
                    return
                call.wake.acquire(True, min(1.0, max(0.001, call.deadline - _monotonic())))
            self._worker.notify(call, "chunk", b'{"seq":%d,"data":%b}' % (call.sent, data))


def _budget_exceeded(call):
    budget = call.params["budgetMs"]
    return BudgetExceeded("The budget of %s ms ran out." % (int(budget) if budget == int(budget) else budget))


def _jsonable_or_repr(value):
    try:
        _encode("", value)
        return value
    except NotSerializableError:
        try:
            return repr(value)
        except Exception:
            return "<%s>" % type(value).__name__


# --- Errors on the wire -----------------------------------------------------------------------------------------------


def _safe_str(error):
    try:
        return str(error)
    except Exception:
        return ""


def _error_data(error, depth=0, seen=()):
    """The error field by field, as the protocol wants it. Never raises; what JSON can't carry is named in `omitted`."""
    omitted = []
    try:
        message = str(error)
    except Exception:
        message = ""
        omitted.append("message")
    if isinstance(error, SystemExit):
        message = "The task called for an exit with %s." % _show_exit(error.code)
    elif isinstance(error, KeyboardInterrupt) and not message:
        message = "The task was interrupted (KeyboardInterrupt)."
    data = {"name": type(error).__name__, "message": message, "stack": _stack_of(error)}
    code = _code_of(error)
    if code is not None:
        data["code"] = code
    fields = _fields_of(error, omitted)
    if fields:
        data["fields"] = fields
    seen = seen + (id(error),)
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if cause is not None and depth < _MAX_CAUSES and id(cause) not in seen:
        data["cause"] = _error_data(cause, depth + 1, seen)
    # An exception group's, or its backport's.
    try:
        errors = error.exceptions
    except Exception:
        errors = None
    if isinstance(errors, tuple) and all(isinstance(each, BaseException) for each in errors):
        if depth < _MAX_CAUSES:
            data["errors"] = [_error_data(each, depth + 1, seen) for each in errors]
        if "exceptions" in omitted:
            omitted.remove("exceptions")
    if omitted:
        data["omitted"] = omitted
    return data


def _show_exit(code):
    if code is None or isinstance(code, int):
        return "code %d" % (code or 0)
    return "code 1: %s" % (code if isinstance(code, str) else type(code).__name__)


def _code_of(error):
    try:
        code = error.code
    except Exception:
        code = None
        if isinstance(error, OSError) and error.errno is not None:
            import errno

            code = errno.errorcode.get(error.errno)
    if isinstance(code, bool) or not isinstance(code, (str, int)):
        return None
    return code


def _shrinking(code, message, data):
    """The same error in less and less space: first most of the stack goes, then fields and causes, then the rest."""
    if data is not None:
        yield {"code": code, "message": message, "data": data}
        yield {"code": code, "message": message, "data": _with_short_stack(data, 500)}
        core = {key: data[key] for key in ("name", "stack", "code") if key in data}
        core["message"] = message[:2000]
        core["omitted"] = [key for key in data if key not in core]
        yield {"code": code, "message": message[:2000], "data": _with_short_stack(core, 8000)}
        yield {"code": code, "message": message[:2000], "data": _with_short_stack(core, 500)}
    else:
        yield {"code": code, "message": message}
    for length in (2000, 80, 0):
        yield {"code": code, "message": message[:length]}


def _with_short_stack(data, length):
    """With the end of its stack, where it failed."""
    return dict(data, stack=data["stack"][-length:]) if "stack" in data else data


def _fields_of(error, omitted):
    if isinstance(error, _WorkerError):
        return error._fields
    fields = {}
    own = getattr(error, "__dict__", None)
    named = dict(own) if isinstance(own, dict) else {}
    if isinstance(error, OSError):
        for name in ("errno", "filename", "filename2"):
            if getattr(error, name, None) is not None:
                named.setdefault(name, getattr(error, name))
    for name, value in named.items():
        if not isinstance(name, str) or name.startswith("_") or name in ("code", "message", "name"):
            continue
        try:
            _encode(name, value)
            fields[name] = value
        except Exception:
            omitted.append(name)
    return fields


def _stack_of(error):
    """The traceback as Python prints it, without this file's frames and without the cause's."""
    if error.__traceback__ is None and not isinstance(error, SyntaxError):
        return "%s: %s\n" % (type(error).__name__, _safe_str(error))
    try:
        import traceback

        last = "".join(traceback.format_exception_only(type(error), error))
    except Exception:
        return "%s: %s" % (type(error).__name__, _safe_str(error))
    try:
        frames = []
        step = error.__traceback__
        while step is not None:
            if not _is_own(step.tb_frame.f_code.co_filename):
                frames.append(step)
            step = step.tb_next
        if not frames:
            return last
        lines = ["Traceback (most recent call last):\n"]
        left_out = len(frames) - 2 * _MAX_STACK_FRAMES
        if left_out > 0:
            lines += _format_frames(traceback, frames[:_MAX_STACK_FRAMES])
            lines.append("  (%d frames left out)\n" % left_out)
            frames = frames[-_MAX_STACK_FRAMES:]
        lines += _format_frames(traceback, frames)
        return "".join(lines) + last
    except Exception:
        return last


def _chain_of(error):
    """The tracebacks of an error and its causes, as Python prints them."""
    cause, how = error.__cause__, "The above exception was the direct cause of the following exception:"
    if cause is None and not error.__suppress_context__:
        cause, how = error.__context__, "During handling of the above exception, another exception occurred:"
    return _stack_of(error) if cause is None else "%s\n%s\n\n%s" % (_chain_of(cause), how, _stack_of(error))


def _format_frames(traceback, frames):
    # One by one, because the list's own links lead through the frames that were taken out.
    summaries = [summary for step in frames for summary in traceback.extract_tb(step, limit=1)]
    return traceback.StackSummary.from_list(summaries).format()


def _is_own(filename):
    return filename == _THIS_FILE or filename.startswith("<frozen importlib")


# --- Worker -----------------------------------------------------------------------------------------------------------


class _Worker:
    def __init__(self, channel):
        self.channel = channel
        self.main_thread = _get_ident()
        self.parent = _getppid()
        self.tasks = {}
        self.max_message_bytes = _DEFAULT_MAX_MESSAGE_BYTES
        self.welcomed = False
        self.refused = None
        self.draining = False
        self.interrupts = True
        self.done = self.failed = 0
        # Requests that wait for their answer. `state` guards who answers; it is reentrant for signal handlers' sake.
        self.calls = {}
        self.state = _thread.RLock()
        # What the main thread shall do next; None ends it.
        self.inbox = _deque()
        self.inbox_wake = _new_lock()
        self.current = None
        self.last_beat = 0.0
        # The side thread's own.
        self.parts, self.part_bytes, self.overlong, self.at_start = [], 0, False, True
        self.exit_at = None
        self.interrupting = None
        self.interrupt_at = 0.0
        self.interrupt_gap = 0.0

    # On the main thread.

    def watch(self):
        """Starts the side thread: from here on the process ends with its host."""
        _signal.signal(_signal.SIGURG, self._on_interrupt)
        if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
            _signal.signal(_signal.SIGINT, self._on_interrupt)
        _thread.start_new_thread(self._side_thread, ())

    def run(self, tasks, init, teardown, name, interrupts):
        self.tasks = tasks
        self.interrupts = interrupts
        if init is not None:
            init()
        features = ["cancel", "progress", "stream", "log", "validate", "queue"]
        hello = {
            "protocol": {"min": 1, "max": 1},
            "name": name,
            "language": "python",
            "version": __version__,
            "pid": os.getpid(),
            "tasks": list(self.tasks),
            "features": features,
        }
        _flush_stdio()
        self.channel.push(_notification("hello", _encode("hello", hello)))
        self.channel.flush()
        call = None
        while True:
            try:
                call = self._next()
                if call is None:
                    break
                self._perform(call)
                call = None  # An idle worker doesn't hold on to its last input.
            except BaseException as error:
                # A signal handler of the user's raised while no task ran. That neither ends the worker nor costs an
                # answer.
                _complain(_stack_of(error))
                if call is not None:
                    self._answer(call, self._failure(call, error), True)
                    call = None
        if self.refused is not None:
            raise SystemExit("pawl_worker: the host refused this worker: " + self.refused)
        if teardown is not None:
            teardown()
        _flush_stdio()
        self.channel.flush()

    def _next(self):
        while True:
            try:
                return self.inbox.popleft()
            except IndexError:
                self.inbox_wake.acquire()

    def _perform(self, call):
        with self.state:
            if call.answered:  # Cancelled while it waited.
                return
            call.started = True
            self.last_beat = _monotonic()
            self.current = call
        failed = True
        try:
            try:
                frame, failed = self._outcome(call)
            finally:
                self.current = None
        except BaseException as error:
            frame = self._failure(call, error)
        _flush_stdio()
        if self.channel.dead:  # A fork inside the task returned here as well; the answer is the parent's.
            _hard_exit(0)
        self._answer(call, frame, failed)

    def _outcome(self, call):
        """The response's frame, and whether it is an error."""
        params = call.params
        input = params.get("input")
        try:
            if call.method == "validate":
                issues = _issues(call.task, input)
                result = {"valid": not issues, "issues": issues}
            else:
                if _monotonic() >= call.deadline:
                    raise _budget_exceeded(call)
                issues = _issues(call.task, input)
                if issues:
                    raise InvalidInputError(_issues_text(call.task.name, issues), issues)
                result = _enter(call.task, "input" in params, input, Context(self, call))
        except BaseException as error:
            return self._failure(call, error), True
        try:
            frame = b'{"jsonrpc":"2.0","id":%d,"result":%b}\n' % (call.id, _encode("result", result))
            self._check_size(frame)
            return frame, False
        except (NotSerializableError, MessageTooLargeError) as error:
            error.__context__ = None
            return self._error_frame(call.id, _RESULT_NOT_SENDABLE, str(error), _error_data(error)), True

    def _failure(self, call, error):
        if call.cancelled:
            code = _CANCELLED
        elif isinstance(error, BudgetExceeded):
            code = _BUDGET_EXCEEDED
        elif isinstance(error, InvalidInputError):
            code = _INVALID_INPUT
        else:
            code = _TASK_FAILED
        data = _error_data(error)
        return self._error_frame(call.id, code, data["message"] or data["name"], data)

    def _on_interrupt(self, signum, frame):
        """The handler of SIGURG, sent by the side thread, and of SIGINT. Runs on the main thread, between bytecodes."""
        call = self.current
        if signum == _signal.SIGINT:
            if call is None and self.welcomed or not _in_user_code(frame) and call is not None:
                return
            raise KeyboardInterrupt
        if call is None or not call.cancelled or call.interrupted or not _in_user_code(frame):
            return
        call.interrupted = True
        raise Cancelled(call.reason)

    # On any thread.

    def beat(self):
        """Notes that the main thread is not stuck in user code. Returns whether this is the main thread."""
        if _get_ident() != self.main_thread:
            return False
        self.last_beat = _monotonic()
        return True

    def notify(self, call, method, params):
        """Sends a notification about a run, unless it is answered already."""
        self.beat()
        if self.channel.dead:
            return
        comma = b"," if len(params) > 2 else b""
        frame = _notification(method, b'{"id":%d%b%b' % (call.id, comma, params[1:]))
        self._check_size(frame)
        with self.state:
            if not call.answered:
                self.channel.push(frame)
                if method == "chunk":
                    call.sent += 1
        self.channel.flush()

    def _check_size(self, frame):
        if len(frame) - 1 > self.max_message_bytes:
            raise MessageTooLargeError(len(frame) - 1, self.max_message_bytes)

    def _answer(self, call, frame, failed, wait=True):
        with self.state:
            if call.answered:
                return
            call.answered = True
            del self.calls[call.id]
            self.done += 1
            if failed:
                self.failed += 1
            self.channel.push(frame)
        self.channel.flush(wait)

    def _error_frame(self, id, code, message, data=None):
        for error in _shrinking(code, message, data):
            frame = _error_response(id, error)
            if len(frame) - 1 <= self.max_message_bytes:
                break
        return frame

    # On the side thread.

    def _side_thread(self):
        try:
            self._pump()
        except BaseException as error:
            _complain("pawl_worker: the side thread failed.\n" + _stack_of(error))
            _hard_exit(70)

    def _pump(self):
        channel = self.channel
        fd, out = channel.read_fd, channel.write_fd
        reads, both, writes = _poll(), _poll(), _poll()
        reads.register(fd, _POLLIN)
        both.register(fd, _POLLIN)
        both.register(out, _POLLOUT)
        writes.register(out, _POLLOUT)
        parent_check_at = _monotonic() + _PARENT_CHECK_S
        timeout_s = _PARENT_CHECK_S
        while True:
            unsent = channel.unsent
            poller = reads if unsent == 0 else both if unsent < _MAX_UNSENT_FRAMES else writes
            for ready, _ in poller.poll(timeout_s * 1000):
                if ready == fd:
                    try:
                        chunk = _read(fd, _READ_BYTES)
                    except BlockingIOError:
                        continue
                    except OSError:
                        chunk = b""
                    if not chunk:
                        self._host_is_gone()
                    self._feed(chunk)
            if channel.unsent:
                channel.flush(wait=False)
            now = _monotonic()
            timeout_s = _PARENT_CHECK_S
            if now >= parent_check_at:
                parent_check_at = now + _PARENT_CHECK_S
                if _getppid() != self.parent or channel.broken:
                    self._host_is_gone()
            if self.interrupting is not None:
                timeout_s = min(timeout_s, self._interrupt(now))
            if self.exit_at is not None:
                if now >= self.exit_at:
                    _hard_exit(1)
                timeout_s = min(timeout_s, self.exit_at - now)

    def _host_is_gone(self):
        """Cancels everything and ends the process, by force when the main thread does not."""
        exit_at = _monotonic() + _ORPHAN_GRACE_S
        self.draining = True
        for call in list(self.calls.values()):
            self._cancel_call(call, "The host is gone.")
        self._tell_main(None)
        while True:
            now = _monotonic()
            if now >= exit_at:
                _hard_exit(1)
            pause_s = exit_at - now
            if self.interrupting is not None:
                pause_s = min(pause_s, self._interrupt(now))
            _sleep(pause_s)

    def _tell_main(self, call):
        self.inbox.append(call)
        try:
            self.inbox_wake.release()
        except RuntimeError:  # It has not taken the previous wake-up yet, and looks again.
            pass

    def _cancel_call(self, call, reason):
        with self.state:
            if call.answered or call.cancelled:
                return
            call.reason = reason
            call.cancelled = True
            started = call.started
        if not started:
            self._answer(call, self._failure(call, Cancelled(reason)), True, wait=False)
            return
        if call.wake is not None:
            _release(call.wake)
        if self.interrupts:
            self.interrupting = call
            self.interrupt_at = _monotonic()
            self.interrupt_gap = 0.01

    def _interrupt(self, now):
        """
        Signals the main thread until the exception was raised: the first signal may find it in the SDK's code or in a
        finaliser, or just before it blocks. Returns the seconds until the next try.
        """
        call = self.interrupting
        if call.answered or call.interrupted or self.current is not call:
            self.interrupting = None
            return _PARENT_CHECK_S
        if now < self.interrupt_at:
            return self.interrupt_at - now
        _pthread_kill(self.main_thread, _signal.SIGURG)
        self.interrupt_at = now + self.interrupt_gap
        gap = self.interrupt_gap
        self.interrupt_gap = min(gap * 2, 0.1)
        return gap

    def _feed(self, chunk):
        lines = chunk.split(b"\n")
        last = lines.pop()
        if lines:
            if self.part_bytes:
                self._keep(lines[0])
                lines[0] = self._take()
            for line in lines:
                if line is not None:
                    self._on_line(line)
        if last:
            self._keep(last)

    def _keep(self, part):
        self.part_bytes += len(part)
        if self.part_bytes > self.max_message_bytes:
            self.overlong = True
            self.parts = []
        else:
            self.parts.append(part)

    def _take(self):
        line = b"".join(self.parts)
        size, overlong = self.part_bytes, self.overlong
        self.parts, self.part_bytes, self.overlong = [], 0, False
        if not overlong:
            return line
        self._refuse_overlong(size)
        return None

    def _refuse_overlong(self, size):
        text = "A message of %d bytes: the limit is %d bytes." % (size, self.max_message_bytes)
        self._refuse(None, _PARSE_ERROR, text)

    def _on_line(self, line):
        if len(line) > self.max_message_bytes:
            self._refuse_overlong(len(line))
            return
        if self.at_start:
            self.at_start = False
            if line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
        line = line.strip(b" \t\r")
        if not line:
            return
        try:
            text = line.decode("utf-8")
            try:
                message, end = _scan(text, 0)
            except StopIteration:
                raise ValueError("not JSON") from None
            if end != len(text):
                raise ValueError("not JSON")
        except (RecursionError, MemoryError) as error:
            self._refuse(_id_of(line), _INVALID_PARAMS, "This worker can't parse the message: %s." % _safe_str(error))
            return
        except Exception as error:
            # CPython 3.11's scanner raises SystemError for some bad JSON when `json` is not loaded.
            what = "not valid UTF-8" if isinstance(error, UnicodeDecodeError) else "not JSON"
            self._refuse(None, _PARSE_ERROR, "The message is %s." % what)
            return
        try:
            self._on_message(message)
        except _Refusal as refusal:
            self._refuse(message["id"], refusal.code, str(refusal))
        except OverflowError as error:
            if "id" in message:
                self._refuse(message["id"], _INVALID_PARAMS, "A number is out of range: %s." % error)

    def _on_message(self, message):
        if type(message) is not dict or message.get("jsonrpc") != "2.0":
            self._refuse(None, _INVALID_REQUEST, 'The message is not a JSON-RPC 2.0 object ("jsonrpc": "2.0").')
            return
        method = message.get("method")
        params = message.get("params")
        id = message.get("id")
        if id is not None and (type(id) is not int or id < 1):
            self._refuse(None, _INVALID_REQUEST, '"id" is not a positive integer.')
            return
        if type(method) is not str:
            if id is not None and "result" not in message and "error" not in message:
                raise _Refusal(_INVALID_REQUEST, '"method" is not a string.')
            if "result" not in message and "error" not in message:
                self._refuse(None, _INVALID_REQUEST, '"method" is not a string.')
        elif id is not None:
            self._on_request(id, method, params)
        else:
            self._on_notification(method, params if type(params) is dict else {})

    def _on_request(self, id, method, params):
        if method == "ping":
            self.channel.push(b'{"jsonrpc":"2.0","id":%d,"result":%b}\n' % (id, _encode("result", self._health())))
            return
        if method == "withdraw":
            withdrawn = self._withdraw(params)
            result = b'{"withdrawn":%b}' % _encode("result", withdrawn)
            self.channel.push(b'{"jsonrpc":"2.0","id":%d,"result":%b}\n' % (id, result))
            return
        if method not in ("run", "validate"):
            raise _Refusal(
                _NO_SUCH_METHOD,
                'There is no method "%s" here. There are: run, validate, withdraw, ping.' % method[:200],
            )
        if not self.welcomed:
            raise _Refusal(_INVALID_REQUEST, "A `%s` before the `welcome`." % method)
        if type(params) is not dict:
            raise _Refusal(_INVALID_PARAMS, "Expected `params` to be an object.")
        name, budget = params.get("task"), params.get("budgetMs")
        if type(name) is not str:
            raise _Refusal(_INVALID_PARAMS, "Expected `task` to be a string.")
        if budget is not None and type(budget) not in (int, float):
            raise _Refusal(_INVALID_PARAMS, "Expected `budgetMs` to be a number.")
        if id in self.calls:
            raise _Refusal(_INVALID_REQUEST, "Request %d is open already." % id)
        if self.draining:
            raise _Refusal(_DRAINING, "This worker is draining: it takes nothing new.")
        task = self.tasks.get(name)
        if task is None:
            raise _Refusal(
                _NO_SUCH_TASK,
                'There is no task "%s" here. There are: %s.' % (name[:200], ", ".join(self.tasks) or "none"),
            )
        deadline = _NEVER if budget is None else _monotonic() + budget / 1000
        call = _Call(id, method, task, params, deadline)
        self.calls[id] = call
        self._tell_main(call)

    def _withdraw(self, params):
        """Takes back those of these runs that have not begun. Returns their ids."""
        ids = params.get("ids") if type(params) is dict else None
        if type(ids) is not list or not all(type(id) is int for id in ids):
            raise _Refusal(_INVALID_PARAMS, "Expected `ids` to be an array of integers.")
        withdrawn = []
        with self.state:
            for id in ids:
                call = self.calls.get(id)
                if call is not None and not call.started and not call.answered:
                    # For the main thread it is as if it were answered.
                    call.answered = True
                    del self.calls[id]
                    withdrawn.append(id)
        return withdrawn

    def _on_notification(self, method, params):
        if method == "cancel":
            call = self.calls.get(_hashable(params.get("id")))
            if call is not None:
                reason = params.get("reason")
                self._cancel_call(call, reason if type(reason) is str else "The run was cancelled.")
        elif method == "credit":
            call = self.calls.get(_hashable(params.get("id")))
            count = params.get("n")
            if call is not None and type(count) in (int, float) and count > 0:
                call.granted += int(count)
                if call.wake is not None:
                    _release(call.wake)
        elif method == "shutdown":
            self.draining = True
            self._tell_main(None)
            grace = params.get("graceMs")
            if type(grace) in (int, float):
                # A little even for 0, in which an idle worker leaves by itself.
                self.exit_at = _monotonic() + max(grace / 1000, 0.05)
        elif method == "welcome":
            self._on_welcome(params)
        elif method == "refuse":
            self.refused = _safe_str(params.get("reason"))
            self._tell_main(None)

    def _on_welcome(self, params):
        if params.get("protocol") != 1:
            self.refused = "it chose protocol version %r, this worker speaks version 1." % (params.get("protocol"),)
            self._tell_main(None)
            return
        limit = params.get("maxMessageBytes")
        if type(limit) is int and limit > 0:
            self.max_message_bytes = limit
        self.welcomed = True

    def _refuse(self, id, code, message):
        self.channel.push(self._error_frame(id, code, message))

    def _health(self):
        now = _monotonic()
        busy = self.current is not None
        return {
            "pid": os.getpid(),
            "uptimeMs": round((now - _STARTED) * 1000),
            "rssBytes": _rss_bytes(),
            # Taken and not yet answered.
            "runsActive": len(self.calls),
            # Answered, whatever the answer; of those, with an error.
            "runsDone": self.done,
            "runsFailed": self.failed,
            # How long the main thread has been inside user code without a call to the context; 0 when it waits.
            "lagMs": round((now - self.last_beat) * 1000) if busy else 0,
        }


def _notification(method, params):
    return b'{"jsonrpc":"2.0","method":"%b","params":%b}\n' % (method.encode("ascii"), params)


def _error_response(id, error):
    try:
        body = _encode("error", error)
    except NotSerializableError:
        body = _encode("error", {"code": error["code"], "message": str(error["message"])})
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}\n' % (b"null" if id is None else b"%d" % id, body)


def _issues_text(task, issues):
    first = issues[0]
    where = " at `%s`" % first["path"] if first["path"] else ""
    more = " (and %d more)" % (len(issues) - 1) if len(issues) > 1 else ""
    return "The input does not suit task `%s`%s: %s%s" % (task, where, first["message"], more)


def _hashable(id):
    return id if type(id) is int else None


def _id_of(line):
    """The id of a request too deep to parse, from the start of its line."""
    head = line[:200]
    at = head.find(b'"id":')
    digits = head[at + 5 :].lstrip().split(b",")[0].rstrip() if at >= 0 else b""
    return int(digits) if digits.isdigit() and 0 < len(digits) < 17 else None


def _release(lock):
    try:
        lock.release()
    except RuntimeError:
        pass


def _rss_bytes():
    try:
        fd = os.open("/proc/self/statm", os.O_RDONLY)
        try:
            return int(_read(fd, 100).split()[1]) * os.sysconf("SC_PAGE_SIZE")
        finally:
            os.close(fd)
    except Exception:  # No /proc; the peak is the nearest there is.
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _flush_stdio():
    """What a run printed is out before its response."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def _complain(text):
    try:
        _write(2, text.encode("utf-8", "backslashreplace").rstrip(b"\n") + b"\n")
    except OSError:
        pass


# --- Entry ------------------------------------------------------------------------------------------------------------

_worker = None
_served = False


def _start():
    global _worker
    if _worker is None:
        _worker = _Worker(_claim_channel("stdout"))
        _worker.watch()
    return _worker


def serve(tasks, init=None, teardown=None, name="pawl-python", interrupt=True):
    """
    Serves `tasks` to the host on the other end of the channel. Returns when the host has shut the worker down or is
    gone: let the program end then.

    tasks: names to functions, or to pairs (function, validate). `validate(input)` (or a `validate` attribute of the
        function) returns None or True for a good input, otherwise False, a text, or a list of texts,
        `(path, message)` pairs or `{"path", "message"}`; or it raises.
    init, teardown: called without arguments, before the host is told that the worker is ready, and at its end. A
        worker whose init raises has failed to start.
    interrupt: whether a cancel raises Cancelled in the running task. With False it only sets `ctx.cancelled`.

    Call it once, on the main thread.
    """
    global _served
    if _served:
        raise RuntimeError("pawl_worker.serve() was called already.")
    _served = True
    known = _tasks_of(tasks)
    _start().run(known, init, teardown, name, interrupt)


def main(argv=None):
    """`pawl_worker.py --tasks <file>`: serves the public functions of a Python file, or its `tasks`."""
    argv = sys.argv[1:] if argv is None else argv
    if len(argv) < 2 or argv[0] != "--tasks":
        raise SystemExit("usage: pawl_worker.py --tasks <file.py> [argument\u2026]")
    path = os.path.abspath(argv[1])
    _start()
    sys.argv = [path] + argv[2:]
    # As if Python had been started with the file; the SDK's own folder is nobody's import path.
    own_folder = os.path.dirname(os.path.abspath(_THIS_FILE))
    sys.path[:] = [os.path.dirname(path)] + [part for part in sys.path if part not in ("", own_folder)]
    sys.modules["pawl_worker"] = sys.modules[__name__]
    try:
        module = _load(path)
        if _served:
            return
        tasks = _public_tasks(module, path)
        known = _tasks_of(tasks)
    except Exception as error:
        _flush_stdio()
        _complain(_chain_of(error))
        raise SystemExit(1) from None
    _start().run(known, None, None, os.path.splitext(os.path.basename(path))[0], True)


def _load(path):
    with open(path, "rb") as file:
        source = file.read()
    name = os.path.splitext(os.path.basename(path))[0]
    if b"pawl_worker" in source:
        # A program of Pawl's: it may call serve() under `if __name__ == "__main__"`.
        name = "__main__"
    elif name in sys.modules:
        name = "pawl_tasks_" + name
    import _frozen_importlib
    import _frozen_importlib_external

    loader = _frozen_importlib_external.SourceFileLoader(name, path)
    spec = _frozen_importlib_external.spec_from_file_location(name, path, loader=loader)
    module = _frozen_importlib.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _public_tasks(module, path):
    tasks = getattr(module, "tasks", None)
    if isinstance(tasks, dict):
        return tasks
    tasks = {}
    for name, value in vars(module).items():
        is_function = type(value) is type(_load) or (callable(value) and hasattr(value, "__wrapped__"))
        if name.startswith("_") or not is_function:
            continue
        if getattr(value, "__module__", None) == module.__name__ and _arity(value)[0] <= 2:
            tasks[name] = value
    if not tasks:
        raise SystemExit("pawl_worker: %s has no public functions to serve." % path)
    return tasks


if __name__ == "__main__":
    main()
