"""A spawner of one's own: each REPL is a child process of the Jupyter server, and there is nothing more to it.

It takes no care of processes that a runner leaves behind, and does not work with projects in S3.
"""

import asyncio
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.phases import RUNNING, STOPPED, Phase
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Address, Leaving, Progress, Spawner, SpawnerContext


class PlainSpawner(Spawner):
    def __init__(self, context: SpawnerContext) -> None:
        if context.granter is not None:
            raise ValueError("PlainSpawner: set store_url to a folder")
        self._context = context
        self._running: dict[ProjectRef, tuple[asyncio.subprocess.Process, Address]] = {}

    async def __aexit__(self, *error: object) -> None:
        for ref in list(self._running):
            await self.stop(ref)

    async def start(self, assignment: Assignment, progress: Progress) -> None:
        if await self.poll(assignment.ref) == RUNNING:
            return
        progress("Starting the runner")
        folders, token = self._context.folders(assignment.ref), secrets.token_urlsafe(32)
        directory = Path(tempfile.mkdtemp(prefix="plain-"))
        said = {"token": token, "workdir": str(folders.workdir), "trash": str(folders.trash)}
        (directory / "record.json").write_text(json.dumps({**said, "assignment": assignment.to_json()}))
        ready, done = os.pipe()
        where = ["--directory", str(directory), "--ready", str(done)]
        command = [sys.executable, "-m", "jupyter_repl_runner", "serve", *where]
        process = await asyncio.create_subprocess_exec(*command, pass_fds=[done])
        os.close(done)
        with os.fdopen(ready) as pipe:
            word = await asyncio.to_thread(pipe.read, 5)  # nothing, if the runner ends first
        if word != "ready":
            raise Unavailable("The runner ended while it started.", hint="The server's log says why.")
        self._running[assignment.ref] = process, Address(f"unix:{directory}/socket", token)

    async def stop(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> None:
        if ref in self._running:
            process, _ = self._running.pop(ref)
            if process.returncode is None:
                process.terminate()  # it ends its programs first
            await process.wait()

    async def poll(self, ref: ProjectRef) -> Phase:
        return RUNNING if ref in self._running and self._running[ref][0].returncode is None else STOPPED

    async def list(self) -> list[ProjectRef]:
        return list(self._running)

    async def forget(self, ref: ProjectRef) -> None:
        return

    async def address(self, ref: ProjectRef) -> Address:
        if await self.poll(ref) != RUNNING:
            raise Unavailable("The REPL does not run.", hint="Start it.")
        return self._running[ref][1]
