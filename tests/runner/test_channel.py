"""Requests of a channel: cancelled by the client, answered in parts, and ended with the connection."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract import frames
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.frames import Frame
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.trash import Trash
from jupyter_repl_runner.serve.call import Call, Data, Event
from jupyter_repl_runner.serve.channel import Channel
from jupyter_repl_runner.serve.room import Room
from jupyter_repl_runner.serve.streams import Streams, Transport
from jupyter_repl_runner.terminal.manager import Terminals


async def passes(seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


class Sent:
    """A transport that keeps what was sent."""

    is_flushed = True

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, message: str | bytes) -> None:
        assert isinstance(message, str)
        self.messages.append(json.loads(message))


class Echo:
    """A stream of another kind than a terminal."""

    def __init__(self, number: int, streams: Streams) -> None:
        self.number, self.taken, self.is_closed = number, list[bytes](), False
        streams.add(number, self)

    def receive(self, frame: Frame) -> None:
        self.taken.append(frame.payload)

    def close(self) -> None:
        self.is_closed = True


class Search:
    """As a search in files will be: slow, in parts, and of no use to somebody who has typed on."""

    def __init__(self, streams: Streams) -> None:
        self.ended: list[str] = []
        self.begun = asyncio.Event()
        self.streams = streams
        self.events = {
            "search": Event(self.search, is_cancellable=True),
            "save": Event(self.save),
            "openEcho": Event(self.open_echo),
        }

    async def search(self, call: Call, data: Data) -> dict[str, Any]:
        try:
            for hit in range(data["hits"]):
                call.part({"hit": hit})
            self.begun.set()
            await passes(data.get("seconds", 0))
        except asyncio.CancelledError:
            self.ended.append("search")
            raise
        return {"hits": data["hits"]}

    async def save(self, call: Call, data: Data) -> dict[str, Any]:
        self.begun.set()
        await passes(0.1)
        self.ended.append("save")
        return {}

    async def open_echo(self, call: Call, data: Data) -> dict[str, Any]:
        self.echo = Echo(77, self.streams)
        return {"stream": 77}


def run(tmp_path: Path, body: Callable[[Channel, Search, Sent], Awaitable[None]]) -> None:
    async def wired() -> None:
        beneath, sent, families = Beneath(tmp_path), Sent(), list[Search]()
        room = Room(Assignment(ProjectRef("", "abc")), beneath, Trash(tmp_path / "trash"), Terminals(tmp_path, {}))

        def only(room: Room, streams: Streams, transport: Transport) -> list[Search]:
            families.append(Search(streams))
            return families

        channel = Channel(room, sent, only)
        await body(channel, families[0], sent)
        channel.close()

    asyncio.run(wired())


def ask(channel: Channel, event: str, ident: int | None = None, **data: Any) -> None:
    channel.receive_text(json.dumps({"event": event, "data": data, **({} if ident is None else {"id": ident})}))


async def replies(sent: Sent, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        while len(sent.messages) < count:
            await asyncio.sleep(0)
    return sent.messages


def test_an_answer_comes_in_parts(tmp_path: Path) -> None:
    async def body(channel: Channel, search: Search, sent: Sent) -> None:
        ask(channel, "search", 5, hits=2)
        found = await replies(sent, 3)
        assert [(each["event"], each["id"], each["data"]) for each in found] == [
            ("part", 5, {"hit": 0}),
            ("part", 5, {"hit": 1}),
            ("reply", 5, {"hits": 2}),
        ]

    run(tmp_path, body)


def test_a_request_is_cancelled_and_answered(tmp_path: Path) -> None:
    async def body(channel: Channel, search: Search, sent: Sent) -> None:
        ask(channel, "search", 5, hits=0, seconds=60)
        await search.begun.wait()
        ask(channel, "cancel", request=5)
        [reply] = await replies(sent, 1)
        assert (reply["id"], reply["error"]["code"]) == (5, "Unavailable")
        assert search.ended == ["search"]
        ask(channel, "cancel", request=5)  # it is done
        ask(channel, "search", 5, hits=1)  # an id may be used again
        assert [each["event"] for each in (await replies(sent, 3))[1:]] == ["part", "reply"]

    run(tmp_path, body)


def test_what_writes_comes_to_its_end(tmp_path: Path) -> None:
    async def body(channel: Channel, search: Search, sent: Sent) -> None:
        ask(channel, "save", 1)
        await search.begun.wait()
        ask(channel, "cancel", request=1)
        channel.close()
        [reply] = await replies(sent, 1)
        assert (reply["data"], search.ended) == ({}, ["save"])

    run(tmp_path, body)


def test_with_the_connection_goes_what_only_its_client_wanted(tmp_path: Path) -> None:
    async def body(channel: Channel, search: Search, sent: Sent) -> None:
        ask(channel, "openEcho", 1)
        await replies(sent, 1)
        ask(channel, "search", 2, hits=0, seconds=60)
        await search.begun.wait()
        channel.close()
        await replies(sent, 2)
        assert search.ended == ["search"]
        assert search.echo.is_closed

    run(tmp_path, body)


def test_streams_of_any_kind_have_frames(tmp_path: Path) -> None:
    async def body(channel: Channel, search: Search, sent: Sent) -> None:
        channel.receive_bytes(Frame(frames.ACK, 77, 0).pack())  # late, or early: no error
        channel.receive_bytes(Frame(frames.INPUT, 77, 0, b"lost").pack())
        [refused] = await replies(sent, 1)
        assert refused["error"]["code"] == "FileNotFound"
        ask(channel, "openEcho", 1)
        await replies(sent, 2)
        channel.receive_bytes(Frame(frames.INPUT, 77, 0, b"taken").pack())
        assert search.echo.taken == [b"taken"]

    run(tmp_path, body)


def test_a_cancel_without_a_request_is_refused(tmp_path: Path) -> None:
    async def body(channel: Channel, search: Search, sent: Sent) -> None:
        ask(channel, "cancel", 9)
        [reply] = await replies(sent, 1)
        assert (reply["id"], reply["error"]["code"]) == (9, "InvalidRequest")

    run(tmp_path, body)


def test_what_is_cancelled_before_it_has_begun_is_answered(tmp_path: Path) -> None:
    """Both may come in one packet."""

    async def body(channel: Channel, search: Search, sent: Sent) -> None:
        ask(channel, "search", 5, hits=0, seconds=60)
        ask(channel, "cancel", request=5)
        [reply] = await replies(sent, 1)
        assert (reply["id"], reply["error"]["code"]) == (5, "Unavailable")

    run(tmp_path, body)
