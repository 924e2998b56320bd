"""A spawner that another package brings makes REPLs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.channel import Client
from support.lab import Lab, wait_for

ROOT = Path(__file__).parents[2]
ENTRY = "[jupyter_repl.spawners]\nplain = plain_spawner:PlainSpawner\n"


@pytest.fixture
def plain_lab(home: Path, tmp_path: Path) -> Iterator[Lab]:
    """With the spawner of docs/spawners.md, as pip would have installed it."""
    package = tmp_path / "site"
    (package / "plain-1.0.dist-info").mkdir(parents=True)
    (package / "plain-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: plain\nVersion: 1.0\n")
    (package / "plain-1.0.dist-info/entry_points.txt").write_text(ENTRY)
    (package / "plain_spawner.py").write_text((ROOT / "docs/plain_spawner.py").read_text())
    server = Lab(home, PYTHONPATH=str(package), JUPYTER_REPL_SPAWNER="plain").start()
    yield server
    server.stop()


def test_the_spawner_of_the_docs_makes_repls(plain_lab: Lab) -> None:
    lab = plain_lab
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(terminal, b"echo made > by-hand; echo do''ne\n")
    client.read_until(terminal, b"done")
    assert (lab.project("abc") / "by-hand").read_text() == "made\n"
    lab.stop_repl("abc")
    lab.start_repl("abc")
    assert Client(lab, "abc").request("fetchContent", path="by-hand")["content"] == "made\n"


def test_a_spawner_that_nobody_has_registered_is_told_at_the_start(home: Path) -> None:
    lab = Lab(home, JUPYTER_REPL_SPAWNER="nobodys").start()
    try:
        wait_for(lambda: "nobody registered 'nobodys'" in lab.log.read_text())
    finally:
        lab.stop()
