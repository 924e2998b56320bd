"""The small files of a project once more, in one object: a restore needs one request for all of them.

The objects stay the truth. A member counts only where the listing still has the tag and the time of its object that
were written down with it; a bundle that is missing, old or damaged costs time, never data.
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
"""Of the head at most, beside a member's path and tag: numbers, a digest, and what JSON puts between them."""
MAX_SECONDS = 1 << 40
"""Of a time since the epoch, before or after."""
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
        """Raises ValueError, TypeError or KeyError for what is none."""
        end = _end_of_head(raw)
        members = _members(raw[_BEGIN:end])
        if end + sum(member.size for member in members) != len(raw):
            raise ValueError("a bundle that was cut")
        return cls(members, memoryview(raw)[end:])

    def confirmed(self, listed: Mapping[str, Entry]) -> Iterator[tuple[Member, memoryview]]:
        """The members that are just what the store has, with their contents. `listed`: its files by their paths."""
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
        raise ValueError("no bundle")
    length = int.from_bytes(raw[len(_MAGIC) : _BEGIN], "big")
    if length > MAX_HEAD:
        raise ValueError("a bundle with too large a head")
    return _BEGIN + length


def _members(head: bytes) -> list[Member]:
    """Raises ValueError or TypeError for what is none."""
    members = [Member(*fields) for fields in parse_json(head)]
    for member in members:
        check_fields(member)
        if not _is_possible(member):
            raise ValueError(f"no file is like {member.path}")
    return members


def _is_possible(member: Member) -> bool:
    return (
        member.size >= 0
        and is_mode(member.mode)
        and all(abs(moment) < MAX_SECONDS for moment in (member.mtime, member.stored))
    )


def dump(members: Iterable[tuple[Member, bytes]]) -> bytes:
    """A bundle of these and their contents."""
    pairs = list(members)
    head = json.dumps([astuple(member) for member, _ in pairs]).encode()
    return b"".join([_MAGIC, len(head).to_bytes(_LENGTH, "big"), head, *(content for _, content in pairs)])


async def read_bundle(store: Store, ref: ProjectRef) -> Bundle | None:
    """None where there is none that is of any use."""
    try:
        raw, _ = await read_all(store, ref.bundle, MAX_HEAD + MOST_BYTES)
        return Bundle.load(raw)
    except _USELESS as error:
        _tell(ref, error)
        return None


async def read_members(store: Store, ref: ProjectRef) -> Sequence[Member]:
    """What the bundle holds, without its contents; nothing where there is none that is of any use."""
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
