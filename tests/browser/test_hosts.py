"""The extension elsewhere than in JupyterLab in Chromium: in Firefox, and in Notebook 7."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browser.test_versions import uv
from playwright.sync_api import BrowserContext, Page, expect
from support import browsers
from support.lab import TOKEN, Lab
from support.person import Person

pytestmark = pytest.mark.browser

SMOKE = Path(__file__).parent / "firefox_smoke.mjs"


def test_a_journey_in_firefox(shared_lab: Lab, tmp_path: Path) -> None:
    firefox, node = browsers.firefox(), shutil.which("node")
    assert node, "make installs one"
    screenshot = tmp_path / "firefox.png"
    done = subprocess.run(
        [node, SMOKE, firefox, shared_lab.url, TOKEN, screenshot], capture_output=True, timeout=100, check=False
    )
    result = json.loads(done.stdout or json.dumps({"failure": done.stderr.decode()[-2000:]}))
    assert "failure" not in result, result
    assert "hi 42" in result["console"]
    assert (result["errors"], result["requests"]) == ([], [])


@pytest.mark.smoke
@pytest.mark.timeout(400)
def test_notebook_loads_it_and_opens_repls_in_jupyterlab(page: Page, tmp_path: Path) -> None:
    """Notebook's shell shows one document, so a REPL gets a window of the JupyterLab that comes with it."""
    venv = tmp_path / "venv"
    uv("venv", "-q", "--system-site-packages", "--python", sys.executable, str(venv))
    uv("pip", "install", "-q", "--python", str(venv / "bin/python"), "notebook>=7,<8", "jupyterlab<4.7")
    lab = Lab(tmp_path / "home", "notebook", python=str(venv / "bin/python"))
    lab.start()
    try:
        name = lab.make("from-notebook")
        page.goto(f"{lab.url}/tree?token={TOKEN}")
        page.wait_for_function("window.jupyterapp?.commands.hasCommand('jupyter-repl:open')")
        context: BrowserContext = page.context
        with context.expect_page() as opened:
            page.evaluate("name => void window.jupyterapp.commands.execute('jupyter-repl:open', {replId: name})", name)
        person = Person(opened.value, lab)
        person.repl = name
        person.wait_running()
        person.wait_editor("main.py")
        expect(person.tab).to_be_visible()
    finally:
        lab.stop()
    assert "jupyter_repl" not in lab.log.read_text().partition("Traceback")[2]
