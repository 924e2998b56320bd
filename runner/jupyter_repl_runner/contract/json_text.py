"""JSON that somebody else has written."""

import json
from typing import Any


def parse_json(text: str | bytes | bytearray) -> Any:
    """What it says. Raises ValueError, also for what is nested too deeply, where `json.loads` raises RecursionError."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
