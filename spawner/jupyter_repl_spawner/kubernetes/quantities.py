"""Kubernetes' way to write sizes. Pure."""

import re
from decimal import Decimal

from jupyter_repl_runner.contract.errors import InvalidRequest

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def parse(text: str) -> int:
    """Bytes. Raises InvalidRequest."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kMGT]i?|Ki)?", text)
    if found is None or (unit := found[2] or "") not in _UNITS:
        raise InvalidRequest(f"{text!r} is no size.", hint="Write it as 512Mi or 2Gi.")
    return int(Decimal(found[1]) * _UNITS[unit])
