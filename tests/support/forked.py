"""Forks Python programs from a process that has imported them: imports are more than half of a server's start.

Each program has the arguments, environment, folder and log that it would have had with a normal start.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

MODULES = (
    *("jupyterlab.labapp", "notebook_shim.nbserver", "jupyter_lsp", "jupyter_server.serverapp"),
    *("jupyter_server.gateway.managers", "jupyter_server_terminals"),
    *("jupyter_repl_ext.app", "jupyter_repl_ext.handlers", "jupyter_repl_ext.services", "boto3"),
)
"""Modules that the servers import at their start, or with their first requests."""


class Forked:
    """The part of `subprocess.Popen` that the starters of servers need. The program is a child of another process."""

    def __init__(self, forks: "Forks", pid: int) -> None:
        self.pid = pid
        self._forks = forks
        self._ended = os.pidfd_open(pid)
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None and select.select([self._ended], [], [], 0)[0]:
            self._code = self._forks.reap(self.pid)
            os.close(self._ended)
        return self._code

    def wait(self, timeout: float) -> int:
        """Raises subprocess.TimeoutExpired."""
        if self._code is None:
            select.select([self._ended], [], [], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("a forked program", timeout)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._ended, number)


class Forks:
    """The process that forks, from the first program until the tests end."""

    def __init__(self) -> None:
        self._parent: subprocess.Popen[str] | None = None
        self._asking = threading.Lock()

    def start(self, module: str, arguments: list[str], env: dict[str, str], cwd: Path, log: Path) -> Forked:
        """Run `python -m module` in a fork, which writes to the end of `log`."""
        return Forked(self, self._ask({"start": [module, *arguments], "env": env, "cwd": str(cwd), "log": str(log)}))

    def reap(self, pid: int) -> int:
        """Returns the exit code of a program that has ended."""
        return self._ask({"reap": pid})

    def close(self) -> None:
        """Stop the process that forks. The programs go on."""
        if self._parent is not None:
            with self._parent:  # which closes its input, and waits
                self._parent = None

    def _ask(self, question: dict[str, object]) -> int:
        with self._asking:
            if self._parent is None:
                command = [sys.executable, __file__]
                self._parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert self._parent.stdin is not None
            assert self._parent.stdout is not None
            print(json.dumps(question), file=self._parent.stdin, flush=True)
            return int(self._parent.stdout.readline())


def main() -> None:
    """Answer each line of the input with a number: the pid of a fork, or the exit code of one."""
    for module in MODULES:
        importlib.import_module(module)
    gc.freeze()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while question := sys.stdin.readline():
        asked = json.loads(question)
        if "reap" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["reap"], 0)[1])
        elif (answer := os.fork()) == 0:
            answers.close()
            break
        print(answer, file=answers, flush=True)
    else:
        return
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv = asked["start"]
    sys.path[0] = asked["cwd"]  # as `python -m` has it
    runpy.run_module(asked["start"][0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
