"""How much output one viewer may still be sent. Pure: times are passed in.

The window holds as many bytes as the viewer takes in about 100 ms. So ^C takes effect at once on a slow link, and a
fast link is never starved (docs/protocol.md).
"""

MIN_WINDOW, MAX_WINDOW, FIRST_WINDOW = 64 << 10, 4 << 20, 1 << 20
TARGET_SECONDS = 0.1
MEASURE_SECONDS = 0.05
"""The pace is measured over at least this time: over less, acknowledgements that come together show any speed."""
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
        """Bytes acknowledged since `_since`. In that time some output was always unacknowledged."""
        self._is_full = False
        """True if the window held output back since `_since`. If not, a low pace only means that output was scarce."""
        self._gaps: list[tuple[int, int]] = []
        """Skipped ranges of output, as (start, length); each stays here until all bytes before it are acknowledged."""

    def room(self, end: int) -> int:
        """Returns how many bytes may be sent now, if the output ends at offset `end`."""
        return max(0, min(end, self.acked + self.window) - self.sent)

    def spend(self, count: int, now: float) -> None:
        """Record that `count` bytes were sent."""
        if self.sent == self.acked:
            self._measure_from(now)
        self.sent += count
        self._is_full = self._is_full or self.sent - self.acked >= self.window

    def is_behind(self, end: int) -> bool:
        """Returns True if the viewer has no credit for more than `end`: reading the PTY for it makes no sense."""
        return end - self.acked >= self.window

    def skip_to(self, offset: int) -> None:
        """Skip the bytes before `offset`: the ring has dropped them. They count as acknowledged, else credit leaks."""
        self._gaps.append((self.sent, offset - self.sent))
        self.acked += offset - self.sent
        self.sent = offset

    def acknowledge(self, offset: int, now: float) -> None:
        """Take an acknowledgement. Ignores an offset that goes back, or that is beyond what was sent."""
        # `skip_to` has moved `acked` by the length of each gap, so offsets before a gap are moved by it too.
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
