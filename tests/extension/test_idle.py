"""REPLs that nobody uses are stopped, and those that somebody uses are not."""

import shutil
import time
from collections.abc import Iterator

import psutil
import pytest
from support.channel import Client
from support.lab import Lab, elapse, wait_for
from support.processes import pids, repl_processes

from jupyter_repl_ext.runner_client import REQUEST_SECONDS

TIMEOUT = 6


@pytest.fixture(scope="module")
def sleepy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("sleepy") / "home"
    (home / ".jupyter").mkdir(parents=True)
    said = {"*": TIMEOUT, "node-js": 0}
    (home / ".jupyter/jupyter_config.py").write_text(f"c.ReplExtension.idle_timeout = {said!r}\n")
    lab = Lab(home).start()
    yield lab
    lab.stop()
    assert not repl_processes(lab)
    shutil.rmtree(lab.runtime_dir, ignore_errors=True)


def test_who_is_used_stays_and_who_is_not_sleeps(sleepy: Lab) -> None:
    """All at once, since it is time that is tested: an open tab alone, a kept one, a program, output, a language of
    which none sleeps."""
    names = ("alone", "kept", "program", "output", "other")
    for name in names:
        sleepy.make(name, "node-js" if name == "other" else "python")
    began = time.monotonic()
    clients = {name: Client(sleepy, name) for name in names}
    for name, line in (("program", b"cat\n"), ("output", b"(while sleep 1; do echo tick; done) &\n")):
        client = clients[name]
        client.type(client.terminal(), line)
    told = clients["alone"].wait_event("idle", 10)
    assert told["seconds"] == TIMEOUT / 2
    assert not told["asleep"]
    clients["kept"].wait_event("idle", 10)
    clients["kept"].request("keep")
    assert not clients["kept"].wait_event("idle", 10)["asleep"]  # told anew, or that it is not stopped after all
    clients["kept"].request("keep")
    assert clients["alone"].wait_event("idle", 10)["asleep"]
    sleepy.wait_phase("alone", "stopped")
    assert TIMEOUT - 1 <= time.monotonic() - began < TIMEOUT + 10
    for name in names[1:]:
        assert sleepy.phase(name)["name"] == "running", name
    clients["program"].type(1, b"\x04")
    sleepy.wait_phase("program", "stopped", TIMEOUT + 15)
    assert sleepy.phase("output")["name"] == "running"
    wait_for(lambda: sleepy.phase("kept")["name"] == "stopped", TIMEOUT + 15)


def test_one_that_did_not_answer_is_asked_again_soon(sleepy: Lab) -> None:
    """Most of those are still being started, when somebody may have gone for lunch already."""
    sleepy.make("late")
    runner = psutil.Process(pids("serve", sleepy, "late")[0])
    runner.suspend()
    elapse(REQUEST_SECONDS + TIMEOUT / 2 + 2)
    runner.resume()
    sleepy.wait_phase("late", "stopped", TIMEOUT + 5)


def test_its_files_are_there_when_it_wakes(sleepy: Lab) -> None:
    sleepy.make("dream")
    Client(sleepy, "dream").request("updateContent", path="kept.txt", content="kept\n")
    sleepy.wait_phase("dream", "stopped", TIMEOUT + 15)
    sleepy.start_repl("dream")
    assert Client(sleepy, "dream").request("fetchContent", path="kept.txt")["content"] == "kept\n"
