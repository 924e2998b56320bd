"""`/archive?path=`: streams a folder of the project as a zip; without a path, the whole project."""

from typing import Any

from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.store.pack import pack
from jupyter_repl_runner.store.transfer import send_archive

from .auth import RunnerHandler
from .room import Room


class ArchiveHandler(RunnerHandler):
    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._room: Room = shared["room"]

    async def get(self) -> None:
        room = self._room
        room.activity.touch()
        path = check_path(self.get_query_argument("path", ""), root_allowed=True)
        name = path.rpartition("/")[2] or room.assignment.ref.repl_id
        about = None if path else {"language": room.assignment.language}
        await send_archive(self, pack(room.beneath, path, about), name)
