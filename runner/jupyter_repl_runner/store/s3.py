"""The store on S3.

boto3 blocks, so calls run in threads of the store's own. An etag is the sha256 in the object's metadata, so it equals
the etag of the file that was uploaded. For an object over 5 MB, or one that another program wrote without metadata, the
etag is made from S3's ETag. Conditions are sent to S3 with S3's own ETag, which is an entry's `tag`.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotFound, ReplError, Unavailable
from jupyter_repl_runner.contract.grant import Credentials, S3Settings

from . import folder as folders
from .each import each
from .keys import decode, encode
from .port import Blob, Entry, Head, Honoured, Store
from .probe import probe
from .s3_client import THREADS, make_client
from .s3_errors import Denied, Refused, map_s3_errors
from .s3_object import HASH, MODE, MTIME, S3Blob, Spooled, bare, etag_of, head_of, map_refusals
from .single import SingleServer

PAGE = 1000
MAX_FOREIGN = 10_000

Result = TypeVar("Result")
list_ = list  # the class has a method of that name


class S3Store(Store):
    """`credentials` None: boto3 finds them itself. `honoured`: the result of a probe that a server with wider
    permissions has made; None: this store makes its own probe. The constructor sends no request."""

    def __init__(
        self, settings: S3Settings, credentials: Credentials | None = None, honoured: Honoured | None = None
    ) -> None:
        self.settings = settings
        self._credentials = credentials
        self._threads = ThreadPoolExecutor(THREADS, "s3")
        self._making = threading.Lock()
        self._made: Any = None
        self._honoured = honoured
        self.heard = 0.0
        """The time of S3's last answer, by the monotonic clock."""
        self._probing = asyncio.Lock()
        self._single = SingleServer(settings) if settings.single_server else None
        self._foreign: dict[str, str] = {}
        """Object names that other programs chose, by key. Requests use these names, not the encoded keys."""

    def use(self, credentials: Credentials) -> None:
        """Use these credentials from now on."""
        with self._making:
            self._credentials, self._made = credentials, None

    def close(self) -> None:
        """Release the threads. Running calls finish; queued calls are cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    # -- the port

    async def list(self, prefix: str, *, deep: bool = True) -> AsyncIterator[Entry]:
        async for page in self._pages(prefix, deep):
            for entry in self._entries(page):
                yield entry

    async def children(self, prefix: str) -> Sequence[str]:
        return (await self.folder(prefix))[1]

    async def folder(self, prefix: str) -> tuple[Sequence[Entry], Sequence[str]]:
        entries: list_[Entry] = []
        names: list_[str] = []
        async for page in self._pages(prefix, deep=False):
            entries += self._entries(page)
            for item in page.get("CommonPrefixes", ()):
                names.append(self._key(item["Prefix"])[len(prefix) : -1])
        return entries, sorted(name for name in names if name[:1] != ".")

    def _entries(self, page: dict[str, Any]) -> Iterator[Entry]:
        for item in page.get("Contents", ()):
            key = self._key(item["Key"])
            if not key.endswith("/"):
                yield Entry(key, item["Size"], item["LastModified"].timestamp(), tag=bare(item["ETag"]))

    async def head(self, key: str) -> Head | None:
        try:
            return head_of(key, await self._ask("head_object", key))
        except FileNotFound:
            return None
        except Denied:
            # S3 answers 403 for a missing object where the keys may not list the whole bucket.
            name = self._name(key)
            page = await self._ask("list_objects_v2", None, Prefix=name, MaxKeys=1)
            if any(item["Key"] == name for item in page.get("Contents", ())):
                raise
            return None

    async def get(self, key: str) -> Blob:
        return S3Blob(self._ask, self.in_thread, self.settings, key, await self._ask("get_object", key))

    async def put(
        self,
        key: str,
        data: bytes | AsyncIterator[bytes],
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        if_tag: str | None = None,
        mode: int | None = None,
        mtime: float | None = None,
    ) -> Head:
        async with Spooled() as body:
            size, digest = await body.fill(data)
            if mode is None and not if_none_match and (old := await self.head(key)) is not None:
                mode = old.entry.mode
            mode = Entry.mode if mode is None else mode
            mtime = time.time() if mtime is None else mtime
            said = {HASH: digest, MODE: f"{mode:o}", MTIME: repr(mtime)}
            request = {"Body": body.file, "ContentLength": size, "Metadata": said}
            if if_match is None and not if_none_match and if_tag is None:
                answer = await self._ask("put_object", key, **request)
            else:
                answer = await self._put_if(key, request, if_match, if_none_match, if_tag)
        tag = bare(answer["ETag"])
        return Head(Entry(key, size, mtime, mode, tag), etag_of(size, digest, tag), digest)

    async def copy(self, source: str, target: str) -> None:
        await self._copy(source, target)

    async def _copy(self, source: str, target: str, /, **condition: Any) -> None:
        origin = {"Bucket": self.settings.bucket, "Key": self._name(source)}
        await self._ask("copy_object", target, CopySource=origin, **condition)

    async def copy_prefix(self, source: str, target: str, *, leave_out: frozenset[str] = frozenset()) -> int:
        there = {entry.key async for entry in self.list(target)}
        wanted = []
        async for entry in self.list(source):
            inside = entry.key[len(source) :]
            if inside not in leave_out and target + inside not in there:
                wanted.append(inside)
        await each(wanted, lambda inside: self.copy(source + inside, target + inside), THREADS)
        return len(there) + len(wanted)

    async def put_folder(self, folder: Path, target: str, manifest: str) -> int:
        async for _ in self.list(target):
            raise FileExists("This name has files already.", hint="Choose another name.")
        files, rest = await asyncio.to_thread(folders.read, folder)

        async def put(path: str) -> None:
            mode, mtime = files[path]
            await self.put(target + path, folders.chunks(folder, path), mode=mode, mtime=mtime, if_none_match=True)

        await each(files, put, THREADS)
        await self.put(manifest, rest.to_bytes())
        return len(files)

    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        if key.endswith("/"):
            async for page in self._pages(key):
                if names := [{"Key": item["Key"]} for item in page.get("Contents", ())]:
                    answer = await self._ask("delete_objects", None, Delete={"Objects": names, "Quiet": True})
                    if errors := answer.get("Errors"):
                        raise Refused(f"{key} was not deleted: {errors[0].get('Message')}", hint="Try again.")
        elif if_match is None:
            await self._ask("delete_object", key)
        else:
            # If the server ignores conditions on DELETE, a write between this check and the deletion is lost.
            tag = await self._tag_for(key, if_match)
            condition = {"IfMatch": f'"{tag}"'} if (await self.probe()).delete else {}
            with map_refusals({"412": Conflict(f"{key} was changed meanwhile.", hint="Reload it, then try again.")}):
                await self._ask("delete_object", key, **condition)

    async def probe(self) -> Honoured:
        async with self._probing:
            if self._honoured is None:
                self._honoured = await probe(self._ask, self._copy)
                if not self._honoured.put and self._single is None:
                    self._honoured = None
                    raise Unavailable(
                        "This S3 server ignores conditions on PUT, so two servers could overwrite each other.",
                        hint="Use another server, or set s3_single_server if no other machine uses this prefix.",
                    )
        return self._honoured

    # -- parts

    async def _put_if(
        self, key: str, request: dict[str, Any], if_match: str | None, if_none_match: bool, if_tag: str | None
    ) -> Any:
        is_honoured = (await self.probe()).put
        async with self._single or nullcontext():
            condition: dict[str, Any] = {}
            refusal: ReplError = Conflict(f"{key} was changed meanwhile.", hint="Compare both and choose.")
            if if_none_match:
                condition["IfNoneMatch"] = "*"
                refusal = FileExists(f"{key} exists already.", hint="Choose another name.")
                if not is_honoured and await self.head(key) is not None:
                    raise refusal
            elif if_match is not None or (if_tag is not None and not is_honoured):
                if_tag = await self._tag_for(key, if_match, if_tag)
            if if_tag is not None:
                condition["IfMatch"] = f'"{if_tag}"'
            with map_refusals({"412": refusal, "404": refusal}):
                return await self._ask("put_object", key, **request, **(condition if is_honoured else {}))

    async def _tag_for(self, key: str, if_match: str | None, if_tag: str | None = None) -> str:
        """Returns the tag of the object. Raises Conflict if it is gone, or if `if_match` or `if_tag` differs."""
        head = await self.head(key)
        if head is None:
            raise Conflict(f"{key} was deleted meanwhile.", hint="Save it again to keep your text.")
        if if_match not in (None, head.etag) or if_tag not in (None, head.entry.tag):
            raise Conflict(f"{key} was changed meanwhile.", hint="Compare both and choose.")
        return head.entry.tag

    async def _pages(self, prefix: str, deep: bool = True) -> AsyncIterator[dict[str, Any]]:
        more: dict[str, Any] = {} if deep else {"Delimiter": "/"}
        name = self._name(prefix)
        while True:
            page = await self._ask("list_objects_v2", None, Prefix=name, MaxKeys=PAGE, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more["ContinuationToken"] = page["NextContinuationToken"]

    async def _ask(self, verb: str, key: str | None, /, **request: Any) -> Any:
        """Send one request. Raises a ReplError, which is FileNotFound if there is no such object."""
        if key is not None:
            request["Key"] = self._name(key)

        def ask() -> Any:
            with map_s3_errors(self.settings, key or ""):
                return getattr(self._client(), verb)(Bucket=self.settings.bucket, **request)

        answer = await self.in_thread(ask)
        self.heard = time.monotonic()
        return answer

    def _key(self, name: str) -> str:
        key, is_ours = decode(self.settings.prefix, name)
        if not is_ours and len(self._foreign) < MAX_FOREIGN:
            self._foreign[key] = name
        return key

    def _name(self, key: str) -> str:
        """Returns the object name of a key: the listed name if another program chose it, else the encoded key. Raises
        NoPermissions and InvalidRequest."""
        return self._foreign.get(key) or encode(self.settings.prefix, key)

    async def in_thread(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = make_client("s3", self.settings, self._credentials)
            return self._made
