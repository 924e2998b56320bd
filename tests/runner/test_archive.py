"""Zips of folders: what comes back, and what is refused before it does harm."""

import io
import json
import os
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_repl_runner.contract.errors import FileNotFound, FileTooLarge, InvalidRequest, NoPermissions, ReplError
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.store.pack import pack
from jupyter_repl_runner.store.unpack import about_of, names_of, unpack

Entry = tuple[str, bytes] | tuple[str, bytes, int]


def zipped(path: Path, entries: list[Entry], comment: bytes = b"", **options: int) -> Path:
    """A zip of `(name, content, mode?)`, as nobody's program would write it."""
    with zipfile.ZipFile(path, "w", options.get("compression", zipfile.ZIP_DEFLATED)) as file:
        for name, content, *mode in entries:
            info = zipfile.ZipInfo(name)
            info.create_system = options.get("system", 3)
            info.external_attr = (mode[0] if mode else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
        file.comment = comment
    return path


def tree(folder: Path) -> dict[str, object]:
    """Everything in it: text of files with their modes, targets of links, None for folders."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_dir():
            found[name] = None
        else:
            found[name] = (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    return found


def test_a_project_comes_back_as_it_was(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "src/deep").mkdir(parents=True)
    (source / "empty").mkdir()
    target.mkdir()
    (source / "src/tool.sh").write_bytes(b"#!/bin/sh\r\n")
    (source / "src/tool.sh").chmod(0o750)
    (source / "src/deep/otter 🦦.bin").write_bytes(os.urandom(700_000))
    (source / "private").write_text("")
    (source / "private").chmod(0o600)
    (source / "link").symlink_to("src/tool.sh")
    (source / "src/up").symlink_to("../private")
    os.utime(source / "private", (1_600_000_000, 1_600_000_000))
    (tmp_path / "a.zip").write_bytes(b"".join(pack(Beneath(source), "", {"language": "python"})))
    report = unpack(tmp_path / "a.zip", target)
    assert tree(target) == tree(source)
    assert (target / "private").stat().st_mtime == 1_600_000_000
    assert (report.files, report.links, report.folders) == (3, 2, 3)
    assert about_of(tmp_path / "a.zip") == {"language": "python"}


def test_other_programs_read_what_was_packed(tmp_path: Path) -> None:
    (tmp_path / "source/only").mkdir(parents=True)
    (tmp_path / "source/only/a.txt").write_text("hello")
    data = b"".join(pack(Beneath(tmp_path / "source"), "only"))
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert file.read("a.txt") == b"hello"
    with pytest.raises(FileNotFound):
        pack(Beneath(tmp_path / "source"), "none")


def test_what_cannot_be_read_is_named_in_the_archive(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a").write_text("a")
    os.mkfifo(tmp_path / "source/pipe")
    chunks = pack(Beneath(tmp_path / "source"), "")
    data = b"".join(chunks)
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["a"]


def test_a_single_folder_around_a_foreign_archive_is_left_out(tmp_path: Path) -> None:
    entries: list[Entry] = [("repo-main/", b"", 0o40755), ("repo-main/main.py", b"x"), ("repo-main/src/a.py", b"y")]
    foreign = zipped(tmp_path / "foreign.zip", [*entries, ("__MACOSX/._main.py", b""), ("repo-main/.DS_Store", b"")])
    target = tmp_path / "target"
    target.mkdir()
    report = unpack(foreign, target)
    assert sorted(tree(target)) == ["main.py", "src", "src/a.py"]
    assert sorted(report.skipped) == ["__MACOSX/._main.py", "repo-main/.DS_Store"]
    ours = zipped(tmp_path / "ours.zip", entries, json.dumps({"jupyter-repl": {"language": "python"}}).encode())
    assert names_of(ours) == ["repo-main/main.py", "repo-main/src/a.py"]


LINK = 0o120777
BAD: list[tuple[list[Entry], type[ReplError]]] = [
    ([("../evil", b"")], NoPermissions),
    ([("a/../../evil", b"")], NoPermissions),
    ([("/etc/passwd", b"")], NoPermissions),
    ([("a//b", b"")], InvalidRequest),
    ([("x" * 300, b"")], InvalidRequest),
    ([("link", b"/etc", LINK)], NoPermissions),
    ([("link", b"..", LINK)], NoPermissions),
    ([("d/link", b"../../x", LINK)], NoPermissions),
    ([("a", b"b", LINK), ("b", b"c/..", LINK), ("z", b"b/../../..", LINK)], NoPermissions),
    ([("d", b"deep", LINK), ("deep/x", b""), ("out", b"d/../..", LINK)], NoPermissions),
    ([("link", b"d", LINK), ("link/evil", b"x")], InvalidRequest),
    ([("a", b""), ("a", b"")], InvalidRequest),
    ([("a", b""), ("a/", b"", 0o40755)], InvalidRequest),
    ([("a", b""), ("a/b", b"")], InvalidRequest),
    ([("Readme", b""), ("README", b"")], InvalidRequest),
    ([("Src/a", b""), ("src/b", b"")], InvalidRequest),
    ([("pipe", b"", 0o010644)], InvalidRequest),
    ([("device", b"", 0o060644)], InvalidRequest),
    ([("link", b"", LINK)], InvalidRequest),
]


@pytest.mark.parametrize(("entries", "error"), BAD, ids=lambda value: str(value)[:40])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_bad_archive_is_refused_before_anything_is_written(
    tmp_path: Path, entries: list[Entry], error: type[ReplError]
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(error) as told:
        unpack(zipped(tmp_path / "bad.zip", [("fine.txt", b"fine"), *entries]), target)
    assert told.value.hint
    assert list(target.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip", "target"]


def test_a_name_with_a_backslash_is_a_path_only_where_dos_wrote_it(tmp_path: Path) -> None:
    windows = zipped(tmp_path / "dos.zip", [("a.txt", b""), ("src\\b.txt", b"")], system=0)
    unix = zipped(tmp_path / "unix.zip", [("a.txt", b""), ("src\\b.txt", b"")])
    assert names_of(windows) == ["a.txt", "src/b.txt"]
    assert names_of(unix) == ["a.txt", "src\\b.txt"]
    with pytest.raises(NoPermissions):
        names_of(zipped(tmp_path / "evil.zip", [("..\\evil", b"")], system=0))


def test_a_bomb_goes_off_nowhere(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    bomb = zipped(tmp_path / "bomb.zip", [(f"{number}.txt", bytes(30_000_000)) for number in range(5)])
    assert bomb.stat().st_size < 200_000
    with pytest.raises(FileTooLarge):
        unpack(bomb, target)


def test_a_header_that_lies_about_the_size_is_found_out(tmp_path: Path) -> None:
    path = zipped(tmp_path / "lie.zip", [("a.txt", bytes(100_000))])
    raw = path.read_bytes()
    path.write_bytes(raw.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(InvalidRequest):
        unpack(path, target)


@pytest.mark.parametrize("damage", [lambda raw: b"", lambda raw: raw[:-30], lambda raw: b"no zip at all" * 9])
def test_what_is_no_zip_is_told_so(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = zipped(tmp_path / "a.zip", [("a", b"a")])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InvalidRequest) as told:
        unpack(path, tmp_path)
    assert "zip" in told.value.hint


@given(position=st.integers(0, 400), value=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_damaged_archive_is_an_error_for_people_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = zipped(folder / "a.zip", [("a.txt", b"hello" * 20), ("d/b", b"b"), ("l", b"d/b", LINK)])
    raw = bytearray(path.read_bytes())
    raw[position % len(raw)] = value
    path.write_bytes(raw)
    target = folder / "deep/target"
    target.mkdir(parents=True)
    with suppress(ReplError):
        unpack(path, target)
    assert sorted(entry.name for entry in folder.iterdir()) == ["a.zip", "deep"]
    assert os.listdir(folder / "deep") == ["target"]


FEW_MEGABYTES = 150
"""Of resident memory: an interpreter with this module takes 40."""


def peak(script: str, *arguments: str) -> tuple[str, int]:
    """What the script prints in a process of its own, and the megabytes of memory that it took at most."""
    # not getrusage, which counts what the process that has forked took
    tail = "\nimport re; print(int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1]) >> 10)"
    done = subprocess.run(
        [sys.executable, "-c", script + tail, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    *said, megabytes = done.stdout.split("\n")[:-1]
    return "\n".join(said), int(megabytes)


NAMES_OF = """
import sys
from pathlib import Path
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.store.unpack import names_of
try:
    print(len(names_of(Path(sys.argv[1]))))
except ReplError as error:
    print(type(error).__name__)
"""


UNPACK = """
import sys
from pathlib import Path
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.store.unpack import unpack
target = Path(sys.argv[2], "target")
target.mkdir(exist_ok=True)
try:
    print(unpack(Path(sys.argv[1]), target).links)
except ReplError as error:
    print(type(error).__name__)
"""


def test_an_archive_of_deep_folders_takes_no_more_memory_than_its_names(tmp_path: Path) -> None:
    entries: list[Entry] = [(f"{n}/" + "a/" * 1900 + "x", b"") for n in range(60)]
    assert peak(NAMES_OF, str(zipped(tmp_path / "deep.zip", entries)))[0] == "FileTooLarge"
    entries = [(f"{n}/" + "abcdefgh/" * 400 + "x", b"") for n in range(200)]
    said, megabytes = peak(NAMES_OF, str(zipped(tmp_path / "long.zip", entries)))
    assert said == "200"
    assert megabytes < FEW_MEGABYTES


def test_a_list_of_too_many_entries_is_not_read(tmp_path: Path) -> None:
    archive = tmp_path / "many.zip"
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    count = 600_000
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(entry) * count, 0, 0)
    archive.write_bytes(entry * count + end)
    said, megabytes = peak(NAMES_OF, str(archive))
    assert said == "FileTooLarge"
    assert megabytes < FEW_MEGABYTES


def test_a_project_with_an_environment_and_names_in_both_cases_comes_back(tmp_path: Path) -> None:
    """A link that leads out is left out and named."""
    source, target = tmp_path / "source", tmp_path / "target"
    (source / ".venv/bin").mkdir(parents=True)
    target.mkdir()
    (source / ".venv/bin/python3").symlink_to("/usr/bin/python3")
    (source / ".venv/bin/python").symlink_to("python3")
    for name in ("README", "readme"):
        (source / name).write_text(name)
    archive = tmp_path / "ours.zip"
    archive.write_bytes(b"".join(pack(Beneath(source), "", {"language": "python"})))
    report = unpack(archive, target)
    assert report.skipped == [".venv/bin/python3"]
    assert {path.name for path in target.iterdir()} == {".venv", "README", "readme"}
    assert os.readlink(target / ".venv/bin/python") == "python3"


def test_names_without_a_flag_are_utf8_where_that_is_valid(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", [("größe/übung.txt", b"1")])
    raw = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(mark) + offset + 1] &= ~0x08
    archive.write_bytes(raw)
    assert names_of(archive) == ["übung.txt"]
    old_name = b"gr\x94\xe1e/x\x81bung.txt".ljust(len("größe/übung.txt".encode()), b"t")
    old = archive.read_bytes().replace("größe/übung.txt".encode(), old_name)
    archive.write_bytes(old)
    assert names_of(archive)[0].startswith("xübung")


@pytest.mark.parametrize("moment", [-(10**9), 0, 4_354_819_200, 10**11])
def test_any_date_can_be_packed(tmp_path: Path, moment: int) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/old").write_text("x")
    os.utime(tmp_path / "source/old", (moment, moment))
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"".join(pack(Beneath(tmp_path / "source"), "")))
    assert names_of(archive) == ["old"]


def test_links_of_any_length_take_little_memory_and_time(tmp_path: Path) -> None:
    archive = tmp_path / "links.zip"
    entries: list[Entry] = [(f"l{n}", b"\xff" * 4096, 0o120777) for n in range(20_000)]
    said, megabytes = peak(UNPACK, str(zipped(archive, entries)), str(tmp_path))
    assert said == "FileTooLarge"
    assert megabytes < 2 * FEW_MEGABYTES
    entries = [(f"l{n}", b"a/" * 2047 + b"x", 0o120777) for n in range(3000)]
    said, _ = peak(UNPACK, str(zipped(archive, entries)), str(tmp_path))  # a minute and more before
    assert said == "3000"


def test_names_that_are_not_utf8_and_a_list_of_an_earlier_import_come_back(tmp_path: Path) -> None:
    """Of two names that a zip can't tell apart one is in it, and the other is named as missing."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    for raw in (b"\xff", b"\xfe", b"\xe9" * 130, b"caf\xe9"):
        (source / os.fsdecode(raw)).write_bytes(raw)
    (source / "NOT-IN-THIS-ARCHIVE.txt").write_text("of an earlier import")
    for folder in (b"d\xff", b"d\xfe"):
        (source / os.fsdecode(folder)).mkdir()
        (source / os.fsdecode(folder) / "f").write_bytes(folder)
    archive = tmp_path / "ours.zip"
    archive.write_bytes(b"".join(pack(Beneath(source), "", {"language": "python"})))
    unpack(archive, target)
    found = {str(path.relative_to(target)) for path in target.rglob("*")}
    new = "NOT-IN-THIS-ARCHIVE-2.txt"
    assert found == {"\ufffd", "caf\ufffd", "d\ufffd", "d\ufffd/f", "NOT-IN-THIS-ARCHIVE.txt", new}
    assert (target / "NOT-IN-THIS-ARCHIVE.txt").read_text() == "of an earlier import"
    assert (target / new).read_text().count("not UTF-8") == 3
