"""A network between client and server that fails on demand: cut, half-closed, stalled, or cut at a given byte."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import cast


class Proxy:
    """Forwards TCP connections to `target`, a port of this machine. Its settings apply to all connections."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._left: int | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = self._call(lambda: asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Reset all connections at once."""
        self._soon(self._cut)

    def cut_after(self, count: int) -> None:
        """Reset them when `count` more bytes have gone to the client."""
        self._soon(lambda: setattr(self, "_left", count))

    def half_close(self) -> None:
        """Send every client the end of the stream, and go on reading what it sends."""

        def tell() -> None:
            for writer in self._writers:
                if writer.get_extra_info("peername")[1] != self._target and writer.can_write_eof():
                    writer.write_eof()

        self._soon(tell)

    def stall(self, is_stalled: bool = True) -> None:
        """Forward nothing, but keep the connections open; or, with False, go on."""
        self._soon(self._flowing.clear if is_stalled else self._flowing.set)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._soon(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        self._cut()
        while self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = cast("asyncio.Task[None]", asyncio.current_task())
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, server_writer}
        tasks = [
            self._loop.create_task(self._pump(reader, server_writer, to_client=False)),
            self._loop.create_task(self._pump(server_reader, writer, to_client=True)),
        ]
        self._tasks.update(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in (writer, server_writer):
            each.transport.abort()
            self._writers.discard(each)
        self._tasks.difference_update(tasks)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_client: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flowing.wait()
                if to_client and self._left is not None:
                    data = data[: self._left]
                    self._left -= len(data)
                writer.write(data)
                await writer.drain()
                if self._left == 0:
                    self._left = None
                    await asyncio.sleep(0.05)  # the written bytes must arrive first
                    self._cut()

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def _soon(self, action: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(action)

    def _call(self, start: Callable[[], "asyncio.Future[asyncio.Server]"]) -> asyncio.Server:
        async def run() -> asyncio.Server:
            return await start()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)
