"""Archives by REST, with a runner and without: what comes back, what is refused, and that nothing half-made stays."""

import http.client
import io
import os
import threading
import time
import zipfile
from pathlib import Path

import pytest
from support.channel import Client
from support.lab import TOKEN, Lab, wait_for

pytestmark = pytest.mark.usefixtures("shared_lab")


def made_zip(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return data.getvalue()


def scratches(lab: Lab) -> list[str]:
    return [name for name in os.listdir(lab.store / ".private") if name != "lock"]


@pytest.mark.parametrize("is_on", [True, False], ids=["runner on", "runner off"])
def test_a_project_goes_out_and_comes_in_as_another(shared_lab: Lab, is_on: bool) -> None:
    lab = shared_lab
    name = lab.make(f"out-{is_on}".lower(), "node-js", start=is_on)
    folder = lab.project(name)
    (folder / "src").mkdir()
    (folder / "src/tool").write_text("tool")
    (folder / "src/tool").chmod(0o755)
    (folder / "empty").mkdir()
    (folder / "link").symlink_to("src/tool")
    status, data, headers = lab.request("GET", f"project/{name}/archive")
    assert (status, headers["Content-Type"]) == (200, "application/zip")
    assert f"{name}.zip" in headers["Content-Disposition"]
    status, answer = lab.call("PUT", f"project/{name}-again/archive", data)
    assert status == 201, answer
    assert (answer["language"], answer["report"]["links"]) == ("node-js", 1)
    again = lab.project(f"{name}-again")
    assert (again / "src/tool").stat().st_mode & 0o777 == 0o755
    assert os.readlink(again / "link") == "src/tool"
    assert sorted(os.listdir(again)) == sorted(os.listdir(folder))
    lab.start_repl(f"{name}-again")
    status, data = lab.call("GET", f"project/{name}/archive?path=src")
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["tool"]
    status, error = lab.call("GET", f"project/{name}/archive?path=none")
    assert (status, error["code"]) == (404, "FileNotFound")


def test_the_language_is_named_told_or_seen(shared_lab: Lab) -> None:
    lab = shared_lab
    for name, files, query, language in (
        ("by-query", {"x.txt": b""}, "?language=node-js", "node-js"),
        ("by-main", {"index.js": b"", "a.py": b"", "b.py": b""}, "", "node-js"),
        ("by-suffix", {"deep/other.py": b"", "top.txt": b""}, "", "python"),
    ):
        status, answer = lab.call("PUT", f"project/{name}/archive{query}", made_zip(files))
        assert (status, answer["language"]) == (201, language)
    status, error = lab.call("PUT", "project/unknown/archive", made_zip({"x.txt": b""}))
    assert status == 400
    assert "language" in error["hint"]
    assert lab.call("PUT", "project/unknown/archive?language=cobol", made_zip({"x.txt": b""}))[0] == 404
    assert lab.call("GET", "project/unknown")[0] == 404


def test_what_is_refused_leaves_nothing(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.make("taken-by", start=False)
    before = sorted(os.listdir(lab.store / "code")), sorted(os.listdir(lab.store / "meta"))
    for name, data, code in (
        ("taken-by", made_zip({"main.py": b"x"}), 409),
        ("bad", b"no zip", 400),
        ("bad", made_zip({"../evil": b""}), 403),
        ("bad", made_zip({"main.py": bytes(10), "Main.py": bytes(10)}), 400),
        ("Bad_Name", made_zip({"main.py": b""}), 400),
    ):
        status, error = lab.call("PUT", f"project/{name}/archive", data)
        assert (status, bool(error["hint"])) == (code, True), error
    assert (sorted(os.listdir(lab.store / "code")), sorted(os.listdir(lab.store / "meta"))) == before
    wait_for(lambda: scratches(lab) == [])


def test_an_upload_that_breaks_off_leaves_nothing(shared_lab: Lab) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared_lab.port)
    connection.putrequest("PUT", "/repl/project/broken-off/archive")
    connection.putheader("Authorization", f"token {TOKEN}")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(bytes(200_000))
    wait_for(lambda: scratches(shared_lab))
    connection.close()
    wait_for(lambda: scratches(shared_lab) == [])
    assert shared_lab.call("GET", "project/broken-off")[0] == 404


@pytest.mark.parametrize("is_on", [True, False], ids=["runner on", "runner off"])
def test_a_file_that_breaks_off_leaves_nothing(shared_lab: Lab, is_on: bool) -> None:
    name = shared_lab.make(f"broken-{is_on}".lower(), start=is_on)
    connection = http.client.HTTPConnection("127.0.0.1", shared_lab.port)
    connection.putrequest("PUT", f"/repl/project/{name}/file/big.bin")
    connection.putheader("Authorization", f"token {TOKEN}")
    connection.putheader("Content-Length", "10000000")
    connection.endheaders()
    connection.send(bytes(500_000))
    wait_for(lambda: len(os.listdir(shared_lab.project(name))) == 2)
    connection.close()
    wait_for(lambda: os.listdir(shared_lab.project(name)) == ["main.py"])


def test_ten_thousand_files_go_in_and_out(shared_lab: Lab) -> None:
    lab = shared_lab
    files = {f"d{number % 100}/f{number}.txt": b"x" for number in range(10_000)}
    status, answer = lab.call("PUT", "project/many/archive?language=python", made_zip(files))
    assert (status, answer["report"]["files"]) == (201, 10_000)
    assert sum(1 for path in lab.project("many").rglob("*.txt")) == 10_000
    status, data = lab.call("GET", "project/many/archive")
    assert sum(name.endswith(".txt") for name in zipfile.ZipFile(io.BytesIO(data)).namelist()) == 10_000


def test_nobody_waits_while_what_was_refused_is_deleted(shared_lab: Lab) -> None:
    lab, data = shared_lab, made_zip({f"f{number}.txt": b"x" for number in range(10_000)})
    connection = http.client.HTTPConnection("127.0.0.1", lab.port)
    connection.putrequest("PUT", "/repl/project/late/archive?language=python")
    connection.putheader("Authorization", f"token {TOKEN}")
    connection.putheader("Content-Length", str(len(data)))
    connection.endheaders(data[:-1])
    wait_for(lambda: scratches(lab))
    lab.make("late", start=False)
    connection.send(data[-1:])
    assert connection.getresponse().status == 409
    begun, longest = time.monotonic(), 0.0
    while scratches(lab):
        asked = time.monotonic()
        assert lab.call("GET", "project/late")[0] == 200
        longest = max(longest, time.monotonic() - asked)
    assert longest < (time.monotonic() - begun) / 2
    connection.close()


def test_of_four_imports_of_one_name_one_is_done(shared_lab: Lab) -> None:
    statuses: list[int] = []

    def send(text: bytes) -> None:
        statuses.append(shared_lab.call("PUT", "project/same/archive", made_zip({"main.py": text, "b.py": text}))[0])

    threads = [threading.Thread(target=send, args=(bytes([65 + number]),)) for number in range(4)]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert sorted(statuses) == [201, 409, 409, 409]
    folder = shared_lab.project("same")
    assert (folder / "main.py").read_bytes() == (folder / "b.py").read_bytes()


def test_a_folder_is_listed_in_as_few_messages_as_hold_it(repl: Lab) -> None:
    folder = repl.project("abc") / "list"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number:04}-{'ü' * 40}.txt").touch()
    client, found = Client(repl, "abc"), list[str]()
    asked = 0
    while len(found) < 3000:
        answer = client.request("fetchDir", path="list", offset=len(found), limit=2500)
        assert answer["total"] == 3000
        assert len(answer["content"]) < 1000, "a message holds no more"
        found += [row["name"] for row in answer["content"]]
        asked += 1
    assert found == sorted(os.listdir(folder))
    assert len(client.request("fetchDir", path="list")["content"]) < 500
    assert client.error("fetchDir", path="list", limit=0)["code"] == "InvalidRequest"
    client.close()


def test_a_restored_item_and_a_page_by_the_channel(repl: Lab, tmp_path: Path) -> None:
    client = Client(repl, "abc")
    repl.project("abc").joinpath("precious.txt").write_text("precious")
    item = client.request("delete", path="precious.txt")["item"]
    assert not repl.project("abc").joinpath("precious.txt").exists()
    assert client.request("restore", item=item) == {"path": "precious.txt"}
    assert repl.project("abc").joinpath("precious.txt").read_text() == "precious"
    client.close()
