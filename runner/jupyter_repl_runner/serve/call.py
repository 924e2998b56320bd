"""A family of events, and what the handler of an event gets."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Data = Mapping[str, Any]


def _drop(_: Data) -> None:
    return


@dataclass
class Call:
    """One request. `part` sends a part of the answer before the reply, which has the rest. The functions in
    `after_reply` are called after the reply is sent, before anything else is sent."""

    part: Callable[[Data], None] = _drop
    after_reply: list[Callable[[], None]] = field(default_factory=list)


Handler = Callable[[Call, Data], Awaitable[dict[str, Any]]]
"""Returns the reply's data, or raises a ReplError."""


@dataclass(frozen=True)
class Event:
    """`is_cancellable`: a client may cancel the request. A handler that writes must not be cancellable: its thread
    would go on, at the same time as the thread of the next save. `is_for_visitors`: it changes nothing, so somebody who
    may only look may send it."""

    handle: Handler
    is_cancellable: bool = False
    is_for_visitors: bool = False


class Family(Protocol):
    """Events of one channel that belong together."""

    @property
    def events(self) -> Mapping[str, Event]: ...
