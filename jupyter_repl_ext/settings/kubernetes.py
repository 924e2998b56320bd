"""The settings of REPLs on Kubernetes, as traits of the extension."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Enum, Float, HasTraits, Unicode

from jupyter_repl_ext import __version__

if TYPE_CHECKING:
    from jupyter_repl_spawner.kubernetes.manifests import Hosts
    from jupyter_repl_spawner.kubernetes.spawner import KubernetesSpawner
    from jupyter_repl_spawner.port import SpawnerContext

PREFIX = "kubernetes_"
POOL = {"pool_min": "least", "pool_max": "most"}


class KubernetesTraits(HasTraits):
    """A part of ReplExtension. Nothing here is read unless `spawner` is `kubernetes`."""

    kubernetes_namespace = Unicode(
        "repls",
        config=True,
        help="""The namespace of the pods. It should contain nothing else.""",
    )
    kubernetes_image = Unicode(
        f"jupyter-repl-runner:{__version__}",
        config=True,
        help="""The image of pods whose template names none. Build it from runner/Dockerfile.""",
    )
    kubernetes_templates = Dict(
        config=True,
        help="""The templates of pods, by language. `*` holds values for all languages, which a language's own values
        override: `{"*": {"memory": "1Gi"}, "python": {"image": "...", "pool_min": 2, "pool_max": 10}}`. The keys are
        image, image_pull_policy, cpu, cpu_request, memory, memory_request, sync_memory, disk, temporary (the size of
        /tmp), runtime_class, overrides (a strategic merge patch for the pod's template), pool_min and pool_max (the
        least and the most warm pods that wait for a start; 0, the default: none).""",
    )
    kubernetes_kubeconfig = Unicode(
        config=True,
        help="""The kubeconfig file of the cluster. Empty (the default): inside a cluster, the pod's own service
        account; elsewhere, KUBECONFIG or ~/.kube/config.""",
    )
    kubernetes_context = Unicode(config=True, help="""The context to use. Empty (the default): the current one.""")
    kubernetes_reach = Enum(
        ("auto", "pod", "proxy"),
        "auto",
        config=True,
        help="""How this server connects to pods. `pod`: directly to their addresses. `proxy`: through the API server,
        which requires the right pods/proxy. `auto` (the default): `pod` if this server runs in a cluster, else
        `proxy`.""",
    )
    kubernetes_key_file = Unicode(
        config=True,
        help="""The file with the keys of the servers, one per line, each of 64 hexadecimal digits. All servers of an
        installation need the same keys: with them they sign orders to pods and make the tokens of pods. New pods use
        the first key. To change it, add a new line above the old one, and remove the old line when no pod that was
        made with it is left. Empty (the default): `repl/key` in Jupyter's data directory, created if it is missing.""",
    )
    kubernetes_ingress_host = Unicode(
        config=True,
        help="""The host name of the Ingress to what a REPL serves on port 3000. It must contain `{name}`, as in
        `{name}.apps.example.org`. Everybody who can reach the host can use it, without a token. Empty (the default):
        there is no Ingress.""",
    )
    kubernetes_ingress_class = Unicode(config=True, help="""The Ingress's class. Empty (the default): the cluster's.""")
    kubernetes_node_timeout = Float(
        120.0, config=True, help="""Seconds that a pod may wait for a node, before the start fails with the reason."""
    )
    kubernetes_image_timeout = Float(
        300.0, config=True, help="""Seconds that a pod may take on its node to pull its image and run its containers."""
    )


def make_spawner(context: "SpawnerContext") -> "KubernetesSpawner":
    """Returns the spawner of the entry point `kubernetes`. Raises ValueError for invalid settings."""
    from jupyter_repl_spawner.kubernetes.candidate import Deadlines
    from jupyter_repl_spawner.kubernetes.spawner import KubernetesSpawner, Settings

    if context.granter is None:
        raise ValueError("spawner=kubernetes: pods need projects in S3: set store_url to s3://bucket/prefix")
    said = {name.removeprefix(PREFIX): value for name, value in context.settings.items() if name.startswith(PREFIX)}
    templates, pools = read_templates(said["templates"], said["image"])
    settings = Settings(
        namespace=said["namespace"],
        templates=templates,
        pools=pools,
        key_file=Path(said["key_file"] or context.data_dir / "repl/key"),
        kubeconfig=said["kubeconfig"],
        context=said["context"],
        way=said["reach"],
        hosts=_hosts(said["ingress_host"], said["ingress_class"]),
        deadlines=Deadlines(said["node_timeout"], said["image_timeout"]),
    )
    return KubernetesSpawner(settings, context.granter)


def _hosts(host: str, ingress_class: str) -> "Hosts | None":
    from jupyter_repl_spawner.kubernetes.manifests import Hosts

    if not host:
        return None
    if "{name}" not in host:
        raise ValueError("kubernetes_ingress_host: {name} is missing, so all REPLs would share one host")
    return Hosts(host, ingress_class)


def read_templates(given: Mapping[str, Any], image: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the templates of pods and the bounds of pools, by language. Raises ValueError with the name of an unknown
    key, and what invalid sizes and overrides raise."""
    from jupyter_repl_spawner.kubernetes.manifests import pool_name
    from jupyter_repl_spawner.kubernetes.pod_template import DEFAULT, PodTemplate
    from jupyter_repl_spawner.kubernetes.pool import Bounds

    known = {field.name for field in fields(PodTemplate)} - {"language", "public_key"}
    common = {"image": image, **given.get(DEFAULT, {})}
    templates, pools = {}, {}
    for language in {DEFAULT, *given}:
        said = {**common, **given.get(language, {})}
        unknown = sorted(set(said) - known - set(POOL))
        if unknown:
            raise ValueError(f"kubernetes_templates[{language!r}]: there is no {unknown[0]}; there are {sorted(known)}")
        pools[language] = Bounds(**{POOL[name]: int(said.pop(name)) for name in POOL if name in said})
        templates[language] = PodTemplate("default" if language == DEFAULT else language, **said)
        pool_name(templates[language])  # parses sizes and overrides, so that their errors are raised here
    return templates, pools
