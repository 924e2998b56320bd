"""The newest bytes of a terminal's output, addressed by their offset since its birth. Pure."""

BLOCK = 1 << 16


class Ring:
    """Keeps at least the newest `capacity` bytes; holds memory for what is there, not for what could be."""

    def __init__(self, capacity: int) -> None:
        self._capacity = max(capacity, BLOCK)
        self._blocks: list[bytearray] = []
        self._first = 0
        """Offset of the first block's first byte, a multiple of BLOCK."""
        self.end = 0
        """Offset behind the newest byte: all output so far."""

    @property
    def start(self) -> int:
        """Offset of the oldest byte still kept."""
        return self._first

    def append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if not self._blocks or len(self._blocks[-1]) == BLOCK:
                self._blocks.append(bytearray())
            block = self._blocks[-1]
            part = view[: BLOCK - len(block)]
            block += part
            view = view[len(part) :]
        self.end += len(data)
        while self.end - self._first - BLOCK >= self._capacity:
            del self._blocks[0]
            self._first += BLOCK

    def read(self, offset: int, limit: int) -> bytes:
        """At most `limit` bytes from `offset` on (`start <= offset <= end`)."""
        if not self.start <= offset <= self.end:
            raise ValueError(f"offset {offset} is outside {self.start}..{self.end}")
        parts: list[bytes] = []
        while limit > 0 and offset < self.end:
            index, inside = divmod(offset - self._first, BLOCK)
            part = bytes(self._blocks[index][inside : inside + limit])
            parts.append(part)
            offset += len(part)
            limit -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
