"""What the API server and pods answer with, as errors; and what aiohttp raises, in one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_repl_runner.contract.errors import ReplError, Unavailable

Object = dict[str, Any]


class ApiError(ReplError):
    """What the API server said no with. `status_code` is its own; `body` its words."""

    status = 503

    def __init__(self, status_code: int, body: Object) -> None:
        self.status_code = status_code
        self.body = body
        super().__init__(str(body.get("message") or f"The cluster answered {status_code}."), hint="Try again.")


class Cut(Unavailable):
    """The API server could not be reached, or its answer was cut. `was_heard`: it may have done what it was asked."""

    def __init__(self, *, was_heard: bool) -> None:
        self.was_heard = was_heard
        super().__init__("The cluster can't be reached.", hint="Is the API server up?")


class Unreachable(Unavailable):
    """A pod does not answer: it is not up yet, or no more."""

    def __init__(self) -> None:
        super().__init__("The pod can't be reached.", hint="Try again.")


@contextmanager
def map_cut() -> Iterator[None]:
    """Turn what aiohttp raises into Cut."""
    import aiohttp

    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Cut(was_heard=not isinstance(error, aiohttp.ClientConnectorError)) from error


@contextmanager
def map_unreachable() -> Iterator[None]:
    """Turn what aiohttp raises into Unreachable; HttpProcessingError: a line that is too long."""
    import aiohttp
    from aiohttp.http_exceptions import HttpProcessingError

    try:
        yield
    except (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError) as error:
        raise Unreachable from error
