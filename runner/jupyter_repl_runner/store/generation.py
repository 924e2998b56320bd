"""The number that fences old runners off: raised by compare-and-swap at each start, read before each write of
sync's."""

import json
import secrets
from dataclasses import dataclass

from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotFound, InvalidRequest, Unavailable
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.refs import ProjectRef

from .port import Store, read_all

ATTEMPTS = 10


@dataclass(frozen=True)
class Generation:
    """`holder` is random, so that the numbers of a project that was deleted and made again mean nothing."""

    number: int
    holder: str


async def read_generation(store: Store, ref: ProjectRef) -> Generation | None:
    """None before the first start. Raises InvalidRequest if it can't be read."""
    try:
        raw, _ = await read_all(store, ref.generation)
    except FileNotFound:
        return None
    return _parse(ref, raw)


async def raise_generation(store: Store, ref: ProjectRef) -> Generation:
    """The next one: from now on every earlier one writes nothing after its next check. Raises Unavailable, and
    InvalidRequest where the last one can't be read."""
    for _ in range(ATTEMPTS):
        try:
            raw, etag = await read_all(store, ref.generation)
        except FileNotFound:
            raw, etag = b"", ""
        new = Generation((_parse(ref, raw).number if raw else 0) + 1, secrets.token_hex(8))
        body = json.dumps({"generation": new.number, "holder": new.holder}).encode()
        try:
            if etag:
                await store.put(ref.generation, body, if_match=etag)
            else:
                await store.put(ref.generation, body, if_none_match=True)
        except (Conflict, FileExists):
            continue
        return new
    raise Unavailable(f"{ref} is being started by many at once.", hint="Try again in a moment.")


def _parse(ref: ProjectRef, raw: bytes) -> Generation:
    try:
        found = parse_json(raw)
        return Generation(int(found["generation"]), str(found["holder"]))
    except (ValueError, KeyError, TypeError) as error:
        hint = f"Stop {ref.repl_id} on every server, and delete {ref.generation}."
        raise InvalidRequest(f"{ref.generation} can't be read.", hint=hint) from error
