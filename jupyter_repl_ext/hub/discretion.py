"""Keeps addresses' queries and tokens out of the service's log, whichever library writes the line."""

import logging
import re

_QUERY = re.compile(r"(?<=[\w/%.~-])\?[^\s'\"<>]+")
_SECRET = re.compile(r"(?i)\b(token|bearer)(\s+|=)[\w.~+/=-]{8,}")
_COOKIE = re.compile(r"(?i)\b((?:set-)?cookie)(['\"]?:\s*)[^\n]+")

_SESSION = re.compile(r"(xsrf cookie for )\S+")


class DiscreetFormatter(logging.Formatter):
    """Wraps a formatter. The text is searched when it is complete, with the traceback."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return discreet(self._inner.format(record))


def discreet(text: str) -> str:
    """The text without queries, tokens and cookies."""
    text = _SESSION.sub(r"\1…", _COOKIE.sub(r"\1\2…", text))
    return _QUERY.sub("?…", _SECRET.sub(r"\1\2…", text))


def make_discreet(log: logging.Logger) -> None:
    """Let all libraries write to the handlers of `log`, discreetly."""
    for handler in log.handlers:
        handler.setFormatter(DiscreetFormatter(handler.formatter or logging.Formatter()))
    root = logging.getLogger()
    root.handlers, root.level = list(log.handlers), log.level
    log.propagate = False
