"""Decides which tests run side by side: whole modules, and some tests alone.

pytest-xdist hands out whole modules, since the tests of a module share servers. This adds rules:

- The longest modules start first, by `times.json`, so that no long one begins last.
- Two workers take modules with tests on the Kubernetes node, as long as there are any. Those tests wait more than they
  compute, the others compute more than they wait: side by side they keep the machine busy.
- Tests marked `outage` kill parts of the node. They run one after the other on one worker, as soon as no other test
  needs the node. The other workers go on.
- Tests marked `alone` use up what all share, or judge times. They start when everything else has ended, one at a time.
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
ON_NODE = 2
"""At most so many workers take modules on the node while there are other modules."""

COLLECTED = pytest.StashKey[list[pytest.Item]]()
"""All items that were collected, also those that are deselected later."""

MARKS = ("alone", "node", "outage")
Queue = OrderedDict[str, dict[str, bool]]
"""Units of work by name. Each maps the ids of its tests to whether the test is done."""


def worker_count(config: pytest.Config) -> int:
    """Returns two for each core, since tests wait for half of their time. If a module or test is named, returns 0: the
    tests then run in this process."""
    named = any("::" in argument or argument.endswith(".py") for argument in config.args)
    return 0 if named or config.option.usepdb else max(2, min(8, (os.cpu_count() or 1) * 2))


def arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the items into the order in which they start. In a worker, also write their marks to a file for the
    scheduler, which sees only their ids."""
    _make_unique(items)
    times: dict[str, float] = {}
    for name, measured in json.loads(TIMES.read_text()).items():
        module = _module(f"tests/{name}")
        times[module] = times.get(module, 0.0) + measured["seconds"]

    def start(item: pytest.Item) -> tuple[bool, float, str]:
        module = _module(item.nodeid)
        seconds = times.get(module, UNKNOWN_SECONDS)
        return is_alone(item), -seconds, module

    items.sort(key=start)  # stable: the tests of a module stay in its order
    if workerinput := getattr(config, "workerinput", None):
        place = _place(workerinput["testrunuid"])
        part = place.with_suffix(f".{workerinput['workerid']}")
        marked = {mark: [item.nodeid for item in items if is_marked(item, mark)] for mark in MARKS}
        part.write_text(json.dumps(marked))
        part.rename(place)


def _make_unique(items: list[pytest.Item]) -> None:
    """Give each item an id that ends with its name. With pytest 9.2 all cases of schemathesis for a function have the
    same id, and xdist runs only one of the items that share an id. Such a case can be selected by its function only."""
    for item in items:
        if not item.nodeid.endswith(f"::{item.name}"):
            item._id = type(item._id).parse(f"{item.nodeid.rpartition('::')[0]}::{item.name}")  # type: ignore[attr-defined]
    assert len({item.nodeid for item in items}) == len(items)


def is_marked(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


def is_alone(item: pytest.Item) -> bool:
    """Returns True if no other test may run meanwhile, on the node or at all."""
    return is_marked(item, "alone") or is_marked(item, "outage")


HUB = "tests/cluster/test_hub"
"""How the names of modules begin that share the hub on the node, and so a worker: it takes a minute to start."""


def _module(nodeid: str) -> str:
    if nodeid.startswith(HUB):
        return HUB
    return nodeid.partition("::")[0]


def _place(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"repl-marks-{run}.json"


class Scheduling(LoadScopeScheduling):
    """`workqueue` holds the units that run side by side. `on_node` holds the outages, and `later` the tests that run
    alone, until their turn comes."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)  # type: ignore[arg-type]
        self.on_node: Queue = OrderedDict()
        self.later: Queue = OrderedDict()
        self._marked: dict[str, set[str]] = {}

    def schedule(self) -> None:
        if self.collection is None:
            if not self._check_nodes_have_same_collection():
                return
            self.collection = list(next(iter(self.registered_collections.values())))
            place = _place(self.nodes[0].workerinput["testrunuid"])
            self._marked = {mark: set(names) for mark, names in json.loads(place.read_text()).items()}
            place.unlink()
            for name in self.collection:
                self._queue_of(name).setdefault(self._split_scope(name), {})[name] = False
        for node in self.nodes:
            self._reschedule(node)

    def _queue_of(self, name: str) -> Queue:
        if name in self._marked["outage"]:
            return self.on_node
        return self.later if name in self._marked["alone"] else self.workqueue

    @property
    def tests_finished(self) -> bool:
        return not self.on_node and not self.later and super().tests_finished

    @property
    def has_pending(self) -> bool:
        return bool(self.on_node or self.later) or super().has_pending

    def remove_node(self, node: WorkerController) -> str | None:
        crashed = super().remove_node(node)
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid in self._marked["alone"] | self._marked["outage"] else _module(nodeid)

    def _reschedule(self, node: WorkerController) -> None:
        """Give a worker more units. It always has two, because it starts a test only if it knows the next one, or knows
        that there is none."""
        if node.shutting_down:
            return
        if self.on_node and not self._others_need_the_node(node):
            self.workqueue, rest = self.on_node, self.workqueue
            self.on_node = OrderedDict()
            while self.workqueue:
                self._assign_work_unit(node)
            self.workqueue = rest
        if not self.workqueue and not self.on_node and self.later and self.nodes == [node]:
            self.workqueue, self.later = self.later, OrderedDict()
        while self.workqueue and self._pending_of(self.assigned_work[node]) < 2:
            self._choose(node)
            self._assign_work_unit(node)
        if self.workqueue:
            return
        # The last worker must not stop before the tests that run alone.
        others_work = any(not other.shutting_down for other in self.nodes if other is not node)
        if not (self.on_node or self.later) or others_work:
            node.shutdown()

    def _choose(self, node: WorkerController) -> None:
        """Move the unit that this worker should run next to the front of the queue."""
        others = [work for worker, work in self.assigned_work.items() if worker is not node]
        wants_node = sum(any(map(self._needs_node, work.values())) for work in others) < ON_NODE
        fitting = (name for name, unit in self.workqueue.items() if self._needs_node(unit) == wants_node)
        if (name := next(fitting, None)) is not None:
            self.workqueue.move_to_end(name, last=False)

    def _others_need_the_node(self, node: WorkerController) -> bool:
        """Returns True if a test that waits, or that another worker has, needs the Kubernetes node."""
        works = [work for worker, work in self.assigned_work.items() if worker is not node]
        return any(
            map(self._needs_node, [*self.workqueue.values(), *(unit for work in works for unit in work.values())])
        )

    def _needs_node(self, unit: dict[str, bool]) -> bool:
        return any(not done and name in self._marked["node"] for name, done in unit.items())
