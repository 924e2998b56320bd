"""The containers of a pod end on SIGTERM, however early it comes."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from support.lab import wait_for
from support.node import ROOT

from jupyter_repl_runner.contract.pod import KEY_VARIABLE, UID_VARIABLE

NAMESPACES = ["unshare", "--user", "--map-root-user", "--pid", "--net", "--kill-child", "--fork"]
"""A process 1, as in a container; its ports are nobody else's."""
SLOW_START = """\
import os
open(os.environ["PYTHON_STARTS"], "w").close()
open(os.environ["PYTHON_GOES_ON"]).close()
"""
"""Runs before anything of the runner's, and holds it up."""


@pytest.mark.skipif(
    subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode != 0,
    reason="needs namespaces of Linux",
)
@pytest.mark.parametrize("verb", ["sync", "serve"])
def test_who_is_told_to_end_while_python_starts_does(tmp_path: Path, verb: str) -> None:
    """The kernel drops a signal for process 1 that has no handler: the pod would stay for its whole grace period."""
    found = re.search(r"^ENTRYPOINT (.*)$", (ROOT / "runner/Dockerfile").read_text(), re.MULTILINE)
    assert found
    *entry, _ = json.loads(found[1])
    starts, goes_on = tmp_path / "starts", tmp_path / "goes_on"
    for fifo in (starts, goes_on):
        os.mkfifo(fifo)
    (tmp_path / "sitecustomize.py").write_text(SLOW_START)
    environment = {
        **os.environ,
        **{"PYTHONPATH": f"{tmp_path}:{ROOT / 'runner'}", "PYTHON_STARTS": str(starts), "PYTHON_GOES_ON": str(goes_on)},
        **{UID_VARIABLE: "uid", KEY_VARIABLE: "00" * 32},
    }
    command = [*NAMESPACES, *entry, sys.executable, "-m", "jupyter_repl_runner", verb, "--pod"]
    outside = subprocess.Popen(command, env=environment)
    try:
        starts.read_text()
        [first] = wait_for(psutil.Process(outside.pid).children)
        first.send_signal(signal.SIGTERM)
        goes_on.write_text("")
        assert outside.wait(20) in (0, 128 + signal.SIGTERM)
    finally:
        outside.kill()
        outside.wait(5)
