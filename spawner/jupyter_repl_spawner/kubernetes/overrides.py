"""What an admin changes of our pods: a strategic merge, as kubectl and Kustomize do it. Pure.

Objects are merged, null takes a field away, lists of named things are merged by their key, other lists are replaced.
"""

from collections.abc import Mapping
from typing import Any

from jupyter_repl_runner.contract.errors import InvalidRequest

KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
"""Merge keys of lists in a pod, as the API's schema has them; a list that is not here is replaced as a whole."""


def merge(base: Any, patch: Any, path: str = "") -> Any:
    """`base` with `patch` over it; neither is changed. Raises InvalidRequest with the path of what does not fit."""
    if isinstance(base, Mapping) and isinstance(patch, Mapping):
        merged = dict(base)
        for name, value in patch.items():
            inner = f"{path}.{name}" if path else str(name)
            if value is None:
                merged.pop(name, None)
            elif name in merged:
                merged[name] = merge(merged[name], value, inner)
            else:
                merged[name] = _without_nulls(value)
        return merged
    if isinstance(base, list) and isinstance(patch, list):
        key = KEYS.get(path.rpartition(".")[2])
        return _merge_by(key, base, patch, path) if key else list(patch)
    if isinstance(base, (Mapping, list)) or isinstance(patch, (Mapping, list)):
        raise InvalidRequest(
            f"pod_overrides: {path} is {_kind(patch)}, and {_kind(base)} is wanted.", hint="Compare it with the pod's."
        )
    return patch


def _merge_by(key: str, base: list[Any], patch: list[Any], path: str) -> list[Any]:
    merged = list(base)
    for item in patch:
        if not isinstance(item, Mapping) or key not in item:
            hint = f"Entries are matched by {key}."
            raise InvalidRequest(f"pod_overrides: an entry of {path} has no {key}.", hint=hint)
        places = [place for place, each in enumerate(merged) if each.get(key) == item[key]]
        if item.get("$patch") == "delete":
            merged = [each for each in merged if each.get(key) != item[key]]
        elif places:
            merged[places[0]] = merge(merged[places[0]], item, path)
        else:
            merged.append(_without_nulls(item))
    return merged


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


def _kind(value: Any) -> str:
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else "a plain value"
