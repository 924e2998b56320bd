"""Copies the projects of one store to an owner of another: from a person's own server to a hub.

A project that arrives is compared with its source, file by file, before it counts as copied. A run that was interrupted
is repeated: projects that arrived are only compared again. What lies in the trash, and versions of files that only a
runner has, are not copied.
"""

import hashlib
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import Conflict, FileExists, ReplError, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store import folder as folders
from jupyter_repl_runner.store.checkout import checkout
from jupyter_repl_runner.store.manifest import Manifest
from jupyter_repl_runner.store.port import Store

from .projects import Projects
from .records import Project

Contents = tuple[dict[str, tuple[str, int]], Manifest]
"""The sha256 and the mode of each file by its path, and links and folders."""


@dataclass(frozen=True)
class Adopted:
    """What came of one project. `error`: why it was not copied; None: it is whole in the new store."""

    repl_id: str
    files: int
    error: ReplError | None = None


class Adoption:
    """From `source`, whose projects are those of one person without an owner, to `target`."""

    def __init__(self, source: Store, source_projects: Projects, target: Store, target_projects: Projects) -> None:
        self._source = source
        self._source_projects = source_projects
        self._target = target
        self._target_projects = target_projects

    async def run(self, owner: str, *, delete_source: bool = False) -> AsyncIterator[Adopted]:
        """Copies each project, and with `delete_source` deletes it at its source once it is whole in the target. A
        project that can't be copied holds up no other. Its REPL must be stopped: what changes meanwhile is an error."""
        for project in await self._source_projects.list(""):
            try:
                count = await self._adopt(project, ProjectRef(owner, project.ref.repl_id))
                if delete_source:
                    await self._source_projects.delete(project.ref)
            except ReplError as error:
                yield Adopted(project.ref.repl_id, 0, error)
            else:
                yield Adopted(project.ref.repl_id, count)

    async def _adopt(self, project: Project, ref: ProjectRef) -> int:
        """Returns the number of files. Raises Conflict if the target has something else."""
        if project.refusal is not None:
            raise project.refusal
        with self._target.scratch() as scratch:
            copy = scratch / "files"
            await self._check_out(self._source, project.ref, copy)
            before = await tasks.in_thread(_read, copy)
            with suppress(FileExists):  # it arrived in an earlier run, or is another project of that name
                await self._target_projects.adopt(ref, project.record, copy)
        there = await self._contents(self._target, ref)
        if there != before or await self._contents(self._source, project.ref) != before:
            raise Conflict(
                f"{ref.repl_id} is not the same in both stores.",
                hint="It was changed while it was copied, or there is another project of that name. Stop its REPL, "
                "rename or delete one of the two, and try again.",
            )
        return len(before[0])

    async def _contents(self, store: Store, ref: ProjectRef) -> Contents:
        with self._target.scratch() as scratch:
            copy = scratch / "files"
            await self._check_out(store, ref, copy)
            return await tasks.in_thread(_read, copy)

    async def _check_out(self, store: Store, ref: ProjectRef, copy: Path) -> None:
        """Makes a copy of the project's files on this machine. Raises Unavailable if a file can't be had."""
        folder = store.local_path(ref.code())
        if folder is not None:
            # cp, since copying by Python's own library is recursive and follows what a program may have put there
            command = ["cp", "-a", "--", str(folder), str(copy)]
            done = await tasks.in_thread(subprocess.run, command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Unavailable(f"{ref} can't be copied: {done.stderr.strip()[:300]}", hint="Look at its files.")
            return
        await tasks.in_thread(copy.mkdir)
        if missing := await checkout(store, ref, copy):
            names = ", ".join(sorted(missing)[:3])
            raise Unavailable(f"{len(missing)} files of {ref} can't be read: {names}", hint="Delete or repair them.")


def _read(folder: Path) -> Contents:
    found, manifest = folders.read(folder)
    files = {}
    for path, (mode, _) in found.items():
        with open(folder / path, "rb") as file:
            files[path] = hashlib.file_digest(file, "sha256").hexdigest(), mode
    return files, manifest
