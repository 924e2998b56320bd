"""The runner's end of a connection, on a socket of its own: what it says by itself, and whom it lets go."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from support.lab import elapse
from websockets.frames import Frame, Opcode

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.trash import Trash
from jupyter_repl_runner.serve import websocket
from jupyter_repl_runner.serve.room import Room
from jupyter_repl_runner.terminal.manager import Terminals


class Other:
    """The client's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, terminals: Terminals) -> None:
        self.reader = reader
        self.writer = writer
        self.terminals = terminals

    def send(self, opcode: Opcode, data: bytes) -> None:
        self.writer.write(Frame(opcode, data).serialize(mask=True))

    async def receive(self) -> Frame:
        """Raises IncompleteReadError at the end."""
        head = await self.reader.readexactly(2)
        size = head[1]
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        return Frame(Opcode(head[0] & 15), await self.reader.readexactly(size))

    async def wait(self, opcode: Opcode, holds: bytes = b"") -> bytes:
        while (frame := await self.receive()).opcode is not opcode or holds not in bytes(frame.data):
            pass
        return bytes(frame.data)

    async def count(self, opcode: Opcode) -> int:
        """How many come until the end."""
        count = 0
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self.wait(opcode)
                count += 1
        return count


@asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[Other]:
    beneath, terminals = Beneath(folder), Terminals(folder, {})
    room = Room(Assignment(ProjectRef("", "abc")), beneath, Trash(folder / "trash"), terminals)
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    _, connection = await loop.connect_accepted_socket(lambda: websocket.Connection(room), ours)
    other = Other(*await asyncio.open_unix_connection(sock=theirs), terminals)
    try:
        async with asyncio.timeout(20):
            yield other
    finally:
        other.writer.close()
        await other.writer.wait_closed()
        async with asyncio.timeout(5):
            while connection._transport.get_write_buffer_size():
                await asyncio.sleep(0.01)


def test_it_answers_and_ends_as_it_should(tmp_path: Path) -> None:
    async def run() -> None:
        async with connected(tmp_path) as other:
            await other.wait(Opcode.TEXT, b'"loaded"')
            other.send(Opcode.PING, b"hello")
            assert await other.wait(Opcode.PONG) == b"hello"
            other.send(Opcode.CLOSE, b"\x03\xe8")
            assert (await other.wait(Opcode.CLOSE))[:2] == b"\x03\xe8"
            with pytest.raises(asyncio.IncompleteReadError):
                await other.receive()

    asyncio.run(run())


def test_who_says_nothing_is_let_go_and_who_answers_pings_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(websocket, "SILENT_SECONDS", 0.55)

    async def run() -> None:
        async with connected(tmp_path) as other:
            for _ in range(12):
                await other.wait(Opcode.PING)
                await other.wait(Opcode.TEXT, b'"alive"')
                other.send(Opcode.PONG, b"")
            assert 4 <= await other.count(Opcode.PING) <= 7

    asyncio.run(run())


def test_who_does_not_read_is_cut_off_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_BACKLOG", 1_000_000)
    (tmp_path / "large.txt").write_text("x" * 100_000)

    async def run() -> None:
        async with connected(tmp_path) as other:
            for number in range(100):
                request = b'{"event": "fetchContent", "data": {"path": "large.txt"}, "id": %d}' % number
                other.send(Opcode.TEXT, request)
            await asyncio.to_thread(elapse, 1)  # without reading
            assert (await other.wait(Opcode.CLOSE))[:2] == (4008).to_bytes(2, "big")

    asyncio.run(run())


def test_a_shell_for_a_connection_that_is_lost_meanwhile_is_not_left(tmp_path: Path) -> None:
    async def run() -> None:
        async with connected(tmp_path) as other:
            await other.wait(Opcode.TEXT, b'"loaded"')
            other.send(Opcode.TEXT, b'{"event": "requestTerminal", "data": {"rows": 24, "cols": 80}, "id": 1}')
        until = asyncio.get_running_loop().time() + 1
        while asyncio.get_running_loop().time() < until:  # it was opened, or will be
            await asyncio.sleep(0.02)
        assert not other.terminals.sessions
        await other.terminals.close_all()

    asyncio.run(run())
