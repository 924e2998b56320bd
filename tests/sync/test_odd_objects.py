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
    put(store, a=b"1", b=b"2", c=b"3", d=b"4", k=b"6")
    proxy.refused = {
        "b": (403, "InvalidObjectState"),
        "c": (403, "AccessDenied"),
        "d": (404, "NoSuchKey"),
        "k": (400, "KMS.DisabledException"),
    }
    sync = make(main="", store=faulty).start().opened().settled()
    assert [path.name for path in sync.project.iterdir()] == ["a"]
    assert {path for path, _ in sync.marks.reports} == {"b", "c", "d", "k"}
    assert all("can't be restored" in reason for _, reason in sync.marks.reports)
    (sync.project / "e").write_text("5")
    sync.settled()
    (sync.project / "a").unlink()
    wait_for(lambda: names(store) == {"b", "c", "d", "e", "k"}, 10)
    assert sync.stop() == 0
    assert names(store) == {"b", "c", "d", "e", "k"}
    proxy.refused = {}
    again = make(volume=sync.volume, main="", store=faulty).start().opened().settled()
    assert {path.name for path in again.project.iterdir()} == {"b", "c", "d", "e", "k"}
    assert not again.marks.reports


@pytest.mark.parametrize(
    "said",
    [(403, "AccessDenied"), (400, "XMinioInvalidObjectName"), (403, "InvalidObjectState")],
    ids=lambda said: str(said[1]),
)
def test_one_that_is_not_taken_is_reported_and_holds_up_no_other(
    make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy, said: tuple[int, str]
) -> None:
    """By a rule of the bucket, say. Nor does one whose copy for the trash is refused: it stays where it is."""
    put(store, old=b"1", gone=b"2")
    sync = make(main="", store=faulty).start().opened().settled()
    proxy.refused_writes = {"odd": said, "/old": said}
    (sync.project / "odd").write_text("small, so it is the first to go")
    (sync.project / "larger").write_text("x" * 10_000)
    (sync.project / "link").symlink_to("larger")
    for name in ("old", "gone"):
        (sync.project / name).unlink()
    wait_for(lambda: names(store) == {"old", "larger"}, 10)
    wait_for(lambda: {path for path, _ in sync.marks.reports} == {"old", "odd"}, 10)
    assert sync.settled().marks.state == "saved"
    proxy.refused_writes = {}
    (sync.project / "odd").write_text("again")
    wait_for(lambda: names(store) == {"old", "larger", "odd"} and {p for p, _ in sync.marks.reports} == {"old"}, 10)
    assert sync.stop() == 0
    assert names(store) == {"larger", "odd"}, "the last look tries all of it once more"


def test_a_store_that_takes_nothing_is_away(make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy) -> None:
    sync = make(main="", store=faulty).start().opened().settled()
    proxy.refused_writes = {"": (403, "AccessDenied")}
    (sync.project / "a").write_text("1")
    wait_for(lambda: sync.marks.state == "away", 10)
    assert "does not allow" in sync.marks.reason
    assert not sync.marks.reports
    proxy.refused_writes = {}
    wait_for(lambda: names(store) == {"a"}, 20)
    assert sync.settled().stop() == 0
