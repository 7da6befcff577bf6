"""Frames between the processes of one run: four bytes of length, then JSON."""
import json
import os
import struct

_HEADER = struct.Struct(">I")
# Strings with lone surrogates travel as escapes.
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


class LinkClosed(Exception):
    """The other side is gone, or sent what is no frame."""


class Link:
    """One end of a stream socket. Only data crosses, and never more than `max_bytes` at once."""

    def __init__(self, fd, max_bytes):
        self.fd = fd
        self.max_bytes = max_bytes

    def send(self, message):
        """Raises ValueError when the message is too long, LinkClosed when nobody reads it."""
        body = _encode(message).encode("ascii")
        if len(body) > self.max_bytes:
            raise ValueError("%d bytes are more than the %d that may cross at once" % (len(body), self.max_bytes))
        rest = memoryview(_HEADER.pack(len(body)) + body)
        try:
            while rest:
                rest = rest[os.write(self.fd, rest) :]
        except OSError:
            raise LinkClosed("nobody reads") from None

    def receive(self):
        (size,) = _HEADER.unpack(self._read(_HEADER.size))
        if size > self.max_bytes:
            raise LinkClosed("a frame of %d bytes, more than %d" % (size, self.max_bytes))
        return parse(self._read(size))

    def _read(self, size):
        chunks = []
        while size > 0:
            try:
                chunk = os.read(self.fd, min(size, 1 << 16))
            except OSError:
                chunk = b""
            if not chunk:
                raise LinkClosed("nobody writes")
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)


def parse(body):
    """One frame's message, an object. Raises LinkClosed for anything else."""
    try:
        message = _decode(body.decode("ascii"))
    except (ValueError, RecursionError, MemoryError):
        raise LinkClosed("what is no JSON") from None
    if type(message) is not dict:
        raise LinkClosed("what is no object")
    return message


class FrameReader:
    """Cuts what a non-blocking reader gets into messages."""

    def __init__(self, max_bytes):
        self._max_bytes = max_bytes
        self._rest = b""

    def feed(self, chunk):
        """The messages that are whole by now."""
        self._rest += chunk
        messages = []
        while len(self._rest) >= _HEADER.size:
            (size,) = _HEADER.unpack_from(self._rest)
            if size > self._max_bytes:
                raise LinkClosed("a frame of %d bytes, more than %d" % (size, self._max_bytes))
            end = _HEADER.size + size
            if len(self._rest) < end:
                break
            messages.append(parse(self._rest[_HEADER.size : end]))
            self._rest = self._rest[end:]
        return messages


def frame(message):
    """The bytes of one message."""
    body = _encode(message).encode("ascii")
    return _HEADER.pack(len(body)) + body
