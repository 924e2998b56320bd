"""Finds the browsers of the tests, or installs them as root; otherwise skips or fails with what is missing."""

import os
import shutil
import subprocess
from functools import cache

import pytest

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_HEADLESS = ("chromium-headless-shell", "chrome-headless-shell")
_FIREFOX = ("firefox-esr", "firefox")
INSECURE = "hub.example"
"""A name of this machine that Chromium does not recognise as local, so that `http://` to it is not a secure context."""
ARGUMENTS = [
    f"--host-resolver-rules=MAP {INSECURE} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Arguments of Chromium. They keep it from using the network: the tests use the loopback alone."""


@cache
def chromium() -> str:
    """Returns the path of a Chromium. Without one it skips the test, or fails it if CI is set."""
    return _executable("Chromium", _CHROMIUM, ["chromium", "fonts-noto-color-emoji"])


@cache
def headless() -> str:
    """Returns the path of Chromium's build without windows if it is there, else `chromium()`. Opening a page costs a
    third less CPU in that build, since it draws no window frame."""
    return _find(_HEADLESS) or chromium()


@cache
def firefox() -> str:
    """Like `chromium`, for Firefox."""
    return _executable("Firefox", _FIREFOX, ["firefox-esr"])


def _executable(browser: str, names: tuple[str, ...], packages: list[str]) -> str:
    found = _find(names) or (_install(packages) and _find(names))
    if found:
        return str(found)
    message = f"NO TEST RUNS IN {browser}: it is not installed. Install it, for example: apt-get install {packages[0]}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _find(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _install(packages: list[str]) -> bool:
    """Install Debian's packages, but only as root. Returns True if they were installed."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    update = ["apt-get", "update", "-q"]
    install = ["apt-get", "install", "-qy", "--no-install-recommends", *packages]
    return all(
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=600).returncode == 0
        for command in (update, install)
    )
