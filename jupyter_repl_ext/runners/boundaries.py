"""Finds where the frames of a WebSocket end in a stream of bytes, by their heads alone. Pure."""

_LONG, _LONGEST = 126, 127
_MASKED = 0x80


class Boundaries:
    """Feed it the stream in chunks of any size. It holds a few bytes of a head, never a payload."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        """Bytes of the payload that are still to come."""

    @property
    def is_between(self) -> bool:
        """Returns True if the bytes so far are whole frames."""
        return not self._left and not self._head

    def feed(self, data: bytes, *, first_only: bool = False) -> int:
        """Takes the chunk, or with `first_only` only the part of it up to the end of the first frame. Returns how many
        bytes were taken."""
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
            else:
                at = self._take_head(data, at)
            if first_only and self.is_between:
                break
        return at

    def _take_head(self, data: bytes, at: int) -> int:
        """Takes the bytes of a head from position `at`, as far as they are there. Returns the position after them."""
        before = len(self._head)
        head = self._head + data[at : at + 14 - before]
        size = _head_size(head)
        if len(head) < size:
            self._head = head
            return at + len(head) - before
        self._head, self._left = b"", _payload_size(head)
        return at + size - before


def _head_size(head: bytes) -> int:
    if len(head) < 2:
        return 2
    short = head[1] & 0x7F
    return 2 + {_LONG: 2, _LONGEST: 8}.get(short, 0) + (4 if head[1] & _MASKED else 0)


def _payload_size(head: bytes) -> int:
    short = head[1] & 0x7F
    if short == _LONG:
        return int.from_bytes(head[2:4], "big")
    return int.from_bytes(head[2:10], "big") if short == _LONGEST else short
