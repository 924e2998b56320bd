"""A real Kubernetes for tests: the cluster that REPL_TEST_KUBECONFIG names, else a node of our own on this machine.

Our own needs root and Debian's packages (PROGRAMS). `python -m support.node up` starts a node for many test runs
(`make cluster-up`), and `down` stops it. Without that, each test run has its own.
"""

import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest

from . import binaries
from .lab import wait_for
from .ports import free_port

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "tests/cluster"
KEPT = ROOT / ".build/cluster"
OWNER = Path("/run/repl-node.owner")
"""Names the folder of the node that runs on this machine, see node.sh."""
IMAGE = "localhost/jupyter-repl-runner:test"
HOST = "10.250.0.1"
"""This machine, as pods of our own node reach it."""
PROGRAMS = ("containerd", "runc", "iptables", "ipset", "conntrack", "ip", "openssl", "debootstrap", "buildah", "zstd")
KINDS = {
    "pods": "api/v1",
    "services": "api/v1",
    "deployments": "apis/apps/v1",
    "replicasets": "apis/apps/v1",
    "leases": "apis/coordination.k8s.io/v1",
    "ingresses": "apis/networking.k8s.io/v1",
}
"""Kinds of objects that a REPL may consist of, and their paths in the API."""
UP_SECONDS, IMAGE_SECONDS = 120, 900


@dataclass(frozen=True)
class Node:
    """`state`: the folder of our own node. It is None for another cluster, of which tests kill nothing."""

    kubeconfig: Path
    image: str
    state: Path | None
    api: str = ""
    """Where `kubectl proxy` listens: each kubectl takes 0.1 s of CPU, and the tests make thousands of requests."""

    @contextmanager
    def proxied(self) -> Iterator["Node"]:
        """Yield the same node with an `api`."""
        port = free_port()
        command = [str(binaries.require("kubenode")), "kubectl", "--kubeconfig", str(self.kubeconfig), "proxy"]
        proxy = subprocess.Popen([*command, f"--port={port}"], stdout=subprocess.PIPE)
        try:
            assert proxy.stdout is not None
            proxy.stdout.readline()  # printed when it listens
            yield replace(self, api=f"http://127.0.0.1:{port}")
        finally:
            proxy.terminate()
            proxy.communicate(timeout=10)

    def kubectl(self, *arguments: str, text: str | None = None, check: bool = True) -> str:
        command = [str(binaries.require("kubenode")), "kubectl", "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=90, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def get(self, namespace: str, kind: str, name: str = "", selector: str = "") -> Any:
        """Returns the objects of a kind, or the one of that name. Raises AssertionError if the API does not answer."""
        query = f"?labelSelector={urllib.parse.quote(selector)}" if selector else ""
        found = self.ask("GET", f"{KINDS[kind]}/namespaces/{namespace}/{kind}/{name}".removesuffix("/") + query)
        return found if name else found["items"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the API. Returns its answer. Raises AssertionError if it does not answer, or refuses."""
        data, kind = None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.api}/{path}", data, kind, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except (OSError, HTTPException, ValueError) as error:  # ValueError: an answer that was cut
            raise AssertionError(f"{method} {path}: {error}") from error

    def make_namespace(self, name: str) -> str:
        """Create a namespace with the strictest pod security. Returns its name."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.ask("POST", "api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})

        def is_ready() -> bool:
            """Returns True once its first account exists; before that it accepts no pod."""
            accounts = self.ask("GET", f"api/v1/namespaces/{name}/serviceaccounts")["items"]
            return any(each["metadata"]["name"] == "default" for each in accounts)

        wait_for(is_ready, 20)
        return name

    def kill(self, component: str) -> None:
        run("kill", self._own(), component)

    def start(self, component: str) -> None:
        run("start", self._own(), component)

    def forget_outages(self) -> None:
        """Restart the components that watch the API. After each outage they wait longer before they connect again, up
        to a minute (client-go's back-off), and the tests after an outage would wait too. In a cluster that is not ours
        the API server was never away."""
        if self.state is None:
            return
        for component in ("controllers", "scheduler", "kubelet", "proxy"):
            self.kill(component)
            self.start(component)

    def pids_of(self, container: str) -> list[int]:
        """Returns the pids of a container's processes on this machine; the first is the container's process 1."""
        socket = str(self._own() / "run/containerd.sock")
        listed = subprocess.run(
            ["ctr", "-a", socket, "-n", "k8s.io", "tasks", "ls"], capture_output=True, text=True, check=True, timeout=20
        )
        rows = [line.split() for line in listed.stdout.splitlines()]
        return [int(row[1]) for row in rows if row[0] == container.removeprefix("containerd://")]

    def volume(self, pod: str, name: str) -> Path:
        """Returns the folder of a volume of the pod with that uid."""
        assert self.state is not None, "the volumes of another cluster's node can't be read"
        return self.state / "kubelet/pods" / pod / "volumes/kubernetes.io~empty-dir" / name

    def _own(self) -> Path:
        if self.state is None:
            pytest.skip("this test needs a node of our own")
        return self.state


def missing() -> str:
    """Returns the reason why no node can run here; empty if one can."""
    if os.environ.get("REPL_TEST_KUBECONFIG"):
        return ""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a node of our own needs root on Linux (or name a cluster in REPL_TEST_KUBECONFIG)"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"a node of our own needs {', '.join(absent)}" if absent else ""


def up(state: Path) -> Node:
    """Start the node, or return the cluster that REPL_TEST_KUBECONFIG names. Raises AssertionError with the reason."""
    if kubeconfig := os.environ.get("REPL_TEST_KUBECONFIG"):
        image = os.environ.get("REPL_TEST_IMAGE")
        assert image, "REPL_TEST_IMAGE must name the runner's image, which this cluster must be able to pull"
        return Node(Path(kubeconfig), image, None)
    archives = str(_pause()), str(runner_image())
    try:
        run("up", state)
        run("load", state, *archives)
    except BaseException:
        down(state)
        raise
    return Node(state / "admin.kubeconfig", IMAGE, state)


def down(state: Path) -> None:
    run("down", state)


def shared(run: int) -> Node:
    """Returns the node of this machine. If there is none, starts one that stops with the process `run`.

    The first of several workers starts it while the others wait.
    """
    KEPT.parent.mkdir(exist_ok=True)
    with open(KEPT.parent / "cluster.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.environ.get("REPL_TEST_KUBECONFIG") or not _is_up():
            os.environ["SESSION"] = str(run)
            return up(KEPT)
    return Node(KEPT / "admin.kubeconfig", IMAGE, KEPT)


def down_if_owned(run: int) -> None:
    """Stop the node if `shared` started it for this run."""
    if _is_up() and _session() == run:
        down(KEPT)


def _is_up() -> bool:
    """Returns True if the node at KEPT runs on this machine and was not left behind by a run that died."""
    return OWNER.exists() and OWNER.read_text().strip() == str(KEPT) and psutil.pid_exists(_session())


def _session() -> int:
    """Returns the pid of the process that the node at KEPT belongs to; 1 if the node outlives the tests."""
    return int((KEPT / "run/session.pid").read_text())


def run(verb: str, state: Path, *arguments: str) -> None:
    environment = {**os.environ, "SESSION": os.environ.get("SESSION", str(os.getpid()))}
    if verb != "down":
        for variable, name in (("KUBENODE", "kubenode"), ("COREDNS", "coredns"), ("KUBE_ROUTER", "kube-router")):
            environment[variable] = str(binaries.require(name))
    command = [str(CLUSTER / "node.sh"), verb, str(state), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=UP_SECONDS, check=False)
    assert done.returncode == 0, f"node.sh {verb}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


def runner_image() -> Path:
    """Returns the archive of the runner's image. It is built again if one of its sources has changed."""
    digest = hashlib.sha256()
    sources = [
        CLUSTER / "image.sh",
        ROOT / "runner/Dockerfile",
        ROOT / "runner/pyproject.toml",
        ROOT / "requirements/runner.txt",
    ]
    for path in [*sources, *sorted((ROOT / "runner/jupyter_repl_runner").rglob("*.py"))]:
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    place = Path(tempfile.gettempdir()) / f"repl-images-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    archive = place / f"runner-{digest.hexdigest()[:16]}.tar"
    if not archive.exists():
        for old in place.glob("runner-*.tar"):
            old.unlink()
        making = place / "making.tar"
        command = [str(CLUSTER / "image.sh"), str(place / "build"), str(making)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMAGE_SECONDS, check=False)
        assert done.returncode == 0, f"image.sh: {done.stderr[-3000:]}"
        making.rename(archive)
    return archive


def _pause() -> Path:
    """Returns the archive of the pause image, which holds a pod's namespaces open: one static program."""
    name = "localhost/pause:1"
    program = binaries.require("pause").read_bytes()
    layer = _tar({"pause": program})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    archive = Path(tempfile.mkdtemp()) / "pause.tar"
    archive.write_bytes(_tar({"config.json": config, "layer.tar": layer, "manifest.json": manifest}))
    return archive


def _tar(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    return body.getvalue()


if __name__ == "__main__":
    if sys.argv[1:] == ["down"]:  # also the leftovers of any session
        if OWNER.exists():
            down(Path(OWNER.read_text().strip()))
    elif reason := missing():
        sys.exit(reason)
    else:
        os.environ["SESSION"] = "1"  # process 1 never ends, so the node stays
        print(f"export KUBECONFIG={up(KEPT).kubeconfig}")
