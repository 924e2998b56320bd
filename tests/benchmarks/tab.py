"""The tab in use: opening files, typing, long lists, and what is loaded for it."""

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from support import browsers
from support.channel import Client
from support.lab import Lab, wait_for
from support.person import Person

from .table import Row

REPEATS = 7
DIST = Path(__file__).parent.parent.parent / "labextension/dist"
LINE = "value = compute(argument, another='text', number=12345)  # a comment\n"

OPEN = """async ([path]) => {
    const row = [...document.querySelectorAll('.jp-Repl-treeRow')].find(row => row.dataset.path === path);
    const begun = performance.now();
    row.click();
    for (;;) {
        await new Promise(requestAnimationFrame);
        const line = document.querySelector(`.jp-Repl-editor[data-path="${path}"] .view-line`);
        if (line?.textContent) {
            await new Promise(requestAnimationFrame);
            return performance.now() - begun;
        }
    }
}"""

FIRST = """async ([repl]) => {
    await window.jupyterapp.restored;
    const begun = performance.now();
    window.jupyterapp.commands.execute('jupyter-repl:open', {replId: repl});
    for (;;) {
        await new Promise(requestAnimationFrame);
        if (document.querySelector('.jp-Repl-editor .view-line')?.textContent) {
            await new Promise(requestAnimationFrame);
            return performance.now() - begun;
        }
    }
}"""

EXPAND = """async ([path, first]) => {
    const row = [...document.querySelectorAll('.jp-Repl-treeRow')].find(row => row.dataset.path === path);
    const begun = performance.now();
    row.click();
    for (;;) {
        await new Promise(requestAnimationFrame);
        if ([...document.querySelectorAll('.jp-Repl-treeRow')].some(row => row.dataset.path === first)) {
            await new Promise(requestAnimationFrame);
            return performance.now() - begun;
        }
    }
}"""


def measure() -> list[Row]:
    listing, first_page = _listings()
    with _browser() as (page, lab):
        person = Person(page, lab)
        first = _first_paint(person)
        opening = _opening(person)
        typing = _typing(person)
        expand, frames = _long_list(person)
        shell = _shell(person)
    return [
        Row("Opening a file of 1 MB, to its first paint", "ms", opening, 150),
        Row("First editor of a session with a warm cache, to its first paint", "s", first, 1.0),
        Row("Typing 10 keys a second into a file of 1 MB: the longest task", "ms", typing, 50),
        Row("Listing a folder of 5,000 files: all of it", "ms", listing, 100),
        Row("Listing a folder of 50,000 files: its first page", "ms", first_page),
        Row("Opening a folder of 50,000 files in the tree, to its first paint", "ms", expand, 300),
        Row("Scrolling it: script and layout of a frame, 95th percentile", "ms", frames, 8),
        Row("A file that the shell makes, until the tree shows it: 95th percentile of 20", "s", shell, 1.0),
        Row("All of the bundle, gzipped", "MB", [_bundle() / 1e6], 4),
    ]


@contextmanager
def _browser() -> Iterator[tuple[Page, Lab]]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder) / "home", "jupyterlab").start()
        browser = playwright.chromium.launch(executable_path=browsers.chromium(), args=browsers.ARGUMENTS)
        try:
            yield browser.new_page(viewport={"width": 1400, "height": 860}), lab
        finally:
            browser.close()
            lab.stop()


def _listings() -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "home").start()
        try:
            lab.make("lists")
            for name, count in (("five", 5_000), ("fifty", 50_000)):
                (lab.project("lists") / name).mkdir()
                for number in range(count):
                    (lab.project("lists") / name / f"file-{number:05}.txt").touch()
            client = Client(lab, "lists")
            whole, first = [], []
            for _ in range(REPEATS):
                begun, found, total = time.perf_counter(), 0, 1
                while found < total:
                    answer = client.request("fetchDir", path="five", offset=found, limit=2500)
                    found, total = found + len(answer["content"]), answer["total"]
                whole.append((time.perf_counter() - begun) * 1000)
                begun = time.perf_counter()
                client.request("fetchDir", path="fifty")
                first.append((time.perf_counter() - begun) * 1000)
            client.close()
            return whole, first
        finally:
            lab.stop()


def _first_paint(person: Person) -> list[float]:
    name = person.lab.make("first")
    person.visit()
    person.open(name)
    person.wait_editor("main.py")
    times = []
    for _ in range(REPEATS):
        person.visit()  # resets the workspace: no tab is restored
        person.page.wait_for_timeout(1000)
        times.append(person.page.evaluate(FIRST, [name]) / 1000)
    person.repl = name
    return times


def _opening(person: Person) -> list[float]:
    folder = person.lab.project(person.repl)
    for number in range(REPEATS):
        (folder / f"big-{number}.py").write_text(LINE * (1_000_000 // len(LINE)))
    times = []
    for number in range(REPEATS):
        person.row(f"big-{number}.py").wait_for()
        times.append(person.page.evaluate(OPEN, [f"big-{number}.py"]))
        person.page.wait_for_timeout(700)
    return times


def _typing(person: Person) -> list[float]:
    page = person.page
    page.evaluate(
        """() => {
            window.longTasks = [];
            new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(e => e.duration)))
                .observe({type: 'longtask'});
        }"""
    )
    times = []
    for number in range(3):
        person.open_file(f"big-{number}.py")
        person.focus_editor(f"big-{number}.py")
        page.wait_for_timeout(1500)
        page.evaluate("window.longTasks.length = 0")
        for _ in range(40):
            page.keyboard.type("x")
            page.wait_for_timeout(100)
        times.append(max([0, *page.evaluate("window.longTasks")]))
    return times


def _long_list(person: Person) -> tuple[list[float], list[float]]:
    folder = person.lab.project(person.repl) / "many"
    folder.mkdir()
    for number in range(50_000):
        (folder / f"{number:05}.txt").touch()
    person.page.wait_for_timeout(3000)
    expand = []
    for _ in range(REPEATS):
        expand.append(person.page.evaluate(EXPAND, ["many", "many/00000.txt"]))
        person.row("many").click()
        person.page.wait_for_timeout(300)
    person.row("many").click()
    person.row("many/00000.txt").wait_for()
    return expand, [_scroll(person) for _ in range(3)]


def _scroll(person: Person) -> float:
    """The 95th percentile of what a frame costs us, in ms, by Chromium's own trace."""
    cdp = person.page.context.new_cdp_session(person.page)
    events: list[dict[str, Any]] = []
    cdp.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
    done: list[bool] = []
    cdp.on("Tracing.tracingComplete", lambda _: done.append(True))
    person.tab.locator(".jp-Repl-treeList").hover()
    cdp.send("Tracing.start", {"categories": "devtools.timeline,disabled-by-default-devtools.timeline"})
    for _ in range(60):
        person.page.mouse.wheel(0, 900)
        person.page.wait_for_timeout(25)
    cdp.send("Tracing.end")
    while not done:
        person.page.wait_for_timeout(50)
    cdp.detach()
    return _frame_cost(events)


SCRIPT = {"EventDispatch", "FireAnimationFrame", "FunctionCall", "RunMicrotasks", "TimerFire"}
LAYOUT = {"Layout", "UpdateLayoutTree"}
FRAME = 1e6 / 60
"""In the microseconds of a trace."""


def _frame_cost(events: list[dict[str, Any]]) -> float:
    """Of the main thread's script and layout, in each 60th of a second in which there was any."""
    main = statistics.mode(event["tid"] for event in events if event["name"] == "FireAnimationFrame")
    work = sorted(
        (event["ts"], event["ts"] + event.get("dur", 0))
        for event in events
        if event["name"] in SCRIPT | LAYOUT and event.get("ph") == "X" and event["tid"] == main
    )
    costs: dict[int, float] = {}
    end = 0.0
    for start, stop in work:
        start = max(start, end)  # what lies within another is counted with that
        if stop > start:
            frame = int(start // FRAME)
            costs[frame] = costs.get(frame, 0) + (stop - start) / 1000
            end = stop
    return statistics.quantiles(costs.values(), n=20)[18]


def _shell(person: Person) -> list[float]:
    folder = person.lab.project(person.repl)
    person.row("many").click()
    times = []
    for number in range(20):
        begun = time.perf_counter()
        (folder / f"0-{number:02}.txt").touch()
        wait_for(lambda number=number: person.row(f"0-{number:02}.txt").count() == 1)
        times.append(time.perf_counter() - begun)
    return [statistics.quantiles(times, n=20)[18]]


def _bundle() -> int:
    files = [path for path in (DIST / "static").iterdir() if path.suffix in (".js", ".css", ".ttf")]
    assert json.loads((DIST / "package.json").read_text())["name"] == "jupyter-repl"
    return sum(len(gzip.compress(path.read_bytes())) for path in files)
