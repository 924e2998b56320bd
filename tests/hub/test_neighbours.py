"""A page that a neighbour serves on the hub's origin, in a visitor's browser: it can do nothing on the service.

On a hub without a domain for each user, all users' servers and the service have one origin. The page here is at another
address of the service's origin, which is the same to a browser.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import browsers
from support.hub import Hub, Service
from support.ports import free_port

from .test_isolation import Cast

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SCRIPT = Path(__file__).with_name("neighbour.mjs")
EXECUTABLES = {"chrome": browsers.chromium, "firefox": browsers.firefox}


@pytest.fixture(
    scope="module", params=[(), ("token_only",), ("frames",)], ids=lambda without: "".join(without) or "all"
)
def weakened(
    request: pytest.FixtureRequest, hub: Hub, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Cast, tuple[str, ...]]]:
    if not request.param:
        yield Cast(hub, service), ()
        return
    weak = Service(tmp_path_factory.mktemp("weak") / "home", hub, free_port(), without=request.param).start()
    yield Cast(hub, weak), request.param
    weak.stop()


def visit(cast: Cast, kind: str) -> dict[str, Any]:
    """What the page can do in the browser of Anna, who is logged in to the service."""
    node = shutil.which("node")
    assert node, "make installs one"
    url = cast.service.url.replace("127.0.0.1", "localhost")  # a secure context, where browsers send Sec-Fetch headers
    cookies = [
        {"name": each.name, "value": str(each.value), "path": each.path}
        for each in cast.with_cookie().cookies
        if each.path == "/services/repl/"
    ]
    assert any(each["name"] == "service-repl" for each in cookies)
    command = [node, SCRIPT, kind, EXECUTABLES[kind](), url, json.dumps(cookies)]
    done = subprocess.run(command, capture_output=True, timeout=100, check=False)
    found: dict[str, Any] = json.loads(done.stdout or json.dumps({"failure": done.stderr.decode()[-2000:]}))
    assert "failure" not in found, found["failure"]
    return found


@pytest.mark.parametrize("kind", ["chrome", "firefox"])
def test_a_neighbours_page_can_do_nothing(weakened: tuple[Cast, tuple[str, ...]], kind: str) -> None:
    cast, without = weakened
    found = visit(cast, kind)
    succeeds = {name for name in ("reads", "writes", "connects", "frames") if found[name]}
    assert found["hasXsrf"], "a popup is readable, which nothing prevents: so the XSRF token protects nothing"
    assert succeeds == {(): set(), ("token_only",): {"reads", "writes", "connects"}, ("frames",): {"frames"}}[without]
