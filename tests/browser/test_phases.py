"""What a person reads while they wait, after a failure, and when the connection goes: words and a way out."""

import os
import re
import time

import pytest
from playwright.sync_api import expect
from support.lab import Lab, wait_for
from support.person import Person

from .conftest import Errors

pytestmark = pytest.mark.browser


def test_a_start_that_takes_long_says_what_it_waits_for_and_is_cancelled(person: Person) -> None:
    """Another server is about to start it, and takes its time."""
    person.repl = name = person.lab.make("slowly", start=False)
    lock = _hold_lock(person.lab, name)
    person.command("jupyter-repl:open", replId=name)
    expect(person.banner).to_contain_text("Starting the runner")
    expect(person.banner).to_contain_text(re.compile(r"\d s"), timeout=6000)
    person.look("starting-slowly")
    person.banner.get_by_text("Cancel").click()
    os.close(lock)
    person.wait_state("stopped")
    expect(person.banner).to_contain_text("Every file is kept")
    person.banner.get_by_text("Start").click()
    person.wait_running()
    person.wait_editor("main.py")


def _hold_lock(lab: Lab, name: str) -> int:
    """Hold the lock of a REPL's private directory, as another server does that is about to start it."""
    from jupyter_repl_spawner.local import private_directory

    lab.runtime_dir.mkdir(mode=0o700, exist_ok=True)
    lock = private_directory.lock(lab.runtime_dir / private_directory.directory_name(lab.project(name)), make=True)
    assert lock is not None
    return lock


def test_a_start_that_fails_says_why_and_is_tried_again(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    person.press_button("power")
    person.wait_state("stopped")
    folder = person.lab.project(name)
    folder.rename(folder.with_name("away"))
    person.banner.get_by_text("Start").click()
    person.wait_state("failed")
    expect(person.banner).to_contain_text("is gone")
    expect(person.banner).to_contain_text("Put it back")
    person.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person.banner.get_by_text("Copy details").click()
    wait_for(lambda: "is gone" in person.page.evaluate("navigator.clipboard.readText()"))
    person.look("failed")
    folder.with_name("away").rename(folder)
    person.banner.get_by_text("Retry").click()
    person.wait_running()
    person.wait_prompt()


@pytest.mark.alone
def test_the_connection_comes_back_within_five_seconds(own: Person, errors: Errors) -> None:
    errors.expect_network = True
    person = own
    person.create("Python")
    person.wait_editor("main.py")
    person.put_lost_dialog_away()
    person.lab.kill()
    person.wait_state("lost")
    expect(person.banner).to_contain_text("Connection lost")
    person.focus_editor("main.py")
    person.page.keyboard.press("Control+a")
    person.page.keyboard.type("typed = 'while away'", delay=30)
    expect(person.banner).to_contain_text(re.compile(r"\d s"), timeout=8000)
    person.lab.start()
    back = time.monotonic()
    person.wait_running(20)
    assert time.monotonic() - back < 5
    person.wait_on_disk("main.py", "typed = 'while away'")


def test_what_the_tree_cannot_do_while_it_is_stopped_is_said(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.press_button("power")
    person.wait_state("stopped")
    person.menu("main.py", "Duplicate")
    expect(person.notification("not connected")).to_be_visible()
    wait_for(lambda: person.tree == ["main.py"])
