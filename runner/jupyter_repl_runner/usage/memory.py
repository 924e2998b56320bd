"""Ends the largest program of the person's just before the kernel would end the whole container.

On cgroup v2 the kubelet lets the kernel kill all of a container at once, runner included. What counts is usage without
the files that were only read or written (inactive_file): writing a large file alone would else look like guilt.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

from jupyter_repl_runner.terminal.session import Session

SHARE = 0.97
FASTEST = 2 << 30
"""Bytes a second that a program may take: the next look is before it could be there."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.01, 1.0
PAUSE_SECONDS = 0.5
"""For which the memory of one that was ended may take to be free."""

log = getLogger(__name__)


@dataclass(frozen=True)
class Cgroup:
    """Where the kernel tells of a container's memory; `inactive` is the name of its line in `stat`."""

    usage: Path
    limit: Path
    stat: Path
    inactive: bytes

    def used(self) -> int:
        """Bytes, without files that are not in use. Raises OSError and ValueError."""
        stat = self.stat.read_bytes().split()
        return int(self.usage.read_bytes()) - int(stat[stat.index(self.inactive) + 1])

    def most(self) -> int:
        """Bytes; 0: no limit. Raises OSError."""
        said = self.limit.read_text().strip()
        return int(said) if said.isdigit() and int(said) < 1 << 60 else 0


def find_cgroup(root: Path = Path("/sys/fs/cgroup")) -> Cgroup | None:
    """Of version 2 or 1; None where there is neither, or no limit."""
    two = Cgroup(root / "memory.current", root / "memory.max", root / "memory.stat", b"inactive_file")
    old = root / "memory"
    one = Cgroup(
        old / "memory.usage_in_bytes", old / "memory.limit_in_bytes", old / "memory.stat", b"total_inactive_file"
    )
    for cgroup in (two, one):
        try:
            if cgroup.most() and cgroup.used() >= 0:
                return cgroup
        except (OSError, ValueError):
            continue
    return None


class MemoryGuard:
    """`run` is owned by the runner; `sessions` are where a person reads what happened."""

    def __init__(self, cgroup: Cgroup, sessions: Callable[[], Iterable[Session]]) -> None:
        self._cgroup = cgroup
        self._sessions = sessions

    async def run(self) -> None:
        """Until it is cancelled."""
        most = self._cgroup.most()
        while True:
            try:
                left = most * SHARE - self._cgroup.used()
            except (OSError, ValueError):
                log.warning("The container's memory can't be read; nothing is ended for it")
                return
            if left <= 0 and self._end_largest(most):
                await asyncio.sleep(PAUSE_SECONDS)
            await asyncio.sleep(min(max(SHORTEST_SECONDS, left / FASTEST), LONGEST_SECONDS))

    def _end_largest(self, most: int) -> bool:
        """Whether there was one. It is told before it ends: its terminal may end with it."""
        found = max(_processes(), default=None)
        if found is None:
            return False
        size, pid, name = found
        log.warning("Out of memory: ending %s (%s) with %s MB", name, pid, size // 1_000_000)
        words = f"{name} was ended: the REPL ran out of memory ({_size(most)})."
        environment = _read(pid, "environ")
        for session in self._sessions():
            if session.owns(environment):
                session.say(f"\r\n\x1b[31m{words}\x1b[0m\r\n".encode())
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True


def _processes() -> Iterator[tuple[int, int, str]]:
    """Size, pid and name of all in the container but its first one and us."""
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in (1, os.getpid()):
            pid = int(entry)
            statm = _read(pid, "statm").split()
            if len(statm) > 1 and int(statm[1]):
                yield int(statm[1]) * page, pid, _read(pid, "comm").decode(errors="replace").strip()


def _read(pid: int, name: str) -> bytes:
    """Empty for a process that has gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _size(count: int) -> str:
    return f"{count / 2**30:.3g} GiB" if count >= 1 << 30 else f"{count / 2**20:.0f} MiB"
