"""`runner sync` beside a runner on the same machine: the guard starts it, the server's grants come by a socket."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.local import RECORD_FILE
from jupyter_repl_runner.contract.marks import MARKS_FILE
from jupyter_repl_runner.files.containment import map_os_errors

from .grant_client import GrantClient
from .status import Status
from .volume import Place
from .work import Work

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SyncOptions:
    """`directory` holds the record; `grants` is a socket on which the server answers with what we may do; `ready` a
    descriptor to say "open" on, or -1; `guarded`: standard input is the guard's pipe, whose end means that it is
    gone."""

    directory: Path
    grants: int
    ready: int = -1
    guarded: bool = False


def sync(options: SyncOptions) -> int:
    """Run until a signal ends it; 0 if all was saved, FENCED_CODE if another start has ended it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    try:
        return asyncio.run(_sync(options))
    except Exception:
        log.exception("Sync has failed")
        return 1


async def _sync(options: SyncOptions) -> int:
    record = parse_json((options.directory / RECORD_FILE).read_text())
    assignment = Assignment.from_json(record["assignment"])
    status = Status(options.directory / MARKS_FILE)
    status.write()
    grants = GrantClient(options.grants)
    workdir = Path(record["workdir"])
    state = workdir.parent / "sync"
    place = Place(workdir, Path(record["trash"]), state, state, is_lasting=True)
    try:
        grant = await grants.first()
        with map_os_errors("The project's folder"):
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
        work = await asyncio.to_thread(Work, assignment, grant, place, status)
    except ReplError as error:
        status.tell("failed", error.message, error.hint)
        raise
    _end_on_signals(work.end, options.guarded)
    renewing = tasks.spawn(grants.keep(work.use), "credentials")
    try:
        return await work.run(_opened(options.ready))
    finally:
        await tasks.stop(renewing)


def _opened(descriptor: int) -> Callable[[], None]:
    """A function that says on the pipe, once, that the main file is there."""
    said = False

    def opened() -> None:
        nonlocal said
        if not said and descriptor >= 0:
            os.write(descriptor, b"open\n")
            os.close(descriptor)
        said = True

    return opened


def _end_on_signals(end: Callable[[], None], guarded: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    if guarded:

        def read() -> None:
            if not os.read(sys.stdin.fileno(), 64):
                loop.remove_reader(sys.stdin.fileno())
                end()

        loop.add_reader(sys.stdin.fileno(), read)
