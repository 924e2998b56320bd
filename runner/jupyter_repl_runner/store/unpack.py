"""Unpacks a zip into a folder. Nothing in the zip is trusted. All calls block.

A zip that `pack` made of a whole project is unpacked as it was. From any other zip, a single folder around everything
(as code hosts add it) is removed.
"""

import errno
import os
import stat
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract.errors import FileTooLarge, InvalidRequest, NoPermissions, ReplError, from_os_error
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.files.containment import map_os_errors

from .archive_links import is_link, leading_out, read_links
from .pack import MARK

MAX_ENTRIES = 100_000
MAX_DIRECTORY = 16 << 20
"""The most bytes of the central directory: MAX_ENTRIES entries with names of 120 bytes."""
MAX_BYTES = 10 << 30
"""The most bytes of all files together, unpacked."""
MAX_RATIO = 200
"""The largest accepted ratio of unpacked to packed size, above SMALL_BYTES unpacked. A zip with a larger one is taken
for a bomb: deflate reaches 1,000, text 20."""
SMALL_BYTES = 100_000_000
_IS_UTF8 = 0x800
"""The flag of an entry whose name is UTF-8."""
_CHUNK = 1 << 18
_FOREIGN = frozenset({"__MACOSX"})
_LEFT_OUT = frozenset({".DS_Store", "Thumbs.db"})


_Names = dict[str, tuple[str, "_Names | None"]]
"""The content of a folder by normalized name (see `_check_names`): the name as it is spelled and, if it is a folder,
its own content."""


@dataclass
class Report:
    """What was unpacked; `skipped`: names that were left out on purpose."""

    files: int = 0
    folders: int = 0
    links: int = 0
    bytes: int = 0
    skipped: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "skipped": self.skipped[:100]}


def about_of(archive: Path) -> dict[str, Any]:
    """Returns the description that `pack` put into the archive; empty for any other archive. Raises InvalidRequest if
    it is not a zip."""
    with _opened(archive) as zipped:
        return _about(zipped)


def names_of(archive: Path) -> list[str]:
    """Returns the paths of the files in the archive, as they would be unpacked. Raises what `unpack` raises."""
    with _opened(archive) as zipped:
        return [path for path, info in _plan(zipped, Report()) if not info.is_dir()]


def unpack(archive: Path, target: Path) -> Report:
    """Unpack into the empty folder `target`. Raises InvalidRequest, NoPermissions or FileTooLarge; the caller then
    deletes what was unpacked.

    Names and links are checked before anything is written. Sizes are checked while writing, because a header can lie.
    """
    report = Report()
    with _opened(archive) as zipped:
        plan = _plan(zipped, report)
        links = read_links(zipped, plan)
        outward = leading_out(links)
        if outward and not _about(zipped):
            hint = "Replace the link by a copy of its target."
            raise NoPermissions(f"The link {outward[0][:200]} in the archive leads out of it.", hint=hint)
        report.skipped += outward  # such as links of a virtual environment: creating it again restores them
        budget = min(MAX_BYTES, max(SMALL_BYTES, MAX_RATIO * archive.stat().st_size))
        for path, info in plan:
            if info.is_dir():
                (target / path).mkdir(parents=True, exist_ok=True)
                report.folders += 1
            elif not is_link(info):
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                report.bytes += _unpack_file(zipped, info, target / path, budget - report.bytes)
                report.files += 1
        # Links last: nothing is ever written through one.
        for path in links.keys() - set(outward):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).symlink_to(links[path])
            report.links += 1
    return report


def _unpack_file(zipped: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, budget: int) -> int:
    size = 0
    mode = stat.S_IMODE(info.external_attr >> 16) & 0o777
    with map_os_errors(info.filename), zipped.open(info) as source, open(target, "xb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > budget:
                raise FileTooLarge("The unpacked archive would be too large.", hint="Leave large files out of it.")
            file.write(chunk)
        os.fchmod(file.fileno(), mode | stat.S_IRUSR | stat.S_IWUSR if mode else 0o644)
    with suppress(ValueError, OverflowError):  # an invalid date
        moment = time.mktime((*info.date_time, 0, 0, -1))
        os.utime(target, (moment, moment))
    return size


class _opened:
    """A context manager that opens a zip for reading, and turns what zipfile raises into errors for people."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive

    def __enter__(self) -> zipfile.ZipFile:
        try:
            _check_directory(self._archive)
            self._zipped = zipfile.ZipFile(self._archive)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise _broken(error) from error
        return self._zipped

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._zipped.close()
        if isinstance(error, (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError)) or (
            kind is not None and kind.__module__ in ("zlib", "lzma")
        ):
            raise _broken(error) from error
        if isinstance(error, OSError):
            # a forged header can make the reader seek to a negative position, which fails with EINVAL
            raise (_broken(error) if error.errno == errno.EINVAL else from_os_error(error, "The archive")) from error


def _check_directory(archive: Path) -> None:
    """Raises FileTooLarge if the central directory exceeds MAX_DIRECTORY. zipfile loads all of it at any size, and an
    entry of 50 bytes takes 600 bytes of memory. Only a private function of zipfile returns the size beforehand."""
    with open(archive, "rb") as file:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end and end[zipfile._ECD_SIZE] > MAX_DIRECTORY:  # type: ignore[attr-defined]
        raise _too_many()


def _broken(error: BaseException | None) -> InvalidRequest:
    return InvalidRequest(f"The archive can't be read: {error}.", hint="It must be a zip, complete and not encrypted.")


def _about(zipped: zipfile.ZipFile) -> dict[str, Any]:
    try:
        found = parse_json(zipped.comment)[MARK]
    except (ValueError, TypeError, KeyError):
        return {}
    return found if isinstance(found, dict) else {}


def _plan(zipped: zipfile.ZipFile, report: Report) -> list[tuple[str, zipfile.ZipInfo]]:
    """Returns `(path, entry)` of everything to unpack. Raises InvalidRequest, NoPermissions or FileTooLarge."""
    infos = zipped.infolist()
    if len(infos) > MAX_ENTRIES:
        raise _too_many()
    plan: list[tuple[str, zipfile.ZipInfo]] = []
    for info in infos:
        path = _path(info)
        parts = path.split("/")
        if parts[0] in _FOREIGN or parts[-1] in _LEFT_OUT:
            report.skipped.append(path)
        elif path:
            plan.append((path, info))
    is_ours = bool(_about(zipped))
    if not is_ours:
        plan = _without_wrapper(plan)
    _check_names(plan, str if is_ours else str.casefold)
    return plan


def _path(info: zipfile.ZipInfo) -> str:
    """Returns the entry's path, checked; empty for the root itself. Raises InvalidRequest or NoPermissions."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    name = info.filename
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise InvalidRequest(f"{name[:200]} in the archive is neither file, folder nor link.", hint="Leave it out.")
    if info.flag_bits & 0x1:
        raise InvalidRequest("The archive is encrypted.", hint="Make it without a password.")
    if not info.flag_bits & _IS_UTF8:
        with suppress(UnicodeError):  # zipfile decodes it as CP437; many programs write UTF-8 without the flag
            name = name.encode("cp437").decode("utf-8")
    if info.create_system == 0 and "\\" in name:
        name = name.replace("\\", "/")  # some programs on Windows write their own separator
    path = name.rstrip("/").removeprefix("./")
    if path in ("", "."):
        return ""
    try:
        return check_path(path)
    except ReplError as error:
        hint = "Make the archive from inside its folder, with relative names."
        raise type(error)(f"The archive holds {name[:200]!r}: {error.message}", hint=hint) from error


def _without_wrapper(plan: list[tuple[str, zipfile.ZipInfo]]) -> list[tuple[str, zipfile.ZipInfo]]:
    tops = {path.partition("/")[0] for path, _ in plan}
    if len(tops) != 1 or any("/" not in path and not info.is_dir() for path, info in plan):
        return plan
    return [(path.partition("/")[2], info) for path, info in plan if "/" in path]


def _check_names(plan: list[tuple[str, zipfile.ZipInfo]], key: Callable[[str], str]) -> None:
    """Raises InvalidRequest if a path occurs twice, if one lies below a file or a link, or if two names in a folder
    have the same `key`: some disks can't distinguish them. Raises FileTooLarge if files and implied folders exceed
    MAX_ENTRIES: the path of a single entry can imply thousands of folders."""
    root: _Names = {}
    count = 0
    for path, info in plan:
        here, parts = root, path.split("/")
        for depth, part in enumerate(parts, 1):
            is_folder = depth < len(parts) or info.is_dir()
            name = key(part)
            spelled, inner = here.get(name, ("", None))
            if not spelled:
                count += 1
                if count > MAX_ENTRIES:
                    raise _too_many()
                spelled, inner = here[name] = part, {} if is_folder else None
            elif inner is None or not is_folder:
                raise InvalidRequest(f"The archive holds {_start(parts, depth)} twice.", hint="Create it again.")
            if spelled != part:
                other = _start(parts, depth)
                message = f"The archive holds {spelled[:200]} and {other}, which differ in case only."
                raise InvalidRequest(message, hint="Rename one of them: some disks ignore case.")
            if inner is not None:
                here = inner


def _start(parts: list[str], depth: int) -> str:
    """Returns the first `depth` names of a path, cut for a message."""
    return "/".join(parts[:depth])[:200]


def _too_many() -> FileTooLarge:
    return FileTooLarge(f"The archive has more than {MAX_ENTRIES} files and folders.", hint="Leave folders out of it.")
