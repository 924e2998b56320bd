"""`POST start` and `POST stop`: both answer at once with the phase, and may be repeated."""

import json

from tornado.web import authenticated

from jupyter_repl_ext.repls.unsupported import UnsupportedSpawner
from jupyter_repl_runner.contract.messages import field
from jupyter_repl_runner.contract.phases import Phase
from jupyter_repl_spawner.port import Leaving

from .base import ReplHandler, may_execute


class StartHandler(ReplHandler):
    @authenticated
    @may_execute
    async def post(self) -> None:
        spawner = self.services.spawner
        if isinstance(spawner, UnsupportedSpawner):
            raise spawner.reason
        ref = self.ref(field(self.json_body(), "replId", str))
        answer(self, await self.services.lifecycle.start(ref))


class StopHandler(ReplHandler):
    for_visitors = frozenset({"POST"})

    @authenticated
    @may_execute
    async def post(self) -> None:
        body = self.json_body()
        ref = self.ref(field(body, "replId", str))
        discard = field(body, "discard", bool, False) or "discard" in self.request.query_arguments
        leaving = Leaving.ANYTHING if discard else Leaving.NOTHING
        await self.services.projects.get(ref)
        answer(self, await self.services.lifecycle.stop(ref, leaving))


def answer(handler: ReplHandler, phase: Phase) -> None:
    handler.set_status(202)
    handler.finish(json.dumps({"phase": phase.to_json()}))
