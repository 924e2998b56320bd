"""What a new viewer is shown of a terminal's past. Pure.

Programs send queries to the terminal (where is the cursor, what are you). If a query were replayed, the new viewer's
terminal would answer it again, and the answer would be typed into the shell. So each byte of a query becomes a NUL,
which a terminal ignores. The number of bytes stays the same, so offsets keep their meaning.
"""

import re

MAX_REPLAY = 1 << 20
"""The most bytes that a new viewer is shown: about the 10,000 lines that a tab keeps."""

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
    """Returns how many bytes to drop at the front of `data`, which may begin anywhere: up to the end of a line, or to
    the start of a UTF-8 character if no end of a line is near."""
    line = data.find(b"\n", 0, _SEARCH)
    if line >= 0:
        return line + 1
    for index in range(min(4, len(data))):
        if data[index] & 0xC0 != 0x80:
            return index
    return 0
