"""Requests, transfers and the channel to a runner, each with a deadline. Only this module opens a runner's address."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlsplit

from tornado.httpclient import HTTPRequest
from tornado.httputil import HTTPHeaders, HTTPInputError, parse_response_start_line
from tornado.iostream import IOStream
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.tcpclient import TCPClient

from jupyter_repl_runner.contract.errors import Unavailable, from_json
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.messages import AUTH_HEADER
from jupyter_repl_spawner.port import Address

from .outgoing import CONNECT_SECONDS, NOT_MODIFIED, Answer, mapped, stream_request
from .resolver import UNIX_SUFFIX, AddressResolver

REQUEST_SECONDS = 10.0
CALL_SECONDS = 60.0
MAX_TRANSFER = 5 << 30
MAX_JSON = 1 << 20
"""The most bytes of an answer that is read as a whole: a user's programs may control what a runner answers."""
MAX_HEAD = 1 << 14
SWITCHING_PROTOCOLS = 101
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
HANDSHAKE = ("Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol")
_UNIX = "unix:"


@dataclass(frozen=True)
class Head:
    """The head of an answer."""

    status: int
    headers: HTTPHeaders


class RunnerClient:
    """One instance serves the whole server. Small answers, transfers and connections have separate pools."""

    def __init__(self) -> None:
        self._resolver = AddressResolver()
        self._http = SimpleAsyncHTTPClient(
            force_instance=True, resolver=self._resolver, max_clients=200, max_body_size=MAX_TRANSFER
        )
        self._json = SimpleAsyncHTTPClient(
            force_instance=True, resolver=self._resolver, max_clients=200, max_body_size=MAX_JSON
        )
        self._tcp = TCPClient(resolver=self._resolver)

    def close(self) -> None:
        self._http.close()
        self._json.close()
        self._tcp.close()

    async def get_json(self, address: Address, path: str) -> dict[str, Any]:
        """Returns the answer to a small GET. Raises ReplError."""
        request = HTTPRequest(
            _url(address, path),
            headers=_headers(address),
            ssl_options=address.tls,
            connect_timeout=CONNECT_SECONDS,
            request_timeout=REQUEST_SECONDS,
            follow_redirects=False,
            decompress_response=False,
        )
        return await self._ask(request)

    async def _ask(self, request: HTTPRequest) -> dict[str, Any]:
        """Returns the answer, a JSON object. Raises Unavailable for any other answer."""
        with mapped():
            answer = (await self._json.fetch(request)).body
        return _object(answer)

    async def transfer(
        self,
        address: Address,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: AsyncIterator[bytes] | None,
        on_headers: Callable[[int, HTTPHeaders], None],
        on_chunk: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """Send a request, and stream its body and its answer; `on_chunk` paces the answer. Raises the runner's
        error."""
        answer = _Answer(on_headers, on_chunk)
        sent = {**headers, **_headers(address)}
        with mapped():
            await stream_request(self._http, method, _url(address, path), sent, body, answer, ssl_options=address.tls)
        answer.check()

    async def put_file(
        self, address: Address, path: str, body: AsyncIterator[bytes], headers: Mapping[str, str]
    ) -> str:
        """Write a file of the project; returns its etag. Raises the runner's error."""
        answered: list[str] = []

        def on_headers(_: int, found: HTTPHeaders) -> None:
            answered.append(found.get("ETag", "").strip('"'))

        async def on_chunk(_: bytes) -> None:
            return

        await self.transfer(address, "PUT", file_url(path), headers, body, on_headers, on_chunk)
        return answered[0]

    async def call(self, address: Address, event: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Send an event of the channel as a single request; returns the data of the answer. Raises the runner's
        error."""
        request = HTTPRequest(
            _url(address, "/call"),
            method="POST",
            headers={**_headers(address), "Content-Type": "application/json"},
            ssl_options=address.tls,
            body=json.dumps({"event": event, "data": data}),
            connect_timeout=CONNECT_SECONDS,
            request_timeout=CALL_SECONDS,
            follow_redirects=False,
            decompress_response=False,
        )
        answer = await self._ask(request)
        if isinstance(answer.get("error"), dict):
            raise from_json(answer["error"])
        found = answer.get("data")
        return found if isinstance(found, dict) else {}

    async def channel(
        self, address: Address, asked: HTTPHeaders, path: str = "/channel"
    ) -> tuple[HTTPHeaders, IOStream]:
        """Open the runner's channel with `asked`, the handshake headers of a browser. Returns the headers of the
        runner's answer, and the connection after it. Raises ReplError."""
        handshake = {name: asked[name] for name in HANDSHAKE if name in asked}
        head, stream = await self.open(address, "GET", path, {**UPGRADE, **handshake})
        if head.status != SWITCHING_PROTOCOLS:
            stream.close()
            raise Unavailable("The runner did not open the channel.", hint="Try again.")
        return head.headers, stream

    async def open(self, address: Address, method: str, path: str, headers: Mapping[str, str]) -> tuple[Head, IOStream]:
        """Send a request without a body on a new connection. Returns the head of the answer, and the connection after
        it, which the caller closes. Raises Unavailable."""
        place = urlsplit(_url(address, path))
        request = {"Host": place.netloc, **_headers(address), **headers}
        target = f"{place.path}?{place.query}" if place.query else place.path
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.items()), "", ""]
        with mapped():
            async with asyncio.timeout(CONNECT_SECONDS):
                stream = await self._connect(address, place.hostname or "", place.port or 443)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await stream.write("\r\n".join(lines).encode("latin-1"))
                    raw = await stream.read_until(b"\r\n\r\n", max_bytes=MAX_HEAD)
                return _head(raw), stream
            except BaseException:
                stream.close()
                raise

    async def _connect(self, address: Address, host: str, port: int) -> IOStream:
        if address.url.startswith(_UNIX):
            stream = IOStream(socket.socket(socket.AF_UNIX))
            await stream.connect(cast(Any, address.url.removeprefix(_UNIX)))  # the type hint allows only TCP
            return stream
        stream = await self._tcp.connect(host, port, ssl_options=address.tls)
        stream.set_nodelay(True)
        return stream


class _Answer(Answer):
    """Passes on an answer's head and body. Retains the body of an error, so that `check` can raise it."""

    def __init__(
        self, on_headers: Callable[[int, HTTPHeaders], None], on_chunk: Callable[[bytes], Awaitable[None]]
    ) -> None:
        super().__init__()
        self._on_headers = on_headers
        self._on_chunk = on_chunk
        self._error = bytearray()
        self._has_head = False

    def on_head(self) -> None:
        if self.status < 300 or self.status == NOT_MODIFIED:  # a runner never redirects
            self._has_head = True
            self._on_headers(self.status, self.headers)

    async def chunk(self, data: bytes) -> None:
        if not self._has_head:
            self._error += data[: MAX_JSON - len(self._error)]
        else:
            await self._on_chunk(data)

    def check(self) -> None:
        """Raise the runner's error if it answered with one."""
        if self._has_head:
            return
        raise from_json(_object(self._error), self.status)


def _head(raw: bytes) -> Head:
    """Returns the parsed head of an answer. Raises Unavailable if it can't be parsed."""
    line, _, headers = raw.decode("latin-1").partition("\r\n")
    try:
        return Head(parse_response_start_line(line).code, HTTPHeaders.parse(headers))
    except (HTTPInputError, ValueError) as error:
        raise Unavailable("The runner's answer can't be read.", hint="Start the REPL again.") from error


def _object(answer: bytes | bytearray) -> dict[str, Any]:
    """Returns the JSON object in `answer`. Raises Unavailable if it holds none."""
    with suppress(ValueError):
        found = parse_json(answer)
        if isinstance(found, dict):
            return found
    raise Unavailable("The runner's answer can't be read.", hint="Start the REPL again.")


def file_url(path: str) -> str:
    """Returns the path of the runner's route to a file."""
    return "/file/" + quote(path, errors="surrogateescape")


def _url(address: Address, path: str) -> str:
    if address.url.startswith(_UNIX):
        return f"http://{os.fsencode(address.url.removeprefix(_UNIX)).hex()}{UNIX_SUFFIX}{path}"
    return address.url + path


def _headers(address: Address) -> dict[str, str]:
    return {**address.headers, AUTH_HEADER: address.token}
