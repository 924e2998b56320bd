"""Which terminals people type into, so that what takes much of the machine makes way. Pure: times are passed in."""

SECONDS = 1.0
"""How long a key counts."""


class Attention:
    """One for all terminals of a runner."""

    def __init__(self) -> None:
        self._typed: dict[int, float] = {}

    def note(self, terminal: int, now: float) -> None:
        """Somebody typed into `terminal`."""
        self._typed[terminal] = now

    def is_anywhere(self, now: float) -> bool:
        """Whether somebody types."""
        return any(now - typed < SECONDS for typed in self._typed.values())

    def is_elsewhere(self, terminal: int, now: float) -> bool:
        """Whether somebody types into another one."""
        return any(number != terminal and now - typed < SECONDS for number, typed in self._typed.items())

    def forget(self, terminal: int) -> None:
        """It is closed."""
        self._typed.pop(terminal, None)
