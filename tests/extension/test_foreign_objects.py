"""Small objects of ours that something else has written, huge or nonsense: refused in words, in little memory."""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.projects.records import Project
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.refs import ProjectRef, template_prefix
from jupyter_repl_runner.contract.settings import TEMPLATE_FILE
from jupyter_repl_runner.store.bundle import _MAGIC as MAGIC
from jupyter_repl_runner.store.bundle import read_bundle, read_members
from jupyter_repl_runner.store.checkout import read_manifest
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.generation import raise_generation, read_generation
from jupyter_repl_runner.store.port import Blob, Store
from jupyter_repl_runner.store.s3_errors import Refused
from jupyter_repl_runner.store.trash import ITEM_FILE, StoreTrash

REF = ProjectRef("", "abc")
ITEM = f"{REF.trash}{'0' * 16}/{ITEM_FILE}"
TEMPLATE = f"{template_prefix('python')}{TEMPLATE_FILE}"
HUGE, ALLOWED = 400 << 20, 160 << 20
NONSENSE = {"cut": "[1", "a number": "7", "a list": "[]", "none of its fields": "{}", "deep": "[" * 100_000}


def catalog(store: Store) -> Catalog:
    return Catalog(store, lambda program: True)


READERS: dict[str, tuple[str, Callable[[Store], Awaitable[Any]]]] = {
    "record": (REF.meta, lambda store: Projects(store, catalog(store)).get(REF)),
    "template": (TEMPLATE, lambda store: catalog(store).get("python")),
    "generation": (REF.generation, lambda store: read_generation(store, REF)),
    "next generation": (REF.generation, lambda store: raise_generation(store, REF)),
    "manifest": (REF.manifest, lambda store: read_manifest(store, REF)),
    "item": (ITEM, lambda store: StoreTrash(store, REF).get("0" * 16)),
}
"""Their keys, and what reads them and can't do without."""
LENIENT: dict[str, tuple[str, Callable[[Store], Awaitable[Any]]]] = {
    "bundle": (REF.bundle, lambda store: read_bundle(store, REF)),
    "members": (REF.bundle, lambda store: read_members(store, REF)),
    "items": (ITEM, lambda store: StoreTrash(store, REF).list()),
    "records": (REF.meta, lambda store: Projects(store, catalog(store)).list("")),
}
"""What reads them where they are one of many, or may be missing."""


@contextmanager
def little_memory() -> Iterator[None]:
    """The peak of resident memory grows by no more than ALLOWED."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak()
    yield
    assert peak() - before < ALLOWED


def peak() -> int:
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) << 10


def planted(root: Path, key: str, text: str | None) -> Store:
    """A store with that object; no text: a huge one."""
    store = DirectoryStore(root)
    asyncio.run(catalog(store).publish())
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or "")
    if text is None:
        os.truncate(path, HUGE)
    return store


@pytest.mark.parametrize("text", [None, *NONSENSE.values()], ids=["huge", *NONSENSE])
@pytest.mark.parametrize("kind", READERS)
def test_what_is_needed_is_refused_in_words(tmp_path: Path, kind: str, text: str | None) -> None:
    key, read = READERS[kind]
    store = planted(tmp_path, key, text)
    with little_memory(), pytest.raises(ReplError) as refused:
        asyncio.run(as_coroutine(read(store)))
    assert refused.value.message


@pytest.mark.parametrize("text", [None, *NONSENSE.values()], ids=["huge", *NONSENSE])
@pytest.mark.parametrize("kind", LENIENT)
def test_what_is_one_of_many_is_left_out(tmp_path: Path, kind: str, text: str | None) -> None:
    key, read = LENIENT[kind]
    store = planted(tmp_path, key, text)
    with little_memory():
        assert not asyncio.run(as_coroutine(read(store)))


RECORD = {"language": "python", "title": "t", "created": "2026-11-28T00:00:00+00:00", "state": "ready"}
MEMBER = ["main.py", 1, 0o644, 1.0, "digest", "tag", 1.0]
TYPED: list[tuple[str, object]] = [
    *(("records", {**RECORD, **wrong}) for wrong in ({"created": 7}, {"created": "yesterday"}, {"worker": 5})),
    *(("records", {**RECORD, **wrong}) for wrong in ({"beat": "1"}, {"state": ["ready"]}, {"title": None})),
    *(("items", item) for item in ({"paths": 5}, {"paths": [5]}, {"paths": [], "links": ["a"]}, {"paths": ["../a"]})),
    *(("items", {"paths": [], **rest}) for rest in ({"links": {"a": "\0"}}, {"folders": {"a": 1e9}})),
    *(
        ("members", [[*MEMBER[:place], wrong, *MEMBER[place + 1 :]]])
        for place, wrong in enumerate([["a"], -1, 1 << 40])
    ),
    *(("members", [[*MEMBER[:3], wrong, *MEMBER[4:]]]) for wrong in ("now", 1e300, float("nan"))),
]
"""What is JSON, and has the right fields, with values that no field of ours has."""


@pytest.mark.parametrize(("kind", "said"), TYPED, ids=lambda value: json.dumps(value)[:60])
def test_values_that_nobody_of_us_writes_are_left_out_too(tmp_path: Path, kind: str, said: object) -> None:
    key, read = LENIENT[kind]
    head = json.dumps(said).encode()
    store = planted(tmp_path, key, "")
    (tmp_path / key).write_bytes(MAGIC + len(head).to_bytes(8, "big") + head if kind == "members" else head)
    assert not asyncio.run(as_coroutine(read(store)))


def test_links_and_modes_that_no_disk_has_are_left_out(tmp_path: Path) -> None:
    """The rest of the manifest is used: it may be what somebody restores."""
    links = {"a": "main.py", "b": "x\0y", "../c": "d", "e": "\ud800", "f": "x" * 5000}
    manifest = {"links": links, "folders": {"d": "700", "e": "7" * 14, "f": "-1", "/g": "755"}, "leftOut": [5, "v"]}
    found, _ = asyncio.run(read_manifest(planted(tmp_path, REF.manifest, json.dumps(manifest)), REF))
    assert (found.links, found.folders, found.left_out) == ({"a": "main.py"}, {"d": 0o700}, ("v",))


@pytest.mark.parametrize("kind", ["a link", "a folder"])
def test_a_record_that_cannot_be_read_hides_no_project_and_is_not_hidden(tmp_path: Path, kind: str) -> None:
    """An error is not an absence: the project is there, and the list says why it can't be used."""
    store = planted(tmp_path, REF.meta, json.dumps(RECORD))
    other = ProjectRef("", "other")
    if kind == "a link":
        (tmp_path / other.meta).symlink_to("/etc/hostname")
    else:
        (tmp_path / other.meta).mkdir()
    found = asyncio.run(Projects(store, catalog(store)).list(""))
    refusals = {project.ref: project.refusal for project in found}
    assert refusals.pop(REF) is None
    assert [ref for ref, refusal in refusals.items() if refusal] == ([other] if kind == "a link" else [])


class Refusing(DirectoryStore):
    """Gives no object whose key has a word in it, as S3 does with one whose key of encryption was disabled."""

    def __init__(self, root: Path, word: str) -> None:
        super().__init__(root)
        self.word = word

    async def get(self, key: str) -> Blob:
        if self.word in key:
            raise Refused(f"{key} is encrypted with a disabled key.")
        return await super().get(key)

    async def delete(self, key: str, **conditions: Any) -> None:
        if self.word in key:
            raise Refused(f"{key} is held.")
        await super().delete(key, **conditions)


def test_an_object_that_is_refused_is_one_of_many(tmp_path: Path) -> None:
    planted(tmp_path, REF.meta, json.dumps(RECORD))
    planted(tmp_path, ITEM, json.dumps({"paths": ["a"]}))
    other, half = ProjectRef("", "refused"), ProjectRef("", "half-refused-files")
    planted(tmp_path, other.meta, json.dumps(RECORD))
    planted(tmp_path, f"{REF.trash}{'1' * 16}/{ITEM_FILE}", json.dumps({"paths": ["b"]}))
    planted(tmp_path, half.meta, json.dumps({**RECORD, "state": "deleting", "worker": "dead"}))
    store = Refusing(tmp_path, "meta/refused")
    refusals = {project.ref: project.refusal for project in listed(store)}
    assert refusals[other] is not None
    assert refusals[REF] is None
    store.word = "code/half-refused-files"
    assert {project.ref for project in listed(store)} >= {REF, other}
    store.word = "1" * 16
    assert [item.paths for _, _, item in asyncio.run(StoreTrash(store, REF).list())] == [["a"]]


def listed(store: Store) -> list[Project]:
    return asyncio.run(Projects(store, catalog(store)).list(""))


async def as_coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
