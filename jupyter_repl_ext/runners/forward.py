"""Streams an HTTP request of a browser to a runner, and the answer back. Never passes on our cookies and tokens."""

import asyncio
from collections.abc import AsyncIterator

from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler

from jupyter_repl_runner.store.transfer import STALL_SECONDS
from jupyter_repl_spawner.port import Address

from .client import RunnerClient

FORWARDED = ("Range", "If-Match", "If-None-Match", "Content-Length")
ANSWERED = (
    "Accept-Ranges",
    "Content-Length",
    "Content-Range",
    "ETag",
    "Last-Modified",
)
"""The only headers that are passed back: a runner must not decide what a browser may do with the answer."""


async def forward(
    handler: RequestHandler, client: RunnerClient, address: Address, url: str, body: AsyncIterator[bytes] | None
) -> None:
    """Answer `handler`'s request with the runner's answer at `url`. Raises ReplError if the runner fails before
    anything was sent. The caller has set headers, so that no browser renders the answer as a page of this server."""
    headers = {name: handler.request.headers[name] for name in FORWARDED if name in handler.request.headers}
    if body is None:  # the body of a GET is not passed on
        headers.pop("Content-Length", None)

    def on_headers(status: int, answered: HTTPHeaders) -> None:
        handler.set_status(status)
        for name in ANSWERED:
            if name in answered:
                handler.set_header(name, answered[name])

    async def on_chunk(chunk: bytes) -> None:
        handler.write(chunk)
        async with asyncio.timeout(STALL_SECONDS):
            await handler.flush()

    method = str(handler.request.method)
    await client.transfer(address, method, url, headers, body, on_headers, on_chunk)
