"""What a program prints, up to a limit."""


class Output:
    """The first bytes of one stream."""

    def __init__(self, limit):
        self._limit = limit
        self._chunks = []
        self._size = 0
        self.truncated = False

    def push(self, chunk):
        room = self._limit - self._size
        if len(chunk) > room:
            self.truncated = True
            chunk = chunk[:room]
        self._chunks.append(chunk)
        self._size += len(chunk)

    def text(self):
        """As text: bytes that are no UTF-8 are replaced, and a cut goes between two characters."""
        data = b"".join(self._chunks)
        self._chunks = [data]
        if self.truncated:
            data = data[: _character_boundary(data)]
        return data.decode("utf-8", "replace")


def _character_boundary(data):
    """Where the last character begins if the end of the data went through it, else the end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if length > back else len(data)
    return len(data)
