"""The drive of projects by Jupyter's contents API: the same on a directory and on S3, runner on or off."""

import asyncio
import io
import json
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.lab import TOKEN, Lab, wait_for
from support.s3 import S3Server
from support.s3_lab import S3Lab

from jupyter_repl_ext.drive.files import Files, Row
from jupyter_repl_ext.drive.manager import THREADS, S3Drive
from jupyter_repl_runner.contract.refs import ProjectRef

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(params=["directory", "s3"], scope="module")
def drive_lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("drive") / "home"
    if request.param == "directory":
        lab = Lab(home)
    else:
        server: S3Server = request.getfixturevalue("minio")
        lab = S3Lab(home, server, home.parent.name)
    lab.start()
    yield lab
    lab.stop()


@pytest.fixture(params=["stopped", "running"])
def project(request: pytest.FixtureRequest, drive_lab: Lab, tmp_path: Path) -> str:
    name = f"p-{abs(hash(tmp_path)) % 10**9}"
    return drive_lab.make(name, start=request.param == "running")


def call(lab: Lab, method: str, path: str, body: Any = None, **query: Any) -> Any:
    """The answer; raises AssertionError for an error of the server's own."""
    options = "&".join(f"{key}={value}" for key, value in query.items())
    status, answer = lab.call(method, f"contents/{path}{'?' + options if options else ''}", body)
    assert status < 500, answer
    return status, answer


def names(lab: Lab, path: str) -> list[str]:
    status, answer = call(lab, "GET", path)
    assert status == 200, answer
    return sorted(entry["name"] for entry in answer["content"])


def save(lab: Lab, path: str, content: Any, kind: str = "file", format: str = "text") -> Any:
    status, answer = call(lab, "PUT", path, {"type": kind, "format": format, "content": content})
    assert status in (200, 201), answer
    return answer


def test_projects_are_folders(drive_lab: Lab, project: str) -> None:
    assert project in names(drive_lab, "")
    assert names(drive_lab, project) == ["main.py"]
    status, answer = call(drive_lab, "GET", f"{project}/main.py", hash=1)
    assert (status, answer["path"], answer["type"]) == (200, f"{project}/main.py", "file")
    assert "print" in answer["content"]
    assert answer["hash"]
    assert call(drive_lab, "GET", f"{project}/none.py")[0] == 404
    assert call(drive_lab, "GET", "no-such-project/x")[0] == 404


def test_files_are_saved_renamed_and_deleted(drive_lab: Lab, project: str) -> None:
    assert save(drive_lab, f"{project}/a.txt", "one")["path"] == f"{project}/a.txt"
    save(drive_lab, f"{project}/a.txt", "two")
    assert call(drive_lab, "GET", f"{project}/a.txt")[1]["content"] == "two"
    save(drive_lab, f"{project}/b.bin", "AP8=", format="base64")
    answer = call(drive_lab, "GET", f"{project}/b.bin")[1]
    assert (answer["format"], answer["content"].strip()) == ("base64", "AP8=")
    assert save(drive_lab, f"{project}/d", None, "directory")["type"] == "directory"
    assert names(drive_lab, project) == ["a.txt", "b.bin", "d", "main.py"]
    status, answer = call(drive_lab, "PATCH", f"{project}/a.txt", {"path": f"{project}/d/c.txt"})
    assert (status, answer["path"]) == (200, f"{project}/d/c.txt")
    assert names(drive_lab, f"{project}/d") == ["c.txt"]
    assert call(drive_lab, "PATCH", f"{project}/d", {"path": f"{project}/e"})[0] == 200
    assert call(drive_lab, "GET", f"{project}/e/c.txt")[1]["content"] == "two"
    assert call(drive_lab, "PATCH", f"{project}/b.bin", {"path": f"{project}/main.py"})[0] == 409
    assert call(drive_lab, "DELETE", f"{project}/e/c.txt")[0] == 204
    assert call(drive_lab, "DELETE", f"{project}/b.bin")[0] == 204
    assert call(drive_lab, "GET", f"{project}/b.bin")[0] == 404
    assert set(names(drive_lab, project)) - {"e"} == {"main.py"}


def test_new_files_and_copies(drive_lab: Lab, project: str) -> None:
    status, answer = call(drive_lab, "POST", project, {"type": "file", "ext": ".py"})
    assert (status, answer["path"]) == (201, f"{project}/untitled.py")
    status, answer = call(drive_lab, "POST", project, {"copy_from": f"{project}/main.py"})
    assert (status, answer["path"]) == (201, f"{project}/main-Copy1.py")
    status, answer = call(drive_lab, "POST", project, {"type": "directory"})
    assert (status, answer["type"]) == (201, "directory")
    assert len(names(drive_lab, project)) == 4


def test_notebooks_have_checkpoints(drive_lab: Lab, project: str) -> None:
    path = f"{project}/n.ipynb"
    save(drive_lab, path, NOTEBOOK, "notebook", "json")
    answer = call(drive_lab, "GET", path)[1]
    assert (answer["type"], answer["content"]["nbformat"]) == ("notebook", 4)
    status, checkpoint = call(drive_lab, "POST", f"{path}/checkpoints")
    assert status == 201
    changed = {**NOTEBOOK, "metadata": {"changed": True}}
    save(drive_lab, path, changed, "notebook", "json")
    assert [each["id"] for each in call(drive_lab, "GET", f"{path}/checkpoints")[1]] == [checkpoint["id"]]
    assert call(drive_lab, "POST", f"{path}/checkpoints/{checkpoint['id']}", {})[0] == 204
    assert "changed" not in call(drive_lab, "GET", path)[1]["content"]["metadata"]
    assert call(drive_lab, "DELETE", f"{path}/checkpoints/{checkpoint['id']}")[0] == 204
    assert call(drive_lab, "GET", f"{path}/checkpoints")[1] == []


def test_projects_themselves_are_not_the_drives_to_make_or_delete(drive_lab: Lab, project: str) -> None:
    assert call(drive_lab, "DELETE", project)[0] in (400, 403)
    assert call(drive_lab, "PUT", "loose.txt", {"type": "file", "format": "text", "content": "x"})[0] in (400, 403)
    assert call(drive_lab, "PATCH", project, {"path": "another"})[0] == 403
    assert project in names(drive_lab, "")


def test_nothing_outside_is_reached(drive_lab: Lab, project: str) -> None:
    for path in (f"{project}/../../outside", f"{project}/%2e%2e/%2e%2e/outside", "../outside"):
        assert call(drive_lab, "GET", path)[0] in (400, 403, 404)
        assert call(drive_lab, "PUT", path, {"type": "file", "format": "text", "content": "x"})[0] >= 400


def test_jupyters_own_contents_stay_as_they_are(drive_lab: Lab, project: str) -> None:
    import urllib.request

    request = urllib.request.Request(f"{drive_lab.url}/api/contents/", headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=20) as response:
        found = [entry["name"] for entry in json.load(response)["content"]]
    assert project not in found


def test_what_is_saved_with_the_runner_on_is_in_its_folder(drive_lab: Lab) -> None:
    name = drive_lab.make("live")
    save(drive_lab, f"{name}/by-drive.txt", "here")
    assert (drive_lab.project(name) / "by-drive.txt").read_text() == "here"
    (drive_lab.project(name) / "by-shell.txt").write_text("there")
    assert call(drive_lab, "GET", f"{name}/by-shell.txt")[1]["content"] == "there"
    drive_lab.stop_repl(name)
    wait_for(lambda: "by-shell.txt" in names(drive_lab, name))


def test_a_folder_costs_one_listing(minio: S3Server) -> None:
    import asyncio

    from jupyter_repl_ext.drive.stored import StoredFiles
    from jupyter_repl_runner.contract.refs import ProjectRef

    async def check() -> None:
        store, ref, asked = minio.store(), ProjectRef("", "abc"), []
        for number in range(30):
            await store.put(ref.code(f"d{number}/f"), b"")
        ask = store._ask

        async def counting(verb: str, key: str | None, /, **request: Any) -> Any:
            asked.append(verb)
            return await ask(verb, key, **request)

        store._ask = counting  # type: ignore[method-assign]
        assert len(await StoredFiles(store, ref).rows("")) == 30
        assert asked.count("list_objects_v2") == 1
        store.close()

    asyncio.run(check())


def zipped(links: dict[str, str], **files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
        for name, target in links.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o120777 << 16
            archive.writestr(entry, target)
    return data.getvalue()


@pytest.mark.parametrize("running", [True, False])
def test_links_are_what_they_point_to(drive_lab: Lab, running: bool) -> None:
    name = f"links-{running}".lower()
    links = {"l": "f", "ld": "d", "d/up": "../f", "far": "d/up"}
    status, answer = drive_lab.call(
        "PUT", f"project/{name}/archive?language=python", zipped(links, f="text", d__g="inner")
    )
    assert status == 201, answer
    if running:
        drive_lab.start_repl(name)
    rows = {row["name"]: row["type"] for row in call(drive_lab, "GET", name)[1]["content"]}
    assert rows == {"f": "file", "l": "file", "d": "directory", "ld": "directory", "far": "file"}
    assert names(drive_lab, f"{name}/ld") == ["g", "up"]
    assert call(drive_lab, "GET", f"{name}/ld")[1]["content"][0]["path"].startswith(f"{name}/ld/")
    for path in ("l", "ld/up", "d/up", "far"):
        assert call(drive_lab, "GET", f"{name}/{path}")[1]["content"] == "text", path
    save(drive_lab, f"{name}/far", "changed")
    assert call(drive_lab, "GET", f"{name}/f")[1]["content"] == "changed"
    save(drive_lab, f"{name}/ld/new", "new")
    assert names(drive_lab, f"{name}/d") == ["g", "new", "up"]
    assert call(drive_lab, "PATCH", f"{name}/l", {"path": f"{name}/m"})[0] == 200
    assert call(drive_lab, "GET", f"{name}/m")[1]["content"] == "changed"
    assert call(drive_lab, "DELETE", f"{name}/m")[0] == 204
    assert names(drive_lab, name) == ["d", "f", "far", "ld"]


@pytest.mark.parametrize("verb", ["save", "notebook", "rename", "checkpoint", "below a file"])
def test_an_error_says_no_place_of_this_machine(drive_lab: Lab, project: str, verb: str) -> None:
    save(drive_lab, f"{project}/there.txt", "x")
    text = {"type": "file", "format": "text", "content": "x"}
    status, answer = {
        "save": lambda: call(drive_lab, "PUT", f"{project}/none/a.txt", text),
        "notebook": lambda: call(
            drive_lab, "PUT", f"{project}/none/a.ipynb", {"type": "notebook", "format": "json", "content": NOTEBOOK}
        ),
        "rename": lambda: call(drive_lab, "PATCH", f"{project}/there.txt", {"path": f"{project}/none/there.txt"}),
        "checkpoint": lambda: call(drive_lab, "POST", f"{project}/none/a.txt/checkpoints"),
        "below a file": lambda: call(drive_lab, "PUT", f"{project}/there.txt/a.txt", text),
    }[verb]()
    assert str(drive_lab.home) not in json.dumps(answer if isinstance(answer, dict) else answer.decode())
    is_directory = drive_lab.home.name == "home" and not isinstance(drive_lab, S3Lab)
    assert status in ((404,) if is_directory and verb in ("save", "notebook") else range(200, 500))


class Slow(Files):
    """Files that want one of the loop's usual threads, as a name to resolve does."""

    async def rows(self, folder: str) -> list[Row]:
        await asyncio.to_thread(time.sleep, 0.05)
        return [Row("main.py", is_folder=False)]

    async def read(self, path: str) -> bytes:
        raise NotImplementedError

    write = make_folder = move = delete = read  # type: ignore[assignment]


def test_many_listings_at_once_leave_the_usual_threads_alone() -> None:
    @asynccontextmanager
    async def open_files(_: ProjectRef) -> AsyncIterator[Files]:
        yield Slow()

    async def check() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        threads = ThreadPoolExecutor(THREADS)
        drive = S3Drive(projects=list, ref_of=lambda name: ProjectRef("", name), open_files=open_files, threads=threads)
        async with asyncio.timeout(20):
            found = await asyncio.gather(*(drive.get("abc/", content=True) for _ in range(40)))
        assert all([row["name"] for row in model["content"]] == ["main.py"] for model in found)

    asyncio.run(check())
