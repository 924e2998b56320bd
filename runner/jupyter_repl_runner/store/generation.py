"""The generation: the number that fences off old runners. Each start raises it by compare-and-swap; sync reads it
before it writes."""

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
    """`holder` is random, so that no generation of a deleted project equals one of a new project with its name."""

    number: int
    holder: str


async def read_generation(store: Store, ref: ProjectRef) -> Generation | None:
    """Returns None before the first start. Raises InvalidRequest if the stored generation can't be parsed."""
    try:
        raw, _ = await read_all(store, ref.generation)
    except FileNotFound:
        return None
    return _parse(ref, raw)


async def raise_generation(store: Store, ref: ProjectRef) -> Generation:
    """Store the next generation and return it. A sync with an earlier one stops writing at its next check. Raises
    Unavailable if other starts were faster ATTEMPTS times, and InvalidRequest if the last one can't be parsed."""
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
    raise Unavailable(f"Too many servers are starting {ref} at once.", hint="Try again in a moment.")


def _parse(ref: ProjectRef, raw: bytes) -> Generation:
    try:
        found = parse_json(raw)
        return Generation(int(found["generation"]), str(found["holder"]))
    except (ValueError, KeyError, TypeError) as error:
        hint = f"Stop {ref.repl_id} on every server, and delete {ref.generation}."
        raise InvalidRequest(f"{ref.generation} can't be read.", hint=hint) from error
