"""A stop loses nothing without a word: what can be saved is waited for, what can never be is named before and after."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.channel import Client
from support.kubernetes import Space
from support.lab import stays, wait_for
from support.pod_lab import PodLab

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.generation import raise_generation
from jupyter_repl_spawner.kubernetes.pool import Bounds

pytestmark = pytest.mark.timeout(240)
LARGE = 3_000_000
IDLE, UNSAVED = 4, 6


@pytest.fixture
def lab(space: Space, tmp_path: Path) -> Iterator[PodLab]:
    """Files over 2 MB are not saved; who is not used falls asleep soon."""
    limits = {
        "JUPYTER_REPL_S3_MAX_FILE_MB": "2",
        "JUPYTER_REPL_IDLE_TIMEOUT": str(IDLE),
        "JUPYTER_REPL_UNSAVED_TIMEOUT": str(UNSAVED),
    }
    server = PodLab(tmp_path / "home", space, **limits).start()
    yield server
    server.stop()


@pytest.fixture
def patient(space: Space, tmp_path: Path) -> Iterator[PodLab]:
    """Nobody falls asleep."""
    server = PodLab(tmp_path / "home", space, JUPYTER_REPL_S3_MAX_FILE_MB="2").start()
    yield server
    server.stop()


def write_large(lab: PodLab) -> None:
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(terminal, f"echo kept > small; head -c {LARGE} /dev/zero > large.bin; echo do''ne\n".encode())
    client.read_until(terminal, b"done\r\n", 15)
    client.close()


def test_a_file_that_can_never_be_saved_is_asked_about(patient: PodLab) -> None:
    lab = patient
    lab.make("abc")
    write_large(lab)
    assert lab.call("POST", "stop", {"replId": "abc"})[0] == 202
    phase = wait_for(lambda: (phase := lab.phase("abc"))["name"] == "running" and phase.get("reason") and phase, 30)
    assert "large.bin (It is larger than 2 MB.)" in phase["reason"]
    assert phase["hint"]
    assert lab.call("POST", "stop?discard", {"replId": "abc"})[0] == 202
    phase = lab.wait_phase("abc", "stopped", 60)
    assert (phase["cause"], "large.bin" in phase["reason"]) == ("unsaved", True)
    assert lab.objects("code/abc/")["small"] == b"kept\n"
    lab.start_repl("abc", 60)
    assert "reason" not in lab.phase("abc")
    lab.stop_repl("abc")
    assert "reason" not in lab.phase("abc")
    wait_for(lambda: not lab.space.left(), 30)


def test_an_unused_repl_is_held_for_a_while_by_what_can_never_be_saved(lab: PodLab) -> None:
    """A file that is too large, and everything where another server has started the same REPL."""
    for name in ("abc", "def"):
        lab.make(name)
    asyncio.run(raise_generation(lab.space.store(), ProjectRef("", "def")))
    write_large(lab)
    stays(lambda: {lab.phase(name)["name"] for name in ("abc", "def")} <= {"running", "stopping"}, IDLE + 1)
    large, fenced = (lab.wait_phase(name, "stopped", 60) for name in ("abc", "def"))
    assert (large["cause"], "large.bin" in large["reason"]) == ("unsaved", True)
    assert lab.objects("code/abc/")["small"] == b"kept\n"
    assert (fenced["cause"], "Another server has started this REPL" in fenced["reason"]) == ("unsaved", True)


def sync_of(lab: PodLab) -> int:
    """Its process; 0 while there is none."""
    try:
        return lab.pids("abc", "sync")[0]
    except ValueError:
        return 0


def test_a_stop_waits_for_a_sync_that_is_being_started_again(patient: PodLab) -> None:
    """Its container may wait ten seconds after the second crash; what was written meanwhile is lost with the pod."""
    lab = patient
    lab.make("abc")
    client = Client(lab, "abc")
    first = sync_of(lab)
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: (found := sync_of(lab)) != first and found, 30)
    os.kill(second, signal.SIGKILL)
    wait_for(lambda: "Files are not saved now" in lab.phase("abc").get("reason", ""), 15)
    client.request("updateContent", path="last.txt", content="last\n")
    client.close()
    assert lab.call("POST", "stop", {"replId": "abc"})[0] == 202
    lab.wait_phase("abc", "stopped", 90)
    assert lab.objects("code/abc/")["last.txt"] == b"last\n"


def test_a_pod_that_is_drained_saves_before_another_takes_its_place(space: Space, tmp_path: Path) -> None:
    """A warm one is there at once, and its generation would fence the last save off."""
    space.pool = Bounds(1, 2)
    lab = PodLab(tmp_path / "home", space).start()
    try:
        wait_for(lambda: space.get("pods"), 60)
        lab.make("abc")
        client = Client(lab, "abc")
        terminal = client.terminal()
        client.type(terminal, b"for i in $(seq 60); do head -c 1000000 /dev/urandom > f$i; done; echo do''ne\n")
        client.read_until(terminal, b"done\r\n", 30)
        first = lab.pod("abc")["metadata"]["name"]
        sizes = {path.name: path.stat().st_size for path in lab.project("abc").glob("f*")}
        lab.space.kubectl("delete", "pod", first, "--wait=false")
        wait_for(lambda: lab.phase("abc")["name"] == "running" and lab.live("abc") not in ([], [first]), 90)
        saved = {name: len(data) for name, data in lab.objects("code/abc/").items() if name[0] == "f"}
        assert saved == sizes
    finally:
        lab.stop()
