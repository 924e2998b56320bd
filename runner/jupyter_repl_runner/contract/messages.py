"""Text frames of the channel: one JSON object each, parsed and built here and nowhere else.

`{"event": str, "data": {...}, "id"?: int}`; the answer is `{"event": "reply", "id": n, "data": {...}}`, or the
same with `"error"` in place of data. See docs/protocol.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .errors import InvalidRequest, ReplError
from .json_text import parse_json

SUBPROTOCOL = "jupyter-repl.v1"
PROTOCOL = 3
"""The version of the protocol. It counts additions that an older client can ignore: 2 added `cancel` and `part`,
3 added visitors."""
AUTH_HEADER = "X-Jupyter-Repl-Token"
"""Carries the runner's token; not Authorization, which the pod proxy of Kubernetes' API server drops."""
VISITOR_HEADER = "X-Jupyter-Repl-Visitor"
"""The name of a visitor, percent-encoded: somebody who may look at the REPL of another, and change nothing in it."""
MAX_MESSAGE = 256 * 1024
"""The most bytes of one message; larger content goes through `file/`."""

MAX_FRAME = 1 << 20
"""The most bytes of one frame, text or binary. A larger one gets no answer: the channel is closed with code 1009."""

Scalar = TypeVar("Scalar", str, int, bool)


@dataclass(frozen=True)
class Request:
    """One request of a client; `id` is None where no reply is wanted."""

    event: str
    data: Mapping[str, Any]
    id: int | None


def is_subprotocol_in(offered: str) -> bool:
    """Returns True if a Sec-WebSocket-Protocol header offers our subprotocol, alone or among others."""
    return SUBPROTOCOL in (name.strip() for name in offered.split(","))


def parse_request(text: str) -> Request:
    """Parse a text frame; raises InvalidRequest."""
    try:
        message = parse_json(text)
    except ValueError as error:
        raise InvalidRequest("The message is not JSON.", hint="See docs/protocol.md.") from error
    if not isinstance(message, dict):
        raise InvalidRequest("The message is not a JSON object.", hint="See docs/protocol.md.")
    event, data, ident = message.get("event"), message.get("data", {}), message.get("id")
    if not isinstance(event, str):
        raise InvalidRequest("The message has no event.", hint="See docs/protocol.md.")
    if not isinstance(data, dict):
        raise InvalidRequest("The event's data is not an object.", hint="See docs/protocol.md.")
    if ident is not None and (not isinstance(ident, int) or isinstance(ident, bool)):
        raise InvalidRequest("The id of a message must be a whole number.", hint="See docs/protocol.md.")
    return Request(event, data, ident)


def request_id(text: str) -> int | None:
    """Returns the id of a message that may be malformed otherwise, so that the error reply can carry it; else None."""
    try:
        ident = parse_json(text).get("id")
    except (ValueError, AttributeError):
        return None
    return ident if isinstance(ident, int) and not isinstance(ident, bool) else None


def build_event(event: str, data: Mapping[str, Any]) -> str:
    return _dump({"event": event, "data": data})


def build_reply(ident: int | None, data: Mapping[str, Any]) -> str:
    return _dump({"event": "reply", "id": ident, "data": data})


def build_part(ident: int | None, data: Mapping[str, Any]) -> str:
    """A part of an answer. The reply with the same id follows after the last part."""
    return _dump({"event": "part", "id": ident, "data": data})


def build_error(ident: int | None, error: ReplError) -> str:
    return _dump({"event": "reply", "id": ident, "error": error.to_json()})


def field(data: Mapping[str, Any], name: str, kind: type[Scalar], default: Scalar | None = None) -> Scalar:
    """The value of `name` if it is a `kind`, `default` if it is absent; raises InvalidRequest otherwise."""
    value = data.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidRequest(f"The field {name} is missing or of another type.", hint="See docs/protocol.md.")
    return value


def optional(data: Mapping[str, Any], name: str, kind: type[Scalar]) -> Scalar | None:
    """Like `field`, but None where the field is absent or null."""
    return None if data.get(name) is None else field(data, name, kind)


def bounded(data: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None) -> int:
    """Returns a whole number from `low` to `high`; raises InvalidRequest otherwise."""
    value = field(data, name, int, default)
    if not low <= value <= high:
        raise InvalidRequest(f"The field {name} is out of range.", hint=f"It must be from {low} to {high}.")
    return value


def _dump(message: Mapping[str, Any]) -> str:
    # ASCII, so that names which are not UTF-8 (lone surrogates, PEP 383) survive the way to the browser and back.
    return json.dumps(message, separators=(",", ":"))
