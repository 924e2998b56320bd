"""`jupyter repl adopt`: the projects of one person's store become an owner's in another store."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lab import Lab
from support.s3 import S3Server
from support.s3_lab import S3Lab

from jupyter_repl_runner.contract.owners import owner_of_name

NAME = "Ä.b@c"
OWNER = owner_of_name(NAME)


def adopt(target: Lab, *arguments: str) -> tuple[int, str]:
    """The exit code, and what the command prints."""
    command = [sys.executable, "-m", "jupyter_repl_ext.cli", "adopt", *arguments, "--owner", NAME]
    environment = {**os.environ, **target.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def fill(lab: Lab) -> None:
    """Two projects, with all that a project may hold."""
    for name in ("one", "two"):
        lab.make(name, start=False)
    folder = lab.project("one")
    (folder / "src/empty").mkdir(parents=True)
    (folder / "src/run.sh").write_text("#!/bin/sh\n")
    (folder / "src/run.sh").chmod(0o755)
    (folder / "link").symlink_to("src/run.sh")
    (folder / os.fsdecode(b"caf\xe9")).write_bytes(b"\xff")
    (folder / "large").write_bytes(os.urandom(6_000_000))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "laptop").start()
    fill(lab)
    yield lab
    lab.stop()


@pytest.fixture(params=["directory", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Lab:
    """Not started: only its settings count."""
    if request.param == "s3":
        minio: S3Server = request.getfixturevalue("minio")
        return S3Lab(tmp_path / "hub", minio, f"adopt-{tmp_path.name}")
    return Lab(tmp_path / "hub", JUPYTER_REPL_STORE_URL=f"file:{tmp_path}/hub-store")


def files_of(target: Lab, tmp_path: Path, name: str) -> dict[str, bytes]:
    if isinstance(target, S3Lab):
        return target.objects(f"owners/{OWNER}/code/{name}/")
    folder = tmp_path / "hub-store/owners" / OWNER / "code" / name
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_projects_arrive_whole_and_the_source_stays(source: Lab, target: Lab, tmp_path: Path) -> None:
    target.home.mkdir()
    code, said = adopt(target, f"file:{source.store}")
    assert (code, "copied: one" in said, "copied: two" in said) == (0, True, True), said
    found = files_of(target, tmp_path, "one")
    assert found["large"] == (source.project("one") / "large").read_bytes()
    assert {"main.py", "src/run.sh"} <= set(found)
    assert source.project("two").exists()
    code, said = adopt(target, f"file:{source.store}")
    assert (code, said.count("copied:")) == (0, 2), "a second run only compares"
    code, said = adopt(target, f"file:{source.store}", "--delete-source")
    assert code == 0, said
    assert not source.project("one").exists()
    assert source.call("GET", "project")[1] == []
    assert files_of(target, tmp_path, "one") == found


def test_what_differs_there_is_neither_replaced_nor_deleted_here(source: Lab, target: Lab, tmp_path: Path) -> None:
    target.home.mkdir()
    assert adopt(target, f"file:{source.store}")[0] == 0
    (source.project("two") / "main.py").write_text("changed since\n")
    code, said = adopt(target, f"file:{source.store}", "--delete-source")
    assert code == 1
    assert "not copied: two." in said
    assert "copied: one" in said, "the other is not held up"
    assert (source.project("two") / "main.py").read_text() == "changed since\n"
    assert files_of(target, tmp_path, "two")["main.py"] != b"changed since\n"


def test_one_that_was_killed_over_it_is_repeated(source: Lab, target: Lab, tmp_path: Path) -> None:
    """At whatever time: what arrived in part is no project, and is copied anew."""
    target.home.mkdir()
    killed = 0
    for seconds in (0.6, 0.8, 1.0, 1.2, 1.5, 2.0):
        command = [sys.executable, "-m", "jupyter_repl_ext.cli", "adopt", f"file:{source.store}", "--owner", NAME]
        with subprocess.Popen(
            command, env={**os.environ, **target.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
    assert killed
    code, said = adopt(target, f"file:{source.store}", "--delete-source")
    assert code == 0, said
    assert {"main.py", "large", "src/run.sh"} <= set(files_of(target, tmp_path, "one"))
