"""What a handler of an event is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .room import Room

if TYPE_CHECKING:
    from .viewers import Viewers


@dataclass
class Context:
    """One channel's view of the runner. `after_reply` runs when the reply was sent, before anything else is."""

    room: Room
    viewers: "Viewers"
    after_reply: list[Callable[[], None]] = field(default_factory=list)


Handler = Callable[[Context, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Answers the reply's data, or raises a ReplError."""
