"""Taking a candidate pod for a REPL: two compare-and-swaps on the server, so that a pod is for one REPL and a REPL has
one pod of its generation."""

import random
import time
from collections.abc import Callable, Sequence

from jupyter_repl_runner.contract.refs import ProjectRef

from . import names, patches
from .client import Api
from .client_errors import ApiError, Object
from .state import seconds, stamp


async def claim(
    api: Api,
    ref: ProjectRef,
    lease: Object,
    candidates: Sequence[Object],
    state: str,
    is_free: Callable[[Object], bool] = lambda pod: True,
) -> Object | None:
    """One of the candidates, claimed; None if others were faster with all of them. The order is random: claimers that
    go in one order would meet at each pod. `is_free`: whether a candidate is still unclaimed by the cluster view."""
    pods = list(candidates)
    random.shuffle(pods)
    for pod in pods:
        if not is_free(pod):
            continue
        metadata, now = pod["metadata"], stamp(time.time())
        has_annotations = bool(metadata.get("annotations"))
        patch = patches.claim(metadata["uid"], state, ref, lease, now, has_annotations=has_annotations)
        try:
            return await api.patch("pods", metadata["name"], patch)
        except ApiError as error:
            if error.status_code not in (404, 409, 422):
                raise
            if state == names.COLD and (found := await api.get("pods", metadata["name"])) is not None:
                # Nobody else claims a REPL's own pod: our claim was carried out, and its answer was lost.
                said = found["metadata"]
                if said["uid"] == metadata["uid"] and said.get("annotations", {}).get(names.CLAIMED_AT) == now:
                    return found
    return None


def is_claimable(pod: Object, state: str) -> bool:
    """Whether it can be claimed: alive, unclaimed, with an address. It need not be Ready, see docs/decisions.md."""
    metadata, status = pod["metadata"], pod.get("status", {})
    return (
        metadata.get("labels", {}).get(names.STATE) == state
        and not metadata.get("deletionTimestamp")
        and bool(status.get("podIP"))
        and status.get("phase") == "Running"
    )


def claimed_at(pod: Object) -> float:
    """In seconds since the epoch; 0: never."""
    return seconds(pod["metadata"].get("annotations", {}).get(names.CLAIMED_AT, ""))
