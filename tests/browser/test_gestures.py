"""Everyday gestures damage nothing: a drop, a right click, a double click, a look at a picture, a page that crashes."""

import json
import re
import signal
from collections.abc import Iterator

import psutil
import pytest
from browser.conftest import Errors
from playwright.sync_api import Dialog, Page, expect
from support.lab import stays, wait_for
from support.person import Person

REFUSAL = "replId => window.jupyterapp.commands.execute('jupyter-repl:open', {replId}).catch(error => error.message)"
"""What JupyterLab shows where a REPL can't be opened."""

DRAFTS = "name => Object.keys(localStorage).filter(key => key.startsWith('jupyter-repl:draft:') && key.includes(name))"
FILL = """() => {
    let size = 1 << 22;
    let text = '';
    while (size > 0) {
        try {
            localStorage.setItem('rubbish', text + 'x'.repeat(size));
            text += 'x'.repeat(size);
        } catch {
            size >>= 1;
        }
    }
}"""


@pytest.fixture
def files(person: Person) -> Person:
    person.create("Python")
    person.wait_editor("main.py")
    for name in ("one.py", "two.py"):
        (person.project / name).write_text(f"# {name}\n")
    person.wait_tree("main.py", "one.py", "two.py")
    return person


def test_a_file_that_is_dropped_on_an_editor_is_not_written_into_it(files: Person) -> None:
    person = files
    before = person.on_disk("main.py")
    person.drop("one.py", person.editor("main.py").locator(".view-lines"))
    stays(lambda: person.on_disk("main.py") == before, 1)
    assert "one.py" not in person.text("main.py")


def test_the_menu_of_an_inner_tab_means_that_tab(files: Person) -> None:
    person = files
    person.open_file("one.py")
    person.open_file("two.py")
    tab = person.tab.locator(".jp-Repl-editors .lm-TabBar-tab")
    tab.filter(has_text="one.py").click(button="right")
    expect(person.page.locator(".lm-Menu-item", has_text="Close All Tabs")).to_have_count(0)
    person.choose("Close")
    expect(tab).to_have_text(["main.py", "two.py"])
    tab.filter(has_text="main.py").click(button="right")
    person.look("tab-menu")
    person.choose("Close to the Right")
    expect(tab).to_have_text(["main.py"])
    person.open_file("one.py")
    tab.filter(has_text="main.py").click(button="right")
    person.choose("Close Others")
    expect(tab).to_have_text(["main.py"])
    tab.filter(has_text="main.py").click(button="right")
    person.choose("Split Right")
    expect(person.editor("main.py")).to_have_count(2)
    tab.first.click(button="right")
    person.choose("Rename…")
    person.name("other.py")
    wait_for(lambda: (person.project / "other.py").exists())
    person.tab.locator(".jp-Repl-side .lm-TabBar-tab", has_text="Terminal 1").click(button="right")
    person.choose("New Terminal")
    expect(person.tab.locator(".jp-Repl-side .lm-TabBar-tab")).to_have_count(3)
    expect(person.tab).to_be_visible()


def test_looking_at_a_table_writes_nothing(files: Person) -> None:
    person = files
    (person.project / "data.csv").write_text("a,b\n1,2\n")
    person.row("data.csv").click()
    expect(person.tab.locator('.jp-Repl-viewer[data-path="data.csv"]')).to_have_attribute("data-ready", "true")
    names = {"main.py", "one.py", "two.py", "data.csv"}
    stays(lambda: {path.name for path in person.project.iterdir()} == names, 1.5)


def test_a_double_click_on_run_runs_once(files: Person) -> None:
    person = files
    person.replace("main.py", "import time\nprint('started', flush=True)\ntime.sleep(1000)\n")
    person.tab.locator('.jp-Toolbar-item[data-jp-item-name="run"]').dblclick()
    person.wait_console("started")
    foot = person.console.locator(".jp-Repl-consoleFoot")
    stays(lambda: foot.get_attribute("data-level") == "running" and "still running" not in foot.inner_text(), 1)
    expect(foot.get_by_role("button", name="Run again")).to_be_hidden()
    person.press_button("stop")
    person.wait_run_end("exit|Ended")
    expect(foot.get_by_role("button", name="Run again")).to_be_visible()


def test_a_hint_is_read_to_its_end(files: Person) -> None:
    person = files
    (person.project / ".repl.toml").write_text('run = "no-such-program"\n')
    person.press_button("run")
    person.wait_run_end("exit 127")
    foot = person.console.locator(".jp-Repl-consoleFoot > span")
    assert foot.evaluate(
        "node => [node.scrollWidth <= node.clientWidth, node.scrollHeight <= node.clientHeight + 1]"
    ) == [
        True,
        True,
    ]
    expect(foot).to_contain_text("not found")


def test_a_long_error_can_be_read_to_its_end(files: Person) -> None:
    person = files
    name = "a" * 150
    (person.project / f"{name}.txt").write_text("x")
    expect(person.row(f"{name}.txt")).to_be_visible()
    (person.project / f"{name}.md").write_text("x")
    person.menu(f"{name}.txt", "Rename…")
    person.name(f"{name}.md")
    notice = person.page.locator(".Toastify__toast")
    notice.get_by_text("Details").click()
    expect(person.page.locator(".jp-Dialog")).to_contain_text(f"{name}.md exists already")
    person.page.locator(".jp-Dialog").get_by_text("Close").click()


def test_a_file_in_new_folders_has_the_keys_of_the_tree(files: Person) -> None:
    person = files
    person.row("one.py").click()
    person.wait_editor("one.py")
    person.page.keyboard.press("Alt+n")
    person.name("q/w/e.py")
    person.wait_editor("q/w/e.py")
    expect(person.row("q/w/e.py")).to_have_attribute("aria-selected", "true")
    person.page.keyboard.press("Control+1")
    person.page.keyboard.press("Delete")
    expect(person.notification("Deleted q/w/e.py")).to_be_visible()
    assert not (person.project / "q/w/e.py").exists()
    assert (person.project / "one.py").exists()


def test_a_new_file_that_has_no_row_yet_leaves_no_other_file_to_the_keys(files: Person) -> None:
    """It comes after the rows of a long folder that were read."""
    person = files
    (person.project / "long").mkdir()
    for number in range(1200):
        (person.project / f"long/{number:04}.txt").touch()
    expect(person.row("long")).to_be_visible()
    person.row("one.py").click()
    person.wait_editor("one.py")
    person.page.keyboard.press("Alt+n")
    person.name("long/zz.py")
    person.wait_editor("long/zz.py")
    expect(person.row("one.py")).not_to_have_attribute("aria-selected", "true")
    person.page.keyboard.press("Control+1")
    person.page.keyboard.press("Delete")
    stays(lambda: (person.project / "one.py").exists(), 1)


def test_a_file_that_could_not_be_read_is_opened_by_another_try(files: Person, errors: Errors) -> None:
    errors.expect_network = True
    person, address = files, re.compile(r"/file/one\.py")
    person.page.route(address, lambda route: route.abort())
    person.row("one.py").click()
    again = person.editor("one.py").get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    person.page.unroute(address)
    again.click()
    person.wait_editor("one.py")
    assert person.text("one.py") == "# one.py\n"


@pytest.fixture
def stalled(own: Person, errors: Errors) -> Iterator[Person]:
    """With a server of their own, which may be stopped."""
    errors.expect_network = True
    own.create("Python")
    own.wait_editor("main.py")
    own.put_lost_dialog_away()
    server = psutil.Process(own.lab.pid)
    yield own
    server.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("more", ["", "and more"], ids=["one save", "more was typed"])
def test_a_save_that_arrives_without_an_answer_is_no_conflict(stalled: Person, more: str) -> None:
    person, server = stalled, psutil.Process(stalled.lab.pid)
    person.replace("main.py", "before\n")
    person.wait_saved()
    server.send_signal(signal.SIGSTOP)
    person.type("typed in silence\n")
    expect(person.banner).to_contain_text("has not answered for", timeout=10_000)
    person.wait_state("lost", 60)
    person.type(more)
    server.send_signal(signal.SIGCONT)
    person.wait_running(60)
    person.wait_saved()
    person.wait_on_disk("main.py", f"before\ntyped in silence\n{more}")
    assert [path.name for path in person.project.iterdir()] == ["main.py"]
    expect(person.editor("main.py").locator(".jp-Repl-banner")).to_be_hidden()


def create_without_auto_save(person: Person) -> str:
    """A new REPL in a JupyterLab that saves only when asked to; the `replId`."""
    settings = person.lab.home / ".jupyter/lab/user-settings/jupyter-repl/open.jupyterlab-settings"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"autoSave": False}))
    person.visit()
    name = person.create("Python")
    person.wait_editor("main.py")
    return name


def test_text_that_has_no_room_is_asked_about_and_a_deleted_repl_keeps_none(own: Person) -> None:
    person, page = own, own.page
    name = create_without_auto_save(person)
    person.replace("main.py", "kept here")
    wait_for(lambda: page.evaluate(DRAFTS, name))
    page.evaluate(FILL)
    person.replace("main.py", "x" * 5000)
    banner = person.editor("main.py").locator(".jp-Repl-banner")
    expect(banner).to_contain_text("no room to keep it")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.close(run_before_unload=True)
    wait_for(lambda: page.evaluate("document.title") and asked)
    assert asked == ["beforeunload"]
    page.evaluate("localStorage.removeItem('rubbish')")
    person.type("y")
    expect(banner).to_be_hidden()
    assert page.evaluate(DRAFTS, name)
    person.begin("jupyter-repl:delete", replId=name)
    page.locator(".jp-Dialog input").fill(name)
    page.locator(".jp-Dialog .jp-mod-accept").click()
    wait_for(lambda: not person.project.exists())
    wait_for(lambda: not page.evaluate(DRAFTS, name))


def test_without_saving_by_itself_a_crash_loses_a_second(own: Person, errors: Errors) -> None:
    person = own
    name = create_without_auto_save(person)
    before = person.on_disk("main.py")
    person.replace("main.py", "never saved")
    status = person.tab.locator(".jp-Repl-status")
    expect(status).to_contain_text("not saved")
    person.pause(1.5)  # a draft is kept a second after the last key
    other = person.page.context.new_page()
    with pytest.raises(Exception, match="crash"):
        person.page.goto("chrome://crash")
    again = Person(other, person.lab)
    again.visit()
    again.open(name)
    again.wait_editor("main.py")
    wait_for(lambda: again.text("main.py") == "never saved")
    assert again.on_disk("main.py") == before


def test_a_part_that_could_not_be_loaded_is_asked_for_again(newcomer: Person, page: Page, errors: Errors) -> None:
    errors.expect_network = True
    person = newcomer
    name = person.lab.make("loaded-later")
    chunks = re.compile(r"extensions/jupyter-repl/static/(?!remoteEntry).*\.js")
    page.route(chunks, lambda route: route.abort())
    with page.expect_event("requestfailed"):
        said = page.evaluate(REFUSAL, name)
    assert said.startswith("A part of the page could not be loaded."), "no number of a chunk"
    page.unroute(chunks)
    person.open(name)
    person.wait_prompt()
    person.wait_editor("main.py")
