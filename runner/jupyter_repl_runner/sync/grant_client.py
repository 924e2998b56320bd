"""The grant, and new credentials at half the life of the old ones, from the server by a socket.

We ask with a line, the server answers with a grant as JSON in a line. A server that has gone leaves us what we have.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from logging import getLogger

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.grant import Credentials, Grant

ASK = b"grant\n"
ANSWER_SECONDS = 20.0
RETRY_SECONDS = 5.0
_LIMIT = 1 << 16

log = getLogger(__name__)


class GrantClient:
    """`descriptor` is our end of the socket."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._last: Grant | None = None

    async def first(self) -> Grant:
        """Raises Unavailable if the server gives none."""
        try:
            return await self._ask()
        except (OSError, ValueError, KeyError, TypeError, TimeoutError) as error:
            raise Unavailable("The server gave no grant for the project.", hint="Start it again.") from error

    async def keep(self, use: Callable[[Credentials], None]) -> None:
        """Ask for new ones at half their life, for ever; ends where they last for ever or the server has gone."""
        while self._last and self._last.credentials and self._last.credentials.expires:
            left = self._last.credentials.expires - time.time()
            await asyncio.sleep(max(left / 2, RETRY_SECONDS))
            try:
                grant = await self._ask()
            except (EOFError, ConnectionError):
                return
            except (OSError, ValueError, KeyError, TypeError, TimeoutError):
                log.warning("The server gave no new credentials; asking again")
                continue
            if grant.credentials:
                use(grant.credentials)

    async def _ask(self) -> Grant:
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(sock=self._socket, limit=_LIMIT)
        reader, writer = self._streams
        writer.write(ASK)
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await reader.readline()
        if not line:
            raise EOFError
        self._last = Grant.from_json(line.decode())
        return self._last
