"""WebSocket framing, beside the library `websockets` as the other end."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from jupyter_repl_runner.serve.framing import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FramingError,
    Message,
    Parser,
    accept_key,
    build_close,
    build_frame,
)

MAX = 1 << 20

SIZES = st.one_of(st.integers(0, 300), st.sampled_from([125, 126, 127, 65_535, 65_536, 70_000]))
MESSAGES = st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY]), SIZES, st.integers(1, 4))


def sent(message: tuple[Opcode, int, int]) -> tuple[Message, bytes]:
    """What the parser is to find, and what a client sends for it: in so many frames, with a ping between them."""
    opcode, size, pieces = message
    payload = bytes(65 + index % 26 for index in range(size))
    step = max(1, -(-size // pieces))
    parts = [payload[start : start + step] for start in range(0, size, step)] or [b""]
    wire = b""
    for index, part in enumerate(parts):
        frame = Frame(opcode if index == 0 else Opcode.CONT, part, fin=index == len(parts) - 1)
        wire += frame.serialize(mask=True)
        if index < len(parts) - 1:
            wire += Frame(Opcode.PING, b"?").serialize(mask=True)
    return Message(int(opcode), payload), wire


@settings(deadline=None)
@given(st.lists(MESSAGES, max_size=6), st.lists(st.integers(1, 9000), min_size=1, max_size=40))
def test_messages_come_out_as_a_client_has_sent_them_however_they_are_cut(
    messages: list[tuple[Opcode, int, int]], cuts: list[int]
) -> None:
    wanted, wire = zip(*map(sent, messages), strict=True) if messages else ((), ())
    stream, parser = b"".join(wire), Parser(MAX)
    found: list[Message] = []
    while stream:
        for cut in cuts:
            found += parser.feed(stream[:cut])
            stream = stream[cut:]
    assert [message for message in found if message.kind != PING] == list(wanted)


@given(st.sampled_from([TEXT, BINARY, PING, PONG]), SIZES)
def test_a_client_understands_what_is_built(kind: int, size: int) -> None:
    payload = b"x" * min(size, 125 if kind >= CLOSE else size)
    reader = StreamReader()
    reader.feed_data(build_frame(kind, payload))
    reading = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as end:
        next(reading)
    frame = end.value.value
    assert (frame.opcode, bytes(frame.data), frame.fin) == (kind, payload, True)


def test_a_close_names_code_and_reason() -> None:
    assert build_close(4404, "ü" * 100)[2:] == struct.pack(">H", 4404) + ("ü" * 61).encode()


def test_the_handshake_of_the_rfc() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def masked(first: int, payload: bytes = b"", size: int | None = None) -> bytes:
    return bytes((first, 0x80 | (len(payload) if size is None else size))) + bytes(4) + payload


BROKEN = {
    "not masked": (b"\x81\x01x", 1002),
    "a reserved bit": (masked(0xC1, b"x"), 1002),
    "an unknown kind": (masked(0x83, b"x"), 1002),
    "an unknown control frame": (masked(0x8B, b"x"), 1002),
    "a ping in pieces": (masked(0x09, b"x"), 1002),
    "a long ping": (b"\x89\xfe\x00\x7e" + bytes(4 + 126), 1002),
    "a continuation of nothing": (masked(0x80, b"x"), 1002),
    "a message within another": (masked(0x01, b"x") + masked(0x81, b"y"), 1002),
    "text that is none": (masked(0x81, b"\xff"), 1007),
    "text that is none, in pieces": (masked(0x01, b"\xc3") + masked(0x80, b"x"), 1007),
    "too large": (b"\x82\xff" + struct.pack(">Q4x", MAX + 1), 1009),
    "too large in pieces": (b"\x02\xff" + struct.pack(">Q4x", MAX) + bytes(MAX) + masked(0x80, b"x"), 1009),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_protocol(name: str) -> None:
    wire, code = BROKEN[name]
    with pytest.raises(FramingError) as error:
        Parser(MAX).feed(wire)
    assert error.value.code == code


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    parser = Parser(MAX)
    try:
        for start in range(0, len(data), 7):
            parser.feed(data[start : start + 7])
    except FramingError:
        pass
