"""Finds the browsers of the tests, or installs them where it may; else says loudly what is missing."""

import os
import shutil
import subprocess
from functools import cache

import pytest

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_HEADLESS = ("chromium-headless-shell", "chrome-headless-shell")
_FIREFOX = ("firefox-esr", "firefox")
INSECURE = "hub.example"
"""A name of this machine that Chromium does not take for it, so that `http://` to it is no secure address."""
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
"""Of Chromium. Quiet on the network: the tests speak to the loopback alone."""


@cache
def chromium() -> str:
    """The path of a Chromium; skips the test without one, but fails it where CI is set."""
    return _executable("Chromium", _CHROMIUM, ["chromium", "fonts-noto-color-emoji"])


@cache
def headless() -> str:
    """Chromium's own build without windows, if it is there, else `chromium()`: a page that is opened costs a third less
    of CPU, since it draws no frame of a window."""
    return _find(_HEADLESS) or chromium()


@cache
def firefox() -> str:
    """The path of a Firefox; likewise."""
    return _executable("Firefox", _FIREFOX, ["firefox-esr"])


def _executable(browser: str, names: tuple[str, ...], packages: list[str]) -> str:
    found = _find(names) or (_install(packages) and _find(names))
    if found:
        return str(found)
    message = f"NO TEST RUNS IN {browser}: there is none here. Install it, for example: apt-get install {packages[0]}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _find(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _install(packages: list[str]) -> bool:
    """Install Debian's packages where that needs nobody's consent: as root."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    update = ["apt-get", "update", "-q"]
    install = ["apt-get", "install", "-qy", "--no-install-recommends", *packages]
    return all(
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=600).returncode == 0
        for command in (update, install)
    )
