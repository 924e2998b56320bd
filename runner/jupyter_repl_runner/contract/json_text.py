"""Parses and checks JSON that another program wrote."""

import json
from dataclasses import fields
from typing import Any

_TYPES: dict[object, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float)}


def parse_json(text: str | bytes | bytearray) -> Any:
    """Returns the parsed value. Raises ValueError, also for deep nesting, where `json.loads` raises RecursionError."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def check_fields(found: Any) -> None:
    """Raises TypeError if a field of a dataclass that is declared as str, int or float has another type."""
    for each in fields(found):
        types = _TYPES.get(each.type)
        if types and type(getattr(found, each.name)) not in types:
            raise TypeError(f"{each.name} is of another type")
