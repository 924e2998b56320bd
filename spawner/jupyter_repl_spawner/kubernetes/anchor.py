"""The Lease of a REPL: creating it is the mutex of a start, deleting it takes all of it away."""

from datetime import UTC, datetime

from jupyter_repl_runner.contract.refs import ProjectRef

from . import manifests, names
from .client import Api, ApiError, Object


async def acquire(api: Api, ref: ProjectRef, holder: str, now: datetime) -> tuple[Object, bool]:
    """The Lease, and whether we made it: then the start is ours, else somebody else's to follow."""
    for _ in range(3):
        try:
            return await api.create("leases", manifests.lease(ref, api.namespace, holder, stamp(now))), True
        except ApiError as error:
            if error.status_code != 409:
                raise
        found = await api.get("leases", names.slug(ref))
        if found is not None and not found["metadata"].get("deletionTimestamp"):
            return found, False
    raise ApiError(409, {"message": "The REPL is being stopped."})


async def note(api: Api, lease: Object, **annotations: str) -> Object:
    """Write annotations into this very Lease; raises ApiError 409 or 404 if it is another by now."""
    metadata = {"uid": lease["metadata"]["uid"], "annotations": annotations}
    return await api.patch("leases", lease["metadata"]["name"], {"metadata": metadata})


async def touch(api: Api, lease: Object, now: datetime) -> Object:
    """Somebody works with it."""
    metadata = {"uid": lease["metadata"]["uid"]}
    return await api.patch(
        "leases", lease["metadata"]["name"], {"metadata": metadata, "spec": {"renewTime": stamp(now)}}
    )


async def release(api: Api, lease: Object) -> None:
    """Let garbage collection take all of it."""
    await api.delete("leases", lease["metadata"]["name"], lease["metadata"]["uid"])


def stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
