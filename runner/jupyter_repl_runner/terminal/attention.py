"""Knows which terminals people type into, so that heavy work can yield to them. Pure: times are passed in."""

SECONDS = 1.0
"""How long a terminal counts as typed into after a key."""


class Attention:
    """One for all terminals of a runner."""

    def __init__(self) -> None:
        self._typed: dict[int, float] = {}

    def note(self, terminal: int, now: float) -> None:
        """Somebody typed into `terminal`."""
        self._typed[terminal] = now

    def is_anywhere(self, now: float) -> bool:
        """Returns True if somebody types into any terminal."""
        return any(now - typed < SECONDS for typed in self._typed.values())

    def is_elsewhere(self, terminal: int, now: float) -> bool:
        """Returns True if somebody types into a terminal other than `terminal`."""
        return any(number != terminal and now - typed < SECONDS for number, typed in self._typed.items())

    def forget(self, terminal: int) -> None:
        """Forget `terminal`, which has ended."""
        self._typed.pop(terminal, None)
