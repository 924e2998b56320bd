"""Inspecting, finding and ending the processes of a terminal, a run or a whole REPL.

A process that calls setsid leaves its group and session, and a process whose parent died is no longer a descendant. So
processes are found both by descent and by a mark in their environment, which children inherit. psutil is imported when
first needed: it costs memory, and most runners end few processes.
"""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

POLL_SECONDS = 0.02
FREEZES = 20
"""The most passes that search for new processes and stop them before all are killed; only a fork bomb needs more."""


def find(
    root: int | None, mark: tuple[str, str], spare: int = 0, known: "Iterable[psutil.Process]" = ()
) -> "list[psutil.Process]":
    """Returns the live processes that descend from the pid `root`, the `known` ones with their descendants, and those
    whose environment holds `mark`. Finds `root` itself only by the mark. Leaves out the pid `spare` and ourselves."""
    import psutil

    found: dict[int, psutil.Process] = {process.pid: process for process in known if _alive(process)}
    children: dict[int, list[psutil.Process]] = defaultdict(list)
    there = list(psutil.process_iter())
    for process in there:
        with suppress(psutil.Error):
            children[process.ppid()].append(process)
    todo = [*found, *([root] if root is not None else ())]
    while todo:
        for process in children.pop(todo.pop(), ()):
            found.setdefault(process.pid, process)
            todo.append(process.pid)
    name, value = mark
    for process in there:
        try:
            if process.pid not in found and process.environ().get(name) == value:
                found[process.pid] = process
        except (psutil.Error, OSError):
            continue
    found.pop(os.getpid(), None)
    found.pop(spare, None)
    return [process for process in found.values() if _alive(process)]


def find_for(
    number: int, root: int | None, mark: tuple[str, str], spare: int = 0, known: "Iterable[psutil.Process]" = ()
) -> "list[psutil.Process]":
    """Like `find`, for the signal `number`. For SIGKILL, also stops all that it finds: a process that forks after the
    search and is then killed would leave a child without a parent, and perhaps without a mark."""
    if number != signal.SIGKILL:
        return find(root, mark, spare, known)
    stopped: set[int] = set()
    for _ in range(FREEZES):
        known = find(root, mark, spare, known)
        new = [process for process in known if process.pid not in stopped]
        if not new:
            break
        send(new, signal.SIGSTOP)
        stopped.update(process.pid for process in new)
    return list(known)


def end(
    root: int | None,
    mark: tuple[str, str],
    steps: Sequence[tuple[int, float]],
    spare: int = 0,
    known: "Iterable[psutil.Process]" = (),
) -> bool:
    """Send each signal of `steps` in turn, and wait up to its seconds until all but `spare` are gone. Returns True if
    they are.

    Blocks: do not call it on an event loop. Each pass searches again, so it finds processes that were forked meanwhile.
    A process that was found once stays known, even if its parent dies first and it has removed its mark.
    """
    for number, seconds in steps:
        until = time.monotonic() + seconds
        signalled: set[int] = set()
        while True:
            alive = known = find_for(number, root, mark, spare, known)
            if not alive:
                return True
            # SIGKILL is sent in every pass: the children of a fork bomb must not outrun a single pass.
            send((p for p in alive if number == signal.SIGKILL or p.pid not in signalled), number)
            signalled.update(p.pid for p in alive)
            if time.monotonic() > until:
                break
            time.sleep(POLL_SECONDS)
    return not find(root, mark, spare, known)


def send(processes: "Iterable[psutil.Process]", number: int) -> None:
    """Send a signal to each process. Skips those that have ended (psutil guards against reused pids)."""
    import psutil

    for process in processes:
        try:
            process.send_signal(number)
        except (psutil.Error, OSError):
            continue


def folder(pid: int) -> str | None:
    """The working directory of a process, or None if it can't be seen."""
    import psutil

    try:
        return str(psutil.Process(pid).cwd()) or None
    except (psutil.Error, OSError):
        return None


def _alive(process: "psutil.Process") -> bool:
    import psutil

    try:
        return process.is_running() and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
