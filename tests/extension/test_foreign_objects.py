"""Small objects of ours that something else has written, huge or nonsense: told in words, in little memory."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.refs import ProjectRef, template_prefix
from jupyter_repl_runner.contract.settings import TEMPLATE_FILE
from jupyter_repl_runner.store.bundle import read_bundle, read_members
from jupyter_repl_runner.store.checkout import read_manifest
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.generation import raise_generation, read_generation
from jupyter_repl_runner.store.port import Store
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


async def as_coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
