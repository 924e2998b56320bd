"""The parts that everything that works in the cluster needs. The spawner makes them once."""

from dataclasses import dataclass

from .anchor import Leases
from .client import Api
from .cluster_view import ClusterView
from .keys import Keys
from .pods import Pods


@dataclass(frozen=True)
class Cluster:
    """`api` writes, `view` is what the watches have read. Leases and pods are reached through the other two."""

    api: Api
    view: ClusterView
    leases: Leases
    pods: Pods
    keys: Keys
