"""The environment of the programs in a terminal: the runner's own, which is clean already, and what a terminal adds."""

import os
import shutil
from collections.abc import Mapping

TERMINAL_MARK = "JUPYTER_REPL_TERMINAL"


def terminal_environment(base: Mapping[str, str], mark: str, extra: Mapping[str, str]) -> dict[str, str]:
    """`base` with TERM, a UTF-8 locale where none is set, a short prompt, the terminal's mark, and `extra`."""
    result = {**base, "TERM": "xterm-256color", "COLORTERM": "truecolor", TERMINAL_MARK: mark}
    if not any(result.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        result["LANG"] = "C.UTF-8"
    # bash's prompt with the project's name alone: its whole path would fill a narrow terminal.
    result.setdefault("PROMPT_DIRTRIM", "1")
    # Programs get the size from the terminal itself. Stale variables would take precedence over it.
    for name in ("LINES", "COLUMNS"):
        result.pop(name, None)
    return {**result, **extra}


def shell() -> list[str]:
    """The person's shell, else bash, else sh."""
    for candidate in (os.environ.get("SHELL"), "bash", "sh"):
        if candidate and (found := shutil.which(candidate)):
            return [found]
    return ["/bin/sh"]
