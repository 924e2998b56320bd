"""Runners that do not answer. They count neither as used nor as unused. If this lasts SILENT_SECONDS, it is logged."""

import logging
import time

from jupyter_repl_runner.contract.refs import ProjectRef

SILENT_SECONDS = 60.0

log = logging.getLogger(__name__)


class Silence:
    """Records since when each runner has not answered, counted from the first request that failed."""

    def __init__(self) -> None:
        self._since: dict[ProjectRef, float] = {}
        self._reported: set[ProjectRef] = set()

    def answered(self, ref: ProjectRef) -> None:
        """Called when a runner has answered, and when it is gone."""
        self._since.pop(ref, None)
        self._reported.discard(ref)

    def failed(self, ref: ProjectRef, error: Exception) -> None:
        """Called when a runner did not answer a request, or its answer could not be parsed."""
        now = time.monotonic()
        silent = now - self._since.setdefault(ref, now)
        if silent >= SILENT_SECONDS and ref not in self._reported:
            self._reported.add(ref)
            log.warning("%s has not answered for %.0f s, may be in use, and is not stopped: %s", ref, silent, error)
