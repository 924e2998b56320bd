"""A laptop whose projects live in S3: created, started, edited and found again, by REST and the channel."""

import io
import json
import os
import shutil
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.channel import Client
from support.lab import elapse, wait_for
from support.ports import free_port
from support.processes import pids, repl_processes
from support.proxy import Proxy
from support.s3 import SECRET, S3Server
from support.s3_lab import S3Lab
from support.syncing import tree


@pytest.fixture
def s3_lab(home: Path, minio: S3Server, tmp_path: Path) -> Iterator[S3Lab]:
    lab = S3Lab(home, minio, tmp_path.name)
    lab.start()
    yield lab
    lab.stop()
    left = repl_processes(lab)
    shutil.rmtree(lab.runtime_dir, ignore_errors=True)
    assert not left, f"processes were left: {left}"


def test_a_project_is_created_started_edited_and_found_again(s3_lab: S3Lab) -> None:
    s3_lab.make("abc")
    assert s3_lab.names("code/abc/") == {"main.py"}
    client = Client(s3_lab, "abc")
    assert [row["path"] for row in client.loaded["rootContent"]] == ["main.py"]
    client.request("updateContent", path="main.py", content="print('edited')")
    terminal = client.terminal()
    client.type(terminal, b"echo made > shell.txt; chmod 700 shell.txt; ln -s main.py link; env | grep -c AWS_\r")
    client.read_until(terminal, b"\r0\r\n")
    synced = client.wait_event("synced", state="saved", pending=0)
    wait_for(lambda: s3_lab.objects("code/abc/").get("shell.txt") == b"made\n")
    assert s3_lab.objects("code/abc/")["main.py"] == b"print('edited')"
    assert synced is not None
    client.close()
    s3_lab.stop_repl("abc")
    volume = next(s3_lab.home.rglob("repl-volumes/*/abc"))
    shutil.rmtree(volume)
    s3_lab.start_repl("abc")
    client = Client(s3_lab, "abc")
    assert {row["path"] for row in client.loaded["rootContent"]} == {"main.py", "shell.txt", "link"}
    assert client.request("fetchContent", path="link")["content"] == "print('edited')"
    status, body = s3_lab.call("DELETE", "project/abc")
    assert status == 204, body
    assert s3_lab.objects("code/abc/") == s3_lab.objects("meta/") == {}
    assert not volume.exists()


def test_files_without_a_runner_come_from_the_bucket(s3_lab: S3Lab) -> None:
    s3_lab.make("abc", start=False)
    status, _, headers = s3_lab.request("GET", "project/abc/file/main.py")
    assert status == 200
    status, answer = s3_lab.call("PUT", "project/abc/file/main.py", b"new", {"If-Match": headers["Etag"]})
    assert status == 200, answer
    assert s3_lab.call("PUT", "project/abc/file/main.py", b"late", {"If-Match": headers["Etag"]})[0] == 412
    s3_lab.start_repl("abc")
    client = Client(s3_lab, "abc")
    content = client.request("fetchContent", path="main.py")
    assert (content["content"], content["etag"]) == ("new", answer["etag"])


def test_a_project_from_a_zip_and_back_with_nothing_running(s3_lab: S3Lab) -> None:
    s3_lab.make("abc", start=True)
    client = Client(s3_lab, "abc")
    terminal = client.terminal()
    client.type(terminal, b"mkdir empty; ln -s main.py link; chmod 755 main.py; echo do'ne'\r")
    client.read_until(terminal, b"done\r\n")
    client.close()
    s3_lab.stop_repl("abc")
    status, archive = s3_lab.call("GET", "project/abc/archive")
    assert status == 200
    status, answer = s3_lab.call("PUT", "project/copy/archive", archive)
    assert status == 201, answer
    s3_lab.start_repl("copy")
    client = Client(s3_lab, "copy")
    assert {row["path"] for row in client.loaded["rootContent"]} == {"main.py", "link", "empty"}


def test_a_killed_sync_is_started_again(s3_lab: S3Lab) -> None:
    s3_lab.make("abc")
    client = Client(s3_lab, "abc")
    (sync,) = pids("sync", s3_lab)
    psutil.Process(sync).send_signal(signal.SIGKILL)
    client.request("updateContent", path="main.py", content="after the kill")
    wait_for(lambda: s3_lab.objects("code/abc/")["main.py"] == b"after the kill", 20)
    assert pids("sync", s3_lab) != [sync]


def test_no_keys_but_sync_and_server_have_any(s3_lab: S3Lab) -> None:
    s3_lab.make("abc")
    client = Client(s3_lab, "abc")
    client.terminal()
    checked = 0
    for process in psutil.process_iter():
        try:
            environment, command = process.environ(), process.cmdline()
        except psutil.Error:
            continue
        if environment.get("JUPYTER_REPL_MARK", "").startswith(f"{s3_lab.runtime_dir}/"):
            checked += 1
            assert SECRET not in json.dumps(environment)
            assert SECRET not in json.dumps(command)
    assert checked >= 4  # guard, sync, runner, shell
    for path in [*s3_lab.runtime_dir.rglob("*"), *s3_lab.home.rglob("repl-volumes/**/*")]:
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_wrong_keys_and_no_network_are_told_with_a_hint(home: Path, minio: S3Server) -> None:
    for number, (env, said) in enumerate(
        [
            ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "AWS_SECRET_ACCESS_KEY"),
            ({"S3_ENDPOINT": f"http://127.0.0.1:{free_port()}"}, "Check that it runs"),
            ({"JUPYTER_REPL_STORE_URL": "s3://no-such-bucket"}, "no bucket no-such-bucket"),
            ({"JUPYTER_REPL_STORE_URL": "s3:/no/bucket"}, "s3://bucket/prefix"),
        ]
    ):
        lab = S3Lab(home / str(number), minio, "wrong", **env).start()
        try:
            status, answer = lab.call("POST", "project", {"replId": "abc", "language": "python"})
            assert status == 503
            assert said in f"{answer['message']} {answer['hint']}", answer
        finally:
            lab.stop()


BUILD = """
import os, time
until = time.monotonic() + 60
number = 0
while time.monotonic() < until:
    number += 1
    os.makedirs(f"build/{number % 20}", exist_ok=True)
    open(f"build/{number % 20}/{number}.o", "w").write(f"{number} " * 500)
    os.rename(f"build/{number % 20}/{number}.o", f"build/{number % 20}/{number}.done")
    if number % 7 == 0:
        os.unlink(f"build/{number % 20}/{number}.done")
    open("build/log", "a").write(f"{number}\\n")
    time.sleep(0.05)
print("built", number * 0 + 42)
"""


@pytest.mark.timeout(240)
def test_s3_away_for_a_minute_during_a_build_loses_nothing(home: Path, minio: S3Server, tmp_path: Path) -> None:
    proxy = Proxy(minio.port)
    lab = S3Lab(home, minio, tmp_path.name, f"http://127.0.0.1:{proxy.port}")
    lab.start()
    try:
        lab.make("abc")
        client = Client(lab, "abc")
        if client.loaded["synced"]["state"] != "saved":
            client.wait_event("synced", state="saved")
        client.request("updateContent", path="build.py", content=BUILD)
        terminal = client.terminal()
        client.type(terminal, b"python3 build.py\r")
        wait_for(lambda: "build/log" in lab.names("code/abc/"))
        proxy.stall()
        proxy.cut()
        begun = time.monotonic()
        client.request("updateContent", path="main.py", content="while it was away")
        assert client.wait_event("synced", state="away", seconds=20)["hint"]
        client.request("updateContent", path="other.py", content="too")
        assert client.request("fetchContent", path="main.py")["content"] == "while it was away"
        client.read_until(terminal, b"built 42", 90)
        wait_for(lambda: client.wait_event("synced", state="away")["pending"] > 100)
        elapse(max(0.0, begun + 60 - time.monotonic()))
        client.events.clear()  # those of before it was away
        proxy.stall(False)
        client.wait_event("synced", state="saved", pending=0, seconds=60)
        files = {path: found[3] for path, found in tree(lab.project("abc")).items() if found[0] == "file"}
        assert len(files) > 200
        assert lab.objects("code/abc/") == files
    finally:
        lab.stop()
        proxy.close()


def test_a_server_that_ends_while_s3_is_away_ends(home: Path, minio: S3Server, tmp_path: Path) -> None:
    proxy = Proxy(minio.port)
    lab = S3Lab(home, minio, tmp_path.name, f"http://127.0.0.1:{proxy.port}")
    lab.start()
    try:
        lab.make("abc")
        wait_for(lambda: "main.py" in lab.names("code/abc/"))
        proxy.stall()
        proxy.cut()
        (lab.project("abc") / "main.py").write_text("the last word")
        lab.stop(60)
        assert not repl_processes(lab)
        proxy.stall(False)
        lab.start()
        lab.start_repl("abc")
        wait_for(lambda: lab.objects("code/abc/")["main.py"] == b"the last word")
    finally:
        proxy.stall(False)
        lab.stop(60)
        proxy.close()


def delete_in_shell(lab: S3Lab, names: str, expected: set[str]) -> None:
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(terminal, f"rm -r {names}\r".encode())
    wait_for(lambda: lab.names("code/abc/") == expected)
    client.close()


@pytest.mark.parametrize("running", [True, False])
def test_what_a_shell_deleted_can_be_had_again(s3_lab: S3Lab, running: bool) -> None:
    s3_lab.make("abc")
    client = Client(s3_lab, "abc")
    for name in ("a.py", "d/b.py", "d/c.py"):
        client.request("updateContent", path=name, content=name)
    os.chmod(s3_lab.project("abc") / "d/b.py", 0o700)
    (s3_lab.project("abc") / "d/link").symlink_to("b.py")
    (s3_lab.project("abc") / "d/private").mkdir(mode=0o700)
    wait_for(lambda: len(s3_lab.objects("code/abc/")) == 4 and "private" in str(s3_lab.objects("meta/abc/")))
    before = tree(s3_lab.project("abc"))
    client.close()
    delete_in_shell(s3_lab, "a.py d", {"main.py"})
    if not running:
        s3_lab.stop_repl("abc")
    status, (deleted, *more) = s3_lab.call("GET", "project/abc/trash")
    assert (status, more) == (200, [])
    assert (deleted["count"], deleted["paths"]) == (4, ["a.py", "d/b.py", "d/c.py", "d/link"])
    s3_lab.call("PUT", "project/abc/file/a.py", b"in its place")
    status, answer = s3_lab.call("POST", "project/abc/trash", {"item": deleted["item"]})
    assert (status, answer) == (200, {"restored": ["d/b.py", "d/c.py", "d/link"], "kept": ["a.py"]})
    wait_for(lambda: s3_lab.objects("code/abc/").get("d/b.py") == b"d/b.py")
    assert s3_lab.objects("code/abc/")["a.py"] == b"in its place"
    assert s3_lab.call("POST", "project/abc/trash", {"item": "0" * 16})[0] == 404
    assert s3_lab.call("POST", "project/abc/trash", {"item": "../../x"})[0] == 404
    if not running:
        s3_lab.start_repl("abc")
    after = tree(s3_lab.project("abc"))
    assert {path: found[:2] for path, found in after.items()} == {path: found[:2] for path, found in before.items()}


def test_the_command_line_restores_while_it_runs(s3_lab: S3Lab) -> None:
    s3_lab.make("abc")
    delete_in_shell(s3_lab, "main.py", set())
    (line,) = s3_lab.command("restore", "abc").splitlines()
    assert line.endswith("main.py")
    assert s3_lab.command("restore", "abc", line.split()[0]) == "restored: main.py\n"
    wait_for(lambda: s3_lab.names("code/abc/") == {"main.py"})
    assert "main.py" in [row["name"] for row in Client(s3_lab, "abc").loaded["rootContent"]]


def test_templates_are_pushed_and_edited_ones_stay(s3_lab: S3Lab, tmp_path: Path) -> None:
    s3_lab.call("GET", "template")
    folder = tmp_path / "ruby"
    (folder / "lib").mkdir(parents=True)
    (folder / "main.rb").write_text("puts 1")
    (folder / "lib/a.rb").write_text("a")
    assert s3_lab.command("templates", "push", str(folder)) == "ruby: 2 written, 0 unchanged, 0 kept\n"
    assert {row["language"] for row in s3_lab.call("GET", "template")[1]} == {"node-js", "python", "ruby"}
    (folder / "main.rb").write_text("puts 2")
    assert "kept, since it differs there: ruby/main.rb" in s3_lab.command("templates", "push", str(folder))
    assert s3_lab.objects("base/ruby/")["main.rb"] == b"puts 1"
    assert "1 written" in s3_lab.command("templates", "push", "--overwrite", str(folder))
    assert s3_lab.objects("base/ruby/")["main.rb"] == b"puts 2"
    assert "0 written" in s3_lab.command("templates", "push")


def test_health_says_what_the_store_honours(s3_lab: S3Lab) -> None:
    status, answer = s3_lab.call("GET", "health")
    assert (status, answer["store"]["ok"], answer["store"]["honours"]["put"]) == (200, True, True)
    assert set(answer["store"]["honours"]) == {"put", "delete", "copy"}
    s3_lab.stop()
    assert "ignores conditions on DELETE" in s3_lab.log.read_text()


def test_a_restore_tells_its_progress(s3_lab: S3Lab) -> None:
    s3_lab.make("abc", start=False)
    for number in range(150):
        status, answer = s3_lab.call("PUT", f"project/abc/file/d/f{number}", os.urandom(20_000))
        assert status == 200, answer
    s3_lab.call("PUT", "project/abc/file/.repl.toml", b'main = "d/f149"')
    assert s3_lab.call("POST", "start", {"replId": "abc"})[0] == 202
    told = s3_lab.call("GET", "project/abc/events")[1].decode()
    assert '"running"' in told
    client = Client(s3_lab, "abc")
    restored = client.loaded["synced"]["restored"]
    while restored["files"] != 150:  # without .repl.toml and the main file, which come before anything is counted
        restored = client.wait_event("synced")["restored"]
    assert restored["totalFiles"] == 150
    assert restored["bytes"] == restored["totalBytes"] > 2_900_000
    assert len(list((s3_lab.project("abc") / "d").iterdir())) == 150


def test_the_zip_of_a_stopped_project_names_what_it_could_not_have(home: Path, moto: S3Server, tmp_path: Path) -> None:
    """Objects that no folder can hold, made by other programs: the rest of the project is in the zip."""
    lab = S3Lab(home, moto, tmp_path.name).start()
    try:
        lab.make("abc", start=False)
        client, code = moto.client(), f"{tmp_path.name}/code/abc/"
        odd = ["a//b", "up/../../x", "n" * 300, "file/below", "back\\slash"]
        for name in (*odd, "file"):
            client.put_object(Bucket=moto.bucket, Key=code + name, Body=name[:20].encode(), Metadata={"mtime": "nan"})
        status, raw = lab.call("GET", "project/abc/archive")
        assert status == 200, raw
        with zipfile.ZipFile(io.BytesIO(raw)) as zipped:
            names, missing = set(zipped.namelist()), zipped.read("NOT-IN-THIS-ARCHIVE.txt").decode()
            assert {"main.py", "back\\slash"} <= names
            assert len({"file", "file/below"} & names) == 1
        for name in odd[:3]:
            assert name in missing
        assert "file" in missing
    finally:
        lab.stop()
