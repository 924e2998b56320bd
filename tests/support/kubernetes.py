"""REPLs on a real node with a real S3 server: what a test of KubernetesSpawner needs."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_repl_ext.catalog import Catalog
from jupyter_repl_ext.grants import Grants
from jupyter_repl_ext.projects import Projects
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_spawner.kubernetes import names
from jupyter_repl_spawner.kubernetes.manifests import PodTemplate
from jupyter_repl_spawner.kubernetes.pool import Bounds
from jupyter_repl_spawner.kubernetes.spawner import KubernetesSpawner, Settings

from .node import Node
from .s3 import S3Server

MAX_FILE = 512 << 20


@dataclass(frozen=True)
class World:
    node: Node
    s3: S3Server
    key: Path

    def space(self) -> "Space":
        """A namespace and a prefix of one's own."""
        name = f"t-{secrets.token_hex(4)}"
        return Space(self, self.node.make_namespace(name), f"{name}/")


@dataclass
class Space:
    """`template` and `settings` change what spawners made from then on are told."""

    world: World
    namespace: str
    prefix: str
    template: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    pool: Bounds = field(default_factory=Bounds)

    def close(self) -> None:
        self.kubectl("delete", "deployments,leases", "--all", "--wait=false", check=False)
        self.world.node.kubectl("delete", "namespace", self.namespace, "--wait=false", check=False)

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        return self.world.node.kubectl("-n", self.namespace, *arguments, check=check)

    def get(self, kind: str) -> list[Any]:
        return self.world.node.get(self.namespace, kind)

    def pods(self, repl_id: str) -> list[Any]:
        slug = names.slug(ProjectRef("", repl_id))
        return [pod for pod in self.get("pods") if pod["metadata"]["labels"].get(names.ID) == slug]

    def pod_template(self) -> PodTemplate:
        small: Mapping[str, Any] = {"cpu_request": "20m", "memory_request": "64Mi", "memory": "512Mi"}
        return PodTemplate("python", self.world.node.image, **{**small, **self.template})

    def spawner(self, **more: Any) -> KubernetesSpawner:
        """As another server of this installation would make it."""
        os.environ.update(self.world.s3.environment)
        options = {"kubeconfig": str(self.world.node.kubeconfig), "way": "pod", **self.settings, **more}
        settings = Settings(self.namespace, {"*": self.pod_template()}, self.world.key, {"*": self.pool}, **options)
        store = self.store()
        projects = Projects(store, Catalog(store, lambda program: True))
        return KubernetesSpawner(settings, Grants(store, projects, "", MAX_FILE))

    def store(self) -> S3Store:
        return self.world.s3.store(self.prefix)

    async def make(self, *ids: str) -> None:
        """Projects from the template of Python."""
        store = self.store()
        catalog = Catalog(store, lambda program: True)
        await catalog.publish()
        for repl_id in ids:
            await Projects(store, catalog).create(ProjectRef("", repl_id), "python")
        store.close()


def assignment(repl_id: str) -> Assignment:
    return Assignment(ProjectRef("", repl_id), "python", "python3 main.py", "main.py")
