"""`GET project/{replId}/events`: the phases as server-sent events, until a settled one."""

import asyncio
import json

from jupyter_server.auth.decorator import authorized
from tornado.iostream import StreamClosedError
from tornado.web import authenticated

from .base import TypedHandler

SEND_SECONDS = 20.0


class EventsHandler(TypedHandler):
    for_visitors = frozenset({"GET"})
    _track_activity = False

    @authenticated
    @authorized
    async def get(self, repl_id: str) -> None:
        ref = self.ref(repl_id)
        await self.services.projects.get(ref)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")
        try:
            async for phase in self.services.lifecycle.events(ref):
                self.write(f"event: phase\ndata: {json.dumps(phase.to_json())}\n\n")
                async with asyncio.timeout(SEND_SECONDS):
                    await self.flush()
            self.write("event: end\ndata: {}\n\n")
        except (StreamClosedError, TimeoutError):
            return
        self.finish()
