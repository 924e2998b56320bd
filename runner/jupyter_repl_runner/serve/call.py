"""What a family of events is, and what the handler of one gets."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Data = Mapping[str, Any]


def _drop(_: Data) -> None:
    return


@dataclass
class Call:
    """One request. `part` sends a part of the answer before the reply, which has the rest. The calls of `after_reply`
    are made when the reply was sent, before anything else is."""

    part: Callable[[Data], None] = _drop
    after_reply: list[Callable[[], None]] = field(default_factory=list)


Handler = Callable[[Call, Data], Awaitable[dict[str, Any]]]
"""Returns the reply's data, or raises a ReplError."""


@dataclass(frozen=True)
class Event:
    """`is_cancellable`: a client may cancel the request. A handler that writes is not: its thread would go on, beside
    that of the next save."""

    handle: Handler
    is_cancellable: bool = False


class Family(Protocol):
    """Events that belong together, of one channel."""

    @property
    def events(self) -> Mapping[str, Event]: ...
