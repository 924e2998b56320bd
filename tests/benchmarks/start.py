"""How long a person waits: from Create, and from a start, to a prompt that answers."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import websocket
from playwright.sync_api import Page, sync_playwright
from support import browsers
from support.channel import Client
from support.lab import TOKEN, Lab
from support.person import Person

from .table import Row

REPEATS = 11
ANSWER = "echo $((6*7))x\n"

_CREATE = """([id]) => new Promise(done => {
  const begun = performance.now();
  document.querySelector('.jp-Repl-createDialog .jp-mod-accept').click();
  const look = () => {
    const host = document.querySelector(`#jupyter-repl-${id} .jp-Repl-side > .jp-Repl-terminal .jp-Repl-terminalHost`);
    /[$]\\s*$/.test(host?.terminalText ?? '') ? done((performance.now() - begun) / 1000) : setTimeout(look, 4);
  };
  look();
})"""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "home", "jupyterlab").start()
        try:
            return [*_by_program(lab), *_by_browser(lab)]
        finally:
            lab.stop()


def _timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _by_program(lab: Lab) -> list[Row]:
    """Over REST and the channel; the peer is Jupyter's own terminal on the same server."""
    lab.make("warm-up")
    created, started, peer = [], [], []
    for number in range(REPEATS):
        name = f"bench-{number}"
        created.append(_timed(lambda name=name: (_create(lab, name), _prompt(lab, name))))
        lab.stop_repl(name)
        started.append(_timed(lambda name=name: _prompt(lab, name)))
        lab.stop_repl(name)
        peer.append(_timed(lambda: _jupyters_terminal(lab)))
    return [
        Row("`POST project`, `POST start`, to a prompt that answered", "s", created, 0.7),
        Row("`POST start` to a prompt that answered", "s", started, 0.4),
        Row("jupyter_server_terminals: `POST api/terminals` to a prompt that answered", "s", peer),
    ]


def _create(lab: Lab, name: str) -> None:
    assert lab.call("POST", "project", {"replId": name, "language": "python"})[0] == 201


def _prompt(lab: Lab, name: str) -> None:
    lab.call("POST", "start", {"replId": name})
    lab.call("GET", f"project/{name}/events")  # ends once it runs
    client = Client(lab, name)
    terminal = client.terminal()
    client.type(terminal, ANSWER.encode())
    client.read_until(terminal, b"42x")
    client.close()


def _jupyters_terminal(lab: Lab) -> None:
    import urllib.request

    request = urllib.request.Request(f"{lab.url}/api/terminals", method="POST", data=b"{}")
    request.add_header("Authorization", f"token {TOKEN}")
    with urllib.request.urlopen(request, timeout=20) as response:
        name = json.load(response)["name"]
    socket = websocket.create_connection(
        f"ws://127.0.0.1:{lab.port}/terminals/websocket/{name}", header={"Authorization": f"token {TOKEN}"}, timeout=20
    )
    socket.send(json.dumps(["stdin", ANSWER.replace("\n", "\r")]))
    seen = ""
    while "42x" not in seen:
        kind, *data = json.loads(socket.recv())
        seen += data[0] if kind == "stdout" else ""
    socket.close()


def _by_browser(lab: Lab) -> list[Row]:
    """From the click on Create to the prompt on the screen."""
    at_once, after_a_look = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browsers.chromium(), args=browsers.ARGUMENTS)
        for _ in range(REPEATS):
            for seconds, into in ((1.0, after_a_look), (0.0, at_once)):
                into.append(_click_create(browser.new_page(), lab, seconds))
        browser.close()
    return [
        Row("Browser: Create to the prompt, the dialog open for 1 s", "s", after_a_look, 0.7),
        Row("Browser: the same by a robot, that clicks at once", "s", at_once, 0.7),
    ]


def _click_create(page: Page, lab: Lab, seconds: float) -> float:
    person = Person(page, lab)
    person.visit()
    page.wait_for_timeout(1500)  # JupyterLab is still busy with itself when its splash goes
    person.card("Python").click()
    name = page.locator(".jp-Repl-createDialog input").input_value()
    page.wait_for_timeout(seconds * 1000)
    took = float(page.evaluate(_CREATE, [name]))
    page.close()
    lab.stop_repl(name)
    return took
