"""The tab: its look by themes, its keys in every pane, its layout after a reload."""

import re

import psutil
import pytest
from playwright.sync_api import expect
from support.lab import wait_for
from support.person import TERMINAL, Person
from support.processes import pids

PANES = ("editor", "terminal", "console", "tree")


def focus(person: Person, pane: str) -> None:
    if pane == "editor":
        person.focus_editor("main.py")
    elif pane == "terminal":
        person.terminal.locator(".jp-Repl-terminalHost").click()
    elif pane == "console":
        person.console.locator(".jp-Repl-terminalHost").click()
    else:
        person.tab.locator(".jp-Repl-treeList").focus()


def columns(person: Person) -> int:
    """Of the terminal, as its shell knows them; 0 if it has not said it yet."""
    person.shell("stty size")
    found = re.findall(r"^\d+ (\d+)$", person.terminal_text(), re.M)
    return int(found[-1]) if found else 0


def test_the_panes_are_side_by_side_and_can_be_resized(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    boxes = [person.tab.locator(pane).first.bounding_box() for pane in (".jp-Repl-tree", ".jp-Repl-editor")]
    boxes += [person.console.bounding_box(), person.terminal.bounding_box()]
    tree, editor, console, terminal = [box for box in boxes if box]
    assert tree["x"] + tree["width"] <= editor["x"] < editor["x"] + editor["width"] <= console["x"] == terminal["x"]
    assert console["y"] + console["height"] <= terminal["y"]
    handle = person.tab.locator(".jp-Repl-panes > .lm-SplitPanel-handle").nth(1).bounding_box()
    assert handle
    person.page.mouse.move(handle["x"] + 1, handle["y"] + 200)
    person.page.mouse.down()
    person.page.mouse.move(handle["x"] - 150, handle["y"] + 200, steps=5)
    person.page.mouse.up()
    moved = person.console.bounding_box()
    assert moved
    assert abs(moved["x"] - (console["x"] - 150)) < 8
    width = moved["width"]
    wait_for(lambda: columns(person) > (width - 40) / 12)  # the shell knows its new size
    # the same after a reload
    person.wait_layout_saved()
    person.reload()
    person.wait_editor("main.py")
    wait_for(lambda: (box := person.console.bounding_box()) and abs(box["x"] - moved["x"]) < 4, 5)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_wears_jupyterlabs_colours(person: Person, theme: str) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.theme(theme)
    person.shell("ls --color=always /; echo -e '\\e[31mred \\e[33myellow \\e[36mcyan\\e[0m'", "cyan")
    person.press_button("run")
    person.wait_console("name?")
    wanted = person.page.evaluate(
        """() => { const probe = document.createElement('div');
        probe.style.color = 'var(--jp-layout-color0)'; document.body.append(probe);
        const color = getComputedStyle(probe).color; probe.remove(); return color; }"""
    )
    colour = "node => getComputedStyle(node).backgroundColor"
    assert person.editor("main.py").locator(".monaco-editor-background").first.evaluate(colour) == wanted
    assert person.terminal.locator(".xterm-viewport").evaluate(colour) == wanted
    assert person.tab.locator(".jp-Repl-console").evaluate(colour) == wanted
    person.look(f"theme-{theme.split()[-1].lower()}")
    person.theme("JupyterLab Light")


@pytest.mark.parametrize("pane", PANES)
def test_keys_work_in_every_pane(person: Person, pane: str) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.replace("main.py", "import time\nprint('started', flush=True)\ntime.sleep(1000)\n")
    person.press_button("run")
    person.wait_console("started")
    person.press_button("stop")
    person.wait_run_end("exit|SIG")
    focus(person, pane)
    person.page.keyboard.press("ControlOrMeta+Enter")
    expect(person.console.locator(".jp-Repl-consoleFoot > span")).to_have_text("Running…")
    person.wait_console("started")
    focus(person, pane)
    person.page.keyboard.press("Shift+F5")
    person.wait_run_end("exit|SIG")
    focus(person, pane)
    person.page.keyboard.press("Control+Shift+Backquote")
    expect(person.tab.locator(".jp-Repl-terminal[data-terminal]")).to_have_count(3)
    assert person.on_disk("main.py").startswith("import time\n"), "the keys were not typed into the file"


def test_several_terminals_and_what_closing_one_ends(person: Person) -> None:
    person.create("Python")
    person.shell("echo one", "\none")
    person.press_button(TERMINAL)
    wait_for(lambda: "one" not in person.terminal_text())
    person.wait_prompt()
    person.shell("sleep 98765 & echo two", "\ntwo")
    tabs = person.tab.locator(".jp-Repl-side .lm-TabBar-tab", has_text="Terminal")
    expect(tabs).to_have_count(2)
    tabs.nth(1).locator(".lm-TabBar-tabCloseIcon").click()
    expect(tabs).to_have_count(1)
    wait_for(lambda: "\none" in person.terminal_text())
    person.shell("while pgrep -f 'sleep [9]8765'; do sleep 0.1; done; echo go''ne", "gone")


def test_a_shell_that_ended_says_so_and_enter_brings_a_new_one(person: Person) -> None:
    person.create("Python")
    person.shell("exit 3", "The shell has ended: code 3. Press Enter for a new one.")
    person.page.keyboard.press("Enter")
    wait_for(lambda: "has ended" not in person.terminal_text())
    person.wait_prompt()
    person.shell("echo $((40+2))", "\n42")


def test_a_flood_leaves_the_tab_alive_and_ctrl_c_ends_it(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.shell("yes flood", "flood\nflood")
    person.focus_editor("main.py")
    person.page.keyboard.press("ControlOrMeta+Home")
    person.page.keyboard.type("# typed during a flood\n")
    person.wait_saved()
    assert person.on_disk("main.py").startswith("# typed during a flood\n")
    person.terminal.locator(".jp-Repl-terminalHost").click()
    person.page.keyboard.press("Control+c")
    wait_for(lambda: re.search(r"\^C\s*\n\$\s*$", person.terminal_text()), 10)
    person.shell("echo al''ive", "alive")


def test_an_interpreter_that_is_missing_is_said_with_a_hint(person: Person) -> None:
    name = person.create("Python")
    (person.lab.project(name) / ".repl.toml").write_text('run = "no-such-interpreter main.py"\n')
    person.press_button("run")
    person.wait_run_end(r"✗ exit 127 .*The command was not found\. Install it, or change run in \.repl\.toml\.")
    (person.lab.project(name) / ".repl.toml").write_text("run = \n")
    person.press_button("run")
    person.wait_run_end(r"\.repl\.toml can't be read.*An example: run = ")
    (person.lab.project(name) / ".repl.toml").unlink()
    person.press_button("run")
    person.wait_console("name?")


def test_a_start_that_fails_says_why_and_offers_another(person: Person) -> None:
    """The predecessor's endless spinner."""
    name = person.create("Python")
    person.press_button("power")
    person.wait_state("stopped")
    project = person.lab.project(name)
    project.rename(project.with_name("moved-away"))
    person.banner.locator("button", has_text="Start").click()
    person.wait_state("failed")
    expect(person.banner).to_contain_text(f"The folder of {name} is gone. Put it back, or make a new REPL.")
    project.with_name("moved-away").rename(project)
    person.banner.locator("button", has_text="Retry").click()
    person.wait_running()
    person.wait_prompt()
    expect(person.banner).to_be_hidden()


def test_page_loads_leave_one_shell(person: Person) -> None:
    """Each load of the predecessor's page left a shell; ten loads show it as well as a hundred."""
    name = person.create("Python")
    (runner,) = pids("serve", person.lab, name)
    person.wait_layout_saved()
    before = len(psutil.Process(runner).children(recursive=True))
    for _ in range(10):
        person.reload()
    person.wait_prompt()
    assert len(psutil.Process(runner).children(recursive=True)) == before == 1


def test_an_editor_that_opens_late_takes_no_keys_from_the_terminal(person: Person) -> None:
    person.create("Python")
    # the prompt is there, Monaco is not yet
    person.terminal.locator(".jp-Repl-terminalHost").click()
    for key in "echo slow''ly typed":
        person.page.keyboard.type(key)
        person.pause(0.06)
    person.page.keyboard.press("Enter")
    wait_for(lambda: "slowly typed" in person.terminal_text())
    person.wait_editor("main.py")
    assert "slow" not in person.text("main.py")


def test_the_tree_marks_the_file_in_front(person: Person) -> None:
    person.create("Python")
    person.shell("echo x > other.txt; ls", "other.txt")
    person.open_file("other.txt")
    marked = person.tab.locator(".jp-Repl-treeRow[aria-selected=true]")
    expect(marked).to_have_text("other.txt")
    person.tab.locator(".jp-Repl-editors .lm-TabBar-tab", has_text="main.py").click()
    expect(marked).to_have_text("main.py")


def test_emoji_are_as_wide_on_the_screen_as_programs_think(person: Person) -> None:
    person.create("Python")
    # the terminal itself says where its cursor is
    person.shell("printf '😀😀'; printf '\\e[6n'; read -rsd R at; echo; echo column ${at#*;}", "column 5")
