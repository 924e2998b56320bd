"""What a person does in a REPL's tab, in a real browser. Each step waits for what a person would wait for."""

import re
import secrets
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Locator, Page, ViewportSize, expect

from .lab import TOKEN, Lab, wait_for

RUN, STOP, TERMINAL, POWER = "run", "stop", "terminal", "power"
SIZE: ViewportSize = {"width": 1400, "height": 860}

DROP = """([from, onto]) => {
    const transfer = new DataTransfer();
    const fire = (node, type) => {
        const {x, y, width, height} = node.getBoundingClientRect();
        const place = {clientX: x + width / 2, clientY: y + height / 2};
        const options = {...place, dataTransfer: transfer, bubbles: true, cancelable: true, composed: true};
        node.dispatchEvent(new DragEvent(type, options));
    };
    fire(from, 'dragstart');
    for (const type of ['dragenter', 'dragover', 'drop']) fire(onto, type);
    fire(from, 'dragend');
}"""


class Person:
    """`page` is theirs; `repl` the id of the REPL whose tab is in front."""

    def __init__(self, page: Page, lab: Lab, screenshots: Path | None = None) -> None:
        self.page = page
        self.lab = lab
        self.repl = ""
        self.workspace = secrets.token_hex(4)
        """JupyterLab's workspace, which holds the layout. All pages of a server would write to the default one."""
        self._screenshots = screenshots
        self._sessions: list[CDPSession] = []

    # -- JupyterLab

    def visit(self) -> None:
        self.page.goto(f"{self.lab.url}/lab/workspaces/{self.workspace}?reset&token={TOKEN}")
        self.wait_lab()
        self.page.locator(".jp-Launcher-body").first.wait_for(timeout=30_000)

    def leave(self) -> bool:
        """Close all tabs, and undo what was done to the page. Returns True if the page is like a new one: it shows only
        the launcher, no dialog or menu is open, and the side areas are as JupyterLab first shows them."""
        self.repl = ""
        while self._sessions:
            self._sessions.pop().detach()
        self.page.context.clear_permissions()
        self.page.set_viewport_size(SIZE)
        script = """async () => {
            const {commands, shell} = window.jupyterapp;
            await commands.execute('application:close-all');
            document.activeElement?.blur();
            const {leftArea, rightArea} = shell.saveLayout();
            const sides = [leftArea.collapsed, leftArea.currentWidget?.id, rightArea.collapsed];
            return document.querySelector('.jp-Dialog, .lm-Menu') === null && '' + sides === 'false,filebrowser,true';
        }"""
        if not self.page.evaluate(script):
            return False
        expect(self.page.locator("#jp-main-dock-panel .lm-TabBar-tab")).to_have_text(["Launcher"])
        try:
            wait_for(self._without_notifications, 5)
        except AssertionError:
            return False
        return True

    def _without_notifications(self) -> bool:
        """Dismiss all notifications. Returns True if there were none. A test that did not wait for the answer to its
        last request may still get one."""
        script = """async () => {
            const toasts = document.querySelectorAll('.Toastify__toast');
            for (const {id} of toasts) await window.jupyterapp.commands.execute('apputils:dismiss-notification', {id});
            return toasts.length === 0 && document.querySelector('.jp-Notification-Status-Text').innerText === '0';
        }"""
        return bool(self.page.evaluate(script))

    def reload(self) -> None:
        self.page.reload()
        self.wait_lab()
        self.wait_running()

    def wait_lab(self) -> None:
        self.page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)

    def card(self, label: str) -> Locator:
        return self.page.locator(".jp-Launcher-section", has_text="REPL").locator(".jp-LauncherCard", has_text=label)

    def put_lost_dialog_away(self) -> None:
        """From now on, close the dialog that JupyterLab shows when its server is gone."""
        dialog = self.page.locator(".jp-Dialog", has_text="Server Connection Error")
        self.page.add_locator_handler(dialog, lambda: dialog.locator("button").last.click())

    def command(self, name: str, **args: Any) -> Any:
        """Run a command of JupyterLab's, as the palette does."""
        script = """async ([name, args]) => {
            await window.jupyterapp.restored;
            await window.jupyterapp.commands.execute(name, args);
        }"""
        return self.page.evaluate(script, [name, args])

    def begin(self, name: str, **args: Any) -> None:
        """Run a command that asks something first."""
        self.page.evaluate("([name, args]) => void window.jupyterapp.commands.execute(name, args)", [name, args])

    def theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=name)
        self.page.locator(f'body[data-jp-theme-name="{name}"]').wait_for(state="attached")

    def slow_uploads(self, speed: int) -> None:
        """Let the page send `speed` bytes a second from now on."""
        session = self.page.context.new_cdp_session(self.page)
        self._sessions.append(session)
        session.send("Network.enable")
        session.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed},
        )

    def pause(self, seconds: float) -> None:
        """Pause as a person does between two keys. Do not use it to wait for something."""
        self.page.wait_for_timeout(seconds * 1000)

    def wait_still(self) -> None:
        """Wait until all animations have ended, because they change colours and places."""
        self.page.evaluate(
            """() => Promise.all(document.getAnimations()
                .filter(each => each.effect.getComputedTiming().endTime < 1e5)
                .map(each => each.finished.catch(() => {})))"""
        )

    def wait_layout_saved(self) -> None:
        """Wait until the server has the state that a reload restores: JupyterLab saves it a second after a change."""
        script = """async workspace => {
            const {_plugins} = window.jupyterapp.pluginRegistry ?? window.jupyterapp;
            const state = _plugins.get('@jupyterlab/apputils-extension:state').service;
            await new Promise(resolve => setTimeout(resolve, 250)); // a tab reports its state 200 ms after a change
            const saved = await fetch(`/lab/api/workspaces/${workspace}`);
            return [await state.toJSON(), (await saved.json()).data];
        }"""

        before: object = None

        def is_saved() -> bool:
            """Returns True if two results in a row agree: on a busy machine the tab's timer may not have run yet."""
            nonlocal before
            last, (before, there) = before, self.page.evaluate(script, self.workspace)
            return bool(last == before == there)

        wait_for(is_saved, 20)

    def look(self, name: str) -> None:
        """Keep a screenshot for human eyes."""
        if self._screenshots:
            self._screenshots.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self._screenshots / f"{name}.png")

    # -- a REPL

    def create(self, label: str) -> str:
        """Create a REPL by its card and wait for its prompt. Returns its id."""
        self.card(label).click()
        self.repl = self.page.locator(".jp-Repl-createDialog input").input_value()
        self.page.locator(".jp-Repl-createDialog button", has_text="Create").click()
        self.wait_running()
        self.wait_prompt()
        return self.repl

    def open(self, repl_id: str) -> None:
        self.repl = repl_id
        self.command("jupyter-repl:open", replId=repl_id)
        self.wait_running()

    @property
    def tab(self) -> Locator:
        return self.page.locator(f"#jupyter-repl-{self.repl}")

    def wait_state(self, state: str, seconds: float = 20.0) -> None:
        # not wait_for_selector: its handle keeps the tab's nodes alive as long as the page
        self.page.locator(f'#jupyter-repl-{self.repl}[data-state="{state}"]').wait_for(timeout=seconds * 1000)

    def wait_running(self, seconds: float = 30.0) -> None:
        self.wait_state("running", seconds)

    def press_button(self, name: str) -> None:
        self.tab.locator(f'.jp-Toolbar-item[data-jp-item-name="{name}"]').click()

    @property
    def banner(self) -> Locator:
        """The tab's own banner; those of editors come after it."""
        return self.tab.locator(".jp-Repl-banner").first

    # -- files

    @property
    def tree(self) -> list[str]:
        """The names in the rendered rows, from the top."""
        script = """node => [...node.querySelectorAll('.jp-Repl-treeRow[data-path]')]
            .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
            .map(row => row.querySelector('.jp-Repl-treeName').textContent)"""
        return list(self.tab.locator(".jp-Repl-treeList").evaluate(script))

    def wait_tree(self, *names: str, seconds: float = 10.0) -> None:
        """Wait until the tree shows exactly these rows."""
        wait_for(lambda: self.tree == list(names), seconds)

    def row(self, path: str) -> Locator:
        return self.tab.locator(f'.jp-Repl-treeRow[data-path="{path}"]')

    def drop(self, path: str, onto: Locator) -> None:
        """Drop a row of the tree on a part of the page."""
        self.page.evaluate(DROP, [self.row(path).element_handle(), onto.element_handle()])

    def drag(self, path: str, folder: str) -> None:
        """Drag a row onto another, as slowly as a hand: a drop counts only on a row that the mouse has moved over."""
        self.row(path).hover()
        self.page.mouse.down()
        for _ in range(3):
            self.row(folder).hover()
            self.pause(0.05)
        self.page.mouse.up()

    def open_file(self, path: str) -> None:
        self.row(path).click()
        self.wait_editor(path)

    def open_new(self, path: str, text: str) -> None:
        """Open a file that somebody else has just made."""
        (self.project / path).write_text(text)
        self.open_file(path)

    def menu(self, path: str, label: str) -> None:
        """Choose an item of a row's context menu."""
        self.row(path).click(button="right")
        self.choose(label)

    def choose(self, label: str) -> None:
        """Choose an item of the open menu."""
        item = self.page.locator(".lm-Menu-item", has=self.page.locator(f"text=/^{re.escape(label)}$/"))
        item.first.click()

    def name(self, text: str) -> None:
        """Answer the tree's question for a name."""
        field = self.tab.locator(".jp-Repl-nameField")
        expect(field).to_be_focused()
        field.fill(text)
        field.press("Enter")
        expect(field).to_have_count(0)

    def notification(self, text: str) -> Locator:
        return self.page.locator(".jp-Notification-Toast, .Toastify__toast", has_text=text).first

    def wait_editor(self, path: str, ready: str = "true") -> None:
        expect(self.editor(path)).to_have_attribute("data-ready", ready, timeout=20_000)

    def editor(self, path: str) -> Locator:
        """The editor of `path`."""
        return self.tab.locator(f'.jp-Repl-editor[data-path="{path}"]')

    def text(self, path: str) -> str:
        """The lines that the editor has rendered."""
        script = """node => [...node.querySelectorAll('.view-line')]
            .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
            .map(line => line.textContent).join('\\n').replaceAll('\\u00a0', ' ')"""
        return str(self.editor(path).evaluate(script))

    def focus_editor(self, path: str) -> None:
        self.editor(path).locator(".view-lines").click()

    def type(self, text: str) -> None:
        self.page.keyboard.insert_text(text)

    def replace(self, path: str, text: str) -> None:
        """Select all of a file and type over it."""
        self.focus_editor(path)
        self.page.keyboard.press("ControlOrMeta+a")
        self.type(text)

    def wait_saved(self) -> None:
        self.page.locator(f'#jupyter-repl-{self.repl}[data-saved="true"]').wait_for(timeout=20_000)

    @property
    def project(self) -> Path:
        """The folder of the REPL's files."""
        return self.lab.project(self.repl)

    def on_disk(self, path: str) -> str:
        return (self.project / path).read_text()

    def wait_on_disk(self, path: str, wanted: str) -> None:
        file = self.project / path
        wait_for(lambda: file.exists() and file.read_text() == wanted, 10)

    # -- terminals and console

    @property
    def terminal(self) -> Locator:
        """The terminal in front; the console does not count."""
        return self.tab.locator(".jp-Repl-side > .jp-Repl-terminal:not(.lm-mod-hidden)").first

    def terminal_text(self) -> str:
        return self._drawn(self.terminal)

    def wait_prompt(self, seconds: float = 20.0) -> None:
        wait_for(lambda: re.search(r"\$\s*$", self.terminal_text()), seconds)

    def shell(self, line: str, wanted: str = "", seconds: float = 20.0) -> str:
        """Type a line into the terminal, and wait until its text contains `wanted` outside that line. Returns all of
        the text."""
        self.terminal.locator(".jp-Repl-terminalHost").click()
        self.page.keyboard.insert_text(line)
        self.page.keyboard.press("Enter")
        if wanted:
            wait_for(lambda: wanted in self.terminal_text().replace(line, ""), seconds)
        return self.terminal_text()

    @property
    def console(self) -> Locator:
        return self.tab.locator(".jp-Repl-console")

    def console_text(self) -> str:
        return self._drawn(self.console)

    def wait_console(self, wanted: str, seconds: float = 20.0) -> None:
        wait_for(lambda: wanted in self.console_text(), seconds)

    def wait_run_end(self, pattern: str, seconds: float = 20.0) -> None:
        foot = self.console.locator(".jp-Repl-consoleFoot > span")
        expect(foot).to_have_text(re.compile(pattern), timeout=seconds * 1000)

    @staticmethod
    def _drawn(pane: Locator) -> str:
        host = pane.locator(".jp-Repl-terminalHost").first
        return str(host.evaluate("node => node.terminalText ?? ''", timeout=10_000))
