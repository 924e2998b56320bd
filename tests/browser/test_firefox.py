"""A journey in another browser. Playwright drives a Firefox of its own build only, puppeteer the machine's."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support import browsers
from support.lab import TOKEN, Lab

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
