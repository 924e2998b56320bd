"""Streams one HTTP request of a browser to a runner and the answer back. Cookies and tokens of ours never go along."""

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
"""What a browser may do with the answer is not the runner's to say."""


async def forward(
    handler: RequestHandler, client: RunnerClient, address: Address, url: str, body: AsyncIterator[bytes] | None
) -> None:
    """Answer `handler`'s request with the runner's answer at `url`; raises ReplError before anything was sent. The
    caller has set the headers that make it no page of ours."""
    headers = {name: handler.request.headers[name] for name in FORWARDED if name in handler.request.headers}
    if body is None:  # of a GET that has one, nothing goes along
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
