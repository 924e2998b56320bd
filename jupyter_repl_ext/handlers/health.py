"""`health`: whether the store can be used, and which conditions it honours."""

import json
from dataclasses import asdict

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_repl_runner.contract.errors import ReplError

from .base import ReplHandler


class HealthHandler(ReplHandler):
    @property
    def _track_activity(self) -> bool:  # type: ignore[override]
        return False

    @authenticated
    @authorized
    async def get(self) -> None:
        store = self.services.store
        try:
            await store.check()
            found = {"ok": True, "honours": asdict(await store.probe())}
        except ReplError as error:
            found = {"ok": False, **error.to_json()}
        self.finish(json.dumps({"store": found}))
