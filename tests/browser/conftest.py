"""A JupyterLab and a browser for all, and for each test a page in front of a launcher; uncaught errors fail the test.

Loading JupyterLab takes 2.7 s of CPU, and loading Monaco about 1 s more. So `person` reuses the page of the previous
test if that test left it like a new page. A test that asks for `page` gets a new one.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    sync_playwright,
)
from support import browsers, failures
from support.lab import Lab
from support.person import SIZE, Person
from support.processes import repl_processes

SCREENSHOTS = Path(__file__).parent / "screenshots"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Stopped after each module: while it runs, it keeps an event loop in this thread, and no other loop can run."""
    browsers.chromium()  # skips or fails where there is none
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    yield from launched(playwright, browsers.headless())


@pytest.fixture
def windowed_browser(playwright: Playwright) -> Iterator[Browser]:
    """The browser that people use, which has a PDF viewer."""
    yield from launched(playwright, browsers.chromium())


def launched(playwright: Playwright, path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=path, args=browsers.ARGUMENTS)
    yield browser
    browser.close()


class Errors(list[str]):
    """Errors in the page that no message showed to the person. Set `expect_network` if the test stops the server."""

    expect_network = False

    def on_error(self, error: Error) -> None:
        gone = ("fetch", "Event", "Loading chunk")  # JupyterLab's own polls; scripts that Monaco loads on demand
        if not (self.expect_network and any(word in str(error) for word in gone)):
            self.append(error.stack or str(error))

    def on_request(self, request: Request) -> None:
        """Everything must come from the Jupyter server: no font, worker or editor from elsewhere."""
        address = urlsplit(request.url)
        inner = ("data", "blob", "about", "chrome", "chrome-extension")  # Chromium's own viewer of PDF
        if address.scheme not in inner and address.hostname not in ("127.0.0.1", browsers.INSECURE):
            self.append(f"asked {request.url}")

    def on_console(self, message: ConsoleMessage) -> None:
        is_network = "Failed to load resource" in message.text or "WebSocket" in message.text
        if message.type == "error" and not (is_network or self.expect_network):
            self.append(message.text)


Waiting = dict[str, tuple[Person, Errors]]
"""Pages that the last test of the module left like new ones, by the address of their JupyterLab."""


@pytest.fixture
def errors() -> Errors:
    return Errors()


def opened(browser: Browser, errors: Errors) -> Page:
    """A page in a context of its own."""
    page = browser.new_context(viewport=SIZE).new_page()
    page.on("pageerror", errors.on_error)
    page.on("console", errors.on_console)
    page.on("request", errors.on_request)
    return page


@pytest.fixture
def page(request: pytest.FixtureRequest, errors: Errors) -> Iterator[Page]:
    """Request it after the server, so that the page closes before the server stops: JupyterLab fails without one."""
    is_windowed = request.node.get_closest_marker("windowed") is not None
    page = opened(request.getfixturevalue("windowed_browser" if is_windowed else "browser"), errors)
    yield page
    page.context.close()
    assert not errors


@pytest.fixture
def person_at(browser: Browser, errors: Errors) -> Iterator[Callable[[Lab], Person]]:
    """Somebody else, in a browser of their own."""
    contexts: list[BrowserContext] = []

    def make(lab: Lab) -> Person:
        contexts.append(browser.new_context(viewport=SIZE))
        page = contexts[-1].new_page()
        page.on("pageerror", errors.on_error)
        return Person(page, lab, SCREENSHOTS if os.environ.get("REPL_TEST_SCREENSHOTS") else None)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def lab(home: Path) -> Iterator[Lab]:
    server = Lab(home, "jupyterlab").start()
    yield server
    server.stop()
    assert not repl_processes(server)


@pytest.fixture(scope="session")
def everyones_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    server = Lab(tmp_path_factory.mktemp("browser") / "home", "jupyterlab").start()
    yield server
    server.stop()


@pytest.fixture
def shared_lab(everyones_lab: Lab) -> Iterator[Lab]:
    """A JupyterLab that no test kills and whose settings no test changes. Its only REPLs are the test's own."""
    yield everyones_lab
    delete_repls(everyones_lab)


@pytest.fixture(scope="module")
def waiting() -> Waiting:
    return {}


@pytest.fixture
def person(request: pytest.FixtureRequest, shared_lab: Lab, waiting: Waiting) -> Iterator[Person]:
    """A person at the JupyterLab that all tests share, with its launcher in front."""
    if request.node.get_closest_marker("windowed"):
        yield visitor(request.getfixturevalue("page"), shared_lab)
        return
    with at_launcher(request, shared_lab, waiting) as (person, _):
        yield person


@contextmanager
def at_launcher(request: pytest.FixtureRequest, lab: Lab, waiting: Waiting) -> Iterator[tuple[Person, Errors]]:
    """A person at `lab`, on the page of the previous test if that left it like a new one."""
    if lab.url not in waiting:
        errors = Errors()
        waiting[lab.url] = visitor(opened(request.getfixturevalue("browser"), errors), lab), errors
    person, errors = waiting.pop(lab.url)
    yield person, errors
    wrong = list(errors)
    if not failures.has_failed(request.node) and not wrong and person.leave() and not errors:
        errors.expect_network = False
        waiting[lab.url] = person, errors
    else:
        person.page.context.close()
    # JupyterLab itself may fail when tabs are closed quickly: it disposes of objects whose callbacks are still pending.
    wrong += [error for error in errors[len(wrong) :] if "extensions/jupyter-repl" in error]
    assert not wrong


@pytest.fixture
def newcomer(shared_lab: Lab, page: Page) -> Person:
    """Like `person`, on a page that no other test uses, because the test changes JupyterLab itself."""
    return visitor(page, shared_lab)


@pytest.fixture
def own(lab: Lab, page: Page) -> Person:
    """A person at a server of their own: the test may kill it and change its settings."""
    return visitor(page, lab)


def delete_repls(lab: Lab) -> None:
    for row in lab.call("GET", "project")[1]:
        status, answer = lab.call("DELETE", f"project/{row['replId']}")
        assert status == 204, answer


def visitor(page: Page, lab: Lab) -> Person:
    person = Person(page, lab, SCREENSHOTS if os.environ.get("REPL_TEST_SCREENSHOTS") else None)
    person.visit()
    return person
