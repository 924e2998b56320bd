"""Watches the project's files for changes by any program, and reports the changes in few batches of bounded size.

One thread owns the watches: inotify on Linux, watchfiles elsewhere and where a limit of inotify is reached. With
inotify, each new folder is scanned, because files written into it before its watch exists cause no event. This module
knows nothing of channels.
"""

import errno
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract import paths
from jupyter_repl_runner.contract.errors import ReplError

from . import content
from .containment import Beneath
from .root import Root

BATCH_SECONDS = 0.1
MAX_ENTRIES = 200
UNWATCHED = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", ".mypy_cache", ".pytest_cache"})
"""Folders with thousands of files that people don't edit; the tree reads them when they are opened."""

_USED_UP = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM})

log = getLogger(__name__)


@dataclass
class Changes:
    """What changed since the last batch: folders whose listing changed, files whose content did."""

    folders: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    """Folders whose mode has changed. Sync saves it; `to_json` leaves it out, since no client shows it."""
    everything: bool = False
    heard: float = 0.0
    """When the last change was seen, by the monotonic clock; 0: just now."""

    def add_entry(self, path: str, *, is_folder: bool) -> None:
        """Note that something was created, deleted or renamed at `path`."""
        self.folders.add(paths.parent(path))
        if not is_folder:
            self.files.add(path)

    def __bool__(self) -> bool:
        return self.everything or bool(self.folders or self.files or self.attributes)

    def to_json(self, beneath: Beneath) -> dict[str, Any]:
        """`{dirs, files: [{path, etag | null}]}`, or `{all: true}` above MAX_ENTRIES entries."""
        if self.everything or len(self.folders) + len(self.files) > MAX_ENTRIES:
            return {"all": True}
        files = [{"path": path, "etag": _etag(beneath, path)} for path in sorted(self.files)]
        return {"dirs": sorted(self.folders), "files": files}


class Watcher:
    """Calls `tell(changes)`, from its own thread, at most every BATCH_SECONDS. `unwatched`: names of folders that
    are not watched."""

    def __init__(
        self, beneath: Beneath, tell: Callable[[Changes], None], unwatched: frozenset[str] = UNWATCHED
    ) -> None:
        self._beneath = beneath
        self._tell = tell
        self._unwatched = unwatched
        self._stop = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Idempotent; returns when the thread has ended, or after 2 s."""
        if self._stop.is_set():
            return
        self._stop.set()
        os.write(self._wake_write, b"x")
        if self._thread.is_alive():
            self._thread.join(2)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        try:
            if sys.platform == "linux":
                try:
                    root = self._beneath.kept or Root(Path(os.path.realpath(self._beneath.root)))
                    Inotify(root, self._stop, self._wake_read, self._flush, self._unwatched).run()
                    return
                except UsedUp as error:
                    log.warning("inotify is not available (%s): polling the files instead.", error)
            self._run_watchfiles()
        except Exception:
            log.exception("The watcher failed: the tree is updated only when a person refreshes it.")

    def _run_watchfiles(self) -> None:
        import watchfiles

        root = os.path.realpath(self._beneath.root)
        polling = sys.platform == "linux"
        for batch in watchfiles.watch(root, stop_event=self._stop, force_polling=polling, step=100, debounce=100):
            changes = Changes()
            for kind, name in batch:
                path = os.path.relpath(name, root)
                if not self._unwatched.intersection(path.split("/")):
                    if kind == watchfiles.Change.modified:
                        changes.files.add(path)
                    else:
                        changes.add_entry(path, is_folder=os.path.isdir(name))
            self._flush(changes)

    def _flush(self, changes: Changes) -> None:
        if changes:
            try:
                self._tell(changes)
            except Exception:
                log.exception("A change could not be reported; the watcher goes on.")


class UsedUp(Exception):
    """inotify can't be used: a limit of the system is reached."""


class Inotify:
    """The watches of one tree; blocks in `run` until `stop` is set and `wake` is readable."""

    def __init__(
        self,
        root: Root,
        stop: threading.Event,
        wake: int,
        flush: Callable[[Changes], None],
        unwatched: frozenset[str] = UNWATCHED,
    ) -> None:
        self._root = root
        self._stop = stop
        self._wake = wake
        self._flush = flush
        self._unwatched = unwatched
        self._paths: dict[int, str] = {}
        self._unreadable: set[str] = set()
        """Folders that could not be watched. They are watched as soon as their mode allows it."""

    def run(self) -> None:
        """Raises UsedUp."""
        import inotify_simple

        self._flags = inotify_simple.flags
        self._mask = (
            self._flags.CREATE
            | self._flags.DELETE
            | self._flags.MOVED_FROM
            | self._flags.MOVED_TO
            | self._flags.CLOSE_WRITE
            | self._flags.MODIFY
            | self._flags.ATTRIB
            | self._flags.ONLYDIR
            | self._flags.EXCL_UNLINK
        )
        self._of_root = self._flags.MOVE_SELF | self._flags.DELETE_SELF
        try:
            self._inotify = inotify_simple.INotify()
        except OSError as error:
            raise UsedUp(error.strerror) from error
        with self._inotify:
            self._add_tree("", Changes())
            # A client may have listed a folder before its watch existed, and the folder may have changed since.
            self._flush(Changes(everything=True))
            poll = select.poll()
            poll.register(self._inotify.fileno(), select.POLLIN)
            poll.register(self._wake, select.POLLIN)
            while not self._stop.is_set():
                poll.poll()
                self._flush(self._batch())

    def _batch(self) -> Changes:
        changes = Changes()
        until, pause = time.monotonic() + BATCH_SECONDS, 0.002  # short at first: the events of a save come at once
        while not self._stop.is_set():
            for event in self._inotify.read(timeout=0):
                self._note(event, changes)
                changes.heard = time.monotonic()
            if (left := until - time.monotonic()) <= 0:
                break
            self._stop.wait(min(left, pause))
            pause = 0.02
        return changes

    def _note(self, event: Any, changes: Changes) -> None:
        if event.mask & self._flags.Q_OVERFLOW:
            changes.everything = True
            self._add_tree("", Changes())
            return
        folder = self._paths.get(event.wd)
        if folder == "" and event.mask & self._of_root:
            changes.everything = True  # the root was moved away or back, or was replaced
            return
        if event.mask & self._flags.IGNORED:
            self._paths.pop(event.wd, None)
            return
        if folder is None or not event.name or event.name.startswith(content.TEMPORARY_PREFIX):
            return
        path = paths.join(folder, event.name)
        if event.mask & (self._flags.MODIFY | self._flags.CLOSE_WRITE | self._flags.ATTRIB):
            (changes.attributes if event.mask & self._flags.ISDIR else changes.files).add(path)
            if path in self._unreadable:
                self._unreadable.discard(path)
                self._add_tree(path, changes)
            return
        self._unreadable.discard(path)
        is_folder = bool(event.mask & self._flags.ISDIR)
        changes.add_entry(path, is_folder=is_folder)
        if is_folder and event.mask & (self._flags.CREATE | self._flags.MOVED_TO):
            self._add_tree(path, changes)

    def _add_tree(self, folder: str, changes: Changes) -> None:
        """Watch `folder` and all folders below it, and note what they contain already as changes."""
        todo = [folder]
        while todo:
            path = todo.pop()
            try:
                with self._root.folder(path) as descriptor:
                    # By descriptor, not by name: a path may be longer than the system allows, or lead elsewhere by now.
                    # A renamed folder keeps its watch descriptor, so its new path replaces the old one here.
                    mask = self._mask if path else self._mask | self._of_root
                    self._paths[self._inotify.add_watch(f"/proc/self/fd/{descriptor}", mask)] = path
                    with os.scandir(descriptor) as found:
                        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
            except OSError as error:
                if error.errno in _USED_UP:
                    raise UsedUp(error.strerror) from error
                if isinstance(error, PermissionError):
                    self._unreadable.add(path)
                continue  # deleted, replaced by a link, or not readable
            for name, is_folder in entries:
                inner = paths.join(path, name)
                changes.add_entry(inner, is_folder=is_folder)
                if is_folder and name not in self._unwatched:
                    todo.append(inner)


def _etag(beneath: Beneath, path: str) -> str | None:
    try:
        return content.stat(beneath, path).etag
    except (ReplError, OSError):
        return None
