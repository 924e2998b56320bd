"""A Jupyter server whose REPLs are pods of a real node."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from jupyter_repl_spawner.kubernetes.pod_template import UID

from . import idmap
from .kubernetes import Space, World
from .lab import wait_for
from .s3_lab import S3Lab


class PodLab(S3Lab):
    """The server has the rights that the spawner needs, and no others. Pods outlive it; `Space.close` deletes them."""

    def __init__(self, home: Path, space: Space, app: str = "jupyter_server", **env: str) -> None:
        self.space = space
        self._mounted: set[Path] = set()
        cluster = {
            "JUPYTER_REPL_SPAWNER": "kubernetes",
            "JUPYTER_REPL_KUBERNETES_NAMESPACE": space.namespace,
            "JUPYTER_REPL_KUBERNETES_IMAGE": space.world.node.image,
            "JUPYTER_REPL_KUBERNETES_KEY_FILE": str(space.world.key),
            "KUBECONFIG": str(space.kubeconfig),
        }
        super().__init__(home, space.world.s3, space.prefix.rstrip("/"), app=app, **{**cluster, **env})

    def start(self) -> "PodLab":
        self.home.mkdir(parents=True, exist_ok=True)
        small = {"cpu_request": "20m", "memory_request": "64Mi", "memory": "512Mi", **self.space.template}
        pool = {"pool_min": self.space.pool.least, "pool_max": self.space.pool.most}
        config = self.home / ".jupyter"
        config.mkdir(exist_ok=True)
        said: dict[str, Any] = {"*": {**small, **pool}}
        (config / "jupyter_config.py").write_text(f"c.ReplExtension.kubernetes_templates = {said!r}\n")
        super().start()
        return self

    def stop(self, seconds: float = 30.0) -> None:
        super().stop(seconds)
        while self._mounted:
            idmap.unmount(self._mounted.pop())

    def another(self) -> "PodLab":
        return PodLab(self.home, self.space)

    @property
    def interpreter(self) -> str:
        return "python3"

    def project(self, repl_id: str) -> Path:
        """The project's folder in the pod. The pod's user owns what is created in it."""
        place = self.home / "pods" / str(self.pod(repl_id)["metadata"]["uid"])
        if place not in self._mounted:
            idmap.mount(self.volume(repl_id), place, UID)
            self._mounted.add(place)
        return place / "project"

    def live(self, repl_id: str) -> list[str]:
        """Returns the names of its pods that are not being deleted."""
        pods = self.space.pods(repl_id)
        return [pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("deletionTimestamp")]

    def pod(self, repl_id: str) -> Any:
        """Returns the one pod of a REPL that is not being deleted."""
        (pod,) = [each for each in self.space.pods(repl_id) if not each["metadata"].get("deletionTimestamp")]
        return pod

    def volume(self, repl_id: str, name: str = "work") -> Path:
        """Returns the folder on the node that holds a volume of the pod."""
        return self.space.world.node.volume(self.pod(repl_id)["metadata"]["uid"], name)

    def pids(self, repl_id: str, container: str = "runner") -> list[int]:
        """Returns the pids of a container's processes on this machine; the first is the container's process 1."""
        (first,) = self.space.world.node.pids_of(wait_for(lambda: self._container(repl_id, container)))
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True, check=False, timeout=10
        )
        return [first, *(int(pid) for pid in found.stdout.split())]

    def processes(self, repl_id: str) -> list[psutil.Process]:
        """Returns the processes of the runner's container except its process 1."""
        return list(psutil.Process(self.pids(repl_id)[0]).children(recursive=True))

    def _container(self, repl_id: str, name: str) -> str:
        """Returns a container's id; empty as long as the node does not know it."""
        status = self.pod(repl_id)["status"]
        said = [*status["containerStatuses"], *status["initContainerStatuses"]]
        return "".join(each.get("containerID", "") for each in said if each["name"] == name)


@contextmanager
def in_pods(world: World, home: Path) -> Iterator[PodLab]:
    """Yield a server with a namespace of its own."""
    space = world.space()
    lab = PodLab(home, space).start()
    try:
        yield lab
    finally:
        lab.stop()
        space.close()
