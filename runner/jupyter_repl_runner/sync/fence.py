"""Whether this sync may still write: a runner that was started later has raised the generation, and ends it for
good."""

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.generation import Generation, read_generation
from jupyter_repl_runner.store.port import Store


class Fenced(Exception):
    """Somebody else has the project now. Nothing may be written any more."""


class Fence:
    """Checked before each batch and immediately before each deletion."""

    def __init__(self, store: Store, ref: ProjectRef, ours: Generation) -> None:
        self._store = store
        self._ref = ref
        self._ours = ours
        self.is_down = False

    async def check(self) -> None:
        """Raises Fenced, for ever after once, and Unavailable."""
        if not self.is_down:
            self.is_down = await read_generation(self._store, self._ref) != self._ours
        if self.is_down:
            raise Fenced
