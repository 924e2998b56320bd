"""Which events a channel has: the one place where families are wired."""

from .call import Family
from .events_files import FileEvents
from .events_idle import IdleEvents
from .events_run import RunEvents
from .events_terminal import TerminalEvents
from .room import Room
from .streams import Streams, Transport


def families_of(room: Room, streams: Streams, transport: Transport) -> tuple[Family, ...]:
    """Returns the families of one channel."""
    return FileEvents(room), TerminalEvents(room, streams, transport), RunEvents(room), IdleEvents()
