"""REPLs that nobody uses are stopped, and those that somebody uses are not."""

import shutil
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from support.channel import Client
from support.lab import Lab, elapse, wait_for
from support.processes import pids, repl_processes

from jupyter_repl_ext.runners.client import REQUEST_SECONDS

TIMEOUT = 8


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


def warned(client: Client) -> dict[str, Any]:
    """The word that it will sleep, not that it will not after all: its start may have taken longer than the timeout."""
    while not (told := client.wait_event("idle", TIMEOUT + 4))["seconds"]:
        continue
    return told


def test_who_is_used_stays_and_who_is_not_sleeps(sleepy: Lab) -> None:
    """All at once, since it is time that is tested: an open tab alone, a kept one, a program, a run that says
    nothing, output, a language of which none sleeps."""
    names = ("program", "silent", "output", "other", "kept", "alone")  # the last ones by the clock
    clients = {}
    for name in names:
        sleepy.make(name, "node-js" if name == "other" else "python")
        began, clients[name] = time.monotonic(), Client(sleepy, name)
        for busy, line in (("program", b"cat\n"), ("output", b"(while sleep 1; do echo tick; done) &\n")):
            if busy == name:
                clients[name].type(clients[name].terminal(), line)
        if name == "silent":
            clients[name].request("updateContent", path="main.py", content="import time\ntime.sleep(1000)\n")
            clients[name].request("run", rows=24, cols=80)
    told = warned(clients["alone"])
    assert told["seconds"] == TIMEOUT / 2
    assert not told["asleep"]
    warned(clients["kept"])
    clients["kept"].request("keep")
    assert not clients["kept"].wait_event("idle", 10)["asleep"]  # a new warning, or that it is not stopped after all
    clients["kept"].request("keep")
    assert clients["alone"].wait_event("idle", 10)["asleep"]
    sleepy.wait_phase("alone", "stopped")
    assert TIMEOUT - 1 <= time.monotonic() - began < TIMEOUT + 10
    for name in names[:-1]:
        assert sleepy.phase(name)["name"] == "running", name
    clients["program"].type(1, b"\x04")
    sleepy.wait_phase("program", "stopped", TIMEOUT + 15)
    assert sleepy.phase("output")["name"] == "running"
    assert sleepy.phase("silent")["name"] == "running"
    clients["silent"].request("stopRun", run=1)
    sleepy.wait_phase("silent", "stopped", TIMEOUT + 15)
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
