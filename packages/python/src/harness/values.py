"""
Values as JSON, both ways: plain scalars as themselves, everything else as a list that starts with a tag.

Only values cross, never code: what is not one of the built-in kinds crosses as a reference, of which each side makes
what it needs. A subclass of a built-in kind crosses as its built-in value together with a reference.
"""
import sys

_PLAIN_INT_BITS = 63
_SEQUENCES = {"l": list, "t": tuple, "s": set, "f": frozenset}
_TAGS = {kind: tag for tag, kind in _SEQUENCES.items()}
_BASES = (bool, int, float, str, bytes, tuple, list, dict, set, frozenset)


class BadValue(Exception):
    """What came is no value."""


def encode(value, refer):
    """`refer(value)` gives the reference for what is no plain value."""
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is float:
        return value
    if kind is int:
        return value if value.bit_length() < _PLAIN_INT_BITS else ["i", hex(value)]
    if kind in _TAGS:
        return [_TAGS[kind], *(encode(item, refer) for item in value)]
    if kind is dict:
        return ["d", *([encode(key, refer), encode(item, refer)] for key, item in value.items())]
    if kind is bytes:
        return ["b", value.hex()]
    if kind is bytearray:
        return ["B", value.hex()]
    if kind is complex:
        return ["c", value.real, value.imag]
    if kind is range:
        return ["r", *(encode(part, refer) for part in (value.start, value.stop, value.step))]
    if kind is _number_class("decimal", "Decimal") or kind is _number_class("fractions", "Fraction"):
        return ["n", kind.__module__, kind.__name__, str(value)]
    if kind is type(Ellipsis) or kind is type(NotImplemented):
        return ["e", kind.__name__]
    return refer(value)


def _number_class(module, name):
    """The class, if anybody has imported it: there is no value of it otherwise."""
    return getattr(sys.modules.get(module), name, None)


def base_of(value):
    """The built-in value that an instance of a subclass is, or None."""
    for base in _BASES:
        if isinstance(value, base) and type(value) is not base:
            return base(value) if base is not dict else dict(dict.items(value))
    return None


def decode(data, resolve):
    """`resolve(tag, parts, decode)` makes what a reference stands for. Raises BadValue for what is no value."""
    kind = type(data)
    if data is None or kind in (bool, int, float, str):
        return data
    if kind is not list or not data or type(data[0]) is not str:
        raise BadValue("not a value")
    tag, parts = data[0], data[1:]
    try:
        if tag == "i":
            return int(parts[0], 16)
        if tag in _SEQUENCES:
            return _SEQUENCES[tag]([decode(part, resolve) for part in parts])
        if tag == "d":
            return {decode(key, resolve): decode(item, resolve) for key, item in parts}
        if tag == "b":
            return bytes.fromhex(parts[0])
        if tag == "B":
            return bytearray.fromhex(parts[0])
        if tag == "c":
            return complex(*(float(part) for part in parts))
        if tag == "r":
            return range(*(decode(part, resolve) for part in parts))
        if tag == "n":
            module, name, text = parts
            if (module, name) not in (("decimal", "Decimal"), ("fractions", "Fraction")):
                raise ValueError("no number")
            __import__(module)
            return _number_class(module, name)(text)
        if tag == "e":
            return Ellipsis if parts[0] == "ellipsis" else NotImplemented
        return resolve(tag, parts)
    except (TypeError, ValueError, ArithmeticError, IndexError, KeyError) as error:
        raise BadValue("not a value: %s" % (error,)) from None
