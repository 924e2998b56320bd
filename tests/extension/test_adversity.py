"""A full disk, a read-only project, a folder that is gone: a clear message with a hint, and the rest goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.channel import Client
from support.lab import Lab

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def mount(kind: str, target: Path, options: str) -> None:
    subprocess.run(["mount", "-t", kind, "-o", options, kind, str(target)], check=True, capture_output=True)


@pytest.fixture
def small_disk(home: Path) -> Iterator[Lab]:
    """A server whose store lies on a disk of 2 MiB."""
    disk = home.parent / "disk"
    disk.mkdir()
    mount("tmpfs", disk, "size=2m")
    server = Lab(home, JUPYTER_REPL_STORE_URL=f"file:{disk}").start()
    try:
        yield server
    finally:
        server.stop()
        subprocess.run(["umount", "-l", str(disk)], check=True)


@needs_root
def test_a_full_disk(small_disk: Lab) -> None:
    lab = small_disk
    project = lab.home.parent / "disk/code/abc"
    lab.make("abc")
    client = Client(lab, "abc")
    saved = client.request("updateContent", path="kept.txt", content="kept")
    terminal = client.terminal()
    client.type(terminal, b"head -c 5000000 /dev/zero > filler; echo fu''ll\n")
    client.read_until(terminal, b"full")
    error = client.error("updateContent", path="kept.txt", content="x" * 100_000, etag=saved["etag"])
    assert (error["code"], error["message"]) == ("DiskFull", "The disk is full.")
    assert "Delete files" in error["hint"]
    status, error = lab.call("PUT", "project/abc/file/up.bin", b"x" * 100_000)
    assert (status, error["message"]) == (507, "The disk is full.")
    status, error = lab.call("POST", "project", {"replId": "another", "language": "python"})
    assert status in (201, 507)
    # the old content is whole, nothing half-written lies around, and all goes on once there is room
    assert (project / "kept.txt").read_text() == "kept"
    assert sorted(path.name for path in project.iterdir()) == ["filler", "kept.txt", "main.py"]
    client.type(terminal, b"head -c 5000000 /dev/zero > filler; mkdir more; echo full ag''ain\n")
    client.read_until(terminal, b"full again")
    if (refused := client.ask("delete", path="filler")).get("error"):  # the trash wants a folder on the full disk
        assert refused["error"]["code"] == "DiskFull"
        assert client.request("delete", path="filler", forever=True)["item"] == ""
    assert not (project / "filler").exists()
    client.request("delete", path="more", forever=True)
    client.request("updateContent", path="kept.txt", content="x" * 100_000, etag=saved["etag"])


@needs_root
def test_a_read_only_project(lab: Lab) -> None:
    lab.make("abc")
    project = lab.project("abc")
    subprocess.run(["mount", "--bind", str(project), str(project)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(project)], check=True)
    try:
        lab.stop_repl("abc")
        lab.start_repl("abc")
        client = Client(lab, "abc")
        text = client.request("fetchContent", path="main.py")
        error = client.error("updateContent", path="main.py", content="x", etag=text["etag"])
        assert error["code"] == "NoPermissions"
        assert "read-only" in error["message"]
        assert error["hint"]
        assert client.error("delete", path="main.py")["code"] == "NoPermissions"
        assert client.error("create", path="new.py", type="file")["code"] == "NoPermissions"
        run = client.request("run", rows=24, cols=80)
        terminal = client.terminal(terminal=run["terminal"])
        client.type(terminal, b"Ada\n")
        client.read_until(terminal, b"Hello, Ada!")
        client.close()
        lab.stop_repl("abc")
    finally:
        subprocess.run(["umount", "-l", str(project)], check=True)
    assert (project / "main.py").read_text() == text["content"]


def test_a_folder_that_is_gone(lab: Lab) -> None:
    lab.make("abc", start=False)
    lab.project("abc").rename(lab.project("abc").with_name("moved-away"))
    assert lab.call("POST", "start", {"replId": "abc"})[0] == 202
    phase = lab.wait_phase("abc", "failed")
    assert phase["reason"] == "The folder of abc is gone."
    assert phase["hint"]
    lab.project("abc").with_name("moved-away").rename(lab.project("abc"))
    lab.start_repl("abc")


def test_a_shell_that_is_missing(home: Path) -> None:
    lab = Lab(home, SHELL="/no/such/shell").start()
    try:
        lab.make("abc")
        client = Client(lab, "abc")
        terminal = client.terminal()
        client.type(terminal, b"echo the-''default\n")
        client.read_until(terminal, b"the-default")
    finally:
        lab.stop()


def test_a_store_that_cannot_be_made_is_said_at_the_start(home: Path) -> None:
    home.mkdir()
    (home / "file").write_text("in the way")
    lab = Lab(home, JUPYTER_REPL_STORE_URL=f"file:{home}/file/store").start()
    try:
        status, error = lab.call("GET", "project")
        assert status in (400, 503)
        assert error["message"]
        assert error["hint"]
    finally:
        lab.stop()
