"""What the spawner may do in the runners' namespace: the Role as data. Pure.

The chart renders it, tests run as it, and each verb is needed. Nothing on secrets, no exec, nothing cluster-wide.
"""

from typing import Any

RULES: tuple[dict[str, Any], ...] = (
    {
        "apiGroups": [""],
        "resources": ["pods"],
        "verbs": ["list", "watch", "patch", "delete"],
    },
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]},
    {"apiGroups": [""], "resources": ["services"], "verbs": ["create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "list", "watch", "create", "patch", "delete"],
    },
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "watch", "create", "patch", "delete"]},
)

INGRESS_RULES: tuple[dict[str, Any], ...] = (
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": ["create"]},
)
"""Where the admin wants a host for each REPL."""

PROXY_RULES: tuple[dict[str, Any], ...] = (
    {"apiGroups": [""], "resources": ["pods/proxy"], "verbs": ["get", "create", "update", "patch", "delete"]},
)
"""For a server outside of the cluster, which reaches pods through the API server."""
