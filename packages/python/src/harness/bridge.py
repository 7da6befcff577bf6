"""The tests' side of the connection to the program's process."""
import builtins
import sys

from harness import values
from harness.link import LinkClosed
from harness.stand_in import HYBRIDS, StandIn, StandInModule, reference_of

_MUTABLE = (list, dict, set, bytearray)
_real_input = builtins.input
# An exception of the program's that must not look like one of the machinery's.
_MASKED = ("KeyboardInterrupt", "GeneratorExit")


class ProgramEnded(Exception):
    """The program is not there any more to answer."""


class Bridge:
    """Calls into the program's process."""

    def __init__(self, link, quiet_stdout):
        self.link = link
        self.quiet_stdout = quiet_stdout
        self.gone = None
        self._stand_ins = {}
        self._classes = {}
        self._own = {}

    def ask(self, what, *args, named=None, by_reference=False):
        if self.gone is not None:
            raise ProgramEnded(self.gone)
        request = {"do": what, "args": [self.encode(arg) for arg in args]}
        if named:
            request["named"] = {name: self.encode(arg) for name, arg in named.items()}
        if by_reference:
            request["byReference"] = True
        if sys.stdout is not self.quiet_stdout:
            request["capture"] = True
        if builtins.input is not _real_input:
            request["input"] = self._own_id(builtins.input)
        try:
            return self._exchange(request, args)
        except (LinkClosed, values.BadValue, RecursionError, MemoryError, OSError) as error:
            self.gone = "The program ended, or broke off its connection, while it was tested (%s)." % error
            raise ProgramEnded(self.gone) from None

    def _exchange(self, request, args):
        try:
            self.link.send(request)
        except ValueError as error:
            raise ValueError("The arguments can't be handed to the program: %s" % error) from None
        while True:
            reply = self.link.receive()
            if "callback" not in reply:
                break
            self.link.send(self._call_back(reply))
        printed = reply.get("printed")
        if type(printed) is str:
            sys.stdout.write(printed)
        self._restore(args, reply.get("changed"))
        if "error" in reply:
            raise self._exception(reply["error"])
        if "value" not in reply:
            raise values.BadValue("no answer")
        return self.decode(reply["value"])

    def _call_back(self, request):
        try:
            fn = self._own[request["callback"]]
            args = [self.decode(arg) for arg in request["args"]]
        except (KeyError, TypeError):
            raise values.BadValue("no such callback") from None
        try:
            return {"value": self.encode(fn(*args))}
        except Exception as error:
            return {"error": {"type": type(error).__name__, "text": str(error)}}

    def _restore(self, args, changed):
        if type(changed) is not dict:
            return
        for index, data in changed.items():
            if not index.isdigit() or int(index) >= len(args):
                continue
            ours, theirs = args[int(index)], self.decode(data)
            if type(ours) not in _MUTABLE or type(theirs) is not type(ours):
                continue
            if isinstance(ours, (list, bytearray)):
                ours[:] = theirs
            else:
                ours.clear()
                ours.update(theirs)

    def encode(self, value):
        return values.encode(value, self._refer)

    def _refer(self, value):
        if isinstance(value, type) and "_pawl_id" in vars(value):
            return ["o", vars(value)["_pawl_id"]]
        if isinstance(value, type) and getattr(builtins, value.__name__, None) is value:
            return ["y", value.__name__]
        if type(value) is StandIn or isinstance(value, (StandInModule, *HYBRIDS)):
            return ["o", reference_of(value)]
        if isinstance(value, BaseException) and "_pawl_id" in vars(value):
            return ["o", vars(value)["_pawl_id"]]
        base = values.base_of(value)
        return ["g", self._own_id(value)] if base is None else values.encode(base, self._refer)

    def _own_id(self, value):
        for id, known in self._own.items():
            if known is value:
                return id
        id = len(self._own)
        self._own[id] = value
        return id

    def decode(self, data):
        return values.decode(data, self._resolve)

    def _resolve(self, tag, parts):
        if tag == "o":
            return self._stand_in(parts[0])
        if tag == "v":
            return self._hybrid(self.decode(parts[0]), _checked_id(parts[1]))
        if tag == "x":
            return self._class(parts[0])
        if tag == "g":
            return self._own[parts[0]]
        raise ValueError(tag)

    def _stand_in(self, id):
        known = self._stand_ins.get(_checked_id(id))
        if known is None:
            known = self._stand_ins[id] = StandIn(self, id)
        return known

    def _hybrid(self, base, id):
        for cls in HYBRIDS:
            if type(base) is cls.__mro__[2]:
                made = cls(base)
                object.__setattr__(made, "_pawl_id", id)
                object.__setattr__(made, "_pawl_bridge", self)
                return made
        return base

    def _class(self, lineage):
        """The tests' own copy of an exception class of the program's, below the built-in one it derives from."""
        names = [(name, id) for name, id in lineage if type(name) is str]
        base = Exception
        if names and names[-1][1] is None:
            found = getattr(builtins, names[-1][0], None)
            if isinstance(found, type) and issubclass(found, BaseException) and names[-1][0] not in _MASKED:
                base = found
            names.pop()
        for name, id in reversed(names):
            known = self._classes.get(_checked_id(id))
            if known is None:
                known = type(name, (base,), {"__module__": "program", "_pawl_id": id, "__getattr__": _exception_attribute})
                self._classes[id] = known
            base = known
        return base

    def _exception(self, described):
        try:
            cls = self._class(described["lineage"])
            text, id = str(described["text"]), _checked_id(described["id"])
            try:
                error = cls(*(self.decode(arg) for arg in described["args"]))
            except (TypeError, ValueError):
                error = cls.__new__(cls, text)
            if str(error) != text and not isinstance(error, KeyError):
                error = cls.__new__(cls, text)
        except (KeyError, TypeError, ValueError) as fault:
            raise values.BadValue("no exception: %s" % fault) from None
        error._pawl_id, error._pawl_bridge = id, self
        return error


def _checked_id(id):
    if type(id) is not int or id < 0:
        raise ValueError("no reference")
    return id


def _exception_attribute(self, name):
    if name.startswith("__") or "_pawl_id" not in vars(self):
        raise AttributeError(name)
    return vars(self)["_pawl_bridge"].ask("getattr", self, name)


def import_as(bridge, names):
    """Lets the tests import the program under each of `names`."""
    module = bridge._stand_in(0)
    for name in names:
        sys.modules[name] = StandInModule(name, module)
