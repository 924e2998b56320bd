"""Reads and writes a project's files in a store that is not on a disk, while no runner has them."""

from collections.abc import Callable
from dataclasses import replace

from jupyter_repl_runner.contract.errors import FileExists, FileNotFound, FileTooLarge, NoPermissions
from jupyter_repl_runner.contract.paths import check_path, join, parent
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.checkout import edit_manifest, read_manifest
from jupyter_repl_runner.store.each import each, together
from jupyter_repl_runner.store.manifest import USUAL_MODE, Manifest
from jupyter_repl_runner.store.port import Blob, Store
from jupyter_repl_runner.store.trash import Item, StoreTrash

from .files import Files, Row
from .live import MAX_BYTES

AT_ONCE = 8
Change = Callable[[Manifest], Manifest]


class StoredFiles(Files):
    """A folder costs one listing, however much it holds, and each link in it one or two requests more. Links are
    followed as long as they stay inside the project."""

    def __init__(self, store: Store, ref: ProjectRef) -> None:
        self._store = store
        self._ref = ref

    async def rows(self, folder: str) -> list[Row]:
        (entries, names), (manifest, _) = await together(
            self._store.folder(self._prefix(folder)), read_manifest(self._store, self._ref)
        )
        real = manifest.follow(folder) if folder else folder
        if real is None:
            return []
        if real != folder:
            found = await self.rows("" if real == "." else real)
            return [replace(row, path=join(folder, row.name)) for row in found]
        depth = len(folder) + 1 if folder else 0
        empty = {path[depth:].split("/")[0] for path in manifest.folders if _is_below(path, folder)}
        files = [Row(entry.key[len(self._ref.code()) :], False, entry.size, entry.mtime) for entry in entries]
        known = {row.path for row in files}
        links = [path for path in manifest.links if parent(path) == folder and path not in known]
        targets: dict[str, Row] = {}

        async def look(path: str) -> None:
            targets[path] = await self._target(path, manifest)

        await each(links, look, AT_ONCE)
        folders = [Row(join(folder, name), is_folder=True) for name in {*names, *empty}]
        both = [*folders, *(targets[path] for path in links)]
        inner = sorted((row for row in both if row.is_folder), key=lambda row: row.name)
        return [*inner, *files, *(row for row in both if not row.is_folder)]

    async def _target(self, path: str, manifest: Manifest) -> Row:
        """Returns the row of a link, with the kind and size of its target. A link that leads out of the project, or
        nowhere, is shown as an empty file."""
        real = manifest.follow(path)
        if real == ".":
            return Row(path, is_folder=True)
        if real is None:
            return Row(path, is_folder=False)
        head = await self._store.head(self._ref.code(real))
        if head is not None:
            return Row(path, False, head.entry.size, head.entry.mtime)
        entries, names = await self._store.folder(self._prefix(real))
        return Row(path, bool(entries or names or real in manifest.folders))

    async def read(self, path: str) -> bytes:
        async with await self._open(check_path(path)) as blob:
            if blob.head.entry.size > MAX_BYTES:
                raise FileTooLarge(f"{path} is larger than {MAX_BYTES // 10**6} MB.", hint="Download it.")
            return b"".join([chunk async for chunk in blob.chunks()])

    async def _open(self, path: str) -> Blob:
        try:
            return await self._store.get(self._ref.code(path))
        except FileNotFound:
            real = await self._follow(path)
            if real == path:
                raise
            return await self._store.get(self._ref.code(real))

    async def write(self, path: str, data: bytes) -> None:
        await self._store.put(self._ref.code(await self._follow(check_path(path))), data)

    async def _follow(self, path: str) -> str:
        """Returns `path` with all links resolved. Raises NoPermissions if it leads out of the project or to its
        root."""
        manifest, _ = await read_manifest(self._store, self._ref)
        real = manifest.follow(path)
        if real is None or real == ".":
            raise NoPermissions(f"{path} leads out of the project.", hint="Copy what it points to instead.")
        return real

    async def make_folder(self, path: str) -> None:
        await self._check_free(check_path(path))
        await self._edit(lambda old: Manifest(old.links, {**old.folders, path: USUAL_MODE}, old.left_out))

    async def move(self, path: str, to: str) -> None:
        await self._check_free(check_path(to))
        paths = await self._at(path)
        await each(paths, lambda inner: self._copy(inner, self._ref.code(to + inner[len(path) :])), AT_ONCE)

        def moved(old: Manifest) -> Manifest:
            def new(name: str) -> str:
                return to + name[len(path) :] if _is_at(name, path) else name

            links = {new(name): target for name, target in old.links.items()}
            return Manifest(links, {new(name): mode for name, mode in old.folders.items()}, old.left_out)

        await self._edit(moved)
        await each(paths, lambda inner: self._store.delete(self._ref.code(inner)), AT_ONCE)

    async def delete(self, path: str) -> None:
        paths = await self._at(path)
        manifest, _ = await read_manifest(self._store, self._ref)
        links = {name: target for name, target in manifest.links.items() if _is_at(name, path)}
        folders = {name: mode for name, mode in manifest.folders.items() if _is_at(name, path)}
        prefix = await StoreTrash(self._store, self._ref).begin(Item(paths, links, folders))
        await each(paths, lambda inner: self._copy(inner, prefix + inner), AT_ONCE)

        def left(old: Manifest) -> Manifest:
            def stays(name: str) -> bool:
                return not _is_at(name, path)

            links = {name: target for name, target in old.links.items() if stays(name)}
            return Manifest(links, {name: mode for name, mode in old.folders.items() if stays(name)}, old.left_out)

        await self._edit(left)
        await each(paths, lambda inner: self._store.delete(self._ref.code(inner)), AT_ONCE)

    async def _copy(self, path: str, key: str) -> None:
        await self._store.copy(self._ref.code(path), key)

    async def _at(self, path: str) -> list[str]:
        """Returns the files at `path` and below it. Raises FileNotFound if nothing is there, not even a folder or
        link."""
        start = len(self._ref.code())
        found = [entry.key[start:] async for entry in self._store.list(self._prefix(path))]
        if await self._store.head(self._ref.code(check_path(path))) is not None:
            found.append(path)
        if not found and await self.find(path) is None:
            raise FileNotFound(f"There is no {path}.", hint="It may have been deleted or renamed.")
        return found

    async def _check_free(self, path: str) -> None:
        if await self.find(path) is not None:
            raise FileExists(f"{path} exists already.", hint="Choose another name.")

    async def _edit(self, change: Change) -> None:
        await edit_manifest(self._store, self._ref, change)

    def _prefix(self, folder: str) -> str:
        return self._ref.code(f"{check_path(folder)}/" if folder else "")


def _is_at(path: str, folder: str) -> bool:
    """Returns True if `path` is `folder` or lies below it."""
    return path == folder or _is_below(path, folder)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") if folder else True
