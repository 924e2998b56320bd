"""The spawner for a system without pseudo-terminals: a start raises an error that says how to get them."""

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.phases import STOPPED, Phase
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Address, Leaving, Progress, Spawner


class UnsupportedSpawner(Spawner):
    async def start(self, assignment: Assignment, progress: Progress) -> None:
        raise self.reason

    async def stop(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> None:
        return

    async def poll(self, ref: ProjectRef) -> Phase:
        return STOPPED

    async def list(self) -> list[ProjectRef]:
        return []

    async def forget(self, ref: ProjectRef) -> None:
        return

    async def address(self, ref: ProjectRef) -> Address:
        raise self.reason

    @property
    def reason(self) -> Unavailable:
        return Unavailable(
            "REPLs can't run on Windows itself.",
            hint="Start jupyter lab inside WSL: wsl --install, then pip install there.",
            status=501,
        )
