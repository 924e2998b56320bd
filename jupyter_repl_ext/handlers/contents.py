"""`contents`: Jupyter's contents API for the drive of projects. Jupyter's own contents manager is not changed."""

from typing import Any

from jupyter_server.services.contents import handlers
from tornado.web import HTTPError

from jupyter_repl_ext.identity import AUTH_RESOURCE

from .base import ReplMixin


class _OnDrive(ReplMixin):
    """Makes a handler of Jupyter use the drive's contents manager."""

    auth_resource = AUTH_RESOURCE

    @property
    def contents_manager(self) -> Any:
        return self.services.drives.of(self.owner)

    def location_url(self, path: str) -> str:
        return f"{self.base_url}repl/contents/{path}"

    async def _finish_error(self, code: int, message: str) -> None:
        """Answer with JSON, as all our handlers do; Jupyter's own method answers with plain text."""
        raise HTTPError(code, message)


class DriveHandler(_OnDrive, handlers.ContentsHandler):
    pass


class DriveCheckpointsHandler(_OnDrive, handlers.CheckpointsHandler):
    pass


class DriveCheckpointHandler(_OnDrive, handlers.ModifyCheckpointsHandler):
    pass
