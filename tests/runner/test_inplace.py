"""Saves that may change nothing but the content: owner, other names and attributes stay, and no kill tears the file."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_repl_runner.contract.errors import DiskFull
from jupyter_repl_runner.files import writing
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.inplace import Journal


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def journalled(project: Path, tmp_path: Path) -> Beneath:
    """As a runner has it."""
    return Beneath(project, Journal(tmp_path / "journal"))


def test_a_save_keeps_other_names_of_the_file(journalled: Beneath, project: Path, tmp_path: Path) -> None:
    (project / "a").write_text("a longer text")
    os.link(project / "a", project / "b")
    writing.write(journalled, "a", b"new")
    assert (project / "b").read_text() == "new"
    assert (project / "a").stat().st_nlink == 2
    assert not list((tmp_path / "journal").iterdir())


def test_a_save_keeps_owner_and_attributes(journalled: Beneath, project: Path) -> None:
    (project / "a").write_text("old")
    if os.geteuid() == 0:
        os.chown(project / "a", 1000, 1001)
    os.chmod(project / "a", 0o640)
    os.setxattr(project / "a", "user.note", b"kept")
    writing.write(journalled, "a", b"new")
    status = (project / "a").stat()
    assert (project / "a").read_text() == "new"
    assert os.getxattr(project / "a", "user.note") == b"kept"
    assert status.st_mode & 0o777 == 0o640
    if os.geteuid() == 0:
        assert (status.st_uid, status.st_gid) == (1000, 1001)


@pytest.mark.skipif(os.geteuid() != 0, reason="a file of another owner needs root")
def test_where_the_owner_cannot_be_given_to_a_new_file_the_old_one_is_written(
    journalled: Beneath, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a").write_text("old")
    os.chown(project / "a", 1000, 1001)
    before = (project / "a").stat()

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    writing.write(journalled, "a", b"new")
    after = (project / "a").stat()
    assert (project / "a").read_text() == "new"
    assert (after.st_ino, after.st_uid, after.st_gid) == (before.st_ino, 1000, 1001)


def test_pipes_in_the_journal_hang_nobody(journalled: Beneath, project: Path, tmp_path: Path) -> None:
    """A program can make them, and the next runner looks at its journal before it serves."""
    entry = tmp_path / "journal" / "0123456789abcdef"
    entry.mkdir(parents=True)
    (entry / "entry.json").write_text('{"path": "a"}')
    for name in ("old", "new"):
        os.mkfifo(entry / name)
    (project / "a").write_text("x")
    assert journalled.journal is not None
    journalled.journal.recover(journalled)
    assert (project / "a").read_text() == "x"


IN_A_LOCKED_FOLDER = """
import sys
from pathlib import Path
from jupyter_repl_runner.contract.errors import DiskFull
from jupyter_repl_runner.files import writing
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.inplace import Journal
project, journal = Path(sys.argv[1]), Path(sys.argv[2])
writing.write(Beneath(project, Journal(journal)), "d/f", b"new")
try:
    writing.write(Beneath(project), "d/f", b"newer")
except Exception as error:
    print(error.message, error.hint)
"""


def test_a_file_of_a_folder_that_may_not_be_written_is_written(project: Path, tmp_path: Path) -> None:
    (project / "d").mkdir()
    (project / "d/f").write_text("old")
    (project / "d").chmod(0o555)
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*drop, sys.executable, "-c", IN_A_LOCKED_FOLDER, str(project), str(tmp_path / "journal")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (project / "d/f").read_text() == "new"
    assert done.stdout.strip() == "The folder of d/f may not be written. Allow it: chmod u+w d"


KILLED = """
import os, sys
from pathlib import Path
from jupyter_repl_runner.contract.errors import DiskFull
from jupyter_repl_runner.files import inplace, writing
from jupyter_repl_runner.files.containment import Beneath
project, journal, after = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
inplace._CHUNK = 1000
write, count = os.pwrite, 0

def pwrite(*arguments):
    global count
    if count == after:
        os.kill(os.getpid(), 9)
    count += 1
    return write(*arguments)

os.pwrite = pwrite
writing.write(Beneath(project, inplace.Journal(journal)), "a", b"n" * int(sys.argv[4]))
"""


@pytest.mark.parametrize("length", [500, 5000, 9000])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_kill_in_the_middle_of_a_write_in_place_tears_nothing(
    journalled: Beneath, project: Path, tmp_path: Path, after: int, length: int
) -> None:
    (project / "a").write_bytes(b"o" * 5000)
    os.link(project / "a", project / "b")
    command = [sys.executable, "-c", KILLED, str(project), str(tmp_path / "journal"), str(after), str(length)]
    subprocess.run(command, check=False, timeout=60)
    assert journalled.journal is not None
    journalled.journal.recover(journalled)
    assert (project / "b").read_bytes() == b"n" * length
    assert not list((tmp_path / "journal").iterdir())


def test_a_write_in_place_that_fails_changes_nothing(
    journalled: Beneath, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full in the middle of it. The second time it is for the old content too: the next start mends it."""
    (project / "a").write_bytes(b"o" * 5000)
    os.link(project / "a", project / "b")
    monkeypatch.setattr("jupyter_repl_runner.files.inplace._CHUNK", 1000)
    write, left = os.pwrite, [3]

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        left[0] -= 1
        if left[0] == 0 or (left[0] < 0 and is_broken):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    is_broken = False
    with pytest.raises(DiskFull):
        writing.write(journalled, "a", b"n" * 9000)
    assert (project / "a").read_bytes() == b"o" * 5000
    assert not list((tmp_path / "journal").iterdir())

    is_broken, left[0] = True, 3
    with pytest.raises(DiskFull):
        writing.write(journalled, "a", b"n" * 9000)
    assert journalled.journal is not None
    journalled.journal.recover(journalled)  # the disk is still full
    assert len(list((tmp_path / "journal").iterdir())) == 1
    monkeypatch.setattr(os, "pwrite", write)
    journalled.journal.recover(journalled)
    assert (project / "a").read_bytes() == (project / "b").read_bytes() == b"n" * 9000
    assert not list((tmp_path / "journal").iterdir())


@pytest.mark.parametrize("since", [b"somebody's work", b"", b"n" * 100, b"o" * 4999])
def test_what_somebody_wrote_after_the_kill_stays(
    journalled: Beneath, project: Path, tmp_path: Path, since: bytes
) -> None:
    (project / "a").write_bytes(b"o" * 5000)
    os.link(project / "a", project / "b")
    command = [sys.executable, "-c", KILLED, str(project), str(tmp_path / "journal"), "2", "4000"]
    subprocess.run(command, check=False, timeout=60)
    (project / "a").write_bytes(since)
    assert journalled.journal is not None
    journalled.journal.recover(journalled)
    assert (project / "a").read_bytes() == since
