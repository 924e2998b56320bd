"""Projects as zips: packs a project in the store while no runner has it, and creates projects from zips."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.store.checkout import checkout
from jupyter_repl_runner.store.pack import pack
from jupyter_repl_runner.store.port import Store
from jupyter_repl_runner.store.unpack import Report, about_of, names_of, unpack

from .catalog import Catalog
from .projects import Projects
from .records import Project


class Archives:
    def __init__(self, store: Store, catalog: Catalog, projects: Projects) -> None:
        self._store = store
        self._catalog = catalog
        self._projects = projects

    @asynccontextmanager
    async def packed(self, project: Project, path: str) -> AsyncIterator[Iterator[bytes]]:
        """Yield the zip of a folder of the project in chunks; reading them blocks. No runner may have the project until
        this has yielded. Raises FileNotFound."""
        about = None if path else {"language": project.record.language}
        folder = self._store.local_path(project.ref.code())
        if folder is not None:
            yield pack(Beneath(folder), path, about)
            return
        scratch = self._store.scratch()
        copy = await tasks.in_thread(scratch.__enter__)
        try:
            missing = await checkout(self._store, project.ref, copy)
            yield pack(Beneath(copy), path, about, missing)
        finally:
            await tasks.in_thread(scratch.__exit__, None, None, None)  # deleting many files takes long

    async def create(self, ref: ProjectRef, archive: Path, language: str) -> tuple[Project, Report]:
        """Create a project from a zip in a `scratch` of the store. `language` empty: the language that the zip names,
        or that the names of its files suggest.

        Raises FileExists if the name is taken, and what `store.unpack` raises about the zip. Then nothing is left
        behind.
        """
        language = language or await self._language_of(archive)
        await self._catalog.get(language)
        folder = archive.parent / "files"
        folder.mkdir()
        report = await asyncio.to_thread(unpack, archive, folder)
        return await self._projects.create(ref, language, folder), report

    async def _language_of(self, archive: Path) -> str:
        about = await asyncio.to_thread(about_of, archive)
        if isinstance(about.get("language"), str):
            return str(about["language"])
        names = set(await asyncio.to_thread(names_of, archive))
        templates = await self._catalog.list()
        for suffix_only in (False, True):
            for template in templates:
                main = template["main"]
                if main in names or (suffix_only and _has_suffix(names, Path(main).suffix)):
                    return str(template["language"])
        raise InvalidRequest("The language of the archive is not known.", hint="Name it: ?language=python")


def _has_suffix(names: set[str], suffix: str) -> bool:
    return bool(suffix) and any(name.endswith(suffix) for name in names)
