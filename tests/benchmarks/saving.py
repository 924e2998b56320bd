"""Files into S3 and back, beside rclone and boto3, which get a list of what to do: MinIO, on a machine of its own."""

import asyncio
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from support import checker
from support.s3 import SERVERS, S3Server
from support.syncing import REF, Sync

from jupyter_repl_runner.store.generation import Generation, raise_generation
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.store.s3_client import THREADS
from jupyter_repl_runner.sync.async_volume import AsyncVolume
from jupyter_repl_runner.sync.bundling import Bundler
from jupyter_repl_runner.sync.download import Downloader
from jupyter_repl_runner.sync.fence import Fence
from jupyter_repl_runner.sync.meeting import Meeting
from jupyter_repl_runner.sync.push import Push
from jupyter_repl_runner.sync.sides import Sides
from jupyter_repl_runner.sync.status import Status
from jupyter_repl_runner.sync.upload import Uploader
from jupyter_repl_runner.sync.volume import Place, Volume

from .table import Row

REPEATS = 5
SAVES = 40
MANY, FEW, DIRTY, STORM = 5000, 20, 200, 20_000
SIZE = 4000
DEBOUNCE_SECONDS = 0.3
IDLE_SECONDS = 65.0
"""With one look at all of the project."""

CALM_SECONDS = 40.0
"""For which ext4 does not take inodes that were freed, and looks long for others; nothing is removed before the end."""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        server = SERVERS["minio"](Path(name) / "minio" / "data").start()
        os.environ.update(server.environment)  # for rclone
        try:
            return [*_saves(Path(name), server), *_restores(Path(name), server), *_storm(Path(name), server)]
        finally:
            server.stop()


def _saves(folder: Path, server: S3Server) -> list[Row]:
    sync = Sync(folder / "saves", server.store("saves/"), main="f0").start().opened().settled()
    took, puts, flushes = [], [], []
    client, key = server.client(), f"saves/{REF.code('saved')}"
    for number in range(SAVES):
        text = f"{number:05}".encode()
        begun = time.perf_counter()
        client.put_object(Bucket=server.bucket, Key="saves/peer", Body=text)
        puts.append(time.perf_counter() - begun)
        begun = time.time()
        (sync.project / "saved").write_bytes(text)
        _until(lambda text=text: dict(sync.marks.uploaded).get("saved") == hashlib.sha256(text).hexdigest())
        took.append(sync.marks.when - begun)
        assert client.get_object(Bucket=server.bucket, Key=key)["Body"].read() == text
    sync.settled()
    time.sleep(60)  # the looks that follow a start are over
    idle = [_idle(sync)]
    for repeat in range(REPEATS):
        _fill(sync.project, DIRTY, salt=repeat + 1)
        begun = time.perf_counter()
        assert sync.stop() == 0
        flushes.append(time.perf_counter() - begun)
        sync.start().opened().settled()
    sync.stop()
    put = statistics.median(puts)
    return [
        Row("A save, until S3 has it", "s", took),
        Row("The slowest of twenty", "s", [statistics.quantiles(took, n=20)[-1]], DEBOUNCE_SECONDS + 3 * put),
        Row("A PUT by boto3", "s", puts),
        Row(f"SIGTERM with {DIRTY} files that are not saved yet, until all are", "s", flushes, 5.0),
        Row("Sync's CPU with nothing to do, of a core", "%", idle, 0.1),
    ]


def _restores(folder: Path, server: S3Server) -> list[Row]:
    rows = []
    for count in (FEW, MANY):
        store = server.store(f"restore-{count}/")
        source = Sync(folder / f"source-{count}", store, main="f0").start().opened().settled()
        _fill(source.project, count)
        source.settled(300)
        assert source.stop() == 0
        time.sleep(CALM_SECONDS)
        place = f"B:{server.bucket}/{store.settings.prefix}{REF.code()}"
        found: dict[str, list[float]] = {}
        for repeat in range(REPEATS):
            target = folder / f"target-{count}-{repeat}"
            for name, values in {
                "start": list(_restore(target / "start", store)),
                "here": [_restore_here(target / "here", store)],
                "boto3": [_boto3(server, store, target / "boto3")],
                "rclone": [_rclone(server, place, str(target / "rclone"))],
            }.items():
                found.setdefault(name, []).append(values[-1])
                if name == "start":
                    found.setdefault("opened", []).append(values[0])
            for name in ("start/volume/project", "here/project", "boto3", "rclone"):
                assert len(list((target / name).iterdir())) == count, name
        store.close()
        peers = min(statistics.median(found["boto3"]), statistics.median(found["rclone"]))
        target_seconds = 0.06 if count == FEW else peers
        rows += [
            Row(
                f"{count} files of 4 kB into an empty volume, in a process that runs",
                "s",
                found["here"],
                target_seconds,
            ),
            Row(f"boto3 with {THREADS} threads brings them", "s", found["boto3"]),
            Row(f"rclone {_version(server)} copies them, with its start", "s", found["rclone"]),
            Row("Sync from its start until the main file is there", "s", found["opened"]),
            Row("Sync from its start until all of them are", "s", found["start"]),
        ]
    return rows


def _storm(folder: Path, server: S3Server) -> list[Row]:
    """Files made at once by another process, in folders that are made with them."""
    sync = Sync(folder / "storm", server.store("storm/"), main="").start().opened().settled()
    process = psutil.Process(sync.pid)
    before = sum(process.cpu_times()[:2])
    program = (
        "import os, sys\n"
        "for n in range(int(sys.argv[1])):\n"
        "    n % 100 or os.mkdir(f'd{n // 100}')\n"
        "    open(f'd{n // 100}/{n}', 'w').write(f'{n:>400}')\n"
    )
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(STORM)], cwd=sync.project, check=True)
    sync.settled(600)
    took = time.perf_counter() - begun
    spent = sum(process.cpu_times()[:2]) - before
    client, sizes = server.client(), {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=server.bucket, Prefix=f"storm/{REF.code()}"):
        sizes |= {item["Key"]: item["Size"] for item in page.get("Contents", ())}
    lost = STORM - sum(size == 400 for size in sizes.values())
    sync.stop()
    return [
        Row(f"A storm of {STORM} files: lost", "", [lost], 0.0),
        Row("Until S3 has them all", "s", [took]),
        Row("CPU of sync for each", "ms", [spent / STORM * 1000]),
    ]


def _fill(folder: Path, count: int, salt: int = 0) -> None:
    for number in range(count):
        (folder / f"f{number}").write_bytes(f"{salt}-{number}".encode().ljust(SIZE, b"."))


def _restore(folder: Path, store: S3Store) -> tuple[float, float]:
    """Seconds until the main file is there, and until all is."""
    begun = time.perf_counter()
    sync = Sync(folder, store, main="f0").start().opened()
    opened = time.perf_counter() - begun
    _until(lambda: sync.marks.files == sync.marks.total_files > 0)
    whole = time.perf_counter() - begun
    _until(lambda: sync.marks.state == "saved")
    sync.stop()
    return opened, whole


class _Clock(Status):
    """Notes when all files were there. That they are safe on the disk, which is what sync waits for before it believes
    in deletions, is not among what the peers do."""

    whole = 0.0

    def tell(self, *arguments: Any, **fields: Any) -> None:
        super().tell(*arguments, **fields)
        if self.marks.files == self.marks.total_files > 0:
            self.whole = self.whole or time.perf_counter()


def _restore_here(folder: Path, store: S3Store) -> float:
    """Seconds of the comparison alone, in this process, whose client of S3 is warm."""

    async def restore() -> float:
        generation = await raise_generation(store, REF)
        place = Place(folder / "project", folder / "trash", folder, folder)
        volume = Volume(place, {"ref": str(REF)})
        fence = Fence(store, REF, Generation(generation.number, generation.holder))
        sides = Sides(REF, store, AsyncVolume(volume), fence, status := _Clock(folder / "marks.json"))
        uploader, bundler = Uploader(sides, 1 << 29), Bundler(sides, "f0")
        meeting = Meeting(sides, uploader, Push(sides, uploader), Downloader(sides, "f0"), bundler)
        begun = time.perf_counter()
        await meeting.meet(lambda: None)
        volume.close()
        return status.whole - begun

    folder.mkdir(parents=True)
    return asyncio.run(restore())


def _boto3(server: S3Server, store: S3Store, folder: Path) -> float:
    """As a script would: list, and download with as many threads as we have; the client is made before."""
    client, prefix = server.client(), store.settings.prefix + REF.code()
    folder.mkdir()
    client.list_buckets()

    def download(key: str) -> None:
        body: Any = client.get_object(Bucket=server.bucket, Key=key)["Body"]
        (folder / key.removeprefix(prefix)).write_bytes(body.read())

    def keys() -> Iterator[str]:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=server.bucket, Prefix=prefix):
            yield from (item["Key"] for item in page.get("Contents", ()))

    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(download, keys()))
    return time.perf_counter() - begun


def _rclone(server: S3Server, source: str, target: str) -> float:
    begun = time.perf_counter()
    checker.rclone(server.endpoint, "copy", source, target, "--transfers", "16", "--checkers", "16")
    return time.perf_counter() - begun


def _version(server: S3Server) -> str:
    return checker.rclone(server.endpoint, "version").split()[1]


def _idle(sync: Sync) -> float:
    process = psutil.Process(sync.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE_SECONDS)
    return (sum(process.cpu_times()[:2]) - before) / IDLE_SECONDS * 100


def _until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.005)
