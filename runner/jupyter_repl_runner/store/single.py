"""A lock of this machine, which replaces conditional requests: for an S3-compatible server that ignores conditions, if
no other machine writes to it."""

import asyncio
import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.grant import S3Settings

LOCK_SECONDS = 30.0
LOOK_SECONDS = 0.01


class SingleServer:
    """An async context manager. Of this user's processes on a bucket and prefix, only one is inside at a time. Raises
    Unavailable or TimeoutError after LOCK_SECONDS."""

    def __init__(self, settings: S3Settings) -> None:
        place = f"{settings.endpoint} {settings.bucket} {settings.prefix}"
        name = f"jupyter-repl-{os.getuid()}-{hashlib.sha256(place.encode()).hexdigest()[:16]}.lock"
        self._path = Path(tempfile.gettempdir()) / name
        self._turn = asyncio.Lock()
        self._held = -1

    async def __aenter__(self) -> None:
        async with asyncio.timeout(LOCK_SECONDS):
            await self._turn.acquire()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        loop = asyncio.get_running_loop()
        until = loop.time() + LOCK_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if loop.time() > until:
                        raise Unavailable("The store is busy.", hint="Try again in a moment.") from None
                    await asyncio.sleep(LOOK_SECONDS)
        except BaseException:
            os.close(descriptor)
            self._turn.release()
            raise
        self._held = descriptor

    async def __aexit__(self, *_: object) -> None:
        os.close(self._held)
        self._turn.release()
