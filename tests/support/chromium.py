"""Finds a Chromium for the browser tests, or installs one where it may; else says loudly what is missing."""

import os
import shutil
import subprocess
from functools import cache

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Quiet on the network: the tests speak to the loopback alone."""


@cache
def executable() -> str:
    """The path of a Chromium; skips the test without one, but fails it where CI is set."""
    found = _find() or (_install() and _find())
    if found:
        return str(found)
    message = "NO BROWSER TEST RUNS: no Chromium here. Install it, for example: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _install() -> bool:
    """Install Debian's package where that needs nobody's consent: as root."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["chromium", "fonts-noto-color-emoji"]
    update = ["apt-get", "update", "-q"]
    install = ["apt-get", "install", "-qy", "--no-install-recommends", *packages]
    return all(
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=600).returncode == 0
        for command in (update, install)
    )
