"""
Stand-ins for the program's objects.

The rule that keeps verdicts honest: a plain value is compared here, by Python itself, and never equals an object of
the program's own making. Such objects are compared with each other by the program, for that is what an exercise about
`__eq__` tests; and an operator that was handed one of the tests' own values can only yield another such object.
"""
import builtins
import sys
import types


class StandIn:
    """An object of the program's."""

    __slots__ = ("_pawl_bridge", "_pawl_id", "_pawl_opaque", "__weakref__")

    def __init__(self, bridge, id):
        object.__setattr__(self, "_pawl_bridge", bridge)
        object.__setattr__(self, "_pawl_id", id)
        # It was made by an operator that knew one of the tests' own values: it says nothing about the program's answer.
        object.__setattr__(self, "_pawl_opaque", False)

    def __getattr__(self, name):
        return self._pawl_bridge.ask("getattr", self, name)

    def __setattr__(self, name, value):
        self._pawl_bridge.ask("setattr", self, name, value)

    def __delattr__(self, name):
        self._pawl_bridge.ask("delattr", self, name)

    def __call__(self, *args, **named):
        return self._pawl_bridge.ask("call", self, *args, named=named)

    def __instancecheck__(self, value):
        return self._pawl_bridge.ask("isinstance", self, value) is True if _is_theirs(value) else False

    def __eq__(self, other):
        if self is other:
            return True
        return _is_theirs(other) and self._pawl_bridge.ask("eq", self, other) is True

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(_plain(self, "hash"))

    def __bool__(self):
        return _plain(self, "bool") is True

    def __dir__(self):
        return self._pawl_bridge.ask("dir", self)

    def __iter__(self):
        iterator = self._pawl_bridge.ask("iter", self)
        return _Iterator(iterator) if type(iterator) is StandIn else iter(iterator)

    def __next__(self):
        return self._pawl_bridge.ask("next", self)

    def __enter__(self):
        return self._pawl_bridge.ask("enter", self)

    def __exit__(self, kind, error, _traceback):
        return self._pawl_bridge.ask("exit", self, kind, str(error) if error else None, None)

    def __contains__(self, item):
        return self._pawl_bridge.ask("contains", self, item)

    def __getitem__(self, key):
        return self._pawl_bridge.ask("getitem", self, key)

    def __setitem__(self, key, value):
        self._pawl_bridge.ask("setitem", self, key, value)

    def __delitem__(self, key):
        self._pawl_bridge.ask("delitem", self, key)

    def __repr__(self):
        return str(self._pawl_bridge.ask("repr", self))

    def __str__(self):
        return str(self._pawl_bridge.ask("str", self))

    def __format__(self, spec):
        return str(self._pawl_bridge.ask("format", self, spec))

    def __round__(self, digits=None):
        return _plain(self, "round", digits)


class _Iterator:
    """`next` only: the tests may go on with it where they stopped."""

    def __init__(self, stand_in):
        self._stand_in = stand_in

    def __iter__(self):
        return self

    def __next__(self):
        return self._stand_in._pawl_bridge.ask("next", self._stand_in)


def _plain(stand_in, what, *args):
    if stand_in._pawl_opaque:
        raise TypeError("The result of an operator between an object of the program and a plain value can't be used as a value.")
    return stand_in._pawl_bridge.ask(what, stand_in, *args)


def _is_theirs(value):
    return type(value) is StandIn or isinstance(value, HYBRIDS)


def _operator(what, swapped=False):
    def method(self, other):
        both = (other, self) if swapped else (self, other)
        theirs = _is_theirs(other)
        result = self._pawl_bridge.ask(what, *both, by_reference=not theirs)
        if not theirs or self._pawl_opaque or (type(other) is StandIn and other._pawl_opaque):
            if type(result) is not StandIn:
                raise TypeError("An operator between an object of the program and a plain value gave no object of the program.")
            opaque = StandIn(self._pawl_bridge, result._pawl_id)
            object.__setattr__(opaque, "_pawl_opaque", True)
            return opaque
        return result

    return method


def _comparison(what):
    def method(self, other):
        if not _is_theirs(other) or self._pawl_opaque:
            return NotImplemented
        return self._pawl_bridge.ask(what, self, other)

    return method


def _conversion(what):
    def method(self, *args):
        return _plain(self, what, *args)

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift", "divmod"):
    setattr(StandIn, "__%s__" % _name, _operator(_name))
    setattr(StandIn, "__r%s__" % _name, _operator(_name, swapped=True))
for _name in ("lt", "le", "gt", "ge"):
    setattr(StandIn, "__%s__" % _name, _comparison(_name))
for _name in ("len", "int", "float", "complex", "index", "bytes", "abs", "neg", "pos", "invert", "reversed"):
    setattr(StandIn, "__%s__" % _name, _conversion(_name))


class _Hybrid:
    """A value of a subclass: Python compares it as the built-in value it is; what that lacks, the program answers."""

    def __getattr__(self, name):
        if name.startswith("_pawl"):
            raise AttributeError(name)
        return self._pawl_bridge.ask("getattr", self, name)


HYBRIDS = tuple(
    type("Program" + base.__name__.capitalize(), (_Hybrid, base), {})
    for base in (int, float, str, bytes, tuple, list, dict, set, frozenset)
)


class StandInModule(types.ModuleType):
    """The program as a module the tests import."""

    def __init__(self, name, stand_in):
        super().__init__(name)
        self.__dict__.update(_pawl_stand_in=stand_in, _pawl_id=0)

    def __getattr__(self, name):
        stand_in = self.__dict__["_pawl_stand_in"]
        if name == "__all__":
            # `from starter import *`: it may add names to the tests, not replace what they have or what Python gives.
            taken = {**vars(builtins), **sys._getframe(1).f_globals}
            told = stand_in._pawl_bridge.ask("names", stand_in)
            return [each for each in told if type(each) is str and each[:1] != "_" and each not in taken]
        if name in ("__file__", "__path__", "__spec__", "__loader__"):
            raise AttributeError(name)
        return getattr(stand_in, name)

    def __setattr__(self, name, value):
        setattr(self.__dict__["_pawl_stand_in"], name, value)

    def __delattr__(self, name):
        delattr(self.__dict__["_pawl_stand_in"], name)

    def __dir__(self):
        return dir(self.__dict__["_pawl_stand_in"])


def reference_of(value):
    """The number under which the program knows the object behind a stand-in."""
    return object.__getattribute__(value, "_pawl_id")
