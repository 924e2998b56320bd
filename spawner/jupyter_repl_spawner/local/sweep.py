"""Cleans up after REPLs whose guard is gone: kills processes by their mark, then deletes the private directory.

It touches only directories whose lock is free, so REPLs of other servers keep running.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from jupyter_repl_runner.contract.local import EXIT_FILE, MARK, RECORD_FILE, SERVER_GONE

from .private_directory import lock, read_exit, read_record, remove, write_exit

KEEP_EXIT_SECONDS = 24 * 3600
END_SECONDS = 3.0

log = logging.getLogger(__name__)


def sweep(root: Path) -> int:
    """Cleans each private directory under `root` whose lock is free. Returns the number of killed processes. Blocks."""
    ended = 0
    for directory in list(root.iterdir()):
        try:
            ended += _sweep_one(directory)
        except Exception as error:  # a program may have written anything there; the other directories are still cleaned
            log.warning("%s could not be cleaned: %s", directory, error)
    return ended + _end_homeless(root)


def _sweep_one(directory: Path) -> int:
    descriptor = lock(directory, make=False) if directory.is_dir() else None
    if descriptor is None:
        return 0
    try:
        ended = end_marked(directory)
        _tidy(directory)
    finally:
        os.close(descriptor)
    return ended


def end_marked(directory: Path) -> int:
    """Kills every process of the REPL of `directory`, whose lock the caller holds. Returns their number. Blocks."""
    return _end(lambda mark: mark.startswith(f"{directory}:"))


def _end_homeless(root: Path) -> int:
    """Kills processes whose private directory is gone. Returns their number."""
    return _end(lambda mark: mark.startswith(f"{root}/") and not os.path.exists(mark.rpartition(":")[0]))


def _end(is_meant: Callable[[str], bool]) -> int:
    seen: set[int] = set()
    until = time.monotonic() + END_SECONDS
    while time.monotonic() < until:
        alive = [process for process in psutil.process_iter() if is_meant(_mark(process))]
        if not alive:
            break
        for process in alive:
            seen.add(process.pid)
            try:
                process.send_signal(signal.SIGKILL)
            except (psutil.Error, OSError):
                continue
        time.sleep(0.02)
    return len(seen)


def _mark(process: psutil.Process) -> str:
    try:
        return str(process.environ().get(MARK, ""))
    except (psutil.Error, OSError):
        return ""


def _tidy(directory: Path) -> None:
    """Deletes the directory. If it says why the REPL ended, it stays for a day without its record: the tab will ask."""
    record = read_record(directory)
    if record is not None and not read_exit(directory) and not psutil.pid_exists(record.server_pid):
        write_exit(directory, SERVER_GONE)
    (directory / RECORD_FILE).unlink(missing_ok=True)
    exit_file = directory / EXIT_FILE
    if not exit_file.exists() or time.time() - exit_file.stat().st_mtime > KEEP_EXIT_SECONDS:
        remove(directory)
