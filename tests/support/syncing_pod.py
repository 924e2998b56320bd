"""Runs `runner sync --pod` in a pod of a real node. It has the same methods as a sync that is a process here."""

import asyncio
import os
import secrets
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.local import FENCED_CODE
from jupyter_repl_runner.contract.pod import RUNNER_PORT, Order
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_spawner.kubernetes import pod_template
from jupyter_repl_spawner.kubernetes.client import Api
from jupyter_repl_spawner.kubernetes.keys import read_keys
from jupyter_repl_spawner.kubernetes.pods import Pods
from jupyter_repl_spawner.kubernetes.reach import Reach

from . import idmap
from .kubernetes import Space
from .lab import wait_for
from .syncing import Sync

RESTORE_SECONDS = 120.0
HOLD = "tests/exit-code"
"""A finalizer that keeps the pod until the exit codes of its containers were read."""

Result = TypeVar("Result")


class PodSync(Sync):
    """The pod is created at once, and assigned by `start`. Its volume is `folder`/volume: the real one while it runs,
    and a copy of it after `stop`."""

    def __init__(self, folder: Path, store: S3Store, space: Space, main: str = "main.py", **grant: Any) -> None:
        super().__init__(folder, store, main=main, **grant)
        self._space = space
        self._name = f"sync-{secrets.token_hex(4)}"
        self._keys = read_keys(space.world.key)
        self._opened, self._failure = threading.Event(), ""
        self._pod = self._ask(self._make_pod)
        idmap.mount(self._volume_of_node("work"), self.volume, pod_template.UID)
        self._is_mounted = True

    def _launch(self, assignment: Assignment) -> None:
        key, uid, generation = self._keys.current, self._pod["metadata"]["uid"], self.grant.generation
        order = Order(assignment, self.grant, key.token(uid, generation), key.secret(uid, generation))

        async def assign(api: Api) -> None:
            pods = Pods(api, Reach(api, "pod"), self._keys)
            try:
                await pods.assign(self._pod, order, lambda _: None, RESTORE_SECONDS, RESTORE_SECONDS)
            except ReplError as error:
                self._failure = error.message
            self._opened.set()

        threading.Thread(target=self._ask, args=(assign,), daemon=True).start()

    def opened(self, seconds: float = 20) -> "PodSync":
        assert self._opened.wait(seconds), self.log
        assert not self._failure, self._failure
        return self

    @property
    def _marks_folder(self) -> Path:
        return self._volume_of_node("marks")

    @property
    def log(self) -> str:
        return self._space.kubectl("logs", self._name, "-c", "sync", check=False)

    def signal(self, number: int, container: str = "sync") -> None:
        (pid,) = self._space.world.node.pids_of(self._state(container)["containerID"])
        os.kill(pid, number)

    def restarts(self, container: str = "sync") -> int:
        """Returns how often the container was restarted."""
        return int(self._state(container)["restartCount"])

    def is_served(self) -> bool:
        """Returns True if the runner has a project: then it asks for a token, and before that it answers 503."""
        address = self._space.get("pods", self._name)["status"]["podIP"]
        try:
            urllib.request.urlopen(f"http://{address}:{RUNNER_PORT}/status", timeout=5).close()
        except urllib.error.HTTPError as error:
            return error.code in (401, 403)
        except OSError:
            return False
        raise AssertionError("the runner answers without a token")

    def listed(self, volume: str) -> set[str]:
        """Returns the names in a volume that only sync mounts."""
        return set(os.listdir(self._volume_of_node(volume)))

    def flushed(self) -> bool:
        """Ask it as before a stop. Returns True if all is saved."""

        async def flush(api: Api) -> bool:
            said = await Pods(api, Reach(api, "pod"), self._keys).flush(self._pod, self.grant.generation)
            return bool(said["saved"])

        return self._ask(flush)

    def stop(self, seconds: float = 40) -> int:
        """Delete the pod as a drained node does. Returns the exit code of sync."""
        kept = self.folder / "kept"
        subprocess.run(["cp", "-a", str(self.volume), str(kept)], check=True, timeout=60)
        self._space.kubectl("delete", "pod", self._name, "--wait=false")
        ended = wait_for(lambda: self._state()["state"].get("terminated"), seconds)
        self.kill()
        self.volume.rmdir()
        kept.rename(self.volume)
        return int(ended["exitCode"])

    def wait(self, seconds: float = 30) -> int:
        """Wait until sync reports that it is fenced. A fenced sidecar runs until its pod is deleted."""
        wait_for(lambda: self.marks.state == "fenced", seconds)
        return FENCED_CODE

    def kill(self) -> None:
        """Delete the pod and its volume. Idempotent."""
        if self._is_mounted:
            idmap.unmount(self.volume)
            self._is_mounted = False
        self._space.kubectl("delete", "pod", self._name, "--force", "--grace-period=0", "--wait=false", check=False)
        self._space.kubectl("patch", "pod", self._name, "-p", '{"metadata": {"finalizers": null}}', check=False)

    # -- parts

    async def _make_pod(self, api: Api) -> Any:
        template = replace(self._space.pod_template(), public_key=self._keys.current.public)
        metadata = {"name": self._name, "namespace": self._space.namespace, "finalizers": [HOLD]}
        spec = pod_template.pod_spec(template)
        await api.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        until = time.monotonic() + 60
        pods = Pods(api, Reach(api, "pod"), self._keys)
        while True:
            pod = await api.get("pods", self._name)
            assert pod is not None
            if pod.get("status", {}).get("podIP") and await pods.answers(pod):
                return pod
            assert time.monotonic() < until, pod["status"]
            await asyncio.sleep(0.05)

    def _state(self, container: str = "sync") -> Any:
        """Returns the status of a container, as the kubelet reports it."""
        status = self._space.get("pods", self._name)["status"]
        said = [*status["initContainerStatuses"], *status["containerStatuses"]]
        return next(each for each in said if each["name"] == container)

    def _volume_of_node(self, name: str) -> Path:
        return self._space.world.node.volume(self._pod["metadata"]["uid"], name)

    def _ask(self, call: Callable[[Api], Awaitable[Result]]) -> Result:
        async def ask() -> Result:
            async with Api(self._space.namespace, str(self._space.world.node.kubeconfig)) as api:
                return await call(api)

        return asyncio.run(ask())
