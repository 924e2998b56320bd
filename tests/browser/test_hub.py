"""REPLs on a hub, in tabs of JupyterLab: one's own, and those of another whom an administrator visits."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect
from support.hub import Browser as HubBrowser
from support.hub import Hub, Service, of_user
from support.lab import TOKEN, Lab, wait_for
from support.person import Person

from .conftest import delete_repls

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def labs(hub: Hub, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Lab]]:
    """The JupyterLab of a student, and that of an administrator."""
    started = []
    for name in ("grace.h", "root-admin"):
        home = tmp_path_factory.mktemp(name) / "home"
        started.append(of_user(HubBrowser(hub.url, name).login().token(), service, home, "jupyterlab").start())
    yield started[0], started[1]
    delete_repls(started[0])
    for lab in started:
        lab.stop()
        shutil.rmtree(lab.runtime_dir, ignore_errors=True)


def owner_of(name: str, admin: Lab) -> str:
    return next(each["owner"] for each in admin.call("GET", "owner")[1] if each["name"] == name)


def test_an_administrator_looks_on_and_the_owner_sees_that(
    labs: tuple[Lab, Lab], person_at: Callable[[Lab], Person]
) -> None:
    student, admin = person_at(labs[0]), person_at(labs[1])
    student.visit()
    student.create("Python")
    student.shell("echo first''line", "firstline")
    owner, page = owner_of("grace.h", labs[1]), admin.page
    page.goto(f"{labs[1].url}/lab?repl={student.repl}&owner={owner}&token={TOKEN}")
    admin.wait_lab()
    admin.repl = f"{owner}--{student.repl}"
    whose = admin.tab.get_by_text("This is a REPL of grace.h. You can look at it, and change nothing.")
    expect(whose).to_be_visible(timeout=30_000)
    expect(student.page.get_by_text("Looking at this REPL: root-admin")).to_be_visible(timeout=10_000)
    wait_for(lambda: "firstline" in admin.terminal_text(), 20)
    admin.wait_editor("main.py")
    admin.look("visit")
    for name in ("Run", "Terminal"):
        expect(admin.tab.get_by_role("button", name=name, exact=True)).to_be_disabled()
    admin.terminal.click()
    page.keyboard.type("echo intruder\n")
    student.shell("echo second''line", "secondline")
    wait_for(lambda: "secondline" in admin.terminal_text())
    assert "intruder" not in student.terminal_text()
    text = admin.text("main.py")
    admin.focus_editor("main.py")
    page.keyboard.type("changed")
    expect(page.get_by_text("Cannot edit in read-only editor").first).to_be_visible()
    assert admin.text("main.py") == text
    assert labs[0].call("GET", f"project/{student.repl}/file/main.py")[1].decode() == text
    page.close()
    expect(student.page.get_by_text("Looking at this REPL")).to_be_hidden()
