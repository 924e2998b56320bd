"""What the server does with projects in a store: making one, and showing a folder of one in the drive."""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from s3contents import S3ContentsManager
from support.s3 import KEY, SECRET, SERVERS, S3Server

from jupyter_repl_ext.drive.manager import THREADS as DRIVE_THREADS
from jupyter_repl_ext.drive.manager import S3Drive
from jupyter_repl_ext.drive.stored import StoredFiles
from jupyter_repl_runner.contract.refs import ProjectRef, template_prefix
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.port import Store
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.store.s3_client import THREADS

from .table import Row

REPEATS = 7
FILES, ENTRIES, FOLDERS = 1000, 200, 100
SIZE = 4000
REF = ProjectRef("", "abc")


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        server = SERVERS["minio"](Path(name) / "minio" / "data").start()
        try:
            return [*_creations(Path(name), server), *_folders(server)]
        finally:
            server.stop()


def _creations(folder: Path, server: S3Server) -> list[Row]:
    directory, bucket = DirectoryStore(folder / "store"), server.store("create/")
    for store in (directory, bucket):
        asyncio.run(_fill(store, template_prefix("big"), FILES))
    ours, ours_s3, peer = [], [], []
    for repeat in range(REPEATS):
        target = ProjectRef("", f"p{repeat}").code()
        ours.append(_timed(lambda target=target: directory.copy_prefix(template_prefix("big"), target)))
        ours_s3.append(_timed(lambda target=target: bucket.copy_prefix(template_prefix("big"), target)))
        peer.append(_copy_objects(server, f"create/{template_prefix('big')}", f"create/peer-{repeat}/"))
    bucket.close()
    ratios = [one / other for one, other in zip(ours, peer, strict=True)]
    return [
        Row(f"A project from a template of {FILES} files, on a disk", "s", ours),
        Row("The same in S3", "s", ours_s3),
        Row(f"boto3's CopyObject for each, {THREADS} threads", "s", peer),
        Row("On a disk / boto3", "x", ratios, 1 / 15),
    ]


def _folders(server: S3Server) -> list[Row]:
    """A folder as the drive shows it, and as s3contents does, which wants a marker in each."""
    store = server.store("drive/")
    prefix = f"drive/{REF.code('d/')}"
    asyncio.run(_fill(store, REF.code("d/"), ENTRIES))
    client = server.client()
    for number in range(FOLDERS):
        client.put_object(Bucket=server.bucket, Key=f"{prefix}d{number}/f", Body=b"")
        client.put_object(Bucket=server.bucket, Key=f"{prefix}d{number}/.s3keep", Body=b"")
    client.put_object(Bucket=server.bucket, Key=f"{prefix}.s3keep", Body=b"")
    options = {"endpoint_url": server.endpoint, "access_key_id": KEY, "secret_access_key": SECRET}
    theirs = S3ContentsManager(bucket=server.bucket, prefix=f"drive/{REF.code()}".rstrip("/"), **options)
    listing, ours, peer = asyncio.run(_show(store, client, server.bucket, prefix, theirs))
    store.close()
    ratios = [one / other for one, other in zip(ours, listing, strict=True)]
    theirs_ratios = [one / other for one, other in zip(peer, listing, strict=True)]
    return [
        Row(f"One ListObjectsV2 of a folder of {ENTRIES} files and {FOLDERS} folders", "ms", listing),
        Row("The drive shows it", "ms", ours),
        Row("s3contents shows it", "ms", peer),
        Row("The drive / one ListObjectsV2", "x", ratios, 1.5),
        Row("s3contents / one ListObjectsV2", "x", theirs_ratios),
    ]


async def _show(store: S3Store, client: Any, bucket: str, prefix: str, theirs: Any) -> tuple[list[float], ...]:
    @asynccontextmanager
    async def open_files(ref: ProjectRef) -> Any:
        yield StoredFiles(store, ref)

    async def names() -> list[tuple[str, float]]:
        return [(REF.repl_id, 0.0)]

    threads = ThreadPoolExecutor(DRIVE_THREADS)
    drive = S3Drive(projects=names, ref_of=lambda name: REF, open_files=open_files, threads=threads)
    found: tuple[list[float], ...] = ([], [], [])
    for repeat in range(REPEATS + 1):
        begun = time.perf_counter()
        await asyncio.to_thread(client.list_objects_v2, Bucket=bucket, Prefix=prefix, Delimiter="/")
        listed = time.perf_counter()
        model = await drive.get(f"{REF.repl_id}/d")
        shown = time.perf_counter()
        other = await asyncio.to_thread(theirs.get, "d")
        ended = time.perf_counter()
        assert len(model["content"]) == len(other["content"]) == ENTRIES + FOLDERS
        if repeat:  # the first pays for imports and connections
            for values, value in zip(found, (listed - begun, shown - listed, ended - shown), strict=True):
                values.append(value * 1000)
    return found


def _timed(call: Callable[[], Awaitable[object]]) -> float:
    async def wait() -> float:
        begun = time.perf_counter()
        await call()
        return time.perf_counter() - begun

    return asyncio.run(wait())


def _copy_objects(server: S3Server, source: str, target: str) -> float:
    client = server.client()
    client.list_buckets()

    def copy(key: str) -> None:
        origin = {"Bucket": server.bucket, "Key": key}
        client.copy_object(Bucket=server.bucket, Key=target + key.removeprefix(source), CopySource=origin)

    begun = time.perf_counter()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=server.bucket, Prefix=source)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(copy, [item["Key"] for page in pages for item in page.get("Contents", ())]))
    return time.perf_counter() - begun


async def _fill(store: Store, prefix: str, count: int) -> None:
    for number in range(count):
        await store.put(f"{prefix}f{number}", os.urandom(SIZE), if_none_match=True)
