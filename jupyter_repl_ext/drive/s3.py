"""s3contents' manager for a project's files. Only this module imports s3contents, and late: the import takes seconds.

s3contents' own listing requests a marker object in each folder, and sends one more request for each subfolder. Here a
single listing replaces it, and nothing creates markers. The methods block, so they run in a thread, and reach the files
through the event loop.
"""

import asyncio
import base64
import mimetypes
from collections.abc import Coroutine
from typing import Any, TypeVar

from s3contents.genericfs import GenericFS, NoSuchFile
from s3contents.genericmanager import GenericContentsManager, base_directory_model, base_model
from tornado.web import HTTPError

from jupyter_repl_runner.contract.errors import FileNotFound

from .files import Files, Row, when

CALL_SECONDS = 120.0
UNKNOWN = when(0)

Result = TypeVar("Result")


class FilesFS(GenericFS):  # type: ignore[misc]
    """A project as the file system that s3contents expects. Its methods block until the event loop has answered, so
    never call them in the loop's thread."""

    def __init__(self, files: Files, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._files = files
        self._loop = loop

    def rows(self, path: str) -> list[Row]:
        return self._wait(self._files.rows(path.strip("/")))

    def find(self, path: str) -> Row | None:
        return self._wait(self._files.find(path.strip("/")))

    def isfile(self, path: str) -> bool:
        row = self.find(path)
        return row is not None and not row.is_folder

    def isdir(self, path: str) -> bool:
        row = self.find(path)
        return row is not None and row.is_folder

    def mv(self, old_path: str, new_path: str) -> None:
        self._wait(self._files.move(old_path.strip("/"), new_path.strip("/")))

    def rm(self, path: str) -> None:
        self._wait(self._files.delete(path.strip("/")))

    def mkdir(self, path: str) -> None:
        self._wait(self._files.make_folder(path.strip("/")))

    def lstat(self, path: str) -> dict[str, Any]:
        row = self.find(path)
        return {"ST_MTIME": when(row.mtime), "SIZE": row.size} if row else {}

    def read(self, path: str, format: str | None) -> tuple[str, str]:
        try:
            data = self._wait(self._files.read(path.strip("/")))
        except FileNotFound:
            raise NoSuchFile(path) from None
        if format != "base64":
            try:
                return data.decode(), "text"
            except UnicodeDecodeError:
                if format == "text":
                    raise HTTPError(400, f"{path} is not UTF-8 encoded", reason="bad format") from None
        return base64.b64encode(data).decode(), "base64"

    def write(self, path: str, content: str, format: str | None) -> None:
        data = base64.b64decode(content) if format == "base64" else content.encode()
        self._wait(self._files.write(path.strip("/"), data))

    def _wait(self, asked: Coroutine[Any, Any, Result]) -> Result:
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return answer.result(CALL_SECONDS)
        finally:
            answer.cancel()  # has no effect if the answer came in time


class ProjectContents(GenericContentsManager):  # type: ignore[misc]
    """The contents manager for one call on one project."""

    def __init__(self, fs: FilesFS, **options: Any) -> None:
        super().__init__(**options)
        self._fs = fs

    def _directory_model_from_path(self, path: str, content: bool = False) -> dict[str, Any]:
        model = dict(base_directory_model(path), created=UNKNOWN, last_modified=UNKNOWN)
        if content:
            rows = self._fs.rows(path)
            if not rows and not self._fs.isdir(path):
                self.no_such_entity(path)
            model |= {"format": "json", "content": [_model(row) for row in rows if row.name[:1] != "."]}
        return model

    def _file_model_from_path(self, path: str, content: bool = False, format: str | None = None) -> dict[str, Any]:
        if not content and not self._fs.isfile(path):
            self.no_such_entity(path)
        return dict(super()._file_model_from_path(path, content=content, format=format))


def _model(row: Row) -> dict[str, Any]:
    kind = "directory" if row.is_folder else "notebook" if row.name.endswith(".ipynb") else "file"
    times = {"created": when(row.mtime), "last_modified": when(row.mtime)}
    return {
        **base_model(row.path),
        **times,
        "type": kind,
        "size": None if row.is_folder else row.size,
        "mimetype": mimetypes.guess_type(row.name)[0] if kind == "file" else None,
    }
