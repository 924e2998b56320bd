"""WebSocket to WebSocket: the browser's channel and the runner's, frame by frame, parsed by neither.

Each direction waits until the other side has taken a frame, at most PAUSE_SECONDS: credit keeps honest ends far from
that, so a longer pause means a dead one.
"""

import asyncio
from collections.abc import Awaitable, Callable

from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

PAUSE_SECONDS = 20.0
QUEUED_FRAMES = 256

Write = Callable[[str | bytes], Awaitable[None]]


class Relay:
    """`to_browser` and `to_runner` send one frame and return when it was flushed; `touch` is told of traffic."""

    def __init__(self, runner: WebSocketClientConnection, to_browser: Write, touch: Callable[[], None]) -> None:
        self._runner = runner
        self._to_browser = to_browser
        self._touch = touch
        self._queue: asyncio.Queue[str | bytes] = asyncio.Queue(QUEUED_FRAMES)
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        """Relay until a side is gone; the runner's close code, or 1006 if it just vanished."""
        self._tasks = [
            asyncio.create_task(self._up(), name="relay to the runner"),
            asyncio.create_task(self._down(), name="relay to the browser"),
        ]
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self.stop()
        return self._runner.close_code or 1006

    async def stop(self) -> None:
        """End both directions and the runner's side. Idempotent."""
        self._runner.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def receive(self, message: str | bytes) -> bool:
        """Take a frame of the browser's; False if the runner has not taken its predecessors for too long.

        Returns at once while the queue has room, so that the caller can go on to read pongs.
        """
        try:
            await asyncio.wait_for(self._queue.put(message), PAUSE_SECONDS)
        except TimeoutError:
            return False
        return True

    async def _up(self) -> None:
        while True:
            message = await self._queue.get()
            self._touch()
            try:
                sent = self._runner.write_message(message, binary=isinstance(message, bytes))
                await asyncio.wait_for(sent, PAUSE_SECONDS)
            except (WebSocketClosedError, TimeoutError):
                return

    async def _down(self) -> None:
        while (message := await self._runner.read_message()) is not None:
            self._touch()
            try:
                await asyncio.wait_for(self._to_browser(message), PAUSE_SECONDS)
            except (WebSocketClosedError, TimeoutError):
                return
