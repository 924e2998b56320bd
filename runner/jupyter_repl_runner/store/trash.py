"""The trash of a project in the store. It retains deleted files for KEPT_SECONDS, in one item per batch of deletions.

`meta/{replId}/trash/{item}/item.json` is written first and lists everything in the item; the files follow beside it,
under `files/`. All times are the store's, because the clock of this machine may jump.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from logging import getLogger

from jupyter_repl_runner.contract.errors import FileNotFound, FileTooLarge, InvalidRequest, NoPermissions
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.paths import is_mode, is_path, is_target
from jupyter_repl_runner.contract.refs import ProjectRef

from .each import each
from .port import Store, read_all
from .s3_errors import REFUSED

KEPT_SECONDS = 7 * 24 * 3600.0
AT_ONCE = 12
ITEM_FILE, FILES = "item.json", "files/"
MAX_ITEM = 64 << 20
_NAME = re.compile(r"[0-9a-f]{16}")


log = getLogger(__name__)


@dataclass(frozen=True)
class Item:
    """`links`: target by path; `folders`: mode by path."""

    paths: Sequence[str]
    links: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, int] = field(default_factory=dict)


class StoreTrash:
    """The trash of one project."""

    def __init__(self, store: Store, ref: ProjectRef) -> None:
        self._store = store
        self._ref = ref

    async def begin(self, item: Item) -> str:
        """Store the list of what will be deleted; returns the prefix for its files."""
        prefix = f"{self._ref.trash}{secrets.token_hex(8)}/"
        await self._store.put(prefix + ITEM_FILE, json.dumps(asdict(item)).encode(), if_none_match=True)
        return prefix + FILES

    async def list(self) -> list[tuple[str, float, Item]]:
        """Returns `(name, when in seconds since the epoch, item)`, newest first. Skips items that can't be read."""
        prefix = self._ref.trash
        entries = [entry async for entry in self._store.list(prefix) if entry.key.endswith("/" + ITEM_FILE)]
        entries.sort(key=lambda entry: entry.mtime, reverse=True)
        names = [entry.key[len(prefix) : -len(ITEM_FILE) - 1] for entry in entries]
        items: dict[str, Item] = {}

        async def read(name: str) -> None:
            try:
                items[name] = await self.get(name)
            except FileNotFound:  # expired meanwhile
                pass
            except (FileTooLarge, InvalidRequest, NoPermissions, *REFUSED) as error:
                log.warning("%s: %s", self._ref, error.message)

        await each(names, read, AT_ONCE)
        when = {name: entry.mtime for name, entry in zip(names, entries, strict=True)}
        return [(name, when[name], items[name]) for name in names if name in items]

    async def get(self, name: str) -> Item:
        """Raises FileNotFound if there is no such item, and FileTooLarge or InvalidRequest if it can't be read."""
        if not _NAME.fullmatch(name):
            raise FileNotFound("There is no such item in the trash.", hint="It is kept for 7 days.")
        raw, _ = await read_all(self._store, f"{self._ref.trash}{name}/{ITEM_FILE}", MAX_ITEM)
        try:
            item = Item(**parse_json(raw))
            if not _is_whole(item):
                raise TypeError("a field has the wrong type")
            return item
        except (ValueError, TypeError) as error:
            raise InvalidRequest(f"The item {name} of the trash can't be read.") from error

    def key(self, name: str, path: str) -> str:
        """Returns the key of a file of the item."""
        return f"{self._ref.trash}{name}/{FILES}{path}"

    async def touch(self) -> str:
        """Write an empty object, whose time is the store's present time, and return its key. Raises what `put` raises,
        so it also shows whether the store takes writes at all."""
        clock = f"{self._ref.trash}clock"
        await self._store.put(clock, b"")
        return clock

    async def forget_old(self) -> None:
        """Delete items that are older than KEPT_SECONDS by the store's clock."""
        clock = await self.touch()
        entries = [entry async for entry in self._store.list(self._ref.trash)]
        now = max((entry.mtime for entry in entries if entry.key == clock), default=0.0)
        for entry in entries:
            if entry.key.endswith("/" + ITEM_FILE) and entry.mtime < now - KEPT_SECONDS:
                with self._noted():
                    await self._store.delete(entry.key.removesuffix(ITEM_FILE))
        with self._noted():
            await self._store.delete(clock)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Log an item that can't be deleted, so that the others are deleted all the same."""
        try:
            yield
        except (NoPermissions, *REFUSED) as error:
            log.warning("%s: %s", self._ref, error.message)


def _is_whole(item: Item) -> bool:
    """Returns True if each field has its type: other programs can write to the store, too."""
    return (
        isinstance(item.paths, list)
        and isinstance(item.links, dict)
        and isinstance(item.folders, dict)
        and all(is_path(path) for path in (*item.paths, *item.links, *item.folders))
        and all(is_target(target) for target in item.links.values())
        and all(is_mode(mode) for mode in item.folders.values())
    )
