"""The REST calls against a real server, as a program makes them."""

import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.channel import Client
from support.lab import TOKEN, Lab, wait_for

pytestmark = pytest.mark.usefixtures("shared_lab")


def test_templates_come_from_the_store(shared_lab: Lab) -> None:
    lab = shared_lab
    status, templates = lab.call("GET", "template")
    assert status == 200
    assert [t["language"] for t in templates if t["language"] in ("python", "node-js")] == ["node-js", "python"]
    folder = lab.store / "base/my-lang"
    folder.mkdir()
    (folder / "hello.txt").write_text("hi\n")
    (folder / ".template.toml").write_text('label = "Mine"\nrequires = ["no-such-program"]\nhint = "Install it."\n')
    mine = next(t for t in lab.call("GET", "template")[1] if t["language"] == "my-lang")
    assert (mine["label"], mine["available"]) == ("Mine", False)
    assert "no-such-program" in mine["hint"]
    lab.make("from-mine", "my-lang", start=False)
    assert [path.name for path in lab.project("from-mine").iterdir()] == ["hello.txt"]


def test_a_project_from_creation_to_deletion(shared_lab: Lab) -> None:
    lab = shared_lab
    status, answer, headers = lab.request("POST", "project", {"replId": "life", "language": "python"})
    assert (status, headers["Location"]) == (201, "/repl/project/life")
    assert answer["phase"] == {"name": "stopped"}
    assert "life" in [project["replId"] for project in lab.call("GET", "project")[1]]
    assert lab.call("PATCH", "project/life", {"title": "My life"})[1]["title"] == "My life"
    assert lab.call("PATCH", "project/life", {"title": ""})[0] == 400
    lab.start_repl("life")
    assert lab.call("DELETE", "project/life")[0] == 204
    assert lab.call("GET", "project/life")[0] == 404
    assert not lab.project("life").exists()
    lab.make("life")


def test_a_taken_name_is_409_and_nothing_is_touched(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("taken", start=False)
    (lab.project("taken") / "main.py").write_text("precious")
    status, error = lab.call("POST", "project", {"replId": "taken", "language": "node-js"})
    assert (status, error["code"]) == (409, "FileExists")
    assert error["hint"]
    assert (lab.project("taken") / "main.py").read_text() == "precious"
    assert not (lab.project("taken") / "index.js").exists()


def test_of_eight_creates_at_once_one_answers_201(shared_lab: Lab) -> None:
    body = {"replId": "race", "language": "python"}
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: shared_lab.call("POST", "project", body)[0], range(8)))
    assert statuses == [201] + [409] * 7


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"replId": "../x", "language": "python"}, 400),
        ({"replId": "Ümlaut", "language": "python"}, 400),
        ({"replId": "a" * 49, "language": "python"}, 400),
        ({"language": "python"}, 400),
        ({"replId": "ok"}, 400),
        ({"replId": "ok", "language": "cobol"}, 404),
        (b"not json", 400),
        (b"[1]", 400),
    ],
)
def test_bad_bodies(shared_lab: Lab, body: object, status: int) -> None:
    answered, error = shared_lab.call("POST", "project", body)
    assert answered == status
    assert set(error) == {"code", "message", "hint"}
    assert not (shared_lab.store / "meta/ok.json").exists()


def test_what_is_not_there(shared_lab: Lab) -> None:
    for method, path in [("GET", "project/none"), ("DELETE", "project/none"), ("GET", "project/none/events")]:
        status, error = shared_lab.call(method, path)
        assert (status, error["code"]) == (404, "FileNotFound"), path
    assert shared_lab.call("POST", "start", {"replId": "none"})[0] == 404
    assert shared_lab.call("POST", "stop", {"replId": "none"})[0] == 404
    assert shared_lab.call("GET", "project/none/file/x")[0] == 404


def test_events_tell_the_phases_and_end(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("events", start=False)
    lab.call("POST", "start", {"replId": "events"})
    raw = lab.call("GET", "project/events/events")[1].decode()
    phases = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith("data: {") and "name" in line]
    assert phases[-1] == {"name": "running"}
    assert all(phase["step"] for phase in phases[:-1])
    assert raw.endswith("event: end\ndata: {}\n\n")


@pytest.mark.parametrize("running", [False, True])
def test_files_by_http(shared_lab: Lab, running: bool) -> None:
    lab, name = shared_lab, f"files-{running}".lower()
    lab.make(name, start=running)
    path = f"project/{name}/file/sub%20dir/%C3%BC.bin"
    data = bytes(range(256)) * 5000
    status, answer, headers = lab.request("PUT", path, data)
    assert status == 200, answer
    etag = headers["Etag"]
    assert (lab.project(name) / "sub dir/ü.bin").read_bytes() == data
    status, got, headers = lab.request("GET", path)
    assert (status, got, headers["Etag"]) == (200, data, etag)
    status, got, headers = lab.request("GET", path, headers={"Range": "bytes=10-19"})
    assert (status, got, headers["Content-Range"]) == (206, data[10:20], f"bytes 10-19/{len(data)}")
    assert lab.request("GET", path, headers={"Range": "bytes=-5"})[1] == data[-5:]
    assert lab.request("GET", path, headers={"Range": f"bytes={len(data)}-"})[0] == 416
    assert lab.request("PUT", path, b"new", {"If-Match": '"old"'})[0] == 412
    assert lab.request("PUT", path, b"new", {"If-None-Match": "*"})[0] == 409
    assert lab.request("PUT", path, b"new", {"If-Match": etag})[0] == 200
    assert lab.request("GET", path)[1] == b"new"
    assert lab.request("GET", path, headers={"If-Match": etag})[0] == 200
    for bad in ("..%2f..%2fx", "%2fetc%2fpasswd", "a%00b"):
        assert lab.request("PUT", f"project/{name}/file/{bad}", b"x")[0] in (400, 403), bad


def test_large_files_both_ways(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("large")
    data = b"0123456789abcdef" * (1 << 20)
    assert lab.request("PUT", "project/large/file/big", data)[0] == 200
    assert lab.request("GET", "project/large/file/big")[1] == data


def test_an_upload_to_a_stopped_project_keeps_other_names_of_the_file(lab: Lab) -> None:
    lab.make("abc", start=False)
    project = lab.project("abc")
    os.link(project / "main.py", project / "other.py")
    assert lab.call("PUT", "project/abc/file/main.py", b"new\n")[0] == 200
    assert (project / "other.py").read_bytes() == b"new\n"
    assert not list((lab.store / "meta/abc/journal").iterdir())
    assert lab.call("PUT", "project/abc/file/new/folder/f", b"made")[0] == 200
    assert (project / "new/folder/f").read_bytes() == b"made"


def test_a_slow_download_of_a_stopped_project_holds_up_no_start(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("slowly", start=False)
    size = 64 << 20
    with open(lab.project("slowly") / "big", "wb") as file:
        file.truncate(size)
    with socket.create_connection(("127.0.0.1", lab.port)) as reader:
        path = f"/repl/project/slowly/file/big?token={TOKEN}"
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = reader.recv(4096)  # no more: the rest waits in the server
        assert head.startswith(b"HTTP/1.1 200")
        lab.start_repl("slowly")
        got = len(head.partition(b"\r\n\r\n")[2])
        while got < size:
            got += len(reader.recv(1 << 20))
    lab.stop_repl("slowly")


def test_ten_starts_make_one_runner(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("ten", start=False)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: lab.call("POST", "start", {"replId": "ten"}), range(10)))
    assert {status for status, _ in answers} == {202}
    lab.wait_phase("ten", "running")
    wait_for(lambda: len(runners(lab, "ten")) == 1)


def test_starts_while_a_stop_is_in_flight_make_one_runner(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("again")
    before = runners(lab, "again")
    lab.call("POST", "stop", {"replId": "again"})
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: lab.call("POST", "start", {"replId": "again"}), range(10)))
    lab.wait_phase("again", "running")
    wait_for(lambda: len(runners(lab, "again")) == 1)
    assert runners(lab, "again") != before


def test_ten_starts_through_two_servers_make_one_runner(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("two", start=False)
    with_other = Lab(lab.home).start()
    try:
        with ThreadPoolExecutor(10) as pool:
            servers = [lab, with_other] * 5
            list(pool.map(lambda server: server.call("POST", "start", {"replId": "two"}), servers))
        lab.wait_phase("two", "running")
        with_other.wait_phase("two", "running")
        wait_for(lambda: len(runners(lab, "two")) == 1)
        Client(with_other, "two").close()
        with_other.stop_repl("two")
        assert runners(lab, "two") == []
    finally:
        with_other.stop()


def test_files_survive_stop_and_start_with_their_modes(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("modes")
    client = Client(lab, "modes")
    terminal = client.terminal()
    client.type(
        terminal, b"umask 077; echo x > a; mkdir d; echo y > d/b; chmod 700 d/b; ln -s d/b l; echo done$((1))\n"
    )
    client.read_until(terminal, b"done1")
    client.close()
    lab.stop_repl("modes")
    lab.start_repl("modes")
    root = lab.project("modes")
    modes = {name: oct((root / name).lstat().st_mode & 0o777) for name in ("a", "d", "d/b")}
    assert modes == {"a": "0o600", "d": "0o700", "d/b": "0o700"}
    assert (root / "l").readlink() == Path("d/b")


def test_activity_counts_and_polling_does_not(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("active")
    client = Client(lab, "active")
    terminal = client.terminal()
    client.read_until(terminal, b"$ ")

    threading.Event().wait(1.2)
    before = lab.last_activity
    for path in ("project", "project/active", "template", "project/active/events"):
        lab.call("GET", path)
    assert lab.last_activity == before
    client.type(terminal, b"x")
    client.read_until(terminal, b"x")
    assert lab.last_activity > before
    client.close()


def test_the_description_is_served_and_true(shared_lab: Lab) -> None:
    import yaml

    from jupyter_repl_ext.handlers import HANDLERS, OF_OWNER, NoSuchHandler

    described = yaml.safe_load(shared_lab.call("GET", "openapi.yaml")[1])
    import re

    def shape(path: str) -> str:
        return re.sub(r"\{[^}]+\}|\([^)]+\)", "*", path)

    served = {}
    for route, handler in HANDLERS:
        if route.startswith("/repl/contents") or handler is NoSuchHandler:
            continue  # Jupyter's own API, which Jupyter describes; whatever else there is
        verbs = {v for v in ("get", "put", "post", "patch", "delete") if v in vars(handler)}
        served[shape(route.replace(OF_OWNER, "").removeprefix("/repl"))] = verbs
    promised = {shape(path): set(verbs) - {"parameters"} for path, verbs in described["paths"].items()}
    assert promised == served


def runners(lab: Lab, repl_id: str) -> list[int]:
    """Pids of the runners whose working directory is the project's, counted in /proc. A program that a runner starts is
    one of them for a moment, as long as it is a fork of the runner."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
                folder = (process / "cwd").readlink()
            except OSError:
                continue
            if b"jupyter_repl_runner" in command and b"serve" in command and folder == lab.project(repl_id):
                found.append(int(process.name))
    return found
