"""Runs `runner sync` as a process on a volume of its own, with a server that grants it a project."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import FileNotFound
from jupyter_repl_runner.contract.grant import Grant
from jupyter_repl_runner.contract.local import RECORD_FILE
from jupyter_repl_runner.contract.marks import MARKS_FILE, Marks
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files.content import TEMPORARY_PREFIX
from jupyter_repl_runner.store.generation import raise_generation
from jupyter_repl_runner.store.port import read_all
from jupyter_repl_runner.store.s3 import S3Store

from .lab import wait_for
from .s3 import CREDENTIALS

REF = ProjectRef("", "abc")
ANY_SIZE = 1 << 40


class Sync:
    """A sync of `REF`. Its volume is `folder`/volume, unless `volume` names another. `environment`: further
    variables."""

    def __init__(
        self,
        folder: Path,
        store: S3Store,
        volume: Path | None = None,
        main: str = "main.py",
        environment: Mapping[str, str] | None = None,
        **grant: Any,
    ) -> None:
        self.store = store
        self.folder = folder
        self.volume = volume or folder / "volume"
        self.project = self.volume / "project"
        self.directory = folder / f"directory-{time.monotonic_ns()}"
        self.directory.mkdir(parents=True)
        self._main = main
        self._grant = grant
        self._environment = environment or {}
        self.asked = 0
        """How often it asked for a grant."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> "Sync":
        """Raise the generation and start the process."""
        generation = asyncio.run(raise_generation(self.store, REF))
        fields = {"project": "p1", "credentials": CREDENTIALS, "store": self.store.settings, **self._grant}
        self.grant = Grant(ref=REF, generation=generation.number, holder=generation.holder, **fields)
        self._launch(Assignment(REF, main=self._main))
        return self

    def _launch(self, assignment: Assignment) -> None:
        record = {
            "workdir": str(self.project),
            "trash": str(self.volume / "trash"),
            "assignment": assignment.to_json(),
        }
        (self.directory / RECORD_FILE).write_text(json.dumps(record))
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._answer, args=(ours,), daemon=True).start()
        self._ready, ready = os.pipe()
        descriptors = (theirs.fileno(), ready)
        arguments = ["--directory", str(self.directory), "--grants", str(descriptors[0]), "--ready", str(ready)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **self._environment}
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "jupyter_repl_runner", "sync", *arguments],
                pass_fds=descriptors, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        theirs.close()
        os.close(ready)

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rw") as lines:
            for _ in lines:
                self.asked += 1
                lines.write(self.grant.to_json() + "\n")
                lines.flush()

    def opened(self, seconds: float = 20) -> "Sync":
        """Wait until the main file is there."""
        assert wait_for(lambda: os.read(self._ready, 16) == b"open\n", seconds), self.log
        return self

    def settled(self, seconds: float = 30) -> "Sync":
        """Wait until it says that all is saved, and still says so after the time in which it would notice a change."""
        until = time.monotonic() + seconds
        since = None
        while since is None or time.monotonic() - since < 0.6:
            assert time.monotonic() < until, (self.marks, self.log)
            if self.marks.state == "saved" and not self.marks.pending:
                since = since or time.monotonic()
            else:
                since = None
            time.sleep(0.05)
        return self

    @property
    def _marks_folder(self) -> Path:
        return self.directory

    @property
    def marks(self) -> Marks:
        try:
            return Marks.load((self._marks_folder / MARKS_FILE).read_text())
        except FileNotFoundError:
            return Marks("restoring")

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, seconds: float = 40) -> int:
        """Send SIGTERM. Returns the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def wait(self, seconds: float = 30) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)


def tree(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Returns all that a folder holds: files with mode, time and bytes, links with their target, folders with their
    mode."""
    found: dict[str, tuple[Any, ...]] = {}
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place) / name
            if name.startswith(TEMPORARY_PREFIX):  # left by a write that was killed
                continue
            status = path.lstat()
            key = os.path.relpath(path, folder)
            if stat.S_ISLNK(status.st_mode):
                found[key] = ("link", os.readlink(path))
            elif stat.S_ISDIR(status.st_mode):
                found[key] = ("folder", stat.S_IMODE(status.st_mode))
            else:
                found[key] = ("file", stat.S_IMODE(status.st_mode), round(status.st_mtime, 2), path.read_bytes())
    return found


def objects(store: S3Store, prefix: str = REF.code()) -> dict[str, bytes]:
    """Returns the objects that the store has below a prefix; by default those of the project's files."""

    async def read() -> dict[str, bytes]:
        found = {}
        for key in [entry.key async for entry in store.list(prefix)]:
            with suppress(FileNotFound):  # deleted since it was listed
                found[key.removeprefix(prefix)] = (await read_all(store, key, ANY_SIZE))[0]
        return found

    return asyncio.run(read())


def names(store: S3Store) -> set[str]:
    """Returns the names of the project's objects from one listing. It costs less than `objects`, which reads them."""

    async def read() -> set[str]:
        return {entry.key.removeprefix(REF.code()) async for entry in store.list(REF.code())}

    return asyncio.run(read())


def put(store: S3Store, **files: bytes) -> None:
    """Write files of the project to the store. In their names `__` stands for a slash, `_` for a dot."""

    async def put_all() -> None:
        for name, data in files.items():
            await store.put(REF.code(name.replace("__", "/").replace("_", ".")), data)

    asyncio.run(put_all())
