"""Makes the drive: chooses its contents manager, and how that manager reaches a project's files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.repls.lifecycle import Lifecycle
from jupyter_repl_ext.runners.client import RunnerClient
from jupyter_repl_runner.contract.refs import ProjectRef, owner_root
from jupyter_repl_runner.store.port import Store
from jupyter_repl_spawner.port import Spawner

from .files import Files
from .live import LiveFiles
from .manager import DirectoryDrive, Drive, S3Drive
from .stored import StoredFiles

_OWNER = ""
"""A Jupyter server on a laptop has one user."""


def make_drive(store: Store, projects: Projects, lifecycle: Lifecycle, spawner: Spawner, client: RunnerClient) -> Drive:
    async def names() -> list[tuple[str, float]]:
        found = await projects.list(_OWNER)
        return [(each.ref.repl_id, datetime.fromisoformat(each.record.created).timestamp()) for each in found]

    def ref_of(name: str) -> ProjectRef:
        return ProjectRef(_OWNER, name)

    @asynccontextmanager
    async def open_files(ref: ProjectRef) -> AsyncIterator[Files]:
        await projects.get(ref)
        async with lifecycle.without_runner(ref) as stopped:
            yield StoredFiles(store, ref) if stopped else LiveFiles(client, await spawner.address(ref))

    root = store.local_path(f"{owner_root(_OWNER)}code/")
    if root is not None:
        return DirectoryDrive(projects=names, ref_of=ref_of, root=Path(root))
    return S3Drive(projects=names, ref_of=ref_of, open_files=open_files)
