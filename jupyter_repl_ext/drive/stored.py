"""A project's files in a store that is no disk, while no runner has them."""

from collections.abc import Callable

from jupyter_repl_runner.contract.errors import FileExists, FileNotFound, FileTooLarge
from jupyter_repl_runner.contract.paths import check_path, join
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.checkout import edit_manifest, read_manifest
from jupyter_repl_runner.store.each import together
from jupyter_repl_runner.store.manifest import USUAL_MODE, Manifest
from jupyter_repl_runner.store.port import Store
from jupyter_repl_runner.store.trash import Item, StoreTrash

from .files import Files, Row
from .live import MAX_BYTES

Change = Callable[[Manifest], Manifest]


class StoredFiles(Files):
    """One listing for a folder, whatever it holds; links are not shown, since nothing can be read through them."""

    def __init__(self, store: Store, ref: ProjectRef) -> None:
        self._store = store
        self._ref = ref

    async def rows(self, folder: str) -> list[Row]:
        prefix = self._prefix(folder)
        (entries, names), (manifest, _) = await together(
            self._store.folder(prefix), read_manifest(self._store, self._ref)
        )
        depth = len(folder) + 1 if folder else 0
        empty = {path[depth:].split("/")[0] for path in manifest.folders if _is_below(path, folder)}
        rows = [Row(join(folder, name), is_folder=True) for name in sorted({*names, *empty})]
        files = [Row(entry.key[len(self._ref.code()) :], False, entry.size, entry.mtime) for entry in entries]
        return [*rows, *files]

    async def read(self, path: str) -> bytes:
        async with await self._store.get(self._ref.code(check_path(path))) as blob:
            if blob.head.entry.size > MAX_BYTES:
                raise FileTooLarge(f"{path} is larger than {MAX_BYTES // 10**6} MB.", hint="Download it.")
            return b"".join([chunk async for chunk in blob.chunks()])

    async def write(self, path: str, data: bytes) -> None:
        await self._store.put(self._ref.code(check_path(path)), data)

    async def make_folder(self, path: str) -> None:
        await self._check_free(check_path(path))
        await self._edit(lambda old: Manifest(old.links, {**old.folders, path: USUAL_MODE}, old.left_out))

    async def move(self, path: str, to: str) -> None:
        await self._check_free(check_path(to))
        paths = await self._at(path)
        for each in paths:
            await self._store.copy(self._ref.code(each), self._ref.code(to + each[len(path) :]))

        def moved(old: Manifest) -> Manifest:
            def new(name: str) -> str:
                return to + name[len(path) :] if name == path or _is_below(name, path) else name

            links = {new(name): target for name, target in old.links.items()}
            return Manifest(links, {new(name): mode for name, mode in old.folders.items()}, old.left_out)

        await self._edit(moved)
        for each in paths:
            await self._store.delete(self._ref.code(each))

    async def delete(self, path: str) -> None:
        paths = await self._at(path)
        manifest, _ = await read_manifest(self._store, self._ref)
        links = {name: target for name, target in manifest.links.items() if name == path or _is_below(name, path)}
        folders = {name: mode for name, mode in manifest.folders.items() if name == path or _is_below(name, path)}
        prefix = await StoreTrash(self._store, self._ref).begin(Item(paths, links, folders))
        for each in paths:
            await self._store.copy(self._ref.code(each), prefix + each)

        def left(old: Manifest) -> Manifest:
            def stays(name: str) -> bool:
                return name != path and not _is_below(name, path)

            links = {name: target for name, target in old.links.items() if stays(name)}
            return Manifest(links, {name: mode for name, mode in old.folders.items() if stays(name)}, old.left_out)

        await self._edit(left)
        for each in paths:
            await self._store.delete(self._ref.code(each))

    async def _at(self, path: str) -> list[str]:
        """The files at `path` and below it; raises FileNotFound if nothing at all is there."""
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


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") if folder else True
