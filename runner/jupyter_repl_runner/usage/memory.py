"""Ends the person's largest program just before the kernel would kill the whole container.

On cgroup v2 the kubelet lets the kernel kill all processes of a container at once, the runner too. Usage is counted
without the cached files that were only read or written (inactive_file): otherwise a program that only writes a large
file would be ended.
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
"""The most bytes that programs are assumed to allocate in a second: the next check comes before they could reach the
limit. One program allocates about 2 GiB/s in small pages. Several, or one with large pages, allocate more."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.002, 1.0
PAUSE_SECONDS = 0.5
"""How long the memory of an ended program may take to be freed. Meanwhile no other program is ended."""

log = getLogger(__name__)


@dataclass(frozen=True)
class Cgroup:
    """The kernel's files about a container's memory. `inactive` is the line of inactive files in `stat`."""

    usage: Path
    limit: Path
    stat: Path
    events: Path
    inactive: bytes

    def used(self) -> int:
        """Returns the bytes in use, without inactive files. Raises OSError and ValueError."""
        return int(self.usage.read_bytes()) - _line(self.stat, self.inactive)

    def kills(self) -> int:
        """Returns how many processes the kernel has killed so far. Raises OSError and ValueError."""
        return _line(self.events, b"oom_kill")

    def most(self) -> int:
        """Returns the limit in bytes; 0 if there is none. Raises OSError."""
        said = self.limit.read_text().strip()
        return int(said) if said.isdigit() and int(said) < 1 << 60 else 0


def find_cgroup(root: Path = Path("/sys/fs/cgroup")) -> Cgroup | None:
    """Returns the cgroup of version 2 or 1; None if there is neither, or no limit."""
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
    """The runner owns the task of `run`. `sessions` returns the terminals that show the person what was ended."""

    def __init__(self, cgroup: Cgroup, sessions: Callable[[], Iterable[Session]]) -> None:
        self._cgroup = cgroup
        self._sessions = sessions
        self._most = cgroup.most()
        self._kills = cgroup.kills()

    async def run(self) -> None:
        """Runs until cancelled."""
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
                    log.warning("The container's memory can't be read; no program is ended until it can")
                has_failed = True
            await asyncio.sleep(min(max(SHORTEST_SECONDS, left / FASTEST), LONGEST_SECONDS))

    def _was_late(self) -> bool:
        """Returns True if the kernel has killed something since the last call. Only the kernel's own log names it."""
        before, self._kills = self._kills, self._cgroup.kills()
        if self._kills > before:
            self._tell("The kernel ended a program")
        return self._kills > before

    def _end_largest(self) -> bool:
        """Returns True if something was ended. The terminal shows the message first: it may end with the program."""
        found = max(_processes(), default=None)
        if self._was_late():  # the largest that is left now may be the person's shell
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
        """Show a message in the terminal that `environment` belongs to; without one, in all terminals."""
        words = f"{what}: the REPL ran out of memory ({_size(self._most)})."
        for session in self._sessions():
            if environment is None or session.processes.owns(environment):
                session.say(f"\r\n\x1b[31m{words}\x1b[0m\r\n".encode())


def _processes() -> Iterator[tuple[int, int, str]]:
    """Yields size, pid and name of each process in the container, except process 1 and this one."""
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in (1, os.getpid()):
            pid = int(entry)
            statm = _read(pid, "statm").split()
            if len(statm) > 1 and int(statm[1]):
                yield int(statm[1]) * page, pid, _read(pid, "comm").decode(errors="replace").strip()


def _line(file: Path, name: bytes) -> int:
    """Returns the number that follows `name` in a file of names and numbers."""
    words = file.read_bytes().split()
    return int(words[words.index(name) + 1])


def _read(pid: int, name: str) -> bytes:
    """Returns a file of the process in /proc; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _size(count: int) -> str:
    return f"{count / 2**30:.3g} GiB" if count >= 1 << 30 else f"{count / 2**20:.0f} MiB"
