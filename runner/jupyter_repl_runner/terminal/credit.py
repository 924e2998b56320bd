"""How much output one viewer may still be sent. Pure: times are passed in.

The window is about 100 ms of the viewer's own pace, so that ^C is felt at once on a slow link and a fast one is never
starved (docs/protocol.md).
"""

MIN_WINDOW, MAX_WINDOW, FIRST_WINDOW = 64 << 10, 4 << 20, 1 << 20
TARGET_SECONDS = 0.1
MEASURE_SECONDS = 0.05
"""A pace is that of so long a time: acknowledgements that come together would show any speed."""
_SMOOTHING = 0.3


class Credit:
    """`sent` and `acked` are offsets of output; `window` is in bytes."""

    def __init__(self, offset: int, now: float) -> None:
        self.sent = offset
        self.acked = offset
        self.window = FIRST_WINDOW
        self._pace = 0.0
        self._since = now
        self._got = 0
        """Acknowledged since then, in which time something was always on its way."""
        self._is_full = False
        """Whether the window held output back in that time; without that little came because little was there."""
        self._gaps: list[tuple[int, int]] = []
        """Skipped stretches, as (where they began, how long), whose earlier bytes are not all acknowledged."""

    def room(self, end: int) -> int:
        """Bytes that may be sent now, where output ends at `end`."""
        return max(0, min(end, self.acked + self.window) - self.sent)

    def spend(self, count: int, now: float) -> None:
        """`count` bytes were sent."""
        if self.sent == self.acked:
            self._measure_from(now)
        self.sent += count
        self._is_full = self._is_full or self.sent - self.acked >= self.window

    def is_behind(self, end: int) -> bool:
        """Whether more output would exceed the window, so that reading the PTY for this viewer makes no sense."""
        return end - self.acked >= self.window

    def skip_to(self, offset: int) -> None:
        """The bytes before `offset` are gone from the ring; they count as acknowledged, or credit would leak."""
        self._gaps.append((self.sent, offset - self.sent))
        self.acked += offset - self.sent
        self.sent = offset

    def acknowledge(self, offset: int, now: float) -> None:
        """Offsets that go back or beyond what was sent change nothing."""
        # Bytes before a gap, acknowledged after it was skipped, count by how many they are.
        skipped = sum(length for start, length in self._gaps if offset <= start)
        self._gaps = [gap for gap in self._gaps if offset < gap[0]]
        offset += skipped
        if not self.acked < offset <= self.sent:
            return
        self._got += offset - self.acked
        self.acked = offset
        elapsed = now - self._since
        if elapsed >= MEASURE_SECONDS:
            pace = self._got / elapsed
            if self._is_full or pace * TARGET_SECONDS > self.window:
                self._pace = pace if self._pace == 0 else (1 - _SMOOTHING) * self._pace + _SMOOTHING * pace
                self.window = int(min(MAX_WINDOW, max(MIN_WINDOW, self._pace * TARGET_SECONDS)))
            self._measure_from(now)

    def _measure_from(self, now: float) -> None:
        self._since, self._got = now, 0
        self._is_full = self.sent - self.acked >= self.window
