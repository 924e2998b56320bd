"""`GET template`: the templates that a new project can start from."""

import json

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from .base import ReplHandler


class TemplateHandler(ReplHandler):
    _track_activity = False

    @authenticated
    @authorized
    async def get(self) -> None:
        self.finish(json.dumps(await self.services.catalog.list()))
