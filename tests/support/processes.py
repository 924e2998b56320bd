"""The processes of a server's REPLs, as the system sees them."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from .lab import Lab
from .pod_lab import PodLab


def repl_processes(lab: Lab) -> list[str]:
    """Command lines of all processes of this server's REPLs, found by their mark; of `abc` where they are in pods."""
    if isinstance(lab, PodLab):
        return _commands(lab.processes("abc"))
    return _commands(process for process in psutil.process_iter() if _is_of(process, lab))


def _is_of(process: psutil.Process, lab: Lab) -> bool:
    try:
        return process.environ().get("JUPYTER_REPL_MARK", "").startswith(f"{lab.runtime_dir}/")
    except (psutil.Error, OSError):
        return False


def _commands(processes: Iterable[psutil.Process]) -> list[str]:
    """Without those that have ended by now."""
    found = []
    for process in processes:
        with suppress(psutil.Error, OSError):
            found.append(" ".join(process.cmdline()))
    return [command for command in found if command]


def pids(verb: str, lab: Lab, repl_id: str = "") -> list[int]:
    """Of the guards or runners (`verb`: guard, serve) of this server, or of that one REPL while its record is there."""
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
