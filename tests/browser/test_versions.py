"""The built wheel in fresh environments: the JupyterLabs and Pythons that we name, and Notebook 7."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browser.conftest import visitor
from playwright.sync_api import Browser, Page, expect
from support.lab import TOKEN, Lab
from support.person import Person

ROOT = Path(__file__).parent.parent.parent
OLDEST, MIDDLE, NEWEST = "==4.2.0", "==4.4.*", "<4.7"
INSTALL_SECONDS = 300

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(2 * INSTALL_SECONDS)]


def uv(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the tree with the frontend that `make` has built."""
    copy, out = tmp_path_factory.mktemp("source") / "tree", tmp_path_factory.mktemp("wheel")
    ignore = shutil.ignore_patterns(".git", ".venv", ".build", "node_modules", "tests", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=ignore)
    environment = {**os.environ, "SKIP_JUPYTER_BUILDER": "1"}
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(build, capture_output=True, text=True, env=environment, timeout=INSTALL_SECONDS, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    (wheel,) = out.glob("*.whl")
    return wheel


def python_for(version: str) -> str:
    """A Python of that version if the machine has one, else the one that runs the tests."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")  # not on PATH, only its shims are
    places = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)] + sorted(pyenv.glob(f"{version}*/bin"))
    for place in places:
        python = place / f"python{version}"
        if python.exists() and subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
            return str(python)
    return sys.executable


@pytest.mark.parametrize(
    ("jupyterlab", "python"),
    [(OLDEST, "3.11"), (MIDDLE, "3.12"), (NEWEST, "3.13")],
    ids=["the oldest", "a middle", "the newest"],
)
def test_the_wheel_works_in(page: Page, wheel: Path, tmp_path: Path, jupyterlab: str, python: str) -> None:
    venv = tmp_path / "venv"
    uv("venv", "-q", "--python", python_for(python), str(venv))
    uv("pip", "install", "-q", "--python", str(venv / "bin/python"), str(wheel), f"jupyterlab{jupyterlab}")
    lab = Lab(tmp_path / "home", "jupyterlab", python=str(venv / "bin/python"), PATH=f"{venv}/bin:{os.environ['PATH']}")
    lab.start()
    try:
        person = visitor(page, lab)
        person.create("Python")
        person.wait_editor("main.py")
        person.replace("main.py", "print('hi', 6 * 7)\n")
        person.press_button("run")
        person.wait_console("hi 42")
        person.wait_run_end("exit 0")
        person.shell("cat main.py", "print('hi', 6 * 7)")
        person.look(f"jupyterlab-{jupyterlab.strip('<=*')}")
        person.wait_layout_saved()
        person.reload()
        person.wait_prompt()
    finally:
        page.goto("about:blank")  # JupyterLab asks its server again and again
        lab.stop()
    assert "jupyter_repl" not in "".join(re.findall(r"Traceback.*?\n\S", lab.log.read_text(), re.S))


def test_notebook_loads_it_and_opens_repls_in_jupyterlab(browser: Browser, wheel: Path, tmp_path: Path) -> None:
    """Notebook's shell shows one document, so a REPL gets a window of the JupyterLab that comes with it."""
    venv = tmp_path / "venv"
    uv("venv", "-q", "--python", sys.executable, str(venv))
    uv("pip", "install", "-q", "--python", str(venv / "bin/python"), str(wheel), "notebook>=7,<8", "jupyterlab<4.7")
    lab = Lab(tmp_path / "home", "notebook", python=str(venv / "bin/python"), PATH=f"{venv}/bin:{os.environ['PATH']}")
    lab.start()
    try:
        name = lab.make("from-notebook")
        page = browser.new_context().new_page()  # without the fixture that takes Notebook's own errors for ours
        page.goto(f"{lab.url}/tree?token={TOKEN}")
        page.wait_for_function("window.jupyterapp?.commands.hasCommand('jupyter-repl:open')")
        with page.context.expect_page() as opened:
            page.evaluate("name => void window.jupyterapp.commands.execute('jupyter-repl:open', {replId: name})", name)
        person = Person(opened.value, lab)
        person.repl = name
        person.wait_running()
        person.wait_editor("main.py")
        expect(person.tab).to_be_visible()
        page.context.close()
    finally:
        lab.stop()
    assert "jupyter_repl" not in lab.log.read_text().partition("Traceback")[2]
