"""The bundle: a second copy of a project's small files in one object, so that a restore gets all with one request.

The files' own objects remain authoritative. A member is used only if the listing still shows the tag and the time of
its object that were recorded with it. A bundle that is missing, outdated or damaged costs time, never data.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from logging import getLogger

from jupyter_repl_runner.contract.errors import FileNotFound, ReplError
from jupyter_repl_runner.contract.json_text import check_fields, parse_json
from jupyter_repl_runner.contract.paths import is_mode
from jupyter_repl_runner.contract.refs import ProjectRef

from .port import Entry, Store, read_all

MEMBER_BYTES = 1 << 17
MOST_BYTES = 32 << 20
MAX_HEAD = 32 << 20
MEMBER_HEAD = 256
"""The most bytes of a member in the head, besides its path and tag: numbers, a digest, and JSON's punctuation."""
MAX_SECONDS = 1 << 40
"""The largest plausible distance of a time from the epoch, before or after it."""
_MAGIC = b"jupyter-repl bundle 1\n"
_LENGTH = 8
_BEGIN = len(_MAGIC) + _LENGTH
_USELESS = (ReplError, ValueError, TypeError, KeyError)

log = getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """A file as it was saved. `digest`: its sha256; `tag` and `stored`: the object's tag and time in a listing."""

    path: str
    size: int
    mode: int
    mtime: float
    digest: str
    tag: str
    stored: float


class Bundle:
    """`members` in the order of their contents in `body`."""

    def __init__(self, members: Sequence[Member], body: memoryview) -> None:
        self.members = members
        self._body = body

    @classmethod
    def load(cls, raw: bytes) -> "Bundle":
        """Raises ValueError, TypeError or KeyError if `raw` is not a bundle."""
        end = _end_of_head(raw)
        members = _members(raw[_BEGIN:end])
        if end + sum(member.size for member in members) != len(raw):
            raise ValueError("its length is wrong")
        return cls(members, memoryview(raw)[end:])

    def confirmed(self, listed: Mapping[str, Entry]) -> Iterator[tuple[Member, memoryview]]:
        """Yields the members that match the store, with their contents. `listed`: the store's entries by path."""
        position = 0
        for member in self.members:
            content = self._body[position : position + member.size]
            position += member.size
            entry = listed.get(member.path)
            if entry is None or (entry.tag, entry.mtime, entry.size) != (member.tag, member.stored, member.size):
                continue
            if hashlib.sha256(content).hexdigest() == member.digest:
                yield member, content


def _end_of_head(raw: bytes) -> int:
    if not raw.startswith(_MAGIC) or len(raw) < _BEGIN:
        raise ValueError("not a bundle")
    length = int.from_bytes(raw[len(_MAGIC) : _BEGIN], "big")
    if length > MAX_HEAD:
        raise ValueError("its head is too large")
    return _BEGIN + length


def _members(head: bytes) -> list[Member]:
    """Raises ValueError or TypeError if `head` is not the head of a bundle."""
    members = [Member(*fields) for fields in parse_json(head)]
    for member in members:
        check_fields(member)
        if not _is_possible(member):
            raise ValueError(f"the values of {member.path} are impossible")
    return members


def _is_possible(member: Member) -> bool:
    return (
        member.size >= 0
        and is_mode(member.mode)
        and all(abs(moment) < MAX_SECONDS for moment in (member.mtime, member.stored))
    )


def dump(members: Iterable[tuple[Member, bytes]]) -> bytes:
    """Returns a bundle of these members and their contents."""
    pairs = list(members)
    head = json.dumps([astuple(member) for member, _ in pairs]).encode()
    return b"".join([_MAGIC, len(head).to_bytes(_LENGTH, "big"), head, *(content for _, content in pairs)])


async def read_bundle(store: Store, ref: ProjectRef) -> Bundle | None:
    """Returns None if there is no usable bundle."""
    try:
        raw, _ = await read_all(store, ref.bundle, MAX_HEAD + MOST_BYTES)
        return Bundle.load(raw)
    except _USELESS as error:
        _tell(ref, error)
        return None


async def read_members(store: Store, ref: ProjectRef) -> Sequence[Member]:
    """Returns the bundle's members without reading their contents; empty if there is no usable bundle."""
    try:
        async with await store.get(ref.bundle) as blob:
            end = _end_of_head(b"".join([chunk async for chunk in blob.chunks(0, _BEGIN)]))
            return _members(b"".join([chunk async for chunk in blob.chunks(_BEGIN, end)]))
    except _USELESS as error:
        _tell(ref, error)
        return ()


def _tell(ref: ProjectRef, error: Exception) -> None:
    if not isinstance(error, FileNotFound):
        log.warning("%s: its bundle can't be used: %s", ref, error)
