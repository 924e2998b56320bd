"""Files into S3 and back, beside rclone, which is told what to do: MinIO, one machine, nothing else going on."""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from support import checker
from support.s3 import SERVERS, S3Server
from support.syncing import REF, Sync

from .table import Row

REPEATS = 5
SAVES = 20
FILES = 1000
FEW = 20
SIZE = 4000
IDLE_SECONDS = 10.0


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        server = SERVERS["minio"](Path(name) / "minio" / "data").start()
        try:
            return _compare(Path(name), server)
        finally:
            server.stop()


def _compare(folder: Path, server: S3Server) -> list[Row]:
    found: dict[str, list[float]] = {}

    def note(what: str, value: float) -> None:
        found.setdefault(what, []).append(value)

    os.environ.update(server.environment)  # for rclone
    for repeat in range(REPEATS):
        place = folder / str(repeat)
        store = server.store(f"bench-{repeat}/")
        sync = Sync(place / "a", store, main="f0").start().opened().settled()
        try:
            for value in _saves(sync, server, store.settings.prefix):
                note("save", value)
            note("up", _up(sync, FILES))
            note("idle", _idle(sync))
        finally:
            sync.stop()
            store.close()
        note("rclone up", _rclone(server, str(sync.project), f"B:{server.bucket}/peer-{repeat}"))
        for what, count in (("few", FEW), ("many", FILES)):
            store = server.store(f"{what}-{repeat}/")
            _fill(server, f"bench-{repeat}/", store.settings.prefix, count)
            opened, whole = _restore(place / what, store)
            note(f"{what} opened", opened)
            note(f"{what} whole", whole)
            source = f"B:{server.bucket}/{store.settings.prefix}{REF.code()}"
            note(f"{what} rclone", _rclone(server, source, str(place / f"peer-{what}")))
            store.close()
        shutil.rmtree(place)
    rclone = checker.rclone(server.endpoint, "version").split()[1]
    return [
        Row("A save, until S3 has it", "s", found["save"], 2.0),
        Row(f"{FILES} files of 4 kB made at once, until S3 has them", "s", found["up"]),
        Row(f"rclone {rclone} copies them there", "s", found["rclone up"]),
        Row(f"A start with {FEW} files in S3 alone, until the main file is there", "s", found["few opened"]),
        Row("Until all of them are", "s", found["few whole"]),
        Row(f"rclone {rclone} copies them", "s", found["few rclone"]),
        Row(f"A start with {FILES} files in S3 alone, until the main file is there", "s", found["many opened"]),
        Row("Until all of them are there", "s", found["many whole"]),
        Row(f"rclone {rclone} copies all of them", "s", found["many rclone"]),
        Row("Sync's CPU with nothing to do, of a core", "%", found["idle"]),
    ]


def _saves(sync: Sync, server: S3Server, prefix: str) -> list[float]:
    client, took = server.client(), []
    key = f"{prefix}{REF.code('saved')}"
    for number in range(SAVES):
        text = f"{number:05}".encode()
        begun = time.perf_counter()
        (sync.project / "saved").write_bytes(text)
        _until(lambda text=text: _read(client, server.bucket, key) == text)
        took.append(time.perf_counter() - begun)
        time.sleep(0.05)
    return [statistics.median(took)]


def _up(sync: Sync, count: int) -> float:
    begun = time.perf_counter()
    for number in range(count):
        (sync.project / f"f{number}").write_bytes(bytes([number % 251]) * SIZE)
    _until(lambda: sync.marks.state == "saving")
    _until(lambda: sync.marks.state == "saved")
    return time.perf_counter() - begun


def _restore(folder: Path, store: object) -> tuple[float, float]:
    """Seconds until the main file is there, and until all is."""
    begun = time.perf_counter()
    sync = Sync(folder, store, main="f0").start().opened()  # type: ignore[arg-type]
    opened = time.perf_counter() - begun
    _until(lambda: sync.marks.state == "saved")
    whole = time.perf_counter() - begun
    sync.stop()
    return opened, whole


def _fill(server: S3Server, source: str, target: str, count: int) -> None:
    """Copy the first files of a project into another."""
    client = server.client()
    for number in range(count):
        origin = {"Bucket": server.bucket, "Key": f"{source}{REF.code(f'f{number}')}"}
        client.copy_object(Bucket=server.bucket, Key=f"{target}{REF.code(f'f{number}')}", CopySource=origin)


def _rclone(server: S3Server, source: str, target: str) -> float:
    begun = time.perf_counter()
    checker.rclone(server.endpoint, "copy", source, target, "--transfers", "16", "--checkers", "16")
    return time.perf_counter() - begun


def _idle(sync: Sync) -> float:
    process = psutil.Process(sync.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE_SECONDS)
    return (sum(process.cpu_times()[:2]) - before) / IDLE_SECONDS * 100


def _read(client: object, bucket: str, key: str) -> bytes:
    try:
        return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())  # type: ignore[attr-defined]
    except client.exceptions.NoSuchKey:  # type: ignore[attr-defined]
        return b""


def _until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.005)
