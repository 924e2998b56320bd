"""Making a REPL: cards, menu, palette and the dialog."""

import re
from pathlib import Path

import pytest
from browser.conftest import visitor
from playwright.sync_api import Locator, Page, expect
from support.lab import Lab
from support.person import Person


def dialog(person: Person) -> Locator:
    return person.page.locator(".jp-Repl-createDialog")


def test_a_card_per_template_in_a_section_of_its_own(person: Person) -> None:
    section = person.page.locator(".jp-Launcher-section", has=person.page.locator("h2", has_text="REPL"))
    labels = section.locator(".jp-LauncherCard-label").all_inner_texts()
    assert [label.strip() for label in labels] == ["Node.js", "Python"]
    person.look("launcher")


def test_the_file_menu_and_the_palette_make_repls_too(person: Person) -> None:
    page = person.page
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^File$")).click()
    page.locator(".lm-Menu-item", has_text=re.compile("^New$")).first.hover()
    page.locator(".lm-Menu-item", has_text="New REPL: Python").click()
    expect(dialog(person).locator("select")).to_have_value("python")
    page.keyboard.press("Escape")
    expect(dialog(person)).to_have_count(0)
    page.keyboard.press("ControlOrMeta+Shift+c")
    page.locator(".lm-CommandPalette-input").fill("New REPL: Node")
    page.locator(".lm-CommandPalette-item", has_text="New REPL: Node.js").first.click()
    expect(dialog(person).locator("select")).to_have_value("node-js")


def test_a_name_is_checked_while_it_is_typed(person: Person) -> None:
    person.card("Python").click()
    name, problem = dialog(person).locator("input"), dialog(person).get_by_role("alert")
    assert re.fullmatch(r"[a-z]+-[a-z]+-[a-z]+", name.input_value())
    expect(name).to_be_focused()
    for text, said in {
        "Über": "lower-case letters",
        "a--b": "A hyphen stands between",
        "a" * 49: "longer than 48",
        "": "Type a name",
    }.items():
        name.fill(text)
        expect(problem).to_contain_text(said)
    person.page.keyboard.press("Enter")
    expect(dialog(person)).to_be_visible()
    name.fill("fine-now")
    expect(problem).to_be_empty()
    person.look("dialog")


def test_what_goes_wrong_is_said_in_the_dialog_and_nothing_typed_is_lost(person: Person) -> None:
    person.lab.make("taken", start=False)
    person.card("Python").click()
    field = dialog(person).locator("input")
    field.fill("taken")
    dialog(person).locator("select").select_option("node-js")
    person.page.keyboard.press("Enter")
    field.press("Enter")
    expect(dialog(person).get_by_role("alert")).to_contain_text("The name taken is taken. Choose another, or open it.")
    assert (field.input_value(), dialog(person).locator("select").input_value()) == ("taken", "node-js")
    field.fill("not-taken")
    field.press("Enter")
    person.repl = "not-taken"
    person.wait_running()


def test_a_folder_that_is_dropped_into_base_is_a_card(lab: Lab, page: Page) -> None:
    base = lab.store / "base" / "shell-script"
    base.mkdir(parents=True)
    (base / "hello.sh").write_text("echo hello from the template\n")
    (base / ".template.toml").write_text('label = "Shell"\nrun = "sh hello.sh"\nmain = "hello.sh"\n')
    person = visitor(page, lab)
    person.create("Shell")
    person.wait_editor("hello.sh")
    person.press_button("run")
    person.wait_console("hello from the template")


@pytest.fixture
def poor(home: Path, tmp_path: Path) -> Lab:
    """A machine without node."""
    import os
    import shutil

    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("python3", "bash", "sh", "ls"):
        (tools / name).symlink_to(os.path.realpath(shutil.which(name) or ""))
    return Lab(home, "jupyterlab", PATH=str(tools))


def test_a_language_that_cannot_run_here_says_why(poor: Lab, page: Page) -> None:
    poor.start()
    try:
        person = visitor(page, poor)
        expect(person.card("Node.js")).to_have_attribute("title", re.compile("node was not found here"))
        person.card("Node.js").click()
        expect(dialog(person).get_by_role("alert")).to_contain_text("node was not found here.")
        person.look("no-node")
        dialog(person).locator("button", has_text="Create").click()
        expect(dialog(person)).to_be_visible()
        dialog(person).locator("select").select_option("python")
        expect(dialog(person).get_by_role("alert")).to_be_empty()
    finally:
        poor.stop()
