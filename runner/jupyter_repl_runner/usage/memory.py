"""Ends the largest program of the person's just before the kernel would end the whole container.

On cgroup v2 the kubelet lets the kernel kill all of a container at once, runner included. What counts is usage without
the files that were only read or written (inactive_file): otherwise a program that only writes a large file would be
ended.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

from jupyter_repl_runner.terminal.session import Session

SHARE = 0.97
FASTEST = 8 << 30
"""Bytes a second that programs may take: the next check is before they could be there. One takes about 2 GiB/s by small
pages; several, or one by large pages, take more."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.002, 1.0
PAUSE_SECONDS = 0.5
"""For so long the memory of one that was ended may take to be free: nothing else is ended for it."""

log = getLogger(__name__)


@dataclass(frozen=True)
class Cgroup:
    """Where the kernel keeps the numbers of a container's memory; `inactive` is the name of its line in `stat`."""

    usage: Path
    limit: Path
    stat: Path
    events: Path
    inactive: bytes

    def used(self) -> int:
        """Bytes, without files that are not in use. Raises OSError and ValueError."""
        return int(self.usage.read_bytes()) - _line(self.stat, self.inactive)

    def kills(self) -> int:
        """How many processes the kernel has ended so far. Raises OSError and ValueError."""
        return _line(self.events, b"oom_kill")

    def most(self) -> int:
        """Bytes; 0: no limit. Raises OSError."""
        said = self.limit.read_text().strip()
        return int(said) if said.isdigit() and int(said) < 1 << 60 else 0


def find_cgroup(root: Path = Path("/sys/fs/cgroup")) -> Cgroup | None:
    """Of version 2 or 1; None where there is neither, or no limit."""
    old = root / "memory"
    two = Cgroup(
        root / "memory.current", root / "memory.max", root / "memory.stat", root / "memory.events", b"inactive_file"
    )
    one = Cgroup(
        old / "memory.usage_in_bytes", old / "memory.limit_in_bytes", old / "memory.stat", old / "memory.oom_control",
        b"total_inactive_file",
    )  # fmt: skip
    for cgroup in (two, one):
        try:
            if cgroup.most() and cgroup.used() >= 0 and cgroup.kills() >= 0:
                return cgroup
        except (OSError, ValueError):
            continue
    return None


class MemoryGuard:
    """`run` is owned by the runner; `sessions` are where a person reads what happened."""

    def __init__(self, cgroup: Cgroup, sessions: Callable[[], Iterable[Session]]) -> None:
        self._cgroup = cgroup
        self._sessions = sessions
        self._most = cgroup.most()
        self._kills = cgroup.kills()

    async def run(self) -> None:
        """Until it is cancelled."""
        patient_until, has_failed = 0.0, False
        while True:
            try:
                left = self._most * SHARE - self._cgroup.used()
                is_due = left <= 0 and time.monotonic() > patient_until
                if self._was_late() or (is_due and self._end_largest()):
                    patient_until = time.monotonic() + PAUSE_SECONDS
                elif left > 0:
                    patient_until = 0.0
            except (OSError, ValueError):
                left = self._most  # it is tried again after the longest pause
                if not has_failed:
                    log.warning("The container's memory can't be read; nothing is ended for it meanwhile")
                has_failed = True
            await asyncio.sleep(min(max(SHORTEST_SECONDS, left / FASTEST), LONGEST_SECONDS))

    def _was_late(self) -> bool:
        """Whether the kernel has ended something since this was last asked. It says what in its own log alone."""
        before, self._kills = self._kills, self._cgroup.kills()
        if self._kills > before:
            self._tell("The kernel ended a program")
        return self._kills > before

    def _end_largest(self) -> bool:
        """Whether something was ended. The terminal shows it before, since it may end with the program."""
        found = max(_processes(), default=None)
        if self._was_late():  # the largest that is left may be the person's shell
            return True
        if found is None:
            return False
        size, pid, name = found
        self._tell(f"{name} was ended", _read(pid, "environ"))
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        log.warning("Out of memory: ended %s (%s) with %s MB", name, pid, size // 1_000_000)
        return True

    def _tell(self, what: str, environment: bytes | None = None) -> None:
        """In the terminal of that environment, else in all."""
        words = f"{what}: the REPL ran out of memory ({_size(self._most)})."
        for session in self._sessions():
            if environment is None or session.processes.owns(environment):
                session.say(f"\r\n\x1b[31m{words}\x1b[0m\r\n".encode())


def _processes() -> Iterator[tuple[int, int, str]]:
    """Size, pid and name of all in the container but its first one and us."""
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in (1, os.getpid()):
            pid = int(entry)
            statm = _read(pid, "statm").split()
            if len(statm) > 1 and int(statm[1]):
                yield int(statm[1]) * page, pid, _read(pid, "comm").decode(errors="replace").strip()


def _line(file: Path, name: bytes) -> int:
    """The number of that name in a file of names and numbers."""
    words = file.read_bytes().split()
    return int(words[words.index(name) + 1])


def _read(pid: int, name: str) -> bytes:
    """Empty for a process that has gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _size(count: int) -> str:
    return f"{count / 2**30:.3g} GiB" if count >= 1 << 30 else f"{count / 2**20:.0f} MiB"
