"""A person whose projects live in S3: what they see of it, and what becomes of their files when S3 goes."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.lab import wait_for
from support.person import Person
from support.processes import repl_processes
from support.proxy import Proxy
from support.s3 import S3Server
from support.s3_lab import S3Lab

from .conftest import delete_repls, visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def proxy(minio: S3Server) -> Iterator[Proxy]:
    proxy = Proxy(minio.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def modules_lab(minio: S3Server, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Lab]:
    home = tmp_path_factory.mktemp("s3-lab") / "home"
    lab = S3Lab(home, minio, home.parent.name, f"http://127.0.0.1:{proxy.port}", app="jupyterlab")
    lab.start()
    yield lab
    lab.stop()
    assert not repl_processes(lab)


@pytest.fixture
def lab(modules_lab: S3Lab, proxy: Proxy) -> Iterator[S3Lab]:
    """With an S3 that answers, and without any REPL but the test's own."""
    yield modules_lab
    proxy.stall(False)
    delete_repls(modules_lab)


@pytest.fixture
def person(lab: S3Lab, page: Page) -> Person:
    return visitor(page, lab)


def status(person: Person) -> str:
    return person.tab.locator(".jp-Repl-status").inner_text()


def test_what_is_typed_reaches_s3_and_says_so(person: Person, lab: S3Lab, proxy: Proxy) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    wait_for(lambda: "in S3" in status(person))
    person.replace("main.py", "print('typed')")
    wait_for(lambda: lab.objects(f"code/{name}/")["main.py"] == b"print('typed')")
    wait_for(lambda: re.search(r"saved · in S3 since \d", status(person)))
    assert "in S3 since" in person.page.locator(".jp-Repl-statusItem").inner_text()
    person.look("s3-saved")
    proxy.stall()
    proxy.cut()
    person.replace("main.py", "print('while it was away')")
    person.wait_saved()
    expect(person.row("main.py")).to_have_class(re.compile("jp-mod-waiting"))
    wait_for(lambda: "S3 is away" in status(person), 20)
    person.look("s3-away")
    person.shell("python3 main.py", "while it was away")
    proxy.stall(False)
    wait_for(lambda: lab.objects(f"code/{name}/")["main.py"] == b"print('while it was away')", 40)
    expect(person.row("main.py")).not_to_have_class(re.compile("jp-mod-waiting"))
    wait_for(lambda: "in S3 since" in status(person))


def test_another_machine_finds_everything(person: Person, lab: S3Lab) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    person.shell("mkdir node_modules data; echo {} > package.json; truncate -s 3000000 data/zero; echo do''ne", "done")
    wait_for(lambda: len(lab.objects(f"code/{name}/").get("data/zero", b"")) == 3_000_000, 20)
    expect(person.notification("node_modules can be installed again")).to_be_visible()
    person.press_button("power")
    person.wait_state("stopped")
    shutil.rmtree(lab.volume(name))
    person.banner.get_by_role("button", name="Start", exact=True).click()
    person.wait_running()
    person.wait_tree("data", "main.py", "package.json")
    expect(person.notification("npm install")).to_be_visible()
    person.look("s3-restored")


def test_what_a_program_deleted_is_put_back_from_the_menu(person: Person, lab: S3Lab) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    person.shell("mkdir d; echo 1 > d/a.py; echo 2 > d/b.py; echo do''ne", "done")
    wait_for(lambda: len(lab.objects(f"code/{name}/")) == 3)
    person.shell("rm -r d; echo go''ne", "gone")
    wait_for(lambda: len(lab.objects(f"code/{name}/")) == 1)
    person.begin("jupyter-repl:restore-deleted")
    dialog = person.page.locator(".jp-Dialog", has_text="Restore Deleted Files")
    expect(dialog.locator("option")).to_contain_text("d/a.py, d/b.py")
    person.look("s3-restore")
    dialog.locator("button", has_text="Restore").click()
    expect(person.notification("Restored 2 files")).to_be_visible()
    person.wait_tree("d", "main.py")
    assert (lab.project(name) / "d/b.py").read_text() == "2\n"


def test_too_large_a_file_is_named(person: Person, lab: S3Lab) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.shell("truncate -s 600M model.bin", "$")
    expect(person.notification("model.bin is not saved in S3")).to_be_visible(timeout=15_000)
    os.truncate(lab.project(person.repl) / "model.bin", 0)


def test_a_stop_while_s3_is_away_says_so_and_the_next_start_saves_the_rest(
    person: Person, lab: S3Lab, proxy: Proxy
) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    wait_for(lambda: "in S3" in status(person))
    proxy.stall()
    proxy.cut()
    person.replace("main.py", "print('kept here')")
    person.wait_saved()
    person.press_button("power")
    person.wait_state("stopped", 60)
    expect(person.banner).to_contain_text("Not everything has reached S3 yet")
    person.look("s3-unsaved")
    proxy.stall(False)
    person.banner.get_by_role("button", name="Start", exact=True).click()
    person.wait_running()
    wait_for(lambda: lab.objects(f"code/{name}/")["main.py"] == b"print('kept here')", 20)


def test_another_machine_takes_over_and_this_one_says_so(
    person: Person, lab: S3Lab, minio: S3Server, tmp_path: Path
) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    other = S3Lab(tmp_path / "other", minio, lab.prefix)
    other.start()
    try:
        other.start_repl(name)
        person.replace("main.py", "print('too late')")
        expect(person.tab.locator(".jp-Repl-banner").nth(1)).to_contain_text(
            "Another server has started", timeout=20_000
        )
        assert "not saved in S3" in status(person)
        person.look("s3-fenced")
        assert b"too late" not in lab.objects(f"code/{name}/")["main.py"]
    finally:
        other.stop()
