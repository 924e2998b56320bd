"""Objects that other programs have made: whatever they are called and say, they hold up nothing."""

from collections.abc import Callable

import pytest
from support.faults import FaultyProxy
from support.lab import wait_for
from support.s3 import S3Server
from support.syncing import REF, Sync, names, objects, put

from jupyter_repl_runner.store.s3 import S3Store

pytestmark = pytest.mark.process
Make = Callable[..., Sync]

NAMES = ["back\\slash", "new\nline", "con\x01trol", "d/tab\there", ".jupyter-repl-raw-zz", ".jupyter-repl-raw-61"]
TIMES = ["nan", "inf", "-1", "1700000000000", "yesterday"]


def put_raw(server: S3Server, store: S3Store, name: str, data: bytes, **metadata: str) -> None:
    """As another program does it: the name is as it is."""
    key = store.settings.prefix + REF.code() + name
    server.client().put_object(Bucket=store.settings.bucket, Key=key, Body=data, Metadata=metadata)


def test_names_and_times_of_other_programs(make: Make, store: S3Store, server: S3Server) -> None:
    put(store, f=b"ours")
    for name in NAMES:
        put_raw(server, store, name, name.encode())
    for number, mtime in enumerate(TIMES):
        put_raw(server, store, f"time{number}", b"t", mtime=mtime, mode="99z")
    sync = make(main="").start().opened().settled()
    files = {path.relative_to(sync.project).as_posix() for path in sync.project.rglob("*") if path.is_file()}
    assert files == {"f", *NAMES, *(f"time{number}" for number in range(len(TIMES)))}
    assert not sync.marks.reports
    (sync.project / "back\\slash").write_text("changed")
    (sync.project / "new\nline").unlink()
    sync.settled()
    wait_for(lambda: objects(store).get("back\\slash") == b"changed" and "new\nline" not in names(store), 10)
    assert sync.stop() == 0
    listed = server.client().list_objects_v2(Bucket=store.settings.bucket, Prefix=store.settings.prefix + REF.code())
    listed_names = {item["Key"].removeprefix(store.settings.prefix + REF.code()) for item in listed["Contents"]}
    assert listed_names == files - {"new\nline"}, "they are saved under the names that they had"


def test_one_that_cannot_be_had_is_reported_and_the_rest_is_there(
    make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy
) -> None:
    put(store, a=b"1", b=b"2", c=b"3", d=b"4")
    proxy.refused = {"b": (403, "InvalidObjectState"), "c": (403, "AccessDenied"), "d": (404, "NoSuchKey")}
    sync = make(main="", store=faulty).start().opened().settled()
    assert [path.name for path in sync.project.iterdir()] == ["a"]
    assert {path for path, _ in sync.marks.reports} == {"b", "c", "d"}
    assert all("can't be restored" in reason for _, reason in sync.marks.reports)
    (sync.project / "e").write_text("5")
    sync.settled()
    (sync.project / "a").unlink()
    wait_for(lambda: names(store) == {"b", "c", "d", "e"}, 10)
    assert sync.stop() == 0
    assert names(store) == {"b", "c", "d", "e"}
    proxy.refused = {}
    again = make(volume=sync.volume, main="", store=faulty).start().opened().settled()
    assert {path.name for path in again.project.iterdir()} == {"b", "c", "d", "e"}
    assert not again.marks.reports
