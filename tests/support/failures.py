"""Keeps the logs of the servers that a failed test used, and a screenshot of its page."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

KEPT = Path(__file__).parents[2] / ".build/failed"
"""Holds a folder for each failed test, until the test fails again."""
_FAILED = pytest.StashKey[bool]()
LINES, MOST = 40, 4
"""How many lines of a log, and how many logs, the report shows. The folder holds all of them."""
DEEPEST = 12
"""Levels below the tests' temporary folder in which logs lie."""


def has_failed(item: pytest.Item) -> bool:
    """Returns True if the test has failed so far. Then no later test uses what it leaves behind."""
    return item.stash.get(_FAILED, False)


def keep(item: pytest.Item, since: float, error: str) -> str:
    """Copy the logs and the page of a test that began at `since` (Unix time) and failed with `error`. Returns the path
    of the copies and the ends of the logs."""
    item.stash[_FAILED] = True
    folder = KEPT / re.sub(r"[^\w.-]+", "-", item.nodeid.removeprefix("tests/"))[:150]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "error.txt").write_text(error)
    _screenshot(item, folder)
    logs = sorted(((when, path) for when, path in _logs(item) if when >= since - 1), reverse=True)
    said = [f"in {folder}:"]
    for number, (_, path) in enumerate(logs):
        copy = folder / f"{path.parent.name}-{path.name}"
        shutil.copyfile(path, copy)
        if number < MOST and path.stat().st_size:
            said += [f"-- {copy.name}", *copy.read_text(errors="replace").splitlines()[-LINES:]]
    said[0] += " " + (", ".join(sorted(path.name for path in folder.iterdir())) or "nothing")
    return "\n".join(said)


def _logs(item: pytest.Item) -> list[tuple[float, Path]]:
    """Returns the logs of all servers of this worker's tests, with the times of their last lines. Running servers may
    delete a folder after its name was read; `os.walk` skips it."""
    base: Path = item.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    found = []
    for place, folders, names in os.walk(base):
        if place.count("/") > base.as_posix().count("/") + DEEPEST:
            folders.clear()  # a tree that a test has made: `os.walk` would recurse too deeply
        for name in names:
            if name == "log" or name.endswith(".log"):
                with suppress(OSError):
                    found.append((os.stat(os.path.join(place, name)).st_mtime, Path(place, name)))
    return found


def _screenshot(item: pytest.Item, folder: Path) -> None:
    pages = (getattr(each, "page", each) for each in getattr(item, "funcargs", {}).values())
    page = next((each for each in pages if hasattr(each, "screenshot")), None)
    if page is not None and not page.is_closed():
        try:
            page.screenshot(path=folder / "page.png", timeout=5000)
        except Exception as error:  # the browser itself may have failed
            (folder / "no-page.txt").write_text(str(error))
