"""Events about files: the tree, contents, and changes to both."""

import asyncio
import json
from typing import Any

from jupyter_repl_runner.contract import paths
from jupyter_repl_runner.contract.errors import DiskFull, FileTooLarge
from jupyter_repl_runner.contract.messages import MAX_MESSAGE, bounded, field, optional
from jupyter_repl_runner.files import content, operations, writing
from jupyter_repl_runner.files.tree import list_folder

from .call import Call, Data, Event
from .room import Room

PAGE = 500
"""Entries of a folder in one message, unless the client asks for another number."""
MAX_LIMIT = 2500
MAX_TEXT = MAX_MESSAGE - 4096
"""Bytes of a file that fit into a message beside its other fields. If escaping makes it too large: FileTooLarge."""


class FileEvents:
    def __init__(self, room: Room) -> None:
        self._room = room
        self.events = {
            "fetchDir": Event(self.fetch_dir, is_cancellable=True, is_for_visitors=True),
            "fetchContent": Event(self.fetch_content, is_cancellable=True, is_for_visitors=True),
            "updateContent": Event(self.update_content),
            "create": Event(self.create),
            "rename": Event(self.rename),
            "move": Event(self.move),
            "copy": Event(self.copy),
            "delete": Event(self.delete),
            "restore": Event(self.restore),
        }

    async def fetch_dir(self, call: Call, data: Data) -> dict[str, Any]:
        path = paths.check_path(data.get("path", ""), root_allowed=True)
        offset = bounded(data, "offset", 0, 1 << 31, 0)
        limit = bounded(data, "limit", 1, MAX_LIMIT, PAGE)
        rows, total = await asyncio.to_thread(list_folder, self._room.beneath, path, offset, limit)
        return {"content": _fitting(rows), "total": total}

    async def fetch_content(self, call: Call, data: Data) -> dict[str, Any]:
        path = paths.check_path(data.get("path"))
        text, etag = await asyncio.to_thread(content.read_text, self._room.beneath, path, MAX_TEXT)
        return {"content": text, "etag": etag}

    async def update_content(self, call: Call, data: Data) -> dict[str, Any]:
        path = paths.check_path(data.get("path"))
        text, etag = field(data, "content", str), optional(data, "etag", str)
        try:
            raw = text.encode("utf-8")
        except UnicodeEncodeError:  # half of a surrogate pair, which no UTF-8 file can hold
            raw = text.encode("utf-8", "replace")
        if len(raw) > MAX_MESSAGE:
            raise FileTooLarge("The text is too large for a message.", hint="Send it to file/.")
        async with self._room.writing(path):
            status = await asyncio.to_thread(writing.write, self._room.beneath, path, raw, if_match=etag)
        return {"etag": status.etag}

    async def create(self, call: Call, data: Data) -> dict[str, Any]:
        path, kind = paths.check_path(data.get("path")), field(data, "type", str, "file")
        self._room.check_disk()
        await asyncio.to_thread(operations.create, self._room.beneath, path, kind)
        return {"path": path}

    async def rename(self, call: Call, data: Data) -> dict[str, Any]:
        path, name = paths.check_path(data.get("path")), paths.check_name(data.get("name"))
        return {"path": await asyncio.to_thread(operations.rename, self._room.beneath, path, name)}

    async def move(self, call: Call, data: Data) -> dict[str, Any]:
        path, to = paths.check_path(data.get("path")), paths.check_path(data.get("to"))
        return {"path": await asyncio.to_thread(operations.move, self._room.beneath, path, to)}

    async def copy(self, call: Call, data: Data) -> dict[str, Any]:
        path, to = paths.check_path(data.get("path")), paths.check_path(data.get("to"))
        self._room.check_disk()
        return {"path": await asyncio.to_thread(operations.copy, self._room.beneath, path, to)}

    async def delete(self, call: Call, data: Data) -> dict[str, Any]:
        path, room = paths.check_path(data.get("path")), self._room
        if field(data, "forever", bool, False):
            await asyncio.to_thread(operations.delete_forever, room.beneath, path)
            return {"path": path, "item": ""}
        if room.disk is not None and room.disk.is_full:
            raise DiskFull("The disk is full, and the trash is on it.", hint="Delete for good what you don't need.")
        return {"path": path, "item": await asyncio.to_thread(room.trash.delete, room.beneath, path)}

    async def restore(self, call: Call, data: Data) -> dict[str, Any]:
        item = field(data, "item", str)
        return {"path": await asyncio.to_thread(self._room.trash.restore, self._room.beneath, item)}


def _fitting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns as many of the first rows as fit into a message. Names can be long, and escaping makes them longer."""
    while len(rows) > 1 and (size := len(json.dumps(rows, separators=(",", ":")))) > MAX_TEXT:
        rows = rows[: max(1, min(len(rows) - 1, len(rows) * MAX_TEXT // size))]
    return rows
