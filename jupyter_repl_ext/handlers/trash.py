"""`project/{replId}/trash`: lists deletions, and restores them."""

import json

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_repl_runner.contract.messages import field

from .base import ReplHandler


class TrashHandler(ReplHandler):
    @authenticated
    @authorized
    async def get(self, repl_id: str) -> None:
        ref = self.ref(repl_id)
        await self.services.projects.get(ref)
        self.finish(json.dumps([deleted.to_json() for deleted in await self.services.recovery.deleted(ref)]))

    @authenticated
    @authorized
    async def post(self, repl_id: str) -> None:
        """Restore `item`."""
        ref = self.ref(repl_id)
        await self.services.projects.get(ref)
        self.finish(json.dumps(await self.services.recovery.restore(ref, field(self.json_body(), "item", str))))
