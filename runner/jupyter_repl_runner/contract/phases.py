"""Phases: what a REPL is doing. A phase always comes from a spawner's `poll`, and is stored nowhere else."""

from dataclasses import asdict, dataclass
from typing import Literal

PhaseName = Literal["stopped", "starting", "running", "stopping", "failed"]
Cause = Literal["", "server-gone", "runner-gone", "start-failed", "unsaved"]


@dataclass(frozen=True)
class Phase:
    """`step` says what a start is waiting for; `cause` is for programs, `reason` and `hint` are for people."""

    name: PhaseName
    step: str = ""
    cause: Cause = ""
    reason: str = ""
    hint: str = ""

    @property
    def settled(self) -> bool:
        return self.name in ("stopped", "running", "failed")

    def to_json(self) -> dict[str, str]:
        """Empty fields are left out."""
        return {key: value for key, value in asdict(self).items() if value}


STOPPED = Phase("stopped")
RUNNING = Phase("running")
STOPPING = Phase("stopping", step="Saving and ending programs")
