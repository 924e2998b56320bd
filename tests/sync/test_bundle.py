"""The small files in one object beside the objects: it saves requests, and is never believed against them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.faults import FaultyProxy
from support.lab import wait_for
from support.syncing import ANY_SIZE, REF, Sync, put, tree

from jupyter_repl_runner.store.bundle import Bundle, Member, dump
from jupyter_repl_runner.store.port import Entry, read_all
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.sync.bundling import within_limits
from jupyter_repl_runner.sync.found import Found, Row

Make = Callable[..., Sync]
COUNT = 60


@pytest.fixture
def saved(make: Make, store: S3Store) -> Sync:
    """A project of COUNT files and an odd one, which was stopped."""
    sync = make("saved", main="f1").start().opened()
    for number in range(COUNT):
        (sync.project / f"f{number}").write_text(f"file {number}")
    (sync.project / "f3").chmod(0o700)
    (sync.project / "large").write_bytes(bytes(200_000))
    (sync.project / "gone").write_text("a secret")
    sync.settled()
    (sync.project / "gone").unlink()
    assert sync.stop() == 0
    return sync


def read_raw(store: S3Store) -> bytes:
    return asyncio.run(read_all(store, REF.bundle, ANY_SIZE))[0]


def test_a_restore_asks_for_few_objects(make: Make, saved: Sync, faulty: S3Store, proxy: FaultyProxy) -> None:
    again = make("again", store=faulty, main="f1").start().opened().settled()
    assert tree(again.project) == tree(saved.project)
    code = [uri for method, uri in proxy.requests if method == "GET" and f"/{REF.code()}" in uri]
    assert sorted(uri.rpartition("/")[2] for uri in code) == [".repl.toml", "f1", "large"]  # the main file at once


def test_what_was_deleted_is_not_kept_in_it(saved: Sync, store: S3Store) -> None:
    raw = read_raw(store)
    assert b"file 7" in raw
    assert b"a secret" not in raw


def test_it_is_renewed_when_it_is_quiet(make: Make, store: S3Store) -> None:
    sync = make(main="").start().opened()
    (sync.project / "a").write_text("the first text")
    wait_for(lambda: asyncio.run(store.head(REF.bundle)), 15)
    assert b"the first text" in read_raw(store)
    (sync.project / "a").write_text("the second text")
    wait_for(lambda: b"the second text" in read_raw(store), 15)


@pytest.mark.process
def test_a_start_with_all_files_here_does_not_write_it_anew(make: Make, saved: Sync, store: S3Store) -> None:
    for number in range(4):
        (saved.project / f"more{number}").write_bytes(bytes(120_000))  # so that one file is not worth a new one
    turn = 0
    while b"more3" not in (raw := read_raw(store)) or b"more0" not in raw:  # one made half-way has a part of them
        (saved.project / "f6").write_text(f"changed {turn}")
        assert make(f"again-{turn}", volume=saved.volume, main="f1").start().opened().settled().stop() == 0
        turn += 1
    before = asyncio.run(store.head(REF.bundle))
    third = make("third", volume=saved.volume, main="f1").start().opened().settled()
    (third.project / "f5").write_text("changed")
    assert third.settled().stop() == 0
    assert asyncio.run(store.head(REF.bundle)) == before
    fourth = make("fourth", main="f1").start().opened().settled()
    assert tree(fourth.project) == tree(saved.project)


def test_objects_are_believed_and_not_the_bundle(make: Make, saved: Sync, store: S3Store) -> None:
    put(store, f1=b"by somebody else", new=b"new")
    asyncio.run(store.delete(REF.code("f2")))
    again = make("again", main="f1").start().opened().settled()
    assert (again.project / "f1").read_bytes() == b"by somebody else"
    assert (again.project / "new").read_bytes() == b"new"
    assert not (again.project / "f2").exists()
    assert (again.project / "f4").read_bytes() == b"file 4"
    assert len(list(again.project.iterdir())) == COUNT + 1  # one less, one more, and the large one


def damaged(raw: bytes) -> list[bytes]:
    head, length = raw.split(b"\n", 1)[0], len(raw)
    odd = raw.replace(b"file 7", b"evil 7")
    return [b"", b"rubbish", head + b"\n", raw[: length // 2], raw[:-1], raw + b"x", odd, raw.replace(b'"f7"', b'["7"')]


@pytest.mark.process  # eight restores of one parser
def test_a_damaged_one_costs_time_alone(make: Make, saved: Sync, store: S3Store) -> None:
    for way, raw in enumerate(damaged(read_raw(store))):
        asyncio.run(store.put(REF.bundle, raw))
        again = make(f"again{way}", main="f1").start().opened().settled()
        assert tree(again.project) == tree(saved.project), way
        again.kill()


def test_one_that_leads_elsewhere_leads_nowhere(make: Make, saved: Sync, store: S3Store) -> None:
    """A writer of the bundle can write the objects too, but not beside the project."""
    member = Member("../outside", 4, 0o644, 1.0, "x", "t", 1.0)
    asyncio.run(store.put(REF.bundle, dump([(member, b"evil")])))
    again = make("again", main="f1").start().opened().settled()
    assert tree(again.project) == tree(saved.project)
    assert not (again.volume / "outside").exists()


def test_a_hundred_thousand_empty_files_are_no_more_than_is_read_again() -> None:
    rows = (Row(Found(f"{'é' * 20}/{number}", "file"), "t" * 32, "0" * 64) for number in range(100_000))
    chosen = list(within_limits(rows))
    assert 50_000 < len(chosen) < 100_000
    members = (Member(r.found.path, 0, 0o644, 1_790_000_000.123, r.hash, r.tag, 1_790_000_000.456) for r in chosen)
    assert len(Bundle.load(dump((member, b"") for member in members)).members) == len(chosen)


PATHS = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20)
MEMBERS = st.lists(st.tuples(PATHS, st.binary(max_size=40), st.integers(0, 0o777), st.floats(0, 2e9)), max_size=9)


@given(MEMBERS)
def test_what_is_put_in_comes_out(files: list[tuple[str, bytes, int, float]]) -> None:
    from hashlib import sha256

    pairs = [
        (Member(f"{n}{path}", len(data), mode, mtime, sha256(data).hexdigest(), f"t{n}", mtime), data)
        for n, (path, data, mode, mtime) in enumerate(files)
    ]
    bundle = Bundle.load(dump(pairs))
    listed = {m.path: Entry(m.path, m.size, m.stored, tag=m.tag) for m, _ in pairs}
    assert [(member, bytes(data)) for member, data in bundle.confirmed(listed)] == pairs
    for change in ({"tag": "other"}, {"size": 99}, {"mtime": -1.0}):
        others = {path: replace(entry, **change) for path, entry in listed.items()}  # type: ignore[arg-type]
        assert list(bundle.confirmed(others)) == []
    assert json.dumps([member.path for member in bundle.members]) == json.dumps([m.path for m, _ in pairs])
