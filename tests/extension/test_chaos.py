"""Everything is killed at random while somebody works: nothing is lost, and nothing that was deleted comes back.

Four rounds here; `make chaos` plays a hundred. What it finds is replayed with `REPL_TEST_SEED`.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support import checker
from support.lab import elapse, wait_for
from support.processes import pids, repl_processes
from support.s3 import SERVERS, S3Server
from support.s3_lab import S3Lab
from support.vandal import Vandal

ROUNDS = int(os.environ.get("REPL_TEST_CHAOS", "4"))
SEED = int(os.environ.get("REPL_TEST_SEED", "1"))
SETTLE_SECONDS = 90.0
pytestmark = pytest.mark.timeout(max(300, 120 * ROUNDS))
LOST_SECONDS = 5.0
"""Of work that a kill may cost, where a file never stops changing; two else."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    """One that may be killed."""
    server = SERVERS["minio"](tmp_path / "minio" / "data").start()
    yield server
    server.stop()


class World:
    """A server with its REPL, its bucket, and somebody at work in it."""

    def __init__(self, home: Path, server: S3Server, seed: int) -> None:
        self.server = server
        self.chance = random.Random(seed)
        self.lab = S3Lab(home, server, "chaos")
        self.lab.start()
        self.lab.make("abc")
        self._vandal: subprocess.Popen[bytes] | None = None
        os.environ.update(server.environment)

    @property
    def project(self) -> Path:
        return self.lab.project("abc")

    def begin(self, seed: int) -> None:
        program = Path(__file__).parent.parent / "support/vandal.py"
        self._vandal = subprocess.Popen([sys.executable, str(program), str(self.project), str(seed)])

    def end(self) -> None:
        if self._vandal is not None:
            self._vandal.send_signal(signal.SIGKILL)
            self._vandal.wait(10)

    def kill(self, what: str) -> None:
        if what == "server":
            self.lab.kill()
            wait_for(lambda: not repl_processes(self.lab), 60)
        elif what == "minio":
            self.server.stop(signal.SIGKILL)
        else:
            for pid in pids(what, self.lab):
                psutil.Process(pid).send_signal(signal.SIGKILL)

    def mend(self, what: str) -> None:
        """What somebody would do who finds it so."""
        if what == "minio":
            self.server.start()
        if what == "server":
            self.lab.start()
        wait_for(self._runs, 60)

    def _runs(self) -> bool:
        phase = self.lab.phase("abc")
        if phase["name"] in ("stopped", "failed"):
            self.lab.call("POST", "start", {"replId": "abc"})
        return phase["name"] == "running"

    def differences(self, seconds: float = 0.0) -> list[str]:
        return checker.compare(self.server.endpoint, self.server.bucket, "chaos/", "abc", self.project, seconds)

    def settle(self) -> None:
        """Wait until the bucket holds what the folder does."""
        until = time.monotonic() + SETTLE_SECONDS
        while found := self.differences():
            assert time.monotonic() < until, found
            time.sleep(1)


def test_whatever_is_killed_nothing_is_lost(home: Path, server: S3Server) -> None:
    world = World(home, server, SEED)
    try:
        for number in range(ROUNDS):
            what = ("sync", "serve", "minio", "server", "guard")[number % 5]
            world.begin(SEED * 1000 + number)
            time.sleep(1 + world.chance.random() * 4)
            world.kill(what)
            time.sleep(world.chance.random() * 2)
            world.end()
            world.mend(what)
            world.settle()
            if number % 3 == 2:
                come_back(world)
    finally:
        world.end()
        world.lab.stop()
        shutil.rmtree(world.lab.runtime_dir, ignore_errors=True)


def come_back(world: World) -> None:
    """The volume is gone, and all comes from the bucket: it is the same."""
    assert world.lab.call("POST", "stop", {"replId": "abc"})[0] == 202
    world.lab.wait_phase("abc", "stopped", SETTLE_SECONDS)
    kept = world.project.with_name("kept")
    before = checker.local(world.project)
    world.project.rename(kept)
    shutil.rmtree(world.project.parent)
    world.lab.start_repl("abc", SETTLE_SECONDS)
    wait_for(lambda: checker.local(world.project)[:2] == before[:2], SETTLE_SECONDS)


@pytest.mark.alone
def test_what_was_a_moment_old_at_the_kill_is_all_that_is_missing(home: Path, server: S3Server) -> None:
    """Everything is killed at once and the volume never seen again: the bucket has all but the last seconds."""
    world = World(home, server, SEED + 1)
    try:
        world.begin(SEED + 77)
        elapse(12)
        world.end()
        for what in ("sync", "serve", "guard"):
            world.kill(what)
        world.lab.kill()
        wait_for(lambda: not repl_processes(world.lab), 30)
        assert world.differences(LOST_SECONDS) == []
    finally:
        world.end()
        shutil.rmtree(world.lab.runtime_dir, ignore_errors=True)


def test_the_checker_finds_a_seeded_loss(home: Path, server: S3Server) -> None:
    world = World(home, server, SEED)
    try:
        vandal = Vandal(world.project, 5)
        for _ in range(150):
            vandal.act()
        (world.project / "marked").write_text("x")
        (world.project / "also").symlink_to("marked")
        world.settle()
        world.lab.stop_repl("abc")
        place = f"B:{server.bucket}/chaos/code/abc"
        checker.rclone(server.endpoint, "deletefile", f"{place}/marked")
        checker.rclone(server.endpoint, "touch", f"{place}/zombie")
        (world.project / "also").unlink()
        found = world.differences()
        assert {line.split(":")[0] for line in found} == {"marked", "zombie", "link also"}
    finally:
        world.lab.stop()
        shutil.rmtree(world.lab.runtime_dir, ignore_errors=True)
