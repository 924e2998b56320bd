"""The templates for new projects: the folders under `base/` in the store, and whether their programs can run here."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract.errors import FileExists, FileNotFound, InvalidRequest, ReplError
from jupyter_repl_runner.contract.ids import check_id
from jupyter_repl_runner.contract.refs import template_prefix
from jupyter_repl_runner.contract.settings import TEMPLATE_FILE, Template, parse_template
from jupyter_repl_runner.store.port import Store, read_all

PACKAGED = Path(__file__).parents[1] / "templates"

log = logging.getLogger(__name__)


@dataclass
class Pushed:
    """The result of publishing a template: the files that were written, those that differ in the store and were
    retained, and the number of those that were the same."""

    written: "list[str]" = field(default_factory=list)
    kept: "list[str]" = field(default_factory=list)
    same: int = 0


class Catalog:
    """`can_run(program)` returns True if the program is installed where REPLs run."""

    def __init__(self, store: Store, can_run: Callable[[str], bool], packaged: Path = PACKAGED) -> None:
        self._store = store
        self._can_run = can_run
        self._packaged = packaged
        self._is_published = False

    async def publish(self) -> None:
        """Store our templates that are missing; never changes one that is there. Each call tries again until one
        has succeeded, because the store may be unavailable when the server starts. After that, a call does nothing.

        A template's settings file is stored last. If it exists, the whole template was published once, so its files are
        not stored again, and a file that was deleted since stays deleted.
        """
        if self._is_published:
            return
        for folder in self.packaged():
            if await self._store.head(template_prefix(folder.name) + TEMPLATE_FILE) is None:
                await self.push(folder)
        self._is_published = True

    def packaged(self) -> Sequence[Path]:
        """Returns the folders of the templates in this package."""
        return sorted(folder for folder in self._packaged.iterdir() if folder.is_dir())

    async def push(self, folder: Path, *, overwrite: bool = False) -> Pushed:
        """Publish a folder as the template of its name. Retains files that exist and differ, unless `overwrite` is set.

        Raises InvalidRequest if the folder does not exist, or if its name is not valid for a language.
        """
        prefix, pushed = template_prefix(check_id(folder.name, "language")), Pushed()
        for name, mode, data in await asyncio.to_thread(_read_template, folder):
            try:
                await self._store.put(prefix + name, data, if_none_match=True, mode=mode)
            except FileExists:
                is_same, etag = await self._compare(prefix + name, data)
                if is_same:
                    pushed.same += 1
                    continue
                if not overwrite:
                    pushed.kept.append(name)
                    continue
                await self._store.put(prefix + name, data, if_match=etag, mode=mode)
            pushed.written.append(name)
        return pushed

    async def _compare(self, key: str, data: bytes) -> tuple[bool, str]:
        """Returns whether the object's content equals `data`, and its etag. An object of another size is not read."""
        async with await self._store.get(key) as blob:
            is_same = blob.head.entry.size == len(data) and b"".join([chunk async for chunk in blob.chunks()]) == data
            return is_same, blob.head.etag

    async def list(self) -> Sequence[dict[str, Any]]:
        """Returns what the launcher shows, sorted by label. Leaves out, with a warning, templates that can't be read,
        and folders whose name is not an id."""
        await self.publish()
        rows = []
        for language in await self._store.children(template_prefix()):
            try:
                rows.append(self.describe(await self.get(language)))
            except ReplError as error:
                log.warning("The template %r is left out: %s %s", language, error.message, error.hint)
        return sorted(rows, key=lambda row: row["label"].casefold())

    async def get(self, language: str) -> Template:
        """Raises FileNotFound if there is no such template, InvalidRequest if its settings can't be read."""
        prefix = template_prefix(check_id(language, "language"))
        await self.publish()
        try:
            raw, _ = await read_all(self._store, prefix + TEMPLATE_FILE)
        except FileNotFound:
            if language not in await self._store.children(template_prefix()):
                known = ", ".join(await self._store.children(template_prefix()))
                raise FileNotFound(f"There is no template {language}.", hint=f"There are: {known}.") from None
            raw = b""
        try:
            return parse_template(language, raw.decode())
        except UnicodeDecodeError:
            raise InvalidRequest(f"{TEMPLATE_FILE} of {language} is not UTF-8.") from None

    def describe(self, template: Template) -> dict[str, Any]:
        """Returns `{language, label, icon, run, main, available, hint}`; `hint` says why it is not available."""
        available = not template.requires or any(self._can_run(name) for name in template.requires)
        missing = " or ".join(template.requires)
        return {
            "language": template.language,
            "label": template.label,
            "icon": template.icon,
            "run": template.run,
            "main": template.main,
            "available": available,
            "hint": "" if available else f"{missing} was not found here. {template.hint}".strip(),
        }


def _read_template(folder: Path) -> "list[tuple[str, int, bytes]]":
    """Returns `(path, mode, content)` of each file; the template's settings come last."""
    if not folder.is_dir():
        raise InvalidRequest(f"There is no folder {folder}.", hint="Give folders that are named like languages.")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [
        (path.relative_to(folder).as_posix(), path.stat().st_mode & 0o777, path.read_bytes())
        for path in sorted(files, key=lambda path: path.name == TEMPLATE_FILE)
    ]
