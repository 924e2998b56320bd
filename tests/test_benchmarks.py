"""The benchmark measures what it says: every peer works, and one wrong byte makes it fail."""

import os
from pathlib import Path

import pytest
from benchmarks import ours, peers, terminal
from benchmarks.peer import Terminal


def test_every_peer_is_measured(tmp_path: Path) -> None:
    found = terminal.compare(tmp_path, repeats=1, keys=5, enters=5, bulk=200_000)
    always = {ours.Runner, ours.PlainRunner, ours.Relayed, peers.Terminado, peers.JupyterTerminals}
    assert always <= set(found)
    if os.environ.get("CI"):
        assert set(found) == set(peers.ALL)
    for _, results in found.values():
        assert set(results) >= set(terminal.MEASURES)
        # The memory is a difference: a process may have given some back meanwhile, on a machine that is short of it.
        measured = {name: values for name, values in results.items() if name != "memory"}
        assert all(value >= 0 for values in measured.values() for value in values), measured


class Liar:
    """A terminal of which the 1000th byte of a flood is another than it was."""

    def __init__(self, real: Terminal) -> None:
        self._real = real
        self._left = 1000

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def read(self) -> bytes:
        data = bytearray(self._real.read())
        if len(data) > self._left >= 0:
            data[self._left] ^= 1
        self._left -= len(data)
        return bytes(data)


def test_one_wrong_byte_makes_it_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"line of text\n" * 10_000
    (tmp_path / "bulk.txt").write_bytes(text)
    runner = ours.Runner(tmp_path)
    try:
        assert terminal.flood(runner, tmp_path / "bulk.txt", text)["wire"] > 0
        real = runner.open
        monkeypatch.setattr(runner, "open", lambda: Liar(real()))
        with pytest.raises(ValueError, match="the first wrong one is at"):
            terminal.flood(runner, tmp_path / "bulk.txt", text)
    finally:
        runner.stop()
