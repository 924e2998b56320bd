"""Runners that do not answer: they count neither as used nor as unused, and the log names them once that lasts."""

import logging
import time

from jupyter_repl_runner.contract.refs import ProjectRef

SILENT_SECONDS = 60.0

log = logging.getLogger(__name__)


class Silence:
    """Since when each has not answered, as far as it was asked."""

    def __init__(self) -> None:
        self._since: dict[ProjectRef, float] = {}
        self._reported: set[ProjectRef] = set()

    def answered(self, ref: ProjectRef) -> None:
        """Or it is gone."""
        self._since.pop(ref, None)
        self._reported.discard(ref)

    def failed(self, ref: ProjectRef, error: Exception) -> None:
        """It was asked, and did not answer, or not in a way that is understood."""
        now = time.monotonic()
        silent = now - self._since.setdefault(ref, now)
        if silent >= SILENT_SECONDS and ref not in self._reported:
            self._reported.add(ref)
            log.warning("%s has not said for %.0f s whether it is used; it is not stopped: %s", ref, silent, error)
