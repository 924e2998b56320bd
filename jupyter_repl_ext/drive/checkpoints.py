"""Checkpoints of notebooks on the drive: copies near the file, at the same path that Jupyter's own manager uses."""

from contextlib import suppress
from typing import Any

from tornado.web import HTTPError

from jupyter_repl_runner.contract.errors import FileNotFound
from jupyter_repl_runner.contract.paths import join, parent

from .files import Files, Row, when

ID = "checkpoint"
FOLDER = ".ipynb_checkpoints"


class Checkpoints:
    """The checkpoints of one project, for one call. `path` is always that of the file."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def create(self, path: str) -> dict[str, Any]:
        await self._files.write(place(path), await self._files.read(path))
        return (await self.list(path))[0]

    async def list(self, path: str) -> list[dict[str, Any]]:
        row = await self._files.find(place(path))
        return [_model(row)] if row else []

    async def restore(self, path: str) -> None:
        """Raises HTTPError 404 if there is no checkpoint."""
        try:
            data = await self._files.read(place(path))
        except FileNotFound:
            raise HTTPError(404, f"There is no checkpoint of {path}.") from None
        await self._files.write(path, data)

    async def move(self, path: str, to: str) -> None:
        if await self._files.find(place(path)) is not None:
            await self._files.move(place(path), place(to))

    async def delete(self, path: str) -> None:
        with suppress(FileNotFound):
            await self._files.delete(place(path))


def place(path: str) -> str:
    """Returns the path of a file's checkpoint."""
    name = path.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    copy = f"{stem}-checkpoint.{suffix}" if stem and dot else f"{name}-checkpoint"
    return join(join(parent(path), FOLDER), copy)


def _model(row: Row) -> dict[str, Any]:
    return {"id": ID, "last_modified": when(row.mtime)}
