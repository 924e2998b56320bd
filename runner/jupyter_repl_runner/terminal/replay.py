"""What a new viewer is shown of a terminal's past. Pure.

Programs ask the terminal questions (where is the cursor, what are you). Replayed, they would be answered a second time
and the answers typed into the shell. They become NULs, which a terminal ignores: the bytes stay as many, so offsets
keep their meaning.
"""

import re

MAX_REPLAY = 1 << 20
"""Bytes that a new viewer is shown at most: about the 10,000 lines that it keeps."""

_SEARCH = 1 << 14

_QUERIES = re.compile(
    rb"\x1b\[[?>=]?[0-9;]*[cn]"  # device attributes, device status and cursor position
    rb"|\x1b\[[?]?[0-9;]*\$p"  # mode requests
    rb"|\x1b\[[>=]?[0-9;]*q(?<=[>0-9;]q)"  # name and version of the terminal
    rb"|\x1b\[[0-9;]*t"  # window reports
    rb"|\x1b\[\?u"  # keyboard protocol
    rb"|\x1b\][0-9;]*;\?(?:\x07|\x1b\\)"  # colours
    rb"|\x1bP[+$]q[^\x1b]*\x1b\\"  # terminfo and settings
    rb"|\x1bZ|\x05"  # identify, enquire
)


def silence_queries(data: bytes) -> bytes:
    """`data` with each query replaced by as many NULs."""
    return _QUERIES.sub(lambda match: b"\0" * len(match[0]), data)


def clean_start(data: bytes) -> int:
    """How many bytes to leave out at the front of `data`, which was cut anywhere: up to the end of a line, or
    where none is near at least to the start of a UTF-8 character."""
    line = data.find(b"\n", 0, _SEARCH)
    if line >= 0:
        return line + 1
    for index in range(min(4, len(data))):
        if data[index] & 0xC0 != 0x80:
            return index
    return 0
