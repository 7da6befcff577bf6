"""
The program's side of its tests: carries out what the grader asks of the program's objects.

Nothing here decides anything. A program that breaks or replaces this code only spoils its own answers.
"""
import builtins
import contextlib
import io
import operator

from harness import values
from harness.link import LinkClosed

_MUTABLE = (list, dict, set, bytearray)
_MAX_TEXT = 2_000


def _instance_check(cls, value):
    return isinstance(value, cls)


def _public_names(module):
    names = getattr(module, "__all__", None)
    return [name for name in dir(module) if not name.startswith("_")] if names is None else list(names)


_FUNCTIONS = {
    "call": lambda fn, *args, **named: fn(*args, **named),
    "getattr": getattr, "setattr": setattr, "delattr": delattr, "isinstance": _instance_check,
    "names": _public_names, "dir": dir, "repr": repr, "str": str, "bytes": bytes, "format": format, "hash": hash,
    "bool": bool, "int": int, "float": float, "complex": complex, "index": operator.index, "len": len, "iter": iter,
    "reversed": reversed, "next": next, "abs": abs, "round": round, "neg": operator.neg, "pos": operator.pos,
    "invert": operator.invert, "contains": operator.contains, "getitem": operator.getitem,
    "setitem": operator.setitem, "delitem": operator.delitem, "eq": operator.eq, "ne": operator.ne, "lt": operator.lt,
    "le": operator.le, "gt": operator.gt, "ge": operator.ge, "add": operator.add, "sub": operator.sub,
    "mul": operator.mul, "truediv": operator.truediv, "floordiv": operator.floordiv, "mod": operator.mod,
    "pow": operator.pow, "matmul": operator.matmul, "and": operator.and_, "or": operator.or_, "xor": operator.xor,
    "lshift": operator.lshift, "rshift": operator.rshift, "divmod": divmod,
    "enter": lambda manager: manager.__enter__(),
    "exit": lambda manager, *details: manager.__exit__(*details),
}


def serve(link, module):
    """Answers until the grader lets go of the link."""
    try:
        _Answers(link, module).serve()
    except (LinkClosed, OSError):
        pass


class _Callback:
    """Something of the tests that can be called from here."""

    def __init__(self, answers, id):
        self._answers = answers
        self._id = id

    def __call__(self, *args):
        return self._answers.call_back(self._id, args)


class _Answers:
    def __init__(self, link, module):
        self.link = link
        self.objects = {0: module}
        self.ids = {id(module): 0}

    def serve(self):
        while True:
            self._answer(self.link.receive())

    def call_back(self, id, args):
        self.link.send({"callback": id, "args": [self.encode(arg) for arg in args]})
        while True:
            message = self.link.receive()
            if "do" in message:
                self._answer(message)
            elif "error" in message:
                raise _exception_of(message["error"])
            else:
                return self.decode(message["value"])

    def _answer(self, request):
        try:
            reply = self._carry_out(request)
        except LinkClosed:
            raise
        except BaseException as error:
            reply = {"error": self._exception(error)}
        try:
            self.link.send(reply)
        except (ValueError, RecursionError, MemoryError) as error:
            self.link.send({"error": self._exception(ValueError("The value can't be handed to the tests: %s" % error))})

    def _carry_out(self, request):
        fn = _FUNCTIONS[request["do"]]
        args = [self.decode(arg) for arg in request["args"]]
        named = {name: self.decode(arg) for name, arg in request.get("named", {}).items()}
        before = {index: self.encode(arg) for index, arg in enumerate(args) if type(arg) in _MUTABLE}
        printed = io.StringIO()
        with contextlib.ExitStack() as stack:
            if request.get("capture"):
                stack.enter_context(contextlib.redirect_stdout(printed))
            if "input" in request:
                stack.callback(setattr, builtins, "input", builtins.input)
                builtins.input = _Callback(self, request["input"])
            try:
                reply = {"value": self.encode(fn(*args, **named), by_reference=request.get("byReference", False))}
            except LinkClosed:
                raise
            except BaseException as error:
                reply = {"error": self._exception(error)}
        if request.get("capture"):
            reply["printed"] = printed.getvalue()
        # What the program did to lists, dicts and sets that it was given is done to the tests' own.
        changed = {index: self.encode(args[index]) for index in before}
        reply["changed"] = {str(index): now for index, now in changed.items() if now != before[index]}
        return reply

    def encode(self, value, by_reference=False):
        if by_reference and value is not None and not isinstance(value, bool):
            return self._refer(value)
        return values.encode(value, self._refer)

    def _refer(self, value):
        if isinstance(value, _Callback):
            return ["g", value._id]
        if isinstance(value, type) and issubclass(value, BaseException):
            return ["x", self._lineage(value)]
        reference = ["o", self._id_of(value)]
        base = values.base_of(value)
        return reference if base is None else ["v", values.encode(base, self._refer), reference[1]]

    def _id_of(self, value):
        known = self.ids.get(id(value))
        if known is None:
            known = self.ids[id(value)] = len(self.objects)
            self.objects[known] = value
        return known

    def decode(self, data):
        return values.decode(data, self._resolve)

    def _resolve(self, tag, parts):
        if tag == "o":
            return self.objects[parts[0]]
        if tag == "g":
            return _Callback(self, parts[0])
        if tag == "y":
            return getattr(builtins, parts[0])
        raise ValueError(tag)

    def _exception(self, error):
        try:
            text = str(error)[:_MAX_TEXT]
        except Exception:
            text = ""
        try:
            args = [self.encode(arg) for arg in error.args]
        except Exception:
            args = []
        return {"lineage": self._lineage(type(error)), "text": text, "args": args, "id": self._id_of(error)}

    def _lineage(self, cls):
        """Names of the class and its bases down to the first built-in one; an id for those that are not built in."""
        lineage = []
        for each in cls.__mro__:
            if each.__module__ == "builtins":
                lineage.append([each.__name__, None])
                break
            lineage.append([each.__name__, self._id_of(each)])
        return lineage


def _exception_of(described):
    cls = getattr(builtins, described["type"], None)
    if not (isinstance(cls, type) and issubclass(cls, BaseException)):
        cls = Exception
    return cls(described["text"])
