"""The links of a zip: reads them before anything is written, and finds those that lead out of the target folder."""

import os
import stat
import zipfile
from collections.abc import Iterable, Mapping

from jupyter_repl_runner.contract.errors import FileTooLarge, InvalidRequest

MAX_TARGETS = 16 << 20
"""The most bytes of all link targets together."""
_Links = dict[str, "_Links"]
"""The paths of all links as a tree of names; the node of a link has the key _IS_LINK."""
_IS_LINK = "/"
"""Not a possible name, since names contain no slash."""


def is_link(info: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)


def read_links(zipped: zipfile.ZipFile, plan: list[tuple[str, zipfile.ZipInfo]]) -> dict[str, str]:
    """Returns the target of each link by its path. Raises FileTooLarge if the targets exceed MAX_TARGETS bytes, and
    InvalidRequest for a target that no link can have."""
    links: dict[str, str] = {}
    left = MAX_TARGETS
    for path, info in plan:
        if is_link(info):
            target = _target(zipped, info)
            left -= len(target)
            if left < 0:
                raise FileTooLarge("The links of the archive are too long.", hint="Leave them out of it.")
            links[path] = target
    return links


def leading_out(links: Mapping[str, str]) -> list[str]:
    """Returns the paths of links that lead out, or through another link, whose end is unknown before unpacking."""
    tree = _tree(links)
    return [path for path, target in links.items() if _leads_out(path, target, tree)]


def _target(zipped: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    with zipped.open(info) as source:
        raw = source.read(4097)
    if not raw or len(raw) > 4096 or b"\0" in raw:
        raise InvalidRequest(f"{info.filename[:200]} in the archive is not a valid link.", hint="Leave it out.")
    return os.fsdecode(raw)


def _tree(links: Iterable[str]) -> _Links:
    root: _Links = {}
    for path in links:
        here = root
        for part in path.split("/"):
            here = here.setdefault(part, {})
        here[_IS_LINK] = {}
    return root


def _leads_out(path: str, target: str, tree: _Links) -> bool:
    """Returns True if the link leads out or through another link, whose end is unknown before unpacking. Takes time in
    proportion to the lengths of `path` and `target`."""
    if target.startswith("/"):
        return True
    nothing: _Links = {}
    way = [tree]  # the nodes of the tree from the root down to the current folder
    for part in path.split("/")[:-1]:
        way.append(way[-1].get(part, nothing))
    parts = [part for part in target.split("/") if part not in ("", ".")]
    for index, part in enumerate(parts):
        if part == "..":
            way.pop()
            if not way:
                return True
        else:
            way.append(way[-1].get(part, nothing))
        if _IS_LINK in way[-1] and index < len(parts) - 1:
            return True
    return False
