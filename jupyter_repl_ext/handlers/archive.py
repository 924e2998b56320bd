"""`project/{replId}/archive`: packs a project or one of its folders as a zip, and creates a project from a zip. Both
are streamed."""

from contextlib import AsyncExitStack, ExitStack
from typing import Any, BinaryIO

from jupyter_server.auth.decorator import authorized
from tornado.httputil import url_concat
from tornado.web import authenticated, stream_request_body

from jupyter_repl_ext.runners.forward import forward
from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import FileTooLarge, from_os_error
from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.store.transfer import send_archive, set_archive_headers

from .base import ReplHandler
from .project import answer_created, describe

MAX_ARCHIVE = 2 << 30


@stream_request_body
class ArchiveHandler(ReplHandler):
    """A zip is read from its end, so an upload is first written whole to a scratch folder of the store."""

    for_visitors = frozenset({"GET"})
    _file: "BinaryIO | None" = None
    _error: OSError | None = None

    def initialize(self, *args: Any, **options: Any) -> None:
        """Sets `_scratch` here and not in `prepare`: a request that is refused before `prepare` still gets
        `on_finish`."""
        super().initialize(*args, **options)
        self._scratch = ExitStack()

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        if self.request.method == "PUT":
            await self.check_rights("write")
            self.request.connection.set_max_body_size(MAX_ARCHIVE)  # type: ignore[union-attr]
            ref = self.ref(self.path_args[0])
            if int(self.request.headers.get("Content-Length") or 0) > MAX_ARCHIVE:
                raise FileTooLarge("The archive is larger than 2 GiB.", hint="Leave large files out of it.")
            await self.services.projects.check_free(ref)
            # In a thread: this also deletes old scratch folders, which may take long.
            scratch = await tasks.in_thread(self._scratch.enter_context, self.services.store.scratch())
            self._archive = scratch / "archive.zip"
            self._file = self._scratch.enter_context(self._archive.open("wb"))

    async def data_received(self, chunk: bytes) -> None:
        if self._file is not None and self._error is None:
            try:
                await tasks.in_thread(self._file.write, chunk)
            except OSError as error:  # such as a full disk: drop the rest; `put` raises this
                self._error = error

    @authenticated
    @authorized
    async def get(self, repl_id: str) -> None:
        ref = self.ref(repl_id)
        path = check_path(self.get_query_argument("path", ""), root_allowed=True)
        name = path.rpartition("/")[2] or repl_id
        project = await self.services.projects.get(ref)
        async with AsyncExitStack() as packing:
            # A start of the REPL waits only until there is a copy, not for the whole download.
            async with self.services.lifecycle.without_runner(ref) as stopped:
                if stopped:
                    chunks = await packing.enter_async_context(self.services.archives.packed(project, path))
            if stopped:
                await send_archive(self, chunks, name)
            else:
                address = await self.address(ref)
                set_archive_headers(self, name)
                await forward(self, self.services.client, address, url_concat("/archive", {"path": path}), None)
        self.finish()

    @authenticated
    @authorized
    async def put(self, repl_id: str) -> None:
        assert self._file is not None
        if self._error is not None:
            raise from_os_error(self._error, "The archive")
        self._file.close()
        language = self.get_query_argument("language", "")
        ref = await self.new_ref(repl_id)
        project, report = await self.services.archives.create(ref, self._archive, language)
        answer_created(self, {**await describe(self, project), "report": report.to_json()})

    def on_finish(self) -> None:
        self._clear()
        super().on_finish()

    def on_connection_close(self) -> None:
        # Once `put` has closed the file, `put` owns the folder: deleting it here could lose files of the new project.
        if self._file is not None and not self._file.closed:
            self._clear()

    def _clear(self) -> None:
        """Delete the scratch folder, in a thread: that takes long for many files, and other requests must not wait."""
        self.services.background.spawn(tasks.in_thread(self._scratch.pop_all().close), "deletion of a scratch folder")
