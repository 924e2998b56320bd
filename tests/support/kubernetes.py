"""REPLs on a real node with a real S3 server: what a test of KubernetesSpawner needs."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.repls.grant_issuer import GrantIssuer
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_spawner.kubernetes import names
from jupyter_repl_spawner.kubernetes.pod_template import PodTemplate
from jupyter_repl_spawner.kubernetes.pool import Bounds
from jupyter_repl_spawner.kubernetes.rights import PROXY_RULES, RULES
from jupyter_repl_spawner.kubernetes.spawner import KubernetesSpawner, Settings
from jupyter_repl_spawner.port import Granter

from .node import KINDS, Node
from .s3 import S3Server

MAX_FILE = 512 << 20
TOKEN_SECONDS = 6 * 3600


@dataclass(frozen=True)
class World:
    node: Node
    s3: S3Server
    key: Path

    def space(self, more: Sequence[dict[str, Any]] = ()) -> "Space":
        """Make a namespace and a prefix of a bucket. `more`: rights beyond those that the spawner needs."""
        name = f"t-{secrets.token_hex(4)}"
        return Space(self, self.node.make_namespace(name), f"{name}/", self._identity(name, more))

    def _identity(self, namespace: str, more: Sequence[dict[str, Any]]) -> Path:
        """Make an account with the rights that the spawner needs, and no others but `more`. Returns its kubeconfig."""
        account = {"name": "spawner", "namespace": namespace}
        subject = {"kind": "ServiceAccount", **account}
        role = {"kind": "Role", "name": "spawner", "apiGroup": "rbac.authorization.k8s.io"}
        core, rights = f"api/v1/namespaces/{namespace}", f"apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        for place, body in (
            (f"{core}/serviceaccounts", {}),
            (f"{rights}/roles", {"rules": [*RULES, *PROXY_RULES, *more]}),
            (f"{rights}/rolebindings", {"subjects": [subject], "roleRef": role}),
        ):
            self.node.ask("POST", place, {"metadata": account, **body})
        asked = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        token = self.node.ask("POST", f"{core}/serviceaccounts/spawner/token", asked)["status"]["token"]
        config = yaml.safe_load(self.node.kubeconfig.read_text())
        config["users"] = [{"name": each["name"], "user": {"token": token}} for each in config["users"]]
        path = self.key.parent / f"{namespace}.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path


@dataclass
class Space:
    """A namespace and a prefix for one test. `template` and `settings` apply to spawners that are made afterwards."""

    world: World
    namespace: str
    prefix: str
    kubeconfig: Path
    template: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    pool: Bounds = field(default_factory=Bounds)

    def close(self) -> None:
        with suppress(AssertionError):  # a namespace that a test has broken goes with the node
            for kind in ("deployments", "leases"):
                self.world.node.ask("DELETE", f"{KINDS[kind]}/namespaces/{self.namespace}/{kind}")
            self.world.node.ask("DELETE", f"api/v1/namespaces/{self.namespace}")

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        return self.world.node.kubectl("-n", self.namespace, *arguments, check=check)

    def get(self, kind: str, name: str = "", selector: str = "") -> Any:
        return self.world.node.get(self.namespace, kind, name, selector)

    def left(self) -> list[str]:
        """Returns all objects, of any kind, that belong to a REPL."""
        found = [(kind, each) for kind in KINDS for each in self.get(kind, selector=names.ID)]
        return [f"{kind}/{each['metadata']['name']}" for kind, each in found]

    def pods(self, repl_id: str) -> list[Any]:
        slug = names.slug(ProjectRef("", repl_id))
        return [pod for pod in self.get("pods") if pod["metadata"]["labels"].get(names.ID) == slug]

    def pod_template(self) -> PodTemplate:
        small = {"cpu_request": "20m", "memory_request": "64Mi", "memory": "512Mi"}
        return PodTemplate(**{"language": "python", "image": self.world.node.image, **small, **self.template})

    def s3_objects(self) -> dict[str, str]:
        """Returns the etags of this space's objects, by their keys."""
        client = self.world.s3.client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.world.s3.bucket, Prefix=self.prefix)
        found = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"].removeprefix(self.prefix): item["ETag"] for item in found}

    def spawner(self, granter: Granter | None = None, **more: Any) -> KubernetesSpawner:
        """Make a spawner as another server of this installation would."""
        os.environ.update(self.world.s3.environment)
        options = {"kubeconfig": str(self.kubeconfig), "way": "pod", **self.settings, **more}
        settings = Settings(self.namespace, {"*": self.pod_template()}, self.world.key, {"*": self.pool}, **options)
        store = self.store()
        projects = Projects(store, Catalog(store, lambda program: True))
        return KubernetesSpawner(settings, granter or GrantIssuer(store, projects, "", MAX_FILE))

    def store(self) -> S3Store:
        return self.world.s3.store(self.prefix)

    async def make(self, *ids: str) -> None:
        """Create projects from the template of Python."""
        store = self.store()
        catalog = Catalog(store, lambda program: True)
        await catalog.publish()
        for repl_id in ids:
            await Projects(store, catalog).create(ProjectRef("", repl_id), "python")
        store.close()


def assignment(repl_id: str) -> Assignment:
    return Assignment(ProjectRef("", repl_id), "python", "python3 main.py", "main.py")
