"""What it costs before anybody uses it: bytes in the page, time at import, and what a runner takes."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright
from support import browsers
from support.lab import Lab
from support.person import Person
from support.processes import pids

from .table import Row

REPEATS = 11

_EXTENSION = """
import time, jupyter_server.serverapp, jupyter_server.extension.application
begun = time.perf_counter()
import jupyter_repl_ext
jupyter_repl_ext._jupyter_server_extension_points()
from jupyter_repl_ext import activity, catalog, handlers, lifecycle, projects, runner_client, services, stores
import jupyter_repl_spawner.local.spawner
print(time.perf_counter() - begun)
"""
_TERMINALS = """
import time, jupyter_server.serverapp, jupyter_server.extension.application
begun = time.perf_counter()
import jupyter_server_terminals.app
print(time.perf_counter() - begun)
"""


def measure() -> list[Row]:
    ours, peer = _imports()
    listen, resident, server = _runners()
    bytes_, core = _page()
    return [
        Row("Bytes that JupyterLab loads for us before a REPL is opened", "kB", [bytes_ / 1000], 25),
        Row("JupyterLab's own scripts and styles in the same page", "kB", [core / 1000]),
        Row("Import of the server extension beyond jupyter_server's", "ms", ours, 50),
        Row("Import of jupyter_server_terminals beyond jupyter_server's", "ms", peer),
        Row("Runner: from its start, by way of the guard, until it listens", "s", listen, 0.3),
        Row("Runner: resident memory, with one shell", "MB", resident, 40),
        Row("jupyter_server: resident memory", "MB", server),
    ]


def _imports() -> tuple[list[float], list[float]]:
    ours, peer = [], []
    for _ in range(REPEATS):
        for code, into in ((_EXTENSION, ours), (_TERMINALS, peer)):
            output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout
            into.append(float(output) * 1000)
    return ours, peer


def _runners() -> tuple[list[float], list[float], list[float]]:
    listen, resident, server = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "home").start()
        try:
            for number in range(REPEATS):
                name = lab.make(f"bench-{number}")
                (runner,) = pids("serve", lab, name)
                (socket,) = lab.runtime_dir.glob("*/socket")
                # the record is written at the start, just before the guard is
                begun = socket.with_name("record.json").stat().st_mtime
                listen.append(socket.stat().st_ctime - begun)
                resident.append(psutil.Process(runner).memory_info().rss / 1e6)
                lab.stop_repl(name)
            server.append(psutil.Process(lab.pid).memory_info().rss / 1e6)
        finally:
            lab.stop()
    return listen, resident, server


def _page() -> tuple[int, int]:
    """Bodies of all responses, as they are before any compression."""
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder) / "home", "jupyterlab").start()
        browser = playwright.chromium.launch(executable_path=browsers.chromium(), args=browsers.ARGUMENTS)
        try:
            page = browser.new_page()
            loaded = []
            page.on("requestfinished", lambda request: loaded.append(request))
            Person(page, lab).visit()
            page.wait_for_timeout(3000)
            for request in loaded:
                response = request.response()
                if response and response.status == 200:
                    sizes[request.url] = len(response.body())
        finally:
            browser.close()
            lab.stop()
    ours = sum(size for url, size in sizes.items() if "jupyter-repl" in url or "/repl/" in url)
    core = sum(size for url, size in sizes.items() if "/static/lab/" in url)
    assert ours, statistics.fmean(sizes.values())
    return ours, core
