"""Somebody who went for lunch: the tab says that the REPL is about to sleep, keeps it, sleeps, and wakes by a key."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.lab import Lab
from support.person import Person

from .conftest import visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def person(home: Path, page: Page) -> Iterator[Person]:
    (home / ".jupyter").mkdir(parents=True)
    (home / ".jupyter/jupyter_config.py").write_text("c.ReplExtension.idle_timeout = 12\n")
    lab = Lab(home, "jupyterlab").start()
    yield visitor(page, lab)
    page.goto("about:blank")
    lab.stop()
    shutil.rmtree(lab.runtime_dir, ignore_errors=True)


def test_a_warning_a_sleep_and_a_key(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    warning = person.notification("it goes to sleep in")
    expect(warning).to_be_visible(timeout=20_000)
    person.look("idle-warning")
    warning.get_by_role("button", name="Keep").click()
    expect(warning).to_be_hidden()
    person.wait_running()
    person.wait_state("stopped", 40)
    expect(person.banner).to_contain_text(re.compile("Asleep.*Press any key"))
    person.look("asleep")
    person.page.keyboard.press("a")
    person.wait_running()
    person.wait_editor("main.py")
    assert "a" not in person.text("main.py").split("name")[0]
