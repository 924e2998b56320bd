"""The Lease of a REPL: creating it is the mutex of a start, and deleting it deletes all that it owns. A server that
works on it is its holder, by a unique name; a server that is no longer the holder can change nothing."""

import time
from collections.abc import Callable, Mapping

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef

from . import manifests, names, patches
from .client import Api
from .client_errors import ApiError, Object
from .state import Anchor, stamp

ATTEMPTS = 3
_CHANGED = (404, 409, 422)


class Lost(Unavailable):
    """Another holder works on the Lease now, or it is gone."""

    def __init__(self) -> None:
        super().__init__("Another server has taken over, or it was stopped.", hint="Try again.")


class Leases:
    """`learn` gets what was written, ahead of the watch."""

    def __init__(self, api: Api, learn: Callable[[Object], None]) -> None:
        self._api = api
        self._learn = learn

    async def acquire(self, ref: ProjectRef, holder: str, annotations: Mapping[str, str]) -> tuple[Anchor, bool]:
        """The Lease, and whether we created it: then the start is ours, else we follow another server's."""
        for _ in range(ATTEMPTS):
            made = manifests.lease(ref, self._api.namespace, holder, stamp(time.time()), annotations)
            try:
                return self._read(await self._api.create("leases", made)), True
            except ApiError as error:
                if error.status_code != 409:
                    raise
            found = await self.get(ref)
            if found is not None:
                return found, found.holder == holder  # our own creation was carried out, and its answer was lost
        raise Lost

    async def get(self, ref: ProjectRef) -> Anchor | None:
        """As the API has it. Raises Unavailable if the object of that name is somebody else's."""
        found = await self._api.get("leases", names.slug(ref))
        if found is None:
            return None
        if names.ref_of(found["metadata"].get("annotations", {})) != ref:
            raise Unavailable(
                f"The Lease {names.slug(ref)} is not of {ref}.",
                hint="Ask the administrator to look at it.",
            )
        return Anchor.of(found)

    async def take_over(self, seen: Anchor, holder: str, changes: Mapping[str, str]) -> Anchor | None:
        """Take it over; None if it has changed since it was seen."""
        patch = patches.take_over(seen.uid, seen.holder, seen.said_deadline, holder, changes)
        try:
            return self._read(await self._api.patch("leases", seen.name, patch))
        except ApiError as error:
            if error.status_code in _CHANGED:
                return None
            raise

    async def note(self, ours: Anchor, changes: Mapping[str, str], *, touch: bool = False) -> None:
        """Write annotations, and with `touch` that somebody works with it. Raises Lost if it is not its holder's any
        more."""
        patch = patches.note(ours.uid, ours.holder, changes, stamp(time.time()) if touch else "")
        try:
            self._read(await self._api.patch("leases", ours.name, patch))
        except ApiError as error:
            if error.status_code in _CHANGED:
                raise Lost from error
            raise

    async def release(self, ours: Anchor) -> None:
        """Delete it; garbage collection deletes what it owns."""
        await self._api.delete("leases", ours.name, ours.uid)

    def _read(self, lease: Object) -> Anchor:
        self._learn(lease)
        return Anchor.of(lease)
