"""Inspecting, finding and ending the processes of a terminal, a run or a whole REPL.

A process that calls setsid leaves its group and session, and one whose parent died is no descendant any more. So the
search is by descent and by a mark in the environment, which children inherit. psutil is imported when first needed:
most runners end few processes, and it costs memory.
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
"""Passes in which new processes may turn up before all are killed; only a fork bomb has more."""


def find(
    root: int | None, mark: tuple[str, str], spare: int = 0, known: "Iterable[psutil.Process]" = ()
) -> "list[psutil.Process]":
    """Live processes that descend from the pid `root` (not itself) or from those that are `known`, which are found as
    well, or whose environment holds `mark`; not `spare`."""
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
    """`find`, for the signal `number`. For SIGKILL all are stopped: one that forks between the search and its end would
    leave a child that has no parent any more, and perhaps no mark."""
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
    """Send each signal of `steps` in turn and wait up to its seconds until all but `spare` are gone; True if they are.

    Blocks: never on an event loop. Each search is made anew, so what forks meanwhile is found too; and what was found
    once is known, though its parent may die before it, and it has put off the mark.
    """
    for number, seconds in steps:
        until = time.monotonic() + seconds
        signalled: set[int] = set()
        while True:
            alive = known = find_for(number, root, mark, spare, known)
            if not alive:
                return True
            # SIGKILL again and again: a fork bomb's children must not outrun one pass.
            send((p for p in alive if number == signal.SIGKILL or p.pid not in signalled), number)
            signalled.update(p.pid for p in alive)
            if time.monotonic() > until:
                break
            time.sleep(POLL_SECONDS)
    return not find(root, mark, spare, known)


def send(processes: "Iterable[psutil.Process]", number: int) -> None:
    """Send a signal to each; those that ended meanwhile are passed over (psutil guards against reused pids)."""
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
