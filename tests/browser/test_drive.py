"""JupyterLab's own file browser on the projects, runner on or off."""

import pytest
from playwright.sync_api import Locator, expect
from support.lab import wait_for
from support.person import Person

pytestmark = pytest.mark.browser


def browser_of(person: Person) -> Locator:
    person.command("jupyter-repl:browse")
    browser = person.page.locator("#jupyter-repl-browser")
    expect(browser).to_be_visible()
    return browser


def test_it_is_there_again_after_a_reload(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    browser = browser_of(person)
    item(browser, name).dblclick()
    expect(item(browser, "main.py")).to_be_visible()
    person.wait_layout_saved()
    person.reload()
    expect(person.page.locator("#jupyter-repl-browser")).to_be_visible()
    expect(item(person.page.locator("#jupyter-repl-browser"), "main.py")).to_be_visible()


def item(browser: Locator, name: str) -> Locator:
    return browser.locator(".jp-DirListing-item", has_text=name).first


def test_files_are_opened_edited_and_found_by_the_repl(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    browser = browser_of(person)
    item(browser, name).dblclick()
    item(browser, "main.py").dblclick()
    editor = person.page.locator(".jp-FileEditor:not(.lm-mod-hidden) .cm-content")
    expect(editor).to_contain_text("print")
    editor.click()
    person.page.keyboard.press("ControlOrMeta+a")
    person.type("print('by the drive')")
    person.page.keyboard.press("ControlOrMeta+s")
    person.wait_on_disk("main.py", "print('by the drive')")
    person.look("drive")
    person.command("jupyter-repl:open", replId=name)
    wait_for(lambda: person.text("main.py") == "print('by the drive')")


def test_a_stopped_projects_files_are_renamed_and_deleted(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    (person.project / "old.txt").write_text("old")
    person.press_button("power")
    person.wait_state("stopped")
    browser = browser_of(person)
    crumbs = browser.locator(".jp-BreadCrumbs-home")
    crumbs.click()
    item(browser, name).dblclick()
    item(browser, "old.txt").click()
    person.page.keyboard.press("F2")
    field = browser.locator("input.jp-DirListing-editor")
    field.fill("new.txt")
    field.press("Enter")
    wait_for(lambda: (person.project / "new.txt").exists() and not (person.project / "old.txt").exists())
    item(browser, "new.txt").click()
    person.begin("filebrowser:delete")
    person.page.locator(".jp-Dialog button.jp-mod-accept").click()  # "Delete", or "Move to Trash"
    wait_for(lambda: not (person.project / "new.txt").exists())
