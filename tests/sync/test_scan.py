"""What a look at the project's folder may conclude: an error is never an absence."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_runner.files.root import Root
from jupyter_repl_runner.sync.rules import Rules
from jupyter_repl_runner.sync.scan import Scan, Tree

LOOK = """
import resource, sys
from pathlib import Path
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.files.root import Root
from jupyter_repl_runner.sync.rules import Rules
from jupyter_repl_runner.sync.scan import Scan, Tree
tree, scan, rules = Tree(Root(Path(sys.argv[1]))), Scan(), Rules()
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), 4096))
try:
    tree.look("", rules, scan, deep=True)
    few = len(scan.found) < 9
    print(sorted(scan.found), sorted(scan.unseen)) if few else print(len(scan.found), len(scan.unseen))
except Unavailable as error:
    print(error.message)
"""


def look(folder: Path, descriptors: int) -> str:
    """In a process that may have so many descriptors."""
    command = [sys.executable, "-c", LOOK, str(folder), str(descriptors)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_a_tree_that_is_wider_and_deeper_than_there_are_descriptors_is_seen_whole(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"d{number}").mkdir()
        (tmp_path / f"d{number}/f").write_text("x")
    deep = tmp_path.joinpath(*["deep"] * 80)
    deep.mkdir(parents=True)
    (deep / "f").write_text("x")
    assert look(tmp_path, 16) == f"{2 * 300 + 80 + 1} 0"


def test_without_a_descriptor_nothing_is_taken_for_gone(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    assert look(tmp_path, 5) == "The project can't be read: Too many open files."


def test_a_path_that_fails_is_unseen_and_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad sector, or a folder of a disk that has gone (ENOTCONN): the rest is saved, that one is not deleted."""
    for name in ("a", "bad", "c"):
        (tmp_path / name).write_text("x")
    look_at = os.stat

    def fail(path: object, **options: Any) -> os.stat_result:
        if path == "bad":
            raise OSError(errno.EIO, "Input/output error")
        return look_at(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", fail)
    tree, scan = Tree(Root(tmp_path)), Scan()
    tree.look("", Rules(), scan, deep=True)
    assert (set(scan.found), scan.unseen) == ({"a", "c"}, {"bad"})


@pytest.mark.parametrize(
    ("mode", "unseen"), [(0o000, "locked"), (0o444, "locked/f")], ids=["not to be read", "not to be entered"]
)
def test_what_may_not_be_looked_at_is_unseen(tmp_path: Path, mode: int, unseen: str) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked/f").write_text("x")
    (tmp_path / "locked").chmod(mode)
    # modes hold for root too, without these
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*drop, sys.executable, "-c", LOOK, str(tmp_path), "64"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    (tmp_path / "locked").chmod(0o755)
    assert done.stdout.strip() == f"['locked'] ['{unseen}']"


def test_a_folder_behind_a_link_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/f").write_text("x")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/link").symlink_to("../outside")
    scan = Scan()
    Tree(Root(tmp_path / "project")).look("", Rules(), scan, deep=True)
    assert {path: found.kind for path, found in scan.found.items()} == {"link": "link"}
