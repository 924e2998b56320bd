"""`runner sync`: wires the parts, restores, and then carries every change into the store until it is told to end.

One loop does all that writes to the store; a restore goes on beside it. What fails because the store is away is kept
and done later; a runner that was started after ours ends it for good.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.grant import Grant
from jupyter_repl_runner.contract.local import FENCED_CODE, RECORD_FILE
from jupyter_repl_runner.contract.marks import MARKS_FILE
from jupyter_repl_runner.files.watch import Changes, Watcher
from jupyter_repl_runner.store.generation import Generation
from jupyter_repl_runner.store.port import Honoured
from jupyter_repl_runner.store.s3 import S3Store

from .bundling import Bundler
from .credentials import Grants
from .download import Downloader
from .engine import Engine
from .fence import Fence
from .meeting import Meeting
from .push import Push
from .sides import Sides
from .status import Status
from .upload import Uploader
from .volume import Volume

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
    """Run until told to end; 0 if all was saved, FENCED_CODE if another start has ended it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    try:
        return asyncio.run(_sync(options))
    except Exception:
        log.exception("Sync has failed")
        return 1


async def _sync(options: SyncOptions) -> int:
    record = json.loads((options.directory / RECORD_FILE).read_text())
    assignment = Assignment.from_json(record["assignment"])
    status = Status(options.directory / MARKS_FILE)
    status.write()
    grants = Grants(options.grants)
    grant = await grants.first()
    store = S3Store(grant.store, grant.credentials, Honoured(*grant.conditions))
    workdir = Path(record["workdir"])
    about = {"ref": str(assignment.ref), "project": grant.project, "store": _place(grant)}
    volume = await asyncio.to_thread(Volume, workdir, workdir.parent / "sync", Path(record["trash"]), about)
    fence = Fence(store, assignment.ref, Generation(grant.generation, grant.holder))
    sides = Sides(assignment.ref, store, volume, fence, status)
    uploader = Uploader(sides, grant.max_file_bytes)
    push, bundler = Push(sides, uploader), Bundler(sides, assignment.main)
    meeting = Meeting(sides, uploader, push, Downloader(sides, assignment.main), bundler)
    engine = Engine(sides, meeting, push, bundler, lambda: store.heard)
    loop = asyncio.get_running_loop()
    unwatched = await asyncio.to_thread(lambda: volume.rules().unwatched)
    watcher = Watcher(volume.beneath, lambda changes: _call(loop, engine.note, changes), unwatched)
    _end_on_signals(loop, engine.end, options.guarded)
    renewing = asyncio.create_task(grants.keep(store.use), name="credentials")
    watcher.start()
    try:
        is_saved = await engine.run(_opened(options.ready))
        return FENCED_CODE if fence.is_down else 0 if is_saved else 1
    except ReplError as error:
        status.tell("failed", error.message, error.hint)
        log.error("%s: %s %s", assignment.ref, error.message, error.hint)
        return 1
    finally:
        renewing.cancel()
        await asyncio.to_thread(watcher.stop)
        volume.close()
        store.close()


def _place(grant: Grant) -> str:
    return f"{grant.store.endpoint} {grant.store.bucket} {grant.store.prefix}"


def _call(loop: asyncio.AbstractEventLoop, call: Callable[[Changes], None], changes: Changes) -> None:
    """From the watcher's thread, which may outlive the loop by a moment."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, changes)


def _opened(descriptor: int) -> Callable[[], None]:
    """Says once, on the pipe, that the main file is there."""
    said = False

    def opened() -> None:
        nonlocal said
        if not said and descriptor >= 0:
            os.write(descriptor, b"open\n")
            os.close(descriptor)
        said = True

    return opened


def _end_on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[], None], guarded: bool) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    if guarded:

        def read() -> None:
            if not os.read(sys.stdin.fileno(), 64):
                loop.remove_reader(sys.stdin.fileno())
                end()

        loop.add_reader(sys.stdin.fileno(), read)
