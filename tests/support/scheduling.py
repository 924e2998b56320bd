"""Which tests run side by side: whole modules, the longest first, and at the end those that must run alone.

pytest-xdist hands out whole modules, since the tests of a module share servers. Two rules are added. Modules start in
the order of `times.json`, so that no long one begins last. Tests marked `alone` (they kill what others use, use up
what all share, or judge times) start when everything else has ended, one at a time.
"""

import json
import os
import tempfile
from collections import OrderedDict
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TIMES = Path(__file__).parents[1] / "times.json"
"""How long each module took when it was last measured, see `times.py`."""
UNKNOWN_SECONDS = 10.0

COLLECTED = pytest.StashKey[list[pytest.Item]]()
"""All that was collected, also what is deselected then."""

Queue = OrderedDict[str, dict[str, bool]]
"""Units of work by name: the ids of their tests, and whether each is done."""


def worker_count(config: pytest.Config) -> int:
    """Three for two cores, since tests wait for a third of their time. 0, this process itself, where a module or test
    is named."""
    named = any("::" in argument or argument.endswith(".py") for argument in config.args)
    return 0 if named or config.option.usepdb else max(2, min(8, (os.cpu_count() or 1) * 3 // 2))


def arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the items into the order in which they start. In a worker, also tell the scheduler which ones are alone:
    it sees nothing but their ids."""
    _make_unique(items)
    times = json.loads(TIMES.read_text())

    def start(item: pytest.Item) -> tuple[bool, float, str]:
        module = item.nodeid.partition("::")[0].removeprefix("tests/")
        return is_alone(item), -times.get(module, {}).get("seconds", UNKNOWN_SECONDS), module

    items.sort(key=start)  # stable: the tests of a module stay in its order
    if workerinput := getattr(config, "workerinput", None):
        place = _place(workerinput["testrunuid"])
        part = place.with_suffix(f".{workerinput['workerid']}")
        part.write_text(json.dumps([item.nodeid for item in items if is_alone(item)]))
        part.rename(place)


def _make_unique(items: list[pytest.Item]) -> None:
    """Give each item an id that ends with its name: with pytest 9.2 all cases of schemathesis for a function have one
    id, and of items that share an id xdist runs one. Such a case can be selected by its function only."""
    for item in items:
        if not item.nodeid.endswith(f"::{item.name}"):
            item._id = type(item._id).parse(f"{item.nodeid.rpartition('::')[0]}::{item.name}")  # type: ignore[attr-defined]
    assert len({item.nodeid for item in items}) == len(items)


def is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


def _place(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"repl-alone-{run}.json"


class Scheduling(LoadScopeScheduling):
    """`workqueue` holds what runs side by side; `later` the tests that run alone, until their turn has come."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)  # type: ignore[arg-type]
        self.later: Queue = OrderedDict()
        self._alone: set[str] = set()

    def schedule(self) -> None:
        if self.collection is None:
            if not self._check_nodes_have_same_collection():
                return
            self.collection = list(next(iter(self.registered_collections.values())))
            place = _place(self.nodes[0].workerinput["testrunuid"])
            self._alone = set(json.loads(place.read_text()))
            place.unlink()
            for name in self.collection:
                queue = self.later if name in self._alone else self.workqueue
                queue.setdefault(self._split_scope(name), {})[name] = False
        for node in self.nodes:
            self._reschedule(node)

    @property
    def tests_finished(self) -> bool:
        return not self.later and super().tests_finished

    @property
    def has_pending(self) -> bool:
        return bool(self.later) or super().has_pending

    def remove_node(self, node: WorkerController) -> str | None:
        crashed = super().remove_node(node)
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid in self._alone else nodeid.partition("::")[0]

    def _reschedule(self, node: WorkerController) -> None:
        """A worker starts a test only when it knows the next one, or that there is none: so it always has two."""
        if node.shutting_down:
            return
        if not self.workqueue and self.later and self.nodes == [node]:
            self.workqueue, self.later = self.later, OrderedDict()
        while self.workqueue and self._pending_of(self.assigned_work[node]) < 2:
            self._assign_work_unit(node)
        if self.workqueue:
            return
        # The last worker stays for the tests that run alone.
        if not self.later or any(not other.shutting_down for other in self.nodes if other is not node):
            node.shutdown()
