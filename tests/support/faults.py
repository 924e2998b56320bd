"""An S3 server that fails: a proxy in front of a real one. It answers some requests with errors, cuts bodies, or
answers late."""

import asyncio
import random
import threading
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from .ports import free_port

_ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>a fault of the tests</Message></Error>"
FAULTS = ("InternalError", "SlowDown", "reset", "cut", "late", "lost answer")
MAX_BODY = 1 << 30
HOLD_SECONDS = 120.0


class FaultyProxy:
    """A proxy in front of the port `target` of `host`. The share `share` of all requests fails, each in one of the ways
    in `faults`. A `late` request is delayed by `latency` seconds."""

    def __init__(self, target: int, seed: int = 1, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = free_port()
        self.endpoint = f"http://{host}:{self.port}"
        self.target = target
        self.share = 0.0
        self.latency = 1.0
        self.faults: tuple[str, ...] = FAULTS
        self.failed = 0
        self.requests: list[tuple[str, str]] = []
        """All requests so far: method and path, with the query. `sizes`: the sizes of their bodies in bytes."""
        self.sizes: list[int] = []
        self.refusal: tuple[int, str] | None = None
        """Status and code with which POSTs (the requests to STS) are refused."""
        self.refused: dict[str, tuple[int, str]] = {}
        """By the last component of an address: status and code with which its GETs are refused."""
        self.refused_writes: dict[str, tuple[int, str]] = {}
        """By the end of an address: the same for PUTs, copies included. "" is the end of any address."""
        self.hold_at = -1
        """The number of the request that waits until `let_go` is set."""
        self.hold_answers = ""
        """Answers to addresses that contain this text wait likewise. Their requests are carried out at once, so the
        answers are old when they arrive."""
        self.held, self.let_go = threading.Event(), threading.Event()
        self.chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._loop.run_forever()

    async def _start(self) -> None:
        self.client = AsyncHTTPClient(force_instance=True, defaults={"decompress_response": False})
        application = Application([(r".*", _Handler, {"proxy": self})], log_function=lambda _: None)
        self._server = HTTPServer(application, max_body_size=MAX_BODY)
        self._server.listen(self.port, self.host)
        self._ready.set()

    def close(self) -> None:
        async def end() -> None:
            self._server.stop()
            await self._server.close_all_connections()
            self.client.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class _Handler(RequestHandler):
    def initialize(self, proxy: FaultyProxy) -> None:
        self._proxy = proxy

    async def _note(self) -> None:
        proxy = self._proxy
        proxy.requests.append((str(self.request.method), str(self.request.uri)))
        proxy.sizes.append(len(self.request.body))
        if len(proxy.requests) - 1 == proxy.hold_at:
            await self._hold()

    async def _hold(self) -> None:
        self._proxy.held.set()
        await asyncio.to_thread(self._proxy.let_go.wait, HOLD_SECONDS)

    async def _ask(self) -> HTTPResponse:
        proxy = self._proxy
        request = HTTPRequest(
            f"http://{proxy.host}:{proxy.target}{self.request.uri}",
            method=str(self.request.method),
            headers=self.request.headers,  # including the host, which is signed
            body=self.request.body or None,
            allow_nonstandard_methods=True,
            request_timeout=60,
            follow_redirects=False,
        )
        answer = await proxy.client.fetch(request, raise_error=False)
        if proxy.hold_answers and proxy.hold_answers in str(self.request.uri):
            await self._hold()
        return answer

    def _refuse(self, status: int, code: str) -> None:
        self.set_status(status)
        self.finish(_ERROR.format(code=code))

    async def _forward(self) -> None:
        proxy = self._proxy
        await self._note()
        if self.request.method == "GET" and (said := proxy.refused.get(self.request.path.rpartition("/")[2])):
            self._refuse(*said)
            return
        ends = [said for end, said in proxy.refused_writes.items() if self.request.path.endswith(end)]
        if self.request.method == "PUT" and ends:
            self._refuse(*ends[0])
            return
        fault = proxy.chance.choice(proxy.faults) if proxy.chance.random() < proxy.share else ""
        proxy.failed += bool(fault)
        if fault in ("InternalError", "SlowDown"):
            self._refuse(500 if fault == "InternalError" else 503, fault)
            return
        if fault == "late":
            await asyncio.sleep(proxy.latency)
        if fault == "reset":
            self.request.connection.stream.close()  # type: ignore[union-attr]
            return
        answer = await self._ask()
        if fault == "lost answer":  # the request was carried out, and the client gets no answer
            self.request.connection.stream.close()  # type: ignore[union-attr]
            return
        await self._pass_on(answer, fault)

    async def _pass_on(self, answer: HTTPResponse, fault: str) -> None:
        self.set_status(answer.code)
        for name, value in answer.headers.get_all():
            if name not in ("Transfer-Encoding", "Content-Length", "Connection"):
                self.set_header(name, value)
        body = answer.body or b""
        if self.request.method == "HEAD":
            self.set_header("Content-Length", answer.headers.get("Content-Length", "0"))
            body = b""
        elif fault == "cut" and len(body) > 1:
            self.set_header("Content-Length", str(len(body)))
            self.write(body[: len(body) // 2])
            await self.flush()
            self.request.connection.stream.close()  # type: ignore[union-attr]
            return
        if body:
            self.write(body)
        await self.finish()

    async def post(self) -> None:
        if self._proxy.refusal is None:
            await self._forward()
            return
        status, code = self._proxy.refusal
        self.set_status(status)
        self.finish(f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>")

    get = put = delete = head = _forward  # type: ignore[assignment]

    def compute_etag(self) -> Any:
        return None
