"""What is at hand: the Running panel, recent REPLs, titles, status bar, settings, commands, saved workspaces."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.lab import TOKEN, Lab, stays, wait_for
from support.person import Person

pytestmark = pytest.mark.browser


def test_running_repls_are_listed_and_stopped(person: Person) -> None:
    first = person.create("Python")
    person.wait_editor("main.py")
    person.command("launcher:create")
    second = person.create("Node.js")
    person.page.locator('.jp-SideBar [data-id="jp-running-sessions"]').click()
    items = person.page.locator(".jp-RunningSessions-section").last.locator(".jp-RunningSessions-item")
    expect(items).to_have_count(2)
    person.look("running")
    item = items.filter(has_text=second)
    item.hover()
    item.locator(".jp-RunningSessions-itemShutdown").click()
    expect(items).to_have_count(1)
    person.wait_state("stopped")
    items.first.locator(".jp-RunningSessions-itemLabel").click()
    person.repl = first
    expect(person.tab).to_be_visible()
    person.page.locator(".jp-RunningSessions-shutdownAll", has_text="Stop All").click()
    person.page.locator(".jp-Dialog-button", has_text="Stop All").click()
    person.wait_state("stopped")
    expect(items).to_have_count(0)
    assert {person.lab.phase(name)["name"] for name in (first, second)} == {"stopped"}


def test_recent_repls_are_resumed_stopped_and_deleted(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    person.command("application:close")
    expect(person.tab).to_have_count(0)
    person.command("launcher:create")
    card = person.card(name).locator("visible=true")
    expect(card).to_be_visible()
    expect(card).to_have_attribute("title", re.compile(f"{name}, python, running"))
    person.look("recent")
    card.click()
    person.wait_running()
    person.wait_prompt()
    person.begin("jupyter-repl:manage")
    dialog = person.page.locator(".jp-Repl-projectsDialog")
    row = dialog.locator(f'tr[data-repl="{name}"]')
    expect(row).to_contain_text("running")
    person.look("all-repls")
    row.get_by_text("Stop", exact=True).click()
    expect(row).to_contain_text("stopped")
    row.get_by_text("Delete…").click()
    ask = person.page.locator(".jp-Repl-askDialog")
    ask.locator("input").fill("something-else")
    ask.get_by_text("Delete", exact=True).last.click()
    expect(ask).to_contain_text("That is not its name.")
    ask.locator("input").fill(name)
    ask.get_by_text("Delete", exact=True).last.click()
    expect(ask).to_have_count(0)
    expect(row).to_have_count(0)
    wait_for(lambda: not person.lab.project(name).exists())
    dialog.get_by_text("Close", exact=True).click()
    expect(dialog).to_have_count(0)


def test_deleting_the_repl_in_front_closes_its_tab(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    person.press_button("more")
    person.choose("Delete REPL…")
    ask = person.page.locator(".jp-Repl-askDialog")
    ask.locator("input").fill(name)
    ask.get_by_text("Delete", exact=True).last.click()
    expect(person.tab).to_have_count(0)
    wait_for(lambda: not person.lab.project(name).exists())


def test_a_title_is_another_than_the_name(person: Person) -> None:
    name = person.create("Python")
    person.begin("jupyter-repl:rename")
    ask = person.page.locator(".jp-Repl-askDialog")
    ask.locator("input").fill("Ünit 3: Ada's game")
    ask.locator("input").press("Enter")
    tab = person.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tabLabel", has_text="Ünit 3: Ada's game")
    expect(tab.first).to_be_visible()
    person.wait_layout_saved()
    person.reload()
    expect(tab.first).to_be_visible()
    assert person.lab.call("GET", f"project/{name}")[1]["title"] == "Ünit 3: Ada's game"


def test_the_status_bar_follows(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    status = person.page.locator(".jp-Repl-statusItem")
    expect(status).to_contain_text("running")
    expect(status).to_contain_text("python")
    person.replace("main.py", "if True:\n  two = 2\n")
    expect(status).to_contain_text(re.compile(r"Ln 3, Col \d"))
    expect(status).to_contain_text("saved")
    person.command("launcher:create")
    expect(status).to_be_hidden()


def set_settings(lab: Lab, page: Page, **values: object) -> None:
    page.evaluate(
        """async ([url, token, raw]) => {
            const xsrf = /\\b_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? '';
            const headers = {Authorization: `token ${token}`, 'Content-Type': 'application/json', 'X-XSRFToken': xsrf};
            const body = JSON.stringify({raw});
            await fetch(`${url}/lab/api/settings/jupyter-repl:open`, {method: 'PUT', headers, body});
        }""",
        [lab.url, TOKEN, json.dumps(values)],
    )


def test_settings_are_edited_and_followed(own: Person) -> None:
    person = own
    person.create("Python")
    person.wait_editor("main.py")
    size = "node => getComputedStyle(node.querySelector('.view-line')).fontSize"
    person.command("settingeditor:open", query="REPL")
    field = person.page.locator('[id$="_fontSize"]').first
    field.fill("22")
    file = person.lab.home / ".jupyter/lab/user-settings/jupyter-repl/open.jupyterlab-settings"
    wait_for(lambda: file.exists() and "22" in file.read_text())
    person.open(person.repl)
    wait_for(lambda: person.editor("main.py").evaluate(size) == "22px")
    person.look("settings")
    set_settings(person.lab, person.page, autoSave=False, wordWrap=True, tabSize=2)
    person.wait_layout_saved()
    person.reload()
    person.wait_editor("main.py")
    before = person.on_disk("main.py")
    person.replace("main.py", "unsaved")
    stays(lambda: person.on_disk("main.py") == before, 1)
    expect(person.row("main.py")).to_have_class(re.compile("jp-mod-dirty"))
    person.page.keyboard.press("Control+s")
    person.wait_on_disk("main.py", "unsaved")


def test_another_key_for_run_works_in_the_editor_too(newcomer: Person) -> None:
    person = newcomer
    person.create("Python")
    person.wait_editor("main.py")
    person.page.evaluate(
        """window.jupyterapp.commands.addKeyBinding(
            {command: 'jupyter-repl:run', keys: ['Ctrl Alt R'], selector: '.jp-Repl'})"""
    )
    person.replace("main.py", "print('by another key')\n")
    person.page.keyboard.press("Control+Alt+r")
    person.wait_console("by another key")


def test_every_command_is_in_the_palette_and_the_menu(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.page.locator(".lm-MenuBar-itemLabel", has_text="REPL").click()
    menu = person.page.locator(".lm-Menu").last
    for label in ("Run Project", "Run Current File", "Stop Program", "New REPL Terminal", "Split Editor Right"):
        expect(menu.get_by_text(label, exact=True)).to_be_visible()
    expect(menu).to_contain_text("Ctrl+Enter")
    person.look("menu-bar")
    person.page.keyboard.press("Escape")
    ids = person.page.evaluate("window.jupyterapp.commands.listCommands().filter(id => id.startsWith('jupyter-repl:'))")
    assert len(ids) > 40
    unlabelled = person.page.evaluate("ids => ids.filter(id => !window.jupyterapp.commands.label(id))", ids)
    assert unlabelled == []


def test_the_panes_are_reached_and_put_away_by_keys(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    focused = "node => node.contains(document.activeElement)"
    for key, pane in (("1", ".jp-Repl-tree"), ("2", ".jp-Repl-editor"), ("3", ".jp-Repl-console"), ("4", None)):
        person.page.keyboard.press(f"Control+{key}")
        where = person.tab.locator(pane).first if pane else person.terminal
        if key != "3":  # nothing has run, so the console has nothing to focus
            wait_for(lambda where=where: where.evaluate(focused), 5)
    person.page.keyboard.press("Control+2")
    person.page.keyboard.press("Control+b")
    expect(person.tab.locator(".jp-Repl-tree")).to_be_hidden()
    person.page.keyboard.press("Control+j")
    expect(person.console).to_be_hidden()
    person.wait_layout_saved()
    person.reload()
    person.wait_editor("main.py")
    expect(person.tab.locator(".jp-Repl-tree")).to_be_hidden()
    person.page.keyboard.press("Control+1")
    expect(person.tab.locator(".jp-Repl-tree")).to_be_visible()


def test_a_saved_workspace_brings_everything_back(person: Person, tmp_path: Path) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    (person.lab.project(name) / "second.txt").write_text("second\n")
    person.open_file("second.txt")
    person.command("jupyter-repl:split-right")
    person.command("jupyter-repl:new-terminal")
    expect(person.tab.locator(".jp-Repl-side > .jp-Repl-terminal")).to_have_count(2)
    person.wait_layout_saved()
    saved = person.page.evaluate(
        """async ([url, token, name]) => {
            const headers = {Authorization: `token ${token}`};
            const answer = await fetch(`${url}/lab/api/workspaces/${name}`, {headers});
            const workspace = await answer.json();
            workspace.metadata.id = 'kept';
            const xsrf = /\\b_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? '';
            const put = {...headers, 'Content-Type': 'application/json', 'X-XSRFToken': xsrf};
            const body = JSON.stringify(workspace);
            return (await fetch(`${url}/lab/api/workspaces/kept`, {method: 'PUT', headers: put, body})).status;
        }""",
        [person.lab.url, TOKEN, person.workspace],
    )
    assert saved == 204
    person.visit()  # resets the one in use
    person.workspace = "kept"
    person.page.goto(f"{person.lab.url}/lab/workspaces/kept")
    person.wait_lab()
    person.wait_running()
    expect(person.tab.locator('.jp-Repl-editor[data-path="second.txt"]')).to_have_count(2)
    expect(person.tab.locator('.jp-Repl-editor[data-path="main.py"]')).to_have_count(1)
    expect(person.tab.locator(".jp-Repl-side > .jp-Repl-terminal")).to_have_count(2)


def test_a_repl_by_its_address(person: Person, person_at: Callable[[Lab], Person]) -> None:
    name = person.create("Python")
    other = person_at(person.lab)
    other.page.goto(f"{person.lab.url}/lab?repl={name}&token={TOKEN}")
    other.repl = name
    other.wait_lab()
    other.wait_running()
    other.wait_editor("main.py")
