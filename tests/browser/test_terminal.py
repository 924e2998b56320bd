"""Terminals as a person uses them: keys, clipboard, find, titles, links, floods, and a network that fails."""

import copy
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from browser.conftest import Errors, visitor
from playwright.sync_api import Page, expect
from support.lab import Lab, wait_for
from support.person import Person
from support.proxy import Proxy

pytestmark = pytest.mark.browser
FLOOD = int(os.environ.get("REPL_TEST_FLOOD", "400"))
"""Writes of 80 kB. `make soak` makes it 100 MB."""


@contextmanager
def tasks(page: Page) -> Iterator[list[float]]:
    """Milliseconds of its own CPU time that each task of the page's thread took during the block, there after it.

    Not the time by the clock: where the graphics are software's, a task of 3 ms waits 80 for a core.
    """
    browser, took = page.context.browser, list[float]()
    assert browser
    browser.start_tracing(page=page, categories=["toplevel"])
    try:
        yield took
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {
        (event["pid"], event["tid"]): event["args"]["name"] for event in events if event["name"] == "thread_name"
    }
    for event in events:
        if event["name"].endswith("::RunTask") and threads.get((event["pid"], event["tid"])) == "CrRendererMain":
            took.append(event.get("tdur", 0) / 1000)


@pytest.fixture
def shell(person: Person) -> Person:
    """Somebody with the keys in a shell."""
    person.create("Python")
    person.wait_prompt()
    person.terminal.locator(".jp-Repl-terminalHost").click()
    return person


def select_line(person: Person, text: str) -> None:
    """Three clicks on a line of the screen, once it is there."""
    wait_for(lambda: text in person.terminal_text().splitlines())
    rows, tops = person.terminal.locator(".jp-Repl-terminalHost").evaluate(
        """(node, text) => {
            const {rows, top} = node.terminalView;
            return [rows, node.terminalText.split('\\n').findIndex(line => line === text) - top];
        }""",
        text,
    )
    box = person.terminal.locator(".xterm-screen").bounding_box()
    assert box
    person.page.mouse.click(box["x"] + 20, box["y"] + (tops + 0.5) * box["height"] / rows, click_count=3)


def test_ctrl_c_copies_what_is_selected_and_else_interrupts(shell: Person) -> None:
    keys = shell.page.keyboard
    shell.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shell.shell("echo to-be-copied")
    select_line(shell, "to-be-copied")
    keys.press("Control+c")
    wait_for(lambda: shell.page.evaluate("navigator.clipboard.readText()").strip() == "to-be-copied")
    assert "^C" not in shell.terminal_text()
    keys.type("echo <")
    keys.press("Control+v")
    wait_for(lambda: "echo <to-be-copied" in shell.terminal_text())
    keys.press("Control+c")
    wait_for(lambda: "^C" in shell.terminal_text())


PASTE = """([text]) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
    document.activeElement.dispatchEvent(event);
}"""


def test_a_paste_of_two_megabytes_arrives_and_types_no_control_characters(shell: Person) -> None:
    shell.shell("stty -echo; echo rea''dy; cat > pasted.txt", "ready")
    # Until the shell has run the line, a paste is one into its prompt: between brackets.
    wait_for(lambda: shell.on_disk("pasted.txt") == "")
    shell.page.evaluate(PASTE, ["first\x1b[201~\x03\n"])
    wait_for(lambda: shell.on_disk("pasted.txt") == "first[201~\n")
    text = "".join(f"{number:07} {'x' * 71}\n" for number in range(25_000))
    shell.page.evaluate(PASTE, [text])
    wait_for(lambda: shell.on_disk("pasted.txt") == "first[201~\n" + text, 30)


def test_find_and_clear(shell: Person) -> None:
    keys = shell.page.keyboard
    shell.shell("seq 1000 2000", "2000")
    keys.press("Control+Shift+F")
    bar = shell.terminal.locator(".jp-Repl-findBar")
    bar.get_by_role("textbox").fill("1234")
    expect(bar.get_by_role("status")).to_have_text("1/1")
    shell.look("find")
    view = shell.terminal.locator(".jp-Repl-terminalHost")
    wait_for(lambda: view.evaluate("node => node.terminalView.top") < 300)
    keys.press("Escape")
    expect(bar).to_be_hidden()
    keys.press("Control+Shift+K")
    wait_for(lambda: shell.terminal_text().strip() == "$")
    keys.type("echo af''ter\n")
    wait_for(lambda: "after" in shell.terminal_text())


def test_a_shell_names_its_tab_and_a_new_one_begins_beside_it(shell: Person) -> None:
    shell.shell("mkdir inside; cd inside; printf '\\033]0;my title\\007'", "")
    tabs = shell.tab.locator(".jp-Repl-side .lm-TabBar-tab")
    expect(tabs.filter(has_text="my title")).to_be_visible()
    shell.page.keyboard.press("Control+Shift+Backquote")
    expect(tabs.filter(has_text="Terminal 2")).to_be_visible()
    shell.wait_prompt()
    expect(shell.terminal.locator("textarea")).to_be_focused()
    shell.page.keyboard.type("pwd > ../where\n")
    wait_for(lambda: (shell.project / "where").exists() and shell.on_disk("where").endswith("/inside\n"))


def test_esc_is_vims_and_the_way_out_is_ctrl_2(shell: Person) -> None:
    keys = shell.page.keyboard
    keys.type("vim -u NONE -n made.txt\n")
    wait_for(lambda: "made.txt" in shell.terminal_text() and "~" in shell.terminal_text())
    keys.type("ihello")
    keys.press("Escape")
    keys.type(":w\n")
    shell.wait_on_disk("made.txt", "hello\n")
    shell.look("vim")
    keys.press("Control+2")
    expect(shell.editor("main.py").locator(":focus")).to_have_count(1)
    keys.press("Control+4")
    keys.type(":q\n")
    wait_for(lambda: "~" not in shell.terminal_text())


def test_a_web_address_opens_in_the_browser(shell: Person) -> None:
    shell.shell("echo see http://127.0.0.1:9/page now")
    select = shell.terminal.locator(".xterm-cursor-pointer")
    box = shell.terminal.locator(".xterm-screen").bounding_box()
    assert box
    rows = shell.terminal.locator(".jp-Repl-terminalHost").evaluate("node => node.terminalView.rows")
    with shell.page.expect_popup() as opened:
        for aside in range(50):
            shell.page.mouse.move(box["x"] + 90 + aside % 2, box["y"] + 1.5 * box["height"] / rows)
            shell.pause(0.05)
            if select.count():
                break
        shell.page.mouse.click(box["x"] + 90, box["y"] + 1.5 * box["height"] / rows)
    opened.value.close()


@pytest.mark.alone
def test_a_flood_does_not_slow_the_tab(shell: Person) -> None:
    (shell.project / "flood.py").write_text(
        f"import sys\nfor _ in range({FLOOD}): sys.stdout.write(('y' * 79 + '\\n') * 1000)\n"
    )
    with tasks(shell.page) as took:
        shell.page.keyboard.type("python3 flood.py; echo all-of-it; touch ../flooded\n")
        # Not by looking at the terminal: to read its 10,000 lines is a long task itself.
        wait_for((shell.project.parent / "flooded").exists, 90)
        shell.pause(1)  # what is still to be drawn
    wait_for(lambda: "\nall-of-it" in shell.terminal_text())
    assert len(took) > FLOOD / 2
    assert max(took) < 50


def test_a_reload_in_the_middle_of_a_flood(shell: Person) -> None:
    shell.page.keyboard.type("for i in $(seq 200000); do echo line $i; done; echo all-of-it\n")
    wait_for(lambda: re.search(r"^line \d{4}", shell.terminal_text(), re.M))  # any: the first ones scroll away soon
    shell.wait_layout_saved()
    shell.reload()
    shell.wait_running()
    wait_for(lambda: "\nall-of-it" in shell.terminal_text(), 60)
    lines = [int(line.split()[1]) for line in shell.terminal_text().splitlines() if re.fullmatch(r"line \d+", line)]
    assert lines == list(range(lines[0], 200_001))


@pytest.mark.parametrize("how", ["cut", "stall"])
def test_a_network_that_fails(page: Page, shared_lab: Lab, errors: Errors, how: str) -> None:
    """Typing goes on meanwhile, and nothing is missing or there twice afterwards."""
    errors.expect_network = True
    proxy = Proxy(shared_lab.port)
    lab = copy.copy(shared_lab)
    lab.url = f"http://127.0.0.1:{proxy.port}"
    try:
        person = visitor(page, lab)
        person.create("Python")
        person.wait_prompt()
        person.terminal.locator(".jp-Repl-terminalHost").click()
        page.keyboard.type("for i in $(seq 40); do echo line $i; sleep 0.1; done; read a; echo got $a\n")
        wait_for(lambda: "line 5" in person.terminal_text())
        if how == "cut":
            proxy.cut()
            page.keyboard.type("typed meanwhile\n")
        else:
            proxy.stall()
            page.keyboard.type("typed meanwhile\n")
            person.wait_state("lost", 45)
            proxy.cut()
            proxy.stall(False)
        wait_for(lambda: "got typed meanwhile" in person.terminal_text(), 30)
        # The echo of what was typed may stand before a line, or between it and its end.
        lines = re.findall(r"line (\d+)", person.terminal_text())
        assert lines == [str(number) for number in range(1, 41)]
    finally:
        proxy.close()


def test_two_windows_on_one_terminal(shell: Person, person_at: Callable[[Lab], Person]) -> None:
    """It has the size of the one in which somebody typed last."""
    shell.shell("echo mine")
    other = person_at(shell.lab)
    other.page.set_viewport_size({"width": 1100, "height": 700})
    other.visit()
    other.open(shell.repl)
    other.wait_running()
    view = "node => [node.terminalView.rows, node.terminalView.cols]"
    mine, theirs = (each.terminal.locator(".jp-Repl-terminalHost") for each in (shell, other))
    before = mine.evaluate(view)
    wait_for(lambda: theirs.evaluate(view) == before)
    theirs.click()
    other.page.keyboard.type("stty size\n")
    wait_for(lambda: theirs.evaluate(view) != before)
    after = theirs.evaluate(view)
    wait_for(lambda: mine.evaluate(view) == after)
    wait_for(lambda: f"{after[0]} {after[1]}" in other.terminal_text())
