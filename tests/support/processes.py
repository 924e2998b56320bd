"""Finds the processes of a server's REPLs."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from .lab import Lab
from .pod_lab import PodLab


def repl_processes(lab: Lab) -> list[str]:
    """Returns the command lines of all processes of this server's REPLs, found by their mark. If the REPLs are in pods,
    only those of `abc`."""
    if isinstance(lab, PodLab):
        return _commands(lab.processes("abc"))
    return _commands(process for process in psutil.process_iter() if _is_of(process, lab))


def _is_of(process: psutil.Process, lab: Lab) -> bool:
    try:
        return process.environ().get("JUPYTER_REPL_MARK", "").startswith(f"{lab.runtime_dir}/")
    except (psutil.Error, OSError):
        return False


def _commands(processes: Iterable[psutil.Process]) -> list[str]:
    """Returns the command lines, without those of processes that have ended by now."""
    found = []
    for process in processes:
        with suppress(psutil.Error, OSError):
            found.append(" ".join(process.cmdline()))
    return [command for command in found if command]


def pids(verb: str, lab: Lab, repl_id: str = "") -> list[int]:
    """Returns the pids of this server's guards or runners (`verb`: guard, serve). With `repl_id`, only those of that
    REPL, and only while its record exists."""
    if isinstance(lab, PodLab):
        return lab.pids(repl_id or "abc")[1:2]
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "jupyter_repl_runner" in command and verb in command:
            directory = command[command.index("--directory") + 1]
            if directory.startswith(f"{lab.runtime_dir}/") and repl_id in ("", _repl_of(directory)):
                found.append(process.pid)
    return found


def _repl_of(directory: str) -> str | None:
    try:
        return str(json.loads(Path(directory, "record.json").read_text())["repl_id"])
    except (OSError, ValueError):
        return None
