"""A person whose REPLs are pods: the same tab, the same files, and what the cluster says in words."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.kubernetes import Space, World
from support.lab import wait_for
from support.person import Person
from support.pod_lab import PodLab

from jupyter_repl_spawner.kubernetes.pool import Bounds

from .conftest import visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def space(world: World) -> Iterator[Space]:
    space = world.space()
    yield space
    space.close()


@pytest.fixture
def lab(home: Path, space: Space) -> Iterator[PodLab]:
    space.pool, space.template = Bounds(1, 1), {"disk": "100Mi"}
    lab = PodLab(home, space, app="jupyterlab")
    lab.start()
    yield lab
    lab.stop()


@pytest.fixture
def person(lab: PodLab, page: Page) -> Person:
    return visitor(page, lab)


def test_a_day_with_a_pod(person: Person, lab: PodLab) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    person.replace("main.py", "who = input('who? ')\nprint('hello', who.upper())\n")
    wait_for(lambda: lab.objects(f"code/{name}/")["main.py"].startswith(b"who = input"))
    person.shell("python3 main.py", "who?")
    person.shell("ann", "hello ANN")
    person.shell("id -un", "\nrepl")
    person.look("pod-running")
    person.reload()
    person.wait_editor("main.py")
    os.kill(lab.pids(name)[0], signal.SIGKILL)  # its container, by the node
    expect(person.banner).to_contain_text("New shells", timeout=40_000)
    person.look("pod-container-killed")
    person.wait_prompt()
    person.shell("echo still' 'here; cat main.py", "still here")
    pod = lab.pod(name)["metadata"]["name"]
    lab.space.kubectl("delete", "pod", pod, "--wait=false")
    wait_for(lambda: lab.live(name) not in ([], [pod]), 60)
    expect(person.banner).to_contain_text("The pod was lost", timeout=60_000)  # till then its shell is still there
    person.wait_running(60)
    person.look("pod-deleted")
    person.wait_prompt()
    person.shell("cat main.py; echo an'other'", "another")
    person.press_button("power")
    person.wait_state("stopped", 30)
    wait_for(lambda: not lab.space.pods(name), 30)
    expect(person.banner).to_contain_text("Every file is kept")
    person.banner.get_by_text("Start").click()
    person.wait_running()
    person.wait_editor("main.py")
    assert "hello" in person.text("main.py")


def test_the_cluster_s_own_words_are_in_the_tab(person: Person, lab: PodLab, space: Space) -> None:
    space.kubectl("create", "quota", "small", "--hard=pods=0")
    space.kubectl("delete", "deployments", "--all")  # the pool
    wait_for(lambda: not space.get("pods"), 60)
    person.repl = lab.make("poor", start=False)
    person.command("jupyter-repl:open", replId="poor")
    person.wait_state("failed", 30)
    expect(person.banner).to_contain_text(re.compile("The quota is used up: small"))
    expect(person.banner).to_contain_text("Stop another REPL")
    person.look("pod-quota")
    space.kubectl("delete", "quota", "small")
    person.banner.get_by_text("Retry").click()
    person.wait_running(60)
    person.wait_editor("main.py")
    # A full disk: the trash is on it, so only a deletion for good makes room.
    person.shell("head -c 100000000 /dev/zero > big; echo writ''ten", "written")
    expect(person.notification("The disk of this REPL is 9")).to_be_visible(timeout=30_000)
    person.menu("big", "Delete")
    asked = person.page.locator(".jp-Dialog", has_text="Delete big for good?")
    expect(asked).to_contain_text("That cannot be undone")
    asked.get_by_role("button", name="Delete for good").click()
    expect(person.row("big")).to_have_count(0)
    assert not (lab.project("poor") / "big").exists()
