"""What the cluster holds of one kind, in memory, kept by a watch that never gives up.

List, then watch from there with bookmarks; a silent or broken watch is resumed from the last version, and one that is
too old begins with a list again. A list now and then counts what the watch had wrong.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from logging import getLogger

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError

from .client import Api, between
from .client_errors import ApiError, Object

PAGE = 100
"""Objects of one answer: a larger one holds the event loop for longer than a key may take."""
GONE = 256
"""Deletions that are remembered, so that a late answer brings nothing back."""
WATCH_SECONDS = (240.0, 300.0)
SILENCE_SECONDS = 90.0
RELIST_SECONDS = 600.0
BACKOFF_SECONDS = (0.05, 5.0)
SHORT_SECONDS = 1.0
"""A watch that has ended before is a failure."""
_GONE = 410

log = getLogger(__name__)


class Watch:
    """`objects` by name; `listen` is called with each object that changed, and whether it is still there. Its
    owner starts and stops it."""

    def __init__(
        self,
        api: Api,
        kind: str,
        selector: str,
        *,
        silence: float = SILENCE_SECONDS,
        relist: float = RELIST_SECONDS,
    ) -> None:
        self.objects: dict[str, Object] = {}
        self.differences = 0
        """What later lists found that the watch had missed."""
        self.reconnects = 0
        self._api = api
        self._kind = kind
        self._selector = selector
        self._silence = silence
        self._relist_seconds = relist
        self._listeners: list[Callable[[Object, bool], None]] = []
        self._version = ""
        self._gone: deque[str] = deque(maxlen=GONE)
        self._failures = 0
        self._known = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_known(self) -> bool:
        """Whether it was listed once."""
        return self._known.is_set()

    def listen(self, call: Callable[[Object, bool], None]) -> None:
        self._listeners.append(call)

    def learn(self, item: Object) -> None:
        """Take in the answer of a write of our own, ahead of the watch."""
        self._take(item, is_there=True)

    async def start(self, seconds: float) -> None:
        """Return when everything is known. Raises TimeoutError."""
        if self._task is None:
            self._task = tasks.spawn(self._run(), f"watch of {self._kind}", lasting=True)
        async with asyncio.timeout(seconds):
            await self._known.wait()

    async def stop(self) -> None:
        """Idempotent."""
        task, self._task = self._task, None
        await tasks.stop(task)

    async def wait(self, name: str, condition: Callable[[Object | None], bool], seconds: float) -> Object | None:
        """The object once it is as wanted; None if its absence is wanted. Raises TimeoutError."""
        changed = asyncio.Event()

        def tell(found: Object, _: bool) -> None:
            if found["metadata"]["name"] == name:
                changed.set()

        self._listeners.append(tell)
        try:
            async with asyncio.timeout(seconds):
                while not condition(self.objects.get(name)):
                    await changed.wait()
                    changed.clear()
                return self.objects.get(name)
        finally:
            self._listeners.remove(tell)

    async def _run(self) -> None:
        loop, listed_at = asyncio.get_running_loop(), -math.inf
        while True:
            try:
                if not self._version or loop.time() - listed_at > self._relist_seconds:
                    await self._list()
                    listed_at = loop.time()
                began = loop.time()
                await self._watch()
                if loop.time() - began < SHORT_SECONDS:  # a server that shuts down ends it in good order, at once
                    self._failures += 1
            except ApiError as error:
                self._failures += 1
                if error.status_code == _GONE:
                    self._version = ""
                    if self._failures == 1:
                        continue
                log.warning("The watch of %s: %s", self._kind, error.message)
            except ReplError as error:
                self._failures += 1
                log.info("The watch of %s: %s", self._kind, error.message)
            except Exception:
                self._failures += 1
                log.exception("The watch of %s failed; it goes on", self._kind)
            self.reconnects += 1
            low, high = BACKOFF_SECONDS
            if self._failures:
                await asyncio.sleep(between(low, min(high, low * 2 ** min(self._failures, 8))))

    async def _list(self) -> None:
        """In pages; passes on what differs from what was known."""
        found: set[str] = set()
        was_known = self._known.is_set()
        query = {"labelSelector": self._selector, "limit": str(PAGE)}
        while True:
            page = await self._api.list(self._kind, **query)
            for item in page.get("items", ()):
                name = item["metadata"]["name"]
                found.add(name)
                old = self.objects.get(name)
                if old is None or old["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                    self.differences += was_known
                    self._take(item, is_there=True)
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                break
        self._version = page["metadata"]["resourceVersion"]
        # What we have learned of since the list began is newer than the list, and not missing in it.
        for item in [item for name, item in self.objects.items() if name not in found]:
            if int(item["metadata"]["resourceVersion"]) <= int(self._version):
                self.differences += was_known
                self._take(item, is_there=False)
        self._known.set()

    async def _watch(self) -> None:
        query = {"labelSelector": self._selector, "resourceVersion": self._version}
        async for event in self._api.watch(self._kind, between(*WATCH_SECONDS), self._silence, **query):
            item = event["object"]
            if event["type"] == "ERROR":
                raise ApiError(int(item.get("code", 500)), item)
            self._failures = 0
            self._version = item["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                self._take(item, is_there=event["type"] != "DELETED")

    def _take(self, item: Object, *, is_there: bool) -> None:
        name = item["metadata"]["name"]
        if is_there:
            if _is_older(item, self.objects.get(name)) or item["metadata"]["uid"] in self._gone:
                return
            self.objects[name] = item
        else:
            self.objects.pop(name, None)
            self._gone.append(item["metadata"]["uid"])
        for call in list(self._listeners):
            try:
                call(item, is_there)
            except Exception:
                log.exception("A listener to %s failed", self._kind)


def _is_older(item: Object, known: Object | None) -> bool:
    """Whether what we have of this object is newer. Versions can be compared: they are etcd's revisions."""
    if known is None or known["metadata"]["uid"] != item["metadata"]["uid"]:
        return False
    return int(item["metadata"]["resourceVersion"]) <= int(known["metadata"]["resourceVersion"])
