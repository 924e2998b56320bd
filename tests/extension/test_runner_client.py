"""A runner is what programs of a user have made of it: what it may answer, and that it sends nobody elsewhere."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import psutil
import pytest
from support.ports import free_port
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders
from tornado.web import Application, RequestHandler

from jupyter_repl_ext.drive.live import MAX_ROWS, LiveFiles
from jupyter_repl_ext.repls.activity import SETTING, Activity
from jupyter_repl_ext.repls.silence import Silence
from jupyter_repl_ext.runners.client import MAX_JSON, RunnerClient
from jupyter_repl_ext.runners.forward import forward
from jupyter_repl_ext.runners.resolver import AddressResolver
from jupyter_repl_runner.contract.errors import DiskFull, ReplError, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.transfer import set_content_headers
from jupyter_repl_spawner.port import Address

HUGE = 200 << 20


class Hostile(RequestHandler):
    """Answers each path in its own way, and notes who came."""

    came: list[str]

    def initialize(self, came: list[str]) -> None:
        self.came = came

    async def answer(self) -> None:
        self.came.append(str(self.request.path))
        kind = str(self.request.path).removesuffix("/call").rpartition("/")[2]
        if kind == "elsewhere":
            return
        if kind in ("301", "302", "307", "308"):
            self.set_status(int(kind))
            self.set_header("Location", "/elsewhere")
        elif kind in ("huge", "huge-error"):
            self.set_status(200 if kind == "huge" else 500)
            for _ in range(HUGE >> 20):
                self.write(b" " * (1 << 20))
                await self.flush()
        else:
            self.write({"list": b"[1]", "none": b"", "deep": b"[" * 100_000, "broken": b"{nonsense"}[kind])

    get = post = answer


def ask(call: Callable[[RunnerClient, Address], Awaitable[Any]]) -> tuple[ReplError | None, list[str]]:
    """The error that it ended with, and the paths that were asked for."""
    came: list[str] = []

    async def body() -> ReplError | None:
        port = free_port()
        server = Application([(r".*", Hostile, {"came": came})], log_function=lambda _: None).listen(port, "127.0.0.1")
        client = RunnerClient()
        try:
            await call(client, Address(f"http://127.0.0.1:{port}", "a-token"))
        except ReplError as error:
            return error
        finally:
            client.close()
            server.stop()
            await server.close_all_connections()
        return None

    return asyncio.run(body()), came


async def transferred(client: RunnerClient, address: Address, path: str) -> None:
    async def take(_: bytes) -> None:
        return

    def on_headers(_: int, __: HTTPHeaders) -> None:
        return

    await client.transfer(address, "GET", path, {}, None, on_headers, take)


@pytest.mark.parametrize("code", ["301", "302", "307", "308"])
def test_nobody_is_sent_elsewhere(code: str) -> None:
    """Least of all with the runner's token."""
    error, came = ask(lambda client, address: client.get_json(address, f"/{code}"))
    assert isinstance(error, Unavailable)
    assert came == [f"/{code}"]
    error, came = ask(lambda client, address: transferred(client, address, f"/{code}"))
    assert isinstance(error, Unavailable)
    assert came == [f"/{code}"]
    error, came = ask(lambda client, address: client.call(replace(address, url=f"{address.url}/{code}"), "run", {}))
    assert isinstance(error, Unavailable)
    assert came == [f"/{code}/call"]


def test_a_file_browser_deletes_for_good_where_the_trash_has_no_room() -> None:
    asked: list[object] = []

    class Full(RunnerClient):
        async def call(self, address: Address, event: str, data: Mapping[str, Any]) -> dict[str, Any]:
            asked.append((event, dict(data)))
            if not data.get("forever"):
                raise DiskFull("The disk is full.")
            return {}

    asyncio.run(LiveFiles(Full(), Address("http://127.0.0.1:1", "")).delete("big"))
    assert asked == [("delete", {"path": "big"}), ("delete", {"path": "big", "forever": True})]


@pytest.mark.parametrize("kind", ["list", "none", "deep", "broken"])
def test_an_answer_that_is_none_is_told_as_one(kind: str) -> None:
    error, _ = ask(lambda client, address: client.get_json(address, f"/{kind}"))
    assert isinstance(error, Unavailable)
    assert "can't be read" in error.message


@pytest.mark.parametrize("kind", ["huge", "huge-error"])
def test_an_answer_has_a_limit(kind: str) -> None:
    before = psutil.Process().memory_info().rss
    error, _ = ask(lambda client, address: client.get_json(address, f"/{kind}"))
    assert isinstance(error, Unavailable)
    if kind == "huge-error":
        error, _ = ask(lambda client, address: transferred(client, address, f"/{kind}"))
        assert isinstance(error, ReplError)
    assert psutil.Process().memory_info().rss - before < 20 * MAX_JSON


class Page(RequestHandler):
    """A file, as a program that holds the runner's port would like it to be shown."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/html")
        self.set_header("X-Content-Type-Options", "x")
        self.set_header("Content-Disposition", "inline")
        self.set_header("Cache-Control", "public")
        self.write("<script>alert(1)</script>")


class Server(RequestHandler):
    """A server that passes on a file of the runner's."""

    def initialize(self, runner: Address) -> None:
        self.runner = runner

    async def get(self) -> None:
        client = RunnerClient()
        try:
            set_content_headers(self)
            await forward(self, client, self.runner, "/file/a", None)
        finally:
            client.close()


def test_a_runner_does_not_say_what_a_browser_does_with_its_files() -> None:
    async def body() -> HTTPHeaders:
        runner, port = free_port(), free_port()
        address = Address(f"http://127.0.0.1:{runner}", "a-token")
        servers = [
            Application([(r".*", Page)], log_function=lambda _: None).listen(runner, "127.0.0.1"),
            Application([(r".*", Server, {"runner": address})], log_function=lambda _: None).listen(port, "127.0.0.1"),
        ]
        try:
            return (await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/")).headers
        finally:
            for server in servers:
                server.stop()
                await server.close_all_connections()

    headers = asyncio.run(body())
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == "attachment"
    assert headers["Cache-Control"] == "no-store"


class Endless(RequestHandler):
    """Lists the same page again and again."""

    def post(self) -> None:
        row = {"path": "a", "type": "file", "size": 1, "mtime": 1.0}
        self.write({"data": {"content": [row] * 1000, "total": 10**15}})


@pytest.mark.parametrize("said", ["endless", "nonsense"])
def test_a_listing_has_a_limit(said: str) -> None:
    class Nonsense(RequestHandler):
        def post(self) -> None:
            self.write({"data": {"content": [{"path": "a"}], "total": "many"}})

    async def body() -> int:
        port = free_port()
        handler = Endless if said == "endless" else Nonsense
        server = Application([(r".*", handler)], log_function=lambda _: None).listen(port, "127.0.0.1")
        client = RunnerClient()
        try:
            return len(await LiveFiles(client, Address(f"http://127.0.0.1:{port}", "a-token")).rows(""))
        finally:
            client.close()
            server.stop()
            await server.close_all_connections()

    if said == "endless":
        assert asyncio.run(body()) == MAX_ROWS
    else:
        with pytest.raises(Unavailable, match="can't be read"):
            asyncio.run(body())


class Status(RequestHandler):
    """Of runners by the first part of the path."""

    async def get(self) -> None:
        runner = str(self.request.path).split("/")[1]
        said: dict[str, object] = {
            "nonsense": {"lastActivity": "yesterday"},
            "future": {"lastActivity": 1e18},
            "list": {"lastActivity": [1]},
            "empty": {},
            "good": {"lastActivity": 1000.0},
        }
        if runner == "broken":
            self.set_status(500)
            return
        self.write(said[runner])  # type: ignore[arg-type]


class Runners:
    """A spawner, as far as activity asks it."""

    ends_with_server = True

    def __init__(self, port: int, names: list[str]) -> None:
        self._port, self._names = port, names

    async def list(self) -> list[ProjectRef]:
        return [ProjectRef("", name) for name in self._names]

    async def address(self, ref: ProjectRef) -> Address:
        if ref.repl_id == "gone":
            raise Unavailable("It is not running.")
        return Address(f"http://127.0.0.1:{self._port}/{ref.repl_id}", "a-token")


@pytest.mark.parametrize("other", ["gone", "broken", "nonsense", "list", "empty"])
def test_a_runner_that_answers_nonsense_hides_no_other(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    """From Jupyter's culler, which would end the server with a REPL at work."""
    monkeypatch.setattr("jupyter_repl_ext.repls.activity.ASK_SECONDS", 0.05)
    assert asyncio.run(told_activity([other, "good"])).timestamp() == 1000.0


def test_a_runner_cannot_be_used_in_the_future(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_repl_ext.repls.activity.ASK_SECONDS", 0.05)
    assert asyncio.run(told_activity(["future"])).timestamp() <= time.time()


async def told_activity(names: list[str]) -> datetime:
    settings: dict[str, Any] = {}
    port = free_port()
    server = Application([(r".*", Status)], log_function=lambda _: None).listen(port, "127.0.0.1")
    client = RunnerClient()
    activity = Activity(settings, Runners(port, names), client)  # type: ignore[arg-type]
    activity.start()
    try:
        async with asyncio.timeout(10):
            while SETTING not in settings:
                await asyncio.sleep(0.01)
    finally:
        await activity.stop()
        client.close()
        server.stop()
    told: datetime = settings[SETTING]
    return told


def test_an_address_is_resolved_without_a_thread() -> None:
    """All threads may wait for just that."""

    async def check() -> list[Any]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        release = threading.Event()
        busy = loop.run_in_executor(None, release.wait, 10)
        try:
            async with asyncio.timeout(2):
                return [await AddressResolver().resolve(host, 3001) for host in ("10.1.2.3", "fd00::7")]
        finally:
            release.set()
            await busy

    assert asyncio.run(check()) == [
        [(socket.AF_INET, ("10.1.2.3", 3001))],
        [(socket.AF_INET6, ("fd00::7", 3001, 0, 0))],
    ]


def test_a_runner_that_does_not_answer_is_told_once_that_lasts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    silence, ref, error = Silence(), ProjectRef("", "mute"), Unavailable("no answer")
    silence.failed(ref, error)
    assert not caplog.records
    monkeypatch.setattr("jupyter_repl_ext.repls.silence.SILENT_SECONDS", 0.0)
    for _ in range(3):
        silence.failed(ref, error)
    silence.answered(ref)
    silence.failed(ref, error)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
