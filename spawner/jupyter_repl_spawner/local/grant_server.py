"""The server's end of sync's socket: each line from sync asks for a grant, and the server answers with a line."""

import asyncio
import socket
from dataclasses import replace
from logging import getLogger

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.grant import Grant
from jupyter_repl_spawner.port import Granter

ANSWER_SECONDS = 15.0

log = getLogger(__name__)


class GrantServer:
    """Answers from its creation until `stop`. The first answer is `grant`; later ones have new credentials."""

    def __init__(self, granter: Granter, grant: Grant) -> None:
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self._granter = granter
        self._grant = grant
        self._task = tasks.spawn(self._serve(ours), "grants to sync")

    def started(self) -> None:
        """The guard has inherited its end of the socket: close our copy of it."""
        self.theirs.close()

    async def stop(self) -> None:
        """Idempotent."""
        self.theirs.close()
        await tasks.stop(self._task)

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        is_first = True
        try:
            while await reader.readline():
                try:
                    if not is_first:
                        async with asyncio.timeout(ANSWER_SECONDS):
                            new = await self._granter.credentials(self._grant.ref)
                        self._grant = replace(self._grant, credentials=new)
                except (ReplError, TimeoutError) as error:
                    log.warning("No new credentials for sync: %s", error)
                except Exception:  # sync asks again: no error may stop the answers
                    log.exception("No new credentials for sync")
                is_first = False
                writer.write(self._grant.to_json().encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()
