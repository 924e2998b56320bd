"""`GET openapi.yaml`: the description of all these routes, for programs."""

from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from .base import ReplHandler

DESCRIPTION = Path(__file__).parent.parent / "openapi.yaml"


class OpenapiHandler(ReplHandler):
    _track_activity = False

    @authenticated
    @authorized
    async def get(self) -> None:
        self.finish(DESCRIPTION.read_text(), set_content_type="application/yaml")
