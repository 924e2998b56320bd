"""Binary frames of the channel: a big-endian header of 13 bytes, then bytes of a stream.

The header is `u8 kind, u32 stream, u64 offset`. A terminal and its stream have the same number. What `offset` counts
depends on the kind, see docs/protocol.md.
"""

import struct
from typing import NamedTuple

from .errors import InvalidRequest

OUTPUT, INPUT, ACK, INTERRUPT = 1, 2, 3, 4
HEADER = struct.Struct(">BIQ")
MAX_INPUT_UNACKNOWLEDGED = 64 * 1024
"""Bytes of input that a client may have in flight for one stream; the rest waits in the browser."""
MAX_OFFSET = (1 << 53) - 1
"""The largest integer that JavaScript represents exactly. It suffices for a century of output."""


class Frame(NamedTuple):
    kind: int
    stream: int
    offset: int
    payload: bytes = b""

    def pack(self) -> bytes:
        return HEADER.pack(self.kind, self.stream, self.offset) + self.payload


def unpack(data: bytes) -> Frame:
    """Parse a binary frame; raises InvalidRequest if it is too short or has an unknown kind or too large an offset."""
    if len(data) < HEADER.size:
        raise InvalidRequest("The frame is shorter than its header of 13 bytes.", hint="See docs/protocol.md.")
    kind, stream, offset = HEADER.unpack_from(data)
    if kind not in (OUTPUT, INPUT, ACK, INTERRUPT):
        raise InvalidRequest("The kind of the frame is unknown.", hint="See docs/protocol.md.")
    if offset > MAX_OFFSET:
        raise InvalidRequest("The frame's offset is too large.", hint="See docs/protocol.md.")
    return Frame(kind, stream, offset, data[HEADER.size :])
