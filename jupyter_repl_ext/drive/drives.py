"""Makes the drive of each owner: chooses its contents manager, and how that manager reaches a project's files."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.repls.lifecycle import Lifecycle
from jupyter_repl_ext.runners.client import RunnerClient
from jupyter_repl_runner.contract.refs import ProjectRef, owner_root
from jupyter_repl_runner.store.port import Store
from jupyter_repl_spawner.port import Spawner

from .files import Files
from .live import LiveFiles
from .manager import THREADS, DirectoryDrive, Drive, S3Drive
from .stored import StoredFiles

RECENT = 256
"""So many drives are kept; one that was dropped is made again when it is asked for."""


class Drives:
    """`of` returns the drive of an owner."""

    def __init__(
        self, store: Store, projects: Projects, lifecycle: Lifecycle, spawner: Spawner, client: RunnerClient
    ) -> None:
        self._store = store
        self._projects = projects
        self._lifecycle = lifecycle
        self._spawner = spawner
        self._client = client
        # A pool of its own: its threads wait for the event loop, which may need a thread of the default pool to answer.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="drive")
        self.of = lru_cache(RECENT)(self._make)

    def _make(self, owner: str) -> Drive:
        async def names() -> list[tuple[str, float]]:
            found = await self._projects.list(owner)
            return [(each.ref.repl_id, datetime.fromisoformat(each.record.created).timestamp()) for each in found]

        def ref_of(name: str) -> ProjectRef:
            return ProjectRef(owner, name)

        root = self._store.local_path(f"{owner_root(owner)}code/")
        if root is not None:
            return DirectoryDrive(projects=names, ref_of=ref_of, root=Path(root))
        return S3Drive(projects=names, ref_of=ref_of, open_files=self._open_files, threads=self._threads)

    @asynccontextmanager
    async def _open_files(self, ref: ProjectRef) -> AsyncIterator[Files]:
        await self._projects.get(ref)
        async with self._lifecycle.without_runner(ref) as stopped:
            yield (
                StoredFiles(self._store, ref) if stopped else LiveFiles(self._client, await self._spawner.address(ref))
            )
