"""The newest bytes of a terminal's output, addressed by their offset since its start. Pure."""

from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

BLOCK = 1 << 16


class Ring:
    """Keeps at least the newest `capacity` bytes. Allocates memory only as bytes come."""

    def __init__(self, capacity: int) -> None:
        self._capacity = max(capacity, BLOCK)
        # Anonymous maps: a closed terminal returns them to the system. A fragmented heap would keep the memory.
        self._blocks: list[mmap] = []
        self._first = 0
        """Offset of the first block's first byte."""
        self.end = 0
        """Offset behind the newest byte, which is the size of all output so far."""

    @property
    def start(self) -> int:
        """Offset of the oldest byte still kept."""
        return self._first

    def append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            index, inside = divmod(self.end - self._first, BLOCK)
            if index == len(self._blocks):
                self._blocks.append(self._next_block())
            part = view[: BLOCK - inside]
            self._blocks[-1][inside : inside + len(part)] = part
            view = view[len(part) :]
            self.end += len(part)

    def read(self, offset: int, limit: int) -> bytes:
        """At most `limit` bytes from `offset` on (`start <= offset <= end`)."""
        if not self.start <= offset <= self.end:
            raise ValueError(f"offset {offset} is outside {self.start}..{self.end}")
        limit = min(limit, self.end - offset)
        parts: list[bytes] = []
        while limit > 0:
            index, inside = divmod(offset - self._first, BLOCK)
            part = self._blocks[index][inside : min(inside + limit, BLOCK)]
            parts.append(part)
            offset += len(part)
            limit -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def clear(self) -> None:
        """Drop all bytes. Offsets go on from where they are."""
        self._blocks.clear()
        self._first = self.end

    def _next_block(self) -> mmap:
        """Returns a new block, or the oldest one for reuse if the others hold enough."""
        if self.end - self._first - BLOCK < self._capacity:
            return mmap(-1, BLOCK, flags=MAP_PRIVATE | MAP_ANONYMOUS)
        self._first += BLOCK
        return self._blocks.pop(0)
