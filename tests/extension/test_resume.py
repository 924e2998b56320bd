"""Nothing is lost and nothing comes twice, whatever happens to network and server: every byte is compared."""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from support.channel import Client
from support.lab import Lab, elapse, wait_for
from support.pod_lab import in_pods
from support.processes import pids, repl_processes
from support.proxy import Proxy
from support.traveller import Traveller

MEGABYTE = 1_000_000


@pytest.fixture(scope="module", params=["asyncio", "uvloop", "pod"])
def repl(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """With either of the loops that a runner may have, and with one in a pod."""
    home = tmp_path_factory.mktemp(request.param) / "home"
    if request.param == "pod":
        with in_pods(request.getfixturevalue("world"), home) as pods:
            pods.make("abc")
            yield pods
        return
    server = Lab(home, JUPYTER_REPL_LOOP=request.param).start()
    server.make("abc")
    yield server
    server.stop()
    shutil.rmtree(server.runtime_dir, ignore_errors=True)


@pytest.fixture
def proxy(repl: Lab) -> Iterator[Proxy]:
    proxy = Proxy(repl.port)
    yield proxy
    proxy.close()


class Every:
    """Does something each time that so many bytes more have come."""

    def __init__(self, count: int, times: int, action: Callable[[], object]) -> None:
        self._count, self._times, self._action = count, times, action
        self._next = count

    def __call__(self, came: int) -> None:
        if self._times and came >= self._next:
            self._next = came + self._count
            self._times -= 1
            self._action()


def test_a_cut_network(repl: Lab, proxy: Proxy) -> None:
    traveller = Traveller(repl, "abc", proxy.port)
    traveller.travel(50 * MEGABYTE, 2 * MEGABYTE, Every(5 * MEGABYTE, 8, proxy.cut))
    assert traveller.reconnects >= 5


def test_a_cut_at_any_byte(repl: Lab, proxy: Proxy) -> None:
    rng = random.Random(5)
    traveller = Traveller(repl, "abc", proxy.port)
    cuts = 0

    def cut_again(_: int) -> None:
        nonlocal cuts
        if traveller.reconnects == cuts < 25:  # the last one has happened
            cuts += 1
            proxy.cut_after(rng.randrange(1, 40_000))

    traveller.travel(25 * MEGABYTE, 100_000, cut_again)  # about a megabyte is on its way when it is cut
    assert traveller.reconnects >= 12


def test_a_network_that_is_closed_by_halves(repl: Lab, proxy: Proxy) -> None:
    traveller = Traveller(repl, "abc", proxy.port)
    traveller.travel(5 * MEGABYTE, 200_000, Every(MEGABYTE, 4, proxy.half_close))
    assert traveller.reconnects >= 3


def test_a_network_that_is_stuck(repl: Lab, proxy: Proxy) -> None:
    def stall() -> None:
        proxy.stall()
        elapse(3)
        proxy.cut()
        proxy.stall(False)

    traveller = Traveller(repl, "abc", proxy.port)
    traveller.travel(5 * MEGABYTE, 200_000, Every(2 * MEGABYTE, 2, stall))
    assert traveller.reconnects >= 2


def test_a_server_that_is_killed_and_started(repl: Lab, proxy: Proxy) -> None:
    """Another server of the same person started the runner, so that it lives on."""
    other = repl.another()
    other.start()
    try:
        other.start_repl("abc")
        traveller = Traveller(repl, "abc", other.port)

        def restart() -> None:
            other.kill()
            other.start()
            other.start_repl("abc")

        traveller.travel(10 * MEGABYTE, 500_000, Every(3 * MEGABYTE, 2, restart), 90)
        assert traveller.reconnects >= 2
    finally:
        other.stop()


def test_a_soak(repl: Lab, proxy: Proxy) -> None:
    """Random cuts, stalls, resizes, floods beside it and kills: every byte is accounted for, and nothing is left.

    For ten minutes of it: REPL_TEST_SOAK=600.
    """
    seed = random.randrange(1 << 30)
    print("seed", seed)  # what to put here to see it again
    rng = random.Random(seed)
    (runner,) = pids("serve", repl, "abc")
    measured = [psutil.Process(pid) for pid in (runner, repl.pid)]
    processes = repl_processes(repl)
    _travel(repl, proxy, rng, runner)  # what is made once is not a leak
    memory = [process.memory_info().rss for process in measured]
    until = time.monotonic() + float(os.environ.get("REPL_TEST_SOAK", "10"))
    while time.monotonic() < until:
        _travel(repl, proxy, rng, runner)
    wait_for(lambda: len(repl_processes(repl)) == len(processes), 20)
    for process, before in zip(measured, memory, strict=True):
        assert process.memory_info().rss - before < 12e6, process.cmdline()


def _travel(repl: Lab, proxy: Proxy, rng: random.Random, runner: int) -> None:
    traveller = Traveller(repl, "abc", proxy.port)
    beside = Client(repl, "abc")
    flood = beside.terminal()
    beside.type(flood, b"while :; do echo flood; done & cat /dev/zero\n")

    def stall() -> None:
        proxy.stall()
        elapse(rng.random() * 3)
        proxy.stall(False)

    def kill() -> None:
        beside.pump(1)
        for process in psutil.Process(runner).children(recursive=True):
            if process.name() == "cat":
                process.kill()

    actions = [
        proxy.cut,
        proxy.half_close,
        stall,
        kill,
        lambda: proxy.cut_after(rng.randrange(1, 100_000)),
        lambda: traveller.resize(rng.randrange(1, 100), rng.randrange(1, 300)),
    ]
    happening = Every(300_000, 20, lambda: rng.choice(actions)())
    traveller.travel(rng.randrange(6 * MEGABYTE), rng.randrange(MEGABYTE), happening)
    traveller.close()
    beside.request("closeTerminal", terminal=flood)
    beside.close()
