"""A real Jupyter server as a child process, with a home, a port and a token of its own."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from .browsers import INSECURE
from .forked import Forked, Forks
from .ports import free_port

TOKEN = "a-token-of-the-tests"
START_SECONDS = 60.0
NO_NEWS = {"fetchNews": "false"}
NO_FRONTEND = {"jupyterlab": False, "jupyter_lsp": False, "notebook_shim": False}
"""Extensions that a server without a browser does not load: they take a third of its start."""


forks: Forks | None = None
"""The process that forks servers. If None, each server is a new Python process, as for a user."""


class Lab:
    """`app`: "jupyterlab", or "jupyter_server" for tests without a browser. Several servers may use one `home` in turn.
    `python`: the interpreter of another environment. `certificate`: a file with certificate and key, to use TLS."""

    def __init__(
        self,
        home: Path,
        app: str = "jupyter_server",
        port: int = 0,
        python: str = sys.executable,
        certificate: Path | None = None,
        **env: str,
    ) -> None:
        self.home = home
        self.port = port or free_port()
        self.certificate = certificate
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._tls = ssl.create_default_context(cafile=certificate) if certificate else None
        self.log = home / f"server-{self.port}.log"
        self._app = app
        self._python = python
        self._env = env
        self._process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The server's environment, without the variables that it takes from this process."""
        own = {"HOME": str(self.home), "JUPYTER_REPL_RUNTIME_DIR": str(self.runtime_dir), "SHELL": "/bin/bash"}
        return {**own, "PS1": "$ ", "JUPYTER_PREFER_ENV_PATH": "1", **self._env}

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runtime_dir(self) -> Path:
        return Path(f"/tmp/jrt-{self.home.name[:16]}-{abs(hash(str(self.home))) % 10**6}")

    @property
    def store(self) -> Path:
        return self.home / ".local/share/jupyter/repl"

    def project(self, repl_id: str) -> Path:
        return self.store / "code" / repl_id

    def another(self) -> "Lab":
        """Returns another server of the same person, not started yet."""
        return Lab(self.home, **self._env)

    @property
    def interpreter(self) -> str:
        """The Python to use in commands that are typed into a shell."""
        return sys.executable

    def start(self) -> "Lab":
        self.home.mkdir(parents=True, exist_ok=True)
        arguments = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={self.port}"]
        arguments += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
        arguments += [f"--ServerApp.root_dir={self.home}"]
        arguments += [f"--ServerApp.local_hostnames={name}" for name in ("localhost", INSECURE)]
        if self.certificate:
            arguments += [f"--certfile={self.certificate}"]
        if self._app == "jupyter_server":
            arguments += [f"--ServerApp.jpserver_extensions={NO_FRONTEND!r}"]
        elif self._app == "jupyterlab":
            arguments += ["--LabApp.expose_app_in_browser=True", f"--LabApp.workspaces_dir={self.home}/workspaces"]
            # JupyterLab reads the folder of its settings from HOME at import, and a fork has imported it before.
            arguments += [f"--LabApp.user_settings_dir={self.home}/.jupyter/lab/user-settings"]
            arguments += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
            arguments += ["--LanguageServerManager.autodetect=False"]  # detection asks npm, which takes a second
            self._answer_questions()
        elif self._app == "notebook":
            arguments += ["--JupyterNotebookApp.expose_app_in_browser=True"]
        keep = {"PATH", "LANG", "VIRTUAL_ENV", "PYTHONWARNINGS"}
        env = {name: value for name, value in os.environ.items() if name in keep}
        env |= self.environment
        (self.home / ".bashrc").write_text("PS1='$ '\n")
        is_usual = self._python == sys.executable and "PYTHONPATH" not in env
        if forks is not None and is_usual:
            self._process = forks.start(self._app, arguments, env, self.home, self.log)
        else:
            command = [self._python, "-m", self._app, *arguments]
            with open(self.log, "ab") as log:
                self._process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=self.home)
        self._wait()
        return self

    def _answer_questions(self) -> None:
        """Keep JupyterLab from asking each new person about its news, and yarn at each page load about a build."""
        self._write_json("lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings", NO_NEWS)
        self._write_json("labconfig/page_config.json", {"buildCheck": False, "buildAvailable": False})

    def _write_json(self, name: str, content: object) -> None:
        path = self.home / ".jupyter" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))

    def _wait(self, path: str = "/api") -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(self.url + path, timeout=5, context=self._tls).close()
                return
            except OSError:
                if self._process is None or self._process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(f"the server did not start: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self, seconds: float = 30.0) -> None:
        """A normal shutdown. A Jupyter server logs in its signal handler. If it is just writing its log, that fails and
        the server goes on; so it gets the signal again."""
        if self._process is None or self._process.poll() is not None:
            return
        until = time.monotonic() + seconds
        self._process.send_signal(signal.SIGTERM)
        while time.monotonic() < until:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(3)
                return
            if "reentrant call" in self.log.read_text():
                self._process.send_signal(signal.SIGTERM)
        self.kill()  # else the next test would find its processes, and fail
        raise TimeoutError(f"the server did not end in {seconds} s: {self.log.read_text()[-2000:]}")

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, token: str = TOKEN
    ) -> tuple[int, Any]:
        """Send a request to `{base_url}repl/{path}`. Returns the status, and the answer as JSON or bytes."""
        status, answer, _ = self.request(method, path, body, headers, token)
        return status, answer

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, token: str = TOKEN
    ) -> tuple[int, Any, dict[str, str]]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/repl/{path}", data=data, method=method, headers=headers or {})
        if token:
            request.add_header("Authorization", f"token {token}")
        try:
            response = urllib.request.urlopen(request, timeout=30, context=self._tls)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            raw = response.read()
            is_json = "json" in (response.headers.get("Content-Type") or "")
            return response.status, json.loads(raw) if is_json and raw else raw, dict(response.headers)

    @property
    def last_activity(self) -> str:
        """The time of the last activity, as Jupyter's culler sees it. To read it is no activity."""
        request = urllib.request.Request(f"{self.url}/api/status?no_track_activity=1")
        request.add_header("Authorization", f"token {TOKEN}")
        return str(json.load(urllib.request.urlopen(request, timeout=5))["last_activity"])

    def phase(self, repl_id: str) -> dict[str, str]:
        answer: dict[str, str] = self.call("GET", f"project/{repl_id}")[1]["phase"]
        return answer

    def make(self, repl_id: str, language: str = "python", *, start: bool = True) -> str:
        """Create a project. With `start`, also start it and wait until it runs."""
        status, answer = self.call("POST", "project", {"replId": repl_id, "language": language})
        assert status == 201, answer
        if start:
            self.start_repl(repl_id)
        return repl_id

    def start_repl(self, repl_id: str, seconds: float = 20.0) -> None:
        status, answer = self.call("POST", "start", {"replId": repl_id})
        assert status == 202, answer
        self.wait_phase(repl_id, "running", seconds)

    def stop_repl(self, repl_id: str) -> None:
        assert self.call("POST", "stop", {"replId": repl_id})[0] == 202
        self.wait_phase(repl_id, "stopped")

    def wait_phase(self, repl_id: str, name: str, seconds: float = 20.0) -> dict[str, str]:
        return wait_for(lambda: (phase := self.phase(repl_id))["name"] == name and phase, seconds)


def elapse(seconds: float) -> None:
    """Let time pass where time itself is tested: an outage, a freeze, an age. Do not use it to wait for something."""
    time.sleep(seconds)


def stays(condition: Any, seconds: float) -> None:
    """Assert that `condition` is true now and for `seconds`. Raises AssertionError as soon as it is not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert condition(), f"no longer so {until - time.monotonic():.1f} s before the end"
        time.sleep(0.05)


def wait_for(condition: Any, seconds: float = 10.0) -> Any:
    """Returns the first true result of `condition`. Raises AssertionError after `seconds`. FileNotFoundError counts as
    false.

    The longer it has waited, the longer it pauses between two calls: a call (kubectl, a listing of S3) may cost a tenth
    of a second of CPU, which other tests need. So it returns late by about a twentieth of the time that it waited.
    """
    begun = time.monotonic()
    while True:
        with suppress(FileNotFoundError):
            if found := condition():
                return found
        waited = time.monotonic() - begun
        assert waited < seconds, f"the condition did not hold within {seconds} s"
        time.sleep(min(0.25, 0.03 + waited / 20))
