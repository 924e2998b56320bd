"""A real JupyterHub on this machine, and the shared service beside it. There is no proxy: each has a port of its own,
and cookies do not know ports."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from .lab import Lab, wait_for
from .ports import free_port

PASSWORD = "secret-pass"
ADMIN = "custom:jupyter-repl:admin"
ACCESS = "access:services!service=repl"
PREFIX = "/services/repl/"
CONFIG = """
import json, os
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import SimpleLocalProcessSpawner

class NoProxy(Proxy):
    should_start = False
    async def get_all_routes(self): return {}
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass

given = json.loads(os.environ["HUB_OF_TESTS"])
c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = "dummy"
c.SharedPasswordAuthenticator.user_password = c.DummyAuthenticator.password = given["password"]
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"root-admin"}
c.JupyterHub.spawner_class = SimpleLocalProcessSpawner
c.Spawner.environment = given["environment"]
c.Spawner.cmd = [given["python"], "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.default_url = "/lab"
c.Spawner.port = given["server_port"]
c.SimpleLocalProcessSpawner.home_dir_template = given["folder"] + "/home-{username}"
c.JupyterHub.cookie_secret = bytes.fromhex(given["cookie_secret"])
c.JupyterHub.db_url = "sqlite:///" + given["folder"] + "/hub.sqlite"
c.JupyterHub.bind_url = given["url"]
c.JupyterHub.hub_bind_url = given["url"]
c.JupyterHub.cleanup_servers = False
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.custom_scopes = {given["admin"]: {"description": "List and stop everybody's REPLs"}}
c.JupyterHub.services = [
    {"name": "repl", "url": given["service"], "api_token": given["token"], "oauth_no_confirm": True,
     "oauth_client_allowed_scopes": [given["admin"]], "oauth_redirect_uri": given["callback"]},
    {"name": "other", "api_token": given["other_token"]},
]
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", given["access"]]},
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", given["access"]]},
    {"name": "repl-service", "scopes": ["users:activity"], "services": ["repl"]},
    {"name": "repl-admin", "scopes": [given["admin"]], "users": ["root-admin"]},
    {"name": "other", "scopes": [given["access"]], "services": ["other"]},
]
"""


class Hub:
    """`environment`: variables of users' servers."""

    def __init__(self, folder: Path, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.service_port = free_port()
        self.callback = f"http://127.0.0.1:{self.service_port}{PREFIX}oauth_callback"
        self.server_port = free_port()
        """Of users' servers: one at a time."""
        self.token, self.other_token = secrets.token_hex(16), secrets.token_hex(16)
        self._given = {
            "password": PASSWORD,
            "cookie_secret": secrets.token_hex(32),
            "folder": str(folder),
            "url": self.url,
            "service": f"http://127.0.0.1:{self.service_port}",
            "callback": self.callback,
            "server_port": self.server_port,
            "python": sys.executable,
            "token": self.token,
            "other_token": self.other_token,
            "admin": ADMIN,
            "access": ACCESS,
            "environment": environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Hub":
        config = self.folder / "jupyterhub_config.py"
        config.write_text(CONFIG)
        env = {**os.environ, "HUB_OF_TESTS": json.dumps(self._given), "CONFIGPROXY_AUTH_TOKEN": "none"}
        with (self.folder / "hub.log").open("ab") as log:
            command = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
            self._process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=self.folder)
        wait_for(self._answers, 60)
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "hub.log").read_text()[-3000:]
        try:
            return requests.get(f"{self.url}/hub/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)

    def freeze(self) -> None:
        """It accepts connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)

    def service_environment(self) -> dict[str, str]:
        """As an administrator's chart sets it."""
        return {
            "JUPYTERHUB_API_TOKEN": self.token,
            "JUPYTERHUB_API_URL": f"{self.url}/hub/api",
            "JUPYTERHUB_SERVICE_NAME": "repl",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
            "JUPYTERHUB_CLIENT_ID": "service-repl",
            "JUPYTERHUB_HOST": self.url,
            "JUPYTERHUB_OAUTH_CALLBACK_URL": self.callback,
            "JUPYTER_REPL_COOKIE_SECRET": self._given["cookie_secret"],
        }


def of_user(token: str, service: "Service", home: Path, app: str = "jupyter_server") -> Lab:
    """A user's server, with the token that the hub gave it. It passes all requests for REPLs on to the service."""
    return Lab(home, app, JUPYTER_REPL_SERVICE_URL=f"{service.url}/", JUPYTERHUB_API_TOKEN=token)


WEAK = Path(__file__).with_name("weak_service.py")


class Service(Lab):
    """One replica of the shared service. `without`: layers of it to leave out, see weak_service.py."""

    def __init__(
        self, home: Path, hub: Hub, port: int = 0, *options: str, without: Sequence[str] = (), **env: str
    ) -> None:
        super().__init__(home, port=port or hub.service_port, **{**hub.service_environment(), **env})
        self.url = f"http://127.0.0.1:{self.port}{PREFIX.rstrip('/')}"
        self.metrics_port = free_port()
        self._options = options
        self._program = [str(WEAK), ",".join(without)] if without else ["-m", "jupyter_repl_ext.hub.service"]

    def start(self) -> "Service":
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / ".bashrc").write_text("PS1='$ '\n")
        keep = {"PATH", "LANG", "VIRTUAL_ENV", "PYTHONWARNINGS"}
        env = {name: value for name, value in os.environ.items() if name in keep} | self.environment
        command = [sys.executable, *self._program, f"--ServerApp.port={self.port}"]
        command += ["--ServerApp.ip=127.0.0.1", "--allow-root", f"--HubService.metrics_port={self.metrics_port}"]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen([*command, *self._options], env=env, stdout=log, stderr=log, cwd=self.home)
        self._wait("/ready")
        return self


class Browser:
    """Cookies by path, redirects, and XSRF as the hub's own pages do it."""

    def __init__(self, url: str, name: str) -> None:
        """`url`: of the hub."""
        self.base, self.name = url, name
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy of this machine

    def login(self) -> "Browser":
        self.session.get(f"{self.base}/hub/login", timeout=20).raise_for_status()
        form = {"username": self.name, "password": PASSWORD, "_xsrf": self.xsrf("/hub/")}
        done = self.session.post(f"{self.base}/hub/login", data=form, allow_redirects=False, timeout=20)
        assert done.status_code == 302, done.text[:500]
        return self

    def xsrf(self, path: str) -> str:
        """Each part of a hub has an _xsrf cookie of its own, by path."""
        return next((str(each.value) for each in self.session.cookies if (each.name, each.path) == ("_xsrf", path)), "")

    def hub(self, method: str, path: str, **options: Any) -> requests.Response:
        """Calls the hub's API as its pages do."""
        headers, query = {"X-XSRFToken": self.xsrf("/hub/")}, {"_xsrf": self.xsrf("/hub/")}
        return self.session.request(
            method, f"{self.base}/hub/api/{path}", headers=headers, params=query, timeout=20, **options
        )

    def token(self, *scopes: str, **options: Any) -> str:
        """A new token of the user's, with all that the user may do unless `scopes` says less."""
        body = {**({"scopes": scopes} if scopes else {}), **options}
        return str(self.hub("POST", f"users/{self.name}/tokens", json=body).json()["token"])
