"""The contents managers of the drive: the projects are the folders at its root, and contain their files.

In a directory store a project is a folder, with or without a runner, so Jupyter's own manager does the work. For S3,
s3contents' manager does it, in a thread. It uses the runner's files if a runner runs, else those in the store.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.services.contents.manager import AsyncContentsManager
from tornado.web import HTTPError
from traitlets import Callable as CallableTrait
from traitlets import Instance

from jupyter_repl_runner.contract.errors import ReplError, from_os_error

from .checkpoints import ID, Checkpoints
from .files import Files, Row, when

THREADS = 16
"""The most calls of s3contents' manager at a time."""
_MAKE = "Create projects in the launcher, and delete them in the list of all REPLs."


class Drive(AsyncContentsManager):
    """`await projects()` returns the names of the projects and their times of creation. `ref_of(name)` returns the ref
    of a project, or raises InvalidRequest."""

    projects = CallableTrait()
    ref_of = CallableTrait()
    allow_hidden = True

    async def get(
        self,
        path: str,
        content: bool = True,
        type: str | None = None,
        format: str | None = None,
        require_hash: bool = False,
    ) -> dict[str, Any]:
        if path.strip("/"):
            return await self.get_inside(path.strip("/"), content, type, format, require_hash)
        rows = [Row(name, is_folder=True, mtime=created) for name, created in await self.projects()]
        root = _folder(Row("", is_folder=True))
        return {**root, "format": "json", "content": [_folder(row) for row in rows]} if content else root

    async def get_inside(
        self, path: str, content: bool, type: str | None, format: str | None, require_hash: bool
    ) -> dict[str, Any]:
        raise NotImplementedError

    async def rename(self, old_path: str, new_path: str) -> None:
        """Rename a file and its checkpoint."""
        raise NotImplementedError

    async def delete(self, path: str) -> None:
        """Delete a file and its checkpoint."""
        raise NotImplementedError

    async def is_hidden(self, path: str) -> bool:
        return False

    def _check_inside(self, *paths: str) -> None:
        """Raises HTTPError 403 if a path is a project itself: a project is more than its folder."""
        if any("/" not in path.strip("/") for path in paths):
            raise HTTPError(403, _MAKE)


class DirectoryDrive(Drive):
    """`root`: the folder of all projects."""

    root = Instance(Path)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._inner: Any = AsyncLargeFileManager(root_dir=str(self.root), parent=self.parent)

    async def get_inside(
        self, path: str, content: bool, type: str | None, format: str | None, require_hash: bool
    ) -> dict[str, Any]:
        with self._map_errors(path):
            return dict(await self._inner.get(path, content, type, format, require_hash))

    async def dir_exists(self, path: str) -> bool:
        return not path.strip("/") or bool(await self._inner.dir_exists(path))

    async def file_exists(self, path: str = "") -> bool:
        return bool(await self._inner.file_exists(path))

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        self._check_inside(path)
        with self._map_errors(path):
            return dict(await self._inner.save(model, path))

    async def delete(self, path: str) -> None:
        self._check_inside(path)
        with self._map_errors(path):
            await self._inner.delete(path)

    async def rename(self, old_path: str, new_path: str) -> None:
        self._check_inside(old_path, new_path)
        with self._map_errors(new_path):
            await self._inner.rename(old_path, new_path)

    async def create_checkpoint(self, path: str) -> Any:
        if not await self.file_exists(path):
            raise HTTPError(404, f"There is no file {path.strip('/')}.")
        with self._map_errors(path):
            return await self._inner.create_checkpoint(path)

    async def restore_checkpoint(self, checkpoint_id: str, path: str) -> None:
        with self._map_errors(path):
            await self._inner.restore_checkpoint(checkpoint_id, path)

    async def list_checkpoints(self, path: str) -> Any:
        with self._map_errors(path):
            return await self._inner.list_checkpoints(path)

    async def delete_checkpoint(self, checkpoint_id: str, path: str) -> None:
        with self._map_errors(path):
            await self._inner.delete_checkpoint(checkpoint_id, path)

    @contextmanager
    def _map_errors(self, path: str) -> Iterator[None]:
        """Translate errors of the disk: Jupyter answers them with 500, and shows the file's path on this machine."""
        try:
            yield
        except OSError as error:
            raise _told_as(from_os_error(error, path.strip("/"))) from error
        except HTTPError as error:
            if isinstance(error.__context__, OSError):
                raise _told_as(from_os_error(error.__context__, path.strip("/"))) from error
            if str(self.root) in str(error):
                raise HTTPError(error.status_code, f"{path} can't be read or changed.") from error
            raise


class S3Drive(Drive):
    """`async with open_files(ref)` yields a project's files for one call. If they are the store's, no runner of this
    server gets them inside the block. s3contents works in `threads`."""

    open_files = CallableTrait()
    threads = Instance(ThreadPoolExecutor)

    async def get_inside(
        self, path: str, content: bool, type: str | None, format: str | None, require_hash: bool
    ) -> dict[str, Any]:
        async with self._files(path) as (files, inside):
            model = await self._do(files, "get", inside, content=content, type=type, format=format)
            if require_hash and model["type"] != "directory":
                digest = hashlib.sha256(await files.read(inside)).hexdigest()
                model |= {"hash": digest, "hash_algorithm": "sha256"}
        return _outside(model, path[: len(path) - len(inside)].rstrip("/"))

    async def dir_exists(self, path: str) -> bool:
        if not path.strip("/"):
            return True
        row = await self._find(path)
        return row is not None and row.is_folder

    async def file_exists(self, path: str = "") -> bool:
        if not path.strip("/"):
            return False
        row = await self._find(path)
        return row is not None and not row.is_folder

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        self._check_inside(path)
        async with self._files(path) as (files, inside):
            saved = await self._do(files, "save", model, inside)
        return _outside(saved, path.strip("/")[: -len(inside)].rstrip("/"))

    async def delete(self, path: str) -> None:
        self._check_inside(path)
        async with self._files(path) as (files, inside):
            await files.delete(inside)
            await Checkpoints(files).delete(inside)

    async def rename(self, old_path: str, new_path: str) -> None:
        self._check_inside(old_path, new_path)
        (old, _), (new, to) = _split(old_path), _split(new_path)
        if old != new:
            raise HTTPError(400, "A file can't be moved to another project here: download it, then upload it there.")
        async with self._files(old_path) as (files, inside):
            await files.move(inside, to)
            await Checkpoints(files).move(inside, to)

    async def create_checkpoint(self, path: str) -> Any:
        async with self._files(path) as (files, inside):
            return await Checkpoints(files).create(inside)

    async def restore_checkpoint(self, checkpoint_id: str, path: str) -> None:
        _check_checkpoint(checkpoint_id)
        async with self._files(path) as (files, inside):
            await Checkpoints(files).restore(inside)

    async def list_checkpoints(self, path: str) -> Any:
        async with self._files(path) as (files, inside):
            return await Checkpoints(files).list(inside)

    async def delete_checkpoint(self, checkpoint_id: str, path: str) -> None:
        _check_checkpoint(checkpoint_id)
        async with self._files(path) as (files, inside):
            await Checkpoints(files).delete(inside)

    async def _find(self, path: str) -> Row | None:
        try:
            async with self._files(path) as (files, inside):
                return await files.find(inside)
        except HTTPError as error:
            if error.status_code == 404:
                return None
            raise

    @asynccontextmanager
    async def _files(self, path: str) -> AsyncIterator[tuple[Files, str]]:
        """Yield the files of the project that contains `path`, and the path inside it. ReplErrors become HTTPErrors."""
        name, inside = _split(path)
        try:
            async with self.open_files(self.ref_of(name)) as files:
                yield files, inside
        except ReplError as error:
            raise _told_as(error) from error
        except HTTPError as error:
            if isinstance(error.__context__, ReplError):  # s3contents turns every error into a 500
                raise _told_as(error.__context__) from error
            raise

    async def _do(self, files: Files, verb: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Call a method of s3contents' manager in a thread, because it blocks."""
        loop = asyncio.get_running_loop()

        def do() -> dict[str, Any]:
            from .s3 import FilesFS, ProjectContents

            return dict(getattr(ProjectContents(FilesFS(files, loop), parent=self.parent), verb)(*arguments, **options))

        return await loop.run_in_executor(self.threads, do)


def _split(path: str) -> tuple[str, str]:
    """Returns the project's name and the path inside the project."""
    name, _, inside = path.strip("/").partition("/")
    return name, inside


def _outside(model: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns the model with the drive's paths instead of those inside the project."""
    path = f"{name}/{model['path']}".rstrip("/")
    model = {**model, "path": path, "name": path.rpartition("/")[2]}
    if model["type"] == "directory" and model["content"] is not None:
        model["content"] = [{**inner, "path": f"{name}/{inner['path']}"} for inner in model["content"]]
    return model


def _folder(row: Row) -> dict[str, Any]:
    times = {"created": when(row.mtime), "last_modified": when(row.mtime)}
    rest = {"content": None, "format": None, "mimetype": None, "size": None, "writable": True, "type": "directory"}
    return {"name": row.name, "path": row.path, **times, **rest}


def _check_checkpoint(checkpoint_id: str) -> None:
    if checkpoint_id != ID:
        raise HTTPError(404, f"There is no checkpoint {checkpoint_id}.")


def _told_as(error: ReplError) -> HTTPError:
    return HTTPError(error.status, f"{error.message} {error.hint}".strip())
