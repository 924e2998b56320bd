"""A JupyterHub on the node, with enforced policies, and our service beside it in two replicas."""

import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import requests

from jupyter_repl_spawner.kubernetes.rights import RULES

from . import binaries
from .hub import PREFIX, Browser
from .kubernetes import World
from .lab import Lab, wait_for
from .node import CLUSTER, IMAGE_SECONDS, ROOT, Node, run, runner_image
from .s3 import KEY, SECRET

NAMESPACE, REPLS = "hub", "repls"
API = ("10.250.0.2", 6443)
"""The API server's own address: rules of policies are judged after the address of its Service was replaced."""
SMALL = {"cpu_request": "20m", "memory_request": "64Mi", "memory": "512Mi", "pool_min": 1, "pool_max": 4}
ARGUMENTS = ("--HubService.check_seconds=3", "--StatelessHubOAuth.kept_seconds=3", "--HubService.drain_seconds=3")
READY_SECONDS = 240


class NodeHub:
    """`url`: of the hub's proxy, as this machine reaches it."""

    def __init__(self, world: World) -> None:
        self.node = world.node
        self.s3 = world.s3
        self.store_prefix = f"hub-{secrets.token_hex(4)}"
        self.url = ""

    def kubectl(self, *arguments: str, text: str | None = None, check: bool = True) -> str:
        return self.node.kubectl("-n", NAMESPACE, *arguments, text=text, check=check)

    def install(self) -> None:
        """Install the hub and the service, and wait until all is ready."""
        self.node.kubectl("delete", "namespace", NAMESPACE, REPLS, "--ignore-not-found", "--timeout=80s")
        chart, values = CLUSTER / "hub/chart", CLUSTER / "hub/values.yaml"
        database = f"/tmp/repl-hub-{secrets.token_hex(4)}"
        Path(database).mkdir(mode=0o777)
        Path(database).chmod(0o777)
        volume = json.dumps({"hostPath": {"path": database}})
        command = [str(binaries.require("helm")), "--kubeconfig", str(self.node.kubeconfig), "-n", NAMESPACE]
        command += ["upgrade", "--install", "jupyterhub", str(chart), "-f", str(values), "--create-namespace"]
        done = subprocess.run(
            [*command, "--set-json", f"hubVolume={volume}"], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        self.node.kubectl("apply", "-f", "-", text=self.objects())
        for name in ("hub", "proxy", "repl"):
            self.kubectl("rollout", "status", f"deployment/{name}", f"--timeout={READY_SECONDS}s")
        address = self.kubectl("get", "service", "proxy-public", "-o", "jsonpath={.spec.clusterIP}")
        self.url = f"http://{address}"
        # The proxy knows the way once the hub has looked for its services again.
        wait_for(lambda: requests.get(f"{self.url}{PREFIX}ready", timeout=5).status_code == 200, READY_SECONDS)

    def objects(self) -> str:
        """The service's objects."""
        s3 = urlsplit(self.s3.endpoint)
        said = {
            "hub": NAMESPACE,
            "repls": REPLS,
            "rules": json.dumps(list(RULES)),
            "cookie_secret": secrets.token_hex(32),
            "keys": secrets.token_hex(32),
            "access_key": KEY,
            "secret_key": SECRET,
            "arguments": json.dumps(list(ARGUMENTS)),
            "store_url": f"s3://{self.s3.bucket}/{self.store_prefix}",
            "s3_endpoint": self.s3.endpoint,
            "s3_host": s3.hostname,
            "s3_port": s3.port,
            "templates": json.dumps({"*": SMALL}),
            "api_host": API[0],
            "api_port": API[1],
        }
        return Template((CLUSTER / "hub/service.yaml").read_text()).substitute(said)

    def restart(self, name: str) -> None:
        """Returns when the new pods are ready."""
        self.kubectl("rollout", "restart", f"deployment/{name}")
        self.kubectl("rollout", "status", f"deployment/{name}", "--timeout=120s")

    def uninstall(self) -> None:
        for name in (NAMESPACE, REPLS):
            self.node.kubectl("delete", "namespace", name, "--wait=false", check=False)

    def user(self, name: str) -> "NodeUser":
        """A user who is logged in."""
        return NodeUser(self, name)


class NodeUser:
    def __init__(self, hub: NodeHub, name: str) -> None:
        self.hub = hub
        self.name = name
        self.browser = Browser(hub.url, name).login()
        self.token = self.browser.token()
        self.service = Remote(f"{hub.url}{PREFIX.rstrip('/')}")
        """Asked directly, with the user's own token."""

    def start_server(self) -> None:
        self.browser.hub("POST", f"users/{self.name}/server")  # 202; 400 if it runs

        def is_ready() -> bool:
            model = self.browser.hub("GET", f"users/{self.name}").json()
            return bool(model.get("servers", {}).get("", {}).get("ready"))

        wait_for(is_ready, READY_SECONDS)

    @property
    def server(self) -> "Remote":
        """Asked through the user's own server."""
        return Remote(f"{self.hub.url}/user/{self.name}")

    @property
    def pod(self) -> str:
        """The name of the pod of the user's server."""
        return f"jupyter-{self.name}"

    def execute(self, command: str, seconds: int = 60) -> str:
        """Run a shell command in the user's server, as a notebook or a terminal there would."""
        arguments = ["exec", self.pod, "-c", "notebook", "--", "timeout", str(seconds), "bash", "-c", command]
        return self.hub.kubectl(*arguments, check=False)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        return self.service.call(method, path, body, headers, token=self.token)


class Remote(Lab):
    """A server that somebody else has started, at an address below which `repl/` lies."""

    def __init__(self, url: str) -> None:
        super().__init__(Path("/nowhere"), port=1)
        self.url = url


def images() -> tuple[Path, Path]:
    """Returns the archives of the images of hub and service. They are built again if a source has changed."""
    place = runner_image().parent  # with the base that all images share
    digest = hashlib.sha256()
    sources = [*sorted((CLUSTER / "hub").glob("*.*")), ROOT / "jupyter_repl_ext/hub/Dockerfile"]
    sources += [ROOT / "requirements/hub.txt", ROOT / "requirements/hub-test.txt", ROOT / "pyproject.toml"]
    for folder, pattern in (
        ("jupyter_repl_ext", "*"),
        ("spawner", "*.py"),
        ("runner", "*.py"),
        ("labextension/dist", "*"),
    ):
        sources += sorted(path for path in (ROOT / folder).rglob(pattern) if path.is_file() and path.suffix != ".pyc")
    for path in sources:
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    version = os.environ.get("REPL_TEST_HUB", "")
    name = f"{digest.hexdigest()[:16]}{version}"
    hub, service = place / f"hub-{name}.tar", place / f"service-{name}.tar"
    if not (hub.exists() and service.exists()):
        for old in [*place.glob("hub-*.tar"), *place.glob("service-*.tar")]:
            old.unlink()
        wheel = _wheel()
        making = place / "making-hub.tar", place / "making-service.tar"
        command = [str(CLUSTER / "hub/images.sh"), str(place / "build"), str(wheel), *map(str, making), version]
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=IMAGE_SECONDS, check=False, env=environment
        )
        assert done.returncode == 0, f"images.sh: {done.stderr[-3000:]}"
        making[0].rename(hub)
        making[1].rename(service)
    return hub, service


def _wheel() -> Path:
    folder = Path(tempfile.mkdtemp())
    command = [sys.executable, "-m", "build", "-q", "--wheel", "--no-isolation", "-o", str(folder), str(ROOT)]
    environment = {**os.environ, "SKIP_JUPYTER_BUILDER": "1"}
    subprocess.run(command, check=True, env=environment, timeout=300, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@contextmanager
def installed(world: World) -> Iterator[NodeHub]:
    """Yields the hub, ready."""
    node: Node = world.node
    assert node.state is not None
    run("load", node.state, *map(str, images()))
    hub = NodeHub(world)
    try:
        hub.install()
        yield hub
    finally:
        hub.uninstall()
