"""Two servers, many starts, and everything killed at random: `make chaos-cluster` for the long form.

An observer looks at the API all the while: never two pods of one generation, never two REPLs in one pod. At the end no
object is left, and everything that was reported as saved is in S3.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.channel import Client
from support.kubernetes import Space
from support.lab import elapse, wait_for
from support.node import Node
from support.pod_lab import PodLab

from jupyter_repl_spawner.kubernetes import names
from jupyter_repl_spawner.kubernetes.pool import Bounds

STARTS = int(os.environ.get("REPL_TEST_CLUSTER_CHAOS", "10"))
NAMES = max(3, STARTS * 2 // 5)
DISTURBANCES = STARTS * 2
SEED = int(os.environ.get("REPL_TEST_SEED", "1"))

pytestmark = [pytest.mark.outage, pytest.mark.timeout(300 + 60 * STARTS)]


class Observer:
    """Records which pod each generation was given to, and which REPL each pod."""

    def __init__(self, space: Space) -> None:
        self.generations: dict[tuple[str, str], set[str]] = {}
        self.repls: dict[str, set[str]] = {}
        self._space = space
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer")
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(60)

    def check(self) -> None:
        assert all(len(pods) == 1 for pods in self.generations.values()), self.generations
        assert all(len(repls) == 1 for repls in self.repls.values()), self.repls

    def _run(self) -> None:
        while not self._ending.wait(0.1):
            with suppress(AssertionError):  # the API server is away
                self._look(self._space.get("leases"), self._space.get("pods"))

    def _look(self, leases: list[Any], pods: list[Any]) -> None:
        for metadata in (lease["metadata"] for lease in leases):
            said = metadata.get("annotations", {})
            if said.get(names.POD) and said.get(names.GENERATION):
                key = metadata["name"], said[names.GENERATION]
                self.generations.setdefault(key, set()).add(said[names.POD])
                self.repls.setdefault(said[names.POD], set()).add(metadata["name"])
        for metadata in (pod["metadata"] for pod in pods):
            if slug := metadata.get("labels", {}).get(names.ID):
                self.repls.setdefault(metadata["uid"], set()).add(slug)


class Servers:
    """Two of them on one store; one that is killed is started again."""

    def __init__(self, space: Space, folder: Path) -> None:
        self.labs = [PodLab(folder / name / "home", space) for name in "ab"]
        self._lock = threading.Lock()
        for lab in self.labs:
            lab.start()

    def kill_one(self, rng: random.Random) -> None:
        with self._lock:
            lab = rng.choice(self.labs)
            lab.kill()
            lab.start()

    def stop(self) -> None:
        for lab in self.labs:
            lab.stop()

    def call(self, rng: random.Random, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Of whichever answers."""
        until = time.monotonic() + 60
        while True:
            try:
                return rng.choice(self.labs).call(method, path, body)
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.2)


def work(servers: Servers, name: str, number: int, rng: random.Random) -> tuple[str, str, str] | None:
    """Start it and write a file; what was reported as saved, or None if something was killed meanwhile."""
    servers.call(rng, "POST", "start", {"replId": name})
    until = time.monotonic() + 90
    while time.monotonic() < until:
        phase = servers.call(rng, "GET", f"project/{name}")[1]["phase"]
        if phase["name"] == "failed":
            assert phase["reason"]
            return None
        if phase["name"] == "stopped":  # by another one, or the server was killed before it had begun
            return None
        if phase["name"] == "running":
            break
        time.sleep(0.2)
    path, content = f"kept-{number}.txt", f"{name} {number}\n"
    try:
        client = Client(rng.choice(servers.labs), name, timeout=10)
        etag = client.request("updateContent", path=path, content=content)["etag"]
        while True:
            told = client.wait_event("synced", 10)["uploaded"]
            if {"path": path, "etag": etag} in told:
                break
    except Exception:  # something of it was killed: nothing was promised
        return None
    finally:
        if rng.random() < 0.6:  # so that later starts are starts
            servers.call(rng, "POST", "stop", {"replId": name})
    return name, path, content


def kill_pod(space: Space, rng: random.Random) -> None:
    pods = [pod for pod in space.get("pods") if names.ID in pod["metadata"].get("labels", {})]
    if pods:
        name = rng.choice(pods)["metadata"]["name"]
        space.kubectl("delete", "pod", name, "--force", "--grace-period=0", "--wait=false", check=False)


def kill_api(node: Node, rng: random.Random) -> None:
    node.kill("apiserver")
    elapse(rng.uniform(0, 2))
    node.start("apiserver")


def test_nothing_is_doubled_lost_or_left(space: Space, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    space.pool = Bounds(1, 3)
    servers = Servers(space, tmp_path)
    ids = [f"chaos-{number}" for number in range(NAMES)]
    for name in ids:
        assert servers.labs[0].call("POST", "project", {"replId": name, "language": "python"})[0] == 201
    observer = Observer(space)
    node = space.world.node

    disturb: list[Callable[[], None]] = [lambda: servers.kill_one(rng), *[lambda: kill_pod(space, rng)] * 2]
    if node.state is not None:
        disturb.append(lambda: kill_api(node, rng))
    acknowledged = []
    try:
        with ThreadPoolExecutor(min(STARTS, 10)) as threads:
            todo = [
                threads.submit(work, servers, rng.choice(ids), number, random.Random(rng.random()))
                for number in range(STARTS)
            ]
            for _ in range(DISTURBANCES):
                if all(each.done() for each in todo):
                    break
                time.sleep(rng.uniform(0.5, 3))
                with suppress(AssertionError):  # nothing to kill just now
                    rng.choice(disturb)()
            acknowledged = [told for each in todo if (told := each.result())]
        node.forget_outages()
        for name in ids:
            phase = wait_for(lambda name=name: settled(servers, rng, name), 90)
            assert phase["name"] != "failed" or phase["reason"]
        for name in ids:
            servers.call(rng, "POST", "stop", {"replId": name})
        wait_for(lambda: not space.left(), 90)
    except AssertionError:
        print(space.left(), space.kubectl("get", "leases", "-o", "yaml", check=False))
        print(*(lab.log.read_text()[-5000:] for lab in servers.labs), sep="\n")
        raise
    finally:
        observer.stop()
        servers.stop()
    observer.check()
    assert observer.generations
    for name, path, content in acknowledged:
        assert servers.labs[0].objects(f"code/{name}/")[path].decode() == content
    print(f"{len(acknowledged)} of {STARTS} acknowledged, {len(observer.generations)} generations seen")


def settled(servers: Servers, rng: random.Random, name: str) -> Any:
    phase = servers.call(rng, "GET", f"project/{name}")[1]["phase"]
    return phase if phase["name"] in ("running", "stopped", "failed") else None
