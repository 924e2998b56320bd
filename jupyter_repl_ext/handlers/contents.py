"""`contents`: Jupyter's contents API on the drive of projects. Jupyter's own contents manager stays as it is."""

from typing import Any

from jupyter_server.services.contents import handlers
from tornado.web import HTTPError

from jupyter_repl_ext.identity import AUTH_RESOURCE

from .base import ReplMixin


class _OnDrive(ReplMixin):
    """Handlers of Jupyter's with another manager."""

    auth_resource = AUTH_RESOURCE

    @property
    def contents_manager(self) -> Any:
        return self.services.drive

    def location_url(self, path: str) -> str:
        return f"{self.base_url}repl/contents/{path}"

    async def _finish_error(self, code: int, message: str) -> None:
        """As JSON, like every error of ours; Jupyter's own is a bare text."""
        raise HTTPError(code, message)


class DriveHandler(_OnDrive, handlers.ContentsHandler):
    pass


class DriveCheckpointsHandler(_OnDrive, handlers.CheckpointsHandler):
    pass


class DriveCheckpointHandler(_OnDrive, handlers.ModifyCheckpointsHandler):
    pass
