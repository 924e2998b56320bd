"""Sync's pure parts: what is to be done, in which order, and when."""

import timeit
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jupyter_repl_runner.store.manifest import Manifest
from jupyter_repl_runner.sync.found import Found, Row
from jupyter_repl_runner.sync.index import Index
from jupyter_repl_runner.sync.plan import build_manifest, conflict_name, first_of, plan_meeting, plan_push
from jupyter_repl_runner.sync.queue import LONGEST_SECONDS, MOST_PATHS, QUIET_SECONDS, Queue


def file(path: str, version: int = 1) -> Found:
    return Found(path, "file", 0o644, size=version, mtime_ns=version, ctime_ns=version, inode=version)


def row(path: str, version: int = 1) -> Row:
    return Row(file(path, version), tag=f"t{version}", hash=f"h{version}")


def test_a_push_sends_what_changed_and_nothing_else() -> None:
    found = {"new": file("new"), "changed": file("changed", 2), "same": file("same"), "d": Found("d", "folder", 0o755)}
    base = {"changed": row("changed"), "same": row("same"), "gone": row("gone"), "l": Row(Found("l", "link"))}
    plan = plan_push(found, base)
    assert (plan.uploads, plan.trash, plan.agreed, plan.forgotten) == (["changed", "new"], ["gone"], ["d"], ["l"])


def test_a_file_whose_place_a_folder_takes_goes_first() -> None:
    assert first_of(["fd", "other", "d/x", "d/y/z", "dd"], ["fd/x", "d", "new"]) == ["fd", "d/x", "d/y/z"]


VERSIONS = st.one_of(st.none(), st.integers(1, 3))


@given(VERSIONS, VERSIONS, VERSIONS)
def test_a_meeting_loses_nobodys_change(here: int | None, agreed: int | None, there: int | None) -> None:
    """All that can be of one file: version here, version last agreed on, version in the store."""
    plan = plan_meeting(
        {"f": file("f", here)} if here else {},
        {"f": row("f", agreed)} if agreed else {},
        {"f": f"t{there}"} if there else {},
        Manifest(),
    )
    changed_here, changed_there = here != agreed, there != agreed
    expected = {name: ["f"] if name == _verb(here, there, changed_here, changed_there) else [] for name in vars(plan)}
    assert vars(plan) == expected


def _verb(here: int | None, there: int | None, changed_here: bool, changed_there: bool) -> str:
    if changed_here and changed_there:
        if here and there:
            return "conflicts"
        return "uploads" if here else "downloads" if there else "forgotten"
    if changed_here:
        return "uploads" if here else "trash"
    if changed_there:
        return "downloads" if there else "removals"
    return ""


def test_an_empty_volume_takes_all_and_gives_nothing() -> None:
    remote = {f"f{n}": "t1" for n in range(9)}
    plan = plan_meeting({}, {}, remote, Manifest({"l": "f1"}, {"d": 0o700}))
    assert (len(plan.downloads), plan.trash, plan.uploads, plan.forgotten) == (11, [], [], [])


def test_an_earlier_runners_last_deed_is_put_right() -> None:
    found: dict[str, Any] = {name: file(name) for name in ("deleted", "overwritten", "same")}
    base = {name: row(name) for name in found}
    remote = {"overwritten": "t9", "same": "t1", "made": "t9"}
    plan = plan_meeting(found, base, remote, Manifest(), is_ours=True)
    assert (plan.conflicts, plan.downloads, plan.removals) == (["deleted", "overwritten"], ["made"], [])


def test_the_manifest_tells_what_objects_cannot() -> None:
    rows = [Row(Found(path, "folder", mode)) for path, mode in (("a", 0o755), ("p", 0o700), ("e", 0o755))]
    manifest = build_manifest([*rows, Row(Found("l", "link", target="a/f"))], {"", "a"}, ["node_modules"])
    assert manifest == Manifest({"l": "a/f"}, {"e": 0o755, "p": 0o700}, ("node_modules",))
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_names_of_other_versions() -> None:
    assert conflict_name("d/a.tar.gz", []) == "d/a.tar (other version).gz"
    assert conflict_name(".env", [".env (other version)"]) == ".env (other version 2)"


def test_a_path_waits_until_it_is_quiet_but_not_for_ever() -> None:
    queue = Queue()
    queue.note(0.0, paths={"a"})
    assert not queue.take(QUIET_SECONDS - 0.01)
    assert queue.take(QUIET_SECONDS).paths == {"a"}
    assert not queue
    now = 10.0
    while now < 10.0 + LONGEST_SECONDS:
        queue.note(now, paths={"busy"}, folders={"d"})
        assert not queue.take(now)
        now += 0.1
    assert (queue.take(now).paths, queue.take(now).folders) in [({"busy"}, set()), ({"busy"}, {"d"})]


def test_so_many_paths_are_all_of_it() -> None:
    queue = Queue()
    queue.note(0.0, paths={str(n) for n in range(MOST_PATHS + 1)})
    assert queue.take(LONGEST_SECONDS).everything
    assert not queue


def test_what_lies_right_in_a_folder_costs_no_look_at_the_rest(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db", {})
    files = [Row(Found(f"d{n % 100}/f{n}", "file", size=n), "tag", "hash") for n in range(20_000)]
    index.change([*files, *(Row(Found(f"d{n}", "folder", 0o755)) for n in range(100)), Row(Found("l", "link"))])
    assert index.children("") == {"l", *(f"d{n}" for n in range(100))}
    assert index.children("d7") == {f"d7/f{n}" for n in range(7, 20_000, 100)}
    rows, counts = index.structure()
    assert len(rows) == 101
    assert (counts[""], counts["d7"]) == (101, 200)
    assert [row.found.size for row in index.small_files(2500)] == list(range(2501))
    assert (
        min(timeit.repeat(lambda: index.children(""), number=1))
        < min(timeit.repeat(lambda: index.all(), number=1, repeat=3)) / 20
    )
    index.close()
