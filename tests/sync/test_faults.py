"""A store that fails now and then, in every way a network has: nothing is lost, doubled or half."""

import random
import shutil
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.faults import FAULTS, FaultyProxy
from support.lab import wait_for
from support.s3 import CREDENTIALS
from support.syncing import Sync, objects, tree
from support.vandal import Vandal

from jupyter_repl_runner.store.s3 import S3Store

Make = Callable[..., Sync]
pytestmark = pytest.mark.timeout(300)


@pytest.mark.process  # what a network does to sync is the same in a pod; the rest of these run there too
@pytest.mark.parametrize("faults", [FAULTS[:2], FAULTS[2:4], FAULTS[4:]])
def test_work_goes_on_and_all_of_it_arrives(
    make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy, faults: tuple[str, ...]
) -> None:
    sync = make(store=faulty, main="").start().opened()
    vandal = Vandal(sync.project, 3)
    proxy.faults, proxy.share = faults, 0.25
    until = time.monotonic() + 8
    while time.monotonic() < until:
        vandal.act()
        time.sleep(random.uniform(0, 0.03))
    shutil.rmtree(sync.project / ".git", ignore_errors=True)
    proxy.share = 0.0
    assert proxy.failed > 10
    files = {path: found[3] for path, found in tree(sync.project).items() if found[0] == "file"}
    until = time.monotonic() + 60
    while (there := objects(store)) != files:
        differing = {path for path in {*there, *files} if there.get(path) != files.get(path)}
        assert time.monotonic() < until, (differing, sync.marks, sync.log[-3000:])
        time.sleep(0.5)
    assert not [path for path in files if "other version" in path]  # nobody else has written
    assert sync.stop() == 0


def test_a_restore_through_faults_is_whole(make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy) -> None:
    first = make("first", main="").start().opened()
    for number in range(120):
        (first.project / f"f{number}").write_bytes(random.Random(number).randbytes(20_000))
    first.settled()
    assert first.stop() == 0
    proxy.share, proxy.latency = 0.15, 0.5
    second = make("second", store=faulty, main="").start().opened(90)
    assert tree(second.project) == tree(first.project)
    proxy.share = 0.0
    second.settled(60)
    assert len(objects(store)) == 120


def test_a_store_that_takes_ten_seconds_holds_nobody_up(
    make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy
) -> None:
    sync = make(store=faulty, main="").start().opened().settled()
    proxy.faults, proxy.share, proxy.latency = ("late",), 1.0, 10.0
    (sync.project / "slow").write_text("slow")
    wait_for(lambda: sync.marks.state == "away", 15)
    proxy.latency = 0.0
    wait_for(lambda: objects(store) == {"slow": b"slow"}, 40)
    proxy.share = 0.0
    sync.settled(40)


@pytest.mark.process
def test_credentials_are_asked_for_again_at_half_their_life(make: Make, store: S3Store) -> None:
    sync = make(main="", credentials=replace(CREDENTIALS, expires=time.time() + 13)).start().opened()
    wait_for(lambda: sync.asked >= 2, 12)
    (sync.project / "after").write_text("after")
    wait_for(lambda: objects(store) == {"after": b"after"})


@pytest.mark.pods
def test_a_pod_has_its_grace_for_the_last_save(make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy) -> None:
    """Half a minute of it, from a store that takes three seconds for each request."""
    sync = make(main="", store=faulty).start().opened().settled()
    proxy.faults, proxy.share, proxy.latency = ("late",), 1.0, 3.0
    files = {f"f{number}": b"x" for number in range(64)}
    for name, data in files.items():
        (sync.project / name).write_bytes(data)
    began = time.monotonic()
    assert sync.stop(60) == 0
    assert time.monotonic() - began > 20
    assert objects(store) == files
