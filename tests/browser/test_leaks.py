"""What is closed is gone: DOM nodes, listeners, sockets and memory are back where they were."""

from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, WebSocket, expect
from support.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

REPLS, FILES = 20, 10
TEXT = "# a line of text that takes some room in memory\n" * 4000


def counters(cdp: CDPSession) -> dict[str, float]:
    """Nodes, listeners and MB of heap, after garbage collection."""
    for _ in range(3):
        cdp.send("HeapProfiler.collectGarbage")
    found = cdp.send("Memory.getDOMCounters")
    heap = cdp.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    return {"nodes": found["nodes"], "listeners": found["jsEventListeners"], "heap": heap}


def settled(cdp: CDPSession) -> dict[str, float]:
    """The counters once they fall no more: JupyterLab takes some things down a moment later."""
    found = counters(cdp)
    while (later := counters(cdp))["nodes"] < found["nodes"] or later["listeners"] < found["listeners"]:
        found = later
    return later


def open_and_close(person: Person, name: str) -> None:
    person.open(name)
    expect(person.row("file-0.py")).to_be_visible(timeout=20_000)
    for number in range(FILES):
        person.open_file(f"file-{number}.py")
    person.command("application:close")
    expect(person.tab).to_have_count(0)


def make(person: Person, name: str) -> None:
    person.lab.make(name)
    folder: Path = person.lab.project(name)
    for number in range(FILES):
        (folder / f"file-{number}.py").write_text(TEXT)


def test_twenty_repls_with_two_hundred_files_leave_nothing(person: Person) -> None:
    sockets: list[WebSocket] = []
    person.page.on("websocket", lambda socket: sockets.append(socket) if "/channel" in socket.url else None)
    cdp = person.page.context.new_cdp_session(person.page)
    cdp.send("HeapProfiler.enable")
    for number in range(3):  # what is made once, is made now
        make(person, f"warm-{number}")
        open_and_close(person, f"warm-{number}")
        person.lab.stop_repl(f"warm-{number}")
    before = settled(cdp)
    for number in range(REPLS):
        make(person, f"leak-{number}")
        open_and_close(person, f"leak-{number}")
        person.lab.stop_repl(f"leak-{number}")
    after = settled(cdp)
    assert len(sockets) == REPLS + 3
    assert all(socket.is_closed() for socket in sockets)
    # the launcher has a card for each of the last REPLs, and JupyterLab keeps a little of its own
    assert after["nodes"] < before["nodes"] + 1500, (before, after)
    assert after["listeners"] < before["listeners"] + 300, (before, after)
    assert after["heap"] < before["heap"] + 12, (before, after)
