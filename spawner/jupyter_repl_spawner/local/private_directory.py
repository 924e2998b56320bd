"""The private directory of a REPL: its place, its lock, and what is written in it.

The holder of the lock (flock on the directory itself) owns everything in it. Another process may remove the directory
and create it again while we lock it. So a lock is valid only if the path still leads to the directory that was locked.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.json_text import check_fields, parse_json
from jupyter_repl_runner.contract.local import EXIT_FILE, RECORD_FILE, SOCKET_FILE

MOST_PIDS = 1 << 22
"""The upper limit of process ids on Linux."""
_MAX_SOCKET_PATH = 100
"""Bytes: Linux allows 107 for a Unix socket's path, macOS 103."""


@dataclass(frozen=True)
class RunnerRecord:
    """Which server runs which project. Other servers of the same user use it to attach. Every process of the REPL has
    `mark` in its environment."""

    owner: str
    repl_id: str
    token: str
    mark: str
    server_pid: int
    workdir: str
    trash: str
    assignment: str


def runtime_root(configured: str) -> Path:
    """Returns the folder of all private directories. Raises Unavailable if it is not ours, its mode is not 700, or its
    path is too long for sockets.

    It ignores TMPDIR: two servers on one store must use the same folder, or their locks would mean nothing.
    """
    root = Path(configured or f"/tmp/jupyter-repl-{os.getuid()}")  # noqa: S108 - checked below to be ours alone
    if len(os.fsencode(str(root))) > _MAX_SOCKET_PATH - 34 - len(SOCKET_FILE):
        raise Unavailable(f"The path {root} is too long for a socket.", hint="Set ReplExtension.runtime_dir.")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = os.lstat(root)
    if (status.st_mode & 0o170777) != 0o040700 or status.st_uid != os.getuid():
        raise Unavailable(f"{root} must be your own folder with mode 700.", hint="Remove it, or set runtime_dir.")
    return root


def directory_name(workdir: Path) -> str:
    """Returns the name of the private directory for `workdir`. Every server on the same store gets the same name."""
    return hashlib.sha256(os.fsencode(os.path.realpath(workdir))).hexdigest()[:32]


def lock(directory: Path, *, make: bool) -> int | None:
    """Returns a descriptor that holds the directory's lock, or None if another process holds it. A missing directory is
    created if `make` is true; else the result is None. Raises Unavailable if the directory can't be opened."""
    while True:
        if make:
            directory.mkdir(mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            if make:
                continue
            return None
        except OSError as error:
            raise _unusable(directory, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _leads_to(directory, descriptor):
            return descriptor
        os.close(descriptor)


def is_locked(directory: Path) -> bool:
    """Returns True if a process runs or starts this REPL. Raises Unavailable if its directory can't be opened."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(directory, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def write_record(directory: Path, record: RunnerRecord) -> None:
    """Writes the record atomically, with mode 600."""
    handle, temporary = tempfile.mkstemp(dir=directory)
    with open(handle, "w") as file:
        json.dump(asdict(record), file)
    os.replace(temporary, directory / RECORD_FILE)


def read_record(directory: Path) -> RunnerRecord | None:
    """Returns None if there is no record, or one that another version wrote in another format."""
    try:
        record = RunnerRecord(**_read_json(directory / RECORD_FILE))
        check_fields(record)
    except TypeError:
        return None
    return record if 0 < record.server_pid < MOST_PIDS else None


def read_exit(directory: Path) -> dict[str, Any]:
    """Returns why the last runner ended: `{cause, code, signal}` or `{cause, reason, hint}`; `{}` if unknown."""
    return _read_json(directory / EXIT_FILE)


def write_exit(directory: Path, cause: str, reason: str = "", hint: str = "") -> None:
    """Writes for the tab why the REPL ended, if its guard could not write it."""
    temporary = directory / (EXIT_FILE + ".new")
    temporary.write_text(json.dumps({"cause": cause, "reason": reason, "hint": hint}))
    os.replace(temporary, directory / EXIT_FILE)


def remove(folder: Path) -> None:
    """Deletes a folder, however deep it is, also if parts of it may not be written. Blocks and never raises. The
    runner's `remove_tree` does the same, but a spawner may import only its contract."""
    with suppress(RecursionError):  # at about a thousand nested folders
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], check=False, capture_output=True)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _unusable(directory: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{directory} can't be opened: {error.strerror}.", hint="Give it mode 700, or remove it.")


def _leads_to(directory: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.lstat(directory), os.fstat(descriptor))
    except FileNotFoundError:
        return False
