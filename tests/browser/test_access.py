"""For everybody: axe in every theme, everything by keyboard, large type, narrow windows, other hosts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from support.lab import Lab, wait_for
from support.person import Person

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent.parent.parent / "labextension/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def violations(person: Person, *within: str) -> list[str]:
    """What axe finds in our parts; JupyterLab's own are its own."""
    if not person.page.evaluate("'axe' in window"):
        person.page.add_script_tag(path=AXE)
    found: dict[str, Any] = person.page.evaluate(
        "([within, rules]) => axe.run({include: within.map(s => [s])}, {runOnly: rules})", [list(within), RULES]
    )
    return [
        json.dumps([violation["id"], violation["help"], [node["html"][:160] for node in violation["nodes"]][:3]])
        for violation in found["violations"]
    ]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_axe_finds_nothing(person: Person, theme: str) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.theme(theme)
    person.press_button("run")
    person.wait_console("name?")
    person.page.keyboard.type("Ada\n")
    person.wait_run_end("exit 0")
    (person.lab.project(person.repl) / "src").mkdir()
    (person.lab.project(person.repl) / "src/app.py").write_text("x")
    person.row("src").click()
    expect(person.row("src/app.py")).to_be_visible()
    person.wait_still()
    person.look(f"theme-{theme.replace(' ', '-').lower()}")
    tab = f"#jupyter-repl-{person.repl}"
    assert violations(person, tab, ".jp-Repl-statusItem") == []
    person.press_button("power")
    person.wait_state("stopped")
    assert violations(person, tab) == []
    person.begin("jupyter-repl:create")
    expect(person.page.locator(".jp-Repl-createDialog")).to_be_visible()
    assert violations(person, ".jp-Repl-createDialog") == []
    person.page.keyboard.press("Escape")
    person.begin("jupyter-repl:manage")
    expect(person.page.locator(".jp-Repl-projectsDialog")).to_be_visible()
    assert violations(person, ".jp-Repl-projectsDialog") == []
    person.page.keyboard.press("Escape")
    person.theme("JupyterLab Light")


def test_a_day_without_a_mouse(person: Person) -> None:
    """Make, type, run, answer, look at the files and go back, by keys alone."""
    keys = person.page.keyboard
    person.card("Python").first.focus()
    keys.press("Enter")
    field = person.page.locator(".jp-Repl-createDialog input")
    expect(field).to_be_focused()
    person.repl = field.input_value()
    keys.press("Enter")
    person.wait_running()
    person.wait_editor("main.py")
    keys.press("Control+2")
    keys.press("Control+a")
    keys.type("print('by keys')")
    keys.press("Control+Enter")
    person.wait_console("by keys")
    keys.press("Control+1")
    keys.press("Alt+n")
    person.name("other.py")
    person.wait_editor("other.py")
    keys.press("Control+4")
    keys.type("ls\n")
    person.wait_prompt()
    # the focus is always to be seen
    keys.press("Control+1")
    outline = "node => getComputedStyle(node.querySelector('.jp-mod-focused')).outlineStyle"
    assert person.tab.locator(".jp-Repl-treeList").evaluate(outline) != "none"
    keys.press("Tab")
    assert person.page.evaluate("document.activeElement.className")


def test_the_border_between_panes_moves_by_keys_and_goes_back(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    before = person.console.bounding_box()
    handle = person.tab.locator(".jp-Repl-panes > .lm-SplitPanel-handle:not(.lm-mod-hidden)").last
    handle.focus()
    for _ in range(5):
        person.page.keyboard.press("ArrowLeft")
    moved = person.console.bounding_box()
    assert before
    assert moved
    assert moved["x"] < before["x"] - 40
    handle.dblclick()
    after = person.console.bounding_box()
    assert after
    assert abs(after["x"] - before["x"]) < 3


@pytest.mark.parametrize(("width", "mode"), [(1400, "wide"), (1100, "stacked"), (640, "tabs")])
def test_narrow_windows_stack_the_panes(person: Person, width: int, mode: str) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    before, wide = person.console.bounding_box(), person.page.viewport_size
    assert before
    assert wide
    person.page.set_viewport_size({"width": width, "height": 860})
    panes = person.tab.locator(".jp-Repl-panes").first
    expect(panes).to_have_attribute("data-mode", mode)
    person.wait_still()
    person.look(f"width-{width}")
    if mode == "stacked":
        editor, console = person.editor("main.py").bounding_box(), person.console.bounding_box()
        assert editor
        assert console
        assert editor["y"] + editor["height"] <= console["y"]
    if mode == "tabs":
        expect(person.tab.locator(".jp-Repl-tree")).to_be_hidden()
        person.tab.locator(".jp-Repl-paneButton", has_text="Files").click()
        person.row("main.py").click()
        expect(person.editor("main.py")).to_be_visible()
        expect(person.tab.locator(".jp-Repl-tree")).to_be_hidden()
        person.page.keyboard.press("Control+Enter")
        person.wait_console("name?")
    person.page.set_viewport_size(wide)
    expect(panes).to_have_attribute("data-mode", "wide")
    wait_for(lambda: (after := person.console.bounding_box()) and abs(after["width"] - before["width"]) < 3)


def test_at_200_percent_everything_can_be_reached(
    browser: Browser, shared_lab: Lab, person_at: Callable[..., Person]
) -> None:
    person = person_at(shared_lab)
    person.page.set_viewport_size({"width": 700, "height": 430})  # what a zoom of 200 % leaves of 1400 x 860
    person.visit()
    person.create("Python")
    person.wait_still()
    person.look("zoom-200")
    tab = person.tab.bounding_box()
    assert tab
    for button in person.tab.locator(".jp-Toolbar button").all():
        box = button.bounding_box()
        assert box is None or box["x"] + box["width"] <= tab["x"] + tab["width"] + 1
    person.press_button("run")
    person.wait_console("name?")
